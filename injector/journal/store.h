/*
 * The journal's files: names, listing, one session's bytes, its tail.
 * Internal to journal/. Format: docs/format-journal.md sections 2 and 3.
 */
#ifndef JOURNAL_STORE_H
#define JOURNAL_STORE_H

#include "journal/record.h"

#define STORE_SESSION_BYTES_MAX (32u << 20)
#define STORE_SESSIONS_MAX 999999

/* What stands after a session's last good record. */
enum store_tail {
	STORE_TAIL_NONE,
	STORE_TAIL_BLANK,   /* reserved room */
	STORE_TAIL_TORN,    /* one record that was being written when the power went */
	STORE_TAIL_DAMAGED, /* records follow: this is not the end, something was changed */
};

struct store_session {
	uint64_t number;
	struct buf data;
	size_t off;	 /* end of the records read so far */
	const char *why; /* what is wrong at off, when something is */
};

/* The folder with the session files: dir/journal, or dir itself when it is a copied journal. The
 * caller frees it. */
char *store_folder(const char *dir, struct err *e);
char *store_path(const char *folder, uint64_t session, struct err *e);

/* Highest session number; -ERR_NOTFOUND when there is no session file. */
int store_last(const char *folder, uint64_t *last, struct err *e);

int store_load(struct store_session *s, const char *folder, uint64_t number, struct err *e);
void store_unload(struct store_session *s);

/* The next record: true, or false at the first byte that is not one. */
bool store_next(struct store_session *s, struct record_view *v);
void store_rewind(struct store_session *s);

enum store_tail store_tail(const struct store_session *s);
struct span store_tail_bytes(const struct store_session *s);
uint64_t store_torn(
	const struct store_session *s); /* bytes of the tail up to the last that is not blank */

#endif
