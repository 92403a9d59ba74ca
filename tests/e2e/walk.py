#!/usr/bin/python3
"""Switch a PC on with the stick in it and do what an engineer does, until it switches itself off.

usage: walk.py STICK.img DISK.img SERIAL NAME PASSPHRASE [--bus nvme] [--firmware uefi]
               [--usb xhci] [--ram 1024] [--log FILE]

What is typed are keys at the console, what is believed is what stands on the screen. Prints each
step with the seconds since power-on, and the wizard's screens when asked with --screens.
"""
import argparse
import sys

import stick as e2e

# On a loaded machine without KVM everything takes its time; a hang still ends.
PATIENCE = 480

STEPS = [
    # what must be on the screen, what it means, what is pressed then
    ("Passphrase", "the wizard asks for the passphrase", None),
    ("Use {name}", "the serial number names {name}", ["Enter"]),
    ("Which Windows", "Windows was found", ["Enter"]),
    ("checks are fine", "every check is ok", ["Enter"]),
    ("changes, nothing else", "the plan is shown", ["Enter"]),
    ("Read this before", "the confirmation is asked for", None),
    ("P powers off", "the result is shown", ["p"]),
]


def walk(pc, name, passphrase, show_screens=False):
    """From power-on to the result; returns the result screen."""
    screen = ""
    for text, meaning, keys in STEPS:
        text, meaning = text.format(name=name), meaning.format(name=name)
        pc.wait_for_text(text, timeout=PATIENCE)
        pc.settle()
        screen = pc.screen()
        print(f"  {pc.seconds():6.1f} s  {meaning}", flush=True)
        if show_screens:
            print("\n".join("    | " + line for line in screen.splitlines()), flush=True)
        if text == "Passphrase":
            pc.send_text(passphrase + "\n")
        elif text.startswith("Read this"):
            pc.send_text(name[-4:] + "\n")
        else:
            pc.send_keys(*keys)
    pc.wait_poweroff(timeout=PATIENCE)
    print(f"  {pc.seconds():6.1f} s  the PC switched itself off", flush=True)
    return screen


def main():
    """The command line."""
    parser = argparse.ArgumentParser()
    for name in ("stick", "disk", "serial", "name", "passphrase"):
        parser.add_argument(name)
    parser.add_argument("--bus", default="nvme")
    parser.add_argument("--firmware", default="uefi")
    parser.add_argument("--usb", default="xhci")
    parser.add_argument("--ram", type=int, default=1024)
    parser.add_argument("--log")
    parser.add_argument("--screens", action="store_true")
    args = parser.parse_args()
    machine = {"disk": args.disk, "serial_number": args.serial, "bus": args.bus}
    machine.update(firmware=args.firmware, usb=args.usb, ram=args.ram)
    try:
        with e2e.Stick(args.stick, log=args.log, **machine) as pc:
            if args.bus == "ide" and args.firmware != "bios":
                pc.wait_for_text("BdsDxe: starting", PATIENCE)
                pc.switch_ide_on()
            walk(pc, args.name, args.passphrase, args.screens)
    except e2e.StickError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
