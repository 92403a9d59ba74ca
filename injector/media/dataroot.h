/*
 * The data partition offers the firmware nothing to start.
 *
 * It is written in the field, so no manifest can cover it. But firmware looks
 * for \EFI\BOOT on every FAT partition of a removable medium: whoever puts such
 * a folder there gets his own system started from a stick whose boot partition
 * is untouched. Some firmware looks for more: a shell's script, any *.EFI, a
 * Mac's folder, other file systems. This reads just the root folder of the FAT32, by either of its
 * allocation tables, read-only and bounded; what cannot be read counts as not safe.
 * Source of the format: Microsoft's FAT specification (fatgen103).
 */
#ifndef MEDIA_DATAROOT_H
#define MEDIA_DATAROOT_H

#include "base/err.h"
#include "media/layout.h"

#define DATAROOT_CLUSTERS_MAX 4096u

/* -ERR_INTEGRITY: its root holds EFI, SYSTEM, STARTUP.NSH or *.EFI; it holds a partition table or
 * the beginning of another file system; or it is no FAT32 as mkfs.fat makes it. */
int dataroot_check(const struct layout *l, struct blockdev *d, struct err *e);

#endif
