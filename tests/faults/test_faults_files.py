"""Every call to the file system fails, each place in each way it can, while customers charge: for one call, and for seconds on end. Nothing is
lost: afterwards every charge has one order, right to the fen; and while nothing can be kept, alarm and health say so.
FORECOURT_FAULT_S=0 goes on until every place that is reached has failed in every way; the tables are printed."""
import time

import inject
import pytest
from faulty import FaultyStation, goes_on, rows, seconds

WINDOW_MS = 3000
LONG = ("I/O error", "no space", "read-only")


@pytest.fixture
def faulty():
    station = FaultyStation(depth=14)
    yield station
    station.stop()


def run(station):
    station.start_chargers("--speed", "20")
    station.start_gateway()
    station.open()
    station.until(lambda: station.taken.calls >= 2, 120, "the first orders")


def judge(station, faults, took, at_least):
    injector = station.injector
    left = injector.left(inject.FILES)
    figures, stuck, differences = station.close_and_judge()
    print(f"\nfaults {faults} in {took:.0f} s, calls that failed because one lasted {injector.control.lasted}, ways left {left} "
          "(of the start alone, most of them)")
    print(rows(injector, inject.FILES))
    print("charges {}, lost {}, doubled {}, wrong {}; ".format(*figures) + f"ended by itself {len(station.deaths)}; "
          f"not recovered: {stuck or 'nothing'}")
    for code, last, _ in station.deaths:
        print(f"ended with {code} after {last}")
    if differences:
        print(differences, station.story(differences), sep="\n")
    assert not station.deaths, station.deaths
    assert figures[1:] == (0, 0, 0) and figures[0] > 0, differences
    assert not stuck, stuck
    assert not station.server.problems, station.server.problems
    assert faults >= at_least


def test_files_fail_for_a_call(faulty):
    station, injector, limit = faulty, faulty.injector, seconds(40)
    run(station)
    injector.fail(inject.FILES, pause_ms=100)
    begun = grown = time.monotonic()
    faults = 0
    while goes_on(begun, limit, faults >= 20) and time.monotonic() - grown < 30:
        time.sleep(0.25)
        station.stand_by()
        if injector.control.faults != faults:
            faults, grown = injector.control.faults, time.monotonic()
    judge(station, faults, time.monotonic() - begun, 20)


def test_files_fail_for_seconds(faulty):
    """Windows of some seconds. Told are those in which the store wanted to write and could not."""
    station, injector, limit = faulty, faulty.injector, seconds(60)
    run(station)
    begun = grown = time.monotonic()
    windows = hit = said = alarmed = 0
    while goes_on(begun, limit, hit >= 3) and time.monotonic() - grown < 60:
        before, failed = injector.control.faults, station.output_count("nothing can be kept")
        injector.fail(("write", "sync", "create", "naming", "truncate"), LONG, last_ms=WINDOW_MS, most=1)
        end, asked, is_said, is_alarmed = time.monotonic() + 20, 0, False, False
        # From the first call that fails on, until it is over.
        while injector.control.faults == before and time.monotonic() < end:
            time.sleep(0.02)
        while injector.lasts():
            is_hit = station.output_count("nothing can be kept") > failed
            health, alarms = station.health(), station.alarms("store_failing")
            asked += is_hit and injector.lasts() and health is not None and alarms is not None
            is_said |= bool(health) and health[0] == 503
            is_alarmed |= bool(alarms)
            time.sleep(0.02)
        injector.calm()
        if injector.control.faults == before:
            continue
        grown, windows = time.monotonic(), windows + 1
        if asked > 2:  # the store could not write, and was asked meanwhile
            hit, said, alarmed = hit + 1, said + is_said, alarmed + is_alarmed
        station.stand_by()
        # Over by itself, before the next.
        station.until(lambda: (station.health() or (0,))[0] == 200, 60, "health")
    print(f"\nwindows {windows}; in {hit} of them the store could not write, /healthz said so in {said}, the alarm in {alarmed}")
    assert hit >= 3 and said == hit and alarmed == hit, (windows, hit, said, alarmed)
    judge(station, injector.control.faults, time.monotonic() - begun, 3)
