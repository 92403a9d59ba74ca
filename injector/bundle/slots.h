/*
 * Slots: the mutable parts of a bundle. Key slots wrap the master key; entry slots wrap the key of
 * one entry and are overwritten when the entry is used.
 * docs/format-bundle.md, "Key slots" and "Entry slots".
 */
#ifndef BUNDLE_SLOTS_H
#define BUNDLE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "bundle/bundle.h"
#include "bundle/crypto.h"
#include "bundle/format.h"
#include "bundle/recipient.h"

/* All keys that follow from the master key, in one locked allocation. */
struct bundle_keys {
	uint8_t master[CRYPTO_KEY];
	uint8_t header[CRYPTO_KEY];
	uint8_t catalog[CRYPTO_KEY];
	uint8_t lookup[CRYPTO_KEY];
	uint8_t slot[CRYPTO_KEY];
	uint8_t spent[CRYPTO_KEY];
	uint8_t entry[CRYPTO_KEY]; /* the key of the entry at hand */
};

static inline struct bundle_keys *keys_of(const struct secret *s)
{
	return (struct bundle_keys *)s->p;
}

/* keys->master is set; fill the others. */
void keys_derive(struct bundle_keys *k, const uint8_t id[BUNDLE_ID_LEN]);
void keys_header_mac(
	const struct bundle_keys *k, const void *text, size_t covered, uint8_t mac[CRYPTO_HASH]);
/* by plus one, then the normal form. */
void keys_lookup(const struct bundle_keys *k, enum bundle_by by, const char *normal,
	uint8_t out[LOOKUP_HASH]);

/* Normal form of a computer name for the look-up: a-z upper-cased, cut at IDENTITY_MAX. */
void lookup_name(const char *name, char out[IDENTITY_MAX + 1]);

/* What binds a record, slot or entry to its place: label, 0, bundle id, entry id, expiry. */
#define BIND_MAX 64
size_t bind_entry(
	uint8_t out[BIND_MAX], const char *label, const struct bundle_facts *f, uint32_t id);

/* --- key slots --- */

/* Slot for a passphrase, and a key file when keyfile is not NULL. */
int keyslot_passphrase(uint8_t slot[KEYS_SLOT], const uint8_t id[BUNDLE_ID_LEN],
	const uint8_t master[CRYPTO_KEY], const struct secret *passphrase,
	const struct secret *keyfile, struct kdf_cost cost, struct err *e);
int keyslot_recipient(uint8_t slot[KEYS_SLOT], const uint8_t id[BUNDLE_ID_LEN],
	const uint8_t master[CRYPTO_KEY], const struct recipient_pub *pub, struct err *e);

/* Public facts of the member: refuses unknown slots, more than one derivation, gaps, costs beyond
 * the limits. */
int keyslots_check(const uint8_t keys[KEYS_COUNT * KEYS_SLOT], bool *needs_keyfile,
	uint32_t *recipients, struct err *e);

/* Unwrap into master (CRYPTO_KEY bytes of secret memory). -ERR_KEY when it does not open. */
int keyslot_open_passphrase(const uint8_t slot[KEYS_SLOT], const uint8_t id[BUNDLE_ID_LEN],
	const struct secret *passphrase, const struct secret *keyfile, uint8_t *master,
	struct err *e);
int keyslots_open_recipient(const uint8_t keys[KEYS_COUNT * KEYS_SLOT],
	const uint8_t id[BUNDLE_ID_LEN], const struct recipient_key *key, uint8_t *master,
	struct err *e);

/* --- entry slots --- */

/* Wraps k->entry. */
void slot_fresh(uint8_t slot[SLOT_SIZE], const struct bundle_keys *k, const struct bundle_facts *f,
	uint32_t id);
void slot_spent(uint8_t slot[SLOT_SIZE], const struct bundle_keys *k, const struct bundle_facts *f,
	uint32_t id, int64_t now);

/* What the slot is. With keys, marks are authenticated; without (NULL), only recognised. *when for
 * spent ones. k->entry is set when fresh, and must be wiped by the caller. */
enum bundle_state slot_state(const uint8_t slot[SLOT_SIZE], struct bundle_keys *k,
	const struct bundle_facts *f, uint32_t id, int64_t *when);

#endif
