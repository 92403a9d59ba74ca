/* Keys: reading nodes, finding children, paths. */
#include "hive/hive_int.h"

#include <stdlib.h>
#include <string.h>

bool key_name(const uint8_t *nk, uint32_t n, struct hive_name *name)
{
	uint16_t len = rd16(nk + NK_NAME_LEN);
	bool latin1 = rd16(nk + NK_FLAGS) & KEY_LATIN1;
	if (len == 0 || len > n - NK_NAME || (!latin1 && len % 2))
		return false;
	*name = (struct hive_name){nk + NK_NAME, len, latin1};
	return true;
}

const uint8_t *key_node(const struct hive *h, uint32_t at, struct err *e)
{
	struct hive_name name;
	uint32_t n;
	const uint8_t *nk = cell_data(h, at, &n);
	if (!nk || n < NK_NAME || memcmp(nk, "nk", 2) != 0) {
		damaged(e, at, "not a key");
		return NULL;
	}
	if (!key_name(nk, n, &name)) {
		damaged(e, at, "key name does not fit its record");
		return NULL;
	}
	return nk;
}

uint8_t *key_edit(struct hive *h, uint32_t at, uint32_t field, uint32_t n)
{
	return cell_edit(h, at, field, n);
}

int key_stamp(struct hive *h, uint32_t at, struct err *e)
{
	uint8_t *p = cell_edit(h, at, NK_TIME, 8);
	if (!p)
		return damaged(e, at, "not a key");
	put_le64(p, h->now);
	h->modified = true;
	return 0;
}

hive_key hive_root(const struct hive *h)
{
	return rd32(h->base + BB_ROOT);
}

/* --- children --- */

int leaf_open(const struct hive *h, uint32_t at, struct leaf *l, struct err *e)
{
	uint32_t n;
	const uint8_t *p = cell_data(h, at, &n);
	if (!p || n < 4)
		return damaged(e, at, "subkey list is not in use");
	l->cell = at;
	l->kind = (char)p[1];
	l->count = rd16(p + 2);
	l->width = l->kind == 'i' ? 4 : 8;
	l->p = p + 4;
	if (p[0] != 'l' || !strchr("fhi", l->kind) || !l->kind)
		return damaged(e, at, "not a subkey list");
	if ((uint32_t)l->count * l->width > n - 4)
		return damaged(e, at, "subkey list is too small for its count");
	return 0;
}

int list_leaf(const struct hive *h, uint32_t list, uint32_t i, uint32_t *count, struct leaf *l,
	struct err *e)
{
	uint32_t n;
	const uint8_t *p = cell_data(h, list, &n);
	if (!p || n < 4)
		return damaged(e, list, "subkey list is not in use");
	if (memcmp(p, "ri", 2) != 0) {
		*count = 1;
		return leaf_open(h, list, l, e);
	}
	*count = rd16(p + 2);
	if (*count * 4 > n - 4)
		return damaged(e, list, "subkey index is too small for its count");
	if (i >= *count) /* an index without leaves */
		return damaged(e, list, "subkey index is empty");
	return leaf_open(h, rd32(p + 4 + 4 * (size_t)i), l, e);
}

static int leaf_search(const struct hive *h, const struct leaf *l, const struct hive_name *name,
	uint32_t hash, uint32_t *child, struct err *e)
{
	for (uint32_t i = 0; i < l->count; i++) {
		const uint8_t *en = l->p + (size_t)i * l->width;
		struct hive_name other;
		if (l->kind == 'h' && rd32(en + 4) != hash)
			continue;
		const uint8_t *nk = key_node(h, rd32(en), e);
		uint32_t n;
		if (!nk)
			return -ERR_INTEGRITY;
		cell_data(h, rd32(en), &n);
		if (!key_name(nk, n, &other) || name_cmp(&other, name) != 0)
			continue;
		*child = rd32(en);
		return 0;
	}
	return -ERR_NOTFOUND;
}

/* -ERR_NOTFOUND without filling e: the caller knows the path. */
int key_child(const struct hive *h, uint32_t key, const struct hive_name *name, uint32_t *child,
	struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	if (!nk)
		return -ERR_INTEGRITY;
	if (rd32(nk + NK_SUBKEYS) == 0)
		return -ERR_NOTFOUND;
	uint32_t list = rd32(nk + NK_SUBLIST), hash = name_hash(name), leaves = 1;
	int ret = -ERR_NOTFOUND;
	for (uint32_t i = 0; ret == -ERR_NOTFOUND && i < leaves; i++) {
		struct leaf l;
		int bad = list_leaf(h, list, i, &leaves, &l, e);
		ret = bad < 0 ? bad : leaf_search(h, &l, name, hash, child, e);
	}
	return ret;
}

int hive_subkey_at(const struct hive *h, hive_key key, uint32_t i, hive_key *sub, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e);
	if (!nk)
		return -ERR_INTEGRITY;
	if (i >= rd32(nk + NK_SUBKEYS))
		return err_set(e, ERR_NOTFOUND, NULL, "key has no subkey number %u", i);
	uint32_t list = rd32(nk + NK_SUBLIST), leaves = 1;
	for (uint32_t k = 0; k < leaves; k++) {
		struct leaf l;
		int ret = list_leaf(h, list, k, &leaves, &l, e);
		if (ret < 0)
			return ret;
		if (i < l.count) {
			*sub = rd32(l.p + (size_t)i * l.width);
			return key_node(h, *sub, e) ? 0 : -ERR_INTEGRITY;
		}
		i -= l.count;
	}
	return damaged(e, key, "fewer subkeys than counted");
}

/* --- by path --- */

int hive_find_key(
	const struct hive *h, hive_key parent, const char *path, hive_key *key, struct err *e)
{
	CLEANUP(buf_clear) struct buf units = BUF_INIT;
	hive_key at = parent;
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "\\");
		if (n) {
			struct hive_name name;
			int ret = name_from_utf8(p, n, HIVE_KEY_NAME_MAX, &units, &name, e);
			if (ret == 0)
				ret = key_child(h, at, &name, &at, e);
			if (ret == -ERR_NOTFOUND)
				return err_set(e, ERR_NOTFOUND, NULL,
					"no key \"%.*s\" (looking for \"%s\")", (int)(p + n - path),
					path, path);
			if (ret < 0)
				return ret;
		}
		p += n + (p[n] == '\\');
	}
	*key = at;
	return key_node(h, at, e) ? 0 : -ERR_INTEGRITY;
}

int hive_key_info(const struct hive *h, hive_key key, struct hive_key_info *info, struct err *e)
{
	const uint8_t *nk = key_node(h, key, e), *cls = NULL;
	uint32_t n;
	if (!nk)
		return -ERR_INTEGRITY;
	cell_data(h, key, &n);
	*info = (struct hive_key_info){.parent = HIVE_KEY_NONE};
	key_name(nk, n, &info->name);
	if (key != hive_root(h))
		info->parent = rd32(nk + NK_PARENT);
	info->flags = rd16(nk + NK_FLAGS);
	info->subkeys = rd32(nk + NK_SUBKEYS);
	info->values = info->flags & KEY_PREDEFINED ? 0 : rd32(nk + NK_VALUES);
	info->written = le64(nk + NK_TIME);
	uint16_t len = rd16(nk + NK_CLASS_LEN);
	if (len) {
		cls = cell_need(h, rd32(nk + NK_CLASS), len, "class name", e);
		if (!cls)
			return -ERR_INTEGRITY;
		info->class_name = (struct span){cls, len};
	}
	return security_get(h, rd32(nk + NK_SECURITY), &info->sd, e);
}

char *hive_key_path(const struct hive *h, hive_key key)
{
	char *path = strdup("");
	for (unsigned depth = 0; path && key != hive_root(h); depth++) {
		struct hive_name name;
		uint32_t n;
		const uint8_t *nk = key_node(h, key, NULL);
		CLEANUP(freep) char *part = NULL, *old = path;
		path = NULL;
		if (!nk || depth > HIVE_DEPTH_MAX || !cell_data(h, key, &n))
			break;
		key_name(nk, n, &name);
		part = hive_name_utf8(&name);
		if (!part)
			break;
		size_t a = strlen(part), b = strlen(old);
		path = malloc(a + b + 2);
		if (!path)
			break;
		memcpy(path, part, a);
		path[a] = '\\';
		memcpy(path + a + 1, old, b + 1);
		if (b == 0)
			path[a] = '\0';
		key = rd32(nk + NK_PARENT);
	}
	return path;
}
