"""The DNS fails, is slow, changes its mind, or names addresses where nobody is; and the way to an address is lost. getaddrinfo() of the gateway
alone is replaced (odd_dns.c); an address without an answer is one whose port takes no more connections, so that the kernel drops what comes.
As in test_outside.py each platform has a charge of its own under way, and one healthy platform must not notice."""
import os
import pathlib
import socket
import subprocess
import time

import outside
import pytest

NXDOMAIN, TRY_AGAIN, NO_DATA = -2, -3, -5
NOWHERE = "2001:db8::1"  # no route to it
NAMES = "DNS:localhost,IP:127.0.0.1,DNS:*.platform.test"


class Dns:
    """What the gateway's resolver says, by name."""

    def __init__(self, station):
        self.file, library = station.folder / "dns", station.folder / "odd_dns.so"
        self.says = {}
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", library,
                        pathlib.Path(__file__).with_name("odd_dns.c")], check=True)
        station.gateway_under = ["env", f"LD_PRELOAD={library}", f"ODD_DNS={self.file}"]

    def say(self, name, *addresses, code=0, seconds=0):
        self.says[name] = (seconds, code, *addresses)
        new = self.file.with_suffix(".new")
        new.write_text("".join(f"{name} {' '.join(map(str, line))}\n" for name, line in self.says.items()))
        os.replace(new, self.file)


class Hole:
    """A port that swallows: its queue is full, and the kernel drops the next SYN."""

    def __init__(self, address, port):
        self.listener = socket.socket()
        self.listener.bind((address, port))
        self.listener.listen(0)
        self.fill = []
        for _ in range(3):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((address, port))
            self.fill.append(s)

    def close(self):
        for s in [self.listener, *self.fill]:
            s.close()


# At the start, before anything is known of the name: what the DNS says ("own" is the platform's address, "hole" one that swallows, "shut" one
# where nobody listens), the kind of the alarm, what it says beside; None: the platform is reached all the same.
AT_START = {
    "unknown": (dict(code=NXDOMAIN), "its name can't be looked up", "域名无法解析", "Name or service not known"),
    "failing": (dict(code=TRY_AGAIN), "its name can't be looked up", "域名无法解析", "Temporary failure in name resolution"),
    "no_address": (dict(code=NO_DATA), "its name can't be looked up", "域名无法解析", "No address associated with hostname"),
    "hanging": (dict(addresses=["own"], seconds=40), "its name can't be looked up", "域名无法解析", "no answer of the DNS in time"),
    "slow": (dict(addresses=["own"], seconds=2), None, None, None),
    "ipv6_without_a_way": (dict(addresses=[NOWHERE]), "no connection to it", "无法连接", ""),
    "swallowed": (dict(addresses=["hole"]), "no connection to it", "无法连接", "no connection in time"),
    "nobody_listens": (dict(addresses=["shut"]), "no connection to it", "无法连接", "nobody listens there, or there is no way to it"),
    "ipv6_without_a_way_first": (dict(addresses=[NOWHERE, "own"]), None, None, None),
    "swallowed_first": (dict(addresses=["hole", "own"]), None, None, None),
    "nobody_listens_first": (dict(addresses=["shut", "own"]), None, None, None),
    "only_the_last_of_four": (dict(addresses=[NOWHERE, "shut", "hole", "own"]), None, None, None),
}


class Site:
    """The ward, its DNS and the holes, by the names of cases."""

    def __init__(self, make_station, cases, **more):
        self.cases, self.holes, self.more = list(cases), [], more
        self.ward = outside.Ward(make_station, len(cases), prepare=self.prepare, names=NAMES,
                                 hosts=[f"q{i + 1}.platform.test" for i in range(len(cases))], all_well=not more)

    def prepare(self, ward):
        self.ward, self.dns = ward, Dns(ward.station)
        for patient, case in zip(ward.sick, self.cases):
            self.say(patient, **self.more.get(case, dict(addresses=["own"])))

    def say(self, patient, addresses=(), **more):
        self.dns.say(patient.host, *(self.address(patient, a) for a in addresses), **more)

    def address(self, patient, word):
        if word == "hole":
            address = f"127.0.3.{patient.index}"
            self.holes.append(Hole(address, patient.server.port))
            return address
        return {"own": patient.server.address, "shut": f"127.0.4.{patient.index}"}.get(word, word)

    def close(self):
        self.ward.close()
        for hole in self.holes:
            hole.close()


@pytest.fixture
def site(make_station):
    made = []

    def make(cases, **more):
        made.append(Site(make_station, cases, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def settle(ward, patients):
    """All is well, each order is confirmed and right."""
    station = ward.station
    station.until(lambda: ward.news() and not any(ward.trouble().values()), 180, "all to be well")
    station.until(lambda: all(p.server.confirmed for p in patients), 180, "every confirmation")
    station.until(lambda: station.stats()["store"]["orders_to_send"] == 0, 60, "an empty outbox")
    station.until(lambda: not ward.alarms(), 60, "no alarm")
    time.sleep(3)
    for patient in patients:
        patient.check_order()


def test_at_the_start(site):
    """A name of which nothing is known; each platform calls us and starts a charge, and must be told of it."""
    here = site(AT_START, **{name: case[0] for name, case in AT_START.items()})
    ward, station = here.ward, here.ward.station
    for patient in ward.sick:
        patient.charge()
    ward.healthy.charge()
    station.until(lambda: all(p.wh() >= 50 for p in ward.patients), 120, "some energy of all")
    sick = ward.measure()
    memory = [ward.rss_kb()]
    reached = [p for p, case in zip(ward.sick, AT_START.values()) if not case[1]]
    station.until(lambda: not [p.name for p in reached if ward.trouble()[p.name]], 120, "those whose other address is good")
    for language in (0, 1):
        def all_said():
            alarms = ward.alarms(chinese=language == 1)
            assert not set(alarms) & {p.name for p in reached} and ward.healthy.name not in alarms, alarms
            return not [(name, alarms.get(p.name)) for p, (name, case) in zip(ward.sick, AT_START.items())
                        if case[1] and not (alarms.get(p.name, "").startswith(case[1 + language]) and case[3] in alarms[p.name])]

        station.until(all_said, 90, f"the alarms, which are {ward.alarms()}")
    outside.show("said", sorted((name, ward.alarms().get(p.name)) for p, name in zip(ward.sick, AT_START)))
    for patient in ward.sick:
        station.ask_chargers(f"stop {patient.index} 1")
    station.until(lambda: all(ward.closed(p.seq) for p in ward.sick), 60, "the orders")
    station.until(lambda: all(p.server.confirmed for p in reached), 60, "the orders of those that are reached")
    memory.append(ward.rss_kb())
    for patient, (name, case) in zip(ward.sick, AT_START.items()):
        assert bool(case[1]) != bool(patient.server.confirmed), name
        here.say(patient, addresses=["own"])
    # A look-up that hangs ends by itself, and what it brings is taken.
    settle(ward, ward.sick)
    quiet = ward.measure()
    outside.show("the healthy one: news and answer, median and longest, ms",
                 [(name, *(f"{x * 1000:.0f}" for x in figures)) for name, figures in (("sick", sick), ("after", quiet))] + [("memory kB", *memory)])
    assert sick[0] < 3 * quiet[0] + 0.3 and sick[1] < quiet[1] + 0.3
    assert memory[1] - memory[0] < 4000, memory


LATER = ["fails_later", "hangs_later", "moves", "moves_unsaid"]


def test_later(site):
    """It worked, and then the DNS fails, hangs, or says another address; connections break meanwhile. What was known is used on; who has moved
    is found as soon as the DNS says so."""
    here = site(LATER)
    ward, station = here.ward, here.ward.station
    fails, hangs, moves, unsaid = ward.sick
    for patient in ward.patients:
        patient.charge()
    station.until(lambda: all(p.wh() >= 50 for p in ward.patients), 120, "some energy of all")
    quiet = ward.measure()
    here.say(fails, code=TRY_AGAIN)
    here.say(hangs, addresses=["own"], seconds=20)
    for patient in (moves, unsaid):
        port = patient.server.port
        patient.server.shut()
        patient.server.address = f"127.0.2.{patient.index}"
        patient.server.listen(port)
    here.say(moves, addresses=["own"])
    for patient in (fails, hangs):
        patient.server.cut()
    sick = ward.measure()
    memory = [ward.rss_kb()]
    for patient in ward.sick:
        station.ask_chargers(f"stop {patient.index} 1")
    # Three of four go on, cut again and again.
    for _ in range(5):
        for patient in (fails, hangs):
            patient.server.cut()
        seen = len(fails.server.received)
        station.until(lambda: ward.news() and len(fails.server.received) > seen, 60, "news by the last addresses")
    station.until(lambda: all(p.server.confirmed for p in (fails, hangs, moves)), 120, "the orders of three")
    station.gateway.wait_for(rf"warning loop: {fails.name}: {fails.host} can't be looked up \(Temporary failure in name resolution\): "
                             "its last addresses are used")
    station.until(lambda: ward.news() and ward.alarms().get(unsaid.name, "").startswith("no connection to it: "), 90, "the alarm of the fourth")
    assert list(ward.alarms()) == [unsaid.name] and not unsaid.server.confirmed
    memory.append(ward.rss_kb())
    here.say(unsaid, addresses=["own"])
    here.say(fails, addresses=["own"])
    fails.server.cut()
    settle(ward, ward.sick)
    station.gateway.wait_for(rf"notice +loop: {fails.name}: {fails.host} can be looked up again", 180)
    outside.show("the healthy one: news and answer, median and longest, ms",
                 [(name, *(f"{x * 1000:.0f}" for x in figures)) for name, figures in (("quiet", quiet), ("sick", sick))] + [("memory kB", *memory)])
    assert sick[0] < 3 * quiet[0] + 0.3 and sick[1] < quiet[1] + 0.3
    assert memory[1] - memory[0] < 4000, memory
