#!/usr/bin/env python3
"""mkfve: the metadata of a BitLocker volume on top of an image, for tests.

usage: mkfve.py IMAGE KIND...     KIND: clear-key tpm startup-key tpm-pin recovery-password password other

The boot sector and three copies of the metadata, with one master-key entry per KIND. Nothing is encrypted
and no key is in it; `cryptsetup bitlkDump` reads the result, which is how the layout is checked.
"""
import struct
import sys
import uuid

PROTECTION = {"clear-key": 0x0000, "tpm": 0x0100, "startup-key": 0x0200, "tpm-pin": 0x0500,
              "recovery-password": 0x0800, "password": 0x2000, "other": 0x4000}
COPIES = (0x0110_0000, 0x0120_0000, 0x0130_0000)
FILETIME = 133_500_000_000_000_000


def entry(kind, value, data):
    return struct.pack("<4H", 8 + len(data), kind, value, 1) + data


def vmk(name):
    head = uuid.uuid5(uuid.NAMESPACE_DNS, name).bytes_le + struct.pack("<QHH", FILETIME, 0, PROTECTION[name])
    key = entry(0, 5, struct.pack("<QI", FILETIME, 1) + bytes(16) + bytes(44))  # wrapped, all zeros
    return entry(2, 8, head + key)


def main():
    image, kinds = sys.argv[1], sys.argv[2:]
    entries = b"".join(vmk(k) for k in kinds) + entry(3, 5, struct.pack("<QI", FILETIME, 2) + bytes(16) + bytes(44))
    size = 48 + len(entries)
    header = struct.pack("<IIII", size, 1, 48, size) + uuid.uuid5(uuid.NAMESPACE_DNS, "volume").bytes_le
    header += struct.pack("<IHHQ", 3, 0x8004, 0, FILETIME)
    with open(image, "r+b") as f:
        f.seek(0, 2)
        length = f.tell()
        block = b"-FVE-FS-" + struct.pack("<HHIQII", 48, 2, 0x00040004, length, 0, 16) + struct.pack("<4Q", *COPIES, 0x0100_0000)
        f.seek(0)
        f.write(b"\xeb\x58\x90-FVE-FS-")
        f.seek(160)
        f.write(uuid.UUID("4967d63b-2e29-4ad8-8399-f6a339e3d001").bytes_le + struct.pack("<3Q", *COPIES))
        for at in COPIES:
            f.seek(at)
            f.write(block + header + entries)


main()
