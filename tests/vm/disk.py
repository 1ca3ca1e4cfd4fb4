"""A disk that forgets at power-off what was not flushed, as a disk with a write cache does: an NBD server on a UNIX socket, for QEMU's
`-drive driver=nbd`. A raw image with a killed QEMU would keep everything, because the host's page cache does.

What is written stays in memory, by sectors, until the guest flushes (NBD_CMD_FLUSH) or asks for one write to be durable (FUA). Only then
does it reach the image. power_off() drops the rest, or keeps a part of it, since a real disk may have written any sector by itself."""
import os
import pathlib
import socket
import struct
import threading

SECTOR = 512
# The protocol's words: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
MAGIC, OPTION_MAGIC, OPTION_REPLY_MAGIC = 0x4e42444d41474943, 0x49484156454f5054, 0x0003e889045565a9
REQUEST_MAGIC, REPLY_MAGIC = 0x25609513, 0x67446698
FLAG_FIXED_NEWSTYLE, FLAG_NO_ZEROES = 1, 2
EXPORT_HAS_FLAGS, EXPORT_SEND_FLUSH, EXPORT_SEND_FUA = 1, 4, 8
EXPORT_FLAGS = EXPORT_HAS_FLAGS | EXPORT_SEND_FLUSH | EXPORT_SEND_FUA
OPT_EXPORT_NAME, OPT_ABORT, OPT_INFO, OPT_GO = 1, 2, 6, 7
REP_ACK, REP_INFO, REP_ERR_UNSUP = 1, 3, 0x80000001
INFO_EXPORT = 0
CMD_READ, CMD_WRITE, CMD_DISC, CMD_FLUSH = 0, 1, 2, 3
CMD_FLAG_FUA = 1
EINVAL = 22


class Disk:
    """A raw image behind a write cache. One client at a time, again and again."""

    def __init__(self, image, path):
        """image: a raw file, whole sectors. path: the socket."""
        self.image, self.path = open(image, "r+b", buffering=0), pathlib.Path(path)
        self.size = os.fstat(self.image.fileno()).st_size
        assert self.size % SECTOR == 0, f"{image}: {self.size} bytes are no whole sectors"
        self.cache = {}  # sector number -> its bytes: written and not yet durable
        self.written = self.durable = self.flushes = 0  # bytes, bytes, flushes and FUA writes
        self.lock = threading.Lock()
        self.stalls_on = None  # asked before a flush: true ends the disk's work for this client, as if the power had failed just now
        self.stalled = threading.Event()
        self.idle = threading.Event()
        self.idle.set()
        self.path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(4)
        self.over = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    # --- what the tests say

    def power_off(self, keeps=lambda sector: False):
        """After the client has gone: the sectors that were not flushed are lost, but for those that keeps(number) is true of. Returns how many
        were lost."""
        if not self.idle.wait(60):
            raise RuntimeError("power_off while a client is connected")
        with self.lock:
            for sector in [s for s in self.cache if keeps(s)]:
                self.store(sector)
            lost = len(self.cache)
            self.cache.clear()
        return lost

    def stall(self, text):
        """The next flush that is to make these bytes durable is not carried out, nor anything behind it: the moment to call power_off(). `stalled`
        tells when."""
        self.stalled.clear()
        self.stalls_on = text

    def is_to_stall(self):
        with self.lock:
            if self.stalls_on is None:
                return False
            run, last = bytearray(), None
            for sector in sorted(self.cache):  # what was written may go over the border of two sectors
                if sector - 1 != last:
                    run += b"\0" * len(self.stalls_on)
                run += self.cache[sector]
                last = sector
            if self.stalls_on not in run:
                return False
            self.stalls_on = None
        self.stalled.set()
        return True

    def close(self):
        """Ends the server; what was not flushed is lost."""
        self.over = True
        # close() alone leaves a thread in accept() where it is.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.listener.close()
        self.path.unlink(missing_ok=True)
        self.image.close()

    # --- the image

    def store(self, sector):
        os.pwrite(self.image.fileno(), self.cache.pop(sector), sector * SECTOR)
        self.durable += SECTOR

    def read(self, offset, length):
        with self.lock:
            data = bytearray(os.pread(self.image.fileno(), length, offset))
            if self.cache:
                for sector in range(offset // SECTOR, (offset + length) // SECTOR):
                    if sector in self.cache:
                        at = sector * SECTOR - offset
                        data[at:at + SECTOR] = self.cache[sector]
        return bytes(data)

    def write(self, offset, data, fua):
        with self.lock:
            sectors = range(offset // SECTOR, (offset + len(data)) // SECTOR)
            for number, sector in enumerate(sectors):
                self.cache[sector] = data[number * SECTOR:(number + 1) * SECTOR]
            self.written += len(data)
            if fua:
                for sector in sectors:
                    self.store(sector)
                self.flushes += 1

    def flush(self):
        with self.lock:
            for sector in list(self.cache):
                self.store(sector)
            self.flushes += 1

    # --- the protocol

    def serve(self):
        while not self.over:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.idle.clear()
            try:
                with client:
                    if self.shake_hands(client):
                        self.answer(client)
            except OSError:
                pass  # QEMU was killed: a power cut
            finally:
                self.idle.set()

    @staticmethod
    def take(client, length):
        data = bytearray()
        while len(data) < length:
            part = client.recv(length - len(data))
            if not part:
                raise ConnectionResetError("the client has gone")
            data += part
        return bytes(data)

    def shake_hands(self, client):
        """True when the client went on to reading and writing."""
        client.sendall(struct.pack(">QQH", MAGIC, OPTION_MAGIC, FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES))
        no_zeroes = struct.unpack(">I", self.take(client, 4))[0] & FLAG_NO_ZEROES
        while True:
            magic, option, length = struct.unpack(">QII", self.take(client, 16))
            if magic != OPTION_MAGIC or length > 65536:
                return False
            self.take(client, length)

            def reply(kind, data=b"", option=option):
                client.sendall(struct.pack(">QIII", OPTION_REPLY_MAGIC, option, kind, len(data)) + data)

            if option == OPT_EXPORT_NAME:
                client.sendall(struct.pack(">QH", self.size, EXPORT_FLAGS) + (b"" if no_zeroes else bytes(124)))
                return True
            if option in (OPT_GO, OPT_INFO):
                reply(REP_INFO, struct.pack(">HQH", INFO_EXPORT, self.size, EXPORT_FLAGS))
                reply(REP_ACK)
                if option == OPT_GO:
                    return True
            elif option == OPT_ABORT:
                reply(REP_ACK)
                return False
            else:  # structured replies, TLS, meta contexts: not spoken here
                reply(REP_ERR_UNSUP)

    def answer(self, client):
        while True:
            magic, flags, command, handle, offset, length = struct.unpack(">IHHQQI", self.take(client, 28))
            if magic != REQUEST_MAGIC or command == CMD_DISC:
                return
            data = self.take(client, length) if command == CMD_WRITE else b""
            # A write that is no whole sectors would need a read before: Linux on a disk of 512-byte sectors sends none.
            wrong = command not in (CMD_READ, CMD_WRITE, CMD_FLUSH) or offset % SECTOR or length % SECTOR or offset + length > self.size
            if wrong:
                client.sendall(struct.pack(">IIQ", REPLY_MAGIC, EINVAL, handle))
                continue
            if command == CMD_FLUSH and self.is_to_stall():
                while client.recv(65536):
                    pass
                return
            if command == CMD_WRITE:
                self.write(offset, data, flags & CMD_FLAG_FUA)
            elif command == CMD_FLUSH:
                self.flush()
            client.sendall(struct.pack(">IIQ", REPLY_MAGIC, 0, handle) + (self.read(offset, length) if command == CMD_READ else b""))
