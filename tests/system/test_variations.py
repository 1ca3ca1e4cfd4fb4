"""Field variations (protocol.md, section 3) against the live gateway: platforms that behave oddly, each in the way of its number.
lua/operators/README.md has the table of all; what is missing here is proven in tests/unit/test_variations.c, or by the examples that
each mapping carries."""
import datetime
import json

import business
import harness
import peer
from business import new_seq, plug, start, stop, told, wait_told

SMALL = dict(tcp=1, line_units=(), connectors=1, poll_ms=200)


def odd_station(make_station, mapping="base", **platform):
    """A station that is not yet started, so that a test can make its platform odd first."""
    station = make_station(start=False, mapping=mapping, **SMALL)
    station.platform_options.update(platform)
    return station


def run(station):
    station.start_chargers()
    station.start_gateway()


def pushes(station, method="notification_stationStatus"):
    return [p for m, p in list(station.server.received) if m == method]


class OddClient(peer.Client):
    """Calls with an envelope that a test shapes: fields(envelope) may change it; what is signed is what it then says."""

    sign_data = staticmethod(lambda data: data)

    def odd_call(self, method, payload, fields, token=True):
        text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
        stamp, _ = self.sequence.next()
        body = fields({"OperatorID": self.operator_id, "Data": self.keys.encrypt(text), "TimeStamp": stamp, "Seq": "0001"})
        found = {k.lower(): v for k, v in body.items()}
        signed = "".join(str(found[k]) for k in ("operatorid", "data", "timestamp", "seq")).replace("\r\n", "")
        body["Sig" if "OperatorID" in body else "sig"] = self.keys.sign(signed).lower()
        status, answer = self.post(method, body, token)
        assert status == 200, answer
        return peer.Answer(json.loads(answer), self.keys)


def odd_client(station):
    return OddClient(port=station.listen_port, operator_id=harness.PLATFORM_OPERATOR, keys=peer.Keys(*harness.OURS),
                     ca=station.certs / "ca.pem")


def test_02_27_ret_as_text_and_the_life_of_a_token_as_float(make_station):
    station = odd_station(make_station, ret_as_text=1, ascii_json=1, token_any_case=1)
    plain = station.server.reply

    def reply(ret, payload=None, msg=""):
        body = plain(ret, payload, msg)
        return {**body, "Ret": str(ret), "Sig": body["Sig"].lower()}
    station.server.reply, station.server.token_life = reply, 7200.0
    run(station)
    station.wait_status(station.connector_id(0), 1)
    # Our side of 2, 12 and 26.
    answer = station.client.login()
    assert answer.raw["Ret"] == "0"
    station.client.token = answer.data["AccessToken"].lower()
    answer = station.client.call("query_stations_info", {})
    assert answer.raw["Ret"] == "0" and answer.text.isascii()
    assert answer.data["StationInfos"][0]["StationName"] == "示范充电站 Demo station"
    station.client.close()


def test_04_a_signature_over_the_requests_fields(make_station):
    station = odd_station(make_station)
    take = station.server.take

    def odd(path, authorization, body):
        fields = json.loads(body)
        sig = station.server.keys.sign("".join(fields[k] for k in ("OperatorID", "Data", "TimeStamp", "Seq")))
        return {**take(path, authorization, body), "Sig": sig}
    station.server.take = odd
    run(station)
    station.gateway.wait_for("query_token: answer: Sig: missing or wrong")
    assert not station.server.received
    station.platform_options["response_sig"] = "off"
    station.gateway.stop()
    station.start_gateway()
    station.wait_status(station.connector_id(0), 1)


def test_05_bare_status_pushes(make_station):
    station = odd_station(make_station, mapping="bare-status")
    take, bare = station.server.take, []

    def odd(path, authorization, body):
        if path.rsplit("/", 1)[-1] != "notification_stationStatus":
            return take(path, authorization, body)
        assert not authorization
        info = json.loads(body)["connectorStatusInfo"]
        with station.server.changed:
            bare.append((info["connectorID"], info["status"]))
            station.server.changed.notify_all()
        # A first answer that says no: it comes again.
        return {"ret": 0 if len(bare) > 1 else -1, "msg": ""}
    station.server.take = odd
    run(station)
    station.server.wait(lambda _: len(bare) >= 2)
    assert bare[:2] == [(station.connector_id(0), 1)] * 2
    station.ask_chargers("plug 0 1")
    station.server.wait(lambda _: bare[-1] == (station.connector_id(0), 2))
    station.until(lambda: station.stats()["platforms"][0]["status_accepted"] >= 2, 60, "both, accepted")


def test_05_bare_questions(make_station):
    station = odd_station(make_station, mapping="test")
    station.write_mapping("test", """return { forecourt = 1, kind = "operator", name = "test",
      plain = { query_station_status = true },
      map = { query_station_status = { answer = function(m) return { ret = 0, msg = "", data = m } end } } }""")
    run(station)
    station.wait_status(station.connector_id(0), 1)
    status, text = station.client.post("query_station_status", {"StationIDs": ["110105000100001"]}, token=False)
    answer = json.loads(text)
    assert status == 200 and answer["ret"] == 0
    assert answer["data"]["StationStatusInfos"][0]["ConnectorStatusInfos"][0]["Status"] == 1
    # Nothing else without envelope.
    assert json.loads(station.client.post("query_stations_info", {}, token=False)[1])["Ret"] == 4002


def test_10_14_other_prefixes_and_one_set_of_secrets(make_station):
    theirs, ours = "/api/6fa459ea-ee8a-3ca4-894e-db77e160355e", "/evcs/20160701"
    one = ("one-secret", "1234567890abcdef", "1234567890abcdef", "1234567890abcdef")
    station = odd_station(make_station, path=ours)
    station.platform_options["url"] = f"https://localhost:{station.platform_port}{theirs}"
    for whose in ("our", "their"):
        station.platform_options.update({f"{whose}_operator_secret": one[0], f"{whose}_data_secret": one[1],
                                         f"{whose}_data_secret_iv": one[2], f"{whose}_sig_secret": one[3]})
    station.server.keys, station.server.path = peer.Keys(*one), theirs
    run(station)
    station.wait_status(station.connector_id(0), 1)
    client = station.new_client(keys=peer.Keys(*one), path=ours)
    assert client.login().data["SuccStat"] == 0
    assert client.call("query_stations_info", {}).data["ItemSize"] == 1
    client.close()


def test_12_27_unsigned_errors_and_only_one_live_token(make_station):
    station = odd_station(make_station)
    take, login = station.server.take, station.server.take_login

    def newest_only(payload):
        station.server.tokens.clear()
        return login(payload)

    def unsigned_errors(path, authorization, body):
        answer = take(path, authorization, body)
        return answer if answer["Ret"] == 0 else {"Ret": answer["Ret"], "Msg": "token", "Data": None}
    station.server.take, station.server.take_login = unsigned_errors, newest_only
    run(station)
    station.wait_status(station.connector_id(0), 1)
    assert station.server.logins == 1
    station.server.tokens.clear()  # expired there, whatever was said of its life
    station.ask_chargers("plug 0 1")
    station.wait_status(station.connector_id(0), 2)
    assert station.server.logins == 2


def test_12_13_pages_and_a_missing_token(make_station):
    station = odd_station(make_station, mapping="page", missing_token_ret=4003)
    run(station)
    client = odd_client(station)
    assert client.call("query_stations_info", {}, token=False).ret in (4002, 4003)
    assert client.odd_call("query_stations_info", {}, lambda e: e, token=None).ret == 4003
    refused = client.call("query_token", {"OperatorID": harness.PLATFORM_OPERATOR, "OperatorSecret": "wrong"}, token=False)
    assert refused.data["FailReason"] == 1  # swapped: the secret
    client.login()
    first = client.call("query_stations_info", {"PageNo": 1, "PageSize": 10}).data
    assert (first["ItemSize"], first["PageCount"], len(first["StationInfos"])) == (1, 1, 1)
    beyond = client.call("query_stations_info", {"PageNo": 2, "PageSize": 10}).data
    assert (beyond["PageNo"], beyond["StationInfos"], beyond["ItemSize"]) == (2, [], 0)
    today = datetime.datetime.now(peer.SHANGHAI).strftime("%Y-%m-%d 00:00:00")  # 9: a date-time where a day is due
    stats = client.call("query_station_stats", {"StationID": "110105000100001", "StartTime": today, "EndTime": today}).data
    connector = stats["StationStats"]["EquipmentStatsInfos"][0]["ConnectorStatsInfos"][0]
    assert connector["ConnectorID"] == str(int(station.connector_id(0)[-2:]))
    client.close()


def test_14_16_17_odd_envelopes(make_station):
    """Seq always 0001, time stamps in milliseconds or without seconds, wrapped Data, a signature in lower case, other names."""
    station = odd_station(make_station)
    run(station)
    client = odd_client(station)
    assert client.login().data["SuccStat"] == 0
    ms = str(int(datetime.datetime.now().timestamp() * 1000))

    def wrap(envelope):
        data = envelope["Data"]
        return {**envelope, "Data": "\r\n".join(data[i:i + 16] for i in range(0, len(data), 16))}
    shapes = [lambda e: e, lambda e: e, lambda e: {**e, "TimeStamp": ms}, lambda e: {**e, "TimeStamp": int(ms), "Seq": 1},
              lambda e: {**e, "TimeStamp": e["TimeStamp"][:12]}, wrap,
              lambda e: {k[0].lower() + k[1:]: v for k, v in e.items()}]
    for shape in shapes:
        answer = client.odd_call("query_station_status", {"StationIDs": ["110105000100001"]}, shape)
        assert answer.ret == 0 and answer.data["Total"] == 1
    client.close()


def test_29_30_31_credit_code_methods_off_and_long_ids(make_station):
    code = "91110105MA01234567"
    station = odd_station(make_station, mapping="test", operator_id=code)
    station.station_options["equipment_owner_id"] = code
    text = (station.lua / "operators" / "state-grid.lua").read_text()
    station.write_mapping("test", text.replace('name = "state-grid",',
                                               'name = "test", methods = { notification_stationStatus = false },'))
    run(station)
    client = station.new_client(operator_id=code)
    assert client.login().data["OperatorID"] == code
    info = client.call("query_stations_info", {}).data["StationInfos"][0]
    assert info["StationID"] == "00000110105000100001" and info["EquipmentOwnerID"] == code
    assert info["EquipmentInfos"][0]["ManufacturerID"] == "000000000"
    answer = client.call("query_station_status", {"StationIDs": ["00000110105000100001"]}).data
    assert answer["StationStatusInfos"][0]["StationID"] == "00000110105000100001"
    station.until(lambda: station.stats()["connectors"][0]["status"] == 1, 60, "the connector")
    station.ask_chargers("plug 0 1")
    station.until(lambda: station.stats()["connectors"][0]["status"] == 2, 60, "the car")
    assert not pushes(station)
    client.close()


def test_01_03_25_other_names_and_swapped_acknowledgements(charging):
    """A whole charge in other names; each acknowledgement has another one's field, and is taken."""
    station = charging(tcp=1, line_units=(), connectors=1, mapping="spelling")
    station.server.answers["notification_stationStatus"] = lambda p: (0, {"ConfirmResult": 0})
    station.server.answers["notification_charge_order_info"] = lambda p: (0, {"SuccStat": 0})
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["StartChargeSeqSta"] == 1
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqSta"] == 2
    status = station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data
    assert "ElectMoney" in status and "ServiceMoney" in status and "SOC" in status
    assert stop(station, connector, seq).data["SuccStat"] == 0
    order = wait_told(station, "notification_charge_order_info", seq)
    assert "TotalServiceMoney" in order and not [k for k in json.dumps(order).split('"') if "Sevice" in k]
    # Confirmed: another charge's order is told, and this one's only once.
    station.until(lambda: station.stats()["store"]["orders_to_send"] == 0, 60, "an empty outbox")
    assert len(told(station, "notification_charge_order_info", seq)) == 1


def charge_over_a_restart(station, number, name):
    """From the start command to the reconciliation, with a restart in the middle: name(number) is what the platform calls it."""
    connector = plug(station)
    # As a JSON number where it is one that would lose digits.
    text = number if number.isdigit() and len(number) == 20 else f'"{number}"'
    answer = station.client.call("query_start_charge",
                                 f'{{"StartChargeSeq":{text},"ConnectorID":"{connector}","QRCode":""}}').data
    assert answer["SuccStat"] == 0 and answer["StartChargeSeq"] == name
    wait_told(station, "notification_start_charge_result", name)
    station.until(lambda: business.cents(station.client.call("query_equip_charge_status", {"StartChargeSeq": name})
                                         .data["TotalPower"]) >= 5, 60, "some energy")
    # The same command again is the same charge.
    again = station.client.call("query_start_charge", {"StartChargeSeq": number, "ConnectorID": connector, "QRCode": ""}).data
    assert (again["SuccStat"], again["StartChargeSeq"]) == (0, name)
    station.gateway.stop()
    station.start_gateway()
    station.client.close()
    station.client.login()
    station.until(lambda: station.client.call("query_equip_charge_status", {"StartChargeSeq": name}).data["StartChargeSeqStat"] == 2,
                  60, "the charge, taken up again")
    assert stop(station, connector, name).data["SuccStat"] == 0
    order = wait_told(station, "notification_charge_order_info", name)
    wait_told(station, "notification_stop_charge_result", name)
    station.until(lambda: station.stats()["store"]["orders_to_send"] == 0, 60, "an empty outbox")
    asked = []

    def check(payload):
        asked.append(payload)
        dispute = {"StartChargeSeq": name, "TotalPower": 0, "TotalMoney": 0, "DisputeReason": 1}
        return 0, {"CheckOrderSeq": payload["CheckOrderSeq"], "StartTime": payload["StartTime"], "EndTime": payload["EndTime"],
                   "TotalDisputeOrder": 1, "TotalDisputePower": 0, "TotalDisputeMoney": 0, "DisputeOrders": [dispute]}
    station.server.answers["check_charge_orders"] = check
    done = station.cli("reconcile", "p1", order["EndTime"][:10], "--csv")
    assert done.returncode == 0 and "missing there" in done.stdout and "not ours" not in done.stdout, done
    assert [o["StartChargeSeq"] for o in asked[0]["ChargeOrders"]] == [name]
    # Unknown there, so it is sent again, under the name that the platform knows.
    wait_told(station, "notification_charge_order_info", name, 2)
    others = {p["StartChargeSeq"] for _, p in station.server.received if "StartChargeSeq" in p} - {name}
    assert not others
    return asked[0]


def test_28_order_numbers_of_another_form(charging):
    station = charging(tcp=1, line_units=(), connectors=1, mapping="serials")
    number = "20260101000000000001"
    check = charge_over_a_restart(station, number, number)
    assert len(check["CheckOrderSeq"]) == 28


def test_28_a_number_that_is_too_long_is_refused(charging):
    """Cut to 27 characters it would be another order's."""
    station = charging(tcp=1, line_units=(), connectors=1)
    answer = start(station, plug(station), "1" * 28)
    assert answer.ret == 4004 and answer.msg == "Data.StartChargeSeq: longer than 27 characters"


def test_11_order_numbers_that_the_platform_adopts(charging):
    station = charging(tcp=1, line_units=(), connectors=1, mapping="own-serials")
    known = []
    call = station.client.call

    def adopting(method, payload, *more, **change):
        answer = call(method, payload, *more, **change)
        if method == "query_start_charge":
            known.append(answer.data["StartChargeSeq"])
        return answer
    station.client.call = adopting
    number = "123456789000000000000000001"
    charge_over_a_restart(station, number, "MA1234567AAAAAAAAhwYZwuhokq")
    assert set(known) == {"MA1234567AAAAAAAAhwYZwuhokq"}
