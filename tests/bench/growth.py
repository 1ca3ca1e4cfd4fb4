#!/usr/bin/python3
"""Memory and processor at 8, 64, 256 and 1000 connectors polled once a second, the platform idle, and the law by which they grow.

Up to 64 a TCP line each, beyond that chargers of four connectors: RSS = a + lines x b + connectors x c, by least squares. The processor's
time is the scheduler's own account (schedstat) of all threads."""
import argparse
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE.parent / "peers"))
sys.path.insert(0, str(HERE))
import box  # noqa: E402
import figures  # noqa: E402

COUNTS = (8, 64, 256, 1000)
RSS_GOALS_MB, CPU_GOALS = {64: 10, 1000: 24}, {64: 1.5}


def cpu_ns(pid):
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def one(build, count, seconds):
    with box.station_of(build, count) as station:
        station.log_level = "notice"  # as it is delivered
        station.start_gateway()
        box.wait_read(station, 600)
        time.sleep(15)
        pid, before, begin = station.gateway.popen.pid, None, time.monotonic()
        before = cpu_ns(pid)
        time.sleep(seconds)
        cpu = (cpu_ns(pid) - before) / ((time.monotonic() - begin) * 1e9) * 100
        kinds = box.resident(pid)
        return {"connectors": count, "lines": station.tcp, "cpu_percent": round(cpu, 3), "rss_kb": sum(kinds.values()),
                **{name.replace(" ", "_") + "_kb": kb for name, kb in kinds.items()}}


def solve(rows, values):
    """Least squares by the normal equations: as many unknowns as a row has."""
    n = len(rows[0])
    a = [[sum(r[i] * r[j] for r in rows) for j in range(n)] + [sum(r[i] * v for r, v in zip(rows, values))] for i in range(n)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(a[k][i]))
        a[i], a[pivot] = a[pivot], a[i]
        for k in range(n):
            if k != i:
                f = a[k][i] / a[i][i]
                a[k] = [x - f * y for x, y in zip(a[k], a[i])]
    return [a[i][n] / a[i][i] for i in range(n)]


def law(found, what):
    """[base, a line, a connector] and the largest difference from it."""
    rows = [[1, f["lines"], f["connectors"]] for f in found]
    fit = solve(rows, [f[what] for f in found])
    return fit, max(abs(f[what] - sum(x * y for x, y in zip(fit, row))) for f, row in zip(found, rows))


def goals(build, counts, seconds):
    found = [one(build, count, seconds) for count in counts]
    result = []
    for f in found:
        n = f["connectors"]
        result.append(figures.figure(f"rss.{n}", f"resident memory, {n} connectors, {f['lines']} TCP lines", f["rss_kb"] / 1024, "MB",
                                     at_most=RSS_GOALS_MB.get(n), **f))
        result.append(figures.figure(f"cpu.{n}", f"processor, {n} connectors at 1 Hz, idle platform", f["cpu_percent"], "% of one core",
                                     at_most=CPU_GOALS.get(n)))
    if len(found) >= 3:
        for what, name, unit in (("rss_kb", "memory", "kB"), ("cpu_percent", "processor", "% of one core")):
            (base, line, connector), off = law(found, what)
            result.append(figures.figure(f"law.{what}", f"{name} grows by, a connector on a line with others", connector, unit, base=round(base, 4),
                                         a_line=round(line, 4), a_connector=round(connector, 5), largest_difference=round(off, 4)))
            result.append(figures.figure(f"law.{what}.line", f"{name} grows by, a TCP line", line, unit))
            result.append(figures.figure(f"law.{what}.base", f"{name} without any", base, unit))
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--connectors", type=int, nargs="*", default=COUNTS)
    parser.add_argument("--seconds", type=float, default=60, help="over which the processor's time is taken")
    args = parser.parse_args()
    figures.show(goals(args.build, args.connectors, args.seconds))
