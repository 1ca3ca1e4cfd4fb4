"""DL/T 645-2007 meters on a line of their own (tests/peers/dlt645_meter.py): what is read, what goes wrong on such a line, and an
order that such a meter counts."""
import json
import pathlib
import subprocess
import sys
import time

import pytest
from business import cents, check_order, new_seq, plug, start, stop, wait_told

import harness

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import dlt645_meter  # noqa: E402

FIRST, SECOND = "000012345678", "210987654321"
VALUES = {0x00010000: "00123456", 0x00010100: "00000150", 0x02010100: "2204", 0x02020100: "832015", 0x02030000: "070512"}


@pytest.fixture
def line():
    line = dlt645_meter.Line({FIRST: dict(VALUES), SECOND: {**VALUES, 0x00010000: "99999999"}})
    yield line
    line.close()


def meters(line, first=FIRST, second=SECOND, framing="dlt645", **bus):
    text = harness.section("bus", "meters", kind="rtu", device=line.device, baud=2400, **dict(dict(framing=framing), **bus))
    for name, unit, address in ("m1", 1, first), ("m2", 2, second):
        if address is not None:
            options = dict(bus="meters", unit=unit, profile="dlt645-ac", poll_ms=1000)
            text += harness.section("device", name, **options, **({"meter_address": address} if address else {}))
    return text


def station_with(charging, line, second=SECOND, **connector):
    def prepare(station):
        station.connector_options[0] = connector
        station.connector_options[1] = {"meter": "m2"} if second else {}
        station.extra = meters(line, second=second)

    return charging(tcp=2, line_units=(), connectors=1, prepare=prepare)


def points(station, place=0):
    return next(c["points"] for c in station.stats()["connectors"] if c["connector_id"] == station.connector_id(place))


def good(station, point, place=0):
    p = points(station, place).get(point, {})
    return p["value"] if p.get("quality") == "good" else None


def test_two_meters_on_a_line(charging, line):
    station = station_with(charging, line, meter="m1")
    station.until(lambda: good(station, "energy") == 1234.56 and good(station, "energy", 1) == 999999.99, 60, "both energies")
    station.until(lambda: good(station, "energy_sharp") == 1.5, 60, "the energy of a period")
    # There are no registers to be scanned, read or written, and that is said: no silence of 247 units.
    for call in ("scan", "meters", "--units", "1-3"), ("read", "meters", "1", "3", "0"), ("write", "meters", "1", "6", "0", "1", "--yes"):
        done = station.cli("bus", *call)
        assert done.returncode != 0 and "DL/T 645" in done.stderr, (call, done.stdout, done.stderr)
    # The charger has no such point: its meter's counts.
    assert points(station)["energy"]["unit"] == "kWh"
    asked = {number for number, _, _ in line.asked}
    assert asked == {FIRST, SECOND} and line.noise == 0
    assert {control for _, control, _ in line.asked} == {0x11}
    # What the meter says that it has not (phase B) is found out once, and left alone.
    wanted = bytes.fromhex("00020102")
    assert 1 <= sum(data == wanted for _, _, data in line.asked) <= 4


@pytest.mark.parametrize("trouble", [
    dict(wake=False), dict(before=b"\x00\x68\xff\x68\x01"), dict(torn=True), dict(late=0.4),
], ids=lambda t: next(iter(t)))
def test_troubled_lines(charging, line, trouble):
    """No wake-up bytes, noise with a start byte in it, a frame in two pieces, a meter that takes its time."""
    line.behave(**trouble)
    station = station_with(charging, line, meter="m1")
    station.until(lambda: good(station, "energy") == 1234.56, 60, "the energy")
    assert good(station, "energy", 1) in (None, 999999.99)


def test_what_is_no_value(charging, line):
    """A wrong sum and an answer to the question before are never a value; a silent meter does not take the other one with it."""
    station = station_with(charging, line, meter="m1")
    station.until(lambda: good(station, "energy") == 1234.56, 60, "the energy")
    line.behave(wrong_sum=True)
    station.until(lambda: good(station, "energy") is None, 60, "no value from wrong sums")
    line.behave(wrong_sum=False, repeat_last=True)
    line.meters[FIRST][0x00010000] = "00200000"
    before = len(line.asked)
    station.until(lambda: len(line.asked) > before + 10, 120, "questions")
    assert good(station, "energy") in (None, 2000)
    line.behave(repeat_last=False, silent={SECOND})
    station.until(lambda: good(station, "energy") == 2000 and good(station, "energy", 1) is None, 120, "one of the two")
    line.behave(silent=set())
    station.until(lambda: good(station, "energy", 1) == 999999.99, 120, "the other one again")


def test_an_order_by_such_a_meter(charging, line):
    """Alone on its line, without a number of its own: the order counts the meter's energy, not the charger's."""
    del line.meters[SECOND]

    def prepare(station):
        station.connector_options[0] = {"meter": "m1"}
        station.extra = meters(line, first="", second=None)

    station = charging(tcp=1, line_units=(), connectors=1, prepare=prepare)
    connector, seq = station.connector_id(0), new_seq()
    station.until(lambda: good(station, "energy") == 1234.56, 60, "the meter")
    assert {number for number, _, _ in line.asked} == {"aa" * 6}
    plug(station)
    assert start(station, connector, seq).data["SuccStat"] == 0
    station.wait_status(connector, 3)
    for hundredths in range(123459, 123481, 3):  # no faster than the charger can
        line.meters[FIRST][0x00010000] = f"00{hundredths}"
        time.sleep(2)
    station.until(lambda: cents(station.client.call("query_equip_charge_status", {"StartChargeSeq": seq}).data["TotalPower"]) == 24,
                  60, "0.24 kWh")
    assert stop(station, connector, seq).data["SuccStat"] == 0
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order)
    assert cents(order["TotalPower"]) == 24
    kept = json.loads(station.cli("orders", "show", seq, "--json").stdout)
    assert kept["meter"] == "m1:1" and kept["end_register_wh"] == 1234800


@pytest.mark.parametrize("change,why", [
    (dict(second=""), "each needs its number"),
    (dict(second="12345678"), "is that of device m1 already"),
    (dict(framing="rtu"), "belongs to a bus of framing dlt645"),
    (dict(first="12345678901x"), "meter_address"),
])
def test_mistakes_of_the_configuration(make_station, line, change, why):
    station = make_station(start=False, tcp=1, line_units=())
    station.extra = meters(line, **change)
    station.write_config()
    done = subprocess.run([station.build / "forecourtd", "-c", station.config_file, "--check"], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode != 0 and why in done.stdout + done.stderr, done
