#!/usr/bin/python3
"""What polling costs: a line of the gateway and a bare libmodbus loop read the same registers of the same simulator in turns (bench_poll.c)."""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import iserv  # noqa: E402

REGISTERS = 20


def run(build, mode, port, seconds):
    done = subprocess.run([str(build / "bench" / "bench_poll"), mode, "127.0.0.1", str(port), str(REGISTERS), str(seconds)],
                          stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 120)
    made, lasted, cpu = (float(word) for word in done.stdout.split())
    return {"rate": made * REGISTERS / lasted, "cpu_10k": cpu / (made * REGISTERS) * 10000 if made else 0, "made": made}


def measure(build, seconds, rounds):
    """Rounds of both, in turns, so that a busy machine is busy for both."""
    build = (harness.ROOT / build).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        port = harness.free_port()
        simulator = harness.Process([build / "sim-charger", "--tcp", 1, "--port", port, "--control", pathlib.Path(scratch) / "c"],
                                    pathlib.Path(scratch), "sim", ready=r"\S")
        try:
            return [{mode: run(build, mode, port, seconds) for mode in ("bare", "ours")} for _ in range(rounds)]
        finally:
            simulator.stop()


def rows(found):
    def middle(mode, what):
        return statistics.median(r[mode][what] for r in found)
    ratio = statistics.median(r["ours"]["rate"] / r["bare"]["rate"] for r in found)
    return [
        (f"registers a second, bare libmodbus, {REGISTERS} a read", f"{middle('bare', 'rate'):,.0f}"),
        ("registers a second, a line of the gateway", f"{middle('ours', 'rate'):,.0f}"),
        ("  ratio, median of " + str(len(found)) + " rounds (goal 0.9)", f"{ratio:.2f} ({'met' if ratio >= 0.9 else 'NOT met'})"),
        ("CPU for 10 000 registers, bare libmodbus", f"{middle('bare', 'cpu_10k') * 1000:.2f} ms"),
        ("CPU for 10 000 registers, a line and its loop", f"{middle('ours', 'cpu_10k') * 1000:.2f} ms"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    iserv.show(rows(measure(args.build, args.seconds, args.rounds)))


if __name__ == "__main__":
    main()
