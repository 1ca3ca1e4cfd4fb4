"""The gateway killed with SIGKILL at random moments while connectors charge and the platform drops, delays and refuses answers: while it works,
while it starts, while it reloads, while it brings an older store up to date, while it rescues a damaged one.
usage: kills.py [--kills N] [--charges N] [--stations N] [--seed N]     (test_crash.py: FORECOURT_KILLS, FORECOURT_STATIONS, FORECOURT_SEED)
It is killed N times, and on until there were that many charges with energy: on a slow machine more kills go by in a charge.
Prints charges, kills, lost, doubled, wrong; ends with 1 unless the last three are 0."""
import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import random
import signal
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import charges  # noqa: E402
from business import PRICES  # noqa: E402
from conftest import PeerStation  # noqa: E402

CONNECTORS = 16
# Shares of the kills; what is left are kills while it works.
START, RELOAD, MIGRATION, RESCUE = 0.25, 0.10, 0.05, 0.05
# Each start tries what was refused again; six refusals later the next try would be half an hour away (order_retry_s), and this test over.
HASTY = 'return { forecourt = 1, kind = "operator", name = "hasty", timing = { order_retry_s = 1 } }'
MOST = 20  # times as many kills as were asked for, and no more, whatever becomes of the charges
SCHEMA = 17  # whose last step older_store() takes back


def older_store(path):
    """As the gateway of the schema before would have left it, with the pages of those days. Nothing when there is a newer schema."""
    with sqlite3.connect(path) as db:
        if db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
            return False
        db.executescript("DROP INDEX event_order; CREATE INDEX event_seq ON event(seq, id) WHERE seq <> '';"
                         f"PRAGMA user_version = {SCHEMA - 1}; PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM;")
    db.close()
    return True


def damaged_store(path):
    """Garbage where the statistics of energy begin; orders and what waits for platforms are on other pages."""
    with sqlite3.connect(path) as db:
        page = db.execute("PRAGMA page_size").fetchone()[0]
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'energy'").fetchone()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    if root:
        with open(path, "r+b") as file:
            file.seek((root[0] - 1) * page)
            file.write(os.urandom(page))
    return bool(root)


class Killer:
    """One station, and the kills of its gateway."""

    def __init__(self, station, chance):
        self.station, self.chance = station, chance
        self.store = station.folder / "data" / "forecourt.db"
        self.start_s = 0.5  # how long a start takes, about
        self.kinds = collections.Counter()

    def kill(self, kind):
        self.station.gateway.popen.kill()
        self.station.gateway.popen.wait()
        self.kinds[kind] += 1
        self.station.processes.remove(self.station.gateway)

    def start(self):
        begun = time.monotonic()
        self.station.start_gateway(wait=False)
        self.station.gateway.wait_for("admin: listens on", 120)
        self.start_s = 0.8 * self.start_s + 0.2 * (time.monotonic() - begun)

    def kill_the_start(self, kind):
        """Killed somewhere on its way; most often before it listens."""
        self.station.start_gateway(wait=False)
        time.sleep(self.chance.random() * self.start_s * 1.2)
        self.kill(kind)

    def reload(self):
        """Another configuration, or a file of Lua written anew, and a kill in the midst of its being taken over."""
        if self.chance.random() < 0.5:
            self.station.log_level = "debug" if self.station.log_level == "info" else "info"
            self.station.write_config()
            self.station.gateway.popen.send_signal(signal.SIGHUP)
        else:
            self.station.write_policy("test", prices() + f"-- {self.chance.random()}\n")
        time.sleep(self.chance.random() * 0.5)
        self.kill("reload")

    def one(self):
        """A kill, and what it takes to have a gateway again."""
        roll = self.chance.random()
        if roll < RELOAD:
            time.sleep(self.chance.random() * 0.5)
            self.reload()
        else:
            time.sleep(min(self.chance.expovariate(1 / 0.6), 4))
            self.kill("work")
            if roll > 1 - START:
                for _ in range(self.chance.randint(1, 3)):
                    self.kill_the_start("start")
            elif roll > 1 - START - MIGRATION and older_store(self.store):
                self.kill_the_start("migration")
            elif roll > 1 - START - MIGRATION - RESCUE and damaged_store(self.store):
                self.kill_the_start("rescue")
        self.start()


def prices():
    return PRICES.format(name="test", elec=charges.ELEC, service=charges.SERVICE)


def station_of(kills, charged, seed, told, stop):
    """One station until it was killed so often and charged so often, or stop says so; its figures, to told(what) now and then."""
    chance = random.Random(seed)
    station = PeerStation(tcp=CONNECTORS, line_units=(), connectors=1, poll_ms=200)
    try:
        station.mapping = "hasty"
        station.write_mapping("hasty", HASTY)
        station.platform_options.update(iserv=1, policy="test", rate_per_s=1000, retry_s=1)
        station.write_policy("test", prices())
        platform = charges.Platform(station, random.Random(seed + 1))
        station.start_chargers("--speed", "20")
        station.start_gateway()
        for i in range(CONNECTORS):
            station.wait_status(station.connector_id(i), 1, 120)
        drivers = [charges.Driver(station, i, seed + 2 + i) for i in range(CONNECTORS)]
        for driver in drivers:
            driver.start()
        killer, begun, last = Killer(station, chance), time.monotonic(), 0.0
        verdict = charges.Verdict(station, platform)

        def is_enough():
            made = sum(killer.kinds.values())
            return made >= kills and (made >= MOST * kills or sum(map(len, verdict.known().values())) >= charged)

        while not stop() and not is_enough():
            killer.one()
            if time.monotonic() - last > 60:
                last = time.monotonic()
                told(f"{sum(killer.kinds.values())} kills in {last - begun:.0f} s")
        seconds = time.monotonic() - begun
        for driver in drivers:
            driver.over.set()
        stuck = 0
        for driver in drivers:
            driver.join(180)
            stuck += driver.is_alive()
        platform.calm = True
        verdict.wait()
        count, lost, doubled, wrong = verdict.figures()
        return dict(seed=seed, kills=sum(killer.kinds.values()), kinds=dict(killer.kinds), seconds=round(seconds), charges=count,
                    calls=platform.calls, lost=lost, doubled=doubled, wrong=wrong, stuck=stuck, problems=list(station.server.problems),
                    differences=verdict.differences(), log=station.gateway.output()[-4000:])
    finally:
        station.stop()


def one_station(kills, charged, seed, index, path, until):
    end = time.monotonic() + until if until else None
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    figures = station_of(kills, charged, seed + 1000 * index, lambda text: print(f"station {index}: {text}", flush=True),
                         lambda: end and time.monotonic() > end)
    pathlib.Path(path).write_text(json.dumps(figures))


def run(kills, stations, seed, folder, seconds=0, charged=0):
    """All stations, each a process of its own; their figures. A station that ended without any is one that broke."""
    workers = []
    for index in range(stations):
        share, charges_share = (n // stations + (index < n % stations) for n in (kills, charged))
        path = pathlib.Path(folder) / f"station{index}.json"
        worker = multiprocessing.get_context("spawn").Process(target=one_station, args=(share, charges_share, seed, index, str(path), seconds))
        worker.start()
        workers.append((worker, path))
    found = []
    for worker, path in workers:
        worker.join()
        found.append(json.loads(path.read_text()) if path.exists() else dict(broken=worker.exitcode))
    return found


def good(found):
    return all("broken" not in f and not (f["lost"] or f["doubled"] or f["wrong"] or f["stuck"] or f["problems"]) for f in found)


def table(found):
    """One line a station, and the sum."""
    kinds = ("work", "start", "reload", "migration", "rescue")
    head = ("station", "seed", "charges", "kills", *kinds, "order calls", "lost", "doubled", "wrong", "kills/min")
    lines, total = [head], collections.Counter()
    for i, f in enumerate(found):
        if "broken" in f:
            lines.append((i, "broken", f["broken"]))
            continue
        row = dict(charges=f["charges"], kills=f["kills"], **{k: f["kinds"].get(k, 0) for k in kinds}, calls=f["calls"], lost=f["lost"],
                   doubled=f["doubled"], wrong=f["wrong"], rate=f["kills"] * 60 // max(f["seconds"], 1))
        total.update(row)
        lines.append((i, f["seed"], *row.values()))
    lines.append(("all", "", *(total[k] for k in ("charges", "kills", *kinds, "calls", "lost", "doubled", "wrong", "rate"))))
    text = "\n".join(" | ".join(str(cell).rjust(len(str(h))) for cell, h in zip(line, head)) for line in lines)
    bad = [f"station {i}: {f}" for i, f in enumerate(found) if not good([f])]
    return "\n".join([text, *bad])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--charges", type=int, default=0, help="with energy, at least; killed on until there were so many")
    parser.add_argument("--stations", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--seed", type=int, default=random.randrange(10 ** 6))
    parser.add_argument("--seconds", type=int, default=0, help="end after so long, however many kills there were")
    parser.add_argument("--results", default="", help="folder where each station's figures are left")
    options = parser.parse_args()
    folder = pathlib.Path(options.results or f"/tmp/forecourt-kills-{os.getpid()}")
    folder.mkdir(parents=True, exist_ok=True)
    found = run(options.kills, options.stations, options.seed, folder, options.seconds, options.charges)
    print(table(found))
    return 0 if good(found) else 1


if __name__ == "__main__":
    sys.exit(main())
