#!/usr/bin/python3
"""make bench: the figures, printed as a table and written to build/bench.json (README.md); ratios against what was measured in the same run.

Parts can be named (make bench BENCH="iserv growth"): those alone are measured, and replaced in the file."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE.parent / "peers"))
sys.path.insert(0, str(HERE))
import box  # noqa: E402
import conftest  # noqa: E402
import envelope  # noqa: E402
import figures  # noqa: E402
import gbt  # noqa: E402
import growth  # noqa: E402
import iserv  # noqa: E402
import line9600  # noqa: E402
import polling  # noqa: E402
import pushing  # noqa: E402
import reloads  # noqa: E402
import script  # noqa: E402
import viewers  # noqa: E402

SCHEMA = 1


def periods(station, chargers, seconds):
    """Milliseconds between requests to each charger over the next seconds: by the simulator's own clock, and only what
    was asked after this call."""
    begin = {c: json.loads(station.ask_chargers(f"times {c}"))[-1] for c in chargers}
    time.sleep(seconds)
    found = []
    for c in chargers:
        times = [t for t in json.loads(station.ask_chargers(f"times {c}")) if t >= begin[c]]
        found += [b - a for a, b in zip(times, times[1:])]
    return found


def neighbours(build):
    """One charger that fails is no other one's trouble."""
    station = conftest.PeerStation(build=build, tcp=32, line_units=(16, 16), connectors=1, poll_ms=1000)
    try:
        station.start_chargers()
        station.start_gateway()
        for i in range(64):
            station.wait_status(station.connector_id(i), 1)
        time.sleep(10)
        before = [b for b in station.stats()["buses"] if b["name"].startswith("tcp")]
        mean_before = statistics.mean(periods(station, range(1, 32), 20))
        station.ask_chargers("close 0")
        closed = statistics.mean(periods(station, range(1, 32), 20))
        station.ask_chargers("open 0")
        station.ask_chargers("mute 0")
        muted = statistics.mean(periods(station, range(1, 32), 20))
        after = station.stats()["buses"]
        others = [b for b in after if b["name"].startswith("tcp") and b["name"] != "tcp0"]
        return [
            ("connectors (32 TCP, 32 on two serial lines), poll period", "64, 1000 ms"),
            ("polls due on TCP before any fault, missed", f"{sum(b['due'] for b in before)}, {sum(b['missed'] for b in before)}"),
            ("polls missed on the other 31 after one charger failed", sum(b["missed"] for b in others)),
            ("polls missed on the serial lines", sum(b["missed"] for b in after if b["name"].startswith("line"))),
            ("mean request spacing of 31 chargers, all well", f"{mean_before:.1f} ms"),
            ("  with one unplugged (ratio)", f"{closed:.1f} ms ({closed / mean_before:.3f})"),
            ("  with one open and silent (ratio)", f"{muted:.1f} ms ({muted / mean_before:.3f})"),
        ]
    finally:
        station.stop()


class Run:
    """Each part by its name: rows of the table, and figures with their goals."""

    def __init__(self, args):
        self.args, self.answers = args, None

    def load(self):
        self.answers = self.answers or iserv.measure(self.args.build, self.args.seconds, self.args.rounds)
        return self.answers

    def polling(self):
        found = polling.measure(self.args.build, self.args.seconds / 2, 2 * self.args.rounds - 1)
        return polling.rows(found), polling.goals(found)

    def iserv(self):
        return iserv.rows(self.load()), iserv.goals(self.load())

    def envelope(self):
        return [], envelope.goals(self.args.build, 0.05, 15)

    def pushing(self):
        return [], pushing.goals(self.args.build, self.args.changes)

    def growth(self):
        return [], growth.goals(self.args.build, growth.COUNTS, 30 * self.args.seconds)

    def start(self):
        return [], box.start_figures(pathlib.Path(self.args.build), 64, 10)

    def reloads(self):
        found = reloads.measure(self.args.build, 4 * self.args.rounds)
        return reloads.rows(found), reloads.goals(found)

    def script(self):
        return script.rows(self.args.build, self.load()["gateway"]["cpu_us"]), []

    def gbt(self):
        return gbt.rows(self.args.build), []

    def line9600(self):
        return line9600.rows(self.args.build), []

    def viewers(self):
        return viewers.rows(viewers.measure(self.args.build, 4 * self.args.seconds, 2)), []

    def neighbours(self):
        return neighbours(self.args.build), []

    def flash(self):
        return box.flash_figures(self.args.build, self.args.hours)

    def box(self):
        build = pathlib.Path(self.args.build)
        builds = box.board_builds(build)
        return box.package_rows(builds) + box.installed_rows(build) + box.section_rows(build) + box.arm_rows(build, builds, [8, 64, 256]), []


PARTS = ["polling", "iserv", "envelope", "pushing", "growth", "start", "reloads", "script", "gbt", "line9600", "viewers", "neighbours", "flash", "box"]


def machine():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    policies = {os.SCHED_OTHER: "other", os.SCHED_BATCH: "batch", os.SCHED_IDLE: "idle"}
    return {"processor": model, "cores": os.cpu_count(), "kernel": platform.release(), "policy": policies.get(os.sched_getscheduler(0), "real time"),
            "load": [round(n, 2) for n in os.getloadavg()]}


def keep(path, name, part):
    """The other parts of the file stay as they are."""
    try:
        whole = json.loads(path.read_text())
    except (OSError, ValueError):
        whole = {}
    if whole.get("schema") != SCHEMA:
        whole = {"schema": SCHEMA, "parts": {}}
    whole["parts"][name] = part
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    os.replace(new, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--json", default="build/bench.json")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=2, help="of load, on the gateway and on each baseline in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hours", type=float, default=2, help="of the day, for what is written to flash; 0: not measured")
    args = parser.parse_args()
    version = subprocess.run(["git", "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True, cwd=HERE, check=False).stdout.strip()
    run, goals, failed = Run(args), [], 0
    for name in args.only:
        print(name, flush=True)
        part = {"made": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "version": version, "machine": machine()}
        try:
            rows, found = getattr(run, name)()
        except Exception as error:  # noqa: BLE001 - the other parts are measured all the same
            traceback.print_exc()
            failed += 1
            keep(pathlib.Path(args.json), name, part | {"failed": str(error), "rows": [], "figures": []})
            continue
        if rows:
            iserv.show(rows)
        figures.show(found)
        keep(pathlib.Path(args.json), name, part | {"rows": [[a, str(b)] for a, b in rows], "figures": found})
        goals += [f for f in found if "goal" in f]
    missed = [f for f in goals if not f["met"]]
    print(f"goals met: {len(goals) - len(missed)} of {len(goals)}; parts that failed: {failed}; {args.json}")
    for f in missed:
        print("  NOT met: " + ": ".join(figures.words(f)))
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
