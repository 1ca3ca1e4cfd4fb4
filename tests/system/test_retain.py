"""Orders whose time of keeping is over, in a gateway that runs, by a clock that goes faster: what is confirmed goes, also when it is killed
meanwhile, and what waits stays and is told."""
import contextlib
import datetime
import json
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "soak"))
from clock import SHANGHAI, Clock  # noqa: E402  (an hour passes in seconds)
from page_client import Client  # noqa: E402

OLD, YOUNG, WAIT, DAY = 600, 40, 25, 86400


def put_orders(path, now):
    """OLD orders of 100 days ago, every WAIT-th of which is not confirmed, and YOUNG ones of the last days."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        for n in range(OLD + YOUNG):
            end = now - (100 * DAY - n * 60 if n < OLD else 5 * DAY - n * 60)
            seq = f"425010765{n:018d}"
            db.execute("INSERT INTO orders(seq, connector_id, platform, mode, closed, start_wall, end_wall, wh, money_e4, reason, record)"
                       " VALUES(?, '11010500010011', 'p1', 1, 1, ?, ?, 12000, 130000, 1, ?)", (seq, end - 2700, end, '{"version":1,"user":"' + "x" * 600 + '"}'))
            # A platform that is gone by now: nobody tells it any more.
            for platform, state in (("p1", 1), ("gone", 0 if n < OLD and n % WAIT == 0 else 1)):
                db.execute("INSERT INTO outbox(platform, method, seq, attempts, state, answer) VALUES(?, 'notification_charge_order_info', ?, 1, ?, 0)",
                           (platform, seq, state))


def seqs(path, where="1"):
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return {row[0] for row in db.execute(f"SELECT seq FROM orders WHERE {where}")}


def kill_when(station, clock, condition):
    """The clock is held while it is looked and killed: all would be deleted by then."""
    for _ in range(1000):
        with clock.busy():
            if condition():
                station.gateway.popen.kill()
                station.gateway.popen.wait()
                station.processes.remove(station.gateway)
                return
        clock.wait_until(clock.now() + 5)
    raise AssertionError(f"not within {1000 * 5} s of the run")


def test_old_orders_go_and_a_kill_costs_no_other(make_station):
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=60000, certificates={"days": "30"})
    station.gateway_options["orders_days"] = 40
    station.bus_options.update(response_timeout_ms=5000, connect_timeout_ms=10000)
    station.server.token_life = 7 * DAY
    path = station.folder / "data" / "forecourt.db"
    station.start_chargers()
    station.start_gateway()
    station.wait_status("11010500010011", 1)
    station.gateway.stop()
    put_orders(path, int(datetime.datetime.now().timestamp()))
    waiting = {f"425010765{n:018d}" for n in range(0, OLD, WAIT)}
    young = {f"425010765{n:018d}" for n in range(OLD, OLD + YOUNG)}
    assert len(seqs(path)) == OLD + YOUNG
    clock = Clock(station.folder, datetime.datetime.now(SHANGHAI), window_s=4.0)
    try:
        station.gateway_under = clock.under()
        left = OLD + YOUNG
        for deleted in (97, None):
            begun = clock.now()
            station.start_gateway()
            if deleted is None:
                station.gateway.wait_for(r"store: orders: \d+ that ended until .* were deleted: they are kept for 40 days", 600)
                break
            # An hour after the start at the earliest, and then at most 32 in 5 s.
            clock.wait_until(begun + 3000)
            with clock.busy():
                assert station.stats()["store"]["orders_deleted"] == 0
            kill_when(station, clock, lambda: station.stats()["store"]["orders_deleted"] >= deleted)
            now = seqs(path)
            assert waiting | young <= now and len(now) <= left - deleted
            left = len(now)
        token = json.loads(station.cli("token", "add", "scrape", "viewer", "--json").stdout)["token"]
        admin = Client(station, token)
        kept = admin.get("/api/orders?limit=1").json["kept"]
        oldest = datetime.datetime.fromisoformat(kept["oldest"]).replace(tzinfo=SHANGHAI).timestamp()
        assert kept["days"] == 40 and kept["share"] > kept["used"] > 0
        assert f"forecourt_orders_oldest_timestamp_seconds {int(oldest)}" in admin.get("/metrics").body.decode()
        station.gateway.stop(60)
        assert seqs(path) == waiting | young
        with contextlib.closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT count(*), min(end_wall) FROM orders").fetchone() == (len(waiting | young), int(oldest))
            assert db.execute("SELECT count(*) FROM outbox").fetchone()[0] == 2 * len(waiting | young)
            assert {row[0] for row in db.execute("SELECT seq FROM outbox WHERE state = 0")} == waiting
    finally:
        clock.close()
