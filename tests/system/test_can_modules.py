"""Devices that are asked over CAN: simulated INFY modules and a simulated charge controller (tests/peers) on a bus of datagrams."""
import json
import time

import pytest
from business import new_seq, wait_told

import harness

# Found by conftest's path.
import can_node
import infy
import tcu_controller


@pytest.fixture
def can(request):
    """can(station): the bus's other side, its configuration added to the station."""
    made = []

    def make(station, bitrate):
        own, gateway = station.folder / "can-modules", station.folder / "can-gateway"
        station.extra += harness.section("bus", "can1", kind="can", device=f"datagram:{gateway},{own}", bitrate=bitrate)
        made.append(can_node.Bus(own, gateway).start())
        return made[-1]

    yield make
    for bus in made:
        bus.stop()


def add_charger(station, name, unit, profile, connectors=1, **options):
    station.extra += harness.section("charger", name, station="s1", bus="can1", unit=unit, profile=profile, equipment_id=f"E{name}",
                                     **options)
    for n in range(1, connectors + 1):
        station.extra += harness.section("connector", f"{name}n{n}", charger=name, number=n, connector_id=f"{name}{n}", power_w=60000,
                                         connector_type=4)


def points(station, connector):
    return next(c["points"] for c in station.stats()["connectors"] if c["connector_id"] == connector)


def good(station, connector, point):
    p = points(station, connector).get(point, {})
    return p["value"] if p.get("quality") == "good" else None


def wait_good(station, connector, point, value):
    station.until(lambda: good(station, connector, point) == value, 60, f"{connector} {point} {value}")


def test_modules_on_one_bus(make_station, can):
    """Each by its own address; one that falls silent is off line after its time-out, asked on slowly, and back with its first frame."""
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=500)
    profile = station.lua / "profiles" / "infy-v1.lua"
    # The defaults' ten seconds are in the unit test.
    profile.write_text(profile.read_text().replace("timeout_ms = 10000,", "timeout_ms = 3000, slow_ms = 1000,"))
    bus = can(station, 125000)
    one, two = bus.add(infy.Module(1)), bus.add(infy.Module(2, 400.0, 7.25))
    bus.add(infy.Module(0, 500.0, 1.0))  # speaks for the system; nobody asks it for itself
    add_charger(station, "m1", 1, "infy-v1")
    add_charger(station, "m2", 2, "infy-v1")
    station.start_chargers()
    station.start_gateway()
    station.wait_status("m11", 1)
    station.wait_status("m21", 1)
    wait_good(station, "m11", "voltage_a", 500)
    wait_good(station, "m21", "current_a", 7.25)
    wait_good(station, "m11", "system_current", 2)
    wait_good(station, "m21", "most_power", 10000)
    assert good(station, "m11", "temperature") == 35 and good(station, "m11", "group") == 2

    two.silent = True
    station.wait_status("m21", 0)
    assert good(station, "m21", "voltage_a") is None and good(station, "m11", "voltage_a") == 500
    # As often as slow_ms says, of all its requests together: not faster, and it goes on.
    begin = time.monotonic()
    station.until(lambda: time.monotonic() - begin > 6, 20, "six seconds")
    asked = [t for command in (0x03, 0x04, 0x0A, 0x0C) for t in bus.times_of(0x0A << 22 | command << 16 | 2 << 8 | 0xF0) if t > begin]
    gaps = [b - a for a, b in zip(sorted(asked), sorted(asked)[1:])]
    assert asked and min(gaps, default=1) > 0.9, gaps
    two.silent = False
    two.answer(0x03, bytes.fromhex("43c8000040e80000"))  # one frame, and it is there
    station.wait_status("m21", 1)
    wait_good(station, "m21", "voltage_a", 400)

    # A fault of one is its own.
    one.status = 0x02
    station.wait_status("m11", 255)
    assert station.statuses("m21")[-1] == 1
    one.status = 0
    station.wait_status("m11", 1)
    # What nobody knows and what is not ours changes nothing.
    bus.send(0x0283F007, bytes.fromhex("44fa000044fa0000"))
    bus.send(0x18FF50E5, bytes(8))
    wait_good(station, "m11", "voltage_a", 500)
    # Asked more often than every 3 s: it never switched itself off for want of frames.
    one.off = False
    station.wait_status("m11", 3)
    begin = time.monotonic()
    station.until(lambda: time.monotonic() - begin > 12, 30, "twelve seconds")
    assert one.lost == 0 and not one.off


def test_a_charge_through_the_billing_unit_s_protocol(charging, can):
    """Start, telemetry in packets, stop: the platform's commands as frames, the frames as statuses; the energy is a meter's."""
    buses = []

    def prepare(station):
        buses.append(can(station, 250000))
        # The second simulated charger is the meter: no charger to the gateway.
        station.tcp = 1
        (station.lua / "profiles" / "test-meter.lua").write_text(
            """return { forecourt = 1, kind = "profile", name = "test-meter", source = "core/sim/README.md",
              points = { energy = { address = 6, type = "u32", scale = 0.01, unit = "kWh" } } }""")
        station.extra += harness.section("bus", "meters", kind="tcp", host="127.0.0.1", port=station.charger_port + 1)
        station.extra += harness.section("device", "m1", bus="meters", profile="test-meter", poll_ms=200)
        station.extra += harness.section("charger", "dc", station="s1", bus="can1", unit=1, profile="tcu-can-2016", equipment_id="DC")
        for gun in (1, 2):
            station.extra += harness.section("connector", f"dc{gun}", charger="dc", number=gun, connector_id=f"110105000177{gun}",
                                             power_w=120000, connector_type=4, **(dict(meter="m1") if gun == 1 else {}))

    station = charging(tcp=2, line_units=(), connectors=1, prepare=prepare)
    bus, gun1, gun2 = buses[0], "1101050001771", "1101050001772"
    controller = bus.add(tcu_controller.Controller())
    station.wait_status(gun1, 1)
    station.wait_status(gun2, 1)
    station.until(lambda: controller.time is not None and set(controller.beats) == {1, 2}, 30, "heartbeats and the time")
    controller.guns[1]["plugged"] = True
    station.wait_status(gun1, 2)
    wait_good(station, gun1, "guide_voltage", 4)

    seq = new_seq()
    answer = station.client.call("query_start_charge", {"StartChargeSeq": seq, "ConnectorID": gun1, "QRCode": "1"}).data
    assert answer["SuccStat"] == 0, answer
    station.wait_status(gun1, 3)
    result = wait_told(station, "notification_start_charge_result", seq)
    assert result["StartChargeSeqStat"] == 2, result
    wait_good(station, gun1, "voltage_a", 642)
    wait_good(station, gun1, "current_a", 80)
    wait_good(station, gun1, "soc", 57)
    # What it repeats is acknowledged, once it is, it is quiet; the other gun was never meant.
    station.until(lambda: 1 not in controller.pending, 20, "the acknowledgement")
    assert not controller.guns[2]["charging"] and bus.times_of(0x1001F68A) and not [
        d for _, i, d in list(bus.heard) if i == 0x1001F68A and d[0] != 1]
    assert any(pf == 0x23 and gun == 1 and data[1] == 0 for pf, gun, data in controller.acks)

    # Torn telemetry is no telemetry: nothing wrong is shown.
    controller.broken_sum = True
    time.sleep(1.5)
    assert good(station, gun1, "voltage_a") in (642, None)
    controller.broken_sum = False

    stop = station.client.call("query_stop_charge", {"StartChargeSeq": seq, "ConnectorID": gun1}).data
    assert stop["SuccStat"] == 0, stop
    order = wait_told(station, "notification_charge_order_info", seq)
    assert order["ConnectorID"] == gun1
    station.wait_status(gun1, 2)
    assert json.loads(station.cli("orders", "show", seq, "--json").stdout)["profile"] == "tcu-can-2016"

    # Refused by the controller: the platform hears that it failed.
    controller.refuse = True
    seq = new_seq()
    station.client.call("query_start_charge", {"StartChargeSeq": seq, "ConnectorID": gun1, "QRCode": "1"})
    result = wait_told(station, "notification_start_charge_result", seq)
    assert result["StartChargeSeqStat"] != 2, result

    # The controller goes: off line, never frozen values.
    controller.silent = True
    station.wait_status(gun1, 0)
    assert good(station, gun1, "voltage_a") is None
    assert station.gateway.running()
