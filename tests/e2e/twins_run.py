#!/usr/bin/python3
"""Start a stick while another one, made from the same image, is in the same PC.

    twins_run.py STICK.img TWIN.img FIRMWARE PASSPHRASE

The twin is on a controller whose driver is loaded first, so that the kernel sees it first. The wizard is
unlocked, which writes to the journal, and left through its menu, which powers off.
"""

import sys

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from stick import Stick  # noqa: E402
import qemu  # noqa: E402

BOOT = 240  # seconds; ten on an idle machine


def main():
    """Unlock, wait for this PC's screen, power off."""
    stick, twin, firmware, passphrase = sys.argv[1:]
    extra = ["-device", "qemu-xhci,id=first", *qemu.image_args("twin", twin)]
    extra += ["-device", "usb-storage,drive=twin,bus=first.0,removable=on"]
    with Stick(stick, firmware=firmware, usb="ehci", extra=extra, serial_number="5CG1234X01") as pc:
        pc.wait_for_text("Passphrase", BOOT)
        pc.send_text(passphrase + "\n")
        pc.wait_for_text("Use ALM-FIL-001", BOOT)
        pc.send_keys("Enter")
        pc.wait_for_text("3/8", BOOT)  # the drivers are there, and both sticks have been seen
        pc.settle()
        print(pc.screen())
        pc.send_keys("F10")
        pc.wait_for_text("Power off this PC", BOOT)
        pc.send_keys("Down", "Enter")
        pc.wait_poweroff(BOOT)


if __name__ == "__main__":
    main()
