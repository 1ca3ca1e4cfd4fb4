"""A platform that was away, or has too much to do: how it is asked, by the requests that it sees."""
import datetime
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "soak"))
from clock import SHANGHAI, Clock  # noqa: E402  (hours pass in seconds)


def away_platform(station):
    """The server's own take, and an event: while it is set, connections break. Returns it and the list of what broke."""
    away, broken, take = threading.Event(), [], station.server.take

    def reach(path, authorization, body):
        if away.is_set():
            broken.append(path.rsplit("/", 1)[-1])
            raise ConnectionResetError("out of reach")
        return take(path, authorization, body)

    station.server.take = reach
    return away, broken


def test_a_status_given_up_is_told_though_nothing_happens_any_more(make_station):
    """All pushes have been given up, an hour passes without an event: the platform is asked for now and then by one push, not by each, and the
    first that goes through brings the others."""
    station = make_station(start=False, tcp=4, line_units=(), connectors=1, poll_ms=10000, certificates={"days": "30"})
    clock = Clock(station.folder, datetime.datetime.now(SHANGHAI))
    away, broken = away_platform(station)
    station.platform_options.update(retry_s=10, retry_count=1, resend_all_h=24, request_timeout_ms=60000)
    station.bus_options.update(response_timeout_ms=5000, connect_timeout_ms=10000)
    station.server.token_life = 7 * 86400
    try:
        with clock.preloaded():
            station.start_chargers()
        station.gateway_under = clock.under()
        station.start_gateway()
        for i in range(4):
            station.wait_status(station.connector_id(i), 1)
        away.set()
        for i in range(4):
            station.ask_chargers(f"plug {i} 1")
        station.until(lambda: station.gateway.output().count("given up after 2 attempts") == 4, 120, "four statuses given up")
        tries, since = len(broken), clock.now()
        clock.wait_until(since + 3600)
        # One a minute to a minute and a half. (Where both ends call a connection broken it is tried once more, on a fresh one.)
        assert 3600 / 90 - 2 <= len(broken) - tries <= 2 * (3600 / 60 + 2), len(broken) - tries
        before = len(station.server.received)
        away.clear()
        for i in range(4):
            station.wait_status(station.connector_id(i), 2)
        assert clock.now() - since < 3600 + 120
        assert len(station.server.received) - before == 4, list(station.server.received)[before:]
        assert station.gateway.output().count("given up after") == 4
    finally:
        clock.close()


def test_a_platform_that_asks_for_rest_gets_it(make_station):
    """429 with Retry-After: no message of any kind until then, and all of them afterwards."""
    station = make_station(start=False, tcp=3, line_units=(), connectors=1, poll_ms=200)
    busy, seen = threading.Event(), []
    handler = station.server.httpd.RequestHandlerClass
    post = handler.do_POST

    def do_post(self):
        if not busy.is_set():
            post(self)
            return
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen.append(time.monotonic())
        self.send_response(429)
        self.send_header("Retry-After", "6")
        self.send_header("Content-Length", "0")
        self.end_headers()

    handler.do_POST = do_post
    station.start_chargers()
    station.start_gateway()
    for i in range(3):
        station.wait_status(station.connector_id(i), 1)
    busy.set()
    station.ask_chargers("plug 0 1")
    station.until(lambda: seen, 60, "a push that is sent away")
    busy.clear()
    first, before = seen[0], len(station.server.received)
    station.ask_chargers("plug 1 1")
    station.ask_chargers("plug 2 1")
    for i in range(3):
        station.wait_status(station.connector_id(i), 2)
    assert time.monotonic() - first >= 6
    assert "HTTP 429: nothing is sent for" in station.gateway.output()
    assert len(seen) == 1 and len(station.server.received) - before == 3
