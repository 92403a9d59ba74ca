/* Text in columns: nothing is hidden silently, nothing unprintable reaches the terminal. */
#include "test.h"

#include <locale.h>
#include <string.h>

#include "tui/wrap.h"

static void test_width(void **state)
{
	(void)state;
	assert_int_equal(wrap_width(""), 0);
	assert_int_equal(wrap_width("abc"), 3);
	assert_int_equal(wrap_width("Алматы"), 6);
	assert_int_equal(wrap_width("日本"), 4);   /* wide characters take two columns */
	assert_int_equal(wrap_width("a\033b"), 3); /* shown as '?' */
	assert_int_equal(wrap_width("a\xFF"), 2);
}

static const struct {
	const char *name, *in, *out;
	int width;
} copies[] = {
	{"fits", "abc", "abc", 3},
	{"cut says so", "abcdef", "ab...", 5},
	{"escape sequences are disarmed", "a\033[31m", "a?[31m", 10},
	{"broken UTF-8", "a\xC3z", "a?z", 10},
	{"line ends", "a\nb", "a b", 10},
	{"not in the middle of a character", "ЖЖЖЖЖЖ", "ЖЖ...", 5},
	{"not in the middle of a wide one", "日日日日", "日...", 6},
};

static void test_copy(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof copies / sizeof copies[0]; i++) {
		char out[64];
		wrap_copy(out, sizeof out, copies[i].width, copies[i].in);
		if (strcmp(out, copies[i].out) != 0)
			fail_msg("%s: \"%s\"", copies[i].name, out);
	}
}

static void test_copy_small_buffer(void **state)
{
	(void)state;
	char out[8];
	wrap_copy(out, sizeof out, 40, "ЖЖЖЖЖЖЖЖ");
	assert_true(strlen(out) < sizeof out);
	assert_int_equal(wrap_width(out), 2);
}

/* Rows are counted without a window when none is to be drawn. */
static const struct {
	const char *in;
	int width, rows;
} counts[] = {
	{"", 10, 0},
	{"one", 10, 1},
	{"one two three", 7, 2},
	{"one two three", 5, 3},
	{"aaaaaaaaaaaaaaa", 10, 2},
	{"one\n\ntwo", 10, 3},
	{"exactly10!", 10, 1},
	{"exactly10! and", 10, 2},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		assert_int_equal(
			wrap_text(NULL, 0, 0, counts[i].width, 0, 0, counts[i].in), counts[i].rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_copy_small_buffer),
		cmocka_unit_test(test_rows),
	};
	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
