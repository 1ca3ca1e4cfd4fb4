"""Conformance: every message of the protocol, in both directions, between the real daemon, the simulated chargers and the
independent peer, held field by field against the standard (peers/standard.py). What comes out is the table in tests/README.md;
FORECOURT_WRITE=1 writes it anew."""
import datetime
import decimal
import difflib
import json
import os
import re
import socket
import sqlite3
import struct
import subprocess
import time

import pytest

import business
import conformance
import harness
import peer
import standard
from business import new_seq, plug, start, stop, wait_told

pytestmark = pytest.mark.usefixtures("shared_store")

README = harness.ROOT / "tests" / "README.md"
STATION_ID = "110105000100001"
CARD, VIN = "04A1B2C3D4E5F6", "LSVAA49J132047371"
ELEC, SERVICE = decimal.Decimal("1.2345"), decimal.Decimal("0.4")
MAIN, REFUSES, WITHOUT_COMMANDS, WITHOUT_PRICE, DEAF = range(5)  # the chargers' parts in it
POLICY = """return { forecourt = 1, kind = "policy", name = "test",
  prices = function(context)
    if context.connector_id == "%s" then error("no price here") end
    return { { start = "00:00", elec = 1.2345, service = 0.4 }, { start = "12:30", elec = 1.2345, service = 0.4 } }
  end }
"""
MAPPING = """return { forecourt = 1, kind = "operator", name = "test", methods = { %s }, map = { %s },
  timing = { charge_status_s = 1, start_result_s = 6, stop_result_s = 6, reconcile_from_h = %.4f, reconcile_to_h = %.4f } }
"""
# Every text as long as the standard lets it be, in characters, not bytes.
STATION_TEXTS = dict(station_tel="0" * 30, site_guide="路" * 100, match_cars="车" * 100, park_info="层" * 100,
                     busine_hours="时" * 100, electricity_fee="元" * 256, service_fee="元" * 100, park_fee="元" * 100,
                     payment="卡" * 20, remark="注" * 100, support_order=1, picture=["https://example.org/1.jpg"])
CHARGER_TEXTS = dict(manufacturer_id="MA7654321", manufacturer_name="厂" * 30, equipment_model="M" * 20, equipment_name="桩" * 30,
                     production_date="2026-01-31")
CONNECTOR_FIGURES = dict(power_w=120000, voltage_lower=200, voltage_upper=750, current_a=250, park_no="P" * 10)


class Recorder:
    """Everything that goes over the wire, as raw JSON text, with what else is known at that moment."""

    def __init__(self, results):
        self.results, self.messages, self.facts = results, [], {}
        self.sessions = {}  # order number -> the charger's register at start and end
        self.wrong = False  # what the peer asks now is wrong on purpose
        self.ours, self.theirs = peer.Keys(*harness.OURS), peer.Keys(*harness.THEIRS)

    def watch(self, station):
        self.station = station
        station.client.observe = self.asked
        station.server.observe, station.server.observe_answer = self.told, self.answered

    def add(self, method, part, maker, text):
        facts = dict(self.facts)
        if maker == "station" and '"ConnectorStatus"' in text:
            facts["registers"] = registers(self.station, json.loads(text)["ConnectorID"])
        self.messages.append(conformance.Message(method, part, maker, text, facts))

    def asked(self, method, sent, status, headers, text):
        findings, seen = conformance.check_answer_envelope(text, status, headers, self.ours)
        self.results.note("envelope", "answer", "station", seen, (), [f"{method}: {f}" for f in findings])
        answer = json.loads(text)
        if answer["Ret"] == 0 and not self.wrong:
            self.add(method, "request", "platform", self.ours.decrypt(json.loads(sent)["Data"]))
            self.add(method, "answer", "station", self.ours.decrypt(answer["Data"]))

    def told(self, path, headers, text):
        method = path.rsplit("/", 1)[-1]
        findings, seen = conformance.check_request_envelope(text, headers, self.theirs, harness.STATION_OPERATOR,
                                                            method == "query_token")
        self.results.note("envelope", "request", "station", seen, (), [f"{method}: {f}" for f in findings])
        self.add(method, "request", "station", self.theirs.decrypt(json.loads(text)["Data"]))

    def answered(self, path, answer):
        if answer["Ret"] == 0:
            self.add(path.rsplit("/", 1)[-1], "answer", "platform", self.theirs.decrypt(answer["Data"]))

    def conclude(self):
        for message in self.messages:
            fields = standard.fields_of(message.method, message.part)
            findings, seen = conformance.check(fields, message.text)
            proven = set()
            if message.maker == "station" and not findings:
                findings, proven = conformance.check_units(message.method, message.part, message.text, self.facts_of(message))
            self.results.note(message.method, message.part, message.maker, seen, proven, findings)
        for message, finding in conformance.wrong_serials(self.messages, harness.STATION_OPERATOR, harness.PLATFORM_OPERATOR):
            self.results.note(message.method, message.part, message.maker, findings=[finding])

    def facts_of(self, message):
        seq = json.loads(message.text).get("StartChargeSeq")
        return {**message.facts, "session": self.sessions.get(seq), "sessions": self.sessions}


def registers(station, connector_id):
    """Of a connector (the only one of its charger), read now; None when the charger does not answer."""
    index = int(connector_id[-4:-1]) - 1
    try:
        with socket.create_connection(("127.0.0.1", station.charger_port + index), 2) as line:
            line.settimeout(2)
            line.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, 12))
            answer = b""
            while len(answer) < 9 + 24:
                part = line.recv(64)
                if not part or len(answer + part) >= 8 and (answer + part)[7] != 3:
                    return None
                answer += part
    except OSError:
        return None
    words = struct.unpack(">12H", answer[9:33])
    tenth, hundredth = decimal.Decimal("0.1"), decimal.Decimal("0.01")
    return {"volts": words[2] * tenth, "amps": words[3] * tenth, "kwh": (words[6] * 65536 + words[7]) * hundredth,
            "session_kwh": (words[8] * 65536 + words[9]) * hundredth, "soc": words[10] * tenth}


# The station -------------------------------------------------------------------------------------------------------------


def hours_around_now():
    """The hours of reconciliation, so that now stands in their middle, after every station's share of the first half."""
    later = harness.STATISTICS_LATER_S
    harness.away_from_midnight(300 + later, later)  # neither the day of its orders nor that of its statistics changes under it
    now = datetime.datetime.now(peer.SHANGHAI)
    hour = now.hour + now.minute / 60 + now.second / 3600
    half = min(0.5, hour, 24 - hour)
    return hour - half, hour + half


def change_profile(station, name, change):
    text = (station.lua / "profiles" / "forecourt-sim.lua").read_text()
    changed = change(text.replace('name = "forecourt-sim"', f'name = "{name}"'))
    assert changed.count("\n") != text.count("\n")
    (station.lua / "profiles" / f"{name}.lua").write_text(changed)


def three_phases(text):
    """The simulator has one current and one voltage: read as those of all phases."""
    lines = []
    for line in text.splitlines(keepends=True):
        lines.append(line)
        if re.match(r" +(voltage|current)_a ", line):
            lines += [line.replace("_a ", f"_{phase} ", 1) for phase in "bc"]
    return "".join(lines)


def build(make_station, recorder, tcp, methods="", errors=""):
    station = make_station(start=False, tcp=tcp, line_units=(), connectors=1, poll_ms=200)
    station.platform_options.update(iserv=1, policy="test", push_station_info=1, push_stats=1)
    station.station_options.update(STATION_TEXTS)
    for charger in range(tcp):
        station.charger_options[charger] = dict(CHARGER_TEXTS)
        station.connector_options[charger] = CONNECTOR_FIGURES
    change_profile(station, "three-phases", three_phases)
    change_profile(station, "no-commands", lambda text: re.sub(r"  commands = \{.*?\n  \},\n", "", text, flags=re.S))
    station.charger_options[MAIN]["profile"] = "three-phases"
    if tcp > WITHOUT_COMMANDS:
        station.charger_options[WITHOUT_COMMANDS]["profile"] = "no-commands"
    station.write_policy("test", POLICY % station.connector_id(WITHOUT_PRICE))
    station.mapping = "test"
    station.write_mapping("test", MAPPING % ((methods, errors) + hours_around_now()))
    business.confirm_all(station.server)
    station.server.answers["check_charge_orders"] = compared
    recorder.facts = dict(elec=ELEC, service=SERVICE, token_s=7200, power_kw=decimal.Decimal(120), lng="116.480881",
                          lat="39.989410", volts=(200, 750), amps=250,
                          kwh={station.connector_id(i): decimal.Decimal(0) for i in range(tcp)})
    recorder.watch(station)
    station.start_chargers("--speed", "30")
    station.start_gateway()
    for charger in range(tcp):
        station.wait_status(station.connector_id(charger), 1)
    station.client.login()
    return station


def compared(request):
    """The platform's word on the orders of a day: it does not know the first, and has another sum for the second."""
    disputes = [dict(order, reason=reason) for order, reason in zip(request["ChargeOrders"], (1, 2))]
    listed = ",".join('{{"StartChargeSeq":"{StartChargeSeq}","TotalPower":{TotalPower:.2f},"TotalMoney":{TotalMoney:.2f},'
                      '"DisputeReason":{reason}}}'.format(**d) for d in disputes)
    return 0, ('{{"CheckOrderSeq":"{CheckOrderSeq}","StartTime":"{StartTime}","EndTime":"{EndTime}",'.format(**request)
               + f'"TotalDisputeOrder":{len(disputes)},"TotalDisputePower":{sum(d["TotalPower"] for d in disputes):.4f},'
               + f'"TotalDisputeMoney":{sum(d["TotalMoney"] for d in disputes):.2f},"DisputeOrders":[{listed}]}}')


def status_of(station, seq):
    return station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data


def ended(station, recorder, charger, seq):
    """The order of a charge that is over, and what the charger itself says of it."""
    order = wait_told(station, "notification_charge_order_info", seq)
    recorder.sessions[seq] = tuple(json.loads(station.ask_chargers(f"sessions {charger}"))[-1][1:])
    assert status_of(station, seq)["StartChargeSeqStat"] == 4
    return order


def charge(station, charger, kwh):
    """A charge by command that has delivered something; its connector and number."""
    connector, seq = station.connector_id(charger), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqStat"] == 2
    station.until(lambda: status_of(station, seq)["TotalPower"] >= kwh, 60, f"{kwh} kWh")
    return connector, seq


# What happens ------------------------------------------------------------------------------------------------------------


def ask_about_stations(station):
    call, today = station.client.call, str(harness.today())
    assert call("query_stations_info", {"LastQueryTime": "2016-01-02 12:12:12", "PageNo": 1, "PageSize": 10}).ret == 0
    assert call("query_stations_info", {"LastQueryTime": "", "PageNo": 9}).data["StationInfos"] == []
    assert call("query_station_status", {"StationIDs": [STATION_ID, "unknown"]}).data["Total"] == 1
    assert call("query_station_stats", {"StationID": STATION_ID, "StartTime": today, "EndTime": today}).ret == 0
    assert station.client.login(secret="not-the-secret").data["FailReason"] == 2
    assert station.client.login(operator_id="999999999").data["FailReason"] == 1


def auth(station, connector):
    return station.client.call("query_equip_auth", {"EquipAuthSeq": new_seq(), "ConnectorID": connector}).data["FailReason"]


def policy(station, connector):
    return station.client.call("query_equip_business_policy", {"EquipBizSeq": new_seq(), "ConnectorID": connector}).data


def ends(station, recorder):
    """The reasons for which a charge ends."""
    connector = plug(station, MAIN)
    assert auth(station, connector) == 0 and policy(station, connector)["SumPeriod"] == 2
    _, seq = charge(station, MAIN, 0.2)
    station.server.wait(lambda _: len(business.told(station, "notification_equip_charge_status", seq)) >= 5)
    assert auth(station, connector) == 3
    assert stop(station, connector, seq).data["SuccStat"] == 0
    assert wait_told(station, "notification_stop_charge_result", seq)["SuccStat"] == 0
    assert ended(station, recorder, MAIN, seq)["StopReason"] == 1
    assert stop(station, connector, seq).data["FailReason"] == 3
    for command, reason in ((f"stop {MAIN} 1", 2), (f"unplug {MAIN} 1", 4), (f"fault {MAIN} 1 17", 3)):
        if station.statuses(connector)[-1] == 1:
            plug(station, MAIN)
        _, seq = charge(station, MAIN, 0.02)
        station.ask_chargers(command)
        assert ended(station, recorder, MAIN, seq)["StopReason"] == reason
        if reason == 4:
            station.wait_status(connector, 1)


def refusals(station):
    """Every FailReason of a start that a station can be brought to say, and those of a stop."""
    connector, reasons = station.connector_id(REFUSES), []

    def refused(c=connector, seq=None):
        reasons.append(start(station, c, seq or new_seq()).data["FailReason"])

    refused("nobody")
    refused()
    assert auth(station, connector) == 1
    plug(station, REFUSES)
    with sqlite3.connect(station.folder / "data" / "forecourt.db", isolation_level=None) as lock:
        lock.execute("BEGIN IMMEDIATE")  # nobody else can write now
        refused()
        lock.execute("ROLLBACK")
    lock.close()
    _, seq = charge(station, REFUSES, 0.02)
    refused()
    plug(station, WITHOUT_COMMANDS)
    refused(station.connector_id(WITHOUT_COMMANDS))
    refused(station.connector_id(WITHOUT_COMMANDS), seq)
    plug(station, WITHOUT_PRICE)
    refused(station.connector_id(WITHOUT_PRICE))
    assert policy(station, station.connector_id(WITHOUT_PRICE))["FailReason"] == 1
    assert policy(station, "nobody")["FailReason"] == 1
    return connector, seq, reasons


def faulty_and_silent(station, connector):
    reasons = []
    station.ask_chargers(f"fault {REFUSES} 1 17")
    station.wait_status(connector, 255)
    assert auth(station, connector) == 2
    reasons.append(start(station, connector, new_seq()).data["FailReason"])
    station.ask_chargers(f"close {REFUSES}")
    station.wait_status(connector, 0)
    reasons.append(start(station, connector, new_seq()).data["FailReason"])
    station.ask_chargers(f"open {REFUSES}")
    return reasons


def while_deaf(station, ask, ready):
    """The charger takes no command any more, and the gateway has accepted what it is asked before it noticed (3 s)."""
    for _ in range(20):
        station.ask_chargers(f"exception {DEAF} 4")
        seq = ask()
        if seq:
            return seq
        station.ask_chargers(f"normal {DEAF}")
        station.until(ready, 60, "the charger heard again")
    raise AssertionError("never asked in time")


def deaf_charger(station, recorder):
    """A start and a stop that come to nothing, told as that."""
    connector = plug(station, DEAF)

    def accepted(answer):
        return answer.data["SuccStat"] == 0 and answer.data["StartChargeSeq"]

    seq = while_deaf(station, lambda: accepted(start(station, connector, new_seq())), lambda: station.statuses(connector)[-1] == 2)
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqStat"] == 4
    station.ask_chargers(f"normal {DEAF}")
    station.until(lambda: re.search(rf"order {seq}: connector \w+: closed", station.gateway.output()), 60, "the order's end")

    _, seq = charge(station, DEAF, 0.02)
    while_deaf(station, lambda: accepted(stop(station, connector, seq)), lambda: status_of(station, seq)["StartChargeSeqStat"] == 2)
    assert wait_told(station, "notification_stop_charge_result", seq)["SuccStat"] == 1
    station.until(lambda: status_of(station, seq)["ConnectorStatus"] == 0, 60, "the silence noticed")
    assert stop(station, connector, seq).data["FailReason"] == 2
    station.ask_chargers(f"normal {DEAF}")
    station.until(lambda: status_of(station, seq)["StartChargeSeqStat"] == 2, 60, "the charge heard again")
    assert stop(station, connector, seq).data["SuccStat"] == 0
    ended(station, recorder, DEAF, seq)
    assert stop(station, connector, new_seq()).data["FailReason"] == 1


def requests_that_are_wrong(station, recorder):
    """Of each question: a required field that is missing, and one of the wrong type, are refused."""
    recorder.wrong = True
    for method in (m for m in standard.METHODS if m.caller != "station"):
        good = next(json.loads(m.text) for m in reversed(recorder.messages)
                    if (m.method, m.part, m.maker) == (method.name, "request", "platform"))
        for field in (f for f in method.request if f.required):
            for change in ("missing", "wrong type"):
                payload = {k: v for k, v in good.items() if k != field.name}
                if change == "wrong type":
                    payload[field.name] = {"a": 1}
                answer = station.client.call(method.name, payload, token=method.name != "query_token")
                refused = answer.ret == 4004 or (method.name == "query_token" and answer.data["SuccStat"] == 1)
                excepted = (method.name, "request", field.name) in conformance.SCHEMA_EXCEPTIONS and change == "missing"
                if not refused and not excepted:
                    recorder.results.note(method.name, "request", "platform",
                                          findings=[f"{field.name}: {change}, and answered with Ret {answer.ret}"])
    recorder.wrong = False


def the_day_after(station, recorder):
    """The same orders, brought to yesterday in the journal: reconciled, and in the statistics that are pushed."""
    empty = [p for m, p in station.server.received if m == "check_charge_orders"]
    assert [(p["OrderCount"], p["ChargeOrders"]) for p in empty] == [(0, [])]
    station.gateway.stop()
    station.client.close()
    with sqlite3.connect(station.folder / "data" / "forecourt.db") as journal:
        journal.execute("UPDATE orders SET start_wall = start_wall - 86400, end_wall = end_wall - 86400 WHERE closed = 1")
        journal.execute("UPDATE energy SET day = day - 1")
        journal.execute("DELETE FROM checked")
    journal.close()
    before = len(station.server.received)
    station.start_gateway()
    for method in ("check_charge_orders", "notification_station_stats"):
        station.server.wait(lambda received, method=method: [1 for m, _ in received[before:] if m == method])
    request = [p for m, p in station.server.received if m == "check_charge_orders"][-1]
    assert {o["StartChargeSeq"] for o in request["ChargeOrders"]} == set(recorder.sessions)
    # What the platform does not know is sent again.
    first = request["ChargeOrders"][0]["StartChargeSeq"]
    station.server.wait(lambda received: [1 for m, p in received[before:] if m == "notification_charge_order_info"
                                          and p["StartChargeSeq"] == first])


def first_platform(make_station, recorder):
    """The base standard, with every push on."""
    station = build(make_station, recorder, 5)
    at_start = {c: registers(station, c)["kwh"] for c in recorder.facts["kwh"]}
    ask_about_stations(station)
    ends(station, recorder)
    connector, seq, reasons = refusals(station)
    reasons += faulty_and_silent(station, connector)
    ended(station, recorder, REFUSES, seq)
    # 14 (the clock is not set) needs a machine whose clock is wrong.
    assert reasons == [1, 10, 15, 11, 13, 17, 16, 12, 2]
    deaf_charger(station, recorder)
    recorder.facts["kwh"] = {c: registers(station, c)["kwh"] - kwh for c, kwh in at_start.items()}
    ask_about_stations(station)
    requests_that_are_wrong(station, recorder)
    the_day_after(station, recorder)
    station.stop()


def second_platform(make_station, recorder):
    """The city's order, and cards and cars on site."""
    station = build(make_station, recorder, 2, "query_user_auth = true, notification_charge_order_info_for_bonus = true")
    given = new_seq()
    grants = {1: {"StartChargeSeq": given, "UserClass": "gold"}, 2: {"UserClass": ""}}
    station.server.answers["query_user_auth"] = lambda p: (
        0, {"UserAuthSeq": p["UserAuthSeq"], "SuccStat": 0, "FailReason": 0, **grants[p["AuthType"]]})
    for charger, commands in ((0, [f"card 0 1 {CARD}"]), (1, [f"vin 1 1 {VIN}", "start 1 1"])):
        connector = plug(station, charger)
        for command in commands:
            station.ask_chargers(command)
            time.sleep(0.5)  # the VIN must have been read before the car begins
        station.wait_status(connector, 3)
        seq = given if charger == 0 else station.server.wait(lambda received: [
            p["StartChargeSeq"] for m, p in received if m == "query_user_auth" and p["AuthType"] == 2])[0]
        wait_told(station, "notification_start_charge_result", seq)
        station.until(lambda seq=seq: status_of(station, seq)["TotalPower"] >= 0.15, 60, "some energy")
        time.sleep(1)
        assert stop(station, connector, seq).data["SuccStat"] == 0
        assert wait_told(station, "notification_stop_charge_result", seq)["SuccStat"] == 0
        ended(station, recorder, charger, seq)
        bonus = wait_told(station, "notification_charge_order_info_for_bonus", seq)
        assert bonus["UserName"] == (CARD if charger == 0 else "")  # a car is no account
    station.stop()


# A gateway that errs: what its mapping does to messages, and what must be found.
ERRORS = """
  notification_charge_order_info = { request = function(m)
    m.StopReason = nil
    m.TotalPower = fixed(m.TotalPower, 3)
    m.TotalMoney = tostring(m.TotalMoney)
    m.ConnectorID = m.ConnectorID .. string.rep("0", 13)
    return m
  end },
  notification_equip_charge_status = { request = function(m) m.TotalPower = fixed(m.TotalPower * 1000, 2) return m end },
  query_station_status = { answer = function(m) m.Total = 1.5 return m end },
  query_equip_auth = { answer = function(m) m.ConnectorID = nil return m end },
"""
ERRORS_FOUND = (
    r"notification_charge_order_info: request of the station: StopReason: missing",
    r"notification_charge_order_info: request of the station: TotalPower: \d+\.\d{3} has 3 decimals, not 2",
    r"notification_charge_order_info: request of the station: TotalMoney: \"\d+\.\d+\" is no number",
    r"notification_charge_order_info: request of the station: ConnectorID: 27 characters, more than 26",
    r"notification_equip_charge_status: request of the station: TotalPower: \d{3,}\.00 kWh, not [0-9.]+ to [0-9.]+",
    r"query_station_status: answer of the station: Total: 1\.5 is no integer",
    r"query_equip_auth: answer of the station: ConnectorID: missing",
)


def test_a_gateway_that_errs_is_found(make_station):
    recorder = Recorder(conformance.Results())
    station = build(make_station, recorder, 1, errors=ERRORS)
    connector = plug(station)
    auth(station, connector)
    station.client.call("query_station_status", {"StationIDs": [STATION_ID]})
    _, seq = charge(station, MAIN, 0.2)
    count = len(business.told(station, "notification_equip_charge_status", seq))
    station.server.wait(lambda _: len(business.told(station, "notification_equip_charge_status", seq)) > count)
    stop(station, connector, seq)
    ended(station, recorder, MAIN, seq)
    recorder.conclude()
    found = "\n".join(recorder.results.all_findings())
    missed = [pattern for pattern in ERRORS_FOUND if not re.search(pattern, found)]
    assert not missed, f"{missed} not in\n{found}"
    # Of the rest, which the mapping does not touch, there is nothing to find.
    assert {line.split(":")[0] for line in found.splitlines()} == {p.split(":")[0] for p in ERRORS_FOUND}, found


def daemon_says(option):
    program = harness.ROOT / os.environ.get("FORECOURT_BUILD", "build/host") / "forecourtd"
    return subprocess.run([program, option], capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_schema_is_the_standards():
    found = conformance.compare_schema(conformance.read_schema(daemon_says("--messages")))
    assert not {k: v for k, v in found.items() if v}
    assert not conformance.compare_options(daemon_says("--options"))


def test_every_message_in_both_directions(make_station):
    results = conformance.Results()
    schema = conformance.read_schema(daemon_says("--messages"))
    for method, part, maker in results.rows():
        results.note(method.name, part, maker, findings=conformance.compare_schema(schema)[method.name, part])
    recorder = Recorder(results)
    first_platform(make_station, recorder)
    second_platform(make_station, recorder)
    recorder.conclude()
    results.conclude()
    assert not results.all_findings(), "\n".join(results.all_findings())
    text = README.read_text()
    now = conformance.replace(text, conformance.render(results, schema))
    if os.environ.get("FORECOURT_WRITE"):
        README.write_text(now)
        return
    assert now == text, "tests/README.md is not what was found (FORECOURT_WRITE=1 writes it):\n" + "\n".join(
        list(difflib.unified_diff(text.splitlines(), now.splitlines(), lineterm="", n=0))[:40])
