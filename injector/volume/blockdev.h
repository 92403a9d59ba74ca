/*
 * Block device: the bytes of one volume, wherever they really are.
 *
 * libntfs-3g reads and writes a volume only through this interface, so what is
 * underneath can change without volume/ noticing: a window of a file or disk
 * today, a recorder or fault injector in crash tests, a BitLocker layer later.
 * A layer owns the layer below it and closes it.
 *
 * Offsets and lengths are in bytes; nothing needs to be aligned, because the
 * bottom layer goes through the kernel's page cache (no O_DIRECT). A short read
 * or write is an error. Functions return 0 or -ERR_* and fill `struct err`.
 */
#ifndef VOLUME_BLOCKDEV_H
#define VOLUME_BLOCKDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct blockdev;

struct blockdev_ops {
	int (*read)(struct blockdev *d, uint64_t off, void *p, size_t n, struct err *e);
	int (*write)(struct blockdev *d, uint64_t off, const void *p, size_t n, struct err *e);
	/* Returns when everything written so far would survive a power cut. */
	int (*sync)(struct blockdev *d, struct err *e);
	/* Frees d even when it reports an error. */
	int (*close)(struct blockdev *d, struct err *e);
	/* Forget cached bytes, so that the next read shows what the medium holds. May be NULL. */
	void (*drop_cache)(struct blockdev *d);
};

struct blockdev {
	const struct blockdev_ops *ops;
	void *ctx;
	uint64_t size;	 /* bytes of the window */
	uint32_t sector; /* logical sector size: 512 or 4096 */
	bool writable;
	const char *name; /* for messages; owned by the maker */
};

/* Bounds are checked here, once for every layer. */
int blockdev_read(struct blockdev *d, uint64_t off, void *p, size_t n, struct err *e);
int blockdev_write(struct blockdev *d, uint64_t off, const void *p, size_t n, struct err *e);
int blockdev_sync(struct blockdev *d, struct err *e);
int blockdev_close(struct blockdev *d, struct err *e); /* NULL is allowed */
/* After a sync, before a read back; as far as the system allows. */
void blockdev_drop_cache(struct blockdev *d);

/*
 * A window of a regular file or of a block device. length 0 means up to the end.
 *
 * A writable window is exclusive: an image is locked with flock(), a block
 * device is opened O_EXCL, which the kernel grants only while nothing on it is
 * mounted or opened the same way. -ERR_UNSAFE when somebody else holds it. A
 * read-only window of an image takes a shared lock, so it cannot be read while
 * somebody writes; a read-only window of a device takes none.
 */
int blockdev_open(struct blockdev **d, const char *path, uint64_t offset, uint64_t length,
	bool writable, struct err *e);

#endif
