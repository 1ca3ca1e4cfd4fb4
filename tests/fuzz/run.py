#!/usr/bin/python3
"""Runs the fuzzers in turn and says what came of it: make fuzz FUZZ_SECONDS=n (tests/fuzz/README.md).

The time is the whole run's: the targets share it, `--jobs` of them at a time, in rounds of at most ten minutes, so that a run that is
broken off has done something of each. What was run before stands in BUILD/totals.json; the table's last columns are the sums.
Ends with 1 when there is a finding.
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROUND_S = 600
# An input that takes so long is a finding. Real time: a machine with much else to do is slow, too.
TIMEOUT_S = 60
MEMORY_MB = 2048
# Files that libFuzzer writes about an input; "slow-unit" alone is none: how long that took is the machine's affair.
FINDING = re.compile(r"(crash|leak|timeout|oom)-")


# By Ctrl-C, libFuzzer's own code and the signal's.
BROKEN_OFF = (72, -signal.SIGINT, -signal.SIGTERM)


class Target:
    def __init__(self, program, build, scratch):
        self.scratch = scratch
        self.name = program.name.removeprefix("fuzz_")
        self.program = program
        self.seeds = HERE / "corpus" / self.name
        self.crashes = HERE / "crashes" / self.name
        self.corpus = build / "corpus" / self.name
        self.log = build / "logs" / f"{self.name}.log"
        self.runs = self.seconds = self.edges = self.new = 0
        self.findings = []
        self.peak_mb = 0

    def arguments(self, seconds):
        options = HERE / f"{self.name}.options"
        words = options.read_text().split() if options.exists() else []
        dictionary = HERE / f"{self.name}.dict"
        if dictionary.exists():
            words.append(f"-dict={dictionary}")
        known = [self.seeds, self.crashes]
        return [
            str(self.program), *words, f"-max_total_time={seconds}", f"-timeout={TIMEOUT_S}", f"-rss_limit_mb={MEMORY_MB}",
            # Leaks are looked for at the end of a round: after each input, as Lua's states grow and shrink, that takes most of the time.
            "-detect_leaks=0", "-print_final_stats=1", "-report_slow_units=100000", f"-artifact_prefix={self.crashes}/", str(self.corpus),
            *(str(folder) for folder in known if folder.is_dir()),
        ]

    def run(self, seconds):
        """One round. Adds to the figures; what the target said goes to its log."""
        self.corpus.mkdir(parents=True, exist_ok=True)
        self.crashes.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        kept, known = names(self.corpus), names(self.crashes)
        environment = dict(os.environ, FORECOURT_LUA=str(HERE.parent.parent / "lua"), TMPDIR=str(self.scratch),
                           UBSAN_OPTIONS="print_stacktrace=1")
        with open(self.log, "wb") as log:
            code = subprocess.call(self.arguments(seconds), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
        said = self.log.read_text(errors="replace")
        runs, edges = number(said, r"^stat::number_of_executed_units:\s+(\d+)"), number(said, r"\bcov: (\d+)")
        self.runs += runs
        self.edges = max(self.edges, edges)
        self.seconds += seconds
        self.peak_mb = max(self.peak_mb, number(said, r"^stat::peak_rss_mb:\s+(\d+)"))
        self.new += len(names(self.corpus) - kept)
        found = sorted(name for name in names(self.crashes) - known if FINDING.match(name))
        if code and code not in BROKEN_OFF and not found:
            found = [f"ended with {code}: {self.log}"]
        self.findings += found
        if not any(self.crashes.iterdir()):
            self.crashes.rmdir()
        return runs, edges, len(found)


def names(folder):
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def number(text, pattern):
    """The last such number, 0 when there is none."""
    found = re.findall(pattern, text, re.MULTILINE)
    return int(found[-1]) if found else 0


class Totals:
    """What all runs in this build folder came to."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.of = json.loads(path.read_text()) if path.exists() else {}

    def add(self, name, runs, seconds, edges, findings):
        with self.lock:
            # Read anew: another run, of another target, may have written meanwhile.
            self.of = json.loads(self.path.read_text()) if self.path.exists() else {}
            entry = self.of.setdefault(name, {"executions": 0, "seconds": 0, "edges": 0, "edges_grew_at": 0, "findings": 0})
            entry["executions"] += runs
            entry["seconds"] += seconds
            entry["findings"] += findings
            if edges > entry["edges"]:
                entry["edges"], entry["edges_grew_at"] = edges, entry["executions"]
            draft = self.path.with_suffix(".new")
            draft.write_text(json.dumps(self.of, indent=1, sort_keys=True) + "\n")
            draft.replace(self.path)


def go(targets, totals, seconds, jobs):
    share = seconds * jobs / len(targets)
    rounds = max(1, round(share / ROUND_S))
    each = max(1, round(share / rounds))
    print(f"fuzz: {len(targets)} targets, {jobs} at a time, {each} s each"
          + (f", {rounds} rounds" if rounds > 1 else ""), flush=True)

    def one(target):
        if target.findings:  # it would end at the same place
            return
        runs, edges, findings = target.run(each)
        totals.add(target.name, runs, each, edges, findings)
        print(f"  {'FOUND' if findings else 'ok':5} {target.name}: {runs} executions, {edges} edges", flush=True)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for _ in range(rounds):
            list(pool.map(one, targets))


def table(targets, totals):
    row = "{:<16} {:>12} {:>9} {:>7} {:>7} {:>7} {:>6} {:>9} {:>14} {:>14}"
    print(row.format("target", "executions", "per s", "edges", "corpus", "new", "MB", "findings", "all runs", "last growth"))
    for target in targets:
        entry = totals.of[target.name]
        print(row.format(target.name, target.runs, round(target.runs / max(1, target.seconds)), target.edges, len(names(target.corpus)),
                         target.new, target.peak_mb, len(target.findings), entry["executions"], entry["edges_grew_at"]))
    print(row.format("all", sum(t.runs for t in targets), "", "", "", sum(t.new for t in targets), "",
                     sum(len(t.findings) for t in targets), sum(e["executions"] for e in totals.of.values()), ""))
    for target in targets:
        for finding in target.findings:
            print(f"FINDING {target.name}: {finding}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/fuzz"))
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("targets", nargs="*", help="json envelope ...; all when there is none")
    given = parser.parse_args()
    build = given.build.resolve()
    wanted = given.targets or sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c"))
    # What targets write is gone with the run, also of one that was killed in the midst of it; in memory where there is such a place.
    shm = pathlib.Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="forecourt-fuzz-", dir=shm if os.access(shm, os.W_OK) else None) as scratch:
        return run(given, build, [Target(build / "fuzz" / f"fuzz_{name}", build, scratch) for name in wanted])


def run(given, build, targets):
    for target in targets:
        if not target.program.exists():
            sys.exit(f"fuzz: no target {target.name}: {target.program} is not there")
    totals = Totals(build / "totals.json")
    print(f"fuzz: begun {datetime.datetime.now():%Y-%m-%d %H:%M:%S}")
    go(targets, totals, given.seconds, max(1, min(given.jobs, len(targets))))
    table(targets, totals)
    return 1 if any(target.findings for target in targets) else 0


if __name__ == "__main__":
    sys.exit(main())
