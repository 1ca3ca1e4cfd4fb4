"""forecourt bus and forecourt audit: the tools of the person on site, on a station that runs: between its polls, on its one
connection, and kept in the audit."""
import csv
import io
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest

from business import plug

# Registers of the simulated charger (core/sim/README.md).
STATE, POWER, COMMAND, FORBIDDEN = 0, 4, 40, 60
CARD, VIN = "04A1B2C3D4E5F6", "LTESTVIN123456789"


@pytest.fixture
def site(make_station):
    def make(**more):
        station = make_station(**{"build": os.environ.get("FORECOURT_BUILD", "build/host"), "tcp": 1, "line_units": (2,), "connectors": 1, "poll_ms": 300, **more})
        for charger in range(station.charger_count()):
            station.wait_status(station.connector_id(charger), 1)
        return station

    return make


def good(station, *words):
    """What --json gives of a command that must work."""
    done = station.cli(*words, "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def lines(station, name=None):
    found = {line["line"]: line for line in good(station, "bus", "stats")["lines"]}
    return found[name] if name else found


def unit_of(station, line, unit):
    return next(u for u in lines(station, line)["units"] if u["unit"] == unit)


def connections(station):
    return [c["connections_max"] for c in json.loads(station.ask_chargers("stats"))["chargers"]]


def test_figures_of_lines_and_units(site):
    station = site()
    tcp = lines(station, "tcp0")
    assert tcp["connected"] is True and tcp["endpoint"] == f"tcp:127.0.0.1:{station.charger_port}"
    assert lines(station, "line0")["endpoint"] == str(station.lines[0])
    first = station.until(lambda: (lambda u: u if u["answers"] >= 5 else None)(unit_of(station, "line0", 2)), 60, "answers")
    assert first["chargers"] == ["c2"] and first["slow"] is False and first["timeouts"] == 0
    assert 0 < first["latency_p50_us"] <= first["latency_p90_us"] <= first["latency_p99_us"]
    # A unit that falls silent is seen by itself: its neighbour on the line is well.
    station.ask_chargers("mute 2")
    silent = station.until(lambda: (lambda u: u if u["slow"] else None)(unit_of(station, "line0", 2)), 60, "the slow lane")
    assert silent["timeouts"] >= 3 and silent["answer_age_us"] > 0
    well = unit_of(station, "line0", 1)
    assert well["slow"] is False and well["answers"] > first["answers"] and well["timeouts"] == 0
    # The same for a spreadsheet, for people, and in Chinese.
    table = list(csv.DictReader(io.StringIO(station.cli("bus", "stats", "--csv").stdout, newline="")))
    assert [(r["line"], r["unit"], r["chargers"]) for r in table] == [("tcp0", "1", "c0"), ("line0", "1", "c1"), ("line0", "2", "c2")]
    shown = station.cli("bus", "stats", "line0").stdout
    assert "tcp0" not in shown and re.search(r"(?m)^line0 +2 +c2 +silent ", shown)
    assert "无响应" in station.cli("bus", "stats", LANG="zh_CN.UTF-8").stdout
    assert station.cli("bus", "stats", "none").returncode == 1


def test_a_scan_finds_units_between_the_polls(site):
    station = site()
    before = lines(station)
    found = good(station, "bus", "scan", "line0", "--units", "1-5,9", "--timeout", "100")["units"]
    assert [(u["unit"], u["status"]) for u in found] == [(1, "ok"), (2, "ok")]
    assert all(u["function"] == 3 and u["latency_us"] > 0 for u in found)
    shown = station.cli("bus", "scan", "line0", "--units", "1-3", "--timeout", "100").stdout
    assert re.search(r"(?m)^1 +ok .* c1$", shown) and re.search(r"(?m)^2 +ok .* c2$", shown) and not re.search(r"(?m)^3 ", shown)
    # An exception is a sign of life.
    found = good(station, "bus", "scan", "tcp0", "--units", "1", "--function", "3", "--address", "60000")["units"]
    assert [(u["status"], u["exception"]) for u in found] == [("exception", 2)]
    # The chargers were polled on meanwhile, on the one connection that each has.
    after = lines(station)
    for name in ("tcp0", "line0"):
        assert after[name]["polls"] > before[name]["polls"], name
        assert after[name]["missed"] == before[name]["missed"] and after[name]["disconnects"] == 0, name
    assert max(connections(station)) == 1
    # Nothing was ordered: there is nothing to keep.
    assert good(station, "audit")["audit"] == []


@pytest.mark.parametrize("units", ["0-256", "5-1", "x", "1,", "1-", ""])
def test_no_such_units(site, units):
    station = site(line_units=())
    assert station.cli("bus", "scan", "tcp0", "--units", units).returncode in (1, 2)


def test_a_line_of_our_own_is_only_opened_when_nobody_has_it(site):
    station = site()
    tcp, line = f"tcp:127.0.0.1:{station.charger_port}", str(station.lines[0])
    for endpoint, name in ((tcp, "tcp0"), (line, "line0")):
        done = station.cli("bus", "scan", "--direct", endpoint, "--units", "1")
        assert done.returncode == 1 and name in done.stderr and "daemon" in done.stderr
    # Nor by somebody whom the daemon does not hear: it may have that line open.
    if os.geteuid() == 0 and shutil.which("setpriv"):
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        done = station.cli("bus", "scan", "--direct", tcp, "--units", "1", wrap=nobody)
        assert done.returncode != 0 and "permission" in done.stderr, done
    assert max(connections(station)) == 1
    assert station.cli("bus", "scan").returncode == 2
    assert station.cli("bus", "scan", "tcp0", "--direct", tcp).returncode == 2
    station.gateway.stop()
    found = good(station, "bus", "scan", "--direct", tcp, "--units", "1", "--timeout", "500")["units"]
    assert [u["unit"] for u in found] == [1]
    found = good(station, "bus", "scan", "--direct", f"{line},115200,8N1", "--units", "1-4", "--timeout", "100")["units"]
    assert [u["unit"] for u in found] == [1, 2]
    found = good(station, "bus", "scan", "--direct", f"{line},115200", "--units", "2", "--timeout", "100", "--address", "60000")["units"]
    assert [(u["unit"], u["status"], u["exception"]) for u in found] == [(2, "exception", 2)]
    assert good(station, "bus", "scan", "--direct", tcp, "--framing", "rtu", "--units", "1", "--timeout", "200")["units"] == []
    assert station.cli("bus", "scan", "--direct", line, "--framing", "tcp").returncode == 2
    for wrong in ("tcp:", "tcp:127.0.0.1:99999", "ttyS1", f"{line},9600,9N1", f"{line},1"):
        assert station.cli("bus", "scan", "--direct", wrong).returncode == 2, wrong
    # A lock that another program holds (as a second scan does).
    with open(line, "rb") as held:
        import fcntl
        fcntl.flock(held, fcntl.LOCK_EX)
        done = station.cli("bus", "scan", "--direct", line, "--units", "1")
        assert done.returncode == 1 and "another program" in done.stderr


def test_registers_are_read_by_hand(site):
    station = site()
    words = good(station, "bus", "read", "line0", 2, 3, STATE, 2)
    assert words["words"] == [0, 0] and words["status"] == "ok" and words["charger"] == "c2"
    energy = good(station, "bus", "read", "tcp0", 1, 3, 6, 2)["words"]
    number = energy[0] << 16 | energy[1]
    assert f" {number}" in station.cli("bus", "read", "tcp0", 1, 3, 6, "--type", "u32").stdout.splitlines()[1]
    assert str(energy[1] << 16 | energy[0]) in station.cli("bus", "read", "tcp0", 1, 3, 6, "--type", "u32", "--order", "lo-hi").stdout
    # Every way to see them; the number that a manual of the 4xxxx kind gives.
    shown = station.cli("bus", "read", "tcp0", 1, 3, 40007, 2, "--base", 40001).stdout
    row = [line.split() for line in shown.splitlines() if line.strip().startswith("40007")][0]
    assert row[:5] == ["40007", f"{energy[0]:04X}", str(energy[0]), str(struct.unpack(">h", struct.pack(">H", energy[0]))[0]), str(number)]
    # What a device refuses, what its profile forbids, what is no call.
    done = station.cli("bus", "read", "tcp0", 1, 3, 60000)
    assert done.returncode == 1 and "exception 2: no such register" in done.stderr
    done = station.cli("bus", "read", "tcp0", 1, 3, FORBIDDEN - 1, 2)
    assert done.returncode == 1 and "denies registers 60 to 79" in done.stderr
    assert "exception" in station.cli("bus", "read", "tcp0", 1, 3, FORBIDDEN, "--force").stderr
    for wrong in ((1, 5, 0), (256, 3, 0), (1, 3, 65536), (1, 3, 0, 126), (1, 3, 0, 0), (1, 3, "x")):
        assert station.cli("bus", "read", "tcp0", *wrong).returncode == 2, wrong
    assert station.cli("bus", "read", "nowhere", 1, 3, 0).returncode == 1
    station.ask_chargers("mute 0")
    done = station.cli("bus", "read", "tcp0", 1, 3, 0, "--timeout", 100)
    assert done.returncode == 1 and "no answer" in done.stderr


def test_a_write_is_warned_of_kept_and_forbidden(site):
    station = site()
    connector = plug(station)
    assert good(station, "start", connector)["session"] == "starting"
    station.wait_status(connector, 3)
    # Without a word from a person nothing is written; who would be hit is said.
    done = station.cli("bus", "write", "tcp0", 1, 6, COMMAND, 2)
    assert done.returncode == 2 and "--yes" in done.stderr
    assert "c0" in done.stderr and connector in done.stderr and "a charge is under way there" in done.stderr
    assert [a["command"] for a in good(station, "audit")["audit"]] == ["start"]
    # What the profile denies.
    done = station.cli("bus", "write", "tcp0", 1, 6, FORBIDDEN, 1, "--yes")
    assert done.returncode == 1 and "denies registers 60 to 79 of charger c0" in done.stderr
    # This one stops the charge.
    done = station.cli("bus", "write", "tcp0", 1, 6, COMMAND, 2, "--yes")
    assert done.returncode == 0, done
    assert re.search(r"written +2 \(0x0002\)", done.stdout) and re.search(r"in the audit +yes", done.stdout)
    station.until(lambda: station.statuses(connector)[-1:] in ([1], [2]), 60, "the end of the charge")
    rows = good(station, "audit")["audit"]
    assert [r["command"] for r in rows] == ["bus_write", "bus_write", "start"]
    assert rows[0]["result"] == "done" and json.loads(rows[0]["arguments"])["values"] == "2" and rows[0]["who"].startswith("user ")
    assert "denies" in rows[1]["result"] and rows[2]["result"] == "done"
    # They are there after a restart, and for people.
    station.gateway.stop()
    station.start_gateway()
    assert good(station, "audit")["audit"] == rows
    assert len(good(station, "audit", "--limit", 1)["audit"]) == 1
    shown = station.cli("audit").stdout.splitlines()
    assert len(shown) == 4 and "bus_write" in shown[1] and "done" in shown[1]
    assert station.cli("bus", "write", "tcp0", 1, 7, 0, 1, "--yes").returncode == 2
    assert station.cli("bus", "write", "tcp0", 1, 6, 0, 65536, "--yes").returncode == 2
    assert station.cli("bus", "write", "tcp0", 1, 6, 0, 1, 2, "--yes").returncode == 2
    # What nobody answers is not told as written.
    station.ask_chargers("mute 0")
    done = station.cli("bus", "write", "tcp0", 1, 6, COMMAND, 2, "--yes")
    assert done.returncode == 1 and re.search(r"written +unknown", done.stdout), done
    assert good(station, "audit", "--limit", 1)["audit"][0]["result"] in ("no answer", "not connected")


def frames(station, *words):
    done = station.cli("bus", "trace", "--json", *words)
    assert done.returncode == 0, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_pairs(found):
    """Every request on a Modbus/TCP line has the answer of its transaction behind it."""
    waiting = {}
    for f in found:
        if f["kind"] != "tcp":
            continue
        transaction, function = f["data"][:4], int(f["data"][14:16], 16)
        if "sent" in f["flags"]:
            waiting[f["line"]] = transaction, function
        else:
            assert waiting.pop(f["line"], (transaction, function)) == (transaction, function)


def test_a_trace_of_all_lines_while_the_polls_go_on(site, tmp_path):
    station = site()
    station.until(lambda: lines(station, "line0")["polls"] > 20, 60, "polls")
    before = lines(station)
    found = frames(station)
    numbers = [f["number"] for f in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) and len(found) > 40
    assert {f["line"] for f in found} == {"tcp0", "line0"} and {f["kind"] for f in found} == {"tcp", "rtu"}
    assert abs(found[-1]["wall_us"] / 1e6 - time.time()) < 600
    check_pairs(found)
    # One line, one unit.
    assert {f["line"] for f in frames(station, "line0")} == {"line0"}
    assert {f["data"][:2] for f in frames(station, "line0", "--unit", 2)} == {"02"}
    # As many requests as polls: nothing is left out, and nothing made up.
    after = lines(station)
    sent = [f for f in frames(station) if "sent" in f["flags"]]
    for name in ("tcp0", "line0"):
        count = len([f for f in sent if f["line"] == name])
        assert before[name]["polls"] <= count <= lines(station, name)["polls"] + 1, name
        assert after[name]["missed"] == 0
    # For people.
    shown = station.cli("bus", "trace", "line0").stdout.splitlines()
    assert any(re.search(r"line0  ->  bus unit 2: read holding registers 0, \d+  \| 02 03 00 00 ", line) for line in shown)
    assert any(re.search(r"line0  <-  bus unit 2: answer: \d+ registers  \(\d+\.\d ms\)  \| 02 03 ", line) for line in shown)
    assert any("从站 2: 读保持寄存器 0" in line for line in station.cli("bus", "trace", LANG="zh_CN.UTF-8").stdout.splitlines())
    # From now on, live.
    newest = frames(station)[-1]["number"]
    live = frames(station, "--seconds", 2)
    assert live and live[0]["number"] > newest and {f["line"] for f in live} == {"tcp0", "line0"}
    assert max(connections(station)) == 1
    assert station.cli("bus", "trace", "nowhere").returncode == 1
    assert station.cli("bus", "trace", "--pcapng", "a", "--candump", "b").returncode == 2
    done = station.cli("bus", "trace", "--pcapng", tmp_path / "none" / "a")
    assert done.returncode == 1 and "can't be made" in done.stderr


def test_a_capture_that_wireshark_reads(site, tmp_path):
    if not shutil.which("tshark"):
        pytest.skip("SKIPPED: tshark is not installed")
    station = site()
    station.until(lambda: lines(station, "line0")["polls"] > 20, 60, "polls")
    file = tmp_path / "trace.pcapng"
    # Followed until Ctrl-C: what is written is whole.
    follow = subprocess.Popen([str(station.build / "forecourt"), "--socket", str(station.control_socket), "bus", "trace", "--follow",
                               "--pcapng", str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    station.until(lambda: file.exists() and file.stat().st_size > 4000, 60, "a capture")
    follow.send_signal(signal.SIGINT)
    out, err = follow.communicate(timeout=60)
    assert follow.returncode == 0 and not err, err
    count = int(re.match(r"(\d+) frames", out).group(1))

    def fields(display, *names):
        words = ["tshark", "-r", str(file), "-Y", display, "-T", "fields"]
        for name in names:
            words += ["-e", name]
        return [line.split("\t") for line in
                subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()]

    assert len(fields("frame", "frame.number")) == count
    assert not fields("_ws.malformed", "frame.number")
    tcp = fields("mbtcp", "mbtcp.trans_id", "mbtcp.unit_id", "modbus.func_code", "frame.interface_name")
    rtu = fields("mbrtu", "mbrtu.unit_id", "modbus.func_code", "frame.interface_name")
    assert tcp and rtu and len(tcp) + len(rtu) == count
    assert {t[3] for t in tcp} == {"tcp0"} and {t[2] for t in tcp} == {"3"}
    assert {r[0] for r in rtu} == {"1", "2"} and {r[2] for r in rtu} == {"line0"}
    # Requests and answers find each other, and the registers are those that the charger has.
    answers = fields("mbtcp && modbus.request_frame", "modbus.request_frame")
    assert len(answers) >= len(tcp) // 2 - 1
    assert not fields("tcp.analysis.flags", "frame.number")


def test_personal_data_stays_in_unless_asked_for(site):
    station = site()
    card, vin = CARD.encode().hex().upper(), VIN.encode().hex().upper()
    station.ask_chargers(f"card 0 1 {CARD}")
    station.ask_chargers(f"vin 1 1 {VIN}")
    raw = station.until(lambda: (lambda t: t if card in t and vin in t else None)(station.cli("bus", "trace", "--json", "--raw").stdout),
                        60, "card and VIN on the lines")
    assert "58" * len(CARD) not in raw
    masked = station.cli("bus", "trace", "--json").stdout
    assert card not in masked and vin not in masked and "58" * 14 in masked and '"masked":true' in masked
    for f in frames(station):
        assert card not in f["data"] and vin not in f["data"]
    # Also when a page begins between a request and its answer.
    done = station.cli("bus", "trace", "--raw")
    assert "personal data" in done.stderr
    assert {a["command"] for a in good(station, "audit")["audit"]} == {"bus_trace"}
    assert CARD not in station.gateway.output() and VIN not in station.gateway.output()


def test_the_trace_can_be_off_and_of_another_size(site):
    station = site(line_units=())
    station.until(lambda: len(frames(station)) > 10, 60, "frames")
    station.gateway_options["trace_kb"] = 0
    station.write_config()
    station.gateway.popen.send_signal(signal.SIGHUP)
    done = station.until(lambda: (lambda d: d if d.returncode else None)(station.cli("bus", "trace")), 60, "an end of it")
    assert done.returncode == 1 and "trace_kb" in done.stderr
    station.gateway_options["trace_kb"] = 1
    station.write_config()
    station.gateway.popen.send_signal(signal.SIGHUP)
    station.until(lambda: station.cli("bus", "trace").returncode == 0, 60, "a trace again")
    polls = lines(station, "tcp0")["polls"]
    station.until(lambda: lines(station, "tcp0")["polls"] > polls + 40, 60, "polls")
    found = frames(station)
    assert 0 < len(found) <= 1024 // 44


def test_a_line_that_goes_away_answers_who_waits(site):
    station = site()
    station.ask_chargers("mute 0")
    # The reload closes the line under a read that waits.
    asked = subprocess.Popen([str(station.build / "forecourt"), "--socket", str(station.control_socket), "bus", "read", "tcp0", "1", "3",
                              "0", "--timeout", "8000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.3)
    station.charger_options[0] = dict(poll_ms=900)
    station.write_config()
    station.gateway.popen.send_signal(signal.SIGHUP)
    out, err = asked.communicate(timeout=60)
    assert asked.returncode == 1 and re.search("not connected|no answer", err), (out, err)
    station.until(lambda: re.search(r"bus tcp0|reload: done", station.gateway.output()), 60, "the reload")
    assert station.gateway.running()
