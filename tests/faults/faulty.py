"""A station with customers at every connector, whose gateway is run under the injector; what became of it."""
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "system"), str(TESTS / "peers")]
import charges  # noqa: E402
import inject  # noqa: E402
from business import PRICES  # noqa: E402
from conftest import PeerStation  # noqa: E402

CUSTOMERS = 6
# Where a library ends or crashes the program when it gets no memory. What is asked for just before (core/base/usage.h) keeps that from happening
# where memory is short, but not where one allocation is picked out: the service starts the gateway again, and nothing is lost.
KNOWN = {
    r"libc:\S+ < .*(libc:get_nss_addresses|getaddrinfo|resolve_prepare)": "glibc 2.36 reads what it has not got, or asserts",
    r"libwolfssl:.*< tls_check_peer": "wolfSSL 5.5 reads on in a certificate for whose parts it got no memory",
}


class Customer(charges.Driver):
    """In a hurry: the more charges begin and end, the more places are reached. Counts what it has had."""

    had = 0

    def charge(self):
        super().charge()
        self.had += 1


class FaultyStation(PeerStation):
    """make: tcp chargers, one serial line. die: what the gateway ended with by itself, and after which fault."""

    def __init__(self, depth):
        super().__init__(tcp=CUSTOMERS - 1, line_units=(1,), connectors=1, poll_ms=200)
        self.platform_options.update(iserv=1, policy="test", rate_per_s=1000, retry_s=1)
        self.write_policy("test", PRICES.format(name="test", elec=charges.ELEC, service=charges.SERVICE))
        self.injector = inject.Injector(self.folder, depth)
        self.gateway_under = self.injector.under()
        self.taken = charges.Platform(self, random.Random(1))
        self.taken.calm = True
        self.deaths, self.customers, self.logs = [], [], ""
        self.context = ssl.create_default_context(cafile=self.certs / "ca.pem")

    def open(self):
        """The customers come."""
        for i in range(CUSTOMERS):
            self.wait_status(self.connector_id(i), 1, 120)
        self.customers = [Customer(self, i, i) for i in range(CUSTOMERS)]
        for customer in self.customers:
            customer.stay = 1.0
            customer.start()

    def health(self):
        """Status and text of /healthz; None when nobody answers, or not in time."""
        try:
            with urllib.request.urlopen(f"https://localhost:{self.admin_port}/healthz", context=self.context, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (OSError, ValueError, http.client.HTTPException):
            return None

    def alarms(self, kind=None):
        """By the local socket; None when there is no answer, or none but why."""
        with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(10)
            s.connect(str(self.control_socket))
            s.sendall(b'{"command":"alarms","arguments":{}}\n')
            data = b""
            while not data.endswith(b"\n"):
                more = s.recv(65536)
                if not more:
                    return None
                data += more
            answer = json.loads(data)
            assert answer["result"] if answer["ok"] else answer["error"], data
            return [a for a in answer["result"]["alarms"] if kind in (None, a["kind"])] if "result" in answer else None
        return None

    def output_count(self, text):
        return self.gateway.output().count(text)

    def stand_by(self):
        """Starts a gateway that has ended by itself, as the box does, without faults, and notes why it did."""
        if self.gateway.running():
            return False
        kinds, last = self.injector.control.kinds, self.injector.last()
        self.injector.calm()
        self.deaths.append((self.gateway.popen.returncode, last, self.gateway.output()[-1500:]))
        self.logs += self.gateway.output()
        self.processes.remove(self.gateway)
        self.start_gateway(wait=False)
        self.gateway.wait_for("admin: listens on", 120)
        self.injector.control.kinds = kinds
        return True

    def unexpected(self):
        """Ends that no library is known to cause (KNOWN), but for refused starts that say why."""
        return [d for d in self.deaths if not any(re.search(pattern, d[1]) for pattern in KNOWN)
                and not (d[0] == 1 and "main: not started: " in d[2])]

    def close_and_judge(self, timeout=300):
        """No more faults, the last customers go: (charges, lost, doubled, wrong) and what has not recovered by itself."""
        self.injector.calm()
        for customer in self.customers:
            customer.over.set()
        end, stuck = time.monotonic() + timeout, []
        for customer in self.customers:
            customer.join(max(1, end - time.monotonic()))
            if customer.is_alive():
                stuck.append(f"the customer at connector {customer.index}")
        verdict = charges.Verdict(self, self.taken)
        verdict.wait(240)
        quiet = time.monotonic() + 240
        while time.monotonic() < quiet and (self.alarms() != [] or (self.health() or (0,))[0] != 200):
            time.sleep(0.5)
        stuck += [f"alarm {a['kind']} of {a['object']}: {a['cause']}" for a in (self.alarms() or [])]
        if (self.health() or (0,))[0] != 200:
            stuck.append(f"health: {self.health()}")
        self.logs += self.gateway.output()
        return verdict.figures(), stuck, verdict.differences()

    def story(self, differences):
        """What the logs say of the chargers that are not right."""
        lines = []
        for charger, *_ in differences:
            orders = re.findall(rf"order (\w{{27}}): connector {self.connector_id(charger)}", self.logs)
            pattern = "|".join([self.connector_id(charger), *set(orders)])
            lines += [line[:260] for line in self.logs.splitlines() if re.search(pattern, line)]
        return "\n".join(lines)


def seconds(default):
    """How long faults are injected: FORECOURT_FAULT_S; 0 until every place has failed."""
    return int(os.environ.get("FORECOURT_FAULT_S", str(default)))


def goes_on(begun, limit, done):
    """As long as was asked for, and on a slow machine until enough is done."""
    took = time.monotonic() - begun
    return not limit or took < limit or (not done and took < 600)


def room(frames):
    """Of the innermost function of ours."""
    for frame in frames:
        if ".c:" in frame and "core/" in frame:
            return frame.split("core/")[1].split("/")[0]
    return "libraries" if frames else "?"


def rows(injector, kinds):
    """A line a kind and room: places reached, ways that they could fail, ways that they did."""
    places = [p for p in injector.places() if p.name() in kinds]
    found = {}
    for place, frames in zip(places, injector.names(places)):
        row = found.setdefault((place.name(), room(frames)), [0, 0, 0])
        row[0] += 1
        row[1] += len(inject.WAYS_OF[place.name()])
        row[2] += len(place.ways())
    lines = [f"{'call':9} {'room':10} {'places':>7} {'ways':>6} {'failed':>7}"]
    for (kind, where), (count, ways, failed) in sorted(found.items()):
        lines.append(f"{kind:9} {where:10} {count:7} {ways:6} {failed:7}")
    lines.append(f"{'all':20} {sum(r[0] for r in found.values()):7} {sum(r[1] for r in found.values()):6} "
                 f"{sum(r[2] for r in found.values()):7}")
    return "\n".join(lines)
