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

#define NTFSDEV_HELD_MAX 4096

struct ntfsdev {
	struct blockdev *bd;
	s64 pos;
	bool writable;
	struct mirror mirror;
	struct {
		uint64_t at;
		size_t size; /* 0: nothing is held back */
		bool written;
		uint8_t data[NTFSDEV_HELD_MAX];
	} held;
	struct err first; /* the first failed read, write or sync */
};

/* NULL when out of memory. n must outlive the ntfs_device. */
struct ntfs_device *ntfsdev_new(struct ntfsdev *n, struct blockdev *bd, bool writable);

/* From now on writes of exactly these bytes are held back, and reads see them. Not while others are
 * held, and not beyond NTFSDEV_HELD_MAX: then nothing changes. */
void ntfsdev_hold(struct ntfsdev *n, uint64_t at, size_t size);

/* The last one of the writes that were held back. The caller syncs before and after. */
void ntfsdev_release(struct ntfsdev *n);

#endif
