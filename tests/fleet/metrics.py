#!/usr/bin/python3
"""What a scrape of /metrics takes of the gateway, and what a fleet of such gateways is to one Prometheus.

The station has 64 connectors; each scrape is a connection of its own (a handshake) or all share one, as Prometheus keeps them. CPU is the
gateway's own by the kernel's count, less what it takes in the same time without scrapes."""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import ssl
import sys
import time

HERE = pathlib.Path(__file__).parent
for room in ("system", "peers"):
    sys.path.insert(0, str(HERE.parent / room))
import conftest  # noqa: E402


def cpu_s(pid):
    times = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


class Scraper:
    def __init__(self, station, token, encoding="gzip"):
        self.station, self.token, self.encoding = station, token, encoding
        self.context = ssl.create_default_context(cafile=station.certs / "ca.pem")

    def connect(self):
        return http.client.HTTPSConnection("localhost", self.station.admin_port, timeout=60, context=self.context)

    def scrape(self, connection):
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {self.token}", "Accept-Encoding": self.encoding})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body

    def fresh(self, count):
        for _ in range(count):
            with contextlib.closing(self.connect()) as connection:
                body = self.scrape(connection)
        return body

    def kept(self, count):
        with contextlib.closing(self.connect()) as connection:
            for _ in range(count):
                body = self.scrape(connection)
        return body


def measure(build, connectors, count):
    station = conftest.PeerStation(build=build, tcp=connectors, line_units=(), poll_ms=1000)
    try:
        station.start_chargers()
        station.start_gateway()
        for i in range(connectors):
            station.wait_status(station.connector_id(i), 1)
        made = json.loads(station.cli("token", "add", "prometheus", "viewer", "--json").stdout)
        packed, plain = Scraper(station, made["token"]), Scraper(station, made["token"], "identity")
        pid = station.gateway.popen.pid

        def cost(scrapes):
            before, begun = cpu_s(pid), time.monotonic()
            body = scrapes(count)
            return body, cpu_s(pid) - before, time.monotonic() - begun

        idle = time.monotonic(), cpu_s(pid)
        time.sleep(20)
        idle_share = (cpu_s(pid) - idle[1]) / (time.monotonic() - idle[0])
        rows = {}
        for name, scrapes in (("fresh", packed.fresh), ("packed", packed.kept), ("plain", plain.kept)):
            body, cpu, took = cost(scrapes)
            rows[name] = (cpu - idle_share * took) / count
            rows[f"{name} bytes"] = len(body)
        return body, rows, idle_share
    finally:
        station.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--connectors", type=int, default=64)
    parser.add_argument("--scrapes", type=int, default=500)
    parser.add_argument("--gateways", type=int, default=500)
    parser.add_argument("--interval", type=int, default=15, help="seconds between two scrapes of a gateway")
    o = parser.parse_args()
    body, rows, idle = measure(o.build, o.connectors, o.scrapes)
    samples = sum(not line.startswith(b"#") for line in body.splitlines())
    packed = rows["packed bytes"]
    rate = o.gateways / o.interval
    for name, value in (
            (f"/metrics of {o.connectors} connectors: samples; bytes, packed", f"{samples}; {len(body)}, {packed}"),
            ("  a day, every {} s; packed".format(o.interval), f"{len(body) * 86400 / o.interval / 1e6:.0f} MB; {packed * 86400 / o.interval / 1e6:.0f} MB"),
            ("CPU of the gateway a scrape, packed, kept connection", f"{rows['packed'] * 1000:.2f} ms"),
            ("  not packed", f"{rows['plain'] * 1000:.2f} ms"),
            ("  packed, with a handshake each", f"{rows['fresh'] * 1000:.2f} ms"),
            (f"  of one core, every {o.interval} s (without scrapes: all of it {idle * 100:.2f} %)", f"{rows['packed'] / o.interval * 100:.3f} %"),
            (f"{o.gateways} gateways, every {o.interval} s: scrapes a second", f"{rate:.1f}"),
            ("  bytes a second; packed", f"{rate * len(body) / 1e6:.2f} MB; {rate * packed / 1e6:.2f} MB"),
            ("  samples a second; series", f"{rate * samples:.0f}; {o.gateways * samples}"),
            ("  on disk a day at 1.5 bytes a sample", f"{rate * samples * 86400 * 1.5 / 1e9:.1f} GB")):
        print(f"  {name:<80}  {value}")


if __name__ == "__main__":
    main()
