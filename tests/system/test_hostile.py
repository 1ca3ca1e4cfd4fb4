"""The corpus of hostile scripts (tests/unit/hostile) on a station that runs: each file in turn becomes the mapping, the policy and
the profile of a live gateway. It stays up, its memory and its answers within bounds, its polls on time, another platform's mapping
goes on as if nothing were."""
import os
import re
import time

import business
import conftest  # noqa: F401
import harness
import peer

CORPUS = harness.ROOT / "tests" / "unit" / "hostile"
TAIL = "return { f = f, ok = function(x) return x end }"
# The memory and the steps are those of the unit test: the errors name them. The time is more than a busy machine takes to fill the memory:
# the error must be that of the memory.
LIMITS = dict(lua_memory_kb=1024, lua_steps=300000, lua_time_ms=2000)
GOOD_MAPPING = """return { forecourt = 1, kind = "operator", name = "%s", map = { notification_stationStatus = {
  request = function(m) m.Note = "%s" return m end } } }
"""


def head(text):
    lines = text.splitlines()[:3]
    return "call" in lines[1], lines[2].removeprefix("-- expect: ")


def as_mapping(text):
    return text.replace(TAIL, 'return { forecourt = 1, kind = "operator", name = "hostile", map = '
                        '{ notification_stationStatus = { request = f } } }')


def as_policy(text):
    return text.replace(TAIL, 'return { forecourt = 1, kind = "policy", name = "hostile", prices = f }')


def as_profile(text):
    return text.replace(TAIL, 'return { forecourt = 1, kind = "profile", name = "hostile", points = f({ a = 1 }) }')


def save(path, text):
    """As editors do: a new file, renamed over the old one."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


class Log:
    """The gateway's log, read on from where it was last read."""

    def __init__(self, path):
        self.path, self.at, self.text = path, 0, ""

    def read(self):
        with open(self.path, "rb") as file:
            file.seek(self.at)
            data = file.read()
        self.at += len(data)
        self.text += data.decode()  # strict: nothing but UTF-8 gets into it
        return self.text

    def forget(self):
        self.read()
        self.text = ""

    def wait(self, *parts):
        try:
            harness.Station.until(lambda: any(all(p in line for p in parts) for line in self.read().splitlines()), 60, parts)
        except AssertionError as error:
            raise AssertionError(f"{error}, but came\n{self.text[-2000:]}") from None


def test_hostile_scripts_harm_nobody(make_station):
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=200, mapping="hostile")
    other = peer.Server(peer.Keys(*harness.THEIRS), station.certs / "server.pem", station.certs / "server.key", path="/second")
    try:
        run(station, other)
    finally:
        other.close()
    assert not other.problems, other.problems


def run(station, other):
    station.gateway_options = LIMITS
    station.station_options.update(policy="hostile")
    station.platform_options.update(rate_per_s=1000)
    station.charger_options[0] = dict(profile="hostile")
    station.extra += station.platform_text("p2", other.port, operator_id="987654321", path="/second", mapping="good")
    profile = (station.lua / "profiles" / "forecourt-sim.lua").read_text().replace('name = "forecourt-sim"', 'name = "hostile"')
    good = {"operators": GOOD_MAPPING % ("hostile", "first"), "profiles": profile,
            "policies": business.PRICES.format(name="hostile", elec="1", service="0.4")}
    paths = {folder: station.lua / folder / "hostile.lua" for folder in good}
    for folder, path in paths.items():
        save(path, good[folder])
    station.write_mapping("good", GOOD_MAPPING % ("good", "second"))
    station.start_chargers()
    station.start_gateway()
    connector = station.connector_id(0)
    station.wait_status(connector, 1)
    log = Log(station.gateway.err_path)
    station.client.login()

    def ask():
        begin = time.monotonic()
        assert station.client.call("query_station_status", {"StationIDs": ["110105000100001"]}).ret == 0
        return time.monotonic() - begin

    plain = max(ask() for _ in range(50))
    before, resident, slowest, called, refused, plugged = station.stats()["buses"][0], station.gateway.rss_kb(), 0, 0, 0, False
    most = resident
    for file in sorted(CORPUS.glob("*.lua")):
        text = file.read_text()
        at_call, expect = head(text)
        assert at_call == text.endswith(TAIL + "\n"), file
        log.forget()
        save(paths["profiles"], as_profile(text))
        save(paths["policies"], as_policy(text))
        save(paths["operators"], as_mapping(text))
        # What fails at load is refused with its file, and what ran goes on.
        log.wait("profile hostile: version", "stays in force", "profiles/hostile.lua")
        log.wait("policy hostile: version", "stays in force", "policies/hostile.lua", "" if at_call else expect[:60])
        if at_call:
            log.wait("mapping hostile: new version")
        else:
            log.wait("mapping hostile: version", "stays in force", "operators/hostile.lua", expect[:60])
            refused += 1
        # What fails at a call is provoked by a message.
        plugged = not plugged
        status, seen = 2 if plugged else 1, len(station.server.received)
        station.ask_chargers("plug 0 1" if plugged else "unplug 0 1")
        if at_call:
            log.wait("map.notification_stationStatus.request", "operators/hostile.lua", expect[:60], "the message goes on as it was")
            called += 1
        slowest = max(slowest, ask())

        def arrived(received, since, note, want=status):
            return [p for m, p in received[since:] if m == "notification_stationStatus"
                    and p["ConnectorStatusInfo"]["Status"] == want and p.get("Note") == note]

        # The message came as it was; the other platform's mapping did its work.
        if at_call:
            station.server.wait(lambda r, since=seen: arrived(r, since, None))
        station.until(lambda: (other.received[-1:] or [("", {})])[0][1].get("Note") == "second"
                      and other.received[-1][1]["ConnectorStatusInfo"]["Status"] == status, 60, "the other platform's message")
        most = max(most, station.gateway.rss_kb())
        assert station.gateway.running(), file
    for folder, path in paths.items():
        save(path, good[folder])
    log.forget()
    log.wait("mapping hostile: new version")
    station.ask_chargers("plug 0 1" if not plugged else "unplug 0 1")
    station.server.wait(lambda r: r[-1][1].get("Note") == "first")
    after = station.stats()["buses"][0]
    made, missed, late = (after[k] - before[k] for k in ("polls", "missed", "late"))
    print(f"\n{called} failed when called, {refused} when loaded; memory {resident} kB, at most {most} kB; answers {plain * 1000:.0f} ms, "
          f"at most {slowest * 1000:.0f} ms; {made} polls, {missed} missed, {late} late, at most {after['late_max_us'] / 1000:.0f} ms")
    assert called >= 60
    # Three states of 1 MiB, twice while one replaces the other, and the messages: far below that.
    assert most < resident + 16384
    assert made > 100 and missed <= made * 0.05 and after["disconnects"] == before["disconnects"]


def test_a_function_that_hits_its_limits_is_left_out(make_station):
    """Three times in a row, then one line in the log, and messages that cost nothing."""
    station = make_station(start=False, tcp=1, line_units=(), connectors=1, poll_ms=200, mapping="hostile")
    station.gateway_options = LIMITS
    station.write_mapping("hostile", as_mapping((CORPUS / "loop.lua").read_text()))
    station.start_chargers()
    station.start_gateway()
    connector = station.connector_id(0)
    for i in range(8):
        station.wait_status(connector, 1 + i % 2)
        station.ask_chargers("unplug 0 1" if i % 2 else "plug 0 1")
    lines = re.findall(r"script: .*hostile\.lua: map\.notification_stationStatus\.request hit its limits.*left out for 60 s",
                       station.gateway.output())
    assert len(lines) == 1, station.gateway.output()


def test_a_policy_that_never_ends_refuses_the_charge(charging):
    """It passes its trial at load, and is a loop for the platform that starts. After the third time it is not even called."""
    station = charging(policy="""return { forecourt = 1, kind = "policy", name = "test", prices = function(c)
      if c.platform ~= "" then while true do end end
      return { { start = "00:00", elec = 1, service = 0.4 } } end }""", tcp=1, line_units=())
    connector = business.plug(station)
    for _ in range(5):
        answer = business.start(station, connector, business.new_seq())
        assert answer.ret == 0 and answer.data["SuccStat"] == 1, answer.text
    assert station.gateway.running()
    assert re.search(r"policies/test\.lua:2: the script took too long", station.gateway.output())
    assert len(re.findall(r"prices hit its limits .* left out for 60 s", station.gateway.output())) == 1
    # A good one, saved: it counts at once.
    station.write_policy("test", business.PRICES.format(name="test", elec="1.2345", service="0.4"))
    assert station.until(lambda: business.start(station, connector, business.new_seq()).data["SuccStat"] == 0, 60, "the start")
