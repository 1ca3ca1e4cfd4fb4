"""The tools of the person who looks for a fault from afar, through the control socket: message log and replay, log viewer, conformance
run, trace files, support bundle. The platform is the independent Python peer."""
import base64
import gzip
import io
import json
import re
import signal
import socket
import subprocess
import tarfile
import time

import business
import harness
from business import new_seq, plug, start, stop, wait_told

VIN, PHONE, CARD = "LSVAA49J132047883", "13812345678", "6222020200001234567"


def ask(station, command, timeout=60, **arguments):
    """The whole answer of the daemon."""
    request = {"command": command}
    if arguments:
        request["arguments"] = arguments
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(timeout)
        s.connect(str(station.control_socket))
        s.sendall(json.dumps(request).encode() + b"\n")
        data = b""
        while not data.endswith(b"\n"):
            part = s.recv(1 << 20)
            assert part, data[-200:]
            data += part
    return json.loads(data)


def good(station, command, **arguments):
    answer = ask(station, command, **arguments)
    assert answer["ok"], (command, arguments, answer)
    return answer["result"]


def refused(station, code, command, **arguments):
    answer = ask(station, command, **arguments)
    assert not answer["ok"] and answer["code"] == code, (command, arguments, answer)
    return answer["error"]


class Strict:
    """Makes the Python peer answer what a platform must refuse, and forgets the problems that a run makes on purpose."""

    def __init__(self, server):
        self.server, self.take, self.wrong = server, server.take, []
        server.take = self

    def __call__(self, path, authorization, body):
        before = len(self.server.problems)
        try:
            answer = self.take(path, authorization, body)
        except Exception:  # noqa: BLE001 - whatever the peer's cryptography says of rubbish
            answer = self.server.reply(4004, msg="Data")
        self.wrong += self.server.problems[before:]
        del self.server.problems[before:]
        return answer


def ended(station, platform="p1", timeout=120):
    return station.until(lambda: (lambda r: r if r["state"] == "ended" else None)(good(station, "conformance_report", platform=platform)),
                         timeout, "the end of the run")


def session_of(station, connector):
    return good(station, "connectors", connector=connector)["connectors"][0]["session"]


def message_of(report, method, caller="station"):
    return next(m for m in report["messages"] if m["method"] == method and m["caller"] == caller)


def check_of(report, name):
    return next(c for c in report["checks"] if c["check"] == name)


def test_messages_of_both_directions_can_be_listed_filtered_and_followed(station):
    station.wait_status(station.connector_id(0), 1)
    assert station.client.login().ret == 0
    assert station.client.call("query_station_status", {"StationIDs": ["110105000100001"]}).ret == 0
    assert station.client.call("query_stations_info", {"PageNo": 0}).ret == 4004
    newest = lambda: good(station, "messages", limit=1)["messages"][-1]["id"]  # noqa: E731
    # The first statuses of all connectors are on their way still.
    station.until(lambda: (lambda before: time.sleep(1) or newest() == before)(newest()), 30, "a quiet moment")
    page = good(station, "messages", limit=500)
    messages = page["messages"]
    ids = [m["id"] for m in messages]
    assert ids == sorted(ids) and page["next"] == str(ids[-1])
    pushed = [m for m in messages if m["method"] == "notification_stationStatus"]
    assert pushed and all(m["direction"] == "out" and m["ret"] == 0 and m["http"] == 200 and m["duration_us"] > 0
                          and m["platform"] == "p1" and m["outcome"] == "accepted" for m in pushed)
    assert json.loads(pushed[0]["request"])["ConnectorStatusInfo"]["ConnectorID"].startswith("1101050001")
    assert json.loads(pushed[0]["answer"]) == {"Status": 0}
    assert abs(pushed[0]["at"] - time.time()) < 3600
    asked = [m for m in messages if m["method"] == "query_station_status"]
    assert len(asked) == 1 and asked[0]["direction"] == "in" and asked[0]["answer_bytes"] > 100
    assert json.loads(asked[0]["answer"])["StationStatusInfos"][0]["StationID"] == "110105000100001"
    # No secret, no token: neither of a log-in of theirs nor of ours.
    text = json.dumps(messages)
    logins = [m for m in messages if m["method"] == "query_token"]
    assert {m["direction"] for m in logins} == {"in", "out"}
    for secret in harness.OURS + harness.THEIRS + (station.client.token, "token-0001-of-the-python-peer"):
        assert secret not in text
    # Filters.
    failed = good(station, "messages", failed=True)["messages"]
    assert [(m["method"], m["ret"]) for m in failed] == [("query_stations_info", 4004)] and "PageNo" in failed[0]["why"]
    assert good(station, "messages", platform="nobody")["messages"] == []
    assert {m["method"] for m in good(station, "messages", method="query_token")["messages"]} == {"query_token"}
    assert {m["direction"] for m in good(station, "messages", direction="in")["messages"]} == {"in"}
    brief = good(station, "messages", brief=True, limit=2)
    assert len(brief["messages"]) == 2 and "request" not in brief["messages"][0] and brief["earlier"] == str(brief["messages"][0]["id"])
    before = good(station, "messages", before=brief["earlier"], limit=1)["messages"]
    assert before[0]["id"] < brief["messages"][0]["id"]
    one = good(station, "message", id=asked[0]["id"])
    assert one == asked[0]
    # Followed: only what is new.
    assert good(station, "messages", after=page["next"])["messages"] == []
    assert station.client.call("query_station_status", {"StationIDs": ["110105000100001"]}).ret == 0
    new = good(station, "messages", after=page["next"])["messages"]
    assert [m["method"] for m in new if m["direction"] == "in"] == ["query_station_status"]


def test_a_message_is_sent_again_only_where_that_does_no_harm(charging):
    station = charging()
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    wait_told(station, "notification_equip_charge_status", seq)
    assert station.client.call("query_equip_business_policy", {"EquipBizSeq": new_seq(), "ConnectorID": connector}).ret == 0

    def last(method):
        return good(station, "messages", method=method, limit=1)["messages"][0]


    again = good(station, "message_replay", id=last("notification_stationStatus")["id"])
    assert again["sent"] and again["message"]["method"] == "notification_stationStatus" and again["message"]["ret"] == 0
    assert json.loads(again["message"]["request"])["ConnectorStatusInfo"]["Status"] in (1, 2, 3)
    count = len(business.told(station, "notification_equip_charge_status", seq))
    again = good(station, "message_replay", id=last("notification_equip_charge_status")["id"])
    assert again["sent"] and len(business.told(station, "notification_equip_charge_status", seq)) > count
    # A question: what our server would answer, and nothing passes.
    newest = good(station, "messages", limit=1)["next"]
    shown = good(station, "message_replay", id=last("query_equip_business_policy")["id"])
    assert not shown["sent"] and shown["ret"] == 0 and json.loads(shown["answer"])["SumPeriod"] >= 1
    assert not [m for m in good(station, "messages", after=newest)["messages"] if m["method"] == "query_equip_business_policy"]
    # Never these.
    for method in ("query_start_charge", "notification_start_charge_result", "query_token"):
        assert "again" in refused(station, "invalid", "message_replay", id=last(method)["id"])
    assert stop(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_charge_order_info", seq)
    station.until(lambda: good(station, "messages", method="notification_charge_order_info")["messages"], 30, "the order's call")
    orders = len(business.told(station, "notification_charge_order_info", seq))
    for method in ("query_stop_charge", "notification_charge_order_info", "notification_stop_charge_result"):
        refused(station, "invalid", "message_replay", id=last(method)["id"])
    assert "does not run" in refused(station, "not found", "message_replay", id=last("notification_equip_charge_status")["id"])
    assert len(business.told(station, "notification_charge_order_info", seq)) == orders
    refused(station, "not found", "message_replay", id=2 ** 31 - 1)
    audit = good(station, "audit", limit=50)["audit"]
    assert sum(a["command"] == "message_replay" for a in audit) >= 9


def test_the_log_is_kept_filtered_and_followed(station):
    station.wait_status(station.connector_id(0), 1)
    page = good(station, "log", limit=500)
    lines = page["lines"]
    assert [line["id"] for line in lines] == list(range(lines[0]["id"], lines[0]["id"] + len(lines)))
    assert any("forecourtd" in line["text"] and "starts with" in line["text"] for line in lines)
    assert all(line["level"] in ("error", "warning", "notice", "info", "debug") and "\n" not in line["text"] for line in lines)
    assert all(abs(line["at"] - time.time()) < 3600 for line in lines)
    notices = good(station, "log", level="notice")["lines"]
    assert notices and all(line["level"] in ("error", "warning", "notice") for line in notices)
    assert all(line["text"].startswith("main:") for line in good(station, "log", room="main")["lines"])
    found = good(station, "log", search="STARTS WITH")["lines"]
    assert len(found) == 1 and "starts with" in found[0]["text"]
    last = good(station, "log", limit=1)
    assert len(last["lines"]) == 1 and last["earlier"] == str(last["lines"][0]["id"])
    assert good(station, "log", before=last["earlier"], limit=1)["lines"][0]["id"] == last["lines"][0]["id"] - 1
    assert station.client.login(secret="wrong-secret-000").data["SuccStat"] == 1
    assert station.client.call("query_stations_info", {"PageNo": 1}, token="nobody").ret == 4002
    new = good(station, "log", after=last["next"])["lines"]
    assert new and all(line["id"] > int(last["next"]) for line in new)
    assert any("query_stations_info" in line["text"] for line in new)
    text = json.dumps(good(station, "log", limit=500))
    for secret in harness.OURS + harness.THEIRS:
        assert secret not in text
    done = station.cli("log", "--level", "notice", "--limit", "5")
    assert done.returncode == 0 and "notice" in done.stdout and len(done.stdout.splitlines()) <= 5
    assert station.cli("log", "--level", "loud").returncode == 2
    rows = [json.loads(line) for line in station.cli("log", "--json", "--limit", "3").stdout.splitlines()]
    assert len(rows) == 3 and {"id", "at", "level", "text"} <= set(rows[0])


def test_the_log_ring_is_bounded_and_can_be_off(make_station):
    station = make_station(start=False)
    station.gateway_options["log_kb"] = 1
    station.start_chargers()
    station.start_gateway()
    station.wait_status(station.connector_id(0), 1)
    for _ in range(40):
        station.client.call("query_stations_info", {"PageNo": 1}, token="nobody")
    page = good(station, "log", limit=500)
    assert 1 <= len(page["lines"]) < 30 and page["lines"][0]["id"] > 10
    assert sum(len(line["text"]) for line in page["lines"]) <= 1024
    assert good(station, "log", after="1")["lost"] == page["lines"][0]["id"] - 2
    station.gateway_options["log_kb"] = 0
    station.write_config()
    station.gateway.popen.send_signal(1)
    station.until(lambda: good(station, "log").get("off"), 30, "the ring to be off")
    done = station.cli("log")
    assert done.returncode == 1 and "log_kb" in done.stderr


BAD = [
    ("messages", dict(limit=0)), ("messages", dict(limit=501)), ("messages", dict(limit="5")), ("messages", dict(after="")),
    ("messages", dict(after="-1")), ("messages", dict(after="1e3")), ("messages", dict(after="18446744073709551616")),
    ("messages", dict(after="1", before="2")), ("messages", dict(platform="x" * 64)), ("messages", dict(method="")),
    ("messages", dict(failed=1)), ("messages", dict(unknown=1)), ("message", {}), ("message", dict(id=0)), ("message", dict(id=-1)),
    ("message", dict(id="1")), ("message", dict(id=2 ** 40)), ("message_replay", dict(id=1.5)), ("log", dict(level="loud")),
    ("log", dict(level="\x00")), ("log", dict(search="x" * 101)), ("log", dict(room="a\u0000b")), ("log", dict(after="x")),
    ("conformance", {}), ("conformance", dict(platform="p1", seconds=4)), ("conformance", dict(platform="p1", seconds=3601)),
    ("conformance", dict(platform="p1", connector="x" * 40)), ("conformance_report", dict(platform="")),
    ("trace_file", dict(form="zip")), ("support_bundle", dict(all=True)),
]


def test_hostile_arguments_are_refused(station):
    for command, arguments in BAD:
        refused(station, "invalid", command, **arguments)
    refused(station, "not found", "message", id=2 ** 31 - 1)
    refused(station, "not found", "conformance", platform="'; DROP TABLE")
    refused(station, "not found", "conformance_report", platform="p1")
    refused(station, "not found", "conformance", platform="p1", connector="1234")
    assert good(station, "messages", after="18446744073709551615")["messages"] == []
    assert good(station, "messages", before="0")["messages"] == []


def prepare_answers(server):
    """A test system without fault: what the run sends by itself is answered to the letter."""
    business.confirm_all(server)
    server.answers["check_charge_orders"] = lambda p: (0, {
        "CheckOrderSeq": p["CheckOrderSeq"], "StartTime": p["StartTime"], "EndTime": p["EndTime"], "TotalDisputeOrder": 0,
        "TotalDisputePower": 0.0, "TotalDisputeMoney": 0.0, "DisputeOrders": []})


def test_a_conformance_run_without_fault(charging):
    station = charging(platform={"push_station_info": 1, "push_stats": 1})
    prepare_answers(station.server)
    strict = Strict(station.server)
    begun = good(station, "conformance", platform="p1", seconds=60)
    assert begun["state"] == "running" and "verdict" not in begun
    assert "under way" in refused(station, "busy", "conformance", platform="p1")
    connector = station.connector_id(0)
    for method, payload in (("query_stations_info", {"PageNo": 1}), ("query_station_status", {"StationIDs": ["110105000100001"]}),
                            ("query_station_stats", {"StationID": "110105000100001", "StartTime": "2026-01-01", "EndTime": "2026-01-01"}),
                            ("query_equip_auth", {"EquipAuthSeq": new_seq(), "ConnectorID": connector}),
                            ("query_equip_business_policy", {"EquipBizSeq": new_seq(), "ConnectorID": connector})):
        assert station.client.call(method, payload).ret == 0, method
    assert station.client.login().ret == 0
    report = ended(station)
    assert report["ended"] == "complete", report
    by = {(m["method"], m["caller"]): m for m in report["messages"]}
    for method in ("query_token", "notification_stationStatus", "notification_stationInfo", "notification_station_stats", "check_charge_orders"):
        assert by[method, "station"]["verdict"] == "passed", by[method, "station"]
    for method in ("query_token", "query_stations_info", "query_station_status", "query_station_stats", "query_equip_auth",
                   "query_equip_business_policy"):
        assert by[method, "platform"]["verdict"] == "passed", by[method, "platform"]
    # Honest about what was not done.
    for method, caller in (("query_start_charge", "platform"), ("notification_start_charge_result", "station"),
                           ("notification_charge_order_info", "station")):
        assert by[method, caller]["verdict"] == "not_exercised" and by[method, caller]["reason"], by[method, caller]
    assert "no connector was named" in by["notification_charge_order_info", "station"]["reason"]
    assert not by["query_user_auth", "station"]["enabled"] and "switched off" in by["query_user_auth", "station"]["reason"]
    assert report["verdict"] == "incomplete" and report["totals"]["failed"] == 0
    checks = {c["check"]: c["verdict"] for c in report["checks"]}
    assert all(verdict == "passed" for verdict in checks.values()), report["checks"]
    assert any("signature" in problem for problem in strict.wrong)
    # Real operation went on, and nothing of the traps is held against the platform.
    status = good(station, "status")
    assert status["platforms"][0]["linked"] and not status["platforms"][0].get("last_error")
    assert sum(m.get("is_test", False) for m in good(station, "messages", limit=500, brief=True)["messages"]) == 4
    # To hand in.
    for form, language, words in (("html", "en", "NOT EXERCISED"), ("html", "zh", "未测试"), ("text", "en", "incomplete"), ("text", "zh", "互联互通")):
        page = good(station, "conformance_report", platform="p1", form=form, language=language)
        assert set(page) == {"file", "type", "text"} and words in page["text"] and "110105000100001" in page["text"]
        assert "示范充电站" in page["text"] and "notification_stationStatus" in page["text"]
        assert "<script" not in page["text"]
    refused(station, "invalid", "conformance_report", platform="p1", form="pdf")
    refused(station, "invalid", "conformance_report", platform="p1", form="html", language="fr")
    # Once more, from the beginning.
    assert good(station, "conformance", platform="p1", seconds=5)["totals"]["passed"] < report["totals"]["passed"]
    assert ended(station)["ended"] == "deadline"


def test_a_conformance_run_finds_the_faults_of_a_platform(charging):
    station = charging(platform={"push_station_info": 1})
    server = station.server
    prepare_answers(server)
    # Takes everything, whatever the signature; forgets a required field; says an integer as a text; discards; is slow.
    Strict(server)
    right = server.keys.sign
    server.answers["check_charge_orders"] = lambda p: (0, {"CheckOrderSeq": 17, "StartTime": "yesterday", "EndTime": p["EndTime"],
                                                           "TotalDisputeOrder": "0", "TotalDisputePower": 0, "TotalDisputeMoney": 0,
                                                           "extra": 1})
    server.answers["notification_stationInfo"] = lambda p: (0, {"Status": 1})
    take = server.take

    def lenient(path, authorization, body):
        envelope = json.loads(body)
        if path.endswith("notification_stationStatus"):
            envelope["Sig"] = right("".join(envelope[k] for k in ("OperatorID", "Data", "TimeStamp", "Seq")))
        return take(path, authorization, json.dumps(envelope).encode())

    server.take = lenient
    good(station, "conformance", platform="p1", seconds=12)
    report = ended(station)
    assert report["ended"] == "deadline" and report["verdict"] == "failed"
    check = message_of(report, "check_charge_orders")
    texts = {f["text"]: f["level"] for f in check["findings"]}
    assert check["verdict"] == "failed", check
    assert texts["DisputeOrders: missing, and required"] == "defect" and texts["TotalDisputeOrder: a text where a number is due"] == "note"
    assert texts["StartTime: not a time yyyy-MM-dd HH:mm:ss"] == "defect" and texts["extra: not in the standard"] == "note"
    info = message_of(report, "notification_stationInfo")
    assert info["verdict"] == "failed" and "says no" in info["findings"][0]["text"]
    assert check_of(report, "refuses_wrong_signature") == {"check": "refuses_wrong_signature", "verdict": "failed", "text": "Ret 0"}
    assert check_of(report, "refuses_wrong_token")["verdict"] == "passed"
    assert check_of(report, "refuses_wrong_secret")["verdict"] == "passed"
    # What the platform was to do and did not.
    never = message_of(report, "query_stations_info", "platform")
    assert never["verdict"] == "not_exercised" and "did not call" in never["reason"]
    assert check_of(report, "their_calls_proven")["verdict"] == "not_exercised"


def test_a_conformance_run_against_a_platform_that_is_down(charging):
    station = charging()

    def down(*unused):
        raise ConnectionResetError

    station.server.take = down
    # What was on its way then may still be answered, and would rightly count: first a call must fail.
    station.ask_chargers("plug 0 1")
    station.until(lambda: any(m["direction"] == "out" for m in good(station, "messages", failed=True)["messages"]), 60, "a call that fails")
    good(station, "conformance", platform="p1", seconds=8)
    report = ended(station)
    assert report["verdict"] == "failed" and report["ended"] == "deadline"
    assert not any(m["verdict"] == "passed" for m in report["messages"])
    assert not any(c["verdict"] == "passed" for c in report["checks"] if c["check"].startswith(("refuses", "answers", "their", "tls")))


def test_a_trial_charge_is_made_only_where_a_connector_is_named(charging):
    station = charging()
    prepare_answers(station.server)
    Strict(station.server)
    connector = station.connector_id(0)
    assert "plugged in" in refused(station, "busy", "conformance", platform="p1", connector=connector)
    plug(station)
    good(station, "conformance", platform="p1", connector=connector, seconds=120, trial_s=2)
    station.client.call("query_stations_info", {"PageNo": 1})
    for method, payload in (("query_station_status", {"StationIDs": ["110105000100001"]}),
                            ("query_station_stats", {"StationID": "110105000100001", "StartTime": "2026-01-01", "EndTime": "2026-01-01"}),
                            ("query_equip_auth", {"EquipAuthSeq": new_seq(), "ConnectorID": connector}),
                            ("query_equip_business_policy", {"EquipBizSeq": new_seq(), "ConnectorID": connector})):
        station.client.call(method, payload)
    station.client.login()
    report = ended(station, timeout=180)
    assert "trial" not in report and report["trial_seq"], report
    for method in ("notification_start_charge_result", "notification_equip_charge_status", "notification_stop_charge_result",
                   "notification_charge_order_info"):
        assert message_of(report, method)["verdict"] == "passed", message_of(report, method)
    order = business.told(station, "notification_charge_order_info", report["trial_seq"])
    assert len(order) == 1 and order[0]["ConnectorID"] == connector
    station.until(lambda: session_of(station, connector) != "charging", 30, "the end of the trial")
    assert good(station, "order", seq=report["trial_seq"])["platform"] == "p1"


def test_the_deadline_stops_a_trial_charge(charging):
    station = charging()
    prepare_answers(station.server)
    Strict(station.server)
    connector = plug(station)
    good(station, "conformance", platform="p1", connector=connector, seconds=8, trial_s=3000)
    report = ended(station)
    assert report["ended"] == "deadline" and report["trial_seq"]
    wait_told(station, "notification_stop_charge_result", report["trial_seq"])
    wait_told(station, "notification_charge_order_info", report["trial_seq"])


def test_a_reload_that_drops_the_platform_stops_its_trial_charge(charging):
    """The section is made anew: what watched over the charge is gone, so the charge must not run on."""
    station = charging()
    prepare_answers(station.server)
    Strict(station.server)
    connector = plug(station)
    good(station, "conformance", platform="p1", connector=connector, seconds=300, trial_s=300)
    station.until(lambda: session_of(station, connector) == "charging", 60, "the trial charge")
    station.platform_options.update(url="https://localhost:9/elsewhere")
    station.write_config()
    station.gateway.popen.send_signal(signal.SIGHUP)
    station.until(lambda: session_of(station, connector) != "charging", 60, "the end of the trial")
    assert station.gateway.popen.poll() is None


def test_the_trace_is_a_file(station, tmp_path):
    station.wait_status(station.connector_id(0), 1)

    def traced():
        made = good(station, "trace_file")
        assert made["file"].endswith(".pcapng") and set(made) == {"file", "type", "base64"}
        data = base64.b64decode(made["base64"], validate=True)
        assert data[:4] == b"\x0a\x0d\x0d\x0a" and data.count(b"tcp0") <= 1
        return data if b"tcp0" in data and b"line0" in data and len(data) > 1000 else None

    data = station.until(traced, 60, "frames of both lines")
    one = base64.b64decode(good(station, "trace_file", form="pcapng", line="tcp0")["base64"])
    assert b"line0" not in one and len(one) < len(data)
    assert good(station, "trace_file", form="candump")["text"] == ""  # there is no CAN on this station
    refused(station, "not found", "trace_file", line="nowhere")


def test_a_support_bundle_has_all_and_tells_nothing_secret(charging, tmp_path):
    def strange(server):
        server.answers["notification_stationStatus"] = lambda p: (
            0, {"Status": 0, "Vin": VIN, "remark": f"call {PHONE} card {CARD}", "token": "T0kenT0kenT0kenT0kenT0kenT0kenT0kenT0kenX"})

    station = charging(prepare=lambda s: strange(s.server))
    station.server.answers["notification_charge_order_info"] = lambda p: (4004, None)
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    # A platform that says a driver's card and one of our secrets in its Msg, which goes into the log and the last error.
    station.server.take = lambda path, authorization, body: {
        "Ret": 4004, "Msg": f"user {PHONE} {CARD} {VIN} key {harness.THEIRS[1]}", "Data": "",
        "Sig": station.server.keys.sign(f"4004user {PHONE} {CARD} {VIN} key {harness.THEIRS[1]}")}
    assert stop(station, connector, seq).data["SuccStat"] == 0
    station.until(lambda: good(station, "messages", failed=True)["messages"], 60, "a refusal")
    station.config_file.write_text("# a comment with station-operator-secret\n" + station.config_file.read_text())
    made = good(station, "support_bundle")
    assert re.fullmatch(r"forecourt-support-\d{14}\.tar\.gz", made["file"]) and set(made) == {"file", "type", "base64"}
    data = base64.b64decode(made["base64"], validate=True)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        files = {m.name.removeprefix("forecourt-support/"): tar.extractfile(m).read() for m in tar.getmembers()}
    assert {"version.txt", "config.txt", "status.json", "connectors.json", "bus_stats.json", "messages.json", "audit.json",
            "lua_versions.json", "log.txt", "trace.pcapng"} <= set(files)
    for name, content in files.items():
        if name.endswith(".json"):
            assert json.loads(content), name
    config = files["config.txt"].decode()
    assert "option our_operator_secret '********'" in config and "option station_id '110105000100001'" in config and "#" not in config
    assert "charging" in files["log.txt"].decode() or len(files["log.txt"]) > 500
    assert b"store: well" in files["version.txt"]
    # The personal fields of messages are there, masked.
    assert b"notification_start_charge_result" in files["messages.json"]
    whole = gzip.decompress(data)
    for secret in harness.OURS + harness.THEIRS + (VIN, PHONE, CARD, station.client.token, "T0kenT0ken"):
        assert secret.encode() not in whole, secret
    assert connector.encode() in whole  # what is nobody's is still there
    path = tmp_path / "bundle.tar.gz"
    path.write_bytes(data)
    listed = subprocess.run(["tar", "tzf", str(path)], capture_output=True, text=True, timeout=30)
    assert listed.returncode == 0 and "forecourt-support/log.txt" in listed.stdout
    assert any(a["command"] == "support_bundle" and a["result"] == "done" for a in good(station, "audit")["audit"])


def test_a_conformance_run_against_the_simulated_platform():
    with harness.Station(tcp=1, line_units=(), poll_ms=200) as station:
        station.start_chargers()
        station.start_platform()
        station.start_gateway()
        good(station, "conformance", platform="p1", seconds=15)
        report = ended(station)
    assert not [m for m in report["messages"] if m["verdict"] == "failed"], report["messages"]
    assert not [c for c in report["checks"] if c["verdict"] == "failed"], report["checks"]
    for method, caller in (("query_token", "station"), ("notification_stationStatus", "station"), ("query_station_status", "platform")):
        assert message_of(report, method, caller)["verdict"] == "passed", (method, caller)
    for name in ("refuses_wrong_signature", "refuses_wrong_token", "refuses_unreadable_data", "refuses_wrong_secret", "answers_signed"):
        assert check_of(report, name)["verdict"] == "passed", check_of(report, name)
