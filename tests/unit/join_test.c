#include "test.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "windows/join.h"

#define VECTORS "tests/vectors/blobs"
#define SHARED "../shared/fixtures/blobs"

static int start(void **state)
{
	(void)state;
	return secret_setup(NULL);
}

static uint32_t type_number(const char *name)
{
	return strcmp(name, "REG_SZ") == 0	 ? 1
	       : strcmp(name, "REG_BINARY") == 0 ? 3
	       : strcmp(name, "REG_DWORD") == 0	 ? 4
						 : 99;
}

/* One line of the truth against one edit. "CCS" is the control set. */
static void compare(json_t *want, const struct reg_edit *got)
{
	const char *key, *type, *hex = NULL;
	json_t *name;
	assert_int_equal(json_unpack(want, "{s:s,s:o,s:s,s?s}", "key", &key, "name", &name, "type",
				 &type, "data_hex", &hex),
		0);
	char full[128];
	if (strncmp(key, "CCS\\", 4) == 0)
		snprintf(full, sizeof full, "ControlSet003\\%s", key + 4);
	else
		snprintf(full, sizeof full, "%s", key);
	assert_string_equal(got->key, full);
	if (strcmp(type, "KEY") == 0) {
		assert_int_equal(got->op, REG_EDIT_KEY);
		assert_null(got->name);
		return;
	}
	assert_int_equal(got->op, REG_EDIT_SET);
	assert_string_equal(got->name, json_string_value(name));
	assert_int_equal(got->type, type_number(type));
	assert_int_equal(got->data.len * 2, strlen(hex));
	char *mine = malloc(got->data.len * 2 + 1);
	sodium_bin2hex(mine, got->data.len * 2 + 1, got->data.p, got->data.len);
	assert_string_equal(mine, hex);
	free(mine);
	assert_int_equal(got->sensitive, strcmp(got->name, "CurrentValue") == 0);
}

static void check_blob(const char *dir, const char *txt)
{
	char path[512];
	struct err e = ERR_INIT;
	struct secret raw = SECRET_INIT;
	struct odj o = ODJ_INIT;
	struct reg_edits edits = REG_EDITS_INIT;
	struct windows_facts f = {.control_set = 3, .control_set_default = 3};
	snprintf(path, sizeof path, "%s/%s", dir, txt);
	assert_done(odj_read_file(path, &raw, NULL, &e), e);
	assert_done(odj_decode(&raw, &o, &e), e);
	assert_done(windows_join_edits(&o, &f, &edits, &e), e);

	snprintf(path + strlen(path) - 4, 24, ".registry.json");
	json_t *truth = json_load_file(path, 0, NULL);
	assert_non_null(truth);
	json_t *values = json_object_get(truth, "values");
	size_t n = 0;
	size_t i;
	json_t *want;
	json_array_foreach(values, i, want)
	{
		const char *key = json_string_value(json_object_get(want, "key"));
		/* volatile in every real hive: listed in the truth, never to be created */
		if (strstr(key, "ActiveComputerName"))
			continue;
		assert_true(n < edits.count);
		compare(want, &edits.v[n++]);
	}
	assert_int_equal(n, edits.count);
	assert_true(n > 20);
	json_decref(truth);
	reg_edits_clear(&edits);
	odj_clear(&o);
	secret_clear(&raw);
}

static unsigned check_dir(const char *dir)
{
	unsigned n = 0;
	DIR *d = opendir(dir);
	for (struct dirent *x; d && (x = readdir(d));) {
		size_t len = strlen(x->d_name);
		if (len < 4 || strcmp(x->d_name + len - 4, ".txt") != 0)
			continue;
		check_blob(dir, x->d_name);
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

static void edits_equal_the_registry_truth(void **state)
{
	(void)state;
	assert_int_equal(check_dir(VECTORS), 25);
}

static void edits_equal_the_truth_of_other_makers(void **state)
{
	(void)state;
	unsigned n = check_dir(SHARED "/win-layout") + check_dir(SHARED "/composeodj") +
		     check_dir(SHARED "/real-windows");
	if (n == 0) {
		print_message("# the blobs of other makers are in ../shared, which is absent "
			      "here\n");
		skip();
	}
	assert_true(n >= 9);
}

static void load(struct odj *o)
{
	struct err e = ERR_INIT;
	struct secret raw = SECRET_INIT;
	assert_done(odj_read_file(VECTORS "/ALM-FIL-001.txt", &raw, NULL, &e), e);
	assert_done(odj_decode(&raw, o, &e), e);
	secret_clear(&raw);
}

static void both_control_sets_when_they_differ(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct odj o = ODJ_INIT;
	struct reg_edits one = REG_EDITS_INIT, two = REG_EDITS_INIT;
	struct windows_facts f = {.control_set = 1, .control_set_default = 1};
	load(&o);
	assert_done(windows_join_edits(&o, &f, &one, &e), e);
	f.control_set_default = 2;
	assert_done(windows_join_edits(&o, &f, &two, &e), e);
	assert_int_equal(two.count, 2 * one.count - 1);
	unsigned second = 0;
	for (size_t i = 0; i < two.count; i++)
		second += strncmp(two.v[i].key, "ControlSet002\\", 14) == 0;
	assert_int_equal(second, one.count - 1);
	reg_edits_clear(&one);
	reg_edits_clear(&two);
	odj_clear(&o);
}

static void refuses_without_control_set_or_with_a_bad_blob(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct odj o = ODJ_INIT;
	struct reg_edits edits = REG_EDITS_INIT;
	struct windows_facts f = {.control_set = 0};
	load(&o);
	assert_int_equal(windows_join_edits(&o, &f, &edits, &e), -ERR_UNSAFE);
	assert_null(edits.v);
	f.control_set = 1;
	o.copies = ODJ_COPIES_DIFFER;
	err_clear(&e);
	assert_int_equal(windows_join_edits(&o, &f, &edits, &e), -ERR_REFUSED);
	assert_null(edits.v);
	odj_clear(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_equal_the_registry_truth),
		cmocka_unit_test(edits_equal_the_truth_of_other_makers),
		cmocka_unit_test(both_control_sets_when_they_differ),
		cmocka_unit_test(refuses_without_control_set_or_with_a_bad_blob),
	};
	return cmocka_run_group_tests_name("join", tests, start, NULL);
}
