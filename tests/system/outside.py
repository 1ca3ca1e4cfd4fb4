"""What the tests of sick platforms share: a station with one healthy platform and as many sick ones as there are faults, each with a charge of its
own under way; and how long the healthy one waits meanwhile, beside a quiet moment."""
import json
import os
import re
import statistics
import time

import business
import harness
import peer
import pytest
import sick_platform
from business import cents

RETRY = """return {{ forecourt = 1, kind = "operator", name = "{name}", timing = {{ order_retry_s = 2 }} }}
"""
ELEC, SERVICE = "1.2345", "0.4"
LONG = pytest.mark.skipif(not os.environ.get("FORECOURT_OUTSIDE"), reason="all of them: FORECOURT_OUTSIDE=1")


def cases(always, names):
    """Of a test for each name: those in always run in the default suite too, the others with FORECOURT_OUTSIDE=1 alone."""
    return [name if name in always else pytest.param(name, marks=LONG) for name in names]


class Patient:
    """A platform of the station and the charge that it started."""

    def __init__(self, station, index, host, charger):
        self.station, self.index, self.name = station, index, f"q{index}"
        self.operator = f"Q{index:08d}"
        self.path = f"/q{index}/v1"
        self.server = sick_platform.SickPlatform(peer.Keys(*harness.THEIRS), station.certs / "server.pem", station.certs / "server.key", path=self.path)
        self.host, self.client, self.seq = host, None, f"{self.operator}{index:018d}"
        self.connector = station.connector_id(charger)
        business.confirm_all(self.server)

    def section(self, **more):
        options = dict(operator_id=self.operator, path=self.path, port=self.server.port,
                       url=f"https://{self.host}:{self.server.port}{self.path}", iserv=1, policy="test", mapping="hasty",
                       request_timeout_ms=3000, rate_per_s=1000, push_rate_per_s=100)
        options.update(more)
        return self.station.platform_text(self.name, **options)

    def login(self):
        self.client = self.station.new_client(operator_id=self.operator, path=self.path, source=f"127.0.1.{self.index + 1}")
        assert self.client.login().data["SuccStat"] == 0

    def close(self):
        if self.client:
            self.client.close()
        self.server.close()

    def told(self, method, seq=None):
        return [p for m, p in list(self.server.received) if m == method and p.get("StartChargeSeq") == (seq or self.seq)]

    def orders(self):
        return self.told("notification_charge_order_info")

    def status(self):
        return self.client.call("query_equip_charge_status", {"StartChargeSeq": self.seq}).data

    def wh(self):
        data = self.status()
        return cents(data["TotalPower"]) * 10 if data and data["StartChargeSeqStat"] == 2 else 0

    def charge(self):
        self.station.ask_chargers(f"plug {self.index} 1")
        # By an answer: what is pushed may not come through.
        self.station.until(lambda: self.asked_status() == 2, 60, "a car")
        answer = self.client.call("query_start_charge", {"StartChargeSeq": self.seq, "ConnectorID": self.connector, "QRCode": ""})
        assert answer.data["SuccStat"] == 0, answer.raw

    def asked_status(self):
        found = self.client.call("query_station_status", {"StationIDs": ["110105000100001"]}).data["StationStatusInfos"][0]
        return next(c["Status"] for c in found["ConnectorStatusInfos"] if c["ConnectorID"] == self.connector)

    def statuses(self, connector):
        return [p["ConnectorStatusInfo"]["Status"] for m, p in list(self.server.received)
                if m == "notification_stationStatus" and p["ConnectorStatusInfo"]["ConnectorID"] == connector]

    def register_wh(self):
        _, begun, ended = json.loads(self.station.ask_chargers(f"sessions {self.index}"))[-1]
        return (ended - begun) * 10

    def logged(self):
        """The last that the gateway says of this platform."""
        return "\n".join([line for line in self.station.gateway.output().splitlines() if f" {self.name}: " in line][-30:])

    def check_order(self):
        """What was told of it is one order, and right; and it is confirmed, and nothing more of it comes: once, but for each confirmation that
        may have been lost with its connection."""
        orders = self.orders()
        assert orders and all(o == orders[0] for o in orders), orders
        business.check_order(orders[0], ELEC, SERVICE)
        assert cents(orders[0]["TotalPower"]) * 10 == self.register_wh()
        confirmed, unsure = self.server.confirmed, self.server.unsure
        assert set(confirmed) == {self.seq} and len(confirmed) <= 1 + unsure[self.seq], (confirmed, unsure, self.logged())
        assert not self.server.problems, self.server.problems


class Ward:
    """The station, its healthy platform (the first), the sick ones, and a charger that is nobody's: its plug makes news for all."""

    def __init__(self, make_station, count, prepare=None, chargers=None, names="DNS:localhost,IP:127.0.0.1", hosts=None, all_well=True):
        """chargers: of the sick ones, which have one each otherwise. prepare(ward): before the gateway starts. hosts: the sick ones', localhost. all_well: they are well at first."""
        chargers = count if chargers is None else chargers
        self.station = make_station(start=False, tcp=chargers + 2, line_units=(), connectors=1, poll_ms=200, certificates={"names": names})
        station = self.station
        station.write_policy("test", business.PRICES.format(name="test", elec=ELEC, service=SERVICE))
        station.write_mapping("hasty", RETRY.format(name="hasty"))
        self.patients = [Patient(station, i, hosts[i - 1] if hosts and i else "localhost", min(i, chargers)) for i in range(count + 1)]
        self.healthy, self.sick = self.patients[0], self.patients[1:]
        self.spare = chargers + 1
        self.plugged = False
        if prepare:
            prepare(self)
        station.platforms = [p.section() for p in self.patients]
        station.start_chargers()
        station.start_gateway()
        for p in self.patients if all_well else self.patients[:1]:
            p.server.wait(lambda _, p=p: p.statuses(station.connector_id(self.spare))[-1:] == [1] and p.statuses(p.connector)[-1:] == [1])
        for p in self.patients:
            p.login()

    def close(self):
        for p in self.patients:
            p.close()

    def news(self):
        """The spare connector changes; how long until the healthy platform knows, in s."""
        self.plugged = not self.plugged
        connector = self.station.connector_id(self.spare)
        begun = time.monotonic()
        self.station.ask_chargers(f"{'plug' if self.plugged else 'unplug'} {self.spare} 1")
        try:
            self.healthy.server.wait(lambda _: self.healthy.statuses(connector)[-1] == (2 if self.plugged else 1))
        except AssertionError:
            log = "\n".join(line for line in self.station.gateway.output().splitlines() if f" {self.healthy.name}: " in line or connector in line)
            raise AssertionError(f"no news of {connector}, {self.station.ask_chargers(f'state {self.spare} 1')}: "
                                 f"{self.station.stats()['platforms'][0]}\n{log[-2000:]}") from None
        return time.monotonic() - begun

    def question(self):
        """How long the healthy platform waits for an answer, in s."""
        begun = time.monotonic()
        answer = self.healthy.client.call("query_station_status", {"StationIDs": ["110105000100001"]})
        assert answer.ret == 0
        return time.monotonic() - begun

    def measure(self, times=9):
        """Seconds: (news, question), each the median, and the longest question."""
        questions, news = [], []
        for _ in range(times):
            news.append(self.news())
            questions += [self.question() for _ in range(5)]
        return statistics.median(news), statistics.median(questions), max(news), max(questions)

    def closed(self, seq):
        return re.search(rf"charge: order {seq}: connector \w+: closed: (\d+) Wh", self.station.gateway.output())

    def rss_kb(self):
        return self.station.gateway.least_rss_kb(3)

    def alarms(self, chinese=False):
        """Of platforms that are down: name to the cause as the command line says it."""
        more = {"LC_ALL": "zh_CN.UTF-8"} if chinese else {}
        found = json.loads(self.station.cli("alarms", "--json", **more).stdout)["alarms"]
        return {a["object"]: a["text" if chinese else "cause"] for a in found if a["kind"] == "platform_down"}

    def trouble(self):
        """What the gateway says of each platform, by its name; "" when it is well."""
        return {p["name"]: p["last_error"] if not p["linked"] else "" for p in self.station.stats()["platforms"]}


def show(title, rows):
    print(f"\n{title}")
    for row in rows:
        print("  " + " | ".join(str(r) for r in row))
