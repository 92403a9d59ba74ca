#include "windows/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "windows/reg.h"

#define ZONES "Microsoft\\Windows NT\\CurrentVersion\\Time Zones"
#define INFORMATION "Control\\TimeZoneInformation"
#define NEXT                                                                                       \
	"The disk is untouched. `tzutil /l` in Windows lists the zones; correct the row in the "   \
	"lab."

/* Offsets in a TZI: three biases in minutes, two SYSTEMTIMEs. */
enum { BIAS = 0, STANDARD_BIAS = 4, DAYLIGHT_BIAS = 8, STANDARD_DATE = 12, DAYLIGHT_DATE = 28 };
enum { DATE_SIZE = 16 };

/* The numbers of a SYSTEMTIME, by their place. */
enum { YEAR, MONTH, WEEKDAY, DAY, HOUR, MINUTE, SECOND, MILLISECOND, PARTS };

/* --- arithmetic --- */

static int32_t bias_at(const uint8_t *tzi, int at)
{
	int32_t minutes = (int32_t)le32(tzi + at);
	return minutes > -1440 && minutes < 1440 ? minutes : 0;
}

static bool take_date(const uint8_t *p, unsigned d[PARTS])
{
	for (int i = 0; i < PARTS; i++)
		d[i] = le16(p + 2 * i);
	return d[MONTH] >= 1 && d[MONTH] <= 12 && d[WEEKDAY] <= 6 && d[DAY] >= 1 && d[DAY] <= 31 &&
	       d[HOUR] <= 23 && d[MINUTE] <= 59 && d[SECOND] <= 59 &&
	       (d[YEAR] ? d[YEAR] >= 1601 && d[YEAR] <= 9999 : d[DAY] <= 5);
}

static int64_t seconds_of(int year, unsigned month, unsigned day)
{
	struct tm t = {.tm_year = year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day};
	return (int64_t)timegm(&t);
}

/* A date with a year is that day; without one it is the nth (5: the last) weekday of the month. */
static int64_t date_in(const unsigned d[PARTS], int year)
{
	int64_t day = 86400, at;
	if (d[YEAR]) {
		at = seconds_of((int)d[YEAR], d[MONTH], d[DAY]);
	} else {
		int64_t first = seconds_of(year, d[MONTH], 1);
		int64_t next = seconds_of(year, d[MONTH] + 1, 1);
		unsigned weekday = (unsigned)(((first / day + 4) % 7 + 7) % 7); /* 1970: Thursday */
		at = first + (int64_t)((d[WEEKDAY] + 7 - weekday) % 7 + 7 * (d[DAY] - 1)) * day;
		while (at >= next)
			at -= 7 * day;
	}
	return at + (int64_t)(d[HOUR] * 3600 + d[MINUTE] * 60 + d[SECOND]);
}

static int year_of(int64_t t)
{
	time_t at = (time_t)t;
	struct tm tm;
	return gmtime_r(&at, &tm) ? tm.tm_year + 1900 : 1970;
}

int32_t zone_bias(const uint8_t tzi[ZONE_TZI], int64_t now)
{
	unsigned standard[PARTS], daylight[PARTS];
	int32_t winter = bias_at(tzi, BIAS) + bias_at(tzi, STANDARD_BIAS);
	int32_t summer = bias_at(tzi, BIAS) + bias_at(tzi, DAYLIGHT_BIAS);
	if (!take_date(tzi + STANDARD_DATE, standard) || !take_date(tzi + DAYLIGHT_DATE, daylight))
		return winter;
	/* each change is written in the time that ends with it */
	int year = year_of(now - 60 * (int64_t)winter);
	int64_t begins = date_in(daylight, year) + 60 * (int64_t)winter;
	int64_t ends = date_in(standard, year) + 60 * (int64_t)summer;
	bool inside = begins < ends ? now >= begins && now < ends : now >= begins || now < ends;
	return inside ? summer : winter;
}

/* Year, month, day, hour, minute, second, millisecond, weekday: the order of the SYSTEM hive. */
static void stored_date(const uint8_t *date, uint8_t out[DATE_SIZE])
{
	static const int order[PARTS] = {
		YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, MILLISECOND, WEEKDAY};
	for (int i = 0; i < PARTS; i++)
		memcpy(out + 2 * i, date + 2 * order[i], 2);
}

/* --- reading --- */

static bool read_tzi(const struct hive *h, hive_key from, const char *path, const char *name,
	uint8_t tzi[ZONE_TZI])
{
	struct buf b = BUF_INIT;
	bool ok = reg_bytes(h, from, path, name, ZONE_TZI, &b) && b.len == ZONE_TZI;
	if (ok)
		memcpy(tzi, b.p, ZONE_TZI);
	buf_clear(&b);
	return ok;
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

/* The name for the registry: a reference into tzres.dll, else the text itself. */
static bool read_name(const struct hive *h, hive_key key, const char *reference, const char *text,
	char *out, size_t size)
{
	return (reg_string(h, key, "", reference, out, size) && out[0] && is_ascii(out)) ||
	       (reg_string(h, key, "", text, out, size) && out[0] && is_ascii(out));
}

static int read_key_name(const struct hive *h, hive_key key, struct zone *z, struct err *e)
{
	struct hive_key_info info;
	int ret = hive_key_info(h, key, &info, e);
	if (ret < 0)
		return ret;
	CLEANUP(freep) char *name = hive_name_utf8(&info.name);
	if (!name)
		return err_nomem(e);
	reg_copy(z->name, sizeof z->name, name);
	return 0;
}

int zone_read(
	const struct hive *software, const char *name, int64_t now, struct zone *z, struct err *e)
{
	char year[16];
	*z = (struct zone){0};
	hive_key key = HIVE_KEY_NONE;
	hive_key zones = reg_key(software, hive_root(software), ZONES);
	if (*name && is_ascii(name) && strlen(name) <= ZONE_NAME_MAX && !strchr(name, '\\'))
		key = reg_key(software, zones, name);
	if (key == HIVE_KEY_NONE)
		return err_set(
			e, ERR_NOTFOUND, NEXT, "this Windows knows no time zone \"%.127s\"", name);
	int ret = read_key_name(software, key, z, e);
	if (ret < 0)
		return ret;
	snprintf(year, sizeof year, "%d", year_of(now));
	if (!read_name(software, key, "MUI_Std", "Std", z->standard, sizeof z->standard) ||
		!read_name(software, key, "MUI_Dlt", "Dlt", z->daylight, sizeof z->daylight) ||
		!(read_tzi(software, key, "Dynamic DST", year, z->tzi) ||
			read_tzi(software, key, "", "TZI", z->tzi)))
		return err_set(e, ERR_FORMAT,
			"The disk is untouched. Leave the column timezone empty for this PC.",
			"the data of the time zone \"%s\" in this Windows is not complete",
			z->name);
	return 0;
}

/* --- writing --- */

static void information(struct edit_maker *m, const struct zone *z, int64_t now)
{
	uint8_t date[DATE_SIZE];
	edit_dword(m, INFORMATION, "Bias", le32(z->tzi + BIAS));
	edit_dword(m, INFORMATION, "StandardBias", le32(z->tzi + STANDARD_BIAS));
	edit_dword(m, INFORMATION, "DaylightBias", le32(z->tzi + DAYLIGHT_BIAS));
	edit_dword(m, INFORMATION, "ActiveTimeBias", (uint32_t)zone_bias(z->tzi, now));
	edit_text(m, INFORMATION, "StandardName", REG_SZ, z->standard);
	edit_text(m, INFORMATION, "DaylightName", REG_SZ, z->daylight);
	stored_date(z->tzi + STANDARD_DATE, date);
	edit_binary(m, INFORMATION, "StandardStart", date, sizeof date);
	stored_date(z->tzi + DAYLIGHT_DATE, date);
	edit_binary(m, INFORMATION, "DaylightStart", date, sizeof date);
	edit_text(m, INFORMATION, "TimeZoneKeyName", REG_SZ, z->name);
	edit_dword(m, INFORMATION, "DynamicDaylightTimeDisabled", 0);
}

int zone_edits(const struct zone *z, int64_t now, const struct windows_facts *f,
	struct reg_edits *edits, struct err *e)
{
	uint32_t sets[2];
	int count = edit_control_sets(f, sets, e);
	if (count < 0)
		return count;
	struct edit_maker m;
	edit_begin(&m, edits, e);
	for (int i = 0; i < count; i++) {
		m.set = sets[i];
		information(&m, z, now);
	}
	return edit_end(&m);
}

int zone_rtc_edits(bool utc, const struct windows_facts *f, struct reg_edits *edits, struct err *e)
{
	uint32_t sets[2];
	int count = edit_control_sets(f, sets, e);
	if (count < 0)
		return count;
	struct edit_maker m;
	edit_begin(&m, edits, e);
	for (int i = 0; i < count; i++) {
		m.set = sets[i];
		edit_dword(&m, INFORMATION, "RealTimeIsUniversal", utc);
	}
	return edit_end(&m);
}
