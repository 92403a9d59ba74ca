/*
 * The latest time that earlier sessions vouch for. Internal to journal/.
 *
 * A session with a clock that was behind must not hide the right time of the
 * one before: sessions whose start says "behind" are looked past.
 */
#ifndef JOURNAL_NEWEST_H
#define JOURNAL_NEWEST_H

#include <stdint.h>

#define NEWEST_SESSIONS_MAX 64 /* looked at, from the last one back */

/* Seconds since 1970; 0 when nothing can be read. last: number of the last session. */
int64_t newest_time(const char *folder, uint64_t last);

#endif
