"""An independent peer of the interconnection protocol, written from reference/protocol.md alone with python3-cryptography:
the platform's side as client (asks the station) and as server (takes the station's pushes). It shares no line with the
daemon nor with the C simulators, so that a common mistake can't hide."""
import base64
import datetime
import http.client
import http.server
import json
import ssl
import threading
import time

from cryptography.hazmat.primitives import hashes, hmac, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


class Keys:
    """One set of secrets: those issued by the party that implements the called interface."""

    def __init__(self, operator_secret, data_secret, iv, sig_secret):
        self.operator_secret = operator_secret
        self.data_secret, self.iv, self.sig_secret = data_secret.encode(), iv.encode(), sig_secret.encode()

    def encrypt(self, text):
        pad = padding.PKCS7(128).padder()
        plain = pad.update(text.encode() if isinstance(text, str) else text) + pad.finalize()
        run = Cipher(algorithms.AES(self.data_secret), modes.CBC(self.iv)).encryptor()
        return base64.b64encode(run.update(plain) + run.finalize()).decode()

    def decrypt(self, data):
        run = Cipher(algorithms.AES(self.data_secret), modes.CBC(self.iv)).decryptor()
        plain = run.update(base64.b64decode(data)) + run.finalize()
        pad = padding.PKCS7(128).unpadder()
        return (pad.update(plain) + pad.finalize()).decode()

    def sign(self, text):
        mac = hmac.HMAC(self.sig_secret, hashes.MD5())  # noqa: S303 - the standard asks for it
        mac.update(text.encode())
        return mac.finalize().hex().upper()


class Sequence:
    """TimeStamp and Seq: 0001.. within one second."""

    def __init__(self):
        self.second, self.count, self.lock = "", 0, threading.Lock()

    def next(self):
        with self.lock:
            now = datetime.datetime.now(SHANGHAI).strftime("%Y%m%d%H%M%S")
            self.count = self.count + 1 if now == self.second else 1
            self.second = now
            return now, f"{self.count:04d}"


def seal_request(keys, operator_id, payload, sequence, **change):
    """The five fields; change overwrites some (for wrong requests), None removes one."""
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    stamp, seq = sequence.next()
    body = {"OperatorID": operator_id, "Data": keys.encrypt(text), "TimeStamp": stamp, "Seq": seq}
    body.update({k: v for k, v in change.items() if k != "Sig"})
    body["Sig"] = change.get("Sig", keys.sign("".join(str(body.get(k) or "") for k in ("OperatorID", "Data", "TimeStamp", "Seq"))))
    return {k: v for k, v in body.items() if v is not None}


class ProtocolError(Exception):
    """The peer said something the protocol does not allow."""


class Answer:
    """A response envelope, verified: ret, msg, data (decoded or None)."""

    def __init__(self, raw, keys):
        self.raw = raw
        self.ret, self.msg = raw["Ret"], raw["Msg"]
        text = f"{raw['Ret']}{raw.get('Msg') or ''}{raw.get('Data') or ''}"
        if raw.get("Sig") != keys.sign(text):
            raise ProtocolError(f"response signature wrong: {raw}")
        self.text = keys.decrypt(raw["Data"]) if raw.get("Data") else None
        self.data = json.loads(self.text) if self.text else None


class Client:
    """Asks the station, as a platform does. keys: the station's set."""

    def __init__(self, port, operator_id, keys, ca=None, path="/evcs/v20160701", certificate=None, key=None, host="localhost", source=None):
        self.port, self.host, self.path = port, host, path
        self.operator_id, self.keys = operator_id, keys
        self.sequence, self.token = Sequence(), None
        self.source = source  # our address, for a station that counts connections by address; None = any
        self.used = 0
        self.observe = None  # called with (method, what was sent, HTTP status, headers and text of the answer)
        self.context = ssl.create_default_context(cafile=ca) if ca else None
        if certificate:
            self.context.load_cert_chain(certificate, key)
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def post(self, method, body, token=True, headers=None):
        """Raw: (HTTP status, text of the body)."""
        # The station closes a connection that has rested for a minute.
        if time.monotonic() - self.used > 40:
            self.close()
        self.used = time.monotonic()
        if self.connection is None:
            options = dict(timeout=20, source_address=(self.source, 0) if self.source else None)
            self.connection = (http.client.HTTPSConnection(self.host, self.port, context=self.context, **options) if self.context
                               else http.client.HTTPConnection(self.host, self.port, **options))
        head = {"Content-Type": "application/json;charset=utf-8"}
        if token:
            head["Authorization"] = f"Bearer {self.token if token is True else token}"
        head.update(headers or {})
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        try:
            self.connection.request("POST", f"{self.path}/{method}", body=data, headers=head)
            answer = self.connection.getresponse()
            text = answer.read().decode()
            if self.observe:
                self.observe(method, data, answer.status, answer.headers, text)
            return answer.status, text
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def call(self, method, payload, token=True, **change):
        status, text = self.post(method, seal_request(self.keys, self.operator_id, payload, self.sequence, **change), token)
        if status != 200:
            raise ProtocolError(f"HTTP {status}: {text[:200]}")
        return Answer(json.loads(text), self.keys)

    def login(self, secret=None, operator_id=None):
        answer = self.call("query_token", {"OperatorID": operator_id or self.operator_id,
                                           "OperatorSecret": secret or self.keys.operator_secret}, token=False)
        if answer.ret == 0 and answer.data["SuccStat"] == 0:
            self.token = answer.data["AccessToken"]
        return answer


class Platform:
    """What a platform knows and answers, whatever carries it. keys: the platform's set. Keeps what came in .received as
    (method, payload); .answers[method] may hold a function payload -> (Ret, payload or None); a payload may be JSON text."""

    def __init__(self, keys, path="/evcs/v20160701"):
        self.keys, self.path = keys, path
        self.received, self.problems, self.tokens, self.logins = [], [], set(), 0
        self.answers = {}
        self.token_life = 7200
        self.stamps = set()
        self.changed = threading.Condition()

    def reply(self, ret, payload=None, msg=""):
        text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
        data = self.keys.encrypt(text) if payload is not None else ""
        return {"Ret": ret, "Msg": msg, "Data": data, "Sig": self.keys.sign(f"{ret}{msg}{data}")}

    def problem(self, text):
        with self.changed:
            self.problems.append(text)
            self.changed.notify_all()

    def take(self, path, authorization, body):
        method = path.rsplit("/", 1)[-1]
        if path != f"{self.path}/{method}":
            self.problem(f"path {path}")
        try:
            envelope = json.loads(body)
            fields = [envelope[k] for k in ("OperatorID", "Data", "TimeStamp", "Seq")]
        except (ValueError, KeyError) as error:
            self.problem(f"{method}: envelope: {error}: {body[:80]!r}")
            return self.reply(4003)
        if not all(isinstance(f, str) for f in fields) or len(fields[2]) != 14 or len(fields[3]) != 4:
            self.problem(f"{method}: envelope fields: {fields}")
        if (fields[2], fields[3]) in self.stamps:
            self.problem(f"{method}: TimeStamp and Seq used twice: {fields[2]} {fields[3]}")
        self.stamps.add((fields[2], fields[3]))
        if envelope.get("Sig") != self.keys.sign("".join(fields)):
            self.problem(f"{method}: signature")
            return self.reply(4001)
        payload = json.loads(self.keys.decrypt(envelope["Data"]))
        if method == "query_token":
            return self.take_login(payload)
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return self.reply(4002, msg="token")
        with self.changed:
            self.received.append((method, payload))
            self.changed.notify_all()
        answer = self.answers.get(method)
        ret, data = answer(payload) if answer else (0, {"Status": 0})
        return self.reply(ret, data)

    def take_login(self, payload):
        self.logins += 1
        right = payload.get("OperatorSecret") == self.keys.operator_secret
        token = f"token-{self.logins:04d}-of-the-python-peer" if right else ""
        if right:
            self.tokens.add(token)
        return self.reply(0, {"OperatorID": payload.get("OperatorID"), "SuccStat": 0 if right else 1, "AccessToken": token,
                              "TokenAvailableTime": self.token_life, "FailReason": 0 if right else 2})

    def wait(self, condition, timeout=60):
        """Waits until condition(received) is true; the value."""
        with self.changed:
            found = self.changed.wait_for(lambda: condition(self.received), timeout)
        assert found, f"not seen in {timeout} s; received {self.received[-5:]}, problems {self.problems[-5:]}"
        return found


class Server(Platform):
    """Takes the station's calls, as a platform does."""

    def __init__(self, keys, certificate, key, client_ca=None, path="/evcs/v20160701"):
        super().__init__(keys, path)
        # Called with (path, headers and text of the call) before it counts as received, and with (path, envelope of our answer).
        self.observe, self.observe_answer = None, None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                if len(body) < length:  # the station ended in the middle of its request: no message
                    self.close_connection = True
                    return
                if outer.observe:
                    outer.observe(self.path, self.headers, body.decode())
                answer = outer.take(self.path, self.headers.get("Authorization", ""), body)
                if outer.observe_answer:
                    outer.observe_answer(self.path, answer)
                data = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json;charset=utf-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *unused):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *unused):  # a refused handshake is part of the tests
                pass

        self.httpd = Quiet(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        self.httpd.socket = context.wrap_socket(self.httpd.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.httpd.server_address[1]
        self.thread = threading.Thread(target=self.httpd.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()
