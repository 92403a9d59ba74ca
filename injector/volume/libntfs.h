/*
 * libntfs-3g's headers, which expect the C library's to be there first and name
 * their little-endian types like base/mem.h names its readers. In a file that
 * includes this, le16, le32 and le64 are libntfs-3g's types.
 */
#ifndef VOLUME_LIBNTFS_H
#define VOLUME_LIBNTFS_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "base/mem.h"

#define le16 ntfs_le16
#define le32 ntfs_le32
#define le64 ntfs_le64

/* types.h has to come first. */
/* clang-format off */
#include <ntfs-3g/types.h>
#include <ntfs-3g/attrib.h>
#include <ntfs-3g/device.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/index.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/logfile.h>
#include <ntfs-3g/logging.h>
#include <ntfs-3g/mft.h>
#include <ntfs-3g/mst.h>
#include <ntfs-3g/security.h>
#include <ntfs-3g/unistr.h>
#include <ntfs-3g/volume.h>
/* clang-format on */

/* What libntfs-3g's ...Clear...() macros do, without their signed masks. */
static inline void nvol_clear(ntfs_volume *vol, ntfs_volume_state_bits bit)
{
	vol->state &= ~(1ul << bit);
}

static inline bool nino_take_name_dirty(ntfs_inode *ni)
{
	bool was = NInoFileNameDirty(ni);
	ni->state &= ~(1ul << NI_FileNameDirty);
	return was;
}

static inline void ndev_clear(struct ntfs_device *dev, ntfs_device_state_bits bit)
{
	dev->d_state &= ~(1ul << bit);
}

#endif
