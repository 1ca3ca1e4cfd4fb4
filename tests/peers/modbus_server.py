#!/usr/bin/python3
"""A Modbus server that is not ours: pymodbus with two units. Register i of unit u holds 1000 * u + i, coil i is i modulo 3 = 0.

usage: modbus_server.py tcp|rtu PORT-OR-DEVICE tcp|rtu|ascii"""
import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer
from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer, ModbusSocketFramer

FRAMERS = {"tcp": ModbusSocketFramer, "rtu": ModbusRtuFramer, "ascii": ModbusAsciiFramer}
SIZE = 300


def unit(number):
    registers = [1000 * number + i for i in range(SIZE)]
    coils = [i % 3 == 0 for i in range(SIZE)]
    return ModbusSlaveContext(hr=ModbusSequentialDataBlock(0, list(registers)), ir=ModbusSequentialDataBlock(0, registers),
                              co=ModbusSequentialDataBlock(0, list(coils)), di=ModbusSequentialDataBlock(0, coils), zero_mode=True)


async def serve(kind, where, framing):
    context = ModbusServerContext(slaves={1: unit(1), 2: unit(2)}, single=False)
    framer = FRAMERS[framing]
    print("serving", flush=True)
    if kind == "tcp":
        await StartAsyncTcpServer(context, address=("127.0.0.1", int(where)), framer=framer)
    else:
        await StartAsyncSerialServer(context, port=where, framer=framer, baudrate=115200, bytesize=8, parity="N", stopbits=1)

asyncio.run(serve(*sys.argv[1:4]))
