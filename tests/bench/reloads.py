#!/usr/bin/python3
"""Twenty scripts saved at once on a working station: how long the loop is kept, what is lost, and how long the loading takes that
the loop would have to wait for if it did it itself."""
import argparse
import os
import pathlib
import re
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import conftest  # noqa: E402
import figures  # noqa: E402
import harness  # noqa: E402
import iserv  # noqa: E402
import peer  # noqa: E402

PROFILES, POLICIES, MAPPINGS = 8, 6, 6
GOAL_US = 20000


class Asker(threading.Thread):
    """A platform that asks all the time; every answer must be a good one."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.ended, self.times, self.bad = client, threading.Event(), [], 0

    def run(self):
        while not self.ended.is_set():
            begin = time.monotonic()
            self.bad += self.client.call("query_station_status", {"StationIDs": ["110105000100001"]}).ret != 0
            self.times.append(time.monotonic() - begin)
            self.ended.wait(0.003)  # within the platform's rate

    def take(self):
        times, self.times = self.times, []
        return times


class ManyScripts(conftest.PeerStation):
    """Eight chargers by eight profiles, six platforms by six mappings and six policies, all of their own files."""

    def __init__(self, build):
        super().__init__(build=build, tcp=PROFILES, line_units=(), connectors=1, poll_ms=200)
        self.scripts = []
        for i in range(PROFILES):
            self.copy("profiles", "forecourt-sim", f"p{i}")
            self.charger_options[i] = {"profile": f"p{i}"}
        for i in range(POLICIES):
            self.copy("policies", "four-period", f"t{i}")
        others = []
        for i in range(MAPPINGS):
            self.copy("operators", "strict", f"m{i}")
            if i:
                others.append(peer.Server(peer.Keys(*harness.THEIRS), self.certs / "server.pem", self.certs / "server.key"))
            more = {} if not i else {"operator_id": f"98765432{i}", "path": f"/p{i}"}
            self.platforms.append(self.platform_text(f"p{i}", others[-1].port if i else self.server.port, mapping=f"m{i}",
                                                     policy=f"t{i}", rate_per_s=1000, **more))
        self.others = others

    def copy(self, folder, source, name):
        """The first platform keeps the standard's form, so that it can be asked."""
        source = "base" if name == "m0" else source
        text = (self.lua / folder / f"{source}.lua").read_text()
        path = self.lua / folder / f"{name}.lua"
        path.write_text(text.replace(f'name = "{source}"', f'name = "{name}"'))
        self.scripts.append((path, path.read_text()))

    def change_all(self, note):
        for path, text in self.scripts:
            new = path.with_suffix(".new")
            new.write_text(f"{text}-- {note}\n")
            os.replace(new, path)

    def in_force(self):
        return len(re.findall(r"new version \w+ in force", self.gateway.output()))

    def stop(self):
        super().stop()
        for server in self.others:
            server.close()


def measure(build, rounds):
    station = ManyScripts(build)
    try:
        station.start_chargers()
        station.start_gateway()
        for i in range(PROFILES):
            station.wait_status(station.connector_id(i), 1)
        station.client.login()
        asker = Asker(station.client)
        asker.start()
        time.sleep(21)  # the start is past what counts as recent
        quiet = asker.take()
        before, loads, pauses = station.stats(), [], []
        changes = 0
        for n in range(rounds):
            want = station.in_force() + len(station.scripts)
            station.change_all(n)
            # What changes meanwhile must be told.
            station.ask_chargers(f"{'plug' if n % 2 == 0 else 'unplug'} {n // 2 % PROFILES} 1")
            changes += 1
            station.until(lambda: station.in_force() >= want, 60, "all in force")
            f = station.stats()["reloads"]
            loads.append(f["load_us"])
            pauses.append(f["pause_us"])
        busy = asker.take()
        expected = {station.connector_id(i): [1] + [2 if k % 2 == 0 else 1 for k in range(rounds) if k // 2 % PROFILES == i]
                    for i in range(PROFILES)}
        station.until(lambda: all(station.statuses(c) == s for c, s in expected.items()) or None, 60, "every status, once")
        asker.ended.set()
        asker.join(30)
        after = station.stats()
        return {"quiet": quiet, "busy": busy, "bad": asker.bad, "loads": loads, "pauses": pauses, "changes": changes,
                "longest_us": after["reloads"]["longest_pause_us"], "recent_us": after["loop"]["recent_us"],
                "longest_loop_us": after["loop"]["longest_us"], "taken": after["reloads"]["taken"],
                "kept": after["reloads"]["kept"], "reloads": after["reloads"]["count"],
                "dropped": after["polls"]["queue_dropped"], "disconnects": after["polls"]["disconnects"] - before["polls"]["disconnects"],
                "missed": after["polls"]["missed"] - before["polls"]["missed"], "rss": after["rss_kb"]}
    finally:
        station.stop()


def goals(f):
    return [figures.figure("reload.pause", f"pause of the loop when {PROFILES + POLICIES + MAPPINGS} scripts are changed at once: worst", f["longest_us"] / 1000,
                           "ms", at_most=GOAL_US / 1000, median_ms=statistics.median(f["pauses"]) / 1000, rounds=len(f["pauses"]),
                           loading_ms=statistics.median(f["loads"]) / 1000, answers_that_failed=f["bad"], results_dropped=f["dropped"])]


def rows(f):
    """The lines of the benchmark table."""

    def ms(seconds):
        return f"{seconds * 1000:.1f} ms"

    def p99(times):
        return sorted(times)[int(len(times) * 0.99)]

    load, pause = statistics.median(f["loads"]), statistics.median(f["pauses"])
    return [
        (f"{PROFILES + POLICIES + MAPPINGS} scripts changed at once, times", f"{len(f['pauses'])} ({f['taken']} versions taken, {f['kept']} refused)"),
        ("loading and checking them beside the loop: median, worst", f"{load / 1000:.1f}, {max(f['loads']) / 1000:.1f} ms"),
        ("pause of the loop by a reload: median, worst", f"{pause / 1000:.2f}, {f['longest_us'] / 1000:.2f} ms"),
        ("  goal: at most 20 ms", "met" if f["longest_us"] <= GOAL_US else "NOT met"),
        ("  ratio to loading on the loop (worst to worst)", f"1 : {max(f['loads']) / max(f['longest_us'], 1):.0f}"),
        ("the loop kept by anything meanwhile", f"{f['recent_us'] / 1000:.2f} ms"),
        ("answers to a platform: p99, worst without reloads", f"{ms(p99(f['quiet']))}, {ms(max(f['quiet']))} ({len(f['quiet'])})"),
        ("  with reloads", f"{ms(p99(f['busy']))}, {ms(max(f['busy']))} ({len(f['busy'])})"),
        ("status changes lost or doubled, answers that failed", f"0 of {f['changes']}, {f['bad']}"),
        ("bus results dropped, connections given up, polls missed", f"{f['dropped']}, {f['disconnects']}, {f['missed']}"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    iserv.show(rows(measure(args.build, args.rounds)))
