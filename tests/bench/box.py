#!/usr/bin/python3
"""What the gateway costs a box: package, program, memory, start, flash. The table of the figures that were set as goals.

Beside the host's own build it looks for those of boards (build/BOARD, and build/BOARD/packages: make package BOARD=...). The ARM rows are
of such a program under qemu-user; of the emulator's process the guest's own mappings alone are counted. Code that is in memory once for
all programs (libc, the feeds' libraries) counts in full. A row that can't be measured here says SKIPPED and why."""
import argparse
import collections
import contextlib
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE.parent / "peers"))
sys.path.insert(0, str(HERE))
import conftest  # noqa: E402
import day  # noqa: E402
import figures  # noqa: E402
import linkmap  # noqa: E402

SECTIONS = (".text", ".rodata", ".eh_frame", ".data.rel.ro", ".data", ".bss")
# Where the emulator puts the guest: below this, with guests of 32 bits moved there.
GUEST_END, GUEST_BASE_32 = 1 << 44, "0x10000000000"
EMULATORS = {"AArch64": ["qemu-aarch64-static"], "ARM": ["qemu-arm-static", "-B", GUEST_BASE_32]}


def met(value, goal):
    return "met" if value <= goal else "NOT met"


def machine_of(program):
    out = subprocess.run(["readelf", "-h", program], capture_output=True, text=True, check=True).stdout
    return re.search(r"Machine:\s+(.+)", out)[1].strip()


def board_builds(build):
    """Folders of cross builds beside the host's."""
    return sorted(p.parent for p in build.parent.glob("*/forecourtd") if p.parent.is_dir() and machine_of(p) in EMULATORS)


def package_rows(builds):
    rows = []
    for folder in builds:
        for p in sorted((folder / "packages").glob("forecourt[-_]*")):
            if p.suffix in (".ipk", ".apk"):
                size = p.stat().st_size  # flash is sold in MB of 2^20 bytes; the goal does not say which are meant
                rows.append((f"package {folder.name}: {p.name} (goal 1.5 MB)", f"{size / 2**20:.2f} MB of 2^20 bytes, {met(size, 1.5 * 2**20)}; "
                             f"{size / 1e6:.2f} of 10^6, {met(size, 1.5e6)}"))
        contents = folder / "packages" / "contents.txt"
        if contents.exists():
            sizes, program = [], 0
            for m in re.finditer(r"^forecourt \d+\s+(\d+) \S+ (\S+)", contents.read_text(encoding="utf-8"), re.M):
                sizes.append(int(m[1]))
                program += int(m[1]) if m[2].endswith("/forecourtd") else 0
            rows.append((f"  installed {folder.name}: {len(sizes)} files and folders; the program of it",
                         f"{sum(sizes) / 1e6:.2f} MB; {program / 1e6:.2f} MB"))
    return rows or [("package size, installed size (goal 1.5 MB)", "SKIPPED: no build/BOARD/packages (make package BOARD=...)")]


def installed_rows(build):
    program, page = build / "forecourtd", [p for p in (build / "www").rglob("*") if p.is_file()]
    lua = list((HERE.parents[1] / "lua").rglob("*.lua"))
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, program], check=True)
        size = pathlib.Path(stripped.name).stat().st_size
    return [("host: program, stripped; page; Lua",
             f"{size / 1e3:.0f} kB; {sum(p.stat().st_size for p in page) / 1e3:.0f} kB; "
             f"{sum(p.stat().st_size for p in lua) / 1e3:.0f} kB")]


def section_rows(build):
    out = subprocess.run(["size", "-A", build / "forecourtd"], capture_output=True, text=True, check=True).stdout
    sizes = {m[1]: int(m[2]) for m in re.finditer(r"^(\.\S+)\s+(\d+)", out, re.M)}
    return [(f"  program of {build.name}: " + ", ".join(s for s in SECTIONS if s in sizes),
             ", ".join(f"{sizes[s] / 1e3:.0f}" for s in SECTIONS if s in sizes) + " kB")] + linkmap.rows(build)


def resident(pid, end=1 << 63):
    """kB by kind of mapping, of those that end below that address."""
    kinds, kind = collections.Counter(), None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"[0-9a-f]+-([0-9a-f]+) \S+ \S+ \S+ \S+\s*(.*)", line)
        if head:
            name = head[2]
            kind = None if int(head[1], 16) > end else "program" if name.endswith("/forecourtd") else \
                "libraries" if name.startswith("/usr/") or name.startswith("/lib/") else "heap and stacks"
        elif line.startswith("Rss:") and kind:
            kinds[kind] += int(line.split()[1])
    return kinds


@contextlib.contextmanager
def station_of(build, count, arm=None):
    """A station whose connectors all were read; arm: the program of another machine, run in place of the host's."""
    # Chargers of four connectors beyond 64, as the simulator has them: as many lines as a station of that size.
    per = 1 if count <= 64 else 4
    station = conftest.PeerStation(build=build, tcp=count // per, line_units=(), connectors=per, poll_ms=1000)
    try:
        station.platform_options.update(push_rate_per_s=1000)
        if arm:
            emulator = [shutil.which(EMULATORS[machine_of(arm)][0]), *EMULATORS[machine_of(arm)][1:]]
            station.gateway_under = ["sh", "-c", " ".join(["shift; exec", *emulator, f"'{pathlib.Path(arm).resolve()}'", '"$@"']), "sh"]
        station.start_chargers()
        yield station
    finally:
        station.stop()


def wait_read(station, limit):
    for i in range(station.tcp):
        for number in range(1, station.connectors + 1):
            station.wait_status(station.connector_id(i, number), 1, limit)


def memory_rows(build, counts, arm=None):
    rows = []
    for count in counts:
        with station_of(build, count, arm) as station:
            station.start_gateway()
            wait_read(station, 300 if arm else 120)
            time.sleep(15)
            pid = station.gateway.popen.pid
            kinds = resident(pid, GUEST_END if arm else 1 << 63)
            buses = station.tcp
        total = sum(kinds.values()) / 1024
        goal = f" (goal 10 MB: {met(total, 10)})" if count == 64 else ""
        of = f"{pathlib.Path(arm).parent.name}, qemu-user" if arm else "host"
        rows.append((f"resident, {of}: {count} connectors, {buses} TCP lines", f"{total:.1f} MB{goal}: "
                     + ", ".join(f"{name} {kb / 1024:.1f}" for name, kb in kinds.items())))
    return rows


def arm_rows(build, builds, counts):
    if not builds:
        return [("memory on ARM under qemu-user", "SKIPPED: no cross build beside the host's (make package BOARD=qemu-armv8)")]
    rows, machines = [], set()
    for folder in builds:
        machine = machine_of(folder / "forecourtd")
        if machine in machines:
            continue
        machines.add(machine)
        rows += section_rows(folder)
        if not shutil.which(EMULATORS[machine][0]):
            rows.append((f"resident on {machine}", f"SKIPPED: {EMULATORS[machine][0]} is not installed"))
        elif "statically linked" not in subprocess.run(["file", folder / "forecourtd"], capture_output=True, text=True, check=True).stdout:
            rows.append((f"resident on {machine}", "SKIPPED: its program needs libraries of a box (LINK=shared)"))
        else:
            try:
                rows += memory_rows(build, counts, folder / "forecourtd")
            except (AssertionError, RuntimeError, OSError) as error:
                rows.append((f"resident on {machine}", f"SKIPPED: the emulated gateway did not read all: {str(error).splitlines()[0]}"))
    return rows


def start_figures(build, count, starts):
    """From before fork and exec, with a store that has been used, to the first request that a charger got, and the first pushed status
    of a charger that was read: one that is told off line before its first answer is none."""
    polls, pushes = [], []
    with station_of(build, count) as station:
        for _ in range(starts):
            seen, begun = len(station.server.received), time.monotonic()
            station.start_gateway(wait=False)
            while not any(m == "notification_stationStatus" and d["ConnectorStatusInfo"]["Status"] == 1
                          for m, d in station.server.received[seen:]):
                assert time.monotonic() - begun < 60, "nothing was pushed"
                time.sleep(0.001)
            pushes.append(time.monotonic() - begun)
            times = [json.loads(station.ask_chargers(f"times {i}")) for i in range(count)]
            polls.append(min(t for charger in times for t in charger if t / 1000 >= begun) / 1000 - begun)
            station.gateway.stop()
    return [figures.figure("start.first_poll", f"start to the first poll, {count} chargers: median of {starts}", statistics.median(polls) * 1000, "ms",
                           worst_ms=round(max(polls) * 1000)),
            figures.figure("start.first_push", "start to the first push of a status that was read: worst", max(pushes) * 1000, "ms", at_most=1000,
                           median_ms=round(statistics.median(pushes) * 1000))]


def flash_figures(build, hours):
    """The rows of the day, and the figures."""
    if not hours:
        return [], [figures.skipped("flash.a_day", "flash written a day", "--hours 0")]
    m = day.measure(build, hours)
    return day.rows(m), [
        figures.figure(f"flash.{what}", f"flash written a day, 64 connectors, {day.ORDERS} orders: {what}", n * 24 / m["hours"] / 1e6, "MB",
                       at_most=20, hours=m["hours"])
        for what, n in (("bytes", sum(m["part"]["bytes"])), ("blocks", 4096 * sum(m["part"]["blocks"])))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--board-builds", nargs="*", help="folders of cross builds; those beside the host's, when none is named")
    parser.add_argument("--connectors", type=int, nargs="*", default=[8, 64, 256])
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--hours", type=float, default=2, help="of the day, for what is written to flash; 0: not measured")
    args = parser.parse_args()
    build = pathlib.Path(args.build)
    builds = [pathlib.Path(b) for b in args.board_builds] if args.board_builds is not None else board_builds(build)
    parts = [lambda: package_rows(builds), lambda: installed_rows(build), lambda: section_rows(build),
             lambda: memory_rows(build, args.connectors), lambda: arm_rows(build, builds, args.connectors),
             lambda: map(figures.words, start_figures(build, 64, args.starts))]
    for part in parts:
        for name, value in part():
            print(f"  {name:<84}  {value}", flush=True)
    table, found = flash_figures(args.build, args.hours)
    for name, value in table + [figures.words(f) for f in found]:
        print(f"  {name:<84}  {value}", flush=True)


if __name__ == "__main__":
    main()
