#!/usr/bin/python3
"""How long after the poll that saw it a change of a connector's status is with its platform: from the simulator's own record of when it was
asked first after the change to the platform's own record of when the push had come, both by the same clock."""
import argparse
import pathlib
import json
import statistics
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE.parent / "peers"))
import conftest  # noqa: E402
import figures  # noqa: E402

CHARGERS, POLL_MS, GOAL_MS = 64, 1000, 20
METHOD = "notification_stationStatus"


def measure(build, changes):
    """Milliseconds beyond the poll, and of the whole way, change by change."""
    beyond, whole, came = [], [], []
    station = conftest.PeerStation(build=build, tcp=CHARGERS, line_units=(), connectors=1, poll_ms=POLL_MS)
    try:
        station.log_level = "notice"
        station.server.observe = lambda path, headers, body: came.append(time.monotonic()) if path.endswith(METHOD) else None
        station.start_chargers()
        station.start_gateway()
        for i in range(CHARGERS):
            station.wait_status(station.connector_id(i), 1)
        time.sleep(10)
        for n in range(changes):
            charger = n % CHARGERS
            connector = station.connector_id(charger)
            time.sleep(0.037 * (n % 27))  # at any time within the poll period
            want = 2 if station.statuses(connector)[-1] == 1 else 1
            del came[:]
            station.ask_chargers(f"{'plug' if want == 2 else 'unplug'} {charger} 1")
            changed = time.monotonic()  # the simulator has answered: a poll from here on sees it
            station.wait_status(connector, want)
            asked = min(t for t in json.loads(station.ask_chargers(f"times {charger}")) if t / 1000 >= changed - 0.001) / 1000
            beyond.append((came[0] - asked) * 1000)
            whole.append((came[0] - changed) * 1000)
    finally:
        station.stop()
    return beyond, whole


def goals(build, changes):
    beyond, whole = measure(build, changes)
    return [figures.figure("push.beyond_poll", f"status change to push received, beyond the poll: 95th percentile of {len(beyond)}",
                           sorted(beyond)[(len(beyond) * 95 + 99) // 100 - 1], "ms", below=GOAL_MS, median_ms=round(statistics.median(beyond), 2),
                           worst_ms=round(max(beyond), 2), poll_ms=POLL_MS, whole_way_median_ms=round(statistics.median(whole), 1),
                           whole_way_worst_ms=round(max(whole), 1))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--changes", type=int, default=60)
    args = parser.parse_args()
    figures.show(goals(args.build, args.changes))
