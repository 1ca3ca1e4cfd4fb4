"""GB/T 27930: the generated sessions are what the script makes, and the simulated charger and car do as they are told. What they say is held
against the lengths of chargers.md here, and played to the gateway's own decoder as the example of a profile."""
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = ROOT / os.environ.get("FORECOURT_BUILD", "build/host")
PATIENCE = 60
# chargers.md 2.2; by edition where they differ
LENGTHS = {
    0x1826F456: (3,), 0x182756F4: (2,), 0x1801F456: (8,), 0x1807F456: (7,), 0x1808F456: {2015: (8,), 2011: (6,)}, 0x100956F4: (1,),
    0x100AF456: (1,), 0x181056F4: (5,), 0x1812F456: {2015: (7, 8), 2011: (6,)}, 0x181356F4: (7,), 0x101956F4: (4,), 0x101AF456: (4,),
    0x181C56F4: (7,), 0x181DF456: {2015: (8,), 2011: (5,)}, 0x081E56F4: (4,), 0x081FF456: (4,), 0x1CEC56F4: (8,), 0x1CEB56F4: (8,),
    0x1CECF456: (8,),
}
LONG = {0x0200: {2015: 49, 2011: 41}, 0x0600: 13, 0x1100: 9, 0x1500: 192, 0x1600: 16, 0x1700: 16}


class Pair:
    """sim-bms, and all that it says on a bus of datagrams."""

    def __init__(self, *options, speed=5):
        self.folder = tempfile.TemporaryDirectory(prefix="fc-gbt.")
        self.ours, theirs = f"{self.folder.name}/a", f"{self.folder.name}/b"
        self.bus = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.bus.bind(self.ours)
        self.bus.settimeout(0.1)
        self.control = f"{self.folder.name}/control"
        self.frames = []
        self.program = subprocess.Popen([BUILD / "sim-bms", "--bus", f"datagram:{theirs},{self.ours}", "--control", self.control,
                                         "--speed", str(speed), *options], stdout=subprocess.PIPE, text=True)
        assert self.program.stdout.readline() == "ready\n"
        self.ended = False
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        while not self.ended:
            try:
                data = self.bus.recv(64)
            except socket.timeout:
                continue
            identifier, length, *zero = struct.unpack(">IB3B", data[:8])
            assert len(data) == 16 and identifier & 0x80000000 and zero == [0, 0, 0]
            self.frames.append((identifier & 0x1FFFFFFF, data[8:8 + length]))

    def ask(self, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.control)
            s.sendall(line.encode() + b"\n")
            return s.makefile().read().strip()

    def tell(self, *lines):
        for line in lines:
            assert self.ask(line) == "ok", line

    def wait(self, what, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"waited for {what}: {self.ask('state')}"
            time.sleep(0.02)

    def wait_state(self, charger):
        self.wait(charger, lambda: f'"charger":"{charger}"' in self.ask("state"))

    def seen(self, identifier, data=None):
        """How often a frame was on the bus, its data beginning so."""
        return sum(i == identifier and d.startswith(data or b"") for i, d in list(self.frames))

    def stop(self):
        self.ended = True
        self.program.terminate()
        self.program.wait(timeout=PATIENCE)
        self.reader.join()
        self.bus.close()
        self.folder.cleanup()


@pytest.fixture
def pair(request):
    made = Pair(*getattr(request, "param", ()))
    yield made
    made.stop()


@pytest.mark.parametrize("name", ["2015", "2011", "faults"])
def test_sessions_are_what_the_script_makes(name):
    made = subprocess.run([sys.executable, "-B", ROOT / "tests/peers/gbt_session.py", name], stdout=subprocess.PIPE, text=True, check=True)
    assert made.stdout == (ROOT / f"tests/unit/gbt/{name}.log").read_text()


def decode(frames, expect):
    """The gateway's decoder on these frames: what a profile's example may hold, 1000."""
    points = {"soc": "BCS.soc", "edition": "edition", "vin": "BRM.vin", "phase": "phase.name", "code": "stop.code", "by": "stop.by",
              "voltage": "CCS.voltage", "current": "CCS.current", "wanted": "BCL.current", "battery": "BRM.battery",
              "limit": "BCP.voltage_limit", "most": "CML.current_max", "soc_end": "BSD.soc", "error": "error.code"}
    lua = ['return { forecourt = 1, kind = "profile", name = "trial", source = "a test", listen = "gbt27930", points = {']
    lua += [f'  {name} = {{ signal = "{signal}" }},' for name, signal in points.items()]
    lua += ['}, status = { point = "phase", map = { idle = 1 }, default = 2 }, examples = { { frames = {']
    lua += [f'"{i:08X}#{d.hex().upper()}",' for i, d in frames[:1000]]
    lua += ["}, expect = {"]
    lua += [f"  {name} = {value if isinstance(value, (int, float)) else repr(value)}," for name, value in expect.items()]
    lua += ["} } } }"]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "trial.lua"
        path.write_text("\n".join(lua))
        return subprocess.run([BUILD / "forecourt", "profile", "check", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def thin(frames):
    """A charge with fewer of its fast messages, so that it fits into an example: what they say stays."""
    kept, count = [], {}
    for identifier, data in frames:
        count[identifier] = count.get(identifier, 0) + 1
        if identifier not in (0x181056F4, 0x1812F456, 0x101956F4, 0x101AF456) or count[identifier] % 10 == 1:
            kept.append((identifier, data))
    return kept


@pytest.mark.parametrize("edition", [2015, 2011])
@pytest.mark.parametrize("reason, code, by", [("manual", "manual", "person"), ("soc", "soc_reached", "car"), ("relay", "car_relay", "car"),
                                              ("no_energy", "charger_no_energy", "charger"), ("none", "none_car", "car")])
def test_a_charge(edition, reason, code, by):
    pair = Pair("--edition", str(edition), "--vin", "LFCTSIMULATED0001", "--soc", "55", speed=8)
    try:
        assert pair.ask("start") == "no"
        assert pair.ask("stop manual") == "no"
        pair.tell("plug", "start")
        pair.wait_state("charges")
        pair.wait("a state of charge", lambda: pair.seen(0x1CEC56F4, bytes.fromhex("100900")) >= 2)
        pair.tell(f"stop {reason}")
        pair.wait("the end", lambda: pair.seen(0x181DF456) and '"charger":"idle"' in pair.ask("state"))
    finally:
        pair.stop()
    frames = pair.frames
    assert all(len(d) in (LENGTHS[i] if isinstance(LENGTHS[i], tuple) else LENGTHS[i][edition]) for i, d in frames)
    for identifier, data in frames:
        if identifier == 0x1CEC56F4 and data[0] == 0x10:
            want = LONG[int.from_bytes(data[5:8], "little")]
            assert int.from_bytes(data[1:3], "little") == (want[edition] if isinstance(want, dict) else want)
    assert (0x1826F456 in dict(frames)) == (edition == 2015)
    done = decode(thin(frames), {"soc": 55, "edition": edition, "vin": "LFCTSIMULATED0001", "phase": "ended", "code": code, "by": by,
                                 "voltage": 402, "current": 100, "wanted": 100, "battery": "lithium iron phosphate", "limit": 440,
                                 "most": 250, "soc_end": 55})
    assert done.returncode == 0, done.stdout
    # It can fail: another reason, another number.
    assert decode(thin(frames), {"code": "emergency_stop"}).returncode != 0
    assert decode(thin(frames), {"wanted": 101}).returncode != 0


def test_a_silent_car(pair):
    pair.tell("plug", "start")
    pair.wait_state("charges")
    pair.tell("silent bms")
    # No BCL for a second: CEM, byte 3, SPN 3925; then three times from the identification
    pair.wait("CEM for BCL", lambda: pair.seen(0x081FF456, bytes.fromhex("FCF0C4FC")))
    pair.wait("CEM for BRM", lambda: pair.seen(0x081FF456, bytes.fromhex("FDF0C0FC")))
    pair.wait_state("idle")
    assert decode(thin(pair.frames), {"error": "no_brm"}).returncode == 0
    pair.tell("silent none")


def test_a_silent_charger(pair):
    pair.tell("plug", "start")
    pair.wait_state("charges")
    pair.tell("silent charger")
    pair.wait("BEM for CCS", lambda: pair.seen(0x081E56F4, bytes.fromhex("F0F0F1FC")))
    pair.tell("silent none")


def test_no_answers(pair):
    """As candump2 of chargers.md 2.7: three RTS, given up with the reason 255, then BEM F0 F1 F0 FC."""
    pair.tell("no ack", "plug", "start")
    pair.wait("BEM", lambda: pair.seen(0x081E56F4, bytes.fromhex("F0F1F0FC")))
    assert pair.seen(0x1CEC56F4, bytes.fromhex("FFFF")) == 3
    assert pair.seen(0x1CECF456) == 0
    pair.tell("ack")
    pair.wait_state("charges")


def test_hidden_answers_lost_packets_and_others(pair):
    pair.tell("hide on", "foreign", "plug", "start")
    pair.wait_state("charges")
    assert pair.seen(0x1CECF456) == 0
    assert pair.seen(0x0070F4B5) > 0
    pair.tell("abort")
    pair.wait("an abort", lambda: pair.seen(0x1CEC56F4, bytes.fromhex("FF03")))
    before = pair.seen(0x1CEB56F4)
    pair.tell("lose 2")
    pair.wait("packets", lambda: pair.seen(0x1CEB56F4) > before)
    pair.tell("pause")
    pair.wait("the pause", lambda: pair.seen(0x181356F4, bytes.fromhex("0B5102 4E0700C0".replace(" ", ""))))
    pair.tell("pause off", "current 50")
    pair.wait("50 A", lambda: any(i == 0x1812F456 and d[2:4] == (4000 - 500).to_bytes(2, "little") for i, d in list(pair.frames)))
    for line in ("stop nonsense", "edition 2023", "vin SHORT", "soc 101", "nonsense", "silent nobody"):
        assert pair.ask(line) == "no", line


@pytest.mark.parametrize("pair", [("--battery", "0.01", "--soc", "99")], indirect=True)
def test_a_full_battery(pair):
    pair.tell("plug", "start")
    pair.wait("BST for the state of charge", lambda: pair.seen(0x101956F4, bytes.fromhex("010000F0")))
    pair.wait("CST for the car", lambda: pair.seen(0x101AF456, bytes.fromhex("4000F0F0")))
    pair.wait("the end", lambda: pair.seen(0x181DF456) and pair.seen(0x181C56F4, b"\x64"))
