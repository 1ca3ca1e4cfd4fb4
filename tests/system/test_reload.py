"""Configuration and Lua, changed while it runs."""
import json
import os
import re
import signal
import socket
import subprocess

import harness
import pytest


def check(station, *more):
    return subprocess.run([station.build / "forecourtd", "--check", "-c", station.config_file, *more], capture_output=True, text=True,
                          timeout=60, check=False)


def replace(path, text):
    """As editors do: a new file, renamed over the old one."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


def hup(station, pattern):
    seen = len(station.gateway.output())
    station.gateway.popen.send_signal(signal.SIGHUP)
    return station.until(lambda: re.search(pattern, station.gateway.output()[seen:]), 60, pattern)


def test_check_names_every_mistake(make_station):
    station = make_station(start=False, tcp=1, line_units=(), connectors=1)
    station.write_config()
    good = check(station)
    assert good.returncode == 0, good.stderr
    text = station.config_file.read_text()
    bad = text.replace("option unit '1'", "option unit '300'").replace("profile 'forecourt-sim'", "profyle 'x'")
    bad = bad.replace(f"their_data_secret '{harness.THEIRS[1]}'", "their_data_secret 'tooshort'")
    station.config_file.write_text(bad)
    result = check(station)
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    place = re.escape(str(station.config_file))
    assert any(re.match(place + r":\d+: charger\.c0\.unit: .*300.*0 to 255", line) for line in lines), lines
    assert any("charger.c0.profyle" in line and "did you mean profile" in line for line in lines), lines
    assert any("charger.c0.profile" in line and "missing" in line for line in lines), lines
    secret = [line for line in lines if "their_data_secret" in line]
    assert secret and "tooshort" not in "".join(secret)


def test_check_shows_what_a_change_touches(make_station):
    station = make_station(start=False, tcp=2, line_units=(), connectors=1)
    station.write_config()
    before = station.folder / "before"
    before.write_text(station.config_file.read_text())
    station.config_file.write_text(before.read_text().replace("poll_ms '1000'", "poll_ms '500'", 1))
    result = check(station, "--against", before)
    assert result.returncode == 0, result.stderr
    assert re.search(r"restart\s+charger c0", result.stdout) and not re.search(r"charger c1\b", result.stdout)


def test_bad_lua_is_found_by_check(make_station):
    station = make_station(start=False, tcp=1, line_units=(), connectors=1)
    station.write_config()
    profile = station.lua / "profiles" / "forecourt-sim.lua"
    profile.write_text(profile.read_text().replace('type = "u32"', 'type = "u33"', 1))
    result = check(station)
    assert result.returncode == 2
    assert "forecourt-sim.lua: points.power.type" in result.stderr, result.stderr


def test_reload_touches_only_what_changed(make_station):
    """A charger is added; the other's line goes on: same connection, no poll lost."""
    station = make_station(start=False, tcp=2, line_units=(), connectors=1, poll_ms=200)
    station.start_chargers()
    station.tcp = 1
    station.start_gateway()
    station.wait_status(station.connector_id(0), 1)
    station.tcp = 2
    station.write_config()
    hup(station, r"main: reload: done")
    station.wait_status(station.connector_id(1), 1)
    stats = station.stats()
    line = next(b for b in stats["buses"] if b["name"] == "tcp0")
    assert line["disconnects"] == 0 and line["missed"] == 0
    chargers = __import__("json").loads(station.ask_chargers("stats"))["chargers"]
    assert chargers[0]["connections_max"] == 1
    assert station.server.logins == 1


def test_bad_file_leaves_the_running_one_in_force(station):
    station.wait_status(station.connector_id(0), 1)
    good = station.config_file.read_text()
    station.config_file.write_text(good.replace("kind 'tcp'", "kind 'tpc'"))
    hup(station, r"reload: refused")
    assert "tcp, rtu or can" in station.gateway.output()
    station.ask_chargers("plug 0 1")
    station.wait_status(station.connector_id(0), 2)


def test_failing_apply_goes_back(make_station):
    """A good file that can't be brought into force (a port that is taken): the old one goes on."""
    station = make_station(tcp=1, line_units=(), connectors=1, poll_ms=200)
    station.wait_status(station.connector_id(0), 1)
    import socket
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = station.config_file.read_text()
        station.config_file.write_text(text.replace(f"port '{station.listen_port}'", f"port '{taken.getsockname()[1]}'"))
        hup(station, r"reload: refused")
    station.ask_chargers("plug 0 1")
    station.wait_status(station.connector_id(0), 2)
    assert station.client.login().ret == 0


def test_mapping_hot_reload(station):
    """The first change an integrator makes (README): edit the mapping while it runs, watch the message change."""
    connector = station.connector_id(0)
    station.wait_status(connector, 1)
    mapping = station.lua / "operators" / "base.lua"
    original = mapping.read_text()
    replace(mapping, original.replace('description = "The base standard, unchanged",', '''description = "changed",
  map = { notification_stationStatus = { request = function(m)
    m.ConnectorStatusInfo.ParkStatus = 50
    m.Note = fixed(10, 3)
    return m
  end } },'''))
    station.until(lambda: "base" in station.gateway.output() and re.search(r"mapping.*(replaced|in force|reloaded|taken)",
                                                                          station.gateway.output()), 60, "the reload in the log")
    station.ask_chargers("plug 0 1")
    station.wait_status(connector, 2)
    last = [p for m, p in station.server.received if m == "notification_stationStatus"][-1]
    assert last["ConnectorStatusInfo"]["ParkStatus"] == 50 and last["Note"] == 10

    # A broken one is refused with file and line; the running version goes on.
    replace(mapping, "return { forecourt = 1,\n kind = 'operator', name = 'base', map = }")
    station.until(lambda: re.search(r"base\.lua:2:", station.gateway.output()), 60, "file and line in the log")
    station.ask_chargers("start 0 1")
    station.wait_status(connector, 3)
    last = [p for m, p in station.server.received if m == "notification_stationStatus"][-1]
    assert last["ConnectorStatusInfo"]["ParkStatus"] == 50


def test_the_readmes_first_change(station):
    """What the README shows, saved as it stands there."""
    readme = (harness.ROOT / "README.md").read_text()
    [shown] = re.findall(r"```lua\n(.*?)```", readme, re.S)
    connector = station.connector_id(1)
    station.wait_status(connector, 1)
    assert "ParkStatus" in shown
    replace(station.lua / "operators" / "base.lua", shown)
    station.until(lambda: re.search(r"mapping base: new version", station.gateway.output()), 60, "the reload in the log")
    station.ask_chargers("plug 1 1")
    station.wait_status(connector, 2)
    last = [p for m, p in station.server.received if m == "notification_stationStatus"][-1]
    assert last["ConnectorStatusInfo"]["ParkStatus"] == 50


@pytest.mark.parametrize("shipped", ["etc/config/forecourt", "usr/share/forecourt/forecourt.example"])
def test_the_shipped_configuration_is_good(make_station, shipped):
    """With the Lua files of this tree in the place where the package puts them."""
    station = make_station(start=False, tcp=1, line_units=(), connectors=1)
    text = (harness.ROOT / "rootfs" / shipped).read_text()
    head = f"config gateway 'gateway'\n\toption lua_dir '{harness.ROOT / 'lua'}'\n"
    station.config_file.write_text(text.replace("config gateway 'gateway'\n", head))
    result = check(station)
    assert result.returncode == 0 and not result.stderr, result.stderr


def test_what_is_off_in_the_shipped_configuration_is_good_too(make_station):
    """Meters, CAN, a converter and the optional lines: with every # of a block taken away, it is a station that starts."""
    station = make_station(start=False, tcp=1, line_units=(), connectors=1)
    text = (harness.ROOT / "rootfs/usr/share/forecourt/forecourt.example").read_text()
    on, blocks = re.subn(r"(?m)^#(?=config |\toption )", "", text)
    assert blocks >= 30 and len(re.findall(r"(?m)^config device ", on)) == 3 and "option bms 'car1'" in on
    head = f"config gateway 'gateway'\n\toption lua_dir '{harness.ROOT / 'lua'}'\n"
    station.config_file.write_text(on.replace("config gateway 'gateway'\n", head))
    result = check(station)
    assert result.returncode == 0 and not result.stderr, result.stderr
    # It can fail: a device that is not there.
    station.config_file.write_text(on.replace("config gateway 'gateway'\n", head).replace("config device 'car1'", "config device 'car2'"))
    assert check(station).returncode != 0


def test_a_refused_reload_keeps_the_page(make_station):
    """The page's new port is taken: everything stays as it was, the page too."""
    station = make_station(tcp=1, line_units=(), connectors=1, poll_ms=200)
    station.wait_status(station.connector_id(0), 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = station.config_file.read_text()
        bad = text.replace(f"option port '{station.admin_port}'", f"option port '{taken.getsockname()[1]}'")
        assert bad != text
        station.config_file.write_text(bad)
        hup(station, r"reload: refused, the running configuration stays")
    with socket.create_connection(("127.0.0.1", station.admin_port), 10):
        pass
    station.ask_chargers("plug 0 1")
    station.wait_status(station.connector_id(0), 2)
    station.config_file.write_text(text)
    hup(station, r"reload: done, 0 object")


def test_example_operator(make_station):
    """The shipped example differs in at least five ways, on the wire."""
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, mapping="example", poll_ms=200)
    station.server.answers["status_push"] = lambda payload: (0, {"ConfirmResult": 0})
    station.start_chargers()
    station.start_gateway()
    station.ask_chargers("fault 0 1 17")
    found = station.server.wait(lambda r: [p for m, p in r if m == "status_push" and
                                           p["connectorStatusInfo"][0].get("faultType") == 1])[-1]
    info = found["connectorStatusInfo"][0]
    assert info["connectorID"] == station.connector_id(0) and info["status"] == "0" and found["source"] == "forecourt"
    station.client.login()
    answer = station.client.call("query_stations_info", {"pageNo": 1, "pageSize": 5})
    assert '"Power":120.000' in answer.text
    assert answer.data["ItemSize"] == 1 and "SupportOrder" not in answer.data["StationInfos"][0]
    assert answer.data["StationInfos"][0]["BusineHours724"] == 1


def test_two_platforms_each_its_own_world(make_station):
    """One that fails does not hold up the other."""
    import conftest  # noqa: F401
    import peer
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=200)
    other = peer.Server(peer.Keys(*harness.THEIRS), station.certs / "server.pem", station.certs / "server.key")
    try:
        station.extra += station.platform_text("p2", other.port, operator_id="987654321", path="/second")
        station.extra += station.platform_text("dead", harness.free_port(), operator_id="987654322", path="/third")
        station.start_chargers()
        station.start_gateway()
        connector = station.connector_id(0)
        station.ask_chargers("plug 0 1")
        station.wait_status(connector, 2)
        other.wait(lambda r: [p for m, p in r if p["ConnectorStatusInfo"]["Status"] == 2])
        second = station.new_client(operator_id="987654321", path="/second")
        assert second.login().data["SuccStat"] == 0
        # A token of one is nothing at the other.
        station.client.login()
        assert second.call("query_station_status", {"StationIDs": ["110105000100001"]}, token=station.client.token).ret == 4002
        second.close()
    finally:
        other.close()


BUSY = """return { forecourt = 1, kind = "operator", name = "base",
  map = { notification_stationStatus = { request = function(m)
    local n = 0
    for i = 1, 50000 do n = n + i end
    m.Note = n
    return m
  end } } }
"""


def test_changed_limits_reach_what_is_loaded(make_station):
    """lua_steps, lua_time_ms and lua_memory_kb are in force with the reload that changes them, for scripts whose files did not change."""
    station = make_station(start=False, poll_ms=200, tcp=1, line_units=(), connectors=1)
    station.write_mapping("base", BUSY)
    station.start_chargers()
    station.start_gateway()
    connector = station.connector_id(0)
    station.wait_status(connector, 1)

    def note():
        return [p for m, p in list(station.server.received) if m == "notification_stationStatus"][-1].get("Note")

    assert note() == 1250025000
    versions = json.loads(station.cli("lua", "versions", "--json").stdout)["versions"]
    plugged = 0
    for options, why in (({"lua_steps": 10000}, "took too long"), ({}, None), ({"lua_time_ms": 10, "lua_steps": 5000000}, None),
                         ({"lua_steps": 20000}, "took too long"), ({"lua_steps": 50000000}, None)):
        station.gateway_options = options
        station.write_config()
        seen = len(station.gateway.output())
        assert "done" in hup(station, r"reload: (done, \d+ object|refused).*").group(0)
        plugged = 1 - plugged
        station.ask_chargers(f"{'plug' if plugged else 'unplug'} 0 1")
        station.wait_status(connector, 2 if plugged else 1)
        if why:
            assert note() is None and re.search(rf"base\.lua.*{why}", station.gateway.output()[seen:])
        elif "lua_time_ms" not in options:
            assert note() == 1250025000
    # Limits under which a script can't be loaded at all are refused, with what depends on them.
    station.write_mapping("base", BUSY.replace("return {", "local s = string.rep('x', 900 * 1024)\nlocal t = s .. 'y'\nreturn {", 1))
    station.until(lambda: "new version" in station.gateway.output().rsplit("mapping base", 1)[-1], 60, "the hungry mapping")
    station.gateway_options = {"lua_memory_kb": 512}
    station.write_config()
    hup(station, r"refused, the running configuration stays.*base\.lua.*not enough memory")
    station.gateway_options = {"lua_memory_kb": 8192}
    station.write_config()
    hup(station, r"reload: done")
    assert len(json.loads(station.cli("lua", "versions", "--json").stdout)["versions"]) == len(versions) + 1
