#include "bundle/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define NEXT "Nothing was changed. Correct the row in the lab."

static const char *const columns[] = {"timezone", "keyboard", "rtc", "method"};

static const char *const methods[] = {
	[METHOD_AUTO] = "auto",
	[METHOD_REGISTRY] = "registry",
	[METHOD_UNATTEND] = "unattend",
	[METHOD_FIRSTBOOT] = "firstboot",
};

bool settings_column(const char *column)
{
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (strcmp(columns[i], column) == 0)
			return true;
	return false;
}

static int take_zone(struct settings *s, const char *value, struct err *e)
{
	size_t n = strlen(value);
	for (size_t i = 0; i < n; i++)
		if (value[i] < 0x20 || value[i] > 0x7e || value[i] == '\\')
			return err_set(e, ERR_FORMAT, NEXT,
				"timezone \"%.80s\" is not the name of a Windows time zone", value);
	if (strchr(value, '/'))
		return err_set(e, ERR_FORMAT, NEXT,
			"timezone \"%.80s\" is not a name of Windows': it wants \"W. Europe "
			"Standard "
			"Time\", as `tzutil /l` lists them",
			value);
	if (n > 7 && strcasecmp(value + n - 7, "_dstoff") == 0)
		return err_set(e, ERR_FORMAT, NEXT,
			"timezone \"%.80s\" turns daylight time off, which is not offered here",
			value);
	if (n > SETTINGS_ZONE_MAX)
		return err_set(e, ERR_FORMAT, NEXT, "timezone is longer than %d characters",
			SETTINGS_ZONE_MAX);
	memcpy(s->timezone, value, n + 1);
	return 0;
}

static bool all_hex(const char *p, size_t n)
{
	return strspn(p, "0123456789abcdefABCDEF") >= n;
}

static int take_keyboard(struct settings *s, const char *value, struct err *e)
{
	size_t n = strlen(value);
	bool both = n == 13 && value[4] == ':' && all_hex(value, 4) && all_hex(value + 5, 8);
	bool alone = n == 8 && all_hex(value, 8);
	if (!both && !alone)
		return err_set(e, ERR_FORMAT, NEXT,
			"keyboard \"%.80s\" is neither LANGUAGE:LAYOUT (0407:00000407) nor a "
			"layout "
			"(00000407)",
			value);
	s->layout = (uint32_t)strtoul(both ? value + 5 : value, NULL, 16);
	s->language = (uint16_t)(both ? strtoul(value, NULL, 16) : s->layout & 0xffff);
	if (s->layout == 0 || s->language == 0)
		return err_set(e, ERR_FORMAT, NEXT, "keyboard \"%.80s\" names no layout", value);
	s->has_keyboard = true;
	return 0;
}

static int take_rtc(struct settings *s, const char *value, struct err *e)
{
	if (strcasecmp(value, "utc") == 0)
		s->rtc = RTC_UTC;
	else if (strcasecmp(value, "local") == 0)
		s->rtc = RTC_LOCAL;
	else
		return err_set(
			e, ERR_FORMAT, NEXT, "rtc \"%.80s\" is neither utc nor local", value);
	return 0;
}

static int take_method(struct settings *s, const char *value, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcasecmp(value, methods[i]) == 0) {
			s->method = (enum settings_method)i;
			return 0;
		}
	return err_set(e, ERR_FORMAT, NEXT,
		"method \"%.80s\" is none of auto, registry, unattend, firstboot", value);
}

int settings_take(struct settings *s, const char *column, const char *value, struct err *e)
{
	if (!*value)
		return 0;
	if (strcmp(column, "timezone") == 0)
		return take_zone(s, value, e);
	if (strcmp(column, "keyboard") == 0)
		return take_keyboard(s, value, e);
	if (strcmp(column, "rtc") == 0)
		return take_rtc(s, value, e);
	if (strcmp(column, "method") == 0)
		return take_method(s, value, e);
	return 0;
}

static int take(void *ctx, const char *column, const char *value, struct err *e)
{
	return settings_take(ctx, column, value, e);
}

int settings_of_entry(struct bundle *b, uint32_t id, struct settings *s, struct err *e)
{
	*s = (struct settings){0};
	return bundle_entry_extras(b, id, take, s, e);
}

const char *settings_keyboard_text(const struct settings *s, char buf[16])
{
	snprintf(buf, 16, "%04x:%08x", s->language, s->layout);
	return buf;
}
