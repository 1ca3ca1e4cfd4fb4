#!/usr/bin/python3
"""make vm-test BOARD=qemu-armv8 (arm.sh): an ARM box in QEMU, with our package on it, between a charger on a serial line, CAN nodes and a
platform; its power fails in mid-charge, in mid-delivery and in the middle of writing an order."""
import argparse
import datetime
import json
import os
import pathlib
import random
import re
import sys
import time
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
for place in (HERE, HERE.parent / "system", HERE.parent / "peers"):
    sys.path.insert(0, str(place))
import arm_image  # noqa: E402
import arm_site  # noqa: E402
import business  # noqa: E402
import disk  # noqa: E402
import disk_test  # noqa: E402
import harness  # noqa: E402
import machine  # noqa: E402

PATIENCE_S = int(os.environ.get("VM_PATIENCE", "240"))  # for anything that the box does: no goal, a sign of a fault on the slowest machine
STARTED = r"guest: services started after"
ELEC, SERVICE = "0.8", "0.4"  # lua/policies/flat.lua
CAPABILITIES = 1 << 10 | 1 << 12  # NET_BIND_SERVICE and NET_ADMIN
VIN = "LTESTCAR000000042"


class Report:
    """One line a check, and their sum."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, good, why=""):
        if good:
            self.passed += 1
            print(f"  ok {name}", flush=True)
        else:
            self.failed += 1
            print(f"  not ok {name}{': ' if why else ''}{why}", flush=True)
        return bool(good)

    def need(self, name, good, why=""):
        """A check without which nothing that follows means anything."""
        if not self.check(name, good, why):
            raise RuntimeError(f"not met: {name}")

    @staticmethod
    def figure(name, value):
        print(f"  figure {name}: {value}", flush=True)


class Box(machine.Machine):
    """The machine, its disk and what is wired to it."""

    def __init__(self, args, folder, report):
        self.report, self.begun = report, 0
        self.certs = folder / "certs"
        arm_site.make_certificates(self.certs)
        self.listen_port = harness.free_port()
        self.flash = disk.Disk(folder / "flash.img", folder / "flash.sock")
        self.chargers = arm_site.Chargers(args.chargers, folder)
        self.platform = arm_site.Platform(self.certs, self.listen_port)
        self.can = arm_site.Bridge(folder)
        initramfs = arm_image.make_initramfs(args.kernel, args.busybox, folder)
        relay = f"/usr/bin/python3 -B {HERE / 'relay.py'} {self.platform.server.port}"
        super().__init__(
            ["qemu-system-aarch64", "-M", "virt", "-accel", "tcg", "-cpu", "cortex-a53", "-m", "128",
             # No battery: the clock stands at 1970 after each start.
             "-rtc", "base=1970-01-01T00:00:00",
             "-kernel", next(args.kernel.glob("boot/vmlinuz-*")), "-initrd", initramfs, "-append", "console=ttyAMA0 quiet panic=-1",
             "-drive", f"driver=nbd,server.type=unix,server.path={folder / 'flash.sock'},if=none,id=flash,cache.direct=off,cache.no-flush=off",
             "-device", "virtio-blk-pci,drive=flash",
             # Nothing of the host but the platform's port, and nothing but the host reaches the box.
             "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.listen_port}-:{arm_site.LISTEN},"
                        f"guestfwd=tcp:10.0.2.100:{arm_site.PORT}-cmd:{relay}",
             "-device", "virtio-net-pci,netdev=net",
             "-device", "qemu-xhci", "-chardev", f"serial,id=rs485,path={self.chargers.line}", "-device", "usb-serial,chardev=rs485",
             "-object", "can-bus,id=bus0", "-device", "kvaser_pci,canbus=bus0", "-device", "kvaser_pci,canbus=bus0",
             "-device", "i6300esb", "-watchdog-action", "poweroff"],
            folder, {"can": self.can.port})
        self.connected = self.can.connect

    def boot(self):
        """Until the services are started; the clock is not set yet."""
        self.begun = time.monotonic()
        took = self.start(STARTED, PATIENCE_S)
        inside = re.search(r"guest: ready after ([\d.]+) s", self.console()).group(1)
        self.report.figure(f"start {self.boots}: services started after", f"{took:.1f} s, of them {inside} s until the machine was up")

    def set_clock(self):
        """What ntpd does once it has heard a server."""
        self.run(f"date -s @{int(time.time())}")

    def cut_power(self, keeps=lambda sector: False):
        """In the middle of anything."""
        self.power_off()
        waiting = len(self.flash.cache)
        lost = self.flash.power_off(keeps)
        self.report.figure(f"power off {self.boots}", f"the disk forgot {lost} of {waiting} sectors that were not flushed")
        self.platform.forget()
        return lost

    def until(self, condition, timeout=PATIENCE_S):
        """The value, or None when it did not come."""
        return self.platform.wait(condition, timeout)

    def daemon(self):
        """The daemon's number, as text; empty when there is none."""
        return self.run("pidof forecourtd || true").strip()

    def status_of(self, pid):
        return dict(line.split(":\t", 1) for line in self.run(f"cat /proc/{pid}/status").splitlines() if ":\t" in line)

    def log(self):
        return self.run("cat /tmp/log/install /tmp/log/boot /tmp/system.log /tmp/procd.forecourt.log 2>/dev/null || true")

    def cli(self, words, check=True):
        return self.run(f"forecourt {words}", check=check)

    def point(self, connector, name):
        """The connector's point when its value is good, else None."""
        code, text = self.cli(f"connectors {connector} --json", check=False)
        if code:
            return None
        found = json.loads(text)
        points = found.get("points", found.get("connectors", [{}])[0].get("points", []) if "connectors" in found else [])
        if isinstance(points, dict):
            points = [dict(p, name=n) for n, p in points.items()]
        return next((p.get("value") for p in points if p["name"] == name and p["quality"] == "good"), None)

    def wait_status(self, connector, status, since=0):
        return self.until(lambda: self.platform.statuses(connector, since)[-1:] == [status])

    def close(self):
        self.power_off()
        self.chargers.stop()
        self.platform.close()
        self.can.close()
        self.flash.close()


def new_start(box, report):
    """A new box: the service runs by itself, as nobody in particular, with nothing configured."""
    pid = box.until(box.daemon)
    report.need("a new box: the service was started by its init script", pid, box.log()[-1500:])
    status = box.status_of(pid)
    ids = box.run("id -u forecourt; id -g forecourt").split()
    report.check("it runs as its own user and group",
                 ids[0] != "0" and set(status["Uid"].split()) == {ids[0]} and set(status["Gid"].split()) == {ids[1]}, f"{status['Uid']} {status['Gid']}")
    for kind in ("CapEff", "CapPrm"):
        report.check(f"{kind}: to bind low ports and to configure CAN, nothing else", int(status[kind], 16) == CAPABILITIES, status[kind])
    report.check("it can gain no privileges", status.get("NoNewPrivs", "").strip() == "1")
    report.check("its clock is not set", box.run("date +%Y").strip() == "1970")
    password = box.until(lambda: box.run("ls -ln /var/run/forecourt/one-time-password 2>/dev/null || true").split(), 60) or ["none"]
    report.check("a one-time password waits in a file that only root and the service can read", password[0].startswith("-rw-------"), " ".join(password))
    report.check("the configuration may be read by root and the service alone",
                 re.match(r"-rw-(rw|r-|--)----", box.run("ls -ln /etc/config/forecourt")), box.run("ls -ln /etc/config/forecourt"))


def configure(box, report):
    """As an integrator does: files, then reload; the clock is still not set."""
    pid = box.daemon()
    for name, source in (("platform-ca.pem", "ca.pem"), ("station.pem", "server.pem"), ("station.key", "server.key")):
        box.put(f"/etc/forecourt/{name}", (box.certs / source).read_text(), "0640", "root:forecourt")
    box.put("/etc/config/forecourt", arm_site.configuration(), "0640", "root:forecourt")
    box.run("/etc/init.d/forecourt reload && sync")
    report.need("a reload takes the configuration over", box.until(lambda: "11010500010011" in box.cli("connectors", check=False)[1]),
                 box.cli("connectors", check=False)[1][-300:])
    report.figure("the reload kept the process" if box.daemon() == pid else "the reload made a new process", f"{pid} {box.daemon()}")


def serial_and_can(box, report):
    report.check("FTDI's driver serves the serial port", "ftdi_sio" in box.run("readlink /sys/bus/usb-serial/devices/ttyUSB0/driver || true"))
    report.check("the charger on the serial line is polled", box.until(lambda: box.point(arm_site.SERIAL[0], "energy") is not None))
    report.check("before the clock is set the platform is told nothing", not box.platform.server.received)
    module = box.until(lambda: box.point(arm_site.MODULE, "voltage_a") == 500)
    report.check("the power module on vcan0 is asked, and answers", module, str(module))
    report.check("the gateway brought its CAN controller up, to listen only", box.until(lambda: "active" in re.sub(
        r"(?s).*CAN can0", "", box.cli("status", check=False)[1])), box.cli("status", check=False)[1])
    sent = box.run("cat /sys/class/net/can0/statistics/tx_packets").strip()
    box.run(f"setsid sim-bms --bus socket:can1 --auto --speed 2 --battery 0.2 --soc 40 --vin {VIN} >/tmp/bms.log 2>&1 &")
    report.check("a car and its charger are followed on can0", box.until(lambda: box.point(arm_site.CAR, "phase") == "charging"))
    report.check("their state of charge is read", box.until(lambda: (box.point(arm_site.CAR, "soc") or 0) > 40))
    report.check("the car is known by its VIN, masked", box.point(arm_site.CAR, "vin") == "***0042", str(box.point(arm_site.CAR, "vin")))
    report.check("the VIN is in no log", VIN not in box.log())
    report.check("the gateway has sent nothing there", box.run("cat /sys/class/net/can0/statistics/tx_packets").strip() == sent == "0")


def meet_platform(box, report):
    """The clock comes; the platform and the box find each other, each proving who it is."""
    box.set_clock()
    begun = time.monotonic()
    report.check("with the clock set the platform is told how the connectors are", box.wait_status(arm_site.SERIAL[0], 1), str(box.platform.server.problems))
    report.figure("from the clock to the first push", f"{time.monotonic() - begun:.1f} s")
    info = box.platform.ask("query_stations_info", {"LastQueryTime": "", "PageNo": 1, "PageSize": 10})
    report.check("the platform asks the station, and gets its connectors", {arm_site.SERIAL[0], arm_site.CAR, arm_site.MODULE} <= {
        c["ConnectorID"] for s in info["StationInfos"] for e in s["EquipmentInfos"] for c in e["ConnectorInfos"]})


def start_charge(box, report, number):
    """The platform starts a charge; returns its seq."""
    connector, seq = arm_site.SERIAL[number - 1], business.new_seq()
    box.chargers.ask(f"plug 0 {number}")
    box.wait_status(connector, 2)
    said = box.platform.ask("query_start_charge", {"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""})
    report.need(f"charge {number}: the platform starts it", said["SuccStat"] == 0, str(said))
    return seq


def energy_flows(box, report, seq):
    told = box.until(lambda: [p for p in box.platform.told("notification_equip_charge_status")
                              if p["StartChargeSeq"] == seq and Decimal(str(p["TotalPower"])) > 0])
    report.need(f"charge ...{seq[-4:]}: energy flows, and the platform is told", told)


def memory(box, report, when):
    status = box.status_of(box.daemon())
    report.figure(f"the daemon's memory {when}", f"RSS {status['VmRSS'].strip()}, at most {status['VmHWM'].strip()}")
    return int(status["VmRSS"].split()[0])


def first_poll(box):
    """Seconds from the daemon's last start to the charger's first answer, by the times in its log; None: not yet."""
    text = box.log()
    begin = text.rfind("forecourtd ", 0, text.rfind(" starts with "))
    if begin < 0:
        return None
    lines = text[text.rfind("\n", 0, begin) + 1:].splitlines()
    found = next((line for line in lines if f"connector {arm_site.SERIAL[0]}: offline -> " in line), None)
    if not found:
        return None
    times = [datetime.datetime.fromisoformat(line.split("Z")[0]) for line in (lines[0], found)]
    return round((times[1] - times[0]).total_seconds(), 2)


def after_power(box, report, seqs):
    """The power is back: the file system recovers by its journal, the charges are taken up again."""
    report.need(f"start {box.boots}: the service runs", box.until(box.daemon), box.console()[-1000:])
    report.check(f"start {box.boots}: its configuration is there", arm_site.SERIAL[0] in box.run("cat /etc/config/forecourt"))
    code, text = box.run("dmesg | grep -iE 'ext4.*(error|corrupt)'", check=False)
    report.check(f"start {box.boots}: the file system is sound", code == 1, text)
    for seq in seqs:
        report.check(f"start {box.boots}: order ...{seq[-4:]} is in the journal", box.until(
            lambda seq=seq: box.cli(f"orders show {seq}", check=False)[0] == 0, 120), box.cli(f"orders show {seq}", check=False)[1])
    polled = box.until(lambda: first_poll(box))
    report.check(f"start {box.boots}: the charger is polled", polled is not None)
    report.figure(f"start {box.boots}: from the daemon's start to the charger's first answer", f"{polled} s")
    report.check(f"start {box.boots}: the CAN controller is up again", box.until(lambda: "active" in re.sub(
        r"(?s).*CAN can0", "", box.cli("status", check=False)[1])))


def same_order(one, other):
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def check_order(box, report, what, seq):
    """Confirmed, the same each time it was told, and right to the fen."""
    told = box.platform.of(seq)
    payloads = [payload for _, _, payload, _ in told]
    report.check(f"{what}: told alike each time ({len(told)})", all(same_order(p, payloads[0]) for p in payloads))
    number = arm_site.SERIAL.index(payloads[0]["ConnectorID"]) + 1
    known = [wh for n, wh in box.chargers.sessions() if n == number]
    report.check(f"{what}: all the energy that the charger's register counted", known == [business.cents(payloads[0]["TotalPower"]) * 10],
                 f"charger {known} Wh, order {payloads[0]['TotalPower']} kWh")
    try:
        business.check_order(payloads[0], ELEC, SERVICE)
        report.check(f"{what}: sums and money to the fen", True)
    except AssertionError as error:
        report.check(f"{what}: sums and money to the fen", False, str(error))


def stopped(box, report):
    """A daemon that makes no progress, for good: the watchdog's board takes the power away."""
    pid = box.daemon()
    report.check("the service holds the watchdog", box.until(lambda: "/dev/watchdog" in box.run(f"ls -l /proc/{pid}/fd")))
    box.run(f"kill -STOP {pid}")
    begun = time.monotonic()
    off = box.until(lambda: box.process.poll() is not None)
    report.check("a daemon that stands still is ended by the watchdog", off)
    report.figure("the watchdog fired after", f"{time.monotonic() - begun:.0f} s")


def story(box, report):
    box.boot()
    new_start(box, report)
    configure(box, report)
    serial_and_can(box, report)
    meet_platform(box, report)
    begun = box.point(arm_site.SERIAL[0], "energy")
    going, leaving = start_charge(box, report, 1), start_charge(box, report, 2)
    for seq in (going, leaving):
        energy_flows(box, report, seq)
    memory(box, report, "with two charges")

    # The power fails in mid-charge. One car goes on charging, the other leaves before the power is back.
    box.cut_power()
    box.chargers.ask("stop 0 2")
    box.chargers.ask("unplug 0 2")
    report.check("in mid-charge the power fails: no order has been told yet", not box.platform.orders)

    # It comes back, and fails again when the platform has the order and the box does not know that yet. What the disk had in its cache
    # is half there.
    chance = random.Random(7)
    cut = []

    def half(sector):  # as a disk writes what it likes
        return chance.random() < 0.5

    def cut_in_delivery():
        box.cut_power(half)
        cut.append(True)

    box.platform.cut = cut_in_delivery
    box.boot()
    after_power(box, report, (going, leaving))
    box.set_clock()
    report.need("the order of the car that left is told, and in mid-delivery the power fails", box.until(lambda: cut))
    report.check("it was that order", [o[1] for o in box.platform.orders] == [leaving])

    # More flows than a register may jump, while the clock does not tell how long the box was off.
    box.boot()
    after_power(box, report, (going, leaving))
    report.need("the car that goes on takes a good kWh before the clock is set", box.until(lambda: (box.point(arm_site.SERIAL[0], "energy") or 0) >= begun + 1.3))
    box.set_clock()
    report.need("the order is told again and confirmed", box.until(lambda: any(o[3] for o in box.platform.of(leaving))))

    # The power fails when the end of a charge is being written, and half of that is on the disk.
    box.flash.stall(f"{going}openclosed".encode())  # its event, in the transaction of its end
    said = box.platform.ask("query_stop_charge", {"StartChargeSeq": going, "ConnectorID": arm_site.SERIAL[0]})
    report.check("the car that went on is stopped by the platform", said["SuccStat"] == 0, str(said))
    report.need("the disk has its order to make durable when the power fails", box.until(box.flash.stalled.is_set))
    lost = box.cut_power(half)
    report.check("and half of that is lost", lost > 0, str(lost))
    report.check("nobody was told of it", not box.platform.of(going))
    box.boot()
    after_power(box, report, (going, leaving))
    box.set_clock()
    report.need("its order is told and confirmed", box.until(lambda: any(o[3] for o in box.platform.of(going))))
    check_order(box, report, "the car that left", leaving)
    check_order(box, report, "the car that went on", going)

    # Nothing more comes, neither now nor after one more power-off with everything confirmed. A confirmation waits for the next order's
    # transaction, or five minutes (core/store/README.md); a clean end writes it.
    told = len(box.platform.orders)
    # A confirmation that a power cut took away is asked for once more.
    times = [len(box.platform.of(seq)) for seq in (leaving, going)]
    report.check("an order was told once, and once more for each power cut in its delivery", times[0] <= 3 and times[1] == 1, str(times))
    box.run("/etc/init.d/forecourt stop")
    report.check("the service ends cleanly", not box.daemon())
    box.run("sync")
    box.cut_power()
    box.boot()
    after_power(box, report, (going, leaving))
    box.set_clock()
    since = len(box.platform.server.received)
    report.check("after one more power-off the platform is told the states anew", box.until(
        lambda: box.platform.statuses(arm_site.SERIAL[1], since)))
    time.sleep(10)
    report.check("each order was confirmed and is not told again", len(box.platform.orders) == told and
                 all(any(o[3] for o in box.platform.of(seq)) for seq in (going, leaving)), str([o[1] for o in box.platform.orders]))
    listed = json.loads(box.cli("orders list --json"))
    orders = listed["orders"] if isinstance(listed, dict) else listed
    # On can0 cars come and go.
    ours = sorted(o["seq"] for o in orders if o["connector"] in arm_site.SERIAL)
    report.check("the chargers on the serial line have these two orders and no other", ours == sorted((going, leaving)), box.cli("orders list"))
    report.check("no order is there twice", len({o["seq"] for o in orders}) == len(orders) > 2, box.cli("orders list"))
    report.check("the platform saw no message that breaks the protocol", not box.platform.server.problems, str(box.platform.server.problems[:3]))
    memory(box, report, "at the end")
    stopped(box, report)
    report.figure("flash written in all", f"{box.flash.written // 1024} kB in {box.flash.flushes} flushes, the image's own start included")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--kernel", type=pathlib.Path, required=True)
    parser.add_argument("--busybox", type=pathlib.Path, required=True)
    parser.add_argument("--chargers", type=pathlib.Path, default="build/host/sim-charger")
    args = parser.parse_args()
    packages = sorted(args.build.glob("packages/forecourt_*.ipk"))
    if not packages:
        sys.exit(f"{args.build}/packages has no package: make package BOARD={args.build.name}")
    folder = pathlib.Path("build/vm/arm").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "console.log").unlink(missing_ok=True)
    report = Report()
    for name, good in disk_test.cases():
        report.check(name, good)
    begun = time.monotonic()
    arm_image.make_root(folder / "root", args.busybox, packages[-1], [args.build / "vm/canup", args.build / "vm/canpipe", args.build / "sim-bms"])
    arm_image.make_disk(folder / "root", folder / "flash.img")
    box = Box(args, folder, report)
    try:
        story(box, report)
    except Exception as error:  # what it could not go on after is a failure like any other
        report.check("the story came to its end", False, f"{type(error).__name__}: {error}")
        if box.agent:
            try:
                print(f"--- the daemon's log\n{box.log()[-6000:]}\n---")
            except (OSError, RuntimeError) as silent:
                print(f"--- the guest says nothing any more: {silent}")
        print(f"--- the console ({box.console_path})\n{box.console()[-3000:]}\n---")
    finally:
        box.close()
    print(f"  {packages[-1].name}, {args.kernel.name}, {time.monotonic() - begun:.0f} s")
    print(f"{report.passed} passed, {report.failed} failed")
    return 0 if report.passed and not report.failed else 1


if __name__ == "__main__":
    sys.exit(main())
