#!/usr/bin/python3
"""What an answer's envelope costs beside wolfCrypt's primitives over the same bytes (bench_envelope.c)."""
import argparse
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import figures  # noqa: E402

SIZES = (64, 512, 4096, 65536)


def goals(build, seconds, rounds):
    found = []
    for size in SIZES:
        done = subprocess.run([str(pathlib.Path(build) / "bench" / "bench_envelope"), str(size), str(seconds), str(rounds)], stdout=subprocess.PIPE, text=True, check=True)
        ours, bare = (float(word) for word in done.stdout.split())
        found.append(figures.figure(f"envelope.beside_wolfcrypt.{size}", f"envelopes a second beside wolfCrypt's primitives, {size} bytes", bare / ours,
                                    "ratio", ours_us=ours / 1000, wolfcrypt_us=bare / 1000, ours_mb_per_second=round(size / ours * 1000, 1)))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--seconds", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    figures.show(goals(args.build, args.seconds, args.rounds))
