"""forecourtd --user: started by root, it serves its station as somebody else, with one of root's rights, or two."""
import os
import pathlib
import pwd
import socket
import subprocess

import harness
import pytest

NOBODY = "nobody"


def low_port():
    for port in range(1023, 600, -1):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
                return port
            except PermissionError:
                pytest.skip("no right to ports below 1024 here")
            except OSError:
                continue
    pytest.skip("no port below 1024 is free")


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


def run(station, *more):
    return subprocess.run([str(station.build / "forecourtd"), "-c", str(station.config_file), *more], capture_output=True,
                          text=True, timeout=60, check=False)


@pytest.mark.parametrize("rights, more", [(0x400, []), (0x1400, ["--can"])])
def test_it_serves_as_somebody_else(make_station, rights, more):
    if os.geteuid():
        pytest.skip("not root")
    station = make_station(start=False, tcp=1, line_units=(), poll_ms=200)
    station.admin_port = low_port()
    station.start_chargers()
    station.write_config()
    somebody = pwd.getpwnam(NOBODY)
    for folder, _, files in os.walk(station.folder):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            os.chown(path, somebody.pw_uid, somebody.pw_gid)
    station.gateway = station.add(harness.Process(
        [station.build / "forecourtd", "-c", station.config_file, "--user", NOBODY, *more], station.folder, "gateway",
        r"admin: listens on"))
    now = status(station.gateway.popen.pid)
    assert now["Uid"] == [str(somebody.pw_uid)] * 4 and now["Gid"] == [str(somebody.pw_gid)] * 4, now
    assert set(now["Groups"]) <= {str(somebody.pw_gid)}, now["Groups"]
    assert int(now["CapEff"][0], 16) == int(now["CapPrm"][0], 16) == rights, now
    assert int(now["CapBnd"][0], 16) == int(now["CapInh"][0], 16) == int(now["CapAmb"][0], 16) == 0, now
    assert now["NoNewPrivs"] == ["1"], now
    # What it makes is its own, and it polls.
    database = station.folder / "data" / "forecourt.db"
    assert database.stat().st_uid == somebody.pw_uid
    station.until(lambda: "idle" in station.cli("status").stdout, 60, "a status")
    assert station.gateway.stop() == 0


def test_who_is_not_there_is_refused(make_station):
    station = make_station(start=False, tcp=1, line_units=())
    station.write_config()
    done = run(station, "--user", "forecourt-nobody-of-that-name")
    assert done.returncode == 4 and "there is no such user on this box" in done.stderr, done.stderr
    assert not (station.folder / "data").exists()
    done = run(station, "--user", "root")
    assert done.returncode == 4 and "is root" in done.stderr, done.stderr
