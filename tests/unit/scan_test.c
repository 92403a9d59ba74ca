/* What scanners and people type, made comparable. */
#include "test.h"

#include <locale.h>
#include <string.h>

#include "tui/scan.h"

static const struct {
	const char *name, *in, *out; /* out NULL: refused */
	bool layout;
} cases[] = {
	{"plain tag", "INV-0001", "INV-0001", false},
	{"small letters", "inv-0001", "INV-0001", false},
	{"blanks inside and around", "  5CG1 234X01 ", "5CG1234X01", false},
	{"AIM prefix of Code 128", "]C15CG1234X01", "5CG1234X01", false},
	{"a bracket that is no prefix", "]INV1", "]INV1", false},
	{"tab and return", "INV-0001\t\r", "INV-0001", false},
	{"Russian layout", "шТм-0001", "INV-0001", true},
	{"Russian layout, punctuation keys", "ХЪЖЭБЮЁ", "[];',.`", true},
	{"letters no key has", "日本", NULL, false},
	{"broken UTF-8", "A\xC3", NULL, false},
	{"nothing", "", NULL, false},
	{"blanks only", "   ", NULL, false},
	{"64 characters", "0123456789012345678901234567890123456789012345678901234567890123",
		"0123456789012345678901234567890123456789012345678901234567890123", false},
	{"65 characters", "01234567890123456789012345678901234567890123456789012345678901234", NULL,
		false},
};

static void test_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char out[SCAN_MAX] = "";
		bool layout = false;
		bool ok = scan_clean(cases[i].in, out, &layout);
		if (ok != (cases[i].out != NULL))
			fail_msg("%s: %s", cases[i].name, ok ? "accepted" : "refused");
		if (!ok)
			continue;
		if (strcmp(out, cases[i].out) != 0)
			fail_msg("%s: \"%s\"", cases[i].name, out);
		if (layout != cases[i].layout)
			fail_msg("%s: layout", cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_clean)};
	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
