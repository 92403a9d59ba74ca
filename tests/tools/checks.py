#!/usr/bin/python3
"""The checks of preflight: what the code can say, what the docs list, what the tests hold.

    checks.py REPO     prints what differs; exit status 1 when anything does

The code is read as text: pass/warn/stop with an id in quotes, job_check_add(), and the helpers
below, which get their id from a caller. What odj_check() finds (odj.*) has unit tests of its own.
"""

import pathlib
import re
import sys

VERDICTS = ("ok", "warn", "stop")
WORDS = {"pass": "ok", "warn": "warn", "stop": "stop", "JOB_OK": "ok", "JOB_WARN": "warn", "JOB_STOP": "stop"}


def body(text, name):
    """The lines of the function of that name."""
    match = re.search(r"^static [^;{]*\b%s\([^;{]*\)\n\{.*?^\}" % name, text, re.M | re.S)
    return match.group()


def in_code(repo):
    """Every (id, verdict) that the sources can give; the ids of odj_check()."""
    found, job = set(), repo / "injector/job"
    for path in job.glob("*.c"):
        text = path.read_text()
        for word, name in re.findall(r'\b(pass|warn|stop)\(\s*j,\s*"([a-z-]+)"', text):
            found.add((name, WORDS[word]))
        for name, word in re.findall(r'\bjob_check_add\(\s*j,\s*"([a-z-]+)",\s*(JOB_\w+)', text):
            found.add((name, WORDS[word]))
        for helper in ("check_hive", "say"):
            calls = re.findall(r'\b%s\(\s*j,\s*"([a-z-]+)"' % helper, text)
            if calls:
                said = re.findall(r"\b(pass|warn|stop)\(\s*j,\s*id\b|\bjob_check_add\(\s*j,\s*id,\s*(JOB_\w+)", body(text, helper))
                found |= {(name, WORDS[a or b]) for name in calls for a, b in said}
    odj = set(re.findall(r'"(odj\.[a-z-]+)"', (repo / "injector/odj/check.c").read_text()))
    return found, odj


def in_docs(repo):
    """Every (id, verdict) with words in its cell, from the table below "| id | ok | warn | stop |"."""
    found, rows = set(), iter((repo / "docs/windows.md").read_text().splitlines())
    for line in rows:
        if line == "| id | ok | warn | stop |":
            break
    for line in rows:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`([a-z-]+)`", cells[0]):
            found |= {(name, verdict) for verdict, text in zip(VERDICTS, cells[1:]) if text and not text.startswith("---")}
    return found


def in_tests(repo):
    """Every (id, verdict) that a line `says ID VERDICT` asks for."""
    text = (repo / "tests/cli/check_ids.bats").read_text()
    return set(re.findall(r"^\s*says ([a-z-]+) (ok|warn|stop)\b", text, re.M))


def main():
    """Compare."""
    repo = pathlib.Path(sys.argv[1])
    code, odj = in_code(repo)
    bad = []
    for what, other in (("docs/windows.md", in_docs(repo)), ("tests/cli/check_ids.bats", in_tests(repo))):
        bad += ["%s lacks: %s %s" % (what, *pair) for pair in sorted(code - other)]
        bad += ["%s has what the code never says: %s %s" % (what, *pair) for pair in sorted(other - code)]
    unit = (repo / "tests/unit/odj_check_test.c").read_text()
    bad += ["tests/unit/odj_check_test.c lacks: %s" % name for name in sorted(odj) if '"%s"' % name not in unit]
    print("\n".join(bad) or "%d verdicts of %d checks, %d findings of a blob" % (len(code), len({c for c, _ in code}), len(odj)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
