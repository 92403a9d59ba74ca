#!/usr/bin/python3
"""unattend_judge.py OLD NEW ARCH NAME BLOB: is NEW what OLD should have become?

An XML reader of its own (xml.etree) must find the blob and the name exactly once where Windows looks
for them; everything else must be as it was: the same tree, and the same lines in the same order.
OLD "-" means there was none.
"""
import re
import sys
import xml.etree.ElementTree as ET

NS = "{urn:schemas-microsoft-com:unattend}"


def decode(data):
    for bom, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if data.startswith(bom):
            return bom, codec, data[len(bom):].decode(codec)
    return b"", "utf-8", data.decode("utf-8")


def parse(data):
    return ET.fromstring(data, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))


def leaves(root, component, path, arch):
    found = []
    for s in root.findall(NS + "settings"):
        if s.get("pass") != "specialize":
            continue
        for c in s.findall(NS + "component"):
            if c.get("name", "").lower() == component.lower() and c.get("processorArchitecture", "").lower() == arch:
                found += [(s, c, leaf) for leaf in c.findall("/".join(NS + p for p in path))]
    return found


def skeleton(e, arch, inside=False):
    """The tree without what a join may add, change or drop."""
    if not isinstance(e.tag, str):
        return ("comment", e.text)
    if e.tag == NS + "component":
        inside = e.get("processorArchitecture", "").lower() == arch
    kids = [k for k in (skeleton(c, arch, inside) for c in e) if k]
    local = e.tag.replace(NS, "")
    text = (e.text or "").strip()
    tails = [(c.tail or "").strip() for c in e if (c.tail or "").strip()]
    if inside and local in ("AccountData", "ComputerName", "JoinWorkgroup"):
        return None
    if not kids and not text and local in ("settings", "component", "Identification", "Provisioning"):
        return None
    return (e.tag, sorted(e.attrib.items()), text, tails, kids)


def specialize_only(root):
    """Skeletons are compared with wildcards only in the specialize pass."""
    out = []
    for s in root:
        if isinstance(s.tag, str) and s.get("pass") == "specialize" and s.tag == NS + "settings":
            out.append(skeleton(s, sys.argv[3]))
        else:
            out.append(skeleton(s, "none"))
    return [x for x in out if x]


def main():
    old_path, new_path, arch, name, blob_path = sys.argv[1:]
    new = open(new_path, "rb").read()
    root = parse(new)
    blob = decode(open(blob_path, "rb").read())[2].rstrip("\0")
    data = leaves(root, "Microsoft-Windows-UnattendedJoin", ("Identification", "Provisioning", "AccountData"), arch)
    names = leaves(root, "Microsoft-Windows-Shell-Setup", ("ComputerName",), arch)
    if len(data) != 1 or data[0][2].text != blob or len(data[0][2]):
        sys.exit(f"AccountData: found {len(data)}")
    if len(names) != 1 or names[0][2].text != name or len(names[0][2]):
        sys.exit(f"ComputerName: found {[n[2].text for n in names]}")
    component = data[0][1]
    for key, want in (("publicKeyToken", "31bf3856ad364e35"), ("versionScope", "nonSxS")):
        if component.get(key) != want:
            sys.exit(f"component {key} is {component.get(key)}")
    if component.findall(NS + "Identification/" + NS + "JoinWorkgroup"):
        sys.exit("a workgroup is still asked for")
    if old_path == "-":
        return
    old = open(old_path, "rb").read()
    if specialize_only(parse(old)) != specialize_only(root):
        sys.exit("something else changed in the tree")
    (old_bom, old_codec, old_text), (new_bom, new_codec, new_text) = decode(old), decode(new)
    if (old_bom, old_codec) != (new_bom, new_codec):
        sys.exit("the encoding changed")
    if "\r\n" in old_text and re.search(r"[^\r]\n", new_text):
        sys.exit("line ends are mixed")
    ours = re.compile(r"AccountData|ComputerName|JoinWorkgroup|KEEP|/>\s*$|Identification/>")
    lines = iter(new_text.splitlines(keepends=True))
    for line in old_text.splitlines(keepends=True):
        if ours.search(line):
            continue
        if line not in lines:
            sys.exit(f"line changed: {line!r}")


main()
