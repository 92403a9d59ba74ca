/* Edits of values, and what every edit begins with. */
#include "hive/hive_int.h"

#include <stdlib.h>
#include <string.h>

int hive_begin(struct hive *h, uint64_t now, struct err *e)
{
	struct hive_check c;
	h->now = now;
	if (h->editing)
		return 0;
	if (h->was_dirty && h->flags & HIVE_AS_IS)
		return err_set(e, ERR_UNSAFE, "Nothing was changed.",
			"hive was not closed cleanly and was opened without its logs");
	int ret = hive_check(h, NULL, NULL, &c, e);
	if (ret < 0)
		return ret;
	if (c.errors)
		return err_set(e, ERR_INTEGRITY,
			"Nothing was changed. `hive check` lists every finding.",
			"hive has %llu structure errors", (unsigned long long)c.errors);
	if (c.layered) {
		h->layered = true;
		return err_set(e, ERR_UNSUPPORTED, "Nothing was changed.",
			"hive holds layered keys (a container's difference hive)");
	}
	ret = cell_free_index(h, e);
	if (ret == 0)
		h->editing = true;
	return ret;
}

int edit_ready(struct hive *h, struct err *e)
{
	if (h->broken)
		return err_set(e, ERR_REFUSED, "The files are as they were at the last commit.",
			"an earlier edit of this hive failed half-way");
	if (!h->editing)
		return err_set(e, ERR_REFUSED, NULL, "hive_begin() was not called");
	return 0;
}

/* --- data --- */

static int big_alloc(struct hive *h, const uint8_t *p, uint32_t n, uint32_t *at, struct err *e)
{
	uint32_t count = (n + BIG_SEGMENT - 1) / BIG_SEGMENT, list, part;
	int ret = cell_alloc(h, 8, at, e);
	if (ret == 0)
		ret = cell_alloc(h, 4 * count, &list, e);
	if (ret < 0)
		return ret;
	uint8_t *db = cell_edit(h, *at, 0, 8);
	put_sig(db, "db");
	put_le16(db + 2, (uint16_t)count);
	put_le32(db + 4, list);
	for (uint32_t i = 0; ret == 0 && i < count; i++) {
		/* Windows gives the last part a cell as large as the others', and some readers
		 * depend on it: all 24 in the real hives are so. */
		uint32_t len = n < BIG_SEGMENT ? n : BIG_SEGMENT;
		ret = cell_alloc(h, BIG_SEGMENT, &part, e);
		if (ret == 0)
			ret = cell_put32(h, list, 4 * i, part, e);
		if (ret == 0)
			memcpy(cell_edit(h, part, 0, len), p, len);
		p += len;
		n -= len;
	}
	return ret;
}

static int data_alloc(struct hive *h, const void *p, uint32_t n, uint32_t *at, struct err *e)
{
	if (n > BIG_SEGMENT && le32(h->base + BB_MINOR) >= BIG_MINOR)
		return big_alloc(h, p, n, at, e);
	int ret = cell_alloc(h, n, at, e);
	if (ret == 0)
		memcpy(cell_edit(h, *at, 0, n), p, n);
	return ret;
}

static int big_free(struct hive *h, uint32_t at, struct err *e)
{
	uint32_t n;
	const uint8_t *db = cell_need(h, at, 8, "big value", e);
	if (!db)
		return -ERR_INTEGRITY;
	uint32_t count = le16(db + 2), list = le32(db + 4);
	int ret = cell_free(h, at, e);
	for (uint32_t i = 0; ret == 0 && i < count; i++) {
		const uint8_t *p = cell_data(h, list, &n);
		if (!p || n < 4 * (i + 1))
			return damaged(e, list, "big value's list");
		ret = cell_free(h, le32(p + 4 * (size_t)i), e);
	}
	return ret == 0 ? cell_free(h, list, e) : ret;
}

static int data_free(struct hive *h, uint32_t size, uint32_t data, struct err *e)
{
	if (size == 0 || size & VK_INLINE)
		return 0;
	if (size > BIG_SEGMENT && le32(h->base + BB_MINOR) >= BIG_MINOR)
		return big_free(h, data, e);
	return cell_free(h, data, e);
}

int value_free(struct hive *h, uint32_t vk, struct err *e)
{
	const uint8_t *p = cell_need(h, vk, VK_NAME, "value", e);
	if (!p)
		return -ERR_INTEGRITY;
	int ret = data_free(h, le32(p + VK_SIZE), le32(p + VK_DATA), e);
	return ret == 0 ? cell_free(h, vk, e) : ret;
}

/* The old cell serves again when the new data fits and would not leave more than half unused. */
static bool fits_old(const struct hive *h, uint32_t size, uint32_t data, size_t n)
{
	uint32_t have;
	if (size == 0 || size & VK_INLINE || n <= 4 || !cell_data(h, data, &have))
		return false;
	if (le32(h->base + BB_MINOR) >= BIG_MINOR && (size > BIG_SEGMENT || n > BIG_SEGMENT))
		return false;
	return n <= have && n >= have / 2;
}

static int put_data(
	struct hive *h, uint32_t vk, uint32_t type, const void *data, uint32_t n, struct err *e)
{
	const uint8_t *p = cell_need(h, vk, VK_NAME, "value", e);
	if (!p)
		return -ERR_INTEGRITY;
	uint32_t old_size = le32(p + VK_SIZE), old = le32(p + VK_DATA), at = NIL, have;
	int ret = 0;
	if (fits_old(h, old_size, old, n)) {
		cell_data(h, old, &have);
		uint8_t *to = cell_edit(h, old, 0, have);
		wipe(to, have);
		memcpy(to, data, n);
		at = old;
	} else {
		if (n > 4)
			ret = data_alloc(h, data, n, &at, e);
		if (ret == 0)
			ret = data_free(h, old_size, old, e);
	}
	uint8_t *w = cell_edit(h, vk, 0, VK_NAME);
	if (ret < 0 || !w)
		return ret < 0 ? ret : damaged(e, vk, "value record");
	put_le32(w + VK_SIZE, n <= 4 ? n | VK_INLINE : n); /* no data is "0 bytes in place" */
	put_le32(w + VK_DATA, n <= 4 ? 0 : at);
	if (n && n <= 4)
		memcpy(w + VK_DATA, data, n);
	put_le32(w + VK_TYPE, type);
	return 0;
}

/* --- set --- */

static int list_append(struct hive *h, uint32_t key, uint32_t vk, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	if (!nk)
		return -ERR_INTEGRITY;
	uint32_t count = le32(nk + NK_VALUES), list = le32(nk + NK_VALLIST), have = 0, at = list;
	int ret = 0;
	if (count && !cell_data(h, list, &have))
		return damaged(e, key, "value list is not in use");
	if (count == 0 || have / 4 < count + 1) {
		ret = cell_alloc(h, 4 * (count + 1), &at, e);
		const uint8_t *from = count ? cell_data(h, list, &have) : NULL;
		if (ret == 0 && from)
			memcpy(cell_edit(h, at, 0, 4 * count), from, 4 * (size_t)count);
		if (ret == 0 && from)
			ret = cell_free(h, list, e);
	}
	if (ret == 0)
		ret = cell_put32(h, at, 4 * count, vk, e);
	if (ret == 0)
		ret = cell_put32(h, key, NK_VALLIST, at, e);
	return ret == 0 ? cell_put32(h, key, NK_VALUES, count + 1, e) : ret;
}

static int value_new(
	struct hive *h, uint32_t key, const struct hive_name *name, uint32_t *vk, struct err *e)
{
	uint32_t n = (uint32_t)name_store_len(name);
	int ret = cell_alloc(h, VK_NAME + n, vk, e);
	if (ret < 0)
		return ret;
	uint8_t *p = cell_edit(h, *vk, 0, VK_NAME + n);
	put_sig(p, "vk");
	put_le16(p + VK_NAME_LEN, (uint16_t)n);
	put_le32(p + VK_SIZE, VK_INLINE);
	/* Windows leaves the flag clear on the default value. */
	put_le16(p + VK_FLAGS, n && name_fits_latin1(name) ? VALUE_LATIN1 : 0);
	name_store(name, p + VK_NAME);
	return list_append(h, key, *vk, e);
}

static int raise32(struct hive *h, uint32_t key, uint32_t field, uint32_t v, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	if (!nk)
		return -ERR_INTEGRITY;
	return le32(nk + field) >= v ? 0 : cell_put32(h, key, field, v, e);
}

static int set_value(struct hive *h, uint32_t key, const struct hive_name *name, uint32_t type,
	const void *data, uint32_t n, struct err *e)
{
	uint32_t vk, pos;
	int ret = value_lookup(h, key, name, &vk, &pos, e);
	if (ret == -ERR_NOTFOUND)
		ret = value_new(h, key, name, &vk, e);
	if (ret == 0)
		ret = put_data(h, vk, type, data, n, e);
	if (ret == 0)
		ret = raise32(h, key, NK_MAX_VNAME, 2 * (uint32_t)hive_name_len(name), e);
	if (ret == 0)
		ret = raise32(h, key, NK_MAX_VDATA, n, e);
	return ret == 0 ? key_stamp(h, key, e) : ret;
}

static int refuse_predefined(const struct hive *h, uint32_t key, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	if (!nk)
		return -ERR_INTEGRITY;
	if (le16(nk + NK_FLAGS) & KEY_PREDEFINED)
		return err_set(e, ERR_UNSUPPORTED, "Nothing was changed.",
			"the key is a predefined handle; it has no values of its own");
	return 0;
}

int hive_set_value(struct hive *h, hive_key key, const char *name, uint32_t type, const void *data,
	size_t n, struct err *e)
{
	CLEANUP(buf_clear) struct buf units = BUF_INIT;
	struct hive_name want;
	size_t max = le32(h->base + BB_MINOR) >= BIG_MINOR ? HIVE_VALUE_MAX : SMALL_MAX;
	name = name ? name : "";
	int ret = edit_ready(h, e);
	if (ret == 0)
		ret = name_from_utf8(name, strlen(name), HIVE_VALUE_NAME_MAX, &units, &want, e);
	if (ret == 0 && n > max)
		ret = err_set(e, ERR_LIMIT, "Nothing was changed.",
			"value \"%s\" of %zu bytes is larger than %zu", name, n, max);
	if (ret == 0)
		ret = refuse_predefined(h, key, e);
	return ret < 0 ? ret : edit_broken(h, set_value(h, key, &want, type, data, (uint32_t)n, e));
}

int hive_set_string(struct hive *h, hive_key key, const char *name, const char *text, struct err *e)
{
	CLEANUP(buf_clear) struct buf b = BUF_INIT;
	int ret = utf8_to_utf16le(text, true, &b, e);
	return ret < 0 ? ret : hive_set_value(h, key, name, HIVE_REG_SZ, b.p, b.len, e);
}

int hive_set_dword(struct hive *h, hive_key key, const char *name, uint32_t v, struct err *e)
{
	uint8_t b[4];
	put_le32(b, v);
	return hive_set_value(h, key, name, HIVE_REG_DWORD, b, 4, e);
}

/* --- delete --- */

static int list_remove(struct hive *h, uint32_t key, uint32_t pos, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	if (!nk)
		return -ERR_INTEGRITY;
	uint32_t count = le32(nk + NK_VALUES), list = le32(nk + NK_VALLIST);
	int ret = 0;
	if (count == 1) {
		ret = cell_free(h, list, e);
		if (ret == 0)
			ret = cell_put32(h, key, NK_VALLIST, NIL, e);
	} else {
		uint8_t *p = cell_edit(h, list, 0, 4 * count);
		if (!p)
			return damaged(e, key, "value list is too small");
		memmove(p + 4 * (size_t)pos, p + 4 * (size_t)(pos + 1),
			4 * (size_t)(count - pos - 1));
		memset(p + 4 * (size_t)(count - 1), 0, 4);
	}
	return ret == 0 ? cell_put32(h, key, NK_VALUES, count - 1, e) : ret;
}

static int delete_value(struct hive *h, uint32_t key, uint32_t vk, uint32_t pos, struct err *e)
{
	int ret = list_remove(h, key, pos, e);
	if (ret == 0)
		ret = value_free(h, vk, e);
	return ret == 0 ? key_stamp(h, key, e) : ret;
}

int hive_delete_value(struct hive *h, hive_key key, const char *name, struct err *e)
{
	struct hive_value v;
	CLEANUP(buf_clear) struct buf units = BUF_INIT;
	struct hive_name want;
	uint32_t vk, pos;
	int ret = edit_ready(h, e);
	if (ret == 0)
		ret = hive_find_value(h, key, name, &v, e); /* for its message */
	if (ret == 0)
		ret = name_from_utf8(name ? name : "", name ? strlen(name) : 0, HIVE_VALUE_NAME_MAX,
			&units, &want, e);
	if (ret == 0)
		ret = value_lookup(h, key, &want, &vk, &pos, e);
	return ret < 0 ? ret : edit_broken(h, delete_value(h, key, vk, pos, e));
}
