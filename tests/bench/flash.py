#!/usr/bin/python3
"""What the gateway writes to its flash: an idle station of 16 connectors, and a day of 200 charges of 45 minutes.

Counted is write_bytes of /proc/PID/io: what the process made the file system send to the device, in whole pages, each time it was
written anew. Not counted is what the file system adds of its own (its journal, the flash's erase blocks). What is moved from the
WAL into the file later is measured by moving it at the end, in this process."""
import argparse
import os
import pathlib
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import conftest  # noqa: E402
import test_disk  # noqa: E402
from test_iserv import new_seq, start, stop, wait_told  # noqa: E402

CONNECTORS, CHARGES, CHARGE_MIN = 16, 200, 45


def written(pid):
    text = pathlib.Path(f"/proc/{pid}/io").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("write_bytes")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--minutes", type=float, default=10.5, help="of each of the two measurements; statistics are written every 5")
    args = parser.parse_args()
    seconds = args.minutes * 60
    station = conftest.PeerStation(build=args.build, tcp=CONNECTORS, line_units=(), poll_ms=1000)
    try:
        test_disk.serve(station)
        station.platform_options.update(rate_per_s=1000)
        station.start_chargers()
        station.start_gateway()
        pid = station.gateway.popen.pid
        for i in range(CONNECTORS):
            station.wait_status(station.connector_id(i), 1)
        time.sleep(20)
        marks = [written(pid)]
        time.sleep(seconds)
        marks.append(written(pid))
        station.client.login()
        seqs = [new_seq() for _ in range(CONNECTORS)]
        for i, seq in enumerate(seqs):
            test_disk.plug(station, i)
            assert start(station, station.connector_id(i), seq).data["SuccStat"] == 0
        for seq in seqs:
            wait_told(station, "notification_start_charge_result", seq)
        marks.append(written(pid))
        time.sleep(seconds)
        marks.append(written(pid))
        station.client.close()
        station.client.login()
        for i, seq in enumerate(seqs):
            stop(station, station.connector_id(i), seq)
            wait_told(station, "notification_charge_order_info", seq)
            station.ask_chargers(f"unplug {i} 1")
        time.sleep(5)
        marks.append(written(pid))
        wal = os.stat(station.folder / "data" / "forecourt.db-wal").st_size
        before = written("self")
        with sqlite3.connect(station.folder / "data" / "forecourt.db") as db:
            db.execute("PRAGMA wal_checkpoint(FULL)")
        moved = written("self") - before
    finally:
        station.stop()
    idle, began, ran, ended = (b - a for a, b in zip(marks, marks[1:]))
    if not began or not moved:
        sys.exit("nothing was counted: the data are on a file system without a device (TMPDIR chooses another)")
    factor = 1 + moved / (marks[-1] - marks[0])
    charge, minute = (began + ended) / CONNECTORS, ran / CONNECTORS / args.minutes
    day = idle * 1440 / args.minutes + factor * CHARGES * (charge + CHARGE_MIN * minute)
    rows = [
        (f"idle, {CONNECTORS} connectors, over {args.minutes:g} min", f"{idle} bytes"),
        ("  a day", f"{idle * 1440 / args.minutes / 1e6:.2f} MB"),
        ("one charge: its begin and its end", f"{charge / 1000:.0f} kB"),
        ("a minute of a charge", f"{minute / 1000:.2f} kB"),
        (f"moved from the WAL ({wal / 1000:.0f} kB) into the file afterwards", f"{moved / 1000:.0f} kB, a factor of {factor:.2f}"),
        (f"a day of {CHARGES} charges of {CHARGE_MIN} min", f"{day / 1e6:.1f} MB"),
        ("  ten years of them", f"{day * 3652 / 1e9:.0f} GB"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")


main()
