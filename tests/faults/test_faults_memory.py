"""Every allocation fails, each place once, while customers charge: the gateway goes on, and every charge has one order, right to the fen.
A place is a whole call stack. FORECOURT_FAULT_S=0 goes on until every place that is reached has failed; the table is printed."""
import time

import inject
import pytest
from faulty import FaultyStation, goes_on, rows, seconds

PAUSE_MS, ENOUGH = 40, 100


@pytest.fixture
def faulty():
    station = FaultyStation(depth=inject.FRAMES)
    yield station
    station.stop()


def test_memory_fails_while_it_charges(faulty):
    station, injector, limit = faulty, faulty.injector, seconds(40)
    station.start_chargers("--speed", "20")
    station.start_gateway()
    station.open()
    station.until(lambda: station.taken.calls >= 3, 120, "the first orders")
    at_start = injector.control.places
    injector.fail(inject.MEMORY, pause_ms=PAUSE_MS)
    begun = grown = time.monotonic()
    faults = 0
    while goes_on(begun, limit, faults >= ENOUGH):
        time.sleep(0.25)
        station.stand_by()
        if injector.control.faults != faults:
            faults, grown = injector.control.faults, time.monotonic()
        if time.monotonic() - grown > 30:  # nothing new is reached any more
            break
        station.health()
    took, left = time.monotonic() - begun, injector.left(inject.MEMORY)
    figures, stuck, differences = station.close_and_judge()
    print(f"\nplaces known before the first fault {at_start}; faults {faults} in {took:.0f} s, left {left} (most of them of the start alone)")
    print(rows(injector, inject.MEMORY))
    print("charges {}, lost {}, doubled {}, wrong {}; ".format(*figures) + f"ended by itself {len(station.deaths)}")
    print("not recovered:", stuck or "nothing")
    for code, last, _ in station.deaths:
        print(f"ended with {code} after {last}")
    if differences:
        print(differences, station.story(differences), sep="\n")
    assert not station.unexpected(), station.unexpected()
    assert figures[1:] == (0, 0, 0) and figures[0] > 0, differences
    assert not stuck, stuck
    # What a platform waits for is told, memory or not.
    assert "result not told" not in station.logs
    assert not station.server.problems, station.server.problems
    assert faults >= ENOUGH
