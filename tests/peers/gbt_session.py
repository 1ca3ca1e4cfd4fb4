#!/usr/bin/python3
"""Sessions of GB/T 27930 as candump lines, written from chargers.md 2.1 to 2.7 alone: it shares nothing with the decoder.

    gbt_session.py 2015|2011|faults > tests/unit/gbt/NAME.log

All values are invented. Currents are written as the standard has them: negative while charging."""
import sys

CAR, CHARGER = 0xF4, 0x56
# name: (priority, PGN, from the car)
MESSAGES = {
    "CHM": (6, 0x2600, 0), "BHM": (6, 0x2700, 1), "CRM": (6, 0x0100, 0), "BRM": (7, 0x0200, 1), "BCP": (7, 0x0600, 1),
    "CTS": (6, 0x0700, 0), "CML": (6, 0x0800, 0), "BRO": (4, 0x0900, 1), "CRO": (4, 0x0A00, 0), "BCL": (6, 0x1000, 1),
    "BCS": (7, 0x1100, 1), "CCS": (6, 0x1200, 0), "BSM": (6, 0x1300, 1), "BMV": (7, 0x1500, 1), "BMT": (7, 0x1600, 1),
    "BSP": (7, 0x1700, 1), "BST": (4, 0x1900, 1), "CST": (4, 0x1A00, 0), "BSD": (6, 0x1C00, 1), "CSD": (6, 0x1D00, 0),
    "BEM": (2, 0x1E00, 1), "CEM": (2, 0x1F00, 0), "DM1": (6, 0x2000, 1), "NEW": (6, 0x3000, 1),
}


def u16(value, scale=1.0, offset=0.0):
    return round((value - offset) / scale).to_bytes(2, "little")


def volts(value):
    return u16(value, 0.1)


def amperes(value):
    return u16(value, 0.1, -400)


def u32(value):
    return value.to_bytes(4, "little")


def degrees(value):
    return bytes([value + 50])


def bcd(*pairs):
    return bytes(int(str(p), 16) for p in pairs)


class Bus:
    """Frames by time in microseconds; many things happen side by side, so they are sorted at the end."""

    def __init__(self):
        self.now = 0
        self.frames = []

    def frame(self, at_ms, identifier, data):
        self.frames.append((self.now + round(at_ms * 1000), len(self.frames), identifier, bytes(data)))

    def send(self, at_ms, name, data):
        priority, pgn, car = MESSAGES[name]
        to, source = (CHARGER, CAR) if car else (CAR, CHARGER)
        self.frame(at_ms, priority << 26 | pgn << 8 | to << 8 | source, data)

    def cm(self, at_ms, car, *data):
        self.frame(at_ms, 7 << 26 | 0xEC0000 | ((CHARGER << 8 | CAR) if car else (CAR << 8 | CHARGER)), data)

    def pgn3(self, name):
        return (MESSAGES[name][1] & 0xFF, MESSAGES[name][1] >> 8, 0)

    def rts(self, at_ms, name, length):
        self.cm(at_ms, 1, 0x10, length & 0xFF, length >> 8, (length + 6) // 7, 0xFF, *self.pgn3(name))

    def dt(self, at_ms, data, packet):
        part = data[(packet - 1) * 7:packet * 7]
        self.frame(at_ms, 7 << 26 | 0xEB0000 | CHARGER << 8 | CAR, bytes([packet]) + part.ljust(7, b"\xff"))

    def abort(self, at_ms, car, name, reason):
        self.cm(at_ms, car, 0xFF, reason, 0xFF, 0xFF, 0xFF, *self.pgn3(name))

    def long(self, at_ms, name, data, acks=True, without=(), twice=()):
        """A whole message over the transport protocol; returns how long it took."""
        count = (len(data) + 6) // 7
        self.rts(at_ms, name, len(data))
        if acks:
            self.cm(at_ms + 1, 0, 0x11, count, 1, 0xFF, 0xFF, *self.pgn3(name))
        at_ms += 2
        for packet in range(1, count + 1):
            if packet not in without:
                self.dt(at_ms, data, packet)
            if packet in twice:
                self.dt(at_ms + 3, data, packet)
            at_ms += 10
        if acks:
            self.cm(at_ms - 9, 0, 0x13, len(data) & 0xFF, len(data) >> 8, count, 0xFF, *self.pgn3(name))
        return at_ms

    def every(self, period, begin, end, name, data):
        at = begin
        while at < end:
            self.send(at, name, data)
            at += period

    def lines(self):
        for at, _, identifier, data in sorted(self.frames):
            yield f"({1700000000 + at // 1000000}.{at % 1000000:06d}) can0 {identifier:08X}#{data.hex().upper()}"


def brm(version, vin, software=b""):
    return (bytes(version) + bytes([3]) + u16(150.0, 0.1) + volts(537.6) + b"FORE" + u32(20210987) + bytes([2021 - 1985, 6, 15])
            + (412).to_bytes(3, "little") + bytes([1, 0xFF]) + vin + software)


def bcp():
    return u16(3.65, 0.01) + amperes(-180.0) + u16(80.6, 0.1) + volts(613.2) + degrees(55) + u16(43.2, 0.1) + volts(551.0)


def bcs(voltage=560.5, current=-118.9, cell=3.42, group=5, soc=44, left=73):
    return volts(voltage) + amperes(current) + (round(cell / 0.01) | group << 12).to_bytes(2, "little") + bytes([soc]) + u16(left)


def bsm(states=0x00, rest=0xD0):
    return bytes([16]) + degrees(34) + bytes([2]) + degrees(29) + bytes([11, states, rest])


def session_2015():
    bus = Bus()
    bus.every(250, 0, 2000, "CHM", [1, 1, 0])
    bus.every(250, 40, 1900, "BHM", volts(750.0))
    crm = u32(1193046) + b"BJ1"
    bus.every(250, 2000, 2400, "CRM", b"\x00" + crm)
    bus.long(2020, "BRM", brm((1, 1, 0), b"LFCT0000000000123", bytes([7, 1, 5]) + u16(2021) + b"\xff\xff\xff"))
    bus.every(250, 2500, 2900, "CRM", b"\xaa" + crm)
    bus.long(2520, "BCP", bcp())
    bus.every(500, 3000, 4200, "CTS", bcd(9, 7, 14, 5, 3, 24, 20))
    bus.every(250, 3010, 4200, "CML", volts(750.0) + volts(200.0) + amperes(-250.0) + amperes(-1.0))
    bus.every(250, 3300, 4100, "BRO", [0x00])
    bus.every(250, 4120, 6400, "BRO", [0xAA])
    bus.every(250, 4300, 6200, "CRO", [0x00])
    bus.every(250, 6200, 6400, "CRO", [0xAA])
    bus.every(50, 6500, 10000, "BCL", volts(590.0) + amperes(-120.0) + bytes([2]))
    bus.every(69, 6510, 10000, "CCS", volts(561.0) + amperes(-119.5) + u16(1) + b"\xfd")
    bus.every(250, 6520, 10000, "BSM", bsm())
    for i in range(10):
        bus.long(6530 + 314 * i, "BCS", bcs())
    bus.long(6570, "BMV", b"".join((round(100 * (3.30 + 0.01 * i)) | 1 << 12).to_bytes(2, "little") for i in range(20)))
    bus.long(6880, "BMT", b"".join(degrees(d) for d in (29, 30, 31, 34, 33, 32, 30, 29, 31, 30)))
    bus.long(7190, "BSP", b"\xff" * 16)
    # Manual stop; one BCL and one BSM are still heard behind it (chargers.md 2.7).
    bus.every(14, 10000, 10360, "CST", bytes.fromhex("0400F0F0"))
    bus.every(10, 10020, 10120, "BST", bytes.fromhex("40000000"))
    bus.send(10030, "BCL", volts(590.0) + amperes(-120.0) + bytes([2]))
    bus.send(10040, "BSM", bsm())
    bus.every(250, 10200, 11800, "BSD", bytes([45]) + u16(3.38, 0.01) + u16(3.43, 0.01) + degrees(29) + degrees(35))
    bus.every(333, 10400, 12000, "CSD", u16(2) + u16(3.7, 0.1) + u32(1193046))
    return bus


def session_2011():
    bus = Bus()
    crm = bytes([42]) + b"SHA" + b"\xff\xff\xff"
    bus.every(250, 0, 400, "CRM", b"\x00" + crm)
    bus.long(20, "BRM", brm((0, 1, 0), b"L0LD0000000000456"))
    bus.every(250, 500, 900, "CRM", b"\xaa" + crm)
    bus.long(520, "BCP", bcp())
    bus.every(500, 1000, 2000, "CTS", b"\xff" * 7)
    bus.every(250, 1010, 2000, "CML", volts(500.0) + volts(200.0) + amperes(-125.0))
    bus.every(250, 1200, 1800, "BRO", [0x00])
    bus.every(250, 1810, 4000, "BRO", [0xAA])
    bus.every(250, 2000, 3900, "CRO", [0x00])
    bus.send(3950, "CRO", [0xAA])
    bus.every(53, 4100, 7000, "BCL", volts(420.0) + amperes(-80.0) + bytes([1]))
    bus.every(50, 4110, 7000, "CCS", volts(401.5) + amperes(-79.5) + u16(121))
    bus.every(250, 4120, 7000, "BSM", bsm())
    for i in range(9):
        bus.long(4130 + 314 * i, "BCS", bcs(401.0, -79.0, 4.11, 15, 99, 0))
    bus.every(10, 7000, 7100, "BST", bytes.fromhex("010000F0"))
    bus.every(14, 7030, 7200, "CST", bytes.fromhex("4000F0F0"))
    bus.every(250, 7150, 8000, "BSD", bytes([100]) + u16(4.08, 0.01) + u16(4.12, 0.01) + degrees(31) + degrees(36))
    bus.every(250, 7250, 8000, "CSD", u16(122) + u16(21.4, 0.1) + bytes([42]))
    return bus


def unanswered(bus, at, name, length):
    """RTS that nobody answers, given up with the reason 255, three times."""
    for i in range(3):
        bus.rts(at + 1300 * i, name, length)
        bus.abort(at + 1300 * i + 1200, 1, name, 255)
    return at + 3900


def set_up(bus, at, vin_message, limits):
    """From a CRM that does not know the car to a CRO that is ready; returns when that was."""
    crm = u32(77) + b"BJ1"
    bus.send(at, "CRM", b"\x00" + crm)
    end = bus.long(at + 20, "BRM", vin_message, acks=False)
    bus.send(end, "CRM", b"\xaa" + crm)
    end = bus.long(end + 20, "BCP", bcp(), acks=False)
    bus.send(end, "CTS", bcd(9, 7, 14, 5, 3, 24, 20))
    bus.send(end + 10, "CML", limits)
    bus.send(end + 100, "BRO", [0xAA])
    bus.send(end + 200, "CRO", [0xAA])
    return end + 200


def session_faults():
    bus = Bus()
    # A foreign node, all along.
    at = 100
    while at < 27500:
        bus.frame(at, 0x0070F4B5, bytes.fromhex("0102030405060708"))
        at += 500
    # The charger never answers the BRM, and knows the car all the same.
    bus.every(250, 0, 1000, "CHM", [1, 1, 0])
    bus.every(250, 40, 1000, "BHM", volts(750.0))
    crm = u32(77) + b"BJ1"
    bus.every(250, 1000, 2000, "CRM", b"\x00" + crm)
    end = unanswered(bus, 1020, "BRM", 49)
    bus.every(250, 2000, 5000, "CRM", b"\xaa" + crm)
    bus.every(250, end, end + 1000, "BEM", bytes.fromhex("F0F1F0FC"))
    # Second attempt: first a packet is lost, then the message is begun anew, then it comes, without answers.
    message = brm((1, 1, 0), b"LFCT0000000000777", b"\xff" * 8)
    start = end + 1500
    bus.every(250, start, start + 1000, "CRM", b"\x00" + crm)
    bus.long(start + 20, "BRM", message, without=(3,))
    bus.rts(start + 300, "BRM", 49)
    bus.dt(start + 310, message, 1)
    bus.dt(start + 320, message, 2)
    bus.long(start + 500, "BRM", message, acks=False, twice=(4,))
    bus.every(250, start + 1000, start + 1400, "CRM", b"\xaa" + crm)
    bus.long(start + 1050, "BCP", bcp(), acks=False)
    bus.send(start + 1500, "CTS", b"\xff" * 7)
    bus.send(start + 2000, "CTS", bytes.fromhex("1A061414150000"))
    # The offset misused: the least current above the most.
    bus.send(start + 1510, "CML", volts(500.0) + volts(200.0) + amperes(-50.0) + amperes(-280.0))
    bus.send(start + 1600, "BRO", [0x00])
    bus.send(start + 1850, "BRO", [0xAA])
    bus.every(250, start + 1900, start + 2400, "CRO", [0x00])
    bus.send(start + 2400, "CRO", [0xAA])
    # The charge; then BCL is late by 1.4 s, and goes on.
    run = start + 2500
    demand = volts(590.0) + amperes(-48.0) + bytes([2])
    state = volts(561.0) + amperes(-47.5) + u16(1) + b"\xfd"
    bus.every(50, run, run + 1000, "BCL", demand)
    bus.every(50, run + 2400, run + 4000, "BCL", demand)
    bus.every(50, run + 10, run + 4000, "CCS", state)
    # Insulation and connector are unknown (10) in the second: what was said before stands.
    bus.send(run + 20, "BSM", bsm(0x00, 0xD0))
    bus.send(run + 270, "BSM", bsm(0x02, 0xDA))
    bus.long(run + 30, "BCS", bcs(left=600))
    bus.rts(run + 330, "BCS", 9)
    bus.abort(run + 335, 0, "BCS", 1)
    bus.long(run + 630, "BCS", bcs(soc=46))
    bus.send(run + 700, "NEW", b"\x01\x02")
    bus.send(run + 710, "DM1", b"\x01\x02\x03")
    bus.dt(run + 720, bcs(), 1)
    bus.send(run + 730, "CCS", b"\x01\x02")
    # The charger gives up, three times in all; each begins at once again.
    bad = run + 4000
    bus.every(250, bad, bad + 1000, "CEM", bytes.fromhex("FCF0C4FC"))
    limits = volts(500.0) + volts(200.0) + amperes(-50.0) + amperes(0)
    again = set_up(bus, bad + 1200, message, limits) + 50
    bus.every(50, again, again + 1500, "BCL", demand)
    bus.every(50, again + 10, again + 1500, "CCS", state)
    bus.every(250, again + 20, again + 1500, "BSM", bsm())
    for i in range(4):
        bus.long(again + 30 + 314 * i, "BCS", bcs(soc=47 + i), acks=False)
    # The end: the car gives no reason, and the order is not strict.
    stop = again + 1500
    bus.every(10, stop, stop + 100, "BST", b"\x00" * 4)
    bus.every(14, stop + 30, stop + 400, "CST", bytes.fromhex("4000F0F0"))
    bus.frame(stop + 33, 0x0073F4B5, b"\x00" * 8)
    bus.send(stop + 50, "BCL", demand)
    bus.send(stop + 60, "BSM", bsm())
    bus.rts(stop + 70, "BCS", 9)
    bus.every(250, stop + 200, stop + 1200, "BSD", bytes([50]) + u16(3.38, 0.01) + u16(3.43, 0.01) + degrees(29) + degrees(35))
    bus.every(333, stop + 450, stop + 1500, "CSD", u16(3) + u16(1.2, 0.1) + u32(77))
    return bus


def main():
    sessions = {"2015": session_2015, "2011": session_2011, "faults": session_faults}
    if len(sys.argv) != 2 or sys.argv[1] not in sessions:
        sys.exit(__doc__)
    for line in sessions[sys.argv[1]]().lines():
        print(line)


main()
