"""Try before live: what a running gateway has recorded, replayed on the side through changed mappings and prices. What the
replay says is worked out a second time here, from the recorded lines alone."""
import datetime
import json
import re
import shutil
import signal
import time
from decimal import ROUND_HALF_UP, Decimal

import business
import harness
from business import new_seq, plug, start, wait_told
from peer import SHANGHAI

VIN, PHONE, CARD, PLATE = "LSVAA49J132047883", "13812345678", "6222020200001234567", "京AD12345"

# Renames a field, makes a text of a number, passes the rest; what comes in carries a driver's data.
MAPPING = """return { forecourt = 1, kind = "operator", name = "test",
  map = {
    notification_charge_order_info = {
      request = function(m)
        m.orderNo, m.powerText = m.StartChargeSeq, tostring(m.TotalPower)
        m.float, m.whole, m.form = 10.0, 10, fixed(10, 3)
        return m
      end,
      answer = function(m) m.seen = m.owner and m.owner.mobile; return m end,
    },
    query_station_status = { request = function(m) m.note = nil; return m end },
  },
  examples = { { call = "map.query_station_status.request", input = { note = "x", StationIDs = { "1" } }, expect = { StationIDs = { "1" } } } },
}
"""
# Two periods with a border in the middle of the charges.
TARIFF = """return {{ forecourt = 1, kind = "policy", name = "test",
  prices = {{ {{ start = "00:00", elec = 0.35, service = 0.4 }}, {{ start = "{border}", elec = 1.2345, service = {service} }} }},
  terms = {{ minute = 0.05 }},
}}
"""


def good(station, *words, code=0):
    done = station.cli(*words, "--json")
    assert done.returncode == code, (words, done)
    return json.loads(done.stdout)


def charge(station, number=1, seconds=4):
    connector, seq = plug(station, 0, number), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    time.sleep(seconds)
    station.ask_chargers(f"stop 0 {number}")
    order = wait_told(station, "notification_charge_order_info", seq)
    station.ask_chargers(f"unplug 0 {number}")
    station.wait_status(connector, 1)
    station.until(lambda: not good(station, "orders", "list", "--open")["orders"], 60, "the end")
    return order


def answers_with_a_driver(station):
    station.server.answers["notification_charge_order_info"] = lambda p: (
        0, {"StartChargeSeq": p["StartChargeSeq"], "ConnectorID": p["ConnectorID"], "ConfirmResult": 0, "Vin": VIN,
            "owner": {"mobile": PHONE, "realName": "张三丰"}, "remark": f"call {PHONE}, plate {PLATE} card {CARD}",
            "phoneNumber": int(PHONE), "cars": {VIN: 1}, "Total": 10.50})


def fen(x):
    return int((x * 100).quantize(Decimal(1), ROUND_HALF_UP))


def local(wall):
    return datetime.datetime.fromtimestamp(wall, SHANGHAI)


def price_anew(order, periods, minute):
    """An order of the records priced by hand: (elec, service) in fen. periods: [("HH:MM", elec, service)], alike every day."""
    steps, split = order["charge"]["trace"], order["charge"]["split"]
    at, wh, parts = split["start_wall"], 0, {}

    def period(wall):
        clock = local(wall).strftime("%H:%M:%S")
        return max(i for i, p in enumerate(periods) if p[0] + ":00" <= clock)

    for seconds, more in zip(steps[::2], steps[1::2]):
        done = 0
        for second in range(seconds):
            # Whole Wh up to each second; only sums up to a border count.
            upto = more * (second + 1) // seconds
            index = period(at + second)
            parts[index] = parts.get(index, 0) + upto - done
            done = upto
        if not seconds:
            parts[period(at)] = parts.get(period(at), 0) + more
        at, wh = at + seconds, wh + more
    assert (at, wh) == (split["last_wall"], split["total_wh"])
    elec = sum(fen(Decimal(parts[i]) / 1000 * Decimal(periods[i][1])) for i in parts)
    service = sum(fen(Decimal(parts[i]) / 1000 * Decimal(periods[i][2])) for i in parts)
    minutes = (split["last_wall"] - split["start_wall"] + 59) // 60
    return elec, service + fen(minutes * Decimal(minute))


def test_try_before_live(charging, tmp_path):
    harness.away_from_midnight(240)  # the border of a charge must be within its day
    # A whole minute that is not over when the first charge is: the second charge goes over it.
    border = local(time.time() + 85).strftime("%H:%M")
    station = charging(tcp=1, line_units=(), connectors=2, mapping_text=MAPPING, policy=TARIFF.format(border=border, service=0.4))
    answers_with_a_driver(station)
    station.client.call("query_station_status", {"StationIDs": ["110105000100001"], "note": f"asks {PHONE}", "driverToken": "abc-Secret-99"})
    orders = [charge(station, 1, 3)]
    over = datetime.datetime.combine(local(time.time()).date(), datetime.time.fromisoformat(border), SHANGHAI).timestamp()
    station.until(lambda: time.time() > over - 15, 90, "the time before the border")
    seq = new_seq()
    station.client.close()  # the gateway has hung up meanwhile
    connector = plug(station, 0, 2)
    assert start(station, connector, seq).data["SuccStat"] == 0
    station.until(lambda: time.time() > over + 5, 90, "the border")
    station.ask_chargers("stop 0 2")
    orders.append(wait_told(station, "notification_charge_order_info", seq))
    station.until(lambda: not good(station, "orders", "list", "--open")["orders"], 60, "the end")
    assert orders[1]["SumPeriod"] == 2, f"no charge over the border at {border}: {orders[1]}"

    # The records: a header, messages in order, then orders; nobody's data.
    records = tmp_path / "records.jsonl"
    done = station.cli("lua", "record", records)
    assert done.returncode == 0 and re.fullmatch(r"\d+ lines\n", done.stdout), done
    assert records.stat().st_mode & 0o77 == 0
    text = records.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    kinds = [line["record"] for line in lines]
    assert kinds == ["header"] + ["message"] * kinds.count("message") + ["order"] * 2
    numbers = [line["number"] for line in lines if line["record"] == "message"]
    assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers) == lines[0]["messages"]
    for secret in (VIN, PHONE, CARD, PLATE, PLATE[1:], "张三丰", "Secret-99", station.client.token):
        assert secret not in text, secret
    for keys in (station.client.keys, station.server.keys):
        for value in vars(keys).values():
            for form in (value if isinstance(value, str) else value.decode("latin-1") if isinstance(value, bytes) else "",):
                assert len(form) < 8 or form not in text
    (answer,) = [m for m in lines if m["record"] == "message" and m["method"] == "notification_charge_order_info" and m["part"] == "answer"
                 and m["before"]["StartChargeSeq"] == orders[0]["StartChargeSeq"]]
    before = answer["before"]
    assert re.fullmatch(r"1\d{10}", before["owner"]["mobile"]) and re.fullmatch(r"[A-HJ-NPR-Z]{5}\d\d[A-Z]\d{9}", before["Vin"])
    # The same text is masked the same way, wherever it stands.
    assert f"call {before['owner']['mobile']}, plate 京" in before["remark"] and str(before["phoneNumber"]) == before["owner"]["mobile"]
    assert list(before["cars"]) == [before["Vin"]] and before["Total"] == 10.5
    assert answer["after"]["seen"] == before["owner"]["mobile"]

    # An unchanged mapping and an unchanged policy differ nowhere.
    trial = tmp_path / "trial"
    shutil.copytree(station.lua, trial)
    mapping, policy = trial / "operators" / "test.lua", trial / "policies" / "test.lua"
    report = good(station, "lua", "replay", mapping, "--records", records)
    messages = [m for m in lines if m["record"] == "message" and m["mapping"] == "test"]
    assert report["totals"] == {"messages": len(messages), "differ": 0, "failed": 0, "bad_lines": 0,
                                "compared_by_form": report["totals"]["compared_by_form"]}
    report = good(station, "lua", "replay", policy, "--records", records)
    was = [o["money_e4"] for o in lines if o["record"] == "order"]
    assert report["orders"] == [] and report["totals"]["orders"] == 2
    assert report["totals"]["was_e4"] == report["totals"]["is_e4"] == sum(was) == sum(fen(Decimal(str(o["TotalMoney"]))) * 100 for o in orders)
    assert report["totals"]["without_trace"] == 0

    # A changed policy: another border, other prices; the figures are those of an independent calculation.
    middle = local(over + 2 - 60).strftime("%H:%M")
    # By their beginnings: just after midnight, the middle one is the first.
    changed = [(s, *prices) for s, prices in {"00:00": ("0.5", "0.4"), middle: ("0.9", "0.3"), border: ("1.5", "0.2")}.items()]
    policy.write_text("return { forecourt = 1, kind = 'policy', name = 'test', prices = {" + ",".join(
        f"{{ start = '{s}', elec = {e}, service = {v} }}" for s, e, v in changed) + "}, terms = { minute = 0.07 } }")
    done = station.cli("lua", "check", policy)
    assert (done.returncode, done.stdout) == (0, f"{policy}: good (0 examples)\n")
    report = good(station, "lua", "replay", policy, "--records", records, code=4)
    recorded = {o["seq"]: o for o in lines if o["record"] == "order"}
    assert {o["seq"] for o in report["orders"]} == set(recorded)
    for told in report["orders"]:
        elec, service = price_anew(recorded[told["seq"]], changed, "0.07")
        assert (told["elec_e4"], told["service_e4"]) == (elec * 100, service * 100), told
        assert told["was_e4"] == recorded[told["seq"]]["money_e4"] and told["difference_e4"] == told["is_e4"] - told["was_e4"]
    total = sum(o["difference_e4"] for o in report["orders"])
    assert report["totals"]["difference_e4"] == total != 0
    plain = station.cli("lua", "replay", policy, "--records", records)
    assert plain.returncode == 4 and f"revenue {Decimal(total) / 10000:+.2f} (" in plain.stdout
    assert "2 orders differ, of 2" in plain.stdout and all(s in plain.stdout for s in recorded)
    assert "收入" in station.cli("lua", "replay", policy, "--records", records, LANG="zh_CN.UTF-8").stdout
    # Nothing changes against itself; another policy's orders are only asked for by --all.
    assert good(station, "lua", "replay", policy, "--records", records, "--against", policy)["totals"]["differ"] == 0
    renamed = trial / "policies" / "other.lua"
    renamed.write_text(policy.read_text().replace("'test'", "'other'"))
    assert station.cli("lua", "replay", renamed, "--records", records).returncode == 1
    assert good(station, "lua", "replay", renamed, "--records", records, "--all", code=4)["totals"]["difference_e4"] == total

    # An order of a time before traces: its periods as they were, and it says so.
    old = tmp_path / "old.jsonl"
    old.write_text("\n".join(json.dumps({**line, "charge": {k: v for k, v in line["charge"].items() if k != "trace"}})
                             if line["record"] == "order" else json.dumps(line) for line in lines))
    report = good(station, "lua", "replay", station.lua / "policies" / "test.lua", "--records", old)
    assert report["totals"]["without_trace"] == 2 and report["totals"]["differ"] == 0

    # A changed mapping: a field lost, one of another form, one gained; everything else as it was.
    pushed = [m for m in messages if m["method"] == "notification_charge_order_info" and m["part"] == "request"]
    answered = [m for m in messages if m["method"] == "notification_charge_order_info" and m["part"] == "answer"]
    assert len(pushed) == len(answered) == 2
    mapping.write_text(MAPPING.replace("m.float, m.whole, m.form = 10.0, 10, fixed(10, 3)",
                                       "m.float, m.whole, m.form, m.TotalMoney, m.extra = 10, 10, fixed(10, 2), nil, { 1 }")
                       .replace("m.seen = m.owner and m.owner.mobile", "m.seen = m.owner and '1' .. m.owner.mobile"))
    report = good(station, "lua", "replay", mapping, "--records", records, code=4)
    fields = {(f["kind"], f["method"], f["field"]): f["messages"] for f in report["fields"]}
    push = "notification_charge_order_info"
    assert fields == {("changed", push, "float"): 2, ("changed", push, "form"): 2, ("lost", push, "TotalMoney"): 2,
                      ("added", push, "extra"): 2, ("changed", push, "seen"): 2}
    assert report["totals"]["differ"] == 4 and report["totals"]["messages"] == len(messages)
    first = next(m for m in report["messages"] if m["number"] == pushed[0]["number"])
    assert {(d["path"], d["before"], d["after"]) for d in first["differences"]} == {
        ("float", "10.0", "10"), ("form", "10.000", "10.00"), ("extra", "", "[1]"), ("TotalMoney", f"{orders[0]['TotalMoney']:.2f}", "")}
    plain = station.cli("lua", "replay", mapping, "--records", records).stdout
    assert f"2 messages lose field TotalMoney ({push})\n" in plain and f"4 messages differ, of {len(messages)}\n" in plain
    assert "    form: 10.000 -> 10.00\n" in plain
    # The other way round it gains them.
    report = good(station, "lua", "replay", station.lua / "operators" / "test.lua", "--records", records, "--against", mapping, code=4)
    assert {f["kind"] for f in report["fields"] if f["field"] in ("TotalMoney", "extra")} == {"added", "lost"}
    assert good(station, "lua", "replay", mapping, "--records", records, "--platform", "p1", code=4)["totals"]["differ"] == 4
    assert station.cli("lua", "replay", mapping, "--records", records, "--platform", "p2").returncode == 1

    # A function that fails is a failure, said with file and line; so is a line that is no record, and the rest goes on.
    mapping.write_text(MAPPING.replace("m.orderNo, m.powerText", "m.orderNo, m.none.powerText"))
    broken = tmp_path / "broken.jsonl"
    broken.write_text(text.splitlines()[0] + '\n{"record": "message", \n{"record":"message","platform":"p1","method":"shout","before":{}}\n[]\n' +
                      "\n".join(text.splitlines()[1:]) + "\n")
    done = station.cli("lua", "replay", mapping, "--records", broken)
    assert done.returncode == 1 and f"{broken}:2: is no JSON" in done.stderr and f"{broken}:4: is no record" in done.stderr
    assert "2 messages on which a function fails" in done.stdout and f"{mapping}:" in done.stdout
    done = station.cli("lua", "replay", mapping, "--records", broken, "--platform", "p1")
    assert f"{broken}:3: shout: no such method" in done.stderr


def test_record_off_and_orders_on_pages(charging, tmp_path):
    station = charging(tcp=1, line_units=(), connectors=1)
    for _ in range(2):
        charge(station, 1, 1)
    lines = [json.loads(line) for line in station.cli("lua", "record", "--orders", "1").stdout.splitlines()]
    assert [line["record"] for line in lines].count("order") == 1
    newest = good(station, "orders", "list")["orders"][0]
    assert lines[-1]["seq"] == newest["seq"] and lines[-1]["money_e4"] == newest["money_e4"] and lines[-1]["charge"]["user"] == ""
    assert [json.loads(x)["record"] for x in station.cli("lua", "record", "--orders", "0").stdout.splitlines()].count("order") == 0
    assert station.cli("lua", "record", "--orders", "-1").returncode == 2
    assert station.cli("lua", "record", tmp_path / "no" / "where").returncode == 1
    # Off: no message is kept, what was kept is gone; orders are still there.
    text = station.config_file.read_text()
    station.config_file.write_text(text.replace("\toption data_dir", "\toption record_kb '0'\n\toption data_dir", 1))
    assert "record_kb" in station.config_file.read_text()
    station.gateway.popen.send_signal(signal.SIGHUP)
    station.gateway.wait_for("reload: done")
    kinds = [json.loads(x)["record"] for x in station.cli("lua", "record").stdout.splitlines()]
    assert kinds == ["header", "order", "order"]


def test_a_charge_over_a_power_cut(charging, tmp_path):
    """The points before it are lost, the prices are not: the same prices make the same order again."""
    station = charging(tcp=1, line_units=(), connectors=1)
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    time.sleep(3)
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    time.sleep(2)
    station.client.close()
    station.start_gateway()
    station.wait_status(connector, 3)
    time.sleep(3)
    station.ask_chargers("stop 0 1")
    order = wait_told(station, "notification_charge_order_info", seq)
    records = tmp_path / "records.jsonl"
    assert station.cli("lua", "record", records).returncode == 0
    report = good(station, "lua", "replay", station.lua / "policies" / "test.lua", "--records", records)
    assert report["totals"]["was_e4"] == fen(Decimal(str(order["TotalMoney"]))) * 100 > 0
    assert (report["totals"]["orders"], report["totals"]["differ"], report["totals"]["without_trace"]) == (1, 0, 0)


def test_files_without_a_daemon(make_station, tmp_path):
    station = make_station(start=False)
    lua = tmp_path / "lua"
    shutil.copytree(station.lua, lua)
    (lua / "lib").mkdir(exist_ok=True)
    (lua / "lib" / "prices.lua").write_text("return { base = 0.5 }\n")
    done = station.cli("lua", "check", "--lua-dir", lua)
    assert done.returncode == 0 and f"{lua}/lib/prices.lua: good (0 examples)" in done.stdout
    wanted = {f"{p}: good" for p in lua.glob("*/*.lua") if p.parent.name != "types"}  # declarations: nobody loads them
    assert wanted <= {line.split(" (")[0] for line in done.stdout.splitlines()}
    bad = lua / "policies" / "bad.lua"
    bad.write_text("return { forecourt = 1, kind = 'policy', name = 'bad',\n prices = {{ start = '00:00', elec = 1 }},\n  tems = {} }")
    syntax = lua / "operators" / "syntax.lua"
    syntax.write_text("return {\n  a = = 1 }")
    (lua / "lib" / "none.lua").write_text("return 5")
    done = station.cli("lua", "check", lua)
    assert done.returncode == 1
    # Lua cuts a long path from the left; then the whole one stands before it.
    assert f"{bad}: tems: there is no such key\n" in done.stdout and re.search(rf"^{syntax}:.*(syntax.lua:)?2: ", done.stdout, re.M)
    assert "none.lua: must return a table" in done.stdout
    report = good(station, "lua", "check", bad, lua / "policies" / "flat.lua", code=1)
    assert report["bad"] == 1 and [f["good"] for f in report["files"]] == [False, True]
    assert station.cli("lua", "check", tmp_path / "nowhere.lua").returncode == 1

    # All examples, not only the first that differs; lib/ is found beside the file's folder, or where --lua-dir says.
    many = lua / "policies" / "many.lua"
    many.write_text("""local base = require("prices").base
return { forecourt = 1, kind = "policy", name = "many", prices = function(c) return { { start = "00:00", elec = base, service = 0.1 } } end,
  examples = {
    { call = "prices", input = { weekday = 1 }, expect = { { start = "00:00", elec = 0.5, service = 0.1 } } },
    { call = "prices", input = { weekday = 2 }, expect = { { start = "00:00", elec = 0.6, service = 0.1 } } },
    { call = "prices", input = { weekday = 3 }, expect = { { start = "00:00", elec = 0.5, service = 0.2 } } },
  } }""")
    done = station.cli("lua", "test", many)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["examples[1] prices: ok", "examples[2] prices: differs: [1].elec: expected 0.6, got 0.5",
                                        "examples[3] prices: differs: [1].service: expected 0.2, got 0.1", "3 examples, 2 differ"]
    report = good(station, "lua", "test", many, code=1)
    assert [e["ok"] for e in report["examples"]] == [True, False, False] and report["differ"] == 2
    elsewhere = tmp_path / "many.lua"
    shutil.copy(many, elsewhere)
    assert station.cli("lua", "test", elsewhere).returncode == 1
    called = station.cli("lua", "test", elsewhere, "--lua-dir", lua, "--call", "prices", "--input", '{"weekday": 1}')
    assert called.returncode == 0 and json.loads(called.stdout) == [{"start": "00:00", "elec": 0.5, "service": 0.1}], called
    assert station.cli("lua", "test", many, "--call", "prices", "--input", "{").returncode == 2
    assert station.cli("lua", "test", many, "--call", "terms").returncode == 1
    assert station.cli("lua", "replay", many).returncode == 2
    assert station.cli("lua", "replay", many, "--records", tmp_path / "none").returncode == 1
    profile = next((lua / "profiles").glob("*.lua"))
    assert station.cli("lua", "test", profile).returncode == 0
    assert station.cli("lua", "replay", profile, "--records", many).returncode == 2


def test_time_and_chance_come_again(charging, tmp_path):
    """What a script made of the time of a call, and of chance, a replay makes again: the file itself differs in nothing."""
    text = """return { forecourt = 1, kind = "operator", name = "test", map = { notification_stationStatus = { request = function(m)
  m.Stamp, m.Dice = forecourt.time.datetime(forecourt.now()), forecourt.random(1, 1000000000)
  return m
end } } }"""
    station = charging(tcp=1, line_units=(), connectors=2, mapping_text=text)
    station.server.wait(lambda _: len([1 for m, _p in list(station.server.received) if m == "notification_stationStatus"]) >= 2)
    dice = {p["Dice"] for m, p in list(station.server.received) if m == "notification_stationStatus"}
    assert len(dice) >= 2
    records = tmp_path / "records.jsonl"
    assert station.cli("lua", "record", records).returncode == 0
    time.sleep(1.1)
    mapping = station.lua / "operators" / "test.lua"
    done = station.cli("lua", "replay", mapping, "--records", records)
    assert done.returncode == 0, done.stdout
    mapping.write_text(text.replace("1000000000)", "1000000000) + 1"))
    done = station.cli("lua", "replay", mapping, "--records", records)
    assert done.returncode == 4 and "Dice" in done.stdout and "Stamp" not in done.stdout
