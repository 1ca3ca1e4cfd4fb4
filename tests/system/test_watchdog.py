"""The watchdog: fed while the loop and every line's worker make progress, and only then. The device is a FIFO, whose other end counts
what a device would be fed; a driver that does not come back is stuck_port.c."""
import os
import pathlib
import signal
import subprocess
import threading
import time

import test_disk
from test_acts import alarms, wait_alarm, wait_over
from test_iserv import stop

TIMEOUT_S = 15
PERIOD_S = TIMEOUT_S // 4  # between two feeds


class Device:
    """What a watchdog gets to see."""

    def __init__(self, station):
        self.path, self.seen, self.closed = station.folder / "watchdog", b"", 0
        os.mkfifo(self.path)
        station.gateway_options.update(watchdog=self.path, watchdog_s=TIMEOUT_S)
        self.end = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        opened = False
        while not self.over.is_set():
            try:
                part = os.read(self.end, 4096)
            except BlockingIOError:  # somebody has it open, and says nothing
                opened = True
                time.sleep(0.05)
                continue
            self.seen += part
            opened |= bool(part)
            if not part:
                self.closed += opened
                opened = False
                time.sleep(0.05)

    def fed(self):
        return self.seen.count(b".")

    def wait_fed(self, station, more=2):
        wanted = self.fed() + more
        station.until(lambda: self.fed() >= wanted, 60, f"{more} feeds")

    def stays_hungry(self, seconds):
        before = self.fed()
        time.sleep(seconds)
        return self.fed() == before

    def close(self):
        self.over.set()
        self.thread.join()
        os.close(self.end)


def preload(station):
    """The file whose being there makes the serial driver hang."""
    library, flag = station.folder / "stuck_port.so", station.folder / "stuck"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", library,
                    pathlib.Path(__file__).with_name("stuck_port.c")], check=True)
    station.gateway_under = ["env", f"LD_PRELOAD={library}", f"STUCK_PORT={flag}"]
    return flag


def start(make_station, prepare=None):
    station = make_station(start=False, tcp=1, line_units=(1,), poll_ms=200)
    station.bus_options.update(response_timeout_ms=200)
    device = Device(station)
    flag = prepare(station) if prepare else None
    station.start_chargers()
    station.start_gateway()
    return station, device, flag


def test_fed_while_all_goes_well_and_disarmed_at_the_end(make_station):
    station, device, _ = start(make_station)
    device.wait_fed(station, 3)
    assert "the time-out can't be set to 15 s" in station.gateway.output()  # a FIFO has none, and is fed all the same
    assert b"V" not in device.seen and not alarms(station, "watchdog_unfed")
    told = station.stats()["watchdog"]
    assert told["device"] == str(device.path) and told["open"] == 1 and told["timeout_s"] == TIMEOUT_S and told["why"] == "", told
    assert 3 <= told["feeds"] <= device.fed() + 1, told
    assert station.gateway.stop() == 0
    station.until(lambda: device.closed, 20, "the device's closing")
    assert device.seen.endswith(b"V") and device.seen.count(b"V") == 1, device.seen
    device.close()


def test_a_gateway_that_hangs_or_dies_leaves_it_armed(make_station):
    station, device, _ = start(make_station)
    device.wait_fed(station)
    station.gateway.popen.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    assert device.stays_hungry(3 * PERIOD_S)
    station.gateway.popen.send_signal(signal.SIGCONT)
    device.wait_fed(station)
    # That it was away is nobody's fault.
    assert "has not come back" not in station.gateway.output()
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    station.until(lambda: device.closed, 20, "the device's closing")
    assert b"V" not in device.seen, device.seen
    # Started again it feeds on.
    station.start_gateway()
    device.wait_fed(station)
    assert station.gateway.stop() == 0
    station.until(lambda: device.seen.endswith(b"V"), 20, "V")
    device.close()


def polls(station, name):
    return next(bus["ok"] for bus in station.stats()["buses"] if bus["name"] == name)


def test_a_driver_that_does_not_come_back_stops_it(make_station):
    station, device, flag = start(make_station, preload)
    device.wait_fed(station)
    station.until(lambda: polls(station, "line0") > 2, 60, "polls on the serial line")
    flag.touch()
    alarm = wait_alarm(station, "bus_stuck", 120)
    assert alarm["object"] == "line0" and alarm["level"] == "error" and alarm["key"] == "bus.stuck", alarm
    assert "bus line0: its driver has not come back for" in wait_alarm(station, "watchdog_unfed")["cause"]
    assert device.stays_hungry(3 * PERIOD_S)
    # The others go on meanwhile.
    before = polls(station, "tcp0")
    station.until(lambda: polls(station, "tcp0") > before + 3, 60, "polls on the other line")
    chinese = station.cli("alarms", LC_ALL="zh_CN.UTF-8").stdout
    assert "总线停滞" in chinese and "看门狗未喂" in chinese, chinese
    flag.unlink()
    device.wait_fed(station)
    wait_over(station, "bus_stuck")
    wait_over(station, "watchdog_unfed")
    before = polls(station, "line0")
    station.until(lambda: polls(station, "line0") > before + 3, 60, "polls on the line that came back")
    assert station.gateway.stop() == 0
    station.until(lambda: device.closed, 20, "the device's closing")
    assert device.seen.count(b"V") == 1 and device.seen.endswith(b"V"), device.seen
    device.close()


def test_charges_while_a_driver_hangs(make_station):
    """Both lines have a charge. The one beside ends and is confirmed while the driver hangs; the one on its line goes on, is no longer known
    meanwhile, and has all of its energy in one order afterwards."""
    station = make_station(start=False, tcp=1, line_units=(1,), connectors=1, poll_ms=200)
    station.bus_options.update(response_timeout_ms=200)
    device, flag = Device(station), preload(station)
    test_disk.serve(station)
    station.start_chargers("--speed", "2")  # what the register does in the time of the hang is believed up to that
    test_disk.begin(station)
    beside, on_line = test_disk.charge(station, 0), test_disk.charge(station, 1)
    flag.touch()
    wait_alarm(station, "bus_stuck", 120)
    assert stop(station, *beside).data["SuccStat"] == 0
    test_disk.check_once(station, beside[1], 0)
    assert not test_disk.told(station, "notification_charge_order_info", on_line[1])
    assert station.gateway.running() and station.ask_chargers("state 1 1").strip() == "charging"
    offline = next(a for a in alarms(station, "connector_offline") if a["object"] == on_line[0])
    assert offline["cause"], offline
    flag.unlink()
    wait_over(station, "bus_stuck")
    wait_over(station, "connector_offline")
    test_disk.some_energy(station, on_line[1], 1)
    assert stop(station, *on_line).data["SuccStat"] == 0
    test_disk.check_once(station, on_line[1], 1)
    assert station.gateway.stop() == 0
    device.close()


def test_a_line_that_is_gone_from_the_configuration_does_not_count(make_station):
    station, device, flag = start(make_station, preload)
    device.wait_fed(station)
    flag.touch()
    wait_alarm(station, "bus_stuck", 120)
    station.line_units, lines = (), station.lines
    station.lines = []
    station.write_config()
    station.gateway.popen.send_signal(signal.SIGHUP)
    station.gateway.wait_for("reload: done", 60)
    device.wait_fed(station)
    wait_over(station, "bus_stuck")
    assert station.cli("status").returncode == 0
    flag.unlink()
    station.lines = lines
    assert station.gateway.stop() == 0
    device.close()


def test_a_device_that_can_not_be_had_is_an_alarm(make_station):
    station = make_station(start=False, tcp=1, line_units=(), poll_ms=200)
    station.gateway_options.update(watchdog=station.folder / "none", watchdog_s=TIMEOUT_S)
    station.start_chargers()
    station.start_gateway()
    alarm = wait_alarm(station, "watchdog_unfed")
    assert "open: " in alarm["cause"] and "No such file" in alarm["cause"], alarm
    # Taken out of the configuration there is nothing to be told any more.
    station.gateway_options.clear()
    station.write_config()
    station.gateway.popen.send_signal(signal.SIGHUP)
    station.gateway.wait_for("reload: done", 60)
    wait_over(station, "watchdog_unfed")


def test_restarts_that_do_not_help_come_to_an_end(make_station):
    """A port that hangs after each restart: after three in a row the box stays up for the others, and says so."""
    station, device, flag = start(make_station, preload)
    count = station.folder / "data" / "watchdog-restarts"
    device.wait_fed(station)
    assert not count.exists()
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    # Two restarts later (tests/unit/test_restarts.c counts them all).
    count.write_text("2\n")
    flag.touch()
    station.start_gateway()
    assert wait_alarm(station, "bus_stuck", 120)["key"] == "bus.stuck"
    assert device.stays_hungry(2 * PERIOD_S)
    assert count.read_text() == "3\n"
    station.gateway.popen.kill()
    station.gateway.popen.wait()
    station.start_gateway()
    alarm = wait_alarm(station, "bus_stuck", 120)
    assert alarm["object"] == "line0" and alarm["key"] == "bus.stuck_still", alarm
    device.wait_fed(station, 3)
    assert not alarms(station, "watchdog_unfed")
    before = polls(station, "tcp0")
    station.until(lambda: polls(station, "tcp0") > before + 3, 60, "polls on the other line")
    assert "不再为此重启" in station.cli("alarms", LC_ALL="zh_CN.UTF-8").stdout
    flag.unlink()
    wait_over(station, "bus_stuck")
    assert station.gateway.stop() == 0
    device.close()
