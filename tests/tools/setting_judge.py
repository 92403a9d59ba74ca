#!/usr/bin/python3
"""Does an answer file hold a time zone and a keyboard where Windows looks, and nothing else of ours?

usage: setting_judge.py FILE ARCH ZONE LOCALE
       setting_judge.py --all PLAIN WITH ARCH ZONE LOCALE    PLAIN/CASE.new against WITH/CASE.new

In specialize each must be there exactly once, in oobeSystem at most once and with the same value. With
--all, what is left when both settings are taken out of both trees must be the same (libxml2 by
way of lxml, canonical form, blanks between elements aside).
"""
import glob
import os
import sys

import lxml.etree

NS = "{urn:schemas-microsoft-com:unattend}"
WHERE = (("microsoft-windows-shell-setup", "TimeZone"), ("microsoft-windows-international-core", "InputLocale"))


class Wrong(Exception):
    pass


def leaves(root, component, tag, arch, passname):
    return [leaf
            for s in root.findall(NS + "settings") if s.get("pass", "").lower() == passname
            for c in s.findall(NS + "component")
            if c.get("name", "").lower() == component and c.get("processorArchitecture", "").lower() == arch
            for leaf in c.findall(NS + tag)]


def judge(root, arch, values):
    for (component, tag), value in zip(WHERE, values):
        first = leaves(root, component, tag, arch, "specialize")
        late = leaves(root, component, tag, arch, "oobesystem")
        if [x.text for x in first] != [value] or [x.text for x in late] not in ([], [value]):
            raise Wrong("%s: %s in specialize, %s in oobeSystem" % (
                tag, [x.text for x in first], [x.text for x in late]))


def rest(root, arch):
    for component, tag in WHERE:
        for passname in ("specialize", "oobesystem"):
            for leaf in leaves(root, component, tag, arch, passname):
                parent = leaf.getparent()
                parent.remove(leaf)
                if component.endswith("international-core") and len(parent) == 0:
                    parent.getparent().remove(parent)
    for x in root.iter():
        if x.text is not None and not x.text.strip():
            x.text = None
        if x.tail is not None and not x.tail.strip():
            x.tail = None
    return lxml.etree.tostring(root, method="c14n")


def load(path):
    return lxml.etree.parse(path, lxml.etree.XMLParser(resolve_entities=False, no_network=True)).getroot()


def main():
    if sys.argv[1] != "--all":
        judge(load(sys.argv[1]), sys.argv[2], sys.argv[3:])
        return 0
    plain, with_, arch, values = sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:]
    good = 0
    for path in sorted(glob.glob(plain + "/*.new")):
        other = os.path.join(with_, os.path.basename(path))
        try:
            judge(load(other), arch, values)
            if rest(load(path), arch) != rest(load(other), arch):
                raise Wrong("something else differs")
            good += 1
        except Wrong as e:
            print("%s: %s" % (os.path.basename(path), e))
            return 1
    print("%d answer files as they should be" % good)
    return 0


try:
    sys.exit(main())
except Wrong as e:
    print(e)
    sys.exit(1)
