#!/usr/bin/python3
"""A real apply on the booted stick, recorded write by write, and the power cut at any of them.

    powercut.py cuts STICK.img DISK.img LAB OUT N       boot, walk to the result, judge N power cuts
    powercut.py yank STICK.img DISK.img LAB OUT WHEN    boot, pull the stick at WHEN, judge what is left

STICK.img and DISK.img are only read. LAB: folder with LAB.pub and pass. WHEN: after that many per cent
of the writes of the run that `cuts` recorded in OUT.

The stick is a FAT32 file system in the hands of Linux's own driver, the disk an NTFS in ours; both
are served by nbdtape.py, so what the PC wrote to them is known in its true order. At a cut: the
boot partition is unchanged, fsck.fat sees no damage beyond what a pulled stick has (PULLED below),
the journal stands (journal_verify.py), ntfsfix -n accepts the volume, the SYSTEM hive is old or new by independent
replay (crash_judge.py's), and apply run again on that stick and disk ends in the joined state, judged by
hivex (join_judge.py).
"""

import argparse
import base64
import os
import pickle
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import nbdtape  # noqa: E402
import walk  # noqa: E402
from stick import REPO, Stick, StickError  # noqa: E402

sys.path.insert(0, os.path.join(REPO, "tests/tools"))
import crash_judge  # noqa: E402

BUILD = os.environ.get("BUILD", os.path.join(REPO, "build"))
ODJSTICK = os.environ.get("ODJSTICK", os.path.join(BUILD, "odjstick"))
SHARED_TOOLS = os.path.join(REPO, "../shared/tools")
BLOBS = os.path.join(REPO, "tests/vectors/blobs")
SERIAL, NAME = "5CG1234X01", "ALM-FIL-001"
SECTOR = 512
LOOK = 25  # seconds for the wizard to notice that its stick is gone
# What fsck.fat -n may say of a FAT32 that was not unmounted: the dirty bit, the summary of free
# clusters, clusters that no file has yet, a file's chain that is longer than its size, a second FAT that
# is a write behind the first.
PULLED = (
    r"fsck\.fat ", r"Dirty bit is set", r"^\s*Automatically removing dirty bit", r"Free cluster summary",
    r"Auto-correcting", r"Reclaimed \d+ unused clusters?", r"Leaving filesystem unchanged",
    r"File size is \d+ bytes, cluster chain length is > \d+ bytes", r"Truncating file to \d+ bytes",
    r"There are differences between boot sector and its backup", r"^This is mostly harmless\. Differences:",
    r"^\s*65:01/00$", r"Not automatically fixing this",  # byte 65 is the dirty bit
    r"FATs differ but appear to be intact", r"^\s*Using first FAT",
    r"^/", r"^\s*$", r"files, \d+/\d+ clusters", r"Orphaned long file name part", r"^\s*Auto-deleting",
)  # fmt: skip


def run(*argv, **more):
    """Output as text; must succeed."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        raise AssertionError("%s: status %d\n%s" % (" ".join(argv), done.returncode, text))
    return text


def partitions(image):
    """(first byte, bytes) of each, as sfdisk says."""
    import json  # pylint: disable=import-outside-toplevel

    table = json.loads(run("sfdisk", "--json", image))["partitiontable"]["partitions"]
    return [(p["start"] * SECTOR, p["size"] * SECTOR) for p in table]


class Judge:
    """Knows the disks from before."""

    def __init__(self, args):
        self.args = args
        self.work = tempfile.TemporaryDirectory(prefix="odjstick-cut.")
        self.base = {}
        for name, path in (("stick", args.stick), ("pc", args.disk)):
            with open(path, "rb") as file:
                self.base[name] = file.read()
        data = int(run(os.path.join(REPO, "image/data-offset"), args.stick))
        self.data = next(p for p in partitions(args.stick) if p[0] == data)
        self.boot = [p for p in partitions(args.stick) if p[0] != data]
        self.ntfs = max(partitions(args.disk), key=lambda p: p[1])
        self.seen = {"old": 0, "new": 0}
        self.fsck = {}
        with open(os.path.join(args.lab, "LAB.pub"), encoding="ascii") as file:
            self.lab_hex = base64.b64decode(file.read().splitlines()[-1])[-32:].hex()
        self.replay = None
        if os.path.exists(os.path.join(SHARED_TOOLS, "regfreplay.py")):
            sys.path.insert(0, SHARED_TOOLS)
            import regfreplay  # pylint: disable=import-outside-toplevel,import-error

            self.replay = regfreplay.main
        self.put("ntfs", self.base["pc"][self.ntfs[0] : sum(self.ntfs)])
        self.old = self.hive("before")
        self.new = None

    def path(self, name):
        """In the folder for one cut."""
        return os.path.join(self.work.name, name)

    def put(self, name, data):
        """A file there."""
        with open(self.path(name), "wb") as file:
            file.truncate(len(data))
            nbdtape.write_sparse(file, data)
        return self.path(name)

    def hive(self, name):
        """What the SYSTEM hive of the image `ntfs` holds, replayed by somebody else; kept as NAME."""
        for suffix in ("", ".LOG1", ".LOG2"):
            with open(self.path(name + suffix), "wb") as file:
                subprocess.run(
                    ["ntfscat", "-f", self.path("ntfs"), "Windows/System32/config/SYSTEM" + suffix],
                    stdout=file, check=True,
                )  # fmt: skip
        return crash_judge.recovered(self.replay, self.path(name)) if self.replay else None

    # --- the judges -------------------------------------------------------------------------------

    def boot_unchanged(self, stick):
        """Nobody writes there in the field."""
        for start, size in self.boot:
            assert stick[start : start + size] == self.base["stick"][start : start + size], "boot partition changed"

    def fat(self, stick):
        """fsck.fat sees nothing but what a pulled stick has."""
        image = self.put("fat", stick[self.data[0] : sum(self.data)])
        done = subprocess.run(["fsck.fat", "-n", image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        for line in done.stdout.decode(errors="replace").splitlines():
            known = next((p for p in PULLED if re.search(p, line)), None)
            assert known, "fsck.fat: %s\n%s" % (line, done.stdout.decode(errors="replace"))
            self.fsck[known] = self.fsck.get(known, 0) + 1

    def journal(self, folder, closed):
        """Stands; closed: and has its end and no open intent."""
        argv = ["/usr/bin/python3", os.path.join(REPO, "tests/tools/journal_verify.py"), folder, "--lab", self.lab_hex]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode(errors="replace")
        assert done.returncode in ((0,) if closed else (0, 1)), "journal: %d %s" % (done.returncode, text)

    def volume(self, disk):
        """Mounts; the hive is old or new."""
        image = self.put("ntfs", disk[self.ntfs[0] : sum(self.ntfs)])
        try:
            run("ntfsfix", "-n", image)
        except AssertionError as error:
            assert "MFTMirr does not match" in str(error), error
            run("ntfsfix", image)
        if self.replay:
            now = self.hive("now")
            assert now is not None and now in (self.old, self.new), "the hive is neither old nor new"
            self.seen["old" if now == self.old else "new"] += 1

    def again(self, disk, folder):
        """Apply once more, as the engineer would."""
        target = self.put("pc.img", disk)
        argv = [ODJSTICK, "apply", "--stick", folder, "--target", target, "--name", NAME, "--yes", "--reason", "the power was cut",
                "--passphrase-file", os.path.join(self.args.lab, "pass")]  # fmt: skip
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode(errors="replace")
        assert done.returncode == 0 or "already used" in text, "apply again: %s" % text
        with open(target, "rb") as file:
            after = file.read()
        self.put("ntfs", after[self.ntfs[0] : sum(self.ntfs)])
        self.hive("after")
        if self.replay:  # a run that found the join written leaves the hive to its log
            logs = [self.path("after" + suffix) for suffix in (".LOG1", ".LOG2")]
            self.replay(self.path("after"), *logs, self.path("whole"), quiet=True)
            run("/usr/bin/python3", os.path.join(REPO, "tests/tools/join_judge.py"), self.path("before"),
                os.path.join(BLOBS, NAME + ".registry.json"), self.path("whole"))  # fmt: skip
        self.journal(folder, True)
        pending = run(ODJSTICK, "journal", "verify", folder, "--json")
        assert '"pending": 0' in pending or '"pending":0' in pending, pending

    def judge(self, stick, disk):
        """One instant: stick and disk as bytes."""
        self.boot_unchanged(stick)
        self.fat(stick)
        folder = self.path("back")
        shutil.rmtree(folder, ignore_errors=True)
        run(os.path.join(REPO, "image/get-stick"), self.put("stick.img", stick), folder)
        self.journal(folder, False)
        self.volume(disk)
        self.again(disk, folder)


# --- cuts ---------------------------------------------------------------------------------------------


def play(base, ops):
    """The disks after these operations."""
    now = {name: bytearray(data) for name, data in base.items()}
    for name, offset, data in ops:
        if offset is not None:
            now[name][offset : offset + len(data)] = data
    return now


def unsynced(ops):
    """Indexes of writes that no later flush of their disk covers."""
    left = {}
    for i, (name, offset, _) in enumerate(ops):
        if offset is None:
            left[name] = []
        else:
            left.setdefault(name, []).append(i)
    return [i for part in left.values() for i in part]


def variants(ops, k, dice):
    """What a cut after k operations may leave: all that was sent, only what was flushed, some of it, a torn write."""
    sent = ops[:k]
    loose = set(unsynced(sent))
    yield "all", sent
    if loose:
        yield "flushed", [op for i, op in enumerate(sent) if i not in loose]
        some = {i for i in loose if dice.random() < 0.5}
        yield "some", [op for i, op in enumerate(sent) if i not in some]
    if k < len(ops) and ops[k][1] is not None and len(ops[k][2]) > SECTOR:
        name, offset, data = ops[k]
        if data[:4] not in (b"FILE", b"INDX"):
            half = len(data) // 2 // SECTOR * SECTOR
            yield "torn", sent + [(name, offset, data[:half])]


def choose(ops, n):
    """n places: half of them evenly from the stick's first write on, half among the writes to the PC's disk."""
    pc = [i for i, op in enumerate(ops) if op[0] == "pc"]
    even = list(range(0, len(ops) + 1, max(1, 2 * len(ops) // n)))
    near = pc[:: max(1, 2 * len(pc) // n)]
    return sorted(set(even + near))


def record(args, out):
    """Boot and join; everything that was written. Kept in OUT/tape: a second look needs no boot."""
    kept = os.path.join(out, "tape")
    if os.path.exists(kept):
        with open(kept, "rb") as file:
            return pickle.load(file)
    with tempfile.TemporaryDirectory(prefix="odjstick-nbd.") as folder:
        tape = nbdtape.Tape({"stick": args.stick, "pc": args.disk}, folder)
        with Stick(tape.url("stick"), disk=tape.url("pc"), serial_number=SERIAL, log=os.path.join(out, "console.log")) as pc:
            walk.walk(pc, NAME, "engineer passphrase")
    with open(kept, "wb") as file:
        pickle.dump(tape.ops, file)
    return tape.ops


def cuts(args):
    """Record once, judge many."""
    ops = record(args, args.out)
    judge = Judge(args)
    dice = random.Random(4)
    done = play(judge.base, ops)
    judge.put("ntfs", done["pc"][judge.ntfs[0] : sum(judge.ntfs)])
    judge.new = judge.hive("now")
    count = 0
    for k in choose(ops, int(args.what)):
        for kind, part in variants(ops, k, dice):
            now = play(judge.base, part)
            try:
                judge.judge(now["stick"], now["pc"])
            except AssertionError as error:
                for name, data in now.items():
                    shutil.copyfile(judge.put(name + ".bad", data), os.path.join(args.out, name + ".bad"))
                sys.exit("cut %d of %d, %s: %s" % (k, len(ops), kind, error))
            count += 1
    pc = sum(op[0] == "pc" for op in ops)
    print("# %d operations (%d on the PC's disk), %d power cuts: hive %s; all finished by running again" % (
        len(ops), pc, count, ", ".join("%d %s" % (n, k) for k, n in judge.seen.items())))  # fmt: skip
    print("# fsck.fat: %s" % ", ".join("%s (%d)" % item for item in sorted(judge.fsck.items())))
    if judge.replay:
        assert judge.seen["old"] and judge.seen["new"], "the cuts did not hit both sides of the commit"


# --- the stick is pulled ---------------------------------------------------------------------------------


def pull(pc):
    """Out of the port."""
    with pc.monitor() as mon:
        mon.command("device_del", id="usbstick")


class Puller:
    """The tape lets the stick answer nothing after a write; the port is empty as soon as the walk waits."""

    def __init__(self, tape, when):
        self.tape, self.when, self.pc, self.pulled, self.since = tape, when, None, False, 0
        tape.last = ("stick", when)

    def __call__(self):
        if self.pc and not self.pulled and self.tape.gone:
            pull(self.pc)
            self.pulled, self.since = True, time.monotonic()
        if self.pulled and time.monotonic() > self.since + LOOK:
            raise StickError("looked long enough")


def yank(args):
    """Pull at that moment, look at the screen, switch off, judge."""
    with tempfile.TemporaryDirectory(prefix="odjstick-nbd.") as folder:
        tape = nbdtape.Tape({"stick": args.stick, "pc": args.disk}, folder)
        writes = sum(op[1] is not None for op in record(args, args.out))
        puller = Puller(tape, writes * int(args.what) // 100)
        with Stick(tape.url("stick"), disk=tape.url("pc"), serial_number=SERIAL, keep_waiting=puller,
                   log=os.path.join(args.out, "console.log")) as pc:  # fmt: skip
            puller.pc = pc
            try:
                walk.walk(pc, NAME, "engineer passphrase")
            except StickError:
                pass
            pc.keep_waiting = lambda: None
            pc.settle()
            print("# pulled: %s, after %d of %d writes; the screen then:" % (puller.pulled, puller.when, writes))
            print("\n".join("#   " + line for line in pc.screen().splitlines() if line.strip()))
            screen = pc.screen()
        ops, data = tape.ops, tape.data
    assert "panic" not in screen.lower(), screen
    with open(os.path.join(args.out, "console.log"), "rb") as log:  # the walk may have gone on to power off
        assert b"stick was pulled out" in log.read(), screen
    judge = Judge(args)
    done = play(judge.base, ops)
    assert done == data
    judge.put("ntfs", done["pc"][judge.ntfs[0] : sum(judge.ntfs)])
    judge.new = judge.hive("now")
    judge.judge(done["stick"], done["pc"])
    print("# %d operations, %d on the PC's disk; finished by running again" % (len(ops), sum(op[0] == "pc" for op in ops)))


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["cuts", "yank"])
    for name in ("stick", "disk", "lab", "out", "what"):
        parser.add_argument(name)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    return cuts(args) if args.mode == "cuts" else yank(args)


if __name__ == "__main__":
    sys.exit(main())
