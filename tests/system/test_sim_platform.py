"""The simulated platform's business side, against a real gateway: it brings charges to confirmed orders, and it notices when one is
wrong. What it counts is what the demo's verdict stands on."""
import json
import re

import harness
import peer
import pytest

PRICE = """return {{ forecourt = 1, kind = "policy", name = "test",
  prices = {{ {{ start = "00:00", elec = {elec}, service = {service} }} }} }}
"""
# Each breaks an order's request in another way; the platform that checks must say why.
FAULTY = """
local function each(order, f)
  for _, line in ipairs(order.ChargeDetails) do f(line) end
end
return {{ forecourt = 1, kind = "operator", name = "faulty",
  map = {{ notification_charge_order_info = {{ request = function(order) {body} return order end }} }} }}
"""
FAULTS = {
    "a total that its parts do not make": ("order.TotalMoney = order.TotalMoney + 0.01", r"yuan is not"),
    "lines that do not sum to the total": ("order.TotalPower = order.TotalPower + 0.01", r"the lines sum to"),
    "another price than was told": ("each(order, function(l) l.ElecPrice = l.ElecPrice + 0.0001 end)", r"told was 3\.0000 \+ 2\.0000"),
    "money that energy times price does not make": (
        """each(order, function(l) l.DetailElecMoney = l.DetailElecMoney + 0.1 end)
           order.TotalElecMoney = order.TotalElecMoney + 0.1 * #order.ChargeDetails
           order.TotalMoney = order.TotalMoney + 0.1 * #order.ChargeDetails""", r"electricity: .* kWh at 3\.0000 is not"),
    "no lines": ("order.ChargeDetails = array({})", r"0 lines"),
    "half a fen": ("order.TotalMoney = fixed(order.TotalMoney + 0.005, 3)", r"not in the agreed form"),
}


class Demo(harness.Station):
    """Cars that wait to be charged, and one simulated platform that does it."""

    def __init__(self, **more):
        super().__init__(tcp=2, line_units=(2,), connectors=1, poll_ms=200, **more)
        self.platform_options.update(iserv=1, policy="test")
        self.write_policy("test", PRICE.format(elec="3", service="2"))

    def begin(self, *options, **identity):
        self.start_chargers("--auto", "--remote", "--speed", "120", "--seed", "2")
        self.platform = self.start_sim_platform("platform", self.platform_port, "--charges", "3", "--charge-seconds", "3", *options,
                                                interval_ms=200, **identity)
        self.start_gateway()

    def business(self):
        return self.summary()["business"]

    def settle(self):
        """No new charges, and the running ones to their end; the figures then."""
        assert self.ask_platform("drain 1") == "ok"
        self.until(lambda: not self.business()["open"], 60, "the running charges to end")
        return self.business()


@pytest.fixture
def make_demo():
    made = []

    def make(**more):
        made.append(Demo(**more))
        return made[-1]

    yield make
    for demo in made:
        demo.stop()


def charged_wh(demo):
    """What the chargers' own registers counted."""
    sessions = [json.loads(demo.ask_chargers(f"sessions {i}")) for i in range(demo.charger_count())]
    return sum(end - start for charger in sessions for _, start, end in charger) * 10


@pytest.mark.parametrize("dialect", ["base", "strict"])
def test_charges_become_confirmed_orders(make_demo, dialect):
    """On both kinds of bus, ended by both sides, in the standard's form and in another; the sums are the chargers' own."""
    demo = make_demo(mapping=dialect)
    identity = {} if dialect == "base" else harness.SECOND
    demo.platforms = [demo.platform_text(**identity)]
    demo.begin("--dialect", dialect, **identity)
    demo.until(lambda: (b := demo.business())["by_platform"] >= 2 and b["by_car"] >= 2, 90, "charges ended by either side")
    end = demo.settle()
    assert end["started"] - end["not_started"] == end["confirmed"] >= 4 and end["whole"] >= 2
    assert (end["wrong"], end["doubled"], end["lost"], end["problems"]) == (0, 0, 0, [])
    assert end["states"] >= 2
    assert round(end["energy_kwh"] * 1000) == charged_wh(demo)
    # Each order's two kinds of money are rounded to a fen by themselves.
    assert abs(end["money_yuan"] - end["energy_kwh"] * 5) <= 0.01 * end["confirmed"]
    connectors = set(re.findall(r"at (\w+): order confirmed", demo.platform.output()))
    assert connectors & {demo.connector_id(0), demo.connector_id(1)} and connectors & {demo.connector_id(2), demo.connector_id(3)}
    assert demo.platform.stop() == 0
    assert re.search(rf"summary: {end['confirmed']} orders confirmed", demo.platform.output())


def test_wrong_orders_are_noticed(make_demo):
    """Each fault in turn, in a mapping that is edited while it runs."""
    demo = make_demo(mapping="faulty")
    begun = False
    for name, (body, why) in FAULTS.items():
        (demo.lua / "operators" / "faulty.lua").write_text(FAULTY.format(body=body))
        if not begun:
            demo.begin("--leave-every", "0")
            begun = True
        demo.until(lambda why=why: any(re.search(why, text) for text in demo.business()["problems"]), 60, name)
    end = demo.settle()
    assert end["confirmed"] == end["whole"] == 0 and end["wrong"] == end["started"] >= len(FAULTS)
    demo.until(lambda: "disputed" in demo.gateway.output(), 20, "the gateway to hear of it")
    assert demo.platform.stop() == 3


def test_the_wrong_dialect_is_noticed(make_demo):
    """A platform that wants other names does not take the standard's."""
    demo = make_demo()
    demo.begin("--dialect", "strict")
    demo.until(lambda: demo.business()["wrong"], 60, "a wrong answer")
    assert demo.business()["confirmed"] == demo.business()["started"] == 0
    assert demo.platform.stop() == 3


def test_a_lost_order_is_noticed(make_demo):
    """It goes where this platform takes no orders, is acknowledged there, and so never comes."""
    demo = make_demo(mapping="faulty")
    (demo.lua / "operators" / "faulty.lua").write_text(
        'return { forecourt = 1, kind = "operator", name = "faulty", paths = { notification_charge_order_info = "nowhere" } }')
    demo.begin("--order-seconds", "2")
    end = demo.until(lambda: (b := demo.business())["lost"] and b, 60, "a lost order")
    assert end["confirmed"] == end["whole"] == 0
    assert demo.platform.stop() == 3


def test_a_repeat_and_a_second_order(make_demo):
    """The same order again is answered as before; another one under its number, or of nobody's charge, is refused and counted."""
    demo = make_demo()
    demo.begin()
    order = demo.until(lambda: demo.messages("notification_charge_order_info"), 90, "an order")[0]["data"]
    demo.settle()
    client = peer.Client(demo.platform_port, harness.STATION_OPERATOR, peer.Keys(*harness.THEIRS), ca=demo.certs / "ca.pem")
    client.login()

    def tell(**change):
        return client.call("notification_charge_order_info", {**order, **change}).data["ConfirmResult"]

    before = demo.business()
    assert tell() == 0
    assert (demo.business()["repeated"], demo.business()["doubled"]) == (before["repeated"] + 1, 0)
    assert tell(TotalMoney=order["TotalMoney"] + 1) == 1
    assert demo.business()["doubled"] == 1
    assert tell(StartChargeSeq="1" * 27) == 1
    assert demo.business()["wrong"] == 2 and demo.business()["confirmed"] == before["confirmed"]
    client.close()
    assert demo.platform.stop() == 3
