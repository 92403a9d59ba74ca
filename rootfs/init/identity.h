/*
 * Which disk is the stick this PC was started from (docs/adr/0072).
 *
 * A stick carries 32 bits of identity, as eight hexadecimal digits on the kernel's command line, as
 * disk signature in the MBR (offset 440), and as volume id in the boot sector of partition 1
 * (FAT32, offset 67). All three agree, or the disk is not ours. Labels are not looked at, nor
 * partitions of anything that is not a whole disk.
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

/* Looks at all disks in sys ("/sys/block"), whose nodes are in dev ("/dev"). Returns how many carry
 * the id, and the node of the last one's data partition. */
unsigned identity_find(
	const char *sys, const char *dev, const char *id, char path[IDENTITY_PATH_MAX]);

#endif
