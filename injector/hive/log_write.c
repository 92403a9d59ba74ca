/* Writing one transaction log: everything dirty as one HvLE entry, or in the DIRT form. */
#include "hive/hive_int.h"

#include <stdlib.h>
#include <string.h>

/* Buffered, sector-aligned writing from the start of a log. */
struct log_writer {
	struct bytedev *dev;
	uint64_t at;
	size_t n;
	uint8_t b[32 * 1024];
};

static int flush(struct log_writer *w, struct err *e)
{
	int ret = bytedev_write(w->dev, w->at, w->b, w->n, e);
	w->at += w->n;
	w->n = 0;
	return ret;
}

static int put(struct log_writer *w, const uint8_t *p, size_t n, struct err *e)
{
	int ret = 0;
	while (ret == 0 && n) {
		size_t room = sizeof w->b - w->n, k = n < room ? n : room;
		memcpy(w->b + w->n, p, k);
		w->n += k;
		p += k;
		n -= k;
		if (w->n == sizeof w->b)
			ret = flush(w, e);
	}
	return ret;
}

static int put_zeros(struct log_writer *w, size_t n, struct err *e)
{
	static const uint8_t zeros[SECTOR];
	int ret = 0;
	for (size_t k; ret == 0 && n; n -= k) {
		k = n < SECTOR ? n : SECTOR;
		ret = put(w, zeros, k, e);
	}
	return ret;
}

static void log_base(const struct hive *h, int type, uint32_t seq, uint8_t out[SECTOR])
{
	memcpy(out, h->base, SECTOR);
	put_le32(out + BB_TYPE, (uint32_t)type);
	put_le32(out + BB_SEQ1, seq);
	put_le32(out + BB_SEQ2, seq);
	put_le32(out + BB_LENGTH, h->len);
	base_seal(out);
}

/* The log is made long enough before anything is written to it. */
static int start(struct log_writer **w, struct bytedev *dev, uint64_t len, struct err *e)
{
	uint64_t size;
	int ret = bytedev_size(dev, &size, e);
	if (ret == 0 && size < len)
		ret = bytedev_resize(dev, len, e);
	if (ret < 0)
		return ret;
	*w = calloc(1, sizeof **w);
	if (!*w)
		return err_nomem(e);
	(*w)->dev = dev;
	return 0;
}

static int finish(struct log_writer *w, int ret, struct err *e)
{
	if (ret == 0)
		ret = flush(w, e);
	if (ret == 0)
		ret = bytedev_sync(w->dev, e);
	wipe(w, sizeof *w);
	free(w);
	return ret;
}

static bool page_dirty(const struct hive *h, uint32_t page)
{
	return h->dirty[page * (PAGE / SECTOR) / 8] != 0;
}

static uint32_t dirty_pages(const struct hive *h)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < h->len / PAGE; i++)
		n += page_dirty(h, i);
	return n;
}

static void entry_refs(const struct hive *h, uint8_t *refs)
{
	for (uint32_t i = 0; i < h->len / PAGE; i++) {
		if (!page_dirty(h, i))
			continue;
		put_le32(refs, i * PAGE);
		put_le32(refs + 4, PAGE);
		refs += 8;
	}
}

/* Entry header with both hashes over what follows. */
static void entry_head(const struct hive *h, uint32_t seq, uint32_t count, const uint8_t *refs,
	size_t pad, uint8_t head[40])
{
	static const uint8_t zeros[SECTOR];
	struct marvin m;
	memcpy(head, "HvLE", 4);
	put_le32(head + 4, (uint32_t)(40 + 8 * (size_t)count + PAGE * (size_t)count + pad));
	put_le32(head + 8, le32(h->base + BB_FLAGS) & 1);
	put_le32(head + 12, seq);
	put_le32(head + 16, h->len);
	put_le32(head + 20, count);
	marvin_start(&m);
	marvin_words(&m, refs, 8 * (size_t)count);
	for (uint32_t i = 0; i < count; i++)
		marvin_words(&m, h->bins + le32(refs + 8 * (size_t)i), PAGE);
	marvin_words(&m, zeros, pad);
	put_le64(head + 24, marvin_end(&m));
	put_le64(head + 32, marvin64(head, 32));
}

int log_write_hvle(struct hive *h, uint32_t seq, uint64_t *len, struct err *e)
{
	uint32_t count = dirty_pages(h);
	size_t body = 40 + 8 * (size_t)count + PAGE * (size_t)count;
	size_t pad = (SECTOR - body % SECTOR) % SECTOR;
	CLEANUP(freep) uint8_t *refs = malloc(8 * (size_t)count + 1);
	uint8_t base[SECTOR], head[40];
	struct log_writer *w;
	if (!refs)
		return err_nomem(e);
	entry_refs(h, refs);
	entry_head(h, seq, count, refs, pad, head);
	log_base(h, TYPE_LOG_HVLE, seq, base);
	*len = SECTOR + body + pad;
	int ret = start(&w, h->log[0], *len, e);
	if (ret < 0)
		return ret;
	ret = put(w, base, SECTOR, e);
	if (ret == 0)
		ret = put(w, head, 40, e);
	if (ret == 0)
		ret = put(w, refs, 8 * (size_t)count, e);
	for (uint32_t i = 0; ret == 0 && i < count; i++)
		ret = put(w, h->bins + le32(refs + 8 * (size_t)i), PAGE, e);
	if (ret == 0)
		ret = put_zeros(w, pad, e);
	return finish(w, ret, e);
}

static int put_dirty_sectors(struct log_writer *w, const struct hive *h, struct err *e)
{
	int ret = 0;
	for (uint32_t s = 0; ret == 0 && s < h->len / SECTOR; s++)
		if (h->dirty[s / 8] >> s % 8 & 1)
			ret = put(w, h->bins + (size_t)s * SECTOR, SECTOR, e);
	return ret;
}

/* Bitmap of dirty sectors, their content behind it. */
int log_write_dirt(struct hive *h, uint32_t seq, uint64_t *len, struct err *e)
{
	uint32_t map = h->len / SECTOR / 8, count = 0;
	size_t pad = (SECTOR - (4 + map) % SECTOR) % SECTOR;
	uint8_t base[SECTOR];
	struct log_writer *w;
	for (uint32_t i = 0; i < map; i++)
		count += (uint32_t)__builtin_popcount(h->dirty[i]);
	log_base(h, TYPE_LOG_DIRT, seq, base);
	*len = SECTOR + 4 + map + pad + SECTOR * (uint64_t)count;
	int ret = start(&w, h->log[0], *len, e);
	if (ret < 0)
		return ret;
	ret = put(w, base, SECTOR, e);
	if (ret == 0)
		ret = put(w, (const uint8_t *)"DIRT", 4, e);
	if (ret == 0)
		ret = put(w, h->dirty, map, e);
	if (ret == 0)
		ret = put_zeros(w, pad, e);
	if (ret == 0)
		ret = put_dirty_sectors(w, h, e);
	return finish(w, ret, e);
}
