#include "volume/ntfsdev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct ntfsdev *self(struct ntfs_device *dev)
{
	return dev->d_private;
}

static int dev_open(struct ntfs_device *dev, int flags)
{
	(void)flags; /* the block device is open already; writable was decided by its owner */
	if (NDevOpen(dev)) {
		errno = EBUSY;
		return -1;
	}
	if (!self(dev)->writable)
		NDevSetReadOnly(dev);
	NDevSetOpen(dev);
	return 0;
}

static int dev_close(struct ntfs_device *dev)
{
	ndev_clear(dev, ND_Open);
	return 0;
}

struct ntfsdev_range {
	struct ntfsdev_range *next;
	uint64_t at, end;
	enum ntfsdev_held what;
};

struct ntfsdev_write {
	struct ntfsdev_write *next;
	uint64_t at, end;
	enum ntfsdev_held what;
	uint8_t data[];
};

static void held_overlay(const struct ntfsdev *n, uint64_t off, uint8_t *p, size_t count)
{
	for (const struct ntfsdev_write *w = n->writes; w; w = w->next) {
		uint64_t from = off > w->at ? off : w->at;
		uint64_t to = off + count < w->end ? off + count : w->end;
		if (from < to)
			memcpy(p + (from - off), w->data + (from - w->at), (size_t)(to - from));
	}
}

/* Keep a write back; false: it is none of those. */
static bool keep_back(struct ntfsdev *n, uint64_t at, const void *buf, size_t count)
{
	const struct ntfsdev_range *r = n->ranges;
	while (r && (at + count <= r->at || at >= r->end))
		r = r->next;
	if (!r)
		return false;
	struct ntfsdev_write **end = &n->writes;
	while (*end && ((*end)->at != at || (*end)->end != at + count))
		end = &(*end)->next;
	if (!*end)
		*end = calloc(1, sizeof **end + count);
	if (!*end) {
		err_nomem(&n->first);
		return true;
	}
	(*end)->at = at;
	(*end)->end = at + count;
	(*end)->what = r->what;
	memcpy((*end)->data, buf, count);
	return true;
}

static s64 dev_pread(struct ntfs_device *dev, void *buf, s64 count, s64 offset)
{
	struct ntfsdev *n = self(dev);
	s64 size = (s64)n->bd->size;
	if (count < 0 || offset < 0) {
		errno = EINVAL;
		return -1;
	}
	if (offset >= size)
		return 0;
	if (count > size - offset)
		count = size - offset;
	if (blockdev_read(n->bd, (uint64_t)offset, buf, (size_t)count, &n->first) < 0 ||
		mirror_overlay(n->bd, &n->mirror, (uint64_t)offset, buf, (size_t)count, &n->first) <
			0) {
		errno = EIO;
		return -1;
	}
	held_overlay(n, (uint64_t)offset, buf, (size_t)count);
	return count;
}

static s64 dev_pwrite(struct ntfs_device *dev, const void *buf, s64 count, s64 offset)
{
	struct ntfsdev *n = self(dev);
	if (NDevReadOnly(dev) || count < 0 || offset < 0) {
		errno = NDevReadOnly(dev) ? EROFS : EINVAL;
		return -1;
	}
	if (keep_back(n, (uint64_t)offset, buf, (size_t)count))
		return count;
	/* After one failed write the order of writes is no longer what it should be, so nothing
	 * more is written. libntfs-3g is told that all is well: it leaks and frees twice on its own
	 * error paths, and every operation asks for n->first before it reports success. */
	if (!n->first.code)
		blockdev_write(n->bd, (uint64_t)offset, buf, (size_t)count, &n->first);
	NDevSetDirty(dev);
	return count;
}

static s64 dev_seek(struct ntfs_device *dev, s64 offset, int whence)
{
	struct ntfsdev *n = self(dev);
	s64 base = whence == SEEK_CUR ? n->pos : whence == SEEK_END ? (s64)n->bd->size : 0;
	if (base + offset < 0 || base + offset > (s64)n->bd->size) {
		errno = EINVAL;
		return -1;
	}
	n->pos = base + offset;
	return n->pos;
}

static s64 dev_read(struct ntfs_device *dev, void *buf, s64 count)
{
	s64 got = dev_pread(dev, buf, count, self(dev)->pos);
	if (got > 0)
		self(dev)->pos += got;
	return got;
}

static s64 dev_write(struct ntfs_device *dev, const void *buf, s64 count)
{
	s64 put = dev_pwrite(dev, buf, count, self(dev)->pos);
	if (put > 0)
		self(dev)->pos += put;
	return put;
}

static int dev_sync(struct ntfs_device *dev)
{
	struct ntfsdev *n = self(dev);
	if (NDevReadOnly(dev) || !NDevDirty(dev))
		return 0;
	if (!n->first.code)
		blockdev_sync(n->bd, &n->first);
	ndev_clear(dev, ND_Dirty);
	return 0;
}

static int dev_stat(struct ntfs_device *dev, struct stat *st)
{
	*st = (struct stat){
		.st_mode = S_IFREG | S_IRUSR | S_IWUSR,
		.st_size = (off_t)self(dev)->bd->size,
	};
	return 0;
}

static int dev_ioctl(struct ntfs_device *dev, unsigned long request, void *argp)
{
	(void)dev;
	(void)request;
	(void)argp;
	errno = EOPNOTSUPP;
	return -1;
}

static struct ntfs_device_operations operations = {
	.open = dev_open,
	.close = dev_close,
	.seek = dev_seek,
	.read = dev_read,
	.write = dev_write,
	.pread = dev_pread,
	.pwrite = dev_pwrite,
	.sync = dev_sync,
	.stat = dev_stat,
	.ioctl = dev_ioctl,
};

int ntfsdev_hold(struct ntfsdev *n, uint64_t at, size_t size, enum ntfsdev_held what, struct err *e)
{
	struct ntfsdev_range *r = malloc(sizeof *r);
	if (!r)
		return err_nomem(e);
	*r = (struct ntfsdev_range){n->ranges, at, at + size, what};
	n->ranges = r;
	return 0;
}

bool ntfsdev_holds(const struct ntfsdev *n, uint64_t at, size_t size)
{
	const struct ntfsdev_write *w = n->writes;
	while (w && (at + size <= w->at || at >= w->end))
		w = w->next;
	return w;
}

size_t ntfsdev_held_blocks(const struct ntfsdev *n)
{
	size_t count = 0;
	for (const struct ntfsdev_write *w = n->writes; w; w = w->next)
		count += w->what == NTFSDEV_BLOCK;
	return count;
}

void ntfsdev_put(struct ntfsdev *n, enum ntfsdev_held what)
{
	for (const struct ntfsdev_write *w = n->writes; w; w = w->next)
		if (w->what == what && !n->first.code)
			blockdev_write(n->bd, w->at, w->data, (size_t)(w->end - w->at), &n->first);
	NDevSetDirty(n->dev);
}

void ntfsdev_let_go(struct ntfsdev *n)
{
	while (n->ranges) {
		struct ntfsdev_range *r = n->ranges;
		n->ranges = r->next;
		free(r);
	}
	while (n->writes) {
		struct ntfsdev_write *w = n->writes;
		n->writes = w->next;
		free(w);
	}
}

struct ntfs_device *ntfsdev_new(struct ntfsdev *n, struct blockdev *bd, bool writable)
{
	*n = (struct ntfsdev){.bd = bd, .writable = writable};
	n->dev = ntfs_device_alloc(bd->name, 0, &operations, n);
	return n->dev;
}
