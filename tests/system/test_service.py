"""The service on a box: init script, first start, ports, what an upgrade keeps; run by busybox's shell, with the real daemon in the sandbox."""
import io
import json
import os
import pathlib
import re
import signal
import tarfile
import subprocess

import harness
import pytest
from business import PRICES, check_order, confirm_all, new_seq, plug, start, stop, wait_told
from openwrt_box import GROUP, ROOT, USER, Box

BUILD = (ROOT / os.environ.get("FORECOURT_BUILD", "build/host")).resolve()
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts, users")
OWN, ROOTS = (USER, GROUP), (0, 0)


def config(port, **gateway):
    options = dict(operator_id="MA1234567", data_dir="/srv/forecourt", lua_dir="/etc/forecourt/lua")
    return harness.section("gateway", "gateway", **{**options, **gateway}) + harness.section("admin", "admin", enabled=0, port=port)


@pytest.fixture
def make_box():
    """make_box(text of the configuration or None for a small one, jail=True, board=...): a box that is on."""
    made = []

    def make(text=None, **more):
        box = Box(BUILD, **more)
        made.append(box)
        box.install(text or config(harness.free_port()))
        return box.boot()

    yield make
    for box in made:
        box.stop()


def running(box):
    """Waits until the daemon has started wholly; its process."""
    box.until(lambda: box.run("/usr/bin/forecourt", "status", check=False).returncode == 0, "an answer of the daemon")
    return box.daemon()


def status_of(process):
    return dict(line.split(":\t", 1) for line in (process / "status").read_text(encoding="ascii").splitlines() if ":\t" in line)


def needs(switch, word):
    """Skips where this daemon, whose other half is the script's, can't do that."""
    if word not in subprocess.run([BUILD / "forecourtd", switch], capture_output=True, text=True, check=True).stdout:
        pytest.skip(f"this forecourtd has no {word}")


def reset(box, option, value):
    box.run("/sbin/uci", "set", f"forecourt.gateway.{option}={value}")
    box.run("/sbin/uci", "commit", "forecourt")


# Start, end, places ---------------------------------------------------------------------------------------------------------


def test_start_in_the_sandbox(make_box):
    box = make_box()
    box.service("start")
    process = running(box)
    status = status_of(process)
    assert status["Uid"].split() == [str(USER)] * 4 and status["Gid"].split() == [str(GROUP)] * 4
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 1 << 10  # CAP_NET_BIND_SERVICE alone
    assert status["NoNewPrivs"] == "1"
    told = box.told("service", "set")[-1]["instances"]["instance1"]
    assert told["command"] == ["/usr/sbin/forecourtd", "-c", "/etc/config/forecourt"]
    assert told["respawn"] == ["3600", "5", "0"] and told["stdout"] == told["stderr"] == "1" and told["term_timeout"] == "20"
    assert (told["user"], told["group"], told["no_new_privs"]) == ("forecourt", "forecourt", "1")
    assert told["capabilities"] == "/etc/capabilities/forecourt.json"
    assert told["jail"]["name"] == "forecourt" and set(told["jail"]["flags"]) == {"log", "procfs"}
    writable = {place for place, write in told["jail"]["mount"].items() if write == "1"}
    assert writable == {"/etc/config", "/etc/forecourt", "/var/run/forecourt", "/srv/forecourt"}
    assert not any(place.startswith("/dev") for place in told["jail"]["mount"])
    # What it can see is what is mounted.
    seen = {p.name for p in (process / "root").iterdir()}
    assert "root" not in seen and "srv" in seen and "sbin" not in seen
    assert box.service("status").stdout.startswith("running\n")
    box.service("stop")
    box.until(lambda: not box.daemon(), "the end")
    assert box.service("status", check=False).returncode == 3
    assert "ended" in box.log()


def test_start_without_a_sandbox(make_box):
    """No ujail: procd alone can give a user no capability, so the daemon becomes that user by itself."""
    needs("--help", "--user")
    box = make_box(jail=False)
    box.service("start")
    process = running(box)
    status = status_of(process)
    assert status["Uid"].split() == [str(USER)] * 4 and status["Gid"].split() == [str(GROUP)] * 4 and status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) & ~(1 << 10 | 1 << 12) == 0
    told = box.told("service", "set")[-1]["instances"]["instance1"]
    assert told["command"] == ["/usr/sbin/forecourtd", "--user", "forecourt", "-c", "/etc/config/forecourt"]
    assert not {"user", "group", "capabilities", "jail"} & set(told)
    assert not int(status["CapEff"], 16) & 1 << 12
    reset(box, "log_level", "debug")
    box.service("reload")
    box.wait_log("reload: done")
    assert box.daemon() == process
    assert (box.root / "srv/forecourt/forecourt.db").stat().st_uid == USER


def test_places_and_their_owners(make_box):
    box = make_box()
    box.service("start")
    running(box)
    assert box.facts("/srv/forecourt") == ("drwxr-x---", *OWN) and box.facts("/srv") == ("drwxr-xr-x", *ROOTS)
    assert box.facts("/tmp/run/forecourt") == ("drwxr-xr-x", *OWN)
    assert box.facts("/etc/forecourt") == ("drwxr-x---", *OWN)
    assert box.facts("/etc/forecourt/lua/profiles/forecourt-sim.lua")[1:] == OWN
    assert box.facts("/etc/config") == ("drwxr-xr-x", *ROOTS)
    assert box.facts("/etc/config/forecourt") == ("-rw-rw----", 0, GROUP)
    assert box.facts("/etc/config/.forecourt") == ("drwx------", *OWN)
    # Nothing that is root's was given away beside.
    assert box.facts("/etc/config/system")[1:] == ROOTS and box.facts("/usr/share/forecourt/box.sh")[1:] == ROOTS


def test_killed_it_comes_again(make_box):
    box = make_box()
    box.service("start")
    first = running(box)
    os.kill(int(first.name), signal.SIGKILL)
    second = box.until(lambda: (p := box.daemon()) and p != first and p, "a new start")
    assert status_of(second)["Name"] == "forecourtd"
    running(box)
    assert box.instance()["starts"] == 2


@pytest.mark.parametrize("line, says", [("\toption log_level 'loud'\n", "log_level"), ("\toption nonsense '1'\n", "nonsense"),
                                        ("\toption 'half\n", "quote")])
def test_a_wrong_value_stops_no_service(make_box, line, says):
    """procd would drop an instance whose values fail its validation: ours is started, says what is wrong, and is started again."""
    good = config(harness.free_port())
    box = make_box(good)
    box.write("etc/config/forecourt", good.replace("\toption data_dir", line + "\toption data_dir"))
    box.service("start")
    box.until(lambda: re.search(rf"/etc/config/forecourt:\d+: .*{says}", box.log()), "file, line and what")
    assert box.instance(), "the instance is procd's, who starts it again and again"
    # Put right, it runs by the next start at the latest.
    box.write("etc/config/forecourt", good)
    box.service("reload")
    running(box)


def test_check_names_the_line(make_box):
    box = make_box(config(harness.free_port(), log_level="loud"))
    done = box.service("check", check=False)
    assert done.returncode != 0 and re.search(r"/etc/config/forecourt:\d+: gateway\S*log_level", done.stdout + done.stderr), done
    reset(box, "log_level", "info")
    assert "good" in box.service("check").stdout


def test_check_is_by_the_services_user(make_box):
    """Root would find readable what the service can't read, and would run Lua that others may have left there."""
    box = make_box(config(harness.free_port()) + harness.section(
        "station", "s1", station_id="1", station_name="Demo", area_code="110105", address="1 Demo Road", service_tel="4000000000",
        station_lng="116.397", station_lat="39.916", policy="flat"))
    assert "good" in box.service("check").stdout
    (box.root / "etc/forecourt/lua/policies/flat.lua").chmod(0o600)
    done = box.service("check", check=False)
    assert done.returncode != 0 and "flat.lua" in done.stderr and "Permission denied" in done.stderr, done


# What a taken-over service could have planted -----------------------------------------------------------------------------------


def test_planted_links_are_not_followed(make_box):
    box = make_box()
    box.service("start")
    running(box)
    box.service("stop")
    box.until(lambda: not box.daemon(), "the end")
    box.write("etc/shadow", "root:secret\n", 0o600)
    # All that the service's user can change: inside of its folders.
    (box.root / "srv/forecourt/forecourt.db-wal").unlink(missing_ok=True)
    for place in ("srv/forecourt/planted", "etc/forecourt/lua/profiles/planted.lua", "tmp/run/forecourt/one-time-password",
                  "etc/config/.forecourt/.forecourt.next"):
        link = box.root / place
        link.unlink(missing_ok=True)
        link.symlink_to("/etc/shadow")
    (box.root / "etc/forecourt/keys").symlink_to("/etc/config")
    os.link(box.root / "etc/shadow", box.root / "etc/forecourt/lua/profiles/named-twice.lua")
    box.write("etc/forecourt/own/x", "could be turned while root walks through\n")
    os.chown(box.root / "etc/forecourt/own", USER, GROUP)
    for place in ("lua", "lua/profiles"):
        os.chown(box.root / "etc/forecourt" / place, 0, 0)
    os.chown(box.root / "etc/forecourt", 0, 0)  # as a package manager may do on an upgrade: given away once more
    box.service("start")
    box.service("reload")
    box.run("/sbin/sysupgrade", "-l")
    assert box.facts("/etc/shadow") == ("-rw-------", *ROOTS) and box.facts("/etc/forecourt/own/x")[1:] == ROOTS
    assert box.facts("/etc/forecourt/lua/profiles") == ("drwxr-xr-x", *OWN) and box.facts("/etc/forecourt/keys")[1:] == OWN
    assert (box.root / "etc/shadow").read_text(encoding="utf-8") == "root:secret\n"
    assert box.facts("/etc/config") == ("drwxr-xr-x", *ROOTS)


@pytest.mark.parametrize("data", ["/etc", "/etc/dropbear", "/srv", "/", "/usr/lib/x", "/srv/../etc", "/tmp/forecourt", "/srv/own/link",
                                  "/srv/own/below", "relative", "/srv/a b"])
def test_places_that_are_refused(make_box, data):
    """A data directory from the configuration is made by root: what the system lives in, and what others than root can turn, is not touched."""
    box = make_box()
    (box.root / "srv/own").mkdir()
    (box.root / "srv/own/link").symlink_to("/etc")
    os.chown(box.root / "srv/own", USER, GROUP)
    places = ["/etc", "/srv", "/usr", "/", "/srv/own", "/tmp"]
    before = {place: box.facts(place) for place in places}
    done = box.sh(f". /usr/share/forecourt/box.sh; box_dir '{data}' 0750", check=False)
    assert done.returncode != 0 and ("not a place for the service" in box.log() or "only root can change" in box.log() or "in the way" in box.log())
    assert {place: box.facts(place) for place in places} == before
    assert not (box.root / "etc/dropbear").exists() and not (box.root / "srv/own/below").exists()


def test_a_folder_of_the_systems_is_not_given_away(make_box):
    """The configuration, which the service may write, names one that others use: their sockets and files would be the service's."""
    box = make_box()
    box.sh("mkdir -p /var/run/ubus /mnt/disk/lost+found && : >/var/run/ubus/ubus.sock")
    assert box.sh(". /usr/share/forecourt/box.sh; box_dir /var/run/ubus 0750", check=False).returncode != 0
    assert box.facts("/tmp/run/ubus") == ("drwxr-xr-x", *ROOTS) and "holds what is not the service's" in box.log()
    # One that nobody has filled is: a disk as it was mounted; and again, once the service has filled it.
    for filled in ("", "touch /mnt/disk/forecourt.db &&"):
        box.sh(f"{filled} . /usr/share/forecourt/box.sh && box_dir /mnt/disk 0750")
        assert box.facts("/mnt/disk") == ("drwxr-x---", *OWN)


def test_a_link_in_the_way(make_box):
    box = make_box()
    (box.root / "srv/forecourt").symlink_to("/etc")
    box.write("usr/bin/forecourt.unused", "")
    assert box.sh(". /usr/share/forecourt/box.sh; box_dir /srv/forecourt 0750", check=False).returncode != 0
    assert box.facts("/etc") == ("drwxr-xr-x", *ROOTS) and "is in the way" in box.log()


# Changes ---------------------------------------------------------------------------------------------------------------------


def test_reload_is_a_signal(make_box):
    box = make_box()
    box.service("start")
    first = running(box)
    reset(box, "log_level", "debug")
    assert box.facts("/etc/config/forecourt")[0] == "-rw-------"  # as uci commit leaves it
    box.ubus("service", "event", {"type": "config.change", "data": {"package": "forecourt"}})
    box.wait_log("reload: done")
    assert box.told("service", "signal") == [{"name": "forecourt", "signal": signal.SIGHUP}]
    assert box.facts("/etc/config/forecourt") == ("-rw-rw----", 0, GROUP)
    assert box.daemon() == first and box.instance()["starts"] == 1
    # A wrong value changes nothing: the running version goes on.
    reset(box, "log_level", "loud")
    box.service("reload")
    box.wait_log("loud")
    assert box.daemon() == first
    reset(box, "log_level", "info")
    # Another place takes a new start.
    reset(box, "data_dir", "/srv/other")
    box.service("reload")
    box.until(lambda: (p := box.daemon()) and p != first, "a new start")
    running(box)
    assert box.facts("/srv/other") == ("drwxr-x---", *OWN)


def test_the_daemon_changes_its_configuration(make_box):
    """In the sandbox, as a user who may make nothing in /etc/config: on trial, back, and confirmed."""
    box = make_box()
    box.service("start")
    process = running(box)
    old = (box.root / "etc/config/forecourt").read_text(encoding="utf-8")
    inode = os.stat(box.root / "etc/config/forecourt").st_ino
    new = old.replace("\toption data_dir", "\toption log_level 'debug'\n\toption data_dir")
    box.write("tmp/new", new)
    told = ("/usr/bin/forecourt", "config")
    box.run(*told, "apply", "/tmp/new", "--confirm", "600")
    assert (box.root / "etc/config/forecourt").read_text(encoding="utf-8") == new
    assert (box.root / "etc/config/.forecourt/.forecourt.trial").exists()
    # The power fails: the old one is back.
    os.kill(int(process.name), signal.SIGKILL)
    box.until(lambda: (p := box.daemon()) and p != process, "a new start")
    running(box)
    assert (box.root / "etc/config/forecourt").read_text(encoding="utf-8") == old
    box.run(*told, "apply", "/tmp/new", "--confirm", "600")
    box.run(*told, "confirm")
    assert (box.root / "etc/config/forecourt").read_text(encoding="utf-8") == new
    assert not list((box.root / "etc/config/.forecourt").iterdir())
    assert os.stat(box.root / "etc/config/forecourt").st_ino == inode
    assert box.facts("/etc/config/forecourt") == ("-rw-rw----", 0, GROUP) and sorted(os.listdir(box.root / "etc/config")) == [
        ".forecourt", "forecourt", "fstab", "system"]


@pytest.mark.parametrize("jail", [True, False])
def test_a_can_bus_takes_a_capability(make_box, jail):
    box = make_box(jail=jail)
    box.service("start")
    first = running(box)
    with open(box.root / "etc/config/forecourt", "a", encoding="utf-8") as text:
        text.write("\nconfig bus 'can0'\n\toption kind 'can'\n\toption device 'can0'\n\toption bitrate '250000'\n\toption listen_only '1'\n")
    box.service("reload")
    second = box.until(lambda: (p := box.daemon()) and p != first and p, "a new start")
    running(box)
    told = box.told("service", "set")[-1]["instances"]["instance1"]
    if jail:
        assert told["capabilities"] == "/etc/capabilities/forecourt-can.json"
    else:
        assert "--can" in told["command"]
    assert int(status_of(second)["CapEff"], 16) == 1 << 10 | 1 << 12


@pytest.mark.parametrize("kind, jail", [(280, True), (280, False), (1, True), (1, False)])
def test_a_can_interface_of_the_box_takes_it_too(make_box, kind, jail):
    """So that its bus can be added on the page, which no init script sees."""
    box = make_box(jail=jail)
    box.write("sys/class/net/eth0/type", "1\n")
    box.write("sys/class/net/other0/type", f"{kind}\n")
    box.service("start")
    process = running(box)
    assert bool(int(status_of(process)["CapEff"], 16) & 1 << 12) == (kind == 280)


def test_a_charge_goes_on_through_a_reload(make_station, make_box):
    station = make_station(start=False, poll_ms=200, tcp=2, line_units=())
    station.platform_options.update(iserv=1, policy="test")
    station.write_policy("test", PRICES.format(name="test", elec="1.2345", service="0.4"))
    confirm_all(station.server)
    station.start_chargers("--speed", "30")
    places = {str(station.folder / "data"): "/srv/forecourt", str(station.lua): "/etc/forecourt/lua", str(station.certs): "/etc/forecourt/keys",
              str(station.control_socket): "/var/run/forecourt/control.sock", str(station.build / "www"): "/usr/share/forecourt/www"}
    text = station.config_text()
    for old, new in places.items():
        text = text.replace(f"'{old}", f"'{new}")
    assert str(station.folder) not in text
    box = make_box(text)
    box.install(text, lua=station.lua)
    for name in ("ca.pem", "server.pem", "server.key"):
        box.put(station.certs / name, f"/etc/forecourt/keys/{name}")
    box.service("start")
    process = running(box)
    station.wait_status(station.connector_id(0), 1)
    station.client.login()
    connector, seq = plug(station), new_seq()
    assert start(station, connector, seq).data["SuccStat"] == 0
    wait_told(station, "notification_start_charge_result", seq)
    box.run("/sbin/uci", "set", "forecourt.gateway.log_level=debug")
    box.run("/sbin/uci", "set", "forecourt.c1.poll_ms=300")
    box.run("/sbin/uci", "commit", "forecourt")
    box.ubus("service", "event", {"type": "config.change", "data": {"package": "forecourt"}})
    box.wait_log("reload: done")
    assert box.daemon() == process
    assert stop(station, connector, seq).data["SuccStat"] == 0
    check_order(wait_told(station, "notification_charge_order_info", seq))
    box.service("stop")
    box.until(lambda: not box.daemon(), "the end")


# Devices ---------------------------------------------------------------------------------------------------------------------


def with_port(device="/dev/ttyS1"):
    return config(harness.free_port()) + harness.section("bus", "line1", kind="rtu", device=device)


def device(box, name):
    done = box.run("/bin/ls", "-ln", f"/dev/{name}").stdout.split()
    return done[0][:10], int(done[2]), int(done[3])


def test_serial_ports(make_box):
    box = make_box(with_port())
    box.service("start")
    running(box)
    # Named, or plugged into USB; mounted only when named.
    assert device(box, "ttyS1") == ("crw-rw----", 0, GROUP) and device(box, "ttyUSB0") == ("crw-rw----", 0, GROUP)
    mounts = box.told("service", "set")[-1]["instances"]["instance1"]["jail"]["mount"]
    assert mounts["/dev/ttyS1"] == "1" and "/dev/ttyUSB0" not in mounts


def test_a_console_is_not_given(make_box):
    box = make_box()
    box.service("start")
    running(box)
    assert device(box, "ttyS1") == ("crw-------", 0, 0)


def test_the_box_s_console_is_not_given_even_when_named(make_box):
    """Whoever holds it hears root's log-in, and speaks to its shell."""
    box = make_box(with_port())
    box.write("tmp/consoles", "ttyS1                -W- (EC p a)    4:65\n")
    box.sh("mount -o bind /tmp/consoles /proc/consoles")
    box.service("start")
    running(box)
    assert device(box, "ttyS1") == ("crw-------", 0, 0) and "/dev/ttyS1: is this box's console" in box.log()


def test_a_port_plugged_in(make_box):
    box = make_box(with_port("/dev/ttyUSB1"))
    box.service("start")
    first = running(box)
    plugged = dict(ACTION="add", DEVNAME="ttyUSB7", SUBSYSTEM="tty")
    box.sh("mknod /dev/ttyUSB7 c 1 3 && chmod 600 /dev/ttyUSB7")
    box.sh(". /etc/hotplug.d/tty/20-forecourt", **plugged)
    assert device(box, "ttyUSB7") == ("crw-rw----", 0, GROUP)
    assert box.daemon() == first  # nobody asked for that one
    box.sh("mknod /dev/ttyUSB1 c 1 3 && chmod 600 /dev/ttyUSB1")
    box.sh(". /etc/hotplug.d/tty/20-forecourt", **{**plugged, "DEVNAME": "ttyUSB1"})
    assert device(box, "ttyUSB1") == ("crw-rw----", 0, GROUP)
    box.until(lambda: (p := box.daemon()) and p != first, "a new start")
    mounts = box.told("service", "set")[-1]["instances"]["instance1"]["jail"]["mount"]
    assert mounts["/dev/ttyUSB1"] == "1"
    # Out and in again, as with a bad cable: the sandbox has it by its numbers, and nobody else's charges notice.
    second = running(box)
    box.sh("rm /dev/ttyUSB1 && mknod /dev/ttyUSB1 c 1 3 && chmod 600 /dev/ttyUSB1")
    box.sh(". /etc/hotplug.d/tty/20-forecourt", **{**plugged, "DEVNAME": "ttyUSB1"})
    assert device(box, "ttyUSB1") == ("crw-rw----", 0, GROUP)
    assert box.daemon() == second and (second / "root/dev/ttyUSB1").is_char_device()
    with open(second / "root/dev/ttyUSB1", "rb") as port:
        assert port.read() == b""  # the very device (of the test's: null)
    box.sh("mknod /dev/ttyS7 c 1 3 && chmod 600 /dev/ttyS7")
    for odd in (dict(DEVNAME="ttyS7"), dict(DEVNAME="../etc/passwd"), dict(DEVNAME="ttyS7", ACTION="remove"), dict(DEVNAME="")):
        assert box.sh(". /etc/hotplug.d/tty/20-forecourt", **{**plugged, **odd}).returncode == 0
    assert device(box, "ttyS7") == ("crw-------", 0, 0) and box.facts("/etc/passwd")[1:] == ROOTS


def test_a_disk_that_is_missing_is_waited_for(make_box):
    """To start without it would begin a second journal below its mount point."""
    box = make_box(config(harness.free_port(), data_dir="/mnt/disk/forecourt"))
    box.write("etc/config/fstab", "config mount 'disk'\n\toption enabled '1'\n\toption target '/mnt/disk'\n\toption device '/dev/sda1'\n")
    box.service("start")
    assert "waits for the disk at /mnt/disk" in box.log() and not box.instance()
    assert not (box.root / "mnt/disk").exists()
    box.sh("mkdir /mnt/disk && mount -t tmpfs -o mode=755 disk /mnt/disk")
    box.ubus("service", "event", {"type": "mount.add", "data": {"target": "/mnt/disk"}})
    running(box)
    assert "is in memory" in box.log()  # what this disk of the test's is


# Watchdog --------------------------------------------------------------------------------------------------------------------


def test_the_watchdog_is_left_alone(make_box):
    box = make_box()
    box.service("start")
    running(box)
    box.service("stop")
    assert not box.told("system", "watchdog")


def test_the_watchdog_is_taken_and_given_back(make_box):
    needs("--options", "`watchdog`")
    box = make_box(config(harness.free_port(), watchdog="/dev/watchdog"))
    box.service("start")
    running(box)
    taken, back = {"magicclose": True, "stop": True}, {"magicclose": False, "stop": False}
    box.until(lambda: box.told("system", "watchdog") == [taken], "the watchdog's hand-over")
    assert device(box, "watchdog")[1:] == OWN
    assert box.told("service", "set")[-1]["instances"]["instance1"]["jail"]["mount"]["/dev/watchdog"] == "1"
    box.service("restart")
    running(box)
    box.until(lambda: box.told("system", "watchdog") == [taken, back, taken], "its hand-over to the new one")
    box.service("stop")
    # Only when the daemon had closed it: before, procd could not open it.
    assert not box.daemon() and box.told("system", "watchdog") == [taken, back, taken, back]
    assert box.ubus("system", "watchdog") == {"status": "running", "magicclose": False}


def test_a_gateway_that_can_not_start_does_not_get_the_watchdog(make_box):
    """Nobody would feed it, and a box that is restarted for ever can't be mended."""
    good = config(harness.free_port(), watchdog="/dev/watchdog")
    box = make_box(good + "\toption nonsense '1'\n")
    box.service("start")
    box.until(lambda: box.log().count("nonsense") > 1, "a second start in vain")
    assert not box.told("system", "watchdog")
    # Mended, it is the gateway's.
    box.write("etc/config/forecourt", good, 0o660)
    box.until(lambda: box.told("system", "watchdog"), "the watchdog's hand-over")
    running(box)
    box.service("stop")
    assert box.told("system", "watchdog")[-1] == {"magicclose": False, "stop": False}


def test_stopped_before_it_is_up(make_box):
    box = make_box(config(harness.free_port(), watchdog="/dev/watchdog") + "\toption nonsense '1'\n")
    box.service("start")
    box.service("stop")
    told = box.told("system", "watchdog")
    assert {"magicclose": True, "stop": True} not in told, told
    box.until(lambda: "hand_watchdog" not in box.sh("ps").stdout, "the end of what waited")
    assert not list((box.root / "tmp/run").glob("forecourt.watchdog"))


@pytest.mark.parametrize("wrong", ["/dev/mtd0", "/dev/watchdog9", "/etc/passwd"])
def test_a_watchdog_that_is_none(make_box, wrong):
    box = make_box(config(harness.free_port(), watchdog=wrong))
    box.service("start")
    assert not box.told("system", "watchdog") and "procd keeps feeding" in box.log()
    assert box.facts("/etc/passwd")[1:] == ROOTS


# First start -----------------------------------------------------------------------------------------------------------------

BOARD = """# board: maker,box-* other,one
# data: /mnt/nvme /mnt/sd
config gateway 'gateway'
	option record_kb '64'
config bus 'rs485'
	option kind 'rtu'
	option device '/dev/ttyS1'
	option baud '19200'
config bus 'can0'
	option kind 'can'
	option device 'can0'
	option bitrate '250000'
	option listen_only '1'
config led 'forecourt'
	option name 'Forecourt'
	option sysfs 'blue:status'
	option trigger 'heartbeat'
"""


def defaults(box):
    box.sh(". /lib/functions.sh; uci_apply_defaults")


def shown(box, package="forecourt"):
    return dict(line.split("=", 1) for line in box.run("/sbin/uci", "show", package).stdout.splitlines())


def restore_script(box):
    """As a new image brings it again."""
    box.put(ROOT / "rootfs/etc/uci-defaults/60-forecourt-board", "/etc/uci-defaults/60-forecourt-board")


def test_defaults_of_the_board(make_box):
    box = make_box("config gateway 'gateway'\n\toption operator_id 'MA1234567'\n", board="maker,box-2")
    box.write("usr/share/forecourt/boards/maker", BOARD)
    defaults(box)
    assert not (box.root / "etc/uci-defaults/60-forecourt-board").exists(), "ended with 0"
    got = shown(box)
    assert got["forecourt.rs485"] == "bus" and got["forecourt.rs485.device"] == "'/dev/ttyS1'" and got["forecourt.rs485.baud"] == "'19200'"
    assert got["forecourt.can0.bitrate"] == "'250000'" and got["forecourt.gateway.record_kb"] == "'64'"
    assert got["forecourt.gateway.data_dir"] == "'/srv/forecourt'" and got["forecourt.gateway.history_days"] == "'7'"
    assert got["forecourt.gateway.log_syslog"] == "'1'" and got["forecourt.gateway.lua_dir"] == "'/etc/forecourt/lua'"
    assert "forecourt.forecourt" not in got
    assert shown(box, "system")["system.forecourt.trigger"] == "'heartbeat'"
    assert "good" in box.service("check").stdout  # the strict reader takes what came out
    # Again, as after an upgrade: not a byte; also what the operator removed stays away.
    box.run("/sbin/uci", "delete", "forecourt.can0")
    box.run("/sbin/uci", "commit")
    before = {name: (box.root / "etc/config" / name).read_bytes() for name in ("forecourt", "system")}
    for _ in range(2):
        restore_script(box)
        defaults(box)
        assert {name: (box.root / "etc/config" / name).read_bytes() for name in before} == before


def test_what_the_operator_set_stays(make_box):
    box = make_box("config gateway 'main'\n\toption operator_id 'MA1234567'\n\toption record_kb '128'\n\toption data_dir '/mnt/x/y'\n"
                   "\noption history_days '3'\nconfig bus 'mine'\n\toption kind 'rtu'\n\toption device '/dev/ttyS1'\n"
                   "\nconfig bus 'can0'\n\toption kind 'can'\n\toption device 'can7'\n", board="other,one")
    box.write("usr/share/forecourt/boards/maker", BOARD)
    box.write("etc/config/system", "config led 'forecourt'\n\toption name 'mine'\n")
    before = {k: v for k, v in shown(box).items()}
    led = shown(box, "system")
    defaults(box)
    after = shown(box)
    assert {k: after[k] for k in before} == before and shown(box, "system") == led
    assert "forecourt.rs485" not in after, "its device is another bus's"
    assert "forecourt.gateway" not in after, "there is one gateway, by whatever name"
    assert after["forecourt.can0.bitrate"] == "'250000'" and after["forecourt.main.log_syslog"] == "'1'"


def test_a_station_that_is_set_up_gets_nothing(make_box):
    station = harness.section("station", "s1", station_id="1")
    box = make_box("config gateway 'gateway'\n\toption operator_id 'MA1234567'\n\n" + station, board="other,one")
    box.write("usr/share/forecourt/boards/maker", BOARD)
    before = (box.root / "etc/config/forecourt").read_bytes()
    defaults(box)
    assert (box.root / "etc/config/forecourt").read_bytes() == before


def test_a_board_that_nobody_knows(make_box):
    box = make_box("config gateway 'gateway'\n\toption operator_id 'MA1234567'\n", board="no,such")
    defaults(box)
    got = shown(box)
    assert got["forecourt.gateway.data_dir"] == "'/srv/forecourt'" and "good" in box.service("check").stdout
    assert (box.root / "etc/config/.forecourt-board").read_text(encoding="utf-8") == "no,such none\n"


def test_a_box_as_it_is_installed(make_box):
    """From the package's configuration: the board's defaults, a start, a certificate of its own, and the password for root."""
    needs("--options", "`key_dir`")
    text = (ROOT / "rootfs/etc/config/forecourt").read_text(encoding="utf-8")
    box = make_box(text.replace("'8443'", f"'{harness.free_port()}'").replace("'::'", "'127.0.0.1'"), board="other,one")
    box.write("usr/share/forecourt/boards/maker", BOARD)
    defaults(box)
    box.service("start")
    process = running(box)
    told = box.told("service", "set")[-1]["instances"]["instance1"]
    assert told["mdns"][:2] == ["https", "tcp"] and told["jail"]["mount"]["/srv/forecourt"] == "1"
    assert box.facts("/srv/forecourt/forecourt.db")[1:] == OWN
    assert [p for p in (box.root / "etc/forecourt").glob("*.pem") if p.stat().st_uid == USER and p.stat().st_mode & 0o77 == 0]
    word = box.service("password").stdout.split()
    assert word and not any(w in box.log() for w in word if len(w) > 10)
    assert box.daemon() == process


def test_data_go_to_the_disk(make_box):
    box = make_box("config gateway 'gateway'\n\toption operator_id 'MA1234567'\n\toption data_dir '/srv/forecourt'\n", board="other,one")
    box.write("usr/share/forecourt/boards/maker", BOARD)
    box.sh("mkdir /mnt/sd && mount -t tmpfs -o mode=755 disk /mnt/sd")
    defaults(box)
    assert shown(box)["forecourt.gateway.data_dir"] == "'/mnt/sd/forecourt'"


@pytest.mark.parametrize("mounts, path, kind", [
    ("overlayfs:/overlay / overlay rw 0 0\n", "/srv/forecourt", "overlay"),
    ("/dev/root / ext4 rw 0 0\n", "/srv/forecourt", "overlay"),
    ("/dev/root / ext4 rw 0 0\n/dev/mmcblk0p3 /mnt/sd ext4 rw 0 0\n", "/mnt/sd/forecourt", "sd"),
    ("/dev/root / ext4 rw 0 0\n/dev/mmcblk0p3 /mnt/sd ext4 rw 0 0\n", "/mnt/sdx/forecourt", "overlay"),
    ("/dev/root / ext4 rw 0 0\n/dev/nvme0n1p1 /mnt/n ext4 rw 0 0\n", "/mnt/n/forecourt", "disk"),
    ("/dev/root / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n", "/tmp/lib/forecourt", "ram")])
def test_kinds_of_disk(make_box, mounts, path, kind):
    box = make_box()
    box.write("tmp/mounts", mounts)
    script = (ROOT / "rootfs/usr/share/forecourt/box.sh").read_text(encoding="utf-8").replace("/proc/mounts", "/tmp/mounts")
    box.write("tmp/box.sh", script)
    assert box.sh(f". /tmp/box.sh; box_disk_kind {path}").stdout == kind + "\n"


def shipped():
    return sorted(path.parent.name for path in (ROOT / "boards").glob("*/defaults"))


@pytest.mark.parametrize("name", shipped() or [None])
def test_shipped_boards(make_box, name):
    """Each board's file is for that board alone, and what comes out of it is good."""
    if not name:
        pytest.skip("no board has defaults yet")
    text = (ROOT / "boards" / name / "defaults").read_text(encoding="utf-8")
    patterns = re.findall(r"(?m)^# board:(.*)$", text)
    assert len(patterns) == 1
    if not patterns[0].strip():
        return  # nobody's: no box has it by itself
    for pattern in patterns[0].split():
        box = make_box("config gateway 'gateway'\n\toption operator_id 'MA1234567'\n", board=pattern.replace("*", "-x"))
        assert box.sh(". /usr/share/forecourt/box.sh; box_board_file").stdout == name + "\n"
    defaults(box)
    assert "good" in box.service("check").stdout, box.service("check", check=False)
    once = (box.root / "etc/config/forecourt").read_bytes()
    restore_script(box)
    defaults(box)
    assert (box.root / "etc/config/forecourt").read_bytes() == once


# Upgrade ---------------------------------------------------------------------------------------------------------------------


def kept(box, *words, archive="tmp/sysupgrade.tgz"):
    done = box.run("/sbin/sysupgrade", *words, check=False)
    path = box.root / archive
    names = {}
    if path.exists():
        with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as tar:
            names = {"/" + m.name.lstrip("/"): m for m in tar.getmembers()}
    return done, names


def test_an_upgrade_keeps_what_is_the_operators(make_box):
    box = make_box()
    box.service("start")
    running(box)
    done, names = kept(box, "/tmp/image")
    assert done.returncode == 0
    for name in ("/etc/config/forecourt", "/etc/forecourt/lua/profiles/forecourt-sim.lua", "/srv/forecourt/forecourt.db"):
        assert name in names, sorted(names)
    # The daemon had ended, so the journal is whole: nothing waits in a log beside it.
    assert not box.daemon() and not [n for n in names if n.endswith(("-wal", "-shm"))]
    assert not any(n.startswith(("/tmp", "/var", "/usr")) for n in names)


def test_an_upgrade_keeps_of_the_journal_what_is_its(make_box):
    """The folder is the service's: a name with a newline would bring any file of root's into the archive; the copy before a migration is not kept."""
    box = make_box()
    box.service("start")
    running(box)
    box.write("etc/secret", "root's\n", 0o600)
    folder = box.root / "srv/forecourt"
    for name in ("x\n/etc/secret", "two words", "forecourt.db.older"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("planted\n")
    done, names = kept(box, "/tmp/image")
    assert done.returncode == 0
    assert [n for n in names if n.startswith("/srv") or "secret" in n] == [n for n in names if n.startswith("/srv/forecourt/forecourt.db")], names
    assert "/srv/forecourt/forecourt.db" in names and "/srv/forecourt/forecourt.db.older" not in names


def test_a_journal_that_is_not_to_be_kept(make_box):
    box = make_box(config(harness.free_port(), keep_journal="0"))
    box.service("start")
    first = running(box)
    _, names = kept(box, "/tmp/image")
    assert "/etc/config/forecourt" in names and not any(n.startswith("/srv") for n in names)
    assert box.daemon() == first


def test_a_backup_holds_no_journal(make_box):
    box = make_box()
    box.service("start")
    first = running(box)
    _, names = kept(box, "-b", "/tmp/backup.tgz", archive="tmp/backup.tgz")
    assert "/etc/config/forecourt" in names and not any(n.startswith("/srv") for n in names)
    assert "/srv" not in box.run("/sbin/sysupgrade", "-l").stdout
    assert box.daemon() == first


def test_a_journal_that_does_not_fit_ends_the_upgrade(make_box):
    box = make_box()
    box.service("start")
    first = running(box)
    box.write("tmp/meminfo", "MemTotal: 64000 kB\nMemAvailable: 40 kB\n")
    box.sh("mount -o bind /tmp/meminfo /proc/meminfo")
    done, names = kept(box, "/tmp/image")
    assert done.returncode != 0 and not names and "does not fit" in box.log()
    assert box.daemon() == first


# Files -----------------------------------------------------------------------------------------------------------------------


def test_capabilities_are_known():
    known = set(re.findall(r"#define (CAP_[A-Z_]+)\s+\d+", pathlib.Path("/usr/include/linux/capability.h").read_text(encoding="utf-8")))
    files = sorted((ROOT / "rootfs/etc/capabilities").glob("*.json"))
    assert [f.name for f in files] == ["forecourt-can.json", "forecourt.json"]
    for path in files:
        sets = json.loads(path.read_text(encoding="utf-8"))
        assert set(sets) == {"bounding", "effective", "ambient", "permitted", "inheritable"}
        wanted = {"CAP_NET_BIND_SERVICE"} | ({"CAP_NET_ADMIN"} if "can" in path.name else set())
        for names in sets.values():
            assert set(names) == wanted and wanted <= known


def test_keep_list():
    lines = (ROOT / "rootfs/lib/upgrade/keep.d/forecourt-box").read_text(encoding="utf-8").split("\n")
    assert set(lines) == {"/etc/config/forecourt", "/etc/config/.forecourt-board", "/etc/config/.forecourt/", "/etc/forecourt/", ""}
