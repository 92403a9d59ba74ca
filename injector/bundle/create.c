#include "bundle/create.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytedev.h"
#include "base/file.h"
#include "bundle/format.h"
#include "bundle/internal.h"
#include "bundle/merkle.h"
#include "bundle/record.h"
#include "bundle/slots.h"

struct place {
	uint64_t offset; /* of the tar block */
	uint32_t class;
	bool written;
};

struct maker {
	const struct bundle_spec *spec;
	struct bytedev *dev;
	struct header header;
	struct layout layout;
	struct secret keys;
	struct place *places;
	uint8_t *lookup; /* records, unsorted until the end */
	uint8_t *tree;
	uint8_t *sealed; /* one entry */
	size_t written;
};

/* --- sizes --- */

static uint64_t text_size(const char *s)
{
	return *s ? FIELD_HEAD + strlen(s) : 0;
}

static uint64_t entry_size(const struct batch_row *r)
{
	uint64_t n = text_size(r->computer_name) + text_size(r->serial) + text_size(r->tag) +
		     text_size(r->domain) + FIELD_HEAD + r->blob_size + FIELD_HEAD;
	for (size_t i = 0; i < r->extra_count; i++)
		n += FIELD_HEAD + strlen(r->extra[i].column) + 1 + strlen(r->extra[i].value);
	return n + CRYPTO_HASH + CRYPTO_SEALED;
}

static int plan_places(struct maker *m, struct err *e)
{
	uint64_t at = m->layout.entries;
	for (size_t i = 0; i < batch_count(m->spec->batch); i++) {
		uint64_t need = entry_size(batch_row(m->spec->batch, i)), class = ENTRY_CLASS_MIN;
		while (class < need && class < ENTRY_CLASS_MAX)
			class *= 2;
		if (class < need)
			return err_set(e, ERR_LIMIT, "Nothing was written.",
				"line %u: blob and columns together are too large",
				batch_row(m->spec->batch, i)->line);
		m->places[i] = (struct place){at, (uint32_t) class, false};
		at += TAR_BLOCK + class;
	}
	m->header.facts.size = at + TAR_END;
	if (m->header.facts.size > BUNDLE_SIZE_MAX)
		return err_set(e, ERR_LIMIT,
			"Nothing was written. Make several bundles, for example with --where.",
			"the bundle would have %llu bytes, more than a FAT32 stick holds in one "
			"file",
			(unsigned long long)m->header.facts.size);
	return 0;
}

/* --- pieces --- */

static int put(struct maker *m, uint64_t at, const void *p, size_t n, struct err *e)
{
	return bytedev_write(m->dev, at, p, n, e);
}

static int put_block(struct maker *m, uint64_t at, const char *name, uint64_t size, struct err *e)
{
	uint8_t block[TAR_BLOCK];
	int ret = tar_block(block, name, size, m->header.facts.created, e);
	return ret < 0 ? ret : put(m, at, block, sizeof block, e);
}

static void set_leaf(struct maker *m, uint32_t leaf, const void *p, size_t n)
{
	merkle_leaf(m->tree + (size_t)leaf * CRYPTO_HASH, p, n);
}

static void row_of(const struct batch_row *from, uint32_t id, struct bundle_row *to)
{
	*to = (struct bundle_row){.id = id};
	snprintf(to->computer_name, sizeof to->computer_name, "%s", from->computer_name);
	snprintf(to->serial, sizeof to->serial, "%s", from->serial);
	snprintf(to->tag, sizeof to->tag, "%s", from->tag);
	snprintf(to->domain, sizeof to->domain, "%s", from->domain);
}

static int put_catalog(struct maker *m, const struct bundle_row *row, struct err *e)
{
	uint8_t plain[CATALOG_RECORD - CRYPTO_SEALED] = {0}, sealed[CATALOG_RECORD], ad[BIND_MAX];
	uint8_t position[12];
	const struct place *p = &m->places[row->id];
	struct record_writer w = {plain, sizeof plain, 0, false};
	put_le64(position, p->offset);
	put_le32(position + 8, p->class);
	record_add_row(&w, row);
	record_add(&w, FIELD_POSITION, position, sizeof position);
	record_add(&w, FIELD_END, NULL, 0);
	if (w.full)
		return err_set(e, ERR_LIMIT, "Nothing was written.",
			"the row of %s is too long for the catalog", row->computer_name);
	size_t n = bind_entry(ad, "odjb1 catalog", &m->header.facts, row->id);
	crypto_seal(sealed, keys_of(&m->keys)->catalog, plain, sizeof plain, ad, n);
	set_leaf(m, leaf_record(&m->layout, row->id), sealed, sizeof sealed);
	return put(m, m->layout.at[MEMBER_CATALOG] + (uint64_t)row->id * CATALOG_RECORD, sealed,
		sizeof sealed, e);
}

/* Three look-up records; what the row lacks is filled with a number nobody can ask for. */
static void add_lookup(struct maker *m, const struct bundle_row *row)
{
	char normal[IDENTITY_MAX + 1];
	const struct bundle_keys *k = keys_of(&m->keys);
	uint8_t *at = m->lookup + (size_t)row->id * LOOKUP_PER_ENTRY * LOOKUP_RECORD;
	const char *const texts[2] = {row->serial, row->tag};
	for (int by = BUNDLE_BY_SERIAL; by <= BUNDLE_BY_NAME; by++, at += LOOKUP_RECORD) {
		put_le32(at + LOOKUP_HASH, row->id);
		if (by == BUNDLE_BY_NAME)
			lookup_name(row->computer_name, normal);
		else if (identity_normalise(texts[by], normal, NULL) < 0) {
			randombytes_buf(at, LOOKUP_HASH);
			continue;
		}
		keys_lookup(k, (enum bundle_by)by, normal, at);
	}
}

static int seal_entry(struct maker *m, const struct batch_row *from, const struct bundle_row *row,
	const struct secret *raw, struct err *e)
{
	size_t class = m->places[row->id].class;
	uint8_t context[BIND_MAX], *sealed = m->sealed;
	struct bundle_keys *k = keys_of(&m->keys);
	struct secret plain = SECRET_INIT, key = SECRET_INIT;
	int ret = secret_alloc(&plain, class - CRYPTO_HASH - CRYPTO_SEALED, e);
	if (ret == 0)
		ret = secret_alloc(&key, CRYPTO_KEY, e);
	struct record_writer w = {plain.p, plain.len, 0, ret < 0};
	if (ret == 0) {
		record_add_row(&w, row);
		record_add(&w, FIELD_BLOB, raw->p, raw->len);
	}
	for (size_t i = 0; ret == 0 && i < from->extra_count; i++) {
		char text[EXTRA_MAX + 1];
		int n = snprintf(text, sizeof text, "%s%c%s", from->extra[i].column, '\0',
			from->extra[i].value);
		record_add(&w, FIELD_EXTRA, text, (size_t)n);
	}
	if (ret == 0) {
		record_add(&w, FIELD_END, NULL, 0);
		size_t n = bind_entry(context, "odjb1 entry", &m->header.facts, row->id);
		crypto_derive(sealed, k->entry, "odjb1 entry commit", context, n);
		crypto_derive(key.p, k->entry, "odjb1 entry key", context, n);
		crypto_seal(sealed + CRYPTO_HASH, key.p, plain.p, plain.len, context, n);
	}
	if (ret == 0 && w.full)
		ret = err_set(
			e, ERR_FAILED, "Nothing was written.", "entry %u does not fit", row->id);
	secret_clear(&key);
	secret_clear(&plain);
	return ret;
}

/* One PC: its slot, its catalog record, its look-up records, its entry. */
static int put_entry(void *ctx, size_t i, const struct secret *raw, struct err *e)
{
	struct maker *m = ctx;
	const struct batch_row *from = batch_row(m->spec->batch, i);
	struct place *p = &m->places[i];
	struct bundle_row row;
	uint8_t slot[SLOT_SIZE];
	char name[ENTRY_NAME_MAX];
	if (raw->len != from->blob_size || p->written)
		return err_set(e, ERR_FAILED, "Nothing was written. Check the batch again.",
			"blob %s changed while it was read", from->blob);
	row_of(from, (uint32_t)i, &row);
	randombytes_buf(keys_of(&m->keys)->entry, CRYPTO_KEY);
	int ret = seal_entry(m, from, &row, raw, e);
	slot_fresh(slot, keys_of(&m->keys), &m->header.facts, row.id);
	sodium_memzero(keys_of(&m->keys)->entry, CRYPTO_KEY);
	if (ret == 0)
		ret = put(m, m->layout.at[MEMBER_SLOTS] + (uint64_t)i * SLOT_SIZE, slot,
			sizeof slot, e);
	if (ret == 0)
		ret = put_catalog(m, &row, e);
	entry_name(name, row.id);
	if (ret == 0)
		ret = put_block(m, p->offset, name, p->class, e);
	if (ret == 0)
		ret = put(m, p->offset + TAR_BLOCK, m->sealed, p->class, e);
	set_leaf(m, leaf_entry(&m->layout, row.id), m->sealed, p->class);
	add_lookup(m, &row);
	p->written = true;
	m->written++;
	return ret;
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, LOOKUP_HASH);
}

static int put_lookup(struct maker *m, struct err *e)
{
	size_t n = (size_t)m->header.facts.count * LOOKUP_PER_ENTRY;
	size_t page = LOOKUP_PAGE * LOOKUP_RECORD, size = n * LOOKUP_RECORD;
	qsort(m->lookup, n, LOOKUP_RECORD, by_hash);
	for (size_t i = 1; i < n; i++)
		if (by_hash(m->lookup + (i - 1) * LOOKUP_RECORD, m->lookup + i * LOOKUP_RECORD) ==
			0)
			return err_set(e, ERR_FAILED, "Nothing was written. Check the batch again.",
				"two rows have the same serial, tag or name");
	for (uint32_t i = 0; i < m->layout.pages; i++) {
		size_t from = i * page;
		set_leaf(m, i, m->lookup + from, size - from < page ? size - from : page);
	}
	return put(m, m->layout.at[MEMBER_LOOKUP], m->lookup, size, e);
}

static int put_keys(struct maker *m, struct err *e)
{
	uint8_t keys[KEYS_COUNT * KEYS_SLOT] = {0};
	const struct bundle_spec *s = m->spec;
	const uint8_t *id = m->header.facts.id, *master = keys_of(&m->keys)->master;
	int ret = keyslot_passphrase(keys, id, master, s->passphrase, s->keyfile, s->cost, e);
	for (size_t i = 0; ret == 0 && i < s->recipient_count; i++)
		ret = keyslot_recipient(
			keys + (i + 1) * KEYS_SLOT, id, master, &s->recipients[i], e);
	return ret < 0 ? ret : put(m, m->layout.at[MEMBER_KEYS], keys, sizeof keys, e);
}

/* Last of all: the header names the root of the tree. */
static int put_header(struct maker *m, struct err *e)
{
	char text[HEADER_MAX] = {0}, comment[64];
	uint8_t block[TAR_BLOCK] = {0};
	CLEANUP(buf_clear) struct buf sig = BUF_INIT;
	size_t covered = header_write(&m->header, text, false);
	keys_header_mac(keys_of(&m->keys), text, covered, m->header.mac);
	size_t len = header_write(&m->header, text, true);
	snprintf(comment, sizeof comment, "odjstick bundle %s", m->header.facts.id_text);
	int ret = lab_sign(m->spec->lab, text, len, comment, &sig, e);
	if (ret == 0 && sig.len > sizeof block)
		ret = err_set(e, ERR_FAILED, NULL, "the signature is too long");
	if (ret < 0)
		return ret;
	memcpy(block, text, len);
	ret = put_block(
		m, m->layout.at[MEMBER_HEADER] - TAR_BLOCK, member_names[MEMBER_HEADER], len, e);
	if (ret == 0)
		ret = put(m, m->layout.at[MEMBER_HEADER], block, sizeof block, e);
	memset(block, 0, sizeof block);
	memcpy(block, sig.p, sig.len);
	if (ret == 0)
		ret = put_block(m, m->layout.at[MEMBER_SIGNATURE] - TAR_BLOCK,
			member_names[MEMBER_SIGNATURE], sig.len, e);
	return ret < 0 ? ret : put(m, m->layout.at[MEMBER_SIGNATURE], block, sizeof block, e);
}

static int write_all(struct maker *m, struct err *e)
{
	int ret = bytedev_resize(m->dev, m->header.facts.size, e); /* padding and end are zero */
	for (int i = MEMBER_KEYS; ret == 0 && i < MEMBER_COUNT; i++)
		ret = put_block(
			m, m->layout.at[i] - TAR_BLOCK, member_names[i], m->layout.size[i], e);
	if (ret == 0)
		ret = put_keys(m, e);
	if (ret == 0)
		ret = batch_each_blob(m->spec->batch, m->spec->blobs, put_entry, m, e);
	if (ret == 0 && m->written != m->header.facts.count)
		ret = err_set(e, ERR_FAILED, "Nothing was written. Check the batch again.",
			"a blob vanished while the bundle was made");
	if (ret == 0)
		ret = put_lookup(m, e);
	if (ret < 0)
		return ret;
	merkle_build(m->tree, m->layout.leaves, m->header.root);
	ret = put(m, m->layout.at[MEMBER_TREE], m->tree, (size_t)m->layout.size[MEMBER_TREE], e);
	if (ret == 0)
		ret = put_header(m, e);
	return ret < 0 ? ret : bytedev_sync(m->dev, e);
}

/* --- the whole --- */

static void fill_facts(struct maker *m)
{
	struct bundle_facts *f = &m->header.facts;
	randombytes_buf(f->id, sizeof f->id);
	crypto_hex(f->id_text, f->id, sizeof f->id);
	if (m->spec->label)
		snprintf(f->label, sizeof f->label, "%s", m->spec->label);
	else
		snprintf(f->label, sizeof f->label, "bundle %.8s", f->id_text);
	f->created = m->spec->created;
	f->expires = m->spec->expires;
	f->count = (uint32_t)batch_count(m->spec->batch);
	f->recipients = (uint32_t)m->spec->recipient_count;
	f->needs_keyfile = m->spec->keyfile != NULL;
	lab_keyid(lab_key_pub(m->spec->lab), f->lab_keyid);
}

static int prepare(struct maker *m, struct err *e)
{
	fill_facts(m);
	layout_init(&m->layout, m->header.facts.count);
	m->places = calloc(m->header.facts.count, sizeof *m->places);
	m->lookup = calloc(m->header.facts.count, (size_t)LOOKUP_PER_ENTRY * LOOKUP_RECORD);
	m->tree = malloc((size_t)m->layout.size[MEMBER_TREE]);
	m->sealed = malloc(ENTRY_CLASS_MAX);
	if (!m->places || !m->lookup || !m->tree || !m->sealed)
		return err_nomem(e);
	int ret = secret_alloc(&m->keys, sizeof(struct bundle_keys), e);
	if (ret < 0)
		return ret;
	randombytes_buf(keys_of(&m->keys)->master, CRYPTO_KEY);
	keys_derive(keys_of(&m->keys), m->header.facts.id);
	return plan_places(m, e);
}

static int check_spec(const struct bundle_spec *s, struct err *e)
{
	if (file_exists(s->out))
		return err_set(e, ERR_EXISTS,
			"It is untouched. Choose another name or move it away.",
			"%s exists already", s->out);
	if (batch_errors(s->batch) || batch_count(s->batch) == 0)
		return err_set(e, ERR_REFUSED,
			"Nothing was written. `odjstick batch check` lists them.",
			"%s has %zu errors", batch_path(s->batch), batch_errors(s->batch));
	if (s->label && !label_valid(s->label))
		return err_set(e, ERR_USAGE, "Nothing was written.",
			"the label must be 1 to %d printable ASCII characters", BUNDLE_LABEL_MAX);
	if (s->keyfile &&
		(s->keyfile->len < BUNDLE_KEYFILE_MIN || s->keyfile->len > BUNDLE_KEYFILE_MAX))
		return err_set(e, ERR_USAGE,
			"Nothing was written. `head -c 32 /dev/urandom > FILE` makes a good one.",
			"a key file has %d to %d bytes", BUNDLE_KEYFILE_MIN, BUNDLE_KEYFILE_MAX);
	if (s->expires && s->expires <= s->created)
		return err_set(e, ERR_USAGE, "Nothing was written.", "the expiry is in the past");
	if (s->recipient_count > RECIPIENTS_MAX)
		return err_set(e, ERR_LIMIT, "Nothing was written.", "more than %d recipients",
			RECIPIENTS_MAX);
	return kdf_cost_check(s->cost, s->out, e);
}

static int write_file(struct maker *m, struct err *e)
{
	const char *out = m->spec->out;
	size_t n = strlen(out) + sizeof ".new";
	CLEANUP(freep) char *temp = malloc(n);
	CLEANUP(freep) char *copy = strdup(out);
	if (!temp || !copy)
		return err_nomem(e);
	snprintf(temp, n, "%s.new", out);
	unlink(temp); /* left behind by an attempt that was cut off */
	int ret = bytedev_open_file(&m->dev, temp, 1, 1, e);
	if (ret < 0)
		return ret;
	ret = write_all(m, e);
	bytedev_close(m->dev);
	if (ret == 0 && rename(temp, out) < 0)
		ret = err_sys(e, ERR_IO, "Nothing was written.", "cannot create %s", out);
	if (ret < 0) {
		unlink(temp);
		return ret;
	}
	char *slash = strrchr(copy, '/');
	if (slash)
		slash[slash == copy ? 1 : 0] = '\0';
	return file_sync_dir(slash ? copy : ".", e);
}

int bundle_create(const struct bundle_spec *spec, struct bundle_facts *facts, struct err *e)
{
	struct maker m = {.spec = spec};
	int ret = check_spec(spec, e);
	if (ret == 0)
		ret = prepare(&m, e);
	if (ret == 0)
		ret = write_file(&m, e);
	if (ret == 0 && facts)
		*facts = m.header.facts;
	secret_clear(&m.keys);
	free(m.places);
	free(m.lookup);
	free(m.tree);
	free(m.sealed);
	return ret;
}
