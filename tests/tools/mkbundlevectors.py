#!/usr/bin/python3
"""Write tests/vectors/bundle/*.odjv. The bundles come from odjb.py, an implementation of the document that shares
no code with odjstick; what is expected comes from the document. usage: mkbundlevectors.py DIR"""
import base64
import os
import struct
import sys

import nacl.bindings as sodium
import nacl.signing

import odjb

LAB = nacl.signing.SigningKey(odjb.h(b"the vectors' lab"))
OTHER = nacl.signing.SigningKey(odjb.h(b"another lab"))
PASS = "correct horse"
KEYFILE = odjb.Random("keyfile")(32)
IDENTITY = odjb.Random("identity")(32)
HEADER, SIG, KEYS, SLOTS = 512, 1536, 2560, 7168

ONE = [{"name": "PC-ONE", "serial": "5CG-1234 x1", "tag": "inv 0001", "domain": "corp.example",
        "blob": b"blob of one " * 20}]
TWO = ONE + [{"name": "pc-two", "serial": "", "tag": "INV-0002", "domain": "corp.example",
              "blob": b"blob of two " * 20}]


def pub(lab):
    key = bytes(lab.verify_key)
    return base64.b64encode(b"Ed" + odjb.h(key)[:8] + key).decode()


def flip(at, mask=1):
    def change(data):
        out = bytearray(data)
        out[at] ^= mask
        return bytes(out)
    return change


def sub(old, new):
    return lambda data: data.replace(old, new, 1)


def splice(at, new):
    return lambda data: data[:at] + new + data[at + len(new):]


def tree_at(n):
    at = SLOTS + 512 * n
    for size in (60 * n, 512 * n):
        at += 512 + size + -size % 512
    return at + 512


def entry_at(n):
    data = odjb.build(TWO[:n], PASS.encode(), LAB, odjb.Random("probe"))
    return data.index(b"entry/000000") + 512


VECTORS = []


def vector(name, comment, expect, rows=ONE, change=None, entry=0, passphrase=PASS, give=None, keyfile=None,
           identity=False, **kw):
    VECTORS.append((name, comment, expect, rows, change, entry, passphrase, give, keyfile, identity, kw))


def spent(slots, keys, bundle_id):
    return [odjb.spent_slot(keys, bundle_id, 0, 0, 1700000100)] + slots[1:]


def spent_forged(slots, keys, bundle_id):
    return [flip(30)(odjb.spent_slot(keys, bundle_id, 0, 0, 1700000100))] + slots[1:]


def header_line(name, value):
    def change(text):
        return "".join(name + " " + value + "\n" if line.startswith(name + " ") else line
                       for line in text.splitlines(True))
    return change


def raw_header(change):
    """Change the finished header: it is signed as changed, so only the form is wrong."""
    return {"header_end": change}


def unsigned(data):
    return data[:1024] + odjb.tar_block("header.nothing", 5, 1700000000) + odjb.padded(b"none\n") + data[2048:]


def swap_entries(data):
    a = entry_at(2)
    b = a + 4096 + 512
    return data[:a] + data[b:b + 4096] + data[a + 4096:b] + data[a:a + 4096] + data[b + 4096:]


def repeat_record(table):
    for a, b in zip(table, table[1:]):
        if a[16] == b[16] == 1:
            return [a if r == b else r for r in table]
    raise AssertionError("choose another seed")


def only(i, f):
    return lambda value, n: f(value) if n == i else value


vector("success", "one PC, passphrase", "success")
vector("success-second-of-two", "a PC without a serial, name in lower case", "success", TWO, entry=1)
vector("success-keyfile", "passphrase and key file", "success", keyfile=KEYFILE)
vector("success-recipient", "X25519 recipient in slot 2", "success", identity=True,
       recipients=[sodium.crypto_scalarmult_base(odjb.h(b"somebody else")), sodium.crypto_scalarmult_base(IDENTITY)])
vector("success-expires", "an expiry; readers do not judge it", "success", expires=1700086400)
vector("success-class-8192", "a blob that needs the next size class", "success",
       [dict(ONE[0], blob=bytes(range(1, 255)) * 20)])
vector("success-extras", "further columns", "success", [dict(ONE[0], extras=[("room", "2.17"), ("ou", "")])])
vector("success-other-spent", "entry 0 is spent, entry 1 is not", "success", TWO, entry=1, hooks={"slots": spent})
vector("success-longest-row", "every text field at its limit", "success",
       [{"name": "N" * 15, "serial": "S1" * 32, "tag": "T1" * 32, "domain": "d" * 255, "blob": b"x"}])

vector("wrong-passphrase", "another passphrase", "unlock wrong-key", give="correct horsf")
vector("wrong-keyfile", "the right passphrase, another key file", "unlock wrong-key", keyfile=KEYFILE, give_keyfile=KEYFILE[::-1])
vector("keyfile-missing", "a key file is needed and not given", "unlock wrong-key", keyfile=KEYFILE, give_keyfile=b"")
vector("wrong-recipient", "made for somebody else", "unlock wrong-key", identity=True,
       recipients=[sodium.crypto_scalarmult_base(odjb.h(b"somebody else"))])

vector("not-a-bundle", "another first member", "open bad-format", change=sub(b"header\0", b"readme\0"))
vector("not-a-bundle-text", "another first line", "open bad-format", hooks=raw_header(sub(b"odjstick-bundle", b"something-else!")))
vector("version-2", "another version", "open unsupported", hooks=raw_header(sub(b"odjstick-bundle 1", b"odjstick-bundle 2")))
vector("version-10", "1 is only a prefix", "open unsupported", hooks=raw_header(sub(b"odjstick-bundle 1", b"odjstick-bundle 10")))
vector("header-bit", "one digit of root changed", "open integrity", change=lambda d: flip(d.index(b"\nroot ") + 8)(d))
vector("header-two-blanks", "two blanks, signed so", "open integrity", hooks=raw_header(sub(b"entries 1", b"entries  1")))
vector("header-leading-zero", "a leading zero, signed so", "open integrity", hooks=raw_header(sub(b"entries 1", b"entries 01")))
vector("header-crlf", "CR LF, signed so", "open integrity", hooks=raw_header(sub(b"label vector\n", b"label vector\r\n")))
vector("header-upper-case", "upper-case hexadecimal, signed so", "open integrity",
       hooks=raw_header(lambda t: t[:t.index(b"mac ") + 4] + t[t.index(b"mac ") + 4:].upper()))
vector("header-extra-line", "an unknown line, signed so", "open integrity", hooks=raw_header(lambda t: t + b"more 1\n"))
vector("header-reordered", "id after label, signed so", "open integrity",
       hooks=raw_header(lambda t: b"".join([(p := t.split(b"\n"))[0], b"\n", p[2], b"\n", p[1], b"\n", b"\n".join(p[3:])])))
vector("header-no-entries", "zero PCs, signed so", "open integrity", hooks=raw_header(sub(b"entries 1", b"entries 0")))
vector("header-mac", "the mac is under another key, signed so", "unlock integrity", hooks={"mac_key": lambda k: odjb.h(k)})

vector("unsigned", "no signature member", "open integrity", change=unsigned)
vector("foreign-lab", "signed by another lab", "open integrity", lab=OTHER)
vector("signature-bit", "one bit of the signature", "open integrity",
       change=lambda d: splice(SIG + 60, b"A" if d[SIG + 60:SIG + 61] != b"A" else b"B")(d))
vector("signature-other-bundle", "the trusted comment names another bundle, signed so", "open integrity",
       hooks={"comment": lambda c: c[:-1] + ("0" if c[-1] != "0" else "1")})

vector("truncated", "the last 512 bytes are missing", "open integrity", change=lambda d: d[:-512])
vector("truncated-header", "only the first 512 bytes are there", "open bad-format", change=lambda d: d[:512])
vector("trailing-bytes", "a block too much", "open integrity", change=lambda d: d + bytes(512))
vector("tar-mode", "the block of `slots` has another mode", "open integrity",
       change=lambda d: splice(6656 + 100, b"000600 \0")(d))
vector("tar-entry-block", "the block of the entry has another name", "entry integrity",
       change=lambda d: d.replace(b"entry/000000", b"entry/000001"))
vector("end-not-zero", "the end of the archive is not zero", "open integrity", change=lambda d: d[:-1] + b"\1")

vector("kdf-memory-high", "2 GiB of memory asked", "open limit",
       hooks={"keys": splice(20, struct.pack("<I", 2 << 20))})
vector("kdf-memory-low", "4 MiB of memory asked", "open limit", hooks={"keys": splice(20, struct.pack("<I", 4096))})
vector("kdf-passes-zero", "no pass asked", "open limit", hooks={"keys": splice(16, struct.pack("<I", 0))})
vector("kdf-passes-high", "eleven passes asked", "open limit", hooks={"keys": splice(16, struct.pack("<I", 11))})
vector("keys-two-passphrases", "a second passphrase slot", "open integrity", hooks={"keys": lambda k: k[:512] * 2 + k[1024:]})
vector("keys-unknown", "an unknown key slot", "open integrity", hooks={"keys": lambda k: k[:512] + b"odjb key yubikey" + k[528:]})
vector("keys-gap", "slot 1 is empty, slot 2 is not", "open integrity",
       recipients=[sodium.crypto_scalarmult_base(IDENTITY)],
       hooks={"keys": lambda k: k[:512] + bytes(512) + k[512:1024] + bytes(512 * 5)})
vector("keys-padding", "a key slot with bytes after its end", "open integrity", hooks={"keys": flip(511)})
vector("keys-commitment", "the commitment of slot 0 is changed", "unlock wrong-key", hooks={"keys": flip(45)})
vector("keys-salt", "the salt of slot 0 is changed", "unlock wrong-key", hooks={"keys": flip(30)})

vector("catalog-bit", "one bit of the catalog", "row integrity", change=lambda d: flip(tree_at(1) - 512 - 100)(d))
vector("catalog-position", "the catalog points outside, signed so", "row integrity",
       hooks={"catalog_fields": only(0, lambda f: f[:-1] + [(7, struct.pack("<QI", 1 << 40, 4096))])})
vector("catalog-unknown-field", "a field of type 9, signed so", "row integrity",
       hooks={"catalog_fields": only(0, lambda f: f + [(9, b"x")])})
vector("catalog-long-name", "a name of 16 characters, signed so", "row integrity", [dict(ONE[0], name="PC-ONE-TOO-LONG1")])
vector("lookup-bit", "one bit of the look-up table", "find integrity", change=flip(SLOTS + 512 + 512 + 3))
vector("lookup-lies", "a serial leads to another PC, signed so", "find integrity", TWO,
       hooks={"lookup": lambda t: [r[:16] + struct.pack("<I", 1 - struct.unpack("<I", r[16:])[0]) for r in t]})
vector("lookup-nowhere", "look-up names entry 7 of 1, signed so", "find integrity",
       hooks={"lookup": lambda t: [r[:16] + struct.pack("<I", 7) for r in t]})
vector("lookup-repeated", "two records of entry 1 have one hash, signed so", "check integrity", TWO,
       hooks={"lookup": repeat_record})
vector("tree-bit", "one bit of a stored hash beside the path of everything", "check integrity",
       change=lambda d: flip(tree_at(1) + 2 * 32)(d))

vector("entry-bit", "one bit of the entry", "entry integrity", change=lambda d: flip(entry_at(1) + 1000)(d))
vector("entries-swapped", "two entries changed places", "entry integrity", TWO, change=swap_entries)
vector("entry-other-id", "an entry sealed for another place, signed so", "entry integrity", hooks={"entry_id": lambda i, n: i + 1})
vector("entry-commitment", "a wrong commitment, signed so", "entry integrity", hooks={"entry": only(0, flip(3))})
vector("entry-other-row", "the entry's serial is not the catalog's, signed so", "entry integrity",
       hooks={"entry_fields": only(0, lambda f: [(t, b"OTHER" if t == 2 else v) for t, v in f])})
vector("entry-bytes-after-end", "a byte after the end of the record, signed so", "entry integrity",
       hooks={"entry_plain": only(0, lambda p: p[:-1] + b"\1")})
vector("entry-no-blob", "no blob, signed so", "entry integrity",
       hooks={"entry_fields": only(0, lambda f: [x for x in f if x[0] != 5])})
vector("entry-disordered", "fields in another order, signed so", "entry integrity", hooks={"entry_fields": only(0, lambda f: f[::-1])})

vector("spent", "the entry was used", "entry spent", hooks={"slots": spent})
vector("spent-forged", "a mark by somebody without the key", "entry integrity", hooks={"slots": spent_forged})
vector("slot-bit", "one bit of the slot", "entry integrity", change=flip(SLOTS + 40))
vector("slot-zero", "the slot is zero", "entry integrity", change=splice(SLOTS, bytes(512)))
vector("slot-torn", "half the slot is overwritten", "entry integrity", change=splice(SLOTS, b"odjb slot spent\n" + bytes(40)))
vector("slot-of-other", "the slot of another entry", "entry integrity", TWO,
       hooks={"slots": lambda s, k, i: [s[1], s[0]]})


def write(folder, name, comment, expect, rows, change, entry, passphrase, give, keyfile, identity, kw):
    rnd = odjb.Random(name)
    lab = kw.pop("lab", LAB)
    give_keyfile = kw.pop("give_keyfile", keyfile)
    data = odjb.build(rows, passphrase.encode(), lab, rnd, keyfile=keyfile, **kw)
    if change:
        changed = change(data)
        assert changed != data, name
        data = changed
    row = rows[entry]
    lines = ["odjstick-bundle-vector 1", "comment: " + comment, "lab: " + pub(LAB), "passphrase: " + (give or passphrase)]
    if give_keyfile:
        lines.append("keyfile: " + give_keyfile.hex())
    if identity:
        box = odjb.keybox(rnd, b"odjrcpk1", sodium.crypto_scalarmult_base(IDENTITY), IDENTITY, passphrase.encode())
        lines.append("identity: " + base64.b64encode(box).decode())
    lines += ["expect: " + expect, "entry: %d" % entry,
              "row: " + "|".join(row.get(k, "") for _, k in odjb.TYPES), "blob: " + row["blob"].hex()]
    with open(os.path.join(folder, name + ".odjv"), "wb") as f:
        f.write("\n".join(lines).encode() + b"\n\n" + data)


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    for v in VECTORS:
        write(sys.argv[1], *v)
    print("%d vectors" % len(VECTORS))
