/*
 * A disk in memory that remembers every write and every sync, for crash tests:
 * run an operation on it, then look at the disk as any power cut would have
 * left it. Plugs in under volume/ as a block device.
 *
 * The model: what was written before the last sync is on the disk; of what was
 * written after it, any part may be. One write is whole or absent.
 */
#ifndef TESTS_UNIT_MEMDISK_H
#define TESTS_UNIT_MEMDISK_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "volume/blockdev.h"

struct memdisk_write {
	uint64_t off;
	size_t n; /* 0 = a sync */
	uint8_t *p;
};

struct memdisk {
	uint8_t *p;
	size_t size;
	struct memdisk_write *log;
	size_t count;
	size_t fail_after; /* this many writes succeed, the next ones fail; 0 = never fail */
	size_t writes;
};

static inline int memdisk_read(struct blockdev *d, uint64_t off, void *p, size_t n, struct err *e)
{
	(void)e;
	memcpy(p, ((struct memdisk *)d->ctx)->p + off, n);
	return 0;
}

static inline void memdisk_log(struct memdisk *m, uint64_t off, const void *p, size_t n)
{
	m->log = realloc(m->log, (m->count + 1) * sizeof *m->log);
	m->log[m->count] = (struct memdisk_write){off, n, n ? malloc(n) : NULL};
	if (n)
		memcpy(m->log[m->count].p, p, n);
	m->count++;
}

static inline int memdisk_write(
	struct blockdev *d, uint64_t off, const void *p, size_t n, struct err *e)
{
	struct memdisk *m = d->ctx;
	if (m->fail_after && m->writes >= m->fail_after)
		return err_set(e, ERR_IO, "Test.", "the disk in memory fails on purpose");
	m->writes++;
	memdisk_log(m, off, p, n);
	memcpy(m->p + off, p, n);
	return 0;
}

static inline int memdisk_sync(struct blockdev *d, struct err *e)
{
	(void)e;
	memdisk_log(d->ctx, 0, NULL, 0);
	return 0;
}

static inline int memdisk_close(struct blockdev *d, struct err *e)
{
	(void)e;
	free(d);
	return 0;
}

/* A block device on m, which must outlive it. */
static inline struct blockdev *memdisk_dev(struct memdisk *m, bool writable)
{
	static const struct blockdev_ops ops = {
		.read = memdisk_read,
		.write = memdisk_write,
		.sync = memdisk_sync,
		.close = memdisk_close,
	};
	struct blockdev *d = calloc(1, sizeof *d);
	*d = (struct blockdev){.ops = &ops,
		.ctx = m,
		.size = m->size,
		.sector = 512,
		.writable = writable,
		.name = "memory"};
	return d;
}

static inline struct memdisk memdisk_copy(const void *p, size_t n)
{
	struct memdisk m = {.p = malloc(n), .size = n};
	memcpy(m.p, p, n);
	return m;
}

static inline void memdisk_free(struct memdisk *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->log[i].p);
	free(m->log);
	free(m->p);
	*m = (struct memdisk){0};
}

/* Undo on `now` what the writes from..to changed since `was`. */
static inline void memdisk_undo(struct memdisk *now, const struct memdisk *was,
	const struct memdisk *m, size_t from, size_t to)
{
	for (size_t k = from; k < to; k++)
		memcpy(now->p + m->log[k].off, was->p + m->log[k].off, m->log[k].n);
}

/*
 * Call look() on every disk a power cut could leave, of the kinds that matter:
 * after every prefix of the writes; and for every write since the last sync, the
 * disk without that one, and the disk with that one only. Returns how many.
 */
static inline unsigned memdisk_cuts(const void *base, const struct memdisk *m,
	void (*look)(struct memdisk *now, unsigned cut, void *ctx), void *ctx)
{
	struct memdisk synced = memdisk_copy(base, m->size);
	struct memdisk now = memdisk_copy(base, m->size);
	unsigned cut = 0;
	for (size_t from = 0; from < m->count;) {
		size_t to = from;
		while (to < m->count && m->log[to].n)
			to++;
		for (size_t k = from; k < to; k++) { /* prefixes */
			look(&now, cut++, ctx);
			memcpy(now.p + m->log[k].off, m->log[k].p, m->log[k].n);
		}
		look(&now, cut++, ctx);
		for (size_t skip = from; to - from > 1 && skip < to; skip++) {
			memdisk_undo(&now, &synced, m, from, to);
			for (size_t k = from; k < to; k++)
				if (k != skip)
					memcpy(now.p + m->log[k].off, m->log[k].p, m->log[k].n);
			look(&now, cut++, ctx);
			memdisk_undo(&now, &synced, m, from, to);
			memcpy(now.p + m->log[skip].off, m->log[skip].p, m->log[skip].n);
			look(&now, cut++, ctx);
		}
		for (size_t k = from; k < to; k++)
			memcpy(synced.p + m->log[k].off, m->log[k].p, m->log[k].n);
		memdisk_undo(&now, &synced, m, from, to);
		from = to + 1;
	}
	memdisk_free(&synced);
	memdisk_free(&now);
	return cut;
}

#endif
