/* The image: base block, bins, and the maps that say where cells are and what changed. */
#include "hive/hive_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

uint32_t base_sum(const uint8_t *b)
{
	uint32_t x = 0;
	for (size_t i = 0; i < BB_SUM; i += 4)
		x ^= rd32(b + i);
	return x == 0 ? 1 : x == 0xffffffffU ? 0xfffffffeU : x;
}

void base_seal(uint8_t *b)
{
	put_le32(b + BB_SUM, base_sum(b));
}

bool base_valid(const uint8_t *b)
{
	return memcmp(b, "regf", 4) == 0 && base_sum(b) == rd32(b + BB_SUM);
}

void wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

int damaged(struct err *e, uint32_t at, const char *what)
{
	return err_set(e, ERR_INTEGRITY,
		"The hive was not changed. `hive check` lists every finding.",
		"hive is damaged at %#x: %s", at, what);
}

int edit_broken(struct hive *h, int ret)
{
	if (ret < 0)
		h->broken = true;
	return ret;
}

static int maps_reserve(struct hive *h, uint32_t cap, struct err *e)
{
	size_t words = cap / 512 + 1, bytes = cap / SECTOR / 8 + 1;
	size_t old_words = h->starts ? h->map_cap / 512 + 1 : 0;
	size_t old_bytes = h->dirty ? h->map_cap / SECTOR / 8 + 1 : 0;
	uint64_t *starts = calloc(words, sizeof *starts);
	uint8_t *dirty = calloc(bytes, 1);
	if (!starts || !dirty) {
		free(starts);
		free(dirty);
		return err_nomem(e);
	}
	if (old_words) {
		memcpy(starts, h->starts, old_words * sizeof *starts);
		memcpy(dirty, h->dirty, old_bytes);
	}
	free(h->starts);
	free(h->dirty);
	h->starts = starts;
	h->dirty = dirty;
	h->map_cap = cap;
	return 0;
}

/* Memory for the bins, not zeroed. Large hives ask for large pages: opening one touches every page.
 */
static uint8_t *bins_alloc(uint32_t cap)
{
	const uint32_t huge = 2U << 20;
	if (cap < 2 * huge)
		return malloc(cap);
	uint8_t *p = aligned_alloc(huge, (cap + huge - 1) & ~(size_t)(huge - 1));
#ifdef MADV_HUGEPAGE
	if (p)
		(void)madvise(p, cap & ~(size_t)(huge - 1), MADV_HUGEPAGE);
#endif
	return p;
}

/* Room for len bytes of bins. The old memory is wiped: it may hold secrets. */
int image_reserve(struct hive *h, uint32_t len, struct err *e)
{
	if (len > HIVE_SIZE_MAX)
		return err_set(e, ERR_LIMIT, "The hive was not changed.",
			"hive would grow beyond %u MiB", HIVE_SIZE_MAX >> 20);
	if (len <= h->cap)
		return 0;
	uint32_t cap = (len + len / 64 + 16 * PAGE) & ~(PAGE - 1);
	int ret = maps_reserve(h, cap, e);
	if (ret < 0)
		return ret;
	uint8_t *p = bins_alloc(cap);
	if (!p)
		return err_nomem(e);
	if (h->bins) {
		memcpy(p, h->bins, h->len);
		wipe(h->bins, h->len);
		free(h->bins);
	}
	h->bins = p;
	h->cap = cap;
	return 0;
}

void image_wipe(struct hive *h)
{
	if (h->bins)
		wipe(h->bins, h->len);
	free(h->bins);
	free(h->starts);
	free(h->dirty);
	for (size_t i = 0; i < FREE_CLASSES; i++)
		free(h->free_list[i].cell);
}

void image_touch(struct hive *h, uint32_t at, uint32_t n)
{
	if (n == 0)
		return;
	for (uint32_t s = at / SECTOR; s <= (at + n - 1) / SECTOR; s++)
		h->dirty[s / 8] |= (uint8_t)(1U << s % 8);
}

static int map_bin(struct hive *h, uint32_t at, uint32_t end, struct err *e)
{
	uint32_t p = at + BIN_HEADER;
	while (p < end) {
		int32_t size = (int32_t)rd32(h->bins + p);
		uint32_t n = size < 0 ? 0U - (uint32_t)size : (uint32_t)size;
		if (n < 8 || n % 8 || n > end - p)
			return damaged(e, p, "cell size is impossible");
		h->starts[p / 512] |= 1ULL << p / 8 % 64;
		p += n;
	}
	return 0;
}

/* Map the bins from *at on that end before `have`; *at is where the next one starts. */
int image_map_some(struct hive *h, uint32_t *at, uint32_t have, struct err *e)
{
	while (*at < have) {
		const uint8_t *b = h->bins + *at;
		if (have - *at < PAGE)
			return have == h->len ? damaged(e, *at, "no bin starts here") : 0;
		if (memcmp(b, "hbin", 4) != 0)
			return damaged(e, *at, "no bin starts here");
		uint32_t size = rd32(b + 8);
		if (rd32(b + 4) != *at)
			return damaged(e, *at, "bin has a wrong offset");
		if (size < PAGE || size % PAGE || size > h->len - *at)
			return damaged(e, *at, "bin size is impossible");
		if (size > have - *at)
			return 0;
		int ret = map_bin(h, *at, *at + size, e);
		if (ret < 0)
			return ret;
		*at += size;
	}
	return 0;
}

int image_map(struct hive *h, struct err *e)
{
	uint32_t at = 0;
	memset(h->starts, 0, (h->map_cap / 512 + 1) * sizeof *h->starts);
	return image_map_some(h, &at, h->len, e);
}
