#!/usr/bin/python3
"""Judge SYSTEM hives that power cuts left, with the independent log replay and hivex.

usage: crash_judge.py TOOLS DIR COUNT [same]

TOOLS holds regfreplay.py. DIR holds old.SYSTEM, new.SYSTEM (each with .LOG1 and .LOG2), and for
every cut 0 .. COUNT-1 N.SYSTEM with its logs. Each is recovered as Windows would and read by hivex;
it must hold exactly what the recovered old or new one holds (timestamps aside), and both must occur;
"same": the two are the same, because the hive is not what was changed.
"""
import os
import struct
import sys

import hivex


def walk(h, node, path, out):
    values = [(h.value_key(v).upper(), h.value_value(v)) for v in h.node_values(node)]
    out[path.upper()] = sorted(values)
    for child in h.node_children(node):
        walk(h, child, path + "\\" + h.node_name(child), out)


def recovered(replay, name):
    """The content of the recovered hive, or None when it stays dirty."""
    out = name + ".out"
    replay(name, name + ".LOG1", name + ".LOG2", out, quiet=True)
    seq1, seq2 = struct.unpack_from("<II", open(out, "rb").read(), 4)
    if seq1 != seq2:
        return None
    h = hivex.Hivex(out)
    tree = {}
    walk(h, h.root(), "", tree)
    os.unlink(out)
    return tree


def main():
    tools, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    sys.path.insert(0, tools)
    import regfreplay

    def load(name):
        return recovered(regfreplay.main, os.path.join(folder, name + ".SYSTEM"))

    old, new = load("old"), load("new")
    same = "same" in sys.argv[4:]
    assert old and new and (old == new) == same
    seen = {"old": 0, "new": 0, "neither": 0}
    for i in range(count):
        try:
            now = load(str(i))
        except (RuntimeError, OSError, struct.error, IndexError) as e:
            print("state %d: %s" % (i, e))
            now = None
        what = "old" if now == old else "new" if now == new else "neither"
        if what == "neither":
            print("state %d is neither the old nor the new hive" % i)
        seen[what] += 1
    print("# independent replay: %(old)d old, %(new)d new, %(neither)d neither" % seen)
    return 0 if seen["old"] and (same or seen["new"]) and not seen["neither"] else 1


if __name__ == "__main__":
    sys.exit(main())
