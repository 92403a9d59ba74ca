/*
 * Byte device: a file as somebody else sees it.
 *
 * The hive library (and anything else that must not do I/O of its own) reads
 * and writes through this interface, so an NTFS file, a plain file and a test
 * recorder plug in alike. Functions return 0 or a negative ERR_* code and fill
 * `struct err`; a short read or write is an error. `ops` and `ctx` belong to
 * whoever made the device; close may be NULL.
 */
#ifndef BASE_BYTEDEV_H
#define BASE_BYTEDEV_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bytedev;

struct bytedev_ops {
	int (*size)(struct bytedev *d, uint64_t *size, struct err *e);
	int (*read)(struct bytedev *d, uint64_t off, void *p, size_t n, struct err *e);
	int (*write)(struct bytedev *d, uint64_t off, const void *p, size_t n, struct err *e);
	int (*resize)(struct bytedev *d, uint64_t size, struct err *e);
	/* Returns when everything written so far would survive a power cut. */
	int (*sync)(struct bytedev *d, struct err *e);
	void (*close)(struct bytedev *d);
	/* Forget cached bytes, so that the next read shows what the medium holds. May be NULL. */
	void (*drop_cache)(struct bytedev *d);
};

struct bytedev {
	const struct bytedev_ops *ops;
	void *ctx;
	const char *name; /* for messages; owned by the maker */
};

int bytedev_size(struct bytedev *d, uint64_t *size, struct err *e);
int bytedev_read(struct bytedev *d, uint64_t off, void *p, size_t n, struct err *e);
int bytedev_write(struct bytedev *d, uint64_t off, const void *p, size_t n, struct err *e);
int bytedev_resize(struct bytedev *d, uint64_t size, struct err *e);
int bytedev_sync(struct bytedev *d, struct err *e);
void bytedev_close(struct bytedev *d);
/* After a sync, before a read back; as far as the system allows. */
void bytedev_drop_cache(struct bytedev *d);

/* A plain file. create: make it when absent (mode 0600). O_NOFOLLOW is not used: hives on the
 * lab's machine may be links. Returns -ERR_NOTFOUND when absent and !create. */
int bytedev_open_file(
	struct bytedev **d, const char *path, int writable, int create, struct err *e);

#endif
