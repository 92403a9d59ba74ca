/*
 * unattend.xml: put a join into an answer file, or make one.
 *
 * In the specialize pass: Microsoft-Windows-UnattendedJoin,
 * Identification/Provisioning/AccountData = base64 of the raw blob, and
 * Microsoft-Windows-Shell-Setup, ComputerName. expat finds the places; the
 * bytes are spliced, so all that is not ours stays as it was: encoding, byte
 * order mark, line ends, comments, other passes. Document types are refused.
 *
 * The result holds the blob and is a secret. It is parsed again before it is
 * returned. Source: facts on odj, section (d).
 */
#ifndef WINDOWS_UNATTEND_H
#define WINDOWS_UNATTEND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"
#include "windows/facts.h"

#define UNATTEND_MAX ((size_t)4 << 20)
#define UNATTEND_DEPTH_MAX 64

struct unattend_join {
	enum windows_arch arch;
	const char *computer_name;
	const struct secret *raw; /* the blob */
	const char *timezone;	  /* Windows' name, or NULL */
	char input_locale[16];	  /* "0407:00000407", or "" */
};

/* old == NULL: make a new file. -ERR_FORMAT when old is not well-formed or not an answer file,
 * -ERR_UNSUPPORTED for a document type or an encoding other than UTF-8 and UTF-16. */
int unattend_splice(const void *old, size_t len, const struct unattend_join *join,
	struct secret *out, struct err *e);

/* What an answer file says already, for facts and for verification. */
struct unattend_info {
	bool specialize_join; /* an UnattendedJoin component in specialize with AccountData */
	bool has_computer_name;
	char computer_name[64]; /* specialize; the first, for any architecture */
	bool has_specialize;	/* still to be done */
	bool processed;		/* holds a specialize pass that Windows has done */
};
int unattend_inspect(const void *p, size_t len, struct unattend_info *info, struct err *e);

/* Joins of somebody else that an answer file orders for this architecture in the specialize pass.
 */
struct unattend_other {
	bool data; /* AccountData that is not this blob; unattend_splice() would replace it */
	bool join; /* JoinDomain; unattend_splice() leaves it there */
	char domain[256]; /* its text */
};
int unattend_other_joins(const void *p, size_t len, const struct unattend_join *join,
	struct unattend_other *other, struct err *e);

/* Re-read: for this architecture exactly one AccountData with this blob, one ComputerName. */
int unattend_verify(const void *p, size_t len, const struct unattend_join *join, struct err *e);

#endif
