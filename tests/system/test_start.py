"""A start with broken Lua files: what was in force before goes on, is named, and the mended file is taken over. Without any earlier
version the station runs with what it has, and nothing is free of charge."""
import hashlib
import re
import signal
import sqlite3

import pytest

from business import PRICES, confirm_all, new_seq, plug, start, told
from test_versions import MAPPING, POLICY, PROFILE, charge, check_price, good, in_force, save, sha, take_over, versions

pytestmark = pytest.mark.usefixtures("shared_store")

MODULE = "lib/figures"
MODULE_TEXT = 'return {{ elec = {elec}, remark = "{remark}" }}\n'
POLICY_TEXT = """local figures = require("figures")
return { forecourt = 1, kind = "policy", name = "test",
  prices = { { start = "00:00", elec = figures.elec, service = 0.4 } } }
"""
MAPPING_TEXT = """local figures = require("figures")
return { forecourt = 1, kind = "operator", name = "base",
  map = { notification_charge_order_info = { request = function(m) m.Remark = figures.remark return m end } } }
"""


@pytest.fixture
def site(make_station):
    """A station whose policy and mapping share a module."""

    def make(before=lambda station: None, connectors=1):
        station = make_station(start=False, poll_ms=200, tcp=2, line_units=(), connectors=connectors)
        station.station_options["policy"] = "test"
        station.platform_options.update(iserv=1)
        (station.lua / "lib").mkdir(exist_ok=True)
        (station.lua / f"{MODULE}.lua").write_text(MODULE_TEXT.format(elec="1.2345", remark="first"))
        station.write_policy("test", POLICY_TEXT)
        station.write_mapping("base", MAPPING_TEXT)
        before(station)
        confirm_all(station.server)
        station.start_chargers("--speed", "30")
        station.start_gateway()
        return station

    return make


def ready(station):
    station.wait_status(station.connector_id(0), 1)
    station.client.login()
    return station


def cut_power(station):
    station.gateway.popen.send_signal(signal.SIGKILL)
    station.gateway.popen.wait(60)
    station.client.close()
    station.client = station.new_client()


def rows(station):
    """All that the store knows about versions."""
    with sqlite3.connect(f"file:{station.folder / 'data' / 'forecourt.db'}?mode=ro", uri=True) as db:
        return [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                for table in ("script_version", "script_part", "script_text")]


def refused_now(station):
    return good(station, "status")["scripts_refused"]


def live(station):
    """New texts of everything, taken over by the running gateway; their versions."""
    profile = (station.lua / f"{PROFILE}.lua").read_text()
    take_over(station, PROFILE, profile + "-- edited live\n")
    take_over(station, MODULE, MODULE_TEXT.format(elec="2.5", remark="second"))
    return {item: in_force(station, item) for item in (POLICY, MAPPING, PROFILE, MODULE)}


BREAKS = {
    "syntax": lambda path: save(path, "return {\n forecourt = = 1 }\n"),
    "missing": lambda path: path.unlink(),
    "empty": lambda path: save(path, ""),
    "half": lambda path: save(path, path.read_text()[:len(path.read_text()) // 2]),
}


@pytest.mark.parametrize("way", [*BREAKS, "module"])
def test_what_was_in_force_goes_on(site, way):
    station = ready(site())
    before = live(station)
    items = [MODULE] if way == "module" else [POLICY, MAPPING, PROFILE]
    good_texts = {item: (station.lua / f"{item}.lua").read_text() for item in items}
    for item in items:
        BREAKS["syntax" if way == "module" else way](station.lua / f"{item}.lua")
    scripts = [POLICY, MAPPING] if way == "module" else items
    station.until(lambda: refused_now(station) == len(scripts), 60, "the refusals")
    cut_power(station)
    kept = rows(station)

    station.start_gateway()
    ready(station)
    assert refused_now(station) == len(scripts)
    assert station.stats()["reloads"]["scripts_refused"] == len(scripts)
    assert {item: in_force(station, item) for item in before} == before
    for item in scripts:
        version = before[item]["version"][:12]
        file = (MODULE if way == "module" else item) + r"\.lua" + (":\\d+:" if way in ("syntax", "module") else ":")
        kind = {POLICY: "policy", MAPPING: "mapping", PROFILE: "profile"}[item]
        assert re.search(rf"ERROR.*{kind} {item.split('/')[1]}: version {version} of \d{{4}}-[-0-9: ]* stays in force.*{file}",
                         station.gateway.output(), re.I), (item, station.gateway.output())
    order = charge(station, seq := new_seq())
    check_price(order, "2.5")
    assert order["Remark"] == "second"
    shown = good(station, "orders", "show", seq)
    assert shown["tariff"]["version"] == before[POLICY]["version"]
    assert shown["profile_version"] == before[PROFILE]["version"]
    assert rows(station)[1:] == kept[1:] and [r[:-1] for r in rows(station)[0]] == [r[:-1] for r in kept[0]]
    assert "refused" in station.cli("lua", "reload").stdout
    assert re.search(rf"Lua files +{len(scripts)} refused", station.cli("status").stdout)
    assert f"{len(scripts)} 个被拒绝" in station.cli("status", LANG="zh_CN.UTF-8").stdout

    # Mended: the same texts are what is in force, and others are taken over as ever.
    for item in items:
        save(station.lua / f"{item}.lua", good_texts[item])
    station.until(lambda: refused_now(station) == 0, 60, "the mended files")
    assert {item: in_force(station, item) for item in before} == before
    take_over(station, MODULE, MODULE_TEXT.format(elec="3.25", remark="third"))
    order = charge(station, new_seq())
    check_price(order, "3.25")
    assert order["Remark"] == "third"


@pytest.mark.parametrize("connectors, why", [("count = 3, stride = 100", "connector number 4: profile forecourt-sim describes 3"),
                                             ("count = 4, stride = 100, unit_stride = 100", "would be asked of unit")])
def test_a_profile_that_no_longer_fits(site, connectors, why):
    """Good by itself, but not for this station: refused while it runs, and no reason to stay dark."""
    station = ready(site(connectors=4))
    before = in_force(station, PROFILE)
    path = station.lua / f"{PROFILE}.lua"
    text = path.read_text()
    save(path, text.replace("count = 4, stride = 100", connectors))
    assert path.read_text() != text
    station.until(lambda: refused_now(station) == 1, 60, "the refusal")
    assert why in station.gateway.output()
    cut_power(station)
    station.start_gateway()
    ready(station)
    assert refused_now(station) == 1 and in_force(station, PROFILE) == before


def test_each_script_keeps_its_own_module(site):
    """A module that one of two can live with: each comes back with its own, and nothing is noted again, start by start."""
    station = ready(site())
    take_over(station, MODULE, MODULE_TEXT.format(elec="2.5", remark="second"))
    policy = in_force(station, POLICY)
    mapping = in_force(station, MAPPING)["version"]
    save(station.lua / f"{MODULE}.lua", 'return { elec = -1, remark = "third" }\n')
    station.until(lambda: in_force(station, MAPPING)["version"] != mapping, 60, "the mapping with the new module")
    mapping = in_force(station, MAPPING)
    assert in_force(station, POLICY) == policy and refused_now(station) == 1
    kept = None
    for _ in range(3):
        cut_power(station)
        assert kept is None or rows(station) == kept
        kept = rows(station)
        station.start_gateway()
        station.wait_status(station.connector_id(0), 1)
        assert in_force(station, POLICY) == policy and in_force(station, MAPPING) == mapping
        assert refused_now(station) == 1


def test_an_older_version_when_the_last_is_lost(site):
    """A damaged page of the store takes the last text; the one before is better than none."""
    station = ready(site())
    first = in_force(station, POLICY)
    second = take_over(station, POLICY, POLICY_TEXT.replace("0.4", "0.5"))
    save(station.lua / f"{POLICY}.lua", "")
    station.until(lambda: refused_now(station) == 1, 60, "the refusal")
    cut_power(station)
    with sqlite3.connect(station.folder / "data" / "forecourt.db") as db:
        db.execute("UPDATE script_text SET text = ? WHERE hash = ?",
                   (POLICY_TEXT.replace("0.4", "0").encode(), second["hash"]))
    station.start_gateway()
    ready(station)
    assert in_force(station, POLICY)["version"] == first["version"]
    assert f"version {second['version'][:12]} can't be taken either" in station.gateway.output()


def test_first_start(site):
    """No version of anything: the station runs with what is good, and says what it lacks."""
    texts = {}

    def broken(station):
        for item in (POLICY, MAPPING, PROFILE):
            path = station.lua / f"{item}.lua"
            texts[item] = path.read_text()
            path.write_text("return {\n nonsense")

    station = site(broken)
    station.client.login()
    assert refused_now(station) == 3
    output = station.gateway.output()
    for kind, name, becomes in (("profile", "forecourt-sim", "its chargers are off line"),
                                ("policy", "test", "no charge is started where it sets the prices"),
                                ("mapping", "base", "the platform is spoken to as the standard says")):
        assert re.search(rf"{kind} {name}: can't be taken, and there is no earlier version: {becomes}.*{name}\.lua:2:", output)
    station.wait_status(station.connector_id(0), 0)
    assert station.cli("lua", "versions").returncode == 0
    # The profile alone: the chargers come, and still nothing is charged for nothing.
    save(station.lua / f"{PROFILE}.lua", texts[PROFILE])
    connector = plug(station)
    answer = start(station, connector, seq := new_seq())
    assert answer.data["SuccStat"] == 1 and answer.data["FailReason"] != 0
    assert "policy test is not loaded" in station.gateway.output()
    assert not told(station, "notification_charge_order_info", seq)
    # A reload of something else, and a signal, are not held up by what is missing.
    station.gateway.popen.send_signal(signal.SIGHUP)
    save(station.lua / f"{POLICY}.lua", texts[POLICY])
    station.until(lambda: refused_now(station) == 1, 60, "the policy")
    station.ask_chargers("unplug 0 1")
    station.wait_status(connector, 1)
    order = charge(station, new_seq())
    check_price(order, "1.2345")
    assert "Remark" not in order
    save(station.lua / f"{MAPPING}.lua", texts[MAPPING])
    station.until(lambda: refused_now(station) == 0, 60, "the mapping")
    order = charge(station, new_seq(), 1)
    assert order["Remark"] == "first"
    assert in_force(station, MAPPING)["hash"] == hashlib.sha256(texts[MAPPING].encode()).hexdigest() == sha(texts[MAPPING])
