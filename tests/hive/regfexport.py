"""What regfexport (libregf) reads of a hive, and what changed in it from one commit to the next.

Its text is one block a key, in the order of the hive. Two texts are compared from both ends, so that only
the blocks around the change are taken apart: a large hive costs little more than running regfexport.
"""
import os, subprocess, tempfile

KINDS = ['REG_NONE', 'REG_SZ', 'REG_EXPAND_SZ', 'REG_BINARY', 'REG_DWORD', 'REG_DWORD_BIG_ENDIAN', 'REG_LINK',
         'REG_MULTI_SZ', 'REG_RESOURCE_LIST', 'REG_FULL_RESOURCE_DESCRIPTOR', 'REG_RESOURCE_REQUIREMENTS_LIST', 'REG_QWORD']
DUMPED = (0, 3, 8, 9, 10)  # shown as bytes; the others are shown as what they mean
MARK = b'\nKey path: '


def shown_well(value):
    """Whether regfexport shows this data for certain: of text and numbers of a wrong size it makes something else
    each time it runs (its memory is not initialised)."""
    kind, data = value
    if kind in (1, 2):
        return len(data) > 2 and len(data) % 2 == 0 and data.find(b'\0\0\0') in (-1, len(data) - 3) and data.endswith(b'\0\0')
    return kind in DUMPED or (kind in (4, 5) and len(data) == 4) or (kind == 11 and len(data) == 8)


def is_text(data):
    try:
        return data[:-2].decode('utf-16le').isprintable()
    except UnicodeDecodeError:
        return False


def common(a, b):
    """Length of the common beginning."""
    at, step = 0, 1 << 16
    while step:
        while at + step <= min(len(a), len(b)) and a[at:at + step] == b[at:at + step]:
            at += step
        step >>= 1
    return at


def common_end(a, b, most):
    at, step = 0, 1 << 16
    while step:
        while at + step <= most and a[len(a) - at - step:len(a) - at] == b[len(b) - at - step:len(b) - at]:
            at += step
        step >>= 1
    return at


def dumped(lines):
    return b''.join(bytes.fromhex(l[10:59]) for l in lines)


def parse(text):
    """{KEY: {NAME: (type, lines of data)}} of some whole blocks."""
    keys = {}
    for block in text.split(MARK)[1:]:
        path, _, rest = block.decode('utf-8', 'replace').partition('\n')
        values = keys[path.partition('\\')[2].upper()] = {}
        for part in rest.split('\nValue: ')[1:]:
            lines = part.rstrip('\n').split('\n')
            name = lines[0].split(' ', 1)[1]
            values['' if name == '(default)' else name.upper()] = (lines[1], lines[2:])
    return keys


class Export:
    def __init__(self, image, quick):
        self.env, self.quick = dict(os.environ, LD_PRELOAD=quick), quick
        self.text = self.run(image)

    def run(self, image):
        with tempfile.NamedTemporaryFile(dir='/dev/shm') as f:
            f.write(image)
            f.flush()
            p = subprocess.run(['regfexport', f.name], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if p.returncode or MARK not in p.stdout:
            raise ValueError('regfexport: status %d: %s' % (p.returncode, p.stdout[-200:]))
        return p.stdout

    def advance(self, image):
        """Read the hive again: the blocks that differ, before and after."""
        old, self.text = self.text, self.run(image)
        if old == self.text:
            return {}, {}
        start = common(old, self.text)
        end = common_end(old, self.text, min(len(old), len(self.text)) - start)
        start = max(old.rfind(MARK, 0, start), 0)
        out = []
        for text in (old, self.text):
            stop = text.find(MARK, len(text) - end)
            out.append(parse(text[start:stop if stop >= 0 else len(text)]))
        return out

    def compare(self, image, before, after):
        """before, after: {KEY: {NAME: (kind, data)}, or None} of the keys that were to change. None or what is wrong."""
        old, new = self.advance(image)
        for key in set(old) | set(new):
            a, b = old.get(key), new.get(key)
            if a == b:
                continue
            if key not in before and key not in after:
                return 'key %r changed' % key
            if (a is None) != (before.get(key) is None) or (b is None) != (after.get(key) is None):
                return 'key %r: %s, must be %s' % (key, b is not None, after.get(key) is not None)
            for name in set(a or ()) | set(b or ()):
                was, now = (a or {}).get(name), (b or {}).get(name)
                want = (after.get(key) or {}).get(name)
                same = was == now or was and now and was[0] == now[0] and want and not shown_well(want)
                if not same and (before.get(key) or {}).get(name) == want:
                    return 'value %r of %r changed: %r, now %r' % (name, key, was and was[1][:3], now and now[1][:3])
        for key, values in after.items():
            was = before.get(key)
            if values is None:
                if key not in old and was is not None:
                    return 'key %r is still there' % key
                continue
            if key not in new and was is None:
                return 'key %r is missing' % key
            for name in set(values) | set(was or ()):
                wrong = None if values.get(name) == (was or {}).get(name) else self.value(new.get(key), name, values.get(name))
                if wrong:
                    return 'value %r of %r: %s' % (name, key, wrong)
        return None

    def value(self, got, name, want):
        if got is None:  # its block did not change: only where two data are shown as the same text
            return None if want and not shown_well(want) else 'no difference'
        if want is None:
            return 'still there' if name in got else None
        if name not in got:
            return 'missing'
        kind, data = want
        shown, lines = got[name]
        if '(' + KINDS[kind] not in shown:
            return '%s, must be %s' % (shown, KINDS[kind])
        if kind in DUMPED:
            if 0 < len(data) < 4:
                # libregf takes such data from the wrong end of its field: it shows 00 00 where Windows' own
                # SAM\\ServerDomainUpdates holds fe 01
                data = (data + bytes(4 - len(data)))[4 - len(data):]
            if lines[0] != 'Data size: %d' % len(data) or dumped(lines[2:]) != data:
                got = dumped(lines[2:])
                at = common(got, data)
                return '%s, other data from byte %d of %d (%d read): %s, must be %s' % (
                    lines[0], at, len(data), len(got), got[at:at + 16].hex(), data[at:at + 16].hex())
        elif kind in (1, 2) and shown_well(want) and data[-2:] == bytes(2) and is_text(data) and \
                lines[1:2] != ['Data: ' + data[:-2].decode('utf-16le')]:
            return 'other text: %s' % lines[1:2]
        return None
