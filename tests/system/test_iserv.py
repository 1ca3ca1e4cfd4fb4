"""Business: from a platform's start command to a confirmed order, with the independent peer as the platform."""
import contextlib
import json
import re
import socket
import subprocess
import threading
import time

import harness
from business import PRICES, cents, check_order, new_seq, plug, start, stop, told, wait_told

def test_a_whole_charge(charging):
    station = charging(tcp=2, line_units=(), connectors=1)
    connector = plug(station)
    auth = station.client.call("query_equip_auth", {"EquipAuthSeq": new_seq(), "ConnectorID": connector}).data
    assert (auth["SuccStat"], auth["FailReason"]) == (0, 0)
    policy = station.client.call("query_equip_business_policy", {"EquipBizSeq": new_seq(), "ConnectorID": connector})
    assert policy.data["SuccStat"] == 0 and policy.data["SumPeriod"] == 1
    assert policy.data["PolicyInfos"] == [{"StartTime": "000000", "ElecPrice": 1.2345, "SevicePrice": 0.4}]
    assert '"ElecPrice":1.2345' in policy.text and '"SevicePrice":0.4000' in policy.text

    seq = new_seq()
    answer = start(station, connector, seq).data
    assert (answer["SuccStat"], answer["FailReason"], answer["StartChargeSeqStat"]) == (0, 0, 1)
    result = wait_told(station, "notification_start_charge_result", seq)
    assert result["StartChargeSeqStat"] == 2 and result["ConnectorID"] == connector
    station.wait_status(connector, 3)
    station.until(lambda: cents(station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data["TotalPower"]) >= 20,
                  60, "some energy")
    status = station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data
    assert status["StartChargeSeqStat"] == 2 and status["ConnectorStatus"] == 3 and status["VoltageA"] > 100

    answer = stop(station, connector, seq).data
    assert (answer["SuccStat"], answer["StartChargeSeqStat"]) == (0, 3)
    result = wait_told(station, "notification_stop_charge_result", seq)
    assert (result["SuccStat"], result["StartChargeSeqStat"]) == (0, 4)
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order)
    assert order["StopReason"] == 1 and cents(order["TotalPower"]) >= 20
    # Told in this order: nobody hears of an end before the order is on the disk.
    names = [m for m, p in station.server.received if p.get("StartChargeSeq") == seq]
    assert names.index("notification_start_charge_result") < names.index("notification_stop_charge_result")

    # Repeats: the same answer, no second start, no second order.
    again = start(station, connector, seq).data
    assert (again["SuccStat"], again["StartChargeSeqStat"]) == (0, 4)
    again = stop(station, connector, seq).data
    assert (again["SuccStat"], again["FailReason"], again["StartChargeSeqStat"]) == (1, 3, 4)
    final = station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data
    assert final["StartChargeSeqStat"] == 4 and final["TotalMoney"] == order["TotalMoney"]
    time.sleep(1)
    assert len(told(station, "notification_charge_order_info", seq)) == 1


def test_starts_that_are_refused(charging):
    station = charging(tcp=2, line_units=(), connectors=1)
    connector, seq = station.connector_id(0), new_seq()

    def reason(c=connector, s=None):
        return start(station, c, s or new_seq()).data["FailReason"]

    assert reason("nobody") == 1
    assert reason() == 10  # not plugged in
    plug(station)
    assert start(station, connector, seq).data["SuccStat"] == 0
    assert start(station, connector, seq).data["SuccStat"] == 0  # a repeat
    assert reason() == 11  # occupied by that charge
    wait_told(station, "notification_start_charge_result", seq)
    plug(station, 1)
    assert start(station, station.connector_id(1), seq).data["FailReason"] == 17  # the number of another charge
    station.ask_chargers("fault 1 1 17")
    station.wait_status(station.connector_id(1), 255)
    assert reason(station.connector_id(1)) == 12
    station.ask_chargers("close 1")
    station.wait_status(station.connector_id(1), 0)
    assert reason(station.connector_id(1)) == 2
    assert stop(station, connector, new_seq()).data["SuccStat"] == 1
    unknown = station.client.call("query_equip_charge_status", {"StartChargeSeq": new_seq()})
    assert unknown.ret == 4004
    # The chargers saw one start, and nothing else was started.
    assert len({p["StartChargeSeq"] for m, p in station.server.received if m == "notification_start_charge_result"}) == 1


def test_the_car_ends_it(charging):
    station = charging(tcp=1, line_units=(), connectors=2)
    connector, seq = plug(station, 0, 2), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    time.sleep(2)
    station.ask_chargers("unplug 0 2")
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order)
    assert order["StopReason"] == 4
    assert wait_told(station, "notification_stop_charge_result", seq)["SuccStat"] == 0
    # The connector is free for the next one.
    connector, seq = plug(station, 0, 2), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)


def test_an_order_survives_a_kill_and_a_platform_that_is_away(charging):
    """Killed while it charges, and again with the order unconfirmed: one order, energy to the end, confirmed once."""
    station = charging(tcp=1, line_units=(), connectors=1)
    attempts = []

    def refuse(payload):
        attempts.append(payload)
        return (-1, None)

    station.server.answers["notification_charge_order_info"] = refuse
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    time.sleep(2)

    def kill(meanwhile=lambda: None):
        station.gateway.popen.kill()
        station.gateway.popen.wait()
        station.client.close()
        meanwhile()
        station.start_gateway()
        station.client.login()

    kill()
    station.until(lambda: station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data["StartChargeSeqStat"] == 2,
                  60, "the charge taken up again")
    station.ask_chargers("stop 0 1")
    station.until(lambda: attempts, 60, "a first try of the order")
    accepted = []

    def accept(payload):
        accepted.append(payload)
        return (0, {"StartChargeSeq": payload["StartChargeSeq"], "ConnectorID": payload["ConnectorID"], "ConfirmResult": 0})

    # Before the gateway is back: it tells the order as soon as it has started, and one that is refused waits for minutes.
    kill(lambda: station.server.answers.update(notification_charge_order_info=accept))
    station.until(lambda: accepted, 60, "the order accepted")
    check_order(accepted[0])
    assert accepted[0]["StopReason"] == 2
    assert {k: v for k, v in accepted[0].items()} == {k: v for k, v in attempts[0].items()}
    time.sleep(1.5)
    assert len(accepted) == 1


def test_an_order_that_is_refused_holds_up_no_other(charging):
    """What one platform can't digest stays with us, and is told again by its own time or on demand; what comes after it goes through."""
    station = charging(tcp=2, line_units=(), connectors=1)
    refused, take = [], station.server.answers["notification_charge_order_info"]
    bad, good = new_seq(), new_seq()

    def order(payload):
        if payload["StartChargeSeq"] == bad and len(refused) < 2:
            refused.append(payload)
            return (4004, None)
        return take(payload)

    def charge(charger, seq):
        connector = plug(station, charger)
        assert start(station, connector, seq).data["SuccStat"] == 0
        wait_told(station, "notification_start_charge_result", seq)
        time.sleep(1)
        station.ask_chargers(f"unplug {charger} 1")
        return wait_told(station, "notification_charge_order_info", seq)

    station.server.answers["notification_charge_order_info"] = order
    charge(0, bad)
    station.until(lambda: refused, 60, "the first try")
    check_order(charge(1, good))
    station.until(lambda: station.stats()["store"]["orders_to_send"] == 1, 60, "the other one confirmed")
    assert len(told(station, "notification_charge_order_info", bad)) == len(refused) == 1
    # Somebody looks at it, in vain; and again when the platform is mended.
    for count in (2, 3):
        assert station.cli("orders", "resend", bad).returncode == 0
        station.until(lambda n=count: len(told(station, "notification_charge_order_info", bad)) == n, 60, "one more try")
    station.until(lambda: station.stats()["store"]["orders_to_send"] == 0, 60, "an empty outbox")
    assert told(station, "notification_charge_order_info", bad) == [refused[0]] * 3
    assert len(told(station, "notification_charge_order_info", good)) == 1


def test_a_charge_that_nobody_ordered_has_an_order(charging):
    """It is no platform's, so nobody is told; the journal has it."""
    station = charging(tcp=1, line_units=(), connectors=1)
    connector = plug(station)
    station.ask_chargers("start 0 1")
    station.wait_status(connector, 3)
    time.sleep(1)
    station.ask_chargers("stop 0 1")
    station.until(lambda: re.search(r"charge: order \w{27}: connector \w+: closed", station.gateway.output()), 60, "the order")
    assert not [m for m, _ in station.server.received if m == "notification_charge_order_info"]


def test_energy_that_went_by_unseen(charging):
    """A charge that began and ended while the gateway was off: it is nobody's, and not the next customer's."""
    station = charging(tcp=1, line_units=(), connectors=1)
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    time.sleep(1)
    stop(station, connector, seq)
    wait_told(station, "notification_charge_order_info", seq)
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    station.client.close()
    station.ask_chargers("start 0 1")
    time.sleep(2)
    station.ask_chargers("stop 0 1")
    station.start_gateway()
    found = station.until(lambda: re.search(r"order (\w+): connector \w+: (\d+) Wh went by unseen", station.gateway.output()), 60,
                          "the unseen energy")
    first, second = json.loads(station.ask_chargers("sessions 0"))
    assert int(found[2]) == (second[2] - second[1]) * 10 > 0 and first[2] == second[1]
    order = json.loads(station.cli("orders", "show", found[1], "--json").stdout)
    assert order["energy_wh"] == int(found[2]) and order["money_e4"] == 0 and not order["told"]
    assert order["repairs"] == ["went by while the gateway or the charger was away"]
    station.client.login()
    seq = new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    time.sleep(1)
    stop(station, connector, seq)
    order = wait_told(station, "notification_charge_order_info", seq)
    third = json.loads(station.ask_chargers("sessions 0"))[2]
    assert cents(order["TotalPower"]) == third[2] - third[1]
    # The same while only the charger was away.
    station.ask_chargers("close 0")
    station.wait_status(connector, 0)
    station.ask_chargers("start 0 1")
    time.sleep(2)
    station.ask_chargers("stop 0 1")
    station.ask_chargers("open 0")
    station.until(lambda: len(re.findall(r"went by unseen", station.gateway.output())) == 2, 60, "the unseen energy")
    fourth = json.loads(station.ask_chargers("sessions 0"))[3]
    assert int(re.findall(r"(\d+) Wh went by unseen", station.gateway.output())[1]) == (fourth[2] - fourth[1]) * 10


def test_a_bad_policy_changes_nothing(charging):
    """Found by --check, refused by a reload; the charge that runs keeps the price that it began with."""
    station = charging(tcp=1, line_units=(), connectors=1)
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    station.write_policy("test", PRICES.format(name="test", elec="-1", service="0.4"))
    station.until(lambda: re.search(r"policies/test\.lua: prices\[1\]\.elec", station.gateway.output()), 60, "the refusal")
    checked = subprocess.run([station.build / "forecourtd", "--check", "-c", station.config_file], capture_output=True, text=True,
                             timeout=60, check=False)
    assert checked.returncode == 2 and "prices[1].elec" in checked.stderr
    # A new price is for the next charge.
    station.write_policy("test", PRICES.format(name="test", elec="9", service="9"))
    station.until(lambda: station.client.call("query_equip_business_policy", {"EquipBizSeq": new_seq(), "ConnectorID": connector})
                  .data["PolicyInfos"][0]["ElecPrice"] == 9, 60, "the new price")
    stop(station, connector, seq)
    check_order(wait_told(station, "notification_charge_order_info", seq))


SYNC = """return { forecourt = 1, kind = "operator", name = "test", timing = { sync_wait_s = %d, start_result_s = 14 } }"""


def test_answers_that_wait_for_the_result(charging):
    """Option mode sync: the answer says what came of it, and nothing is pushed."""
    station = charging(tcp=2, line_units=(), connectors=1, platform={"mode": "sync"}, mapping_text=SYNC % 30)
    connector, seq = plug(station), new_seq()
    answer = start(station, connector, seq).data
    assert (answer["SuccStat"], answer["StartChargeSeqStat"], answer["ConnectorID"]) == (0, 2, connector)
    answer = stop(station, connector, seq).data
    assert (answer["SuccStat"], answer["FailReason"], answer["StartChargeSeqStat"]) == (0, 0, 4)
    check_order(wait_told(station, "notification_charge_order_info", seq))
    assert not told(station, "notification_start_charge_result", seq) and not told(station, "notification_stop_charge_result", seq)
    # Refusals don't wait.
    assert start(station, connector, seq).data["StartChargeSeqStat"] == 4
    assert stop(station, connector, seq).data["FailReason"] == 3
    # A charger that confirms the command and does nothing: the answer says so, and is no less final.
    connector, seq = plug(station, 1), new_seq()
    station.ask_chargers("mute 1")
    answer = start(station, connector, seq).data
    assert (answer["SuccStat"], answer["FailReason"], answer["StartChargeSeqStat"]) == (1, 18, 4)
    assert not told(station, "notification_start_charge_result", seq)


def test_a_result_that_takes_too_long_is_pushed(charging):
    station = charging(tcp=1, line_units=(), connectors=1, platform={"mode": "sync"}, mapping_text=SYNC % 1)
    connector, seq = plug(station), new_seq()
    station.ask_chargers("late 0 1900")
    answer = start(station, connector, seq).data
    assert (answer["SuccStat"], answer["StartChargeSeqStat"]) == (0, 1)
    station.ask_chargers("normal 0")
    wait_told(station, "notification_start_charge_result", seq)
    # Who hangs up before the answer is told in the other way too; whoever still waits at the end of the daemon is let go.
    station.write_mapping("test", SYNC % 30)
    station.until(lambda: re.search(r"mapping test: new version", station.gateway.output()), 60, "the new mapping")
    station.ask_chargers("mute 0")
    client = station.new_client()
    client.token = station.client.token

    def wait_in_vain():
        with contextlib.suppress(Exception):
            client.call("query_stop_charge", {"StartChargeSeq": seq, "ConnectorID": connector})

    threading.Thread(target=wait_in_vain, daemon=True).start()
    time.sleep(1)
    client.connection.sock.shutdown(socket.SHUT_RDWR)  # close() alone would wait for the thread that reads
    station.ask_chargers("normal 0")
    wait_told(station, "notification_stop_charge_result", seq)


def test_a_start_that_fails_is_told_once(charging):
    """The charger takes no command for longer than both results may take: one start result, and nothing more of it."""
    station = charging(tcp=1, line_units=(), connectors=1, mapping_text=SYNC.replace("14", "6") % 30)
    connector, seq = plug(station), new_seq()
    station.ask_chargers("exception 0 4")
    assert start(station, connector, seq).data["SuccStat"] == 0
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqStat"] == 4
    station.until(lambda: re.search(r"the charger ignores the stop", station.gateway.output()), 60, "the stop to time out")
    station.ask_chargers("normal 0")
    station.until(lambda: re.search(rf"order {seq}: connector \w+: closed", station.gateway.output()), 90, "the order closed")
    time.sleep(1)
    assert len(told(station, "notification_start_charge_result", seq)) == 1
    assert not told(station, "notification_stop_charge_result", seq) and not told(station, "notification_charge_order_info", seq)
    seq = new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqStat"] == 2


def test_another_platforms_charge_is_out_of_reach(charging):
    """A second platform that sees the same station and knows the number: it can't stop the charge, hear of it, or pass for who began it."""
    def second(station):
        station.extra += station.platform_text("p2", harness.free_port(), operator_id="987654321", path="/second")

    station = charging(tcp=1, line_units=(), connectors=1, prepare=second)
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqStat"] == 2
    other = station.new_client(operator_id="987654321", path="/second")
    try:
        assert other.login().data["SuccStat"] == 0
        assert other.call("query_station_status", {"StationIDs": ["110105000100001"]}).data["Total"] == 1
        for number in (seq, new_seq()):  # as if there were none, whether there is one or not
            stopped = other.call("query_stop_charge", {"StartChargeSeq": number, "ConnectorID": connector})
            assert stopped.data["SuccStat"] == 1 and (stopped.data["FailReason"], stopped.data["StartChargeSeqStat"]) == (1, 5)
            assert other.call("query_equip_charge_status", {"StartChargeSeq": number}).ret == 4004
        begun = other.call("query_start_charge", {"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""}).data
        assert begun["SuccStat"] == 1, begun
        taken = other.call("query_start_charge", {"StartChargeSeq": new_seq(), "ConnectorID": connector, "QRCode": ""}).data
        assert taken["SuccStat"] == 1, taken
        assert station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data["StartChargeSeqStat"] == 2
    finally:
        other.close()
    assert stop(station, connector, seq).data["SuccStat"] == 0
    check_order(wait_told(station, "notification_charge_order_info", seq))
