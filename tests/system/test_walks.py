"""The walk-throughs in lua/: each page is done word for word on a station of its own (walk.py). What comes of it is worked out
here once more, from the registers and in Python's decimals."""
import hashlib
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import time
from decimal import ROUND_HALF_UP, Decimal

import harness
import walk

LUA = harness.ROOT / "lua"
BUILD = pathlib.Path(os.environ.get("FORECOURT_BUILD", harness.ROOT / "build" / "host"))


def newest(station):
    """The newest message of a method that the platform got about the first connector."""

    def pushed(method):
        found = [p for m, p in list(station.server.received) if m == method and station.connector_id(0) in json.dumps(p)]
        return found[-1] if found else None

    return pushed


def shadow_pidof(station):
    """Other gateways may run on this machine: the page's pidof finds the one of the test."""
    folder = station.folder / "bin"
    folder.mkdir()
    script = folder / "pidof"
    script.write_text(f"#!/bin/sh\necho {station.gateway.popen.pid}\n")
    script.chmod(0o755)
    return folder


def walk_on(station, page, does):
    steps = walk.Walk(LUA / page, station, newest(station), does)
    steps.environment["PATH"] = f"{shadow_pidof(station)}:{steps.environment['PATH']}"
    return steps.run()


def asked(station, *words, code=0):
    done = station.cli(*words, "--json")
    assert done.returncode == code, done
    return json.loads(done.stdout)


def sha_of(station, item):
    """The version of a script that is one file, as sha256sum says it."""
    return hashlib.sha256((station.lua / f"{item}.lua").read_bytes()).hexdigest()


def closed_order(station):
    """The newest order when it is closed, and the register at its begin and its end as the charger counted them."""

    def closed():
        seq = asked(station, "orders", "list")["orders"][0]["seq"]
        order = asked(station, "orders", "show", seq)
        return order if order["session"] == "closed" else None

    order = station.until(closed, walk.PATIENCE, "the order closed")
    connector, begin, end = json.loads(station.ask_chargers("sessions 0"))[-1]
    assert connector == 1 and order["connector"] == station.connector_id(0)
    assert (order["start_register_wh"], order["end_register_wh"]) == (begin * 10, end * 10)
    assert order["energy_wh"] == sum(line["energy_wh"] for line in order["lines"]) == (end - begin) * 10 > 0
    return order


def charges(station):
    """Until the charge under way has taken something."""
    station.until(lambda: asked(station, "orders", "list")["orders"][0]["energy_wh"] >= 150, walk.PATIENCE, "some energy")


def test_first_mapping(charging):
    station = charging(tcp=1, line_units=(), connectors=2)
    odd = {"result": "ok"}
    station.server.answers["notification_stationStatus"] = lambda p: (0, odd if "connectorStatusInfo" in p else {"Status": 0})
    records = station.folder / "before.jsonl"

    def both_are_told():
        assert station.cli("lua", "record", records).returncode == 0
        return [json.loads(line).get("method") for line in records.read_text().splitlines()].count("notification_stationStatus") == 4

    station.until(both_are_told, walk.PATIENCE, "the first status of both connectors, and its answer")

    def again():
        station.ask_chargers("clear 0 1")
        station.until(lambda: newest(station)("notification_stationStatus")["connectorStatusInfo"]["status"] == "1",
                      walk.PATIENCE, "idle")
        station.ask_chargers("fault 0 1 7")

    def leaves():
        assert re.search(r"haicheng\.lua:11: unexpected symbol near '=='", station.gateway.output()), "the log says it, too"
        station.ask_chargers("unplug 0 1")

    assert walk_on(station, "first-mapping.md", {
        "a car comes": lambda: station.ask_chargers("plug 0 1"),
        "the car leaves": leaves,
        "the charger breaks down": lambda: station.ask_chargers("fault 0 1 7"),
        "it is repaired and breaks down again": again,
    }) >= 18


EVENING = (("22:00", "0.35"), ("18:00", "1.25"), ("07:00", "0.75"), ("00:00", "0.35"))


def evening_price(line, fee):
    """Electricity and service in yuan per kWh by the page's tariff, at the hour and on the day of a line."""
    began = time.strptime(line["start"], "%Y-%m-%d %H:%M:%S")
    elec = next(Decimal(price) for since, price in EVENING if line["start"][11:] >= since)
    return elec, Decimal(fee) - (Decimal("0.05") if began.tm_wday >= 5 else 0)


def fen(line, price):
    return (Decimal(line["energy_wh"]) / 1000 * price).quantize(Decimal("0.01"), ROUND_HALF_UP)


def check_replay(station):
    """What the order by the old price would have cost; it is the only one yet, of nobody's class."""
    order = closed_order(station)
    totals = asked(station, "lua", "replay", station.lua / "policies" / "evening.lua", "--records", station.folder / "orders.jsonl",
                   "--all", code=4)["totals"]
    would = sum(fen(line, price) for line in order["lines"] for price in evening_price(line, "0.60"))
    assert totals["orders"] == 1 and totals["was_e4"] == order["money_e4"]
    assert abs(Decimal(totals["is_e4"]) / 10000 - would) <= slack(order) * 2


def slack(order):
    """Several lines together are rounded to what their sum is."""
    return Decimal("0.01") if len(order["lines"]) > 1 else 0


def check_evening(station, member, versions):
    """The newest order costs what the page's tariff says, of a member."""
    order = closed_order(station)
    for line in order["lines"]:
        elec, service = evening_price(line, member)
        assert (line["elec_e4"], line["service_e4"]) == (elec * 10000, service * 10000)
        for price, money in ((elec, line["elec_money_e4"]), (service, line["service_money_e4"])):
            assert abs(Decimal(money) / 10000 - fen(line, price)) <= slack(order), (line, price)
    assert order["user_class"] == "member" and order["tariff"]["policy"] == "evening"
    assert order["tariff"]["version"] == sha_of(station, "policies/evening")
    versions.append(order["tariff"]["version"])


def test_first_tariff(charging):
    station = charging(tcp=1, line_units=(), connectors=2, at_station={"policy": "flat"})
    station.ask_chargers("plug 0 1")
    station.wait_status(station.connector_id(0), 2)
    versions = []
    assert walk_on(station, "first-tariff.md", {
        "it charges": lambda: charges(station),
        "what it would have earned": lambda: check_replay(station),
        "the order by the new tariff": lambda: check_evening(station, "0.45", versions),
        "the order by the changed tariff": lambda: check_evening(station, "0.30", versions),
        "the order by the first tariff": lambda: check_evening(station, "0.45", versions),
    }) >= 18
    assert versions[0] == versions[2] != versions[1]


# The invented charger as its manual has it, read here by hand: point, register of connector 1, words, scale.
LARKFIELD = (("state", 0, 1, "1"), ("fault", 1, 1, "1"), ("voltage_a", 2, 1, "0.1"), ("current_a", 3, 1, "0.1"), ("power", 4, 2, "1"),
             ("energy", 6, 2, "0.01"), ("soc", 10, 1, "0.1"), ("temperature", 11, 1, "0.1"))


def registers(station, first, count):
    """What the charger answers to a plain Modbus read."""
    with socket.create_connection(("127.0.0.1", station.charger_port), 20) as s:
        s.sendall(struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, first, count))
        answer = s.makefile("rb").read(9 + 2 * count)
    assert answer[7] == 3 and answer[8] == 2 * count, answer
    return struct.unpack(f">{count}H", answer[9:])


def measured(station, number):
    words = registers(station, 100 * (number - 1), 12)
    return {name: int.from_bytes(struct.pack(f">{n}H", *words[at:at + n]), "big") * Decimal(scale)
            for name, at, n, scale in LARKFIELD}


def check_values(station, number=1):
    """What the gateway shows of a connector lies between two readings of the registers, one before and one after it was measured.
    (All of them rise while a car charges, and rest while none does.)"""
    before = measured(station, number)
    since = time.monotonic()

    def fresh():
        asked_at = time.monotonic()
        [connector] = asked(station, "connectors", station.connector_id(0, number))["connectors"]
        points = {p["name"]: p for p in connector["points"]}
        good = [p for p in points.values() if p["quality"] == "good" and p["name"] != "serial"]
        return points if all(p["age_ms"] / 1000 < asked_at - since for p in good) else None

    points = station.until(fresh, walk.PATIENCE, "values measured since")
    after = measured(station, number)
    for name in before:
        if name == "soc" and before[name] == 0:
            assert points[name]["quality"] == "unknown" and "value" not in points[name]
        else:
            assert before[name] <= Decimal(str(points[name]["value"])) <= after[name], (name, before, points[name], after)
    return points


def test_first_charger(charging):
    station = charging(tcp=1, line_units=(), connectors=2, at_station={"policy": "flat"})

    def all_values():
        points = check_values(station)
        assert points["serial"]["value"].encode() == struct.pack(">8H", *registers(station, 20, 8))
        # The register of connector 2 is another: the stride is right.
        assert check_values(station, 2)["energy"]["value"] > 100 and measured(station, 2)["energy"] == Decimal("100.01")

    def it_charges():
        charges(station)
        assert station.ask_chargers("state 0 1") == "charging"
        points = check_values(station)
        assert points["power"]["value"] > 50000 and points["soc"]["quality"] == "good"

    def order():
        closed = closed_order(station)
        assert (closed["profile"], closed["profile_version"]) == ("larkfield-l2", sha_of(station, "profiles/larkfield-l2"))
        money = [(Decimal(closed["energy_wh"]) / 1000 * Decimal(price)).quantize(Decimal("0.01"), ROUND_HALF_UP)
                 for price in ("0.8", "0.4")]
        assert closed["money_e4"] == sum(money) * 10000

    assert walk_on(station, "first-charger.md", {
        "all values are those of the registers": all_values,
        "a car comes": lambda: station.ask_chargers("plug 0 1"),
        "it charges": it_charges,
        "the order is right": order,
    }) >= 22


def test_everything_shipped_is_good():
    """As an integrator would ask, before the first change: no daemon, the shipped folder, all of it."""
    done = subprocess.run([BUILD / "forecourt", "lua", "check", LUA], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}, timeout=walk.PATIENCE, check=False)
    assert done.returncode == 0, done
    good = dict(re.findall(r"(?m)^(.*): good \((\d+) examples\)$", done.stdout))
    wanted = {str(p) for folder in ("lib", "operators", "policies", "profiles") for p in (LUA / folder).glob("*.lua")}
    assert set(good) == wanted and len(wanted) >= 40, done.stdout
    assert sum(map(int, good.values())) > 100


def test_the_files_in_the_reference_load(tmp_path):
    """The mapping and the policy that lua/README.md shows (test_profile.py: its profiles)."""
    blocks = re.findall(r"```lua\n(return \{\n.*?)```", (LUA / "README.md").read_text(), re.S)
    folders = {"operator": "operators", "policy": "policies"}
    seen = []
    for text in blocks:
        kind = re.search(r'kind = "(\w+)"', text)[1]
        if kind in folders:
            path = tmp_path / folders[kind] / "mine.lua"
            path.parent.mkdir()
            path.write_text(text.replace('"NAME"', '"mine"'))
            seen.append(kind)
    assert sorted(seen) == ["operator", "policy"]
    done = subprocess.run([BUILD / "forecourt", "lua", "check", tmp_path], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}, timeout=walk.PATIENCE, check=False)
    assert done.returncode == 0 and done.stdout.count(": good (1 examples)") == 2, done


def test_pages_point_at_what_is_there():
    """Links between the READMEs and the pages; each page is listed."""
    pages = [harness.ROOT / "README.md", *LUA.glob("*.md"), *LUA.glob("*/*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^):#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), (page, target)
    for page in LUA.glob("first-*.md"):
        assert f"({page.name})" in (LUA / "README.md").read_text() and f"(lua/{page.name})" in pages[0].read_text(), page
