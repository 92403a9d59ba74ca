/*
 * A row's settings and a zone's data from arbitrary bytes.
 *
 * First byte 0: 8 bytes of time and a TZI; the bias is one of the two the zone
 * has, and the same a whole number of 400-year cycles away. Otherwise a column
 * and a value: what is accepted comes back from its own text, what is refused says why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/settings.h"
#include "windows/zone.h"

#define CYCLE (146097LL * 86400) /* seconds of 400 years */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void must(bool what)
{
	if (!what)
		abort();
}

static bool has_year(const uint8_t *tzi)
{
	return le16(tzi + 12) || le16(tzi + 28);
}

static void bias(const uint8_t *p)
{
	int64_t now = (int64_t)(le64(p) % (2 * CYCLE));
	const uint8_t *tzi = p + 8;
	int32_t is = zone_bias(tzi, now);
	must(is > -2880 && is < 2880);
	if (!has_year(tzi))
		must(zone_bias(tzi, now + CYCLE) == is);
}

static void column(const char *name, const char *value)
{
	struct settings s = {0}, again = {0};
	struct err e = ERR_INIT;
	char text[16];
	int ret = settings_take(&s, name, value, &e);
	if (ret < 0) {
		must(e.code == -ret && e.what[0] && e.next[0] && settings_column(name));
		return;
	}
	must(s.method <= METHOD_FIRSTBOOT && (s.method == METHOD_AUTO || strlen(value) >= 8));
	if (!s.has_keyboard)
		return;
	must(settings_take(&again, "keyboard", settings_keyboard_text(&s, text), NULL) == 0);
	must(again.layout == s.layout && again.language == s.language);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const names[] = {"timezone", "keyboard", "rtc", "method", "other"};
	if (n == 0)
		return 0;
	if (p[0] == 0 && n == 1 + 8 + ZONE_TZI) {
		bias(p + 1);
		return 0;
	}
	char *value = strndup((const char *)p + 1, n - 1);
	must(value != NULL);
	column(names[p[0] % 5], value);
	free(value);
	return 0;
}
