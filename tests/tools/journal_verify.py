#!/usr/bin/python3
"""Second implementation of docs/format-journal.md section 8, for tests.

Shares no code with injector/journal: hashlib and Debian's python3-cryptography only.

  journal_verify.py DIR [--lab HEX] [--head CODE] [--json]

Exit status: 0 valid, 1 incomplete, 5 invalid, 2 anything else.
"""
import argparse
import datetime
import hashlib
import json
import pathlib
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BLOCK, RECORD_MAX, NUM_MAX = 512, 4096, 2**53 - 1
CONTEXT = b"odjstick journal record 1\n"
ZERO = "0" * 64
KEYS = ["v", "seq", "session", "utc", "boot", "stick", "event", "facts", "prev", "sig"]
HEX = {
    "image": 64, "key": 64, "recover": 64, "next": 64, "bundle_hash": 64, "lab": 64, "tail": 64, "plan": 64,
}
NUMS = {"pending_from", "closes", "last", "torn", "records", "attempt", "items", "entry", "intent"}
MUST = {
    "genesis": "program next bundle bundle_hash lab lab_fingerprint signed_by",
    "session-start": "program clock key recover pending_from",
    "recovered": "closes last torn tail",
    "session-end": "next records",
    "unlock-failed": "error",
    "pc-seen": "placeholder",
    "windows-found": "target",
    "check": "check verdict",
    "refused": "error",
    "plan": "computer_name method plan items",
    "intent": "computer_name plan",
    "result": "intent result",
    "spent": "computer_name",
    "undo": "intent result",
    "note": "reason",
}


class Broken(Exception):
    pass


def blake(b):
    return hashlib.blake2b(b, digest_size=32).hexdigest()


def is_hex(s, n):
    return isinstance(s, str) and re.fullmatch("[0-9a-f]{%d}" % n, s) is not None


def is_num(n):
    return type(n) is int and 0 <= n <= NUM_MAX


def no_duplicates(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def check_facts(r):
    facts = r["facts"]
    if type(facts) is not dict or len(facts) > 32:
        raise ValueError("facts")
    for k, v in facts.items():
        if not re.fullmatch("[a-z_][a-z0-9_]{0,47}", k):
            raise ValueError("fact name")
        if not (isinstance(v, (str, bool)) or is_num(v)):
            raise ValueError("fact value")
    known = r["event"] == "unlocked" or r["event"] in MUST
    if not known:
        return
    for k in MUST.get(r["event"], "").split():
        if k not in facts:
            raise ValueError("fact missing: " + k)
    for k, v in facts.items():
        if k in HEX and not is_hex(v, HEX[k]):
            raise ValueError("fact is no hash: " + k)
        if k in NUMS and not is_num(v):
            raise ValueError("fact is no number: " + k)
        if k == "placeholder" and type(v) is not bool:
            raise ValueError("fact is no boolean: " + k)
        if k in ALL_TEXT and not isinstance(v, str):
            raise ValueError("fact is no text: " + k)


ALL_TEXT = set(
    "program clock bundle lab_fingerprint signed_by slot error serial serial_source tag computer_name domain target "
    "admins windows_edition build arch phase check verdict reason method result head".split()
)


def parse(data, at):
    """The record at byte `at`, or ValueError."""
    lf = data.find(b"\n", at, at + RECORD_MAX)
    size = lf + 1 - at
    if lf < 0 or size % BLOCK or data[lf - 1 : lf] != b"\r":
        raise ValueError("no record of whole blocks")
    raw = data[at : lf + 1]
    text = raw[:-2].rstrip(b" ")
    if size - len(text) - 2 >= BLOCK:
        raise ValueError("too much padding")
    s = text.decode("utf-8")
    if re.search("[\x00-\x1f]", s):
        raise ValueError("control character")
    r = json.loads(s, object_pairs_hook=no_duplicates)
    if type(r) is not dict or list(r) != KEYS:
        raise ValueError("not the ten members in order")
    if json.dumps(r, ensure_ascii=False, separators=(",", ":")) != s:
        raise ValueError("not canonical")
    if r["v"] != 1 or type(r["v"]) is not int or not is_num(r["seq"]) or not is_num(r["session"]):
        raise ValueError("numbers")
    if not (is_hex(r["boot"], 32) and is_hex(r["stick"], 32) and is_hex(r["prev"], 64) and is_hex(r["sig"], 128)):
        raise ValueError("hex")
    if not isinstance(r["utc"], str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r["utc"], re.ASCII):
        raise ValueError("utc")
    datetime.datetime.strptime(r["utc"], "%Y-%m-%dT%H:%M:%SZ")
    if not isinstance(r["event"], str) or not re.fullmatch("[a-z0-9.-]{1,48}", r["event"]):
        raise ValueError("event")
    check_facts(r)
    signed = text[: text.rindex(b',"sig":"')]
    return r, raw, signed


def signed_by(sig, signed, pub):
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(pub)).verify(bytes.fromhex(sig), CONTEXT + signed)
        return True
    except (InvalidSignature, ValueError):
        return False


class Verifier:
    def __init__(self):
        self.seq = 0
        self.prev = ZERO
        self.announced = self.stick = self.lab = None
        self.lab_signed = False
        self.open = []  # sessions without an end, oldest first
        self.hashes = []
        self.intents = set()
        self.recovered = self.records = self.sessions = 0
        self.end = "closed"

    def need(self, ok, why):
        if not ok:
            raise Broken(why)

    def genesis(self, r, signed):
        f = r["facts"]
        self.need(r["event"] == "genesis" and r["seq"] == 0 and r["session"] == 0 and r["prev"] == ZERO, "first record")
        self.need(f["signed_by"] in ("lab", "self"), "who signed the first record")
        self.lab_signed = f["signed_by"] == "lab"
        self.need(signed_by(r["sig"], signed, f["lab"] if self.lab_signed else f["next"]), "first signature")
        self.announced, self.stick, self.lab = f["next"], r["stick"], f["lab"]

    def record(self, r, signed, number, count):
        f, event = r["facts"], r["event"]
        self.need(r["session"] == number, "session number")
        self.need(r["seq"] == self.seq, "sequence")
        self.need(r["prev"] == self.prev, "previous hash")
        self.need(r["stick"] == self.stick, "stick")
        self.need((event == "session-start") == (count == 0), "session-start and only first")
        if event == "session-start":
            self.key = f["key"]
            self.need(self.key == self.announced and f["recover"] != self.key, "session key")
        elif self.open:
            o = self.open[0]
            self.need(event == "recovered", "open session not recovered first")
            self.need(f["closes"] == o["session"] and f["last"] == o["last"], "recovers another session")
            self.need(not o["tail"] or (f["tail"] == blake(o["tail"]) and f["torn"] == o["torn"]), "recovered tail")
        else:
            self.need(event != "recovered", "nothing to recover")
        self.need(event != "genesis", "second genesis")
        if event == "session-end":
            self.need(f["records"] == count + 1 and f["next"] not in (self.key, self.announced), "session-end")
        self.need(signed_by(r["sig"], signed, self.key), "signature")
        if event == "session-start":
            self.announced = f["recover"]
        if event == "session-end":
            self.announced = f["next"]
        if event == "recovered":
            self.open.pop(0)
            self.recovered += 1

    def account(self, r, raw):
        self.prev = blake(raw)
        self.hashes.append(self.prev)
        self.seq += 1
        self.records += 1
        if r["event"] == "intent":
            self.intents.add(r["seq"])
        if r["event"] in ("result", "undo"):
            self.intents.discard(r["facts"]["intent"])

    def session(self, number, data):
        at = count = 0
        ended = False
        while at < len(data):
            try:
                r, raw, signed = parse(data, at)
            except (ValueError, RecursionError):
                break
            self.need(not ended, "record after the end")
            if number == 0:
                self.genesis(r, signed)
            else:
                self.record(r, signed, number, count)
            ended = number == 0 or r["event"] == "session-end"
            self.account(r, raw)
            at += len(raw)
            count += 1
        tail = data[at:]
        if ended:
            self.need(tail == (b" " * (BLOCK - 2) + b"\r\n") * (len(tail) // BLOCK), "bytes after the end")
            self.end = "closed"
            return
        self.need(number != 0, "no first record")
        for i in range(BLOCK, len(tail), BLOCK):
            self.need(not tail[i:].startswith(b'{"v":1,"seq":'), "records follow a damaged one")
        torn = len(tail.rstrip(b" \r\n\0"))
        self.end = "open" if count else "empty"
        if count:
            self.open.append({"session": number, "last": self.seq - 1, "tail": tail, "torn": torn})


def state_key_fits(path, announced):
    data = path.read_bytes()
    if len(data) != 8192:
        return False
    for slot in (data[:4096], data[4096:]):
        if slot[:8] == b"ODJKEY1\n" and blake(slot[:56]) == slot[56:88].hex():
            key = Ed25519PrivateKey.from_private_bytes(slot[24:56]).public_key()
            if key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex() == announced:
                return True
    return False


def verify(base, lab=None, head=None):
    folder = base / "journal" if (base / "journal").exists() else base
    numbers = [int(p.name[:6]) for p in folder.iterdir() if re.fullmatch(r"\d{6}\.jsonl", p.name.lower())]
    if not numbers:
        raise SystemExit("no journal")
    v = Verifier()
    out = {}
    number = 0
    try:
        for number in range(max(numbers) + 1):
            v.need(number == 0 or v.end != "empty", "a session without records is not the last")
            path = folder / ("%06d.jsonl" % number)
            v.need(path.exists(), "session file missing")
            v.session(number, path.read_bytes())
    except Broken as e:
        return {"verdict": "invalid", "why": str(e), "bad_seq": v.seq, "bad_session": number, "records": v.records}
    out = {
        "verdict": "valid" if v.end == "closed" else "incomplete", "why": "" if v.end == "closed" else v.end,
        "records": v.records, "recovered": v.recovered, "pending": len(v.intents), "lab_signed": v.lab_signed,
        "head": "-".join(v.prev[i : i + 4] for i in range(0, 32, 4)),
    }
    state = base / "state" / "journal.key"
    if lab and v.lab != lab:
        out.update(verdict="invalid", why="another lab")
    elif head and not any(h.startswith(re.sub("[- ]", "", head).lower()) for h in v.hashes):
        out.update(verdict="invalid", why="head not in the journal")
    elif state.exists() and not state_key_fits(state, v.announced):
        out.update(verdict="invalid", why="the stick holds another key")
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("dir")
    p.add_argument("--lab")
    p.add_argument("--head")
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    out = verify(pathlib.Path(a.dir), a.lab, a.head)
    print(json.dumps(out, indent=1) if a.json else "%(verdict)s %(why)s" % out)
    sys.exit({"valid": 0, "incomplete": 1, "invalid": 5}[out["verdict"]])


if __name__ == "__main__":
    main()
