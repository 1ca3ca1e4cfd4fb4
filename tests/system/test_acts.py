"""What an operator does to a connector by the command line (unlock, limit, reserve), what is refused and why, and what is wrong now:
alarms that come with a cause and since when, and go. Against simulated chargers."""
import json
import re
import socket
import sqlite3
import subprocess
import time

import pytest

import harness
from business import PRICES, confirm_all, new_seq, plug, start

pytestmark = pytest.mark.usefixtures("shared_store")

RESERVED = 19  # core/charge/charge.h: CHARGE_RESERVED, of the numbers that are ours (protocol.md 2.8)


@pytest.fixture
def site(make_station):
    def make(options=("--speed", "30", "--remote"), gateway=None, **more):
        station = make_station(start=False, poll_ms=200, **{"tcp": 2, "line_units": (), "connectors": 1, **more})
        station.station_options["policy"] = "test"
        station.platform_options.update(iserv=1)
        station.gateway_options.update(gateway or {})
        station.write_policy("test", PRICES.format(name="test", elec="1.2345", service="0.4"))
        confirm_all(station.server)
        station.start_chargers(*options)
        station.start_gateway()
        station.wait_status(station.connector_id(0), 1)
        return station

    return make


def good(station, *words):
    done = station.cli(*words, "--json")
    assert done.returncode == 0 and not done.stderr, done
    return json.loads(done.stdout)


def refused(station, *words):
    done = station.cli(*words)
    assert done.returncode == 1, done
    return done.stderr


def call(station, command, **arguments):
    """By the socket, as a program does: the whole answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(60)
        s.connect(str(station.control_socket))
        s.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
        data = b""
        while not data.endswith(b"\n"):
            more = s.recv(65536)
            assert more
            data += more
    return json.loads(data)


def detail(station, connector):
    return good(station, "connectors", connector)["connectors"][0]


def point(station, connector, name):
    return next(p for p in detail(station, connector)["points"] if p["name"] == name)


def alarms(station, kind=None):
    return [a for a in good(station, "alarms")["alarms"] if kind in (None, a["kind"])]


def happened(station, kind):
    """The newest first; what is not known is ""."""
    return [{"from": "", "to": "", "who": "", "text": "", **e} for e in call(station, "events", kind=kind)["result"]["events"]]


def wait_alarm(station, kind, timeout=60):
    station.until(lambda: alarms(station, kind), timeout, f"alarm {kind}")
    return alarms(station, kind)[0]


def wait_over(station, kind, timeout=60):
    station.until(lambda: not alarms(station, kind), timeout, f"the end of alarm {kind}")


def test_a_power_that_nobody_knows_is_no_zero(site):
    station = site()
    totals = lambda: call(station, "overview")["result"]["totals"]  # noqa: E731
    station.until(lambda: "power_w" in totals(), 30, "the power of the station")
    station.chargers.popen.kill()
    station.until(lambda: totals()["offline"] == totals()["connectors"], 60, "silence")
    station.until(lambda: "power_w" not in totals(), 60, "the power's end")


def charging_by_hand(station, connector):
    good(station, "start", connector)
    station.until(lambda: detail(station, connector)["session"] == "charging", 60, "a charge")


def test_unlock(site):
    station = site()
    connector = plug(station)
    assert good(station, "unlock", connector) == {"connector": connector, "unlock": "done"}
    assert station.cli("unlock", connector).stdout.strip() == f"{connector}  unlocked"
    registers = good(station, "bus", "read", "tcp0", "1", "3", "37")
    assert registers["words"] == [2]
    charging_by_hand(station, connector)
    assert "stop it, then unlock" in refused(station, "unlock", connector)
    answer = call(station, "unlock", connector=connector)
    assert answer["code"] == "busy" and answer["key"] == "unlock.charging"
    assert "请先停止再解锁" in station.cli("unlock", connector, LANG="zh_CN.UTF-8").stderr
    assert good(station, "bus", "read", "tcp0", "1", "3", "37")["words"] == [2]
    good(station, "stop", connector)
    station.until(lambda: detail(station, connector)["session"] == "ended", 60, "the end")
    good(station, "unlock", connector)
    assert good(station, "bus", "read", "tcp0", "1", "3", "37")["words"] == [3]
    # Who did it, and how it ended.
    rows = [r for r in good(station, "audit")["audit"] if r["command"] == "unlock"]
    assert {r["result"] for r in rows} == {"done", "a charge is under way: stop it, then unlock"}


def test_unlock_of_a_charger_that_has_none_or_is_away(site):
    station = site()
    connector = station.connector_id(0)
    station.ask_chargers("close 0")
    station.until(lambda: detail(station, connector)["status"] == 0, 60, "off line")
    assert call(station, "unlock", connector=connector)["key"] == "charge.offline"
    assert call(station, "unlock", connector="nobody")["key"] == "charge.no_connector"


def test_a_limit_holds_over_reload_and_restart(site):
    station = site()
    connector = plug(station)
    assert detail(station, connector)["can"]["limit"] == {"min": 1, "max": 400, "unit": "kW"}
    charging_by_hand(station, connector)
    station.until(lambda: point(station, connector, "power").get("value", 0) > 50000, 60, "full power")
    assert good(station, "limit", connector, "12.5")["operator_limit"] == {"value": 12.5, "unit": "kW", "state": "in force"}
    station.until(lambda: 0 < point(station, connector, "power")["value"] <= 12500, 60, "limited power")
    station.until(lambda: detail(station, connector)["limit"]["state"] == "taken", 60, "read back")
    assert "12.5 kW" in station.cli("connectors", connector).stdout
    for wrong in ("0.5", "401", "0"):
        assert "must be 1 to 400 kW" in refused(station, "limit", connector, wrong)
    assert call(station, "limit", connector=connector, value=500)["key"] == "limit.range"
    assert call(station, "limit", connector=connector)["code"] == "invalid"
    assert call(station, "limit", connector=connector, value=3, release=True)["code"] == "invalid"
    # A restart of the gateway tells the limit again.
    station.gateway.stop()
    station.start_gateway()
    station.until(lambda: detail(station, connector).get("operator_limit", {}).get("state") == "in force", 60, "the limit of before")
    station.until(lambda: detail(station, connector).get("limit", {}).get("state") == "taken", 60, "read back again")
    good(station, "lua", "reload")
    assert detail(station, connector)["operator_limit"]["value"] == 12.5
    assert good(station, "limit", connector, "release")["released"] is True
    station.until(lambda: point(station, connector, "limit_kw")["value"] == 400, 60, "the charger's own most")
    assert "limit" not in detail(station, connector) and "operator_limit" not in detail(station, connector)
    station.gateway.stop()
    station.start_gateway()
    station.until(lambda: detail(station, connector)["status"] in (2, 3), 60, "the charger")
    assert "operator_limit" not in detail(station, connector)


def test_a_limit_that_is_not_taken_is_an_alarm(make_station):
    """The register takes what is written, and shows something else."""
    station = make_station(start=False, poll_ms=200, tcp=1, line_units=(), connectors=1)
    profile = station.lua / "profiles" / "forecourt-sim.lua"
    text = profile.read_text()
    assert text.count("{ fc = 3, address = 38,") == 1
    profile.write_text(text.replace("{ fc = 3, address = 38,", "{ fc = 3, address = 37,"))
    station.start_chargers("--speed", "30")
    station.start_gateway()
    connector = station.connector_id(0)
    station.wait_status(connector, 1)
    good(station, "limit", connector, "20")
    alarm = wait_alarm(station, "limit_not_taken")
    assert alarm["object"] == connector and alarm["args"] == {"limit": "20", "unit": "kW", "reads_back": "0"}
    good(station, "limit", connector, "release")
    wait_over(station, "limit_not_taken")


def test_a_reservation(site):
    station = site()
    connector = station.connector_id(0)
    before = time.time()
    answer = good(station, "reserve", connector, "30", "Ms Li, 14:00")
    assert answer["status_name"] == "reserved" and answer["note"] == "Ms Li, 14:00"
    assert before + 1790 < answer["reserved_until"] < time.time() + 1810
    station.wait_status(connector, 4)
    assert detail(station, connector)["reserved_until"] == answer["reserved_until"]
    station.client.login()
    answered = station.client.call("query_station_status", {"StationIDs": ["110105000100001"]}).data
    statuses = {c["ConnectorID"]: c["Status"] for s in answered["StationStatusInfos"] for c in s["ConnectorStatusInfos"]}
    assert statuses[connector] == 4
    # A car comes: told as it is, and still for nobody else.
    plug(station)
    seq = new_seq()
    no = start(station, connector, seq).data
    assert no["SuccStat"] == 1 and no["FailReason"] == RESERVED and no["StartChargeSeqStat"] == 4
    # Over a restart it is the same.
    station.gateway.stop()
    station.start_gateway()
    station.until(lambda: detail(station, connector)["status"] == 2, 60, "the connector")
    assert detail(station, connector)["reserved_until"] == answer["reserved_until"]
    station.client = station.new_client()
    station.client.login()
    assert start(station, connector, new_seq()).data["FailReason"] == RESERVED
    # The operator may; and with that the reservation is over.
    charging_by_hand(station, connector)
    assert "reserved_until" not in detail(station, connector)
    good(station, "stop", connector)
    station.until(lambda: detail(station, connector)["session"] == "ended", 60, "the end")
    # When its order is closed the platform may again.
    station.until(lambda: start(station, connector, new_seq()).data["SuccStat"] == 0, 60, "the platform's start")


def test_a_reservation_ends(site):
    station = site()
    connector = station.connector_id(0)
    until = int(time.time()) + 4
    assert call(station, "reserve", connector=connector, until=until)["ok"]
    station.wait_status(connector, 4)
    station.wait_status(connector, 1)
    assert time.time() >= until - 1
    assert call(station, "unreserve", connector=connector)["key"] == "reserve.none"
    good(station, "reserve", connector, "5")
    station.wait_status(connector, 4)
    assert good(station, "unreserve", connector)["status_name"] == "idle"
    station.wait_status(connector, 1)
    ends = [e for e in happened(station, "reserve") if e["from"] == "reserved"]
    assert ends[1]["text"] == "its time is over" and ends[0]["who"]
    for wrong in ({"until": int(time.time()) - 5}, {"until": int(time.time()) + 90000}):
        assert call(station, "reserve", connector=connector, **wrong)["key"] == "reserve.range"
    assert call(station, "reserve", connector=connector)["code"] == "invalid"
    assert call(station, "reserve", connector=connector, minutes=5, note="a\nb")["code"] == "invalid"
    plug(station)
    charging_by_hand(station, connector)
    assert call(station, "reserve", connector=connector, minutes=5)["key"] == "charge.occupied"


def test_who_begins_on_site_where_it_is_reserved(site):
    """The charger begins by itself: it is stopped, and the order says why."""
    station = site(options=("--speed", "30"))
    connector = station.connector_id(0)
    good(station, "reserve", connector, "30")
    station.wait_status(connector, 4)
    station.ask_chargers("plug 0 1")
    station.ask_chargers("start 0 1")
    station.until(lambda: "began on site where it is reserved" in station.gateway.output(), 60, "the stop")
    station.until(lambda: good(station, "orders", "list")["orders"][-1:] and
                  good(station, "orders", "list")["orders"][-1]["session"] == "closed", 60, "its order")
    with sqlite3.connect(f"file:{station.folder}/data/forecourt.db?mode=ro", uri=True) as db:
        assert {r[0] for r in db.execute("SELECT reason FROM orders WHERE closed = 1")} == {8}


def test_a_card_where_it_is_reserved(site):
    station = site()
    connector = plug(station)
    good(station, "reserve", connector, "30")
    station.ask_chargers("card 0 1 04A1B2C3D4E5F6")
    station.until(lambda: re.search(r"card \*\*\*E5F6: no charge: the connector is reserved", station.gateway.output()), 60, "the refusal")


def test_refusals_have_keys(site):
    station = site()
    connector = station.connector_id(0)
    assert call(station, "start", connector=connector)["key"] == "charge.not_plugged"
    assert call(station, "stop", connector=connector)["key"] == "charge.none"
    assert call(station, "start", connector="nobody")["key"] == "charge.no_connector"
    plug(station)
    charging_by_hand(station, connector)
    assert call(station, "start", connector=connector)["key"] == "charge.occupied"
    station.ask_chargers("fault 0 1 17")
    station.until(lambda: detail(station, connector)["status"] == 255, 60, "the fault")
    assert call(station, "start", connector=connector)["key"] == "charge.faulty"
    # Other errors have none.
    assert "key" not in call(station, "start")


def test_connector_detail(site):
    station = site(gateway={"qr_suffix": "/p1?x=2"})
    connector = plug(station)
    station.ask_chargers("vin 0 1 LSVAA49J132047371")
    station.until(lambda: point(station, connector, "vin").get("value"), 60, "the VIN")
    c = detail(station, connector)
    assert c["qr"] == f"hlht://{connector}.{harness.STATION_OPERATOR}/p1?x=2"
    assert c["can"] == {"start": True, "stop": True, "unlock": True, "reserve": True, "limit": {"min": 1, "max": 400, "unit": "kW"}}
    points = {p["name"]: p for p in c["points"]}
    assert points["energy"]["register"] == "holding 6" and points["energy"]["unit"] == "kWh"
    assert points["energy"]["quality"] == "good" and 0 <= points["energy"]["age_ms"] < 60000
    assert points["vin"]["value"] == "***7371" and points["vin"]["masked"]
    assert "LSVAA49J132047371" not in json.dumps(c)


def test_wrong_qr_suffix(make_station):
    station = make_station(start=False)
    for wrong in ("p1", "/a b", "/ä", "/a'b"):
        station.gateway_options["qr_suffix"] = wrong.replace("'", '"')
        station.write_config()
        done = subprocess.run([str(station.build / "forecourtd"), "--check", "-c", str(station.config_file)], capture_output=True,
                              text=True, check=False)
        assert done.returncode and "qr_suffix" in done.stdout + done.stderr, done


def test_alarms_come_and_go(site):
    station = site()
    connector = station.connector_id(0)
    station.until(lambda: not alarms(station), 60, "a station that is well")
    assert "nothing is wrong" in station.cli("alarms").stdout
    before = int(time.time())
    station.ask_chargers("fault 0 1 17")
    fault = wait_alarm(station, "connector_fault")
    assert fault["id"] == f"connector_fault:{connector}" and fault["level"] == "error" and fault["object_kind"] == "connector"
    assert fault["cause"] == "the charger reports fault 17" and fault["key"] == "fault.code" and fault["args"]["code"] == "17"
    assert before - 1 <= fault["since"] <= time.time()
    # It keeps its beginning; people see it with the status, in Chinese too.
    time.sleep(3)
    assert wait_alarm(station, "connector_fault")["since"] == fault["since"]
    assert "the charger reports fault 17" in station.cli("status").stdout
    assert "充电桩报告故障代码 17" in station.cli("status", LANG="zh_CN.UTF-8").stdout
    station.ask_chargers("clear 0 1")
    wait_over(station, "connector_fault")
    assert [(e["from"], e["to"]) for e in happened(station, "alarm") if "connector_fault" in (e["from"], e["to"])] == [
        ("connector_fault", ""), ("", "connector_fault")]
    # Within seconds there and gone and there: one alarm with a count.
    for _ in range(3):
        station.ask_chargers("fault 0 1 5")
        station.until(lambda: detail(station, connector)["status"] == 255, 60, "the fault")
        time.sleep(1.5)
        station.ask_chargers("clear 0 1")
        station.until(lambda: detail(station, connector)["status"] != 255, 60, "no fault")
        time.sleep(1.5)
    flap = alarms(station, "connector_fault")
    assert len(flap) == 1 and flap[0]["count"] == 3, flap


def test_alarms_of_a_line_and_a_platform(site):
    station = site()
    connector = station.connector_id(0)
    station.ask_chargers("close 0")
    down = wait_alarm(station, "bus_down")
    assert down["object"] == "tcp0" and down["key"] == "bus.down_why" and "refused" in down["cause"]
    offline = wait_alarm(station, "connector_offline")
    assert offline["object"] == connector and offline["key"] == "offline.bus" and offline["args"] == {"bus": "tcp0"}
    station.ask_chargers("open 0")
    wait_over(station, "connector_offline", 120)
    wait_over(station, "bus_down")
    station.ask_chargers("mute 1")
    silent = wait_alarm(station, "unit_silent", 120)
    assert silent["object"] == "tcp1/1" and silent["args"] == {"unit": "1", "bus": "tcp1"}
    station.ask_chargers("unmute 1")
    wait_over(station, "unit_silent", 180)


def test_alarm_of_a_refused_script(site):
    station = site()
    text = (station.lua / "policies" / "test.lua").read_text()
    station.write_policy("test", text + "\nnonsense nonsense\n")
    refused_script = wait_alarm(station, "script_refused")
    assert refused_script["object"] == "policies/test" and re.search(r"test\.lua:\d+:", refused_script["cause"])
    station.write_policy("test", text)
    wait_over(station, "script_refused")
