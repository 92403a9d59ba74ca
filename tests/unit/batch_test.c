/* CSV as it really comes, and identities as firmware really has them. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "bundle/batch.h"
#include "bundle/identity.h"

static char dir[] = "/tmp/odjstick-batch-XXXXXX";
static char path[64];

static int open_text(struct batch **b, const void *text, size_t n, struct err *e)
{
	*b = NULL;
	assert_int_equal(file_put(path, text, n, 0600, NULL), 0);
	return batch_open(b, path, e);
}

static void expect_row(const void *text, size_t n)
{
	struct err e = ERR_INIT;
	struct batch *b;
	assert_done(open_text(&b, text, n, &e), e);
	assert_int_equal(batch_count(b), 1);
	const struct batch_row *r = batch_row(b, 0);
	assert_string_equal(r->computer_name, "PC-1");
	assert_string_equal(r->serial, "S,1");
	assert_string_equal(r->tag, "T1");
	assert_string_equal(r->blob, "a.txt");
	batch_close(b);
}

static void every_way_to_write_a_csv(void **state)
{
	(void)state;
	static const char *const same[] = {
		"computer_name,serial,inventory_tag,blob\nPC-1,\"S,1\",T1,a.txt\n",
		"computer_name,serial,inventory_tag,blob\r\nPC-1,\"S,1\",T1,a.txt\r\n",
		"computer_name,serial,inventory_tag,blob\nPC-1,\"S,1\",T1,a.txt",
		"\357\273\277computer_name;serial;inventory_tag;blob\r\nPC-1;S,1;T1;a.txt\r\n",
		"sep=;\r\ncomputer_name;serial;inventory_tag;blob\r\nPC-1;S,1;T1;a.txt\r\n",
		"computer_name\tserial\tinventory_tag\tblob\nPC-1\tS,1\tT1\ta.txt\n",
		"Blob;Inventory_Tag;SERIAL;computer_name\n\n ;;;\na.txt; T1 ;\"S,1\";  PC-1\n\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		expect_row(same[i], strlen(same[i]));
}

static void utf16_in_both_orders(void **state)
{
	(void)state;
	static const char text[] = "\xff"
				   "computer_name;serial;inventory_tag;blob\r\n"
				   "PC-1;S,1;T1;a.txt\r\n";
	uint8_t wide[2 * sizeof text];
	size_t n = 0;
	wide[n++] = 0xff;
	wide[n++] = 0xfe;
	for (size_t i = 1; text[i]; i++) {
		wide[n++] = (uint8_t)text[i];
		wide[n++] = 0;
	}
	expect_row(wide, n);
	for (size_t i = 0; i < n; i += 2) {
		uint8_t c = wide[i];
		wide[i] = wide[i + 1];
		wide[i + 1] = c;
	}
	expect_row(wide, n);
}

static void what_is_not_an_inventory_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int code;
		const char *words;
	} bad[] = {
		{"", ERR_FORMAT, "names no PC"},
		{"computer_name,serial,blob\n", ERR_FORMAT, "names no PC"},
		{"name,serial,blob\nA,B,C\n", ERR_FORMAT, "\"computer_name\" is missing"},
		{"computer_name,serial\nA,B\n", ERR_FORMAT, "\"blob\" is missing"},
		{"computer_name,blob\nA,B\n", ERR_FORMAT, "\"serial\" is missing"},
		{"computer_name,serial,blob,serial\nA,B,C,D\n", ERR_FORMAT, "there twice"},
		{"computer_name,serial,blob\nA,\"B,C\nD,E,F\n", ERR_FORMAT, ":2: a quotation mark"},
		{"computer_name,serial,blob\nA,B\"x\",C\n", ERR_FORMAT, ":2:"},
		{"computer_name,serial,blob\nA,B\xe4,C\n", ERR_FORMAT, ":2: the line is not UTF-8"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;
		struct batch *b;
		assert_int_equal(open_text(&b, bad[i].text, strlen(bad[i].text), &e), -bad[i].code);
		if (!strstr(e.what, bad[i].words))
			fail_msg("\"%s\" lacks \"%s\"", e.what, bad[i].words);
	}
	struct batch *b;
	assert_int_equal(open_text(&b, "c\0o\0", 4, NULL), -ERR_FORMAT);
}

static void lines_are_counted_through_quotes_and_blanks(void **state)
{
	(void)state;
	static const char text[] = "computer_name,serial,blob,note\n"
				   "\n"
				   "A,1,x,\"two\nlines\"\n"
				   "\n"
				   "B,2,y,\n"
				   "C,3\n";
	struct err e = ERR_INIT;
	struct batch *b;
	assert_done(open_text(&b, text, sizeof text - 1, &e), e);
	assert_int_equal(batch_count(b), 3);
	assert_int_equal(batch_row(b, 0)->line, 3);
	assert_string_equal(batch_row(b, 0)->extra[0].value, "two\nlines");
	assert_int_equal(batch_row(b, 1)->line, 6);
	assert_int_equal(batch_row(b, 1)->extra_count, 0);
	assert_int_equal(batch_row(b, 2)->line, 7);
	assert_int_equal(batch_errors(b), 1);	/* the cut row */
	assert_int_equal(batch_warnings(b), 1); /* the column "note" */
	batch_close(b);
}

static bool found(const struct batch *b, uint32_t line, const char *words)
{
	for (size_t i = 0; i < batch_finding_count(b); i++)
		if (batch_finding(b, i)->line == line && strstr(batch_finding(b, i)->text, words))
			return true;
	return false;
}

static void the_column_method_takes_four_words(void **state)
{
	(void)state;
	static const char text[] = "computer_name,serial,blob,Method\n"
				   "A,S1X,x,firstboot\n"
				   "B,S2X,x,REGISTRY\n"
				   "C,S3X,x,\n"
				   "D,S4X,x,djoin\n"
				   "E,S5X,x, auto \n";
	static const char words[] = "is none of auto, registry, unattend, firstboot";
	struct err e = ERR_INIT;
	struct batch *b;
	assert_done(open_text(&b, text, sizeof text - 1, &e), e);
	assert_int_equal(batch_warnings(b), 0); /* a column that is known */
	assert_done(batch_check(b, NULL, &e), e);
	for (uint32_t line = 2; line <= 6; line++)
		assert_int_equal(found(b, line, words), line == 5);
	assert_true(found(b, 5, "method \"djoin\""));
	batch_close(b);
}

static void rows_are_chosen_by_any_column(void **state)
{
	(void)state;
	static const char text[] = "computer_name,serial,blob,Site\nA,1,x,Almere\nB,2,y,Leiden\n"
				   "C,3,z,ALMERE\n";
	struct batch *b;
	assert_int_equal(open_text(&b, text, sizeof text - 1, NULL), 0);
	assert_int_equal(batch_where(b, "room=1", NULL), -ERR_USAGE);
	assert_int_equal(batch_where(b, "site", NULL), -ERR_USAGE);
	assert_int_equal(batch_where(b, "site=almere", NULL), 0);
	assert_int_equal(batch_count(b), 2);
	assert_string_equal(batch_row(b, 1)->computer_name, "C");
	assert_int_equal(batch_where(b, "computer_name=Z", NULL), -ERR_NOTFOUND);
	batch_close(b);
}

static void placeholders_name_no_pc(void **state)
{
	(void)state;
	static const char *const nobody[] = {"", " ", "-", "0", "00000000", "None", "N/A",
		"To be filled by O.E.M.", "TO BE FILLED BY O.E.M.", "To Be Filled By O.E.M",
		"System Serial Number", "Default string", "default STRING", "Not Specified",
		"Chassis Serial Number", "XXXXXXX", "................", "123456789", "0123456789",
		"1234567890", "11111111", "No Asset Tag", "INVALID", "Not Applicable",
		"Base Board Serial Number", "Asset-1234567890", "FFFFFFFF", "serial\xc3\xa9"};
	static const char *const somebody[] = {"5CG1234X01", "PF0ABCDE", "INV-0001", "C02XL0GTJGH5",
		"VMware-56 4d 1f 2e", "1", "7", "222", "42", "MJ00000", "R9-0XYZ1", "0001"};
	for (size_t i = 0; i < ARRAY_SIZE(nobody); i++)
		if (!identity_is_placeholder(nobody[i]))
			fail_msg("\"%s\" should be a placeholder", nobody[i]);
	for (size_t i = 0; i < ARRAY_SIZE(somebody); i++)
		if (identity_is_placeholder(somebody[i]))
			fail_msg("\"%s\" should not be a placeholder", somebody[i]);
}

static void identities_are_compared_in_normal_form(void **state)
{
	(void)state;
	char out[IDENTITY_MAX + 1];
	assert_true(identity_equal("5cg-1234 x01", " 5CG1234X01"));
	assert_false(identity_equal("5CG1234X01", "5CG1234X02"));
	assert_false(identity_equal("", ""));
	assert_int_equal(identity_normalise("a.b_c/d", out, NULL), 0);
	assert_string_equal(out, "A.B_C/D");
	char longest[IDENTITY_MAX + 2];
	memset(longest, 'a', sizeof longest);
	longest[IDENTITY_MAX + 1] = '\0';
	assert_int_equal(identity_normalise(longest, out, NULL), -ERR_LIMIT);
	longest[IDENTITY_MAX] = '\0';
	assert_int_equal(identity_normalise(longest, out, NULL), 0);
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/b.csv", dir);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_write_a_csv),
		cmocka_unit_test(utf16_in_both_orders),
		cmocka_unit_test(what_is_not_an_inventory_is_refused),
		cmocka_unit_test(lines_are_counted_through_quotes_and_blanks),
		cmocka_unit_test(the_column_method_takes_four_words),
		cmocka_unit_test(rows_are_chosen_by_any_column),
		cmocka_unit_test(placeholders_name_no_pc),
		cmocka_unit_test(identities_are_compared_in_normal_form),
	};
	return cmocka_run_group_tests_name("batch", tests, NULL, teardown);
}
