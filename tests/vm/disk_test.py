"""disk.py against a client of its own: what is flushed stays, what is not is gone. Run by arm.py before anything relies on it."""
import socket
import struct
import tempfile
import pathlib

import disk


class Client:
    """The least of NBD that a test needs."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.take(18)
        self.socket.sendall(struct.pack(">I", disk.FLAG_FIXED_NEWSTYLE | disk.FLAG_NO_ZEROES))
        self.socket.sendall(struct.pack(">QII", disk.OPTION_MAGIC, disk.OPT_EXPORT_NAME, 0))
        self.size, self.flags = struct.unpack(">QH", self.take(10))

    def take(self, length):
        return disk.Disk.take(self.socket, length)

    def ask(self, command, offset=0, length=0, data=b"", flags=0):
        """(error, what was read)"""
        self.socket.sendall(struct.pack(">IHHQQI", disk.REQUEST_MAGIC, flags, command, 7, offset, length or len(data)) + data)
        _, error, handle = struct.unpack(">IIQ", self.take(16))
        assert handle == 7
        return error, self.take(length) if command == disk.CMD_READ and not error else b""

    def cut(self):
        self.socket.close()


def cases():
    """(name, whether it holds) of each thing that the machine's tests build on."""
    with tempfile.TemporaryDirectory() as folder:
        image, path = pathlib.Path(folder) / "image", pathlib.Path(folder) / "socket"
        image.write_bytes(bytes(8 * 512))
        served = disk.Disk(image, path)
        client = Client(path)
        yield "disk: tells its size, that it can flush and FUA", client.size == 4096 and client.flags == disk.EXPORT_FLAGS
        flushed, forced, lost = b"f" * 512, b"u" * 512, b"l" * 1024
        client.ask(disk.CMD_WRITE, 0, data=flushed)
        client.ask(disk.CMD_FLUSH)
        client.ask(disk.CMD_WRITE, 512, data=forced, flags=disk.CMD_FLAG_FUA)
        client.ask(disk.CMD_WRITE, 1024, data=lost)
        client.ask(disk.CMD_WRITE, 0, data=b"n" * 512)
        yield "disk: reads what was written, durable or not", client.ask(disk.CMD_READ, 0, 2048)[1] == b"n" * 512 + forced + lost
        yield "disk: a write that is no whole sectors is refused", client.ask(disk.CMD_WRITE, 100, data=b"x" * 512)[0] == disk.EINVAL
        yield "disk: a write behind the end is refused", client.ask(disk.CMD_WRITE, 4096, data=b"x" * 512)[0] == disk.EINVAL
        client.cut()
        yield "disk: counts what it forgets", served.power_off() == 3
        client = Client(path)
        yield "disk: after a power-off what was flushed is there, what was not is as before", \
            client.ask(disk.CMD_READ, 0, 2048)[1] == flushed + forced + bytes(1024)
        client.ask(disk.CMD_WRITE, 1024, data=lost)
        client.cut()
        served.power_off(keeps=lambda sector: sector == 3)
        yield "disk: may keep a part", image.read_bytes()[1024:2048] == bytes(512) + b"l" * 512
        client = Client(path)
        served.stall(b"order 1 closed")
        client.ask(disk.CMD_WRITE, 0, data=b"order 1 open".ljust(512))
        client.ask(disk.CMD_FLUSH)
        passed = not served.stalled.is_set()
        client.ask(disk.CMD_WRITE, 2048, data=bytes(505) + b"order 1")
        client.ask(disk.CMD_WRITE, 2560, data=b" closed".ljust(512))
        client.socket.settimeout(0.5)
        try:
            client.ask(disk.CMD_FLUSH)
            answered = True
        except TimeoutError:
            answered = False
        yield "disk: stops at the flush of what it was told to wait for, and at no other", passed and served.stalled.is_set() and not answered
        client.cut()
        yield "disk: what it stopped at is lost", served.power_off() == 2 and image.read_bytes()[2048:3072] == bytes(1024)
        served.close()
