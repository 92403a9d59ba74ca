#!/usr/bin/python3
"""Boot the product's image with a stick folder in it, look at the first two screens, leave.

    wizard_run.py STICKDIR PASSPHRASE SERIAL OUT

OUT gets stick.img (afterwards), unlock.txt and pc.txt (the screens), screen.png (the serial console
has the wizard, so the PC's screen says where it is), console.log and result.txt.
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
from stick import REPO, Stick  # pylint: disable=wrong-import-position

BUILD = os.environ.get("BUILD", os.path.join(REPO, "build"))
BOOT = 240  # seconds; ten on an idle machine


def main():
    """Unlock, look, power off from the menu."""
    folder, passphrase, serial, out = sys.argv[1:]
    image = os.path.join(out, "stick.img")
    subprocess.run(
        ["cp", "--sparse=always", os.path.join(BUILD, "odjstick.img"), image], check=True
    )
    subprocess.run([os.path.join(REPO, "image/put-stick"), image, folder], check=True)

    def keep(name, text):
        with open(os.path.join(out, name), "w", encoding="utf-8") as file:
            file.write(text + "\n")

    with Stick(image, log=os.path.join(out, "console.log"), serial_number=serial) as pc:
        pc.wait_for_text("Passphrase", BOOT)
        keep("result.txt", f"seconds_to_wizard={pc.seconds():.1f}")
        pc.settle()
        keep("unlock.txt", pc.screen())
        pc.screenshot(os.path.join(out, "screen.png"))
        pc.send_keys("Ctrl-C", "Esc")
        pc.wait_for_text("Ctrl-C does not end the wizard", 30)
        pc.send_text(passphrase + "\n")
        pc.wait_for_text("2/8", 120)
        pc.settle()
        keep("pc.txt", pc.screen())
        pc.send_keys("F10")
        pc.wait_for_text("Power off this PC", 30)
        pc.send_keys("Down", "Enter")
        pc.wait_poweroff(60)


if __name__ == "__main__":
    main()
