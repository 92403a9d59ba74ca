#include "bundle/format.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bundle/armor.h"
#include "bundle/merkle.h"

const char *const member_names[MEMBER_COUNT] = {
	"header",
	"header.minisig",
	"keys",
	"slots",
	"lookup",
	"catalog",
	"tree",
};

void layout_init(struct layout *l, uint32_t count)
{
	uint64_t records = (uint64_t)LOOKUP_PER_ENTRY * count;
	l->pages = (uint32_t)((records + LOOKUP_PAGE - 1) / LOOKUP_PAGE);
	l->leaves = l->pages + 2 * count;
	l->size[MEMBER_HEADER] = 0;
	l->size[MEMBER_SIGNATURE] = 0;
	l->size[MEMBER_KEYS] = (uint64_t)KEYS_COUNT * KEYS_SLOT;
	l->size[MEMBER_SLOTS] = (uint64_t)SLOT_SIZE * count;
	l->size[MEMBER_LOOKUP] = records * LOOKUP_RECORD;
	l->size[MEMBER_CATALOG] = (uint64_t)CATALOG_RECORD * count;
	l->size[MEMBER_TREE] = merkle_hashes(l->leaves) * CRYPTO_HASH;
	uint64_t at = 0;
	for (int m = 0; m < MEMBER_COUNT; m++) {
		l->at[m] = at + TAR_BLOCK;
		/* header and signature occupy one block whatever their length is */
		at = l->at[m] + (m <= MEMBER_SIGNATURE ? TAR_BLOCK : tar_padded(l->size[m]));
	}
	l->entries = at;
}

int tar_block(uint8_t out[TAR_BLOCK], const char *name, uint64_t size, int64_t mtime, struct err *e)
{
	uint8_t space[8 * TAR_BLOCK];
	size_t used = 0;
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	int ret = a && entry ? 0 : err_nomem(e);
	if (ret == 0) {
		archive_write_set_format_ustar(a);
		archive_write_set_bytes_per_block(a, TAR_BLOCK);
		archive_entry_set_pathname(entry, name);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_size(entry, (la_int64_t)size);
		archive_entry_set_mtime(entry, (time_t)mtime, 0);
		if (archive_write_open_memory(a, space, sizeof space, &used) != ARCHIVE_OK ||
			archive_write_header(a, entry) != ARCHIVE_OK || used < TAR_BLOCK)
			ret = err_set(e, ERR_FAILED, NULL, "no archive header for %s: %s", name,
				archive_error_string(a) ? archive_error_string(a) : "unknown");
		else
			memcpy(out, space, TAR_BLOCK);
	}
	archive_entry_free(entry);
	archive_write_free(a);
	return ret;
}

void entry_name(char out[ENTRY_NAME_MAX], uint32_t id)
{
	snprintf(out, ENTRY_NAME_MAX, "entry/%06u", id % 1000000u);
}

uint64_t tar_size(const uint8_t block[TAR_BLOCK])
{
	enum { SIZE_AT = 124, SIZE_DIGITS = 11 };
	uint64_t n = 0;
	for (int i = 0; i < SIZE_DIGITS; i++) {
		uint8_t c = block[SIZE_AT + i];
		if (c < '0' || c > '7')
			return UINT64_MAX;
		n = n * 8 + (uint64_t)(c - '0');
	}
	return n;
}

/* --- header --- */

bool label_valid(const char *label)
{
	size_t n = strlen(label);
	if (n == 0 || n > BUNDLE_LABEL_MAX || label[0] == ' ' || label[n - 1] == ' ')
		return false;
	for (size_t i = 0; i < n; i++)
		if (label[i] < 0x20 || label[i] > 0x7e)
			return false;
	return true;
}

size_t header_write(const struct header *h, char out[HEADER_MAX], bool with_mac)
{
	const struct bundle_facts *f = &h->facts;
	char created[CLOCK_TEXT_MAX], expires[CLOCK_TEXT_MAX] = "never";
	char root[2 * CRYPTO_HASH + 1], mac[2 * CRYPTO_HASH + 1];
	clock_text(f->created, created);
	if (f->expires)
		clock_text(f->expires, expires);
	crypto_hex(root, h->root, CRYPTO_HASH);
	crypto_hex(mac, h->mac, CRYPTO_HASH);
	int n = snprintf(out, HEADER_MAX,
		"odjstick-bundle 1\nid %s\nlabel %s\ncreated %s\nexpires %s\nentries %u\n"
		"size %llu\nlab %s\nroot %s\n",
		f->id_text, f->label, created, expires, f->count, (unsigned long long)f->size,
		f->lab_keyid, root);
	if (with_mac && n > 0 && n < (int)HEADER_MAX)
		n += snprintf(out + n, HEADER_MAX - (size_t)n, "mac %s\n", mac);
	return (size_t)n;
}

/* The value of the line "name value". */
static bool field(struct span *text, const char *name, char *out, size_t cap)
{
	struct span line, value;
	if (!armor_line(text, &line) || !armor_prefix(line, name, &value) || value.len >= cap)
		return false;
	memcpy(out, value.p, value.len);
	out[value.len] = '\0';
	return strlen(out) == value.len;
}

static bool number(const char *text, uint64_t max, uint64_t *n)
{
	*n = 0;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || p - text > 12)
			return false;
		*n = *n * 10 + (uint64_t)(*p - '0');
	}
	return *text != '\0' && *n <= max;
}

static bool parse_fields(struct span *t, struct header *h)
{
	struct bundle_facts *f = &h->facts;
	char v[HEADER_MAX];
	uint64_t n;
	if (!field(t, "id ", v, sizeof v) || !crypto_unhex(f->id, BUNDLE_ID_LEN, v, strlen(v)))
		return false;
	crypto_hex(f->id_text, f->id, BUNDLE_ID_LEN);
	if (!field(t, "label ", f->label, sizeof f->label) || !label_valid(f->label) ||
		!field(t, "created ", v, sizeof v) || clock_parse(v, &f->created) < 0 ||
		f->created < 0 || !field(t, "expires ", v, sizeof v))
		return false;
	f->expires = 0;
	if (strcmp(v, "never") != 0 && (clock_parse(v, &f->expires) < 0 || f->expires <= 0))
		return false;
	if (!field(t, "entries ", v, sizeof v) || !number(v, BUNDLE_ENTRIES_MAX, &n) || n == 0)
		return false;
	f->count = (uint32_t)n;
	if (!field(t, "size ", v, sizeof v) || !number(v, BUNDLE_SIZE_MAX, &f->size))
		return false;
	return field(t, "lab ", f->lab_keyid, sizeof f->lab_keyid) &&
	       field(t, "root ", v, sizeof v) && crypto_unhex(h->root, CRYPTO_HASH, v, strlen(v)) &&
	       field(t, "mac ", v, sizeof v) && crypto_unhex(h->mac, CRYPTO_HASH, v, strlen(v)) &&
	       t->len == 0;
}

int header_parse(const void *text, size_t len, struct header *h, size_t *covered, struct err *e)
{
	static const char first[] = "odjstick-bundle ";
	struct span rest = {text, len}, line, version;
	*h = (struct header){0};
	if (len > HEADER_MAX || !armor_line(&rest, &line) || !armor_prefix(line, first, &version) ||
		version.len == 0)
		return err_set(e, ERR_FORMAT, "Nothing was changed. Name a bundle (.odjb).",
			"this is not a bundle");
	if (version.len != 1 || version.p[0] != '1')
		return err_set(e, ERR_UNSUPPORTED,
			"Nothing was changed. Use an odjstick that knows this version.",
			"the bundle has another format version (%.*s) than 1",
			(int)(version.len > 8 ? 8 : version.len), (const char *)version.p);
	char again[HEADER_MAX];
	if (!parse_fields(&rest, h) || header_write(h, again, true) != len ||
		memcmp(again, text, len) != 0)
		return err_set(e, ERR_INTEGRITY, "It must not be used. Get it from the lab again.",
			"the header of the bundle is damaged");
	*covered = header_write(h, again, false);
	return 0;
}
