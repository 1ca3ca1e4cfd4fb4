"""The command line against a running daemon, as an operator uses it: figures equal to the charger's own register, exit codes,
JSON for scripts, Chinese for people."""
import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import time
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

import pytest

import harness
from business import PRICES, confirm_all, new_seq, plug, start, told, wait_told

pytestmark = pytest.mark.usefixtures("shared_store")

ELEC, SERVICE = Decimal("1.2345"), Decimal("0.4")


@pytest.fixture
def site(make_station):
    """A station with prices, whose platform confirms what it is told."""

    def make(mapping_text=None, **more):
        station = make_station(start=False, poll_ms=200, **{"tcp": 2, "line_units": (), "connectors": 1, **more})
        if mapping_text:
            station.mapping = "test"
            station.write_mapping("test", mapping_text)
        station.station_options["policy"] = "test"
        station.platform_options.update(iserv=1)
        station.write_policy("test", PRICES.format(name="test", elec=ELEC, service=SERVICE))
        confirm_all(station.server)
        station.start_chargers("--speed", "30")
        station.start_gateway()
        station.wait_status(station.connector_id(0), 1)
        return station

    return make


def good(station, *words):
    """What --json gives of a command that must work."""
    done = station.cli(*words, "--json")
    assert done.returncode == 0 and not done.stderr, done
    return json.loads(done.stdout)


def connector_state(station, connector):
    return good(station, "connectors", connector)["connectors"][0]


def charge_by_hand(station, charger=0, wh=200):
    """Started and stopped by the command line; its number."""
    connector = plug(station, charger)
    answer = good(station, "start", connector)
    assert answer["connector"] == connector and answer["session"] == "starting"
    station.until(lambda: connector_state(station, connector).get("order", {}).get("energy_wh", 0) >= wh, 60, "some energy")
    assert good(station, "stop", connector)["seq"] == answer["seq"]
    station.until(lambda: good(station, "orders", "show", answer["seq"])["session"] == "closed", 60, "the end")
    return answer["seq"]


def fen(wh, price):
    return int((Decimal(wh) / 1000 * price).quantize(Decimal("0.01"), ROUND_HALF_UP) * 10000)


def test_a_charge_by_hand(site):
    station = site()
    seq = charge_by_hand(station)
    connector = station.connector_id(0)
    (_, first, last), = json.loads(station.ask_chargers("sessions 0"))
    wh = (last - first) * 10  # the register counts hundredths of a kWh
    order = good(station, "orders", "show", seq)
    assert order["energy_wh"] == wh and order["start_register_wh"] == first * 10 and order["end_register_wh"] == last * 10
    assert (order["elec_money_e4"], order["service_money_e4"]) == (fen(wh, ELEC), fen(wh, SERVICE))
    assert order["money_e4"] == order["elec_money_e4"] + order["service_money_e4"]
    assert sum(line["energy_wh"] for line in order["lines"]) == wh
    assert (order["platform"], order["mode"], order["told"], order["repairs"]) == ("", 3, [], [])
    assert order["tariff"]["policy"] == "test" and order["tariff"]["days"][0]["periods"][0]["elec_e4"] == 12345
    # Nobody's order: no platform was told of it.
    assert not [m for m, p in station.server.received if p.get("StartChargeSeq") == seq]

    # The same figures for people: list, details, spreadsheet.
    kwh, yuan = f"{Decimal(wh) / 1000:.3f}", f"{Decimal(order['money_e4']) / 10000:.2f}"
    row = [line for line in station.cli("orders", "list").stdout.splitlines() if line.startswith(seq)]
    assert len(row) == 1 and kwh in row[0].split() and yuan in row[0].split() and connector in row[0]
    shown = station.cli("orders", "show", seq).stdout
    assert f"{kwh} kWh" in shown and f"{yuan} yuan" in shown and "1.2345" in shown and "0.4000" in shown
    table = list(csv.DictReader(io.StringIO(station.cli("orders", "export").stdout, newline="")))
    assert [r["seq"] for r in table] == [seq]
    assert (table[0]["energy_kwh"], table[0]["total_yuan"], table[0]["connector"]) == (kwh, yuan, connector)
    assert Decimal(table[0]["elec_yuan"]) + Decimal(table[0]["service_yuan"]) == Decimal(yuan)
    exported = [json.loads(line) for line in station.cli("orders", "export", "--json").stdout.splitlines()]
    assert exported == [order]
    day = order["end"][:10]
    assert len(good(station, "orders", "list", "--from", day, "--to", day)["orders"]) == 1
    assert good(station, "orders", "list", "--to", "2020-01-01") == {"orders": []}
    assert good(station, "orders", "list", "--platform", "p1") == {"orders": []}
    assert station.cli("orders", "export", "--platform", "p1").stdout.count("\n") == 1


def test_while_it_charges(site):
    station = site()
    connector = plug(station)
    seq = good(station, "start", connector)["seq"]
    station.wait_status(connector, 3)
    state = station.until(lambda: (lambda c: c if c.get("power_w", 0) > 1000 and "order" in c else None)(connector_state(station, connector)),
                          60, "power")
    assert (state["status"], state["session"], state["order"]["seq"]) == (3, "charging", seq)
    assert 0 <= state["soc"] <= 100 and state["meter_wh"] > 0
    assert {p["name"] for p in state["points"]} >= {"power", "soc", "energy"}
    status = good(station, "status")
    assert status["connectors"]["charging"] == 1 and status["orders"]["open"] == 1 and status["platforms"][0]["linked"] is True
    assert [o["seq"] for o in good(station, "orders", "list", "--open")["orders"]] == [seq]
    assert station.cli("orders", "resend", seq).returncode == 1
    again = station.cli("start", connector)
    assert again.returncode == 1 and "another charge is under way" in again.stderr
    # A stop by its number; a second one finds it stopped, or stopping.
    assert good(station, "stop", seq)["connector"] == connector
    station.until(lambda: not good(station, "orders", "list", "--open")["orders"], 60, "the end")
    ended = station.cli("stop", seq)
    assert ended.returncode == 1 and "stopped already" in ended.stderr
    # Who did what is in the log.
    assert f'control: start {{"connector":"{connector}"}} by user {os.geteuid()}' in station.gateway.output()


def test_resend_reaches_the_platform_once_more(site):
    station = site(mapping_text='return { forecourt = 1, kind = "operator", name = "patient", timing = { order_retry_s = 86400 } }')
    station.client.login()
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    time.sleep(1)
    station.ask_chargers("stop 0 1")
    first = wait_told(station, "notification_charge_order_info", seq)
    entry = station.until(lambda: [t for t in good(station, "orders", "show", seq)["told"] if t["state"] == "confirmed"], 60,
                          "the confirmation")
    assert [(t["platform"], t["answer"], t["attempts"]) for t in entry] == [("p1", 0, 1)]
    done = station.cli("orders", "resend", seq, "p1")
    assert done.returncode == 0 and done.stdout.split() == ["p1", "sending"]
    assert wait_told(station, "notification_charge_order_info", seq, 2) == first
    station.until(lambda: good(station, "orders", "show", seq)["told"][0]["state"] == "confirmed", 60, "the confirmation")
    assert len(told(station, "notification_charge_order_info", seq)) == 2
    # Refused by the platform, then after a resend accepted: without the pause of a day that a failure asks for.
    attempts = []
    station.server.answers["notification_charge_order_info"] = lambda p: (attempts.append(p), (-1, None))[1]
    good(station, "orders", "resend", seq)
    station.until(lambda: attempts, 60, "a try")
    station.until(lambda: good(station, "orders", "show", seq)["told"][0]["attempts"] == 1, 60, "its failure noted")
    station.server.answers["notification_charge_order_info"] = lambda p: (
        0, {"StartChargeSeq": p["StartChargeSeq"], "ConnectorID": p["ConnectorID"], "ConfirmResult": 1})
    good(station, "orders", "resend", seq)
    station.until(lambda: good(station, "orders", "show", seq)["told"][0]["state"] == "disputed", 60, "the dispute")
    assert good(station, "status")["orders"]["disputed"] == 1
    assert station.cli("orders", "resend", seq, "p2").returncode == 1
    assert station.cli("orders", "resend", new_seq()).returncode == 1


def test_exit_codes_and_json(site):
    station = site()
    connector = station.connector_id(0)
    wrong = [(), ("reboot",), ("orders",), ("orders", "shoot"), ("start",), ("start", connector, "x"), ("start", ""),
             ("status", "--open"), ("orders", "list", "--from", "yesterday"), ("orders", "list", "--limit", "0"),
             ("orders", "list", "--from"), ("status", "--force"), ("orders", "list", "--open=1"), ("orders", "show"), ("stop", connector, "--class", "x")]
    refused = [("start", connector), ("start", "nobody"), ("stop", connector), ("stop", new_seq()), ("connectors", "nobody"),
               ("orders", "show", new_seq()), ("orders", "resend", new_seq()), ("start", "x" * 200)]
    fine = [("status",), ("connectors",), ("connectors", connector), ("orders", "list"), ("orders", "list", "--open"), ("help",),
            ("--help",), ("--version",), ("orders", "list", "--limit=3")]
    for calls, code in ((wrong, 2), (refused, 1), (fine, 0)):
        for words in calls:
            plain, as_json = station.cli(*words), station.cli(*words, "--json")
            assert (plain.returncode, as_json.returncode) == (code, code), (words, plain, as_json)
            said = json.loads(as_json.stdout)
            assert code == 0 or (said["ok"] is False and said["error"] and plain.stderr and not plain.stdout), (words, plain)
    assert station.cli("orders", "export").stdout.startswith("seq,connector,") and not station.cli("orders", "export", "--json").stdout

    # What is typed can't act on the terminal that shows it.
    hostile = station.cli("start", "\x1b[2J\u202ex")
    assert hostile.returncode == 1 and "\x1b" not in hostile.stderr
    hostile = station.cli("--\x1b[2J")
    assert hostile.returncode == 2 and "\\x1B[2J" in hostile.stderr
    everything = "".join(station.cli(*w, "--json").stdout for w in fine)
    for secret in harness.OURS + harness.THEIRS:
        assert secret not in everything

    station.gateway.stop()
    assert not station.control_socket.exists()
    for words in fine[:5] + [("orders", "export"), ("start", connector)]:
        plain, as_json = station.cli(*words), station.cli(*words, "--json")
        assert (plain.returncode, as_json.returncode) == (3, 3), words
        assert "no daemon" in plain.stderr and json.loads(as_json.stdout)["code"] == "unreachable"


def test_only_root_and_the_daemons_user(site):
    if os.geteuid():
        pytest.skip("needs root to become someone else")
    station = site()
    assert station.control_socket.stat().st_mode & 0o777 == 0o600
    other = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    # A copy where everybody may go.
    os.chmod(station.folder, 0o755)
    (station.folder / "bin").mkdir(mode=0o755)
    shutil.copy(station.build / "forecourt", station.folder / "bin")
    station.build, build = station.folder / "bin", station.build
    try:
        done = station.cli("status", wrap=other)
        assert done.returncode == 3 and "no permission" in done.stderr
        # Someone has opened it to all: the daemon looks who it is.
        station.control_socket.chmod(0o666)
        done = station.cli("status", wrap=other)
        assert done.returncode == 1 and "only root" in done.stderr
    finally:
        station.build = build
    assert station.cli("status").returncode == 0


def test_orders_compared_with_the_platform(site):
    """On demand, with differences named by order and field, as a table, CSV and JSON; what is unknown there is sent again."""
    harness.away_from_midnight()
    today = str(harness.today())
    station = site()
    station.client.login()
    orders = []
    for charger in (0, 1):
        connector, seq = plug(station, charger), new_seq()
        assert start(station, connector, seq).data["SuccStat"] == 0
        wait_told(station, "notification_start_charge_result", seq)
        time.sleep(1)
        station.ask_chargers(f"unplug {charger} 1")
        orders.append(wait_told(station, "notification_charge_order_info", seq))
    asked = []

    def check(payload):
        asked.append(payload)
        first, second = orders
        disputes = [{"StartChargeSeq": first["StartChargeSeq"], "TotalPower": first["TotalPower"],
                     "TotalMoney": round(first["TotalMoney"] + 1, 2), "DisputeReason": 2},
                    {"StartChargeSeq": second["StartChargeSeq"], "TotalPower": 0, "TotalMoney": 0, "DisputeReason": 1}]
        if len(asked) > 1:
            disputes = []
        return 0, {"CheckOrderSeq": payload["CheckOrderSeq"], "StartTime": payload["StartTime"], "EndTime": payload["EndTime"],
                   "TotalDisputeOrder": len(disputes), "TotalDisputePower": 0, "TotalDisputeMoney": 1, "DisputeOrders": disputes}

    station.server.answers["check_charge_orders"] = check
    done = station.cli("reconcile", "p1", today, "--last")
    assert done.returncode == 1 and "was not compared" in done.stderr
    done = station.cli("reconcile", "p1", today, "--csv")
    assert done.returncode == 0, done
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [r["field"] for r in rows] == ["TotalMoney", "missing there"]
    assert [r["seq"] for r in rows] == [o["StartChargeSeq"] for o in orders]
    assert Decimal(rows[0]["their_yuan"]) - Decimal(rows[0]["our_yuan"]) == 1
    assert Decimal(rows[0]["our_energy_kwh"]) == Decimal(str(orders[0]["TotalPower"]))
    # What was asked adds up.
    question = asked[0]
    assert question["StartTime"] == today + " 00:00:00" and question["EndTime"] == today + " 23:59:59"
    assert question["OrderCount"] == 2 == len(question["ChargeOrders"])
    assert {o["StartChargeSeq"]: (o["TotalPower"], o["TotalMoney"]) for o in question["ChargeOrders"]} == {
        o["StartChargeSeq"]: (o["TotalPower"], o["TotalMoney"]) for o in orders}
    for total, part in (("TotalOrderPower", "TotalPower"), ("TotalOrderMoney", "TotalMoney")):
        assert Decimal(str(question[total])) == sum(Decimal(str(o[part])) for o in question["ChargeOrders"])
    wait_told(station, "notification_charge_order_info", orders[1]["StartChargeSeq"], 2)
    assert len(told(station, "notification_charge_order_info", orders[0]["StartChargeSeq"])) == 1
    assert len(good(station, "reconcile", "p1", today, "--last")["differences"]) == 2
    assert "平台缺少" in station.cli("reconcile", "p1", today, "--last", LANG="zh_CN.UTF-8").stdout
    report = good(station, "reconcile", "p1", today)
    assert report["orders"] == 2 and report["differences"] == [] and len(asked) == 2
    assert station.cli("reconcile", "nobody").returncode == 1
    assert station.cli("reconcile", "p1", "2026-02-30").returncode != 0


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_chinese(site):
    station = site()
    seq = charge_by_hand(station)
    for environment in ({"LANG": "zh_CN.UTF-8"}, {"LC_ALL": "zh_CN.UTF-8", "LANG": "C"}, {"LC_MESSAGES": "zh", "LANG": "en_US.UTF-8"}):
        assert "空闲" in station.cli("connectors", **environment).stdout
    assert "空闲" not in station.cli("connectors", LC_ALL="C", LANG="zh_CN.UTF-8").stdout
    shown = station.cli("orders", "show", seq, LANG="zh_CN.UTF-8").stdout
    assert "停止原因" in shown and "现场停止" in shown and "元" in shown
    refused = station.cli("start", station.connector_id(1), LANG="zh_CN.UTF-8")
    assert refused.returncode == 1 and "未插枪" in refused.stderr
    assert "用法" in station.cli("help", LANG="zh_CN.UTF-8").stdout
    # No line of the help is torn by a terminal of 80 columns.
    for language in ("zh_CN.UTF-8", "C"):
        lines = station.cli("help", LANG=language).stdout.splitlines()
        assert len(lines) > 50
        for line in lines:
            assert sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) <= 80, line
    # Columns meet though a Chinese character is twice as wide: the time of "since" begins at the same place in every row.
    rows = station.cli("connectors", LANG="zh_CN.UTF-8").stdout.splitlines()[1:]
    assert len({width(row[:row.index("20")]) for row in [r.split("  ", 1)[1] for r in rows]}) == 1
    # For scripts it is the same in every language.
    assert json.loads(station.cli("orders", "show", seq, "--json", LANG="zh_CN.UTF-8").stdout) == good(station, "orders", "show", seq)
    assert json.loads(station.cli("stop", seq, "--json", LANG="zh_CN.UTF-8").stdout)["error"] == "stopped already"
    assert station.cli("orders", "export", LANG="zh_CN.UTF-8").stdout == station.cli("orders", "export").stdout


def test_a_journal_of_years(site):
    """Thousands of orders: each is exported once and in order, and the daemon neither grows nor stops polling."""
    count = 5000
    station = site()
    seq = charge_by_hand(station)
    station.gateway.stop()
    with sqlite3.connect(station.folder / "data" / "forecourt.db") as db:
        row = db.execute("SELECT connector_id, platform, mode, closed, start_wall, end_wall, wh, money_e4, reason, record FROM orders").fetchone()
        db.executemany("INSERT INTO orders(seq, connector_id, platform, mode, closed, start_wall, end_wall, wh, money_e4, reason, record)"
                       " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       [(f"{i:027d}", *row[:5], row[5] - 86400 * 400 + i // 2, *row[6:]) for i in range(count)])
    db.close()
    station.start_gateway()
    good(station, "orders", "list")
    before, polls = station.gateway.rss_kb(), station.stats()["polls"]
    exported = station.cli("orders", "export", timeout=300)
    assert exported.returncode == 0
    table = [r["seq"] for r in csv.DictReader(io.StringIO(exported.stdout, newline=""))]
    assert table == [f"{i:027d}" for i in range(count)] + [seq]
    assert station.gateway.rss_kb() - before < 8192
    after = station.stats()["polls"]
    assert after["polls"] > polls["polls"] and after["missed"] == polls["missed"]
    newest = good(station, "orders", "list", "--limit", "250")["orders"]
    assert [o["seq"] for o in newest] == [seq] + [f"{count - 1 - i:027d}" for i in range(249)]
    lines = station.cli("orders", "export", "--json", "--from", "2020-01-01", timeout=300).stdout.splitlines()
    assert len(lines) == count + 1 and all(json.loads(line)["lines"] for line in lines)


def test_a_crashed_daemons_socket_is_replaced_a_live_ones_is_not(site, make_station):
    station = site()
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    assert station.control_socket.exists()
    assert station.cli("status").returncode == 3
    station.start_gateway()
    assert good(station, "status")["config"] == str(station.config_file)

    # A second one that wants the same path goes on without it, and has it once the first has ended.
    other = make_station(start=False, tcp=1, line_units=(), connectors=1)
    other.control_socket = station.control_socket
    other.start_gateway().wait_for(r"control: .*: belongs to another daemon that runs")
    assert good(station, "status")["config"] == str(station.config_file)
    station.gateway.stop()
    station.until(lambda: station.cli("status").returncode == 0, 60, "the second daemon to have the path")
    assert good(station, "status")["config"] == str(other.config_file)

    # Another path in its configuration, taken over by a reload.
    other.control_socket = other.folder / "elsewhere.sock"
    other.write_config()
    other.gateway.popen.send_signal(signal.SIGHUP)
    station.until(lambda: other.cli("status").returncode == 0, 60, "the new path")
    assert station.cli("status").returncode == 3
