"""tests/soak and tests/fleet, as short as they can be: that they run, see what there is to see, and that the ledger finds what is wrong."""
import copy
import json
import os
import pathlib
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "soak"))
import ledger  # noqa: E402

# Over midnight and the border at 06:00, by version 3 of the policy: 20 kWh at 0.3015 + 0.4, 10.50 kWh at 0.8126 + 0.4.
ORDER = {
    "StartChargeSeq": "123456789000000000000000001", "StartTime": "2027-01-31 23:50:00", "EndTime": "2027-02-01 06:20:00",
    "TotalPower": 30.5, "TotalElecMoney": 14.56, "TotalSeviceMoney": 12.2, "TotalMoney": 26.76, "SumPeriod": 2,
    "ChargeDetails": [
        {"DetailStartTime": "2027-01-31 23:50:00", "DetailEndTime": "2027-02-01 06:00:00", "ElecPrice": 0.3015, "SevicePrice": 0.4,
         "DetailPower": 20.0, "DetailElecMoney": 6.03, "DetailSeviceMoney": 8.0},
        {"DetailStartTime": "2027-02-01 06:00:00", "DetailEndTime": "2027-02-01 06:20:00", "ElecPrice": 0.8126, "SevicePrice": 0.4,
         "DetailPower": 10.5, "DetailElecMoney": 8.53, "DetailSeviceMoney": 4.2}]}
SESSION, VERSION = (1000, 4050), 3


def changed(**more):
    """lines: changes of lines by number; session, version: what is true instead."""
    order = copy.deepcopy(ORDER)
    for number, change in more.pop("lines", {}).items():
        order["ChargeDetails"][number].update(change)
    session, version = more.pop("session", SESSION), more.pop("version", VERSION)
    order.update(more)
    return order, session, version


def test_the_ledger_takes_a_right_order():
    assert ledger.order_faults(ORDER, SESSION, VERSION) == []


@pytest.mark.parametrize("change, word", [
    (dict(session=(1000, 4051)), "the charger delivered 30.51"),
    (dict(version=4), "prices"),
    (dict(TotalMoney=26.77), "is not the sum"),
    (dict(SumPeriod=1), "SumPeriod"),
    (dict(lines={0: dict(DetailPower=20.01)}), "DetailPower does not sum"),
    (dict(lines={0: dict(DetailElecMoney=6.04), 1: dict(DetailElecMoney=8.52)}), "DetailElecMoney 6.04"),
    (dict(lines={0: dict(DetailEndTime="2027-02-01 06:00:01")}), "goes over"),
    (dict(lines={1: dict(DetailStartTime="2027-02-01 05:59:59")}), "the table has"),
])
def test_the_ledger_finds(change, word):
    assert any(word in fault for fault in ledger.order_faults(*changed(**change)))


def test_one_line_is_exact_to_the_fen():
    order, session, version = changed(lines={0: dict(DetailEndTime="2027-02-01 05:00:00")}, EndTime="2027-02-01 05:00:00", TotalPower=20.0,
                                      TotalElecMoney=6.03, TotalSeviceMoney=8.0, TotalMoney=14.03, SumPeriod=1, session=(0, 2000))
    del order["ChargeDetails"][1]
    assert ledger.order_faults(order, session, version) == []
    for money in (6.02, 6.04):
        order["ChargeDetails"][0]["DetailElecMoney"] = order["TotalElecMoney"] = money
        order["TotalMoney"] = round(money + 8, 2)
        assert ledger.order_faults(order, session, version)


def test_the_line_through_the_samples():
    slope, error, mean = ledger.fit([(x, 3 + 2 * x) for x in range(10)])
    assert abs(slope - 2) < 1e-9 and error < 1e-9 and mean == 12
    slope, error, _ = ledger.fit([(x, x % 2) for x in range(100)])
    assert abs(slope) < 2 * error


@pytest.mark.parametrize("told, missing", [
    ([1000, 900, 1300, 700], []),
    ([1000, 900, 700], [1300]),        # another one's being told makes up for none
    ([1000, 900, 1300], [700]),
    ([900, 1300, 700], [1000]),        # the first is one like any other
    ([1000, 901, 1300, 700], [900, 1300, 700]),  # more than was delivered is nobody's
    ([1000, 900, 1299, 700], [1300, 700]),       # nor is less
    ([], [1000, 900, 1300, 700]),
])
def test_the_fleets_verdict(told, missing):
    sys.path.insert(0, str(TESTS / "fleet"))
    import run as fleet
    judge = fleet.Fleet.__new__(fleet.Fleet)
    judge.told = lambda: {"G": told}
    assert judge.not_told({"G": [1000, 900, 1300, 700]}) == ({"G": missing} if missing else {})


long = pytest.mark.skipif(not os.environ.get("FORECOURT_SOAK"), reason="minutes of a machine that has nothing else to do: FORECOURT_SOAK=1")


def run(program, *options):
    done = subprocess.run([sys.executable, "-B", TESTS / program, *map(str, options)], capture_output=True, text=True, check=False, timeout=3000)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@long
def test_three_hours_over_a_months_end(tmp_path):
    out = run("soak/run.py", "--days", 0.125, "--begin", "2027-01-31T22:00:00", "--connectors", 4, "--orders", 96, "--sample-h", 1,
              "--out", tmp_path)
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["faults"] == [] and "faults" in out
    assert found["counts"]["orders"] >= 3 and found["counts"]["orders over midnight"] >= 1 and found["counts"]["page's day exact"] >= 1
    assert found["counts"]["orders told differently"] == 0
    (day,) = found["days"]
    assert day["day"] == "2027-01-31" and day["exact"] + day["charging_at_midnight"] == 4
    assert found["samples"][-1]["missed"] == 0 and found["samples"][-1]["timeouts"] == 0


@long
def test_a_small_fleet_and_a_narrow_platform(tmp_path):
    run("fleet/run.py", "--gateways", 8, "--outages", 900, "--limits", "0,1:503,1:429:20", "--out", tmp_path / "fleet.json")
    for result in json.loads((tmp_path / "fleet.json").read_text())["results"]:
        assert result["missing"] == 0 and result["back"] == result["waiting"] > 0
        assert result["delivered_s"] is not None and result["tries_a_s_mean"] < 8 / 10
        # What it takes in a second is its limit, and a second's worth that had gathered.
        assert not result["limit"] or result["taken_a_s_peak"] <= 2 * result["limit"] + 1
