/*
 * Intents without an answer. A session-start carries the number of the oldest
 * session that may hold one, so the search never reads the whole journal.
 * Internal to journal/.
 */
#ifndef JOURNAL_PENDING_H
#define JOURNAL_PENDING_H

#include "journal/record.h"

struct pending {
	struct buf list; /* of struct journal_pending, in order */
};

/* Account for one record, in order. Works as a chain_fn and in journal_read(). */
int pending_add(struct pending *p, const struct record_view *v, struct err *e);
size_t pending_count(const struct pending *p);
void pending_clear(struct pending *p);

/* Oldest session in from..next-1 that holds an open intent; next when there is none. */
int pending_from(const char *folder, uint64_t from, uint64_t next, uint64_t *out, struct err *e);

#endif
