/*
 * Member: is a disk, or a partition of it, only a part of something larger?
 *
 * One half of a mirror, a disk of a Windows dynamic volume (LDM) or of a storage
 * pool looks like a plain disk with an NTFS partition when its members are read
 * one by one. What is written to one member is not on the others, so such parts
 * are recognised and refused, for reading and for writing.
 *
 * RAID: the signatures that libblkid knows (Intel RST, DDF, Promise, NVIDIA, ...),
 * on the whole disk. LDM and storage pools: the type in the partition table.
 * Which are known and which are not: docs/volume.md.
 */
#ifndef VOLUME_MEMBER_H
#define VOLUME_MEMBER_H

#include <blkid/blkid.h>
#include <stdbool.h>
#include <stdint.h>

#define MEMBER_TYPE_MAX 24 /* of libblkid's name, with its NUL */

/* VOLUME_TROUBLE_RAID when the bytes of a whole disk carry a RAID signature, whose name (for
 * `wipefs -t`) goes to type; 0 otherwise, type is then "". */
unsigned member_of_raid(int fd, uint64_t size, unsigned sector, char type[MEMBER_TYPE_MAX]);

/* VOLUME_TROUBLE_DYNAMIC, VOLUME_TROUBLE_POOL or 0 by the partition's type. *service: it holds
 * the database of the disk group only, never a file system. */
unsigned member_by_partition(blkid_partition part, bool gpt, bool *service);

/* "RAID member", "dynamic disk", "storage pool", "" for 0. */
const char *member_name(unsigned trouble);

#endif
