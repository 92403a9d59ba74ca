/*
 * Edit, commit, reopen, with the n-th allocation failing.
 *
 * Input: u32 bytes of hive (0: a new hive of minor 3 or 5), u8 log form, u16 allocation that fails
 * (0: none), the hive, then edits: u8 what, u8 key, u8 name, u16 size. Oracle: a hive that was
 * sound stays sound and leaks no cell; after the commit, or its failure, the files open again as
 * the old or new hive.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "hive/hive_int.h"
#include "tests/unit/memdev.h"

static long fail_in = -1;

static bool fails(void)
{
	return fail_in > 0 && --fail_in == 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t m)
{
	return fails() ? NULL : __real_calloc(n, m);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

static const uint8_t sd[] = {0x01, 0x00, 0x04, 0x84, 0x30, 0, 0, 0, 0x3c, 0, 0, 0, 0, 0, 0, 0, 0x14,
	0, 0, 0, 0x02, 0x00, 0x1c, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x02, 0x14, 0x00, 0x3f, 0x00,
	0x0f, 0x00, 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0, 1,
	1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0};

static const char *const keys[] = {
	"a", "b", "a\\c", "a\\c\\d", "Ключ", "b\\x\\y\\z", "zz", "a\\日本"};

/* One edit: false when the image is no longer trusted. */
static bool edit(struct hive *h, struct reader *r)
{
	static uint8_t data[40000];
	enum { MOST = sizeof data };
	char name[16], path[64];
	uint8_t what = reader_u8(r), k = reader_u8(r), n = reader_u8(r);
	uint16_t size = reader_le16(r);
	hive_key key;
	if (!reader_ok(r))
		return false;
	name[0] = 0;
	if (n % 9)
		snprintf(name, sizeof name, "v%u", n % 32);
	snprintf(path, sizeof path, "%s%u", keys[k % ARRAY_SIZE(keys)], k / 64);
	int ret = hive_find_key(h, hive_root(h), path, &key, NULL);
	if (what % 6 == 0 && ret == 0) {
		ret = hive_delete_key(h, key, NULL);
	} else if (what % 6 == 1 && ret == 0) {
		ret = hive_delete_value(h, key, name, NULL);
	} else if (what % 6 == 2) {
		ret = hive_create_key(h, hive_root(h), path, NULL, &key, NULL);
		if (ret == 0)
			ret = hive_set_class(h, key, data, size % 64 & ~1U, NULL);
	} else {
		ret = hive_create_key(h, hive_root(h), path, NULL, &key, NULL);
		if (ret == 0)
			ret = hive_set_value(h, key, name, what, data, size % MOST, NULL);
	}
	return !h->broken;
}

static uint64_t sound(const struct hive *h)
{
	struct hive_check c;
	if (hive_check(h, NULL, NULL, &c, NULL) < 0 || c.errors)
		abort();
	return c.leaked_cells;
}

static struct hive *start(struct memdev dev[3], struct reader *r, uint32_t len, unsigned form)
{
	struct hive *h = NULL;
	if (len == 0) {
		if (hive_create(&h, form & 2 ? 3 : 5, "ROOT", (struct span){sd, sizeof sd}, 1,
			    NULL) < 0 ||
			hive_save(h, &dev[0].dev, NULL) < 0)
			abort();
		hive_close(h);
	} else {
		const uint8_t *p = reader_take(r, len);
		if (!p)
			return NULL;
		buf_add(&dev[0].data, p, len, NULL);
		if (len >= SECTOR)
			base_seal(dev[0].data.p);
	}
	if (hive_open(&h, &dev[0].dev, &dev[1].dev, &dev[2].dev,
		    form & 1 ? HIVE_LOG_DIRT : HIVE_LOG_HVLE, NULL) < 0)
		return NULL;
	if (hive_begin(h, 0x01db8cdd00000000ULL, NULL) == 0)
		return h;
	hive_close(h);
	return NULL;
}

static void run(struct memdev dev[3], struct reader *r)
{
	uint32_t len = reader_le32(r);
	unsigned form = reader_u8(r);
	uint16_t fail = reader_le16(r);
	struct hive *h = reader_ok(r) ? start(dev, r, len, form) : NULL, *two = NULL;
	struct err e = ERR_INIT;
	if (!h)
		return;
	uint64_t leaked = sound(h), after = leaked;
	fail_in = fail ? fail : -1;
	for (unsigned i = 0; i < 40 && edit(h, r); i++)
		;
	bool whole = !h->broken;
	int ret = hive_commit(h, NULL);
	fail_in = -1;
	if (!whole && ret == 0)
		abort(); /* a half edit was written */
	if (whole)
		after = sound(h);
	if (whole && after > leaked)
		abort();
	if (hive_open(&two, &dev[0].dev, &dev[1].dev, &dev[2].dev, 0, &e) < 0)
		abort();
	if (sound(two) > leaked)
		abort();
	if (ret == 0 && (two->len != h->len || memcmp(two->bins, h->bins, h->len) != 0))
		abort();
	hive_close(two);
	hive_close(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memdev dev[3];
	struct reader r;
	if (size > 1 << 19)
		return 0;
	for (int i = 0; i < 3; i++)
		memdev_init(&dev[i], "DEV", NULL, i);
	reader_init(&r, data, size);
	run(dev, &r);
	for (int i = 0; i < 3; i++)
		buf_clear(&dev[i].data);
	return 0;
}
