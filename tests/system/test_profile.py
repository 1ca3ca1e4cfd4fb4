"""The workshop for charger models: `forecourt profile check` and `profile skeleton`, as an integrator uses them; and the
documentation held against the code. No daemon runs."""
import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FORECOURT_BUILD", ROOT / "build" / "host"))
PROFILES = sorted((ROOT / "lua" / "profiles").glob("*.lua"))

GOOD = """-- points = { wrong = {} } in a comment
local scale = 0.1
return {
  forecourt = 1, kind = "profile", name = "mine", source = "manual",
  --[[ points = {
    power = { } ]]
  modbus = { deny = { { 60, 79 } }, deny_write = { { 5, 6 } } },
  points = {
    state = { address = 0, type = "u16" }, -- , type = "u24"
    ["power"] = {
      address = 2,
      type = "u32", scale = scale,
    },
    energy = { address = 4, type = "u32", unit = "Wh" },
    hooked = { address = 6, type = "u16", hook = function(raw, get)
      return raw, { address = get("state") }
    end },
  },
  status = { point = "state", map = { [0] = 1, [2] = 3 } },
  keep_alive = { address = 40, value = 1, period_ms = 2000 },
  setpoint = { address = 41, type = "u16", unit = "A", min = 6, max = 32, refresh_ms = 5000 },
  commands = {
    start = { steps = { { limit = 10 }, { wait_ms = 20 }, { check = "state", equals = 2 } } },
    stop = { address = 42, value = 0 },
  },
  examples = {
    { registers = { [0] = 2 }, expect = { state = 2, status = 3 } },
    {
      registers = { [2] = 0, [3] = 7 },
      expect = { power = 0.7 },
    },
  },
}
"""


def forecourt(*words, lang="C", code=0):
    env = {**os.environ, "LC_ALL": lang}
    done = subprocess.run([BUILD / "forecourt", "profile", *map(str, words)], capture_output=True, text=True, env=env, timeout=60,
                          check=False)
    assert done.returncode == code, done
    return done


@pytest.fixture
def write(tmp_path):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "lib").mkdir()

    def write_file(text, name="mine.lua"):
        path = tmp_path / "profiles" / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def report(path):
    answer = json.loads(forecourt("check", path, "--json").stdout)
    assert answer["ok"] and answer["mistakes"] == [] and answer["file"] == str(path)
    return answer["report"]


def test_every_shipped_profile_passes():
    done = forecourt("check", *PROFILES)
    assert done.stdout.count(": ok\n") == len(PROFILES) >= 57
    # Nothing but what each file says of itself: a meter without a state, a wallbox without a register of its total energy.
    for line in done.stdout.splitlines():
        assert not line.startswith("warning: source") and not line.startswith("warning: examples"), line


def test_the_plan_is_what_will_be_read(write):
    plan = report(write(GOOD))
    assert plan["blocks"] == [{"unit": 1, "fc": 3, "address": 0, "words": 7, "period_ms": 1000,
                               "points": ["state/1", "power/1", "energy/1", "hooked/1"]}]
    assert plan["deny"] == [[60, 79]] and plan["deny_write"] == [[5, 6]]
    assert plan["reads_per_s"] == 1 and plan["words_per_s"] == 7
    # 8 + 19 bytes and 7 of silence at 11 bits each and 9600 baud once a second, the keep-alive's and the setpoint's 23 every 2 s
    # and every 5 s.
    load = ((8 + 19 + 7) + (8 + 8 + 7) / 2 + (8 + 8 + 7) / 5) * 11 / 9600 * 100
    assert abs(plan["load_9600"] - load) < 0.06
    assert plan["hooks"] == 1 and plan["examples"] == 2
    assert [c["name"] for c in plan["commands"]] == ["start", "stop"]
    assert plan["commands"][0]["steps"] == ["limit 10 A", "wait 20 ms", "check state within 10000 ms"]
    assert plan["keep_alives"] == ["fc 6, address 40: 1, every 2000 ms"]
    assert plan["setpoint"] == "fc 6, address 41: 6 to 32 A, again every 5000 ms"
    assert [w["place"] for w in plan["warnings"]] == ["setpoint.safe"]
    # A hook that fails in an example is told, not only what it leaves unknown.
    broken = report(write(GOOD.replace("[0] = 2 }, expect", "[0] = 2, [6] = 1 }, expect").replace('get("state")', 'get("stat")')))
    assert any("hooks failed 1 times" in w["what"] for w in broken["warnings"])


def test_warnings(write):
    def warned(*changes):
        text = GOOD
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return {w["place"]: w["what"] for w in report(write(text))["warnings"]}

    assert "manual" in warned((', source = "manual"', ""))["source"]
    assert "none" in warned((GOOD[GOOD.index("  examples = {"):], "}"))["examples"]
    assert "metered" in warned(("energy =", "energi ="))["points"]
    assert "each other" in warned(("    stop = { address = 42, value = 0 },\n", ""))["commands"]
    assert "4" in warned(("equals = 2", "equals = { 2, 4 }"))["status.map"]
    slow = warned(("modbus = {", "modbus = { gap_ms = 900,"))["modbus"]
    assert "9600 baud" in slow
    assert "line.framing" not in warned(("  keep_alive", '  line = { framing = "ascii" },\n  keep_alive'))


def test_mistakes_come_with_their_lines(write):
    # "nothing" is missing where it is wanted: the line is that of the table around it.
    cases = [
        ('state = { address = 0, type = "u16" }', 'state = { address = 0, type = "u24" }', "points.state.type"),
        ('      type = "u32", scale = scale', '      type = "u32", scale = "x"', "points.power.scale"),
        ("      address = 2,\n", "", "points.power"),
        ("refresh_ms = 5000", "refresh_ms = 5", "setpoint.refresh_ms"),
        ("wait_ms = 20", "wait_ms = 0", "commands.start.steps[2].wait_ms"),
        ("max = 32", "maximum = 32", "setpoint.maximum"),
        ("power = 0.7", "power = 0.8", "examples[2].expect.power"),
    ]
    for old, new, place in cases:
        assert GOOD.count(old) == 1, old
        text = GOOD.replace(old, new)
        path = write(text)
        answer = json.loads(forecourt("check", path, "--json", code=1).stdout)
        found = [m for m in answer["mistakes"] if m["place"] == place]
        assert not answer["ok"] and "report" not in answer and len(found) == 1, (place, answer)
        wanted = new.strip().split("=")[0] if new else '["power"]'
        lines = text.splitlines()
        # The line of the key, or for a whole entry where it begins.
        assert wanted in lines[found[0]["line"] - 1], (place, found, lines[found[0]["line"] - 1])
        told = forecourt("check", path, code=1).stdout
        assert f"{path}:{found[0]['line']}: {place}: " in told
    # All at once, also more than an error's text has room for.
    text = GOOD.replace("forecourt = 1", "forecourt = 1, " + ", ".join(f"wrong{i} = 1" for i in range(40)))
    answer = json.loads(forecourt("check", write(text), "--json", code=1).stdout)
    assert [m["place"] for m in answer["mistakes"]] == sorted(f"wrong{i}" for i in range(40))
    assert {m["line"] for m in answer["mistakes"]} == {4}
    # Lua's own.
    told = forecourt("check", write("return {\n forecourt = 1\n kind = 1 }"), code=1).stdout
    assert ":3:" in told
    assert "No such file" in forecourt("check", "/nowhere/x.lua", code=1).stdout


def test_several_files_and_modules(write):
    good = write(GOOD)
    (good.parent.parent / "lib" / "place.lua").write_text("return { at = 9 }")
    module = write(GOOD.replace("local scale = 0.1", "local place = require('place')\nlocal scale = 0.1")
                   .replace("address = 4,", "address = place.at,"), "two.lua")
    bad = write(GOOD.replace("u32", "u33"), "bad.lua")
    done = forecourt("check", good, bad, module, code=1)
    assert done.stdout.count(": ok\n") == 2 and f"{bad}:12: points.power.type" in done.stdout
    # The same from within the folder.
    done = subprocess.run([BUILD / "forecourt", "profile", "check", "two.lua"], cwd=module.parent, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done


def test_chinese():
    out = forecourt("check", ROOT / "lua" / "profiles" / "abb-terra-ac.lua", lang="zh_CN.UTF-8").stdout
    assert "通过" in out and "测点" in out and "警告" in out and "warning" not in out and "reads" not in out


LISTS = {
    "40001": (";Register;Parameter;Data type;Length;Factor;Unit;R/W;Description\r\n"
              ";40001;Charging state;uint16;1;;;R;0 free\r\n"
              ';40002;"Voltage L1-N";uint16;1;0,1;V;R;"two\r\nlines; ""quoted"""\r\n'
              ";40004;Active power;uint32;2;;W;R;\r\n"
              ";30010;Serial number;string;8;;;R;]] --[[ } \r\n"
              ";40020;Max current;uint16;1;;A;RW;\r\n"
              ";4xyz;broken;uint16;1;;;R;\r\n"
              ";40021;Weird;uint24;1;;;R;\r\n"
              ";40030;end;uint16;1;;;R;\r\n"),
    "hex": ("Some vendor's title,,,\nAddress,Name,Type,Words,Gain,Unit,FC\n"
            "0x1000,State,uint16,,,,3\n1002h,Total Energy,float,2,,kWh,4\n0x1004,Current L2,int16,1,10,A,04\n"),
    "plain": "\ufeffaddr\tname\tquantity\n0\t状态\t1\n5\tSOC (%)\t1\n7\tEnergy total\t4\n7\tEnergy total\t4\n70000\tfar\t1\n",
    "six": 'Modbus Address,"Signal"\n400001,power\n300001,power L1\n100003,door\n',
}


def skeleton(write, tmp_path, name, code=0):
    table = tmp_path / f"{name}.csv"
    table.write_bytes(LISTS[name].encode())
    done = forecourt("skeleton", table, code=code)
    return write(done.stdout, f"{name}.lua"), done


def test_a_skeleton_loads_and_says_what_it_guessed(write, tmp_path):
    path, done = skeleton(write, tmp_path, "40001", code=1)
    text = path.read_text()
    table = tmp_path / "40001.csv"
    # The file's lines, a field with a line end counted.
    assert done.stderr.splitlines() == [f"{table}:8: is no address", f"{table}:9: is no type, or no length, that is known"]
    plan = report(path)
    assert plan["points"] == 6
    assert 'voltage_a = { fc = 3, address = 1, type = "u16", scale = 0.1, unit = "V" }' in text
    assert 'serial = { fc = 4, address = 9, type = "text", words = 8' in text
    assert "max_current: fc = 6, address = 19" in text
    assert re.search(r'rend = \{ fc = 3, address = 29', text)
    assert "40001 = first holding register" in text and "check: is it this?" in text
    path, _ = skeleton(write, tmp_path, "hex")
    text = path.read_text()
    assert [p["points"] for p in report(path)["blocks"]] == [["state/1"], ["energy/1", "current_b/1"]]
    assert 'energy = { fc = 4, address = 4098, type = "f32"' in text
    assert 'current_b = { fc = 4, address = 4100, type = "s16", scale = 0.1, unit = "A" }, -- check: gain' in text
    path, done = skeleton(write, tmp_path, "plain", code=1)
    text = path.read_text()
    assert 'state = { fc = 3, address = 0, type = "u16" }' in text and "energy_total = {" in text
    assert "each is one too high" in text and "70000" not in text and ":6: is no address" in done.stderr
    assert report(path)["points"] == 4
    path, _ = skeleton(write, tmp_path, "six")
    text = path.read_text()
    assert "power = { fc = 3, address = 0," in text and "power_l1 = { fc = 4, address = 0," in text
    assert 'door = { fc = 2, address = 2, type = "bool" }' in text and report(path)["points"] == 3


def test_hostile_lists(tmp_path):
    """What a list holds can't get out of a comment or a text into the file."""
    out = tmp_path / "evil.lua"
    for evil in ['x\n}, os.exit()', '"]] .. boom() --', "\\", "\x00\x1b[2J", "--[[", "a" * 5000, "\xff\xfe"]:
        table = tmp_path / "evil.csv"
        cells = [evil.replace('"', '""') for _ in range(3)]
        table.write_bytes(('address,name,unit,description\n1,"%s","%s","%s"\n2,"ok",,\n' % tuple(cells)).encode("latin-1"))
        out.write_text(forecourt("skeleton", table).stdout)
        assert report(out)["points"] == 2, out.read_text()
    # A state that can't be read is no state.
    (tmp_path / "w.csv").write_text("address,name,access\n1,state,W\n2,power,R\n")
    out.write_text(forecourt("skeleton", tmp_path / "w.csv").stdout)
    assert report(out)["points"] == 1
    for empty in ["", "name,type\nx,u16\n", "address\n", 'address,name\n"1,x', "address\n" + "x\n" * 20]:
        (tmp_path / "e.csv").write_text(empty)
        forecourt("skeleton", tmp_path / "e.csv", code=1)


DBC = """VERSION "1.0"
NS_ :
\tCM_
\tSG_MUL_VAL_
BS_:
BU_: Charger
BO_ 2566869221 CHARGER_STATUS: 8 Charger
 SG_ OutputVoltage : 7|16@0+ (0.1,0) [0|1000] "V" Gateway
 SG_ OutputCurrent : 20|12@0- (0.1,-100) [-400|500] "A" Gateway
 SG_ State : 36|4@1+ (1,0) [0|15] "" Gateway
 SG_ Temp : 40|8@1+ (1,-40) [0|0] "\xb0C" Gateway
 SG_ Odd : 50|20@1+ (1,0) [0|0] "" Gateway

BO_ 291 Muxed: 8 Charger
 SG_ Select M : 0|8@1+ (1,0) [0|0] ""  Gateway
 SG_ Energy m1 : 8|32@1+ (0.01,0) [0|0] "kWh"  Gateway
 SG_ Hours m2 : 15|24@0+ (1,0) [0|0] "h"  Gateway
 SG_ Nested m1M : 40|8@1+ (1,0) [0|0] ""  Gateway
BO_ 292 Floats: 8 Charger
 SG_ Power : 0|32@1- (1,0) [0|0] "W"  Gateway
BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX
 SG_ Orphan : 0|8@1+ (1,0) [0|0] "" Vector__XXX
BO_ 400 Long: 16 Charger
 SG_ X : 0|8@1+ (1,0) [0|0] "" Gateway
CM_ SG_ 2566869221 State "the state;
 SG_ of it";
BA_ "GenMsgCycleTime" BO_ 2566869221 100;
SIG_VALTYPE_ 292 Power : 1;
VAL_ 2566869221 State 0 "Standby" 1 "Plugged" 2 "Charging" 15 "SNA" ;
SG_MUL_VAL_ 291 Energy Select 1-1;
FOO_ 1 2;
"""


def test_a_can_database_becomes_a_draft(write, tmp_path):
    """Places, scales and signs by vectors worked out by hand; what can't be said is named by its line."""
    source = tmp_path / "site.dbc"
    source.write_bytes(DBC.encode("latin-1"))
    done = forecourt("import", source, code=1)
    told = [line.removeprefix(f"{source}:").split(":")[0] for line in done.stderr.splitlines()]
    assert told == ["12", "18", "23", "30", "31"], done.stderr
    assert "lies outside" in done.stderr and "nested" in done.stderr and "more than 8 bytes" in done.stderr
    # 0x1F40 = 8000: 800.0 V. Twelve bits from bit 20 down: 5 of byte 2, 7 of byte 3: (0b10001 << 7 | 0b0111000) = 2232 - 4096 = -1864.
    frames = ("18FF50E5#1F4011705A410000", "123#0139300000000000", "123#0200012C00000000", "124#0000FA4300000000")
    examples = """examples = { { frames = { "%s", "%s", "%s", "%s" },
      expect = { voltage_a = 800, current_a = -286.4, state = 5, temp = 25, energy = 123.45, hours = 300, power = 500 } },
      { frames = { "18FF50E5#0000000020000000" }, expect = { state = 2, status = 3 } },
      { frames = { "00000123#0139300000000000" }, expect = { energy = false } } },""" % frames
    path = write(done.stdout.replace("examples = {},", examples), "site.lua")
    answer = report(path)
    assert answer["points"] == 8 and {m["name"]: m["period_ms"] for m in answer["messages"]}["charger_status"] == 100
    assert 'unit = "°C"' in done.stdout and "[2] = 3, -- Charging" in done.stdout and "[15] = 0, -- SNA" in done.stdout
    # Some of it.
    out = forecourt("import", source, "--message", "Floats", code=1).stdout
    assert "floats" in out and "muxed" not in out and "charger_status" not in out
    assert 'no message "None"' in forecourt("import", source, "--message", "None", code=1).stderr
    source.write_text("".join(f"BO_ {i} M{i}: 8 X\n SG_ a : 0|8@1+ (1,0) [0|0] \"\" X\n" for i in range(40)))
    assert "--message" in forecourt("import", source, code=1).stderr
    assert report(write(forecourt("import", source, "--message", "M3", "M7").stdout, "some.lua"))["points"] == 2


def test_hostile_can_databases(tmp_path):
    """Nothing of a file gets out of a comment or a text, and nothing breaks."""
    out = tmp_path / "evil.lua"
    head = 'BO_ 1 m: 8 X\n SG_ a : 0|8@1+ (1,0) [0|0] "%s" X\n SG_ b : 8|8@1+ (1,0) [0|0] "" X\nVAL_ 1 b 1 "%s" ;\n'
    for evil in ["]] .. boom()", "\\", "}, os.exit()", "\x1b[2J", "--[[", "a" * 5000, "\xff\xfe", "\u4e2d" * 40]:
        source = tmp_path / "evil.dbc"
        source.write_bytes((head % (evil, evil)).encode("utf-8", "surrogateescape"))
        out.write_text(forecourt("import", source).stdout)
        assert report(out)["points"] == 2, out.read_text()
    for empty in [head % ("x\n}, os.exit()", ""), "", "BO_", "BO_ 1", "BO_ 1 m: 8 X", "SG_ a : 0|8@1+ (1,0) [0|0] \"\" X", "VAL_ 1 b 1 \"x", 'CM_ "',
                  "BO_ 1 m: 8 X\n SG_ a : 99999999999999999999|8@1+ (1,0) [0|0] \"\" X",
                  "BO_ 1 m: 8 X\n SG_ a m : 0|8@1+ (1,0) [0|0] \"\" X", "BO_ 99999999999 m: 8 X\n SG_ a : 0|8@1+ (1,0) [0|0] \"\" X"]:
        (tmp_path / "e.dbc").write_text(empty)
        forecourt("import", tmp_path / "e.dbc", code=1)


def keys_in_code():
    """Every key that a profile may have: the lists of names that the compiler knows."""
    keys = set()
    for path in (ROOT / "core" / "device").glob("compile*.c"):
        for block in re.findall(r"\*const \w+\[\] =\s*\{(.*?)\};", path.read_text(), re.S):
            keys.update(re.findall(r'"([a-z_]+)"', block))
    return keys


def test_every_key_is_documented():
    text = (ROOT / "lua" / "README.md").read_text(encoding="utf-8")
    part = text[text.index("## A charger:"):text.index("## A policy:")]
    keys = keys_in_code()
    assert len(keys) > 80 and {"decimals_from", "keep_alive", "hook", "wait_ms"} <= keys
    words = set(re.findall(r"[a-z_]+", part))
    assert sorted(keys - words) == []
    types = re.findall(r'\{"([a-z0-9]+)", POINT_', (ROOT / "core" / "device" / "compile_point.c").read_text())
    assert len(types) == 15
    assert [t for t in types if not re.search(rf"\b{t}\b", part)] == []


def test_the_documentation_s_profile_loads(write):
    text = (ROOT / "lua" / "README.md").read_text(encoding="utf-8")
    part = text[text.index("## A charger:"):text.index("## A policy:")]
    blocks = re.findall(r"```lua\n(return .*?)```", part, re.S)
    assert len(blocks) >= 2
    for number, block in enumerate(blocks):
        report(write(block, f"doc{number}.lua"))


def test_shipped_profiles_say_what_they_are():
    """Which there are is in the table of tests/system/test_models.py."""
    for path in PROFILES:
        if path.stem != "forecourt-sim":
            words = " ".join(line.removeprefix("--").strip() for line in path.read_text(encoding="utf-8").splitlines())
            assert "Untested on hardware." in words, path
