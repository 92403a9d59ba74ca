#!/usr/bin/python3
"""Random edits of hives, judged by others' code.

judge.py --worker W --shared DIR [--edits N] [--crash N] [--fail N] [--seed S] [--every K] [--quick SO] HIVE...

For each hive: random edits, one commit each. After every commit (with --every K: every K-th, and the last)
  - the worker's own check and regfcheck.py find nothing, and no cell leaks that did not before;
  - hivex reads exactly the model: what was there before plus the edits;
  - what regfexport reads differs from what it read before by exactly the edit (with K = 1 and --quick, a
    preloaded library that lets regfexport write its text in large pieces);
  - the file grew only when no free cell would have held the data.
A hive that is dirty without logs is refused by the library; --mark-clean makes its two numbers equal first.
The first --crash commits of each hive are also cut: after every sector; with the sectors between two syncs
dropped in every combination up to --bound of them and in --subsets random ones beyond; with sectors torn.
regfreplay.py then must find exactly the old or the new hive.
The first --fail commits are repeated with every call failing once, cleanly and half-way.
"""
import argparse, hashlib, io, itertools, os, random, shutil, struct, subprocess, sys, tempfile, time

import hivex

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import regfexport

NAMES = ['a', 'Value', 'ABC', 'Wert ä', 'Имя', '日本', 'x' * 40, 'ÿ', 'Σίσυφο', 'Name.with-dots', '']
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 12, 60, 200, 900, 4000, 16343, 16344, 16345, 20000, 33000]
OURS_MAX = 80000  # bytes of our own values: above it, most edits delete


def u32(b, o):
    return struct.unpack_from('<I', b, o)[0]


class Worker:
    def __init__(self, exe, hive, logs, form):
        self.p = subprocess.Popen([exe, hive, *logs, form], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        answer = self.line()
        if answer[0] != 'ok':
            raise SystemExit('worker: ' + ' '.join(answer))

    def line(self):
        return self.p.stdout.readline().decode().split()

    def say(self, *fields):
        out = [f if isinstance(f, str) else f.hex() for f in fields]
        self.p.stdin.write(('\t'.join(out) + '\n').encode())
        self.p.stdin.flush()
        return self.line()

    def commit(self, *fail):
        answer, ops = self.say('C', *fail), []
        while True:
            f = self.line()
            if f[0] == '.':
                return answer, ops
            if f[0] == 'w':
                ops.append(('w', int(f[1]), int(f[2]), bytes.fromhex(f[3])))
            elif f[0] == 'r':
                ops.append(('r', int(f[1]), int(f[2]), None))
            else:
                ops.append(('s', int(f[1]), 0, None))


def apply(files, op):
    kind, dev, at, data = op
    f = files[dev]
    if kind == 'w':
        if len(f) < at + len(data):
            f.extend(bytes(at + len(data) - len(f)))
        f[at:at + len(data)] = data
    elif kind == 'r':
        if len(f) > at:
            del f[at:]
        else:
            f.extend(bytes(at - len(f)))


class Oracle:
    """regfreplay.py itself, reading and writing memory instead of files."""

    def __init__(self, shared):
        sys.path.insert(0, os.path.join(shared, 'tools'))
        import regfcheck, regfreplay
        self.check, self.replay, self.files = regfcheck, regfreplay, {}
        regfreplay.open = self.open
        plain = regfreplay.marvin
        cache = {}

        def marvin(data):
            key = hashlib.blake2b(bytes(data), digest_size=16).digest()
            if key not in cache:
                if len(cache) > 20000:
                    cache.clear()
                cache[key] = plain(data)
            return cache[key]
        regfreplay.marvin = marvin

    def open(self, name, mode):
        if 'r' in mode:
            return io.BytesIO(bytes(self.files[name]))
        oracle = self

        class Out:
            def write(self, data):
                oracle.files[name] = data
        return Out()

    def recover(self, files):
        self.files = {'P': files[0], '1': files[1], '2': files[2]}
        self.replay.main('P', '1', '2', 'O', quiet=True)
        return self.files['O']


class Judge:
    def __init__(self, args):
        self.args, self.oracle = args, Oracle(args.shared)
        self.count = dict(edits=0, states=0, faults=0, hivex=0, regfexport=0, regfcheck=0, grown=0)

    def fail(self, why):
        raise SystemExit('FAILED %s: %s (seed %d, edit %d)' % (self.name, why, self.args.seed, self.count['edits']))

    # --- the model, from hivex ---

    def value(self, b, h, v):
        """Type and data; hivex hands out offsets of records and does not know big data."""
        size, data, kind = struct.unpack_from('<III', b, v + 4 + 4)
        if size >> 31 or size <= 16344 or u32(b, 24) < 4:
            return h.value_value(v)
        count, lst = struct.unpack_from('<HI', b, 4096 + data + 4 + 2)
        parts = [u32(b, 4096 + lst + 4 + 4 * i) for i in range(count)]
        return kind, b''.join(bytes(b[4096 + p + 4:4096 + p + 4 + 16344]) for p in parts)[:size]

    def read(self, image):
        with tempfile.NamedTemporaryFile(dir='/dev/shm') as f:
            f.write(image)
            f.flush()
            h, model, stack = hivex.Hivex(f.name), {}, []
            stack.append((h.root(), ''))
            while stack:
                n, path = stack.pop()
                model[path] = {h.value_key(v).upper(): self.value(image, h, v) for v in h.node_values(n)}
                for c in h.node_children(n):
                    name = h.node_name(c)
                    stack.append((c, (path + '\\' if path else '') + name.upper()))
            return model

    def data(self, r):
        """Type and data: text where the type is text, half of the time."""
        kind = r.randrange(12)
        if kind in (1, 2, 7) and r.random() < 0.5:
            text = ''.join(r.choice('abcdefgh Öя日') for _ in range(r.choice((1, 5, 40, 300)))) + '\0'
            return kind, (text + ('\0' if kind == 7 else '')).encode('utf-16le')
        if kind in (4, 5, 11) and r.random() < 0.7:
            return kind, r.randbytes(8 if kind == 11 else 4)
        return kind, r.randbytes(r.choice(SIZES))

    def edit(self, r, w, model):
        """One random edit, in the worker and in the model. self.touched: the keys it may change, as they were."""
        keys = list(model)
        key = r.choice(keys)
        full = sum(self.sizes.values()) > OURS_MAX
        if self.ours and r.random() < (0.8 if full else 0.2):
            key = r.choice(sorted(self.ours))
        what = r.random() / (3 if full else 1)
        self.need = 4096 + 8 * min(len(keys), 1100) + 4 * len(model[key])  # records and lists, generously
        self.touched = {key: dict(model[key])}
        if what < 0.12 and key and key in self.ours:
            self.said = ('K', key.encode())
            self.touched = {k: dict(model[k]) for k in model if k == key or k.startswith(key + '\\')}
            for k in self.touched:
                del model[k]
                self.ours.discard(k)
            self.sizes = {(k, n): v for (k, n), v in self.sizes.items() if k not in self.touched}
        elif what < 0.30 and model[key]:
            name = r.choice(list(model[key]))
            self.said = ('D', key.encode(), name.encode())
            del model[key][name]
            self.sizes.pop((key, name), None)
        elif what < 0.45 and key.count('\\') < 12:
            name = r.choice(NAMES[:-1]) + str(r.randrange(40))
            key = (key + '\\' if key else '') + name
            self.said = ('M', key.encode())
            self.touched = {key.upper(): dict(model[key.upper()]) if key.upper() in model else None}
            if key.upper() not in model:
                model[key.upper()] = {}
                self.ours.add(key.upper())
        else:
            name = r.choice(list(model[key])) if model[key] and r.random() < 0.5 else r.choice(NAMES)
            if r.random() < 0.3:
                name += str(r.randrange(30)) if name else ''
            kind, data = self.data(r)
            self.need += (len(data) // 16344 + 1) * 16352  # a big value's parts are of one size
            self.said = ('S', key.encode(), name.encode(), str(kind), data)
            model[key][name.upper()] = (kind, data)
            self.sizes[(key, name.upper())] = len(data)
        answer = w.say(*self.said)
        if answer[0] != 'ok':
            self.fail('edit refused: %s' % ' '.join(answer))

    # --- after each commit ---

    def sound(self, image, before, w):
        c = self.oracle.check.Chk(bytes(image)).run()
        self.count['regfcheck'] += 1
        bad = [t for l, t in c.msgs if l in ('ERR', 'WARN')]
        if bad:
            self.fail('regfcheck: ' + '; '.join(bad[:4]))
        if c.st['leaked'] > before:
            self.fail('%d leaked cells, %d before' % (c.st['leaked'], before))
        ours = w.say('Q')
        if ours[1:] != ['0', '0', str(c.st['leaked'])]:
            self.fail('our check: %s' % ours)
        return c.st

    def same(self, image, model):
        self.count['hivex'] += 1
        got = self.read(image)
        if got != model:
            diff = [k for k in set(got) | set(model) if got.get(k) != model.get(k)]
            self.fail('hivex reads something else in %s' % diff[:4])

    def exported(self, image, model):
        self.count['regfexport'] += 1
        wrong = self.export.compare(image, self.touched, {k: model.get(k) for k in self.touched})
        if wrong:
            self.fail('regfexport after %s: %s' % (self.said[:3], wrong))

    def growth(self, image):
        """The hive grew: no free cell may have had room for all that the edit could need."""
        self.count['grown'] += 1
        free = max((n for n in self.oracle.check.Chk(image).run().cells.values() if n > 0), default=0)
        if free >= self.need:
            self.fail('grew by a bin while %d bytes were free in one cell, %d needed' % (free, self.need))

    # --- crashes ---

    def bins(self, p):
        n = u32(p, 40)
        b = bytearray(p[4096:4096 + n])
        b[20:28] = bytes(8)  # the first bin's time may be set on its own
        return bytes(b)

    def state(self, files, old, new, why):
        self.count['states'] += 1
        out = self.oracle.recover(files)
        if u32(out, 4) != u32(out, 8) or self.oracle.replay.xsum(out) != u32(out, 508):
            self.fail('%s: not recoverable' % why)
        got = self.bins(out)
        if got != old and got != new:
            self.fail('%s: neither old nor new' % why)

    def crash(self, r, before, ops, old, new):
        done = [bytearray(f) for f in before]       # synced
        pending = {0: [], 1: [], 2: []}             # sector writes not synced yet
        for op in ops:
            if op[0] == 's':
                self.subsets(r, done, pending, old, new)
                for p in pending[op[1]]:
                    apply(done, p)
                pending[op[1]] = []
                self.state(done, old, new, 'after a sync')
                continue
            for piece in self.pieces(op):
                pending[op[1]].append(piece)
                now = [bytearray(f) for f in done]
                for p in itertools.chain(*pending.values()):
                    apply(now, p)
                self.state(now, old, new, 'cut after %s' % (piece[:3],))
        if any(pending.values()):
            self.fail('writes without a sync at the end')

    def pieces(self, op):
        if op[0] == 'r':
            return [op]
        _, dev, at, data = op
        out = []
        while data:
            n = min(len(data), 512 - at % 512)
            out.append(('w', dev, at, data[:n]))
            at, data = at + n, data[n:]
        return out

    def subsets(self, r, done, pending, old, new):
        todo = list(itertools.chain(*pending.values()))
        if len(todo) <= self.args.bound:
            picks = [c for n in range(len(todo) + 1) for c in itertools.combinations(todo, n)]
        else:
            picks = [r.sample(todo, r.randrange(len(todo) + 1)) for _ in range(self.args.subsets)]
        for pick in picks:
            now = [bytearray(f) for f in done]
            for p in pick:
                apply(now, p)
            self.state(now, old, new, 'unsynced writes in part')
        torn = [p for p in todo if p[0] == 'w']
        few = r.sample(torn, min(len(torn), 4))
        for p in torn:  # the first or the last part of a sector is new: the base block's at many places, others' at one
            if p[1] or p[2]:
                cut = r.randrange(1, len(p[3])) if p in few and len(p[3]) > 1 else 0
                for part in (('w', p[1], p[2], p[3][:cut]), ('w', p[1], p[2] + cut, p[3][cut:])) if cut else ():
                    now = [bytearray(f) for f in done]
                    for q in todo:
                        apply(now, part if q is p else q)
                    self.state(now, old, new, 'sector %d of %d torn at %d' % (p[2] // 512, p[1], cut))
                continue
            for cut in (4, 8, 12, 40, 44, 100, 256, 508, 511):
                for part in (('w', 0, 0, p[3][:cut]), ('w', 0, cut, p[3][cut:])):
                    now = [bytearray(f) for f in done]
                    apply(now, part)
                    self.state(now, old, new, 'first sector torn at %d' % cut)

    def faults(self, w, before, old, new, calls, reads):
        kinds = [(n,) for n in range(calls)] + [(n, 'short') for n in range(calls)] + [(n + 1, 'read') for n in range(reads)]
        for n, *kind in kinds:
            self.count['faults'] += 1
            w.say('Y')
            w.say(*self.said)
            answer, ops = w.commit(str(n), *kind)
            if answer[0] != 'error':
                self.fail('call %d %s failed and the commit did not say so' % (n, kind))
            files = [bytearray(f) for f in before]
            for op in ops:
                apply(files, op)
            self.state(files, old, new, 'call %d failed' % n)
            if w.say('Q')[0] != 'ok':
                self.fail('worker lost')
        w.say('Y')
        w.say(*self.said)

    def trial(self, w, before, old):
        """Commit, see what it writes, and go back; then again with every call failing."""
        answer, ops = w.commit()
        new = [bytearray(f) for f in before]
        for op in ops:
            apply(new, op)
        self.faults(w, before, old, self.bins(new[0]), int(answer[1]), int(answer[2]))

    def start(self, path, form, logs):
        self.name = os.path.basename(path) + '/' + form
        files = [bytearray(open(path, 'rb').read())] + [bytearray(open(l, 'rb').read()) if l != '-' else bytearray() for l in logs]
        w, self.ours, self.sizes = Worker(self.args.worker, path, logs, form), set(), {}
        first = bytes(self.oracle.recover(files))
        if self.args.quick:
            self.export = regfexport.Export(first, self.args.quick)
        return files, w, self.oracle.check.Chk(first).run().st['leaked'], self.read(first)

    def run(self, path, form, logs, edits, crash, fail):
        files, w, leaked, model = self.start(path, form, logs)
        r = random.Random('%d %s' % (self.args.seed, self.name))
        for i in range(edits):
            careful = i < max(crash, fail)
            if careful:
                before, old = [bytes(f) for f in files], self.bins(self.oracle.recover(files))
            if i < fail:
                w.say('X')
                w.say('Y')  # opened anew, as before each fault: free cells are taken in the same order
            self.edit(r, w, model)
            if i < fail:
                self.trial(w, before, old)
            answer, ops = w.commit()
            if answer[0] != 'ok':
                self.fail('commit: %s' % answer)
            length, grown = u32(files[0], 40), any(op[0] == 'r' and op[1] == 0 for op in ops)
            last = bytes(files[0]) if grown else None
            for op in ops:
                apply(files, op)
            self.count['edits'] += 1
            if grown and i and u32(files[0], 40) > length:
                self.growth(last)
            if w.say('Q')[1:3] != ['0', '0']:
                self.fail('our check finds errors')
            if i % self.args.every == 0 or i + 1 == edits:
                image = bytes(files[0])
                self.sound(image, leaked, w)
                self.same(image, model)
                if self.args.quick:
                    self.exported(image, model)
            if i < crash:
                self.crash(r, before, ops, old, self.bins(files[0]))
        w.p.stdin.close()
        w.p.wait()
        print('%s: %d edits, %s' % (self.name, edits, self.count), flush=True)


def mark_clean(oracle, path, work):
    copy = os.path.join(work, os.path.basename(path))
    base = bytearray(open(path, 'rb').read())
    base[8:12] = base[4:8]
    struct.pack_into('<I', base, 508, oracle.replay.xsum(base))
    open(copy, 'wb').write(base)
    return copy


def main():
    a = argparse.ArgumentParser()
    for name, default in (('edits', 100), ('crash', 20), ('fail', 2), ('seed', 1), ('every', 1), ('subsets', 12), ('bound', 5)):
        a.add_argument('--' + name, type=int, default=default)
    for name in ('worker', 'shared'):
        a.add_argument('--' + name, required=True)
    a.add_argument('--quick')
    a.add_argument('--form', default='both')
    a.add_argument('--mark-clean', action='store_true')
    a.add_argument('hive', nargs='+')
    args = a.parse_args()
    if args.quick and args.every != 1:
        raise SystemExit('regfexport is compared from commit to commit: --every 1')
    judge, start, work = Judge(args), time.time(), tempfile.mkdtemp()
    for path in args.hive:
        logs = [path + s if os.path.exists(path + s) else '-' for s in ('.LOG1', '.LOG2')]
        if args.mark_clean:
            path = mark_clean(judge.oracle, path, work)
        for form in ('hvle', 'dirt') if args.form == 'both' else (args.form,):
            judge.run(path, form, logs, args.edits, args.crash, args.fail)
    shutil.rmtree(work)
    c = judge.count
    print('%(edits)d edits, %(states)d crash states, %(faults)d faults, %(regfcheck)d regfcheck, %(hivex)d hivex, '
          '%(regfexport)d regfexport' % c, 'in %d s: all sound' % (time.time() - start))


main()
