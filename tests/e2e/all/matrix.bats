#!/usr/bin/env bats
# The boot matrix: every pair of firmware, disk bus and USB controller, each from power-on through one
# apply to a PC that switched itself off. Some 45 seconds a row without KVM: make test-boot-all.

load ../../cli/common
load ../../cli/pc
load ../image-common
load ../join

setup_file() {
	load ../../cli/common
	load ../../cli/pc
	load ../join
	join_lab
}

@test "BIOS, NVMe, stick on EHCI" {
	row bios nvme ehci
}

@test "BIOS, AHCI, stick on xHCI" {
	row bios ahci xhci
}

@test "BIOS, IDE, stick on EHCI" {
	row bios ide ehci
}

@test "BIOS, SD card, stick on xHCI" {
	row bios sd xhci
}

@test "BIOS, UAS, stick on EHCI" {
	row bios uas ehci
}

@test "BIOS, virtio, stick on xHCI" {
	row bios virtio xhci
}

@test "UEFI, NVMe, stick on xHCI" {
	row uefi nvme xhci
}

@test "UEFI, AHCI, stick on EHCI" {
	row uefi ahci ehci
}

@test "UEFI, IDE, stick on xHCI" {
	row uefi ide xhci
}

@test "UEFI, SD card, stick on EHCI" {
	row uefi sd ehci
}

@test "UEFI, UAS, stick on xHCI" {
	row uefi uas xhci
}

@test "UEFI, virtio, stick on EHCI" {
	row uefi virtio ehci
}

@test "Secure Boot, NVMe, stick on EHCI" {
	row sb nvme ehci
}

@test "Secure Boot, AHCI, stick on xHCI" {
	row sb ahci xhci
}

@test "Secure Boot, IDE, stick on EHCI" {
	row sb ide ehci
}

@test "Secure Boot, SD card, stick on xHCI" {
	row sb sd xhci
}

@test "Secure Boot, UAS, stick on EHCI" {
	row sb uas ehci
}

@test "Secure Boot, virtio, stick on xHCI" {
	row sb virtio xhci
}

# The disks of hypervisors, and a RAID controller of workstations: once each.

@test "UEFI, VMware's paravirtual SCSI, stick on xHCI" {
	row uefi pvscsi xhci
}

@test "BIOS, VMware's LSI Logic SAS, stick on EHCI" {
	row bios mptsas ehci
}

@test "Secure Boot, virtio SCSI, stick on xHCI" {
	row sb virtio-scsi xhci
}

@test "UEFI, LSI MegaRAID, stick on EHCI" {
	row uefi megasas ehci
}
