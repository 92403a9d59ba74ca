#!/usr/bin/python3
"""random_answers.py SEED COUNT DIR: answer files nobody would write, well-formed all the same.

DIR/CASE.ARCH.old, for splice --all and unattend_judge.py --all. Elements on the way to a join are there,
missing, repeated, empty or in the wrong place; between them lie comments, processing instructions, foreign
elements and blanks; prefixes, quotes, encodings and line ends change from one to the next.
"""
import random
import sys

URI = "urn:schemas-microsoft-com:unattend"
BETWEEN = ["", "", "", "\n", "\n  ", "\n\t\t", " ", "\r\n    ", "<!-- <AccountData>x</AccountData> -->",
           "<?pi <ComputerName>?>", "\n  <!-- c\n -->", "<x:ComputerName xmlns:x='urn:o'>q</x:ComputerName>"]
TEXTS = ["", "ABC", "<![CDATA[X]]>", "a<!-- b -->c", "&amp;", "\n   Q==\n  ", "<?p i?>"]


class Writer:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def quoted(self, text):
        mark = self.r.choice("\"'")
        return mark + text + mark

    def element(self, tag, attributes, content, prefixes):
        r, declare = self.r, ""
        prefix = r.choice(prefixes)
        if r.random() < .1:
            prefix = "n%d" % r.randrange(9)
            prefixes = prefixes + [prefix]
            declare = " xmlns:%s=%s" % (prefix, self.quoted(URI))
        name = prefix + ":" * bool(prefix) + tag
        start = "<" + name + "".join(
            r.choice([" ", " ", "\n   ", "\t"]) + key + r.choice(["=", "=", " = "]) + self.quoted(value)
            for key, value in r.sample(attributes, len(attributes))) + declare + r.choice(["", "", " ", "\n"])
        inside = content(prefixes)
        if not inside and r.random() < .5:
            return start + "/>"
        return "%s>%s</%s%s>" % (start, inside, name, r.choice(["", "", " ", "\n"]))

    def children(self, kinds, counts, empty=.15):
        """A content function: some of these kinds, something in between."""
        def content(prefixes):
            if self.r.random() < empty:
                return ""
            chosen = [self.r.choice(kinds) for _ in range(self.r.choice(counts))]
            return "".join(self.r.choice(BETWEEN) + kind(prefixes) for kind in chosen) + self.r.choice(BETWEEN)
        return content

    def leaf(self, tag):
        return lambda prefixes: self.element(tag, [], lambda _: self.r.choice(TEXTS), prefixes)

    def provisioning(self, prefixes):
        return self.element("Provisioning", [], self.children([self.leaf("AccountData")], [0, 1, 1, 2]), prefixes)

    def identification(self, prefixes):
        kinds = [self.provisioning, self.provisioning, self.leaf("JoinWorkgroup"), self.leaf("JoinDomain")]
        return self.element("Identification", [], self.children(kinds, [0, 1, 1, 2, 3]), prefixes)

    def component(self, prefixes):
        kind = self.r.choice(["UnattendedJoin"] * 4 + ["Shell-Setup"] * 3 + ["Deployment"])
        kinds = [self.identification] if kind == "UnattendedJoin" else [self.leaf("ComputerName"), self.leaf("TimeZone")]
        attributes = [("name", "Microsoft-Windows-" + kind), ("language", "neutral"), ("versionScope", "nonSxS"),
                      ("processorArchitecture", self.r.choice(["amd64", "amd64", "x86", "arm64"])),
                      ("publicKeyToken", "31bf3856ad364e35")]
        return self.element("component", attributes, self.children(kinds, [0, 1, 1, 2]), prefixes)

    def settings(self, prefixes):
        name = self.r.choice(["specialize", "specialize", "oobeSystem", "windowsPE"])
        return self.element("settings", [("pass", name)], self.children([self.component], [0, 1, 2, 3]), prefixes)

    def document(self):
        prefixes = self.r.choice([[""], ["", "u"]])
        declare = [("xmlns" + ":" * bool(p) + p, URI) for p in prefixes]
        start = self.r.choice(["", '<?xml version="1.0"?>', "<?xml version='1.0'?>\n", "<!-- a -->"])
        root = self.element("unattend", declare, self.children([self.settings], [0, 1, 1, 2, 3]), [""])
        return start + root + self.r.choice(["", "\n", "\n\n", "<!-- z -->"])

    def file(self):
        text = self.document()
        return self.r.choice([
            text.encode(), text.encode(), text.replace("\r", "").replace("\n", "\r\n").encode(),
            b"\xff\xfe" + text.encode("utf-16-le"), b"\xfe\xff" + text.encode("utf-16-be")])


def main():
    writer = Writer(int(sys.argv[1]))
    for i in range(int(sys.argv[2])):
        arch = writer.r.choice(["amd64", "amd64", "amd64", "x86", "arm64"])
        with open("%s/random-%05d.%s.old" % (sys.argv[3], i, arch), "wb") as f:
            f.write(writer.file())


main()
