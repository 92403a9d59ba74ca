/* Reading one PC out of a bundle: look-up, catalog record, entry. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bundle/internal.h"

/* --- look-up --- */

int bundle_lookup_at(struct bundle *b, uint32_t i, uint8_t out[LOOKUP_RECORD], struct err *e)
{
	uint32_t page = i / LOOKUP_PAGE;
	if (b->page_number != (int64_t)page) {
		uint64_t from = (uint64_t)page * sizeof b->page;
		uint64_t left = b->layout.size[MEMBER_LOOKUP] - from;
		size_t n = left < sizeof b->page ? (size_t)left : sizeof b->page;
		b->page_number = -1;
		int ret = bytedev_read(b->dev, b->layout.at[MEMBER_LOOKUP] + from, b->page, n, e);
		if (ret == 0)
			ret = bundle_leaf_verify(b, page, b->page, n, e);
		if (ret < 0) {
			err_ctx(e, "%s: look-up table", b->path);
			return ret;
		}
		b->page_number = page;
	}
	memcpy(out, b->page + (size_t)(i % LOOKUP_PAGE) * LOOKUP_RECORD, LOOKUP_RECORD);
	return 0;
}

static int search(struct bundle *b, const uint8_t key[LOOKUP_HASH], uint32_t *id, struct err *e)
{
	uint32_t low = 0, high = b->header.facts.count * LOOKUP_PER_ENTRY;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		uint8_t record[LOOKUP_RECORD];
		int ret = bundle_lookup_at(b, mid, record, e);
		if (ret < 0)
			return ret;
		int order = memcmp(key, record, LOOKUP_HASH);
		if (order == 0) {
			*id = le32(record + LOOKUP_HASH);
			if (*id < b->header.facts.count)
				return 0;
			return err_set(e, ERR_INTEGRITY, LAB_AGAIN,
				"%s: the look-up table names entry %u, which does not exist",
				b->path, *id);
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -ERR_NOTFOUND;
}

static const char *const by_names[] = {"serial", "inventory tag", "computer name"};

static int normal_form(
	enum bundle_by by, const char *text, char out[IDENTITY_MAX + 1], struct err *e)
{
	if (by == BUNDLE_BY_NAME) {
		lookup_name(text, out);
		return 0;
	}
	int ret = identity_normalise(text, out, e);
	if (ret == 0 && by == BUNDLE_BY_SERIAL && identity_is_placeholder(text))
		ret = err_set(e, ERR_REFUSED, "Choose the PC by its inventory tag or its name.",
			"\"%s\" is a placeholder of the firmware, not a serial number", text);
	return ret;
}

int bundle_find(struct bundle *b, enum bundle_by by, const char *text, uint32_t *id, struct err *e)
{
	char normal[IDENTITY_MAX + 1], found[IDENTITY_MAX + 1];
	uint8_t key[LOOKUP_HASH];
	struct record r;
	int ret = bundle_need_key(b, e);
	if (ret == 0)
		ret = normal_form(by, text, normal, e);
	if (ret < 0)
		return ret;
	keys_lookup(keys_of(&b->secret), by, normal, key);
	ret = search(b, key, id, e);
	if (ret == -ERR_NOTFOUND)
		return err_set(e, ERR_NOTFOUND,
			"Nothing was changed. Check the label on the PC, or ask the lab.",
			"no PC with the %s \"%s\" is in this bundle", by_names[by], text);
	if (ret == 0)
		ret = bundle_record(b, *id, &r, e);
	if (ret < 0)
		return ret;
	const char *has = by == BUNDLE_BY_SERIAL ? r.row.serial
			  : by == BUNDLE_BY_TAG	 ? r.row.tag
						 : r.row.computer_name;
	if (normal_form(by, has, found, NULL) < 0 || strcmp(found, normal) != 0)
		return err_set(e, ERR_INTEGRITY, LAB_AGAIN,
			"%s: the look-up table names entry %u, which is another PC", b->path, *id);
	return 0;
}

/* --- catalog --- */

bool entry_class_valid(uint64_t class)
{
	return class >= ENTRY_CLASS_MIN && class <= ENTRY_CLASS_MAX && (class & (class - 1)) == 0;
}

int bundle_record_open(struct bundle *b, uint32_t id, const uint8_t sealed[CATALOG_RECORD],
	struct record *r, struct err *e)
{
	uint8_t ad[BIND_MAX], plain[CATALOG_RECORD - CRYPTO_SEALED];
	size_t n = bind_entry(ad, "odjb1 catalog", &b->header.facts, id);
	if (!crypto_unseal(plain, keys_of(&b->secret)->catalog, sealed, CATALOG_RECORD, ad, n))
		return err_set(e, ERR_INTEGRITY, LAB_AGAIN, "the record does not open");
	int ret = record_decode(plain, sizeof plain, true, r, e);
	if (ret == 0) {
		uint64_t end = b->header.facts.size - TAR_END;
		if (r->offset < b->layout.entries || r->offset % TAR_BLOCK ||
			!entry_class_valid(r->class) || r->offset > end ||
			end - r->offset < TAR_BLOCK + (uint64_t)r->class)
			ret = err_set(e, ERR_INTEGRITY, LAB_AGAIN, "the record points outside");
		r->row.id = id;
	}
	return ret;
}

int bundle_record(struct bundle *b, uint32_t id, struct record *r, struct err *e)
{
	uint8_t sealed[CATALOG_RECORD];
	int ret = bundle_need_key(b, e);
	if (ret == 0)
		ret = bundle_need_id(b, id, e);
	if (ret < 0)
		return ret;
	ret = bytedev_read(b->dev, b->layout.at[MEMBER_CATALOG] + (uint64_t)id * CATALOG_RECORD,
		sealed, sizeof sealed, e);
	if (ret == 0)
		ret = bundle_leaf_verify(b, leaf_record(&b->layout, id), sealed, sizeof sealed, e);
	if (ret == 0)
		ret = bundle_record_open(b, id, sealed, r, e);
	if (ret < 0)
		err_ctx(e, "%s: catalog record %u", b->path, id);
	return ret;
}

int bundle_row(struct bundle *b, uint32_t id, struct bundle_row *row, struct err *e)
{
	struct record r;
	int ret = bundle_record(b, id, &r, e);
	if (ret == 0)
		*row = r.row;
	return ret;
}

/* --- entries --- */

static bool same_row(const struct bundle_row *a, const struct bundle_row *b)
{
	return strcmp(a->computer_name, b->computer_name) == 0 &&
	       strcmp(a->serial, b->serial) == 0 && strcmp(a->tag, b->tag) == 0 &&
	       strcmp(a->domain, b->domain) == 0;
}

int bundle_entry_unseal(struct bundle *b, uint32_t id, const uint8_t *sealed, size_t class,
	struct secret *plain, struct record *r, struct err *e)
{
	uint8_t context[BIND_MAX], commit[CRYPTO_HASH];
	struct secret key = SECRET_INIT;
	const uint8_t *entry_key = keys_of(&b->secret)->entry;
	size_t n = bind_entry(context, "odjb1 entry", &b->header.facts, id);
	int ret = secret_alloc(&key, CRYPTO_KEY, e);
	if (ret == 0)
		ret = secret_alloc(plain, class - CRYPTO_HASH - CRYPTO_SEALED, e);
	if (ret == 0) {
		crypto_derive(commit, entry_key, "odjb1 entry commit", context, n);
		crypto_derive(key.p, entry_key, "odjb1 entry key", context, n);
		if (sodium_memcmp(commit, sealed, CRYPTO_HASH) != 0 ||
			!crypto_unseal(plain->p, key.p, sealed + CRYPTO_HASH, class - CRYPTO_HASH,
				context, n))
			ret = err_set(e, ERR_INTEGRITY, LAB_AGAIN, "its key does not open it");
	}
	if (ret == 0)
		ret = record_decode(plain->p, plain->len, false, r, e);
	secret_clear(&key);
	if (ret < 0)
		secret_clear(plain);
	return ret;
}

static int read_entry(struct bundle *b, const struct record *at, uint8_t *sealed, struct err *e)
{
	uint8_t have[TAR_BLOCK], want[TAR_BLOCK];
	char name[ENTRY_NAME_MAX];
	entry_name(name, at->row.id);
	int ret = bytedev_read(b->dev, at->offset, have, sizeof have, e);
	if (ret == 0)
		ret = tar_block(want, name, at->class, b->header.facts.created, e);
	if (ret == 0 && memcmp(have, want, TAR_BLOCK) != 0)
		ret = err_set(e, ERR_INTEGRITY, LAB_AGAIN, "the archive is damaged there");
	if (ret == 0)
		ret = bytedev_read(b->dev, at->offset + TAR_BLOCK, sealed, at->class, e);
	return ret < 0 ? ret
		       : bundle_leaf_verify(
				 b, leaf_entry(&b->layout, at->row.id), sealed, at->class, e);
}

/* Key of a fresh entry into keys->entry, or why there is none. */
static int take_entry_key(struct bundle *b, uint32_t id, struct err *e)
{
	uint8_t slot[SLOT_SIZE];
	int64_t when = 0;
	int ret = bundle_slot_read(b, id, slot, e);
	if (ret < 0)
		return ret;
	switch (slot_state(slot, keys_of(&b->secret), &b->header.facts, id, &when)) {
	case BUNDLE_FRESH:
		return 0;
	case BUNDLE_SPENT: {
		char text[CLOCK_TEXT_MAX];
		clock_text(when, text);
		return err_set(e, ERR_SPENT,
			"Nothing was changed. One blob joins one PC once; ask the lab for a new "
			"one.",
			"this entry was used at %s", text);
	}
	default:
		return err_set(e, ERR_INTEGRITY,
			"Nothing was changed. Treat the entry as used and ask the lab for a new "
			"one.",
			"its key slot is damaged: neither fresh nor used");
	}
}

static int open_entry(
	struct bundle *b, uint32_t id, struct secret *plain, struct record *r, struct err *e)
{
	struct record at;
	if (!b->header.facts.lab_verified)
		return err_set(e, ERR_INTEGRITY, "Give the lab's public key (--lab LAB.pub).",
			"the lab's signature was not checked");
	int ret = bundle_record(b, id, &at, e);
	if (ret < 0)
		return ret;
	ret = take_entry_key(b, id, e);
	CLEANUP(freep) uint8_t *sealed = ret == 0 ? malloc(at.class) : NULL;
	if (ret == 0)
		ret = sealed ? read_entry(b, &at, sealed, e) : err_nomem(e);
	if (ret == 0)
		ret = bundle_entry_unseal(b, id, sealed, at.class, plain, r, e);
	sodium_memzero(keys_of(&b->secret)->entry, CRYPTO_KEY);
	if (ret == 0 && !same_row(&at.row, &r->row)) {
		ret = err_set(e, ERR_INTEGRITY, LAB_AGAIN, "it belongs to another row");
		secret_clear(plain);
	}
	r->row.id = id;
	return ret;
}

int bundle_entry_open(
	struct bundle *b, uint32_t id, struct secret *blob, struct bundle_row *row, struct err *e)
{
	struct secret plain = SECRET_INIT;
	struct record r;
	int ret = bundle_need_key(b, e);
	if (ret == 0)
		ret = open_entry(b, id, &plain, &r, e);
	if (ret == 0)
		ret = secret_copy(blob, r.blob.p, r.blob.len, e);
	if (ret == 0 && row)
		*row = r.row;
	if (ret < 0)
		err_ctx(e, "%s: entry %u", b->path, id);
	secret_clear(&plain);
	return ret;
}

int bundle_entry_extras(struct bundle *b, uint32_t id, bundle_extra_fn fn, void *ctx, struct err *e)
{
	struct secret plain = SECRET_INIT;
	struct record r = {0};
	int ret = bundle_need_key(b, e);
	if (ret == 0)
		ret = open_entry(b, id, &plain, &r, e);
	const uint8_t *p = r.extras.p, *end = p ? p + r.extras.len : p;
	while (ret == 0 && p < end) {
		char text[EXTRA_MAX + 1];
		uint32_t n = le32(p + 2); /* record_decode() saw to lengths and the NUL */
		memcpy(text, p + FIELD_HEAD, n);
		text[n] = '\0';
		ret = fn(ctx, text, text + strlen(text) + 1, e);
		p += FIELD_HEAD + n;
	}
	secret_clear(&plain);
	return ret;
}
