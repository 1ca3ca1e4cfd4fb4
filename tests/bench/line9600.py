#!/usr/bin/python3
"""How full a serial line gets when more is asked of it than fits: beside what its very frames and gaps allow (bench_line9600.c)."""
import argparse
import json
import pathlib
import subprocess
import sys

RATIO = 0.95


def measure(build, seconds=10, bits=10):
    """One run; bits: of a character, 10 for 8N1 and 11 with parity."""
    program = pathlib.Path(build) / "bench" / "bench_line9600"
    result = subprocess.run([program, str(seconds), str(bits)], capture_output=True, text=True, timeout=seconds + 60, check=True)
    return json.loads(result.stdout)


def rows(build, seconds=10):
    found = []
    for bits in (10, 11):
        m = measure(build, seconds, bits)
        assert m["failed"] == m["broken"] == m["breaches"] == 0, m
        found += [
            (f"line of 9600 baud, {bits} bits a character: of what its frames and gaps allow", f"{m['ratio'] * 100:.1f} %"),
            ("  exchanges, pause beyond t3.5, load by the gateway's own figures", f"{m['exchanges']}, {m['pause_us']:.0f} us, "
             f"{m['load'] / 10:.1f} %"),
        ]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    found = rows(args.build, args.seconds)
    for name, value in found:
        print(f"{name:<80} {value}")
    return 0 if all(float(value.split()[0]) >= RATIO * 100 for name, value in found[::2]) else 1


if __name__ == "__main__":
    sys.exit(main())
