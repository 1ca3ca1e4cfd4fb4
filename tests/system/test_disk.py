"""The disk full, read-only, damaged, taken away, below a running gateway: what can be kept is kept, charges that run go on, the
operator is told; afterwards every charge has one order, confirmed once, with the energy of the charger's own register."""
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import time

import pytest
from test_acts import wait_alarm, wait_over
from test_iserv import PRICES, cents, check_order, new_seq, plug, start, stop, told, wait_told

PAGE = 512  # of the database


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")


class Disk:
    """A file system of its own for data_dir. What can't be mounted here skips the test."""

    def __init__(self, station, kind):
        self.folder, self.image = station.folder / "data", station.folder / "disk.img"
        self.ballast = self.folder / "ballast"
        self.folder.mkdir()
        self.kind, self.mounted = kind, False
        try:
            if kind == "ext4":
                with open(self.image, "wb") as image:
                    image.truncate(16 << 20)
                run("mkfs.ext4", "-q", self.image)
            self.mount()
        except OSError as error:
            pytest.skip(f"nothing can be mounted here: {error}")

    def mount(self):
        if self.kind == "ext4":
            run("mount", "-o", "loop", self.image, self.folder)
        else:
            run("mount", "-t", "tmpfs", "-o", "size=4m", "none", self.folder)
        self.mounted = True

    def fill(self):
        """To the last byte: what a file left of a block may still be written."""
        with open(self.ballast, "ab", buffering=0) as ballast, contextlib.suppress(OSError):
            while ballast.write(bytes(4096)):
                pass
        free = os.statvfs(self.folder)
        assert free.f_bavail == 0, free

    def free(self):
        self.ballast.unlink()

    def fail(self):
        """As a file system does on an error of its medium: from now on it is read-only."""
        try:
            run("mount", "-o", "remount,abort", self.folder)
        except OSError as error:
            pytest.skip(f"ext4 can't be made to fail here: {error}")

    def unmount(self):
        if self.mounted:
            run("umount", self.folder)
            self.mounted = False


def serve(station):
    """A platform that may start charges and confirms every order."""
    station.platform_options.update(iserv=1, policy="test")
    station.write_policy("test", PRICES.format(name="test", elec="1.2345", service="0.4"))
    for method in ("notification_start_charge_result", "notification_stop_charge_result", "notification_equip_charge_status"):
        station.server.answers[method] = lambda p: (0, {"StartChargeSeq": p["StartChargeSeq"], "SuccStat": 0, "FailReason": 0})
    confirm(station)


def confirm(station, yes=True):
    station.server.answers["notification_charge_order_info"] = lambda p: (0 if yes else -1, {
        "StartChargeSeq": p["StartChargeSeq"], "ConnectorID": p["ConnectorID"], "ConfirmResult": 0} if yes else None)


@pytest.fixture
def on_disk(make_station):
    """on_disk(kind): a station with two chargers whose data are on a file system of its own, and that."""
    disks = []

    def make(kind=None, tcp=2):
        station = make_station(start=False, tcp=tcp, line_units=(), connectors=1, poll_ms=200)
        disk = Disk(station, kind) if kind else None
        disks.append((station, disk))
        serve(station)
        station.start_chargers("--speed", "30")
        begin(station)
        return station, disk

    yield make
    for station, disk in disks:
        for process in reversed(station.processes):
            process.stop()
        if disk:
            disk.unmount()


def begin(station):
    station.client.close()
    station.start_gateway()
    station.client.login()


def kill(station):
    station.gateway.popen.kill()
    station.gateway.popen.wait()


def charge(station, charger=0):
    """A charge that runs, with some energy: its connector and number."""
    connector, seq = plug(station, charger), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    some_energy(station, seq)
    return connector, seq


def status(station, seq):
    return station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data


def some_energy(station, seq, more=10):
    def wh():
        data = status(station, seq)
        return cents(data["TotalPower"]) if data and data["StartChargeSeqStat"] == 2 else None

    before = station.until(lambda: wh() is not None and [wh()], 60, "the charge")[0] or 0
    station.until(lambda: (wh() or 0) >= before + more, 60, "some energy")


def logged(station, pattern, timeout=60):
    return station.until(lambda: re.search(pattern, station.gateway.output()), timeout, pattern)


def register_wh(station, charger=0):
    """Of the charger's last charge, by its own register."""
    _, begun, ended = json.loads(station.ask_chargers(f"sessions {charger}"))[-1]
    return (ended - begun) * 10


def check_once(station, seq, charger=0):
    """One confirmed order with the energy of the register; and it stays one."""
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order)
    assert cents(order["TotalPower"]) * 10 == register_wh(station, charger)
    station.until(lambda: station.stats()["store"]["orders_to_send"] == 0, 60, "an empty outbox")
    time.sleep(2)
    assert told(station, "notification_charge_order_info", seq) == [order]
    return order


def database(station):
    return station.folder / "data" / "forecourt.db"


def spoil(station, pages):
    """Garbage over these pages of the file."""
    with open(database(station), "r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(os.urandom(PAGE))


def page_count(station):
    return database(station).stat().st_size // PAGE


def test_full_at_the_end_of_a_charge(on_disk):
    """Its order is closed, told and confirmed once there is room again; meanwhile nobody is told anything, nothing new begins,
    and what begins by itself is known."""
    station, disk = on_disk("tmpfs")
    connector, seq = charge(station)
    other = plug(station, 1)
    disk.fill()
    assert stop(station, connector, seq).data["SuccStat"] == 0
    station.until(lambda: station.ask_chargers("state 0 1") == "finished", 60, "the charger at rest")
    logged(station, rf"charge: order {seq}: (its end is )?not written, tried again: .*full")
    refused = start(station, other, new_seq()).data
    assert (refused["SuccStat"], refused["FailReason"]) == (1, 15)
    logged(station, rf"charge: connector {other}: not started: store: .*full")
    store = station.stats()["store"]
    assert store["failing"] == 1 and "full" in store["cause"] and store["since"]
    assert "full" in wait_alarm(station, "store_failing")["cause"]
    # The car at the other charger begins by itself; the stop still holds.
    station.ask_chargers("start 1 1")
    station.wait_status(other, 3)
    time.sleep(3)
    assert not told(station, "notification_charge_order_info", seq)
    assert not told(station, "notification_stop_charge_result", seq)
    assert station.gateway.running()
    # Said, and not said again with every try.
    assert station.gateway.output().count("tried again") <= 2
    disk.free()
    check_once(station, seq)
    assert wait_told(station, "notification_stop_charge_result", seq)["SuccStat"] == 0
    logged(station, "store: .*can be written again")
    assert station.stats()["store"]["failing"] == 0
    wait_over(station, "store_failing")
    station.ask_chargers("stop 1 1")
    found = logged(station, rf"charge: order \w+: connector {other}: closed: (\d+) Wh")
    assert int(found.group(1)) == register_wh(station, 1)


def test_started_on_a_full_disk(on_disk):
    """The power failed, and the disk is full: the gateway comes up, shows the charge that runs, and keeps its end later."""
    station, disk = on_disk("tmpfs", tcp=1)
    connector, seq = charge(station)
    disk.fill()
    kill(station)
    begin(station)
    logged(station, rf"charge: order {seq}: connector {connector}: taken up again")
    some_energy(station, seq)
    assert stop(station, connector, seq).data["SuccStat"] == 0
    station.until(lambda: station.ask_chargers("state 0 1") == "finished", 60, "the charger at rest")
    disk.free()
    check_once(station, seq)


def test_read_only_while_it_runs(on_disk):
    """As after an error of the medium. Nothing can be kept any more: said. After the repair the order is there, once."""
    station, disk = on_disk("ext4", tcp=1)
    connector, seq = charge(station)
    disk.fail()
    assert stop(station, connector, seq).data["SuccStat"] == 0
    station.until(lambda: station.ask_chargers("state 0 1") == "finished", 60, "the charger at rest")
    logged(station, rf"charge: order {seq}: (its end is )?not written, tried again: .*(readonly|disk I/O)")
    assert station.stats()["store"]["failing"] == 1
    assert wait_alarm(station, "store_failing")["cause"]
    assert not told(station, "notification_charge_order_info", seq)
    refused = start(station, connector, new_seq()).data
    assert refused["SuccStat"] == 1
    # The power fails too: the gateway comes up, shows what it knows, and sets nothing aside.
    kill(station)
    begin(station)
    logged(station, rf"charge: order {seq}: connector {connector}: taken up again")
    logged(station, rf"charge: order {seq}: (its end is )?not written, tried again")
    assert station.stats()["store"]["failing"] == 1
    assert not list(disk.folder.glob("*damaged*"))
    assert not told(station, "notification_charge_order_info", seq)
    kill(station)
    disk.unmount()
    disk.mount()
    begin(station)
    check_once(station, seq)
    # After a clean end there is nothing that could be shown: the reason is, and nothing is touched.
    station.gateway.stop()
    station.client.close()
    run("mount", "-o", "remount,ro", disk.folder)
    with pytest.raises(RuntimeError) as refusal:
        station.start_gateway()
    assert re.search(r"not started: store: .*forecourt\.db: .*", str(refusal.value))
    assert [f.name for f in disk.folder.glob("forecourt*")] == ["forecourt.db"]


@pytest.mark.parametrize("what", ["wal", "file", "both"])
def test_taken_away_while_it_runs(on_disk, what):
    """Someone removes the files; then the power fails. Nothing of it is lost."""
    station, _ = on_disk(tcp=1)
    _, seq = charge(station)
    names = {"wal": ["-wal"], "file": [""], "both": ["", "-wal"]}[what]
    for name in names:
        database(station).with_name(f"forecourt.db{name}").unlink()
    logged(station, r"store: .*taken over: .* 1 order\(s\), 1 open")
    kill(station)
    begin(station)
    logged(station, rf"charge: order {seq}: .*taken up again")
    station.ask_chargers("stop 0 1")
    check_once(station, seq)


def test_damaged_while_it_runs(on_disk, monkeypatch):
    """All of the file is garbage: set aside, and what runs is made anew from memory."""
    monkeypatch.setenv("FORECOURT_SHARED_STORE", "1")
    station, _ = on_disk()
    station.gateway.stop()  # so that all is in the file, and not in its WAL
    begin(station)
    _, seq = charge(station)
    other = plug(station, 1)
    with sqlite3.connect(database(station)) as db:  # the gateway must read again what it holds in memory
        db.execute("INSERT INTO value VALUES('of the test', '')")
        db.commit()
        spoil(station, range(2, page_count(station) + 1))
        station.stats()  # looks into the outbox
        logged(station, r"store: .*damaged: set aside as .*damaged-1")
    logged(station, "store: .*can be written again")
    assert station.stats()["store"]["replaced"] == 1
    # A new charge, and the one that ran.
    second = new_seq()
    assert start(station, other, second).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", second)
    some_energy(station, seq)
    station.ask_chargers("stop 0 1")
    check_once(station, seq)
    some_energy(station, second)
    kill(station)
    begin(station)
    logged(station, rf"charge: order {second}: .*taken up again")
    station.ask_chargers("stop 1 1")
    check_once(station, second, 1)


def checkpoint(station):
    with sqlite3.connect(database(station)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_damaged_at_start(on_disk):
    """A bad page beside the orders: the order that runs and the one that waits are taken over, and confirmed once."""
    station, _ = on_disk()
    confirm(station, False)
    waiting, seq = charge(station)[1], charge(station, 1)[1]
    station.ask_chargers("stop 0 1")
    wait_told(station, "notification_charge_order_info", waiting)
    kill(station)
    checkpoint(station)
    with sqlite3.connect(database(station)) as db:
        bad = [row[0] for row in db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'energy'")]
    spoil(station, bad)
    before = len(told(station, "notification_charge_order_info", waiting))
    confirm(station)
    begin(station)
    logged(station, r"store: .*damaged: set aside as .*damaged-1")
    logged(station, r"taken over: .* 2 order\(s\), 1 open, 1 to be sent; 0 order\(s\) known to be lost")
    logged(station, rf"charge: order {seq}: .*taken up again")
    station.until(lambda: len(told(station, "notification_charge_order_info", waiting)) > before, 60, "the one that waited")
    some_energy(station, seq)
    station.ask_chargers("stop 1 1")
    check_once(station, seq, 1)
    versions = told(station, "notification_charge_order_info", waiting)
    assert len(versions) == before + 1 and all(v == versions[0] for v in versions)


def test_lost_at_start(on_disk):
    """Nothing can be read: the charge that runs gets a new order."""
    station, _ = on_disk(tcp=1)
    connector, seq = charge(station)
    kill(station)
    checkpoint(station)
    spoil(station, range(1, page_count(station) + 1))
    begin(station)
    logged(station, r"store: .*damaged: set aside as .*damaged-1")
    logged(station, rf"charge: connector {connector}: idle -> charging: the charger began by itself")
    time.sleep(1)
    station.ask_chargers("stop 0 1")
    found = logged(station, rf"charge: order (\w+): connector {connector}: closed: (\d+) Wh")
    assert found.group(1) != seq and 0 < int(found.group(2)) <= register_wh(station)


def test_a_file_of_an_older_version(on_disk):
    """Brought up to date with all that it holds; a charge goes through."""
    station, _ = on_disk(tcp=1)
    station.gateway.stop()
    database(station).unlink()
    with sqlite3.connect(database(station)) as db:
        db.executescript("""CREATE TABLE energy(connector_id TEXT NOT NULL, day INTEGER NOT NULL, wh INTEGER NOT NULL,
            PRIMARY KEY(connector_id, day)) WITHOUT ROWID;
            CREATE TABLE meter(connector_id TEXT PRIMARY KEY, wh INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE value(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
            INSERT INTO energy VALUES('nobody', 20000, 1500); PRAGMA user_version = 1;""")
    begin(station)
    _, seq = charge(station)
    station.ask_chargers("stop 0 1")
    check_once(station, seq)
    station.gateway.stop()
    with sqlite3.connect(database(station)) as db:
        assert db.execute("SELECT wh FROM energy WHERE connector_id = 'nobody'").fetchall() == [(1500,)]
        assert db.execute("SELECT seq, closed FROM orders").fetchall() == [(seq, 1)]
    assert not list(database(station).parent.glob("*damaged*"))


def test_a_file_of_a_newer_version(on_disk):
    """Refused, and not a byte of it is changed."""
    station, _ = on_disk(tcp=1)
    station.gateway.stop()
    with sqlite3.connect(database(station)) as db:
        db.execute("PRAGMA user_version = 999")
        db.execute("CREATE TABLE of_tomorrow(x)")
    checkpoint(station)
    copy = station.folder / "copy.db"
    shutil.copy(database(station), copy)
    with pytest.raises(RuntimeError) as refusal:
        station.start_gateway()
    assert "written by a newer version (schema 999" in str(refusal.value)
    assert database(station).read_bytes() == copy.read_bytes()
    assert not list(database(station).parent.glob("*damaged*"))
