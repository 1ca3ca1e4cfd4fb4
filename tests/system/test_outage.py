"""The platform is out of reach for three days while cars charge; when it is back it gets every order once, in the order of their ends,
and the gateway's memory does not grow with what waits. Both clocks of the gateway are moved on by half an hour 144 times, so that
every deadline, back-off and log-in of the three days passes. FORECOURT_OUTAGE=500 makes so many orders; the figures are printed."""
import json
import os
import pathlib
import re
import struct
import subprocess
import threading
import time

from test_crash import Driver
from test_disk import serve

CONNECTORS, STEPS, STEP_S = 16, 144, 1800
ORDERS = int(os.environ.get("FORECOURT_OUTAGE", "60"))


class BothClocks:
    """The gateway's clocks, wall and monotonic, by both_clocks.c."""

    def __init__(self, station):
        self.file, library = station.folder / "clocks", station.folder / "both_clocks.so"
        self.ahead = 0
        self.file.write_bytes(struct.pack("q", 0))
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", library,
                        pathlib.Path(__file__).with_name("both_clocks.c")], check=True)
        station.gateway_under = ["env", f"LD_PRELOAD={library}", f"BOTH_CLOCKS={self.file}"]

    def step(self, seconds):
        self.ahead += seconds
        with open(self.file, "r+b", buffering=0) as file:
            file.write(struct.pack("q", self.ahead))


def closed(station):
    """All that have energy: numbers, as they ended."""
    return re.findall(r"charge: order (\w{27}): connector \w+: closed: [1-9]", station.gateway.output())


def begun_by_chargers(station):
    """Orders that no platform asked for: a clock that leaps over the limits of a start at the moment when it is under way makes
    the gateway give it up, and find the charger charging. Nobody waits for them; they are kept, and counted here."""
    orders = (json.loads(line) for line in station.cli("orders", "export", "--json").stdout.splitlines())
    return {order["seq"] for order in orders if not order.get("platform")}


def test_three_days_without_the_platform(make_station):
    station = make_station(start=False, tcp=CONNECTORS, line_units=(), connectors=1, poll_ms=200,
                           certificates={"days": "30"})
    serve(station)
    station.platform_options.update(rate_per_s=1000)
    clock = BothClocks(station)
    away, tries, delivered, take = threading.Event(), [], [], station.server.take

    def out_of_reach(path, authorization, body):
        if away.is_set():
            tries.append(time.monotonic())
            raise ConnectionResetError("out of reach")
        return take(path, authorization, body)

    def order(payload):
        delivered.append((time.monotonic(), payload["StartChargeSeq"]))
        return (0, {"StartChargeSeq": payload["StartChargeSeq"], "ConnectorID": payload["ConnectorID"], "ConfirmResult": 0})

    station.server.take = out_of_reach
    station.server.answers["notification_charge_order_info"] = order
    station.start_chargers("--speed", "20")
    station.start_gateway()
    for i in range(CONNECTORS):
        station.wait_status(station.connector_id(i), 1)
    drivers = [Driver(station, i, i) for i in range(CONNECTORS)]
    for driver in drivers:
        driver.start()
    # Each connector has had a charge, and its order is confirmed: what that takes of memory is taken.
    station.until(lambda: len(delivered) >= 2 * CONNECTORS, 300, "the first orders")
    memory = [station.stats()["rss_kb"]]
    away.set()
    first = len(closed(station))
    for step in range(1, STEPS + 1):
        station.until(lambda n=step: len(closed(station)) - first >= ORDERS * n / STEPS, 600, f"orders of step {step}")
        clock.step(STEP_S)
        time.sleep(0.3)
        if step in (STEPS // 2, STEPS):
            memory.append(station.gateway.least_rss_kb(3))
    for driver in drivers:
        driver.over.set()
    for driver in drivers:
        driver.join(180)
        assert not driver.is_alive()
    station.until(lambda: all(station.ask_chargers(f"state {i} 1") == "free" for i in range(CONNECTORS)), 60, "rest")
    time.sleep(6)  # the last ends are read once more
    backlog = station.stats()["store"]["orders_to_send"]
    before = len(delivered)
    assert backlog >= ORDERS
    away.clear()
    clock.step(60)  # the next try is 30 s away
    station.until(lambda: len(delivered) - before >= backlog, 300, "every order")
    station.until(lambda: station.stats()["store"]["orders_to_send"] == 0, 60, "an empty outbox")
    time.sleep(2)
    memory.append(station.stats()["rss_kb"])
    found = [seq for _, seq in delivered]
    ends = [seq for seq in re.findall(r"charge: order (\w{27}): connector \w+: closed", station.gateway.output()) if seq in set(found)]
    doubled = len(found) - len(set(found))
    own = begun_by_chargers(station) & set(closed(station))
    missing = set(closed(station)) - set(found) - own
    lost = len(missing)
    for seq in missing | own:
        print(f"{seq} was not told:", *(line for line in station.gateway.output().splitlines() if seq in line), sep="\n  ")
    out_of_order = sum(a != b for a, b in zip(found, ends))
    times = sorted(at for at, _ in delivered[before:])
    busiest = max(sum(1 for t in times if at <= t < at + 1) for at in times)
    print(f"\n72 h in {STEPS} steps: orders waiting {backlog}, delivered {len(found) - before}, lost {lost}, doubled {doubled}, "
          f"out of order {out_of_order}, begun by a charger itself {len(own)}; tries meanwhile {len(tries)}; after the return all in {times[-1] - times[0]:.1f} s, at "
          f"most {busiest} in a second; memory before {memory[0]} kB, at half of it {memory[1]} kB, at the whole {memory[2]} kB, "
          f"after it {memory[3]} kB")
    assert (lost, doubled, out_of_order) == (0, 0, 0)
    assert len(own) <= 3
    assert len(found) - before == backlog
    # Half of the orders or all: what is kept in memory does not depend on the backlog.
    assert memory[2] - memory[1] < 1000
