"""What people do on site: cards, cars that begin by themselves, places that stay taken; and the city's form of an order."""
import re
import sqlite3
import time
from decimal import Decimal

import pytest

from business import cents, check_order, new_seq, plug, start, stop, told, wait_told

pytestmark = pytest.mark.usefixtures("shared_store")

CARD, VIN = "04A1B2C3D4E5F6", "LSVAA49J132047371"
MAPPING = """return {{ forecourt = 1, kind = "operator", name = "test", methods = {{ {methods} }} }}"""
BOTH = MAPPING.format(methods="query_user_auth = true, notification_charge_order_info_for_bonus = true")
CLASSES = """return { forecourt = 1, kind = "policy", name = "test",
  prices = function(c)
    return { { start = "00:00", elec = 1, service = c.user_class == "gold" and 0.1 or 0.5 } }
  end }
"""
OCCUPANCY = """return { forecourt = 1, kind = "policy", name = "test",
  prices = { { start = "00:00", elec = 1.2345, service = 0.4 } },
  terms = { occupancy_minute = 3, occupancy_most_min = %d } }
"""


def order_of(station, method="notification_charge_order_info", count=1):
    station.server.wait(lambda _: len([1 for m, _p in list(station.server.received) if m == method]) >= count)
    return [p for m, p in list(station.server.received) if m == method][count - 1]


def asked(station):
    return [p for m, p in list(station.server.received) if m == "query_user_auth"]


def test_a_card_starts_and_stops(charging):
    station = charging(tcp=1, line_units=(), connectors=1, mapping_text=BOTH, policy=CLASSES)
    station.server.answers["query_user_auth"] = lambda p: (0, {"UserAuthSeq": p["UserAuthSeq"], "SuccStat": 0, "UserClass": "gold"})
    connector = plug(station)
    station.ask_chargers(f"card 0 1 {CARD}")
    station.wait_status(connector, 3)
    question = asked(station)[0]
    assert question["ConnectorID"] == connector and question["AuthType"] == 1 and question["UserIdent"] == CARD
    seq = question["StartChargeSeq"]
    assert len(seq) == 27 and question["UserAuthSeq"] == seq
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqStat"] == 2
    station.ask_chargers("card 0 1 -")
    station.until(lambda: cents(station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data["TotalPower"]) >= 10,
                  60, "some energy")
    # Another card ends nothing; the same one does.
    station.ask_chargers("card 0 1 OTHER")
    station.until(lambda: re.search(r"card \*\*\*THER: no charge", station.gateway.output()), 60, "the other card's refusal")
    station.ask_chargers("card 0 1 -")
    time.sleep(1.5)
    station.ask_chargers(f"card 0 1 {CARD}")
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order, "1", "0.1")
    assert order["StopReason"] == 0
    assert wait_told(station, "notification_stop_charge_result", seq)["SuccStat"] == 0
    bonus = wait_told(station, "notification_charge_order_info_for_bonus", seq)
    assert bonus["ChargeModel"] == 2 and bonus["UserName"] == CARD and bonus["ConnectorPower"] == 120.0
    assert bonus["StationID"] == "110105000100001" and bonus["EquipmentID"] == "1101050001001"
    assert bonus["TotalMoney"] == order["TotalMoney"] and bonus["StopReason"] == 0
    used = cents(bonus["MeterValueEnd"]) - cents(bonus["MeterValueStart"])
    assert used == cents(order["TotalPower"]) > 0
    assert 0 < bonus["ChargeLast"] < 600
    # Personal data stays out of the log.
    assert CARD not in station.gateway.output() and "***E5F6" in station.gateway.output()
    assert len(asked(station)) == 1


def test_the_platform_gives_its_own_number(charging):
    station = charging(tcp=1, line_units=(), connectors=1, mapping_text=BOTH)
    seq = new_seq()
    station.server.answers["query_user_auth"] = lambda p: (0, {"SuccStat": 0, "StartChargeSeq": seq})
    plug(station)
    station.ask_chargers(f"card 0 1 {CARD}")
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqStat"] == 2
    assert stop(station, station.connector_id(0), seq).data["SuccStat"] == 0
    assert wait_told(station, "notification_charge_order_info", seq)["StopReason"] == 1


def test_a_card_that_nobody_vouches_for(charging):
    station = charging(tcp=2, line_units=(), connectors=1, mapping_text=BOTH)
    station.server.answers["query_user_auth"] = lambda p: (0, {"SuccStat": 1, "FailReason": 2})
    station.ask_chargers(f"card 1 1 {CARD}")  # nobody plugged in
    station.until(lambda: re.search(r"\*\*\*E5F6: no charge: no car is plugged in", station.gateway.output()), 60, "the refusal")
    connector = plug(station)
    station.ask_chargers(f"card 0 1 {CARD}")
    station.until(lambda: re.search(r"card \*\*\*E5F6: refused", station.gateway.output()), 60, "the refusal")
    # An answer without a verdict is none either; and the connector is free for a platform's start.
    station.server.answers["query_user_auth"] = lambda p: (0, {})
    station.ask_chargers("card 0 1 B2B2B2B2")
    station.until(lambda: re.search(r"card \*\*\*B2B2: refused", station.gateway.output()), 60, "the second refusal")
    seq = new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    station.wait_status(connector, 3)


def test_without_a_platform_that_decides_the_answer_is_no(charging):
    station = charging(tcp=1, line_units=(), connectors=1)
    connector = plug(station)
    station.ask_chargers(f"card 0 1 {CARD}")
    station.until(lambda: re.search(r"card \*\*\*E5F6: refused", station.gateway.output()), 60, "the refusal")
    assert not asked(station) and station.statuses(connector)[-1] == 2


def test_a_car_that_begins_by_itself(charging):
    """A platform vouches for it: the order is that platform's, at its prices from the first Wh on."""
    station = charging(tcp=1, line_units=(), connectors=1, mapping_text=BOTH)
    station.server.answers["query_user_auth"] = lambda p: (0, {"SuccStat": 0})
    connector = plug(station)
    station.ask_chargers(f"vin 0 1 {VIN}")
    time.sleep(1)
    station.ask_chargers("start 0 1")
    station.wait_status(connector, 3)
    station.server.wait(lambda _: asked(station))
    question = asked(station)[0]
    assert question["AuthType"] == 2 and question["UserIdent"] == VIN
    seq = question["StartChargeSeq"]
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqStat"] == 2
    station.until(lambda: cents(station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data["TotalPower"]) >= 10,
                  60, "some energy")
    station.ask_chargers("stop 0 1")
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order)
    assert order["StopReason"] == 2
    bonus = wait_told(station, "notification_charge_order_info_for_bonus", seq)
    assert bonus["ChargeModel"] == 3
    assert cents(bonus["MeterValueEnd"]) - cents(bonus["MeterValueStart"]) == cents(order["TotalPower"])
    assert VIN not in station.gateway.output()


def test_a_car_that_nobody_vouches_for(charging):
    """local_start authorised: it is stopped; the order stays here, and the city hears of it all the same."""
    station = charging(tcp=1, line_units=(), connectors=1, mapping_text=BOTH, at_station={"local_start": "authorised"})
    station.server.answers["query_user_auth"] = lambda p: (0, {"SuccStat": 1})
    connector = plug(station)
    station.ask_chargers("start 0 1")
    bonus = order_of(station, "notification_charge_order_info_for_bonus")
    assert bonus["StopReason"] == 7 and bonus["ChargeModel"] == 3 and bonus["ConnectorID"] == connector
    assert not told(station, "notification_charge_order_info", bonus["StartChargeSeq"])


def test_the_city_wants_every_charge(charging):
    """Beijing's mapping as it is shipped: the bonus order instead of the base order."""
    station = charging(tcp=1, line_units=(), connectors=1, mapping="beijing")
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    time.sleep(2)
    stop(station, connector, seq)
    bonus = wait_told(station, "notification_charge_order_info_for_bonus", seq)
    assert bonus["ChargeModel"] == 1 and "ChargeDetails" not in bonus and bonus["UserName"] == ""
    assert set(bonus) == {"StartChargeSeq", "ConnectorID", "StartTime", "EndTime", "ChargeModel", "TotalPower", "TotalMoney",
                          "StopReason", "UserName", "StationID", "EquipmentID", "ConnectorPower", "ChargeLast",
                          "MeterValueStart", "MeterValueEnd"}
    assert not told(station, "notification_charge_order_info", seq)


def charge_and_stop(station):
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    time.sleep(1)
    assert stop(station, connector, seq).data["SuccStat"] == 0
    assert wait_told(station, "notification_stop_charge_result", seq)["SuccStat"] == 0
    return connector, seq


def fee(order):
    return Decimal(str(order["TotalSeviceMoney"])) - sum(
        (Decimal(str(d["DetailPower"])) * Decimal("0.4") for d in order["ChargeDetails"]), Decimal(0))


def test_the_place_costs_until_the_car_leaves(charging):
    """The end is told at once; the order waits for the car, also over a kill."""
    station = charging(tcp=1, line_units=(), connectors=1, policy=OCCUPANCY % 60)
    connector, seq = charge_and_stop(station)
    status = station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data
    assert status["StartChargeSeqStat"] == 4 and status["ConnectorStatus"] == 2
    again = stop(station, connector, seq).data
    assert (again["SuccStat"], again["FailReason"]) == (1, 3)
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    station.client.close()
    station.start_gateway()
    station.client.login()
    station.until(lambda: station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data["ConnectorStatus"] == 2,
                  60, "the connector polled again")
    time.sleep(2)
    assert not told(station, "notification_charge_order_info", seq)
    station.ask_chargers("unplug 0 1")
    order = wait_told(station, "notification_charge_order_info", seq)
    assert order["StopReason"] == 1 and order["EndTime"] == status["EndTime"]
    assert abs(fee(order) - 3) <= Decimal("0.015")  # a begun minute


def test_the_next_charge_settles_the_last(charging):
    station = charging(tcp=1, line_units=(), connectors=1, policy=OCCUPANCY % 60)
    connector, first = charge_and_stop(station)
    time.sleep(2)  # a begun minute
    second = new_seq()
    assert start(station, connector, second).data["SuccStat"] == 0
    assert abs(fee(wait_told(station, "notification_charge_order_info", first)) - 3) <= Decimal("0.015")
    wait_told(station, "notification_start_charge_result", second)
    station.ask_chargers("unplug 0 1")
    order = wait_told(station, "notification_charge_order_info", second)
    assert order["StopReason"] == 4 and abs(fee(order)) <= Decimal("0.015")


def test_it_does_not_wait_for_ever(charging):
    station = charging(tcp=1, line_units=(), connectors=1, policy=OCCUPANCY % 1)
    _, seq = charge_and_stop(station)
    station.server.wait(lambda _: told(station, "notification_charge_order_info", seq), 120)
    assert abs(fee(told(station, "notification_charge_order_info", seq)[0]) - 3) <= Decimal("0.015")


def test_an_order_that_can_not_be_sent_holds_up_nobody(charging):
    """A form that is switched off, and a record that is damaged, are dropped with a word; the order behind them goes at once."""
    off = MAPPING.format(methods="notification_charge_order_info_for_bonus = true")
    station = charging(tcp=2, line_units=(), connectors=1, mapping_text=off)
    station.server.answers["notification_charge_order_info_for_bonus"] = lambda p: (-1, None)
    _, first = charge_and_stop(station)
    wait_told(station, "notification_charge_order_info", first)
    station.gateway.popen.terminate()
    station.gateway.popen.wait()
    station.client.close()
    with sqlite3.connect(station.folder / "data" / "forecourt.db") as db:
        db.execute("UPDATE orders SET record = '{}'")
        db.execute("UPDATE outbox SET state = 0, attempts = 0")
    station.write_mapping("test", MAPPING.format(methods=""))
    station.start_gateway()
    station.wait_status(station.connector_id(1), 1)
    station.client.login()
    second = new_seq()
    connector = plug(station, 1)
    assert start(station, connector, second).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", second)
    stop(station, connector, second)
    wait_told(station, "notification_charge_order_info", second)
    log = station.gateway.output()
    assert re.search(rf"{first}: notification_charge_order_info_for_bonus: not sent: the mapping has it switched off", log)
    assert re.search(rf"{first}: notification_charge_order_info: not sent: it is not in the journal, or damaged", log)
