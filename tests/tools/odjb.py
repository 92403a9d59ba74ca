#!/usr/bin/python3
"""A second implementation of docs/format-bundle.md, from the document alone: reads and writes bundles.

usage: odjb.py list BUNDLE LAB.pub PASSPHRASE [KEYFILE]
       odjb.py blob BUNDLE LAB.pub PASSPHRASE ENTRY [KEYFILE]     raw blob on standard output
       odjb.py find BUNDLE LAB.pub PASSPHRASE serial|tag|name TEXT

Needs python3-nacl for Ed25519, X25519, Argon2id and XChaCha20-Poly1305; BLAKE2b is hashlib's, the archive is
found with tarfile.
"""
import base64
import hashlib
import io
import struct
import sys
import tarfile
import time

import nacl.bindings as sodium
import nacl.exceptions
import nacl.pwhash.argon2id
import nacl.signing
import nacl.utils

NEVER = 0
MEMBERS = ["header", "header.minisig", "keys", "slots", "lookup", "catalog", "tree"]


class Bad(Exception):
    """The bundle is refused; args: stage-independent error name, text."""


def need(ok, error, text):
    if not ok:
        raise Bad(error, text)


def h(data, size=32):
    return hashlib.blake2b(data, digest_size=size).digest()


def mac(key, data, size=32):
    return hashlib.blake2b(data, key=key, digest_size=size).digest()


def derive(key, label, data):
    return mac(key, label.encode() + b"\0" + data)


def seal(key, plain, ad, rnd=nacl.utils.random):
    nonce = rnd(24)
    return nonce + sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, ad, nonce, key)


def unseal(key, sealed, ad):
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[24:], ad, sealed[:24], key)
    except nacl.exceptions.CryptoError:
        return None


def argon2id(passphrase, salt, passes, memory_kib):
    return nacl.pwhash.argon2id.kdf(32, passphrase, salt, opslimit=passes, memlimit=memory_kib * 1024)


def bind(label, bundle_id, entry, expires):
    return label.encode() + b"\0" + bundle_id + struct.pack("<IQ", entry, expires)


def stamp(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def unstamp(text):
    import calendar
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def normal_form(text):
    return "".join(c for c in text if c not in " \t-").upper().encode()


# --- minisign ---

def key_id_text(key_id):
    return "%016X" % struct.unpack("<Q", key_id)


def minisign_sign(signing_key, data, comment):
    public = bytes(signing_key.verify_key)
    sig = signing_key.sign(h(data, 64)).signature
    glob = signing_key.sign(sig + comment.encode()).signature
    return ("untrusted comment: test\n%s\ntrusted comment: %s\n%s\n" % (
        base64.b64encode(b"ED" + h(public)[:8] + sig).decode(), comment,
        base64.b64encode(glob).decode())).encode()


def minisign_verify(public_key, data, text):
    """public_key: the 42 bytes of LAB.pub. Returns the trusted comment."""
    need(public_key[:2] == b"Ed" and len(public_key) == 42, "bad-format", "not a public key")
    lines = text.split(b"\n")
    need(len(lines) == 5 and lines[2].startswith(b"trusted comment: "), "integrity", "no signature")
    sig = base64.b64decode(lines[1], validate=True)
    comment = lines[2][len(b"trusted comment: "):]
    glob = base64.b64decode(lines[3], validate=True)
    need(len(sig) == 74 and sig[:2] == b"ED", "integrity", "no prehashed signature")
    need(sig[2:10] == public_key[2:10], "integrity", "signed by another key")
    verify = nacl.signing.VerifyKey(public_key[10:])
    try:
        verify.verify(h(data, 64), sig[10:])
        verify.verify(sig[10:] + comment, glob)
    except nacl.exceptions.BadSignatureError:
        raise Bad("integrity", "signature does not hold") from None
    return comment.decode()


# --- tree ---

def leaf(data):
    return h(b"\0" + data)


def tree_levels(leaves):
    levels = [leaves]
    while len(levels[-1]) > 1:
        low = levels[-1]
        levels.append([h(b"\1" + low[i] + low[i + 1]) if i + 1 < len(low) else low[i]
                       for i in range(0, len(low), 2)])
    return levels


# --- records ---

def record(fields, size):
    out = b"".join(struct.pack("<HI", t, len(v)) + v for t, v in fields) + struct.pack("<HI", 0, 0)
    assert len(out) <= size, (len(out), size)
    return out + bytes(size - len(out))


def parse_record(data):
    fields, at, last = [], 0, 0
    while True:
        kind, size = struct.unpack_from("<HI", data, at)
        value = data[at + 6:at + 6 + size]
        need(len(value) == size, "integrity", "record is cut")
        at += 6 + size
        if kind == 0:
            need(size == 0 and not any(data[at:]), "integrity", "bytes after the end of a record")
            return fields
        need(kind <= 7 and (kind > last or kind == last == 6), "integrity", "fields out of order")
        fields.append((kind, value))
        last = kind


# --- reading ---

class Bundle:
    def __init__(self, data, lab_pub):
        self.data = data
        tar = tarfile.open(fileobj=io.BytesIO(data))
        self.members = {m.name: m for m in tar.getmembers()}
        need([m.name for m in tar.getmembers()][:7] == MEMBERS, "integrity", "members")
        text = self.read("header")
        first, *lines = text.decode("ascii").split("\n")
        need(first.startswith("odjstick-bundle "), "bad-format", "not a bundle")
        need(first == "odjstick-bundle 1", "unsupported", first)
        need(lines.pop() == "" and len(lines) == 9, "integrity", "header lines")
        names, values = zip(*(line.split(" ", 1) for line in lines))
        need(names == ("id", "label", "created", "expires", "entries", "size", "lab", "root", "mac"),
             "integrity", "header fields")
        self.header = dict(zip(names, values))
        self.id = bytes.fromhex(self.header["id"])
        self.count = int(self.header["entries"])
        self.created = unstamp(self.header["created"])
        self.expires = NEVER if self.header["expires"] == "never" else unstamp(self.header["expires"])
        self.covered = text[:text.index(b"\nmac ") + 1]
        comment = minisign_verify(lab_pub, text, self.read("header.minisig"))
        need(comment == "odjstick bundle " + self.id.hex(), "integrity", "trusted comment")
        need(key_id_text(lab_pub[2:10]) == self.header["lab"], "integrity", "lab line")
        need(len(data) == int(self.header["size"]), "integrity", "size")
        self.verify_tree()

    def read(self, name):
        m = self.members[name]
        return self.data[m.offset_data:m.offset_data + m.size]

    def entry_bytes(self, i):
        return self.read("entry/%06d" % i)

    def verify_tree(self):
        lookup, catalog = self.read("lookup"), self.read("catalog")
        leaves = [leaf(lookup[i:i + 4080]) for i in range(0, len(lookup), 4080)]
        for i in range(self.count):
            leaves += [leaf(catalog[512 * i:512 * i + 512]), leaf(self.entry_bytes(i))]
        levels = tree_levels(leaves)
        need(levels[-1][0].hex() == self.header["root"], "integrity", "root")
        need(b"".join(b"".join(level) for level in levels[:-1]) == self.read("tree"), "integrity", "tree")

    def unlock(self, passphrase, keyfile=None):
        slot = self.read("keys")[:512]
        passes, memory = struct.unpack_from("<II", slot, 16)
        need(1 <= passes <= 10 and 8192 <= memory <= 1048576, "limit", "cost")
        stretched = argon2id(passphrase, slot[24:40], passes, memory)
        if slot[:16] == b"odjb key pass  \n":
            kek = derive(stretched, "odjb1 passphrase", self.id)
        else:
            need(slot[:16] == b"odjb key both  \n", "integrity", "key slot 0")
            need(keyfile is not None, "wrong-key", "key file missing")
            kek = derive(stretched, "odjb1 keyfile", self.id + h(keyfile, 64))
        need(derive(kek, "odjb1 wrap commit", self.id) == slot[40:72], "wrong-key", "commitment")
        master = unseal(derive(kek, "odjb1 wrap", self.id), slot[72:144], slot[:72] + self.id)
        need(master is not None, "wrong-key", "key slot 0")
        self.master(master)

    def unlock_x25519(self, secret):
        public = sodium.crypto_scalarmult_base(secret)
        for at in range(512, 4096, 512):
            slot = self.read("keys")[at:at + 512]
            if slot[:16] != b"odjb key x25519\n":
                continue
            shared = sodium.crypto_scalarmult(secret, slot[16:48])
            kek = derive(shared, "odjb1 x25519", self.id + slot[16:48] + public)
            if derive(kek, "odjb1 wrap commit", self.id) == slot[48:80]:
                master = unseal(derive(kek, "odjb1 wrap", self.id), slot[80:152], slot[:80] + self.id)
                need(master is not None, "wrong-key", "recipient slot")
                return self.master(master)
        raise Bad("wrong-key", "not for this recipient")

    def master(self, master):
        self.keys = {k: derive(master, "odjb1 " + k, self.id)
                     for k in ("header", "catalog", "lookup", "slot", "spent")}
        need(mac(self.keys["header"], self.covered).hex() == self.header["mac"], "integrity", "mac")

    def bind(self, label, i):
        return bind(label, self.id, i, self.expires)

    def row(self, i):
        plain = unseal(self.keys["catalog"], self.read("catalog")[512 * i:512 * i + 512],
                       self.bind("odjb1 catalog", i))
        need(plain is not None, "integrity", "catalog record")
        return {k: v for k, v in parse_record(plain)}

    def find(self, kind, text):
        form = text.upper().encode() if kind == 3 else normal_form(text)
        want = mac(self.keys["lookup"], bytes([kind]) + form, 16)
        table = self.read("lookup")
        for at in range(0, len(table), 20):
            if table[at:at + 16] == want:
                return struct.unpack_from("<I", table, at + 16)[0]
        return None

    def state(self, i):
        slot = self.read("slots")[512 * i:512 * i + 512]
        if slot[:16] == b"odjb slot spent\n" and not any(slot[56:]):
            if mac(self.keys["spent"], self.bind("odjb1 spent", i) + slot[16:24]) == slot[24:56]:
                return "spent", None
        if slot[:16] == b"odjb slot fresh\n" and not any(slot[88:]):
            key = unseal(self.keys["slot"], slot[16:88], self.bind("odjb1 slot", i))
            if key is not None:
                return "fresh", key
        return "damaged", None

    def open(self, i):
        state, key = self.state(i)
        need(state != "spent", "spent", "entry %d" % i)
        need(state == "fresh", "integrity", "slot %d" % i)
        data, context = self.entry_bytes(i), self.bind("odjb1 entry", i)
        need(derive(key, "odjb1 entry commit", context) == data[:32], "integrity", "commitment")
        plain = unseal(derive(key, "odjb1 entry key", context), data[32:], context)
        need(plain is not None, "integrity", "entry %d" % i)
        fields = parse_record(plain)
        row = self.row(i)
        row.pop(7)
        need({k: v for k, v in fields if k < 5} == row, "integrity", "row of entry %d" % i)
        return dict(fields)[5]


# --- writing ---

def tar_block(name, size, mtime):
    block = bytearray(512)

    def put(at, text):
        block[at:at + len(text)] = text
    put(0, name.encode())
    put(100, b"000644 \0" + b"000000 \0" * 2)
    put(124, b"%011o " % size)
    put(136, b"%011o " % mtime)
    put(148, b" " * 8)
    put(156, b"0")
    put(257, b"ustar\00000")
    put(329, b"000000 \0" * 2)
    put(148, b"%06o\0 " % sum(block))
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


def read_pub(path):
    return base64.b64decode(open(path).read().split("\n")[1], validate=True)


class Random:
    """Reproducible bytes, so that the vectors can be made again."""

    def __init__(self, seed):
        self.seed, self.n = seed.encode(), 0

    def __call__(self, size):
        self.n += 1
        return hashlib.shake_256(self.seed + struct.pack("<I", self.n)).digest(size)


def passphrase_slot(rnd, bundle_id, master, passphrase, keyfile, passes, memory):
    head = (b"odjb key both  \n" if keyfile else b"odjb key pass  \n") + struct.pack("<II", passes, memory)
    salt = rnd(16)
    stretched = argon2id(passphrase, salt, passes, memory)
    kek = derive(stretched, "odjb1 keyfile", bundle_id + h(keyfile, 64)) if keyfile \
        else derive(stretched, "odjb1 passphrase", bundle_id)
    slot = head + salt + derive(kek, "odjb1 wrap commit", bundle_id)
    slot += seal(derive(kek, "odjb1 wrap", bundle_id), master, slot + bundle_id, rnd)
    return slot + bytes(512 - len(slot))


def recipient_slot(rnd, bundle_id, master, public):
    secret = rnd(32)
    ephemeral = sodium.crypto_scalarmult_base(secret)
    kek = derive(sodium.crypto_scalarmult(secret, public), "odjb1 x25519", bundle_id + ephemeral + public)
    slot = b"odjb key x25519\n" + ephemeral + derive(kek, "odjb1 wrap commit", bundle_id)
    slot += seal(derive(kek, "odjb1 wrap", bundle_id), master, slot + bundle_id, rnd)
    return slot + bytes(512 - len(slot))


def keybox(rnd, kind, public, secret, passphrase, passes=1, memory=8192):
    head = kind + struct.pack("<II", passes, memory) + rnd(16) + public
    return head + seal(argon2id(passphrase, head[16:32], passes, memory), secret, head, rnd)


def row_fields(row):
    return [(t, row[k].encode()) for t, k in TYPES if row.get(k)]


def spent_slot(keys, bundle_id, i, expires, when):
    t = struct.pack("<Q", when)
    slot = b"odjb slot spent\n" + t + mac(keys["spent"], bind("odjb1 spent", bundle_id, i, expires) + t)
    return slot + bytes(512 - len(slot))


def build(rows, passphrase, lab, rnd, keyfile=None, recipients=(), label="vector", created=1700000000,
          expires=NEVER, passes=1, memory=8192, hooks=None):
    """A bundle. hooks: name -> function that changes a part before it is hashed and signed."""
    hooks = hooks or {}

    def hook(name, value, *args):
        return hooks[name](value, *args) if name in hooks else value
    n, bundle_id, master = len(rows), rnd(16), rnd(32)
    keys = {k: derive(master, "odjb1 " + k, bundle_id)
            for k in ("header", "catalog", "lookup", "slot", "spent")}
    key_slots = [passphrase_slot(rnd, bundle_id, master, passphrase, keyfile, passes, memory)]
    key_slots += [recipient_slot(rnd, bundle_id, master, p) for p in recipients]
    key_member = hook("keys", b"".join(key_slots) + bytes(4096 - 512 * len(key_slots)))

    leaves_count = -(-3 * n // 204) + 2 * n
    tree_size, level = 0, leaves_count
    while level > 1:
        tree_size, level = tree_size + level, (level + 1) // 2
    at = 7168 + 512 * n
    for size in (60 * n, 512 * n, 32 * tree_size):
        at += 512 + size + -size % 512

    slots, catalog, lookup, entries = [], [], [], []
    for i, row in enumerate(rows):
        entry_key, fields = rnd(32), row_fields(row) + [(5, row["blob"])]
        fields += [(6, k.encode() + b"\0" + v.encode()) for k, v in row.get("extras", ())]
        fields = hook("entry_fields", fields, i)
        size = 4096
        while size < sum(6 + len(v) for _, v in fields) + 6 + 72:
            size *= 2
        context = bind("odjb1 entry", bundle_id, hook("entry_id", i, i), expires)
        entry = derive(entry_key, "odjb1 entry commit", context)
        entry += seal(derive(entry_key, "odjb1 entry key", context),
                      hook("entry_plain", record(fields, size - 72), i), context, rnd)
        entries.append(hook("entry", entry, i))
        slots.append(b"odjb slot fresh\n" + seal(keys["slot"], entry_key, bind("odjb1 slot", bundle_id, i, expires),
                                                 rnd) + bytes(424))
        plain = record(hook("catalog_fields", row_fields(row) + [(7, struct.pack("<QI", at, size))], i), 472)
        catalog.append(seal(keys["catalog"], plain, bind("odjb1 catalog", bundle_id, i, expires), rnd))
        for kind, form in ((1, normal_form(row.get("serial", ""))), (2, normal_form(row.get("tag", ""))),
                           (3, row["name"].upper().encode())):
            key = mac(keys["lookup"], bytes([kind]) + form, 16) if form else rnd(16)
            lookup.append(key + struct.pack("<I", i))
        at += 512 + size
    lookup = b"".join(hook("lookup", sorted(lookup)))
    slots = hook("slots", slots, keys, bundle_id)

    leaves = [leaf(lookup[i:i + 4080]) for i in range(0, len(lookup), 4080)]
    for i in range(n):
        leaves += [leaf(catalog[i]), leaf(entries[i])]
    levels = tree_levels(leaves)
    tree = b"".join(b"".join(level) for level in levels[:-1])
    lines = ["odjstick-bundle 1", "id " + bundle_id.hex(), "label " + label, "created " + stamp(created),
             "expires " + (stamp(expires) if expires else "never"), "entries %d" % n, "size %d" % (at + 1024),
             "lab " + key_id_text(h(bytes(lab.verify_key))[:8]), "root " + levels[-1][0].hex()]
    covered = hook("header", "\n".join(lines) + "\n").encode()
    header = covered + b"mac " + mac(hook("mac_key", keys["header"]), covered).hex().encode() + b"\n"
    header = hook("header_end", header)
    signature = hook("signature", minisign_sign(lab, header, hook("comment", "odjstick bundle " + bundle_id.hex())))

    members = [("header", header), ("header.minisig", signature), ("keys", key_member),
               ("slots", b"".join(slots)), ("lookup", lookup), ("catalog", b"".join(catalog)), ("tree", tree)]
    members += [("entry/%06d" % i, e) for i, e in enumerate(entries)]
    return b"".join(tar_block(name, len(data), created) + padded(data) for name, data in members) + bytes(1024)


TYPES = ((1, "name"), (2, "serial"), (3, "tag"), (4, "domain"))


def main(argv):
    verb, path, lab, passphrase, *rest = argv[1:]
    bundle = Bundle(open(path, "rb").read(), read_pub(lab))
    keyfile = None
    if (verb == "list" and rest) or (verb == "blob" and len(rest) > 1):
        keyfile = open(rest[-1], "rb").read()
    bundle.unlock(passphrase.encode(), keyfile)
    if verb == "list":
        for i in range(bundle.count):
            row = bundle.row(i)
            print("\t".join([str(i)] + [row.get(t, b"").decode() for t, _ in TYPES] + [bundle.state(i)[0]]))
    elif verb == "blob":
        sys.stdout.buffer.write(bundle.open(int(rest[0])))
    elif verb == "find":
        print(bundle.find({"serial": 1, "tag": 2, "name": 3}[rest[0]], rest[1]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv)
    except Bad as bad:
        sys.exit("%s: %s" % bad.args)
