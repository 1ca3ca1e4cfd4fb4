#!/usr/bin/python3
"""A fleet of real gateways, one platform that goes away and comes back: what it sees of them then (README.md)."""
import argparse
import collections
import contextlib
import datetime
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
for room in ("soak", "system", "peers"):
    sys.path.insert(0, str(HERE.parent / room))
import clock  # noqa: E402
import harness  # noqa: E402
import fleet_platform  # noqa: E402

ROOT = HERE.parents[1]
AT_ONCE = 10       # gateways that start together
LONGEST_S = 1800   # a charge and the telling of it
PATIENCE_S = 900   # of real time: a machine may have much else to do
MAPPING = """return { forecourt = 1, kind = "operator", name = "fleet", description = "Every order, whoever started the charge",
  methods = { notification_charge_order_info_for_bonus = true } }
"""
POLICY = """return { forecourt = 1, kind = "policy", name = "fleet", prices = { { start = "00:00", elec = 0.8, service = 0.4 } } }
"""


class Fleet:
    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="forecourt-fleet-"))
        self.build = (ROOT / options.build).resolve()
        begins = datetime.datetime.fromisoformat(options.begin).replace(tzinfo=clock.SHANGHAI)
        self.clock = clock.Clock(self.folder, begins, options.most, options.window)
        self.platform = fleet_platform.Platform(self.clock, fleet_platform.keys())
        self.port = harness.free_port(options.gateways)
        self.control = self.folder / "chargers.sock"
        self.processes, self.results, self.sessions = [], [], {}
        self.lua = self.folder / "lua"
        shutil.copytree(ROOT / "lua", self.lua)
        (self.lua / "operators" / "fleet.lua").write_text(MAPPING)
        (self.lua / "policies").mkdir(exist_ok=True)
        (self.lua / "policies" / "fleet.lua").write_text(POLICY)

    @staticmethod
    def name(n):
        return f"MA{n:07d}"

    def config(self, n):
        folder = self.folder / self.name(n)
        folder.mkdir()
        theirs = dict(zip(("their_operator_secret", "their_data_secret", "their_data_secret_iv", "their_sig_secret"), harness.THEIRS))
        station = f"11010500{n:07d}"
        text = harness.section("gateway", "gateway", operator_id=self.name(n), data_dir=folder / "data", lua_dir=self.lua,
                               log_level=self.options.log, control_socket=folder / "control.sock", history_days=0)
        text += harness.section("station", "s1", station_id=station, station_name=f"Station {n}", area_code="110105", address="somewhere",
                                service_tel="4000000000", station_lng="116.480881", station_lat="39.989410", park_nums=1)
        text += harness.section("bus", "tcp", kind="tcp", host="127.0.0.1", port=self.port + n, response_timeout_ms=5000,
                                connect_timeout_ms=10000)
        text += harness.section("charger", "c0", station="s1", bus="tcp", unit=1, profile="forecourt-sim",
                                equipment_id=f"{station}1", poll_ms=self.options.poll * 1000, equipment_type=1)
        text += harness.section("connector", "c0n1", charger="c0", number=1, connector_id=f"{station}11", power_w=120000,
                                connector_name="01A", connector_type=4)
        text += harness.section("platform", "p1", operator_id=harness.PLATFORM_OPERATOR, mapping="fleet", policy="fleet",
                                url=f"http://127.0.0.1:{self.platform.port}{self.platform.path}", iserv=1,
                                retry_s=self.options.retry_s, **theirs)
        (folder / "forecourt").write_text(text)
        return folder

    def spawn(self, folder, name, command):
        with open(folder / f"{name}.out", "wb") as out:
            self.processes.append(subprocess.Popen(
                ["env", *self.clock.environment(), *map(str, command)], stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL))
        return self.processes[-1]

    def begin(self):
        o = self.options
        self.spawn(self.folder, "chargers", [self.build / "sim-charger", "--tcp", o.gateways, "--port", self.port, "--connectors", 1,
                                             "--seed", o.seed, "--step-ms", 1000, "--control", self.control])
        until(lambda: "ready" in (self.folder / "chargers.out").read_text(), 60)
        # Who starts holds nobody up yet, and may take no more than so long by the clock for its scripts.
        for first in range(0, o.gateways, AT_ONCE):
            last = min(first + AT_ONCE, o.gateways)
            with self.clock.busy():
                for n in range(first, last):
                    folder = self.config(n)
                    self.spawn(folder, "gateway", [self.build / "forecourtd", "-c", folder / "forecourt"])
                until(lambda: len({g for _, g, m, _ in list(self.platform.heard) if m == "query_token"}) == last, PATIENCE_S,
                      lambda: f"log-ins of {len({g for _, g, _, _ in list(self.platform.heard)})}; {self.some_output()}")
        # The first car comes when each register has been read: from then on each Wh is somebody's.
        self.clock.wait_until(self.clock.now() + 2 * o.poll + 10)
        with self.clock.busy():
            harness.control(self.control, "auto on", PATIENCE_S)

    def some_output(self):
        return next((p.read_text()[-500:] for p in self.folder.glob("MA*/gateway.out") if p.stat().st_size), "")

    def ended(self):
        """Charges that the chargers have seen the end of, by gateway: what each register delivered in 0.01 kWh, the oldest first. A charger
        remembers its last 512; what it forgets was read before (a day has some twenty)."""
        with self.clock.busy():
            for n in range(self.options.gateways):
                known = self.sessions.setdefault(self.name(n), [])
                for _, first, last in json.loads(harness.control(self.control, f"sessions {n}", PATIENCE_S)):
                    if not known or first >= known[-1][1]:
                        known.append((first, last))
        return {g: [last - first for first, last in known if last > first] for g, known in self.sessions.items()}

    def told(self):
        """By gateway: what its orders delivered, in the order of their begins, each number once."""
        found = {}
        for gateway, orders in list(self.platform.orders.items()):
            once = {seq: (begin, energy) for seq, begin, energy in list(orders)}
            found[gateway] = [energy for _, energy in sorted(once.values()) if energy]
        return found

    def not_told(self, ended):
        """By gateway: what the register delivered in charges that no order tells, to the Wh as the register has it. Cars begin by themselves: an order
        counts from the last reading before that, when nothing flowed. What is told differently is not told, nor is what comes after it."""
        told, found = self.told(), {}
        for g, energies in ended.items():
            orders, missing = iter(told.get(g, [])), []
            order = next(orders, None)
            for energy in energies:
                if order == energy:
                    order = next(orders, None)
                else:
                    missing.append(energy)
            if missing:
                found[g] = missing
        return found

    def memory_kb(self):
        found = []
        for p in self.processes[1:]:
            with contextlib.suppress(OSError):
                found.append(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{p.pid}/status").read_text()).group(1)))
        return found

    def outage(self, seconds, limit, refusal):
        """The platform goes away for so long and comes back, restarted, with its limit."""
        p, c, o = self.platform, self.clock, self.options
        p.limit, p.refusal = 0, refusal
        p.tries.clear()
        begun = c.now()
        p.leave()
        c.wait_until(begun + seconds)
        at_return = self.ended()
        before = self.told()
        p.limit = limit
        p.heard.clear()
        back = c.now()
        p.come_back()
        backlog = sum(map(len, at_return.values())) - sum(map(len, before.values()))

        def missing():
            return sum(map(len, self.not_told(at_return).values()))

        # Who had something to say; the others are heard of when they have.
        waiting = {gateway for at, gateway in p.tries}

        def first():
            found = {}
            for at, gateway, method, ret in list(p.heard):
                if ret == 0 and method != "query_token" and gateway in waiting:
                    found.setdefault(gateway, at - back)
            return found

        delivered = None
        while c.now() < back + o.watch:
            c.wait_until(c.now() + 5)
            if delivered is None and not missing():
                delivered = c.now() - back
            if delivered is not None and len(first()) == len(waiting) and c.now() > back + 300:
                break
        heard = list(p.heard)
        after = [(at - back, ret < 400 or ret >= 600) for at, _, _, ret in heard if at >= back]
        seconds_of = collections.Counter(int(at) for at, _ in after)
        taken_of = collections.Counter(int(at) for at, taken in after if taken)
        firsts = sorted(first().values())
        window = int(firsts[-1]) + 1 if firsts else o.watch
        tries = collections.Counter(int(at - begun) for at, _ in p.tries)
        result = {
            "outage_s": seconds, "limit": limit, "refusal": refusal, "gateways": o.gateways,
            "tries_a_s_mean": len(p.tries) / seconds, "tries_a_s_peak": max(tries.values(), default=0),
            "asked_a_s_peak": max(seconds_of.values(), default=0), "taken_a_s_peak": max(taken_of.values(), default=0),
            "asked_a_s_mean": sum(n for s, n in seconds_of.items() if s < window) / window,
            "refused": sum(not taken for _, taken in after),
            "logins": sum(m == "query_token" and not ret for _, _, m, ret in heard), "waiting": len(waiting), "back": len(firsts), "half_back_s": firsts[len(firsts) // 2] if firsts else None,
            "all_back_s": firsts[-1] if len(firsts) == len(waiting) > 0 else None,
            "backlog": backlog, "delivered_s": delivered, "missing": missing(), "wrong": sorted(self.not_told(at_return)),
            "busiest_gateway": max(collections.Counter(g for _, g, _, _ in heard).values(), default=0),
            "by_10_s": [sum(seconds_of[s] for s in range(i, i + 10)) for i in range(0, min(window, 600), 10)],
        }
        p.limit = 0
        self.results.append(result)
        return result

    def finish(self):
        """No more cars come; what runs ends, and is told. Gateways whose orders are not what their registers delivered, one by one and to the Wh."""
        with self.clock.busy():
            harness.control(self.control, "auto off", PATIENCE_S)
        self.clock.wait_until(self.clock.now() + LONGEST_S + 2 * self.options.poll)
        ended, told = self.ended(), self.told()
        return sorted(g for g in ended.keys() | told.keys() if ended.get(g, []) != told.get(g, [])), sum(map(len, ended.values()))

    def doubled(self):
        """(Orders told more than once, and of these those that were told differently.)"""
        told = collections.defaultdict(list)
        for gateway, orders in self.platform.orders.items():
            for seq, *rest in orders:
                told[gateway, seq].append(rest)
        again = [payloads for payloads in told.values() if len(payloads) > 1]
        return len(again), sum(any(p != payloads[0] for p in payloads) for payloads in again)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.platform.close()
        self.clock.close()
        if self.options.keep:
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def until(condition, seconds, what=lambda: "nothing"):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s: {what()}")
        time.sleep(0.2)


def shown(seconds):
    return "never" if seconds is None else f"{seconds:.0f} s"


def show(r):
    word = "all" if not r["limit"] else f"{r['limit']}/s, else {r['refusal']}"
    print(f"  {shown(r['outage_s']):>8} {word:>20} {r['tries_a_s_mean']:7.1f} {r['tries_a_s_peak']:6d} {r['asked_a_s_mean']:8.1f} "
          f"{r['asked_a_s_peak']:6d} {r['taken_a_s_peak']:6d} {r['refused']:8d} {r['logins']:7d} {r['waiting']:5d} {shown(r['half_back_s']):>8} "
          f"{shown(r['all_back_s']):>8} {r['backlog']:8d} {shown(r['delivered_s']):>9} {r['missing']:8d}", flush=True)


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--gateways", type=int, default=500)
    parser.add_argument("--outages", default="60,600,3600", help="seconds")
    parser.add_argument("--limits", default="0,50:503,50:429:30", help="requests a second[:status[:Retry-After]]; 0: all are taken")
    parser.add_argument("--retry-s", type=int, default=60)
    parser.add_argument("--poll", type=int, default=30)
    parser.add_argument("--watch", type=int, default=7200, help="seconds to wait for all after an outage")
    parser.add_argument("--begin", default="2027-03-01T09:00:00")
    parser.add_argument("--most", type=int, default=2000)
    parser.add_argument("--window", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=7, help="of the cars")
    parser.add_argument("--log", default="warning", help="log_level of the gateways")
    parser.add_argument("--keep", action="store_true", help="the gateways' data and logs stay, for a look")
    parser.add_argument("--out", default=str(ROOT / "build" / "fleet.json"))
    return parser.parse_args()


def main():
    o = options()
    fleet = Fleet(o)
    begun = time.monotonic()
    try:
        fleet.begin()
        memory = fleet.memory_kb()
        print(f"{o.gateways} gateways run after {time.monotonic() - begun:.0f} s, {statistics.mean(memory) / 1024:.1f} MB each")
        fleet.clock.wait_until(fleet.clock.now() + 1800)
        print(f"  {'outage':>8} {'platform takes':>20} {'tries/s':>7} {'peak':>6} {'asked/s':>8} {'peak':>6} {'taken':>6} {'refused':>8} {'log-ins':>7} "
              f"{'wait':>5} {'half':>8} {'all':>8} {'orders':>8} {'delivered':>9} {'missing':>8}")
        for limit in o.limits.split(","):
            words = [int(w) for w in limit.split(":")]
            refusal = tuple(words[1:]) if len(words) > 2 else words[1] if len(words) > 1 else 503
            for seconds in map(int, o.outages.split(",")):
                show(fleet.outage(seconds, words[0], refusal))
        unlike, charges = fleet.finish()
        again, differently = fleet.doubled()
        wrong = sorted({g for r in fleet.results for g in r["wrong"]} | set(unlike))
        for g in wrong[:5]:
            print(f"  WRONG {g}: told {fleet.told().get(g)}, delivered {fleet.ended()[g]}")
        print(f"charges {charges}, gateways with a wrong order {len(wrong)}, orders told twice {again}, differently {differently}, problems {fleet.platform.problems[:5]}; {time.monotonic() - begun:.0f} s real, "
              f"{fleet.clock.now():.0f} s of the run; memory at the end {statistics.mean(fleet.memory_kb()) / 1024:.1f} MB each")
        pathlib.Path(o.out).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(o.out).write_text(json.dumps({"options": vars(o), "results": fleet.results, "charges": charges, "wrong": wrong, "again": again}, indent=1), encoding="utf-8")
        bad = any(r["missing"] or r["back"] < r["waiting"] for r in fleet.results)
        return 1 if bad or wrong or differently or fleet.platform.problems else 0
    finally:
        fleet.stop()


if __name__ == "__main__":
    sys.exit(main())
