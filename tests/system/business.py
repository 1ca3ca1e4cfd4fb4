"""What the tests of the business interface share: a station that may charge, and how its platform speaks."""
import time
from decimal import Decimal

import harness

PLATFORM = harness.PLATFORM_OPERATOR
PRICES = """return {{ forecourt = 1, kind = "policy", name = "{name}",
  prices = {{ {{ start = "00:00", elec = {elec}, service = {service} }} }} }}
"""
counter = iter(range(1, 10 ** 6))


def new_seq():
    return f"{PLATFORM}{next(counter):018d}"


def cents(x):
    value = Decimal(str(x)) * 100
    assert value == int(value), x
    return int(value)


def confirm_all(server):
    """The platform takes whatever it is told."""
    for method in ("notification_start_charge_result", "notification_stop_charge_result", "notification_equip_charge_status"):
        server.answers[method] = lambda p: (0, {"StartChargeSeq": p["StartChargeSeq"], "SuccStat": 0, "FailReason": 0})
    for method in ("notification_charge_order_info", "notification_charge_order_info_for_bonus"):
        server.answers[method] = lambda p: (
            0, {"StartChargeSeq": p["StartChargeSeq"], "ConnectorID": p["ConnectorID"], "ConfirmResult": 0})


def told(station, method, seq):
    return [p for m, p in list(station.server.received) if m == method and p["StartChargeSeq"] == seq]


def wait_told(station, method, seq, count=1):
    station.server.wait(lambda _: len(told(station, method, seq)) >= count)
    return told(station, method, seq)[-1]


def plug(station, charger=0, number=1):
    connector = station.connector_id(charger, number)
    station.ask_chargers(f"plug {charger} {number}")
    station.wait_status(connector, 2)
    return connector


def start(station, connector, seq):
    return station.client.call("query_start_charge", {"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""})


def stop(station, connector, seq):
    return station.client.call("query_stop_charge", {"StartChargeSeq": seq, "ConnectorID": connector})


def check_order(order, elec="1.2345", service="0.4"):
    """Sums to the fen, and money recomputed from the energy."""
    details = order["ChargeDetails"]
    assert order["SumPeriod"] == len(details) >= 1
    assert sum(cents(d["DetailPower"]) for d in details) == cents(order["TotalPower"])
    assert sum(cents(d["DetailElecMoney"]) for d in details) == cents(order["TotalElecMoney"])
    assert sum(cents(d["DetailSeviceMoney"]) for d in details) == cents(order["TotalSeviceMoney"])
    assert cents(order["TotalElecMoney"]) + cents(order["TotalSeviceMoney"]) == cents(order["TotalMoney"])
    kwh = Decimal(str(order["TotalPower"]))
    for money, price in ((order["TotalElecMoney"], elec), (order["TotalSeviceMoney"], service)):
        # The energy on the wire is rounded to 10 Wh; the money is not.
        assert abs(Decimal(str(money)) - kwh * Decimal(price)) <= Decimal("0.015")
    assert order["StartTime"] <= order["EndTime"]
