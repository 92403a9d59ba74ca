"""Disks for QEMU that remember every write and every flush, of all of them in one order.

    tape = Tape({"stick": "stick.img", "pc": "pc.img"}, folder)
    QEMU's drive file: tape.url("stick")
    tape.ops: list of (name, offset, bytes) for a write, (name, None, b"") for a flush
    tape.save("stick", path): the disk as it is now

The disks live in memory; the files are only read. Speaks NBD (fixed newstyle, no structured replies),
one thread per connection. Protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
"""

import os
import socket
import struct
import threading

OPTION_MAGIC, REPLY_MAGIC = 0x49484156454F5054, 0x3E889045565A9
REQUEST_MAGIC, ANSWER_MAGIC = 0x25609513, 0x67446698
OPT_EXPORT_NAME, OPT_ABORT, OPT_GO = 1, 2, 7
REP_ACK, REP_INFO, REP_UNSUP = 1, 3, (1 << 31) + 1
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
FLAG_FUA = 1
EIO, EINVAL = 5, 22
TRANSMIT = 1 | 1 << 2 | 1 << 3  # has flags, flush, FUA


def take(line, n):
    """Exactly n bytes, or EOFError."""
    data = bytearray()
    while len(data) < n:
        part = line.recv(n - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


class Tape:
    """A server for some disks and what was done to them."""

    def __init__(self, disks, folder):
        self.folder = folder
        self.lock = threading.Lock()
        self.ops = []
        self.writes = 0
        self.last = None  # (name, number): that disk answers nothing any more after that many writes of all
        self.gone = None  # its name, from then on
        self.data = {}
        for name, path in disks.items():
            with open(path, "rb") as file:
                self.data[name] = bytearray(file.read())
            server = socket.socket(socket.AF_UNIX)
            server.bind(self.path(name))
            server.listen(4)
            threading.Thread(target=self.accept, args=(name, server), daemon=True).start()

    def path(self, name):
        """The disk's socket."""
        return os.path.join(self.folder, name + ".nbd")

    def url(self, name):
        """What QEMU calls it."""
        return "nbd+unix:///?socket=" + self.path(name)

    def save(self, name, path):
        """Write the disk as it is now, sparse."""
        with self.lock, open(path, "wb") as file:
            file.truncate(len(self.data[name]))
            write_sparse(file, self.data[name])

    # --- the protocol -----------------------------------------------------------------------------

    def accept(self, name, server):
        """One thread per connection."""
        while True:
            line = server.accept()[0]
            threading.Thread(target=self.serve, args=(name, line), daemon=True).start()

    def serve(self, name, line):
        """Until the other side goes."""
        try:
            if self.negotiate(name, line):
                while self.answer(name, line):
                    pass
        except (EOFError, OSError):
            pass
        line.close()

    def negotiate(self, name, line):
        """True when transmission begins."""
        size = len(self.data[name])
        line.sendall(b"NBDMAGIC" + struct.pack(">QH", OPTION_MAGIC, 1))
        no_zeroes = struct.unpack(">I", take(line, 4))[0] & 2
        while True:
            _, option, n = struct.unpack(">QII", take(line, 16))
            take(line, n)

            def reply(kind, data=b""):
                line.sendall(struct.pack(">QIII", REPLY_MAGIC, option, kind, len(data)) + data)

            if option == OPT_EXPORT_NAME:
                line.sendall(struct.pack(">QH", size, TRANSMIT) + (b"" if no_zeroes else bytes(124)))
                return True
            if option == OPT_GO:
                reply(REP_INFO, struct.pack(">HQH", 0, size, TRANSMIT))
                reply(REP_ACK)
                return True
            if option == OPT_ABORT:
                reply(REP_ACK)
                return False
            reply(REP_UNSUP)

    def answer(self, name, line):
        """One request; False at the end."""
        magic, flags, kind, handle, offset, n = struct.unpack(">IHHQQI", take(line, 28))
        if magic != REQUEST_MAGIC or kind == DISCONNECT:
            return False
        data = take(line, n) if kind == WRITE else b""
        out, error = b"", 0
        with self.lock:
            if name == self.gone:
                error = EIO
            elif kind == READ:
                out = bytes(self.data[name][offset : offset + n])
            elif kind == WRITE:
                self.data[name][offset : offset + n] = data
                self.ops.append((name, offset, data))
                self.writes += 1
                if self.last and self.writes >= self.last[1]:
                    self.gone = self.last[0]
                if flags & FLAG_FUA:
                    self.ops.append((name, None, b""))
            elif kind == FLUSH:
                self.ops.append((name, None, b""))
            else:
                error = EINVAL
        line.sendall(struct.pack(">IIQ", ANSWER_MAGIC, error, handle) + (b"" if error else out))
        return True


def write_sparse(file, data, block=1 << 16):
    """Blocks of zeros become holes."""
    nothing = bytes(block)
    for at in range(0, len(data), block):
        piece = data[at : at + block]
        if piece != nothing[: len(piece)]:
            file.seek(at)
            file.write(piece)
