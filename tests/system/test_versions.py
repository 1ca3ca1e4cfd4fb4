"""Versions of Lua files on a live gateway: what came into force when, what changed, and back again; orders know what shaped them."""
import csv
import hashlib
import io
import json
import os
import re
import select
import signal
import socket
import sqlite3
import subprocess
import time
from decimal import ROUND_HALF_UP, Decimal

import pytest

from business import PRICES, confirm_all, new_seq, plug, start, stop, told, wait_told

pytestmark = pytest.mark.usefixtures("shared_store")

POLICY, MAPPING, PROFILE = "policies/test", "operators/base", "profiles/forecourt-sim"
MODULE = 'return {{ note = "{note}" }}\n'
WITH_MODULE = """local notes = require("notes")
return { forecourt = 1, kind = "operator", name = "base",
  map = { notification_stationStatus = { request = function(m) m.Note = notes.note return m end } },
  examples = {} }
"""


@pytest.fixture
def site(make_station):
    """A station with prices, whose platform confirms what it is told."""

    def make(before=lambda station: None):
        station = make_station(start=False, poll_ms=200, tcp=2, line_units=(), connectors=1)
        station.station_options["policy"] = "test"
        station.platform_options.update(iserv=1)
        station.write_policy("test", PRICES.format(name="test", elec="1.2345", service="0.4"))
        before(station)
        confirm_all(station.server)
        station.start_chargers("--speed", "30")
        station.start_gateway()
        station.wait_status(station.connector_id(0), 1)
        station.client.login()
        return station

    return make


def good(station, *words):
    """What --json gives of a command that must work."""
    done = station.cli(*words, "--json")
    assert done.returncode == 0 and not done.stderr, done
    return json.loads(done.stdout)


def refused(station, *words):
    """Why a command was refused."""
    done = station.cli(*words)
    assert done.returncode == 1 and done.stderr.startswith("forecourt: "), done
    return done.stderr


def versions(station, *item):
    return good(station, "lua", "versions", *item)["versions"]


def in_force(station, item):
    [found] = [v for v in versions(station, item) if v["in_force"]]
    return found


def save(path, text):
    """As editors do: a new file, renamed over the old one."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


def take_over(station, item, text):
    """Saved, and waited for until the gateway runs it; its version."""
    before = in_force(station, item)["version"]
    save(station.lua / f"{item}.lua", text)
    station.until(lambda: in_force(station, item)["version"] != before, 60, "the new version")
    return in_force(station, item)


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def charge(station, seq, charger=0, wh=100):
    """By the platform, told and confirmed; the order as the platform was told it."""
    connector = plug(station, charger)
    assert start(station, connector, seq).data["SuccStat"] == 0
    station.until(lambda: good(station, "orders", "show", seq)["energy_wh"] >= wh, 60, "some energy")
    stop(station, connector, seq)
    order = wait_told(station, "notification_charge_order_info", seq)
    station.until(lambda: good(station, "orders", "show", seq)["told"][0]["state"] == "confirmed", 60, "the confirmation noted")
    station.ask_chargers(f"unplug {charger} 1")
    station.wait_status(connector, 1)
    return order


def check_price(order, elec):
    kwh = Decimal(str(order["TotalPower"]))
    assert kwh > 0
    assert abs(Decimal(str(order["TotalElecMoney"])) - (kwh * Decimal(elec)).quantize(Decimal("0.01"), ROUND_HALF_UP)) <= Decimal("0.02")


def test_edit_list_diff_and_back(site):
    """A mapping and a policy on a live gateway: a charge before, one with the new versions, one after the way back."""
    station = site()
    first = {item: in_force(station, item) for item in (POLICY, MAPPING, PROFILE)}
    for item, v in first.items():
        text = (station.lua / f"{item}.lua").read_text()
        assert v["origin"] == "start" and v["version"] == v["hash"] == sha(text), (item, v)
        assert station.cli("lua", "show", item).stdout == text
    seqs = [new_seq() for _ in range(3)]
    check_price(charge(station, seqs[0]), "1.2345")

    old_mapping = (station.lua / f"{MAPPING}.lua").read_text()
    new_mapping = old_mapping.replace('description = "The base standard, unchanged",', '''description = "changed",
  map = { notification_charge_order_info = { request = function(m) m.Remark = "new" return m end } },''')
    assert new_mapping != old_mapping
    second = {POLICY: take_over(station, POLICY, PRICES.format(name="test", elec="2.5", service="0.4")),
              MAPPING: take_over(station, MAPPING, new_mapping)}
    assert all(v["origin"] == "file" for v in second.values())
    told_new = charge(station, seqs[1])
    check_price(told_new, "2.5")
    assert told_new["Remark"] == "new"

    # What changed, line by line.
    shown = station.cli("lua", "diff", POLICY).stdout.splitlines()
    assert shown[0].startswith(f"--- {POLICY} {first[POLICY]['version'][:12]}") and shown[1].startswith(f"+++ {POLICY} ")
    assert [line for line in shown[2:] if line[0] in "+-"] == [
        '-  prices = { { start = "00:00", elec = 1.2345, service = 0.4 } } }',
        '+  prices = { { start = "00:00", elec = 2.5, service = 0.4 } } }']
    assert station.cli("lua", "diff", MAPPING, first[MAPPING]["version"][:6]).stdout == station.cli("lua", "diff", MAPPING).stdout
    backwards = station.cli("lua", "diff", POLICY, second[POLICY]["version"], first[POLICY]["version"]).stdout.splitlines()
    assert '+  prices = { { start = "00:00", elec = 1.2345, service = 0.4 } } }' in backwards
    assert good(station, "lua", "diff", POLICY)["to"] == second[POLICY]["version"]

    # Undone in a second.
    answer = good(station, "lua", "rollback", POLICY)
    assert answer["in_force"] and answer["version"] == first[POLICY]["version"] and answer["before"] == second[POLICY]["version"]
    assert sha((station.lua / f"{POLICY}.lua").read_text()) == first[POLICY]["version"]
    back = in_force(station, POLICY)
    assert back["version"] == first[POLICY]["version"]
    assert back["origin"] == f"rollback to {first[POLICY]['version'][:12]}"
    good(station, "lua", "rollback", MAPPING, first[MAPPING]["version"][:8])
    told_back = charge(station, seqs[2])
    check_price(told_back, "1.2345")
    assert "Remark" not in told_back

    # Each order knows its own.
    for seq, expected in zip(seqs, (first, second, first)):
        order = good(station, "orders", "show", seq)
        assert order["tariff"]["version"] == expected[POLICY]["version"]
        assert (order["profile"], order["profile_version"]) == ("forecourt-sim", first[PROFILE]["version"])
        assert order["told"][0]["mapping_version"] == expected[MAPPING]["version"]
    assert first[PROFILE]["version"] in station.cli("orders", "show", seqs[0]).stdout
    assert second[MAPPING]["version"][:12] in station.cli("orders", "show", seqs[1]).stdout
    rows = {row["seq"]: row for row in csv.DictReader(io.StringIO(station.cli("orders", "export").stdout))}
    assert list(rows[seqs[1]])[-5:] == ["policy", "policy_version", "profile", "profile_version", "mapping_versions"]
    assert (rows[seqs[1]]["policy_version"], rows[seqs[1]]["mapping_versions"]) == (
        second[POLICY]["version"], second[MAPPING]["version"])

    # What was written by the way back is a change of the file, too: it makes no version more.
    assert {s["state"] for s in good(station, "lua", "reload")["scripts"]} == {"unchanged"}
    assert [v["version"] for v in versions(station, POLICY)] == [
        first[POLICY]["version"], second[POLICY]["version"], first[POLICY]["version"]]
    table = station.cli("lua", "versions", POLICY).stdout.splitlines()
    assert len(table) == 4 and table[1].startswith("*") and not table[2].startswith("*") and not table[3].startswith("*")
    assert "恢复到 " + first[POLICY]["version"][:12] in station.cli("lua", "versions", POLICY, LANG="zh_CN.UTF-8").stdout

    # Nor does a new start with the same files.
    count = len(versions(station))
    station.gateway.popen.send_signal(signal.SIGKILL)
    station.gateway.popen.wait(60)
    station.start_gateway()
    assert len(versions(station)) == count
    assert in_force(station, POLICY)["origin"].startswith("rollback")


def test_refusals(site):
    station = site()
    first = in_force(station, POLICY)
    path = station.lua / f"{POLICY}.lua"
    assert "no earlier version" in refused(station, "lua", "rollback", POLICY)
    assert "in force already" in refused(station, "lua", "rollback", POLICY, first["version"])
    assert "no version" in refused(station, "lua", "show", POLICY, "0123456789")
    assert "0-9 and a-f" in refused(station, "lua", "show", POLICY, "zzzzzz")
    assert "6 to 64" in refused(station, "lua", "show", POLICY, first["version"][:5])
    assert "there is no version of operators/none" in refused(station, "lua", "versions", "operators/none")
    # What was good once need not be today: the same text with an example that the gateway refuses by now.
    good_text = path.read_text()
    second = take_over(station, POLICY, good_text.replace("1.2345", "2.5"))
    with sqlite3.connect(station.folder / "data" / "forecourt.db") as db:
        bad = good_text.replace("1.2345", "-1")
        db.execute("UPDATE script_text SET text = ? WHERE hash = ?", (bad.encode(), first["hash"]))
    why = refused(station, "lua", "rollback", POLICY)
    assert "test.lua" in why and "elec" in why, why
    assert in_force(station, POLICY)["version"] == second["version"]
    assert sha(path.read_text()) == second["version"]
    # A broken file on the disk: what is in force can be put back.
    save(path, "return {")
    station.until(lambda: re.search(r"test\.lua:1:", station.gateway.output()), 60, "the refusal in the log")
    assert good(station, "lua", "rollback", POLICY, second["version"][:10])["version"] == second["version"]
    assert sha(path.read_text()) == second["version"]
    # Where the folder can't be written nothing changes. (Root may write anywhere: a name in the way.)
    third = take_over(station, POLICY, good_text.replace("1.2345", "3"))
    (station.lua / "policies" / "test.lua.rollback").mkdir()
    why = refused(station, "lua", "rollback", POLICY, second["version"])
    assert "test.lua: can't be written" in why
    assert in_force(station, POLICY)["version"] == third["version"]
    assert station.cli("lua", "rollback", "../../etc/passwd").returncode == 1


def test_reload_tells_of_each_script(site):
    station = site()
    answer = {s["item"]: s["state"] for s in good(station, "lua", "reload")["scripts"]}
    assert answer == {POLICY: "unchanged", MAPPING: "unchanged", PROFILE: "unchanged"}
    # Written in place, without a rename, a moment before: whoever comes first, the watch or the command, it comes once.
    text = (station.lua / f"{POLICY}.lua").read_text()
    (station.lua / f"{POLICY}.lua").write_text(text.replace("1.2345", "7"))
    (station.lua / f"{MAPPING}.lua").write_text("return { forecourt = 1,\n kind = 'operator', name = 'base', map = }")
    done = station.cli("lua", "reload")
    assert done.returncode == 1, done
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "refused" in lines[MAPPING] and "base.lua:2:" in lines[MAPPING]
    assert "unchanged" in lines[PROFILE]
    assert in_force(station, POLICY)["hash"] == sha(text.replace("1.2345", "7"))
    assert len(versions(station, POLICY)) == 2 and len(versions(station, MAPPING)) == 1


def test_a_module_is_part_of_the_version(site):
    def with_module(station):
        (station.lua / "lib").mkdir(exist_ok=True)
        (station.lua / "lib" / "notes.lua").write_text(MODULE.format(note="one"))
        station.write_mapping("base", WITH_MODULE)

    station = site(with_module)
    first = in_force(station, MAPPING)
    assert first["version"] != first["hash"] == sha(WITH_MODULE)
    assert in_force(station, "lib/notes")["version"] == sha(MODULE.format(note="one"))
    assert good(station, "lua", "show", MAPPING)["modules"] == [{"item": "lib/notes", "hash": sha(MODULE.format(note="one"))}]
    second = take_over(station, "lib/notes", MODULE.format(note="two"))
    assert second["origin"] == "file"
    changed = in_force(station, MAPPING)
    assert changed["version"] not in (first["version"], first["hash"]) and changed["hash"] == first["hash"]
    # Another text of the mapping, and back to the first: its module has changed since.
    third = take_over(station, MAPPING, WITH_MODULE.replace("examples = {}", "examples = { }"))
    done = station.cli("lua", "rollback", MAPPING, first["version"])
    assert done.returncode == 0, done
    assert f"forecourt lua rollback lib/notes {sha(MODULE.format(note='one'))[:12]}" in done.stdout
    assert in_force(station, MAPPING)["version"] == changed["version"]
    # Both at once.
    answer = good(station, "lua", "rollback", MAPPING, first["version"], "--modules")
    assert answer["version"] == first["version"] and len(answer["written"]) == 2 and answer["modules_changed"] == []
    assert in_force(station, "lib/notes")["hash"] == sha(MODULE.format(note="one"))
    station.ask_chargers("plug 0 1")
    station.wait_status(station.connector_id(0), 2)
    last = [p for m, p in station.server.received if m == "notification_stationStatus"][-1]
    assert last["Note"] == "one"
    # A module that breaks whom it is for is refused.
    assert third["version"]
    broken = take_over(station, "lib/notes", 'return { note = "three", more = {} }\n')
    save(station.lua / f"{MAPPING}.lua", WITH_MODULE.replace("notes.note", "notes.more.x or notes.note").replace(
        "return {", "assert(notes.more)\nreturn {", 1))
    station.until(lambda: in_force(station, MAPPING)["hash"] != sha(WITH_MODULE), 60, "the new mapping")
    why = refused(station, "lua", "rollback", "lib/notes", sha(MODULE.format(note="one")))
    assert "base.lua:2:" in why, why
    assert in_force(station, "lib/notes")["version"] == broken["version"]


def test_two_files_at_once_and_a_kill(site):
    """Both are versions; whenever the gateway is killed, what is in the store is what was in force."""
    station = site()
    path, other = station.lua / f"{POLICY}.lua", station.lua / f"{MAPPING}.lua"
    text, mapping = path.read_text(), other.read_text()
    for i in range(6):
        save(path, text.replace("1.2345", f"1.{i + 1}"))
        save(other, mapping + f"-- {i}\n")
        if i % 2:
            done = station.cli("lua", "reload")
            assert done.returncode == 0, done
        station.gateway.popen.send_signal(signal.SIGKILL)
        station.gateway.popen.wait(60)
        station.start_gateway()
        assert in_force(station, POLICY)["hash"] == sha(path.read_text())
        assert in_force(station, MAPPING)["hash"] == sha(other.read_text())
        for v in versions(station):
            assert sha(good(station, "lua", "show", v["item"], v["version"])["text"]) == v["hash"]
    assert len(versions(station, POLICY)) == len(versions(station, MAPPING)) == 7
    # The one before, again and again, goes there and back.
    seen = [good(station, "lua", "rollback", POLICY)["version"] for _ in range(4)]
    assert seen[0] == seen[2] and seen[1] == seen[3] and seen[0] != seen[1]
    assert not list(station.lua.rglob("*.rollback"))


def test_a_store_that_takes_nothing(site):
    """While nothing can be written the new version acts all the same; it is noted as soon as there is room."""
    station = site()
    first = in_force(station, POLICY)
    path = station.lua / f"{POLICY}.lua"
    text = path.read_text().replace("1.2345", "9.5")
    with sqlite3.connect(station.folder / "data" / "forecourt.db", isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")
        save(path, text)
        station.until(lambda: "not kept, tried again" in station.gateway.output(), 60, "the failure in the log")
        assert [v["version"] for v in versions(station, POLICY)] == [first["version"]]
        db.execute("ROLLBACK")
    station.until(lambda: len(versions(station, POLICY)) == 2, 60, "the version noted")
    found = in_force(station, POLICY)
    assert found["hash"] == sha(text) and found["origin"] == "file"
    assert station.cli("lua", "show", POLICY).stdout == text
    assert station.gateway.output().count("not kept, tried again") == 1


def test_a_kill_during_a_rollback(site):
    """Whenever it comes, each file is one of the two texts as a whole, and the gateway starts with it."""
    def with_module(station):
        (station.lua / "lib").mkdir(exist_ok=True)
        (station.lua / "lib" / "notes.lua").write_text(MODULE.format(note="one"))
        station.write_mapping("base", WITH_MODULE)

    station = site(with_module)
    first = in_force(station, MAPPING)
    take_over(station, "lib/notes", MODULE.format(note="two"))
    take_over(station, MAPPING, WITH_MODULE + "-- two\n")
    second = in_force(station, MAPPING)
    texts = {"lib/notes": [MODULE.format(note=n) for n in ("one", "two")], MAPPING: [WITH_MODULE, WITH_MODULE + "-- two\n"]}
    seen = set()
    for i in range(8):
        to = (first, second)[i % 2]["version"]
        call = subprocess.Popen([station.build / "forecourt", "lua", "rollback", MAPPING, to, "--modules"],
                                env={**os.environ, "FORECOURT_SOCKET": str(station.control_socket)},
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(i * 0.004)
        station.gateway.popen.send_signal(signal.SIGKILL)
        station.gateway.popen.wait(60)
        call.wait(60)
        station.start_gateway()
        now = {}
        # As the files stand: a mixture of the two is never started with.
        for item, either in texts.items():
            text = (station.lua / f"{item}.lua").read_text()
            assert text in either, (item, text)
            now[item] = either.index(text)
            assert in_force(station, item)["hash"] == sha(text)
        seen.add((call.returncode, *now.values()))
        assert len(set(now.values())) == 1, now
    print("exit code, module, mapping:", sorted(seen))
    # What a kill left beside the files is in nobody's way.
    take_over(station, MAPPING, WITH_MODULE + "-- three\n")
    assert good(station, "lua", "rollback", MAPPING, first["version"], "--modules")["version"] == first["version"]


SLOW = """local n = 0
for i = 1, 80000000 do n = n + i % 7 end
return {{ forecourt = 1, kind = "policy", name = "test",
  prices = {{ {{ start = "00:00", elec = {elec}, service = 0.4 }} }} }}
"""


class Line:
    """A connection of its own to the gateway's socket."""

    def __init__(self, station):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(station.control_socket))

    def ask(self, command, **arguments):
        self.socket.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")

    def has_answer(self):
        return bool(select.select([self.socket], [], [], 0)[0])

    def answer(self):
        text = b""
        while not text.endswith(b"\n"):
            text += self.socket.recv(65536)
        return json.loads(text)


def test_a_slow_trial_keeps_nobody_waiting(site):
    """What is put back is tried beside the loop: others are answered meanwhile, one rollback at a time."""
    def slow(station):
        station.gateway_options.update(lua_steps=100000000, lua_time_ms=2000)
        station.write_policy("test", SLOW.format(elec="1.2345"))

    station = site(slow)
    first = in_force(station, POLICY)
    # What was read while the first one was loaded and the gateway started is no matter here.
    second = take_over(station, POLICY, PRICES.format(name="test", elec="2.5", service="0.4"))
    before = station.stats()["loop"]["longest_us"]
    one, two, three = (Line(station) for _ in range(3))
    one.ask("lua_rollback", item=POLICY)
    two.ask("lua_rollback", item=POLICY)
    three.ask("status")
    assert three.answer()["ok"] and not one.has_answer(), "the loop waited for the trial"
    refusal = two.answer()
    assert not refusal["ok"] and refusal["error"] == "another Lua file is being saved or put back", refusal
    assert not one.has_answer() and sha((station.lua / f"{POLICY}.lua").read_text()) == second["hash"]
    assert one.answer()["result"]["version"] == first["version"]
    assert in_force(station, POLICY)["version"] == first["version"]
    stats = station.stats()
    print(f"\nloading takes {stats['reloads']['load_us']} us, the loop's longest pause before {before} us, with the rollback "
          f"{stats['loop']['longest_us']} us")
    assert stats["loop"]["longest_us"] < max(stats["reloads"]["load_us"] / 2, before * 2)
    # What is refused in the trial is written nowhere, also when somebody else asks in between.
    third = take_over(station, POLICY, PRICES.format(name="test", elec="3", service="0.4"))
    with sqlite3.connect(station.folder / "data" / "forecourt.db") as db:
        db.execute("UPDATE script_text SET text = ? WHERE hash = ?", (SLOW.format(elec="-1").encode(), first["hash"]))
    one.ask("lua_rollback", item=POLICY, version=first["version"])
    refusal = one.answer()
    assert not refusal["ok"] and "test.lua" in refusal["error"] and "elec" in refusal["error"]
    one.ask("lua_rollback", item=POLICY, version=second["version"])
    assert one.answer()["ok"]
    # The gateway ends in the middle of a trial: nothing was written, nobody hangs.
    one.ask("lua_rollback", item=POLICY, version=first["version"])
    station.gateway.popen.send_signal(signal.SIGTERM)
    assert station.gateway.popen.wait(60) == 0
    assert sha((station.lua / f"{POLICY}.lua").read_text()) == second["hash"] and third
