/*
 * Which disk is the stick this PC was started from (docs/adr/0072).
 *
 * An image has 32 bits of identity: eight hexadecimal digits on the kernel's command line, and the
 * disk signature in the MBR (offset 440). A stick made from it has a number of its own: eight
 * digits in the file that the loader hands over beside the initramfs (/number there), and the
 * volume id in the boot sector of partition 1 (FAT32, offset 67). Both pairs agree, or the disk is
 * not ours. Labels are not looked at, nor partitions of anything that is not a whole disk.
 */
#ifndef INIT_IDENTITY_H
#define INIT_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#define IDENTITY_PATH_MAX 300
#define IDENTITY_SECTOR 512

/* The id that a sector carries, lower case; "" when it is not such a sector. */
void identity_of_mbr(const uint8_t sector[IDENTITY_SECTOR], char id[9]);
void identity_of_fat32(const uint8_t sector[IDENTITY_SECTOR], char id[9]);

struct identity {
	char image[9];	/* as it is on the command line */
	char volume[9]; /* of the data partition; "": any */
};

/* From the text in /number: the stick's own number; the image's identity when it was not made a
 * stick (all zeros); "" when the loader handed nothing over, as own-key images do. */
void identity_number(struct identity *id, const char *text);

/* Looks at all disks in sys ("/sys/block"), whose nodes are in dev ("/dev"). Returns how many carry
 * the id, and the node of the last one's data partition. */
unsigned identity_find(
	const char *sys, const char *dev, const struct identity *id, char path[IDENTITY_PATH_MAX]);

#endif
