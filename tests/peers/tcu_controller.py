"""A simulated charge controller, the other end of the billing unit's protocol: reference/chargers.md 2.10. How a message is cut into
packets is not said there; it is as in the source named there (see lua/README.md, `packets = "counted"`)."""
import struct

CONTROLLER_TO_UNIT = 0x8AF6


class Controller:
    """One controller with some guns."""

    def __init__(self, guns=2):
        self.bus = None
        self.guns = {n: {"plugged": False, "charging": False, "locked": False} for n in range(1, guns + 1)}
        self.refuse = self.broken_sum = self.silent = False
        self.beats, self.acks, self.time = [], [], None
        self.next_telemetry = self.next_done = 0
        self.pending = {}  # gun: the status frame that is repeated until it is acknowledged

    def send(self, pf, data, priority=6):
        if not self.silent:
            self.bus.send(priority << 26 | pf << 16 | CONTROLLER_TO_UNIT, bytes(data).ljust(8, b"\xff"))

    def frame(self, can_id, data):
        if can_id & 0xFFFF != 0xF68A:
            return
        pf, gun = can_id >> 16 & 0xFF, data[0]
        if pf == 0x05:
            self.time = data
            self.send(0x06, [data[0], 0])
            return
        if pf == 0x07:
            self.send(0x08, [0x01, 0x00])
            return
        if gun not in self.guns:
            return
        state = self.guns[gun]
        if pf == 0x01:
            self.send(0x02, [gun, data[1], 1 if self.refuse or not state["plugged"] else 0], 4)
            if not self.refuse and state["plugged"] and not state["charging"]:
                state["charging"] = True
                self.pending[gun] = (0x11, bytes([gun, 0, 3]) + struct.pack("<HH", 7500, 25000))
        elif pf == 0x03:
            self.send(0x04, [gun, 0], 4)
            self.end(gun, 0xE1)
        elif pf == 0x0E:
            state["locked"] = data[1] == 1
            self.send(0x0F, [gun, data[1]])
        elif pf in (0x12, 0x14):
            self.acks.append((pf, gun, bytes(data)))
            self.pending.pop(gun, None)
        elif pf == 0x23:
            self.acks.append((pf, gun, bytes(data)))
        elif pf == 0x31:
            self.beats.append(gun)
            self.send(0x32, [gun, 0, 0, 0, 0, 0])

    def end(self, gun, cause):
        if self.guns[gun]["charging"]:
            self.guns[gun]["charging"] = False
            self.pending[gun] = (0x13, bytes([gun, 0, cause]))

    def packets(self, pf, gun, payload):
        """A byte with the packet's number, six of the stream: packets, length, payload, sum."""
        count = -(-(len(payload) + 5) // 6)
        stream = bytes([count]) + struct.pack("<H", len(payload)) + payload
        stream += struct.pack("<H", (sum(stream) + self.broken_sum) & 0xFFFF)
        stream = stream.ljust(6 * count, b"\xff")
        for i in range(count):
            self.send(pf, bytes([gun, i + 1]) + stream[6 * i:6 * i + 6])

    def telemetry(self, gun):
        state = self.guns[gun]
        volts, amperes = (6420, 8000) if state["charging"] else (0, 0)
        if self.broken_sum:
            volts = 9990
        return struct.pack("<BHHBBBBBHBBBBHHH", 0, volts, amperes, 57 if state["charging"] else 0, 68, 4, 75, 9, 385, 2, 11, 82,
                           40 if state["plugged"] else 120, 31, 7100, 9000)

    def tick(self, now):
        if now >= self.next_telemetry:
            self.next_telemetry = now + 1
            for gun in self.guns:
                self.packets(0x22, gun, self.telemetry(gun))
        if now >= self.next_done:
            self.next_done = now + 0.25
            for pf, data in list(self.pending.values()):
                self.send(pf, data, 4)
