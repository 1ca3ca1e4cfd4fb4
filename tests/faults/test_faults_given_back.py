"""Memory that was given back is touched no more, whatever fails: the gateway under valgrind, with allocations failing one by one while customers
charge. What is written there is somebody else's by then: an order's record, once, in a page of the store's (boards/sources.sh, "a connection
without memory"). FORECOURT_FAULT_S=600 runs it for longer; slow, thus few customers and long pauses."""
import re
import shutil
import time

import faulty
import inject
import pytest

CUSTOMERS, PAUSE_MS = 3, 150
VALGRIND = ["valgrind", "--soname-synonyms=somalloc=nouserintercepts", "--undef-value-errors=no", "--leak-check=no", "--num-callers=24",
            "--fair-sched=yes", "--freelist-vol=60000000"]


def touched(folder):
    """What valgrind has said, one text each."""
    found = []
    for log in folder.glob("valgrind.*.log"):
        text = re.sub(r"^==\d+== ?", "", log.read_text(), flags=re.M)
        found += re.findall(r"^(?:Invalid|Jump to the invalid|Process terminating).*?(?=\n\n|\Z)", text, re.M | re.S)
    return found


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
def test_memory_that_was_given_back_is_touched_no_more(monkeypatch):
    monkeypatch.setattr(faulty, "CUSTOMERS", CUSTOMERS)
    station, limit = faulty.FaultyStation(depth=12), faulty.seconds(40)
    station.gateway_under += [*VALGRIND, f"--log-file={station.folder}/valgrind.%p.log"]
    injector = station.injector
    try:
        station.start_chargers("--speed", "20")
        station.start_gateway(wait=False)
        station.gateway.wait_for("admin: listens on", 600)
        station.open()
        station.until(lambda: station.taken.calls >= 2, 600, "the first orders")
        injector.fail(inject.MEMORY, pause_ms=PAUSE_MS)
        begun = grown = time.monotonic()
        faults = 0
        while faulty.goes_on(begun, limit, faults >= 50) and time.monotonic() - grown < 60:
            time.sleep(1)
            station.stand_by()
            if injector.control.faults != faults:
                faults, grown = injector.control.faults, time.monotonic()
        injector.calm()
        for customer in station.customers:
            customer.over.set()
        found = touched(station.folder)
        print(f"\n{faults} faults in {time.monotonic() - begun:.0f} s under valgrind, {len(found)} times memory was touched that was given back; "
              f"ended by itself {len(station.deaths)}")
        assert not found, "\n\n".join(found[:5])
        assert not station.unexpected(), station.unexpected()
        assert faults >= 50
    finally:
        station.stop()
