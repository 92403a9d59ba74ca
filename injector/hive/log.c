/* Transaction logs as files: loading, Marvin hash, highest number, blanking. */
#include "hive/hive_int.h"

#include <stdlib.h>
#include <string.h>

static uint32_t rol(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void marvin_mix(struct marvin *m, uint32_t w)
{
	m->lo += w;
	m->hi ^= m->lo;
	m->lo = rol(m->lo, 20) + m->hi;
	m->hi = rol(m->hi, 9) ^ m->lo;
	m->lo = rol(m->lo, 27) + m->hi;
	m->hi = rol(m->hi, 19);
}

void marvin_start(struct marvin *m)
{
	/* The 64-bit number 0x82EF4D887A4E55C5, low word first. */
	m->lo = 0x7a4e55c5;
	m->hi = 0x82ef4d88;
}

void marvin_words(struct marvin *m, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 4 <= n; i += 4)
		marvin_mix(m, rd32(p + i));
}

uint64_t marvin_end(struct marvin *m)
{
	marvin_mix(m, 0x80);
	marvin_mix(m, 0);
	return (uint64_t)m->hi << 32 | m->lo;
}

uint64_t marvin64(const uint8_t *p, size_t n)
{
	struct marvin m;
	marvin_start(&m);
	marvin_words(&m, p, n);
	return marvin_end(&m);
}

int log_load(struct bytedev *dev, struct log_file *l, struct err *e)
{
	*l = (struct log_file){0};
	if (!dev)
		return 0;
	uint64_t size;
	l->name = dev->name;
	int ret = bytedev_size(dev, &size, e);
	if (ret < 0)
		return ret;
	if (size > HIVE_LOG_MAX)
		return err_set(e, ERR_LIMIT, "The hive was not changed.",
			"log %s has %llu bytes, more than %u MiB", dev->name,
			(unsigned long long)size, HIVE_LOG_MAX >> 20);
	l->p = malloc(size ? size : 1);
	if (!l->p)
		return err_nomem(e);
	l->n = size;
	ret = bytedev_read(dev, 0, l->p, l->n, e);
	if (ret < 0) {
		log_clear(l);
		return ret;
	}
	if (l->n >= 2 * SECTOR && base_valid(l->p) &&
		rd32(l->p + BB_SEQ1) == rd32(l->p + BB_SEQ2)) {
		l->header = true;
		l->type = (int)rd32(l->p + BB_TYPE);
		l->seq = rd32(l->p + BB_SEQ1);
	}
	return 0;
}

void log_clear(struct log_file *l)
{
	if (l->p)
		wipe(l->p, l->n);
	free(l->p);
	*l = (struct log_file){0};
}

static void seq_raise(uint32_t *max, uint32_t seq)
{
	if (seq - *max < 0x80000000U)
		*max = seq;
}

int log_max_seq(struct bytedev *dev, uint32_t *max, struct err *e)
{
	uint64_t size;
	int ret = dev ? bytedev_size(dev, &size, e) : 0;
	if (ret < 0 || !dev)
		return ret;
	const size_t chunk = 64 << 10;
	CLEANUP(freep) uint8_t *b = malloc(chunk);
	if (!b)
		return err_nomem(e);
	for (uint64_t at = 0; ret == 0 && at < size; at += chunk) {
		size_t n = size - at < chunk ? (size_t)(size - at) : chunk;
		ret = bytedev_read(dev, at, b, n, e);
		for (size_t i = 0; ret == 0 && i + SECTOR <= n; i += SECTOR) {
			if (memcmp(b + i, "HvLE", 4) == 0)
				seq_raise(max, rd32(b + i + 12));
			if (at + i == 0 && base_valid(b)) {
				seq_raise(max, rd32(b + BB_SEQ1));
				seq_raise(max, rd32(b + BB_SEQ2));
			}
		}
		wipe(b, n);
	}
	return ret;
}

/* Zero the first len bytes: no header, so no log; no copy of secrets stays behind. */
int log_blank(struct bytedev *dev, uint64_t len, struct err *e)
{
	static const uint8_t zeros[16 * 1024];
	uint64_t size;
	int ret = bytedev_size(dev, &size, e);
	if (len > size)
		len = size;
	for (uint64_t at = 0; ret == 0 && at < len; at += sizeof zeros) {
		size_t n = len - at < sizeof zeros ? (size_t)(len - at) : sizeof zeros;
		ret = bytedev_write(dev, at, zeros, n, e);
	}
	return ret == 0 ? bytedev_sync(dev, e) : ret;
}
