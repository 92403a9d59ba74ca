/* Structure check of one key: node, values, subkey lists. */
#include "hive/check.h"

#include <stdlib.h>
#include <string.h>

/* "in key \A\B" for messages, or an empty text. */
static char *where(struct checker *c, uint32_t key)
{
	return c->found ? hive_key_path(c->h, key) : NULL;
}

#define KEY_FINDING(c, level, key, fmt, ...)                                                       \
	do {                                                                                       \
		CLEANUP(freep) char *where_ = where((c), (key));                                   \
		finding((c), (level), (key), fmt " (key \"%s\")", __VA_ARGS__,                     \
			where_ ? where_ : "?");                                                    \
	} while (0)

static const uint8_t *check_nk(
	struct checker *c, uint32_t at, uint32_t parent, struct hive_name *name)
{
	uint32_t n;
	const uint8_t *nk = cell_data(c->h, at, &n);
	if (!nk || n < NK_NAME || memcmp(nk, "nk", 2) != 0) {
		KEY_FINDING(c, HIVE_ERROR, parent == NIL ? at : parent,
			"key %#x is not a key record", at);
		return NULL;
	}
	if (!key_name(nk, n, name)) {
		finding(c, HIVE_ERROR, at, "key name does not fit its record");
		return NULL;
	}
	return nk;
}

/* --- values --- */

static void check_big(struct checker *c, uint32_t key, uint32_t at, uint32_t size)
{
	uint32_t n;
	const uint8_t *db = checked_cell(c, at, 8, true, &n, key, "big value");
	if (!db)
		return;
	if (memcmp(db, "db", 2) != 0) {
		KEY_FINDING(c, HIVE_ERROR, key, "value of %u bytes has no big value record", size);
		return;
	}
	c->out->big_values++;
	uint32_t count = rd16(db + 2), left = size;
	const uint8_t *list =
		checked_cell(c, rd32(db + 4), 4 * count, true, &n, key, "big value list");
	for (uint32_t i = 0; list && i < count; i++) {
		uint32_t want = left < BIG_SEGMENT ? left : BIG_SEGMENT;
		checked_cell(c, rd32(list + 4 * (size_t)i), want, true, &n, key, "big value part");
		left -= want;
	}
	if (list && (left || count != (size + BIG_SEGMENT - 1) / BIG_SEGMENT))
		KEY_FINDING(c, HIVE_ERROR, key, "big value of %u bytes has %u parts", size, count);
}

static void check_data(struct checker *c, uint32_t key, const uint8_t *vk, uint32_t *size)
{
	uint32_t data = rd32(vk + VK_DATA), n;
	*size = rd32(vk + VK_SIZE);
	if (*size & VK_INLINE) {
		*size &= ~VK_INLINE;
		if (*size > 4)
			KEY_FINDING(c, HIVE_ERROR, key, "value claims %u bytes in place", *size);
	} else if (*size > BIG_SEGMENT && rd32(c->h->base + BB_MINOR) >= BIG_MINOR) {
		check_big(c, key, data, *size);
	} else if (*size) {
		checked_cell(c, data, *size, true, &n, key, "value data");
	}
}

static int by_hash(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* Most keys have a handful of values. */
static void sort_pairs(uint32_t *pair, size_t n)
{
	if (n > 24) {
		qsort(pair, n, 8, by_hash);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		uint32_t hash = pair[2 * i], cell = pair[2 * i + 1];
		size_t k = i;
		for (; k && pair[2 * k - 2] > hash; k--)
			memcpy(pair + 2 * k, pair + 2 * k - 2, 8);
		pair[2 * k] = hash;
		pair[2 * k + 1] = cell;
	}
}

static void check_twice(struct checker *c, uint32_t key, const uint32_t *pair, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n && pair[2 * k] == pair[2 * i]; k++) {
			struct hive_name a, b;
			uint32_t len;
			const uint8_t *vk = cell_data(c->h, pair[2 * i + 1], &len);
			if (!vk || !value_name(vk, len, &a))
				continue;
			vk = cell_data(c->h, pair[2 * k + 1], &len);
			if (vk && value_name(vk, len, &b) && name_cmp(&a, &b) == 0)
				KEY_FINDING(c, HIVE_ERROR, key, "value %#x has the name of %#x",
					pair[2 * k + 1], pair[2 * i + 1]);
		}
	}
}

static int check_values(struct checker *c, uint32_t key, const uint8_t *nk, struct err *e)
{
	uint32_t count = rd32(nk + NK_VALUES), n, max_name = 0, max_data = 0;
	if (rd16(nk + NK_FLAGS) & KEY_PREDEFINED || count == 0)
		return 0;
	if (count > c->h->len / 4) {
		KEY_FINDING(c, HIVE_ERROR, key, "value count %u is impossible", count);
		return 0;
	}
	const uint8_t *list =
		checked_cell(c, rd32(nk + NK_VALLIST), 4 * count, true, &n, key, "value list");
	if (!list)
		return 0;
	c->names.len = 0;
	uint8_t *room;
	int ret = buf_grow(&c->names, 8 * (size_t)count, &room, e);
	if (ret < 0)
		return ret;
	uint32_t *pair = (uint32_t *)(void *)c->names.p;
	size_t named = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = rd32(list + 4 * (size_t)i), size;
		struct hive_name name;
		const uint8_t *vk = checked_cell(c, at, VK_NAME, true, &n, key, "value");
		if (!vk)
			continue;
		if (memcmp(vk, "vk", 2) != 0 || !value_name(vk, n, &name)) {
			KEY_FINDING(c, HIVE_ERROR, key, "%#x is not a value record", at);
			continue;
		}
		c->out->values++;
		c->out->layered += (rd16(vk + VK_FLAGS) & VALUE_TOMBSTONE) != 0;
		check_data(c, key, vk, &size);
		uint32_t len = 2 * (uint32_t)hive_name_len(&name);
		max_name = len > max_name ? len : max_name;
		max_data = size > max_data ? size : max_data;
		pair[2 * named] = name_hash(&name);
		pair[2 * named++ + 1] = at;
	}
	sort_pairs(pair, named);
	check_twice(c, key, pair, named);
	if (max_name > rd32(nk + NK_MAX_VNAME))
		KEY_FINDING(c, HIVE_WARN, key, "longest value name is recorded as %u, is %u",
			rd32(nk + NK_MAX_VNAME), max_name);
	if (max_data > rd32(nk + NK_MAX_VDATA))
		KEY_FINDING(c, HIVE_WARN, key, "largest value is recorded as %u, is %u",
			rd32(nk + NK_MAX_VDATA), max_data);
	return 0;
}

/* --- subkeys --- */

struct kids {
	struct checker *c;
	uint32_t key, depth, count;
	struct hive_name last;
	bool any;
	uint32_t max_name, max_class;
};

static void check_entry(
	struct kids *k, const struct leaf *l, const uint8_t *en, const struct hive_name *name)
{
	if (k->any && name_cmp(&k->last, name) >= 0)
		KEY_FINDING(k->c, HIVE_ERROR, k->key, "subkey %#x is out of order or there twice",
			rd32(en));
	if (l->kind == 'h' && rd32(en + 4) != name_hash(name))
		KEY_FINDING(k->c, HIVE_ERROR, k->key, "hash of subkey %#x is %08x, must be %08x",
			rd32(en), rd32(en + 4), name_hash(name));
	if (l->kind == 'f' && rd32(en + 4) != name_hint(name)) {
		for (size_t i = 0; i < 4 && i < hive_name_len(name); i++)
			if (hive_name_unit(name, i) > 0xff)
				return;
		KEY_FINDING(k->c, HIVE_WARN, k->key, "hint of subkey %#x is %08x, must be %08x",
			rd32(en), rd32(en + 4), name_hint(name));
	}
}

static int check_leaf(struct kids *k, const struct leaf *l, struct err *e)
{
	struct checker *c = k->c;
	if (l->kind == 'h' && rd32(c->h->base + BB_MINOR) < 5)
		KEY_FINDING(c, HIVE_ERROR, k->key, "hashed list in a version 1.%u hive",
			rd32(c->h->base + BB_MINOR));
	k->count += l->count;
	for (uint32_t i = 0; i < l->count; i++) {
		const uint8_t *en = l->p + (size_t)i * l->width;
		struct hive_name name;
		const uint8_t *nk = check_nk(c, rd32(en), k->key, &name);
		if (!nk)
			continue;
		check_entry(k, l, en, &name);
		k->last = name;
		k->any = true;
		uint32_t len = 2 * (uint32_t)hive_name_len(&name), cls = rd16(nk + NK_CLASS_LEN);
		k->max_name = len > k->max_name ? len : k->max_name;
		k->max_class = cls > k->max_class ? cls : k->max_class;
		int ret = check_push(c, rd32(en), k->key, k->depth + 1, e);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int check_one_leaf(struct kids *k, uint32_t at, struct err *e)
{
	struct err why = ERR_INIT;
	struct leaf l;
	uint32_t n;
	if (!checked_cell(k->c, at, 4, true, &n, k->key, "subkey list"))
		return 0;
	if (leaf_open(k->c->h, at, &l, &why) < 0) {
		KEY_FINDING(k->c, HIVE_ERROR, k->key, "%s", why.what);
		return 0;
	}
	return check_leaf(k, &l, e);
}

static int check_list(struct kids *k, uint32_t list, struct err *e)
{
	uint32_t n;
	const uint8_t *p = cell_data(k->c->h, list, &n);
	if (!p || n < 4 || memcmp(p, "ri", 2) != 0)
		return check_one_leaf(k, list, e);
	checked_cell(k->c, list, 4, true, &n, k->key, "subkey index");
	uint32_t leaves = rd16(p + 2);
	if (4 * leaves > n - 4) {
		KEY_FINDING(
			k->c, HIVE_ERROR, k->key, "subkey index is too small for %u lists", leaves);
		return 0;
	}
	int ret = 0;
	for (uint32_t i = 0; ret == 0 && i < leaves; i++)
		ret = check_one_leaf(k, rd32(p + 4 + 4 * (size_t)i), e);
	return ret;
}

static int check_subkeys(
	struct checker *c, const struct check_item *it, const uint8_t *nk, struct err *e)
{
	uint32_t want = rd32(nk + NK_SUBKEYS);
	struct kids k = {.c = c, .key = it->cell, .depth = it->depth};
	if (want == 0)
		return 0;
	int ret = check_list(&k, rd32(nk + NK_SUBLIST), e);
	if (ret < 0)
		return ret;
	if (k.count != want)
		KEY_FINDING(c, HIVE_ERROR, it->cell, "%u subkeys are listed, %u counted", k.count,
			want);
	if (k.max_name > rd16(nk + NK_MAX_NAME))
		KEY_FINDING(c, HIVE_WARN, it->cell, "longest subkey name is recorded as %u, is %u",
			rd16(nk + NK_MAX_NAME), k.max_name);
	if (k.max_class > rd32(nk + NK_MAX_CLASS))
		KEY_FINDING(c, HIVE_WARN, it->cell, "longest subkey class is recorded as %u, is %u",
			rd32(nk + NK_MAX_CLASS), k.max_class);
	return 0;
}

/* --- the node --- */

static void check_flags(struct checker *c, const struct check_item *it, const uint8_t *nk)
{
	uint16_t flags = rd16(nk + NK_FLAGS);
	bool root = it->parent == NIL;
	if (flags & KEY_VOLATILE)
		KEY_FINDING(c, HIVE_WARN, it->cell, "volatile key (flags %#x) in a file", flags);
	if (root && !(flags & KEY_ENTRY))
		finding(c, HIVE_WARN, it->cell, "root key lacks its flag");
	if (!root && flags & KEY_ENTRY)
		KEY_FINDING(c, HIVE_ERROR, it->cell, "key has a root key's flag (%#x)", flags);
	if (!root && rd32(nk + NK_PARENT) != it->parent)
		finding(c, HIVE_ERROR, it->cell, "key names %#x as its parent, lies under %#x",
			rd32(nk + NK_PARENT), it->parent);
	c->out->layered += (nk[NK_LAYER] & 0x83) != 0;
}

static int check_links(
	struct checker *c, const struct check_item *it, const uint8_t *nk, struct err *e)
{
	uint32_t sk = rd32(nk + NK_SECURITY), cls = rd16(nk + NK_CLASS_LEN), n;
	if (cls)
		checked_cell(c, rd32(nk + NK_CLASS), cls, true, &n, it->cell, "class name");
	const uint8_t *p = checked_cell(c, sk, SK_SD, false, &n, it->cell, "security");
	if (!p)
		return 0;
	if (memcmp(p, "sk", 2) != 0) {
		KEY_FINDING(c, HIVE_ERROR, it->cell, "security record %#x is of another kind", sk);
		return 0;
	}
	return check_sk_count(c, sk, e);
}

int check_key(struct checker *c, const struct check_item *it, struct err *e)
{
	struct hive_name name;
	uint32_t n;
	const uint8_t *nk = check_nk(c, it->cell, it->parent, &name);
	if (!nk)
		return 0;
	bool seen = check_seen(c, it->cell);
	checked_cell(c, it->cell, NK_NAME, true, &n, it->cell, "key");
	c->out->keys++;
	if (it->depth > HIVE_DEPTH_MAX) {
		finding(c, HIVE_ERROR, it->cell, "key lies more than %d levels deep",
			HIVE_DEPTH_MAX);
		return 0;
	}
	check_flags(c, it, nk);
	int ret = check_links(c, it, nk, e);
	if (seen) /* reported; going down again could go on for ever */
		return ret;
	if (ret == 0)
		ret = check_values(c, it->cell, nk, e);
	return ret == 0 ? check_subkeys(c, it, nk, e) : ret;
}
