#!/usr/bin/python3
"""What a person sees on the PC's own screen: a screendump, read back with the console's fonts.

    screen.py STICK.img WIDTH HEIGHT OUT [--firmware uefi]    boot, wait for the wizard, leave what is seen

OUT gets screen.ppm, screen.txt (the letters, a line per row) and result.txt: width, height, the cell that
the letters have, columns and rows of the grid, pixels outside of it. Nothing is taken from the stick: the
fonts are the files of Debian's console-setup, the picture is QEMU's.
"""

import argparse
import gzip
import os
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(REPO, "image"))
# pylint: disable=wrong-import-position
import qemu  # noqa: E402
import qmp  # noqa: E402

BUILD = os.environ.get("BUILD", os.path.join(REPO, "build"))
FONTS = os.path.join(BUILD, "boot-debs/usr/share/consolefonts/FullCyrAsia-TerminusBold{}.psf.gz")
BOOT = 240  # seconds; ten on an idle machine


class Font:
    """A PSF file, version 1 or 2: {rows of pixels: character}."""

    def __init__(self, name):
        with gzip.open(FONTS.format(name)) as file:
            data = file.read()
        if data[:2] == b"\x36\x04":  # one byte of mode, one of height; eight pixels wide
            mode, self.height = data[2:4]
            at, count, size, self.width = 4, 512 if mode & 1 else 256, self.height, 8
            table = data[at + count * size :].decode("utf-16-le").split("\uffff")
            table = [entry.split("\ufffe")[0] for entry in table]
        else:
            _, at, _, count, size, self.height, self.width = struct.unpack_from("<7I", data, 4)
            table = [
                entry.split(b"\xfe")[0].decode("utf-8") for entry in data[at + count * size :].split(b"\xff")
            ]
        row = (self.width + 7) // 8
        self.chars = {}
        for i in range(count):
            glyph = data[at + i * size : at + (i + 1) * size]
            rows = []
            for y in range(self.height):
                bits = int.from_bytes(glyph[y * row : (y + 1) * row], "big") >> (row * 8 - self.width)
                rows.append(bits)
            self.chars.setdefault(tuple(rows), table[i][:1] or "\ufffd")


class Picture:
    """A binary PPM file with 8 bits a colour."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        magic, width, height, depth = data.split(maxsplit=4)[:4]
        if magic != b"P6" or depth != b"255":
            raise ValueError(f"{path} is no picture")
        self.width, self.height = int(width), int(height)
        self.pixels = data[len(data) - 3 * self.width * self.height :]

    def cell(self, left, top, font, scale):
        """One letter: its rows in the font's pixels, and whether each is `scale` pixels wide and high."""
        rows, whole, ground = [], True, None
        for y in range(font.height):
            line = []
            for repeat in range(scale):
                at = ((top + y * scale + repeat) * self.width + left) * 3
                line.append(self.pixels[at : at + font.width * scale * 3])
            whole = whole and line.count(line[0]) == scale
            colours = [line[0][3 * i : 3 * i + 3] for i in range(font.width * scale)]
            whole = whole and all(colours[i] == colours[i - i % scale] for i in range(len(colours)))
            ground = ground or colours[0]
            bits = 0
            for colour in colours[::scale]:
                bits = bits << 1 | (colour != ground)
            rows.append(bits)
        return tuple(rows), whole

    def read(self, font, scale):
        """(lines of text, letters known, cells) in a grid of that font from the upper left corner."""
        lines, known, cells = [], 0, 0
        full = (1 << font.width) - 1
        for top in range(0, self.height - font.height * scale + 1, font.height * scale):
            line = ""
            for left in range(0, self.width - font.width * scale + 1, font.width * scale):
                rows, whole = self.cell(left, top, font, scale)
                # The letter may be dark on light, and its first pixel may belong to the letter.
                char = font.chars.get(rows) or font.chars.get(tuple(full & ~bits for bits in rows))
                cells += 1
                known += whole and char is not None
                line += (char if whole and char else "\ufffd").replace("\xa0", " ")
            lines.append(line.rstrip())
        return lines, known, cells

    def text(self):
        """The grid in which every cell but the cursor's is a letter: (font, scale, lines); None: no such."""
        for name in ("16", "24x12", "32x16"):
            for scale in (1, 2):
                font = Font(name)
                if font.height * scale <= 2 * self.height and self.likely(font, scale):
                    lines, known, cells = self.read(font, scale)
                    if known >= cells - 1:
                        return font, scale, lines
        return None

    def likely(self, font, scale):
        """The first two rows of the grid alone, to be quick with what it is not."""
        top = Picture.__new__(Picture)
        top.width, top.height = self.width, min(self.height, 2 * font.height * scale)
        top.pixels = self.pixels[: 3 * top.width * top.height]
        _, known, cells = top.read(font, scale)
        return known == cells

    def outside(self, font, scale):
        """Pixels that are not black, right of the grid and below it."""
        right = self.width - self.width % (font.width * scale)
        below = self.height - self.height % (font.height * scale)
        line, count = 3 * self.width, 0
        for y in range(self.height):
            start = 0 if y >= below else 3 * right
            count += len(self.pixels[y * line + start : (y + 1) * line].strip(b"\0"))
        return count


def watch(monitor, path, until):
    """Look every few seconds until the text is there."""
    end = time.monotonic() + BOOT
    while time.monotonic() < end:
        time.sleep(3)
        monitor.command("screendump", filename=path)
        picture = Picture(path)
        seen = picture.text()
        if seen and any(until in line for line in seen[2]):
            return picture, seen
    raise SystemExit(f"no {until!r} on the screen within {BOOT} s: {path}")


def main():
    """Boot, look, write down."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("stick")
    ask.add_argument("width", type=int)
    ask.add_argument("height", type=int)
    ask.add_argument("out")
    ask.add_argument("--firmware", default="uefi")
    opt = ask.parse_args()
    path = os.path.join(opt.out, "screen.ppm")
    with tempfile.TemporaryDirectory(prefix="odjstick-e2e.") as work:
        monitor = qmp.Monitor(os.path.join(work, "qmp"))
        machine = qemu.Machine(
            stick=opt.stick, vars_file=os.path.join(work, "vars.fd"), firmware=opt.firmware, ram=512,
            monitor=monitor.path,
            # At 75 Hz, QEMU's own, a 4K monitor's description has no room for the pixel clock: OVMF ignores it.
            extra=["-vga", "none", "-device",
                   f"VGA,xres={opt.width},yres={opt.height},vgamem_mb=64,edid=on,refresh_rate=50000"],
        )  # fmt: skip
        with subprocess.Popen(machine.command(), stdin=subprocess.DEVNULL) as process:
            try:
                with monitor:
                    picture, (font, scale, lines) = watch(monitor, path, "Passphrase")
            finally:
                process.kill()
    with open(os.path.join(opt.out, "screen.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    facts = {
        "width": picture.width, "height": picture.height,
        "cell": f"{font.width * scale}x{font.height * scale}",
        "columns": picture.width // (font.width * scale), "rows": len(lines),
        "outside": picture.outside(font, scale),
    }  # fmt: skip
    with open(os.path.join(opt.out, "result.txt"), "w", encoding="ascii") as file:
        file.writelines(f"{name}={value}\n" for name, value in facts.items())


if __name__ == "__main__":
    main()
