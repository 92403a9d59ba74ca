/*
 * What a row may say about a PC besides its join: the optional columns
 * timezone, keyboard, rtc and method. Kept in the bundle as columns of the entry
 * (docs/format-bundle.md, section 9); read by the batch's lint and by the job.
 *
 *   timezone  Windows' own name, "W. Europe Standard Time"
 *   keyboard  language and layout as in an answer file, "0407:00000407", or the
 *             layout alone when it is its language's own, "00000407"
 *   rtc       what the firmware's clock runs in: "utc" or "local"
 *   method    how the join comes onto the disk: "auto" (the same as nothing), "registry",
 *             "unattend" or "firstboot"; job/decide.h says which fits
 */
#ifndef BUNDLE_SETTINGS_H
#define BUNDLE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "bundle/bundle.h"

#define SETTINGS_ZONE_MAX 127

enum settings_rtc { RTC_UNSAID, RTC_UTC, RTC_LOCAL };
enum settings_method { METHOD_AUTO, METHOD_REGISTRY, METHOD_UNATTEND, METHOD_FIRSTBOOT };

struct settings {
	char timezone[SETTINGS_ZONE_MAX + 1]; /* "": leave it */
	bool has_keyboard;
	uint16_t language;
	uint32_t layout;
	enum settings_rtc rtc;
	enum settings_method method; /* METHOD_AUTO: the program decides */
};

/* A column that this module knows, in lower case? */
bool settings_column(const char *column);

/* Take one column. -ERR_FORMAT with what is wrong with the value; other columns and empty values
 * are left alone. */
int settings_take(struct settings *s, const char *column, const char *value, struct err *e);

/* All columns of an entry, while it is fresh. */
int settings_of_entry(struct bundle *b, uint32_t id, struct settings *s, struct err *e);

/* A zone that some Windows up to 11 has. Unknown ones are worth a warning, no more: Windows gets
 * new zones. */
bool settings_zone_known(const char *name);

/* "0407:00000407"; buf is used. */
const char *settings_keyboard_text(const struct settings *s, char buf[16]);

#endif
