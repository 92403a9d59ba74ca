/*
 * Values of a SAM hive from their text form:
 *
 *   samf:RID FLAGS [SET [LOGON]]      F of a user; times as 2025-03-01T08:00:00Z, - for never
 *   samv:HASHLEN "name"               V of a user; HASHLEN bytes of 0xc5 stand for the NT hash
 *   samc:RID "name" SID...            C of an alias with its members
 *   samdomain:SID                     V of SAM\Domains\Account: the SID of the accounts
 *
 * Laid out as real hives have it; `sampasswd -l` and hivex read the result in the tests.
 */
#ifndef TESTS_TOOLS_MKHIVE_SAMDATA_H
#define TESTS_TOOLS_MKHIVE_SAMDATA_H

#include <stdbool.h>

#include "base/mem.h"

/* The `n` letters of kind; *known false when they are none of ours. */
int samdata(const char *kind, size_t n, const char *s, struct buf *out, bool *known, struct err *e);

#endif
