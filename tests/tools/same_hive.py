#!/usr/bin/python3
"""Say whether two hives hold the same, as hivex reads them: keys, class names, values, types, bytes.

usage: same_hive.py ONE TWO

Timestamps are not compared: writing changes them.
"""
import sys

import hivex


def walk(h, node, path, out):
    values = sorted((h.value_key(v), h.value_value(v)) for v in h.node_values(node))
    try:
        class_name = h.node_classname(node)
    except (RuntimeError, AttributeError):
        class_name = None
    out[path] = (class_name, values)
    for child in h.node_children(node):
        walk(h, child, path + "\\" + h.node_name(child), out)


def load(path):
    tree = {}
    h = hivex.Hivex(path)
    walk(h, h.root(), "", tree)
    return tree


one, two = load(sys.argv[1]), load(sys.argv[2])
different = sorted(k for k in set(one) | set(two) if one.get(k) != two.get(k))
for key in different:
    print("different: %s" % key)
print("%d keys compared" % len(one))
sys.exit(1 if different else 0)
