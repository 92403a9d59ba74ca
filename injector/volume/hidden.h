/*
 * Hidden: disks of this PC that its storage controller keeps from every driver on the stick.
 *
 * Intel RST in RAID mode maps NVMe disks behind a SATA controller; the kernel's ahci driver counts
 * them in `remapped_nvme` (Documentation/ABI of the kernel: drivers/ata/ahci.c). Intel VMD and RAID
 * controllers are PCI devices of class 0104; one without a driver shows no disk at all.
 */
#ifndef VOLUME_HIDDEN_H
#define VOLUME_HIDDEN_H

#include <stdbool.h>
#include <stddef.h>

#define HIDDEN_TEXT_MAX 160

/* False when no controller hides anything; else what does, for a sentence: "Intel RST ... hides 2
 * NVMe disks". sys: NULL for "/sys". */
bool hidden_disks(const char *sys, char text[HIDDEN_TEXT_MAX]);

#endif
