/*
 * Errors: one table of codes, one struct filled once at the failing point.
 *
 * Functions return 0 or a negative code (-ERR_*). The function that notices the
 * failure fills `struct err` with what happened, to which object, what is
 * untouched and what to do next; callers only add context with err_ctx().
 * A NULL `struct err *` is allowed everywhere and means "the code is enough".
 *
 * The exit status of the command line is a property of the code (err_exit()),
 * so it cannot differ between two commands that fail for the same reason.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

/*      code          exit  stable name (journal, --json)  */
#define ERR_TABLE(X)                                                                               \
	X(ERR_REFUSED, 1, "refused")	     /* a rule says no; nothing was changed */             \
	X(ERR_FAILED, 1, "failed")	     /* an operation did not succeed */                    \
	X(ERR_IO, 1, "io")		     /* the system refused a read, write or open */        \
	X(ERR_NOMEM, 1, "memory")	     /* out of memory or lockable memory */                \
	X(ERR_NOTFOUND, 1, "not-found")	     /* the named object does not exist */                 \
	X(ERR_EXISTS, 1, "exists")	     /* the object exists and will not be overwritten */   \
	X(ERR_NOSPACE, 1, "no-space")	     /* disk or stick full */                              \
	X(ERR_READONLY, 1, "read-only")	     /* disk or stick cannot be written */                 \
	X(ERR_SPENT, 1, "spent")	     /* the bundle entry was already used */               \
	X(ERR_AMBIGUOUS, 1, "ambiguous")     /* several candidates and none chosen */              \
	X(ERR_USAGE, 2, "usage")	     /* the command line is wrong */                       \
	X(ERR_FORMAT, 3, "bad-format")	     /* an input file is not what it should be */          \
	X(ERR_UNSUPPORTED, 3, "unsupported") /* well-formed, but a version or feature we refuse */ \
	X(ERR_LIMIT, 3, "limit")	     /* larger than a named limit */                       \
	X(ERR_KEY, 4, "wrong-key")	     /* passphrase or key does not open it */              \
	X(ERR_INTEGRITY, 5, "integrity")     /* signature, hash or structure is broken */          \
	X(ERR_UNSAFE, 6, "unsafe-pc")	     /* this PC is not safe to touch */

enum err_code {
	ERR_OK = 0,
#define X(code, exit_status, name) code,
	ERR_TABLE(X)
#undef X
		ERR_CODE_COUNT
};

struct err {
	int code;	/* ERR_*, positive; 0 while nothing failed */
	int sys;	/* errno at the failing point, or 0 */
	char what[640]; /* what happened, to which object (UTF-8, one line) */
	char next[384]; /* what is untouched and what to do next; may be empty */
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		0, 0, "", ""                                                                       \
	}

void err_clear(struct err *e);

/* Fill e (once: a later call on a filled e is ignored) and return -code. `next` may be NULL. */
int err_set(struct err *e, int code, const char *next, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for a failed system call: errno is kept and its text appended. ENOSPC, EROFS and
 * ENOENT override `code` with ERR_NOSPACE, ERR_READONLY and ERR_NOTFOUND. */
int err_sys(struct err *e, int code, const char *next, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Prefix e->what with "context: " and return -e->code. */
int err_ctx(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int err_nomem(struct err *e);

/* The static analyser looks at one file at a time; without this it follows paths on which a failure
 * returns 0. */
#ifdef __clang_analyzer__
#define err_set(e, code, ...) ((err_set)((e), (code), __VA_ARGS__), -(code))
#define err_sys(e, code, ...) ((err_sys)((e), (code), __VA_ARGS__), -(code))
#define err_ctx(...) ((err_ctx)(__VA_ARGS__), -ERR_FAILED)
#define err_nomem(e) ((err_nomem)(e), -ERR_NOMEM)
#endif

/* What to do next: e->next, or a general sentence for the code where nobody knew better. It
 * promises nothing about what was changed. */
const char *err_next(const struct err *e);

/* Exit status of the command line for a return value (0 or -ERR_*). */
int err_exit(int ret);

/* Stable short name of a code, "ok" for 0. Accepts either sign. */
const char *err_name(int code);

#endif
