#!/usr/bin/python3
"""What listening to GB/T 27930 costs (bench_gbt.c)."""
import argparse
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import iserv  # noqa: E402

SESSION = pathlib.Path(__file__).parents[1] / "unit" / "gbt" / "2015.log"


def rows(build):
    done = subprocess.run([f"{build}/bench/bench_gbt", str(SESSION)], stdout=subprocess.PIPE, text=True, check=True)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    iserv.show(rows(parser.parse_args().build))
