"""What is around the box on its site, on the host: the chargers on the serial line, the CAN nodes, the platform; and the box's configuration."""
import json
import pathlib
import shutil
import socket
import struct
import threading
import time

import can_node
import harness
import infy
import peer

HERE = pathlib.Path(__file__).resolve().parent
NAME, PORT = "platform.example", 8443  # in the guest: /etc/hosts, QEMU's guestfwd
LISTEN = 443                           # where the box listens for the platform: a port that takes a capability
SERIAL = ["11010500010011", "11010500010012"]  # the charger on the serial line
CAR = "11010500010021"                          # the connector that is heard on can0
MODULE = "11010500010031"                       # a power module that is asked on vcan0
ORDER = "notification_charge_order_info"


class Platform:
    """The platform: takes what it is told and keeps it; asks the station. Its power cut is a function that is called in the middle of a delivery."""

    def __init__(self, certs, listen_port):
        self.server = peer.Server(peer.Keys(*harness.THEIRS), certs / "server.pem", certs / "server.key")
        self.client = peer.Client(listen_port, harness.PLATFORM_OPERATOR, peer.Keys(*harness.OURS), ca=certs / "ca.pem")
        self.cut = None  # called with an order before it is answered; the station never hears the answer
        self.orders = []  # (monotonic time, seq, payload, confirmed)
        for method in ("notification_start_charge_result", "notification_stop_charge_result", "notification_equip_charge_status"):
            self.server.answers[method] = lambda p: (0, {"StartChargeSeq": p["StartChargeSeq"], "SuccStat": 0, "FailReason": 0})
        self.server.answers[ORDER] = self.take_order

    def take_order(self, payload):
        cut, seq = self.cut, payload["StartChargeSeq"]
        self.orders.append((time.monotonic(), seq, payload, cut is None))
        if cut:
            self.cut = None
            cut()
            raise ConnectionResetError("the box is off")
        return 0, {"StartChargeSeq": seq, "ConnectorID": payload["ConnectorID"], "ConfirmResult": 0}

    def of(self, seq):
        """The order's deliveries, oldest first."""
        return [o for o in self.orders if o[1] == seq]

    def told(self, method, since=0):
        return [p for m, p in list(self.server.received)[since:] if m == method]

    def statuses(self, connector, since=0):
        return [p["ConnectorStatusInfo"]["Status"] for p in self.told("notification_stationStatus", since)
                if p["ConnectorStatusInfo"]["ConnectorID"] == connector]

    def wait(self, condition, timeout):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.1)
        return None

    def ask(self, method, payload, timeout=120):
        """The data of the station's answer; asks again while the box is away."""
        end = time.monotonic() + timeout
        last = None
        while time.monotonic() < end:
            try:
                if not self.client.token:
                    self.client.login()
                answer = self.client.call(method, payload)
                if answer.ret == 0:
                    return answer.data
                last = answer.raw
                self.client.token = None
            except Exception as error:  # whatever a box does that starts
                last = error
                self.forget()
            time.sleep(0.5)
        raise RuntimeError(f"{method}: no answer in {timeout} s: {last}")

    def forget(self):
        """The connection and the log-in are the box's of before."""
        self.client.close()
        self.client.token = None

    def close(self):
        self.client.close()
        self.server.close()


class Bridge:
    """Carries CAN frames between canpipe in the guest (a virtio-serial port) and the simulated nodes' bus of can_node.py."""

    EXTENDED, FRAME = 0x80000000, struct.Struct("<IB3x8s")  # struct can_frame on arm64

    def __init__(self, folder):
        self.port, self.bus_path, self.own = folder / "can.sock", folder / "can-nodes", folder / "can-guest"
        for path in (self.port, self.bus_path, self.own):
            path.unlink(missing_ok=True)
        self.datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.datagrams.bind(str(self.own))
        self.bus = can_node.Bus(self.bus_path, self.own)
        self.module = self.bus.add(infy.Module(1))
        self.bus.start()
        self.stream = None
        threading.Thread(target=self.to_guest, daemon=True).start()

    def connect(self):
        """To the machine that was just started."""
        self.stream = socket.socket(socket.AF_UNIX)
        self.stream.connect(str(self.port))
        threading.Thread(target=self.from_guest, args=[self.stream], daemon=True).start()

    def to_guest(self):
        while packet := self.datagrams.recv(64):
            word, length, data = struct.unpack(">IB3x8s", packet)
            try:
                if self.stream:
                    self.stream.sendall(self.FRAME.pack(word, length, data))
            except OSError:
                pass  # the power is off

    def from_guest(self, stream):
        data = b""
        try:
            while part := stream.recv(4096):
                data += part
                while len(data) >= self.FRAME.size:
                    word, length, payload = self.FRAME.unpack(data[:self.FRAME.size])
                    data = data[self.FRAME.size:]
                    self.datagrams.sendto(struct.pack(">IB3x8s", word, length, payload), str(self.bus_path))
        except OSError:
            pass

    def close(self):
        self.bus.stop()


class Chargers:
    """sim-charger on a pseudo-terminal: one unit with two connectors. It goes on while the box is off."""

    def __init__(self, program, folder):
        self.line, self.socket = folder / "line", folder / "chargers.sock"
        self.process = harness.Process(
            [program, "--connectors", 2, "--control", self.socket, "--chargers-per-line", 1, "--line", self.line, "--speed", 5, "--tcp", 0], folder, "chargers",
            r"(?m)^ready")

    def ask(self, line):
        return harness.control(self.socket, line)

    def sessions(self):
        """Ended charges that gave energy: (connector 1.., Wh)."""
        return [(n, (b - a) * 10) for n, a, b in json.loads(self.ask("sessions 0")) if b > a]

    def stop(self):
        self.process.stop()


def configuration():
    """The box's /etc/config/forecourt, as an integrator would write it."""
    section = harness.section
    text = section("gateway", "gateway", operator_id=harness.STATION_OPERATOR, data_dir="/srv/forecourt", log_level="info",
                   watchdog="/dev/watchdog", watchdog_s=60)
    text += section("listen", "platforms", address="", port=LISTEN, certificate="/etc/forecourt/station.pem", key="/etc/forecourt/station.key")
    text += section("station", "s1", station_id="110105000100001", station_name="ARM 充电站", area_code="110105", address="Example Road 1",
                    service_tel="4000000000", station_lng="116.480881", station_lat="39.989410", park_nums=4)
    text += section("bus", "rs485", kind="rtu", device="/dev/ttyUSB0", baud=115200)
    text += section("charger", "c1", station="s1", bus="rs485", unit=1, profile="forecourt-sim", equipment_id="11010500010001", poll_ms=500, equipment_type=2)
    for number, connector in enumerate(SERIAL, 1):
        text += section("connector", f"c1n{number}", charger="c1", number=number, connector_id=connector, power_w=22000, connector_type=3)
    text += section("bus", "can0", kind="can", device="can0", bitrate=250000)
    text += section("charger", "c2", station="s1", bus="can0", profile="gbt27930", equipment_id="11010500010002")
    text += section("connector", "c2n1", charger="c2", connector_id=CAR, power_w=120000)
    text += section("bus", "vcan0", kind="can", device="vcan0", bitrate=125000)
    text += section("charger", "c3", station="s1", bus="vcan0", unit=1, profile="infy-v1", equipment_id="11010500010003")
    text += section("connector", "c3n1", charger="c3", connector_id=MODULE, power_w=60000)
    text += section("platform", "p1", operator_id=harness.PLATFORM_OPERATOR, url=f"https://{NAME}:{PORT}/evcs/v20160701", listen="platforms",
                    path="/evcs/v20160701", mapping="base", policy="flat", iserv=1, ca="/etc/forecourt/platform-ca.pem", retry_s=1,
                    our_operator_secret=harness.OURS[0], our_data_secret=harness.OURS[1], our_data_secret_iv=harness.OURS[2],
                    our_sig_secret=harness.OURS[3], their_operator_secret=harness.THEIRS[0], their_data_secret=harness.THEIRS[1],
                    their_data_secret_iv=harness.THEIRS[2], their_sig_secret=harness.THEIRS[3])
    return text


def make_certificates(folder):
    shutil.rmtree(folder, ignore_errors=True)
    harness.make_certificates(folder, names=f"DNS:{NAME},DNS:localhost,IP:127.0.0.1")
