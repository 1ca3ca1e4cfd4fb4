"""The station of a run and what happens at it: cars that come and go, a platform that orders, stops and is away at times, an operator who
changes prices and restarts the gateway. One thread acts; the platform's answers come from its server's own threads."""
import collections
import contextlib
import heapq
import http.client
import json
import pathlib
import random
import signal
import sys
import threading

HERE = pathlib.Path(__file__).parent
for room in ("system", "peers", "bench"):
    sys.path.insert(0, str(HERE.parent / room))
import business  # noqa: E402
import conftest  # noqa: E402
import harness  # noqa: E402
import ledger  # noqa: E402

MAPPING = """return { forecourt = 1, kind = "operator", name = "soak", description = "The base standard, states less often",
  timing = { charge_status_s = %d } }
"""
ORDER = "notification_charge_order_info"


PATIENCE_S = 900  # of real time: a machine may have much else to do


class Recent:
    """The last of many: so much is remembered of what the server has seen."""

    def __init__(self, most):
        self.order, self.known = collections.deque(maxlen=most), set()

    def add(self, item):
        if len(self.order) == self.order.maxlen:
            self.known.discard(self.order[0])
        self.order.append(item)
        self.known.add(item)

    def __contains__(self, item):
        return item in self.known


class World:
    """options: the arguments of run.py."""

    def __init__(self, options, clock_of):
        self.options = options
        self.chance = random.Random(options.seed)
        self.station = station = conftest.PeerStation(build=options.build, tcp=options.connectors, line_units=(),
                                                      poll_ms=options.poll * 1000, mapping="soak", certificates={"days": "4000"})
        self.clock = clock_of(station.folder)
        station.bus_options.update(response_timeout_ms=5000, connect_timeout_ms=10000)
        station.platform_options.update(iserv=1, policy="soak", rate_per_s=1000, request_timeout_ms=60000, retry_s=60)
        station.gateway_options.update(history_days=options.history_days, orders_days=options.orders_days)
        station.log_level = "notice"
        station.write_mapping("soak", MAPPING % options.state_s)
        self.version = 0
        station.write_policy("soak", ledger.policy(0))
        self.server = station.server
        self.server.received, self.server.stamps = collections.deque(maxlen=200), Recent(50000)
        self.away = threading.Event()
        self.lock = threading.Lock()
        self.told, self.calls, self.refused_calls = {}, collections.Counter(), 0
        self.statuses, self.compared, self.not_started = {}, [], set()
        self.serve()
        self.events, self.number = [], 0
        self.orders, self.faults, self.counts = {}, [], collections.Counter()
        self.running = {}  # by connector: its order
        self.sessions = collections.Counter()

    def start_gateway(self):
        self.station.start_gateway(wait=False).wait_for(r"admin: listens on", PATIENCE_S)

    def stats(self):
        file = self.station.stats_file
        before = file.stat().st_mtime_ns if file.exists() else 0
        self.station.gateway.popen.send_signal(signal.SIGUSR1)
        self.station.until(lambda: file.exists() and file.stat().st_mtime_ns != before, PATIENCE_S, "fresh counters")
        return json.loads(file.read_text())

    def chargers(self, line):
        return harness.control(self.station.charger_control, line, PATIENCE_S)

    # The platform ---------------------------------------------------------------------------------------------------------

    def serve(self):
        business.confirm_all(self.server)
        take = self.server.take

        def reach(path, authorization, body):
            if self.away.is_set():
                self.refused_calls += 1
                raise ConnectionResetError("out of reach")
            self.calls[path.rsplit("/", 1)[-1]] += 1
            return take(path, authorization, body)

        def order(payload):
            with self.lock:
                self.told.setdefault(payload["StartChargeSeq"], []).append(payload)
            return 0, {"StartChargeSeq": payload["StartChargeSeq"], "ConnectorID": payload["ConnectorID"], "ConfirmResult": 0}

        def started(payload):
            if payload["StartChargeSeqStat"] != 2:
                self.not_started.add(payload["StartChargeSeq"])
            return 0, {"StartChargeSeq": payload["StartChargeSeq"], "SuccStat": 0, "FailReason": 0}

        def status(payload):
            info = payload["ConnectorStatusInfo"]
            self.statuses[info["ConnectorID"]] = info["Status"]
            return 0, {"Status": 0}

        def compared(payload):
            self.compared.append(payload)
            return 0, {"CheckOrderSeq": payload["CheckOrderSeq"], "StartTime": payload["StartTime"], "EndTime": payload["EndTime"],
                       "TotalDisputeOrder": 0, "TotalDisputePower": 0, "TotalDisputeMoney": 0, "DisputeOrders": []}

        self.server.take = reach
        self.server.answers.update({ORDER: order, "notification_start_charge_result": started, "notification_stationStatus": status, "check_charge_orders": compared})

    def ask(self, method, payload):
        """What the platform asks, with a token that the gateway still knows; None when it can't be reached."""
        client = self.station.client
        for _ in range(30):
            try:
                if client.token:
                    answer = client.call(method, payload)
                    if answer.ret != 4002:
                        return answer
                client.login()
            except (OSError, http.client.HTTPException):
                client.close()  # a connection that has rested too long, or a gateway that restarts
        self.faults.append(f"{self.clock.wall():%m-%d %H:%M}: {method}: no answer")
        return None

    # The course of things -------------------------------------------------------------------------------------------------

    def at(self, seconds, act, *args):
        self.number += 1
        heapq.heappush(self.events, (seconds, self.number, act, args))

    def after(self, seconds, act, *args):
        self.at(self.clock.now() + seconds, act, *args)

    def begin(self):
        clock = self.clock
        with clock.preloaded():
            # The registers advance once a second, as those of real meters do: to wake twenty times as often would be half of the run.
            self.station.start_chargers("--step-ms", 1000)
        self.station.gateway_under = clock.under()
        self.start_gateway()
        connectors = [self.station.connector_id(i) for i in range(self.options.connectors)]
        clock.until(lambda: all(self.statuses.get(c) == 1 for c in connectors), 3600, "all connectors to be idle")
        self.registers = [ledger.register(self.station.charger_port + i) for i in range(self.options.connectors)]
        for i in range(self.options.connectors):
            self.after(self.chance.uniform(0, self.gap() * 2), self.arrive, i)

    def gap(self):
        """Mean seconds between a car's leaving and the next one's coming."""
        return max(300.0, self.options.connectors * 86400 / self.options.orders - 3600)

    def run_until(self, end):
        while self.events and self.events[0][0] <= end:
            at, _, act, args = heapq.heappop(self.events)
            self.clock.wait_until(at)
            with self.clock.busy():
                act(*args)
        self.clock.wait_until(end)

    # Cars -----------------------------------------------------------------------------------------------------------------

    def arrive(self, i):
        if self.closing:
            return
        self.chargers(f"plug {i} 1")
        self.after(self.chance.uniform(30, 180), self.start, i, 0)

    closing = False

    def start(self, i, tries):
        if self.away.is_set() or self.closing:
            # Nobody can order anything; the driver gives up after an hour.
            if self.closing or tries > 30:
                self.leave(i)
            else:
                self.after(120, self.start, i, tries + 1)
            return
        seq, connector = business.new_seq(), self.station.connector_id(i)
        order = {"seq": seq, "connector": i, "version": self.version, "asked": self.clock.now()}
        answer = self.ask("query_start_charge", {"StartChargeSeq": seq, "ConnectorID": connector, "QRCode": ""})
        if not answer or answer.ret or answer.data["SuccStat"]:
            self.counts["starts refused"] += 1
            if tries > 30:
                self.faults.append(f"{connector}: can't be started: {answer and answer.raw}, {answer and answer.data}")
                self.leave(i)
            else:
                self.after(30, self.start, i, tries + 1)
            return
        self.orders[seq] = self.running[i] = order
        self.counts["starts"] += 1
        self.after(self.chance.uniform(900, 4800), self.stop, i, seq)

    def stop(self, i, seq):
        order = self.orders[seq]
        if seq not in self.told:
            if self.away.is_set():
                self.chargers(f"stop {i} 1")  # by hand, or it is full already
                self.counts["stopped on site"] += 1
            else:
                answer = self.ask("query_stop_charge", {"StartChargeSeq": seq, "ConnectorID": self.station.connector_id(i)})
                self.counts["stops" if answer and not answer.ret and not answer.data["SuccStat"] else "stops refused"] += 1
        order["stopped"] = self.clock.now()
        self.after(30, self.end, i, seq, 0)

    def end(self, i, seq, tries):
        state = self.chargers(f"state {i} 1")
        if state == "charging":
            if tries > 60:
                self.faults.append(f"order {seq}: still charging half an hour after its stop")
            else:
                self.after(30, self.stop if tries % 10 == 9 else self.end, i, seq, *(() if tries % 10 == 9 else (tries + 1,)))
                return
        ended = json.loads(self.chargers(f"sessions {i}"))
        self.sessions[i] = len(ended)
        order = self.orders[seq]
        order["session"] = tuple(ended[-1][1:]) if ended else (0, 0)
        self.running.pop(i, None)
        self.leave(i)

    def leave(self, i):
        self.chargers(f"unplug {i} 1")
        self.after(self.chance.expovariate(1 / self.gap()) + 120, self.arrive, i)

    # People and trouble ----------------------------------------------------------------------------------------------------

    def outage(self, seconds):
        self.away.set()
        self.counts["outages"] += 1
        self.after(seconds, self.away.clear)

    def reload(self):
        """New prices, for the charges that begin from now on."""
        self.station.write_policy("soak", ledger.policy(self.version + 1))
        done = self.station.cli("lua", "reload", timeout=PATIENCE_S)
        if done.returncode:
            self.faults.append(f"reload: {done.stdout} {done.stderr}")
            return
        self.version += 1
        self.counts["reloads"] += 1

    def restart(self, kill):
        gateway = self.station.gateway
        self.counts["kills" if kill else "restarts"] += 1
        if kill:
            gateway.popen.kill()
            gateway.popen.wait()
        else:
            gateway.stop(PATIENCE_S)
            if gateway.popen.returncode:
                self.faults.append(f"the gateway ended with {gateway.popen.returncode}")
        self.station.processes.remove(gateway)
        self.start_gateway()

    # What is compared -------------------------------------------------------------------------------------------------------

    def delivered(self):
        """By connector, since the begin, in 0.01 kWh."""
        return [ledger.register(self.station.charger_port + i) - self.registers[i] for i in range(self.options.connectors)]

    def check_told(self):
        """Orders that were told since the last time, against the chargers' own sessions; what is done with is forgotten."""
        with self.lock:
            told = {seq: list(payloads) for seq, payloads in self.told.items()}
        for seq, payloads in told.items():
            order = self.orders.get(seq)
            if not order:
                self.faults.append(f"order {seq}: nobody asked for it")
            elif "session" not in order or order.get("checked"):
                continue
            else:
                order["checked"] = True
                order["payload"] = payloads[0]
                self.faults += [f"order {seq}: {fault}" for fault in ledger.order_faults(payloads[0], order["session"], order["version"])]
                self.counts["orders"] += 1
                self.counts["lines"] += len(payloads[0]["ChargeDetails"])
                self.counts["orders over midnight"] += payloads[0]["StartTime"][:10] != payloads[0]["EndTime"][:10]
            self.counts["orders told again"] += len(payloads) - 1
            self.counts["orders told differently"] += any(p != payloads[0] for p in payloads)
            with self.lock:
                self.told[seq] = [payloads[0]]

    def stats_of(self, day):
        answer = self.ask("query_station_stats", {"StationID": "110105000100001", "StartTime": f"{day}", "EndTime": f"{day}"})
        found = {}
        if answer and not answer.ret:
            for equipment in answer.data["StationStats"]["EquipmentStatsInfos"]:
                for c in equipment["ConnectorStatsInfos"]:
                    found[c["ConnectorID"]] = c["ConnectorElectricity"]
        return found, answer.data["StationStats"]["StationElectricity"] if found else None

    def stop_all(self):
        self.closing = True
        with contextlib.suppress(Exception):
            self.station.stop()
        self.clock.close()


