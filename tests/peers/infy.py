"""Simulated INFY modules, protocol V1.13, from reference/chargers.md 2.9 alone."""
import struct
import time


class Module:
    """One module: answers what it is asked, switches itself off when it hears nothing for 10 s."""

    def __init__(self, address, volts=500.0, amperes=3.5):
        self.address, self.volts, self.amperes = address, volts, amperes
        self.off, self.silent, self.status = True, False, 0
        self.set = None
        self.heard = time.monotonic()
        self.lost = 0
        self.bus = None

    def answer(self, command, data, error=0):
        # error 3, device 4, command 6, destination 8, source 8
        self.bus.send(error << 26 | 0x0A << 22 | command << 16 | 0xF0 << 8 | self.address, data)

    def frame(self, can_id, data):
        command, to, source = can_id >> 16 & 0x3F, can_id >> 8 & 0xFF, can_id & 0xFF
        if can_id >> 22 & 0xF not in (0x0A, 0x0B) or source != 0xF0 or to not in (self.address, 0x3F):
            return
        self.heard = time.monotonic()
        if self.silent:
            return
        if command == 0x01 and self.address == 0:
            # The system as a whole: one of them speaks for all.
            self.bus.send(0x0281F03F, struct.pack(">ff", self.volts, 2 * self.amperes))
        elif command == 0x03:
            self.answer(0x03, struct.pack(">ff", self.volts, self.amperes))
        elif command == 0x04:
            self.answer(0x04, bytes([0, 0, 2, 0, 35, 0, self.status | (1 if self.off else 0), 0]))
        elif command == 0x0A:
            self.answer(0x0A, struct.pack(">HHHH", 750, 150, 400, 1000))
        elif command == 0x0C:
            self.answer(0x0C, struct.pack(">HH", 5000, 150) + bytes(4))
        elif command == 0x1A:
            self.off = data[0] != 0
            self.answer(0x1A, data)
        elif command == 0x1C:
            self.set = struct.unpack(">II", data)
            self.answer(0x1C, data)

    def tick(self, now):
        if now - self.heard > 10 and not self.off:
            self.off, self.lost = True, self.lost + 1
