/*
 * Subkey lists: insertion at the sorted place, growth, splits, removal.
 *
 * Leaves keep their kind: lh in hives of minor 5 and up, lf below, which turns
 * into li when it is full. A full leaf becomes two halves under an ri index.
 */
#include "hive/hive_int.h"

#include <string.h>

static int name_of(const struct hive *h, uint32_t key, struct hive_name *name, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	uint32_t n;
	if (!nk)
		return -ERR_INTEGRITY;
	cell_data(h, key, &n);
	key_name(nk, n, name);
	return 0;
}

static void put_entry(char kind, uint8_t *to, uint32_t child, const struct hive_name *name)
{
	put_le32(to, child);
	if (kind == 'h')
		put_le32(to + 4, name_hash(name));
	else if (kind == 'f')
		put_le32(to + 4, name_hint(name));
}

/* First position whose name is not below `name`. */
static int leaf_place(const struct hive *h, const struct leaf *l, const struct hive_name *name,
	uint32_t *pos, struct err *e)
{
	uint32_t lo = 0, hi = l->count;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct hive_name other;
		int ret = name_of(h, le32(l->p + (size_t)mid * l->width), &other, e);
		if (ret < 0)
			return ret;
		int d = name_cmp(&other, name);
		if (d == 0)
			return err_set(e, ERR_EXISTS, NULL, "the key exists already");
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*pos = lo;
	return 0;
}

static int leaf_new(struct hive *h, char kind, uint32_t count, uint32_t *at, struct err *e)
{
	int ret = cell_alloc(h, 4 + count * (kind == 'i' ? 4U : 8U), at, e);
	if (ret < 0)
		return ret;
	uint8_t *p = cell_edit(h, *at, 0, 4);
	p[0] = 'l';
	p[1] = (uint8_t)kind;
	put_le16(p + 2, (uint16_t)count);
	return 0;
}

/* Insert at pos: in place when the cell has room, else in a larger cell (*at changes). */
static int leaf_insert(struct hive *h, uint32_t *at, uint32_t pos, uint32_t child, struct err *e)
{
	struct leaf l;
	struct hive_name name;
	uint32_t n;
	int ret = leaf_open(h, *at, &l, e);
	if (ret < 0)
		return ret;
	uint32_t w = l.width, old = *at;
	cell_data(h, old, &n);
	if (4 + (l.count + 1U) * w > n) {
		ret = leaf_new(h, l.kind, l.count + 1U, at, e);
		if (ret < 0)
			return ret;
		uint8_t *to = cell_edit(h, *at, 4, (l.count + 1U) * w);
		ret = leaf_open(h, old, &l, e);
		if (ret < 0)
			return ret;
		memcpy(to, l.p, (size_t)pos * w);
		memcpy(to + (size_t)(pos + 1) * w, l.p + (size_t)pos * w,
			(size_t)(l.count - pos) * w);
		ret = cell_free(h, old, e);
	} else {
		uint8_t *p = cell_edit(h, old, 2, 2 + (l.count + 1U) * w);
		put_le16(p, (uint16_t)(l.count + 1));
		memmove(p + 2 + (size_t)(pos + 1) * w, p + 2 + (size_t)pos * w,
			(size_t)(l.count - pos) * w);
	}
	if (ret == 0)
		ret = name_of(h, child, &name, e);
	uint8_t *en = cell_edit(h, *at, 4 + pos * w, w);
	if (ret < 0 || !en)
		return ret < 0 ? ret : damaged(e, *at, "subkey list is too small");
	put_entry(l.kind, en, child, &name);
	return 0;
}

/* Copy entries [from, to) of a leaf into a new leaf of `kind`. */
static int leaf_copy(struct hive *h, uint32_t src, char kind, uint32_t from, uint32_t to,
	uint32_t *at, struct err *e)
{
	int ret = leaf_new(h, kind, to - from, at, e);
	for (uint32_t i = from; ret == 0 && i < to; i++) {
		struct leaf l;
		struct hive_name name;
		ret = leaf_open(h, src, &l, e);
		uint32_t child = ret < 0 ? NIL : le32(l.p + (size_t)i * l.width);
		if (ret == 0)
			ret = name_of(h, child, &name, e);
		uint32_t w = kind == 'i' ? 4 : 8;
		if (ret == 0)
			put_entry(kind, cell_edit(h, *at, 4 + (i - from) * w, w), child, &name);
	}
	return ret;
}

/* Make room in a full leaf: lf turns into li, others split. *second is NIL unless split. */
static int leaf_relieve(struct hive *h, uint32_t *at, uint32_t *second, struct err *e)
{
	struct leaf l;
	uint32_t old = *at, a, b = NIL;
	*second = NIL;
	int ret = leaf_open(h, old, &l, e);
	if (ret < 0)
		return ret;
	if (l.kind == 'f') {
		if (l.count < LF_MAX)
			return 0;
		ret = leaf_copy(h, old, 'i', 0, l.count, &a, e);
	} else {
		if (l.count < LEAF_MAX)
			return 0;
		uint32_t half = l.count / 2;
		char kind = l.kind;
		uint32_t count = l.count;
		ret = leaf_copy(h, old, kind, 0, half, &a, e);
		if (ret == 0)
			ret = leaf_copy(h, old, kind, half, count, &b, e);
	}
	if (ret == 0)
		ret = cell_free(h, old, e);
	*at = a;
	*second = b;
	return ret;
}

static bool is_index(const struct hive *h, uint32_t list)
{
	uint32_t n;
	const uint8_t *p = cell_data(h, list, &n);
	return p && n >= 4 && memcmp(p, "ri", 2) == 0;
}

static int index_new(struct hive *h, uint32_t a, uint32_t b, uint32_t *at, struct err *e)
{
	int ret = cell_alloc(h, 12, at, e);
	if (ret < 0)
		return ret;
	uint8_t *p = cell_edit(h, *at, 0, 12);
	put_sig(p, "ri");
	put_le16(p + 2, 2);
	put_le32(p + 4, a);
	put_le32(p + 8, b);
	return 0;
}

/* Add leaf `b` behind leaf number i of an ri index. */
static int index_grow(struct hive *h, uint32_t *list, uint32_t i, uint32_t b, struct err *e)
{
	uint32_t n, at;
	const uint8_t *p = cell_data(h, *list, &n);
	uint32_t count = le16(p + 2);
	int ret = cell_alloc(h, 4 + 4 * (count + 1), &at, e);
	if (ret < 0)
		return ret;
	p = cell_data(h, *list, &n);
	uint8_t *to = cell_edit(h, at, 0, 4 + 4 * (count + 1));
	put_sig(to, "ri");
	put_le16(to + 2, (uint16_t)(count + 1));
	memcpy(to + 4, p + 4, 4 * (size_t)(i + 1));
	put_le32(to + 4 + 4 * (size_t)(i + 1), b);
	memcpy(to + 8 + 4 * (size_t)(i + 1), p + 4 + 4 * (size_t)(i + 1),
		4 * (size_t)(count - i - 1));
	ret = cell_free(h, *list, e);
	*list = at;
	return ret;
}

/* Number of the leaf a name belongs into. */
static int index_choose(const struct hive *h, uint32_t list, const struct hive_name *name,
	uint32_t *which, struct err *e)
{
	uint32_t count = 1;
	*which = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct leaf l;
		struct hive_name first;
		int ret = list_leaf(h, list, i, &count, &l, e);
		if (ret == 0 && l.count == 0)
			continue;
		if (ret == 0)
			ret = name_of(h, le32(l.p), &first, e);
		if (ret < 0)
			return ret;
		if (name_cmp(&first, name) > 0)
			break;
		*which = i;
	}
	return 0;
}

static int set_leaf(struct hive *h, uint32_t *list, uint32_t i, uint32_t leaf, struct err *e)
{
	if (is_index(h, *list))
		return cell_put32(h, *list, 4 + 4 * i, leaf, e);
	*list = leaf;
	return 0;
}

static int list_insert(struct hive *h, uint32_t *list, uint32_t child, struct err *e)
{
	struct hive_name name;
	struct leaf l;
	uint32_t which = 0, count, pos = 0, second = NIL;
	int ret = name_of(h, child, &name, e);
	if (ret == 0)
		ret = index_choose(h, *list, &name, &which, e);
	if (ret == 0)
		ret = list_leaf(h, *list, which, &count, &l, e);
	uint32_t at = ret == 0 ? l.cell : NIL;
	if (ret == 0)
		ret = leaf_relieve(h, &at, &second, e);
	if (ret == 0 && at != l.cell)
		ret = set_leaf(h, list, which, at, e);
	if (ret == 0 && second != NIL) {
		ret = is_index(h, *list) ? index_grow(h, list, which, second, e)
					 : index_new(h, at, second, list, e);
		if (ret == 0) /* choose again between the halves */
			return list_insert(h, list, child, e);
	}
	if (ret == 0)
		ret = leaf_open(h, at, &l, e);
	if (ret == 0)
		ret = name_of(h, child, &name, e);
	if (ret == 0)
		ret = leaf_place(h, &l, &name, &pos, e);
	uint32_t before = at;
	if (ret == 0)
		ret = leaf_insert(h, &at, pos, child, e);
	if (ret == 0 && at != before)
		ret = set_leaf(h, list, which, at, e);
	return ret;
}

int index_insert(struct hive *h, uint32_t key, uint32_t child, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	int ret;
	if (!nk)
		return -ERR_INTEGRITY;
	uint32_t count = le32(nk + NK_SUBKEYS), list = le32(nk + NK_SUBLIST);
	if (count == 0) {
		char kind = le32(h->base + BB_MINOR) >= 5 ? 'h' : 'f';
		struct hive_name name;
		ret = leaf_new(h, kind, 1, &list, e);
		if (ret == 0)
			ret = name_of(h, child, &name, e);
		if (ret == 0)
			put_entry(kind, cell_edit(h, list, 4, 8), child, &name);
	} else {
		ret = list_insert(h, &list, child, e);
	}
	if (ret == 0)
		ret = cell_put32(h, key, NK_SUBLIST, list, e);
	if (ret == 0)
		ret = cell_put32(h, key, NK_SUBKEYS, count + 1, e);
	return ret;
}

/* --- removal --- */

static int index_drop(struct hive *h, uint32_t *list, uint32_t i, struct err *e)
{
	uint32_t n;
	const uint8_t *p = cell_data(h, *list, &n);
	uint32_t count = le16(p + 2);
	if (count == 1) {
		int ret = cell_free(h, *list, e);
		*list = NIL;
		return ret;
	}
	uint8_t *w = cell_edit(h, *list, 2, 2 + 4 * count);
	put_le16(w, (uint16_t)(count - 1));
	memmove(w + 2 + 4 * (size_t)i, w + 6 + 4 * (size_t)i, 4 * (size_t)(count - i - 1));
	memset(w + 2 + 4 * (size_t)(count - 1), 0, 4);
	return 0;
}

static int leaf_remove(struct hive *h, uint32_t *list, uint32_t i, const struct leaf *l,
	uint32_t pos, struct err *e)
{
	if (l->count > 1) {
		uint32_t w = l->width, n = l->count;
		uint8_t *p = cell_edit(h, l->cell, 2, 2 + n * w);
		put_le16(p, (uint16_t)(n - 1));
		memmove(p + 2 + (size_t)pos * w, p + 2 + (size_t)(pos + 1) * w,
			(size_t)(n - pos - 1) * w);
		memset(p + 2 + (size_t)(n - 1) * w, 0, w);
		return 0;
	}
	bool alone = !is_index(h, *list);
	int ret = cell_free(h, l->cell, e);
	if (alone)
		*list = NIL;
	else if (ret == 0)
		ret = index_drop(h, list, i, e);
	return ret;
}

int index_remove(struct hive *h, uint32_t key, uint32_t child, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	if (!nk)
		return -ERR_INTEGRITY;
	uint32_t total = le32(nk + NK_SUBKEYS), list = le32(nk + NK_SUBLIST), leaves = 1;
	for (uint32_t i = 0; total && i < leaves; i++) {
		struct leaf l;
		int ret = list_leaf(h, list, i, &leaves, &l, e);
		if (ret < 0)
			return ret;
		for (uint32_t k = 0; k < l.count; k++) {
			if (le32(l.p + (size_t)k * l.width) != child)
				continue;
			ret = leaf_remove(h, &list, i, &l, k, e);
			if (ret == 0)
				ret = cell_put32(h, key, NK_SUBLIST, list, e);
			return ret == 0 ? cell_put32(h, key, NK_SUBKEYS, total - 1, e) : ret;
		}
	}
	return damaged(e, child, "key is missing in its parent's list");
}
