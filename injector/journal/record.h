/*
 * One journal record: its canonical bytes, written and taken apart.
 *
 * Internal to journal/. Format: docs/format-journal.md sections 3 to 5. The
 * parser accepts exactly the canonical form, so a record has one spelling and
 * hashing "the bytes in the file" is well defined.
 */
#ifndef JOURNAL_RECORD_H
#define JOURNAL_RECORD_H

#include "base/mem.h"
#include "base/reader.h"
#include "journal/journal.h"

#define RECORD_BLOCK 512
#define RECORD_MAX 4096 /* one record with its padding */
#define RECORD_FACTS_MAX 32
#define RECORD_SIG_SIZE 64
#define RECORD_ID_SIZE 16			     /* stick id, boot id */
#define RECORD_NAME_MAX 48			     /* bytes of a fact's name */
#define RECORD_CONTEXT "odjstick journal record 1\n" /* precedes the signed bytes */

struct record_head {
	uint64_t seq;
	uint64_t session;
	int64_t utc;
	uint8_t boot[RECORD_ID_SIZE];
	uint8_t stick[RECORD_ID_SIZE];
	uint8_t prev[JOURNAL_HASH_SIZE];
};

/* Signs context and body: with the session's key, or (first record) through the lab's callback. */
struct record_signer {
	int (*sign)(
		void *ctx, const uint8_t *p, size_t n, uint8_t sig[RECORD_SIG_SIZE], struct err *e);
	void *ctx;
};

struct fact {
	struct span name;
	struct span text; /* string: between the quotes, still escaped; else the literal */
	bool string;
};

struct record_view {
	struct journal_record pub;
	struct record_head head;
	struct fact facts[RECORD_FACTS_MAX];
	size_t n_facts;
	size_t signed_len; /* of pub.json */
	uint8_t sig[RECORD_SIG_SIZE];
	uint8_t hash[JOURNAL_HASH_SIZE]; /* of the padded record */
	size_t size;			 /* of the padded record */
};

/* Append the padded record to out. -ERR_USAGE names what the event table does not allow. */
int record_encode(struct buf *out, const struct record_head *h, enum journal_event ev,
	const struct journal_value *values, size_t n, const struct record_signer *s, struct err *e);

/* Take the record at p apart. 0, or -ERR_FORMAT with *why (static text) when it is not canonical.
 * v borrows p. */
int record_parse(struct record_view *v, const uint8_t *p, size_t n, const char **why);

bool record_signed_by(const struct record_view *v, const uint8_t pub[JOURNAL_HASH_SIZE]);
void record_hash(const uint8_t *p, size_t n, uint8_t out[JOURNAL_HASH_SIZE]);
const struct fact *record_fact(const struct record_view *v, enum journal_field id);

#endif
