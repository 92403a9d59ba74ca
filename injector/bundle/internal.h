/*
 * Internal: what the files of bundle/ that read a bundle share. Not for other folders.
 */
#ifndef BUNDLE_INTERNAL_H
#define BUNDLE_INTERNAL_H

#include "base/bytedev.h"
#include "bundle/bundle.h"
#include "bundle/format.h"
#include "bundle/record.h"
#include "bundle/slots.h"

#define LAB_AGAIN "It must not be used. Get the bundle from the lab again."

struct bundle {
	struct bytedev *dev;
	char *path;
	struct header header;
	size_t mac_covers;
	char header_text[HEADER_MAX];
	struct layout layout;
	uint8_t keys[KEYS_COUNT * KEYS_SLOT];
	struct secret secret; /* struct bundle_keys while unlocked */
	int64_t page_number;  /* of the look-up page in `page`; -1: none */
	uint8_t page[LOOKUP_PAGE * LOOKUP_RECORD];
};

int bundle_need_key(const struct bundle *b, struct err *e);
int bundle_need_id(const struct bundle *b, uint32_t id, struct err *e);

/* Verify that p[0..n) is leaf number `leaf` of what the lab signed. */
int bundle_leaf_verify(struct bundle *b, uint32_t leaf, const void *p, size_t n, struct err *e);

int bundle_slot_read(struct bundle *b, uint32_t id, uint8_t slot[SLOT_SIZE], struct err *e);

/* Row and position from the catalog, verified. */
int bundle_record(struct bundle *b, uint32_t id, struct record *r, struct err *e);
/* The same from the 512 bytes of the record, not verified against the tree. */
int bundle_record_open(struct bundle *b, uint32_t id, const uint8_t sealed[CATALOG_RECORD],
	struct record *r, struct err *e);

/* Open the sealed bytes of an entry with keys->entry; plain owns what r points into. */
int bundle_entry_unseal(struct bundle *b, uint32_t id, const uint8_t *sealed, size_t class,
	struct secret *plain, struct record *r, struct err *e);

bool entry_class_valid(uint64_t class);

/* Look-up record number i of the verified table. */
int bundle_lookup_at(struct bundle *b, uint32_t i, uint8_t out[LOOKUP_RECORD], struct err *e);

#endif
