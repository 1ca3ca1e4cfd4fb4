"""Whoever calls our port and means no good, or is broken: half a handshake, a byte a second, requests of garbage, answers that are never read,
storms of connections, calls without measure. From many addresses at once, while charges run: a healthy platform is answered and told as in a quiet
moment, over its old connection and over new ones, the charges come to their orders, and the port is as good as new afterwards."""
import contextlib
import json
import random
import socket
import ssl
import threading
import time

import outside
import peer
import pytest


class Attack:
    """So many threads, each with addresses of its own, that do the same again and again."""

    def __init__(self, ward, act, threads=4, first=1):
        self.ward, self.act, self.over = ward, act, threading.Event()
        self.done = 0
        self.threads = [threading.Thread(target=self.run, args=(f"127.0.{5 + first}.{i + 1}",), daemon=True) for i in range(threads)]
        for t in self.threads:
            t.start()

    def run(self, source):
        while not self.over.is_set():
            with contextlib.ExitStack() as stack:
                try:
                    self.act(self, source, stack)
                    self.done += 1
                except (OSError, ValueError, peer.ProtocolError, peer.http.client.HTTPException):
                    self.over.wait(0.05)

    def connect(self, source, stack):
        s = stack.enter_context(socket.create_connection(("127.0.0.1", self.ward.station.listen_port), timeout=30, source_address=(source, 0)))
        s.settimeout(30)
        return s

    def tls(self, source, stack):
        context = ssl.create_default_context(cafile=self.ward.station.certs / "ca.pem")
        return stack.enter_context(context.wrap_socket(self.connect(source, stack), server_hostname="localhost"))

    def end(self):
        self.over.set()
        for t in self.threads:
            t.join(60)
            assert not t.is_alive()


def drip(attack, s, data):
    for byte in data:
        if attack.over.wait(1):
            return
        s.sendall(bytes([byte]))


def half_open(attack, source, stack):
    """As many as the station lets one have, silent."""
    for _ in range(16):
        attack.connect(source, stack)
    attack.over.wait(20)


def slow_hello(attack, source, stack):
    s = attack.connect(source, stack)
    drip(attack, s, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 60)


def slow_headers(attack, source, stack):
    drip(attack, attack.tls(source, stack), b"POST /q0/v1/query_token HTTP/1.1\r\nHost: localhost\r\nX-More: " + b"x" * 100)


def slow_bodies(attack, source, stack):
    """Each has a request under way."""
    all_of_them = [attack.tls(source, stack) for _ in range(16)]
    for s in all_of_them:
        s.sendall(b"POST /q0/v1/query_token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n")
    for _ in range(30):
        if attack.over.wait(1):
            return
        for s in all_of_them:
            s.sendall(b"x")


GARBAGE = [
    b"", b"\0" * 500, b"GET / HTTP/0.9\r\n\r\n", b"POST /q0/v1/query_token HTTP/1.1\r\n\r\n", b"X" * 20000,
    b"POST /q0/v1/query_token HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n{}",
    b"POST /q0/v1/query_token HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
    b"POST /q0/v1/query_token HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 200\r\n\r\n{}",
    b"POST /q0/v1/query_token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n{}",
    b"POST /q0/v1/../../../etc/passwd HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /q0/v1/query_token HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(3000)) + b"\r\n",
    b"GET /q0/v1/query_token HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    *(b"POST /q0/v1/query_token HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body) for body in (
        b"[" * 60000, b"{\"a\":" * 10000, b"{\"OperatorID\":{}}", b"\xff" * 5000, b"{\"OperatorID\":\"" + b"9" * 60000 + b"\"}")),
]


def garbage(attack, source, stack):
    s = attack.tls(source, stack)
    s.sendall(random.choice(GARBAGE))
    s.settimeout(2)
    with contextlib.suppress(OSError):
        s.recv(1000)


def garbage_instead_of_tls(attack, source, stack):
    s = attack.connect(source, stack)
    s.sendall(random.choice([b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 2000, random.randbytes(500)]))
    s.settimeout(2)
    with contextlib.suppress(OSError):
        s.recv(1000)


def handshakes(attack, source, stack):
    """One after the other, and nothing more; what a storm of clients costs is handshakes."""
    attack.tls(source, stack)
    attack.over.wait(0.1)


def reset_handshakes(attack, source, stack):
    s = attack.connect(source, stack)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    attack.over.wait(0.05)


def mad_client(attack, source, method, payload):
    """A platform that has the right keys."""
    patient = attack.ward.sick[0]
    client = attack.ward.station.new_client(operator_id=patient.operator, path=patient.path, source=source)
    client.token = patient.client.token
    body = json.dumps(peer.seal_request(client.keys, patient.operator, payload, client.sequence)).encode()
    return (f"POST {patient.path}/{method} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def never_reads(attack, source, stack):
    """Asks for all stations again and again, and takes no answer."""
    raw = attack.connect(source, stack)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    context = ssl.create_default_context(cafile=attack.ward.station.certs / "ca.pem")
    s = stack.enter_context(context.wrap_socket(raw, server_hostname="localhost"))
    s.settimeout(1)
    request = mad_client(attack, source, "query_stations_info", {"LastQueryTime": "", "PageNo": 1, "PageSize": 10})
    end = time.monotonic() + 30
    while not attack.over.is_set() and time.monotonic() < end:
        with contextlib.suppress(TimeoutError):
            s.sendall(request)


def without_measure(attack, source, stack):
    """Calls as fast as they are answered, the same one again and again, and others with a wrong signature."""
    s = attack.tls(source, stack)
    request = mad_client(attack, source, "query_station_status", {"StationIDs": ["110105000100001"]})
    for i in range(200):
        if attack.over.is_set():
            return
        s.sendall(request if i % 2 else request.replace(b'"Sig": "', b'"Sig": "0'))
        s.recv(65536)


ATTACKS = (half_open, slow_hello, slow_headers, slow_bodies, garbage, garbage_instead_of_tls, handshakes, reset_handshakes, never_reads,
           without_measure)


def fresh(ward, i):
    """A new connection of the healthy platform, and its answer: how long that took, in s. A refused one is tried again at once."""
    begun = time.monotonic()
    while True:
        client = ward.station.new_client(operator_id=ward.healthy.operator, path=ward.healthy.path, source=f"127.0.200.{i % 200 + 1}")
        client.token = ward.healthy.client.token
        try:
            assert client.call("query_station_status", {"StationIDs": ["110105000100001"]}).ret == 0
            return time.monotonic() - begun
        except (OSError, peer.http.client.HTTPException):
            assert time.monotonic() - begun < 60, "no new connection in a minute"
            time.sleep(0.05)
        finally:
            client.close()


@pytest.mark.parametrize("kind", outside.cases(["all_at_once"], [a.__name__ for a in ATTACKS] + ["all_at_once"]))
def test_callers(make_station, kind):
    ward = outside.Ward(make_station, 2)
    station = ward.station
    attacks = []
    try:
        for patient in ward.patients:
            patient.charge()
        station.until(lambda: all(p.wh() >= 20 for p in ward.patients), 120, "some energy of all")
        memory = [ward.rss_kb()]
        quiet, new = ward.measure(5), sorted(fresh(ward, i) for i in range(7))
        chosen = [a for a in ATTACKS if kind in (a.__name__, "all_at_once")]
        attacks = [Attack(ward, act, 2 if len(chosen) > 1 else 6, 10 * n) for n, act in enumerate(chosen)]
        time.sleep(4)
        memory.append(ward.rss_kb())
        sick, sick_new = ward.measure(5), sorted(fresh(ward, i) for i in range(7))
        # The charge of another platform comes to its end and its order meanwhile.
        ending = ward.sick[1]
        assert ending.client.call("query_stop_charge", {"StartChargeSeq": ending.seq, "ConnectorID": ending.connector}).data["SuccStat"] == 0
        station.until(lambda: ending.server.confirmed, 60, "its order")
        ending.check_order()
        memory.append(ward.rss_kb())
        assert all(a.done or any(t.is_alive() for t in a.threads) for a in attacks)
        for attack in attacks:
            attack.end()
        attacked = [(a.act.__name__, a.done) for a in attacks]
        attacks = []
        station.until(lambda: fresh(ward, 1) < max(0.5, 5 * new[3]), 60, "a port as good as new")
        after = ward.measure(5)
        memory.append(ward.rss_kb())
        outside.show(f"{kind}: the healthy one: news, answer (median, longest), a new connection's answer (median, longest), ms",
                     [(name, *(f"{x * 1000:.0f}" for x in (*figures, *(more and (more[3], more[6]))))) for name, figures, more in
                      (("quiet", quiet, new), ("attacked", sick, sick_new), ("after", after, ()))] + [("memory kB", *memory), *attacked])
        assert sick[0] < 3 * quiet[0] + 0.3 and sick[1] < quiet[1] + 0.3
        # Connections have their buffers, 64 at most; what they do takes no more and more.
        assert max(memory) - memory[0] < 8000 and memory[2] - memory[1] < 2500, memory
        for patient in ward.patients[:2]:
            patient.client.close()
            patient.client.call("query_stop_charge", {"StartChargeSeq": patient.seq, "ConnectorID": patient.connector})
            station.until(lambda p=patient: p.server.confirmed, 60, "its order")
            patient.check_order()
    finally:
        for attack in attacks:
            attack.over.set()
        ward.close()
