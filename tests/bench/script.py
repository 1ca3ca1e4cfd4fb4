#!/usr/bin/python3
"""What Lua costs in an answer and a price: microseconds, instructions (callgrind), share of the whole (bench_script.c)."""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import iserv  # noqa: E402

HERE = pathlib.Path(__file__).parent
LUA = HERE.parents[1] / "lua"
MANY, ROUNDS, FEW = 4000, 9, 200
# callgrind counts every byte of a "rep stosb" as an instruction: the C library is told to do without.
TUNABLES = "glibc.cpu.x86_rep_stosb_threshold=100000000:glibc.cpu.x86_rep_movsb_threshold=100000000"
PARTS = ["codec", "codec:base", "codec:bench", "codec:bench-functions", "answer", "answer:base", "answer:bench", "answer:bench-functions", "policy:flat:1", "policy:four-period:1",
         "policy:member:1", "policy:member:3"]


def run(program, folder, part, count):
    done = subprocess.run([program, folder, part, str(count)], stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def times(program, folder):
    """Median microseconds of each part; the parts take turns, so that a busy machine is busy for all of them."""
    found = {part: [] for part in PARTS}
    for _ in range(ROUNDS):
        for part in PARTS:
            found[part].append(run(program, folder, part, MANY))
    return {part: statistics.median(values) for part, values in found.items()}


def instructions(program, folder, part):
    """Of one: two runs differ by FEW times the part. None without callgrind."""
    if not shutil.which("valgrind"):
        return None
    seen = []
    for count in (FEW, 2 * FEW):
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, folder, part, str(count)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True, env={**os.environ, "GLIBC_TUNABLES": TUNABLES})
        seen.append(int(re.search(r"Collected\s*:\s*(\d+)", done.stderr)[1]))
    return (seen[1] - seen[0]) / FEW


def measure(build):
    program = str(pathlib.Path(build) / "bench" / "bench_script")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "lua"
        shutil.copytree(LUA, folder)
        for name in ("bench.lua", "bench-functions.lua"):
            shutil.copy(HERE / name, folder / "operators")
        us = times(program, folder)
        counted = {part: instructions(program, folder, part) for part in PARTS}
    return us, counted


def rows(build, https_us=None):
    """The lines of the benchmark table. https_us: processor time of an answer over TLS, measured in the same run."""
    us, counted = measure(build)

    def line(name, minus=None):
        """A part, or what it costs more than another."""
        more = us[name] - (us[minus] if minus else 0)
        if counted[name] is None:
            return f"{more:.1f} us, instructions SKIPPED: no valgrind"
        return f"{more:.1f} us, {counted[name] - (counted[minus] if minus else 0):,.0f} instructions"

    mapping, functions = (us[f"codec:{name}"] - us["codec"] for name in ("bench", "bench-functions"))
    found = [
        ("Answer between TLS and TLS, no mapping", line("answer")),
        ("  the default mapping more (goal: nothing measurable)", line("answer:base", "answer")),
        ("  a mapping that renames all keys more: two descriptions", line("codec:bench", "codec")),
        ("  the same by two functions", line("codec:bench-functions", "codec")),
        ("  shares of such an answer",
         f"{mapping / us['answer:bench'] * 100:.0f} %, {functions / us['answer:bench-functions'] * 100:.0f} %"),
    ]
    if https_us:
        found.append(("  share of the whole, TLS and HTTP too", f"{mapping / https_us * 100:.0f} % of {https_us:.0f} us"))
    return found + [
        ("Prices of a day: flat (a table, no call)", line("policy:flat:1")),
        ("  four-period (one call)", line("policy:four-period:1")),
        ("  member (two calls); three days", line("policy:member:1") + "; " + line("policy:member:3")),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    iserv.show(rows(parser.parse_args().build))
