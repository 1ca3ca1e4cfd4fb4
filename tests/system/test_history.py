"""What happened, kept and shown: a charge's curve, its events in order, the life of an order whose platform first refuses it, and all of it
again after a kill."""
import csv
import io
import json
import socket
import time

import harness
from business import new_seq, plug, start, stop, told, wait_told

ORDER = "notification_charge_order_info"
IMPATIENT = """return { forecourt = 1, kind = "operator", name = "test",
  timing = { order_retry_s = { 1 }, charge_status_s = 1 } }"""


def ask(station, command, **arguments):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(str(station.control_socket))
        s.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            more = s.recv(65536)
            assert more, f"{command}: the answer ended after {line!r}"
            line += more
    answer = json.loads(line)
    assert answer.get("ok"), answer
    return answer["result"]


def life(station, seq):
    return ask(station, "order_life", seq=seq)["events"]


def curve(station, connector, back=120, **more):
    now = int(time.time())
    return ask(station, "history", connector=connector, **{"from": now - back, "to": now + 5, **more})


def messages(events, method):
    return [e for e in events if e["kind"] == "message" and e["method"] == method]


def refuse_twice(station):
    """Ret 500, then the platform is gone for one call, then it takes the order."""
    calls = []

    def answer(p):
        calls.append(p["StartChargeSeq"])
        if len(calls) == 1:
            return 500, {}
        return 0, {"StartChargeSeq": p["StartChargeSeq"], "ConnectorID": p["ConnectorID"], "ConfirmResult": 0}

    station.server.answers[ORDER] = answer


def charge(station, seconds):
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    station.wait_status(connector, 3)
    station.until(lambda: len([p for p in curve(station, connector)["power_w"] if p]) >= seconds / 5, 120, "a curve")
    assert stop(station, connector, seq).data["SuccStat"] == 0
    return connector, seq


def check_curve(station, connector, step):
    found = curve(station, connector, points=1000)
    assert found["step_s"] == step and len(found["power_w"]) == found["count"] == len(found["soc"])
    power = [p for p in found["power_w"] if p is not None]
    voltage = [v for v in found["voltage_dv"] if v is not None]
    # Nothing is known of the time before; and what is known is believable: W, 0.1 V.
    assert found["power_w"][0] is None and power and max(power) > 1000, found
    assert voltage and 1000 < max(voltage) < 12000, found
    return power


def test_a_charge_and_the_life_of_its_order(charging):
    station = charging(tcp=1, line_units=(), connectors=1, mapping_text=IMPATIENT)
    refuse_twice(station)
    before = int(time.time())
    connector, seq = charge(station, 15)
    station.until(lambda: len(told(station, ORDER, seq)) == 2, 60, "the order told twice")
    station.until(lambda: any(e.get("answer") == "confirmed" for e in life(station, seq)), 60, "the confirmation")
    check_curve(station, connector, 5)

    events = life(station, seq)
    assert [e["id"] for e in events] == sorted(e["id"] for e in events)
    assert all(before <= e["at"] <= time.time() + 1 for e in events)
    sessions = [(e.get("from"), e["to"]) for e in events if e["kind"] == "session"]
    assert sessions[:2] == [("idle", "starting"), ("starting", "charging")], sessions
    assert sessions[-2:] == [("charging", "stopping"), ("stopping", "ended")], sessions
    commands = [(e["to"], e["who"], e["text"]) for e in events if e["kind"] == "command"]
    assert commands == [("start", "p1", "accepted"), ("stop", "p1", "accepted")]
    asked = messages(events, "query_start_charge")
    assert len(asked) == 1 and asked[0]["direction"] == "in" and asked[0]["ret"] == 0 and asked[0]["answer"] == "accepted"
    assert asked[0]["platform"] == "p1" and asked[0]["duration_ms"] >= 0
    assert messages(events, "notification_start_charge_result")[0]["answer"] == "taken"
    # First refused, then confirmed: the tries are counted, and the refusal says why.
    tries = messages(events, ORDER)
    assert [t["attempt"] for t in tries] == [1, 2] and [t["ret"] for t in tries] == [500, 0], tries
    assert "500" in tries[0]["text"] and tries[1]["answer"] == "confirmed"
    # States come every second: the first and the last are told, with their number.
    states = messages(events, "notification_equip_charge_status")
    assert len(states) == 2 and "count" not in states[0] and states[1]["count"] >= 3 and states[1]["failed"] == 0, states
    closed = [e for e in events if e["kind"] == "order"]
    assert len(closed) == 1 and closed[0]["to"] == "closed" and closed[0]["energy_wh"] > 0 and closed[0]["reason"] == 1
    ids = [e["id"] for e in events]
    assert ids.index(closed[0]["id"]) < ids.index(tries[0]["id"]) < ids.index(tries[1]["id"])

    # The connector's own: statuses among them, no messages.
    own = ask(station, "events", connector=connector, limit=100)["events"]
    assert {e["kind"] for e in own} >= {"session", "status", "command", "order"} and not [e for e in own if e["kind"] == "message"]
    statuses = [(e["from"], e["to"]) for e in reversed(own) if e["kind"] == "status"]
    assert ("idle", "occupied") in statuses and ("occupied", "charging") in statuses and ("charging", "occupied") in statuses
    first = ask(station, "events", connector=connector, limit=3)
    rest = ask(station, "events", connector=connector, limit=100, after=first["next"])["events"]
    assert [e["id"] for e in first["events"] + rest] == [e["id"] for e in own]

    resent = station.cli("orders", "resend", seq)
    assert resent.returncode == 0, resent.stderr
    station.until(lambda: len(told(station, ORDER, seq)) == 3, 60, "the order told again")
    station.until(lambda: len(messages(life(station, seq), ORDER)) == 3, 60, "its answer")
    assert [e["who"].split()[0] for e in life(station, seq) if e["kind"] == "resend"] == ["user"]

    shown = station.cli("orders", "show", seq, "--life")
    assert shown.returncode == 0 and "confirmed" in shown.stdout and ORDER in shown.stdout and "Ret 500" in shown.stdout, shown.stdout
    chinese = station.cli("orders", "show", seq, "--life", LC_ALL="zh_CN.UTF-8")
    assert chinese.returncode == 0 and "全过程" in chinese.stdout and "确认" in chinese.stdout, chinese.stdout
    raw = json.loads(station.cli("orders", "show", seq, "--life", "--json").stdout)
    assert [e["id"] for e in raw["events"]] == [e["id"] for e in life(station, seq)]

    # What the order's end took along is there after a kill; what waited for company in memory is not, by design.
    durable = life(station, seq)
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    station.start_gateway()
    again = life(station, seq)
    end = durable.index(closed[0]) + 1
    assert again[:end] == durable[:end]
    # Nor is a confirmation, which waits for company, too: then the order is told once more.
    anew = [e for e in again[end:] if e not in durable]
    assert all(e["kind"] == "message" and e["method"] == ORDER and e["id"] > durable[end - 1]["id"] for e in anew), anew
    assert [e["to"] for e in again if e["kind"] == "session"] == [e["to"] for e in durable if e["kind"] == "session"]
    # An orderly end loses nothing.
    again = life(station, seq)
    station.gateway.stop()
    station.start_gateway()
    assert life(station, seq)[:len(again)] == again


def test_curves_survive_a_restart(charging):
    station = charging(tcp=2, line_units=(), connectors=1)
    connector, _seq = charge(station, 10)
    before = check_curve(station, connector, 5)
    station.gateway.stop()
    station.start_gateway()
    after = check_curve(station, connector, 5)
    # The minute's mean lies within what was seen.
    assert min(before) - 10 <= max(after) <= max(before) + 10
    # A connector that did not charge has nothing, and one that is not there is no connector.
    idle = curve(station, station.connector_id(1))
    assert not [p for p in idle["power_w"] if p is not None]
    minutes = curve(station, connector, back=7200)
    assert minutes["step_s"] % 60 == 0 and [p for p in minutes["power_w"] if p is not None]


def test_orders_are_found_and_exported(charging):
    harness.away_from_midnight()  # both orders are of the day that is compared
    station = charging(tcp=2, line_units=(), connectors=1)
    connector, seq = charge(station, 5)
    wait_told(station, ORDER, seq)
    station.server.answers[ORDER] = lambda p: (0, {"StartChargeSeq": p["StartChargeSeq"], "ConnectorID": p["ConnectorID"], "ConfirmResult": 1})
    second_connector, second = plug(station, 1), new_seq()
    assert start(station, second_connector, second).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", second)
    station.wait_status(second_connector, 3)

    def seqs(**arguments):
        return [o["seq"] for o in ask(station, "orders", **arguments)["orders"]]

    station.until(lambda: seqs(state="confirmed") == [seq], 60, "the confirmation")
    assert seqs(state="open") == [second] and seqs(connector=connector) == [seq] and not seqs(connector=second_connector)
    time.sleep(2)
    assert stop(station, second_connector, second).data["SuccStat"] == 0
    wait_told(station, ORDER, second)
    station.until(lambda: seqs(state="disputed") == [second], 60, "the dispute")
    assert seqs() == [second, seq] and seqs(state="confirmed") == [seq] and not seqs(state="waiting")
    assert seqs(search=seq[-10:]) == [seq] and seqs(search=second_connector[-6:].lower()) == [second] and seqs(search="P1") == [second, seq]
    assert not seqs(search="%") and not seqs(search="nothing like it")
    assert any("disputed (1)" == e.get("answer") for e in life(station, second))

    made = ask(station, "orders_csv")
    assert set(made) == {"file", "type", "text"} and made["file"].endswith(".csv") and made["text"].startswith("\ufeffseq,")
    rows = list(csv.DictReader(io.StringIO(made["text"][1:])))
    assert [r["seq"] for r in rows] == [seq, second] and rows[1]["told"] == "disputed" and float(rows[0]["energy_kwh"]) > 0
    exported = list(csv.DictReader(io.StringIO(station.cli("orders", "export").stdout)))
    assert exported == rows

    station.server.answers["check_charge_orders"] = lambda p: (0, {
        "CheckOrderSeq": p["CheckOrderSeq"], "StartTime": p["StartTime"], "EndTime": p["EndTime"], "TotalDisputeOrder": 1,
        "TotalDisputePower": 0, "TotalDisputeMoney": 0,
        "DisputeOrders": [{"StartChargeSeq": seq, "TotalPower": 1, "TotalMoney": 9, "DisputeReason": 2}]})
    day = str(harness.today())

    def compared_today():
        """Without the day before, which the gateway compares by itself if this test is run in the small hours."""
        return [c for c in ask(station, "checks")["checks"] if c["date"] == day]

    assert compared_today() == []
    compared = ask(station, "reconcile", platform="p1", date=day)
    assert [(d["seq"], d["reason_name"]) for d in compared["differences"]] == [(seq, "TotalMoney")]
    checks = compared_today()
    assert [(c["platform"], c["date"], c["orders"], c["differences"]) for c in checks] == [("p1", day, 2, 1)], checks
    assert checks[0]["money_e4"] == compared["money_e4"] and ask(station, "checks", platform="none") == {"checks": []}
