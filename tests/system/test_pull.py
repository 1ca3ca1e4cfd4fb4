"""Platforms that can't call in: a gateway that only pushes has no port for them, and with option pull_s it fetches what waits for it
(core/upstream/message_pull.h). The platform is the independent peer: its waiting requests are envelopes as it would have posted them."""
import collections
import json
import socket
import subprocess
import threading

import business
import harness
import peer
import pytest

from business import PRICES, check_order, new_seq, plug, told, wait_told

FETCH, TELL = "query_pending_requests", "notification_request_answer"


class Queue:
    """What waits at a platform for the station, and what became of it."""

    def __init__(self, server, operator_id=harness.PLATFORM_OPERATOR, keys=harness.OURS):
        self.server, self.operator_id, self.keys = server, operator_id, peer.Keys(*keys)
        self.waiting = collections.OrderedDict()
        self.told, self.fetches, self.count, self.token = [], [], 0, None
        self.sequence = peer.Sequence()
        self.lock = threading.Lock()
        self.take = None  # (payload) -> Ret: the acknowledgement, when it is not 0
        self.shuffle = False  # gives everything that ever waited, acknowledged or not
        self.all = []
        server.answers[FETCH], server.answers[TELL] = self.fetch, self.tell

    def fetch(self, payload):
        with self.lock:
            self.fetches.append(payload)
            entries = self.all if self.shuffle else list(self.waiting.values())
            return 0, {"PendingRequests": entries[:payload["MaxRequests"]]}

    def tell(self, payload):
        ret = self.take(payload) if self.take else 0
        with self.lock:
            self.told.append(payload)
            if not ret:
                self.waiting.pop(payload["RequestID"], None)
        with self.server.changed:
            self.server.changed.notify_all()
        return ret, {"RequestID": payload["RequestID"], "SuccStat": 0} if not ret else None

    def seal(self, payload, **change):
        return json.dumps(peer.seal_request(self.keys, self.operator_id, payload, self.sequence, **change))

    def put(self, method, envelope, token=True, number=None):
        with self.lock:
            self.count += 1
            number = number or f"request-{self.count}"
            entry = {"RequestID": number, "Interface": method, "Envelope": envelope}
            if token:
                entry["Authorization"] = f"Bearer {self.token if token is True else token}"
            self.waiting[number] = entry
            self.all.append(entry)
        return number

    def answers(self, number):
        return [t for t in list(self.told) if t["RequestID"] == number]

    def raw(self, method, envelope, token=True, number=None):
        number = self.put(method, envelope, token, number)
        before = len(self.answers(number))
        self.server.wait(lambda _: len(self.answers(number)) > before)
        return self.answers(number)[-1]

    def call(self, method, payload, token=True, **change):
        told_ = self.raw(method, self.seal(payload, **change), token)
        assert told_["Interface"] == method and told_["HttpStatus"] == 200, told_
        return peer.Answer(json.loads(told_["Envelope"]), self.keys)

    def login(self):
        answer = self.call("query_token", {"OperatorID": self.operator_id, "OperatorSecret": self.keys.operator_secret}, token=False)
        assert answer.ret == 0 and answer.data["SuccStat"] == 0, answer.raw
        self.token = answer.data["AccessToken"]

    def start(self, connector, seq):
        return self.call("query_start_charge", {"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""})

    def stop(self, connector, seq):
        return self.call("query_stop_charge", {"StartChargeSeq": seq, "ConnectorID": connector})


def without_listen(text):
    return "".join(line for line in text.splitlines(True) if not line.startswith("\toption listen "))


def port_is_open(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def behind_nat(make_station):
    """A station whose platform has no way in: its section has no listen; pull_s=0 leaves it at pushing."""

    def make(pull_s=1, options=None, second=False, **more):
        station = make_station(start=False, poll_ms=200, **{"tcp": 1, "line_units": (), "connectors": 1, **more})
        station.write_policy("test", PRICES.format(name="test", elec="1.2345", service="0.4"))
        station.platform_options.update(iserv=1, policy="test", pull_s=pull_s, **(options or {}))
        station.platforms = [without_listen(station.platform_text())]
        station.queue = Queue(station.server)
        business.confirm_all(station.server)
        station.start_chargers("--speed", "30")
        if second:
            second(station)
        station.start_gateway()
        station.wait_status(station.connector_id(0), 1)
        return station

    return make


def starts(station):
    return [p for m, p in list(station.server.received) if m == "notification_start_charge_result"]


def test_a_gateway_that_only_pushes_opens_no_port_for_platforms(behind_nat):
    station = behind_nat(pull_s=0)
    assert not port_is_open(station.listen_port)
    # A charge that begins on site reaches it all the same, without a question of its own.
    station.ask_chargers("plug 0 1")
    station.wait_status(station.connector_id(0), 2)
    assert not station.queue.fetches
    stats = station.stats()
    assert "platforms" in stats
    # Switched on in the running gateway, and off again.
    station.queue.token = "none"
    station.platform_options["pull_s"] = 1
    station.platforms = [without_listen(station.platform_text())]
    station.write_config()
    station.gateway.popen.send_signal(1)
    station.server.wait(lambda _: len(station.queue.fetches) >= 2)
    assert station.queue.fetches[0] == {"MaxRequests": 16, "MaxBytes": 262144}
    assert not port_is_open(station.listen_port)


def test_a_whole_charge_through_pull_alone(behind_nat):
    station = behind_nat()
    queue = station.queue
    assert not port_is_open(station.listen_port)
    queue.login()
    connector = plug(station)
    auth = queue.call("query_equip_auth", {"EquipAuthSeq": new_seq(), "ConnectorID": connector}).data
    assert (auth["SuccStat"], auth["FailReason"]) == (0, 0)
    stations = queue.call("query_stations_info", {"LastQueryTime": "", "PageNo": 1, "PageSize": 10}).data
    assert stations["StationInfos"][0]["StationID"] == "110105000100001"
    seq = new_seq()
    answer = queue.start(connector, seq).data
    assert (answer["SuccStat"], answer["FailReason"], answer["StartChargeSeqStat"]) == (0, 0, 1)
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqStat"] == 2
    station.until(lambda: float(queue.call("query_equip_charge_status", {"StartChargeSeq": seq}).data["TotalPower"]) > 0, 60, "energy")
    answer = queue.stop(connector, seq).data
    assert (answer["SuccStat"], answer["StartChargeSeqStat"]) == (0, 3)
    assert wait_told(station, "notification_stop_charge_result", seq)["SuccStat"] == 0
    order = wait_told(station, "notification_charge_order_info", seq)
    check_order(order)
    assert order["StopReason"] == 1
    assert len(starts(station)) == 1
    # Nothing of the envelopes and tokens is recorded, and no secret is in the log.
    assert queue.token not in station.gateway.output()
    recorded = station.cli("lua", "record", "--json")
    assert FETCH not in recorded.stdout and queue.token not in recorded.stdout


def test_forged_replayed_and_broken_requests_are_refused(behind_nat):
    station = behind_nat()
    queue = station.queue
    query = {"LastQueryTime": "", "PageNo": 1, "PageSize": 10}
    # Without a token, with a wrong one.
    assert queue.call("query_stations_info", query, token=False).ret == 4002
    assert queue.call("query_stations_info", query, token="made-up").ret == 4002
    wrong = queue.call("query_token", {"OperatorID": queue.operator_id, "OperatorSecret": "guessed"}, token=False)
    assert wrong.ret == 0 and wrong.data["SuccStat"] == 1 and not wrong.data["AccessToken"]
    queue.login()
    connector, seq = plug(station), new_seq()
    start = {"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""}
    # Signed by nobody; of another sender; a field missing; encrypted with another key; no envelope at all.
    assert queue.call("query_start_charge", start, Sig="0" * 32).ret == 4001
    assert queue.call("query_start_charge", start, OperatorID="987654321").ret == 4003
    assert queue.call("query_start_charge", start, Seq=None).ret == 4003
    other = peer.Keys(*harness.SECOND["ours"])
    assert queue.call("query_start_charge", start, Data=other.encrypt(json.dumps(start))).ret == 4004
    assert json.loads(queue.raw("query_start_charge", "no envelope")["Envelope"])["Ret"] == 4003
    # What no port would have: another interface, one that is ours to call, a path that goes elsewhere, too long an envelope.
    for interface in ("query_nothing", "notification_stationStatus", "../query_token", "/etc/passwd"):
        told_ = queue.raw(interface, queue.seal(start))
        assert (told_["HttpStatus"], told_["Envelope"]) == (404, ""), told_
    assert queue.raw("query_start_charge", "x" * 70000)["HttpStatus"] == 413
    # Nothing that could be answered: no RequestID, an unprintable one, one that is too long. The others go on.
    for number in ("", "two words", "n" * 65):
        entry = {"RequestID": number, "Interface": "query_token", "Envelope": "{}"}
        queue.waiting[f"bad {number}"] = entry
    assert queue.call("query_stations_info", query).ret == 0
    assert not starts(station)
    assert {t["RequestID"] for t in queue.told}.isdisjoint({"", "two words", "n" * 65})
    queue.waiting.clear()

    # The right one starts; the same envelope under another number is a replay, under its own number the same answer.
    envelope = queue.seal(start)
    first = queue.raw("query_start_charge", envelope, number="start-1")
    assert peer.Answer(json.loads(first["Envelope"]), queue.keys).data["SuccStat"] == 0
    again = queue.raw("query_start_charge", envelope, number="start-1")
    assert again == first
    assert json.loads(queue.raw("query_start_charge", envelope, number="start-2")["Envelope"])["Ret"] == 4003
    wait_told(station, "notification_start_charge_result", seq)
    assert len(starts(station)) == 1


def test_an_answer_is_told_until_it_is_acknowledged(behind_nat):
    station = behind_nat()
    queue = station.queue
    queue.login()
    connector, seq = plug(station), new_seq()
    attempts = []

    def take(payload):
        attempts.append(payload)
        return (-1, 500, 4002, -1, 0)[min(len(attempts), 5) - 1]

    queue.take = take
    answer = queue.put("query_start_charge", queue.seal({"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""}))
    station.server.wait(lambda _: len(attempts) >= 5)
    station.server.wait(lambda _: answer not in queue.waiting)
    assert all(a == attempts[0] for a in attempts[:5])
    wait_told(station, "notification_start_charge_result", seq)
    assert len(starts(station)) == 1
    # Hundreds that wait, in batches; a platform that goes on giving what it was answered long ago.
    queue.take = None
    numbers = [queue.put("query_equip_charge_status", queue.seal({"StartChargeSeq": seq})) for _ in range(100)]
    station.server.wait(lambda _: all(queue.answers(n) for n in numbers), 120)
    queue.shuffle = True
    before = len(queue.fetches)
    station.server.wait(lambda _: len(queue.fetches) > before + 3)
    assert len(starts(station)) == 1
    assert max(f["MaxRequests"] for f in queue.fetches) == 16


def test_what_is_not_acknowledged_stops_the_fetching(behind_nat):
    """150 wait and no answer is taken: the gateway has no more than 64 in hand, and goes on where it stopped."""
    station = behind_nat()
    queue = station.queue
    queue.login()
    queue.take = lambda payload: -1
    query = {"LastQueryTime": "", "PageNo": 1, "PageSize": 1}
    numbers = [queue.put("query_stations_info", queue.seal(query)) for _ in range(150)]
    # A platform that hands out the next ones, not the same again: it is for the gateway to stop.
    handed = []

    def fetch(payload):
        queue.fetches.append(payload)
        entries = [e for n, e in queue.waiting.items() if n not in handed][:payload["MaxRequests"]]
        handed.extend(e["RequestID"] for e in entries)
        return 0, {"PendingRequests": entries}

    station.server.answers[FETCH] = fetch
    station.server.wait(lambda _: len(handed) > 48)
    many = len(queue.told)
    station.server.wait(lambda _: len(queue.told) > many + 60, 120)
    station.server.wait(lambda _: {t["RequestID"] for t in list(queue.told)[1:]} == set(handed))
    assert 48 < len(handed) <= 64
    queue.take = None
    station.server.wait(lambda _: not queue.waiting, 120)
    assert set(handed) == set(numbers)


def test_a_kill_between_fetch_and_answer_starts_once(behind_nat):
    station = behind_nat()
    queue = station.queue
    queue.login()
    connector, seq = plug(station), new_seq()
    start = {"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""}
    killed = threading.Event()

    def take(payload):
        if payload["Interface"] != "query_start_charge" or killed.is_set():
            return 0
        station.gateway.popen.kill()  # it has run the request, and nobody has heard of it
        station.gateway.popen.wait()
        killed.set()
        return -1

    queue.take = take
    number = queue.put("query_start_charge", queue.seal(start))
    assert killed.wait(60)
    assert number in queue.waiting
    station.start_gateway()
    # Fetched once more. Tokens are gone with the process: the platform logs in and repeats, as on a port.
    station.server.wait(lambda _: number not in queue.waiting)
    assert json.loads(queue.answers(number)[-1]["Envelope"])["Ret"] == 4002
    queue.login()
    answer = queue.start(connector, seq).data
    assert answer["SuccStat"] == 0 and answer["StartChargeSeqStat"] in (1, 2)
    wait_told(station, "notification_start_charge_result", seq)
    assert queue.stop(connector, seq).data["SuccStat"] == 0
    check_order(wait_told(station, "notification_charge_order_info", seq))
    assert len(json.loads(station.ask_chargers("sessions 0"))) == 1, "the charger itself was started once"
    assert len({p["StartChargeSeq"] for p in starts(station)}) == 1
    assert len({json.dumps(o, sort_keys=True) for o in told(station, "notification_charge_order_info", seq)}) == 1


def test_mode_sync_has_nobody_to_keep_waiting(behind_nat):
    """An answer that would wait for its result is given at once, and the result is pushed."""
    station = behind_nat(options={"mode": "sync"})
    queue = station.queue
    queue.login()
    connector, seq = plug(station), new_seq()
    answer = queue.start(connector, seq).data
    assert (answer["SuccStat"], answer["StartChargeSeqStat"]) == (0, 1)
    assert wait_told(station, "notification_start_charge_result", seq)["StartChargeSeqStat"] == 2
    assert queue.stop(connector, seq).data["SuccStat"] == 0
    assert wait_told(station, "notification_stop_charge_result", seq)["SuccStat"] == 0
    check_order(wait_told(station, "notification_charge_order_info", seq))


def test_two_platforms_fetch_each_their_own(behind_nat, make_station):
    made = {}

    def second(station):
        made["server"] = peer.Server(peer.Keys(*harness.SECOND["theirs"]), station.certs / "server.pem", station.certs / "server.key",
                                     path=harness.SECOND["path"])
        business.confirm_all(made["server"])
        station.platforms.append(without_listen(station.platform_text(
            "p2", port=made["server"].port, path=harness.SECOND["path"], ours=harness.SECOND["ours"], theirs=harness.SECOND["theirs"],
            operator_id=harness.SECOND["operator_id"])))
        made["queue"] = Queue(made["server"], harness.SECOND["operator_id"], harness.SECOND["ours"])

    station = behind_nat(second=second)
    one, two = station.queue, made["queue"]
    try:
        one.login()
        two.login()
        assert one.token != two.token
        connector, seq = plug(station), new_seq()
        # The other's envelope and the other's token are nobody's here.
        stolen = two.raw("query_start_charge", one.seal({"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""}), one.token)
        assert json.loads(stolen["Envelope"])["Ret"] == 4002
        stolen = two.raw("query_start_charge", one.seal({"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""}))
        assert json.loads(stolen["Envelope"])["Ret"] == 4001
        assert one.start(connector, seq).data["SuccStat"] == 0
        wait_told(station, "notification_start_charge_result", seq)
        # The second platform can't stop what the first has started, nor start on its connector.
        assert two.stop(connector, seq).data["SuccStat"] == 1
        assert two.start(connector, harness.SECOND["operator_id"] + "000000000000000001").data["FailReason"] == 11
        # One that refuses everything does not hold up the other.
        two.take = lambda payload: 4004
        number = two.put("query_stations_info", two.seal({"LastQueryTime": "", "PageNo": 1, "PageSize": 10}))
        assert one.stop(connector, seq).data["SuccStat"] == 0
        check_order(wait_told(station, "notification_charge_order_info", seq))
        made["server"].wait(lambda _: len(two.answers(number)) >= 2)
        assert not [m for m, p in made["server"].received if m == "notification_charge_order_info"]
        assert not made["server"].problems
    finally:
        made["server"].close()


def test_what_the_configuration_must_say(make_station):
    station = make_station(start=False, tcp=1, line_units=(), connectors=1)

    def check(text):
        station.platforms = [text]
        station.write_config()
        said = subprocess.run([station.build / "forecourtd", "--check", "-c", station.config_file], capture_output=True, text=True,
                              timeout=60, check=False)
        return said.returncode, said.stdout + said.stderr

    plain = without_listen(station.platform_text())
    assert check(plain)[0] == 0
    code, said = check("".join(line for line in (plain + "\toption pull_s '5'\n").splitlines(True) if "our_data_secret " not in line))
    assert code == 2 and "our_data_secret: is missing: requests that are fetched (option pull_s)" in said
    code, said = check(plain + "\toption pull_s '5'\n\toption client_name 'x'\n")
    assert code == 2 and "client_name: is asked of callers" in said
    assert check(plain + "\toption pull_s '3601'\n")[0] == 2
    assert check(plain + "\toption pull_s '3600'\n")[0] == 0


class Simulated(harness.Station):
    """Cars that wait to be charged, and the simulated platform that does it without ever calling in."""

    def __init__(self):
        super().__init__(tcp=2, line_units=(), connectors=1, poll_ms=200)
        self.platform_options.update(iserv=1, policy="test", pull_s=1)
        self.write_policy("test", PRICES.format(name="test", elec="3", service="2"))
        self.platforms = [without_listen(self.platform_text())]

    def begin(self):
        self.platform = self.start_sim_platform("platform", self.platform_port, "--pull", "--charges", "2", "--charge-seconds", "5",
                                                interval_ms=200)


def test_whole_charges_of_a_platform_that_goes_away_and_comes_back():
    station = Simulated()
    try:
        station.start_chargers("--auto", "--remote", "--speed", "120", "--seed", "2")
        station.begin()
        station.start_gateway()
        assert not port_is_open(station.listen_port)
        station.until(lambda: station.summary()["business"]["whole"] >= 2, 180, "two whole charges")
        # Away: the station goes on, and says once that it is out of reach. Back, with another token and nothing remembered: what it had
        # begun would be strange to it, so it has ended.
        assert station.ask_platform("drain 1") == "ok"
        station.until(lambda: not station.summary()["business"]["open"], 120, "the running charges to end")
        station.platform.stop()
        station.gateway.wait_for(r"query_pending_requests|notification_", 60)
        station.begin()
        station.until(lambda: station.summary()["business"]["whole"] >= 2, 180, "two more whole charges")
        assert station.ask_platform("drain 1") == "ok"
        station.until(lambda: not station.summary()["business"]["open"], 120, "the running charges to end")
        business_ = station.summary()["business"]
        assert not business_["wrong"] and not business_["doubled"] and not business_["lost"], business_
        assert station.platform.stop() == 0, station.platform.output()[-2000:]
    finally:
        station.stop()
