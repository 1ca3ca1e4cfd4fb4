"""A platform that is sick on purpose: the Python peer's knowledge (peer.Platform) behind a server of its own that breaks a connection
at any stage, from the accept to the last byte of an answer. Written on sockets and ssl alone, so that it may send what no HTTP library would.

platform.fault = FAULTS["name"] makes it sick, None well again; platform.cut() ends the connections that are open, so that a fault of an early
stage is met. platform.bites counts how often the fault met somebody, by the method that was called ("" before it is known)."""
import collections
import dataclasses
import gzip
import json
import select
import socket
import ssl
import struct
import threading
import time

import peer


@dataclasses.dataclass(frozen=True)
class Fault:
    """stage: accept, tls, head (the request's head is here), body (the request is whole, nothing is taken), answer (it was taken).
    act(connection, head and body of the right answer): what then happens; true when the connection goes on."""
    name: str
    stage: str
    act: object
    only: str = ""  # only for this method; else for all
    right: bool = False  # odd, and yet the right answer is in it


FAULTS = {}


def fault(stage, name=None, only="", right=False):
    def add(act):
        called = name or act.__name__
        FAULTS[called] = Fault(called, stage, act, only, right)
        return act

    return add


class Over(Exception):
    """The connection is at its end."""


class Connection:
    """One, from accept to close."""

    def __init__(self, platform, raw):
        self.platform, self.raw, self.tls = platform, raw, None
        self.left = b""
        self.method = ""
        self.order = None  # confirmed by the last answer: nobody knows that it arrived until there is another request

    def bite(self):
        with self.platform.changed:
            self.platform.bites[self.method] += 1
            self.platform.changed.notify_all()

    def reset(self):
        """RST instead of FIN."""
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        for end in (self.tls, self.raw):
            if end:
                try:
                    end.close()
                except OSError:
                    pass

    def cut(self):
        """From another thread: whoever reads it sees its end."""
        try:
            # Below TLS: SSLSocket.shutdown takes the TLS away, and what is read then is its records.
            socket.socket.shutdown(self.raw, socket.SHUT_RDWR)
        except OSError:
            pass

    def hold(self, most=120, to_the_end=False):
        """Says nothing, until the fault or the connection is over; to_the_end: the connection alone, since its end would make an answer whole."""
        fault, end = self.platform.fault, time.monotonic() + most
        while (to_the_end or self.platform.fault is fault) and not self.platform.closing and time.monotonic() < end:
            readable, _, _ = select.select([self.raw], [], [], 0.1)
            if readable:
                try:
                    if not socket.socket.recv(self.raw, 1, socket.MSG_PEEK):  # below TLS
                        return
                except OSError:
                    return
                time.sleep(0.1)

    def drip(self, data, pause=1):
        """Byte by byte."""
        fault = self.platform.fault
        for i in range(len(data)):
            if self.platform.fault is not fault or self.platform.closing:
                break
            self.send(data[i:i + 1])
            time.sleep(pause)

    def send(self, data):
        (self.tls or self.raw).sendall(data)

    def receive(self):
        data = (self.tls or self.raw).recv(65536)
        if not data:
            raise Over
        return data

    def take(self, count):
        while len(self.left) < count:
            self.left += self.receive()
        data, self.left = self.left[:count], self.left[count:]
        return data

    def head(self):
        while b"\r\n\r\n" not in self.left:
            self.left += self.receive()
        head, self.left = self.left.split(b"\r\n\r\n", 1)
        return head.decode()

    def sick_at(self, stage):
        found = self.platform.fault
        return found if found and found.stage == stage and found.only in ("", self.method) else None

    def run(self):
        sick = self.sick_at("accept") or self.sick_at("tls")
        if sick:
            self.bite()
            if sick.stage == "tls":
                self.raw.recv(65536, socket.MSG_PEEK)  # the ClientHello has come, and stays unread
            sick.act(self, b"", b"")
            return
        # It shakes hands with whatever certificate it has at this moment.
        self.tls = self.platform.context.wrap_socket(self.raw, server_side=True, suppress_ragged_eofs=True)
        self.raw = self.tls
        while self.one():
            pass

    def one(self):
        """A request and its answer. True when another may come."""
        lines = self.head().split("\r\n")
        self.order = None
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        path = lines[0].split(" ")[1]
        self.method = path.rsplit("/", 1)[-1]
        sick = self.sick_at("head")
        if sick:
            self.bite()
            return sick.act(self, b"", b"")
        body = self.take(int(headers.get("content-length", 0)))
        sick = self.sick_at("body")
        if sick:
            self.bite()
            return sick.act(self, b"", b"")
        sick = self.sick_at("answer")
        with self.platform.lock:
            answer = self.platform.take(path, headers.get("authorization", ""), body)
            if (not sick or sick.right) and self.method.endswith("charge_order_info") and answer["Ret"] == 0:
                self.order = self.platform.received[-1][1]["StartChargeSeq"]
                self.platform.confirmed.append(self.order)
        data = json.dumps(answer).encode()
        right = head_of(len(data))
        if sick:
            self.bite()
            return sick.act(self, right, data)
        self.send(right + data)
        return True


def head_of(length=None, status="200 OK", more=""):
    size = "" if length is None else f"Content-Length: {length}\r\n"
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json;charset=utf-8\r\n{size}{more}\r\n".encode()


class SickPlatform(peer.Platform):
    """.fault, .bites, .confirmed (orders whose confirmation went out as it should, in that order), .unsure (of these, how often the connection
    ended with it, so that it may not have arrived: the order is rightly told once more), .context (its TLS)."""

    def __init__(self, keys, certificate, key, path="/evcs/v20160701", address="127.0.0.1", port=0):
        super().__init__(keys, path)
        self.fault, self.closing = None, False
        # What some faults need: where they send us to, and the number of another order.
        self.elsewhere, self.another_order = "https://localhost:1", ""
        self.bites, self.confirmed, self.unsure = collections.Counter(), [], collections.Counter()
        self.lock = threading.Lock()  # one request at a time is taken
        self.connections = set()
        self.address = address
        self.accepted = 0
        self.show(certificate, key)
        self.listen(port)

    def show(self, certificate, key, client_ca=None):
        """From the next connection on, with new ticket keys."""
        self.shown = certificate, key
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        self.context = context

    def context_1_2(self):
        """That of now, for TLS 1.2 only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.shown)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    def listen(self, port=0, backlog=64):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.address, port))
        self.listener.listen(backlog)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, raw)
            self.accepted += 1
            self.connections.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            connection.run()
        except (OSError, Over, ValueError):
            pass
        finally:
            if connection.order:
                with self.lock:
                    self.unsure[connection.order] += 1
            connection.close()
            self.connections.discard(connection)

    def cut(self):
        for connection in list(self.connections):
            connection.cut()

    def shut(self):
        """No port any more; listen(port) opens it again."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def close(self):
        self.closing = True
        try:
            self.shut()
        except OSError:
            pass


# Before there is TLS --------------------------------------------------------------------------------------------------------

fault("accept", "reset_after_accept")(lambda c, *_: c.reset())
fault("accept", "closed_after_accept")(lambda c, *_: c.close())
fault("accept", "silent_after_accept")(lambda c, *_: c.hold())
fault("accept", "speaks_another_protocol")(lambda c, *_: (c.send(b"220 mail.example ESMTP\r\n"), time.sleep(0.3)))


@fault("tls")
def reset_in_handshake(c, *_):
    c.raw.recv(10)
    c.reset()


@fault("tls")
def closed_in_handshake(c, *_):
    c.raw.recv(65536)
    c.close()


fault("tls", "silent_in_handshake")(lambda c, *_: c.hold())


@fault("tls")
def slow_in_handshake(c, *_):
    """The first record of its side, a byte a second."""
    c.raw.recv(65536)
    c.drip(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + b"r" * 111)


@fault("tls")
def garbage_in_handshake(c, *_):
    c.raw.recv(65536)
    c.send(b"\x16\x03\x03\x00\x20" + b"\xa5" * 32)
    time.sleep(0.3)


@fault("tls")
def plain_http_in_handshake(c, *_):
    c.raw.recv(65536)
    c.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    time.sleep(0.3)


def alert_record(number, level=2):
    return bytes((0x15, 3, 3, 0, 2, level, number))


def alert_after_hello(number):
    def act(c, *_):
        c.raw.recv(65536)
        c.send(alert_record(number))
        time.sleep(0.3)

    return Fault(f"alert_{number}_after_hello", "tls", act)


def alert_after_certificate(number):
    """In TLS 1.2, where records are plain until both have changed their cipher: after ServerHelloDone."""
    def act(c, *_):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = c.platform.context_1_2()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(c.raw.recv(65536))
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        c.send(outgoing.read())
        c.raw.recv(65536, socket.MSG_PEEK)  # its key exchange
        c.send(alert_record(number))
        time.sleep(0.3)

    return Fault(f"alert_{number}_after_certificate", "tls", act)


# The request ------------------------------------------------------------------------------------------------------------------

fault("head", "reset_after_headers")(lambda c, *_: c.reset())
fault("head", "closed_after_headers")(lambda c, *_: c.close())
fault("head", "request_never_read")(lambda c, *_: c.hold())


@fault("head")
def request_read_slowly(c, *_):
    """A byte a second of the body: it is never whole in time."""
    fault = c.platform.fault
    while c.platform.fault is fault and not c.platform.closing:
        c.take(1)
        time.sleep(1)


fault("body", "reset_after_request")(lambda c, *_: c.reset())
fault("body", "silent_after_request")(lambda c, *_: c.hold())
# It was taken, and the confirmation is lost on its way.
fault("answer", "answer_lost_by_reset")(lambda c, *_: c.reset())
fault("answer", "answer_lost_by_close")(lambda c, *_: c.close())


# The answer: how it comes -------------------------------------------------------------------------------------------------------

def says(head, body=b""):
    """These bytes; the connection goes on."""
    def act(c, *_):
        c.send(head + body)
        return True

    return act


def says_and_ends(head, body=b""):
    def act(c, *_):
        c.send(head + body)
        time.sleep(0.2)
        return False

    return act


@fault("answer")
def reset_in_status_line(c, *_):
    c.send(b"HTTP/1.1 2")
    time.sleep(0.1)
    c.reset()


@fault("answer")
def reset_in_answer(c, head, data):
    c.send(head + data[:len(data) // 2])
    time.sleep(0.1)
    c.reset()


@fault("answer")
def closed_in_answer(c, head, data):
    c.send(head + data[:len(data) // 2])
    time.sleep(0.1)


@fault("answer")
def length_too_long(c, head, data):
    c.send(head_of(len(data) + 10) + data)
    c.hold()


@fault("answer")
def length_too_short(c, head, data):
    c.send(head_of(len(data) - 10) + data)
    return True


fault("answer", "length_negative")(says_and_ends(head_of(-1), b"{}"))
fault("answer", "length_enormous")(says_and_ends(head_of(10 ** 30), b"{}"))


@fault("answer", right=True)
def two_lengths(c, head, data):
    c.send(head_of(len(data), more="Content-Length: 5\r\n") + data)
    return True


@fault("answer")
def a_byte_a_second(c, head, data):
    c.drip(head + data)


@fault("answer")
def never_closes(c, head, data):
    """No length, no end."""
    c.send(head_of() + data)
    c.hold(to_the_end=True)


@fault("answer")
def chunks_cut_off(c, head, data):
    c.send(head_of(more="Transfer-Encoding: chunked\r\n") + b"%x\r\n" % len(data) + data[:len(data) // 2])
    time.sleep(0.1)


@fault("answer")
def chunks_without_end(c, head, data):
    """The last chunk of no bytes never comes."""
    c.send(head_of(more="Transfer-Encoding: chunked\r\n") + b"%x\r\n" % len(data) + data + b"\r\n")
    c.hold(to_the_end=True)


fault("answer", "chunk_of_no_size")(says_and_ends(head_of(more="Transfer-Encoding: chunked\r\n"), b"zz\r\n{}\r\n0\r\n\r\n"))
fault("answer", "chunk_of_huge_size")(says_and_ends(head_of(more="Transfer-Encoding: chunked\r\n"), b"ffffffffffffffff\r\n{}\r\n0\r\n\r\n"))
fault("answer", "http_0_9")(lambda c, head, data: c.send(data))
fault("answer", "http_2")(says_and_ends(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff\xff"))
fault("answer", "zeros")(says_and_ends(b"\0" * 1000))


def flood(part, seconds=20):
    """Again and again, as fast as it is taken."""
    def act(c, *_):
        fault, end = c.platform.fault, time.monotonic() + seconds
        while c.platform.fault is fault and not c.platform.closing and time.monotonic() < end:
            c.send(part * 50)

    return act


@fault("answer")
def flood_of_100(c, *_):
    flood(b"HTTP/1.1 100 Continue\r\n\r\n")(c)


@fault("answer")
def flood_of_headers(c, *_):
    c.send(b"HTTP/1.1 200 OK\r\n")
    flood(b"X-More: and more and more and more and more\r\n")(c)


@fault("answer")
def one_endless_header(c, *_):
    c.send(b"HTTP/1.1 200 OK\r\nX-More: ")
    flood(b"and more ")(c)


@fault("answer")
def huge_body(c, *_):
    c.send(head_of(1 << 30))
    flood(b" " * 1000)(c)


@fault("answer")
def huge_body_in_chunks(c, *_):
    c.send(head_of(more="Transfer-Encoding: chunked\r\n"))
    flood(b"3e8\r\n" + b" " * 1000 + b"\r\n")(c)


@fault("answer")
def early_hints(c, head, data):
    """100 Continue before the answer, which nobody asked for, and is allowed (RFC 9110, 15.2)."""
    c.send(b"HTTP/1.1 100 Continue\r\n\r\n" + head + data)
    return True


@fault("answer", right=True)
def two_answers(c, head, data):
    """One more than was asked for; it must not be taken for the answer to what comes next."""
    more = json.dumps(sealed(c.platform, 500, "{}", "left over")).encode()
    c.send(head + data + head_of(len(more)) + more)
    return True


@fault("answer")
def unpacked_by_nobody(c, head, data):
    packed = gzip.compress(data)
    c.send(head_of(len(packed), more="Content-Encoding: gzip\r\n") + packed)
    return True


@fault("answer")
def redirected_elsewhere(c, *_):
    c.send(head_of(0, "302 Found", f"Location: {c.platform.elsewhere}{c.platform.path}/{c.method}\r\n"))
    return True


@fault("answer")
def redirected_to_itself(c, *_):
    c.send(head_of(0, "307 Temporary Redirect", f"Location: https://localhost:{c.platform.port}{c.platform.path}/{c.method}\r\n"))
    return True


for code, reason in ((101, "Switching Protocols"), (204, "No Content"), (304, "Not Modified"), (401, "Unauthorized"), (404, "Not Found"), (429, "Too Many Requests"),
                     (500, "Internal Server Error"), (503, "Service Unavailable"), (999, "What")):
    fault("answer", f"status_{code}")(says(head_of(None if code in (101, 204, 304) else 0, f"{code} {reason}")))
PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
fault("answer", "page_of_a_proxy")(says(head_of(len(PAGE)), PAGE))


# The answer: what it says ---------------------------------------------------------------------------------------------------------

def spoil(name, change, only=""):
    """change(platform, envelope): the bytes instead of the right answer's."""
    def act(c, head, data):
        body = change(c.platform, json.loads(data))
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        c.send(head_of(len(body)) + body)
        return True

    fault("answer", name, only)(act)


def sealed(platform, ret=0, text="{}", msg=""):
    data = platform.keys.encrypt(text)
    return {"Ret": ret, "Msg": msg, "Data": data, "Sig": platform.keys.sign(f"{ret}{msg}{data}")}


spoil("no_body", lambda p, e: b"")
spoil("not_json", lambda p, e: b"{\"Ret\":0,,}")
spoil("a_json_list", lambda p, e: b"[0]")
spoil("cut_in_two", lambda p, e: json.dumps(e).encode()[:-30])
spoil("nested_deep", lambda p, e: b"[" * 200000)
spoil("nested_deep_objects", lambda p, e: b"{\"a\":" * 100000)
spoil("nested_deep_in_data", lambda p, e: sealed(p, text="[" * 100000))
spoil("zero_bytes_in_json", lambda p, e: json.dumps(e).encode().replace(b"\"Ret\"", b"\"Re\0t\""))
spoil("not_utf8", lambda p, e: json.dumps(e).encode().replace(b"\"Msg\": \"\"", b"\"Msg\": \"\xff\xfe\""))
spoil("sig_wrong", lambda p, e: {**e, "Sig": "0" * 32})
spoil("sig_missing", lambda p, e: {k: v for k, v in e.items() if k != "Sig"})
spoil("sig_of_another_type", lambda p, e: {**e, "Sig": 5})
spoil("data_not_base64", lambda p, e: {**e, "Data": "%%%%", "Sig": p.keys.sign("0%%%%")})
spoil("data_of_another_key", lambda p, e: {**e, "Data": "A" * 64, "Sig": p.keys.sign("0" + "A" * 64)})
spoil("ret_missing", lambda p, e: {k: v for k, v in e.items() if k != "Ret"})
spoil("ret_null", lambda p, e: {**e, "Ret": None})
spoil("ret_word", lambda p, e: {**e, "Ret": "fine"})
spoil("ret_huge", lambda p, e: json.dumps(e).encode().replace(b"\"Ret\": 0", b"\"Ret\": 99999999999999999999"))
spoil("ret_fraction", lambda p, e: {**sealed(p), "Ret": 0.5})
for number in (-1, 500, 4001, 4003, 4004, 777):
    spoil(f"ret_{number}", lambda p, e, number=number: sealed(p, number, "{}", "no"))


@fault("answer")
def ret_4002_to_all_but_logins(c, head, data):
    """Log-ins are taken, and what they give is worth nothing."""
    if c.method != "query_token":
        data = json.dumps(sealed(c.platform, 4002, "{}", "token")).encode()
        head = head_of(len(data))
    c.send(head + data)
    return True


# Signed, and yet no confirmation of this order.
spoil("confirms_another_order", lambda p, e: sealed(p, text=json.dumps(
    {"StartChargeSeq": p.another_order, "ConnectorID": "x", "ConfirmResult": 0})), only="notification_charge_order_info")


# TLS, once the handshake is over ----------------------------------------------------------------------------------------------------

def below_tls(data):
    """These bytes on the wire instead of a record that the other side could open."""
    def act(c, *_):
        socket.socket.sendall(c.raw, data)
        time.sleep(0.3)

    return act


fault("body", "garbage_record")(below_tls(b"\x17\x03\x03\x00\x40" + b"\x5a" * 64))
fault("body", "plain_alert_record")(below_tls(alert_record(80)))
fault("body", "huge_record")(below_tls(b"\x17\x03\x03\xff\xff" + b"\x5a" * 70000))


@fault("body")
def close_notify_for_an_answer(c, *_):
    c.raw.settimeout(1)
    c.tls.unwrap()
