#include "base/bytedev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int bytedev_size(struct bytedev *d, uint64_t *size, struct err *e)
{
	return d->ops->size(d, size, e);
}

int bytedev_read(struct bytedev *d, uint64_t off, void *p, size_t n, struct err *e)
{
	return n ? d->ops->read(d, off, p, n, e) : 0;
}

int bytedev_write(struct bytedev *d, uint64_t off, const void *p, size_t n, struct err *e)
{
	return n ? d->ops->write(d, off, p, n, e) : 0;
}

int bytedev_resize(struct bytedev *d, uint64_t size, struct err *e)
{
	return d->ops->resize(d, size, e);
}

int bytedev_sync(struct bytedev *d, struct err *e)
{
	return d->ops->sync(d, e);
}

void bytedev_close(struct bytedev *d)
{
	if (d && d->ops->close)
		d->ops->close(d);
}

void bytedev_drop_cache(struct bytedev *d)
{
	if (d->ops->drop_cache)
		d->ops->drop_cache(d);
}

struct plain_file {
	struct bytedev dev;
	int fd;
	char name[];
};

static struct plain_file *plain(struct bytedev *d)
{
	return d->ctx;
}

static int plain_size(struct bytedev *d, uint64_t *size, struct err *e)
{
	struct stat st;
	if (fstat(plain(d)->fd, &st) < 0)
		return err_sys(e, ERR_IO, NULL, "%s: cannot stat", d->name);
	*size = (uint64_t)st.st_size;
	return 0;
}

static int plain_read(struct bytedev *d, uint64_t off, void *p, size_t n, struct err *e)
{
	uint8_t *to = p;
	while (n) {
		ssize_t got = pread(plain(d)->fd, to, n, (off_t)off);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, ERR_IO, NULL, "%s: cannot read at %llu", d->name,
				(unsigned long long)off);
		if (got == 0)
			return err_set(e, ERR_IO, NULL, "%s: ends before byte %llu", d->name,
				(unsigned long long)(off + n));
		to += got;
		off += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static int plain_write(struct bytedev *d, uint64_t off, const void *p, size_t n, struct err *e)
{
	const uint8_t *from = p;
	while (n) {
		ssize_t put = pwrite(plain(d)->fd, from, n, (off_t)off);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return err_sys(e, ERR_IO, NULL, "%s: cannot write at %llu", d->name,
				(unsigned long long)off);
		from += put;
		off += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}

static int plain_resize(struct bytedev *d, uint64_t size, struct err *e)
{
	if (ftruncate(plain(d)->fd, (off_t)size) < 0)
		return err_sys(e, ERR_IO, NULL, "%s: cannot set the size to %llu", d->name,
			(unsigned long long)size);
	return 0;
}

static int plain_sync(struct bytedev *d, struct err *e)
{
	if (fsync(plain(d)->fd) < 0)
		return err_sys(e, ERR_IO, NULL, "%s: cannot flush to disk", d->name);
	return 0;
}

static void plain_close(struct bytedev *d)
{
	struct plain_file *f = plain(d);
	close(f->fd);
	free(f);
}

static void plain_drop_cache(struct bytedev *d)
{
	posix_fadvise(plain(d)->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static const struct bytedev_ops plain_ops = {
	.size = plain_size,
	.read = plain_read,
	.write = plain_write,
	.resize = plain_resize,
	.sync = plain_sync,
	.close = plain_close,
	.drop_cache = plain_drop_cache,
};

int bytedev_open_file(struct bytedev **d, const char *path, int writable, int create, struct err *e)
{
	int flags = (writable ? O_RDWR : O_RDONLY) | (create ? O_CREAT : 0) | O_CLOEXEC;
	int fd = open(path, flags, 0600);
	if (fd < 0)
		return err_sys(
			e, ERR_IO, "Check the name and the permissions.", "cannot open %s", path);
	struct stat st;
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		close(fd);
		return err_set(e, ERR_USAGE, "Name a file.", "%s is a folder", path);
	}
	size_t len = strlen(path) + 1;
	struct plain_file *f = malloc(sizeof *f + len);
	if (!f) {
		close(fd);
		return err_nomem(e);
	}
	memcpy(f->name, path, len);
	f->fd = fd;
	f->dev = (struct bytedev){&plain_ops, f, f->name};
	*d = &f->dev;
	return 0;
}
