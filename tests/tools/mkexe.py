#!/usr/bin/python3
"""A Windows program (PE32+, x86-64) that does nothing but end with an exit code.

usage: mkexe.py CODE OUT.exe

Written by hand, so that no cross compiler is needed: headers, one section with
    sub rsp, 28h; mov ecx, CODE; call [ExitProcess]
and the import of kernel32.dll!ExitProcess.
"""
import struct
import sys

code, out = int(sys.argv[1]), sys.argv[2]
BASE, SECTION, FILE_ALIGN = 0x140000000, 0x1000, 0x200
text = 0x00
iat, ilt, names, dll, descriptor = 0x80, 0x90, 0xA0, 0xC0, 0xD0

body = bytearray(FILE_ALIGN)
rel = SECTION + iat - (SECTION + text + 4 + 5 + 6)
program = b"\x48\x83\xec\x28" + b"\xb9" + struct.pack("<I", code) + b"\xff\x15" + struct.pack("<i", rel)
body[text:text + len(program)] = program
for table in (iat, ilt):
    body[table:table + 16] = struct.pack("<QQ", SECTION + names, 0)
body[names:names + 14] = struct.pack("<H", 0) + b"ExitProcess\0"
body[dll:dll + 13] = b"kernel32.dll\0"
body[descriptor:descriptor + 40] = struct.pack(
    "<5I", SECTION + ilt, 0, 0, SECTION + dll, SECTION + iat) + bytes(20)

dos = b"MZ" + bytes(58) + struct.pack("<I", 64)
coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22)
optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, FILE_ALIGN, 0, 0, SECTION + text, SECTION)
optional += struct.pack("<QII", BASE, SECTION, FILE_ALIGN)
optional += struct.pack("<HHHHHHI", 6, 0, 0, 0, 6, 0, 0)
optional += struct.pack("<IIIHHQQQQII", 2 * SECTION, FILE_ALIGN, 0, 3, 0x8160, 1 << 20, 4096, 1 << 20, 4096, 0, 16)
optional += struct.pack("<II", 0, 0) + struct.pack("<II", SECTION + descriptor, 40)
optional += bytes(240 - len(optional))
section = b".text\0\0\0" + struct.pack("<IIIIIIHHI", FILE_ALIGN, SECTION, FILE_ALIGN, FILE_ALIGN, 0, 0, 0, 0, 0xE0000020)
head = dos + coff + optional + section
open(out, "wb").write(head + bytes(FILE_ALIGN - len(head)) + body)
