#!/usr/bin/python3
"""Part of a day of a station of 64 connectors, by clocks that run faster (day.c), and what the gateway wrote to its flash in it.

The gateway and its chargers are real, and so is every order: started by the platform, pushed, stopped, told, confirmed. Counted
are the bytes that the gateway gave to files of its data folder, and beside them the 4 KiB blocks that these touched between two
syncs, each once a sync: what a file system of such blocks hands to the device. Not counted is what the file system adds
(its journal, inodes) and what the flash does inside. The store is one that has been used: a month of statistics, orders, events and
curves are in it already (--new: an empty one). The end is counted, too: all of the WAL goes into the file. In a real day that happens
every six or seven hours: --hours 6 is true to it, and two hours say some 3 MB a day too much."""
import argparse
import collections
import contextlib
import mmap
import os
import pathlib
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE.parent / "peers"))
import business  # noqa: E402
import conftest  # noqa: E402

CONNECTORS, ORDERS, CHARGE_MIN = 64, 500, 45
KINDS = ("other", "file", "WAL")
POLICY = """return { forecourt = 1, kind = "policy", name = "test", prices = {
  { start = "00:00", elec = 0.3, service = 0.4 }, { start = "08:00", elec = 0.8, service = 0.4 },
  { start = "11:00", elec = 1.2, service = 0.4 }, { start = "13:00", elec = 0.8, service = 0.4 },
  { start = "17:00", elec = 1.2, service = 0.4 }, { start = "22:00", elec = 0.3, service = 0.4 } } }
"""


def written(pid):
    text = pathlib.Path(f"/proc/{pid}/io").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("write_bytes")))


class Figures:
    """What day.c counts."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.at = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

    def read(self):
        n = struct.unpack_from("=10Q", self.at)
        return {"bytes": n[0:3], "blocks": n[3:6], "syncs": n[6:9]}, n[9]

    def frames(self, first, last):
        return struct.unpack_from(f"={last - first}I", self.at, 80 + 4 * first)


def age(path, days, connectors):
    """What a store holds after so many days: rows like those of a running station, put in by its tables' own names."""
    now, chance = int(time.time()), random.Random(7)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        def columns(table):
            return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]

        today = (now + 8 * 3600) // 86400
        for c in connectors:
            db.executemany("INSERT OR IGNORE INTO energy(connector_id, day, wh) VALUES(?, ?, ?)",
                           [(c, today - d, chance.randrange(10 ** 6)) for d in range(1, days + 1)])
        orders = "wh" in columns("orders")
        for n in range(days * 100 if orders else 0):
            seq = f"{int(business.PLATFORM) - 1:09d}{n:018d}"  # numbers that a platform gives grow
            start = now - days * 86400 + n * 864
            db.execute("INSERT INTO orders(seq, connector_id, platform, mode, closed, start_wall, end_wall, wh, money_e4, reason, record)"
                       " VALUES(?, ?, 'p1', 1, 1, ?, ?, ?, ?, 1, ?)",
                       (seq, chance.choice(connectors), start, start + 2700, 45000, 500000, '{"version":1,"user":"' + "x" * 600 + '"}'))
            db.execute("INSERT INTO outbox(platform, method, seq, attempts, state, answer)"
                       " VALUES('p1', 'notification_charge_order_info', ?, 1, 1, 0)", (seq,))
    # Other tables grow at their end, whatever is in them.


def by_table(path, pages):
    """Pages of the WAL by table, and transactions by the tables that they touched. pages: 0 is the end of a transaction."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        try:
            of = dict(db.execute("SELECT pageno, name FROM dbstat"))
        except sqlite3.OperationalError:
            return collections.Counter(), collections.Counter()
    kinds, now = collections.Counter(), []
    for page in pages:
        if page:
            now.append(of.get(page, "free"))
        elif now:
            kinds[" ".join(f"{n}{'*' + str(k) if k > 1 else ''}" for n, k in sorted(collections.Counter(now).items()))] += 1
            now = []
    return collections.Counter(of.get(p, "free") for p in pages if p), kinds


def drive(station, orders, hours, speed):
    """Orders spread over the time that leaves room for the last to end."""
    chance = random.Random(11)
    begun, running, started = time.monotonic(), [], 0
    length = hours * 3600 / speed
    spread = length - (CHARGE_MIN + 5) * 60 / speed
    free = list(range(CONNECTORS))
    chance.shuffle(free)
    while started < orders or running:
        now = time.monotonic() - begun
        if started < orders and now >= started * spread / orders and free:
            i = free.pop(0)
            seq = business.new_seq()
            business.plug(station, i)
            call(station, lambda: business.start(station, station.connector_id(i), seq))
            business.wait_told(station, "notification_start_charge_result", seq)
            running.append((time.monotonic() + CHARGE_MIN * 60 / speed, i, seq))
            started += 1
        for entry in [e for e in running if e[0] <= time.monotonic()]:
            running.remove(entry)
            _, i, seq = entry
            call(station, lambda: business.stop(station, station.connector_id(i), seq), must=False)  # a full car has ended it
            business.wait_told(station, "notification_charge_order_info", seq)
            station.ask_chargers(f"unplug {i} 1")
            free.append(i)
        time.sleep(0.02)
    time.sleep(max(0.0, begun + length - time.monotonic()))
    return (time.monotonic() - begun) * speed / 3600


def call(station, ask, must=True):
    """The token and the idle connection end by the gateway's clock."""
    station.client.close()
    answer = ask()
    if answer.ret != 0:
        station.client.login()
        answer = ask()
    assert not must or answer.data["SuccStat"] == 0, answer.data
    return answer


def measure(build="build/host", hours=2.0, speed=30, orders_a_day=ORDERS, aged=30, charge=None):
    station = conftest.PeerStation(build=build, tcp=CONNECTORS, line_units=(), poll_ms=10000)
    station.bus_options.update(reconnect_ms=1000)
    orders = round(orders_a_day * hours / 24)
    try:
        library = station.folder / "day.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library, HERE / "day.c"], check=True)
        station.platform_options.update(iserv=1, policy="test", rate_per_s=1000)
        station.write_policy("test", POLICY)
        business.confirm_all(station.server)
        station.start_chargers()
        if aged:
            station.start_gateway()
            station.gateway.stop()
            age(station.folder / "data" / "forecourt.db", aged, [station.connector_id(i) for i in range(CONNECTORS)])
        figures_file = station.folder / "figures"
        station.gateway_under = ["env", f"LD_PRELOAD={library}", f"DAY_FIGURES={figures_file}", f"DAY_SPEED={speed}",
                                 f"DAY_FOLDER={station.folder / 'data'}"]
        station.start_gateway()
        station.client.login()
        for i in range(CONNECTORS):
            station.wait_status(station.connector_id(i), 1)
        figures = Figures(figures_file)
        time.sleep(2 * 60 / speed + 3)
        before, first = figures.read()
        io = written(station.gateway.popen.pid)
        took = drive(station, orders, hours, speed)
        io = written(station.gateway.popen.pid) - io
        busy, last = figures.read()
        station.gateway.stop(60)
        after, _ = figures.read()
        pages = figures.frames(first, last)
        tables = by_table(station.folder / "data" / "forecourt.db", pages)
        keep = os.environ.get("DAY_KEEP")
        if keep:
            shutil.copytree(station.folder / "data", keep, dirs_exist_ok=True)
            with open(pathlib.Path(keep) / "frames", "w", encoding="ascii") as file:
                file.write(" ".join(map(str, pages)))
    finally:
        station.stop()
    part = {k: [b - a for a, b in zip(before[k], after[k])] for k in after}
    return {"hours": took, "orders": orders, "part": part, "io": io, "commits": busy["syncs"][2] - before["syncs"][2],
            "tables": tables, "speed": speed}


def rows(m):
    day = 24 / m["hours"]
    part = m["part"]
    found = [(f"{m['hours']:.1f} hours {m['speed']} times as fast, {CONNECTORS} connectors, orders of {CHARGE_MIN} min", m["orders"]),
             ("  transactions, a day", f"{m['commits'] * day:.0f}")]
    for i, kind in enumerate(KINDS):
        found.append((f"  {kind}: bytes written, a day; in whole 4 KiB blocks",
                      f"{part['bytes'][i] * day / 1e6:.1f} MB; {part['blocks'][i] * 4096 * day / 1e6:.1f} MB"))
    found += [("flash written a day: bytes given to the file system", f"{sum(part['bytes']) * day / 1e6:.1f} MB"),
              ("flash written a day: in whole 4 KiB blocks", f"{sum(part['blocks']) * 4096 * day / 1e6:.1f} MB"),
              ("  by the kernel's own count (write_bytes, without the end)", f"{m['io'] * day / 1e6:.1f} MB")]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--speed", type=int, default=30)
    parser.add_argument("--new", action="store_true", help="an empty store")
    parser.add_argument("--tables", action="store_true", help="pages of the WAL by table")
    args = parser.parse_args()
    m = measure(args.build, args.hours, args.speed, aged=0 if args.new else 30)
    for name, value in rows(m):
        print(f"  {name:<80}  {value}")
    if args.tables:
        for name, n in m["tables"][0].most_common():
            print(f"    {name:<40} {n} pages")
        for name, n in m["tables"][1].most_common(25):
            print(f"    {n:5} transaction(s): {name}")


if __name__ == "__main__":
    main()
