"""Models of other makers, end to end: the register image of a profile's examples is served by pymodbus (tests/peers/modbus_models.py),
which knows nothing of the gateway, and what the gateway reads, writes and leaves alone is held against it. And the table of supported
models in lua/README.md, made from `forecourt profile check`."""
import json
import os
import re
import subprocess

import harness
import pytest
from test_lua_api import written

PROFILES = sorted((harness.ROOT / "lua" / "profiles").glob("*.lua"))
BUILD = harness.ROOT / os.environ.get("FORECOURT_BUILD", "build/host")
PEER = harness.ROOT / "tests" / "peers" / "modbus_models.py"
LIMIT = 120


# What the files say --------------------------------------------------------------------------------------------------------

def reports():
    done = subprocess.run([BUILD / "forecourt", "profile", "check", "--json", *PROFILES], capture_output=True, text=True, timeout=120,
                          check=True)
    return {r["report"]["name"]: r["report"] for r in map(json.loads, done.stdout.splitlines())}


def examples(path):
    """The examples of a profile, read by a reader of Lua's constants that is not ours."""
    text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|-?0x[0-9A-Fa-f]+|-?\d+\.?\d*|\w+|[{}\[\]=,]', text[text.index("\n  examples = {") + 13:])
    at = 0

    def value():
        nonlocal at
        token, at = tokens[at], at + 1
        if token == "{":
            table, place = {}, 0
            while tokens[at] != "}":
                if tokens[at] == "[":
                    at += 1
                    key = value()
                    at += 2
                elif tokens[at + 1] == "=":
                    key = tokens[at]
                    at += 2
                else:
                    key = place = place + 1
                table[key] = value()
                at += tokens[at] == ","
            at += 1
            return table
        if token[0] == '"':
            return token[1:-1]
        if token in ("true", "false"):
            return token == "true"
        return int(token, 0) if re.fullmatch(r"-?(0x[0-9A-Fa-f]+|\d+)", token) else float(token)

    return list(value().values())


def image_of(report, chosen, more):
    """{unit: {function: {address: word}}}: zeros where the plan reads, over them the examples, over them what the test wants."""
    units = {}
    for block in report["blocks"]:
        table = units.setdefault(block["unit"], {}).setdefault(block["fc"], {})
        table.update({a: 0 for a in range(block["address"], block["address"] + block["words"])})
    for example in chosen:
        for fc, table in units[example.get("unit_id", 1)].items():
            if example.get("fc", fc) == fc:
                table.update({a: w for a, w in example["registers"].items() if a in table})
    for (fc, address), word in more.items():
        units[1][fc][address] = word
    return units


# The table of models -------------------------------------------------------------------------------------------------------

def seconds(ms):
    return f"{int(ms) / 1000:g} s"


def what_is_read(report, text):
    names = {p.rsplit("/", 1)[0] for b in report.get("blocks", ()) for p in b["points"]}
    # A CAN device is read by no plan.
    names = names or set(re.findall(r"(?m)^    (\w+) += \{", text[text.index("\n  points = {"):].split("\n  },")[0]))
    found = ["state"] if "state" in names else []
    for letter, name in (("U", "voltage"), ("I", "current")):
        phases = sum(f"{name}_{p}" in names for p in "abc")
        found += [f"{phases} {letter}" if phases > 1 else letter] if phases else []
    for text, name in (("P", "power"), ("E", "energy"), ("E out", "energy_out"), ("session E", "session_energy"), ("SoC", "soc"),
                       ("temperature", "temperature"), ("fault", "fault"), ("serial", "serial"), ("firmware", "firmware")):
        found += [text] if name in names or f"{name}_major" in names else []
    return ", ".join(found)


def keep_alives(report):
    found = []
    for text in report.get("keep_alives", ()):
        fc, ms, share = re.match(r"(?:fc (\d+))?.*every (\d+) ms(.*)", text).groups()
        found.append(f"{'frame' if not fc else 'read' if int(fc) <= 4 else 'write'} {seconds(ms)}{share}")
    return ", ".join(found)


def limit(report):
    text = re.sub(r"^(fc \d+, address \d+|0x.*ms): ", "", report.get("setpoint", ""))
    return re.sub(r"again every (\d+) ms", lambda m: "again " + seconds(m[1]), text)


def row(path, report):
    line = report.get("line", {})
    link = {"tcp or rtu": "TCP, RTU", "rtu-over-tcp": "RTU over TCP", "ascii": "ASCII", "dlt645": "DL/T 645"}.get(line.get("framing"),
                                                                                         line.get("framing", "").upper())
    text = path.read_text(encoding="utf-8")
    if not link:
        link = "CAN" if re.search(r"(?m)^  (can|listen) = ", text) else "any"
    if "baud" in line:
        link += f" {line['baud']}"
    source = report["source"].replace("reference/", "")
    return [report["description"], f"`{path.stem}`", link, str(report["connectors"]), what_is_read(report, text), limit(report),
            ", ".join(c["name"] for c in report.get("commands", ())), keep_alives(report), source, report["tested"]]


def test_the_table_of_models_stands_in_the_readme():
    found = reports()
    rows = [row(path, found[path.stem]) for path in PROFILES]
    rows.sort(key=lambda r: r[0].lower())
    head = ["model", "profile", "link", "connectors", "read", "limit", "commands", "keep-alive", "source", "tested on"]
    text = "".join("| " + " | ".join(cell.replace("|", "/") for cell in r) + " |\n" for r in [head, ["---"] * len(head), *rows])
    assert len(rows) >= 57 and all(0 < len(r[0]) <= 90 and r[8] for r in rows)
    assert written(harness.ROOT / "lua" / "README.md", "models", text) == text, "FORECOURT_WRITE=1 writes it"


def test_load_of_each_model():
    """Printed: what each asks of a line of 9600 baud (run with -s). None that is for such a line fills it."""
    for name, report in sorted(reports().items()):
        if "load_9600" not in report:
            continue
        print(f"{name:26} {report['reads_per_s']:5} reads/s {report['words_per_s']:6} words/s {report['load_9600']:6} % of 9600 baud")
        if report.get("line", {}).get("framing") == "rtu" and report["connectors"] == 1:
            assert report["load_9600"] < 80, name


def test_common_points_have_their_units():
    """The same name is the same thing in every file; lua/profiles/README.md lists them."""
    units = {"voltage": {"V"}, "current": {"A"}, "power": {"W", "kW"}, "energy": {"Wh", "kWh"}, "soc": {"%"}, "temperature": {"degC"},
             "session_energy": {"Wh", "kWh"}, "energy_out": {"Wh", "kWh"}, "session_time": {"s"}, "failsafe_s": {"s"}, "uptime": {"s"},
             "frequency": {"Hz"}, "power_limit": {"W", "kW"}, "current_limit": {"A"}}
    readme = (harness.ROOT / "lua" / "profiles" / "README.md").read_text(encoding="utf-8")
    checked = 0
    for path in PROFILES:
        text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
        if "\n  points = {" not in text:
            continue
        points = text[text.index("\n  points = {"):]
        points = points[:points.index("\n  },")]
        for name, body in re.findall(r"(?ms)^    (\w+) += \{(.*?)\}(?:,)?$", points):
            plain = re.sub(r"_[abc]$", "", name)
            unit = re.search(r'unit = "([^"]*)"', body)
            if plain in units and "signal" not in body and not (plain == "temperature" and not unit):
                assert unit and unit[1] in units[plain], (path.name, name, unit and unit[1])
                checked += 1
    assert checked > 400
    for name in units:
        assert f"`{name}" in readme, name


# Served by pymodbus --------------------------------------------------------------------------------------------------------

class Models:
    """Some models behind one gateway. model(name, ...) adds one; start(); then points, status and the peer's record."""

    def __init__(self, station):
        self.station, self.devices, self.expect, self.wanted = station, [], {}, reports()
        self.log = station.folder / "models.jsonl"
        station.gateway_options["record_kb"] = 0

    def model(self, name, shown=(0,), unit=1, number=1, more=(), kind="tcp", edit=(), **spec):
        """shown: which examples (from 0) the image is made of; more: {(function, address): word}; edit: (old, new) in the gateway's
        copy of the profile."""
        path = self.station.lua / "profiles" / f"{name}.lua"
        chosen = [examples(path)[i] for i in shown]
        report = self.wanted[name]
        units = image_of(report, chosen, dict(more))
        base = {u + unit - 1 if u <= 16 else u: tables for u, tables in units.items()}
        device = dict(name=name, units=base, **spec)
        if device.get("whole"):
            device["values"] = [[b["address"], b["words"]] for b in report["blocks"]]
        bus = dict(kind=kind)
        if kind == "tcp":
            device["port"] = harness.free_port()
            bus.update(host="127.0.0.1", port=device["port"])
        else:
            ends = [self.station.folder / f"{name}.{end}" for end in ("gateway", "device")]
            self.station.add(harness.Process(["socat", *(f"pty,raw,echo=0,link={end}" for end in ends)], self.station.folder,
                                             f"socat-{name}"))
            self.station.until(lambda: all(end.exists() for end in ends), 30, "the pair of terminals")
            device["device"] = str(ends[1])
            bus.update(device=ends[0], baud=19200)
        # What is read once a minute or less, its first time somewhere within that: not for a test to wait for.
        text = re.sub(r"(words = \d+|unit = \"\w+\"|type = \"\w+\"|\w+ = true), period_ms = (60000|300000)", r"\1, period_ms = 3000",
                      path.read_text())
        for old, new in edit:
            assert text.count(old) == 1, (name, old)
            text = text.replace(old, new)
        path.write_text(text)
        self.devices.append(device)
        self.expect[name] = {k: v for e in chosen for k, v in e["expect"].items()}
        section = name.replace("-", "_")
        self.station.extra += harness.section("bus", section, **bus)
        self.station.extra += harness.section("charger", section, station="s1", bus=section, unit=unit, profile=name,
                                              equipment_id=name[:23])
        self.station.extra += harness.section("connector", section, charger=section, number=number, connector_id=name,
                                              power_w=150000)

    def start(self):
        spec = self.station.folder / "models.json"
        spec.write_text(json.dumps(dict(log=str(self.log), devices=self.devices)))
        self.station.add(harness.Process(["/usr/bin/python3", "-B", PEER, spec], self.station.folder, "models"))
        self.station.until(self.log.exists, 60, "the models")
        self.station.start_gateway()

    def connector(self, name):
        return next(c for c in self.station.stats()["connectors"] if c["connector_id"] == name)

    def record(self, name, **wanted):
        if not self.log.exists():
            return []
        lines = [json.loads(line) for line in self.log.read_text().splitlines(True) if line.endswith("\n")]
        return [r for r in lines if r["device"] == name and all(r.get(k) == v for k, v in wanted.items())]

    def wait_record(self, name, times=1, **wanted):
        def found():
            lines = self.record(name, **wanted)
            return lines if len(lines) >= times else None

        return self.station.until(found, LIMIT, f"{times} of {wanted} at {name}")

    def differs(self, name):
        """What is not yet as the example says: {point: (expected, shown)}."""
        c = self.connector(name)
        wrong = {}
        for key, wanted in self.expect[name].items():
            if wanted is False:  # a register of the image that the example left out reads 0
                continue
            point = c["points"].get(key)
            shown = c["status"] if key == "status" else point["value"] if point and point["quality"] == "good" else None
            if shown != wanted and not (isinstance(wanted, float) and isinstance(shown, (int, float)) and abs(shown - wanted) < 1e-3):
                wrong[key] = (wanted, shown)
        return wrong

    def wait_as_said(self, name):
        try:
            self.station.until(lambda: not self.differs(name), LIMIT, f"{name} as its example says")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.differs(name)}") from error


@pytest.fixture
def models(make_station):
    return Models(make_station(start=False, tcp=0, line_units=()))


# Very different ones: {name: how the peer serves it}. SDM630: a firmware that takes 50 words.
SERVED = {
    "abb-terra-ac": {},
    "keba-p30": dict(unit=255, whole=True),
    "alfen-eve": dict(shown=(0, 4)),
    "webasto-next": dict(unit=255, shown=(0, 1)),
    "alpitronic-hyc": dict(number=2),
    "schneider-evlink": dict(unit=255, most=6, react=[dict(address=4000, nonzero={"4000": 2})]),
    "bender-cc": dict(unit=255, most=6, forbidden=[[730, 746]]),
    "phoenix-ev-cc-eth": dict(unit=255, shown=(0, 1)),
    "delta": dict(number=2),
    "daheimladen": dict(unit=255),
    "innogy-ebox": {},
    "eastron-sdm630": dict(most=50),
    "gavazzi-em24": {},
    "heidelberg-energy-control": dict(kind="rtu", unit=3),
}


def test_models_read_as_their_examples_say(models):
    for name, how in SERVED.items():
        models.model(name, **how)
    models.start()
    for name in SERVED:
        models.wait_as_said(name)
    # Nothing was asked that a model refuses: plans keep to what each bears, from the first request on.
    for name in SERVED:
        assert [r for r in models.record(name) if "refused" in r] == [], name
    assert {r["unit"] for r in models.record("alfen-eve")} == {1, 200}
    assert max(r["count"] for r in models.record("eastron-sdm630")) <= 50
    assert {r["count"] for r in models.record("keba-p30", fc=3)} == {2}
    # 100 ms before each request: from an answer made to the next request come, which is more than lies between them on the wire.
    times = [r["t"] for r in models.record("heidelberg-energy-control")]
    gaps = sorted(b - a for a, b in zip(times, times[1:]))
    assert len(gaps) >= 5 and gaps[0] >= 0.1, gaps[:3]
    # State E without 100 MWh: the meter's connector is off line, what it measures is there.
    assert models.connector("eastron-sdm630")["status"] == 0
    for name in SERVED:
        print(f"{name:26} {len(models.record(name)):5} requests")


def test_an_optional_register_that_a_model_lacks_blinds_nothing(models):
    """delta: no output registers, no serial; peblar on one phase; chargers.md 4, row 28."""
    models.model("delta", number=2)
    models.model("peblar", unit=255)
    for fc, addresses in ((4, [2003, 2004, 2007, 2008, *range(110, 130)]), (3, [201, 202])):
        for address in addresses:
            del models.devices[0]["units"][1][fc][address]
    for address in (30018, 30019, 30020, 30021, 30024, 30025, 30026, 30027):
        del models.devices[1]["units"][255][4][address]
    for key in ("voltage_a", "current_a", "failsafe_s"):
        models.expect["delta"].pop(key, None)
    models.start()
    models.wait_as_said("delta")
    models.wait_as_said("peblar")
    for name, key in (("delta", "voltage_a"), ("peblar", "voltage_b")):
        assert models.connector(name)["points"][key]["quality"] == "unknown"


def rate(found):
    return (found[-1]["t"] - found[0]["t"]) / (len(found) - 1)


def test_keep_alives_come_as_the_charger_wants(models):
    models.model("webasto-next", unit=255, shown=(0, 1), more={(3, 2002): 2})
    models.model("webasto-unite", unit=255, more={(3, 2002): 4})
    models.model("mennekes-compact", unit=50)
    models.model("schneider-evlink", unit=255, more={(3, 4000): 0}, react=[])
    models.model("kathrein-wallbox", more={(3, 0xA0): 0})
    models.model("keba-p40", unit=255, more={(3, 1603): 4})
    models.model("abb-terra-ac")
    models.model("heidelberg-energy-control", kind="rtu")
    models.start()
    # Half of 2 s, a quarter of 4 s; 5 s while it was not known yet, so the first ones don't count.
    for name in ("webasto-next", "webasto-unite"):
        assert 0.9 <= rate(models.wait_record(name, 8, fc=6, address=6000, words=[1])[3:]), name
    assert 4.5 <= rate(models.wait_record("mennekes-compact", 3, fc=6, address=0x0D00, words=[0x55AA]))
    # What was not armed stays so, what was is told its own 4 s each 2 s.
    assert 1.8 <= rate(models.wait_record("keba-p40", 5, fc=6, address=5018, words=[4])[1:])
    models.wait_record("abb-terra-ac", 2, fc=3, address=0x400C, count=2)
    # The life bit reads 1 after the first, not 2: it goes on. Remote control and standby are put right once.
    models.wait_record("schneider-evlink", 3, fc=6, address=4000, words=[1])
    models.wait_record("kathrein-wallbox", 1, fc=6, address=0xA0, words=[0x8000])
    models.wait_record("heidelberg-energy-control", 1, fc=16, address=258, words=[4])
    polls = len(models.record("kathrein-wallbox", fc=3))
    models.station.until(lambda: len(models.record("kathrein-wallbox", fc=3)) > polls + 40, LIMIT, "more polls")
    assert len(models.record("kathrein-wallbox", fc=6)) <= 2
    # Nobody asked for a limit: none was written.
    for device in models.devices:
        for r in models.record(device["name"]):
            assert r["fc"] <= 4 or r["address"] in (6000, 0x0D00, 5018, 4000, 0xA0, 258), r


def held(initial):
    """The profile with a limit that is held from the start on."""
    return (("\n  setpoint = {", f"\n  setpoint = {{ initial = {initial},"),)


def test_limits_are_written_as_each_wants_them(models):
    models.model("alfen-eve", shown=(0, 4), edit=held(16))
    models.model("keba-p40", unit=255, edit=held(16))
    models.model("alpitronic-hyc", number=2, edit=held(150000))
    models.model("heidelberg-energy-control", kind="rtu", edit=held(16))
    models.model("foxess-evc", edit=held(11), more={(3, 0x3005): 2})
    models.model("wallbe-eco", unit=255, shown=(0, 1), edit=held(16))
    models.model("ambibox", edit=held(11000))
    models.model("sigenergy-evdc", edit=held(12000))
    models.model("abl-em4", unit=255, edit=held(16))
    models.start()
    wanted = {
        "alfen-eve": dict(unit=1, fc=16, address=1210, words=[0x4180, 0]),  # both words in one request
        "keba-p40": dict(fc=6, address=5004, words=[16000]),
        "alpitronic-hyc": dict(fc=16, address=200, words=[2, 18928]),
        "heidelberg-energy-control": dict(fc=16, address=261, words=[160]),
        "foxess-evc": dict(fc=16, address=0x3002, words=[110]),
        "wallbe-eco": dict(fc=6, address=528, words=[160]),  # this one's unit is 0.1 A
        "ambibox": dict(fc=16, address=3000, words=[0xFFFF, 0xD508]),  # negative: to the car
        "sigenergy-evdc": dict(fc=16, address=41002, words=[0, 12000]),
        "abl-em4": dict(fc=16, address=0x3032, words=[160]),
    }
    for name, write in wanted.items():
        models.wait_record(name, **write)
    # Good for 2 s only, then it goes to the most: written each second. The first may come before that is known.
    assert 0.9 <= rate(models.wait_record("foxess-evc", 6, **wanted["foxess-evc"])[2:])
    for name, write in wanted.items():
        assert all(r.get("words") == write["words"] for r in models.record(name) if r.get("address") == write["address"] and r["fc"] > 4)


def test_a_limit_that_is_not_taken_is_told(models):
    """chargers.md 4, row 29: em2go-home after an update that made its limit read-only; abb-terra-ac has a cable for less."""
    models.model("em2go-home", unit=255, ignores=[91], edit=(*held(10), ('verify = "current_limit"',
                                                                         'verify = "current_limit", verify_ms = 500, refresh_ms = 500')))
    models.model("abb-terra-ac", edit=(*held(32), ("verify_ms = 10000", "verify_ms = 1000")), more={(3, 0x400F): 20000})
    models.start()

    def limit(name):
        found = json.loads(models.station.cli("connectors", name, "--json").stdout)["connectors"][0]
        return found.get("limit", {"state": None})

    models.station.until(lambda: limit("em2go-home")["state"] == "not taken", LIMIT, "the limit is looked for")
    models.station.until(lambda: limit("abb-terra-ac")["state"] == "taken", LIMIT, "the limit is in force")
    assert limit("em2go-home") == {"value": 10, "unit": "A", "state": "not taken", "reads_back": 16}
    assert limit("abb-terra-ac") == {"value": 32, "unit": "A", "state": "taken", "reads_back": 20}
    # Written again and again, told once, and there for whoever looks.
    reads = len(models.record("em2go-home", fc=3, address=91))
    models.station.until(lambda: len(models.record("em2go-home", fc=3, address=91)) > reads + 4, LIMIT, "more verdicts")
    assert all(r["words"] == [100] for r in models.wait_record("em2go-home", 6, fc=16, address=91))
    assert len(models.record("abb-terra-ac", fc=16, address=0x4100)) == 1
    log = models.station.gateway.output()
    assert log.count("a limit of 10 A was accepted, but current_limit reads back as 16") == 1 and log.count("was accepted, but") == 1
    shown = models.station.cli("connectors", "em2go-home").stdout
    assert re.search(r"(?m)^setpoint +10 A: not taken \(reads back 16\)$", shown), shown


def test_a_limit_of_unknown_unit_is_not_written(models):
    """Wallbe: paused by another with 0, its register says nothing of its unit: nothing is written."""
    models.model("wallbe-eco", unit=255, edit=held(16), more={(3, 528): 0})
    models.start()
    models.wait_as_said("wallbe-eco")
    polls = len(models.record("wallbe-eco"))
    models.station.until(lambda: len(models.record("wallbe-eco")) > polls + 40, LIMIT, "more polls")
    assert [r for r in models.record("wallbe-eco") if r["fc"] > 4] == []


def test_a_charge_is_started_and_stopped_by_a_limit(models):
    """bender-cc: its start is a limit and a look at it, its stop a limit of 0."""
    station = models.station
    station.station_options["policy"] = "test"
    station.write_policy("test", 'return { forecourt = 1, kind = "policy", name = "test",'
                                 ' prices = { { start = "00:00", elec = 1, service = 0 } } }')
    models.model("bender-cc", unit=255, forbidden=[[730, 746]], more={(3, 122): 2, (3, 1000): 0},
                 react=[dict(address=1000, nonzero={"122": 3}, zero={"122": 2})])
    models.expect["bender-cc"].update(status=2, current_limit=0)
    models.start()
    models.wait_as_said("bender-cc")
    done = station.cli("start", "bender-cc", "--json")
    assert done.returncode == 0, done
    models.wait_record("bender-cc", fc=16, address=1000, words=[32])
    station.until(lambda: models.connector("bender-cc")["status"] == 3, LIMIT, "charging")
    # At once, while the start still looks for its limit: neither holds up the other.
    done = station.cli("stop", "bender-cc", "--json")
    assert done.returncode == 0, done
    models.wait_record("bender-cc", fc=16, address=1000, words=[0])
    station.until(lambda: models.connector("bender-cc")["status"] == 2, LIMIT, "no charge")
    assert [r for r in models.record("bender-cc") if "refused" in r] == []
