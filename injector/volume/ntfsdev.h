/*
 * NTFS device: libntfs-3g's device operations on top of a block device.
 *
 * libntfs-3g reports a failed read or write as errno at best, and swallows some
 * (index blocks). The adapter keeps the first error of the block device, so that
 * no failed write can pass for success: look at `first` after every call. After it
 * nothing more is written.
 *
 * libntfs-3g's interface: <ntfs-3g/device.h>. The adapter borrows the block
 * device; libntfs-3g frees the adapter's ntfs_device at unmount.
 */
#ifndef VOLUME_NTFSDEV_H
#define VOLUME_NTFSDEV_H

#include "volume/blockdev.h"
#include "volume/libntfs.h"
#include "volume/mirror.h"

struct ntfsdev {
	struct blockdev *bd;
	s64 pos;
	bool writable;
	struct mirror mirror;
	struct err first; /* the first failed read, write or sync */
};

/* NULL when out of memory. n must outlive the ntfs_device. */
struct ntfs_device *ntfsdev_new(struct ntfsdev *n, struct blockdev *bd, bool writable);

#endif
