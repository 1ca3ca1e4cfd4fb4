"""The checks of test_conformance.py, themselves checked: each kind of mistake is found, and what is right is not one."""
import decimal
import json

import conformance
import harness
import peer
import pytest
import standard
from conformance import Message
from test_conformance import ELEC, SERVICE, daemon_says

SEQ = "123456789000000000000000001"
ORDER = ('{"StartChargeSeq":"%s","ConnectorID":"11010500010011","StartTime":"2026-01-31 10:00:00","EndTime":"2026-01-31 10:10:00",'
         '"TotalPower":0.66,"TotalElecMoney":0.81,"TotalSeviceMoney":0.26,"TotalMoney":1.07,"StopReason":1,"SumPeriod":1,'
         '"ChargeDetails":[{"DetailStartTime":"2026-01-31 10:00:00","DetailEndTime":"2026-01-31 10:10:00","ElecPrice":1.2345,'
         '"SevicePrice":0.4000,"DetailPower":0.66,"DetailElecMoney":0.81,"DetailSeviceMoney":0.26}]}' % SEQ)
SNAPSHOT = ('{"StartChargeSeq":"%s","StartChargeSeqStat":2,"ConnectorID":"11010500010011","ConnectorStatus":3,"CurrentA":266.0,'
            '"VoltageA":400.1,"Soc":45.0,"StartTime":"2026-01-31 10:00:00","EndTime":"2026-01-31 10:10:00","TotalPower":0.66,'
            '"ElecMoney":0.81,"SeviceMoney":0.26,"TotalMoney":1.07,"ChargeDetails":[]}' % SEQ)
STATS = ('{"StationStats":{"StationID":"1","StartTime":"2026-01-31","EndTime":"2026-01-31","StationElectricity":0.7,'
         '"EquipmentStatsInfos":[{"EquipmentID":"1","EquipmentElectricity":0.7,"ConnectorStatsInfos":'
         '[{"ConnectorID":"11010500010011","ConnectorElectricity":0.7}]}]}}')
FACTS = dict(elec=ELEC, service=SERVICE, session=(1000, 1066), power_kw=decimal.Decimal(120),
             kwh={"11010500010011": decimal.Decimal("0.66")},
             registers={"volts": decimal.Decimal("400.2"), "amps": decimal.Decimal(266), "soc": decimal.Decimal(46),
                        "session_kwh": decimal.Decimal("0.7"), "kwh": decimal.Decimal(1)})
SAMPLES = {"notification_charge_order_info": ("request", ORDER), "query_equip_charge_status": ("answer", SNAPSHOT),
           "query_station_stats": ("answer", STATS)}


def findings_of(method, text):
    part, _ = SAMPLES[method]
    found, _ = conformance.check(standard.fields_of(method, part), text)
    return found or conformance.check_units(method, part, text, FACTS)[0]


@pytest.mark.parametrize(("method", "right", "wrong", "finding"), [
    ("notification_charge_order_info", '"StopReason":1,', "", "StopReason: missing"),
    ("notification_charge_order_info", '"DetailPower":0.66,', "", "ChargeDetails[].DetailPower: missing"),
    ("notification_charge_order_info", '"StopReason":1,', '"StopReason":null,', "StopReason: null is no integer"),
    ("notification_charge_order_info", '"StopReason":1,', '"StopReason":1.0,', "StopReason: 1.0 is no integer"),
    ("notification_charge_order_info", '"StopReason":1,', '"StopReason":"1",', 'StopReason: "1" is no integer'),
    ("notification_charge_order_info", '"TotalPower":0.66', '"TotalPower":"0.66"', 'TotalPower: "0.66" is no number'),
    ("notification_charge_order_info", '"ConnectorID":"11010500010011"', '"ConnectorID":11010500010011', "is no text"),
    ("notification_charge_order_info", '"11010500010011"', '"%s"' % ("1" * 27), "ConnectorID: 27 characters, more than 26"),
    ("notification_charge_order_info", '"11010500010011"', '""', "ConnectorID: empty"),
    ("notification_charge_order_info", SEQ, SEQ[1:], "StartChargeSeq: "),
    ("notification_charge_order_info", '"TotalPower":0.66', '"TotalPower":0.660', "TotalPower: 0.660 has 3 decimals, not 2"),
    ("notification_charge_order_info", '"TotalMoney":1.07', '"TotalMoney":1', "TotalMoney: 1 has 0 decimals, not 2"),
    ("notification_charge_order_info", "0.4000", "0.4", "ChargeDetails[].SevicePrice: 0.4 has 1 decimals, not 4"),
    ("notification_charge_order_info", '"StopReason":1,', '"StopReason":100,', "StopReason: 100 is not among the values"),
    ("notification_charge_order_info", "2026-01-31 10:10:00", "2026-01-32 10:10:00", "is no date-time"),
    ("notification_charge_order_info", "2026-01-31 10:10:00", "2026-1-31 10:10:00", "is no date-time"),
    ("notification_charge_order_info", '"SumPeriod":1', '"Sum":1', "Sum: not in the standard"),
    ("notification_charge_order_info", '"SumPeriod":1', '"StopReason":1', "StopReason: twice"),
    ("notification_charge_order_info", "[{", "{", None),  # no JSON at all
    ("notification_charge_order_info", '"TotalPower":0.66', '"TotalPower":660.00', "TotalPower: 660.00 kWh, not 0.65 to 0.67"),
    ("notification_charge_order_info", '"TotalMoney":1.07', '"TotalMoney":107.00', "TotalMoney: 107.00 yuan, not "),
    ("notification_charge_order_info", "1.2345", "123.4500", "ElecPrice: 123.4500 yuan/kWh, not "),
    ("query_equip_charge_status", '"CurrentA":266.0', '"CurrentA":266000.0', "CurrentA: 266000.0 A, not "),
    ("query_equip_charge_status", '"VoltageA":400.1', '"VoltageA":0.4', "VoltageA: 0.4 V, not "),
    ("query_equip_charge_status", '"TotalPower":0.66', '"TotalPower":660.00', "TotalPower: 660.00 kWh, not "),
    ("query_equip_charge_status", '"Soc":45.0', '"Soc":0.4', "Soc: 0.4 %, not "),
    ("query_station_stats", '"StationElectricity":0.7', '"StationElectricity":700.0', "StationElectricity: 700.0 kWh, not "),
    ("query_station_stats", '"StartTime":"2026-01-31"', '"StartTime":"2026-01-31 00:00:00"', "is no date"),
    ("query_station_stats", '[{"ConnectorID"', '{"a":[{"ConnectorID"', None),
])
def test_a_wrong_message_is_found(method, right, wrong, finding):
    text = SAMPLES[method][1]
    assert not findings_of(method, text)
    assert right in text
    if finding is None:
        with pytest.raises(ValueError):
            findings_of(method, text.replace(right, wrong, 1))
        return
    found = findings_of(method, text.replace(right, wrong))
    assert any(finding in f for f in found), found


def test_a_wrong_shape_is_found():
    fields = standard.fields_of("notification_stationStatus", "request")
    right = '{"ConnectorStatusInfo":{"ConnectorID":"1","Status":1}}'
    assert conformance.check(fields, right) == ([], {"ConnectorStatusInfo", "ConnectorStatusInfo.ConnectorID",
                                                     "ConnectorStatusInfo.Status"})
    assert conformance.check(fields, right.replace(":{", ":[{", 1).replace("}}", "}]}"))[0] == ["ConnectorStatusInfo.: no object"]
    fields = standard.fields_of("query_station_status", "answer")
    assert conformance.check(fields, '{"StationStatusInfos":{}}')[0] == ["StationStatusInfos[]: no list"]


@pytest.mark.parametrize(("change", "finding"), [
    ({"Seq": "1"}, "Seq"), ({"Seq": 1}, "Seq"), ({"Sig": None}, "Sig"), ({"Sig": "0" * 32}, "Sig"), ({"Sig": "a" * 32}, "Sig"),
    ({"TimeStamp": "20260101000000"}, "TimeStamp"), ({"TimeStamp": "202601010000"}, "TimeStamp"),
    ({"OperatorID": harness.PLATFORM_OPERATOR}, "OperatorID"), ({"Extra": "1"}, "Extra"),
])
def test_a_wrong_envelope_is_found(change, finding):
    keys, head = peer.Keys(*harness.THEIRS), {"Content-Type": "application/json; charset=UTF-8", "Authorization": "Bearer t"}

    def found(headers=head, **more):
        body = peer.seal_request(keys, harness.STATION_OPERATOR, "{}", peer.Sequence(), **more)
        return conformance.check_request_envelope(json.dumps(body), headers, keys, harness.STATION_OPERATOR, False)[0]

    assert not found()
    assert any(f.startswith(finding) for f in found(**change))
    assert found({**head, "Content-Type": "text/plain"}) and found({**head, "Authorization": "t"})


@pytest.mark.parametrize(("right", "wrong", "finding"), [
    ("| request | `EquipAuthSeq` | yes | text up to 27 |\n", "", "EquipAuthSeq: missing"),
    ("`EquipAuthSeq` | yes | text up to 27", "`EquipAuthSeq` | yes | text up to 26", "text up to 26, the standard: text up to 27"),
    ("`EquipAuthSeq` | yes", "`EquipAuthSeq` | no", "optional, the standard: required"),
    ("`TotalOrderPower` | yes | decimal with 4", "`TotalOrderPower` | yes | decimal with 2", "decimal with 2, the standard"),
    ("`TotalOrderPower` | yes | decimal with 4", "`TotalOrderPower` | yes | integer", "integer, the standard: decimal with 4"),
    ("`EquipAuthSeq`", "`EquipAuthSequence`", "EquipAuthSequence: not in the standard"),
    ("### query_equip_auth (the platform calls", "### query_equip_auth (the station calls", "the station calls"),
    ("### check_charge_orders", "### check_charge_order", "missing"),
    ("`QRCode` | no", "`QRCode` | yes", "exception not needed: QRCode"),
])
def test_a_wrong_schema_is_found(right, wrong, finding):
    text = daemon_says("--messages")
    assert right in text
    found = conformance.compare_schema(conformance.read_schema(text.replace(right, wrong)))
    assert any(finding in f for findings in found.values() for f in findings)


def test_a_number_of_the_wrong_party_is_found():
    def found(*messages):
        return [f for _, f in conformance.wrong_serials(messages, harness.STATION_OPERATOR, harness.PLATFORM_OPERATOR)]

    def order(seq):
        return Message("notification_charge_order_info", "request", "station", ORDER.replace(SEQ, seq), {})

    asked = Message("query_start_charge", "request", "platform", '{"StartChargeSeq":"%s"}' % SEQ, {})
    assert not found(asked, order(SEQ))
    made_up = harness.STATION_OPERATOR + SEQ[9:]
    assert found(asked, order(made_up)) == [f"StartChargeSeq: {made_up} is nobody's"]
    check = Message("check_charge_orders", "request", "station", '{"CheckOrderSeq":"%s"}' % SEQ, {})
    assert found(asked, check) == [f"CheckOrderSeq: {SEQ} is not the station's"]


def test_what_never_came_is_found():
    results = conformance.Results()
    results.note("query_station_stats", "answer", "station", {"StationStats"})
    results.conclude()
    found = "\n".join(results.all_findings())
    assert "query_equip_auth: answer of the station: never seen on the wire" in found
    assert "query_station_stats: answer of the station: StationStats.StationElectricity: never seen on the wire" in found
    results.note("query_station_stats", "answer", "station", {"StationStats.StationElectricity"})
    results.conclude()
    assert "StationStats.StationElectricity: unit kWh not proven" in "\n".join(results.all_findings())
