"""The wall clock is stepped at each stage of a charge, forwards and backwards, one charge after the other on one gateway (test_clock.py has the steps
over midnight, prices and summer time, and those before a restart): each order has the charge's energy, its true length, times in order, and is
told and confirmed once; log-ins hold, and nothing waits for hours."""
import time

import outside
import pytest
from test_clock import LIBRARY, check_sums, check_times, clocked, moment  # noqa: F401
from test_disk import confirm, plug, some_energy
from test_iserv import new_seq, start, stop, told, wait_told

pytestmark = pytest.mark.skipif(not LIBRARY, reason="libfaketime is not installed")
STAGES = ("plugged", "starting", "charging", "stopping", "order_waits", "confirmed")


@pytest.mark.parametrize("hours", outside.cases([-5], [5, -5, 24 * 40]))
def test_a_step_at_each_stage(clocked, hours):  # noqa: F811
    station, clock = clocked()
    for stage in STAGES:
        connector, seq = plug(station), new_seq()
        walls = [clock.now()]

        def at(here, stage=stage, walls=walls):
            if here == stage:
                clock.step(hours * 3600)
                walls.append(clock.now())

        at("plugged")
        before = time.monotonic()
        assert start(station, connector, seq).data["SuccStat"] == 0
        at("starting")
        wait_told(station, "notification_start_charge_result", seq)
        began = time.monotonic()
        some_energy(station, seq)
        at("charging")
        some_energy(station, seq)
        confirm(station, stage != "order_waits")
        ends = time.monotonic()
        assert stop(station, connector, seq).data["SuccStat"] == 0
        at("stopping")
        wait_told(station, "notification_stop_charge_result", seq)
        order = wait_told(station, "notification_charge_order_info", seq)
        ended = time.monotonic()
        at("order_waits")
        confirm(station)
        station.until(lambda: station.stats()["store"]["orders_to_send"] == 0, 120, f"{stage}: an empty outbox")
        at("confirmed")
        time.sleep(2)
        orders = told(station, "notification_charge_order_info", seq)
        assert all(o == order for o in orders) and len(orders) == (2 if stage == "order_waits" else 1), (stage, orders)
        lasted = check_times(order)
        check_sums(order, station)
        assert ends - began - 2 <= lasted <= ended - before + 2, (stage, lasted)
        # It began by the clock as it stood before the step, or after it.
        assert min(abs(moment(order["StartTime"]) - wall) for wall in walls) < 60 + ended - before, (stage, order, walls)
        assert len(told(station, "notification_start_charge_result", seq)) == len(told(station, "notification_stop_charge_result", seq)) == 1
        station.ask_chargers("unplug 0 1")
        station.wait_status(connector, 1)
        clock.step(-clock.offset)
        time.sleep(1.1)  # no second comes twice but by a step
    assert station.server.logins == 1
