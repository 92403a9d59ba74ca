/*
 * Records: what a row says, as typed fields. The same coding is used for the catalog (small, sealed
 * under the bundle's key) and for entries (with the blob, sealed under the entry's own key).
 * docs/format-bundle.md, "Records".
 */
#ifndef BUNDLE_RECORD_H
#define BUNDLE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "bundle/bundle.h"

enum field_type {
	FIELD_END = 0,
	FIELD_NAME = 1,
	FIELD_SERIAL = 2,
	FIELD_TAG = 3,
	FIELD_DOMAIN = 4,
	FIELD_BLOB = 5,	    /* entries only */
	FIELD_EXTRA = 6,    /* entries only, any number: column, NUL, value */
	FIELD_POSITION = 7, /* catalog only: offset u64 of the entry's tar block, class u32 */
};

#define FIELD_HEAD 6u /* type u16, length u32 */
#define EXTRA_MAX 2048u

struct record {
	struct bundle_row row;
	struct span blob;   /* into the decoded bytes; empty in the catalog */
	struct span extras; /* the FIELD_EXTRA fields with their heads */
	uint64_t offset;
	uint32_t class;
};

/* Decode exactly len bytes: fields in ascending order, an end, zero to the end. in_catalog chooses
 * which fields must be there. -ERR_INTEGRITY otherwise. */
int record_decode(const void *p, size_t len, bool in_catalog, struct record *r, struct err *e);

/* Write fields one after the other into out[0..cap). */
struct record_writer {
	uint8_t *out;
	size_t cap;
	size_t len;
	bool full;
};

void record_add(struct record_writer *w, enum field_type type, const void *p, size_t n);
void record_add_row(struct record_writer *w, const struct bundle_row *row);

#endif
