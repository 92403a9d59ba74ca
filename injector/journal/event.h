/*
 * What a journal record may say: events, fields and the form of each field.
 *
 * One place: a new field is one line in JOURNAL_FIELDS, a new event one line in
 * JOURNAL_EVENTS. There is no free-form text except `reason`, which the
 * engineer types; so no code path can print a password, a key or a blob into a
 * journal. Format: docs/format-journal.md, section 6.
 */
#ifndef JOURNAL_EVENT_H
#define JOURNAL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_HASH_SIZE 32			  /* BLAKE2b-256, Ed25519 public keys */
#define JOURNAL_NUM_MAX ((UINT64_C(1) << 53) - 1) /* what JavaScript reads exactly */
#define JOURNAL_CODE_MAX 48			  /* bytes: [a-z0-9] then [a-z0-9.-] */
#define JOURNAL_LABEL_MAX 128			  /* bytes of UTF-8, no control characters */
#define JOURNAL_REASON_MAX 400			  /* the same, typed by a person */

enum journal_kind {
	JOURNAL_NUM, /* 0 .. 2^53-1 */
	JOURNAL_BOOL,
	JOURNAL_HASH,	/* 32 bytes, lower-case hex */
	JOURNAL_CODE,	/* a name from a closed list of the program */
	JOURNAL_LABEL,	/* name, serial, tag, edition: short, printable */
	JOURNAL_REASON, /* why, in the engineer's words */
};

/*      id                 JSON name          kind */
#define JOURNAL_FIELDS(X)                                                                          \
	X(JF_PROGRAM, "program", JOURNAL_LABEL)		/* "odjstick 0.1" */                       \
	X(JF_IMAGE, "image", JOURNAL_HASH)		/* hash of the booted image */             \
	X(JF_CLOCK, "clock", JOURNAL_CODE)		/* ok | behind (the last record) */        \
	X(JF_KEY, "key", JOURNAL_HASH)			/* this session's public key */            \
	X(JF_RECOVER, "recover", JOURNAL_HASH)		/* next key if this session has no end */  \
	X(JF_NEXT, "next", JOURNAL_HASH)		/* next session's public key */            \
	X(JF_PENDING_FROM, "pending_from", JOURNAL_NUM) /* no open intent before this session */   \
	X(JF_BUNDLE, "bundle", JOURNAL_LABEL)		/* bundle id */                            \
	X(JF_BUNDLE_HASH, "bundle_hash", JOURNAL_HASH)	/* of the bundle's signed header */        \
	X(JF_LAB, "lab", JOURNAL_HASH)			/* the lab's public key */                 \
	X(JF_LAB_FINGERPRINT, "lab_fingerprint", JOURNAL_LABEL)                                    \
	X(JF_SIGNED_BY, "signed_by", JOURNAL_CODE) /* lab | self */                                \
	X(JF_CLOSES, "closes", JOURNAL_NUM)	   /* session without an end */                    \
	X(JF_LAST, "last", JOURNAL_NUM)		   /* its last good record */                      \
	X(JF_TORN, "torn", JOURNAL_NUM)		   /* bytes of a half-written record */            \
	X(JF_TAIL, "tail", JOURNAL_HASH)	   /* hash of everything after `last` */           \
	X(JF_RECORDS, "records", JOURNAL_NUM)	   /* in this session, with this one */            \
	X(JF_SLOT, "slot", JOURNAL_CODE)	   /* kind of key that opened the bundle */        \
	X(JF_ATTEMPT, "attempt", JOURNAL_NUM)                                                      \
	X(JF_ERROR, "error", JOURNAL_CODE) /* err_name() */                                        \
	X(JF_SERIAL, "serial", JOURNAL_LABEL)                                                      \
	X(JF_SERIAL_SOURCE, "serial_source", JOURNAL_CODE) /* system | chassis | board | typed */  \
	X(JF_PLACEHOLDER, "placeholder", JOURNAL_BOOL)	   /* "To be filled by O.E.M." and such */ \
	X(JF_TAG, "tag", JOURNAL_LABEL)			   /* inventory tag */                     \
	X(JF_COMPUTER_NAME, "computer_name", JOURNAL_LABEL)                                        \
	X(JF_DOMAIN, "domain", JOURNAL_LABEL)                                                      \
	X(JF_TARGET, "target", JOURNAL_LABEL) /* disk, partition, image */                         \
	X(JF_WINDOWS_EDITION, "windows_edition", JOURNAL_LABEL)                                    \
	X(JF_BUILD, "build", JOURNAL_LABEL)                                                        \
	X(JF_ARCH, "arch", JOURNAL_CODE)                                                           \
	X(JF_PHASE, "phase", JOURNAL_CODE)    /* setup phase */                                    \
	X(JF_ADMINS, "admins", JOURNAL_LABEL) /* enabled local administrators, by name */          \
	X(JF_CHECK, "check", JOURNAL_CODE)                                                         \
	X(JF_VERDICT, "verdict", JOURNAL_CODE) /* ok | warn | stop */                              \
	X(JF_REASON, "reason", JOURNAL_REASON)                                                     \
	X(JF_METHOD, "method", JOURNAL_CODE) /* registry | unattend | firstboot */                 \
	X(JF_PLAN, "plan", JOURNAL_HASH)                                                           \
	X(JF_ITEMS, "items", JOURNAL_NUM)                                                          \
	X(JF_ENTRY, "entry", JOURNAL_NUM)    /* entry number in the bundle */                      \
	X(JF_INTENT, "intent", JOURNAL_NUM)  /* seq of the intent this answers */                  \
	X(JF_RESULT, "result", JOURNAL_CODE) /* ok | failed | undone */                            \
	X(JF_HEAD, "head", JOURNAL_LABEL)    /* short code left on the PC */

enum journal_field {
#define X(id, name, kind) id,
	JOURNAL_FIELDS(X)
#undef X
		JOURNAL_FIELD_COUNT
};

#define JF(id) (UINT64_C(1) << (id))

/*      id  JSON name  fields that must be there  fields that may be there */
#define JOURNAL_EVENTS(X)                                                                          \
	/* The chain itself: written by journal_init/open/close only. */                           \
	X(JE_GENESIS, "genesis",                                                                   \
		JF(JF_PROGRAM) | JF(JF_NEXT) | JF(JF_BUNDLE) | JF(JF_BUNDLE_HASH) | JF(JF_LAB) |   \
			JF(JF_LAB_FINGERPRINT) | JF(JF_SIGNED_BY),                                 \
		0)                                                                                 \
	X(JE_SESSION_START, "session-start",                                                       \
		JF(JF_PROGRAM) | JF(JF_CLOCK) | JF(JF_KEY) | JF(JF_RECOVER) | JF(JF_PENDING_FROM), \
		JF(JF_IMAGE))                                                                      \
	X(JE_RECOVERED, "recovered", JF(JF_CLOSES) | JF(JF_LAST) | JF(JF_TORN) | JF(JF_TAIL), 0)   \
	X(JE_SESSION_END, "session-end", JF(JF_NEXT) | JF(JF_RECORDS), 0)                          \
	/* The work: written through journal_event(). */                                           \
	X(JE_UNLOCK_FAILED, "unlock-failed", JF(JF_ERROR), JF(JF_ATTEMPT) | JF(JF_SLOT))           \
	X(JE_UNLOCKED, "unlocked", 0, JF(JF_SLOT) | JF(JF_BUNDLE))                                 \
	X(JE_PC_SEEN, "pc-seen", JF(JF_PLACEHOLDER),                                               \
		JF(JF_SERIAL) | JF(JF_SERIAL_SOURCE) | JF(JF_TAG))                                 \
	X(JE_WINDOWS_FOUND, "windows-found", JF(JF_TARGET),                                        \
		JF(JF_WINDOWS_EDITION) | JF(JF_BUILD) | JF(JF_ARCH) | JF(JF_PHASE) |               \
			JF(JF_COMPUTER_NAME) | JF(JF_DOMAIN) | JF(JF_ADMINS))                      \
	X(JE_CHECK, "check", JF(JF_CHECK) | JF(JF_VERDICT), JF(JF_REASON))                         \
	X(JE_REFUSED, "refused", JF(JF_ERROR),                                                     \
		JF(JF_CHECK) | JF(JF_COMPUTER_NAME) | JF(JF_SERIAL) | JF(JF_TAG) | JF(JF_TARGET))  \
	X(JE_PLAN, "plan", JF(JF_COMPUTER_NAME) | JF(JF_METHOD) | JF(JF_PLAN) | JF(JF_ITEMS),      \
		JF(JF_SERIAL) | JF(JF_TAG) | JF(JF_DOMAIN) | JF(JF_TARGET) | JF(JF_ENTRY))         \
	X(JE_INTENT, "intent", JF(JF_COMPUTER_NAME) | JF(JF_PLAN),                                 \
		JF(JF_SERIAL) | JF(JF_TAG) | JF(JF_METHOD) | JF(JF_TARGET) | JF(JF_ITEMS) |        \
			JF(JF_ENTRY) | JF(JF_REASON))                                              \
	X(JE_RESULT, "result", JF(JF_INTENT) | JF(JF_RESULT),                                      \
		JF(JF_ERROR) | JF(JF_COMPUTER_NAME) | JF(JF_PLAN) | JF(JF_HEAD))                   \
	X(JE_SPENT, "spent", JF(JF_COMPUTER_NAME), JF(JF_INTENT) | JF(JF_ENTRY) | JF(JF_ERROR))    \
	X(JE_UNDO, "undo", JF(JF_INTENT) | JF(JF_RESULT),                                          \
		JF(JF_ERROR) | JF(JF_COMPUTER_NAME) | JF(JF_REASON))                               \
	X(JE_NOTE, "note", JF(JF_REASON), JF(JF_COMPUTER_NAME) | JF(JF_SERIAL) | JF(JF_TAG))

enum journal_event {
#define X(id, name, must, may) id,
	JOURNAL_EVENTS(X)
#undef X
		JOURNAL_EVENT_COUNT
};

/* One fact. Text is NUL-terminated UTF-8 and borrowed for the call; an optional field whose text is
 * NULL or "" is left out, so callers pass what they have. */
struct journal_value {
	enum journal_field id;
	const char *text;    /* CODE, LABEL, REASON */
	const uint8_t *hash; /* HASH: 32 bytes, NULL leaves an optional field out */
	uint64_t num;	     /* NUM, BOOL */
};

#define JV_TEXT(id_, s)                                                                            \
	{                                                                                          \
		.id = (id_), .text = (s)                                                           \
	}
#define JV_HASH(id_, h)                                                                            \
	{                                                                                          \
		.id = (id_), .hash = (h)                                                           \
	}
#define JV_NUM(id_, n)                                                                             \
	{                                                                                          \
		.id = (id_), .num = (n)                                                            \
	}
#define JV_BOOL(id_, b)                                                                            \
	{                                                                                          \
		.id = (id_), .num = (b) ? 1 : 0                                                    \
	}

const char *journal_event_name(enum journal_event ev);
const char *journal_field_name(enum journal_field id);
enum journal_kind journal_field_kind(enum journal_field id);

#endif
