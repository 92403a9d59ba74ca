/*
 * Bundle: one encrypted, signed file with everything a batch of PCs needs.
 *
 * Format: docs/format-bundle.md. Reading is layered: bundle_open() checks all that needs no key
 * (structure, the lab's signature), bundle_unlock() runs the one key derivation, and from then on
 * every row, entry and look-up is verified against the lab's signature on its own path: one PC
 * costs the same in a bundle of 10 and of 100,000.
 *
 * Entry ids are 0 .. bundle_count()-1, in the order of the lab's CSV, fixed for the life of a
 * bundle. `struct bundle` owns its keys (locked memory) until bundle_close(). Not thread-safe.
 *
 * Errors common to all: -ERR_INTEGRITY names the damaged part; -ERR_FORMAT is not a bundle;
 * -ERR_UNSUPPORTED is another version.
 */
#ifndef BUNDLE_BUNDLE_H
#define BUNDLE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "bundle/identity.h"
#include "bundle/lab.h"

#define BUNDLE_ENTRIES_MAX 100000u
#define BUNDLE_ID_LEN 16
#define BUNDLE_ID_TEXT 33
#define BUNDLE_LABEL_MAX 64
#define BUNDLE_NAME_MAX 15
#define BUNDLE_DOMAIN_MAX 255
#define BUNDLE_BLOB_MAX (1024u << 10) /* raw bytes of one ODJ blob */
#define BUNDLE_KEYFILE_MIN 16
#define BUNDLE_KEYFILE_MAX (64u << 10)

struct bundle;
struct recipient_key; /* bundle/recipient.h */

/* The public header; needs no key. Authentic when lab_verified. */
struct bundle_facts {
	uint8_t id[BUNDLE_ID_LEN];
	char id_text[BUNDLE_ID_TEXT]; /* lower-case hexadecimal */
	char label[BUNDLE_LABEL_MAX + 1];
	int64_t created; /* seconds since 1970, UTC */
	int64_t expires; /* 0: never. The caller decides what a clock offline is worth. */
	uint32_t count;
	uint64_t size; /* bytes of the file */
	char lab_keyid[LAB_KEYID_TEXT];
	uint8_t header_hash[32]; /* BLAKE2b-256 of the header the lab signed: names this bundle for
				    ever */
	bool lab_verified;	 /* the signature was checked with the key given to bundle_open() */
	bool needs_keyfile;
	uint32_t recipients; /* X25519 key slots */
};

/* What a key holder may know about one PC without opening its entry. */
struct bundle_row {
	uint32_t id;
	char computer_name[BUNDLE_NAME_MAX + 1];
	char serial[IDENTITY_MAX + 1]; /* as the lab wrote it; "" when the row had none */
	char tag[IDENTITY_MAX + 1];
	char domain[BUNDLE_DOMAIN_MAX + 1];
};

enum bundle_state {
	BUNDLE_FRESH,  /* its key is there: it can be used once */
	BUNDLE_SPENT,  /* marked as used; the key is gone */
	BUNDLE_DAMAGED /* neither: a write was cut, or somebody wrote into it. Not usable. */
};

enum bundle_by { BUNDLE_BY_SERIAL, BUNDLE_BY_TAG, BUNDLE_BY_NAME };

/* Open read-only. lab NULL: the signature is not checked; rows can then be listed but no entry can
 * be opened (facts.lab_verified is false). -ERR_INTEGRITY for a foreign or missing signature. */
int bundle_open(struct bundle **b, const char *path, const struct lab_pub *lab, struct err *e);
void bundle_close(struct bundle *b);
const struct bundle_facts *bundle_facts(const struct bundle *b);
uint32_t bundle_count(const struct bundle *b);

/* Derive and keep the master key. keyfile is the content of the key file or NULL. Takes about as
 * long as the lab asked for (0.6 s); -ERR_KEY when it does not open, and the bundle stays usable
 * for another try. */
int bundle_unlock(struct bundle *b, const struct secret *passphrase, const struct secret *keyfile,
	struct err *e);
int bundle_unlock_recipient(struct bundle *b, const struct recipient_key *key, struct err *e);
bool bundle_unlocked(const struct bundle *b);

/* Below: the bundle must be unlocked (-ERR_KEY otherwise). */

/* A key for data that belongs to this bundle but lies beside it (32 bytes). Labels of the bundle's
 * own keys start with "odjb1"; others must not. */
int bundle_derive_key(const struct bundle *b, const char *label, struct secret *out, struct err *e);

/* Find the entry whose serial, tag or computer name equals text (normal form, bundle/identity.h).
 * -ERR_NOTFOUND is as trustworthy as a hit; -ERR_REFUSED for placeholders. */
int bundle_find(struct bundle *b, enum bundle_by by, const char *text, uint32_t *id, struct err *e);

int bundle_row(struct bundle *b, uint32_t id, struct bundle_row *row, struct err *e);

/* State of an entry. *when is the time of use (0 when unknown or not spent); may be NULL. Works on
 * a locked bundle too, where marks are only recognised and not authenticated. */
int bundle_entry_state(
	struct bundle *b, uint32_t id, enum bundle_state *state, int64_t *when, struct err *e);
const char *bundle_state_name(enum bundle_state s); /* "fresh", "spent", "damaged" */

/* Open one entry: the raw ODJ blob, and its row (may be NULL). -ERR_SPENT when used already,
 * -ERR_INTEGRITY when damaged, not signed by the lab, or opened without a lab key. */
int bundle_entry_open(
	struct bundle *b, uint32_t id, struct secret *blob, struct bundle_row *row, struct err *e);

/* Extra CSV columns of an entry, while it is fresh. fn may stop with -ERR_*. */
typedef int (*bundle_extra_fn)(void *ctx, const char *column, const char *value, struct err *e);
int bundle_entry_extras(
	struct bundle *b, uint32_t id, bundle_extra_fn fn, void *ctx, struct err *e);

/* Can the file be written? -ERR_READONLY when not. Changes nothing, needs no key. */
int bundle_can_spend(struct bundle *b, struct err *e);

/* Destroy the entry's key in place: overwrite, sync, read back. Needs a writable file
 * (-ERR_READONLY). -ERR_SPENT when it was spent before. `now` is recorded in the marker. */
int bundle_entry_spend(struct bundle *b, uint32_t id, int64_t now, struct err *e);

/* Verify every byte that can be verified: without a key all hashes and markers, with a key all
 * rows, look-ups and fresh entries as well. The first failure is returned; *checked counts entries.
 */
int bundle_check(struct bundle *b, uint32_t *checked, struct err *e);

#endif
