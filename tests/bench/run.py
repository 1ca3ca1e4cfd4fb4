#!/usr/bin/python3
"""make bench: the figures, printed; ratios against what was measured in the same run."""
import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import conftest  # noqa: E402
import gbt  # noqa: E402
import iserv  # noqa: E402
import line9600  # noqa: E402
import polling  # noqa: E402
import reloads  # noqa: E402
import script  # noqa: E402
import viewers  # noqa: E402


def latencies(station, count, poll_ms):
    """Seconds from a change in the simulated charger to its push at the platform, spread over the poll period."""
    found = []
    for i in range(count):
        charger = i % station.tcp
        connector = station.connector_id(charger)
        time.sleep(0.037 * (i % 27))
        want = 2 if station.statuses(connector)[-1] == 1 else 1
        before = time.monotonic()
        station.ask_chargers(f"{'plug' if want == 2 else 'unplug'} {charger} 1")
        station.wait_status(connector, want)
        found.append(time.monotonic() - before)
    return found


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=2, help="of load, on the gateway and on the baseline in each round")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    iserv.show(gbt.rows(args.build))
    answers = iserv.measure(args.build, args.seconds, args.rounds)
    iserv.show(iserv.rows(answers))
    iserv.show(script.rows(args.build, answers["gateway"]["cpu_us"]))
    iserv.show(reloads.rows(args.build, 4 * args.rounds))
    iserv.show(line9600.rows(args.build))
    iserv.show(polling.rows(polling.measure(args.build, args.seconds / 2, 2 * args.rounds - 1)))
    iserv.show(viewers.rows(viewers.measure(args.build, 4 * args.seconds, 2)))
    poll_ms = 1000
    station = conftest.PeerStation(build=args.build, tcp=32, line_units=(16, 16), connectors=1, poll_ms=poll_ms)
    try:
        station.start_chargers()
        station.start_gateway()
        for i in range(64):
            station.wait_status(station.connector_id(i), 1)
        time.sleep(10)
        before = station.stats()
        tcp = [b for b in before["buses"] if b["name"].startswith("tcp")]
        found = sorted(latencies(station, args.changes, poll_ms))
        mean_before = statistics.mean(periods(station, range(1, 32), 20))
        station.ask_chargers("close 0")
        closed = statistics.mean(periods(station, range(1, 32), 20))
        station.ask_chargers("open 0")
        station.ask_chargers("mute 0")
        muted = statistics.mean(periods(station, range(1, 32), 20))
        after = station.stats()
        after_tcp = [b for b in after["buses"] if b["name"].startswith("tcp") and b["name"] != "tcp0"]
        rows = [
            ("connectors (32 TCP, 32 on two serial lines), poll period", f"64, {poll_ms} ms"),
            ("polls due on TCP before any fault, missed", f"{sum(b['due'] for b in tcp)}, {sum(b['missed'] for b in tcp)}"),
            ("polls missed on the other 31 after one charger failed", sum(b["missed"] for b in after_tcp)),
            ("polls missed on the serial lines", sum(b["missed"] for b in after["buses"] if b["name"].startswith("line"))),
            ("status change to platform: median", f"{statistics.median(found) * 1000:.0f} ms"),
            ("status change to platform: worst of " + str(len(found)), f"{found[-1] * 1000:.0f} ms"),
            ("  goal: one period plus 100 ms", f"{'met' if found[-1] * 1000 <= poll_ms + 100 else 'NOT met'} ({poll_ms + 100} ms)"),
            ("mean request spacing of 31 chargers, all well", f"{mean_before:.1f} ms"),
            ("  with one unplugged (ratio)", f"{closed:.1f} ms ({closed / mean_before:.3f})"),
            ("  with one open and silent (ratio)", f"{muted:.1f} ms ({muted / mean_before:.3f})"),
            ("resident memory (goal 12 MB)", f"{after['rss_kb'] / 1024:.1f} MB"),
        ]
        iserv.show(rows)
    finally:
        station.stop()


main()
