/* Verification of a whole bundle, part by part, so that damage has a name. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/internal.h"
#include "bundle/merkle.h"

struct checker {
	struct bundle *b;
	uint8_t *stored; /* the tree as it lies in the file */
	uint8_t *built;	 /* the tree over what lies in the file */
	uint8_t *space;	 /* one entry */
};

static int damaged(const struct bundle *b, const char *part, uint32_t i, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, LAB_AGAIN, "%s: %s %u is damaged", b->path, part, i);
}

/* Hash a leaf, compare it with the stored one, keep it for the root. */
static bool leaf_agrees(struct checker *c, uint32_t leaf, const void *p, size_t n)
{
	uint8_t *at = c->built + (size_t)leaf * CRYPTO_HASH;
	merkle_leaf(at, p, n);
	return memcmp(at, c->stored + (size_t)leaf * CRYPTO_HASH, CRYPTO_HASH) == 0;
}

static int check_lookup(struct checker *c, struct err *e)
{
	struct bundle *b = c->b;
	uint64_t left = b->layout.size[MEMBER_LOOKUP], at = b->layout.at[MEMBER_LOOKUP];
	uint8_t page[LOOKUP_PAGE * LOOKUP_RECORD];
	for (uint32_t i = 0; i < b->layout.pages; i++) {
		size_t n = left < sizeof page ? (size_t)left : sizeof page;
		int ret = bytedev_read(b->dev, at, page, n, e);
		if (ret < 0)
			return ret;
		if (!leaf_agrees(c, i, page, n))
			return damaged(b, "look-up page", i, e);
		at += n;
		left -= n;
	}
	return 0;
}

static int check_catalog(struct checker *c, struct err *e)
{
	struct bundle *b = c->b;
	uint8_t record[CATALOG_RECORD];
	for (uint32_t id = 0; id < b->header.facts.count; id++) {
		int ret = bytedev_read(b->dev,
			b->layout.at[MEMBER_CATALOG] + (uint64_t)id * CATALOG_RECORD, record,
			sizeof record, e);
		if (ret < 0)
			return ret;
		if (!leaf_agrees(c, leaf_record(&b->layout, id), record, sizeof record))
			return damaged(b, "catalog record", id, e);
	}
	return 0;
}

static int check_entry(struct checker *c, uint32_t id, uint64_t *at, struct err *e)
{
	struct bundle *b = c->b;
	uint8_t have[TAR_BLOCK], want[TAR_BLOCK];
	char name[ENTRY_NAME_MAX];
	uint64_t end = b->header.facts.size - TAR_END;
	if (*at > end || end - *at < TAR_BLOCK + ENTRY_CLASS_MIN)
		return damaged(b, "entry", id, e);
	int ret = bytedev_read(b->dev, *at, have, sizeof have, e);
	uint64_t class = tar_size(have);
	if (ret == 0 && (!entry_class_valid(class) || end - *at < TAR_BLOCK + class))
		ret = damaged(b, "entry", id, e);
	entry_name(name, id);
	if (ret == 0)
		ret = tar_block(want, name, class, b->header.facts.created, e);
	if (ret == 0 && memcmp(have, want, TAR_BLOCK) != 0)
		ret = damaged(b, "entry", id, e);
	if (ret == 0)
		ret = bytedev_read(b->dev, *at + TAR_BLOCK, c->space, (size_t) class, e);
	if (ret == 0 && !leaf_agrees(c, leaf_entry(&b->layout, id), c->space, (size_t) class))
		ret = damaged(b, "entry", id, e);
	*at += TAR_BLOCK + class;
	return ret;
}

static int check_hashes(struct checker *c, struct err *e)
{
	struct bundle *b = c->b;
	uint8_t root[CRYPTO_HASH];
	uint64_t at = b->layout.entries;
	int ret = bytedev_read(b->dev, b->layout.at[MEMBER_TREE], c->stored,
		(size_t)b->layout.size[MEMBER_TREE], e);
	if (ret == 0)
		ret = check_lookup(c, e);
	if (ret == 0)
		ret = check_catalog(c, e);
	for (uint32_t id = 0; ret == 0 && id < b->header.facts.count; id++)
		ret = check_entry(c, id, &at, e);
	if (ret < 0)
		return ret;
	merkle_build(c->built, b->layout.leaves, root);
	if (at != b->header.facts.size - TAR_END ||
		memcmp(root, b->header.root, sizeof root) != 0 ||
		memcmp(c->built, c->stored, (size_t)b->layout.size[MEMBER_TREE]) != 0)
		return err_set(e, ERR_INTEGRITY, LAB_AGAIN,
			"%s: the tree of hashes is not what the lab signed", b->path);
	return 0;
}

static int check_slots(struct bundle *b, struct err *e)
{
	for (uint32_t id = 0; id < b->header.facts.count; id++) {
		enum bundle_state state = BUNDLE_DAMAGED;
		int ret = bundle_entry_state(b, id, &state, NULL, e);
		if (ret < 0)
			return ret;
		if (state == BUNDLE_DAMAGED)
			return err_set(e, ERR_INTEGRITY,
				"Treat the entry as used; the others are not affected.",
				"%s: the key slot of entry %u is damaged", b->path, id);
	}
	return 0;
}

/* Sorted without repetition, and every row is found under all it has. */
static int check_order(struct bundle *b, struct err *e)
{
	uint8_t last[LOOKUP_RECORD], record[LOOKUP_RECORD];
	uint32_t n = b->header.facts.count * LOOKUP_PER_ENTRY;
	for (uint32_t i = 0; i < n; i++) {
		int ret = bundle_lookup_at(b, i, record, e);
		if (ret < 0)
			return ret;
		if (i && memcmp(last, record, LOOKUP_HASH) >= 0)
			return damaged(b, "look-up record", i, e);
		memcpy(last, record, sizeof last);
	}
	return 0;
}

static int check_found(
	struct bundle *b, enum bundle_by by, const char *text, uint32_t id, struct err *e)
{
	uint32_t found = UINT32_MAX;
	int ret = *text ? bundle_find(b, by, text, &found, e) : 0;
	if (ret == 0 && *text && found != id)
		ret = damaged(b, "look-up of entry", id, e);
	return ret;
}

static int check_row(struct bundle *b, uint32_t id, struct err *e)
{
	struct bundle_row row;
	enum bundle_state state = BUNDLE_DAMAGED;
	struct secret blob = SECRET_INIT;
	int ret = bundle_row(b, id, &row, e);
	if (ret == 0)
		ret = check_found(b, BUNDLE_BY_NAME, row.computer_name, id, e);
	if (ret == 0)
		ret = check_found(b, BUNDLE_BY_SERIAL, row.serial, id, e);
	if (ret == 0)
		ret = check_found(b, BUNDLE_BY_TAG, row.tag, id, e);
	if (ret == 0)
		ret = bundle_entry_state(b, id, &state, NULL, e);
	if (ret == 0 && state == BUNDLE_FRESH && b->header.facts.lab_verified)
		ret = bundle_entry_open(b, id, &blob, NULL, e);
	secret_clear(&blob);
	return ret;
}

int bundle_check(struct bundle *b, uint32_t *checked, struct err *e)
{
	size_t tree = (size_t)b->layout.size[MEMBER_TREE];
	struct checker c = {b, malloc(tree), malloc(tree), malloc(ENTRY_CLASS_MAX)};
	int ret = c.stored && c.built && c.space ? check_hashes(&c, e) : err_nomem(e);
	free(c.stored);
	free(c.built);
	free(c.space);
	*checked = 0;
	if (ret == 0)
		ret = check_slots(b, e);
	if (ret == 0 && bundle_unlocked(b))
		ret = check_order(b, e);
	for (uint32_t id = 0; ret == 0 && id < b->header.facts.count; id++) {
		if (bundle_unlocked(b))
			ret = check_row(b, id, e);
		if (ret == 0)
			(*checked)++;
	}
	return ret;
}
