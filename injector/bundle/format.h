/*
 * Format: where everything lies in a bundle, and its public header.
 *
 * Every offset follows from the number of entries and from nothing else, up to the first entry; a
 * bundle has exactly one valid form of its archive framing, so framing is compared, not parsed.
 * docs/format-bundle.md, "Archive" and "Header".
 */
#ifndef BUNDLE_FORMAT_H
#define BUNDLE_FORMAT_H

#include <stdint.h>

#include "base/err.h"
#include "bundle/bundle.h"
#include "bundle/crypto.h"

#define TAR_BLOCK 512u
#define TAR_END (2 * TAR_BLOCK)
#define BUNDLE_SIZE_MAX UINT64_C(0xffffffff) /* what FAT32 can hold in one file */

#define KEYS_COUNT 8u
#define KEYS_SLOT 512u
#define SLOT_SIZE 512u /* one sector: spending an entry never rewrites a neighbour */
#define LOOKUP_HASH 16u
#define LOOKUP_RECORD (LOOKUP_HASH + 4u)
#define LOOKUP_PER_ENTRY 3u /* serial, tag, name */
#define LOOKUP_PAGE 204u    /* records under one leaf of the tree */
#define CATALOG_RECORD 512u
#define ENTRY_CLASS_MIN 4096u
#define ENTRY_CLASS_MAX (2048u << 10)

enum member {
	MEMBER_HEADER,
	MEMBER_SIGNATURE,
	MEMBER_KEYS,
	MEMBER_SLOTS,
	MEMBER_LOOKUP,
	MEMBER_CATALOG,
	MEMBER_TREE,
	MEMBER_COUNT
};

extern const char *const member_names[MEMBER_COUNT];

struct layout {
	uint64_t
		at[MEMBER_COUNT]; /* first byte of the content; its tar block is TAR_BLOCK before */
	uint64_t size[MEMBER_COUNT]; /* HEADER and SIGNATURE: 0, their size is in the block */
	uint64_t entries;	     /* tar block of the first entry */
	uint32_t pages;		     /* leaves that cover `lookup` */
	uint32_t leaves;	     /* all leaves */
};

void layout_init(struct layout *l, uint32_t count);

/* Leaf numbers of the tree. */
static inline uint32_t leaf_record(const struct layout *l, uint32_t id)
{
	return l->pages + 2 * id;
}
static inline uint32_t leaf_entry(const struct layout *l, uint32_t id)
{
	return l->pages + 2 * id + 1;
}

/* The one valid tar block for a member. */
int tar_block(
	uint8_t out[TAR_BLOCK], const char *name, uint64_t size, int64_t mtime, struct err *e);
#define ENTRY_NAME_MAX 16
void entry_name(char out[ENTRY_NAME_MAX], uint32_t id);
/* Size field of a tar block; the caller compares the whole block afterwards. UINT64_MAX if bad. */
uint64_t tar_size(const uint8_t block[TAR_BLOCK]);
static inline uint64_t tar_padded(uint64_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

/* --- header --- */

#define HEADER_MAX TAR_BLOCK

struct header {
	struct bundle_facts facts; /* lab_verified, needs_keyfile, recipients: not from here */
	uint8_t root[CRYPTO_HASH];
	uint8_t mac[CRYPTO_HASH];
};

/* Text without its last line (which the MAC covers), or with it. Returns the length. */
size_t header_write(const struct header *h, char out[HEADER_MAX], bool with_mac);

/* Strict: exactly what header_write() would write. *covered is the length the MAC covers. */
int header_parse(const void *text, size_t len, struct header *h, size_t *covered, struct err *e);

bool label_valid(const char *label);

#endif
