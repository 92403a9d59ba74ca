#!/usr/bin/python3
"""Is what `apply --dry-run --json` printed a whole plan, with nothing secret in it?

usage: plan_judge.py PLAN.json METHOD BLOB

Every item says where, before and after. The blob (base64 and its parts) and the machine password, found in
it by the independent decoder's rule that it is a run of 120 printable UTF-16 units, must not be in the text.
"""
import base64
import json
import re
import sys

EXPECT = {  # what must be among the places of a plan with all columns
    "registry": [("SYSTEM", r"LSA\OfflineJoin", "CurrentValue"), ("SYSTEM", "TimeZoneInformation", "Bias"),
                 ("DEFAULT", r"Keyboard Layout\Preload", "1"), ("NTUSER.DAT", r"Keyboard Layout\Preload", "1"),
                 ("SYSTEM", "TimeZoneInformation", "RealTimeIsUniversal")],
    "unattend": [(None, "/Windows/Panther/unattend.xml", None),
                 ("SYSTEM", "TimeZoneInformation", "RealTimeIsUniversal")],
    "firstboot": [(None, "/Windows/Setup/odjstick/blob.txt", None), (None, "/Windows/Setup/odjstick/join.cmd", None),
                  ("SYSTEM", r"Services\odjstick-join", "ImagePath"), ("SYSTEM", "TimeZoneInformation", "Bias"),
                  ("DEFAULT", r"Keyboard Layout\Preload", "1"), ("NTUSER.DAT", r"Keyboard Layout\Preload", "1")],
}

text = open(sys.argv[1], encoding="utf-8").read()
plan = json.loads(text)["plan"]
assert plan["method"] == sys.argv[2], plan["method"]
assert re.fullmatch("[0-9a-f]{64}", plan["hash"])
for item in plan["items"]:
    assert item["kind"] in ("key", "value", "file") and item["place"], item
    assert (item["before"] is not None) == item["existed"], item
    assert item["after"], item
    if item["kind"] == "value":
        assert item["type"].startswith("REG_") and item["name"] and item["hive"], item
for hive, place, name in EXPECT[sys.argv[2]]:
    found = [i for i in plan["items"] if i.get("hive") == hive and i["place"].endswith(place) and i.get("name") == name]
    assert len(found) == 1, (hive, place, name, len(found))

raw = open(sys.argv[3], "rb").read()
b64 = raw.decode("utf-16" if raw[:2] == b"\xff\xfe" else "ascii").strip("\0\r\n \ufeff")
blob = base64.b64decode(b64)
secrets = [b64[i:i + 40] for i in range(0, len(b64) - 40, 40)]
secrets += [m.group().decode("utf-16-le") for m in re.finditer(rb"(?:[\x20-\x7e]\x00){60,}", blob)]
for secret in secrets:
    assert secret not in text, "a secret is in the plan"
print("%d items, %d secrets looked for" % (len(plan["items"]), len(secrets)))
