#!/usr/bin/python3
"""Write tests/vectors/journal/: one stick folder per scenario, with what a verifier must say.

An independent writer of docs/format-journal.md (it shares no code with injector/journal). Every
vector is deterministic; the expectation is written by hand below, and journal_verify.py must agree
before anything is written.

  journal_vectors.py OUTDIR
"""
import hashlib
import json
import pathlib
import shutil
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import journal_verify

STICK = "00112233445566778899aabbccddeeff"
BOOT = "f0e0d0c0b0a090807060504030201000"
CONTEXT = b"odjstick journal record 1\n"
BLANK = b" " * 510 + b"\r\n"
PLAN = "ab" * 32


class Key:
    def __init__(self, name):
        self.seed = hashlib.sha256(b"odjstick journal vectors " + name.encode()).digest()
        self.key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.pub = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


LAB = Key("lab")


def blake(b):
    return hashlib.blake2b(b, digest_size=32).hexdigest()


def pad(text):
    size = -(-(len(text) + 2) // 512) * 512
    return text + b" " * (size - len(text) - 2) + b"\r\n"


def sign(r, key):
    """Canonical, signed, padded bytes of a record given as an ordered dict without sig."""
    body = json.dumps(r, ensure_ascii=False, separators=(",", ":")).encode()[:-1]
    sig = key.key.sign(CONTEXT + body).hex()
    return pad(body + b',"sig":"' + sig.encode() + b'"}')


class Stick:
    """A journal as a correct program writes it; the scenarios then break it."""

    def __init__(self, self_signed=False):
        self.files = {}  # session -> list of record bytes
        self.tails = {}  # session -> bytes after the records
        self.seq = 0
        self.clock = 0
        self.prev = "0" * 64
        self.next = Key("session 1")
        self.number = 0
        self.slots = [self.next, None]
        facts = {
            "program": "vectors 1", "next": self.next.pub, "bundle": "0123456789abcdef0123456789abcdef",
            "bundle_hash": "cd" * 32, "lab": LAB.pub, "lab_fingerprint": "TEST-LAB1",
            "signed_by": "self" if self_signed else "lab",
        }
        self.key = self.next if self_signed else LAB
        self.files[0] = []
        self.add("genesis", facts)

    def make(self, event, facts):
        self.clock += 7
        utc = "2026-11-24T%02d:%02d:%02dZ" % (8 + self.clock // 3600, self.clock // 60 % 60, self.clock % 60)
        r = {
            "v": 1, "seq": self.seq, "session": self.number, "utc": utc, "boot": BOOT, "stick": STICK,
            "event": event, "facts": facts, "prev": self.prev,
        }
        return sign(r, self.key)

    def put(self, raw):
        self.files[self.number].append(raw)
        self.prev = blake(raw)
        self.seq += 1

    def add(self, event, facts):
        self.put(self.make(event, facts))
        return self.seq - 1

    def start(self, pending_from=None):
        self.number += 1
        self.files[self.number] = []
        self.key, self.recover = self.next, Key("recover %d" % self.number)
        self.next = self.recover
        self.slots = [None, self.recover]
        self.add("session-start", {
            "program": "vectors 1", "clock": "ok", "key": self.key.pub, "recover": self.recover.pub,
            "pending_from": self.number if pending_from is None else pending_from,
        })

    def pc(self, name, serial, result="ok"):
        self.add("pc-seen", {"serial": serial, "serial_source": "system", "placeholder": False})
        self.add("plan", {"computer_name": name, "method": "registry", "plan": PLAN, "items": 12})
        seq = self.add("intent", {"computer_name": name, "plan": PLAN})
        if result:
            self.add("result", {"intent": seq, "result": result})

    def finish(self):
        self.next = Key("session %d" % (self.number + 1))
        self.add("session-end", {"next": self.next.pub, "records": len(self.files[self.number]) + 1})
        self.slots = [self.next, None]

    def recovered(self, closes, last, tail=b""):
        torn = len(tail.rstrip(b" \r\n\0"))
        self.add("recovered", {"closes": closes, "last": last, "torn": torn, "tail": blake(tail)})

    def state(self):
        out = b""
        for k in self.slots:
            slot = b""
            if k:
                slot = b"ODJKEY1\n" + bytes.fromhex(STICK) + k.seed
                slot += bytes.fromhex(blake(slot))
            out += slot.ljust(4096, b"\0")
        return out

    def write(self, folder, with_state):
        (folder / "journal").mkdir(parents=True)
        for n, records in self.files.items():
            data = b"".join(records) + self.tails.get(n, b"")
            (folder / "journal" / ("%06d.jsonl" % n)).write_bytes(data)
        if with_state:
            (folder / "state").mkdir()
            (folder / "state" / "journal.key").write_bytes(self.state())


def two_sessions(**kw):
    s = Stick(**kw)
    s.start()
    s.pc("ALM-FIL-001", "SN-1001")
    s.finish()
    s.start()
    s.add("check", {"check": "clock", "verdict": "warn", "reason": 'BIOS battery empty: "1980", часы стоят \\ нет'})
    s.pc("ALM-FIL-002", "SN-1002", "failed")
    s.finish()
    return s


def edit(s, session, index, old, new):
    raw = s.files[session][index]
    assert raw.count(old) == 1 and len(old) == len(new), (raw, old)
    s.files[session][index] = raw.replace(old, new)


SCENARIOS = {}


def scenario(verdict, seq=None, what="", **kw):
    def keep(fn):
        SCENARIOS[fn.__name__.replace("_", "-")] = (fn, {"verdict": verdict, "bad_seq": seq, "what": what, **kw})
        return fn
    return keep


# --- journals that stand ---------------------------------------------------------------------------

@scenario("valid", what="two closed sessions, start signed by the lab")
def valid():
    return two_sessions()


@scenario("valid", what="start signed by the first session's key", lab_signed=False)
def valid_self_signed():
    return two_sessions(self_signed=True)


@scenario("valid", what="no session yet")
def valid_new_stick():
    return Stick()


@scenario("valid", what="an event, a fact and a serial of a later program are left alone")
def valid_later_program():
    s = Stick()
    s.start()
    s.add("first-contact", {"domain_controller": "dc1.corp.example", "seconds": 3, "reached": True})
    s.add("pc-seen", {"placeholder": True, "uuid": "4c4c4544"})
    s.finish()
    return s


@scenario("valid", what="closed, but the reserved room was not cut off yet")
def valid_not_trimmed():
    s = two_sessions()
    s.tails[2] = BLANK * 3
    return s


def pulled(tail):
    s = Stick()
    s.start()
    s.pc("ALM-FIL-001", "SN-1001", None)
    s.start(pending_from=1)
    s.recovered(1, s.seq - 2, tail)
    return s


@scenario("valid", what="stick pulled in session 1, session 2 recovered it and cut its file", recovered=1)
def recovered():
    s = pulled(BLANK * 2)
    s.finish()
    return s


@scenario("valid", what="half a record in session 1, noted by session 2, file not cut yet", recovered=1)
def recovered_torn_tail():
    tail = b'{"v":1,"seq":5,"session":1,"utc":"2026-11-24T08:0'.ljust(512, b" ") + BLANK
    s = pulled(tail)
    s.tails[1] = tail
    s.finish()
    return s


@scenario("valid", what="sessions 1 and 2 were pulled; 3 closes both, oldest first", recovered=2)
def recovered_two():
    s = Stick()
    s.start()
    a = s.seq - 1
    s.start()
    b = s.seq - 1
    s.start()
    s.recovered(1, a)
    s.recovered(2, b)
    s.finish()
    return s


# --- journals that stand as far as they go -----------------------------------------------------------

@scenario("incomplete", what="the last session has no end")
def open_session():
    s = Stick()
    s.start()
    s.pc("ALM-FIL-001", "SN-1001")
    s.tails[1] = BLANK * 2
    return s


@scenario("incomplete", what="the last record of the last session is half written")
def torn_tail():
    s = open_session()
    s.tails[1] = s.make("note", {"reason": "never finished"})[:700].ljust(1024, b" ") + BLANK
    return s


@scenario("incomplete", what="cut while session 2 started: its file has only reserved room")
def cut_while_starting():
    s = Stick()
    s.start()
    s.finish()
    s.files[2] = []
    s.tails[2] = BLANK * 4
    s.slots = [s.next, Key("recover 2")]
    return s


@scenario("incomplete", what="cut while session 1 wrote its first record")
def cut_in_first_record():
    s = Stick()
    key = s.next
    s.start()
    raw = s.files[1].pop()
    s.seq -= 1
    s.tails[1] = raw[:600] + b"\0" * 424 + BLANK
    s.slots = [key, s.recover]
    return s


# --- limits, stated in the document --------------------------------------------------------------------

@scenario("valid", what="LIMIT: a copy cut at a session's end, without the stick's state, looks whole", state=False)
def limit_cut_copy():
    s = two_sessions()
    del s.files[2]
    return s


@scenario("invalid", what="the same cut, noticed by a head code noted earlier", state=False, head_of=(2, -1))
def cut_copy_noticed_by_head():
    return limit_cut_copy()


@scenario("valid", what="LIMIT: who steals a stick out of a running session can drop that session's last records")
def limit_open_session_shortened():
    s = Stick()
    s.start()
    s.add("note", {"reason": "kept"})
    kept, prev = s.seq, s.prev
    s.pc("ALM-FIL-001", "SN-1001")
    s.files[1] = s.files[1][: kept - 1]
    s.seq, s.prev = kept, prev
    s.start()
    s.recovered(1, kept - 1)
    s.finish()
    return s


# --- journals that were changed --------------------------------------------------------------------------

@scenario("invalid", 4, "one letter of a computer name changed")
def edited_field():
    s = two_sessions()
    edit(s, 1, 3, b"ALM-FIL-001", b"ALM-FIL-009")
    return s


@scenario("invalid", 5, "a result changed, and its hash carried on nowhere")
def edited_result():
    s = two_sessions()
    edit(s, 1, 4, b'"result":"ok"', b'"result":"no"')
    return s


@scenario("invalid", 2, "a space of the padding changed")
def edited_padding():
    s = two_sessions()
    raw = s.files[1][1]
    s.files[1][1] = raw[:-3] + b"\t\r\n"
    return s


@scenario("invalid", 3, "records 3 and 4 swapped")
def swapped():
    s = two_sessions()
    f = s.files[1]
    f[2], f[3] = f[3], f[2]
    return s


@scenario("invalid", 3, "record 3 removed")
def removed_record():
    s = two_sessions()
    del s.files[1][2]
    return s


@scenario("invalid", 1, "the file of session 1 removed")
def removed_session():
    s = two_sessions()
    del s.files[1]
    return s


@scenario("invalid", 1, "the file of session 1 removed and session 2 renamed to 1")
def renamed_session():
    s = two_sessions()
    s.files[1] = s.files.pop(2)
    return s


@scenario("invalid", None, "the file of the last session removed: the stick's own key no longer fits")
def removed_last_session():
    s = two_sessions()
    del s.files[2]
    return s


@scenario("invalid", 14, "the file of session 2 copied as session 3")
def duplicated_session():
    s = two_sessions()
    s.files[3] = list(s.files[2])
    return s


@scenario("invalid", 3, "record 2 twice")
def duplicated_record():
    s = two_sessions()
    s.files[1].insert(2, s.files[1][1])
    return s


@scenario("invalid", 6, "session 2 signs with session 1's key: one epoch twice")
def duplicated_epoch():
    s = Stick()
    first = s.next
    s.start()
    s.pc("ALM-FIL-001", "SN-1001")
    s.files[1].pop()
    s.seq -= 1
    s.prev = blake(s.files[1][-1])
    s.finish()
    s.next = first
    s.start()
    s.finish()
    return s


@scenario("invalid", 7, "session 2 is signed by a key that was never announced")
def wrong_key():
    s = Stick()
    s.start()
    s.pc("ALM-FIL-001", "SN-1001")
    s.finish()
    s.next = Key("somebody else")
    s.start()
    s.finish()
    return s


@scenario("invalid", 7, "session 2 names the announced key but is signed by another")
def wrong_signature():
    s = Stick()
    s.start()
    s.pc("ALM-FIL-001", "SN-1001")
    s.finish()
    announced, s.next = s.next, Key("somebody else")
    s.next.pub = announced.pub
    s.start()
    s.finish()
    return s


@scenario("invalid", 5, "a closed session loses its last records; the thief continues with the stored key")
def truncated_then_continued():
    s = Stick()
    s.start()
    s.pc("ALM-FIL-001", "SN-1001")
    s.finish()
    del s.files[1][-2:]
    s.seq -= 2
    s.prev = blake(s.files[1][-1])
    last = s.seq - 1
    s.start()
    s.recovered(1, last)
    s.finish()
    return s


@scenario("invalid", 1, "session 1 rewritten with the thief's key, everything after it chained anew")
def forged_session():
    s = Stick()
    s.next = Key("thief")
    s.start()
    s.pc("ALM-FIL-007", "SN-1001")
    s.finish()
    s.start()
    s.finish()
    return s


@scenario("invalid", 0, "the first record claims the lab's signature and has another")
def forged_start():
    global LAB
    lab, thief = LAB, Key("thief")
    thief.pub = lab.pub
    LAB = thief
    s = two_sessions()
    LAB = lab
    return s


@scenario("invalid", None, "a whole journal under another lab's key", lab="other")
def other_lab():
    return two_sessions()


@scenario("invalid", 7, "a record follows the session's end")
def record_after_end():
    s = Stick()
    s.start()
    s.pc("ALM-FIL-001", "SN-1001")
    s.finish()
    s.add("note", {"reason": "one more"})
    return s


@scenario("invalid", 14, "bytes follow the last session's end")
def bytes_after_end():
    s = two_sessions()
    s.tails[2] = b"hello".ljust(510) + b"\r\n"
    return s


@scenario("invalid", 6, "session 2 does not recover session 1 before it works")
def not_recovered():
    s = Stick()
    s.start()
    s.pc("ALM-FIL-001", "SN-1001", None)
    s.start()
    s.add("note", {"reason": "as if nothing was"})
    s.finish()
    return s


@scenario("invalid", 4, "session 2 recovers a session that was closed")
def recovered_closed_session():
    s = Stick()
    s.start()
    s.finish()
    s.start()
    s.recovered(1, s.seq - 2)
    s.finish()
    return s


@scenario("invalid", 6, "the torn tail of session 1 changed after session 2 noted it")
def changed_tail():
    tail = b'{"v":1,"seq":5,"session":1,"utc":"2026-11-24T08:0'.ljust(512, b" ") + BLANK
    s = pulled(tail)
    s.tails[1] = tail.replace(b"2026", b"2027")
    s.finish()
    return s


@scenario("invalid", 4, "a record in the middle of an open session is damaged")
def damaged_middle():
    s = open_session()
    raw = s.files[1][3]
    s.files[1][3] = raw[:100] + b"\xff" * 20 + raw[120:]
    return s


@scenario("invalid", 7, "session 2 begins without its start")
def missing_start():
    s = two_sessions()
    s.files[2].pop(0)
    return s


@scenario("invalid", 5, "the end counts another number of records")
def wrong_count():
    s = Stick()
    s.start()
    s.pc("ALM-FIL-001", "SN-1001", None)
    s.files[1][-1:] = []
    s.seq -= 1
    s.prev = blake(s.files[1][-1])
    s.add("note", {"reason": "x"})
    s.next = Key("session 2")
    s.add("session-end", {"next": s.next.pub, "records": 9})
    s.slots = [s.next, None]
    return s


@scenario("invalid", 2, "a record of another stick, correctly signed")
def other_stick():
    global STICK
    s = Stick()
    s.start()
    keep = STICK
    STICK = "ff" * 16
    s.add("note", {"reason": "from the other stick"})
    STICK = keep
    s.finish()
    return s


# --- spellings that are refused, although the signature fits ---------------------------------------------------

def misspelled(change):
    s = Stick()
    s.start()
    r = {
        "v": 1, "seq": 2, "session": 1, "utc": "2026-11-24T09:00:00Z", "boot": BOOT, "stick": STICK,
        "event": "note", "facts": {"reason": "spelled"}, "prev": s.prev,
    }
    body = json.dumps(r, separators=(",", ":")).encode()[:-1]
    body = change(body)
    raw = pad(body + b',"sig":"' + s.key.key.sign(CONTEXT + body).hex().encode() + b'"}')
    s.put(raw)
    s.finish()
    return s


@scenario("invalid", 2, "a number with a leading zero")
def spelling_number():
    return misspelled(lambda b: b.replace(b'"seq":2', b'"seq":02'))


@scenario("invalid", 2, "an escape that is not needed")
def spelling_escape():
    return misspelled(lambda b: b.replace(b"spelled", b"\\u0073pelled"))


@scenario("invalid", 2, "white space between members")
def spelling_space():
    return misspelled(lambda b: b.replace(b',"event"', b', "event"'))


@scenario("invalid", 2, "upper-case hexadecimal")
def spelling_hex():
    return misspelled(lambda b: b.replace(BOOT.encode(), BOOT.upper().encode()))


@scenario("invalid", 2, "a fact twice")
def spelling_twice():
    return misspelled(lambda b: b.replace(b'"reason":"spelled"', b'"reason":"a","reason":"b"'))


@scenario("invalid", 2, "a day that does not exist")
def spelling_date():
    return misspelled(lambda b: b.replace(b"2026-11-24T09", b"2026-11-31T09"))


@scenario("invalid", 2, "bytes that are not UTF-8")
def spelling_utf8():
    return misspelled(lambda b: b.replace(b"spelled", b"sp\xc0\x80led"))


@scenario("invalid", 2, "a fact its event demands is missing")
def spelling_missing_fact():
    return misspelled(lambda b: b.replace(b'"reason"', b'"raison"'))


@scenario("invalid", 2, "line feeds without carriage returns, as some editor might save it")
def spelling_lf():
    s = two_sessions()
    s.files[1] = [s.files[1][0]] + [r.replace(b"\r\n", b"\n") for r in s.files[1][1:]]
    return s


def main():
    out = pathlib.Path(sys.argv[1])
    if out.exists():
        shutil.rmtree(out)
    for name, (fn, expect) in sorted(SCENARIOS.items()):
        expect = dict(expect)
        head_of = expect.pop("head_of", None)
        with_state = expect.pop("state", True)
        if head_of:
            n, i = head_of
            h = blake(two_sessions().files[n][i])
            expect["head"] = "-".join(h[k : k + 4] for k in range(0, 32, 4))
        expect["lab"] = Key("another lab").pub if expect.get("lab") == "other" else LAB.pub
        expect = {k: v for k, v in expect.items() if v is not None}
        fn().write(out / name, with_state)
        (out / name / "expect.json").write_text(json.dumps(expect, indent=1) + "\n")
        got = journal_verify.verify(out / name, expect["lab"], expect.get("head"))
        for k in ("verdict", "bad_seq", "recovered", "lab_signed"):
            if k in expect and got.get(k) != expect[k]:
                sys.exit("%s: expected %s, verifier says %s" % (name, expect, got))
    print("%d vectors" % len(SCENARIOS))


if __name__ == "__main__":
    main()
