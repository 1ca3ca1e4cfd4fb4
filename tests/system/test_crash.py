"""Killed with SIGKILL at random moments while connectors charge and the platform drops, delays and refuses answers: afterwards
every charge that the chargers know has exactly one confirmed order, with the energy of the charger's own register and the money
that its details say (kills.py, charges.py). FORECOURT_KILLS=2000 FORECOURT_STATIONS=4 runs it for longer; the figures are printed."""
import os
import random
import re
import threading
import time

import kills
from business import PRICES
from charges import ELEC, SERVICE, Driver

CONNECTORS = kills.CONNECTORS
ORDERS = int(os.environ.get("FORECOURT_ORDERS", "40"))
KILLS = int(os.environ.get("FORECOURT_KILLS", "20"))
STATIONS = int(os.environ.get("FORECOURT_STATIONS", "1"))


def test_killed_at_random(tmp_path):
    seed = int(os.environ.get("FORECOURT_SEED", str(random.randrange(10 ** 6))))
    print(f"seed {seed}")
    found = kills.run(KILLS, STATIONS, seed, tmp_path, charged=KILLS)
    print(kills.table(found))
    assert kills.good(found), kills.table(found)
    assert sum(f["charges"] for f in found) >= KILLS
    assert sum(f["kills"] for f in found) >= KILLS


def test_a_platform_that_is_away(make_station):
    """Charges go on while the platform is away; when it is back it gets every order once, in the order of their ends.
    FORECOURT_ORDERS=500 runs it for longer."""
    station = make_station(start=False, tcp=CONNECTORS, line_units=(), connectors=1, poll_ms=200)
    station.platform_options.update(iserv=1, policy="test", rate_per_s=1000)
    station.write_policy("test", PRICES.format(name="test", elec=ELEC, service=SERVICE))
    away, delivered = threading.Event(), []

    def result(payload):
        if away.is_set():
            raise ConnectionResetError("away")
        return (0, {"StartChargeSeq": payload["StartChargeSeq"], "SuccStat": 0, "FailReason": 0})

    def order(payload):
        if away.is_set():
            raise ConnectionResetError("away")
        delivered.append(payload)
        return (0, {"StartChargeSeq": payload["StartChargeSeq"], "ConnectorID": payload["ConnectorID"], "ConfirmResult": 0})

    for method in ("notification_start_charge_result", "notification_stop_charge_result", "notification_equip_charge_status"):
        station.server.answers[method] = result
    station.server.answers["notification_charge_order_info"] = order
    station.start_chargers("--speed", "20")
    station.start_gateway()
    for i in range(CONNECTORS):
        station.wait_status(station.connector_id(i), 1)
    away.set()

    def closed():
        return re.findall(r"charge: order (\w{27}): connector \w+: closed: [1-9]", station.gateway.output())

    drivers = [Driver(station, i, i) for i in range(CONNECTORS)]
    for driver in drivers:
        driver.start()
    memory = []
    for part in (ORDERS // 2, ORDERS):
        station.until(lambda n=part: len(closed()) >= n, 60 + 2 * ORDERS, f"{part} orders")
        memory.append(station.gateway.least_rss_kb())
    for driver in drivers:
        driver.over.set()
    for driver in drivers:
        driver.join(180)
        assert not driver.is_alive()
    time.sleep(6)  # the last ends are read once more
    assert not delivered
    away.clear()
    expected = [seq for seq in re.findall(r"charge: order (\w{27}): connector \w+: closed", station.gateway.output())]
    station.until(lambda: set(closed()) <= {o["StartChargeSeq"] for o in delivered}, 120, "every order")
    time.sleep(1)
    found = [o["StartChargeSeq"] for o in delivered]
    print(f"orders {len(found)}, memory at half of the backlog {memory[0]} kB, at the whole {memory[1]} kB")
    assert found == [seq for seq in expected if seq in set(found)] and len(found) == len(set(found))
    assert set(closed()) <= set(found)
    # Half of the orders or all: what is kept in memory does not depend on the backlog.
    assert memory[1] - memory[0] < 1000
