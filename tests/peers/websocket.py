"""A WebSocket client from RFC 6455 alone, over TLS or plain, that can also do what none should: frames of any kind, without a mask,
too long, in pieces. It counts what comes over the wire (TLS records and all) beside what is in it."""
import base64
import hashlib
import json
import os
import socket
import ssl
import struct
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Closed(Exception):
    """The other side closed; code: of its close frame, None when there was none."""

    def __init__(self, code=None):
        super().__init__(code)
        self.code = code


class WebSocket:
    """status is that of the handshake's answer; only 101 makes a conversation."""

    def __init__(self, port, path="/api/live", ca=None, headers=(), host=None, origin="", receive_buffer=0, timeout=30):
        host = host or f"localhost:{port}"
        self.timeout = timeout
        self.wire_in = self.payload_in = self.messages_in = self.pings = 0
        self.answers_pings, self.ended = True, False
        self.plain = b""  # received and not looked at yet
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.raw.settimeout(timeout)
        self.raw.connect(("127.0.0.1", port))
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = None
        if ca:
            context = ssl.create_default_context(cafile=str(ca))
            self.to_tls, self.from_tls = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = context.wrap_bio(self.to_tls, self.from_tls, server_hostname="localhost")
            self._handshake()
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                 f"Sec-WebSocket-Key: {key.decode()}"]
        if origin is not None:
            lines.append(f"Origin: {origin or f'https://{host}'}")
        lines += [f"{name}: {value}" for name, value in dict(headers).items()]
        self._send("\r\n".join(lines).encode() + b"\r\n\r\n")
        end = time.monotonic() + timeout
        try:
            while b"\r\n\r\n" not in self.plain:
                self._receive(end)
        except Closed:  # with the answer, when it is a refusal
            if b"\r\n\r\n" not in self.plain:
                raise
        head, self.plain = self.plain.split(b"\r\n\r\n", 1)
        self.head = head.decode("latin-1")
        self.status = int(self.head.split(" ", 2)[1])
        if self.status == 101:
            accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
            assert f"sec-websocket-accept: {accept}".lower() in self.head.lower(), self.head
        self.wire_in = self.payload_in = 0  # of the conversation alone

    # The line -------------------------------------------------------------------------------------------------------

    def _flush(self):
        data = self.from_tls.read()
        if data:
            self.raw.sendall(data)

    def _handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                data = self.raw.recv(65536)
                if not data:
                    raise Closed() from None
                self.to_tls.write(data)

    def _send(self, data):
        if self.tls:
            self.tls.write(data)
            self._flush()
        else:
            self.raw.sendall(data)

    def feed(self, data):
        """Bytes from the wire."""
        self.wire_in += len(data)
        if not self.tls:
            self.plain += data
            return
        self.to_tls.write(data)
        while True:
            try:
                part = self.tls.read(65536)
            except ssl.SSLWantReadError:
                break
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                part = b""
            if not part:  # what came before is looked at first
                self.ended = True
                return
            self.plain += part
        self._flush()

    def _receive(self, end):
        if self.ended:
            raise Closed()
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("nothing came")
        self.raw.settimeout(left)
        try:
            data = self.raw.recv(65536)
        except ConnectionResetError:
            raise Closed() from None
        except socket.timeout:
            raise TimeoutError("nothing came") from None
        if not data:
            raise Closed()
        self.feed(data)

    # Frames ---------------------------------------------------------------------------------------------------------

    def send_frame(self, opcode, payload=b"", fin=True, mask=True, length=None):
        """length: what the head says, whatever comes."""
        payload = payload.encode() if isinstance(payload, str) else payload
        n = len(payload) if length is None else length
        head = bytes([opcode | (0x80 if fin else 0)])
        bit = 0x80 if mask else 0
        if n < 126:
            head += bytes([bit | n])
        elif n < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", n)
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", n)
        if mask:
            key = os.urandom(4)
            head += key
            payload = bytes(b ^ key[i % 4] for i, b in enumerate(payload))
        self._send(head + payload)

    def send(self, what):
        self.send_frame(TEXT, json.dumps(what))

    def take_frame(self):
        """The next one that is there as a whole: (opcode, fin, payload), or None."""
        data = self.plain
        if len(data) < 2:
            return None
        n, at = data[1] & 0x7f, 2
        assert not data[1] & 0x80, "a server's frame has no mask"
        if n == 126:
            if len(data) < 4:
                return None
            (n,), at = struct.unpack(">H", data[2:4]), 4
        elif n == 127:
            if len(data) < 10:
                return None
            (n,), at = struct.unpack(">Q", data[2:10]), 10
        if len(data) < at + n:
            return None
        assert not data[0] & 0x70, "no extension was agreed"
        self.plain = data[at + n:]
        return data[0] & 0x0f, bool(data[0] & 0x80), data[at:at + n]

    def take_message(self, parts):
        """A whole text, when there is one; parts: a list that keeps what has come of it. Answers pings."""
        while True:
            frame = self.take_frame()
            if frame is None:
                return None
            opcode, fin, payload = frame
            if opcode == PING:
                self.pings += 1
                if self.answers_pings:
                    self.send_frame(PONG, payload)
            elif opcode == CLOSE:
                raise Closed(struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None)
            elif opcode in (TEXT, CONTINUATION):
                assert (opcode == CONTINUATION) == bool(parts), "a message in pieces, or two mixed"
                parts.append(payload)
                if fin:
                    text = b"".join(parts)
                    parts.clear()
                    self.payload_in += len(text)
                    self.messages_in += 1
                    return text.decode()

    def receive(self, timeout=None):
        """The next message, as JSON. TimeoutError, Closed."""
        end = time.monotonic() + (timeout or self.timeout)
        parts = getattr(self, "_parts", [])
        self._parts = parts
        while True:
            text = self.take_message(parts)
            if text is not None:
                return json.loads(text)
            self._receive(end)

    def wait_closed(self, timeout=None):
        """Reads to the end: the close frame's code, or None."""
        end = time.monotonic() + (timeout or self.timeout)
        try:
            while True:
                self.receive(max(end - time.monotonic(), 0.01))
        except Closed as closed:
            return closed.code

    def close(self):
        self.raw.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
