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
import tempfile
import time

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from stick import REPO, Stick, StickError  # noqa: E402
import qemu  # noqa: E402
import qmp  # noqa: E402

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


def disk_with_a_stick_inside(folder):
    """A disk whose only partition holds a whole copy of our stick, identity and all."""
    inner, outer = os.path.join(folder, "inner.img"), os.path.join(folder, "outer.img")
    other_stick(inner, same_id=True)
    size = os.path.getsize(inner)
    with open(outer, "wb") as image:
        image.truncate((1 << 20) + size)
    subprocess.run(
        ["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", outer],
        input=f"label: dos\nstart=2048, size={size // 512}, type=c\n", text=True, check=True,
        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )  # fmt: skip
    subprocess.run(
        ["dd", f"if={inner}", f"of={outer}", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"],
        check=True,
    )
    os.unlink(inner)
    return outer


def press_everything(mon):
    """Every key at the PC's own keyboard that might break out."""
    mon.key("ctrl", "alt", "delete")
    for letter in "bico":  # reboot, kill all, crash, off
        mon.key("alt", "sysrq", letter)
    for number in range(2, 13):
        mon.key("alt", f"f{number}")
        mon.key("ctrl", "alt", f"f{number}")
    mon.key("alt", "right")


def look_around(out, firmware):
    """Try every key that might break out, then collect the facts and power off."""
    foreign = other_stick(os.path.join(out.folder, "foreign.img"), same_id=False)
    outer = disk_with_a_stick_inside(out.folder)
    before = subprocess.run(["sha256sum", outer], capture_output=True, check=True).stdout
    with Stick(
        out.stick, log=out.log, disk=foreign, bus="ahci", firmware=firmware,
        serial_number="SN-0815", asset_tag="INV-4711",
        extra=[*qemu.image_args("outer", outer), "-device", "nvme,drive=outer,serial=outer"],
    ) as pc:  # fmt: skip
        pc.wait_for_text("probe ready", BOOT)
        out.note("seconds_to_wizard", f"{pc.seconds():.1f}")
        with pc.monitor() as mon:
            press_everything(mon)
            for letter in "bio":
                mon.command("chardev-send-break", id="serial0")
                pc.send_keys(letter)
        pc.settle()
        pc.send_keys("Ctrl-C", "Ctrl-\\", "Ctrl-Z", "Enter")
        pc.settle()
        out.note("still_there", "unknown:" in pc.screen() and pc.screen().count("probe ready") == 1)
        pc.send_text("\nfacts\n")
        pc.wait_for_text("facts written", BOOT)
        pc.send_text("exit 0\n")
        pc.wait_poweroff(BOOT)
        out.note("powered_off", True)
    after = subprocess.run(["sha256sum", outer], capture_output=True, check=True).stdout
    out.note("disk_with_a_stick_inside_unchanged", before == after)
    os.unlink(outer)


def hold_until(monitor, key, condition):
    """As a person does who wants the loader's menu: a held key repeats, and firmware that starts forgets it."""

    def press(down):
        event = {"down": down, "key": {"type": "qcode", "data": key}}
        monitor.command("input-send-event", events=[{"type": "key", "data": event}])

    end = time.monotonic() + BOOT
    while not condition():
        if time.monotonic() > end:
            raise StickError(f"{key} was held, and nothing happened")
        press(True)
        time.sleep(0.05)
    press(False)


class Screen:
    """A BIOS PC with nothing but its own screen and keyboard. The screen is VGA's text memory."""

    def __init__(self, stick, **machine):
        self.work = tempfile.TemporaryDirectory(prefix="odjstick-e2e.")
        self.monitor = qmp.Monitor(os.path.join(self.work.name, "qmp"))
        self.machine = qemu.Machine(
            stick=stick, vars_file="", firmware="bios", monitor=self.monitor.path, **machine
        )
        self.process = None

    def __enter__(self):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(self.machine.command(), stdin=subprocess.DEVNULL)
        self.monitor.__enter__()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.monitor.__exit__()
        self.work.cleanup()

    def text(self):
        """Everything in text memory; where the screen begins in it changes as it scrolls."""
        path = os.path.join(self.work.name, "text")
        self.monitor.command("pmemsave", val=0xB8000, size=0x8000, filename=path)
        with open(path, "rb") as memory:
            return memory.read()[::2].decode("latin-1")

    def wait_for(self, text, timeout):
        """Until the text is there."""
        end = time.monotonic() + timeout
        while text not in (seen := self.text()):
            if time.monotonic() > end:
                lines = [seen[i : i + 80].rstrip() for i in range(0, 2000, 80)]
                raise StickError(f"waited for {text!r}\n" + "\n".join(lines))
            time.sleep(0.3)

    def type(self, text):
        """Keys by what is printed on a US keyboard."""
        for char in text:
            self.monitor.key({" ": "spc", "\n": "ret"}.get(char, char))
            time.sleep(0.1)

    def wait_off(self, timeout=BOOT):
        """Until QEMU has ended by itself."""
        if self.process.wait(timeout) != 0:
            raise StickError("QEMU failed")


def on_the_screen(out):
    """At the PC's own screen and keyboard: nothing to break out to; the German layout, when asked."""
    folder = os.path.join(out.folder, "in")
    os.makedirs(folder)
    with open(os.path.join(folder, "keyboard.txt"), "w", encoding="ascii") as file:
        file.write("de\r\n")
    subprocess.run([os.path.join(REPO, "image/put-stick"), out.stick, folder], check=True)
    with Screen(out.stick, ram=128) as pc:
        pc.wait_for("probe ready", BOOT)
        press_everything(pc.monitor)
        pc.type("\nyes\n")
        pc.wait_for("unknown: zes", BOOT)
        pc.type("facts\n")
        pc.wait_for("facts written", BOOT)
        pc.type("exit 0\n")
        pc.wait_off()
        out.note("powered_off", True)


def product_stick(out):
    """The product's image instead of the probe's, with OUT/folder on it."""
    subprocess.run(
        ["cp", "--sparse=always", os.path.join(BUILD, "odjstick.img"), out.stick], check=True
    )
    subprocess.run(
        [os.path.join(REPO, "image/put-stick"), out.stick, os.path.join(out.folder, "folder")],
        check=True,
    )


def support(out):
    """The product's support entry, chosen at SYSLINUX's prompt."""
    product_stick(out)
    with Screen(out.stick, ram=128, serial_number="SN-0815", asset_tag="INV-4711") as pc:
        hold_until(pc.monitor, "alt", lambda: "boot:" in pc.text())
        pc.type("support\n")
        pc.wait_for("A diagnosis of this PC is on the stick", BOOT)
        pc.type("\n")
        pc.wait_off()
        out.note("powered_off", True)


def support_menu(out):
    """The same under UEFI, chosen in systemd-boot's menu: it opens when a key is held as the stick starts."""
    product_stick(out)
    with Stick(out.stick, log=out.log, firmware="uefi") as pc, pc.monitor() as mon:
        wanted = "Support: write a diagnosis"
        hold_until(mon, "spc", lambda: pc.listen(0.1) and wanted in pc.screen())
        for _ in range(2):
            mon.key("down")
            pc.settle()
        mon.key("ret")
        pc.wait_for_text("A diagnosis of this PC is on the stick", BOOT)
        pc.settle()
        pc.send_keys("Enter")
        pc.wait_poweroff(BOOT)
        out.note("powered_off", True)


def support_sb(out):
    """The same under Secure Boot, asked for by an SMBIOS string."""
    product_stick(out)
    with Stick(out.stick, log=out.log, firmware="sb", kernel_args="odjstick.support") as pc:
        pc.wait_for_text("A diagnosis of this PC is on the stick", BOOT)
        pc.settle()
        pc.send_keys("Enter")
        pc.wait_poweroff(BOOT)
        out.note("powered_off", True)


def endings(out):
    """Reboot when the program says so; start a crashed program again, but not for ever."""
    with Stick(out.stick, log=out.log) as pc:
        pc.wait_for_text("probe ready", BOOT)
        pc.send_text("exit 10\n")
        pc.wait_for(lambda screen: "probe ready" not in screen, "the reboot", BOOT)
        pc.wait_for_text("probe ready", BOOT)
        out.note("rebooted", True)
        for number in range(1, 4):
            pc.send_text("crash\n")
            pc.wait_for_text("started again", BOOT)
            pc.wait_for_text("probe ready", BOOT)
            out.note(f"restart_{number}", True)
        pc.send_text("crash\n")
        pc.wait_for_text("again and again", BOOT)
        pc.send_keys("Enter")
        pc.wait_poweroff(BOOT)
        out.note("powered_off", True)


def two_sticks(out):
    """A copy of our own stick in the same PC: refuse to guess. Both pulled: say so. Go on when there is
    one again."""
    twin = other_stick(os.path.join(out.folder, "twin.img"), same_id=True)

    with Stick(out.stick, log=out.log, disk=twin, bus="usb") as pc, pc.monitor() as mon:
        pc.wait_for_text("Two sticks with the same identity", BOOT)
        out.note("refused", True)
        mon.command("device_del", id="usbstick")
        mon.command("device_del", id="pcdisk")
        pc.wait_for_text("The stick this PC was started from does not answer", BOOT)
        out.note("missing", True)
        mon.command("device_add", driver="usb-storage", id="again", drive="stick", bus="xhci.0")
        pc.wait_for_text("probe ready", BOOT)
        out.note("went_on", True)
        pc.send_text("exit 0\n")
        pc.wait_poweroff(BOOT)


SCENARIOS = {
    "uefi": lambda out: look_around(out, "uefi"),
    "sb": lambda out: look_around(out, "sb"),
    "screen": on_the_screen,
    "support": support,
    "support-menu": support_menu,
    "support-sb": support_sb,
    "endings": endings,
    "two-sticks": two_sticks,
}


def main():
    """Run one scenario."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("scenario", choices=SCENARIOS)
    ask.add_argument("out")
    opt = ask.parse_args()
    out = Out(opt.out)
    SCENARIOS[opt.scenario](out)
    out.unpack()


if __name__ == "__main__":
    main()
