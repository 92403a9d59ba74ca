#!/usr/bin/python3
"""Judge a joined SYSTEM hive with hivex, never with our own code.

usage: join_judge.py BEFORE REGISTRY.json AFTER [REGISTRY.json AFTER]...

REGISTRY.json lists what an offline join leaves. Passes when every listed value is in AFTER, bit for
bit, ActiveComputerName was not created, and nothing else differs from BEFORE: no key, no value, no
class name appeared, vanished or changed. Timestamps are not compared: writing changes them.
"""
import json
import sys

import hivex

TYPES = {"REG_SZ": 1, "REG_BINARY": 3, "REG_DWORD": 4}


def walk(h, node, path, out):
    values = {}
    for v in h.node_values(node):
        kind, data = h.value_value(v)
        values[h.value_key(v).upper()] = (kind, data)
    out[path.upper()] = values
    for child in h.node_children(node):
        name = h.node_name(child)
        walk(h, child, path + "\\" + name if path else name, out)


def load(path):
    h = hivex.Hivex(path)
    tree = {}
    walk(h, h.root(), "", tree)
    select = tree["SELECT"]["CURRENT"][1]
    return tree, "CONTROLSET%03d" % int.from_bytes(select, "little")


def expected(path, ccs):
    keys, values = set(), {}
    for item in json.load(open(path))["values"]:
        key = item["key"].upper().replace("CCS", ccs, 1) if item["key"].startswith("CCS\\") \
            else item["key"].upper()
        if key.endswith("\\ACTIVECOMPUTERNAME"):
            continue
        keys.add(key)
        if item["type"] != "KEY":
            data = bytes.fromhex(item["data_hex"])
            values[key, item["name"].upper()] = (TYPES[item["type"]], data)
    return keys, values


def parents(keys):
    out = set()
    for key in keys:
        parts = key.split("\\")
        out.update("\\".join(parts[:i]) for i in range(1, len(parts) + 1))
    return out


def judge(before, registry, after_path):
    after, ccs = load(after_path)
    keys, values = expected(registry, ccs)
    bad = []

    for (key, name), want in sorted(values.items()):
        got = after.get(key, {}).get(name)
        if got != want:
            bad.append("%s\\%s: wanted type %d %s, found %s" % (
                key, name, want[0], want[1].hex()[:80], got and (got[0], got[1].hex()[:80])))
    for key in sorted(keys - set(after)):
        bad.append("%s: key is missing" % key)
    for key in sorted(set(after) - set(before) - parents(keys)):
        bad.append("%s: key appeared" % key)
    for key in sorted(set(before) - set(after)):
        bad.append("%s: key vanished" % key)
    for key in sorted(set(after) & (set(before) | parents(keys))):
        old, new = before.get(key, {}), after[key]
        for name in sorted(set(old) | set(new)):
            if (key, name) not in values and old.get(name) != new.get(name):
                bad.append("%s\\%s: changed without being asked" % (key, name))

    for line in bad:
        print(line)
    print("%d values as expected, %d keys compared" % (len(values), len(after))
          if not bad else "%s: %d differences" % (after_path, len(bad)))
    return bool(bad)


def main():
    before, _ = load(sys.argv[1])
    pairs = sys.argv[2:]
    results = [judge(before, pairs[i], pairs[i + 1]) for i in range(0, len(pairs), 2)]
    return 1 if any(results) or not results else 0


if __name__ == "__main__":
    sys.exit(main())
