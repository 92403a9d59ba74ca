#!/usr/bin/python3
"""shares_bytes.py FILE FOLDER: fails when FILE holds 24 bytes in a row of any file in FOLDER.

Runs of few different bytes (padding, zeros) do not count; 24, because both may name the same minute.
"""

import os
import sys

RUN, DIFFERENT = 24, 5


def main():
    """The command line."""
    with open(sys.argv[1], "rb") as file:
        report = file.read()
    runs = {report[i : i + RUN] for i in range(len(report) - RUN + 1)}
    runs = {run for run in runs if len(set(run)) >= DIFFERENT}
    for folder, _, names in os.walk(sys.argv[2]):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            for i in range(len(data) - RUN + 1):
                if data[i : i + RUN] in runs:
                    sys.exit(f"{name}, offset {i}: {data[i:i + RUN]!r} is in {sys.argv[1]}")


main()
