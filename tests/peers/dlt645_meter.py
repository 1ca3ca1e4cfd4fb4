"""Billing meters that speak DL/T 645-2007 on one serial line, written from chargers.md 1b alone: it shares nothing with the gateway.
A pseudo-terminal stands for the RS-485 line; `device` is the gateway's end."""
import os
import select
import threading
import tty

WAKE = b"\xfe" * 4


def frame(number, control, data):
    """number: twelve digits. data: as meant; the wire has 33h more."""
    body = b"\x68" + bytes.fromhex(number)[::-1] + b"\x68" + bytes([control, len(data)]) + bytes((b + 0x33) & 0xff for b in data)
    return body + bytes([sum(body) & 0xff]) + b"\x16"


class Line(threading.Thread):
    """meters: number -> {identifier: value as BCD text, the highest first, such as "00123456"}. The lists of `asked` and `unasked`
    are for the test to look at; `behave` changes how the meters answer."""

    def __init__(self, meters):
        super().__init__(daemon=True)
        self.meters, self.asked, self.noise = meters, [], 0
        self.behaviours = {"wake": True, "silent": set(), "before": b"", "torn": False, "late": 0.0, "wrong_sum": False, "repeat_last": False}
        self.master, slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(slave)
        self.device, self.slave = os.ttyname(slave), slave
        self.over, self.last = threading.Event(), b""
        self.start()

    def behave(self, **changes):
        unknown = set(changes) - set(self.behaviours)
        assert not unknown, unknown
        self.behaviours.update(changes)

    def close(self):
        self.over.set()
        self.join(5)
        os.close(self.master)
        os.close(self.slave)

    def run(self):
        got = b""
        while not self.over.is_set():
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            got += os.read(self.master, 4096)
            while (start := got.find(b"\x68")) >= 0 and len(got) >= start + 12:
                length = got[start + 9]
                if len(got) < start + 12 + length:
                    break
                whole, got = got[start:start + 12 + length], got[start + 12 + length:]
                self.take(whole)

    def take(self, whole):
        if whole[7] != 0x68 or whole[-1] != 0x16 or sum(whole[:-2]) & 0xff != whole[-2]:
            self.noise += 1
            return
        number, control = whole[1:7][::-1].hex(), whole[8]
        data = bytes((b - 0x33) & 0xff for b in whole[10:-2])
        self.asked.append((number, control, data))
        for meter, values in self.meters.items():
            if number not in (meter, "aa" * 6) or meter in self.behaviours["silent"]:
                continue
            if control == 0x13:
                self.answer(frame(meter, 0x93, bytes.fromhex(meter)[::-1]))
            elif control == 0x11:
                value = values.get(int.from_bytes(data[:4], "little"))
                self.answer(frame(meter, 0x91, data[:4] + bytes.fromhex(value)[::-1]) if value else frame(meter, 0xd1, b"\x02"))

    def answer(self, whole):
        b = self.behaviours
        if b["wrong_sum"]:
            whole = whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:]
        out = self.last if b["repeat_last"] else whole
        self.last = whole
        self.over.wait(b["late"])
        out = b["before"] + (WAKE if b["wake"] else b"") + out
        if b["torn"]:
            os.write(self.master, out[:7])
            self.over.wait(0.02)
            out = out[7:]
        os.write(self.master, out)
