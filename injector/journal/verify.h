/*
 * Journal verification: needs the journal's files and, better, the lab's public
 * key. No secret, no passphrase. The rules are docs/format-journal.md section 8;
 * tests/tools/journal_verify.py is a second implementation of them.
 */
#ifndef JOURNAL_VERIFY_H
#define JOURNAL_VERIFY_H

#include "journal/journal.h"

enum journal_verdict {
	JOURNAL_VALID,	    /* every record stands, the last session is closed */
	JOURNAL_INCOMPLETE, /* every record stands, the last session is still open or was cut off */
	JOURNAL_INVALID,    /* something was changed, removed, added or damaged */
};

struct journal_report {
	enum journal_verdict verdict;
	uint64_t sessions;  /* files, without the one of the first record */
	uint64_t records;   /* good ones, up to the first bad one */
	uint64_t recovered; /* sessions that a later one had to close */
	uint64_t pending;   /* intents without a result */
	uint64_t bad_seq;   /* INVALID: the first record that does not stand */
	uint64_t bad_session;
	char why[256];	  /* INVALID, INCOMPLETE: one sentence; empty when VALID */
	bool lab_signed;  /* the lab's key signed the start */
	bool lab_matches; /* the start names the lab key given to journal_verify() */
	bool lab_given;
	bool state_seen; /* state/journal.key is there and was compared with the end */
	bool clock_back; /* some record is older than the one before it */
	char stick[JOURNAL_ID_TEXT];
	char bundle[JOURNAL_LABEL_MAX + 1];
	char lab_fingerprint[JOURNAL_LABEL_MAX + 1];
	char start_code[JOURNAL_CODE_TEXT]; /* of the first record */
	char head_code[JOURNAL_CODE_TEXT];  /* of the last good record */
	int64_t first_utc, last_utc;
};

/* dir: a stick's folder, or a journal folder copied from one. lab_pub: 32 bytes or NULL. head: a
 * short code (or a whole hash in hex) noted elsewhere that must occur in the journal, or NULL.
 * Returns 0 whenever a verdict was reached (also INVALID); -ERR_NOTFOUND when there is no journal,
 * -ERR_IO and such when it could not be read. */
int journal_verify(const char *dir, const uint8_t *lab_pub, const char *head,
	struct journal_report *r, struct err *e);

const char *journal_verdict_name(enum journal_verdict v); /* "valid", "incomplete", "invalid" */

#endif
