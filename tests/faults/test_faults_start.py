"""A start in which one allocation or one call to the file system fails: each place of a start once a way. It is refused with a reason (and the
next one, without a fault, goes through), or there is a gateway that has all its parts and says what it lacks. It never crashes, but where a
library does (faulty.KNOWN), never hangs, and never starts silently without a part.
FORECOURT_FAULT_S=0 goes on until every place of a start has failed; the table is printed."""
import collections
import json
import re
import signal
import time

import inject
import pytest
from faulty import KNOWN, FaultyStation, goes_on, rows, seconds


class Starts:
    """One start after the other, and what became of each."""

    def __init__(self, station, kinds):
        self.station, self.kinds = station, kinds
        self.outcomes, self.bad, self.known = collections.Counter(), [], 0

    def parts(self):
        """What a gateway must have; None when it does not say, as when the memory was gone just then."""
        file, popen = self.station.stats_file, self.station.gateway.popen
        before = file.stat().st_mtime_ns if file.exists() else 0
        popen.send_signal(signal.SIGUSR1)
        end = time.monotonic() + 2
        while not file.exists() or file.stat().st_mtime_ns == before:
            if popen.poll() is not None or time.monotonic() > end:
                return None
            time.sleep(0.02)
        stats = json.loads(file.read_text())
        return (len(stats["buses"]), len(stats["platforms"]), len(stats["connectors"]) if isinstance(stats.get("connectors"), list)
                else stats.get("connectors"))

    def ended(self):
        station, injector = self.station, self.station.injector
        code, said = station.gateway.popen.returncode, station.gateway.output()
        if code in (1, 2, 3) and re.search(r"not started: |no memory|can't|config: |forecourtd: ", said):
            return "refused, and said why"
        if any(re.search(pattern, injector.last()) for pattern in KNOWN):
            return "ended by a library"
        self.bad.append((code, injector.last(), said[-600:]))
        return "ended without a reason"

    def judge(self, whole):
        """After a start with a fault: what it is, and ends it."""
        station, injector = self.station, self.station.injector
        gateway = station.gateway
        end = time.monotonic() + 120
        while gateway.running() and "admin: listens on" not in gateway.output() and time.monotonic() < end:
            time.sleep(0.02)
        if not gateway.running():
            return self.ended()
        if "admin: listens on" not in gateway.output():
            self.bad.append(("hangs", injector.last(), gateway.output()[-600:]))
            return "hangs"
        # A part that is missing is there a little later, or there is an alarm or a line of the log that says what is wrong.
        end = time.monotonic() + 10
        found, alarms = self.parts(), station.alarms()
        while (found != whole or alarms is None) and gateway.running() and time.monotonic() < end:
            time.sleep(0.2)
            found, alarms = self.parts(), station.alarms()
        if found == whole and alarms == []:
            return "whole"
        if not gateway.running():
            return self.ended()
        if alarms or re.search(r" (warning|error) ", gateway.output()):
            return "started, and says what it lacks"
        self.bad.append(("lacks a part", injector.last(), str((found, whole))))
        return "lacks a part in silence"

    def one(self, whole):
        """Zero when there is nothing left to fail."""
        station, injector = self.station, self.station.injector
        before = injector.control.faults
        injector.fail(self.kinds, most=1)
        station.start_gateway(wait=False)
        outcome = self.judge(whole)
        injector.calm()
        if station.gateway.running():
            station.gateway.popen.kill()
        station.gateway.popen.wait()
        station.processes.remove(station.gateway)
        if injector.control.faults == before:
            return 0
        self.outcomes[outcome] += 1
        return 1

    def tell(self, took):
        injector, kinds = self.station.injector, self.kinds
        print(f"\n{sum(self.outcomes.values())} starts in {took:.0f} s, ways left {injector.left(kinds)}")
        print("; ".join(f"{outcome}: {count}" for outcome, count in self.outcomes.most_common()))
        print(rows(injector, kinds))
        for found in self.bad:
            print(*found)


@pytest.fixture
def faulty():
    station = FaultyStation(depth=8)
    yield station
    station.stop()


@pytest.mark.parametrize("kinds", [inject.MEMORY, inject.FILES], ids=["memory", "files"])
def test_a_start_with_a_fault(faulty, kinds):
    station, limit = faulty, seconds(30)
    station.start_chargers("--speed", "20")
    station.start_gateway()
    station.until(lambda: not station.alarms(), 120, "no alarm")
    starts = Starts(station, kinds)
    whole = starts.parts()
    assert whole and whole[0] and whole[1], whole
    assert station.gateway.stop() == 0
    station.processes.remove(station.gateway)
    begun = time.monotonic()
    try:
        while goes_on(begun, limit, sum(starts.outcomes.values()) >= 10) and starts.one(whole):
            pass
    finally:
        starts.tell(time.monotonic() - begun)
    # And without a fault it starts as ever.
    station.start_gateway()
    station.until(lambda: starts.parts() == whole and not station.alarms(), 120, "a whole gateway")
    assert not starts.bad, starts.bad
    assert sum(starts.outcomes.values()) >= 10
