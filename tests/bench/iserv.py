#!/usr/bin/python3
"""Answering under load: the gateway beside a bare libwebsockets server and beside the same answers by Node.js, over the same TLS, in the
same run (bench_iserv.c); and whole TLS handshakes with each."""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
import figures  # noqa: E402
import harness  # noqa: E402
import peer  # noqa: E402

HERE = pathlib.Path(__file__).parent
PLATFORMS = 32  # each may ask 1000 times a second and no more
RATIO, NODE_RATIO, P99_MS = 0.5, 5, 10


def operator_id(i):
    return f"1234567{i:02d}"


class LoadedStation(harness.Station):
    """Platforms that ask and can't be reached, each with a mapping and a charger: one connector plugged in, one charging."""

    def __init__(self, mapping="bench", **more):
        super().__init__(tcp=PLATFORMS, line_units=(), connectors=2, mapping=mapping, **more)
        shutil.copy(HERE / f"{mapping}.lua", self.lua / "operators")
        self.log_level = "notice"  # as it is delivered
        self.bare_port, self.node_port = harness.free_port(), harness.free_port()

    def config_text(self):
        listen = "config listen 'platforms'\n"
        return super().config_text().replace(
            listen, listen + "\toption max_connections '128'\n\toption max_connections_peer '128'\n")

    def platform_text(self, name="", port=None, **more):
        return "".join(
            super(LoadedStation, self).platform_text(
                f"p{i}", operator_id=operator_id(i), path=f"/evcs/p{i}", iserv=1, policy="four-period", rate_per_s=1000,
                retry_s=600) for i in range(PLATFORMS))

    def callers(self):
        """Plugs in, starts the charges, waits for them: the lines that bench_iserv reads."""
        lines, waiting = [], []
        for i in range(PLATFORMS):
            self.ask_chargers(f"plug {i} 1")
            self.ask_chargers(f"plug {i} 2")
        for i in range(PLATFORMS):
            client = peer.Client(self.listen_port, operator_id(i), peer.Keys(*harness.OURS), self.certs / "ca.pem", f"/evcs/p{i}")
            client.login()
            seq, plugged, charging = f"{operator_id(i)}{i + 1:018d}", self.connector_id(i, 1), self.connector_id(i, 2)
            for connector in (plugged, charging):
                ask = {"equipAuthSeq": seq, "connectorID": connector}
                self.until(lambda c=client, ask=ask: c.call("query_equip_auth", ask).data["SuccStat"] == 0, 60, "a car")
            started = client.call("query_start_charge", {"startChargeSeq": seq, "connectorID": charging, "qrCode": ""})
            assert started.data["SuccStat"] == 0, started.text
            waiting.append((client, {"startChargeSeq": seq}))
            lines.append(" ".join((f"/evcs/p{i}", operator_id(i), client.token, *harness.OURS[1:], plugged, charging, seq)))
        for client, ask in waiting:
            self.until(lambda c=client, ask=ask: c.call("query_equip_charge_status", ask).data["StartChargeSeqStat"] == 2,
                       60, "a charge")
            client.close()
        return "\n".join(lines) + "\n"


def measure(build, seconds, rounds, keep=None, mapping="bench"):
    """The figures of bench_iserv; keep(station) runs before the station ends. mapping: bench or bench-functions."""
    with LoadedStation(build=build, mapping=mapping) as station:
        station.start_chargers()
        station.start_gateway()
        bare = station.add(harness.Process(
            [station.build / "bench" / "bench_bare", station.bare_port, station.certs / "server.pem", station.certs / "server.key"],
            station.folder, "bare", r"(?m)^ready"))
        callers = station.folder / "callers"
        callers.write_text(station.callers())
        node = "-"
        if shutil.which("node"):
            process = station.add(harness.Process(
                ["node", HERE / "answer_node.mjs", station.node_port, station.certs / "server.pem", station.certs / "server.key", callers],
                station.folder, "node", r"(?m)^ready"))
            node = f"{station.node_port}:{process.popen.pid}"
        command = [station.build / "bench" / "bench_iserv", f"{station.listen_port}:{station.gateway.popen.pid}",
                   f"{station.bare_port}:{bare.popen.pid}", node, station.certs / "ca.pem", callers, seconds, rounds]
        if keep:
            return keep(station, command)
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)


def rows(f):
    """The lines of the benchmark table."""
    gateway, bare, node = f["gateway"], f["bare"], f.get("node")

    def verdict(met):
        return "met" if met else "NOT met"

    def shares(x):
        return f"{x['cpu_share'] * 100:.0f} %, {x['generator_share'] * 100:.0f} %"

    return [
        ("Iserv answers, 64 connections, whole path", f"{gateway['per_second']} a second"),
        ("  bare libwebsockets over the same TLS", f"{bare['per_second']} a second"),
        (f"  ratio (goal {RATIO})", f"{f['ratio']:.2f}, {verdict(f['ratio'] >= RATIO)}"),
        ("  ratio of processor time an answer", f"{f['cpu_ratio']:.2f} ({bare['cpu_us']:.0f} us, {gateway['cpu_us']:.0f} us)"),
        (f"  50th and 99th percentile (goal {P99_MS} ms)",
         f"{gateway['p50_ms']:.1f} ms, {gateway['p99_ms']:.1f} ms, {verdict(gateway['p99_ms'] < P99_MS)}"),
        ("  the same of the bare server", f"{bare['p50_ms']:.1f} ms, {bare['p99_ms']:.1f} ms"),
        ("  processor: gateway, generator", shares(gateway)),
        ("  of that the gateway at rest, which is no answer's", f"{gateway['rest_share'] * 100:.1f} %"),
        ("  processor: bare server, generator", shares(bare)),
        ("  answers, of these opened, wrong", f"{gateway['answers']}, {gateway['opened']}, {gateway['wrong'] + bare['wrong']}"),
        ("  TLS of both", f"{gateway['cipher']}" + ("" if gateway["cipher"] == bare["cipher"] else f" AND {bare['cipher']}")),
    ] + ([] if not node else [
        ("  the same answers by Node.js", f"{node['per_second']} a second; {node['p50_ms']:.1f} ms, {node['p99_ms']:.1f} ms; TLS {node['cipher']}"),
        (f"  ratio to it (goal {NODE_RATIO})", f"{f['node_ratio']:.2f}, {verdict(f['node_ratio'] >= NODE_RATIO)}"),
        ("  ratio of processor time to it", f"{f['node_cpu_ratio']:.2f} ({node['cpu_us']:.0f} us)"),
        ("  answers of Node.js: all, of these opened, wrong", f"{node['answers']}, {node['opened']}, {node['wrong']}"),
    ]) + [
        ("TLS handshakes a second, one after the other", ", ".join(
            f"{name} {f[name]['handshakes_per_second']:.0f} ({f[name]['handshake_cpu_us'] / 1000:.1f} ms of the processor)"
            for name in ("gateway", "bare", "node") if name in f)),
    ]


def goals(f):
    """The same for bench.json."""
    gateway = f["gateway"]
    detail = {name: f[name] for name in ("gateway", "bare", "node") if name in f}
    if "node" in f:
        beside_node = figures.figure("iserv.beside_node", "Iserv answers a second beside the same answers by Node.js", f["node_ratio"], "ratio",
                                     at_least=NODE_RATIO, by_processor_time=f["node_cpu_ratio"])
    else:
        beside_node = figures.skipped("iserv.beside_node", "Iserv answers a second beside the same answers by Node.js", "there is no node here")
    return [
        figures.figure("iserv.beside_libwebsockets", "Iserv answers a second beside bare libwebsockets over the same TLS", f["ratio"], "ratio",
                       at_least=RATIO, by_processor_time=f["cpu_ratio"], rounds=f["rounds"], **detail),
        beside_node,
        figures.figure("iserv.p99", "Iserv 99th percentile, 64 connections", gateway["p99_ms"], "ms", below=P99_MS, p50_ms=gateway["p50_ms"],
                       bare_p99_ms=f["bare"]["p99_ms"]),
        figures.figure("iserv.wrong", "answers that were wrong", sum(f[n]["wrong"] for n in detail), "answers", at_most=0),
        figures.figure("tls.handshakes", "TLS handshakes a second, one after the other", gateway["handshakes_per_second"], "1/s",
                       cpu_us=gateway["handshake_cpu_us"],
                       bare_per_second=f["bare"]["handshakes_per_second"], bare_cpu_us=f["bare"]["handshake_cpu_us"]),
    ]


def show(table):
    width = max(len(name) for name, _ in table)
    for name, value in table:
        print(f"  {name:<{width}}  {value}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mapping", default="bench", choices=("bench", "bench-functions"))
    args = parser.parse_args()
    show(rows(measure(args.build, args.seconds, args.rounds, mapping=args.mapping)))
