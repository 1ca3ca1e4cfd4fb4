#!/usr/bin/python3
"""make demo: a simulated station (Modbus TCP and RTU chargers), two simulated platforms, and the gateway between them.

Cars come and go by themselves; the platforms start charges where one waits, stop some, leave the others to the car, and check every
order for themselves. The two differ in mapping and price. The car at the first connector is heard on a CAN bus besides. Runs until
Ctrl-C, or for --seconds N and then ends with 0 only if on each platform a whole charge went through (command, result, states, end, a
right order confirmed) and nothing was lost, doubled or wrong."""
import argparse
import contextlib
import json
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402

DRAIN_S = 15   # so long before the end no charge is begun any more; a third of the time when that is less
STOP_S = 6     # and what still runs so long after that is stopped
SETTLE_S = 30  # orders that are under way at the end get so long

# name, mapping and dialect, policy, what makes it another world
PLATFORMS = (
    ("platform-a", "base", "flat", dict(operator_id=harness.PLATFORM_OPERATOR)),
    ("platform-b", "strict", "four-period", harness.SECOND),
)


class Platform:
    def __init__(self, station, name, mapping, policy, identity):
        self.station, self.name, self.mapping, self.policy, self.identity = station, name, mapping, policy, identity
        self.port = harness.free_port()
        self.section = name.replace("-", "_")
        self.process = None

    def config(self):
        return self.station.platform_text(self.section, port=self.port, mapping=self.mapping, policy=self.policy, iserv=1,
                                          **self.identity)

    def start(self):
        self.process = self.station.start_sim_platform(
            self.name, self.port, "--dialect", self.mapping, "--charges", "4", "--charge-seconds", "6", "--leave-every", "2",
            interval_ms=500, **self.identity)

    def say(self, line):
        return harness.control(self.station.folder / f"{self.name}.sock", line)

    def summary(self):
        return json.loads(self.say("summary"))


class Vehicle:
    """The car at the first charger's first connector, as the CAN bus between the two hears it (GB/T 27930): sim-bms, kept in step with
    the simulated charger. Nothing depends on it: what it misses, the next look puts right."""

    def __init__(self, station):
        self.station, self.socket = station, station.folder / "car.sock"
        self.ours, self.theirs = station.folder / "can-gateway", station.folder / "can-car"
        self.connector = station.connector_id(0)
        station.extra += harness.section("bus", "can0", kind="can", device=f"datagram:{self.ours},{self.theirs}", bitrate=250000)
        station.extra += harness.section("device", "car0", bus="can0", profile="gbt27930")
        station.connector_options[(0, 1)] = dict(bms="car0")

    def start(self):
        self.station.add(harness.Process(
            [self.station.build / "sim-bms", "--bus", f"datagram:{self.theirs},{self.ours}", "--control", self.socket, "--speed", 3,
             "--battery", 1, "--vin", "LDEMOCAR000000001"], self.station.folder, "car", r"(?m)^ready"))

    def arrive(self):
        """The first car of all comes here; when the next one does is chance."""
        self.station.ask_chargers("plug 0 1")

    def follow(self):
        """What the car and its charger do next, from what they do now and what the charger's registers say."""
        with contextlib.suppress(OSError, ValueError):
            at, car = self.station.ask_chargers("state 0 1"), json.loads(harness.control(self.socket, "state"))
            line = None
            if at in ("plugged", "charging") and not car["plugged"]:
                line = "plug 40"
            elif at == "charging" and car["charger"] == "idle":
                line = "start"
            elif at != "charging" and car["charger"] == "charges":
                line = "stop soc"
            elif at == "free" and car["plugged"]:
                line = "unplug"
            if line:
                harness.control(self.socket, line)

    def heard(self, stats):
        """What the gateway made of it, in a sentence."""
        points = next(c for c in stats["connectors"] if c["connector_id"] == self.connector)["points"]
        sessions, frames = int(points.get("sessions", {}).get("value", 0)), self.frames()
        return f"heard on CAN (GB/T 27930): {frames} frames, {sessions} sessions between the car and the charger of {self.connector}"

    def frames(self):
        """Counted by the gateway."""
        said = json.loads(self.station.cli("status", "--json").stdout)
        return next(b["frames"] for b in said["buses"] if b["name"] == "can0")


def print_rows(heads, rows):
    width = max(len(row[0]) for row in rows)
    columns = [max(len(str(row[i])) for row in [("", *heads), *rows]) for i in range(1, len(rows[0]))]
    for row in ([("", *heads)] if any(heads) else []) + rows:
        print("  " + "  ".join([f"{row[0]:<{width}}"] + [f"{value!s:>{w}}" for value, w in zip(row[1:], columns)]))
    print()


def closing_tables(stats, platforms, summaries):
    polls = stats["polls"]
    print()
    print_rows([""], [
        ("polls made", polls["polls"]),
        ("poll errors", polls["timeouts"] + polls["exceptions"] + polls["bad"]),
        ("polls missed", polls["missed"]),
        ("gateway's memory (RSS)", f"{stats['rss_kb'] / 1024:.1f} MB"),
    ])
    inside = {p["name"]: p for p in stats["platforms"]}
    columns = []
    for platform, summary in zip(platforms, summaries):
        did, own = summary["business"], inside[platform.section]
        columns.append([
            f"{platform.mapping}, {platform.policy}",
            did["started"],
            f"{did['refused']} / {did['not_started']}",
            f"{did['by_platform']} / {did['by_car']} / {did['by_other']}",
            did["open"],
            did["states"],
            did["confirmed"],
            did["whole"],
            f"{did['energy_kwh']:.2f} kWh",
            f"{did['money_yuan']:.2f} yuan",
            f"{did['lost']} / {did['doubled']} / {did['wrong']}",
            summary["accepted"],
            f"{summary['answered_ok']} of {summary['asked']}",
            f"{summary['answer_mean_us'] / 1000:.2f} / {summary['answer_p99_us'] / 1000:.2f} ms",
            f"{own['answer_mean_us'] / 1000:.3f} / {own['answer_p99_us'] / 1000:.3f} ms",
        ])
    names = ["mapping, price", "charges started", "starts refused / come to nothing", "ended by the platform / by the car / else",
             "still running", "states of running charges", "orders confirmed", "whole charges, start to confirmed order", "energy",
             "money", "orders lost / doubled / wrong", "pushes accepted", "questions answered",
             "answer time seen by the platform, mean / p99", "answer time inside the gateway, mean / p99"]
    print_rows([p.name for p in platforms], [(name, *(c[i] for c in columns)) for i, name in enumerate(names)])


def platform_problems(name, summary):
    did = summary["business"]
    if not did["whole"]:
        yield f"{name}: no whole charge went through"
    for what in ("lost", "doubled", "wrong"):
        if did[what]:
            yield f"{name}: {did[what]} order(s) {what}"
    for text in did["problems"]:
        yield f"{name}: {text}"
    if not summary["accepted"]:
        yield f"{name}: no push was accepted"
    if not summary["answered_ok"] or summary["answered_ok"] != summary["asked"]:
        yield f"{name}: {summary['asked'] - summary['answered_ok']} question(s) were not answered well"
    if summary["errors"]:
        yield f"{name}: {summary['errors']} error(s) in what it got"


def verdict(stats, platforms, summaries):
    """What must hold for exit 0; the sentences of what does not."""
    problems = [] if stats["polls"]["ok"] else ["no poll was answered"]
    for platform, summary in zip(platforms, summaries):
        problems += platform_problems(platform.name, summary)
    return problems


def introduce(station, platforms, password):
    first = platforms[0]
    print(f"""
Forecourt is running: {station.charger_count()} simulated chargers ({station.tcp} on Modbus TCP, the rest on a serial line) with
{station.connectors} connectors each, and two simulated platforms: {', '.join(f'{p.name} ({p.mapping} mapping, {p.policy} price)' for p in platforms)}.

  admin page   https://localhost:{station.admin_port}/   (its certificate is the demo's own: the browser will ask)
  log-in       admin / {password} (once: the page then asks for a password of your own)
  command line {station.build / 'forecourt'} --socket {station.control_socket} status

  Watch the charges, from the start command to the confirmed order, as a platform sees them:
      tail -f {first.process.out_path}
  Change something: what a charge costs is in a file that you may edit now; the next charge costs what it says
      {station.lua / 'policies' / (first.policy + '.lua')}
  the messages to the platform are shaped by another
      {station.lua / 'operators' / (first.mapping + '.lua')}
  and what the platform gets, word by word, you watch with:
      tail -f {station.folder / (first.name + '.jsonl')}
  The car at {station.connector_id(0)} is heard on a CAN bus, too (GB/T 27930): what it wants, its number (masked), why it stopped
      {station.build / 'forecourt'} --socket {station.control_socket} connectors {station.connector_id(0)}
      {station.build / 'forecourt'} --socket {station.control_socket} bus trace can0 --follow
  The configuration is {station.config_file}, the gateway's log {station.gateway.err_path}
""", flush=True)


def dead_processes(station):
    dead = [p.name for p in station.processes if not p.running()]
    if dead:
        print(f"demo: {', '.join(dead)} ended by itself:\n" + station.gateway.output()[-2000:])
    return dead


def watch(station, end):
    """Until end, or for ever; false when a part of the demo ended by itself."""
    while end is None or time.monotonic() < end:
        time.sleep(0.2)
        station.vehicle.follow()
        if dead_processes(station):
            return False
    return True


def run(station, platforms, seconds):
    """True when all parts lived to the end."""
    begin = time.monotonic()
    if not seconds:
        return watch(station, None)
    if not watch(station, begin + seconds - min(DRAIN_S, seconds / 3)):
        return False
    for platform in platforms:
        platform.say(f"drain {STOP_S}")
    if not watch(station, begin + seconds):
        return False
    end = time.monotonic() + SETTLE_S
    while time.monotonic() < end and any(p.summary()["business"]["open"] for p in platforms):
        if not watch(station, time.monotonic() + 0.2):
            return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--seconds", type=float, help="end after so long")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    with harness.Station(args.build, tcp=4, line_units=(4,), connectors=2) as station:
        platforms = [Platform(station, *p) for p in PLATFORMS]
        station.platforms = [p.config() for p in platforms]
        station.vehicle = Vehicle(station)
        station.start_chargers("--auto", "--remote", "--speed", "60", "--seed", "1")
        for platform in platforms:
            platform.start()
        station.vehicle.start()
        gateway = station.start_gateway()
        password = station.one_time_password()
        station.vehicle.arrive()
        introduce(station, platforms, password)
        interrupted = False
        try:
            if not run(station, platforms, args.seconds):
                return 1
        except KeyboardInterrupt:
            interrupted = True
        stats, summaries = station.stats(), [p.summary() for p in platforms]
        if not interrupted:
            for summary in summaries:  # nobody waits for what has not come by now
                summary["business"]["lost"] = summary["business"]["open"]
        closing_tables(stats, platforms, summaries)
        print(f"  {station.vehicle.heard(stats)}\n")
        problems = verdict(stats, platforms, summaries)
        for problem in problems:
            print(f"demo: {problem}")
        return 0 if interrupted or not problems else 1


sys.exit(main())
