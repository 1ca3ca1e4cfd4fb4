"""Lua by commands, as the page does it: read, check, preview, apply, back; and what hostile texts and callers do to a live gateway."""
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time
from decimal import ROUND_HALF_UP, Decimal

import pytest

from business import PRICES, confirm_all, new_seq, plug, start, stop, wait_told

ROOT = pathlib.Path(__file__).parents[2]
POLICY, MAPPING = "policies/test", "operators/base"
OLD, NEW = PRICES.format(name="test", elec="1.2345", service="0.4"), PRICES.format(name="test", elec="2.5", service="0.4")


@pytest.fixture
def site(make_station):
    station = make_station(start=False, poll_ms=200, tcp=2, line_units=(), connectors=1)
    station.station_options["policy"] = "test"
    station.platform_options.update(iserv=1)
    station.write_policy("test", OLD)
    confirm_all(station.server)
    station.start_chargers("--speed", "30")
    station.start_gateway()
    for charger in range(2):
        station.wait_status(station.connector_id(charger), 1)
    station.client.login()
    return station


class Line:
    """A connection to the control socket."""

    def __init__(self, station):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(station.control_socket))
        self.socket.settimeout(120)
        self.file = self.socket.makefile("rb")

    def send(self, command, **arguments):
        self.socket.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")

    def answer(self):
        return json.loads(self.file.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()


def ask(station, command, **arguments):
    with Line(station) as line:
        line.send(command, **arguments)
        return line.answer()


def good(station, command, **arguments):
    answer = ask(station, command, **arguments)
    assert answer["ok"], answer
    return answer["result"]


def refused(station, code, command, **arguments):
    answer = ask(station, command, **arguments)
    assert not answer["ok"] and answer["code"] == code, answer
    return answer["error"]


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def file_of(station, item):
    [found] = [f for f in good(station, "lua_files")["files"] if f["item"] == item]
    return found


def begin(station, charger, wh=100):
    connector, seq = plug(station, charger), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    station.until(lambda: good(station, "order", seq=seq)["energy_wh"] >= wh, 60, "some energy")
    return connector, seq


def end(station, charger, connector, seq):
    stop(station, connector, seq)
    order = wait_told(station, "notification_charge_order_info", seq)
    station.until(lambda: good(station, "order", seq=seq)["told"][0]["state"] == "confirmed", 60, "the confirmation noted")
    station.ask_chargers(f"unplug {charger} 1")
    station.wait_status(connector, 1)
    return order


def fen(wh, price):
    """By hand: energy times price, half up to a fen; in 1/10 000 yuan."""
    return int((Decimal(wh) / 1000 * Decimal(price)).quantize(Decimal("0.01"), ROUND_HALF_UP) * 10000)


def is_priced(order, elec):
    kwh = Decimal(str(order["TotalPower"]))
    assert kwh > 0
    return abs(Decimal(str(order["TotalElecMoney"])) - (kwh * Decimal(elec)).quantize(Decimal("0.01"), ROUND_HALF_UP)) <= Decimal("0.02")


def test_price_changed_with_preview_and_back(site):
    """The whole task: what would change in money, applied while a charge runs, back again."""
    seqs = []
    for _ in range(2):
        connector, seq = begin(site, 0)
        assert is_priced(end(site, 0, connector, seq), "1.2345")
        seqs.append(seq)
    energies = [good(site, "order", seq=seq)["energy_wh"] for seq in seqs]
    read = good(site, "lua_read", item=POLICY)
    assert read["text"] == OLD and read["hash"] == sha(OLD) and read["in_force"] and "station" in read["used_by"][0]

    # Nothing changes by a check or a preview; the money is right by hand.
    assert good(site, "lua_check", item=POLICY, text=NEW)["ok"]
    preview = good(site, "lua_preview", item=POLICY, text=NEW)
    orders = preview["orders"]
    assert orders["compared"] == orders["changed"] == 2, preview
    assert orders["money_before_e4"] == orders["money_billed_e4"] == sum(fen(wh, "1.2345") + fen(wh, "0.4") for wh in energies)
    assert orders["money_after_e4"] == sum(fen(wh, "2.5") + fen(wh, "0.4") for wh in energies)
    assert {o["seq"] for o in orders["list"]} == set(seqs)
    assert preview["prices"]["after"] == [{"from_s": 0, "elec_e4": 25000, "service_e4": 4000}]
    assert file_of(site, POLICY)["hash"] == sha(OLD)

    # Applied while one runs: that keeps its price, the next has the new one.
    running, running_seq = begin(site, 1, wh=10)
    saved = good(site, "lua_save", item=POLICY, text=NEW, hash=read["hash"])
    assert saved["in_force"] and saved["before"] == sha(OLD) and saved["hash"] == sha(NEW)
    assert (site.lua / f"{POLICY}.lua").read_text() == NEW
    connector, seq = begin(site, 0)
    assert is_priced(end(site, 0, connector, seq), "2.5")
    assert is_priced(end(site, 1, running, running_seq), "1.2345")
    now = file_of(site, POLICY)
    assert now["in_force"] and now["hash"] == sha(NEW)
    version = good(site, "lua_versions", item=POLICY)["versions"][0]
    assert version["in_force"] and version["origin"].startswith("saved by user ")
    [row] = [r for r in good(site, "audit")["audit"] if r["command"] == "lua_save"]
    assert row["before"] == sha(OLD) and row["after"] == sha(NEW) and "prices" not in json.dumps(row["arguments"])

    # Whoever has read the old one is told so, and loses nothing.
    assert "changed meanwhile" in refused(site, "exists", "lua_save", item=POLICY, text=OLD, hash=sha(OLD))
    back = good(site, "lua_rollback", item=POLICY)
    assert back["in_force"] and (site.lua / f"{POLICY}.lua").read_text() == OLD
    connector, seq = begin(site, 0)
    assert is_priced(end(site, 0, connector, seq), "1.2345")


def test_mapping_previewed_on_real_traffic(site):
    """What went to the platform just now, through a changed mapping."""
    text = good(site, "lua_read", item=MAPPING)["text"]
    changed = text.replace("forecourt = 1,", '''forecourt = 1,
  map = { notification_stationStatus = { request = function(m) m.ConnectorStatusInfo.ParkStatus = 77 return m end } },''', 1)
    site.server.wait(lambda received: any(m == "notification_stationStatus" for m, _ in received))
    messages = good(site, "lua_preview", item=MAPPING, text=changed)["messages"]
    assert messages["compared"] >= messages["changed"] >= 1
    assert {(d["method"], d["path"], d["after"]) for d in messages["list"]} == {
        ("notification_stationStatus", "ConnectorStatusInfo.ParkStatus", "77")}
    assert sum(d["messages"] for d in messages["list"]) == messages["changed"]
    # A module is told by those that use it, and can't be taken from under them.
    saved = good(site, "lua_save", item="lib/note", text="return { note = 1 }\n")
    assert not saved["in_force"]
    good(site, "lua_save", item=MAPPING, text='local note = require("note")\n' + text, hash=sha(text))
    assert file_of(site, "lib/note")["used_by"] == [MAPPING]
    assert MAPPING in refused(site, "busy", "lua_remove", item="lib/note", hash=sha("return { note = 1 }\n"))
    problem = good(site, "lua_check", item="lib/note", text="\n\nreturn {{ }")["problems"][0]
    assert problem["file"] == "lib/note" and problem["line"] == 3
    good(site, "lua_save", item=MAPPING, text=text, hash=sha('local note = require("note")\n' + text))
    good(site, "lua_remove", item="lib/note", hash=sha("return { note = 1 }\n"))
    assert not (site.lua / "lib/note.lua").exists()


HOSTILE = {
    "endless": "while true do end",
    "endless in a call": 'return { forecourt = 1, kind = "policy", name = "test", prices = function() while true do end end }',
    "memory": 'local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(1e4) .. i end return t',
    "pattern": 'return { x = ("a"):rep(1e5):find(("a*"):rep(30) .. "b") }',
    "recursion": "local function f() return f() + 1 end return { x = f() }",
    "system": 'os.execute("true") return {}',
    "file": 'return { x = io.open("/etc/passwd"):read("a") }',
    "bytecode": "\x1bLua\x54\x00\x19",
    "not a table": "return 7",
    "deep": "return " + "{" * 5000 + "}" * 5000,
    "another kind": 'return { forecourt = 1, kind = "operator", name = "test" }',
}


def test_hostile_texts_and_callers(site):
    """Each is refused with a reason; the file, the version in force and the daemon stay as they are, and others are served meanwhile."""
    before = file_of(site, POLICY)
    longest, ended = 0.0, threading.Event()

    def look():
        nonlocal longest
        with Line(site) as line:
            while not ended.is_set():
                began = time.monotonic()
                line.send("status")
                assert line.answer()["ok"]
                longest = max(longest, time.monotonic() - began)
                time.sleep(0.02)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for name, text in HOSTILE.items():
            # A zero byte is no text at all: refused before anybody looks at it.
            if "\0" in text:
                refused(site, "invalid", "lua_check", item=POLICY, text=text)
            else:
                checked = good(site, "lua_check", item=POLICY, text=text)
                assert not checked["ok"] and checked["problems"], name
            assert refused(site, "invalid", "lua_save", item=POLICY, text=text, hash=before["hash"]), name
            assert refused(site, "invalid", "lua_preview", item=POLICY, text=text), name
        huge = "-- " + "x" * (256 << 10)
        for command in ("lua_check", "lua_preview", "lua_save"):
            refused(site, "limit", command, item=POLICY, text=huge)
        # As long as it may be, with every byte escaped on its way.
        longest_text = OLD + "--" + "\x01" * ((256 << 10) - len(OLD) - 2)
        with Line(site) as line:
            line.socket.sendall(b" " * (2 << 20))
            assert line.answer()["code"] == "limit"
        assert ask(site, "lua_check", item=POLICY, text=longest_text[:100 << 10])["ok"]
        for item in ("../forecourt", "policies/../../x", "/etc/passwd", "types/files", "policies/x.lua", "policies/", "Policies/test"):
            for command in ("lua_read", "lua_check", "lua_preview", "lua_save"):
                refused(site, "invalid", command, item=item, **({} if command == "lua_read" else {"text": OLD}))
    finally:
        ended.set()
        watcher.join()
    print(f"status answered within {longest * 1000:.0f} ms beside hostile checks")
    assert file_of(site, POLICY) == before and (site.lua / f"{POLICY}.lua").read_text() == OLD
    connector, seq = begin(site, 0)
    assert is_priced(end(site, 0, connector, seq), "1.2345")


def test_two_savers_and_one_who_leaves(site):
    """Of two who save on the same text one wins and the other is told; a preview ends when whoever asked has gone."""
    hashes = good(site, "lua_read", item=POLICY)["hash"]
    texts = [PRICES.format(name="test", elec=price, service="0.4") for price in ("3", "4")]
    with Line(site) as one, Line(site) as two:
        for line, text in ((one, texts[0]), (two, texts[1])):
            line.send("lua_save", item=POLICY, text=text, hash=hashes)
        answers = [one.answer(), two.answer()]
    winners = [i for i, answer in enumerate(answers) if answer["ok"]]
    assert len(winners) == 1, answers
    assert answers[1 - winners[0]]["code"] in ("busy", "exists")
    assert (site.lua / f"{POLICY}.lua").read_text() == texts[winners[0]]
    assert file_of(site, POLICY)["in_force"]

    slow = good(site, "lua_read", item=MAPPING)["text"].replace("forecourt = 1,", '''forecourt = 1,
  map = { notification_stationStatus = { request = function(m) local x = 0 for i = 1, 4e5 do x = x + i end return m end } },''', 1)
    with Line(site) as line:
        line.send("lua_preview", item=MAPPING, text=slow)
    with Line(site) as line:
        line.send("lua_preview", item=MAPPING, text=slow)
        answer = line.answer()
    assert answer["ok"] or answer["code"] == "busy", answer
    site.until(lambda: ask(site, "lua_preview", item=MAPPING, text=slow)["ok"], 60, "the one who left to be forgotten")


def test_saved_by_command_line(site, tmp_path):
    """forecourt lua save: in force, or refused with the line; a file that was not there."""
    (tmp_path / "new.lua").write_text(NEW)
    done = site.cli("lua", "save", POLICY, str(tmp_path / "new.lua"))
    assert done.returncode == 0 and sha(NEW)[:12] in done.stdout and "in force" in done.stdout, done
    assert (site.lua / f"{POLICY}.lua").read_text() == NEW and file_of(site, POLICY)["in_force"]
    (tmp_path / "bad.lua").write_text("return {\n x = = }")
    done = site.cli("lua", "save", POLICY, str(tmp_path / "bad.lua"))
    assert done.returncode == 1 and "policies/test.lua:2:" in done.stderr, done
    assert (site.lua / f"{POLICY}.lua").read_text() == NEW
    done = site.cli("lua", "save", "policies/another", str(tmp_path / "new.lua"), "--json")
    assert done.returncode == 1 and "name" in done.stderr, done  # it says that it is "test"
    (tmp_path / "another.lua").write_text(NEW.replace('"test"', '"another"'))
    assert site.cli("lua", "save", "policies/another", str(tmp_path / "another.lua")).returncode == 0
    assert not file_of(site, "policies/another")["in_force"]


def test_what_fits_no_charger_is_undone(site):
    """Good by itself, and not with this station: it listens on CAN, and the charger speaks Modbus. The file and what runs stay."""
    item = "profiles/forecourt-sim"
    before = file_of(site, item)
    text = good(site, "lua_read", item=item)["text"]
    listen = good(site, "lua_read", item="profiles/gbt27930")["text"].replace('name = "gbt27930"', 'name = "forecourt-sim"')
    assert before["in_force"] and good(site, "lua_check", item=item, text=listen)["ok"]
    why = refused(site, "invalid", "lua_save", item=item, text=listen, hash=before["hash"])
    assert "is as it was" in why and "forecourt-sim" in why, why
    assert (site.lua / f"{item}.lua").read_text() == text
    site.until(lambda: file_of(site, item) == before, 30, "the file as it was, in force and not refused")


def test_what_an_editor_completes(site):
    api = good(site, "lua_api")
    assert any(c["call"].startswith("forecourt.time.") and c["what"] for c in api["calls"])
    [status] = [m for m in api["messages"] if m["method"] == "notification_stationStatus"]
    assert "ConnectorStatusInfo" in status["request"] and status["caller"] == "we"
    assert "order_retry_s" in api["timing"]


def test_differences_that_the_page_shows(tmp_path):
    """rootfs/www/src/lua/diff.ts by itself."""
    esbuild = ROOT / "build/www-work/node_modules/.bin/esbuild"
    if not esbuild.exists() or not shutil.which("node"):
        pytest.skip("the page's tools are not there: make web")
    subprocess.run([esbuild, ROOT / "rootfs/www/src/lua/diff.ts", "--bundle", "--format=esm", f"--outfile={tmp_path}/diff.mjs",
                    "--log-level=error"], check=True, timeout=60)
    done = subprocess.run(["node", "--test", ROOT / "tests/web/unit_lua_diff.mjs"], env={**os.environ, "DIFF": str(tmp_path / "diff.mjs")},
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
