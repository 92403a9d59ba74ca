#!/usr/bin/python3
"""Make a provisioning blob again from the join that a SYSTEM hive holds.

usage: recompose.py HIVE OUT [--flip BIT]

hivex reads the values an offline join left (Control\\Lsa\\OfflineJoin, Services\\Netlogon\\JoinDomain);
nothing else goes in: neither the first blob nor code of the product. OUT is a file as `djoin /savefile`
writes it. What a controller says to OUT it says to the hive. --flip BIT turns one bit of the password.

Layout: MS-RPCE type serialization (NDR20, little-endian) of ODJ_PROVISION_DATA, as Microsoft's IDL
has it. The account's RID is not in the registry; composed blobs have 0 there.
"""
import base64
import struct
import sys
import uuid

import hivex

JOIN_PROVIDER = "631c7621-5289-4321-bc9e-80f843f868c3"
JOIN_PROVIDER3 = "fc0ccf25-7ffa-474a-8611-69ffe269645f"
REG_SZ, REG_BINARY, REG_DWORD = 1, 3, 4
ESSENTIAL = 1


# --- the registry ---

class Key:
    def __init__(self, hive, path):
        self.hive, self.path, self.node = hive, path, hive.root()
        for name in path.split("\\"):
            self.node = hive.node_get_child(self.node, name)
            if self.node is None:
                sys.exit("no key %s" % path)

    def get(self, name, kind, optional=False):
        """The value's bytes; the closing NUL of a string is checked and cut."""
        for v in self.hive.node_values(self.node):
            if self.hive.value_key(v).lower() != name.lower():
                continue
            got, data = self.hive.value_value(v)
            if got != kind:
                sys.exit("%s\\%s has type %d, not %d" % (self.path, name, got, kind))
            if kind != REG_SZ:
                return data
            if len(data) % 2 or data[-2:] != b"\0\0":
                sys.exit("%s\\%s is not a closed string" % (self.path, name))
            return data[:-2]
        if optional:
            return None
        sys.exit("no value %s\\%s" % (self.path, name))

    def dword(self, name):
        return struct.unpack("<I", self.get(name, REG_DWORD))[0]


def read_join(path):
    hive = hivex.Hivex(path)
    control = "ControlSet%03d\\" % Key(hive, "Select").dword("Current")
    join = Key(hive, control + "Control\\Lsa\\OfflineJoin")
    dc = Key(hive, control + "Services\\Netlogon\\JoinDomain")
    if join.dword("JoinAction") != 1:
        sys.exit("JoinAction is not 1")
    return {
        "name": join.get("MachineName", REG_SZ),
        "password": join.get("CurrentValue", REG_SZ),
        "dns": [join.get(n, REG_SZ) for n in ("DNSDIName", "DNSDIDomName", "DNSDIForestName")],
        "guid": join.get("DNSDIGuid", REG_BINARY),
        "sid": join.get("DNSDISid", REG_SZ),
        "dc": [dc.get(n, REG_SZ) for n in ("DomainControllerName", "DomainControllerAddress")],
        "dc_type": dc.dword("DomainControllerAddressType"),
        "dc_guid": dc.get("DomainGuid", REG_BINARY),
        "dc_domain": [dc.get(n, REG_SZ) for n in ("DomainName", "DnsForestName")],
        "dc_flags": dc.dword("Flags"),
        "dc_sites": [dc.get(n, REG_SZ, True) for n in ("DcSiteName", "ClientSiteName")],
    }


# --- NDR ---

class Ndr:
    """One serialized object: pointers first, what they point to after the structure."""

    def __init__(self):
        self.b, self.next, self.later = bytearray(), 0x20000, []
        self.pointer(True)

    def align(self, n):
        self.b += bytes(-len(self.b) % n)

    def u16(self, v):
        self.align(2)
        self.b += struct.pack("<H", v)

    def u32(self, v):
        self.align(4)
        self.b += struct.pack("<I", v)

    def guid(self, le):
        self.align(4)
        self.b += le

    def pointer(self, there, write=None):
        self.u32(self.next if there else 0)
        self.next += 4
        if there and write:
            self.later.append(write)

    def deferred(self):
        todo, self.later = self.later, []
        for write in todo:
            write()

    def string(self, units):
        """[string] wchar_t *: counts include the NUL."""
        def write():
            n = len(units) // 2 + 1
            self.u32(n), self.u32(0), self.u32(n)
            self.b += units + b"\0\0"
        self.pointer(units is not None, write)

    def counted(self, units):
        """A string with its length in front, no NUL on the wire."""
        self.u16(len(units)), self.u16(len(units) + 2)

        def write():
            self.u32(len(units) // 2 + 1), self.u32(0), self.u32(len(units) // 2)
            self.b += units
        self.pointer(True, write)

    def blob(self, data):
        def write():
            self.u32(len(data))
            self.b += data
        self.u32(len(data)), self.pointer(True, write)

    def nothing(self):
        """An extension or context that is not there: its size and a null pointer."""
        self.u32(0), self.pointer(False)

    def finish(self):
        self.deferred()
        self.align(8)
        return struct.pack("<BBHIII", 1, 0x10, 8, 0xCCCCCCCC, len(self.b), 0) + self.b


def sid_writer(w, text):
    revision, authority, *subs = (int(x) for x in text.split("-")[1:])

    def write():
        w.u32(len(subs))
        w.b += bytes([revision, len(subs)]) + authority.to_bytes(6, "big")
        for sub in subs:
            w.u32(sub)
    return write


def win7_blob(j):
    w = Ndr()
    for units in (j["dns"][1], j["name"], j["password"]):
        w.string(units)
    for units in j["dns"]:
        w.counted(units)
    w.guid(j["guid"])
    w.pointer(True, sid_writer(w, j["sid"].decode("utf-16-le")))
    for units in j["dc"]:
        w.string(units)
    w.u32(j["dc_type"])
    w.guid(j["dc_guid"])
    for units in j["dc_domain"]:
        w.string(units)
    w.u32(j["dc_flags"])
    for units in j["dc_sites"]:
        w.string(units)
    w.u32(0)
    return w.finish()


def join_provider3(j):
    w = Ndr()
    w.u32(0)
    w.string(j["sid"])
    return w.finish()


def part_collection(parts):
    w = Ndr()

    def array():
        w.u32(len(parts))
        for kind, flags, data in parts:
            w.guid(uuid.UUID(kind).bytes_le)
            w.u32(flags)
            w.blob(data)
            w.nothing()
        w.deferred()
    w.u32(len(parts)), w.pointer(True, array)
    w.nothing()
    return w.finish()


def package(collection):
    w = Ndr()
    w.guid(bytes(16))
    w.nothing()
    w.blob(collection)
    w.u32(0)
    w.nothing()
    return w.finish()


def provision_data(blobs):
    w = Ndr()

    def array():
        w.u32(len(blobs))
        for form, data in blobs:
            w.u32(form)
            w.blob(data)
        w.deferred()
    w.u32(1), w.u32(len(blobs)), w.pointer(True, array)
    return w.finish()


def main():
    hive, out, *flip = sys.argv[1:]
    join = read_join(hive)
    if flip:
        bit = int(flip[1])
        password = bytearray(join["password"])
        password[bit // 8] ^= 1 << bit % 8
        join["password"] = bytes(password)
    win7 = win7_blob(join)
    parts = [(JOIN_PROVIDER, ESSENTIAL, win7), (JOIN_PROVIDER3, 0, join_provider3(join))]
    raw = provision_data([(1, win7), (2, package(part_collection(parts)))])
    with open(out, "wb") as f:
        f.write(b"\xff\xfe" + (base64.b64encode(raw).decode() + "\0").encode("utf-16-le"))


if __name__ == "__main__":
    main()
