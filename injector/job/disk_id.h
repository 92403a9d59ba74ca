/*
 * Which disk this is: what tells the disk that was changed from its siblings,
 * so that undo never works on another PC's disk that looks alike.
 *
 * Two marks, each empty where there is none: the serial number of the NTFS
 * volume, made when it was formatted, and the serial number or world-wide name
 * of the device itself (Linux: below /sys/dev/block). Disks that were cloned
 * sector by sector share the first and differ in the second; images of disks,
 * and folders, have no second.
 */
#ifndef JOB_DISK_ID_H
#define JOB_DISK_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "volume/volume.h"

#define DISK_ID_DEVICE_MAX 127

struct disk_id {
	uint64_t volume;
	char device[DISK_ID_DEVICE_MAX + 1];
};

/* sys: the root of sysfs, NULL means /sys. st: of the volume, from volume_probe(). */
void disk_id_read(const char *sys, const struct volume_source *src, const struct volume_state *st,
	struct disk_id *id);

/* False when a mark that both have differs. */
bool disk_id_same(const struct disk_id *a, const struct disk_id *b);

#endif
