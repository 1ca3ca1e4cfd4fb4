#!/usr/bin/python3
"""Days of a whole station by a clock that goes as fast as it keeps up: what grows, what drifts, what does not add up (README.md)."""
import argparse
import collections
import contextlib
import datetime
import decimal
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import clock  # noqa: E402
import ledger  # noqa: E402
import report  # noqa: E402
import world  # noqa: E402
from test_acts import call as ask_gateway  # noqa: E402  (world has put tests/system on the path)

DAY = 86400
ROOT = pathlib.Path(__file__).resolve().parents[2]


def process_figures(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    status = {line.split(":")[0]: line.split()[1] for line in text.splitlines() if len(line.split()) > 1}
    rollup = pathlib.Path(f"/proc/{pid}/smaps").read_text()
    heap = sum(int(part.split()[0]) for block in rollup.split("[heap]")[1:] for part in [block.split("Rss:")[1]])
    times = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return {"rss_kb": int(status["VmRSS"]), "heap_kb": heap, "anon_kb": int(status["RssAnon"]), "threads": int(status["Threads"]),
            "fds": len(os.listdir(f"/proc/{pid}/fd")), "cpu_s": (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")}


class Soak:
    def __init__(self, options):
        self.options = options
        begins = datetime.datetime.fromisoformat(options.begin).replace(tzinfo=clock.SHANGHAI)
        self.world = world.World(options, lambda folder: clock.Clock(folder, begins, options.most, options.window, options.answer))
        self.clock, self.station = self.world.clock, self.world.station
        self.folder = pathlib.Path(options.out)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.samples_file = open(self.folder / "samples.jsonl", "w", encoding="utf-8")
        self.samples, self.lives, self.days, self.midnights = [], 0, [], []
        self.chance = random.Random(options.seed + 1)
        self.begun, self.gone = time.monotonic(), collections.Counter()
        self.phases, self.interrupted, self.shown, self.eve = {}, False, 0, set()

    # Samples ----------------------------------------------------------------------------------------------------------------

    def store(self):
        """A copy of the gateway's database as it is now: the gateway is stopped for the moment, and its clock with it."""
        data, copy = self.station.folder / "data", self.station.folder / "copy"
        pid = self.station.gateway.popen.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            copy.mkdir(exist_ok=True)
            for file in ("forecourt.db", "forecourt.db-wal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copy(data / file, copy / file)
        finally:
            os.kill(pid, signal.SIGCONT)
        return sqlite3.connect(copy / "forecourt.db")

    def rows(self):
        with contextlib.closing(self.store()) as db:
            tables = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}

    def phase(self, i):
        """Where in its period a charger is read, by the charger's own clock: milliseconds after the grid of its first poll."""
        times = json.loads(self.world.chargers(f"times {i}"))[-50:]
        period = self.options.poll * 1000
        first = self.phases.setdefault((self.lives, i), times[0])
        return statistics.median((t - first + period / 2) % period - period / 2 for t in times)

    def sample(self, with_rows):
        w, pid = self.world, self.station.gateway.popen.pid
        w.check_told()
        stats = w.stats()
        buses = stats["buses"]
        late = self.clock.lateness(pid)
        found = {"day": self.clock.now() / DAY, "real_s": time.monotonic() - self.begun, "life": self.lives, **process_figures(pid),
                 "files": {f.name: f.stat().st_size for f in (self.station.folder / "data").iterdir() if f.is_file()},
                 "polls": sum(b["polls"] for b in buses), "missed": sum(b["missed"] for b in buses),
                 "late_polls": sum(b["late"] for b in buses), "poll_late_max_ms": max(b["late_max_us"] for b in buses) / 1000,
                 "timeouts": sum(b["timeouts"] for b in buses), "loop_longest_ms": stats["loop"]["longest_us"] / 1000,
                 "to_send": stats["store"]["orders_to_send"], "platform_waiting": stats["platforms"][0]["waiting"],
                 "overslept_max_ms": late["max_ms"], "overslept": late["late"], "orders": w.counts["orders"],
                 "phase_ms": [self.phase(i) for i in range(0, self.options.connectors, max(1, self.options.connectors // 4))],
                 "faults": len(w.faults),
                 "chargers_cpu_s": process_figures(w.station.chargers.popen.pid)["cpu_s"], "own_cpu_s": time.process_time()}
        if with_rows:
            found["rows"] = self.rows()
        self.samples.append(found)
        self.samples_file.write(json.dumps(found) + "\n")
        self.samples_file.flush()
        if self.options.verbose:
            print(f"day {found['day']:6.2f} ({found['real_s']:6.0f} s)  RSS {found['rss_kb']} kB, fds {found['fds']}, "
                  f"WAL {found['files'].get('forecourt.db-wal', 0) >> 10} kB, file {found['files'].get('forecourt.db', 0) >> 10} kB, "
                  f"orders {found['orders']}, faults {found['faults']}, {self.speed()}", flush=True)
            for fault in w.faults[self.shown:]:
                print(f"  FAULT {fault}", flush=True)
            self.shown = len(w.faults)

    def speed(self):
        """Times real time, and what 30 days take at that."""
        last = self.samples[-1]
        times = last["day"] * DAY / last["real_s"]
        return f"{times:.0f} times real time (30 days: {30 * 24 / times:.1f} h)"

    def restart(self, kill):
        self.sample(False)
        self.gone["polls"] += self.samples[-1]["polls"]
        self.world.restart(kill)
        self.lives += 1

    # Days -------------------------------------------------------------------------------------------------------------------

    def charging(self):
        w = self.world
        return {w.station.connector_id(i) for i in range(self.options.connectors) if w.chargers(f"state {i} 1") == "charging"}

    def before_midnight(self):
        """Who charges at the last reading of the day may have ended by midnight."""
        self.eve = self.charging()

    def midnight(self):
        """The chargers' registers as the day changes, who charges then or did since the last reading, and what the gateway says of the day
        before. Until the gateway has read a charger once more, what it counts since its last reading is of the new day: at most a period's worth."""
        w = self.world
        now = w.delivered()
        charging = self.charging() | self.eve
        day = (self.clock.wall() - datetime.timedelta(hours=1)).date()
        self.midnights.append((day, now, charging))
        w.after(600, self.check_day, len(self.midnights) - 1)

    def check_day(self, n):
        w = self.world
        day, now, charging = self.midnights[n]
        before, charged = (self.midnights[n - 1][1], self.midnights[n - 1][2]) if n else ([0] * self.options.connectors, set())
        found, total = w.stats_of(day)
        exact, by_poll, faults, most = 0, 0, [], 0
        for i in range(self.options.connectors):
            connector = w.station.connector_id(i)
            true = decimal.Decimal(now[i] - before[i]) / 100
            said = decimal.Decimal(str(found.get(connector, -1)))
            if said == ledger.half_up(true, ledger.TENTH):
                exact += 1
                continue
            # At midnight: the last poll's worth, at the charger's full power, and the register's and the wire's steps.
            power = 120 if i % 2 == 0 else 60
            room = (decimal.Decimal(power) * (self.options.poll + 5) / 3600) * ((connector in charging) + (connector in charged))
            if room and abs(said - true) <= room + decimal.Decimal("0.06"):
                by_poll += 1
                most = max(most, abs(said - true))
            else:
                faults.append(f"{day}: {connector}: {said} kWh said, {true} delivered")
        if found and sum(decimal.Decimal(str(v)) for v in found.values()) != decimal.Decimal(str(total)):
            faults.append(f"{day}: the connectors do not sum to the station's {total}")
        self.days.append({"day": str(day), "exact": exact, "charging_at_midnight": by_poll, "most_kwh": float(most), "faults": faults})
        w.faults += faults

    def check_today(self, tries=0):
        """The page's figures of today against the orders that the platform was told, at a moment when none is on its way."""
        w = self.world
        overview = ask_gateway(self.station, "overview")["result"]
        totals, running = overview["totals"], [c for c in overview["connectors"].values() if c.get("session") == "charging" and c["energy_wh"]]
        date = f"{self.clock.wall():%Y-%m-%d}"
        with w.lock:
            ended = [payloads[0] for payloads in w.told.values() if payloads[0]["EndTime"][:10] == date]
        ended = [p for p in ended if p["TotalPower"] or p["TotalMoney"]]
        true = (len(ended), sum(int(decimal.Decimal(str(p["TotalMoney"])) * 10000) for p in ended))
        # What runs counts on the page, and is not told yet.
        said = (totals["today_orders"] - len(running), totals["today_money_e4"] - sum(c["money_e4"] for c in running))
        if said == true:
            w.counts["page's day exact"] += 1
        elif tries < 30:
            w.after(60, self.check_today, tries + 1)
        else:
            w.faults.append(f"{date}: the page says {said} orders and money, the platform was told {true}")

    def plan(self):
        """What happens on each day."""
        o, w = self.options, self.world
        first = (self.clock.begins + datetime.timedelta(days=1)).replace(hour=0, minute=0, second=0)
        for day in range(int(o.days) + 1):
            midnight = (first - self.clock.begins).total_seconds() + day * DAY
            if midnight < o.days * DAY:
                w.at(midnight - o.poll - 5, self.before_midnight)
                w.at(midnight, self.midnight)
            base = midnight - DAY
            plans = [(base + self.chance.uniform(7, 20) * 3600, w.outage, (self.chance.uniform(600, 5400),)),
                     (base + self.chance.uniform(1, 23) * 3600, w.reload, ()),
                     (base + 22.2 * 3600, self.check_today, ())]
            if o.restart_days and day % o.restart_days == o.restart_days - 1:
                plans.append((base + self.chance.uniform(1, 23) * 3600, self.restart, (day // o.restart_days % 2 == 1,)))
            for at, act, args in plans:
                if self.clock.now() + 1800 < at < o.days * DAY:
                    w.at(at, act, *args)
        step = o.sample_h * 3600
        for n in range(1, int(o.days * DAY // step) + 1):
            w.at(n * step, self.sample, n * o.sample_h % 24 < o.sample_h)

    def run(self):
        w, o = self.world, self.options
        w.begin()
        self.plan()
        signal.signal(signal.SIGINT, self.interrupt)
        signal.signal(signal.SIGTERM, self.interrupt)
        hour = 0
        while hour < o.days * 24 and not self.interrupted:
            hour += 1
            w.run_until(min(hour * 3600, o.days * DAY))
        self.end()

    def interrupt(self, *unused):
        self.interrupted = True

    def end(self):
        """All cars leave, all orders are told; then the gateway's own files are read."""
        w = self.world
        w.closing = True
        w.away.clear()
        limit = self.clock.now() + 4 * 3600
        while self.clock.now() < limit and (w.running or any(s not in w.told and s not in w.not_started for s in w.orders)):
            w.run_until(self.clock.now() + 60)
        w.run_until(self.clock.now() + 600)
        self.sample(True)
        self.check_today()
        self.total = w.delivered()
        exported = [json.loads(line) for line in w.station.cli("orders", "export", "--json", timeout=world.PATIENCE_S).stdout.splitlines()]
        w.station.gateway.stop(world.PATIENCE_S)
        with contextlib.closing(sqlite3.connect(w.station.folder / "data" / "forecourt.db")) as db:
            self.check_store(db)
        self.check_orders(exported)
        self.check_reconciliation()

    def check_store(self, db):
        w = self.world
        energy = dict(db.execute("SELECT connector_id, sum(wh) FROM energy GROUP BY connector_id"))
        for i, true in enumerate(self.total):
            said = energy.get(w.station.connector_id(i), 0)
            if said != true * 10:
                w.faults.append(f"{w.station.connector_id(i)}: {said} Wh counted in all, the register advanced {true * 10}")
        self.energy = sum(energy.values())
        self.kept = db.execute("SELECT count(*) FROM orders").fetchone()[0]
        waiting = db.execute("SELECT count(*) FROM outbox WHERE state = 0").fetchone()[0]
        if waiting:
            w.faults.append(f"{waiting} orders wait for the platform at the end")
        try:
            self.bytes = dict(db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        except sqlite3.OperationalError:
            self.bytes = {}  # a Python whose SQLite has no dbstat
        self.integrity = db.execute("PRAGMA integrity_check").fetchone()[0]

    def check_orders(self, exported):
        w = self.world
        missing = [seq for seq in w.orders if seq not in w.told and seq not in w.not_started]
        w.counts["starts without a charge"] = len(w.not_started)
        w.faults += [f"order {seq}: never told" for seq in missing]
        by_seq = {row["seq"]: row for row in exported}
        self.money = self.order_energy = decimal.Decimal(0)
        for seq, order in w.orders.items():
            payload = order.get("payload")
            if not payload:
                continue
            self.money += decimal.Decimal(str(payload["TotalMoney"]))
            self.order_energy += decimal.Decimal(str(payload["TotalPower"]))
            row, age = by_seq.get(seq), self.clock.wall().replace(tzinfo=None) - ledger.moment(payload["EndTime"])
            over = self.options.orders_days and age > datetime.timedelta(days=self.options.orders_days)
            if not row and over:
                w.counts["orders whose time was over"] += 1
                continue
            # Once a day, not within an hour of a start, and only what was compared.
            if over and age > datetime.timedelta(days=self.options.orders_days + 2):
                w.counts["orders kept longer"] += 1
            if not row:
                w.faults.append(f"order {seq}: not in the gateway's export")
                continue
            told = (decimal.Decimal(str(payload["TotalPower"])) * 1000, decimal.Decimal(str(payload["TotalMoney"])) * 10000)
            if (row["energy_wh"], row["money_e4"]) != told:
                w.faults.append(f"order {seq}: exported {row['energy_wh']} Wh, {row['money_e4']} e-4 yuan; told {told}")
        sessions = sum(order["session"][1] - order["session"][0] for order in w.orders.values() if "session" in order)
        if sum(self.total) != sessions:
            w.faults.append(f"the registers advanced {sum(self.total)}, the orders have {sessions}")

    def check_reconciliation(self):
        w = self.world
        days = collections.defaultdict(list)
        for order in w.orders.values():
            if "payload" in order:
                days[order["payload"]["EndTime"][:10]].append(order["payload"])
        for request in w.compared:
            true = days.get(request["StartTime"][:10], [])
            said = (request["OrderCount"], decimal.Decimal(str(request["TotalOrderPower"])), decimal.Decimal(str(request["TotalOrderMoney"])))
            is_right = said == (len(true), sum(decimal.Decimal(str(p["TotalPower"])) for p in true),
                                sum(decimal.Decimal(str(p["TotalMoney"])) for p in true))
            w.counts["days reconciled exactly" if is_right else "days reconciled otherwise"] += 1
            if not is_right:
                w.faults.append(f"reconciliation of {request['StartTime'][:10]}: {said}, the platform has {len(true)} orders")


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--begin", default="2027-01-30T10:00:00", help="the station's time at the begin; a month ends soon after")
    parser.add_argument("--connectors", type=int, default=64)
    parser.add_argument("--orders", type=int, default=500, help="a day")
    parser.add_argument("--poll", type=int, default=10, help="seconds between two readings of a charger")
    parser.add_argument("--state-s", type=int, default=50, help="seconds between two states of a running charge (50 is the standard's)")
    parser.add_argument("--history-days", type=int, default=7)
    parser.add_argument("--orders-days", type=int, default=10, help="orders that are confirmed and compared go after so many")
    parser.add_argument("--restart-days", type=int, default=10, help="days between two restarts, every second of them a kill; 0: none")
    parser.add_argument("--sample-h", type=int, default=3)
    parser.add_argument("--most", type=int, default=2000, help="times real time, at most")
    parser.add_argument("--window", type=float, default=1.0, help="seconds of the run by which anybody may be late")
    parser.add_argument("--answer", type=float, default=0.05, help="seconds of the run that may pass while an answer is worked on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default=str(ROOT / "build" / "soak"))
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def main():
    soak = Soak(options())
    try:
        soak.run()
        return report.write(soak)
    except BaseException:
        print("\n".join(soak.world.faults[-20:]))
        if soak.station.gateway:
            print(soak.station.gateway.output()[-2000:])
        raise
    finally:
        soak.world.stop_all()


if __name__ == "__main__":
    sys.exit(main())
