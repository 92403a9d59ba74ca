/*
 * The journal on the stick: what was done to which PC, in a form nobody can
 * change afterwards without being noticed.
 *
 * A stick folder holds journal/NNNNNN.jsonl (one file per session, public) and
 * state/journal.key (the secret of the next session only). Format and threat
 * model: docs/format-journal.md. Every function takes the stick's folder.
 *
 * Ownership: journal_open() hands out a `struct journal` that holds the
 * session's secret in locked memory; journal_close() writes the session's end
 * and frees it, journal_abandon() only frees it (as if the stick was pulled).
 * One process at a time may hold a stick's journal open.
 *
 * Durable means: written, synced, read back and compared. When journal_event()
 * returns 0 the record is on the stick. When it fails, nothing may be done that
 * depends on the record.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "journal/event.h"

#define JOURNAL_STICK_ID_SIZE 16
#define JOURNAL_CODE_TEXT 40 /* "0123-4567-..." 8 groups of 4 hex digits, and its NUL */
#define JOURNAL_ID_TEXT 33   /* stick or boot id in hex, and its NUL */

struct journal;

/* --- a new stick ---------------------------------------------------------------------------- */

struct journal_init {
	const char *program;	     /* "odjstick VERSION" */
	const char *bundle;	     /* bundle id */
	const uint8_t *bundle_hash;  /* 32 bytes: BLAKE2b-256 of the bundle's signed header */
	const uint8_t *lab_pub;	     /* 32 bytes: the lab's Ed25519 public key */
	const char *lab_fingerprint; /* as the lab's own tool prints it */
	/* Signs n bytes with the lab's secret key (plain Ed25519, 64 bytes out). NULL: the lab's
	 * key is not here, the first session's key signs the start and verify says so. */
	int (*sign)(void *ctx, const uint8_t *p, size_t n, uint8_t sig[64], struct err *e);
	void *sign_ctx;
};

struct journal_origin {
	uint8_t stick[JOURNAL_STICK_ID_SIZE];
	char stick_text[JOURNAL_ID_TEXT];
	char start_code[JOURNAL_CODE_TEXT]; /* short code of the first record, for the lab's note */
};

/* Make journal/ and state/ under dir with the first record. -ERR_EXISTS when there is a journal. */
int journal_init(
	const char *dir, const struct journal_init *p, struct journal_origin *out, struct err *e);

/* --- a session ------------------------------------------------------------------------------ */

struct journal_program {
	const char *name;     /* "odjstick VERSION"; NULL: "odjstick" */
	const uint8_t *image; /* 32 bytes: hash of the booted image, or NULL */
};

/* Start a session: recovers what a pulled stick left, reserves room for the whole session (a full
 * or read-only stick is noticed here), replaces the stored key, writes session-start and, where
 * needed, `recovered`. p may be NULL. -ERR_INTEGRITY when the end of the journal is damaged or its
 * key is missing: no PC may be changed with such a stick. */
int journal_open(
	struct journal **j, const char *dir, const struct journal_program *p, struct err *e);

/* Append one record. -ERR_USAGE for an event, field, code or reason the table does not allow (the
 * message names the field). A label is made to fit: what cannot be printed becomes '?', what is too
 * long is cut, because labels come from a stranger's firmware and disk. */
int journal_event(struct journal *j, enum journal_event ev, const struct journal_value *values,
	size_t n, struct err *e);

/* JOURNAL_ADD(j, e, JE_RESULT, JV_NUM(JF_INTENT, seq), JV_TEXT(JF_RESULT, "ok")) */
#define JOURNAL_ADD(j, e, ev, ...)                                                                 \
	journal_event((j), (ev), (const struct journal_value[]){__VA_ARGS__},                      \
		sizeof((const struct journal_value[]){__VA_ARGS__}) /                              \
			sizeof(struct journal_value),                                              \
		(e))

/* Sequence number of the last record written (an intent's number goes into its result). */
uint64_t journal_seq(const struct journal *j);
uint64_t journal_session(const struct journal *j);
int64_t journal_newest(const struct journal *j);    /* latest time in earlier sessions' records */
const char *journal_stick(const struct journal *j); /* stick id, hex */

/* The head: hash of the last record, whole and as the short code people compare. */
void journal_head(const struct journal *j, char code[JOURNAL_CODE_TEXT]);
const uint8_t *journal_head_hash(const struct journal *j);
void journal_code(const uint8_t hash[JOURNAL_HASH_SIZE], char code[JOURNAL_CODE_TEXT]);

/* Write session-end, wipe the session's secret, trim the file. Frees j in every case; j may be
 * NULL. */
int journal_close(struct journal *j, struct err *e);
void journal_abandon(struct journal *j);

/* --- reading (no key, no verification: see journal/verify.h) -----------------------------------
 */

struct journal_record {
	uint64_t seq;
	uint64_t session;
	int64_t utc;
	char boot[JOURNAL_ID_TEXT];
	char stick[JOURNAL_ID_TEXT];
	char event[JOURNAL_CODE_MAX + 1];
	enum journal_event id; /* JOURNAL_EVENT_COUNT: written by a later program */
	const char *json;      /* the record as it stands in the file, without padding */
	size_t json_len;
	const void *priv;
};

/* A fact of a record. text is NUL-terminated UTF-8 in out (truncated to cap); false when absent.
 * HASH and NUM values come as their JSON text. */
bool journal_get_text(const struct journal_record *r, enum journal_field id, char *out, size_t cap);
bool journal_get_num(const struct journal_record *r, enum journal_field id, uint64_t *n);
bool journal_get_bool(const struct journal_record *r, enum journal_field id, bool *b);
bool journal_get_hash(
	const struct journal_record *r, enum journal_field id, uint8_t out[JOURNAL_HASH_SIZE]);

/* Call fn for each well-formed record in order; stops at the first non-zero return and returns it.
 * A torn tail is skipped; a damaged record in the middle is -ERR_INTEGRITY. */
typedef int journal_fn(const struct journal_record *r, void *ctx, struct err *e);
int journal_read(const char *dir, journal_fn *fn, void *ctx, struct err *e);

/* Intents without result or undo, oldest first: a PC may be half changed. n receives how many there
 * are, also beyond max. Call it before journal_open(), or any time. */
struct journal_pending {
	uint64_t seq;
	uint64_t session;
	int64_t utc;
	uint8_t plan[JOURNAL_HASH_SIZE];
	char computer_name[JOURNAL_LABEL_MAX + 1];
	char serial[JOURNAL_LABEL_MAX + 1];
	char target[JOURNAL_LABEL_MAX + 1];
	char method[JOURNAL_CODE_MAX + 1];
};
int journal_pending_intent(
	const char *dir, struct journal_pending *out, size_t max, size_t *n, struct err *e);

#endif
