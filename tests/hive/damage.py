#!/usr/bin/python3
"""Damaged HvLE logs: the damaged entry and all after it are not applied.

damage.py --damage EXE --shared DIR [--step N] HIVE    (HIVE.LOG1 and HIVE.LOG2 beside it)

Every N-th bit of each log's header and entries is flipped, each log is cut at every 512 bytes. What must come
out is computed by regfreplay.py from undamaged logs that end before the damaged entry.
"""
import argparse, os, struct, subprocess, sys, tempfile, zlib


def u32(b, o):
    return struct.unpack_from('<I', b, o)[0]


def entries(log):
    """(start, end, sequence) of the valid run."""
    out, at = [], 512
    while log[at:at + 4] == b'HvLE' and at + u32(log, at + 4) <= len(log):
        if out and u32(log, at + 12) != out[-1][2] + 1:
            break
        out.append((at, at + u32(log, at + 4), u32(log, at + 12)))
        at += u32(log, at + 4)
    return out


class Case:
    def __init__(self, args):
        sys.path.insert(0, os.path.join(args.shared, 'tools'))
        import regfreplay
        self.replay, self.args, self.dir = regfreplay, args, tempfile.mkdtemp(dir='/dev/shm')
        self.logs = {n: open(args.hive + '.LOG%d' % n, 'rb').read() for n in (1, 2)}
        primary = open(args.hive, 'rb').read()
        runs = {n: entries(l) for n, l in self.logs.items() if l[:4] == b'regf'}
        order = sorted((n for n in runs if runs[n] and (u32(self.logs[n], 4) - u32(primary, 8)) & 0xffffffff < 0x80000000),
                       key=lambda n: u32(self.logs[n], 4))
        self.chain = [(n, e) for n in order for e in runs[n]]
        self.states = [self.state(k) for k in range(len(self.chain) + 1)]

    def state(self, count):
        """What the oracle makes of the first `count` entries."""
        if count == 0:
            return 'unsafe-pc'
        paths = []
        for n in (1, 2):
            ends = [e[1] for m, e in self.chain[:count] if m == n]
            path = os.path.join(self.dir, 'log%d' % n)
            open(path, 'wb').write(self.logs[n][:ends[-1]] if ends else b'')
            paths.append(path)
        out = os.path.join(self.dir, 'out')
        applied = self.replay.main(self.args.hive, *paths, out, quiet=True)
        if len(applied) != count:
            raise SystemExit('%s: oracle applied %d of %d entries' % (self.args.hive, len(applied), count))
        b = open(out, 'rb').read()
        return '%08x' % zlib.crc32(b[4096:4096 + u32(b, 40)])

    def without(self, n):
        """What the oracle makes of the other log alone: an empty log cannot be told from none."""
        paths = [os.path.join(self.dir, 'log%d' % m) for m in (1, 2)]
        for m in (1, 2):
            open(paths[m - 1], 'wb').write(b'' if m == n else self.logs[m])
        out = os.path.join(self.dir, 'out')
        if not self.replay.main(self.args.hive, *paths, out, quiet=True):
            return 'unsafe-pc'
        b = open(out, 'rb').read()
        return '%08x' % zlib.crc32(b[4096:4096 + u32(b, 40)])

    def run(self, *what):
        a = self.args
        text = subprocess.run([a.damage, a.hive, a.hive + '.LOG1', a.hive + '.LOG2', *map(str, what)], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        return [(int(p), r) for p, r in (l.split() for l in text.splitlines())]

    def expect(self, n, start, end, want, why):
        got = self.run('flips', n, start, end, self.args.step)
        if [r for _, r in got] != [want]:
            raise SystemExit('%s LOG%d %s: %s, must be %s' % (self.args.hive, n, why, got[:4], want))
        return (end - start) * 8 // self.args.step

    def all(self):
        flips = cuts = 0
        for n in dict(self.chain):
            first = [m for m, _ in self.chain].index(n)
            flips += self.expect(n, 0, 512, self.states[first], 'header')
            for k, (m, (start, end, seq)) in enumerate(self.chain):
                if m == n:
                    flips += self.expect(n, start, end, self.states[k], 'entry %d' % seq)
            whole = {at: r for at, r in self.run('cuts', n)}
            want, last = {}, None
            for at in range(0, len(self.logs[n]) + 1, 512):
                cuts += 1
                k = next((k for k, (m, e) in enumerate(self.chain) if m == n and e[1] > at), None)
                r = self.states[len(self.chain) if k is None else k] if at >= 1024 else self.without(n)
                if r != last:
                    want[at] = last = r
            if whole != want:
                raise SystemExit('%s LOG%d cuts: %s, must be %s' % (self.args.hive, n, whole, want))
        print('%s: %d entries, %d flipped bits, %d cuts: right every time' % (self.args.hive, len(self.chain), flips, cuts))


a = argparse.ArgumentParser()
a.add_argument('--damage', required=True)
a.add_argument('--shared', required=True)
a.add_argument('--step', type=int, default=1)
a.add_argument('hive')
Case(a.parse_args()).all()
