#!/usr/bin/python3
"""Damaged HvLE logs: the damaged entry and all after it are not applied.

damage.py --damage EXE --shared DIR [--step N] [--header N] [--cuts N] [--every] HIVE    (HIVE.LOG1 and HIVE.LOG2 beside it)

Each log is cut at every --cuts bytes (512), every --header-th bit of its header and every --step-th of its entries is
flipped, and the hive is opened each time. What must come out is computed by regfreplay.py: for a damaged entry from undamaged
logs that end before it, for a damaged header or a log cut inside it from the other log alone (a log without a
valid header does not count). --every flips every single bit of every entry as well (damage.c says how that is
quick): nothing of the damaged entry and all after it, in this log and in the next, may be applied. The first entry of
the whole run is judged by the facts and not by regfreplay.py, which would go on with the other log.
A DIRT log has no hash over its pages: there every N-th flip must give what regfreplay.py makes of the same
damaged log, and every flip in the header and the signature and every cut must be refused. --every flips every bit behind the bitmap as
well: the hive is refused, or it is what regfreplay.py makes of the undamaged log but for that one bit, in the place that
the bitmap gives its page; behind the last page nothing changes.
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
        self.names = {n: args.hive + '.LOG%d' % n for n in (1, 2)}
        self.logs = {n: open(f, 'rb').read() if os.path.exists(f) else b'' for n, f in self.names.items()}
        primary = open(args.hive, 'rb').read()
        runs = {n: entries(l) for n, l in self.logs.items() if l[:4] == b'regf'}
        self.dirt = any(l[512:516] == b'DIRT' for l in self.logs.values())
        if self.dirt:
            return
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

    def command(self, *what):
        a = self.args
        logs = [f if os.path.exists(f) else '-' for f in self.names.values()]
        text = subprocess.run([a.damage, a.hive, *logs, *map(str, what)], check=True, stdout=subprocess.PIPE).stdout
        return [l.split() for l in text.decode().splitlines()]

    def run(self, *what):
        return [(int(p), r) for p, r in self.command(*what)]

    def expect(self, n, start, end, want, why, step):
        got = self.run('flips', n, start, end, step)
        if [r for _, r in got] != [want]:
            raise SystemExit('%s LOG%d %s: %s, must be %s' % (self.args.hive, n, why, got[:4], want))
        return ((end - start) * 8 + step - 1) // step

    def every_bit(self):
        """Each bit of each entry, in the replay alone."""
        total = 0
        for k, (n, (start, end, seq)) in enumerate(self.chain):
            later = any(m != n for m, _ in self.chain[k:])
            left = len(self.chain) - k
            ((bits, wrong, whole),) = self.command('entry', n, start, end - start, int(later), self.args.step)
            if int(wrong) or int(whole) != left:
                raise SystemExit('%s LOG%d entry %d: applied after %s of %s flips; undamaged %s entries of %d'
                                 % (self.args.hive, n, seq, wrong, bits, whole, left))
            total += int(bits)
        return total

    def all(self):
        flips = cuts = 0
        for n in dict(self.chain):
            flips += self.expect(n, 0, 512, self.without(n), 'header', self.args.header)
            for k, (m, (start, end, seq)) in enumerate(self.chain):
                if m == n:
                    flips += self.expect(n, start, end, self.states[k], 'entry %d' % seq, self.args.step)
            whole = {at: r for at, r in self.run('cuts', n, self.args.cuts)}
            want, last = {}, None
            for at in range(0, len(self.logs[n]) + 1, self.args.cuts):
                cuts += 1
                k = next((k for k, (m, e) in enumerate(self.chain) if m == n and e[1] > at), None)
                r = self.states[len(self.chain) if k is None else k] if at >= 1024 else self.without(n)
                if r != last:
                    want[at] = last = r
            if whole != want:
                raise SystemExit('%s LOG%d cuts: %s, must be %s' % (self.args.hive, n, whole, want))
        print('%s: %d entries, %d flipped bits, %d cuts: right every time' % (self.args.hive, len(self.chain), flips, cuts))
        if self.args.every:
            print('%s: every one of %d bits of the entries flipped: never applied' % (self.args.hive, self.every_bit()), flush=True)

    # --- DIRT ---

    def oracle(self, log):
        path, out = os.path.join(self.dir, 'log'), os.path.join(self.dir, 'out')
        open(path, 'wb').write(log)
        if not self.replay.main(self.args.hive, path, '-', out, quiet=True):
            return 'unsafe-pc'
        b = open(out, 'rb').read()
        return '%08x' % zlib.crc32(b[4096:4096 + u32(b, 40)])

    def unsound(self):
        """The oracle's last result has errors."""
        import regfcheck
        c = regfcheck.Chk(open(os.path.join(self.dir, 'out'), 'rb').read()).run()
        return any(l == 'ERR' for l, _ in c.msgs)

    def all_dirt(self):
        log, flips = self.logs[1], self.expect(1, 0, 516, 'unsafe-pc', 'header', self.args.header)
        bitmap = 516 + u32(log, 40) // 4096
        for start, end, step in ((516, bitmap, self.args.header), (bitmap, len(log), self.args.step)):
            got, last = dict(self.run('flips', 1, start, end, step)), None
            for bit in range(8 * start, 8 * end, step):
                last = got.get(bit, last)
                bad = bytearray(log)
                bad[bit // 8] ^= 1 << bit % 8
                want = self.oracle(bad)
                # a bitmap that asks for more pages than there are is refused, as is what regfcheck.py finds unsound
                short = bit // 8 < bitmap and not log[bit // 8] >> bit % 8 & 1
                refused = last == 'unsafe-pc' and short or last == 'integrity' and self.unsound()
                if last != want and not refused:
                    raise SystemExit('%s bit %d: %s, must be %s' % (self.args.hive, bit, last, want))
                flips += 1
        whole = [(0, 'unsafe-pc'), (len(log), self.oracle(log))]
        if self.run('cuts', 1, self.args.cuts) != whole:
            raise SystemExit('%s: a log that was cut short is applied' % self.args.hive)
        print('%s: DIRT, %d flipped bits: as regfreplay.py, or refused, every time; %d cuts refused'
              % (self.args.hive, flips, len(log) // self.args.cuts))
        if self.args.every:
            print('%s: DIRT, every one of %d bits behind the bitmap flipped: as it must be %d times, refused %d times'
                  % (self.args.hive, 8 * (len(log) - bitmap), *self.every_dirt_bit(log, bitmap)), flush=True)

    def every_dirt_bit(self, log, bitmap):
        if self.oracle(log) == 'unsafe-pc':
            raise SystemExit('%s: the undamaged log is of no use' % self.args.hive)
        b = open(os.path.join(self.dir, 'out'), 'rb').read()
        bins = bytearray(b[4096:4096 + u32(b, 40)])
        places = [512 * i for i in range(8 * (bitmap - 516)) if log[516 + i // 8] >> i % 8 & 1]
        pages = (bitmap + 511) // 512 * 512
        got, last, count = dict(self.run('flips', 1, bitmap, len(log), 1)), None, [0, 0]
        for bit in range(8 * bitmap, 8 * len(log)):
            last = got.get(bit, last)
            refused = last == 'integrity'
            count[refused] += 1
            if refused:
                continue
            page, at = divmod(bit // 8 - pages, 512)
            at = places[page] + at if 0 <= page < len(places) else None
            if at is not None:
                bins[at] ^= 1 << bit % 8
            want = '%08x' % zlib.crc32(bins)
            if at is not None:
                bins[at] ^= 1 << bit % 8
            if last != want:
                raise SystemExit('%s bit %d: %s, must be %s' % (self.args.hive, bit, last, want))
        return count


a = argparse.ArgumentParser()
a.add_argument('--damage', required=True)
a.add_argument('--shared', required=True)
a.add_argument('--step', type=int, default=1)
a.add_argument('--header', type=int, default=1)
a.add_argument('--cuts', type=int, default=512)
a.add_argument('--every', action='store_true')
a.add_argument('hive')
case = Case(a.parse_args())
case.all_dirt() if case.dirt else case.all()
