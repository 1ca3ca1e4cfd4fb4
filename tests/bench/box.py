#!/usr/bin/python3
"""What the gateway costs a box: package, program, memory, start, flash. The table of the figures that were set as goals.

A row that can't be measured here says SKIPPED and why. --packages and --arm name what another build has made; the ARM rows are of the
program under qemu-user, and count the guest's own mappings alone."""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE.parent / "peers"))
import conftest  # noqa: E402
import day  # noqa: E402

SECTIONS = (".text", ".rodata", ".data", ".data.rel.ro", ".bss")


def met(value, goal):
    return "met" if value <= goal else "NOT met"


def package_rows(folder):
    found = sorted(p for p in pathlib.Path(folder).glob("**/forecourt[-_]*") if p.suffix in (".ipk", ".apk")) if folder else []
    if not found:
        return [("package size (goal 1.5 MB)", "SKIPPED: no package was named (make package BOARD=..., then --packages FOLDER)")]
    return [(f"package {p.name} (goal 1.5 MB)", f"{p.stat().st_size / 1e6:.2f} MB, {met(p.stat().st_size, 1.5e6)}") for p in found]


def installed_rows(build):
    program, page = build / "forecourtd", [p for p in (build / "www").rglob("*") if p.is_file()]
    lua = [p for p in (HERE.parents[1] / "lua").rglob("*.lua")]
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, program], check=True)
        size = pathlib.Path(stripped.name).stat().st_size
    return [("installed: program, stripped; page; Lua",
             f"{size / 1e3:.0f} kB; {sum(p.stat().st_size for p in page) / 1e3:.0f} kB; "
             f"{sum(p.stat().st_size for p in lua) / 1e3:.0f} kB")]


def section_rows(program):
    out = subprocess.run(["size", "-A", program], capture_output=True, text=True, check=True).stdout
    sizes = {m[1]: int(m[2]) for m in re.finditer(r"^(\.\S+)\s+(\d+)", out, re.M)}
    return [(f"  {program.name}: " + ", ".join(s for s in SECTIONS if s in sizes),
             ", ".join(f"{sizes[s] / 1e3:.0f}" for s in SECTIONS if s in sizes) + " kB")]


def resident(pid):
    """kB by kind of mapping."""
    kinds, kind = {"program": 0, "libraries": 0, "heap and stacks": 0}, None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)", line)
        if head:
            name = head[1]
            kind = "program" if name.endswith("/forecourtd") else "libraries" if name.startswith("/") else "heap and stacks"
        elif line.startswith("Rss:"):
            kinds[kind] += int(line.split()[1])
    return kinds


def memory_rows(build, counts):
    rows = []
    for count in counts:
        # Chargers of four connectors beyond 64, as the simulator has them: as many lines as a station of that size.
        per = 1 if count <= 64 else 4
        station = conftest.PeerStation(build=build, tcp=count // per, line_units=(), connectors=per, poll_ms=1000)
        try:
            station.platform_options.update(push_rate_per_s=1000)
            station.start_chargers()
            station.start_gateway()
            for i in range(count // per):
                for number in range(1, per + 1):
                    station.wait_status(station.connector_id(i, number), 1, 120)
            time.sleep(15)
            kinds = resident(station.gateway.popen.pid)
            threads = len(list(pathlib.Path(f"/proc/{station.gateway.popen.pid}/task").iterdir()))
        finally:
            station.stop()
        total = sum(kinds.values()) / 1024
        goal = f" (goal 12 MB: {met(total, 12)})" if count == 64 else ""
        rows.append((f"resident at {count} connectors, {count // per} TCP lines, {threads} threads", f"{total:.1f} MB{goal}: "
                     + ", ".join(f"{name} {kb / 1024:.1f}" for name, kb in kinds.items())))
    return rows


def start_rows(build, count, starts):
    polls, pushes = [], []
    station = conftest.PeerStation(build=build, tcp=count, line_units=(), poll_ms=1000)
    try:
        station.platform_options.update(push_rate_per_s=1000)
        station.start_chargers()
        for _ in range(starts):
            seen, at = len(station.server.received), [0.0]
            begun = time.monotonic()
            station.start_gateway(wait=False)
            while not any(m == "notification_stationStatus" for m, _ in station.server.received[seen:]):
                time.sleep(0.001)
            at[0] = time.monotonic() - begun
            pushes.append(at[0])
            asked = re.findall(r"\d+", station.ask_chargers("times 0"))
            polls.append(len(asked))
            station.gateway.stop()
    finally:
        station.stop()
    median = statistics.median(pushes)
    return [(f"start to first push of a status, {count} chargers, {starts} starts: median, worst (goal 1 s)",
             f"{median * 1000:.0f} ms, {max(pushes) * 1000:.0f} ms: {met(max(pushes), 1)}"),
            ("  chargers had been polled by then", "yes" if all(polls) else "NO")]


def arm_rows(program):
    if not program or not pathlib.Path(program).exists():
        return [("on ARM under qemu-user", "SKIPPED: no program of a cross build was named (--arm FILE)")]
    return section_rows(pathlib.Path(program)) + [("resident on ARM under qemu-user", "SKIPPED: not measured by this script yet")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--packages", help="folder with .ipk and .apk files")
    parser.add_argument("--arm", help="program of a cross build")
    parser.add_argument("--connectors", type=int, nargs="*", default=[8, 64, 256])
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--hours", type=float, default=2, help="of the day, for what is written to flash; 0: not measured")
    args = parser.parse_args()
    build = pathlib.Path(args.build)
    parts = [lambda: package_rows(args.packages), lambda: installed_rows(build), lambda: section_rows(build / "forecourtd"),
             lambda: memory_rows(args.build, args.connectors), lambda: arm_rows(args.arm),
             lambda: start_rows(args.build, 64, args.starts)]
    if args.hours:
        parts.append(lambda: day.rows(day.measure(args.build, args.hours)))
    for part in parts:
        for name, value in part():
            print(f"  {name:<84}  {value}", flush=True)


if __name__ == "__main__":
    main()
