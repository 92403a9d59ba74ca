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

/* What a held write belongs to. */
enum ntfsdev_held {
	NTFSDEV_RECORD, /* an MFT record */
	NTFSDEV_BLOCK,	/* an index block */
};

struct ntfsdev_range;
struct ntfsdev_write;

struct ntfsdev {
	struct blockdev *bd;
	struct ntfs_device *dev; /* libntfs-3g's side of this; not owned */
	s64 pos;
	bool writable;
	struct mirror mirror;
	struct ntfsdev_range *ranges; /* writes that touch these are held back */
	struct ntfsdev_write *writes; /* and these were */
	struct err first;	      /* the first failed read, write or sync */
};

/* NULL when out of memory. n must outlive the ntfs_device. */
struct ntfs_device *ntfsdev_new(struct ntfsdev *n, struct blockdev *bd, bool writable);

/* From now on writes that touch these bytes are held back, and reads see them. The last write of
 * the same bytes counts. */
int ntfsdev_hold(
	struct ntfsdev *n, uint64_t at, size_t size, enum ntfsdev_held what, struct err *e);

static inline bool ntfsdev_holding(const struct ntfsdev *n)
{
	return n->ranges;
}

/* Is a write held that touches these bytes? */
bool ntfsdev_holds(const struct ntfsdev *n, uint64_t at, size_t size);

/* How many writes of index blocks are held. */
size_t ntfsdev_held_blocks(const struct ntfsdev *n);

/* Give the disk what is held of that kind. The caller syncs before and after. */
void ntfsdev_put(struct ntfsdev *n, enum ntfsdev_held what);

/* Hold nothing from now on. What was not put is forgotten. */
void ntfsdev_let_go(struct ntfsdev *n);

#endif
