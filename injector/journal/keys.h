/*
 * The journal's secrets: the key of the running session (memory only) and the
 * key of the next one (state/journal.key).
 *
 * Internal to journal/. The file has two slots; a new key goes into the free
 * slot before the journal announces it, the old slot is overwritten after. So
 * at every instant the file holds the key the journal announced last, and the
 * old key is gone from the file's blocks, which a rename would not do.
 * Format: docs/format-journal.md section 7.
 */
#ifndef JOURNAL_KEYS_H
#define JOURNAL_KEYS_H

#include "base/bytedev.h"
#include "base/secret.h"
#include "journal/journal.h"

#define KEYS_SLOTS 2
#define KEYS_SLOT_SIZE 4096
#define KEYS_SEED_SIZE 32

struct session_key {
	struct secret sk; /* libsodium's form: the 32-byte seed, then the public half */
	uint8_t pub[JOURNAL_HASH_SIZE];
};

struct keys {
	struct bytedev *dev;
	uint8_t stick[JOURNAL_STICK_ID_SIZE];
	int slot; /* where the announced key is */
};

int session_key_new(struct session_key *k, struct err *e);
void session_key_clear(struct session_key *k);
/* A record_signer's function; ctx is the struct session_key. */
int session_key_sign(void *ctx, const uint8_t *p, size_t n, uint8_t sig[64], struct err *e);

/* Write the first state file of a stick, holding k. An older one is replaced. */
int keys_create(const char *dir, const uint8_t stick[JOURNAL_STICK_ID_SIZE],
	const struct session_key *k, struct err *e);

/* Open the file and take out the key whose public half is `announced`. -ERR_NOTFOUND: no file;
 * -ERR_INTEGRITY: it holds another key. With writable false, dev is closed again and only k tells.
 */
int keys_open(struct keys *s, const char *dir, bool writable,
	const uint8_t announced[JOURNAL_HASH_SIZE], struct session_key *k, struct err *e);

/* Store k in the slot that does not hold the announced key. */
int keys_put(struct keys *s, const struct session_key *k, struct err *e);
/* The journal has announced the key stored last: overwrite the old one. */
int keys_switch(struct keys *s, struct err *e);
void keys_close(struct keys *s);

#endif
