#include "volume/mirror.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define RECORDS 4
#define RECORD_MAX 4096
#define CLUSTER_MAX (2u << 20)
#define STRIDE 512 /* bytes that one update sequence number covers */

/* NTFS stores small sizes as a count, large or fractional ones as a negative power of two. */
static uint64_t decode_size(uint8_t raw, uint64_t unit)
{
	if (raw < 0x80)
		return raw * unit;
	return raw > 0xE0 ? UINT64_C(1) << (256 - raw) : 0;
}

static bool locate(const uint8_t *boot, uint64_t size, struct mirror *m)
{
	uint64_t sector = le16(boot + 0x0B);
	uint8_t per = boot[0x0D];
	uint64_t cluster = per <= 0x80 ? per * sector : sector << ((256 - per) & 31);
	uint64_t record = decode_size(boot[0x40], cluster);
	uint64_t mft = le64(boot + 0x30), copy = le64(boot + 0x38);
	if (cluster < STRIDE || cluster > CLUSTER_MAX || record < STRIDE || record > RECORD_MAX ||
		record % STRIDE)
		return false;
	m->len = (uint32_t)(record * RECORDS);
	if (mft > size / cluster || copy > size / cluster || mft == copy)
		return false;
	m->mft = mft * cluster;
	m->copy = copy * cluster;
	return m->mft <= size - m->len && m->copy <= size - m->len;
}

/* A FILE record whose every sector carries the record's update sequence number: not torn. */
static bool record_whole(const uint8_t *r, size_t size)
{
	size_t usa = le16(r + 4), count = le16(r + 6);
	if (memcmp(r, "FILE", 4) || count != size / STRIDE + 1 || usa % 2 || usa < 0x28 ||
		usa + 2 * count > STRIDE)
		return false;
	for (size_t i = 1; i < count; i++)
		if (memcmp(r + i * STRIDE - 2, r + usa, 2))
			return false;
	return true;
}

int mirror_look(struct blockdev *d, struct mirror *m, struct err *e)
{
	uint8_t boot[512], mft[RECORDS * RECORD_MAX], copy[RECORDS * RECORD_MAX];
	*m = (struct mirror){0};
	if (d->size < RECORDS * RECORD_MAX)
		return 0;
	int ret = blockdev_read(d, 0, boot, sizeof boot, e);
	if (ret < 0 || !locate(boot, d->size, m))
		return ret;
	ret = blockdev_read(d, m->mft, mft, m->len, e);
	if (ret == 0)
		ret = blockdev_read(d, m->copy, copy, m->len, e);
	if (ret < 0 || !memcmp(mft, copy, m->len))
		return ret;
	size_t record = m->len / RECORDS;
	for (size_t i = 0; i < RECORDS; i++)
		if (!record_whole(mft + i * record, record) ||
			!record_whole(copy + i * record, record))
			return 0;
	m->stale = true;
	return 0;
}

int mirror_overlay(
	struct blockdev *d, const struct mirror *m, uint64_t off, void *p, size_t n, struct err *e)
{
	uint64_t from = off > m->copy ? off : m->copy;
	uint64_t to = off + n < m->copy + m->len ? off + n : m->copy + m->len;
	if (!m->stale || from >= to)
		return 0;
	return blockdev_read(
		d, m->mft + (from - m->copy), (uint8_t *)p + (from - off), (size_t)(to - from), e);
}

int mirror_heal(struct blockdev *d, struct mirror *m, struct err *e)
{
	uint8_t mft[RECORDS * RECORD_MAX];
	int ret = blockdev_read(d, m->mft, mft, m->len, e);
	if (ret == 0)
		ret = blockdev_write(d, m->copy, mft, m->len, e);
	if (ret == 0)
		ret = blockdev_sync(d, e);
	if (ret == 0)
		m->stale = false;
	return ret;
}
