/* Edits of keys: create with inherited security, delete, class name, descriptor. */
#include "hive/hive_int.h"

#include <string.h>

static int key_security(
	struct hive *h, uint32_t parent, const struct span *sd, uint32_t *sk, struct err *e)
{
	CLEANUP(buf_clear) struct buf made = BUF_INIT;
	const uint8_t *nk = key_node(h, parent, e);
	struct span from;
	if (!nk)
		return -ERR_INTEGRITY;
	uint32_t ring = le32(nk + NK_SECURITY);
	int ret = security_get(h, ring, &from, e);
	if (ret == 0)
		ret = sd ? buf_add(&made, sd->p, sd->len, e) : security_inherit(from, &made, e);
	return ret < 0 ? ret : security_share(h, ring, SPAN_OF(made), sk, e);
}

static int raise_subkey_maxima(
	struct hive *h, uint32_t parent, const struct hive_name *name, struct err *e)
{
	uint8_t *p = cell_edit(h, parent, NK_MAX_NAME, 2);
	uint32_t n = 2 * (uint32_t)hive_name_len(name);
	if (!p)
		return damaged(e, parent, "not a key");
	if (le16(p) < n)
		put_le16(p, (uint16_t)n);
	return 0;
}

static int add_key(struct hive *h, uint32_t parent, const struct hive_name *name,
	const struct span *sd, uint32_t *key, struct err *e)
{
	uint32_t n = (uint32_t)name_store_len(name), sk;
	int ret = cell_alloc(h, NK_NAME + n, key, e);
	if (ret < 0)
		return ret;
	uint8_t *nk = cell_edit(h, *key, 0, NK_NAME + n);
	put_sig(nk, "nk");
	put_le16(nk + NK_FLAGS, name_fits_latin1(name) ? KEY_LATIN1 : 0);
	put_le64(nk + NK_TIME, h->now);
	put_le32(nk + NK_PARENT, parent);
	put_le32(nk + NK_SUBLIST, NIL);
	put_le32(nk + NK_VOLATILE_LIST, NIL);
	put_le32(nk + NK_VALLIST, NIL);
	put_le32(nk + NK_SECURITY, NIL);
	put_le32(nk + NK_CLASS, NIL);
	put_le16(nk + NK_NAME_LEN, (uint16_t)n);
	name_store(name, nk + NK_NAME);
	ret = key_security(h, parent, sd, &sk, e);
	if (ret == 0)
		ret = cell_put32(h, *key, NK_SECURITY, sk, e);
	if (ret == 0)
		ret = index_insert(h, parent, *key, e);
	if (ret == 0)
		ret = raise_subkey_maxima(h, parent, name, e);
	return ret == 0 ? key_stamp(h, parent, e) : ret;
}

static unsigned key_depth(const struct hive *h, uint32_t key)
{
	unsigned d = 0;
	while (key != hive_root(h) && d <= HIVE_DEPTH_MAX) {
		const uint8_t *nk = key_node(h, key, NULL);
		if (!nk)
			break;
		key = le32(nk + NK_PARENT);
		d++;
	}
	return d;
}

/* All components must be writable as names before the first is created. */
static int check_path(const struct hive *h, uint32_t parent, const char *path, struct err *e)
{
	CLEANUP(buf_clear) struct buf units = BUF_INIT;
	unsigned depth = key_depth(h, parent);
	for (const char *p = path; *p;) {
		struct hive_name name;
		size_t n = strcspn(p, "\\");
		int ret = name_from_utf8(p, n, HIVE_KEY_NAME_MAX, &units, &name, e);
		if (ret < 0)
			return ret;
		depth += n > 0;
		p += n + (p[n] == '\\');
	}
	if (depth > HIVE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "Nothing was changed.", "key would lie %u levels deep",
			depth);
	return 0;
}

static int open_or_add(struct hive *h, uint32_t *at, const struct hive_name *name,
	const struct span *sd, struct err *e)
{
	int ret = key_child(h, *at, name, at, e);
	if (ret == -ERR_NOTFOUND)
		ret = edit_broken(h, add_key(h, *at, name, sd, at, e));
	return ret;
}

int hive_create_key(struct hive *h, hive_key parent, const char *path, const struct span *sd,
	hive_key *key, struct err *e)
{
	CLEANUP(buf_clear) struct buf units = BUF_INIT;
	int ret = edit_ready(h, e);
	if (ret == 0 && !key_node(h, parent, e))
		ret = -ERR_INTEGRITY;
	if (ret == 0)
		ret = check_path(h, parent, path, e);
	if (ret == 0 && sd && !security_valid(*sd))
		ret = err_set(e, ERR_FORMAT, "Nothing was changed.",
			"security descriptor for \"%s\" is not valid", path);
	hive_key at = parent;
	for (const char *p = path; ret == 0 && *p;) {
		struct hive_name name;
		size_t n = strcspn(p, "\\");
		const char *next = p + n + (p[n] == '\\');
		ret = name_from_utf8(p, n, HIVE_KEY_NAME_MAX, &units, &name, e);
		if (ret == 0 && n)
			ret = open_or_add(h, &at, &name, *next ? NULL : sd, e);
		p = next;
	}
	if (ret == 0)
		*key = at;
	return ret;
}

/* --- delete --- */

/* Values, class name and security of a key without subkeys, then its node. */
static int drop_node(struct hive *h, uint32_t key, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	uint32_t n;
	if (!nk)
		return -ERR_INTEGRITY;
	bool predefined = le16(nk + NK_FLAGS) & KEY_PREDEFINED;
	uint32_t count = predefined ? 0 : le32(nk + NK_VALUES), list = le32(nk + NK_VALLIST);
	uint32_t sk = le32(nk + NK_SECURITY);
	uint32_t cls = le16(nk + NK_CLASS_LEN) ? le32(nk + NK_CLASS) : NIL;
	int ret = 0;
	for (uint32_t i = 0; ret == 0 && i < count; i++) {
		const uint8_t *p = cell_data(h, list, &n);
		if (!p || n / 4 <= i)
			return damaged(e, list, "value list");
		ret = value_free(h, le32(p + 4 * (size_t)i), e);
	}
	if (ret == 0 && count)
		ret = cell_free(h, list, e);
	if (ret == 0 && cls != NIL)
		ret = cell_free(h, cls, e);
	if (ret == 0)
		ret = security_release(h, sk, e);
	return ret == 0 ? cell_free(h, key, e) : ret;
}

/* Depth first without recursion: go down to a key without subkeys, drop it, come back up. */
static int drop_tree(struct hive *h, uint32_t top, struct err *e)
{
	uint32_t at = top, child;
	for (;;) {
		const uint8_t *nk = key_node(h, at, e);
		if (!nk)
			return -ERR_INTEGRITY;
		uint32_t parent = le32(nk + NK_PARENT), subkeys = le32(nk + NK_SUBKEYS);
		int ret = 0;
		if (subkeys) {
			ret = hive_subkey_at(h, at, subkeys - 1, &child, e);
			at = child;
		} else {
			ret = index_remove(h, parent, at, e);
			if (ret == 0)
				ret = drop_node(h, at, e);
			if (ret == 0 && at == top)
				return key_stamp(h, parent, e);
			at = parent;
		}
		if (ret < 0)
			return ret;
	}
}

int hive_delete_key(struct hive *h, hive_key key, struct err *e)
{
	int ret = edit_ready(h, e);
	if (ret == 0 && !key_node(h, key, e))
		ret = -ERR_INTEGRITY;
	if (ret == 0 && key == hive_root(h))
		ret = err_set(e, ERR_REFUSED, "Nothing was changed.",
			"the root key of a hive cannot be deleted");
	return ret < 0 ? ret : edit_broken(h, drop_tree(h, key, e));
}

/* --- class, security --- */

static int set_class(struct hive *h, uint32_t key, const void *p, uint32_t n, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	uint32_t at = NIL;
	if (!nk)
		return -ERR_INTEGRITY;
	uint32_t old = le16(nk + NK_CLASS_LEN) ? le32(nk + NK_CLASS) : NIL;
	uint32_t parent = le32(nk + NK_PARENT);
	int ret = old == NIL ? 0 : cell_free(h, old, e);
	if (ret == 0 && n)
		ret = cell_alloc(h, n, &at, e);
	if (ret == 0 && n)
		memcpy(cell_edit(h, at, 0, n), p, n);
	if (ret == 0)
		ret = cell_put32(h, key, NK_CLASS, at, e);
	if (ret < 0)
		return ret;
	put_le16(cell_edit(h, key, NK_CLASS_LEN, 2), (uint16_t)n);
	if (key != hive_root(h)) {
		const uint8_t *up = key_node(h, parent, e);
		if (!up)
			return -ERR_INTEGRITY;
		if (le32(up + NK_MAX_CLASS) < n)
			ret = cell_put32(h, parent, NK_MAX_CLASS, n, e);
	}
	return ret == 0 ? key_stamp(h, key, e) : ret;
}

int hive_set_class(struct hive *h, hive_key key, const void *utf16le, size_t n, struct err *e)
{
	int ret = edit_ready(h, e);
	if (ret == 0 && (n % 2 || n > UINT16_MAX - 1))
		ret = err_set(e, ERR_LIMIT, "Nothing was changed.", "class name of %zu bytes", n);
	return ret < 0 ? ret : edit_broken(h, set_class(h, key, utf16le, (uint32_t)n, e));
}

static int set_security(struct hive *h, uint32_t key, struct span sd, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	if (!nk)
		return -ERR_INTEGRITY;
	uint32_t old = le32(nk + NK_SECURITY), sk;
	int ret = security_share(h, old, sd, &sk, e);
	if (ret == 0)
		ret = cell_put32(h, key, NK_SECURITY, sk, e);
	if (ret == 0)
		ret = security_release(h, old, e);
	return ret == 0 ? key_stamp(h, key, e) : ret;
}

int hive_set_security(struct hive *h, hive_key key, struct span sd, struct err *e)
{
	CLEANUP(buf_clear) struct buf copy = BUF_INIT; /* sd may point into the image */
	int ret = edit_ready(h, e);
	if (ret == 0 && !security_valid(sd))
		ret = err_set(
			e, ERR_FORMAT, "Nothing was changed.", "security descriptor is not valid");
	if (ret == 0)
		ret = buf_add(&copy, sd.p, sd.len, e);
	return ret < 0 ? ret : edit_broken(h, set_security(h, key, SPAN_OF(copy), e));
}
