"""What Lua scripts are given: the reference and the editors' annotations say what the code does, decimals agree with Python's, and in a
running gateway tables last and the state is seen."""
import decimal
import os
import random
import re
import shutil
import subprocess
import time

import harness
import lua_types
import pytest

TYPES = harness.ROOT / "lua" / "types"
# Where the keys of the three kinds of files are checked.
FORMS = ["core/upstream", "core/charge", "core/device"]
# Classes whose functions the reference shows by a short name.
SHORT = {"d": "decimal", "t": "lookup_table"}


def daemon_says(option):
    program = harness.ROOT / os.environ.get("FORECOURT_BUILD", "build/host") / "forecourtd"
    return subprocess.run([program, option], capture_output=True, text=True, check=True, timeout=60).stdout


def written(path, marks, text):
    """The part of a file between two marks (the whole without); with FORECOURT_WRITE=1 it is text from now on."""
    if not marks:
        if os.environ.get("FORECOURT_WRITE"):
            path.write_text(text)
        return path.read_text()
    whole = path.read_text()
    head, rest = re.match(rf"(?s)(.*<!-- {marks}:.*? -->\n)(.*)", whole).groups()
    part, tail = rest[:rest.index(f"<!-- /{marks} -->")], rest[rest.index(f"<!-- /{marks} -->"):]
    if os.environ.get("FORECOURT_WRITE"):
        path.write_text(head + text + tail)
        return text
    return part


# The reference and the annotations ------------------------------------------------------------------------------------

def test_the_reference_stands_in_the_readme():
    says = daemon_says("--lua-api")
    assert written(harness.ROOT / "lua" / "README.md", "lua-api", says) == says, "FORECOURT_WRITE=1 writes it"


def test_every_call_is_declared_for_editors():
    calls = lua_types.calls_of(daemon_says("--lua-api"))
    assert len(calls) > 30 and calls["forecourt.time.add_days"] == ["date", "n"] and calls["d:round"] == ["n"]
    text = (TYPES / "forecourt.lua").read_text()
    declared = lua_types.functions_of(text)
    functions = {re.sub(r"^(\w+):", lambda m: SHORT[m[1]] + ":", name): parameters
                 for name, parameters in calls.items() if parameters is not None}
    assert declared == functions
    # Each parameter has a type, and each value of the API is a field.
    for name, parameters in declared.items():
        block = text[:text.index(f"\nfunction {name}(")].rsplit("\n\n", 1)[-1]
        assert re.findall(r"---@param (\w+)", block) == parameters, name
    values = {name.split(".")[1] for name, parameters in calls.items() if parameters is None}
    assert values and values <= lua_types.fields_of(text)["forecourt"].keys()
    for name in ("array", "object", "fixed", "log"):
        assert re.search(rf"(?m)^{name} = forecourt\.{name}$", text)


def test_what_the_state_gives_is_declared():
    """The fields of a station and a connector: what services.c puts into them."""
    code = (harness.ROOT / "core" / "main" / "services.c").read_text()
    declared = lua_types.fields_of((TYPES / "forecourt.lua").read_text())
    reference = daemon_says("--lua-api")
    put = {"station": re.search(r"(?s)\*one_station\(.*?\n}", code)[0],
           "connector": code[code.index("values[] = {{"):code.index("/* Ids of the connectors")]}
    for kind, text in put.items():
        keys = set(re.findall(r'maker_\w+\(m, o, "(\w+)"', text)) | set(re.findall(r'\{"\w+", "(\w+)"\}', text))
        assert keys == declared[f"forecourt.{kind}"].keys(), kind
        row = re.search(rf"(?m)^\| `forecourt\.{kind}\(id\)`.*$", reference)[0]
        shown = set(re.findall(r"`(\w+)`", row))
        assert {key for key in keys if not re.search(r"_[bc]$", key)} <= shown, kind


def test_every_key_of_a_file_is_declared():
    """Each list of known keys in the code is, name by name, a class of the annotations."""
    classes = lua_types.fields_of((TYPES / "files.lua").read_text())
    lists = [re.findall(r'"(\w+)"', found) for room in FORMS for path in sorted((harness.ROOT / room).glob("*.c"))
             for found in re.findall(r"(?s)\b(?:known\w*|\w+_keys|writes|waits|checks|limits|steps)\[\] = \{(.*?)NULL\}", path.read_text())]
    assert len(lists) >= 10
    timing = re.findall(r'\[TIMING_\w+\] = \{"(\w+)"', (harness.ROOT / "core/upstream/timing.c").read_text())
    assert len(timing) >= 9
    for keys in [*lists, timing]:
        name, fields = max(classes.items(), key=lambda item: len(item[1].keys() & keys) - len(item[1].keys() ^ set(keys)))
        assert fields.keys() == set(keys), f"{name}: missing {set(keys) - fields.keys()}, unknown {fields.keys() - set(keys)}"
    # An example's keys, by the calls that read them.
    code = (harness.ROOT / "core/script/examples.c").read_text()
    assert classes["forecourt.example"].keys() == set(re.findall(r'value_get\(example, "(\w+)"\)', code))


def test_a_context_is_declared():
    classes = lua_types.fields_of((TYPES / "files.lua").read_text())
    for name, path, function in (("mapping", "core/upstream/mapping.c", "context_value"), ("policy", "core/charge/policy.c", "make_context")):
        code = (harness.ROOT / path).read_text()
        body = re.search(rf"(?s)\n[^\n]*\b{function}\(.*?\n}}", code)[0]
        keys = set(re.findall(r'value_put\(arena, \w+, "(\w+)"', body))
        assert keys and classes[f"forecourt.{name}.context"].keys() == keys


def test_the_messages_are_declared():
    text = lua_types.messages_lua(daemon_says("--messages"))
    assert written(TYPES / "messages.lua", None, text) == text, "FORECOURT_WRITE=1 writes it"
    classes = lua_types.fields_of(text)
    assert classes["message.query_stations_info.answer.StationInfos"]["StationID"] is False
    assert classes["message.query_stations_info.request"]["PageNo"] is True
    assert "query_user_auth" in classes["forecourt.mapping.map"]


def test_the_annotations_are_lua():
    for path in sorted(TYPES.glob("*.lua")):
        subprocess.run(["luac5.4", "-p", path], check=True, timeout=60)
        assert path.read_text().startswith("---@meta ")
        # Nothing but declarations: each type that is named is declared.
        named = set(re.findall(r"(?:forecourt|message)\.[\w.]*\w", " ".join(re.findall(r"---@(?:field|param|return|type).*", path.read_text()))))
        declared = {name for other in TYPES.glob("*.lua") for name in re.findall(r"---@(?:class|alias) ([\w.]+)", other.read_text())}
        assert named <= declared | {"forecourt.lua"}, named - declared


def test_the_language_server_is_content():
    server = shutil.which("lua-language-server")
    if not server:
        pytest.skip("lua-language-server is not installed; Debian 12 has none")
    result = subprocess.run([server, "--check", harness.ROOT / "lua", "--configpath", harness.ROOT / "lua" / ".luarc.json"],
                            capture_output=True, text=True, timeout=300, check=False)
    assert "no problems found" in result.stdout.lower(), result.stdout


# Decimals against Python's -----------------------------------------------------------------------------------------------

def expected(operation, a, b, n):
    """The result as text; None for an error. Exact, then rounded half up (away from zero)."""
    with decimal.localcontext() as context:
        context.prec = 60
        a, b, unit = decimal.Decimal(a), decimal.Decimal(b), decimal.Decimal(1).scaleb(-n)
        if operation == "compare":
            return "<" if a < b else "=" if a == b else ">"
        if operation == "div" and not b:
            return None
        exact = {"add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b, "muln": lambda: a * b,
                 "div": lambda: a / b, "round": lambda: a}[operation]()
        if operation in ("muln", "div", "round"):
            exact = exact.quantize(unit, rounding=decimal.ROUND_HALF_UP)
        elif -exact.normalize().as_tuple().exponent > 9:
            return None
        # What fits: 63 bits of digits, without the zeros at the end where these are not asked for.
        digits = exact if operation in ("muln", "div", "round") else exact.normalize()
        exponent = min(digits.as_tuple().exponent, 0)
        if abs(digits.scaleb(-exponent)) > 2**63 - 1:
            return None
        return f"{digits:f}"


def some_decimal(chance):
    digits, places = chance.choice([1, 2, 3, 5, 9, 14, 18]), chance.randint(0, 9)
    text = str(chance.randrange(10**digits))
    if places:
        text = text.rjust(places + 1, "0")
        text = f"{text[:-places]}.{text[-places:]}"
    return chance.choice(["", "", "-"]) + text


def test_decimals_agree_with_python(make_station):
    chance = random.Random(20261001)
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, mapping="numbers")
    cases, errors = [], 0
    for _ in range(6000):
        operation = chance.choice(["add", "sub", "mul", "muln", "div", "round", "compare"])
        a, b, n = some_decimal(chance), some_decimal(chance), chance.randint(0, 9)
        result = expected(operation, a, b, n)
        errors += result is None
        cases.append(f'{{"{operation}","{a}","{b}",{n},{"false" if result is None else chr(34) + result + chr(34)}}},')
    assert 100 < errors < 2000
    head = """local d = forecourt.decimal
local run = { add = function(a, b) return a + b end, sub = function(a, b) return a - b end, mul = function(a, b) return a * b end,
  muln = function(a, b, n) return a:mul(b, n) end, div = function(a, b, n) return a:div(b, n) end,
  round = function(a, _, n) return a:round(n) end, compare = function(a, b) return a < b and "<" or a == b and "=" or ">" end }
local function same(operation, got, expect)
  if operation == "compare" then return got == expect end
  if operation == "muln" or operation == "div" or operation == "round" then return tostring(got) == expect end
  return got == d(expect) or tostring(got) == expect
end
for _, case in ipairs({
"""
    tail = """}) do
  local operation, a, b, n, expect = table.unpack(case)
  local good, got = pcall(run[operation], d(a), d(b), n)
  if good ~= (expect ~= false) or (good and not same(operation, got, (expect:gsub("^%-(0%.?0*)$", "%1")))) then
    error(operation .. " " .. a .. " " .. b .. " " .. n .. ": " .. tostring(got) .. ", not " .. tostring(expect))
  end
end
return { forecourt = 1, kind = "operator", name = "numbers" }
"""
    # In pieces that a script's memory holds.
    for start in range(0, len(cases), 1000):
        station.write_mapping("numbers", head + "\n".join(cases[start:start + 1000]) + tail)
        station.write_config()
        result = subprocess.run([station.build / "forecourtd", "--check", "-c", station.config_file], capture_output=True, text=True,
                                timeout=120, check=False)
        assert result.returncode == 0, result.stderr
    # And it would tell.
    station.write_mapping("numbers", head + '{"add","1","2",0,"4"},' + tail)
    result = subprocess.run([station.build / "forecourtd", "--check", "-c", station.config_file], capture_output=True, text=True, timeout=120,
                            check=False)
    assert result.returncode == 2 and "add 1 2 0: 3, not 4" in result.stderr


# In a running gateway ----------------------------------------------------------------------------------------------------

MAPPING = """
local seen = forecourt.table("seen")
return { forecourt = 1, kind = "operator", name = "lasting", description = "%s",
  map = { notification_stationStatus = { request = function(message)
    local info = message.ConnectorStatusInfo
    local count = tonumber(seen:get(info.ConnectorID) or 0) + 1
    seen:put(info.ConnectorID, count)
    local c = forecourt.connector(info.ConnectorID)
    local s = forecourt.station(c.station)
    message.Note = { Count = count, Name = c.name, Status = c.status, Word = c.status_name, Power = c.power_w or null,
      Volt = c.voltage_a or null, Quality = c.quality.power_w, Secret = c.card or c.vin or s.our_data_secret or null,
      Station = s.name, Connectors = #s.connectors, All = #forecourt.connectors(), Stations = forecourt.stations(),
      Half = forecourt.decimal("0.50"), Now = forecourt.now() }
    return message
  end } },
  examples = {
    { call = "map.notification_stationStatus.request", input = { ConnectorStatusInfo = { ConnectorID = "c1" } },
      now = "2026-10-01 12:00:00", tables = { seen = { c1 = "7" } }, expect_tables = { seen = { c1 = "8" } },
      state = { stations = { { id = "s", name = "S", connectors = {} } },
        connectors = { { id = "c1", name = "N", station = "s", status = 3, quality = {} } } } },
  },
}
"""


def notes(station, connector):
    return [p["Note"] for m, p in list(station.server.received) if m == "notification_stationStatus" and "Note" in p and
            p["ConnectorStatusInfo"]["ConnectorID"] == connector]


def test_tables_last_and_the_state_is_seen(make_station):
    station = make_station(start=False, tcp=2, line_units=(), connectors=1, mapping="lasting", poll_ms=200)
    station.write_mapping("lasting", MAPPING % "first")
    connector = station.connector_id(0)
    station.start_chargers()
    station.start_gateway()
    station.wait_status(connector, 1)
    station.ask_chargers("plug 0 1")
    station.wait_status(connector, 2)
    station.ask_chargers("start 0 1")
    station.wait_status(connector, 3)
    found = station.until(lambda: [n for n in notes(station, connector) if n["Status"] == 3], 60, "a note of the charge")[-1]
    assert found["Name"] == "01A" and found["Word"] == "charging" and found["Quality"] == "good" and found["Secret"] is None
    assert found["Station"] == "示范充电站 Demo station" and found["Connectors"] == found["All"] == 2
    assert found["Stations"] == ["110105000100001"] and found["Volt"] is not None
    assert abs(found["Now"] - time.time()) < 3600 and found["Half"] == 0.5
    counts = [n["Count"] for n in notes(station, connector)]
    assert counts == list(range(1, len(counts) + 1)), "no example and no failed call has counted"

    # A new version of the file goes on with what the old one kept.
    text = (MAPPING % "second").replace("Half =", "Version = 2, Half =")
    (station.lua / "operators" / "new").write_text(text)
    os.replace(station.lua / "operators" / "new", station.lua / "operators" / "lasting.lua")
    station.until(lambda: re.search(r"mapping lasting: new version", station.gateway.output()), 60, "the reload in the log")
    station.ask_chargers("stop 0 1")
    station.until(lambda: [n for n in notes(station, connector) if n.get("Version")], 60, "a note of the new version")
    counts = [n["Count"] for n in notes(station, connector)]
    assert counts == list(range(1, len(counts) + 1))

    # So does a gateway that was killed.
    station.gateway.popen.kill()
    station.gateway.popen.wait(timeout=60)
    before = len(counts := [n["Count"] for n in notes(station, connector)])
    station.start_gateway()
    station.until(lambda: len(notes(station, connector)) > before, 120, "a note after the restart")
    after = [n["Count"] for n in notes(station, connector)]
    # What was counted just before the end may not have been sent any more; nothing is counted twice.
    assert after[before] > counts[-1] and after == sorted(set(after))
