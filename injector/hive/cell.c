/* Cells: bounded access, allocation, freeing with coalescing. */
#include "hive/hive_int.h"

#include <stdlib.h>
#include <string.h>

static uint32_t cell_size(const struct hive *h, uint32_t at, bool *used)
{
	uint32_t v = rd32(h->bins + at);
	*used = v >> 31;
	return *used ? 0U - v : v;
}

const uint8_t *cell_data(const struct hive *h, uint32_t at, uint32_t *n)
{
	bool used;
	if (!cell_starts(h, at))
		return NULL;
	uint32_t size = cell_size(h, at, &used);
	if (!used)
		return NULL;
	*n = size - 4;
	return h->bins + at + 4;
}

const uint8_t *cell_need(
	const struct hive *h, uint32_t at, uint32_t least, const char *what, struct err *e)
{
	uint32_t n;
	const uint8_t *p = cell_data(h, at, &n);
	if (p && n >= least)
		return p;
	err_set(e, ERR_INTEGRITY, "The hive was not changed. `hive check` lists every finding.",
		"hive is damaged at %#x: %s %s", at, what, p ? "is too small" : "is not in use");
	return NULL;
}

uint8_t *cell_edit(struct hive *h, uint32_t at, uint32_t off, uint32_t n)
{
	uint32_t have;
	if (!cell_data(h, at, &have) || off > have || n > have - off)
		return NULL;
	image_touch(h, at + 4 + off, n);
	return h->bins + at + 4 + off;
}

int cell_put32(struct hive *h, uint32_t at, uint32_t off, uint32_t v, struct err *e)
{
	uint8_t *p = cell_edit(h, at, off, 4);
	if (!p)
		return damaged(e, at, "record is too small");
	put_le32(p, v);
	return 0;
}

/* --- free space: lists by size class, entries checked when used --- */

/* 0..127 exact sizes 8..1024, then one class per power of two. */
static unsigned free_class(uint32_t size)
{
	if (size <= 1024)
		return size / 8 - 1;
	unsigned c = 128;
	for (uint32_t s = size >> 11; s; s >>= 1)
		c++;
	return c;
}

static int free_push(struct hive *h, uint32_t at, uint32_t size, struct err *e)
{
	struct free_list *l = &h->free_list[free_class(size)];
	if (l->n == l->cap) {
		uint32_t cap = l->cap ? l->cap * 2 : 64;
		uint32_t *p = realloc(l->cell, cap * sizeof *p);
		if (!p)
			return err_nomem(e);
		l->cell = p;
		l->cap = cap;
	}
	l->cell[l->n++] = at;
	return 0;
}

int cell_free_index(struct hive *h, struct err *e)
{
	for (size_t i = 0; i < FREE_CLASSES; i++)
		h->free_list[i].n = 0;
	for (uint32_t w = h->len / 512; w-- > 0;) {
		for (uint64_t bits = h->starts[w]; bits;) {
			unsigned bit = 63U - (unsigned)__builtin_clzll(bits);
			bits &= ~(1ULL << bit);
			uint32_t at = w * 512 + bit * 8;
			bool used;
			uint32_t size = cell_size(h, at, &used);
			if (used)
				continue;
			int ret = free_push(h, at, size, e);
			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

/* A free cell of at least `need` bytes, taken off its list. Stale entries are dropped on the way.
 */
static bool free_take(struct hive *h, uint32_t need, uint32_t *at, uint32_t *size)
{
	for (unsigned c = free_class(need); c < FREE_CLASSES; c++) {
		struct free_list *l = &h->free_list[c];
		for (uint32_t i = l->n; i-- > 0;) {
			uint32_t cell = l->cell[i];
			bool used = true;
			uint32_t n = cell_starts(h, cell) ? cell_size(h, cell, &used) : 0;
			bool stale = used || free_class(n) != c;
			if (!stale && n < need)
				continue;
			l->cell[i] = l->cell[--l->n];
			if (stale)
				continue;
			*at = cell;
			*size = n;
			return true;
		}
	}
	return false;
}

static void put_size(struct hive *h, uint32_t at, uint32_t size, bool used)
{
	put_le32(h->bins + at, used ? 0U - size : size);
	image_touch(h, at, 4);
}

static void start_set(struct hive *h, uint32_t at)
{
	h->starts[at / 512] |= 1ULL << at / 8 % 64;
}

static void start_clear(struct hive *h, uint32_t at)
{
	h->starts[at / 512] &= ~(1ULL << at / 8 % 64);
}

static int append_bin(struct hive *h, uint32_t need, struct err *e)
{
	uint32_t size = (need + BIN_HEADER + PAGE - 1) & ~(PAGE - 1), at = h->len;
	int ret = image_reserve(h, at + size, e);
	if (ret < 0)
		return ret;
	uint8_t *b = h->bins + at;
	memset(b, 0, size);
	memcpy(b, "hbin", 4);
	put_le32(b + 4, at);
	put_le32(b + 8, size);
	h->len = at + size;
	put_le32(h->base + BB_LENGTH, h->len);
	base_seal(h->base);
	put_size(h, at + BIN_HEADER, size - BIN_HEADER, false);
	start_set(h, at + BIN_HEADER);
	image_touch(h, at, size);
	return free_push(h, at + BIN_HEADER, size - BIN_HEADER, e);
}

int cell_alloc(struct hive *h, uint32_t n, uint32_t *at, struct err *e)
{
	if (n > HIVE_SIZE_MAX)
		return err_set(e, ERR_LIMIT, "The hive was not changed.", "record of %u bytes", n);
	uint32_t need = (n + 4 + 7) & ~7U, size = 0;
	if (!free_take(h, need, at, &size)) {
		int ret = append_bin(h, need, e);
		if (ret < 0)
			return ret;
		if (!free_take(h, need, at, &size))
			return damaged(e, h->len, "no free cell in a new bin");
	}
	if (size > need) {
		put_size(h, *at + need, size - need, false);
		start_set(h, *at + need);
		int ret = free_push(h, *at + need, size - need, e);
		if (ret < 0)
			return ret;
	}
	put_size(h, *at, need, true);
	memset(h->bins + *at + 4, 0, need - 4);
	image_touch(h, *at, need);
	return 0;
}

/* The cell that ends where `at` starts, if it is in the same bin and free. */
static bool free_before(const struct hive *h, uint32_t at, uint32_t *before, uint32_t *size)
{
	uint32_t bit = at / 8;
	uint32_t w = bit / 64;
	uint64_t bits = bit % 64 ? h->starts[w] & (~0ULL >> (64 - bit % 64)) : 0;
	while (bits == 0) {
		if (w == 0)
			return false;
		bits = h->starts[--w];
	}
	*before = w * 512 + (63U - (unsigned)__builtin_clzll(bits)) * 8;
	bool used;
	*size = cell_size(h, *before, &used);
	return !used && *before + *size == at;
}

int cell_free(struct hive *h, uint32_t at, struct err *e)
{
	uint32_t n;
	if (!cell_data(h, at, &n))
		return damaged(e, at, "cell to be freed is not in use");
	uint32_t size = n + 4, before, more;
	wipe(h->bins + at + 4, n);
	image_touch(h, at, size);

	uint32_t next = at + size;
	bool used;
	if (cell_starts(h, next)) {
		more = cell_size(h, next, &used);
		if (!used) {
			start_clear(h, next);
			put_le32(h->bins + next, 0);
			image_touch(h, next, 4);
			size += more;
		}
	}
	if (free_before(h, at, &before, &more)) {
		start_clear(h, at);
		put_le32(h->bins + at, 0);
		at = before;
		size += more;
	}
	put_size(h, at, size, false);
	return free_push(h, at, size, e);
}
