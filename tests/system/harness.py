"""A whole station on this machine, for the demo and the system tests: certificates, configuration, the simulated chargers
and platform, the gateway. Everything listens on loopback; every process started here is ended here."""
import contextlib
import datetime
import fcntl
import glob
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATION_OPERATOR = "MA1234567"
PLATFORM_OPERATOR = "123456789"
# Example secrets, of no use anywhere else: operator secret, data secret, initial vector, signature secret.
OURS = ("station-operator-secret", "station-dat-key0", "station-dat-iv00", "station-sig-key0")
THEIRS = ("platform-operator-secret", "platfrm-dat-key0", "platfrm-dat-iv00", "platfrm-sig-key0")
# A second platform is a world of its own: another operator, other secrets, another prefix.
SECOND = dict(operator_id="987654321", path="/evcs/v20161110",
              ours=("station-second-secret", "station-dat-key2", "station-dat-iv02", "station-sig-key2"),
              theirs=("second-operator-secret", "secnd-p-dat-key2", "secnd-p-dat-iv02", "secnd-p-sig-key2"))


# Blocks of ports below those that the kernel gives out by itself; a test run has one to itself, so that what it found free is not
# taken by another run before it is used.
FIRST_PORT, BLOCK, BLOCKS = 12000, 800, 25
block = {}


def own_block():
    """The first port of the block that this process holds as long as it lives."""
    folder = pathlib.Path(tempfile.gettempdir()) / "forecourt-ports"
    folder.mkdir(exist_ok=True)
    for number in random.sample(range(BLOCKS), BLOCKS):
        lock = open(folder / str(number), "a")  # kept open: the lock ends with the process
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        block.update(lock=lock, first=FIRST_PORT + BLOCK * number, next=0)
        return
    raise RuntimeError(f"{BLOCKS} test runs at a time are enough")


def free_port(count=1):
    """The first of count neighbouring TCP ports that are free now; the next call gives others."""
    if not block:
        own_block()
    for _ in range(BLOCK):
        if block["next"] + count > BLOCK:
            block["next"] = 0
        base = block["first"] + block["next"]
        try:
            with contextlib.ExitStack() as stack:
                for offset in range(count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", base + offset))
        except OSError:
            block["next"] += 1
            continue
        block["next"] += count
        return base
    raise RuntimeError("no free ports")


CHINA_AHEAD_S = 8 * 3600  # of UTC, all year
# So long after midnight a day's last readings are in, and its statistics are told (core/upstream/push.c).
STATISTICS_LATER_S = 300


def today(later=0):
    """China's date now. later: a day is meant that ends so many seconds after midnight."""
    return datetime.datetime.fromtimestamp(time.time() + CHINA_AHEAD_S - later, datetime.timezone.utc).date()


def away_from_midnight(seconds=180, later=0):
    """For a test whose day (today) must not change under it: where it has fewer seconds left, waits until the next one has begun."""
    left = 86400 - (time.time() + CHINA_AHEAD_S - later) % 86400
    if left < seconds:
        time.sleep(left + 1)


# Moves the clock of one process. Not by its command faketime, which gives up where an earlier process of the same number was killed
# and left its semaphore; the library itself goes on.
FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


def openssl(*args, cwd, since=None):
    """since: run as if it were then, as faketime reads it ("-30d")."""
    if since and not FAKETIME:
        raise RuntimeError("libfaketime is not installed")
    under = ["env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME={since}"] if since else []
    subprocess.run([*under, "openssl", *args], cwd=cwd, check=True, capture_output=True)


def make_certificates(folder, days="2", since=None, names="DNS:localhost,IP:127.0.0.1"):
    """A CA and a server certificate for localhost (or names), signed by it: ca.pem, server.pem, server.key, client.pem, client.key.
    since: valid from then on, as faketime reads it ("-30d"); now."""
    folder.mkdir(parents=True, exist_ok=True)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", days, "-subj", "/CN=Forecourt test CA",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign", cwd=folder, since=since)
    for name, common, extensions in (
            ("server", "localhost", f"subjectAltName={names}\nextendedKeyUsage=serverAuth"),
            ("client", "station-client", "extendedKeyUsage=clientAuth")):
        openssl("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={common}", cwd=folder, since=since)
        (folder / f"{name}.ext").write_text(extensions + "\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
                "-extfile", f"{name}.ext", "-out", f"{name}.pem", cwd=folder, since=since)


def section(section_type, name, **options):
    lines = [f"config {section_type}" + (f" '{name}'" if name else "")]
    for key, value in options.items():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            word = "list" if isinstance(value, (list, tuple)) else "option"
            lines.append(f"\t{word} {key} '{item}'")
    return "\n".join(lines) + "\n"


class Process:
    """A child process with its output in files; ended with TERM, then KILL."""

    def __init__(self, command, folder, name, ready=None, timeout=30):
        self.name = name
        self.out_path = folder / f"{name}.out"
        self.err_path = folder / f"{name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.popen = subprocess.Popen([str(c) for c in command], stdout=out, stderr=err, stdin=subprocess.DEVNULL,
                                          start_new_session=True)  # Ctrl-C is for us: the closing figures want them alive
        if ready:
            self.wait_for(ready, timeout)

    def output(self):
        return self.out_path.read_text(errors="replace") + self.err_path.read_text(errors="replace")

    def wait_for(self, pattern, timeout=30):
        """Waits for a line that matches; generous, since machines are shared."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            found = re.search(pattern, self.output())
            if found:
                return found
            if self.popen.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.popen.returncode}:\n{self.output()[-3000:]}")
            time.sleep(0.02)
        raise RuntimeError(f"{self.name}: no {pattern!r} in {timeout} s:\n{self.output()[-3000:]}")

    def running(self):
        return self.popen.poll() is None

    def rss_kb(self):
        status = pathlib.Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def least_rss_kb(self, seconds=8):
        """What stays: what handshakes take (some MB) is given back a second after them, where one follows another for a moment only."""
        end, least = time.monotonic() + seconds, self.rss_kb()
        while time.monotonic() < end:
            time.sleep(0.02)
            least = min(least, self.rss_kb())
        return least

    def stop(self, timeout=20):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        return self.popen.returncode


def control(path, line, timeout=10):
    """One line to a simulator's control socket, its one-line answer back."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(timeout)
        end = time.monotonic() + timeout
        while True:
            try:
                s.connect(str(path))
                break
            except BlockingIOError:  # so many ask at once that the socket's queue is full
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        s.sendall(line.encode() + b"\n")
        data = b""
        while not data.endswith(b"\n"):
            part = s.recv(65536)
            if not part:
                break
            data += part
    return data.decode().strip()


class Station:
    """The parts of one station; start what is wanted, then stop() ends all."""

    def __init__(self, build=None, tcp=2, line_units=(2,), connectors=1, mapping="base", poll_ms=1000, lua=None,
                 certificates=None):
        # Any test with another build: FORECOURT_BUILD=build/host-asan.
        self.build = (ROOT / (build or os.environ.get("FORECOURT_BUILD", "build/host"))).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="forecourt-"))
        self.tcp, self.line_units, self.connectors = tcp, tuple(line_units), connectors
        self.mapping, self.poll_ms = mapping, poll_ms
        # A copy of its own, so that a test (or the reader of the demo) may edit it.
        self.lua = self.folder / "lua"
        shutil.copytree(lua or ROOT / "lua", self.lua)
        self.certs = self.folder / "certs"
        make_certificates(self.certs, **certificates or {})
        self.charger_port = free_port(max(tcp, 1))
        self.listen_port, self.platform_port, self.admin_port = free_port(), free_port(), free_port()
        self.lines = [self.folder / f"line{i}" for i in range(len(self.line_units))]
        self.charger_control = self.folder / "chargers.sock"
        self.platform_control = self.folder / "platform.sock"
        self.platform_log = self.folder / "platform.jsonl"
        self.control_socket = self.folder / "control.sock"
        self.stats_file = self.folder / "stats.json"
        self.config_file = self.folder / "forecourt"
        self.processes = []
        self.gateway = self.chargers = self.platform = None
        self.extra = ""  # more configuration text
        self.platforms = []  # their configuration texts; else one that is platform_text()
        self.platform_options = {}
        self.gateway_options = {}
        self.station_options = {}
        self.log_level = "info"
        self.bus_options = {}
        self.charger_options, self.connector_options = {}, {}  # by the charger's place (connectors: or place and number), beside what all have
        self.gateway_under = []  # a command that runs the gateway, such as env or faketime

    def connector_id(self, charger, number=1):
        return f"1101050001{charger + 1:03d}{number}"

    def charger_count(self):
        return self.tcp + sum(self.line_units)

    def config_text(self):
        text = section("gateway", "gateway", operator_id=STATION_OPERATOR, data_dir=self.folder / "data", lua_dir=self.lua,
                       log_level=self.log_level, control_socket=self.control_socket, **self.gateway_options)
        text += section("admin", "admin", port=self.admin_port, certificate=self.certs / "server.pem",
                        key=self.certs / "server.key", www=self.build / "www")
        text += section("listen", "platforms", address="127.0.0.1", port=self.listen_port,
                        certificate=self.certs / "server.pem", key=self.certs / "server.key")
        text += section("station", "s1", station_id="110105000100001", station_name="示范充电站 Demo station",
                        area_code="110105", address="北京市朝阳区示例路1号", service_tel="4000000000", station_lng="116.480881",
                        station_lat="39.989410", park_nums=self.charger_count() * self.connectors, **self.station_options)
        index = 0
        for i in range(self.tcp):
            text += section("bus", f"tcp{i}", kind="tcp", host="127.0.0.1", port=self.charger_port + i, **self.bus_options)
            text += self.charger_text(index, f"tcp{i}", 1, 60000 if index % 2 else 120000)
            index += 1
        for i, units in enumerate(self.line_units):
            text += section("bus", f"line{i}", kind="rtu", device=self.lines[i], baud=115200, **self.bus_options)
            for unit in range(1, units + 1):
                text += self.charger_text(index, f"line{i}", unit, 7000 if index % 2 else 22000)
                index += 1
        text += "".join(self.platforms) if self.platforms else self.platform_text()
        return text + self.extra

    def charger_text(self, index, bus, unit, power):
        options = dict(station="s1", bus=bus, unit=unit, profile="forecourt-sim", equipment_id=f"1101050001{index + 1:03d}",
                       poll_ms=self.poll_ms, equipment_type=1 if power >= 60000 else 2)
        text = section("charger", f"c{index}", **{**options, **self.charger_options.get(index, {})})
        for number in range(1, self.connectors + 1):
            options = dict(charger=f"c{index}", number=number, connector_id=self.connector_id(index, number), power_w=power,
                           connector_name=f"{index + 1:02d}{'AB'[number - 1] if number < 3 else number}",
                           connector_type=4 if power >= 60000 else 3)
            text += section("connector", f"c{index}n{number}", **{**options, **self.connector_options.get(index, {}),
                                                                     **self.connector_options.get((index, number), {})})
        return text

    def platform_text(self, name="p1", port=None, path="/evcs/v20160701", ours=OURS, theirs=THEIRS, **more):
        options = dict(operator_id=PLATFORM_OPERATOR, url=f"https://localhost:{port or self.platform_port}{path}",
                       listen="platforms", path=path, mapping=self.mapping, ca=self.certs / "ca.pem",
                       our_operator_secret=ours[0], our_data_secret=ours[1], our_data_secret_iv=ours[2], our_sig_secret=ours[3],
                       their_operator_secret=theirs[0], their_data_secret=theirs[1], their_data_secret_iv=theirs[2],
                       their_sig_secret=theirs[3], retry_s=1)
        options.update(self.platform_options)
        options.update(more)
        return section("platform", name, **options)

    def write_policy(self, name, text):
        (self.lua / "policies").mkdir(exist_ok=True)
        (self.lua / "policies" / f"{name}.lua").write_text(text)

    def write_mapping(self, name, text):
        (self.lua / "operators" / f"{name}.lua").write_text(text)

    def write_config(self):
        new = self.folder / "forecourt.new"
        new.write_text(self.config_text())
        os.replace(new, self.config_file)

    def start_chargers(self, *options):
        command = [self.build / "sim-charger", "--connectors", self.connectors, "--control", self.charger_control]
        if self.tcp:
            command += ["--tcp", self.tcp, "--port", self.charger_port]
        if self.lines:
            assert len(set(self.line_units)) == 1, "the simulator has one number of units for all lines"
            command += ["--chargers-per-line", self.line_units[0]]
            for line in self.lines:
                command += ["--line", line]
        self.chargers = self.add(Process(command + list(options), self.folder, "chargers", r"(?m)^ready"))

    def start_platform(self, *options, interval_ms=500):
        self.platform = self.start_sim_platform("platform", self.platform_port, *options, interval_ms=interval_ms)

    def start_sim_platform(self, name, port, *options, operator_id=PLATFORM_OPERATOR, path="/evcs/v20160701", ours=OURS,
                           theirs=THEIRS, interval_ms=500):
        """A simulated platform; its control socket and its log are named after it."""
        return self.add(Process(
            [self.build / "sim-platform", "--listen", port, "--certificate", self.certs / "server.pem",
             "--key", self.certs / "server.key", "--ca", self.certs / "ca.pem",
             "--station-url", f"https://localhost:{self.listen_port}{path}",
             "--operator-id", operator_id, "--station-operator-id", STATION_OPERATOR,
             "--secrets-ours", ":".join(theirs), "--secrets-theirs", ":".join(ours), "--path", path,
             "--log", self.folder / f"{name}.jsonl", "--interval", interval_ms, "--control", self.folder / f"{name}.sock", *options],
            self.folder, name, r"(?m)^ready"))

    def start_gateway(self, wait=True):
        self.write_config()
        self.gateway = self.add(Process(
            [*self.gateway_under, self.build / "forecourtd", "-c", self.config_file, "--stats-file", self.stats_file],
            self.folder, "gateway", r"admin: listens on" if wait else None))
        return self.gateway

    def add(self, process):
        self.processes.append(process)
        return process

    def cli(self, *words, timeout=60, wrap=(), **environment):
        """The command line, in English unless the environment says otherwise: its finished process."""
        env = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_MESSAGES", "LANG")}
        env.update(FORECOURT_SOCKET=str(self.control_socket), **environment)
        return subprocess.run([*wrap, str(self.build / "forecourt"), *map(str, words)], capture_output=True, text=True, env=env,
                              timeout=timeout, check=False, stdin=subprocess.DEVNULL)

    def one_time_password(self):
        """That of the first log-in, from where the daemon leaves it for root."""
        self.gateway.wait_for(r"admin: a one-time password for user \S+ waits")
        return (self.control_socket.parent / "one-time-password").read_text().split()[1]

    def ask_chargers(self, line):
        return control(self.charger_control, line)

    def ask_platform(self, line):
        return control(self.platform_control, line)

    def summary(self):
        return json.loads(self.ask_platform("summary"))

    def stats(self):
        """The gateway's counters, fresh."""
        before = self.stats_file.stat().st_mtime_ns if self.stats_file.exists() else 0
        self.gateway.popen.send_signal(signal.SIGUSR1)
        self.until(lambda: self.stats_file.exists() and self.stats_file.stat().st_mtime_ns != before, 20, "fresh counters")
        return json.loads(self.stats_file.read_text())

    def messages(self, method=None):
        """What the platform logged, oldest first."""
        if not self.platform_log.exists():
            return []
        lines = self.platform_log.read_text().splitlines()
        found = []
        for line in lines:
            with contextlib.suppress(json.JSONDecodeError):
                found.append(json.loads(line))
        return [m for m in found if method is None or m.get("method") == method]

    @staticmethod
    def until(condition, timeout, what):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"waited {timeout} s for {what}")

    def stop(self):
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()
