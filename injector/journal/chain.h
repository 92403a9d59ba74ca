/*
 * The rules of the journal, applied record by record: order, hashes, keys,
 * session ends, recoveries. journal_verify() walks from the first record,
 * journal_open() from the last session that was closed.
 * Internal to journal/. Format: docs/format-journal.md section 8.
 */
#ifndef JOURNAL_CHAIN_H
#define JOURNAL_CHAIN_H

#include "journal/store.h"

/* A session without an end, until a later one records how far it came. */
struct chain_open {
	uint64_t session;
	uint64_t last;
	uint64_t torn;
	uint64_t tail_len;
	uint8_t tail[JOURNAL_HASH_SIZE];
};

enum chain_end {
	CHAIN_CLOSED, /* the last session has its end */
	CHAIN_OPEN,   /* it has none: running, or the stick was pulled */
	CHAIN_EMPTY,  /* its file has no record yet: cut off while starting */
};

struct chain {
	uint64_t from;
	uint64_t session;
	uint64_t seq; /* of the next record */
	uint64_t in_session;
	uint64_t records;
	uint64_t recovered;
	uint64_t pending_from;
	int64_t utc;
	bool clock_back;
	bool ended;
	bool resumed; /* started in the middle: recoveries in this session name unseen sessions */
	uint8_t head[JOURNAL_HASH_SIZE];
	uint8_t key[JOURNAL_HASH_SIZE];	      /* of the session being read */
	uint8_t announced[JOURNAL_HASH_SIZE]; /* of the next one */
	uint8_t stick[RECORD_ID_SIZE];
	struct buf open; /* of struct chain_open, in order of session */
	enum chain_end end;
	uint64_t torn;	 /* bytes of a half-written record at the very end */
	const char *why; /* the broken rule */
};

void chain_clear(struct chain *c);
size_t chain_open_count(const struct chain *c);
struct chain_open chain_open_at(const struct chain *c, size_t i);

/* Called for each record that stands. */
typedef int chain_fn(const struct record_view *v, void *ctx, struct err *e);

/* Walk sessions from..to (the last). from == 0 starts at the first record; otherwise `from` must be
 * a closed session, whose own start is taken on trust. -ERR_INTEGRITY with c->why when a rule is
 * broken (e names it too). */
int chain_walk(struct chain *c, const char *folder, uint64_t from, uint64_t to, chain_fn *fn,
	void *ctx, struct err *e);

#endif
