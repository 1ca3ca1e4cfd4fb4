"""A CAN bus for tests: one UNIX datagram socket, on which simulated nodes hear and send frames. Written from the description of the
datagram transport alone; it shares no line with the gateway."""
import os
import socket
import struct
import threading
import time

EXTENDED = 0x80000000


class Bus:
    """The other side of `datagram:GATEWAY,OURS`. Nodes are objects with frame(id, data) and tick(now); each may call bus.send."""

    def __init__(self, own, gateway):
        self.own, self.gateway = str(own), str(gateway)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.own)
        self.socket.settimeout(0.02)
        self.nodes, self.heard, self.lock = [], [], threading.Lock()
        self.problems = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def add(self, node):
        node.bus = self
        self.nodes.append(node)
        return node

    def send(self, can_id, data, extended=True):
        packet = struct.pack(">IB3x8s", can_id | (EXTENDED if extended else 0), len(data), bytes(data))
        try:
            self.socket.sendto(packet, self.gateway)
        except (FileNotFoundError, ConnectionRefusedError):
            pass  # nobody is on the bus yet

    def run(self):
        while not self.ended.is_set():
            try:
                packet = self.socket.recv(64)
            except socket.timeout:
                packet = None
            try:
                if packet is not None:
                    self.take(packet)
                for node in self.nodes:
                    node.tick(time.monotonic())
            except Exception as error:  # a thread's failure must be the test's
                self.problems.append(repr(error))

    def take(self, packet):
        word, length, data = struct.unpack(">IB3x8s", packet)
        frame = (word & 0x1FFFFFFF, data[:length])
        assert word & EXTENDED, "the devices here use 29-bit identifiers"
        with self.lock:
            self.heard.append((time.monotonic(), *frame))
        for node in self.nodes:
            node.frame(*frame)

    def times_of(self, can_id, data=None):
        """When such a frame was heard."""
        with self.lock:
            return [t for t, i, d in self.heard if i == can_id and (data is None or d == data)]

    def stop(self):
        self.ended.set()
        self.thread.join(10)
        self.socket.close()
        os.unlink(self.own)
        assert not self.problems, self.problems
