#!/usr/bin/python3
"""The third of polling.py: the same reads by pymodbus's own blocking client, a thread an endpoint.

    pymodbus_poll.py HOST PORT COUNT SECONDS ENDPOINTS    prints "REQUESTS SECONDS CPU_SECONDS SUM", of all words read
"""
import sys
import threading
import time

from pymodbus.client import ModbusTcpClient

WARM_UP_S, UNIT = 0.2, 1


def main():
    host, port, count, seconds, endpoints = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
    made, told, stop, wrong = [0] * endpoints, [0] * endpoints, threading.Event(), []

    def read_on(i):
        client = ModbusTcpClient(host, port=port + i)
        assert client.connect()
        while not stop.is_set():
            answer = client.read_holding_registers(0, count, UNIT)
            if answer.isError() or len(answer.registers) != count:
                wrong.append(str(answer))
                break
            made[i] += 1
            told[i] += sum(answer.registers)
        client.close()

    threads = [threading.Thread(target=read_on, args=(i,)) for i in range(endpoints)]
    for thread in threads:
        thread.start()
    time.sleep(WARM_UP_S)
    before, sum_before, cpu, begin = sum(made), sum(told), time.process_time(), time.monotonic()
    time.sleep(seconds)
    print(sum(made) - before, time.monotonic() - begin, time.process_time() - cpu, sum(told) - sum_before)
    stop.set()
    for thread in threads:
        thread.join()
    sys.exit(wrong[0] if wrong else 0)


main()
