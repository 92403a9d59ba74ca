#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

#define FILETIME_EPOCH 11644473600LL /* 1601-01-01 to 1970-01-01, seconds */

int64_t clock_now(void)
{
	const char *fixed = getenv("ODJSTICK_NOW");
	if (fixed && *fixed)
		return strtoll(fixed, NULL, 10);
	return (int64_t)time(NULL);
}

void clock_text(int64_t t, char out[CLOCK_TEXT_MAX])
{
	time_t tt = (time_t)t;
	struct tm tm;
	if (!gmtime_r(&tt, &tm) || strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, CLOCK_TEXT_MAX, "1970-01-01T00:00:00Z");
}

int clock_parse(const char *text, int64_t *t)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%d", &tm);
	if (!rest)
		return -ERR_FORMAT;
	if (*rest == 'T')
		rest = strptime(rest, "T%H:%M:%SZ", &tm);
	if (!rest || *rest)
		return -ERR_FORMAT;
	*t = (int64_t)timegm(&tm);
	return 0;
}

uint64_t clock_filetime(int64_t t)
{
	return (uint64_t)(t + FILETIME_EPOCH) * 10000000ULL;
}

int64_t clock_from_filetime(uint64_t ft)
{
	return (int64_t)(ft / 10000000ULL) - FILETIME_EPOCH;
}
