#!/usr/bin/python3
"""refuse.py IMG OUT FIRMWARE PATTERN [--vars FILE] [--args WORDS] [--timeout S]: switch a PC on and stop it as
soon as its serial console shows PATTERN. What it showed goes to OUT. Exit status 1 when it never did.
"""
import argparse
import sys

from stick import Stick, StickError  # pylint: disable=wrong-import-position


def main():
    """One boot."""
    ask = argparse.ArgumentParser(description=__doc__)
    for name in ("image", "out", "firmware", "pattern"):
        ask.add_argument(name)
    ask.add_argument("--vars", default="")
    ask.add_argument("--args", default="")
    ask.add_argument("--timeout", type=float, default=240)
    opt = ask.parse_args()
    machine = {"firmware": opt.firmware, "kernel_args": opt.args, "ram": 512}
    if opt.vars:
        machine["vars_file"] = opt.vars
    with Stick(opt.image, log=opt.out + ".console", **machine) as pc:
        try:
            found = pc.wait_for_regex(opt.pattern, opt.timeout)
        except StickError as error:
            print(error)
            return 1
        pc.settle(0.3, 3)
        with open(opt.out, "w", encoding="utf-8") as out:
            out.write(pc.screen() + "\n")
        print(f"{found.group()!r} after {pc.seconds():.1f} s")
    return 0


sys.exit(main())
