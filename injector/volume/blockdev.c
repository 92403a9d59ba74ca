#include "volume/blockdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_range(struct blockdev *d, uint64_t off, size_t n, const char *verb, struct err *e)
{
	if (off <= d->size && n <= d->size - off)
		return 0;
	return err_set(e, ERR_IO, NULL, "%s: cannot %s %zu bytes at %llu: the volume has %llu",
		d->name, verb, n, (unsigned long long)off, (unsigned long long)d->size);
}

int blockdev_read(struct blockdev *d, uint64_t off, void *p, size_t n, struct err *e)
{
	int ret = check_range(d, off, n, "read", e);
	return ret < 0 || !n ? ret : d->ops->read(d, off, p, n, e);
}

int blockdev_write(struct blockdev *d, uint64_t off, const void *p, size_t n, struct err *e)
{
	if (!d->writable)
		return err_set(e, ERR_READONLY, "Nothing was changed.",
			"%s is open for reading only", d->name);
	int ret = check_range(d, off, n, "write", e);
	return ret < 0 || !n ? ret : d->ops->write(d, off, p, n, e);
}

int blockdev_sync(struct blockdev *d, struct err *e)
{
	return d->writable ? d->ops->sync(d, e) : 0;
}

int blockdev_close(struct blockdev *d, struct err *e)
{
	return d ? d->ops->close(d, e) : 0;
}

void blockdev_drop_cache(struct blockdev *d)
{
	if (d->ops->drop_cache)
		d->ops->drop_cache(d);
}

struct window {
	struct blockdev dev;
	int fd;
	uint64_t start;
	char name[];
};

static int window_read(struct blockdev *d, uint64_t off, void *p, size_t n, struct err *e)
{
	struct window *w = d->ctx;
	uint8_t *to = p;
	for (uint64_t at = w->start + off; n;) {
		ssize_t got = pread(w->fd, to, n, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, ERR_IO, "The disk may be failing. Nothing was changed.",
				"%s: cannot read at byte %llu", d->name, (unsigned long long)at);
		if (got == 0)
			return err_set(e, ERR_IO, NULL, "%s ends before byte %llu", d->name,
				(unsigned long long)(at + n));
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static int window_write(struct blockdev *d, uint64_t off, const void *p, size_t n, struct err *e)
{
	struct window *w = d->ctx;
	const uint8_t *from = p;
	for (uint64_t at = w->start + off; n;) {
		ssize_t put = pwrite(w->fd, from, n, (off_t)at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_sys(e, ERR_IO, "The disk may be failing.",
				"%s: cannot write at byte %llu", d->name, (unsigned long long)at);
		from += put;
		at += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}

static int window_sync(struct blockdev *d, struct err *e)
{
	struct window *w = d->ctx;
	if (fsync(w->fd) < 0)
		return err_sys(
			e, ERR_IO, "The disk may be failing.", "%s: cannot flush to disk", d->name);
	return 0;
}

static int window_close(struct blockdev *d, struct err *e)
{
	struct window *w = d->ctx;
	int ret = 0;
	if (close(w->fd) < 0 && d->writable)
		ret = err_sys(
			e, ERR_IO, "The last changes may be lost.", "%s: cannot close", d->name);
	free(w);
	return ret;
}

static void window_drop_cache(struct blockdev *d)
{
	struct window *w = d->ctx;
	/* BLKFLSBUF is for root and devices; the advice is for everybody. */
	ioctl(w->fd, BLKFLSBUF, 0);
	posix_fadvise(w->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static const struct blockdev_ops window_ops = {
	.read = window_read,
	.write = window_write,
	.sync = window_sync,
	.close = window_close,
	.drop_cache = window_drop_cache,
};

#define IN_USE_NEXT                                                                                \
	"Nothing was changed. Close the other program or unmount the disk, then try again."

static int open_exclusive(int *fd, const char *path, bool writable, struct stat *st, struct err *e)
{
	if (stat(path, st) < 0)
		return err_sys(e, ERR_IO, "Check the path.", "%s: cannot open", path);
	bool block = S_ISBLK(st->st_mode);
	if (!block && !S_ISREG(st->st_mode))
		return err_set(e, ERR_FORMAT, "Give an image file, a block device or a folder.",
			"%s is neither a file nor a block device", path);
	int flags = (writable ? O_RDWR : O_RDONLY) | (block && writable ? O_EXCL : 0);
	*fd = open(path, flags | O_CLOEXEC);
	if (*fd < 0 && errno == EBUSY)
		return err_set(e, ERR_UNSAFE, IN_USE_NEXT, "%s is in use", path);
	if (*fd < 0 && errno == EACCES && writable)
		errno = access(path, R_OK) == 0 ? EROFS : EACCES;
	if (*fd < 0)
		return err_sys(e, ERR_IO, "Nothing was changed. Check that you may open it.",
			"%s: cannot open", path);
	if (block && !writable)
		return 0;
	if (flock(*fd, (writable ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		return 0;
	int ret = errno == EWOULDBLOCK ? err_set(e, ERR_UNSAFE, IN_USE_NEXT,
						 "%s is in use by another program", path)
				       : err_sys(e, ERR_IO, NULL, "%s: cannot lock", path);
	close(*fd);
	return ret;
}

static int measure(int fd, const struct stat *st, uint64_t *size, uint32_t *sector)
{
	*sector = 512;
	if (S_ISREG(st->st_mode)) {
		*size = (uint64_t)st->st_size;
		return 0;
	}
	int logical = 0;
	off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return -1;
	*size = (uint64_t)end;
	if (ioctl(fd, BLKSSZGET, &logical) == 0 && logical >= 512)
		*sector = (uint32_t)logical;
	return 0;
}

int blockdev_open(struct blockdev **d, const char *path, uint64_t offset, uint64_t length,
	bool writable, struct err *e)
{
	struct stat st;
	int fd = -1;
	int ret = open_exclusive(&fd, path, writable, &st, e);
	if (ret < 0)
		return ret;
	uint64_t size;
	uint32_t sector;
	if (measure(fd, &st, &size, &sector) < 0) {
		ret = err_sys(e, ERR_IO, NULL, "%s: cannot ask for its size", path);
		goto fail;
	}
	if (offset > size || length > size - offset) {
		ret = err_set(e, ERR_FORMAT, "The image may be cut short. Nothing was changed.",
			"%s ends before the end of the volume in it", path);
		goto fail;
	}
	struct window *w = calloc(1, sizeof *w + strlen(path) + 1);
	if (!w) {
		ret = err_nomem(e);
		goto fail;
	}
	memcpy(w->name, path, strlen(path) + 1);
	w->fd = fd;
	w->start = offset;
	w->dev = (struct blockdev){.ops = &window_ops,
		.ctx = w,
		.size = length ? length : size - offset,
		.sector = sector,
		.writable = writable,
		.name = w->name};
	*d = &w->dev;
	return 0;
fail:
	close(fd);
	return ret;
}
