/*
 * Discover: which volumes a TARGET or this PC holds.
 *
 * Partition tables (GPT, MBR) and file systems are recognised by libblkid from
 * the bytes alone, so an image file works without root; a BitLocker volume is
 * recognised before anything else, because its boot sector imitates FAT or NTFS.
 * What is only a part of something larger (member.h) is listed with src.part_of
 * set, and cannot be opened.
 * Nothing is written. Listing says nothing about whether a Windows is there:
 * that is windows/.
 */
#ifndef VOLUME_DISCOVER_H
#define VOLUME_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "volume/volume.h"

#define DISCOVER_PARTITIONS_MAX 256 /* per disk */
#define DISCOVER_DISKS_MAX 64

struct discover_item {
	struct volume_source src; /* src.path points at `path` */
	char *path;
	char label[97]; /* of the file system, UTF-8; may be empty */
	char type[24];	/* as libblkid names it: "ntfs", "ext4", "crypto_LUKS"; may be empty. On a
			 * member of a RAID array the name of that signature */
	unsigned partition; /* number as in the table; 0 = not in a table */
	char table[4];	    /* "gpt", "mbr" or "" */
	bool recovery;	    /* typed as EFI, MSR, LDM database or Windows recovery partition */
	char disk[64];	    /* model of the disk, or the image's file name */
	uint64_t disk_size; /* bytes */
};

struct discover_list {
	struct discover_item *items; /* in disk order */
	size_t count;
};

/* A file system that Windows does not use: another system may live on this disk. */
bool discover_is_foreign(const struct discover_item *it);

void discover_clear(struct discover_list *l);

/* A folder gives one item of kind VOLUME_FOLDER; a bare file system one item with offset 0; a disk
 * one item per partition that is not an extended container; the device of a partition one item,
 * with what its disk's table and signatures say of it. -ERR_NOTFOUND when the path does not exist,
 * -ERR_FORMAT when nothing on it is recognised. */
int discover_target(const char *target, struct discover_list *l, struct err *e);

/* The partition whose folder in sysfs is `sys`, looked up on its disk below `dev`; for tests. */
int discover_partition_in(const char *sys, const char *dev, const char *target,
	struct discover_list *l, struct err *e);

/* All disks of this PC but loop, ram, zram, floppy and optical drives, and but the disk that
 * holds the device number `exclude` (st_rdev or st_dev of the stick; 0 = none). Partitions come as
 * their own device nodes, so that other partitions of the disk may be in use. A disk that cannot
 * be read is left out and counted in *unreadable (may be NULL). No disk at all is an empty list. */
int discover_pc(uint64_t exclude, struct discover_list *l, unsigned *unreadable, struct err *e);

/* The same below other roots than /sys and /dev; for tests. */
int discover_pc_in(const char *sys, const char *dev, uint64_t exclude, struct discover_list *l,
	unsigned *unreadable, struct err *e);

/* "sda3 (NTFS, label Windows, 237.0 GiB on Samsung SSD)": one line for people. */
void discover_describe(const struct discover_item *it, char *out, size_t n);

#endif
