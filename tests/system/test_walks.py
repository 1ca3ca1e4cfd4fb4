"""The walk-throughs in lua/: each page is done word for word on a station of its own (walk.py)."""
import harness
import walk

LUA = harness.ROOT / "lua"


def newest(station):
    """The newest message of a method that the platform got."""

    def pushed(method):
        found = [p for m, p in list(station.server.received) if m == method]
        return found[-1] if found else None

    return pushed


def shadow_pidof(station):
    """Other gateways may run on this machine: the page's pidof finds the one of the test."""
    folder = station.folder / "bin"
    folder.mkdir()
    script = folder / "pidof"
    script.write_text(f"#!/bin/sh\necho {station.gateway.popen.pid}\n")
    script.chmod(0o755)
    return folder


def walk_on(station, page, before=None):
    steps = walk.Walk(LUA / page, station, newest(station))
    steps.environment["PATH"] = f"{shadow_pidof(station)}:{steps.environment['PATH']}"
    return steps.run(before)


def test_first_mapping(charging):
    station = charging(tcp=1, line_units=(), connectors=2)
    odd = {"result": "ok"}
    station.server.answers["notification_stationStatus"] = lambda p: (0, odd if "connectorStatusInfo" in p else {"Status": 0})

    def before(_line, words, _body):
        if words[:2] == ["json", "pushed"]:
            station.ask_chargers("plug 0 1")

    assert walk_on(station, "first-mapping.md", before) >= 6


def test_first_tariff(charging):
    station = charging(tcp=1, line_units=(), connectors=2, at_station={"policy": "flat"})
    station.ask_chargers("plug 0 1")
    station.wait_status(station.connector_id(0), 2)
    assert walk_on(station, "first-tariff.md") >= 5
