"""The last good configuration: a gateway whose configuration is bad or gone at the start goes on with the one that was in force, says so,
and takes the mended one over."""
import json
import os
import signal
import stat
import subprocess
import time

import harness
import pytest
from business import check_order, new_seq, plug, start, stop, wait_told
from page_client import administrator
from test_acts import alarms, wait_alarm, wait_over
from test_admin import metrics


def copy_of(station):
    return station.folder / ".forecourt.good"


def launch(station, ready=r"admin: listens on"):
    """With the file as it lies there."""
    station.gateway = station.add(harness.Process(
        [*station.gateway_under, station.build / "forecourtd", "-c", station.config_file, "--stats-file", station.stats_file],
        station.folder, "gateway", ready))
    return station.gateway


def refused(station):
    """A start that must not succeed."""
    return subprocess.run([str(station.build / "forecourtd"), "-c", str(station.config_file)], capture_output=True, text=True,
                          timeout=60, check=False)


def first(make_station, **more):
    """A station that has been up once, and is down."""
    station = make_station(start=False, tcp=1, line_units=(), poll_ms=200, **more)
    station.start_chargers()
    station.start_gateway()
    station.until(copy_of(station).exists, 60, "the copy")
    return station


def hup(station, pattern):
    seen = len(station.gateway.output())
    station.gateway.popen.send_signal(signal.SIGHUP)
    station.until(lambda: pattern in station.gateway.output()[seen:], 60, pattern)


def in_service(station):
    station.until(lambda: "idle" in station.cli("status").stdout, 60, "a charger that is polled")


BAD = {
    "syntax": (lambda text: text.replace("config bus 'tcp0'", "config bus 'tcp0", 1), "quot"),
    "value": (lambda text: text.replace("option poll_ms '200'", "option poll_ms '20'", 1), "poll_ms"),
    "reference": (lambda text: text.replace("option bus 'tcp0'", "option bus 'tcp7'", 1), "tcp7"),
    "half": (lambda text: text[:len(text) // 2].rsplit("\n", 1)[0] + "\n\toption x", "mistake"),
    "empty of bytes": (lambda text: "\0" * 300, ""),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_at_the_start(make_station, kind):
    station = first(make_station)
    assert station.gateway.stop() == 0
    good = station.config_file.read_text()
    spoil, says = BAD[kind]
    assert spoil(good) != good
    station.config_file.write_text(spoil(good))
    launch(station)
    alarm = wait_alarm(station, "config_refused")
    assert alarm["level"] == "error" and alarm["key"] == "config.refused", alarm
    assert f"{station.config_file}:" in alarm["args"]["why"] and says in alarm["args"]["why"], alarm
    assert "is refused: " in station.gateway.output()
    assert "last good configuration is in force instead" in station.gateway.output()
    assert "is refused: " in station.cli("log", "--limit", "500").stdout, "who looks from afar sees it, too"
    in_service(station)
    told = station.cli("status").stdout
    assert "config_refused" in told and str(station.config_file) in told, told
    assert "配置被拒绝" in station.cli("alarms", LC_ALL="zh_CN.UTF-8").stdout
    # What LuCI shows: the same as for programs, and beside it for people.
    [said] = json.loads(station.cli("alarms", "--json", LC_ALL="zh_CN.UTF-8").stdout)["alarms"]
    assert "配置被拒绝" in said.pop("text") and said == alarm, said
    assert "text" not in json.loads(station.cli("alarms", "--json").stdout)["alarms"][0]
    # Still bad: nothing changes.
    hup(station, "the running configuration stays")
    assert alarms(station, "config_refused")
    in_service(station)
    # Mended, with a change: taken over.
    station.config_file.write_text(good.replace("option poll_ms '200'", "option poll_ms '300'", 1))
    hup(station, "reload: done")
    wait_over(station, "config_refused")
    station.until(lambda: "poll_ms '300'" in copy_of(station).read_text(), 30, "the mended one as the last good one")
    assert station.gateway.stop() == 0


def test_who_watches_a_fleet_sees_it(make_station):
    """The metric that alerts.yml asks for: 1 while a file is refused, for every kind of alarm a line."""
    station = first(make_station)
    admin = administrator(station)

    def standing(kind):
        found = metrics(admin.get("/metrics").body.decode())["forecourt_alarms"][1]
        return next(value for labels, value in found if labels == {"kind": kind})

    assert standing("config_refused") == 0
    good = station.config_file.read_text()
    station.config_file.write_text(BAD["value"][0](good))
    station.gateway.popen.send_signal(signal.SIGHUP)
    station.until(lambda: standing("config_refused") == 1, 60, "the metric")
    assert standing("bus_stuck") == standing("watchdog_unfed") == 0
    station.config_file.write_text(good)
    station.gateway.popen.send_signal(signal.SIGHUP)
    station.until(lambda: standing("config_refused") == 0, 60, "its end")


def test_the_file_is_gone(make_station):
    station = first(make_station)
    assert station.gateway.stop() == 0
    text = station.config_file.read_text()
    station.config_file.unlink()
    launch(station)
    alarm = wait_alarm(station, "config_refused")
    assert "No such file" in alarm["args"]["why"], alarm
    in_service(station)
    # Put back as it was: nothing need be loaded.
    station.config_file.write_text(text)
    wait_over(station, "config_refused")


def test_the_first_start_ever_is_refused(make_station):
    station = make_station(start=False, tcp=1, line_units=())
    station.write_config()
    good = station.config_file.read_text()
    station.config_file.write_text(good.replace("option poll_ms '1000'", "option poll_ms 'x'", 1))
    done = refused(station)
    assert done.returncode == 3 and "poll_ms" in done.stderr and f"{station.config_file}:" in done.stderr, done.stderr
    assert not copy_of(station).exists()
    station.config_file.unlink()
    done = refused(station)
    assert done.returncode == 3 and "No such file" in done.stderr, done.stderr


def test_the_copy_is_nobody_elses_and_written_when_it_changes(make_station):
    station = first(make_station)
    seen = copy_of(station).stat()
    assert stat.S_IMODE(seen.st_mode) == 0o600, oct(seen.st_mode)
    assert harness.OURS[0] in copy_of(station).read_text()  # it is of use only with its secrets
    assert not list(station.folder.glob(".forecourt.good.*"))
    # Nothing has changed: not written again, at a reload or a start.
    hup(station, "reload: done")
    assert station.gateway.stop() == 0
    launch(station)
    now = copy_of(station).stat()
    assert (now.st_ino, now.st_mtime_ns) == (seen.st_ino, seen.st_mtime_ns)
    assert station.gateway.stop() == 0


def test_a_copy_that_is_damaged_is_none(make_station):
    station = first(make_station)
    assert station.gateway.stop() == 0
    good, text = station.config_file.read_text(), copy_of(station).read_bytes()
    station.config_file.write_text("config\n")
    for bad in (text[:-1], text[:40], b"", text.replace(b"'200'", b"'201'", 1)):
        copy_of(station).write_bytes(bad)
        done = refused(station)
        assert done.returncode == 3 and "damaged" in done.stderr, (bad[:60], done.stderr)
    # With a good file it is made anew.
    station.config_file.write_text(good)
    launch(station)
    station.until(lambda: copy_of(station).read_bytes() == text, 30, "the copy")


def test_killed_at_any_moment(make_station):
    """Whatever a kill leaves is the one before or the one after, and a start with a bad file goes on with it."""
    station = first(make_station)
    good = station.config_file.read_text()
    station.config_file.write_text(good.replace("'200'", "'210'", 1))
    for turn in range(12):
        station.gateway.popen.send_signal(signal.SIGHUP)
        time.sleep(0.01 * turn)
        os.kill(station.gateway.popen.pid, signal.SIGKILL)
        station.gateway.popen.wait()
        # What a kill in the midst of writing leaves beside it does no harm.
        (station.folder / ".forecourt.good.next").write_text("half")
        station.config_file.write_text("config\n")
        launch(station)
        wait_alarm(station, "config_refused")
        body = copy_of(station).read_text().split("\n", 1)[1]
        assert "config gateway" in body and "poll_ms '2" in body, body[:200]
        station.config_file.write_text(good.replace("'200'", f"'{211 + turn}'", 1))
    hup(station, "reload: done")
    wait_over(station, "config_refused")


def test_a_configuration_that_no_room_can_start_with(make_station):
    """Good by itself, but a certificate that it names is gone: the change is not worth a station."""
    station = first(make_station)
    assert station.gateway.stop() == 0
    good = station.config_file.read_text()
    station.config_file.write_text(good.replace(f"{station.certs}/server.pem", f"{station.certs}/none.pem"))
    launch(station)
    alarm = wait_alarm(station, "config_refused")
    assert "none.pem" in alarm["args"]["why"], alarm
    in_service(station)
    station.config_file.write_text(good)
    wait_over(station, "config_refused")


def test_running_charges_go_on_with_the_last_good_one(charging):
    station = charging(tcp=1, line_units=(), connectors=1)
    station.until(copy_of(station).exists, 60, "the copy")
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["StartChargeSeqStat"] == 1
    wait_told(station, "notification_start_charge_result", seq)
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    station.config_file.write_text("config gateway 'gateway'\n\toption operator_id 'x'\n")
    launch(station)
    wait_alarm(station, "config_refused")
    station.client.close()
    station.client = station.new_client()
    station.client.login()
    station.wait_status(connector, 3)
    station.until(lambda: stop(station, connector, seq).data.get("StartChargeSeqStat") in (3, 4), 60, "the stop")
    check_order(wait_told(station, "notification_charge_order_info", seq))


def test_two_gateways_on_one_data_dir(make_station):
    """The second is refused before it touches anything; the first goes on; and a kill leaves no lock behind."""
    station = first(make_station)
    other = station.folder / "other"
    other.write_text(station.config_file.read_text().replace(str(station.control_socket), str(station.folder / "other.sock"))
                     .replace(f"port '{station.admin_port}'", f"port '{harness.free_port()}'")
                     .replace(f"port '{station.listen_port}'", f"port '{harness.free_port()}'"))
    done = subprocess.run([str(station.build / "forecourtd"), "-c", str(other)], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 1 and "another gateway runs with this data_dir" in done.stderr, done.stderr
    assert str(station.folder / "data") in done.stderr
    in_service(station)
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    launch(station)
    in_service(station)
