"""Customers at every connector, a platform that keeps what it has confirmed, and what the chargers' registers say afterwards: whatever was
done to the gateway meanwhile, every charge has one order, with the energy of the register and the money of its details."""
import json
import random
import threading
import time
from decimal import ROUND_HALF_UP, Decimal

from business import cents, new_seq, start, stop

ELEC, SERVICE = Decimal("0.8765"), Decimal("0.4321")


class Platform:
    """What the platform has confirmed, whatever it said to the station."""

    def __init__(self, station, chance):
        self.chance, self.lock = chance, threading.Lock()
        self.orders, self.calls = {}, 0
        for method in ("notification_start_charge_result", "notification_stop_charge_result", "notification_equip_charge_status"):
            station.server.answers[method] = self.result
        station.server.answers["notification_charge_order_info"] = self.order
        self.calm = False

    def moody(self):
        """None: go on; else what is answered instead."""
        if self.calm:
            return None
        roll = self.chance.random()
        if roll < 0.10:
            time.sleep(self.chance.random() * 0.5)
        elif roll < 0.25:
            return (-1, None)
        elif roll < 0.35:
            raise ConnectionResetError("dropped on purpose")
        return None

    def result(self, payload):
        return self.moody() or (0, {"StartChargeSeq": payload["StartChargeSeq"], "SuccStat": 0, "FailReason": 0})

    def order(self, payload):
        before = self.moody()
        if before:
            return before
        with self.lock:
            self.calls += 1
            self.orders.setdefault(payload["StartChargeSeq"], []).append(payload)
        after = self.moody()  # confirmed here, and the station does not hear of it
        return after or (0, {"StartChargeSeq": payload["StartChargeSeq"], "ConnectorID": payload["ConnectorID"], "ConfirmResult": 0})


class Driver(threading.Thread):
    """A customer at one connector: plugs in, starts, waits, stops or pulls the plug; again and again."""

    def __init__(self, station, index, seed):
        super().__init__(daemon=True)
        self.station, self.index = station, index
        self.chance = random.Random(seed)
        self.client = station.new_client()
        self.over = threading.Event()
        self.stay = 3.0  # at most, in seconds

    def ask(self, action):
        """Until the gateway answers: it is killed now and then."""
        while True:
            try:
                if not self.client.token:
                    self.client.login()
                answer = action()
                if answer.ret == 4002:
                    self.client.token = None
                    continue
                if answer.ret == 0:
                    return answer.data
            except Exception:  # whatever a dying peer does
                self.client.close()
                self.client.token = None
            time.sleep(0.1)

    def charge(self):
        connector, seq = self.station.connector_id(self.index), new_seq()
        self.station.ask_chargers(f"plug {self.index} 1")
        end = time.monotonic() + 20
        while self.ask(lambda: start(self, connector, seq))["SuccStat"] and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(self.chance.random() * self.stay)
        if self.chance.random() < 0.7:
            self.ask(lambda: stop(self, connector, seq))
            time.sleep(self.chance.random())
            end = time.monotonic() + 60
            while self.station.ask_chargers(f"state {self.index} 1").strip() == "charging" and time.monotonic() < end:
                time.sleep(0.1)
        self.station.ask_chargers(f"unplug {self.index} 1")
        time.sleep(0.5 + self.chance.random())

    def run(self):
        while not self.over.is_set():
            self.charge()


def money(wh, price):
    return (Decimal(wh) / 1000 * price).quantize(Decimal("0.01"), ROUND_HALF_UP)


class Verdict:
    """Charges against orders: what is lost, doubled, wrong. Charges without energy count for nothing."""

    def __init__(self, station, platform):
        self.station, self.platform = station, platform
        self.chargers = range(station.charger_count())
        self.index = {station.connector_id(i): i for i in self.chargers}

    def known(self):
        """Of every charger: its charges as register differences in Wh."""
        return {i: [(b - a) * 10 for _, a, b in json.loads(self.station.ask_chargers(f"sessions {i}")) if b > a] for i in self.chargers}

    def ordered(self):
        found = {i: [] for i in self.chargers}
        for orders in list(self.platform.orders.values()):
            wh = cents(orders[0]["TotalPower"]) * 10
            if wh:
                found[self.index[orders[0]["ConnectorID"]]].append(wh)
        return found

    def wait(self, timeout=180):
        """For the last orders; what is missing then, the figures say."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            known, ordered = self.known(), self.ordered()
            if all(sum(known[i]) == sum(ordered[i]) for i in self.chargers):
                return
            time.sleep(0.2)

    def wrong_in(self, versions):
        """Mistakes in one order. A repeat is the same order, to the last digit."""
        order, parts = versions[0], versions[0]["ChargeDetails"]
        wrong = sum(v != order for v in versions)
        elec = sum(money(cents(d["DetailPower"]) * 10, ELEC) for d in parts)
        service = sum(money(cents(d["DetailPower"]) * 10, SERVICE) for d in parts)
        wrong += cents(order["TotalElecMoney"]) != int(elec * 100) or cents(order["TotalSeviceMoney"]) != int(service * 100)
        wrong += cents(order["TotalMoney"]) != cents(order["TotalElecMoney"]) + cents(order["TotalSeviceMoney"])
        return wrong + (sum(cents(d["DetailPower"]) for d in parts) != cents(order["TotalPower"]))

    def figures(self):
        """(charges, lost, doubled, wrong)"""
        known, ordered = self.known(), self.ordered()
        lost = sum(max(0, len(known[i]) - len(ordered[i])) for i in self.chargers)
        doubled = sum(max(0, len(ordered[i]) - len(known[i])) for i in self.chargers)
        wrong = sum(sorted(known[i]) != sorted(ordered[i]) for i in self.chargers)
        return sum(map(len, known.values())), lost, doubled, wrong + sum(map(self.wrong_in, list(self.platform.orders.values())))

    def differences(self):
        """Where charges and orders differ: charger, both lists as far as they are not the other's."""
        known, ordered = self.known(), self.ordered()
        found = []
        for i in self.chargers:
            left, more = list(known[i]), []
            for wh in ordered[i]:
                if wh in left:
                    left.remove(wh)
                else:
                    more.append(wh)
            if left or more:
                found.append((i, "charged", left, "ordered", more))
        return found
