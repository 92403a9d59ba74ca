"""The stick in QEMU: one place that knows the command line. Used by image/run and tests/e2e/stick.py.

Only Python's standard library. A `Machine` describes a PC; `command()` is its QEMU command line.
"""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field

OVMF = "/usr/share/OVMF"
PROBE_SECONDS = 5

# A SAS disk without a name in the world is none for Linux's mptsas, and QEMU gives none by itself.
SCSI_DISK = ["-device", "scsi-hd,id=pcdisk,drive=disk,bus=hba.0,wwn=0x5000c50012345678"]

# bus -> QEMU arguments for the disk with id "disk"
DISK_BUS = {
    "nvme": ["-device", "nvme,drive=disk,serial=odjdisk"],
    "ahci": ["-device", "ide-hd,drive=disk,bus=ide.0"],
    "ide": ["-device", "piix4-ide,id=pata,addr=0x10", "-device", "ide-hd,drive=disk,bus=pata.0"],
    "virtio": ["-device", "virtio-blk-pci,drive=disk"],
    "virtio-scsi": ["-device", "virtio-scsi-pci,id=hba", *SCSI_DISK],
    "pvscsi": ["-device", "pvscsi,id=hba", *SCSI_DISK],  # VMware's own
    "mptsas": ["-device", "mptsas1068,id=hba", *SCSI_DISK],  # VMware's "LSI Logic SAS"
    "megasas": ["-device", "megasas-gen2,id=hba", *SCSI_DISK],
    "usb": ["-device", "usb-storage,id=pcdisk,drive=disk,bus=xhci.0"],
    "uas": [
        "-device", "usb-uas,id=uas,bus=xhci.0", "-device", "scsi-hd,id=pcdisk,drive=disk,bus=uas.0",
    ],
    "sd": ["-device", "sdhci-pci", "-device", "sd-card,drive=disk"],
}  # fmt: skip

NBD = "nbd+unix:///?socket="

# A boot sector that leaves through QEMU's debug-exit device, after one x87 wait: both are what a
# half-working KVM stumbles over. xor ax,ax; fninit; fwait; mov al,0x10; out 0xf4,al; hlt
PROBE_SECTOR = bytes.fromhex("31c0dbe39bb010e6f4f4").ljust(510, b"\0") + b"\x55\xaa"
PROBE_STATUS = (0x10 << 1) | 1


class MachineError(Exception):
    """The PC cannot be made; the text says why and what to do."""


def kvm_works():
    """Start a guest under KVM and see whether it runs. /dev/kvm alone proves nothing."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    with tempfile.NamedTemporaryFile(suffix=".img") as sector:
        sector.write(PROBE_SECTOR)
        sector.flush()
        probe = [
            "qemu-system-x86_64", "-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "64",
            "-display", "none", "-nic", "none", "-no-reboot", "-monitor", "none", "-serial", "none",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
            "-drive", f"if=ide,format=raw,snapshot=on,file={sector.name}",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                probe,
                timeout=PROBE_SECONDS,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == PROBE_STATUS


def image_args(name, path):
    """An image file, or a server behind NBD, for a device with drive=NAME; it stays when that is pulled."""
    quoted = path.replace(",", ",,")
    where = f"file.driver=file,file.filename={quoted}"
    if path.startswith(NBD):
        where = f"file.driver=nbd,file.server.type=unix,file.server.path={quoted.removeprefix(NBD)}"
    return ["-blockdev", f"driver=raw,node-name={name},{where}"]


@dataclass
class Machine:
    """A PC with our stick in it."""

    stick: str  # image file; written to
    vars_file: str  # the firmware's variables; made from OVMF's when absent
    disk: str = ""  # image file of the PC's own disk; written to
    bus: str = "nvme"
    firmware: str = "uefi"  # uefi, sb (Secure Boot with Microsoft's keys) or bios
    usb: str = "xhci"  # xhci or ehci
    ram: int = 1024  # MiB
    cpus: int = 1
    accel: str = "auto"  # auto, kvm or tcg
    serial_number: str = ""
    asset_tag: str = ""
    manufacturer: str = "QEMU"
    product: str = "Standard PC"
    kernel_args: str = ""  # appended to the kernel's command line; under BIOS: words for init only
    serial: str = ""  # QEMU chardev: stdio, file:PATH, unix:PATH,server=on,...
    window: bool = False
    monitor: str = ""  # path of a QMP socket
    extra: list = field(default_factory=list)

    def firmware_args(self):
        """Firmware and machine type."""
        if self.firmware == "bios":
            return ["-machine", "q35"]
        secure = self.firmware == "sb"
        code = f"{OVMF}/OVMF_CODE_4M{'.secboot' if secure else ''}.fd"
        blank = f"{OVMF}/OVMF_VARS_4M{'.ms' if secure else ''}.fd"
        if not os.path.exists(code):
            raise MachineError(f"{code} is missing: install the package ovmf")
        if not os.path.exists(self.vars_file):
            shutil.copyfile(blank, self.vars_file)
        args = ["-machine", "q35,smm=on" if secure else "q35"]
        if secure:
            args += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
            args += ["-global", "ICH9-LPC.disable_s3=1"]
        args += ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}"]
        args += ["-drive", f"if=pflash,unit=1,format=raw,file={self.vars_file}"]
        return args

    def accel_args(self):
        """KVM only where it really runs."""
        accel = self.accel
        if accel == "auto":
            accel = "kvm" if kvm_works() else "tcg"
        return ["-accel", accel, "-cpu", "host" if accel == "kvm" else "max"]

    def drive_args(self):
        """The stick on USB, the disk on its bus."""
        controller = "qemu-xhci,id=xhci" if self.usb == "xhci" else "usb-ehci,id=xhci"
        args = ["-device", controller, *image_args("stick", self.stick)]
        args += ["-device", "usb-storage,id=usbstick,drive=stick,bus=xhci.0,removable=on,bootindex=0"]
        if self.disk:
            args += image_args("disk", self.disk) + DISK_BUS[self.bus]
        return args

    def smbios_args(self):
        """Who the PC says it is; and what is added to the kernel's command line."""

        def quoted(text):
            return text.replace(",", ",,")

        system = f"type=1,manufacturer={quoted(self.manufacturer)},product={quoted(self.product)}"
        if self.serial_number:
            system += f",serial={quoted(self.serial_number)}"
        args = ["-smbios", system]
        if self.asset_tag:
            args += ["-smbios", f"type=3,asset={quoted(self.asset_tag)}"]
        if self.kernel_args:
            # systemd-boot and its stub (image/mkuki) hand their words to the kernel; SYSLINUX knows no
            # such thing, so init reads the firmware's OEM strings itself (rootfs/init/smbios.h).
            extra = [f"io.systemd.{part}.kernel-cmdline-extra=" for part in ("boot", "stub")]
            keys = ["odjstick:"] if self.firmware == "bios" else extra
            values = ",".join(f"value={quoted(key + self.kernel_args)}" for key in keys)
            args += ["-smbios", f"type=11,{values}"]
        return args

    def command(self):
        """The QEMU command line of this PC."""
        if not shutil.which("qemu-system-x86_64"):
            raise MachineError("qemu-system-x86_64 is missing: install the package qemu-system-x86")
        args = ["qemu-system-x86_64", *self.firmware_args(), *self.accel_args()]
        args += ["-m", str(self.ram), "-smp", str(self.cpus), "-nic", "none", "-rtc", "base=utc"]
        args += self.drive_args() + self.smbios_args()
        args += ["-serial", self.serial or "none"]
        if self.monitor:
            args += ["-qmp", f"unix:{self.monitor},server=on,wait=off"]
        if not self.window:
            args += ["-display", "none"]
        if "stdio" not in self.serial:
            args += ["-monitor", "none"]
        return args + list(self.extra)
