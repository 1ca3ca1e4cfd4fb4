"""One platform for a whole fleet: plain HTTP, the protocol's envelopes (tests/peers/peer.py has the cryptography), a limit of requests a
second, outages. It knows each gateway by its OperatorID, and when each was heard, by the run's clock."""
import asyncio
import json
import threading

import peer

ORDER = "notification_charge_order_info_for_bonus"


class Platform:
    """limit: requests a second that are taken, with one second's worth at once at most; 0: all. What is above is answered by refusal:
    an HTTP status, or (status, seconds) with Retry-After."""

    def __init__(self, clock, keys, path="/evcs/v20160701"):
        self.clock, self.keys, self.path = clock, keys, path
        self.away, self.limit, self.refusal = False, 0, 503
        self.level, self.filled = 0.0, 0.0
        self.tokens, self.logins = {}, 0
        self.heard = []      # (when, gateway, method, Ret; or what HTTP said)
        self.tries = []      # (when, gateway) while it was away
        self.orders = {}     # by gateway: its orders (number, begin, energy in 0.01 kWh), as often as they came
        self.problems = []
        self.writers = set()
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.ready.wait()

    def run(self):
        asyncio.set_event_loop(self.loop)

        async def begin():
            self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=4096)
            self.port = self.server.sockets[0].getsockname()[1]
            self.ready.set()

        self.loop.run_until_complete(begin())
        self.loop.run_forever()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def leave(self):
        """Connections break, and from now on each breaks at its request."""
        def gone():
            self.away = True
            for writer in self.writers:
                writer.transport.abort()
        self.loop.call_soon_threadsafe(gone)

    def come_back(self, forget_tokens=True):
        """Restarted: as a rule without memory of the tokens that it gave."""
        def back():
            if forget_tokens:
                self.tokens.clear()
            self.level, self.filled, self.away = float(self.limit), self.clock.now(), False
        self.loop.call_soon_threadsafe(back)

    async def serve(self, reader, writer):
        self.writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if not body:
                    self.problems.append(f"a request without a body: {head!r}")
                    break
                if self.away:
                    self.tries.append((self.clock.now(), json.loads(body)["OperatorID"]))
                    writer.transport.abort()
                    break
                writer.write(self.answer(lines[0].split(" ")[1], headers, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    def is_above(self, now):
        if not self.limit:
            return False
        self.level = min(float(self.limit), self.level + (now - self.filled) * self.limit)
        self.filled = now
        if self.level < 1:
            return True
        self.level -= 1
        return False

    def answer(self, path, headers, body):
        now, method = self.clock.now(), path.rsplit("/", 1)[-1]
        envelope = json.loads(body)
        gateway = envelope["OperatorID"]
        above = self.is_above(now)
        if above:
            status, rest = self.refusal if isinstance(self.refusal, tuple) else (self.refusal, 0)
            self.heard.append((now, gateway, method, status))
            after = f"Retry-After: {rest}\r\n" if rest else ""
            return f"HTTP/1.1 {status} Busy\r\n{after}Content-Length: 0\r\n\r\n".encode()
        answer = self.take(gateway, method, headers, envelope)
        self.heard.append((now, gateway, method, answer["Ret"]))
        data = json.dumps(answer).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)

    def reply(self, ret, payload=None, msg=""):
        data = self.keys.encrypt(json.dumps(payload)) if payload is not None else ""
        return {"Ret": ret, "Msg": msg, "Data": data, "Sig": self.keys.sign(f"{ret}{msg}{data}")}

    def take(self, gateway, method, headers, envelope):
        if envelope["Sig"] != self.keys.sign("".join(envelope[k] for k in ("OperatorID", "Data", "TimeStamp", "Seq"))):
            self.problems.append(f"{gateway}: {method}: signature")
            return self.reply(4001)
        payload = json.loads(self.keys.decrypt(envelope["Data"]))
        if method == "query_token":
            self.logins += 1
            self.tokens[gateway] = f"token-{self.logins:08d}-of-the-fleet"
            return self.reply(0, {"OperatorID": gateway, "SuccStat": 0, "AccessToken": self.tokens[gateway],
                                  "TokenAvailableTime": 7200, "FailReason": 0})
        if headers.get("authorization", "").removeprefix("Bearer ") != self.tokens.get(gateway):
            return self.reply(4002, msg="token")
        if method == ORDER:
            self.orders.setdefault(gateway, []).append((payload["StartChargeSeq"], payload["StartTime"], round(payload["TotalPower"] * 100)))
            return self.reply(0, {"StartChargeSeq": payload["StartChargeSeq"], "ConnectorID": payload["ConnectorID"], "ConfirmResult": 0})
        return self.reply(0, {"Status": 0})


def keys():
    import harness  # what the other tests use as the platform's secrets
    return peer.Keys(*harness.THEIRS)
