/*
 * Byte device in memory for tests: records every write, resize and sync, and can
 * fail the n-th call. Several devices may share one recorder.
 */
#ifndef TESTS_UNIT_MEMDEV_H
#define TESTS_UNIT_MEMDEV_H

#include <stdlib.h>
#include <string.h>

#include "base/bytedev.h"
#include "base/mem.h"

enum memop { MEM_WRITE, MEM_RESIZE, MEM_SYNC };

struct memrec {
	enum memop op;
	int dev;
	uint64_t off; /* or the new size */
	struct buf data;
};

struct recorder {
	struct memrec *rec;
	size_t n, cap;
	bool on;
	long fail_at;	 /* fail the n-th changing call (from 0); -1 never */
	bool fail_short; /* a failing write stores half of its bytes first */
	long calls;
	long fail_read; /* fail the n-th read (from 1); 0 never */
	long reads;
	uint64_t written;
};

struct memdev {
	struct bytedev dev;
	struct buf data;
	struct recorder *r;
	int id;
};

static inline void recorder_clear(struct recorder *r)
{
	for (size_t i = 0; i < r->n; i++)
		buf_clear(&r->rec[i].data);
	free(r->rec);
	*r = (struct recorder){.fail_at = -1};
}

static inline bool memdev_fails(struct memdev *m)
{
	return m->r && m->r->calls++ == m->r->fail_at;
}

static inline int memdev_note(
	struct memdev *m, enum memop op, uint64_t off, const void *p, size_t n, struct err *e)
{
	struct recorder *r = m->r;
	if (!r || !r->on)
		return 0;
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 64;
		struct memrec *rec = realloc(r->rec, r->cap * sizeof *rec);
		if (!rec)
			return err_nomem(e);
		r->rec = rec;
	}
	r->rec[r->n] = (struct memrec){op, m->id, off, BUF_INIT};
	return buf_add(&r->rec[r->n++].data, p, n, e);
}

static inline int memdev_size(struct bytedev *d, uint64_t *size, struct err *e)
{
	(void)e;
	*size = ((struct memdev *)d->ctx)->data.len;
	return 0;
}

static inline int memdev_read(struct bytedev *d, uint64_t off, void *p, size_t n, struct err *e)
{
	struct memdev *m = d->ctx;
	if (m->r && m->r->on && ++m->r->reads == m->r->fail_read)
		return err_set(e, ERR_IO, NULL, "%s: read fails (test)", d->name);
	if (off > m->data.len || n > m->data.len - off)
		return err_set(e, ERR_IO, NULL, "%s: read behind the end", d->name);
	memcpy(p, m->data.p + off, n);
	return 0;
}

static inline int memdev_put(struct memdev *m, uint64_t off, const void *p, size_t n, struct err *e)
{
	if (off + n > m->data.len) {
		int ret = buf_grow(&m->data, off + n - m->data.len, NULL, e);
		if (ret < 0)
			return ret;
	}
	memcpy(m->data.p + off, p, n);
	return 0;
}

static inline int memdev_write(
	struct bytedev *d, uint64_t off, const void *p, size_t n, struct err *e)
{
	struct memdev *m = d->ctx;
	if (memdev_fails(m)) {
		if (m->r->fail_short)
			memdev_put(m, off, p, n / 2, NULL);
		return err_set(e, ERR_IO, NULL, "%s: write fails (test)", d->name);
	}
	int ret = memdev_note(m, MEM_WRITE, off, p, n, e);
	if (m->r)
		m->r->written += n;
	return ret == 0 ? memdev_put(m, off, p, n, e) : ret;
}

static inline int memdev_set_size(struct memdev *m, uint64_t size, struct err *e)
{
	if (size <= m->data.len) {
		m->data.len = (size_t)size;
		return 0;
	}
	return buf_grow(&m->data, (size_t)size - m->data.len, NULL, e);
}

static inline int memdev_resize(struct bytedev *d, uint64_t size, struct err *e)
{
	struct memdev *m = d->ctx;
	if (memdev_fails(m))
		return err_set(e, ERR_NOSPACE, NULL, "%s: no room (test)", d->name);
	int ret = memdev_note(m, MEM_RESIZE, size, NULL, 0, e);
	return ret == 0 ? memdev_set_size(m, size, e) : ret;
}

static inline int memdev_sync(struct bytedev *d, struct err *e)
{
	struct memdev *m = d->ctx;
	if (memdev_fails(m))
		return err_set(e, ERR_IO, NULL, "%s: flush fails (test)", d->name);
	return memdev_note(m, MEM_SYNC, 0, NULL, 0, e);
}

static inline void memdev_init(struct memdev *m, const char *name, struct recorder *r, int id)
{
	static const struct bytedev_ops ops = {
		.size = memdev_size,
		.read = memdev_read,
		.write = memdev_write,
		.resize = memdev_resize,
		.sync = memdev_sync,
	};
	*m = (struct memdev){{&ops, m, name}, BUF_INIT, r, id};
}

#endif
