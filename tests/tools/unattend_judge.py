#!/usr/bin/python3
"""Is NEW what the answer file OLD should have become?

usage: unattend_judge.py OLD NEW ARCH NAME BLOB     OLD "-": there was none
       unattend_judge.py --all DIR NAME BLOB        every DIR/CASE.ARCH.old with its CASE.ARCH.new

Two XML readers (libxml2 by way of lxml, and xml.etree) must find the blob and the name exactly once
where Windows looks for them, and no workgroup beside the join. The bytes are judged by a third reader,
the small tokenizer below: it marks the few places of OLD that a join may touch, and NEW must be
OLD with nothing different anywhere else.
"""
import glob
import re
import sys
import xml.etree.ElementTree as ET

import lxml.etree

URI = "urn:schemas-microsoft-com:unattend"
NS = "{%s}" % URI
JOIN, SHELL = "microsoft-windows-unattendedjoin", "microsoft-windows-shell-setup"
OURS = "settings|component|Identification|Provisioning|AccountData|ComputerName"


class Wrong(Exception):
    pass


def decode(data):
    for bom, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if data.startswith(bom):
            return bom, codec, data[len(bom):].decode(codec)
    for start, codec in ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if data.startswith(start):
            return b"", codec, data.decode(codec)
    return b"", "utf-8", data.decode("utf-8")


# --- what XML readers see ---

def elements(root, component, path, arch):
    found = []
    for s in root.findall(NS + "settings"):
        if s.get("pass", "").lower() != "specialize":
            continue
        for c in s.findall(NS + "component"):
            if c.get("name", "").lower() == component and c.get("processorArchitecture", "").lower() == arch:
                found += [(c, leaf) for leaf in c.findall("/".join(NS + p for p in path))]
    return found


def judge_tree(root, arch, name, blob):
    data = elements(root, JOIN, ("Identification", "Provisioning", "AccountData"), arch)
    names = elements(root, SHELL, ("ComputerName",), arch)
    if len(data) != 1 or data[0][1].text != blob or len(data[0][1]):
        raise Wrong(f"AccountData: found {len(data)}")
    if len(names) != 1 or names[0][1].text != name or len(names[0][1]):
        raise Wrong(f"ComputerName: found {[n[1].text for n in names]}")
    for key, want in (("publicKeyToken", "31bf3856ad364e35"), ("versionScope", "nonSxS")):
        if data[0][0].get(key) != want:
            raise Wrong(f"component {key} is {data[0][0].get(key)}")
    if elements(root, JOIN, ("Identification", "JoinWorkgroup"), arch):
        raise Wrong("a workgroup is still asked for")


# --- where a join may touch the bytes ---

TOKEN = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>|[^<]+", re.S)
ATTRIBUTE = re.compile(r"([^\s=<>/]+)\s*=\s*(\"[^\"]*\"|'[^']*')")


def plain(value):
    value = re.sub(r"&#(x?)([0-9a-fA-F]+);", lambda m: chr(int(m[2], 16 if m[1] else 10)), value[1:-1])
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        value = value.replace(entity, char)
    return value


class Element:
    def __init__(self, parent, token, start):
        self.parent, self.start, self.tag_end = parent, start, start + len(token)
        self.closed = token.endswith("/>")
        self.qname = re.match(r"<([^\s/>]+)", token)[1]
        attributes = {k: plain(v) for k, v in ATTRIBUTE.findall(token[1 + len(self.qname):])}
        self.scope = dict(parent.scope if parent else {})
        for key, value in attributes.items():
            if key == "xmlns" or key.startswith("xmlns:"):
                self.scope[key[6:]] = value
        prefix, _, local = self.qname.rpartition(":")
        self.local = local if self.scope.get(prefix) == URI else None
        self.attributes = attributes
        self.end = self.end_end = self.tag_end

    def chain(self):
        return (self.parent.chain() if self.parent else []) + [self]

    def is_path(self, arch):
        """The names from the root down, when all of it is on the way to a join of this architecture."""
        chain = self.chain()
        names = [e.local for e in chain]
        if names[0] != "unattend" or None in names:
            return None
        if len(chain) > 1 and (names[1] != "settings" or chain[1].attributes.get("pass", "").lower() != "specialize"):
            return None
        if len(chain) > 2:
            kind = chain[2].attributes.get("name", "").lower()
            if names[2] != "component" or chain[2].attributes.get("processorArchitecture", "").lower() != arch:
                return None
            return kind + "/" + "/".join(names[3:])
        return "/".join(names)


def parse(text):
    out, here, at = [], None, 0
    for m in TOKEN.finditer(text):
        token, at = m[0], m.end()
        if token[0] != "<" or token.startswith(("<!", "<?")):
            continue
        if token.startswith("</"):
            here.end, here.end_end = m.start(), m.end()
            here = here.parent
            continue
        out.append(Element(here, token, m.start()))
        here = here if out[-1].closed else out[-1]
    if at != len(text) or here is not None:
        raise Wrong("the tokenizer does not reach the end")
    return out


def new_stuff(blob, name):
    return r"(?:\s|</?(?:[\w.-]+:)?(?:%s)(?: [^<>/]*)?>|%s|%s)*" % (OURS, re.escape(blob), re.escape(name))


def sites(text, arch, name, blob):
    """(start, end, expression): what may stand there instead."""
    leaves = {JOIN + "/Identification/Provisioning/AccountData": blob, SHELL + "/ComputerName": name}
    places = ("unattend", "unattend/settings", JOIN + "/", JOIN + "/Identification",
              JOIN + "/Identification/Provisioning", SHELL + "/")
    for e in parse(text):
        path = e.is_path(arch)
        close = "</" + re.escape(e.qname) + ">"
        if path == JOIN + "/Identification/JoinWorkgroup":
            yield e.start, e.end_end, ""
        elif path in leaves:
            tag = text[e.start:e.tag_end - 2 if e.closed else e.tag_end]
            kept = re.escape(tag) + (">" if e.closed else "") + re.escape(leaves[path]) + close
            # the end tag of an element that had one stays byte for byte
            kept = kept if e.closed else kept[:-len(close)] + re.escape(text[e.end:e.end_end])
            yield e.start, e.end_end, "(?:%s)?" % kept
        elif path in places and e.closed:
            yield e.tag_end - 2, e.tag_end, "(?:/>|>%s%s)" % (new_stuff(blob, name), close)
        elif path in places:
            before = text[e.tag_end:e.end]
            at = e.end - len(re.search(r"(?:\r?\n[ \t]*)?\Z", before)[0])
            yield at, at, new_stuff(blob, name)


def judge_bytes(old, new, arch, name, blob):
    (bom, codec, text), (new_bom, new_codec, new_text) = decode(old), decode(new)
    if (bom, codec) != (new_bom, new_codec):
        raise Wrong("the encoding changed")
    expression, at = [], 0
    for start, end, allowed in sorted(sites(text, arch, name, blob)):
        if start < at:
            raise Wrong("the judge's own places overlap")
        expression += [re.escape(text[at:start]), allowed]
        at = end
    expression.append(re.escape(text[at:]))
    if not re.fullmatch("".join(expression), new_text):
        raise Wrong("bytes changed that are not the join's")
    if "\n" in text and not re.search(r"(?<!\r)\n", text) and re.search(r"(?<!\r)\n", new_text):
        raise Wrong("line ends are mixed")


def judge(old, new, arch, name, blob):
    for root in (lxml.etree.fromstring(new), ET.fromstring(new)):
        judge_tree(root, arch, name, blob)
    if old is not None:
        judge_bytes(old, new, arch, name, blob)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def text_of_blob(path):
    return decode(read(path))[2].rstrip("\0")


def main():
    if sys.argv[1] != "--all":
        old, new, arch, name, blob = sys.argv[1:]
        return judge(None if old == "-" else read(old), read(new), arch, name, text_of_blob(blob))
    folder, name, blob = sys.argv[2:]
    cases, bad = sorted(glob.glob(folder + "/*.old")), 0
    for case in cases:
        try:
            judge(read(case), read(case[:-3] + "new"), case.split(".")[-2], name, text_of_blob(blob))
        except (Wrong, lxml.etree.XMLSyntaxError, ET.ParseError) as e:
            print(f"{case}: {e}")
            bad += 1
    print(len(cases), "cases,", bad, "bad")
    return bad > 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Wrong as e:
        sys.exit(str(e))
