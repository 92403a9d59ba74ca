/*
 * Time zones: what Windows itself writes into SYSTEM's TimeZoneInformation when
 * a zone is chosen, made from the zone's data in the SOFTWARE hive
 * (Microsoft\Windows NT\CurrentVersion\Time Zones\NAME, documented as
 * REG_TZI_FORMAT).
 *
 * The two places keep the start of daylight time in different orders of the
 * same eight numbers (year, month, weekday, day ... and year, month, day ...
 * weekday); read off real hives, docs/windows.md. A zone whose rules change
 * over the years has them in a subkey "Dynamic DST", of which the year of
 * `now` is taken.
 */
#ifndef WINDOWS_ZONE_H
#define WINDOWS_ZONE_H

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "hive/hive.h"
#include "windows/edits.h"
#include "windows/facts.h"

#define ZONE_NAME_MAX 127 /* characters; Windows keeps 128 units with the NUL */
#define ZONE_TZI 44	  /* bytes of a TZI value */

struct zone {
	char name[ZONE_NAME_MAX + 1];	 /* as Windows spells it */
	char standard[64], daylight[64]; /* "@tzres.dll,-322" */
	uint8_t tzi[ZONE_TZI];
};

/* From an open SOFTWARE hive. -ERR_NOTFOUND when this Windows does not know the zone, -ERR_FORMAT
 * when its data is not what the zone needs. now: seconds since 1970. */
int zone_read(
	const struct hive *software, const char *name, int64_t now, struct zone *z, struct err *e);

/* TimeZoneInformation in every control set that may be started. edits must be empty. */
int zone_edits(const struct zone *z, int64_t now, const struct windows_facts *f,
	struct reg_edits *edits, struct err *e);

/* Minutes that UTC is ahead of local time at `now`. */
int32_t zone_bias(const uint8_t tzi[ZONE_TZI], int64_t now);

/* RealTimeIsUniversal: the firmware's clock runs in UTC (1) or in local time (0). */
int zone_rtc_edits(bool utc, const struct windows_facts *f, struct reg_edits *edits, struct err *e);

#endif
