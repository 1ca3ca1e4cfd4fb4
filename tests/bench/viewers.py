#!/usr/bin/python3
"""What it costs that many look: 200 pages kept live over TLS while 64 connectors charge, polls run and a platform asks; each round
without and with them, in one run. Bytes of one viewer are counted on the wire, TLS records and all."""
import argparse
import json
import pathlib
import re
import selectors
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import conftest  # noqa: E402
import page  # noqa: E402
import websocket  # noqa: E402

CHARGERS, CONNECTORS, VIEWERS = 32, 2, 200
WIRE_GOAL = 10_000  # bytes a second
EACH = 0.02  # seconds between two questions of the platform


class Watcher:
    """A viewer that only counts, and notices a gap."""

    def __init__(self, wire):
        self.wire, self.parts, self.seq, self.alls, self.gaps, self.kinds = wire, [], None, 0, 0, {}

    def take(self):
        while True:
            text = self.wire.take_message(self.parts)
            if text is None:
                return
            seq, kind = re.match(r'\{"seq":(\d+),"(\w+)":', text).groups()
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self.gaps += kind == "patch" and int(seq) != self.seq + 1
            self.alls += kind == "all"
            self.seq = int(seq)


def child(port, ca, cookie, count):
    """The viewers, in a process of their own: their work is not the measuring client's."""
    chosen = selectors.DefaultSelector()
    watchers = []
    begun = time.monotonic()
    for _ in range(count):
        wire = websocket.WebSocket(port, ca=ca, headers={"Cookie": cookie})
        assert wire.status == 101, wire.head
        wire.raw.setblocking(False)
        watchers.append(Watcher(wire))
        watchers[-1].take()
        chosen.register(wire.raw, selectors.EVENT_READ, watchers[-1])
    chosen.register(sys.stdin, selectors.EVENT_READ, None)
    took = time.monotonic() - begun
    told = False
    since = time.monotonic()
    closed = 0
    while True:
        for key, _ in chosen.select(1):
            if key.data is None:
                if not sys.stdin.readline():
                    return
                seconds = time.monotonic() - since
                print(json.dumps({
                    "seconds": seconds, "closed": closed, "gaps": sum(w.gaps for w in watchers), "alls": sum(w.alls for w in watchers),
                    "kinds": watchers[0].kinds,
                    "wire": [w.wire.wire_in / seconds for w in watchers], "payload": [w.wire.payload_in / seconds for w in watchers]}),
                    flush=True)
                continue
            try:
                data = key.data.wire.raw.recv(65536)
            except BlockingIOError:
                continue
            if not data:
                closed += 1
                chosen.unregister(key.fileobj)
                continue
            key.data.wire.feed(data)
            key.data.take()
        if not told and all(w.alls for w in watchers):
            told = True
            for w in watchers:  # of what changes: the first view is counted apart
                w.wire.wire_in = w.wire.payload_in = 0
            since = time.monotonic()
            print(json.dumps({"connected_s": took}), flush=True)


class Viewers:
    def __init__(self, station, looks, count):
        self.popen = subprocess.Popen([sys.executable, "-B", __file__, "--child", str(looks.port), str(looks.ca), f"__Host-forecourt={looks.cookie}", str(count)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.popen.stdout.readline()
        assert line, "the viewers did not connect"
        self.connected_s = json.loads(line)["connected_s"]

    def figures(self):
        self.popen.stdin.write("figures\n")
        self.popen.stdin.flush()
        return json.loads(self.popen.stdout.readline())

    def stop(self):
        self.popen.stdin.close()
        self.popen.wait(60)
        self.popen.stdout.close()


class BusyStation(conftest.PeerStation):
    def __init__(self, **more):
        super().__init__(tcp=CHARGERS, line_units=(), connectors=CONNECTORS, **more)
        self.log_level = "notice"
        self.platform_options.update(iserv=1, policy="four-period", rate_per_s=1000, retry_s=600)

    def config_text(self):
        return super().config_text().replace("config admin 'admin'\n", f"config admin 'admin'\n\toption max_viewers '{VIEWERS + 8}'\n")

    def charge_all(self, looks):
        """Every connector charges; the number of a charge that the platform started."""
        asked, plugged = self.connector_id(0, 1), [self.connector_id(c, n) for c in range(CHARGERS) for n in range(1, CONNECTORS + 1)]
        for c in range(CHARGERS):
            for n in range(1, CONNECTORS + 1):
                self.ask_chargers(f"plug {c} {n}")
        self.until(lambda: looks.look("overview")["totals"]["occupied"] == len(plugged), 120, "cars")
        self.client.login()
        seq = f"{conftest.harness.PLATFORM_OPERATOR}{1:018d}"
        answer = self.client.call("query_equip_auth", {"EquipAuthSeq": seq, "ConnectorID": asked})
        assert answer.data and answer.data["SuccStat"] == 0, answer
        self.client.call("query_start_charge", {"StartChargeSeq": seq, "ConnectorID": asked, "QRCode": ""})
        for connector in plugged:
            if connector != asked:
                done = self.cli("start", connector)
                assert done.returncode == 0, done.stderr
        self.until(lambda: looks.look("overview")["totals"]["charging"] == len(plugged), 180, "charges")
        return seq

    def rss_kb(self):
        text = pathlib.Path(f"/proc/{self.gateway.popen.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.gateway.popen.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100


def ask(station, seq, seconds):
    """Round trips of the platform's questions, in ms; and what the polls did meanwhile."""
    before, cpu, begun = station.stats()["polls"], station.cpu_s(), time.monotonic()
    times = []
    while time.monotonic() - begun < seconds:
        at = time.monotonic()
        answer = station.client.call("query_equip_charge_status", {"StartChargeSeq": seq})
        times.append((time.monotonic() - at) * 1000)
        assert answer.data["StartChargeSeqStat"] == 2, answer
        time.sleep(max(0, EACH - (time.monotonic() - at)))
    elapsed, cpu = time.monotonic() - begun, station.cpu_s() - cpu
    stats = station.stats()
    after = stats["polls"]
    return {"times": times, "cpu": cpu / elapsed, "pause_us": stats["loop"]["recent_us"],
            **{k: after[k] - before[k] for k in ("due", "missed", "late", "polls")}}


def gather(rounds):
    times = sorted(t for r in rounds for t in r["times"])
    return {"mean": statistics.mean(times), "p99": times[int(len(times) * 0.99)], "answers": len(times),
            "cpu": statistics.mean(r["cpu"] for r in rounds), "pause_us": max(r["pause_us"] for r in rounds),
            **{k: sum(r[k] for r in rounds) for k in ("due", "missed", "late", "polls")}}


def measure(build, seconds, rounds):
    station = BusyStation(build=build)
    try:
        station.start_chargers()
        station.start_gateway()
        looks = page.Page(station)
        seq = station.charge_all(looks)
        # Before any is measured: what a first round costs once (memory, caches) is no viewer's.
        Viewers(station, looks, 8).stop()
        time.sleep(2)
        alone, watched, figures, rss, connected = [], [], [], [], []
        for _ in range(rounds):
            alone.append(ask(station, seq, seconds))
            before = station.rss_kb()
            viewers = Viewers(station, looks, VIEWERS)
            connected.append(viewers.connected_s)
            time.sleep(2)  # until the handshakes' memory is given back
            watched.append(ask(station, seq, seconds))
            rss.append((station.rss_kb() - before) / VIEWERS)
            figures.append(viewers.figures())
            viewers.stop()
            time.sleep(2)
        first = len(json.dumps(looks.look("overview"), ensure_ascii=False, separators=(",", ":")).encode())
        return {"alone": gather(alone), "watched": gather(watched), "rss_kb": rss[0], "connected_s": min(connected), "first_bytes": first,
                "wire": statistics.mean(w for f in figures for w in f["wire"]),
                "payload": statistics.mean(w for f in figures for w in f["payload"]),
                "closed": sum(f["closed"] for f in figures), "gaps": sum(f["gaps"] for f in figures), "kinds": figures[-1]["kinds"],
                "alls": sum(f["alls"] for f in figures) / rounds / VIEWERS}
    finally:
        station.stop()


def rows(f):
    a, w = f["alone"], f["watched"]

    def polls(x):
        return f"{x['missed']} missed, {x['late']} late of {x['due']}"

    return [
        (f"viewers over TLS, connectors that charge", f"{VIEWERS}, {CHARGERS * CONNECTORS}"),
        ("  polls without viewers", polls(a)),
        ("  polls with them", polls(w)),
        ("  Iserv round trip without: mean, p99", f"{a['mean']:.2f} ms, {a['p99']:.2f} ms ({a['answers']} answers)"),
        ("  Iserv round trip with them: mean, p99", f"{w['mean']:.2f} ms, {w['p99']:.2f} ms ({w['answers']} answers)"),
        ("  ratio: mean, p99", f"{w['mean'] / a['mean']:.2f}, {w['p99'] / a['p99']:.2f}"),
        ("  processor of the gateway without, with", f"{a['cpu'] * 100:.1f} %, {w['cpu'] * 100:.1f} %"),
        ("  longest pause of the loop without, with", f"{a['pause_us'] / 1000:.1f} ms, {w['pause_us'] / 1000:.1f} ms"),
        ("  all connected after", f"{f['connected_s']:.1f} s ({f['connected_s'] / VIEWERS * 1000:.1f} ms each, client included)"),
        ("  resident memory a viewer", f"{f['rss_kb']:.1f} kB"),
        (f"  one viewer's line (goal {WIRE_GOAL / 1000:.0f} kB/s)", f"{f['wire'] / 1000:.2f} kB/s with TLS, {f['payload'] / 1000:.2f} kB/s of JSON, "
         f"{'met' if f['wire'] <= WIRE_GOAL else 'NOT met'}"),
        ("  the first view", f"{f['first_bytes'] / 1000:.1f} kB"),
        ("  lost: connections, messages", f"{f['closed']}, {f['gaps']}"),
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
        sys.exit(0)
    import iserv  # noqa: E402
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--seconds", type=float, default=10, help="of questions, without and with viewers in each round")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    iserv.show(rows(measure(args.build, args.seconds, args.rounds)))
