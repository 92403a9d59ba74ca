#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/reader.h"
#include "base/utf16.h"

static void reader_stops_at_the_end(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {1, 2, 3, 4, 5};
	struct reader r;
	reader_init(&r, bytes, sizeof bytes);
	assert_int_equal(reader_le32(&r), 0x04030201);
	assert_true(reader_ok(&r));
	assert_int_equal(reader_le16(&r), 0);
	assert_false(reader_ok(&r));
	assert_int_equal(reader_u8(&r), 0); /* sticky: the fifth byte is not handed out */
	assert_null(reader_take(&r, 0));
}

static void error_is_filled_once_and_gains_context(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	assert_int_equal(err_set(&e, ERR_KEY, "Type it again.", "slot %d", 3), -ERR_KEY);
	assert_int_equal(err_set(&e, ERR_IO, NULL, "later"), -ERR_IO);
	assert_int_equal(err_ctx(&e, "bundle %s", "a.odjb"), -ERR_KEY);
	assert_string_equal(e.what, "bundle a.odjb: slot 3");
	assert_string_equal(e.next, "Type it again.");
	assert_int_equal(err_exit(-ERR_KEY), 4);
	assert_int_equal(err_exit(0), 0);
	assert_int_equal(err_exit(-ERR_UNSAFE), 6);
	for (int code = 1; code < ERR_CODE_COUNT; code++) {
		struct err bare = {.code = code};
		assert_true(strlen(err_next(&bare)) > 20); /* no message without a next step */
	}
	snprintf(e.next, sizeof e.next, "Do this.");
	assert_string_equal(err_next(&e), "Do this.");
	assert_string_equal(err_name(-ERR_SPENT), "spent");
}

static void utf8_and_utf16_agree(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	const char *text = "A\xc3\xa9\xd0\x96\xf0\x9f\x98\x80";
	assert_done(utf8_to_utf16le(text, true, &b, &e), e);
	static const uint8_t want[] = {'A', 0, 0xe9, 0, 0x16, 4, 0x3d, 0xd8, 0, 0xde, 0, 0};
	assert_int_equal(b.len, sizeof want);
	assert_memory_equal(b.p, want, sizeof want);
	char *back = utf16le_sz_to_utf8(b.p, b.len);
	assert_string_equal(back, text);
	free(back);
	buf_clear(&b);

	static const char *const bad[] = {
		"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xe2\x82"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	char *lone = utf16le_to_utf8("\x00\xd8\x41\x00", 4);
	assert_string_equal(lone, "\xef\xbf\xbd"
				  "A");
	free(lone);
}

static void upcase_is_one_to_one(void **state)
{
	(void)state;
	static const struct {
		uint16_t from, to;
	} cases[] = {{'a', 'A'}, {0xe0, 0xc0}, {0xff, 0x178}, {0xdf, 0xdf}, {0x436, 0x416},
		{0x4d9, 0x4d8}, {0x3b1, 0x391}, {'[', '['}, {0xd800, 0xd800}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(utf16_up(cases[i].from), cases[i].to);
}

static void clock_round_trips(void **state)
{
	(void)state;
	char text[CLOCK_TEXT_MAX];
	int64_t t;
	clock_text(1795560659, text);
	assert_string_equal(text, "2026-11-24T22:50:59Z");
	assert_int_equal(clock_parse(text, &t), 0);
	assert_int_equal(t, 1795560659);
	assert_int_equal(clock_parse("2026-11-24x", &t), -ERR_FORMAT);
	assert_int_equal(clock_filetime(0), 116444736000000000ULL);
	assert_int_equal(clock_from_filetime(clock_filetime(1795560659)), 1795560659);
}

static void a_file_holds_what_was_put_last(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	char dir[] = "/tmp/odjstick-base-XXXXXX";
	assert_non_null(mkdtemp(dir));
	char *path = path_join(dir, "f");
	assert_done(file_create(path, "one", 3, 0600, &e), e);
	assert_int_equal(file_create(path, "two", 3, 0600, NULL), -ERR_EXISTS);
	assert_done(file_put(path, "longer", 6, 0600, &e), e);
	assert_done(file_put(path, "three", 5, 0600, &e), e);
	struct buf b = BUF_INIT;
	assert_int_equal(file_read(path, 4, &b, NULL), -ERR_LIMIT);
	assert_done(file_read(path, 5, &b, &e), e);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.p, "three", 5);
	buf_clear(&b);
	unlink(path);
	assert_done(file_put(path, "new", 3, 0600, &e), e);
	assert_done(file_read(path, 3, &b, &e), e);
	assert_int_equal(b.len, 3);
	buf_clear(&b);
	unlink(path);
	free(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_stops_at_the_end),
		cmocka_unit_test(error_is_filled_once_and_gains_context),
		cmocka_unit_test(utf8_and_utf16_agree),
		cmocka_unit_test(upcase_is_one_to_one),
		cmocka_unit_test(clock_round_trips),
		cmocka_unit_test(a_file_holds_what_was_put_last),
	};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
