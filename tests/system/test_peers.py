"""Modbus implementations that are not ours: libmodbus's own test server, pymodbus, mbpoll; over TCP and over pseudo-terminals. The
gateway's transport asks (tests/peers/bus_ask.c), and each server's own data says whether what came back is right."""
import pathlib
import re
import subprocess
import sys
import time

import pytest

import harness

sys.path.insert(0, str(harness.ROOT / "tests" / "bench"))
import polling  # noqa: E402

BUILD = harness.ROOT / "build" / "host"
PEERS = harness.ROOT / "tests" / "peers"
EXAMPLES = pathlib.Path("/usr/share/doc/libmodbus-dev/examples")
LINES = [("tcp", "tcp"), ("tcp", "rtu"), ("tcp", "ascii"), ("rtu", "rtu"), ("rtu", "ascii")]


class Asker:
    """The gateway's transport, a line of text a request."""

    def __init__(self, kind, where, framing, timeout_ms=2000, *more):
        where = f"127.0.0.1:{where}" if kind == "tcp" else where
        self.popen = subprocess.Popen([str(BUILD / "peers" / "bus_ask"), kind, str(where), framing, str(timeout_ms), *more],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, request):
        self.popen.stdin.write(request + "\n")
        self.popen.stdin.flush()
        return self.popen.stdout.readline().strip()

    def until(self, request, answer, patience=60):
        """A server needs a while to be there."""
        end = time.monotonic() + patience
        while (got := self(request)) != answer:
            assert time.monotonic() < end, got
            time.sleep(0.1)

    def close(self):
        self.popen.stdin.close()
        self.popen.wait(30)
        self.popen.stdout.close()


@pytest.fixture
def ends(tmp_path):
    """What a test starts is ended with it, the latest first."""
    started = []

    class Ends:
        folder = tmp_path

        def asker(self, *args):
            started.append(Asker(*args))
            return started[-1]

        def process(self, command, name, ready=None):
            process = harness.Process(command, tmp_path, name, ready)
            started.append(process)
            return process

        def serial_pair(self):
            a, b = tmp_path / "a", tmp_path / "b"
            self.process(["socat", "-d", "-d", f"pty,raw,echo=0,link={a}", f"pty,raw,echo=0,link={b}"], "socat", "starting data transfer")
            return a, b
    yield Ends()
    for thing in reversed(started):
        (thing.close if isinstance(thing, Asker) else thing.stop)()


@pytest.mark.parametrize("kind,framing", LINES)
def test_pymodbus_over_every_line(ends, kind, framing):
    if kind == "tcp":
        ours = theirs = harness.free_port()
    else:
        ours, theirs = ends.serial_pair()
    ends.process(["/usr/bin/python3", PEERS / "modbus_server.py", kind, theirs, framing], "pymodbus", "serving")
    ask = ends.asker(kind, ours, framing)
    ask.until("1 3 0 2", "ok 1000 1001")
    for unit in (1, 2):
        assert ask(f"{unit} 3 100 125") == "ok " + " ".join(str(1000 * unit + i) for i in range(100, 225))
        assert ask(f"{unit} 4 7 1") == f"ok {1000 * unit + 7}"
        assert ask(f"{unit} 1 0 19") == "ok " + " ".join(str(int(i % 3 == 0)) for i in range(19))
        assert ask(f"{unit} 2 5 3") == "ok 0 1 0"
        assert ask(f"{unit} 6 20 = 4711") == "ok"
        assert ask(f"{unit} 16 21 = 1 2 65535") == "ok"
        assert ask(f"{unit} 3 20 4") == "ok 4711 1 2 65535"
        assert ask(f"{unit} 5 10 = 1") == "ok"
        assert ask(f"{unit} 15 11 = 1 0 1 1") == "ok"
        assert ask(f"{unit} 1 9 7") == "ok 1 1 1 0 1 1 1"
        assert ask(f"{unit} 3 290 20") == "exception 2"
    # Many in a row: nothing slips.
    for i in range(200):
        assert ask(f"{1 + i % 2} 3 {i} 5") == "ok " + " ".join(
            {20: "4711", 21: "1", 22: "2", 23: "65535"}.get(k, str(1000 * (1 + i % 2) + k)) for k in range(i, i + 5))


def unit_test_server(ends, mode, where):
    """Debian ships it as an example's source, with its port and its device written in."""
    if not (EXAMPLES / "unit-test-server.c").exists():
        pytest.skip("libmodbus-dev's examples are not installed")
    source = (EXAMPLES / "unit-test-server.c").read_text().replace("1502" if mode == "tcp" else "/dev/ttyUSB0", str(where))
    assert str(where) in source
    (ends.folder / "server.c").write_text(source)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmodbus"], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["gcc", "-w", f"-I{EXAMPLES}", "-o", ends.folder / "server", ends.folder / "server.c", *flags], check=True)
    return ends.process(["stdbuf", "-o0", ends.folder / "server", mode], "server")


@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_libmodbus_own_test_server(ends, kind):
    """What its own client checks, and how it misbehaves on purpose (unit-test.h has the addresses)."""
    if kind == "tcp":
        ours = theirs = harness.free_port()
    else:
        ours, theirs = ends.serial_pair()
    server = unit_test_server(ends, kind, theirs)
    ask = ends.asker(kind, ours, kind)
    ask.until("17 4 264 1", "ok 10")
    assert ask("17 2 452 22") == "ok " + " ".join(str([0xAC, 0xDB, 0x35][i // 8] >> i % 8 & 1) for i in range(22))
    assert ask("17 5 304 = 1") == "ok" and ask("17 1 304 1") == "ok 1"
    bits = [[0xCD, 0x6B][i // 8] >> i % 8 & 1 for i in range(16)]
    assert ask("17 15 304 = " + " ".join(map(str, bits))) == "ok"
    assert ask("17 1 304 16") == "ok " + " ".join(map(str, bits))
    assert ask("17 6 352 = 4660") == "ok" and ask("17 3 352 1") == "ok 4660"
    assert ask("17 16 352 = 555 1 100") == "ok" and ask("17 3 352 3") == "ok 555 1 100"
    # Beyond its map.
    for request in ("17 1 0 1", "17 2 452 23", "17 3 351 3", "17 4 264 2", "17 3 352 100"):
        assert ask(request) == "exception 2", request
    # On purpose: too few values, busy, another transaction or unit.
    assert ask("17 3 352 2") == "bad answer"
    assert ask("17 3 368 1") == "exception 6"
    assert ask("17 3 369 1") == "bad answer"
    assert ask("17 3 352 3") == "ok 555 1 100"
    # Half a second late is in time.
    assert ask("17 3 370 1") == "ok 0"
    if kind == "tcp":
        assert ask("255 3 371 1") == "ok 0", "the answer in eleven pieces"
        # Its unit is 255 whatever was asked: not ours.
        assert ask("17 3 371 1") == "bad answer"
    assert "Sleep 0.5 s" in server.output()


def test_libmodbus_server_late_answers_are_dropped(ends):
    """A response time-out below its half second: the answer that comes later is nobody's."""
    port = harness.free_port()
    unit_test_server(ends, "tcp", port)
    ask = ends.asker("tcp", port, "tcp", 350)
    ask.until("17 16 352 = 555 1 100", "ok")
    for _ in range(3):
        assert ask("17 3 370 1") == "no answer"
        assert ask("17 3 352 3") == "ok 555 1 100"


def test_mbpoll_and_our_transport_agree_on_the_simulator(ends):
    """The same registers of the same simulated chargers, by mbpoll and by us, over TCP and over a line."""
    port, line = harness.free_port(), ends.folder / "line"
    ends.process([BUILD / "sim-charger", "--tcp", 1, "--port", port, "--line", line, "--chargers-per-line", 2], "sim", "ready")
    for kind, where, options in (("tcp", port, ["-p", str(port), "127.0.0.1"]),
                                 ("rtu", line, ["-b", "115200", "-P", "none", str(line)])):
        theirs = subprocess.run(["mbpoll", "-0", "-1", "-m", kind, "-a", "1", "-t", "4", "-r", "0", "-c", "12", *options],
                                capture_output=True, text=True, timeout=60, check=False)
        assert theirs.returncode == 0, theirs.stdout + theirs.stderr
        values = re.findall(r"^\[\d+\]:\s+(\d+)", theirs.stdout, re.M)
        assert len(values) == 12
        ask = ends.asker(kind, where, kind)
        assert ask("1 3 0 12") == "ok " + " ".join(values)
        ask.close()


CHARGER = """return { forecourt = 1, kind = "profile", name = "peer", modbus = { max_words = 32 }, line = { framing = "%s" },
  points = { state = { fc = 3, address = 3, type = "u16" }, power = { fc = 4, address = 40, type = "u16", unit = "W" } },
  status = { point = "state", map = { [1003] = 3 }, default = 255 } }"""


@pytest.mark.parametrize("kind,framing", [("tcp", "rtu"), ("rtu", "ascii")])
def test_the_gateway_with_another_framing(make_station, ends, kind, framing):
    """RTU over TCP and ASCII as a site configures them: option framing of its bus."""
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=500)
    if kind == "tcp":
        theirs = harness.free_port()
        where = dict(host="127.0.0.1", port=theirs)
    else:
        ours, theirs = ends.serial_pair()
        where = dict(device=ours, baud=115200)
    ends.process(["/usr/bin/python3", PEERS / "modbus_server.py", kind, theirs, framing], "pymodbus", "serving")
    (station.lua / "profiles" / "peer.lua").write_text(CHARGER % ("ascii" if framing == "ascii" else "rtu-over-tcp"))
    station.extra += harness.section("bus", "peer", kind=kind, framing=framing, **where)
    station.extra += harness.section("charger", "peer", station="s1", bus="peer", unit=1, profile="peer", equipment_id="peer1")
    station.extra += harness.section("connector", "peer", charger="peer", connector_id="PEER1", power_w=22000)
    station.start_chargers()
    station.start_gateway()
    station.wait_status("PEER1", 3)

    def points():
        return next(c for c in station.stats()["connectors"] if c["connector_id"] == "PEER1")["points"]
    station.until(lambda: points()["power"]["quality"] == "good", 60, "the second block")
    assert points()["power"]["value"] == 1040


def test_polling_cost_is_measured():
    """A short form of tests/bench/polling.py: its figures are printed, only nonsense fails."""
    found = polling.measure("build/host", 0.5, 3)
    for row in polling.rows(found):
        print(*row, sep=": ")
    assert all(r[mode]["made"] > 10 and r[mode]["cpu_10k"] > 0 for rounds in found.values() for r in rounds for mode in r)
