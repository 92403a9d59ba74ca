#!/usr/bin/python3
"""Boot the probe image and leave what was seen in OUT for boot.bats to judge.

    probe_run.py SCENARIO OUT

OUT gets stick.img (afterwards), data/ (its data partition's files), console.log and result.txt with
one `name=value` per line.
"""

import argparse
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from stick import REPO, Stick  # pylint: disable=wrong-import-position

BUILD = os.environ.get("BUILD", os.path.join(REPO, "build"))
PROBE = os.path.join(BUILD, "tests/probe.img")
BOOT = 240  # seconds; ten on an idle machine


class Out:
    """The folder for the results."""

    def __init__(self, folder):
        self.folder = folder
        self.stick = os.path.join(folder, "stick.img")
        self.log = os.path.join(folder, "console.log")
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["cp", "--sparse=always", PROBE, self.stick], check=True)

    def note(self, name, value):
        """One line of result.txt."""
        with open(os.path.join(self.folder, "result.txt"), "a", encoding="utf-8") as result:
            print(f"{name}={value}", file=result)

    def unpack(self):
        """The data partition as the host reads it."""
        data = os.path.join(self.folder, "data")
        shutil.rmtree(data, ignore_errors=True)
        subprocess.run([os.path.join(REPO, "image/get-stick"), self.stick, data], check=True)


def other_stick(path, same_id):
    """Another stick, or a foreign disk with the same label, made from the probe image."""
    subprocess.run(["cp", "--sparse=always", PROBE, path], check=True)
    with open(path, "r+b") as image:
        if not same_id:
            for offset in (440, (1 << 20) + 67):
                image.seek(offset)
                image.write(b"\x11\x22\x33\x44")
    return path


def look_around(out, firmware):
    """Try every key that might break out, then collect the facts and power off."""
    foreign = other_stick(os.path.join(out.folder, "foreign.img"), same_id=False)
    with Stick(
        out.stick, log=out.log, disk=foreign, bus="ahci", firmware=firmware,
        serial_number="SN-0815", asset_tag="INV-4711",
    ) as pc:  # fmt: skip
        pc.wait_for_text("probe ready", BOOT)
        out.note("seconds_to_wizard", f"{pc.seconds():.1f}")
        with pc.monitor() as mon:
            mon.key("ctrl", "alt", "delete")
            for letter in "bico":  # reboot, kill all, crash, off
                mon.key("alt", "sysrq", letter)
            for number in range(2, 13):
                mon.key("alt", f"f{number}")
            for letter in "bio":
                mon.command("chardev-send-break", id="serial0")
                pc.send_keys(letter)
        pc.settle()
        pc.send_keys("Ctrl-C", "Ctrl-\\", "Ctrl-Z", "Enter")
        pc.settle()
        out.note("still_there", "unknown:" in pc.screen() and pc.screen().count("probe ready") == 1)
        pc.send_text("\nfacts\n")
        pc.wait_for_text("facts written", 60)
        pc.send_text("exit 0\n")
        pc.wait_poweroff(60)
        out.note("powered_off", True)


def endings(out):
    """Reboot when the program says so; start a crashed program again, but not for ever."""
    with Stick(out.stick, log=out.log) as pc:
        pc.wait_for_text("probe ready", BOOT)
        pc.send_text("exit 10\n")
        pc.wait_for(lambda screen: "probe ready" not in screen, "the reboot", 60)
        pc.wait_for_text("probe ready", BOOT)
        out.note("rebooted", True)
        for number in range(1, 4):
            pc.send_text("crash\n")
            pc.wait_for_text("started again", 30)
            pc.wait_for_text("probe ready", 30)
            out.note(f"restart_{number}", True)
        pc.send_text("crash\n")
        pc.wait_for_text("again and again", 30)
        pc.send_keys("Enter")
        pc.wait_poweroff(60)
        out.note("powered_off", True)


def two_sticks(out):
    """A copy of our own stick in the same PC: refuse to guess, go on when one is pulled."""
    twin = other_stick(os.path.join(out.folder, "twin.img"), same_id=True)
    with Stick(out.stick, log=out.log, disk=twin, bus="usb") as pc:
        pc.wait_for_text("Two sticks with the same identity", BOOT)
        out.note("refused", True)
        with pc.monitor() as mon:
            mon.command("device_del", id="pcdisk")
        pc.wait_for_text("probe ready", 60)
        out.note("went_on", True)
        pc.send_text("exit 0\n")
        pc.wait_poweroff(60)


def main():
    """Run one scenario."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("scenario", choices=["uefi", "sb", "endings", "two-sticks"])
    ask.add_argument("out")
    opt = ask.parse_args()
    out = Out(opt.out)
    if opt.scenario == "endings":
        endings(out)
    elif opt.scenario == "two-sticks":
        two_sticks(out)
    else:
        look_around(out, opt.scenario)
    out.unpack()


if __name__ == "__main__":
    main()
