/* Time zones: the C library's own rules judge which bias holds when, real hives what is written. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "test.h"
#include "windows/zone.h"

struct rule {
	const char *posix; /* what the C library is given */
	int32_t bias, daylight;
	uint16_t standard_date[8], daylight_date[8]; /* SYSTEMTIME */
};

static const struct rule rules[] = {
	{"CET-1CEST,M3.5.0/2,M10.5.0/3", -60, -60, {0, 10, 0, 5, 3}, {0, 3, 0, 5, 2}},
	{"PST8PDT,M3.2.0/2,M11.1.0/2", 480, -60, {0, 11, 0, 1, 2}, {0, 3, 0, 2, 2}},
	/* summer over the turn of the year */
	{"AEST-10AEDT,M10.1.0/2,M4.1.0/3", -600, -60, {0, 4, 0, 1, 3}, {0, 10, 0, 1, 2}},
	/* half an hour of daylight time */
	{"LHST-10:30LHDT-11,M10.1.0/2,M4.1.0/2", -630, -30, {0, 4, 0, 1, 2}, {0, 10, 0, 1, 2}},
	{"IST-5:30", -330, -60, {0}, {0}},
	{"UTC0", 0, 0, {0}, {0}},
};

static void make_tzi(const struct rule *r, uint8_t tzi[ZONE_TZI])
{
	memset(tzi, 0, ZONE_TZI);
	put_le32(tzi, (uint32_t)r->bias);
	put_le32(tzi + 8, (uint32_t)r->daylight);
	for (size_t i = 0; i < 8; i++) {
		put_le16(tzi + 12 + 2 * i, r->standard_date[i]);
		put_le16(tzi + 28 + 2 * i, r->daylight_date[i]);
	}
}

static void the_bias_is_that_of_the_c_library(void **state)
{
	(void)state;
	uint8_t tzi[ZONE_TZI];
	for (size_t r = 0; r < ARRAY_SIZE(rules); r++) {
		make_tzi(&rules[r], tzi);
		setenv("TZ", rules[r].posix, 1);
		tzset();
		/* 2019 to 2033 in steps of 89 minutes, so that every change is straddled */
		for (int64_t now = 1546300800; now < 2000000000; now += 5340) {
			time_t t = (time_t)now;
			struct tm tm;
			localtime_r(&t, &tm);
			if (zone_bias(tzi, now) != (int32_t)(-tm.tm_gmtoff / 60))
				fail_msg("%s at %lld: %d, not %ld", rules[r].posix, (long long)now,
					zone_bias(tzi, now), -tm.tm_gmtoff / 60);
		}
	}
	unsetenv("TZ");
	tzset();
}

static void a_zone_with_a_year_changes_on_that_day(void **state)
{
	(void)state;
	static const struct rule r = {"", 0, -60, {2026, 11, 0, 25, 3}, {2026, 3, 0, 10, 2}};
	uint8_t tzi[ZONE_TZI];
	make_tzi(&r, tzi);
	assert_int_equal(zone_bias(tzi, 1773108000 - 1), 0); /* 2026-03-10 02:00 UTC */
	assert_int_equal(zone_bias(tzi, 1773108000), -60);
	assert_int_equal(zone_bias(tzi, 1795572000 - 1), -60); /* 2026-11-25 02:00 UTC */
	assert_int_equal(zone_bias(tzi, 1795572000), 0);
}

static void nonsense_gives_the_standard_bias(void **state)
{
	(void)state;
	uint8_t tzi[ZONE_TZI];
	for (unsigned seed = 1; seed < 20000; seed++) {
		uint32_t x = seed * 2654435761u;
		for (size_t i = 0; i < sizeof tzi; i++) {
			x = x * 1664525u + 1013904223u;
			tzi[i] = (uint8_t)(x >> 24);
		}
		int32_t bias = zone_bias(tzi, (int64_t)x * 100);
		assert_true(bias > -3 * 1440 && bias < 3 * 1440);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bias_is_that_of_the_c_library),
		cmocka_unit_test(a_zone_with_a_year_changes_on_that_day),
		cmocka_unit_test(nonsense_gives_the_standard_bias),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
