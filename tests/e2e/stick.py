"""Drive the stick in QEMU as a person at its serial console would: look at the screen, press keys.

The screen is a real terminal emulator (pyte): what a test asserts is what a person would see, not
the bytes that were sent.

    with Stick("stick.img", disk="pc.img", serial_number="ABC123") as pc:
        pc.wait_for_text("passphrase", timeout=90)
        pc.send_text("correct horse\\n")
        pc.send_keys("F10")
        pc.wait_poweroff()

Image files are written to. Used by the boot tests and by `make demo`.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "image"))
sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import pyte  # noqa: E402
import qemu  # noqa: E402
import qmp  # noqa: E402

COLUMNS, ROWS = 80, 25
TERM = "xterm-256color"

# What a terminal of that name sends.
KEYS = {
    "Enter": "\r", "Tab": "\t", "Esc": "\x1b", "Backspace": "\x7f", "Space": " ",
    "Up": "\x1bOA", "Down": "\x1bOB", "Right": "\x1bOC", "Left": "\x1bOD",
    "Home": "\x1bOH", "End": "\x1bOF", "PageUp": "\x1b[5~", "PageDown": "\x1b[6~",
    "F1": "\x1bOP", "F2": "\x1bOQ", "F3": "\x1bOR", "F4": "\x1bOS", "F5": "\x1b[15~",
    "F6": "\x1b[17~", "F7": "\x1b[18~", "F8": "\x1b[19~", "F9": "\x1b[20~", "F10": "\x1b[21~",
    "F11": "\x1b[23~", "F12": "\x1b[24~", "Ctrl-C": "\x03", "Ctrl-D": "\x04", "Ctrl-Z": "\x1a",
    "Ctrl-\\": "\x1c",
}  # fmt: skip


# The second character set of a terminal (lines of boxes), which pyte ignores in UTF-8 mode.
BOXES = {
    b"j"[0]: "┘", b"k"[0]: "┐", b"l"[0]: "┌", b"m"[0]: "└", b"n"[0]: "┼", b"q"[0]: "─",
    b"t"[0]: "├", b"u"[0]: "┤", b"v"[0]: "┴", b"w"[0]: "┬", b"x"[0]: "│", b"a"[0]: "▒",
}  # fmt: skip
ESCAPE = re.compile(rb"\x1b(?:[()][0-9A-Za-z]|\[[0-?]*[ -/]*[@-~]|[^\[()])|\x0e|\x0f")


class Decoder:
    """Bytes of a serial console as pyte wants them: no firmware oddities, boxes as UTF-8."""

    def __init__(self):
        self.boxes = False
        self.rest = b""

    def text(self, data):
        """Plain characters."""
        if not self.boxes:
            return data
        return b"".join(BOXES.get(c, chr(c)).encode() if c < 128 else bytes([c]) for c in data)

    def feed(self, data):
        """Translate; an escape sequence that is not complete yet is kept for the next call."""
        data, out, at = self.rest + data, [], 0
        for match in ESCAPE.finditer(data):
            out.append(self.text(data[at : match.start()]))
            at, code = match.end(), match.group()
            if code in (b"\x1b(0", b"\x0e"):
                self.boxes = True
            elif code in (b"\x1b(B", b"\x0f"):
                self.boxes = False
            elif not re.fullmatch(rb"\x1b(\[=\d*[hl]|[()].)", code):
                out.append(code)
        tail = data.find(b"\x1b", at)
        end = len(data) if tail < 0 else tail
        out.append(self.text(data[at:end]))
        self.rest = data[end:]
        return b"".join(out)


class StickError(AssertionError):
    """The stick did not do what was waited for; the text shows its screen."""


class Stick:
    """One PC, switched on with our stick in it."""

    def __init__(self, stick, log=None, keep_waiting=lambda: None, **machine):
        """`machine`: the fields of qemu.Machine. `log`: a file that gets every byte of the console.
        `keep_waiting` is called while waiting, e.g. to show the screen to somebody."""
        self.work = tempfile.TemporaryDirectory(prefix="odjstick-e2e.")
        self.console = os.path.join(self.work.name, "console")
        self.control = os.path.join(self.work.name, "qmp")
        extra = machine.pop("kernel_args", "")
        size = f"odjstick.size={COLUMNS}x{ROWS}"
        machine.setdefault("vars_file", os.path.join(self.work.name, "vars.fd"))
        # A starved emulator delivers no timer ticks for a moment; the kernel would panic over it.
        words = f"console=ttyS0,115200 odjstick.term={TERM} {size} no_timer_check {extra}"
        machine["kernel_args"] = words.strip()
        self.machine = qemu.Machine(
            stick=stick,
            serial=f"unix:{self.console},server=on,wait=on",
            monitor=self.control,
            **machine,
        )
        self.terminal = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.terminal)
        self.decoder = Decoder()
        self.log = open(log, "wb") if log else None  # pylint: disable=consider-using-with
        self.keep_waiting = keep_waiting
        self.bytes_seen = 0
        self.started = self.process = self.line = None

    # --- power ------------------------------------------------------------------------------------

    def __enter__(self):
        self.power_on()
        return self

    def __exit__(self, *_):
        self.pull_the_plug()
        if self.log:
            self.log.close()
        self.work.cleanup()

    def power_on(self):
        """Start QEMU and take the console."""
        self.started = time.monotonic()
        with open(os.path.join(self.work.name, "qemu.err"), "wb") as errors:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(
                self.machine.command(), stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
            )
        self.line = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.line.connect(self.console)
                break
            except OSError:
                if self.process.poll() is not None or self.seconds() > 20:
                    raise StickError("QEMU did not start:\n" + self.qemu_errors()) from None
                time.sleep(0.05)

    def pull_the_plug(self):
        """No shutdown, as when the power fails."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        if self.line:
            self.line.close()

    def seconds(self):
        """Since power-on."""
        return time.monotonic() - self.started

    def qemu_errors(self):
        """What QEMU itself said."""
        with open(os.path.join(self.work.name, "qemu.err"), encoding="utf-8", errors="replace") as text:
            return text.read()

    def monitor(self):
        """`with pc.monitor() as mon: mon.key("ctrl", "alt", "delete")`"""
        return qmp.Monitor(self.control)

    def switch_ide_on(self):
        """What a firmware that knows its PIIX4 does: SeaBIOS switches its ports on, OVMF on this board does
        not, and then no system finds a disk there. To be called while OVMF runs."""
        with self.monitor() as mon:

            def hmp(line):
                mon.command("human-monitor-command", **{"command-line": line})

            mon.command("stop")
            hmp("o/w 0xcf8 0x80008040")  # slot 10, both timing registers: bit 15 is the switch
            hmp("o/w 0xcfc 0x80008000")
            mon.command("cont")

    # --- the screen -------------------------------------------------------------------------------

    def listen(self, seconds):
        """Feed the terminal for at most that long; False when QEMU has gone."""
        self.keep_waiting()
        self.line.settimeout(seconds)
        try:
            data = self.line.recv(65536)
        except socket.timeout:
            return True
        except OSError:
            return False
        if not data:
            return False
        self.bytes_seen += len(data)
        if self.log:
            self.log.write(data)
            self.log.flush()
        self.stream.feed(self.decoder.feed(data))
        return True

    def screen(self):
        """The screen as text, one line per row."""
        return "\n".join(line.rstrip() for line in self.terminal.display)

    def settle(self, quiet=0.5, timeout=20):
        """Until nothing new has been drawn for a moment."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            before = self.bytes_seen
            self.listen(quiet)
            if self.bytes_seen == before:
                return

    def wait_for(self, condition, what, timeout=60):
        """Until condition(screen text) holds; StickError with the screen otherwise."""
        end = time.monotonic() + timeout
        while True:
            found = condition(self.screen())
            if found:
                return found
            alive = self.listen(0.2)
            if not alive or time.monotonic() > end:
                why = f"not within {timeout} s" if alive else "the PC went off"
                raise StickError(
                    f"waited for {what}: {why}\n--- screen ---\n{self.screen()}\n---\n{self.qemu_errors()}"
                )

    def wait_for_text(self, text, timeout=60):
        """Until the text is on the screen."""
        return self.wait_for(lambda screen: text in screen, repr(text), timeout)

    def wait_for_regex(self, pattern, timeout=60):
        """Until the pattern matches; returns the match."""
        return self.wait_for(lambda screen: re.search(pattern, screen), f"/{pattern}/", timeout)

    def screenshot(self, path):
        """A PNG of the PC's screen (not of the serial console)."""
        with self.monitor() as mon:
            mon.command("screendump", filename=os.path.abspath(path), format="png")

    # --- the keyboard -----------------------------------------------------------------------------

    def send_text(self, text, pause=0.02):
        """Type; slowly enough for a UART without flow control."""
        for char in text:
            self.line.sendall(("\r" if char == "\n" else char).encode())
            time.sleep(pause)

    def send_keys(self, *names):
        """Named keys, e.g. send_keys("Down", "Enter"); a single character is itself."""
        for name in names:
            self.line.sendall((name if len(name) == 1 else KEYS[name]).encode())
            time.sleep(0.1)

    def wait_poweroff(self, timeout=60):
        """Until the PC has switched itself off."""
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise StickError(f"still on after {timeout} s\n--- screen ---\n{self.screen()}")
            if not self.listen(0.2):
                time.sleep(0.1)
        if self.process.returncode != 0:
            raise StickError(f"QEMU ended with {self.process.returncode}:\n{self.qemu_errors()}")
