/*
 * Replay arbitrary logs over an arbitrary hive.
 *
 * Input: u32 bytes of hive, u32 bytes of first log, u32 flags, then the bytes. Checksums of the
 * three base blocks are set right when flag bits 0..2 say so, the hashes of HvLE entries with
 * bit 3. Oracle: no write happens; what was recovered can be saved, and opens as clean with the
 * same content.
 */
#include <stdlib.h>
#include <string.h>

#include "hive/hive_int.h"
#include "tests/unit/memdev.h"

static void fix_hashes(struct buf *b)
{
	for (size_t at = SECTOR; at + 40 <= b->len && memcmp(b->p + at, "HvLE", 4) == 0;) {
		uint32_t size = le32(b->p + at + 4);
		if (size < SECTOR || size % SECTOR || size > b->len - at)
			return;
		put_le64(b->p + at + 24, marvin64(b->p + at + 40, size - 40));
		put_le64(b->p + at + 32, marvin64(b->p + at, 32));
		at += size;
	}
}

static void again(const struct hive *h)
{
	struct memdev dev;
	struct hive *two;
	struct err e = ERR_INIT;
	memdev_init(&dev, "SAVED", NULL, 0);
	if (hive_save(h, &dev.dev, NULL) < 0)
		abort();
	if (hive_open(&two, &dev.dev, NULL, NULL, 0, &e) < 0)
		abort();
	if (two->was_dirty || two->len != h->len || memcmp(two->bins, h->bins, h->len) != 0)
		abort();
	hive_close(two);
	buf_clear(&dev.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recorder r = {.fail_at = 0};
	struct memdev dev[3];
	struct hive *h;
	if (size < 12 || size > 1 << 20)
		return 0;
	uint32_t a = le32(data), b = le32(data + 4), flags = le32(data + 8);
	data += 12;
	size -= 12;
	a = a > size ? (uint32_t)size : a;
	b = b > size - a ? (uint32_t)(size - a) : b;
	memdev_init(&dev[0], "HIVE", &r, 0);
	memdev_init(&dev[1], "HIVE.LOG1", &r, 1);
	memdev_init(&dev[2], "HIVE.LOG2", &r, 2);
	buf_add(&dev[0].data, data, a, NULL);
	buf_add(&dev[1].data, data + a, b, NULL);
	buf_add(&dev[2].data, data + a + b, size - a - b, NULL);
	for (size_t i = 0; i < 3; i++) {
		if (flags >> i & 1 && dev[i].data.len >= SECTOR)
			base_seal(dev[i].data.p);
		if (i && flags >> 3 & 1)
			fix_hashes(&dev[i].data);
	}
	if (hive_open(&h, &dev[0].dev, &dev[1].dev, &dev[2].dev, 0, NULL) == 0) {
		if (h->info.recovery != HIVE_NOT_RECOVERED)
			again(h);
		hive_close(h);
	}
	if (r.calls)
		abort();
	for (size_t i = 0; i < 3; i++)
		buf_clear(&dev[i].data);
	return 0;
}
