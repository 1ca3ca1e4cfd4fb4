"""Chargers that fail, and a charger that is not ours (pymodbus)."""
import json
import subprocess
import textwrap

import harness


def healthy_lines(station, names):
    return {b["name"]: b for b in station.stats()["buses"] if b["name"] in names}


def test_unplugged_and_silent_chargers_leave_the_others_alone(make_station):
    """One closes its listener, one stays open and silent: both go off line, the others lose no poll."""
    station = make_station(tcp=8, line_units=(), connectors=1, poll_ms=200)
    for i in range(8):
        station.wait_status(station.connector_id(i), 1)
    others = [f"tcp{i}" for i in range(2, 8)]
    before = healthy_lines(station, others)
    station.ask_chargers("close 0")
    station.ask_chargers("mute 1")
    station.wait_status(station.connector_id(0), 0)
    station.wait_status(station.connector_id(1), 0)
    after = healthy_lines(station, others)
    for name in others:
        assert after[name]["missed"] == before[name]["missed"] == 0
        assert after[name]["timeouts"] == after[name]["disconnects"] == 0
        assert after[name]["polls"] > before[name]["polls"]
    station.ask_chargers("open 0")
    station.ask_chargers("unmute 1")
    station.wait_status(station.connector_id(0), 1, 120)
    station.wait_status(station.connector_id(1), 1, 120)
    requests = json.loads(station.ask_chargers("stats"))
    assert max(c["connections_max"] for c in requests["chargers"][2:]) == 1


def test_silent_unit_on_a_line_goes_to_the_slow_lane(make_station):
    station = make_station(tcp=0, line_units=(4,), connectors=1, poll_ms=500)
    station.bus_options = {}
    for i in range(4):
        station.wait_status(station.connector_id(i), 1)
    station.ask_chargers("mute 2")
    station.wait_status(station.connector_id(2), 0)
    # Values may be stale before the third failure has come.
    station.until(lambda: station.stats()["buses"][0]["units_slow"] == 1, 60, "the slow lane")
    start = station.stats()["buses"][0]
    station.until(lambda: station.stats()["buses"][0]["ok"] > start["ok"] + 30, 60, "polls of the other three")
    for i in (0, 1, 3):
        assert station.statuses(station.connector_id(i))[-1] == 1
    station.ask_chargers("unmute 2")
    station.wait_status(station.connector_id(2), 1, 120)


def test_failed_reads_are_unknown_never_zero(station):
    station.wait_status(station.connector_id(0), 1)
    station.ask_chargers("exception 0 4")
    station.wait_status(station.connector_id(0), 0)
    connector = station.stats()["connectors"][0]
    assert connector["points"]["energy"]["quality"] == "unknown" and "value" not in connector["points"]["energy"]
    station.ask_chargers("normal 0")
    station.wait_status(station.connector_id(0), 1)
    assert station.stats()["connectors"][0]["points"]["energy"]["value"] >= 100


def test_odd_answers_are_survived(station):
    """Torn, stale, garbled, from the wrong unit: no wrong value, and back to normal afterwards."""
    connector = station.connector_id(0)
    station.wait_status(connector, 1)
    energy = station.stats()["connectors"][0]["points"]["energy"]["value"]
    for fault in ("torn 0", "stale 0", "garbage 0", "wrongunit 0", "late 0 1500"):
        polls = station.stats()["buses"][0]["polls"]
        station.ask_chargers(fault)
        station.until(lambda: station.stats()["buses"][0]["polls"] > polls + 2, 120, f"polls under {fault}")
        value = station.stats()["connectors"][0]["points"]["energy"].get("value", energy)
        assert value == energy, fault
        station.ask_chargers("normal 0")
        station.until(lambda: station.stats()["connectors"][0]["points"]["state"]["quality"] == "good", 120, "good values again")
    assert station.gateway.running()


PYMODBUS = """
import asyncio, sys
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer
# An ABB Terra AC in state C2: protocol addresses 0x4000..; session energy 4660 Wh, power 7200 W.
image = [0] * 0x20
image[0x0C], image[0x0D] = 0, 4 << 8
image[0x1C], image[0x1D] = 0, 7200
image[0x1E], image[0x1F] = 0, 4660
slave = ModbusSlaveContext(hr=ModbusSequentialDataBlock(0x4000, image), zero_mode=True)
asyncio.run(StartAsyncTcpServer(ModbusServerContext(slaves=slave, single=True), address=("127.0.0.1", int(sys.argv[1]))))
"""


def test_pymodbus_as_a_second_charger(make_station):
    """Another maker's map, served by a Modbus implementation that is not ours."""
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=500)
    port = harness.free_port()
    server = station.folder / "pymodbus_server.py"
    server.write_text(textwrap.dedent(PYMODBUS))
    profile = station.lua / "profiles" / "terra.lua"
    profile.write_text("""return { forecourt = 1, kind = "profile", name = "terra", modbus = { max_words = 32 },
      points = { state = { fc = 3, address = 0x400C, type = "u32", shift = 8, mask = 0x7F },
                 power = { fc = 3, address = 0x401C, type = "u32", unit = "W" },
                 session_energy = { fc = 3, address = 0x401E, type = "u32", unit = "Wh" } },
      status = { point = "state", map = { [0] = 1, [1] = 2, [2] = 2, [3] = 2, [4] = 3, [5] = 2 } } }""")
    station.extra += harness.section("bus", "abb", kind="tcp", host="127.0.0.1", port=port)
    station.extra += harness.section("charger", "abb", station="s1", bus="abb", unit=1, profile="terra", equipment_id="abb1")
    station.extra += harness.section("connector", "abb", charger="abb", connector_id="ABB1", power_w=22000)
    station.start_chargers()
    station.add(harness.Process(["/usr/bin/python3", server, port], station.folder, "pymodbus"))
    station.start_gateway()
    station.wait_status("ABB1", 3)

    def points():
        return next(c for c in station.stats()["connectors"] if c["connector_id"] == "ABB1")["points"]
    station.until(lambda: points()["power"]["quality"] == "good", 60, "the second block")
    assert points()["power"]["value"] == 7200 and points()["session_energy"]["value"] == 4660


def test_mbpoll_agrees_with_the_simulator(station):
    """The simulator, asked by a third implementation: it is a fair stand-in."""
    result = subprocess.run(["mbpoll", "-0", "-1", "-m", "tcp", "-p", str(station.charger_port), "-a", "1", "-t", "4", "-r", "0", "-c",
                             "12", "127.0.0.1"], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "[0]: \t0" in result.stdout


def test_gateway_ends_cleanly(station):
    station.wait_status(station.connector_id(0), 1)
    assert station.gateway.stop() == 0
    assert "forecourtd ended" in station.gateway.output()
    assert "one-time password" in station.gateway.output()
