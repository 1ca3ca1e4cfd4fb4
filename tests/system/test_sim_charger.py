"""The simulated chargers by themselves, asked with raw bytes, pymodbus and mbpoll: what other tests take for granted of them."""
import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import time
import tty

import harness
import pymodbus.client
import pytest

BUILD = harness.ROOT / os.environ.get("FORECOURT_BUILD", "build/host")
LIMIT = 30  # seconds; only a hang reaches it
QUIET = 0.4  # long enough to see an answer that must not come


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def adu(transaction, pdu, unit=1):
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def read_pdu(address, count, function=3):
    return struct.pack(">BHH", function, address, count)


def write_pdu(address, *values):
    return struct.pack(">BHHB", 16, address, len(values), 2 * len(values)) + struct.pack(f">{len(values)}H", *values)


class Chargers(harness.Process):
    """sim-charger with its control socket and, when asked for, one line."""

    def __init__(self, folder, *options, tcp=1, units=0):
        self.control_path, self.line = folder / "control", folder / "line0"
        self.port = harness.free_port(max(tcp, 1))
        command = [BUILD / "sim-charger", "--control", self.control_path]
        command += ["--tcp", tcp, "--port", self.port] if tcp else []
        command += ["--chargers-per-line", units, "--line", self.line] if units else []
        super().__init__(command + list(options), folder, "sim", r"(?m)^ready$")
        self.connections = contextlib.ExitStack()

    def say(self, line):
        return harness.control(self.control_path, line, LIMIT)

    def connect(self, charger=0):
        return self.connections.enter_context(socket.create_connection(("127.0.0.1", self.port + charger), LIMIT))

    def words(self, connection, address, count):
        connection.sendall(adu(7, read_pdu(address, count)))
        answer = take(connection)
        assert answer[:2] == b"\0\7" and answer[7:9] == bytes([3, 2 * count]), answer.hex()
        return struct.unpack(f">{count}H", answer[9:])

    def stop(self, timeout=20):
        self.connections.close()
        return super().stop(timeout)


@pytest.fixture
def chargers(tmp_path):
    made = []

    def make(*options, **more):
        made.append(Chargers(tmp_path, *options, **more))
        return made[-1]

    yield make
    for sim in made:
        assert sim.stop() == 0, sim.output()


def take_exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        assert part, "closed"
        data += part
    return data


def take(connection):
    """One whole ADU."""
    head = take_exactly(connection, 6)
    return head + take_exactly(connection, struct.unpack(">H", head[4:])[0])


def quiet(connection):
    return not select.select([connection], [], [], QUIET)[0]


def long_word(words, at):
    return words[at] << 16 | words[at + 1]


def until(condition, what):
    return harness.Station.until(condition, LIMIT, what)


def test_requests_in_one_segment_and_in_pieces(chargers):
    sim = chargers()
    connection = sim.connect()
    three = b"".join(adu(n, read_pdu(0, 12)) for n in (1, 2, 0xFFFF))
    connection.sendall(three)
    assert [take(connection)[:2] for _ in range(3)] == [b"\0\1", b"\0\2", b"\xff\xff"]
    for byte in three:
        connection.sendall(bytes([byte]))
    assert [take(connection)[:2] for _ in range(3)] == [b"\0\1", b"\0\2", b"\xff\xff"]


@pytest.mark.parametrize("pdu, exception", [
    (read_pdu(0, 1, function=1), 1),
    (b"\x2b\x0e\x01\x00", 1),
    (read_pdu(0, 0), 3),
    (read_pdu(0, 126), 3),
    (read_pdu(0, 125), 2),  # legal in length, but crosses the denied range
    (read_pdu(59, 2), 2),
    (read_pdu(79, 1), 2),
    (read_pdu(100, 1), 2),  # there is one connector only
    (read_pdu(0xFFFF, 2), 2),
    (struct.pack(">BHH", 6, 0, 1), 2),
    (struct.pack(">BHH", 6, 40, 99), 3),
    (struct.pack(">BHH", 6, 40, 2), 3),  # stop: nothing is charging
    (write_pdu(40, 3)[:-1], 3),
    (write_pdu(40, 3) + b"\0", 3),
    (b"\x03\0", 3),
])
def test_refusals(chargers, pdu, exception):
    connection = chargers().connect()
    connection.sendall(adu(1, pdu))
    assert take(connection)[7:] == bytes([pdu[0] | 0x80, exception])


def test_a_refused_write_changes_nothing(chargers):
    """Modbus checks the whole range before the first register is written."""
    sim = chargers()
    connection = sim.connect()
    connection.sendall(adu(1, write_pdu(40, 3, 1)))
    assert take(connection)[7:] == b"\x90\x02"
    assert sim.say("state 0 1") == "free"


def test_not_modbus_is_hung_up_on(chargers):
    connection = chargers().connect()
    connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with contextlib.suppress(ConnectionResetError):
        assert connection.recv(10) == b""


def test_pymodbus_reads_writes_and_sees_both_functions(chargers):
    sim = chargers("--connectors", 2)
    client = pymodbus.client.ModbusTcpClient("127.0.0.1", port=sim.port, timeout=LIMIT)
    sim.connections.callback(client.close)
    assert client.connect()
    serial = client.read_holding_registers(20, 8, slave=1).registers
    assert struct.pack(">8H", *serial) == b"SIM0000-FORECOUR"
    assert client.read_input_registers(20, 8, slave=1).registers == serial
    assert not client.write_register(140, 3, slave=1).isError()
    assert not client.write_registers(140, [1], slave=1).isError()
    assert client.read_holding_registers(100, 1, slave=1).registers == [2]
    assert client.read_holding_registers(0, 1, slave=1).registers == [0]


def test_mbpoll_on_a_line(chargers):
    sim = chargers(tcp=0, units=3)
    assert sim.say("fault 1 1 77") == "ok"
    result = subprocess.run(["mbpoll", "-0", "-1", "-m", "rtu", "-b", "9600", "-P", "none", "-a", "2", "-t", "4", "-r", "0", "-c", "2",
                             str(sim.line)], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "[0]: \t9" in result.stdout and "[1]: \t77" in result.stdout


class Line:
    """The gateway's end of a line, with frames made here."""

    def __init__(self, sim):
        self.fd = os.open(sim.line, os.O_RDWR | os.O_NOCTTY)
        sim.connections.callback(os.close, self.fd)
        tty.setraw(self.fd)

    def fileno(self):
        return self.fd

    def send(self, unit, pdu):
        frame = bytes([unit]) + pdu
        os.write(self.fd, frame + crc16(frame))

    def take(self, count):
        data = b""
        while len(data) < count:
            assert select.select([self.fd], [], [], LIMIT)[0], f"only {data.hex()}"
            data += os.read(self.fd, count - len(data))
        assert crc16(data[:-2]) == data[-2:]
        return data[:-2]


def test_line_answers_only_who_is_asked_and_only_good_frames(chargers):
    sim = chargers(tcp=0, units=2)
    line = Line(sim)
    line.send(2, read_pdu(0, 2))
    assert line.take(9) == bytes([2, 3, 4, 0, 0, 0, 0])
    line.send(3, read_pdu(0, 2))  # no such unit
    assert quiet(line)
    os.write(line.fd, bytes([1]) + read_pdu(0, 2) + b"\0\0")  # bad checksum
    assert quiet(line)
    os.write(line.fd, bytes([1, 3, 0]))  # the start of a frame that never ends
    assert quiet(line)
    line.send(1, read_pdu(0, 2))
    assert line.take(9) == bytes([1, 3, 4, 0, 0, 0, 0])
    line.send(1, read_pdu(0, 1, function=1))
    assert line.take(5) == bytes([1, 0x81, 1])


def test_an_unfinished_frame_is_forgotten_in_the_pause(chargers):
    """Modbus over serial line V1.02, 2.5.1.1: a pause ends a frame, also one that announced many bytes."""
    line = Line(chargers(tcp=0, units=1))
    os.write(line.fd, bytes([1, 16, 0, 40, 0, 100, 200]))
    assert quiet(line)
    line.send(1, read_pdu(0, 1))
    assert line.take(7) == bytes([1, 3, 2, 0, 0])


def sample(sim, connection):
    """Registers 0..11 with the time before and after."""
    before = time.monotonic()
    words = sim.words(connection, 0, 12)
    return before, words, time.monotonic()


def test_direct_current_curve(chargers):
    """Ramp, constant current with rising voltage, taper above 80 %, finished; energy is the power's integral."""
    sim = chargers("--speed", 60)
    connection = sim.connect()
    start = sim.words(connection, 0, 12)
    assert start[0] == 0 and start[2] == start[3] == 0 and long_word(start, 4) == 0
    assert sim.say("plug 0 1") == "ok" and sim.words(connection, 0, 1) == (1,)
    assert sim.say("start 0 1") == "ok"
    seen = []
    while not seen or seen[-1][1][0] == 2:
        seen.append(sample(sim, connection))
        time.sleep(0.02)
    flat = [s for s in seen if 450 <= s[1][10] <= 790 and s[1][0] == 2]
    taper = [s for s in seen if 900 <= s[1][10] <= 990 and s[1][0] == 2]
    assert len(flat) > 5 and taper
    currents = {s[1][3] for s in flat}
    assert max(currents) - min(currents) <= 1, currents
    voltages = [s[1][2] for s in flat]
    assert voltages == sorted(voltages) and voltages[-1] > voltages[0]
    assert max(s[1][3] for s in taper) < min(currents)
    for _, words, _ in flat:
        assert abs(words[2] * words[3] / 100 - long_word(words, 4)) < 50  # V x A against W, by rounding
    # What one may have gained at most and at least between two samples; half a second of slack for a starved process.
    (_, first, first_end), (second_begin, second, second_end) = flat[0], flat[-1]
    gained = (long_word(second, 6) - long_word(first, 6)) * 10
    low, high = long_word(first, 4) / 3600, long_word(second, 4) / 3600
    assert low * (second_begin - first_end - 0.5) - 10 <= gained <= high * (second_end - flat[0][0] + 0.5) + 10
    end = sim.words(connection, 0, 12)
    assert end[0] == 3 and end[10] == 1000 and long_word(end, 4) == 0 and end[2] == end[3] == 0
    assert abs(long_word(end, 6) - long_word(start, 6) - long_word(end, 8)) <= 1
    assert sim.say("unplug 0 1") == "ok" and sim.words(connection, 0, 1) == (0,)


def test_alternating_current_on_lines(chargers):
    sim = chargers("--speed", 60, tcp=0, units=2)
    line = Line(sim)
    for unit, watts, amperes in ((1, 22000, 22000 / 230 / 3), (2, 7000, 7000 / 230)):
        sim.say(f"plug {unit - 1} 1")
        sim.say(f"start {unit - 1} 1")

        def words(unit=unit):
            line.send(unit, read_pdu(0, 12))
            return struct.unpack(">12H", line.take(29)[3:])
        full = until(lambda: (w := words()) and long_word(w, 4) == watts and w, f"{watts} W")
        assert full[2] == 2300 and abs(full[3] / 10 - amperes) < 0.1


def test_states_and_commands(chargers):
    sim = chargers("--connectors", 2)
    assert sim.say("start 0 1") == "error"
    for command, state in (("reserve", "reserved"), ("clear", "free"), ("plug", "plugged"), ("start", "charging"), ("stop", "finished"),
                           ("start", "charging"), ("unplug", "free")):
        assert sim.say(f"{command} 0 2") == "ok"
        assert sim.say("state 0 2") == state and sim.say("state 0 1") == "free"
    assert json.loads(sim.say("list")) == [[0, 1, "free"], [0, 2, "free"]]
    sim.say("plug 0 1")
    sim.say("start 0 1")
    assert sim.say("fault 0 1 513") == "ok"
    assert sim.words(sim.connect(), 0, 2) == (9, 513)
    assert sim.say("clear 0 1") == "ok" and sim.say("state 0 1") == "finished"
    for wrong in ("plug 0 3", "plug 1 1", "plug -1 1", "plug 0 0", "nonsense", "exception 0", "fault 0 1", "late 0", ""):
        assert sim.say(wrong) == "error", wrong


def test_faults_of_the_connection(chargers):
    sim = chargers()
    connection = sim.connect()
    request = adu(0x1234, read_pdu(20, 8))
    connection.sendall(request)
    good = take(connection)

    def under(fault):
        assert sim.say(fault) == "ok"
        connection.sendall(request)

    under("mute 0")
    assert quiet(connection)
    sim.say("unmute 0")
    assert quiet(connection)  # what was asked in the meantime is gone
    begin = time.monotonic()
    under("late 0 300")
    assert take(connection) == good and time.monotonic() - begin >= 0.3
    under("torn 0")
    first = connection.recv(1000)
    assert len(first) < len(good)
    assert first + take_exactly(connection, len(good) - len(first)) == good
    under("exception 0 6")
    assert take(connection)[7:] == b"\x83\x06"
    under("stale 0")
    assert take(connection) == struct.pack(">H", 0x1233) + good[2:] and take(connection) == good
    under("wrongunit 0")
    assert take(connection) == good[:6] + b"\x02" + good[7:]
    under("garbage 0")
    garbage = take_exactly(connection, len(good))
    assert garbage != good and quiet(connection)
    under("normal 0")
    assert take(connection) == good


def test_many_torn_answers_keep_their_order(chargers):
    """Also when another connection with torn answers ends in between."""
    sim = chargers(tcp=12)
    for charger in range(12):
        sim.say(f"torn {charger}")
    connections = [sim.connect(charger) for charger in range(12)]
    request = adu(1, read_pdu(0, 50))
    for connection in connections:
        connection.sendall(request)
    for connection in connections[:6]:
        connection.close()
    answers = [take(c) for c in connections[6:]]
    for charger, answer in enumerate(answers, 6):
        assert answer[:9] == bytes([0, 1, 0, 0, 0, 103, 1, 3, 100])
        assert answer[9 + 40:9 + 56] == b"SIM%04d-FORECOUR" % charger


def test_closed_and_opened_again(chargers):
    sim = chargers(tcp=2)
    connection, other = sim.connect(0), sim.connect(1)
    assert sim.say("close 0") == "ok"
    with contextlib.suppress(ConnectionResetError):
        assert connection.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        sim.connect(0)
    assert sim.words(other, 0, 1) == (0,)
    with socket.socket() as thief:  # the port is somebody else's now: the command fails, the others live
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", sim.port))
        thief.listen()
        assert sim.say("open 0") == "error"
    assert sim.say("open 0") == "ok"
    assert sim.words(sim.connect(0), 0, 1) == (0,)
    assert sim.words(other, 0, 1) == (0,)


def test_a_line_cannot_be_closed(chargers):
    sim = chargers(tcp=1, units=1)
    assert sim.say("close 1") == "error" and sim.say("open 1") == "error"


def test_counts_and_times(chargers):
    sim = chargers(tcp=2)
    one, two = sim.connect(), sim.connect()
    for _ in range(3):
        sim.words(one, 0, 12)
    sim.words(two, 0, 1)
    two.close()
    until(lambda: (sim.words(sim.connect(), 0, 1), True)[1], "a third connection")
    stats = json.loads(sim.say("stats"))
    assert stats["requests"] == 5 and [c["requests"] for c in stats["chargers"]] == [5, 0]
    assert stats["chargers"][0]["connections_max"] in (2, 3) and stats["chargers"][1]["connections_max"] == 0
    assert stats["bytes_in"] == 5 * 12 and stats["bytes_out"] == 3 * (9 + 24) + 2 * (9 + 2)
    times = json.loads(sim.say("times 0"))
    assert len(times) == 5 and times == sorted(times) and abs(times[-1] / 1000 - time.monotonic()) < LIMIT
    for _ in range(300):
        sim.words(one, 0, 1)
    times = json.loads(sim.say("times 0"))
    assert len(times) == 200 and times == sorted(times)
    assert json.loads(sim.say("times 1")) == []


def test_a_silent_control_connection_holds_nothing_up(chargers):
    sim = chargers()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(sim.control_path))
        silent.sendall(b"sta")
        connection = sim.connect()
        sim.words(connection, 0, 12)
        assert sim.say("state 0 1") == "free"
        silent.settimeout(LIMIT)
        silent.sendall(b"te 0 1\nplug 0 1\nstate 0 1\n")  # several lines on one connection, one answer each
        assert take_exactly(silent, len("free\nok\nplugged\n")) == b"free\nok\nplugged\n"


def test_cars_come_and_go_by_themselves(chargers):
    """A whole charge, in the order of its states, on the first charger; switched off, nothing begins any more."""
    sim = chargers("--auto", "--speed", 300, "--seed", 3, tcp=2)
    connection = sim.connect()
    states = [0]
    end = time.monotonic() + 4 * LIMIT
    while states[-5:] != [0, 1, 2, 3, 0]:
        assert time.monotonic() < end, states
        state = sim.words(connection, 0, 1)[0]
        if state != states[-1]:
            states.append(state)
        time.sleep(0.005)
    assert sim.say("auto off") == "ok"
    assert sim.say("auto perhaps") == "error"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly_on_a_signal(chargers, number):
    sim = chargers(units=1)
    assert os.path.islink(sim.line)
    sim.popen.send_signal(number)
    assert sim.popen.wait(LIMIT) == 0
    assert not os.path.lexists(sim.line) and not sim.control_path.exists()


def test_ends_by_command_and_by_time(chargers, tmp_path):
    sim = chargers()
    assert sim.say("quit") == "ok"
    assert sim.popen.wait(LIMIT) == 0
    assert chargers("--seconds", "0.2").popen.wait(LIMIT) == 0
    for wrong in (["--tcp", "x"], ["--tcp", "2", "--port", "65535"], ["--line", pathlib.Path(tmp_path, "l")], ["--connectors", "5", "--tcp", "1"],
                  ["--tcp", "1", "--speed", "0"], ["--tcp", "1", "surplus"]):
        assert subprocess.run([BUILD / "sim-charger", *wrong], capture_output=True, timeout=LIMIT, check=False).returncode == 2, wrong
