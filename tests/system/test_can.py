"""CAN in the gateway: a BMS listener beside a charger on Modbus, its values in pushes and orders, why a charge ended; a bus that is
missing; a log as the bus; meters that count instead of the charger. The car and its charger's other half are `sim-bms`."""
import json
import re
import time

import pytest
from business import cents, check_order, new_seq, plug, start, stop, wait_told

import harness

VIN = "LTESTCAR000000042"
MAPPING = """return { forecourt = 1, kind = "operator", name = "test",
  methods = { notification_charge_order_info_for_bonus = true }, timing = { charge_status_s = 1 } }"""
# A charger that says nothing of the car: as most do.
PLAIN = "plain"
METER = """return { forecourt = 1, kind = "profile", name = "test-meter", source = "core/sim/README.md",
  points = { energy = { address = 6, type = "u32", scale = 0.01, unit = "kWh" } },
  examples = { { registers = { [6] = 1, [7] = 34464 }, expect = { energy = 1000 } } } }"""
LOG = harness.ROOT / "tests" / "unit" / "gbt" / "2015.log"


class Site:
    """A station whose charger 0 is on Modbus; what else there is, is added to its configuration."""

    def __init__(self, charging, connector=None, platform=None, extra="", meter=False):
        self.options = connector or {}
        self.extra = extra

        def prepare(station):
            text = (station.lua / "profiles" / "forecourt-sim.lua").read_text()
            for point in ("soc", "vin", "card"):
                text = re.sub(rf"(?m)^    {point} .*\n", "", text)
            text = re.sub(r"(?s)  examples = .*", "}\n", text)
            (station.lua / "profiles" / f"{PLAIN}.lua").write_text(text.replace("forecourt-sim", PLAIN))
            (station.lua / "profiles" / "test-meter.lua").write_text(METER)
            station.charger_options[0] = dict(profile=PLAIN)
            station.connector_options[0] = dict(self.options)
            self.bus = f"datagram:{station.folder}/can-gateway,{station.folder}/can-car"
            self.meter_text = ""
            if meter:
                # The second simulated charger is the meter: no charger to the gateway.
                station.tcp = 1
                self.meter_text = harness.section("bus", "meters", kind="tcp", host="127.0.0.1", port=station.charger_port + 1)
                self.meter_text += harness.section("device", "m1", bus="meters", profile="test-meter", poll_ms=200)
            station.extra = self.text(station)

        self.station = charging(tcp=2 if meter else 1, line_units=(), connectors=1, mapping_text=MAPPING,
                                platform=dict(send_vin=1, **(platform or {})), prepare=prepare)
        self.connector = self.station.connector_id(0)
        self.control = self.station.folder / "bms.sock"

    def text(self, station):
        return self.meter_text + self.extra.replace("BUS", self.bus).replace("FOLDER", str(station.folder))

    def reload(self, extra=None, **options):
        """Another configuration into force; waits until it is."""
        station = self.station
        if extra is not None:
            self.extra = extra
            station.extra = self.text(station)
        station.connector_options[0] = options
        done = station.gateway.output().count("reload: done")
        station.write_config()
        station.gateway.popen.send_signal(harness.signal.SIGHUP)
        station.until(lambda: station.gateway.output().count("reload: done") > done, 60, "the reload")

    def car(self, *options):
        station = self.station
        own, peer = self.bus.split(":", 1)[1].split(",")
        return station.add(harness.Process(
            [station.build / "sim-bms", "--bus", f"datagram:{peer},{own}", "--control", self.control, "--vin", VIN, "--soc", 40,
             "--speed", 4, *options], station.folder, "bms", r"(?m)^ready"))

    def ask_car(self, line):
        assert harness.control(self.control, line) == "ok", line

    def points(self):
        return next(c["points"] for c in self.station.stats()["connectors"] if c["connector_id"] == self.connector)

    def good(self, point):
        """The point's value while it is GOOD, else None."""
        p = self.points().get(point, {})
        return p["value"] if p.get("quality") == "good" else None

    def wait_good(self, point, value=None):
        return self.station.until(lambda: (lambda v: v is not None and (value is None or v == value) and [v])(self.good(point)), 60,
                                  f"{point} {value or ''}")[0]

    def snapshot(self, seq):
        return self.station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data

    def order(self, seq):
        return json.loads(self.station.cli("orders", "show", seq, "--json").stdout)

    def whole(self, by, seq=None):
        """A charge that runs: platform, charger and car."""
        station, seq = self.station, seq or new_seq()
        plug(station)
        self.ask_car("plug")
        self.ask_car("start")
        self.wait_good("phase", "charging")
        if by == "platform":
            assert start(station, self.connector, seq).data["SuccStat"] == 0
        station.wait_status(self.connector, 3)
        return seq

    def end(self, seq, reason):
        """Car or charger end it: both say so on CAN, then the charger's registers do."""
        self.ask_car(f"stop {reason}")
        self.station.until(lambda: self.points()["phase"]["value"] in ("stopping", "ended", "idle"), 60, "the end on CAN")
        assert self.station.ask_chargers("stop 0 1") == "ok"
        order = wait_told(self.station, "notification_charge_order_info", seq)
        check_order(order)
        return order

    def away(self):
        self.ask_car("unplug")
        self.station.ask_chargers("unplug 0 1")
        self.station.wait_status(self.connector, 1)
        self.wait_good("phase", "idle")


BMS = """config bus 'can0'
	option kind 'can'
	option device 'BUS'

config device 'bms1'
	option bus 'can0'
	option profile 'gbt27930'
"""


@pytest.fixture
def site(charging):
    return Site(charging, connector=dict(bms="bms1"), extra=BMS)


def test_a_charge_with_a_bms_listener(site):
    """SoC in the state that is pushed, what the car wants among the points, its VIN in the start's result and masked everywhere else."""
    site.car()
    seq = site.whole("platform")
    result = wait_told(site.station, "notification_start_charge_result", seq)
    assert result["StartChargeSeqStat"] == 2 and result["Vin"] == VIN
    soc = site.wait_good("soc")
    assert 40 <= soc < 100 and site.wait_good("demand_current") > 0 and site.wait_good("demand_voltage") > 0
    assert site.good("edition") == 2015
    # The charger says what it gives; the listener what the car sees.
    assert site.points()["voltage_a"]["value"] != site.points()["bms_voltage"]["value"]
    site.station.server.wait(lambda _: any(p["Soc"] >= 40 for m, p in list(site.station.server.received)
                                           if m == "notification_equip_charge_status"))
    snapshot = site.snapshot(seq)
    assert snapshot["Soc"] >= 40 and snapshot["VoltageA"] > 0 and snapshot["CurrentA"] > 0
    site.ask_car("soc 80")
    site.station.until(lambda: site.snapshot(seq)["Soc"] >= 80, 60, "the SoC of later")
    order = site.end(seq, "soc")
    assert order["StopReason"] == 2
    kept = site.order(seq)
    assert kept["cause_code"] == "soc_reached" and kept["cause"] == "wanted state of charge reached"
    assert 40 <= kept["soc_start"] < 80 <= kept["soc_end"] and kept["vin"] == "***0042"
    shown = site.station.cli("orders", "show", seq).stdout
    assert "wanted state of charge reached" in shown and "***0042" in shown
    assert "达到所需SOC目标值" in site.station.cli("orders", "show", seq, LC_ALL="zh_CN.UTF-8").stdout
    whole = site.station.cli("connectors", site.connector, "--json").stdout
    assert '"***0042"' in whole and '"from": "bms"' in whole.replace('"from":"bms"', '"from": "bms"')
    # Personal data stays out of logs and lists.
    for text in (site.station.gateway.output(), whole, shown, site.station.stats_file.read_text()):
        assert VIN not in text
    assert "***0042" in site.station.gateway.output()


def test_why_a_charge_ended(site):
    """By the car, a person, a fault of the charger; a platform's stop stays a platform's, whatever the charger tells the car."""
    site.car()
    for reason, expected, code in (("cell", 2, "cell_reached"), ("manual", 0, "manual"), ("no_energy", 3, "charger_no_energy"),
                                   ("emergency", 3, "emergency_stop"), ("insulation", 2, "car_insulation")):
        seq = site.whole("platform")
        assert site.end(seq, reason)["StopReason"] == expected, reason
        assert site.order(seq)["cause_code"] == code
        site.away()
    seq = site.whole("platform")
    assert stop(site.station, site.connector, seq).data["SuccStat"] == 0
    site.ask_car("stop manual")
    order = wait_told(site.station, "notification_charge_order_info", seq)
    assert order["StopReason"] == 1 and "cause" not in site.order(seq)
    # What is said afterwards changes nothing of what is closed.
    site.away()
    site.ask_car("plug")
    site.ask_car("start")
    site.wait_good("phase", "charging")
    site.ask_car("stop emergency")
    site.wait_good("stop_code", "emergency_stop")
    assert site.order(seq)["reason"] == 1 and "cause" not in site.order(seq)


def test_what_was_said_before_is_no_reason(site):
    """The listener goes deaf with the end of the charge before still in mind: the next one's end is not explained by it."""
    site.car()
    seq = site.whole("platform")
    assert site.end(seq, "manual")["StopReason"] == 0
    site.station.ask_chargers("unplug 0 1")
    site.station.wait_status(site.connector, 1)
    plug(site.station)
    seq = new_seq()
    assert start(site.station, site.connector, seq).data["SuccStat"] == 0
    site.station.wait_status(site.connector, 3)
    time.sleep(2)
    assert site.station.ask_chargers("stop 0 1") == "ok"
    assert wait_told(site.station, "notification_charge_order_info", seq)["StopReason"] == 2
    assert "cause" not in site.order(seq)


def test_a_bms_that_falls_silent(site):
    """Its values are unknown soon, and never zero as if they were known; the charge goes on."""
    car = site.car()
    seq = site.whole("platform")
    site.wait_good("soc")
    car.stop()
    site.station.until(lambda: site.good("soc") is None and site.good("demand_current") is None, 60, "values that are not good")
    before = site.snapshot(seq)
    assert before["Soc"] == 0  # the standard's default (protocol.md 2.10)
    site.station.until(lambda: cents(site.snapshot(seq)["TotalPower"]) > cents(before["TotalPower"]), 60, "energy")
    assert site.station.statuses(site.connector)[-1] == 3
    assert stop(site.station, site.connector, seq).data["SuccStat"] == 0
    order = wait_told(site.station, "notification_charge_order_info", seq)
    assert order["StopReason"] == 1 and site.order(seq)["soc_start"] >= 40


def test_a_bus_that_is_missing(charging):
    """No such interface: the start does not wait for it, chargers charge, and the status says what is wrong."""
    site = Site(charging, connector=dict(bms="bms1"), extra=BMS.replace("BUS", "can9"))
    shown = site.station.cli("status").stdout
    assert re.search(r"CAN can0: down: .+", shown), shown
    bus = next(b for b in json.loads(site.station.cli("status", "--json").stdout)["buses"] if b["name"] == "can0")
    assert bus["can"] == "down" and bus["connected"] is False and bus["units_silent"] == 1
    seq = new_seq()
    plug(site.station)
    assert start(site.station, site.connector, seq).data["SuccStat"] == 0
    site.station.wait_status(site.connector, 3)
    assert site.good("soc") is None and site.snapshot(seq)["Soc"] == 0
    assert stop(site.station, site.connector, seq).data["SuccStat"] == 0
    assert wait_told(site.station, "notification_charge_order_info", seq)["StopReason"] == 1


def test_a_log_as_the_bus(charging):
    """A recorded session: its values come at its pace, and are gone with its end."""
    site = Site(charging, connector=dict(bms="bms1"), extra=BMS.replace("BUS", f"replay:{LOG}"))
    assert 0 < site.wait_good("soc") <= 100
    # Its frames are in the trace under its name, and can be asked for by it.
    frames = [json.loads(line) for line in site.station.cli("bus", "trace", "can0", "--json").stdout.splitlines()]
    assert frames and all(f["line"] == "can0" and f["kind"] == "can" for f in frames)
    assert any(f["id"] & 0xFFFFFF == 0x12F456 for f in frames), "no BHM"
    others = [json.loads(line) for line in site.station.cli("bus", "trace", "--json").stdout.splitlines()]
    assert {f["line"] for f in others} > {"can0"} and "" not in {f["line"] for f in others}
    site.station.until(lambda: json.loads(site.station.cli("status", "--json").stdout)["buses"][-1]["can"] == "down", 120, "the end")
    site.station.until(lambda: site.good("soc") is None, 60, "unknown values")
    assert "end of file" in site.station.cli("status").stdout


def test_a_listener_as_the_only_source(charging):
    """A charger that can't be asked: its connector's status follows from what is said on CAN; energy wants a meter, which is there."""
    listener = """config bus 'can0'
	option kind 'can'
	option device 'BUS'

config charger 'heard'
	option station 's1'
	option bus 'can0'
	option profile 'gbt27930'
	option equipment_id 'HEARD'

config connector 'heard1'
	option charger 'heard'
	option connector_id 'HEARD1'
	option power_w '120000'
	option meter 'm1'
"""
    site = Site(charging, extra=listener, meter=True)
    site.car()
    site.connector = "HEARD1"
    site.station.wait_status("HEARD1", 1)
    site.ask_car("plug")
    site.ask_car("start")
    site.station.wait_status("HEARD1", 3)
    site.station.ask_chargers("plug 1 1")
    site.station.ask_chargers("start 1 1")
    site.station.until(lambda: (site.good("energy") or 0) > 0, 60, "the meter")
    assert site.wait_good("soc") >= 40
    # Nothing can be told to it.
    assert start(site.station, "HEARD1", new_seq()).data["SuccStat"] == 1
    time.sleep(2)
    site.ask_car("stop soc")
    site.station.wait_status("HEARD1", 2)
    rows = json.loads(site.station.cli("orders", "list", "--json").stdout)["orders"]
    station = site.station
    station.until(lambda: json.loads(station.cli("orders", "list", "--json").stdout)["orders"][0].get("end"), 60, "the order's end")
    order = site.order(rows[0]["seq"])
    assert order["reason"] == 2 and order["cause_code"] == "soc_reached" and order["meter"] == "m1:1"
    assert order["end_register_wh"] > order["start_register_wh"]


@pytest.mark.parametrize("meter", [False, True])
def test_cars_one_right_after_the_other(charging, meter):
    """Each charge is an order of its own, however soon the next car comes: also where no register says when the last reading of
    the one before is in. And no energy of a meter is in two orders."""
    listener = """config bus 'can0'
	option kind 'can'
	option device 'BUS'

config charger 'heard'
	option station 's1'
	option bus 'can0'
	option profile 'gbt27930'
	option equipment_id 'HEARD'

config connector 'heard1'
	option charger 'heard'
	option connector_id 'HEARD1'
	option power_w '120000'
"""
    site = Site(charging, extra=listener + ("	option meter 'm1'\n" if meter else ""), meter=meter)
    station = site.station
    if meter:
        station.ask_chargers("plug 1 1")
        station.ask_chargers("start 1 1")
    site.car("--auto", "--speed", "3", "--battery", "0.02", "--current", "200")

    def begun():
        return len(re.findall(r"device: heard: charging", station.gateway.output()))

    def orders():
        rows = json.loads(station.cli("orders", "list", "--json").stdout)["orders"]
        return sorted((site.order(r["seq"]) for r in rows if r["connector"] == "HEARD1"), key=lambda o: o["seq"])

    station.until(lambda: begun() >= 6, 120, "six charges")
    site.ask_car("quit")
    station.until(lambda: all(o.get("end") for o in orders()), 60, "the end of the last")
    found = orders()
    assert len(found) == begun()
    if meter:
        for before, after in zip(found, found[1:]):
            assert after["start_register_wh"] >= before["end_register_wh"]


def test_a_bms_comes_to_a_running_charge(charging):
    """Attached by a reload: the charge, its charger's line and its order are not touched."""
    site = Site(charging)
    station, seq = site.station, new_seq()
    plug(station)
    assert start(station, site.connector, seq).data["SuccStat"] == 0
    station.wait_status(site.connector, 3)
    station.until(lambda: cents(site.snapshot(seq)["TotalPower"]) >= 10, 60, "some energy")
    pushed = len(station.statuses(site.connector))
    site.reload(extra=BMS, bms="bms1")
    site.car()
    site.ask_car("plug")
    site.ask_car("start")
    assert site.wait_good("soc") >= 40
    before = cents(site.snapshot(seq)["TotalPower"])
    station.until(lambda: cents(site.snapshot(seq)["TotalPower"]) > before, 60, "more energy")
    assert len(station.statuses(site.connector)) == pushed
    chargers = json.loads(station.ask_chargers("stats"))
    assert chargers["chargers"][0]["connections_max"] == 1 and "closed" not in station.gateway.output()
    # And taken away again.
    site.reload(extra="")
    station.until(lambda: "soc" not in site.points(), 60, "no BMS")
    assert len(station.statuses(site.connector)) == pushed
    assert stop(station, site.connector, seq).data["SuccStat"] == 0
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order)
    assert cents(order["TotalPower"]) > before and not site.order(seq)["repairs"]


def test_the_profile_is_edited_while_a_car_charges(site):
    """Words of the file change: the listener goes on, with what the car said once. A point more: another listener, which joins in the
    middle; the charge goes on in both cases."""
    site.car("--battery", 500)
    seq = site.whole("platform")
    assert site.wait_good("soc") >= 40 and site.good("vin") == "***0042"
    path = site.station.lua / "profiles" / "gbt27930.lua"

    def edit(text):
        seen = site.station.gateway.output().count("profile gbt27930: new version")
        path.write_text(text)
        site.station.until(lambda: site.station.gateway.output().count("profile gbt27930: new version") > seen, 60, "the new version")

    edit(path.read_text() + "-- a comment more\n")
    assert site.good("vin") == "***0042" and site.good("capacity") is not None
    edit(path.read_text().replace("    edition ", '    serial          = { signal = "BRM.serial" },\n    edition ', 1))
    assert "serial" in site.points() and site.good("vin") is None
    assert site.wait_good("soc") >= 40 and site.good("phase") == "charging"
    assert site.station.statuses(site.connector)[-1] == 3
    # The order has what it was told.
    assert site.end(seq, "soc")["StopReason"] == 2
    assert site.order(seq)["vin"] == "***0042"


def test_a_meter_counts(charging):
    """The meter's register counts, not the charger's; while it is silent nothing is known, and nothing is lost or made."""
    site = Site(charging, connector=dict(meter="m1"), meter=True)
    station, seq = site.station, new_seq()
    station.ask_chargers("plug 1 1")
    plug(station)
    assert start(station, site.connector, seq).data["SuccStat"] == 0
    station.wait_status(site.connector, 3)
    # The charger counts; the meter stands still, and so does the order.
    time.sleep(3)
    assert cents(site.snapshot(seq)["TotalPower"]) == 0
    station.ask_chargers("start 1 1")
    station.until(lambda: cents(site.snapshot(seq)["TotalPower"]) >= 10, 60, "the meter's energy")
    station.ask_chargers("mute 1")
    station.until(lambda: site.good("energy") is None, 60, "a silent meter")
    silent = cents(site.snapshot(seq)["TotalPower"])
    time.sleep(2)
    assert cents(site.snapshot(seq)["TotalPower"]) == silent
    station.ask_chargers("unmute 1")
    station.until(lambda: cents(site.snapshot(seq)["TotalPower"]) > silent, 120, "the meter again")
    # Another register from now on: for the next charge. This one is counted to its end as it began.
    site.reload()
    before = cents(site.snapshot(seq)["TotalPower"])
    station.until(lambda: cents(site.snapshot(seq)["TotalPower"]) > before, 60, "the meter still")
    station.ask_chargers("stop 1 1")
    time.sleep(1)
    assert stop(station, site.connector, seq).data["SuccStat"] == 0
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order)
    bonus = wait_told(station, "notification_charge_order_info_for_bonus", seq)
    kept = site.order(seq)
    assert kept["meter"] == "m1:1" and not kept["repairs"]
    assert cents(bonus["MeterValueEnd"]) - cents(bonus["MeterValueStart"]) == cents(order["TotalPower"])
    # The next one is the charger's.
    station.ask_chargers("unplug 0 1")
    station.wait_status(site.connector, 1)
    seq = new_seq()
    plug(station)
    assert start(station, site.connector, seq).data["SuccStat"] == 0
    station.until(lambda: cents(site.snapshot(seq)["TotalPower"]) >= 10, 60, "the charger's energy")
    assert stop(station, site.connector, seq).data["SuccStat"] == 0
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order)
    kept = site.order(seq)
    assert "meter" not in kept and not kept["repairs"]
    # Between the two nothing was taken for energy of anybody.
    assert len(json.loads(station.cli("orders", "list", "--json").stdout)["orders"]) == 2


def test_a_meter_that_is_silent_at_both_ends(charging):
    """At the start: counted from its first reading. At the end: what it shows more when it is back is nobody's, and not lost."""
    site = Site(charging, connector=dict(meter="m1"), meter=True)
    station, seq = site.station, new_seq()
    station.until(lambda: site.good("energy") is not None, 60, "the meter")
    station.ask_chargers("plug 1 1")
    plug(station)
    station.ask_chargers("start 1 1")
    assert start(station, site.connector, seq).data["SuccStat"] == 0
    station.until(lambda: cents(site.snapshot(seq)["TotalPower"]) >= 10, 60, "the meter's energy")
    station.ask_chargers("mute 1")
    station.until(lambda: site.good("energy") is None, 60, "a silent meter")
    known = cents(site.snapshot(seq)["TotalPower"])
    assert stop(station, site.connector, seq).data["SuccStat"] == 0
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order)
    assert cents(order["TotalPower"]) == known
    station.ask_chargers("stop 1 1")
    station.ask_chargers("unmute 1")
    orders = station.until(lambda: (lambda o: len(o) == 2 and o)(json.loads(station.cli("orders", "list", "--json").stdout)["orders"]),
                           120, "the order of what went by unseen")
    unseen = next(o for o in orders if o["seq"] != seq)
    kept = site.order(unseen["seq"])
    assert kept["repairs"] == ["went by while the gateway or the charger was away"] and kept["meter"] == "m1:1"
    assert kept["start_register_wh"] == site.order(seq)["end_register_wh"]
