/* Values: reading, big data included. */
#include "hive/hive_int.h"

#include <stdlib.h>
#include <string.h>

bool value_name(const uint8_t *vk, uint32_t n, struct hive_name *name)
{
	uint16_t len = rd16(vk + VK_NAME_LEN);
	bool latin1 = rd16(vk + VK_FLAGS) & VALUE_LATIN1;
	if (len > n - VK_NAME || (!latin1 && len % 2))
		return false;
	*name = (struct hive_name){vk + VK_NAME, len, latin1};
	return true;
}

static const uint8_t *value_node(
	const struct hive *h, uint32_t at, struct hive_name *name, struct err *e)
{
	uint32_t n;
	const uint8_t *vk = cell_data(h, at, &n);
	if (vk && n >= VK_NAME && memcmp(vk, "vk", 2) == 0 && value_name(vk, n, name))
		return vk;
	damaged(e, at, "not a value");
	return NULL;
}

static int value_fill(const struct hive *h, uint32_t at, struct hive_value *v, struct err *e)
{
	const uint8_t *vk = value_node(h, at, &v->name, e);
	if (!vk)
		return -ERR_INTEGRITY;
	v->cell = at;
	v->type = rd32(vk + VK_TYPE);
	v->size = rd32(vk + VK_SIZE) & ~VK_INLINE;
	if (rd32(vk + VK_SIZE) & VK_INLINE && v->size > 4)
		return damaged(e, at, "value claims more than 4 bytes in place");
	return 0;
}

/* The list of n values of a key, NULL and n 0 when it has none. */
static int value_list(
	const struct hive *h, uint32_t key, const uint8_t **list, uint32_t *n, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	if (!nk)
		return -ERR_INTEGRITY;
	*list = NULL;
	*n = rd16(nk + NK_FLAGS) & KEY_PREDEFINED ? 0 : rd32(nk + NK_VALUES);
	if (*n == 0)
		return 0;
	if (*n > h->len / 4)
		return damaged(e, key, "value count is impossible");
	*list = cell_need(h, rd32(nk + NK_VALLIST), 4 * *n, "value list", e);
	return *list ? 0 : -ERR_INTEGRITY;
}

int hive_value_at(
	const struct hive *h, hive_key key, uint32_t i, struct hive_value *v, struct err *e)
{
	const uint8_t *list;
	uint32_t n;
	int ret = value_list(h, key, &list, &n, e);
	if (ret < 0)
		return ret;
	if (i >= n)
		return err_set(e, ERR_NOTFOUND, NULL, "key has no value number %u", i);
	return value_fill(h, rd32(list + 4 * (size_t)i), v, e);
}

/* -ERR_NOTFOUND without filling e. */
int value_lookup(const struct hive *h, uint32_t key, const struct hive_name *name, uint32_t *cell,
	uint32_t *pos, struct err *e)
{
	const uint8_t *list;
	uint32_t n;
	int ret = value_list(h, key, &list, &n, e);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < n; i++) {
		struct hive_name other;
		uint32_t at = rd32(list + 4 * (size_t)i);
		if (!value_node(h, at, &other, e))
			return -ERR_INTEGRITY;
		if (hive_name_len(&other) != hive_name_len(name) || name_cmp(&other, name) != 0)
			continue;
		*cell = at;
		*pos = i;
		return 0;
	}
	return -ERR_NOTFOUND;
}

int hive_find_value(
	const struct hive *h, hive_key key, const char *name, struct hive_value *v, struct err *e)
{
	CLEANUP(buf_clear) struct buf units = BUF_INIT;
	struct hive_name want;
	uint32_t cell, pos;
	name = name ? name : "";
	int ret = name_from_utf8(name, strlen(name), HIVE_VALUE_NAME_MAX, &units, &want, e);
	if (ret == 0)
		ret = value_lookup(h, key, &want, &cell, &pos, e);
	if (ret == -ERR_NOTFOUND) {
		CLEANUP(freep) char *path = hive_key_path(h, key);
		return err_set(e, ERR_NOTFOUND, NULL, "no value \"%s\" in key \"%s\"",
			*name ? name : "(default)", path ? path : "?");
	}
	return ret < 0 ? ret : value_fill(h, cell, v, e);
}

static int read_big(const struct hive *h, uint32_t at, uint8_t *to, uint32_t size, struct err *e)
{
	const uint8_t *db = cell_need(h, at, 8, "big value", e);
	if (!db)
		return -ERR_INTEGRITY;
	if (memcmp(db, "db", 2) != 0)
		return damaged(e, at, "big value has no index");
	uint32_t count = rd16(db + 2), want = (size + BIG_SEGMENT - 1) / BIG_SEGMENT;
	const uint8_t *list = cell_need(h, rd32(db + 4), 4 * count, "big value's list", e);
	if (!list)
		return -ERR_INTEGRITY;
	if (count != want)
		return damaged(e, at, "big value has a wrong number of parts");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = size < BIG_SEGMENT ? size : BIG_SEGMENT;
		const uint8_t *p =
			cell_need(h, rd32(list + 4 * (size_t)i), n, "big value's part", e);
		if (!p)
			return -ERR_INTEGRITY;
		memcpy(to, p, n);
		to += n;
		size -= n;
	}
	return 0;
}

int hive_read_value(const struct hive *h, const struct hive_value *v, void *out, struct err *e)
{
	struct hive_name name;
	const uint8_t *vk = value_node(h, v->cell, &name, e);
	if (!vk)
		return -ERR_INTEGRITY;
	uint32_t size = rd32(vk + VK_SIZE), data = rd32(vk + VK_DATA);
	if ((size & ~VK_INLINE) != v->size)
		return damaged(e, v->cell, "value changed while it was read");
	if (v->size == 0)
		return 0;
	if (size & VK_INLINE) {
		memcpy(out, vk + VK_DATA, v->size);
		return 0;
	}
	if (size > BIG_SEGMENT && rd32(h->base + BB_MINOR) >= BIG_MINOR)
		return read_big(h, data, out, size, e);
	const uint8_t *p = cell_need(h, data, size, "value data", e);
	if (!p)
		return -ERR_INTEGRITY;
	memcpy(out, p, size);
	return 0;
}

int hive_read_part(const struct hive *h, const struct hive_value *v, uint32_t from, void *out,
	uint32_t n, struct err *e)
{
	struct hive_name name;
	const uint8_t *vk = value_node(h, v->cell, &name, e);
	if (!vk)
		return -ERR_INTEGRITY;
	if (rd32(vk + VK_SIZE) != v->size || v->size > BIG_SEGMENT)
		return err_set(e, ERR_UNSUPPORTED, NULL, "this value is not read in parts");
	if (n > v->size || from > v->size - n)
		return damaged(e, v->cell, "value is shorter than what it holds");
	const uint8_t *p = cell_need(h, rd32(vk + VK_DATA), v->size, "value data", e);
	if (!p)
		return -ERR_INTEGRITY;
	memcpy(out, p + from, n);
	return 0;
}

int hive_get_value(const struct hive *h, hive_key key, const char *name, uint32_t *type,
	struct buf *bytes, struct err *e)
{
	struct hive_value v;
	uint8_t *at;
	int ret = hive_find_value(h, key, name, &v, e);
	if (ret < 0)
		return ret;
	if (v.size > h->len)
		return damaged(e, v.cell, "value is larger than the hive");
	if (type)
		*type = v.type;
	ret = buf_grow(bytes, v.size, &at, e);
	if (ret == 0)
		ret = hive_read_value(h, &v, at, e);
	if (ret < 0)
		bytes->len = 0;
	return ret;
}

int hive_get_string(
	const struct hive *h, hive_key key, const char *name, char **text, struct err *e)
{
	CLEANUP(buf_clear) struct buf b = BUF_INIT;
	uint32_t type;
	int ret = hive_get_value(h, key, name, &type, &b, e);
	if (ret < 0)
		return ret;
	if (type != HIVE_REG_SZ && type != HIVE_REG_EXPAND_SZ)
		return err_set(e, ERR_FORMAT, NULL, "value \"%s\" is of type %u, not text",
			name ? name : "", type);
	*text = utf16le_sz_to_utf8(b.p, b.len);
	return *text ? 0 : err_nomem(e);
}

int hive_get_dword(const struct hive *h, hive_key key, const char *name, uint32_t *v, struct err *e)
{
	CLEANUP(buf_clear) struct buf b = BUF_INIT;
	uint32_t type;
	int ret = hive_get_value(h, key, name, &type, &b, e);
	if (ret < 0)
		return ret;
	if (type != HIVE_REG_DWORD || b.len != 4)
		return err_set(e, ERR_FORMAT, NULL,
			"value \"%s\" is of type %u with %zu bytes, not a number", name ? name : "",
			type, b.len);
	*v = rd32(b.p);
	return 0;
}
