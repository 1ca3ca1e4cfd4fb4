#!/usr/bin/python3
"""make vm-test BOARD=qemu-armv8 (arm.sh): an ARM box in QEMU, with our package on it, between a charger on a serial line, a charger and a car
on CAN, and a platform; its power fails in mid-charge and in mid-delivery."""
import argparse
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE.parent / "peers"))
import arm_image  # noqa: E402
import disk  # noqa: E402
import machine  # noqa: E402

BOOT_S = 300  # patience, not a goal: 6 s on an idle machine of two cores


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

    @staticmethod
    def figure(name, value):
        print(f"  figure {name}: {value}", flush=True)


def qemu(kernel, initramfs, disk_path, extra):
    return ["qemu-system-aarch64", "-M", "virt", "-accel", "tcg", "-cpu", "cortex-a53", "-m", "128",
            # No battery: the clock stands at 1970 after each start.
            "-rtc", "base=1970-01-01T00:00:00",
            "-kernel", next(kernel.glob("boot/vmlinuz-*")), "-initrd", initramfs, "-append", "console=ttyAMA0 quiet panic=-1",
            "-drive", f"driver=nbd,server.type=unix,server.path={disk_path},if=none,id=flash,cache.direct=off,cache.no-flush=off",
            "-device", "virtio-blk-pci,drive=flash",
            "-object", "can-bus,id=bus0", "-device", "kvaser_pci,canbus=bus0", "-device", "kvaser_pci,canbus=bus0",
            "-device", "i6300esb", "-watchdog-action", "poweroff",
            "-device", "qemu-xhci", *extra]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--kernel", type=pathlib.Path, required=True)
    parser.add_argument("--busybox", type=pathlib.Path, required=True)
    args = parser.parse_args()
    folder = pathlib.Path("build/vm/arm").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    report = Report()
    arm_image.make_base(folder / "root", args.busybox)
    arm_image.make_disk(folder / "root", folder / "flash.img")
    initramfs = arm_image.make_initramfs(args.kernel, args.busybox, folder)
    flash = disk.Disk(folder / "flash.img", folder / "flash.sock")
    m = machine.Machine(qemu(args.kernel, initramfs, folder / "flash.sock", ["-nic", "user,model=virtio-net-pci,restrict=on"]), folder)
    try:
        print(m.start("guest: ready", BOOT_S))
        print(m.console())
        print(m.run("cat /proc/modules | cut -d ' ' -f 1 | tr '\\n' ' '; ip a; ls -l /dev/watchdog* /dev/ttyUSB*; date; df; free; mount"))
        t = time.monotonic()
        m.run("echo a >/root/a; sync; echo b >/root/b")
        print(time.monotonic() - t, flash.written, flash.durable, flash.flushes)
        m.power_off()
        print("lost", flash.power_off())
        print(m.start("guest: ready", BOOT_S))
        print(m.run("ls /root; date"))
    finally:
        m.power_off()
    return 0


sys.exit(main())
