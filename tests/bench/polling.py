#!/usr/bin/python3
"""What polling costs: lines of the gateway, bare libmodbus loops and pymodbus's client read the same registers of the same simulators, in
turns (bench_poll.c, pymodbus_poll.py), at 1 and at 32 endpoints."""
import argparse
import importlib.util
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE))
import figures  # noqa: E402
import harness  # noqa: E402

REGISTERS, ENDPOINTS, GOAL = 20, (1, 32), 0.95
PYMODBUS = importlib.util.find_spec("pymodbus") is not None
NAMES = {"ours": "the gateway", "bare": "bare libmodbus", "pymodbus": "pymodbus"}


def run(build, mode, port, seconds, endpoints):
    words = ["127.0.0.1", str(port), str(REGISTERS), str(seconds), str(endpoints)]
    command = ["/usr/bin/python3", "-B", str(HERE / "pymodbus_poll.py")] if mode == "pymodbus" else [str(build / "bench" / "bench_poll"), mode]
    done = subprocess.run(command + words, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 300)
    made, lasted, cpu, told = (float(word) for word in done.stdout.split())
    assert made, f"{mode}: nothing was read"
    return {"rate": made * REGISTERS / lasted, "cpu_10k": cpu / (made * REGISTERS) * 10000, "made": made, "mean": told / made / REGISTERS}


def measure(build, seconds, rounds):
    """By number of endpoints: rounds of each mode, in turns, so that a busy machine is busy for all."""
    build, modes = (harness.ROOT / build).resolve(), ("bare", "ours") + (("pymodbus",) if PYMODBUS else ())
    found = {}
    for endpoints in ENDPOINTS:
        with tempfile.TemporaryDirectory() as scratch:
            port = harness.free_port(endpoints)
            simulator = harness.Process([build / "sim-charger", "--tcp", endpoints, "--port", port, "--control", pathlib.Path(scratch) / "c"],
                                        pathlib.Path(scratch), "sim", ready=r"\S")
            try:
                found[endpoints] = [{mode: run(build, mode, port, seconds, endpoints) for mode in modes} for _ in range(rounds)]
            finally:
                simulator.stop()
    return found


def goals(found):
    result = []
    for endpoints, rounds in found.items():
        def middle(mode, what):
            return statistics.median(r[mode][what] for r in rounds)

        def ratio(beside):
            return statistics.median(r["ours"]["rate"] / r[beside]["rate"] for r in rounds)

        detail = {mode: {"registers_per_second": round(middle(mode, "rate")), "cpu_ms_per_10k": round(middle(mode, "cpu_10k") * 1000, 3)}
                  for mode in rounds[0]}
        where = f"{endpoints} endpoint" + ("s" if endpoints > 1 else "")
        result.append(figures.figure(f"polling.beside_libmodbus.{endpoints}", f"registers a second beside bare libmodbus, {where}", ratio("bare"),
                                     "ratio", at_least=GOAL, rounds=len(rounds), registers_a_read=REGISTERS, **detail))
        text = f"registers a second beside pymodbus, {where}"
        result.append(figures.figure(f"polling.beside_pymodbus.{endpoints}", text, ratio("pymodbus"), "ratio") if PYMODBUS else
                      figures.skipped(f"polling.beside_pymodbus.{endpoints}", text, "python3-pymodbus is not installed"))
    return result


def rows(found):
    return [(f"  {NAMES[mode]}, {endpoints} endpoints: registers a second, CPU for 10 000",
             f"{statistics.median(r[mode]['rate'] for r in rounds):,.0f}, {statistics.median(r[mode]['cpu_10k'] for r in rounds) * 1000:.2f} ms")
            for endpoints, rounds in found.items() for mode in rounds[0]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    found = measure(args.build, args.seconds, args.rounds)
    for name, value in rows(found):
        print(f"{name:<80}  {value}")
    figures.show(goals(found))


if __name__ == "__main__":
    main()
