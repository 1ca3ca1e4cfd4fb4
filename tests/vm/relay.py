#!/usr/bin/python3
"""One connection of the guest to the host's loopback: QEMU's guestfwd runs this with the connection as standard input and output."""
import os
import socket
import sys
import threading


def pump(read, write, done):
    while data := read():
        write(data)
    done()


def main():
    # QEMU's own descriptors come along, its disk's connection among them: that one must end with QEMU.
    os.closerange(3, 1024)
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as peer:
        def back():
            pump(lambda: peer.recv(65536), lambda data: os.write(1, data), lambda: os._exit(0))

        threading.Thread(target=back, daemon=True).start()
        pump(lambda: os.read(0, 65536), peer.sendall, lambda: peer.shutdown(socket.SHUT_WR))
        threading.Event().wait(60)  # what the peer still says; its end is ours


main()
