"""Chargers and meters of other makers, as register images served by pymodbus: what they have, what they refuse, and a record of all
that they were asked. Nothing of the gateway is used. Run with Debian's python3: modbus_models.py SPEC.json

SPEC: {"log": path, "devices": [{
  "name": text, "port": TCP port or "device": serial device (RTU),
  "units": {unit: {function: {address: word}}},   1 coils, 3 holding, 4 input; what is not there is refused with exception 2
  "most": words in a read, more are refused; "whole": true: a read must be exactly one of "values" ([address, words])
  "forbidden": [[first, last]],                   exception 2, and the connection is closed
  "ignores": [address],                           writes there are confirmed, and do nothing
  "react": [{"address": a, "nonzero": {address: word}, "zero": {...}}]}]}   what a write does to other registers
Log: JSON lines {"t", "device", "unit", "fc", "address", "count"} and "words" of a write, "refused" where it was."""
import asyncio
import json
import sys
import time

from pymodbus.datastore import ModbusServerContext
from pymodbus.framer.rtu_framer import ModbusRtuFramer
from pymodbus.interfaces import IModbusSlaveContext
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer


class Unit(IModbusSlaveContext):
    def __init__(self, spec, number, image, log):
        self.spec, self.number, self.log = spec, number, log
        self.image = {int(fc): {int(a): w for a, w in words.items()} for fc, words in image.items()}

    def table(self, fc):
        return self.image.setdefault({5: 1, 15: 1, 6: 3, 16: 3}.get(fc, fc), {})

    def note(self, **what):
        self.log.write(json.dumps({"t": time.monotonic(), "device": self.spec["name"], "unit": self.number, **what}) + "\n")
        self.log.flush()

    def refuses(self, fc, address, count):
        if any(address <= last and address + count > first for first, last in self.spec.get("forbidden", ())):
            return "forbidden"
        if fc in (3, 4) and count > self.spec.get("most", 125):
            return "too long"
        if fc in (3, 4) and self.spec.get("whole") and [address, count] not in self.spec["values"]:
            return "not one value"
        # A write may go to what can't be read.
        if fc <= 4 and not all(a in self.table(fc) for a in range(address, address + count)):
            return "no such register"
        return None

    def validate(self, fx, address, count=1):
        why = self.refuses(fx, address, count)
        if fx <= 4 or why:
            self.note(fc=fx, address=address, count=count, **({"refused": why} if why else {}))
        return not why

    def getValues(self, fx, address, count=1):  # noqa: N802 (pymodbus's name)
        return [self.table(fx).get(a, 0) for a in range(address, address + count)]

    def setValues(self, fx, address, values):  # noqa: N802
        words = [int(v) for v in values]
        self.note(fc=fx, address=address, count=len(words), words=words)
        if address in self.spec.get("ignores", ()):
            return
        self.table(fx).update({address + i: w for i, w in enumerate(words)})
        for rule in self.spec.get("react", ()):
            if rule["address"] == address:
                for at, word in rule["nonzero" if any(words) else "zero"].items():
                    self.image[rule.get("fc", 3)][int(at)] = word


async def main():
    spec = json.load(open(sys.argv[1], encoding="utf-8"))
    servers = []
    with open(spec["log"], "w", encoding="utf-8") as log:
        for device in spec["devices"]:
            units = {int(n): Unit(device, int(n), image, log) for n, image in device["units"].items()}
            context = ModbusServerContext(slaves=units, single=False)
            if "port" in device:
                servers.append(StartAsyncTcpServer(context, address=("127.0.0.1", device["port"])))
            else:
                servers.append(StartAsyncSerialServer(context, framer=ModbusRtuFramer, port=device["device"], baudrate=19200))
        await asyncio.gather(*servers)


asyncio.run(main())
