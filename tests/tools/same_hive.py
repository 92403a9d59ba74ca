#!/usr/bin/python3
"""Say whether two hives hold the same: keys, class names, security descriptors, values, types, bytes.

usage: same_hive.py ONE TWO

hivex reads keys and values. It tells neither class names nor descriptors to Python: those are read from the
file, at the key that hivex names (its handles are offsets of cells). Timestamps and the fill of a class
or descriptor cell are not compared: writing changes them.
"""
import struct
import sys

import hivex


def cell(raw, at):
    """The data of the allocated cell at an offset from the start of the bins."""
    size, = struct.unpack_from('<i', raw, 4096 + at)
    if size >= -4 or 4096 + at - size > len(raw):
        raise SystemExit('no cell at %#x' % at)
    return raw[4096 + at + 4:4096 + at - size]


def beside(raw, node):
    """Class name and descriptor of a key; the cells' signatures and sizes say so when an offset is wrong."""
    nk = cell(raw, node - 4096)
    security, class_at = struct.unpack_from('<II', nk, 44)
    class_len, = struct.unpack_from('<H', nk, 74)
    sk = cell(raw, security)
    sd_len, = struct.unpack_from('<I', sk, 16)
    class_name = cell(raw, class_at)[:class_len] if class_len else b''
    if nk[:2] != b'nk' or sk[:2] != b'sk' or len(sk) < 20 + sd_len or len(class_name) < class_len:
        raise SystemExit('key at %#x cannot be read' % node)
    return class_name, sk[20:20 + sd_len]


def walk(h, raw, node, path, out):
    values = sorted((h.value_key(v), h.value_value(v)) for v in h.node_values(node))
    out[path] = dict(zip(('class', 'security', 'values'), (*beside(raw, node), values)))
    for child in h.node_children(node):
        walk(h, raw, child, path + "\\" + h.node_name(child), out)


def load(path):
    tree = {}
    h = hivex.Hivex(path)
    with open(path, 'rb') as f:
        walk(h, f.read(), h.root(), "", tree)
    return tree


one, two = load(sys.argv[1]), load(sys.argv[2])
different = sorted(k for k in set(one) | set(two) if one.get(k) != two.get(k))
for key in different:
    a, b = one.get(key, {}), two.get(key, {})
    print("different: %s (%s)" % (key, ', '.join(f for f in (a or b) if a.get(f) != b.get(f)) if a and b else 'one only'))
print("%d keys compared" % len(one))
sys.exit(1 if different else 0)
