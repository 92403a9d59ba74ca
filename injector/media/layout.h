/*
 * Where things are on a stick: the MBR that image/mkimage writes (docs/adr/0071).
 *
 * Entry 1 is the data partition (type 0C), entry 2 the boot partition (EF,
 * active), which lies in front of it; the data partition reaches to the end.
 * Offsets and lengths in bytes.
 */
#ifndef MEDIA_LAYOUT_H
#define MEDIA_LAYOUT_H

#include <stdint.h>

#include "base/err.h"
#include "volume/blockdev.h"

#define LAYOUT_SECTOR 512u
#define LAYOUT_MBR 512u
#define LAYOUT_BOOT_START (1024u * 1024u)
#define LAYOUT_DATA_MIN (34u * 1024u * 1024u) /* less is no FAT32 */

struct layout {
	uint32_t identity; /* disk signature */
	uint64_t boot_start, boot_length;
	uint64_t data_start, data_length;
};

/* -ERR_INTEGRITY when the table is not a stick's, or reaches beyond the end of the medium. */
int layout_read(struct layout *l, struct blockdev *d, struct err *e);
int layout_parse(struct layout *l, const uint8_t mbr[LAYOUT_MBR], uint64_t size, const char *name,
	struct err *e);

/* Set the length of the data partition in an MBR; nothing else changes. */
void layout_set_data_length(uint8_t mbr[LAYOUT_MBR], uint64_t length);

#endif
