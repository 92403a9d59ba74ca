#include "test.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "odj/name.h"
#include "odj/odj.h"

#define VECTORS "tests/vectors/blobs/"
#define ONE VECTORS "ALM-FIL-001.txt"

static int start(void **state)
{
	(void)state;
	return secret_setup(NULL);
}

static void load(const char *path, struct secret *raw)
{
	struct err e = ERR_INIT;
	assert_done(odj_read_file(path, raw, NULL, &e), e);
}

/* The decoded truth was made and checked by other programs; "fixture" is its provenance. */
static void every_vector_decodes_to_its_truth(void **state)
{
	(void)state;
	unsigned seen = 0;
	for (unsigned i = 1; i <= 25; i++) {
		char path[64];
		struct err e = ERR_INIT;
		struct secret raw = SECRET_INIT;
		struct odj_encoding enc;
		struct odj o = ODJ_INIT;
		snprintf(path, sizeof path, VECTORS "ALM-FIL-%03u.txt", i);
		assert_done(odj_read_file(path, &raw, &enc, &e), e);
		assert_done(odj_decode(&raw, &o, &e), e);
		json_t *got = odj_json(&o, &enc, true);
		snprintf(path, sizeof path, VECTORS "ALM-FIL-%03u.json", i);
		json_t *want = json_load_file(path, 0, NULL);
		assert_non_null(want);
		json_object_del(want, "fixture");
		json_object_del(want, "file");
		assert_true(json_equal(got, want));
		struct odj_finding f[ODJ_FINDINGS_MAX];
		assert_int_equal(odj_check(&o, ODJ_DIRECT, f), 0);
		json_decref(got);
		json_decref(want);
		odj_clear(&o);
		secret_clear(&raw);
		seen++;
	}
	assert_int_equal(seen, 25);
}

static void passwords_are_hidden_unless_asked_for(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct secret raw = SECRET_INIT;
	struct odj_encoding enc;
	struct odj o = ODJ_INIT;
	assert_done(odj_read_file(ONE, &raw, &enc, &e), e);
	assert_done(odj_decode(&raw, &o, &e), e);
	json_t *v = odj_json(&o, &enc, false);
	char *text = json_dumps(v, 0);
	/* of the truth file: password and its hash, hash of the blob */
	assert_null(strstr(text, "fe7eaa7cf5bd92be"));
	assert_null(strstr(text, "7a5dbc98ab1e6f20"));
	assert_null(strstr(text, "7e88efb49899e9d4"));
	assert_non_null(strstr(text, ODJ_HIDDEN));
	free(text);
	json_decref(v);
	v = odj_json(&o, &enc, true);
	text = json_dumps(v, 0);
	assert_non_null(strstr(text, "fe7eaa7cf5bd92be"));
	free(text);
	json_decref(v);
	odj_clear(&o);
	secret_clear(&raw);
}

/* Every way a tool or a person writes the same blob. */
static void file_encodings(void **state)
{
	(void)state;
	struct secret raw = SECRET_INIT;
	load(ONE, &raw);
	char b64[4096];
	sodium_bin2base64(b64, sizeof b64, raw.p, raw.len, sodium_base64_VARIANT_ORIGINAL);
	static const struct {
		const char *before, *after;
		unsigned width, wrap;
	} good[] = {
		{"", "", 1, 0},
		{"", "\n", 1, 0},
		{"", "\r\n", 1, 76},
		{"  ", " \t \r\n", 1, 1},
		{"\xef\xbb\xbf", "\r\n", 1, 0},
		{"\xff\xfe", "", 2, 0},
		{"\xff\xfe", "\r\n", 2, 64},
		{"", "", 2, 0},
		{"", " ", 2, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(good) * 2; i++) {
		bool nul = i % 2;
		unsigned w = good[i / 2].width;
		struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		assert_int_equal(
			buf_add(&b, good[i / 2].before, strlen(good[i / 2].before), &e), 0);
		for (size_t at = 0; b64[at]; at++) {
			char unit[2] = {b64[at], 0};
			assert_int_equal(buf_add(&b, unit, w, &e), 0);
			if (good[i / 2].wrap && (at + 1) % good[i / 2].wrap == 0)
				assert_int_equal(buf_add(&b, "\r\0\n", w == 1 ? 1 : 2, &e), 0);
		}
		for (const char *p = good[i / 2].after; *p; p++) {
			char unit[2] = {*p, 0};
			assert_int_equal(buf_add(&b, unit, w, &e), 0);
		}
		if (nul)
			assert_int_equal(buf_add(&b, "\0", w, &e), 0);
		struct secret again = SECRET_INIT;
		assert_done(odj_decode_file(b.p, b.len, "test", &again, NULL, &e), e);
		assert_int_equal(again.len, raw.len);
		assert_memory_equal(again.p, raw.p, raw.len);
		secret_clear(&again);
		buf_clear(&b);
	}
	struct secret again = SECRET_INIT;
	struct err e = ERR_INIT;
	assert_done(odj_decode_file(raw.p, raw.len, "raw", &again, NULL, &e), e);
	assert_memory_equal(again.p, raw.p, raw.len);
	secret_clear(&again);
	secret_clear(&raw);
}

static void other_files_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *p;
		size_t len;
	} bad[] = {
#define BAD(s) {s, sizeof(s) - 1}
		BAD(""), BAD(" \r\n"), BAD("\xff\xfe"), BAD("\0\0"), BAD("hello world"),
		/* the sample in Microsoft's Nano Server page: base64, not a blob */
		BAD("AAAAAAARUABLEABLEABAoAAAAAAAAAAAA"), BAD("AAAAAAARUABLEABL"),
		BAD("ARAIAMzMzMw"),	     /* padding is missing */
		BAD("ARAIAMzMzMz="),	     /* bits beyond the last byte */
		BAD("ARAIAMzMzMw="),	     /* complete, but too short */
		BAD("ARAIAMzMzMy_-AAA"),     /* the URL alphabet */
		BAD("ARAI\0AMzMzMw="),	     /* a NUL inside */
		BAD("\xfe\xff\0A\0R\0A\0I"), /* big-endian */
		BAD("\xff\xfe"
		    "A\0R\0A\0I"
		    "A"), /* half a character */
		BAD("\xff\xfe"
		    "A\x01R\0A\0I\0"),	     /* a character beyond ASCII */
		BAD("ARAIAMzMzM\xc2\xa0yg"), /* a no-break space */
#undef BAD
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;
		struct secret raw = SECRET_INIT;
		assert_int_equal(
			odj_decode_file(bad[i].p, bad[i].len, "bad", &raw, NULL, &e), -ERR_FORMAT);
		assert_int_equal(err_exit(-e.code), 3);
		assert_null(raw.p);
		assert_true(e.next[0]);
	}
	struct err e = ERR_INIT;
	struct secret raw = SECRET_INIT;
	static const uint8_t big[ODJ_FILE_MAX + 1];
	assert_int_equal(odj_decode_file(big, sizeof big, "big", &raw, NULL, &e), -ERR_LIMIT);
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	struct secret raw = SECRET_INIT;
	load(ONE, &raw);
	for (size_t len = 0; len < raw.len; len++) {
		struct err e = ERR_INIT;
		struct odj o = ODJ_INIT;
		/* exactly as long as the input, so the sanitizer sees a read past it */
		uint8_t *p = malloc(len ? len : 1);
		assert_non_null(p);
		memcpy(p, raw.p, len);
		struct secret cut = {p, len};
		int ret = odj_decode(&cut, &o, &e);
		free(p);
		assert_true(ret < 0);
		assert_null(o.mem);
		assert_true(e.what[0]);
	}
	secret_clear(&raw);
}

/* A flipped bit is refused, noted, or changes what is decoded, unless it lies in a referent id,
 * whose value means nothing. */
static void every_bit_flip_is_survived(void **state)
{
	(void)state;
	struct secret raw = SECRET_INIT;
	load(ONE, &raw);
	struct err e = ERR_INIT;
	struct odj o = ODJ_INIT;
	assert_done(odj_decode(&raw, &o, &e), e);
	json_t *want = odj_json(&o, NULL, true);
	odj_clear(&o);
	size_t refused = 0, silent = 0;
	for (size_t i = 0; i < raw.len * 2; i++) {
		/* two bits of each byte, another pair each time: all bits take four times as long
		 */
		uint8_t *at = &raw.p[i / 2];
		uint8_t flip = (uint8_t)(1 << (i / 2 + i % 2 * 3) % 8);
		*at ^= flip;
		err_clear(&e);
		if (odj_decode(&raw, &o, &e) < 0) {
			refused++;
		} else {
			json_t *got = odj_json(&o, NULL, true);
			struct odj_finding f[ODJ_FINDINGS_MAX];
			odj_check(&o, ODJ_DIRECT, f);
			silent += json_equal(got, want) ? 1 : 0;
			json_decref(got);
		}
		odj_clear(&o);
		*at ^= flip;
	}
	json_decref(want);
	/* 41 referent ids of 4 bytes: 4 outside, 2 x 14 in the win7 copies, 3 in the package, 4 in
	 * its collection, 2 in JOIN_PROVIDER3 */
	assert_in_range(silent, 1, 41 * 4 * 2);
	assert_true(refused > raw.len / 4);
	secret_clear(&raw);
}

static void differing_copies_stop(void **state)
{
	(void)state;
	struct secret raw = SECRET_INIT;
	load(ONE, &raw);
	/* last byte of the first "A L M" in each copy: UTF-16 'M' of the machine name */
	static const uint8_t name[] = {'A', 0, 'L', 0, 'M', 0, '-', 0};
	uint8_t *at = memmem(raw.p, raw.len, name, sizeof name);
	assert_non_null(at);
	at[4] = 'N';
	struct err e = ERR_INIT;
	struct odj o = ODJ_INIT;
	assert_done(odj_decode(&raw, &o, &e), e);
	assert_int_equal(o.copies, ODJ_COPIES_DIFFER);
	assert_string_equal(o.join->machine_name.utf8, "ALM-FIL-001"); /* of the package */
	struct odj_finding f[ODJ_FINDINGS_MAX];
	assert_int_equal(odj_check(&o, ODJ_WINDOWS, f), 1);
	assert_int_equal(f[0].level, ODJ_STOP);
	assert_string_equal(f[0].id, "odj.copies");
	odj_clear(&o);

	/* other versions and encrypted packages are not guessed at */
	raw.p[0x14] = 2;
	assert_int_equal(odj_decode(&raw, &o, &e), -ERR_UNSUPPORTED);
	secret_clear(&raw);
}

static void computer_names(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum name_problem want;
	} cases[] = {
		{"ALM-FIL-001", NAME_OK},
		{"a", NAME_OK},
		{"PC1", NAME_OK},
		{"1A", NAME_OK},
		{"ABCDEFGHIJKLMNO", NAME_OK},
		{"ABCDEFGHIJKLMNOP", NAME_TOO_LONG},
		{"", NAME_EMPTY},
		{"12345", NAME_ALL_DIGITS},
		{"BAD NAME", NAME_BAD_CHARACTER},
		{"a.b", NAME_BAD_CHARACTER},
		{"UML\xc3\x84UT-1", NAME_BAD_CHARACTER},
		{"-PC", NAME_EDGE_HYPHEN},
		{"PC-", NAME_EDGE_HYPHEN},
		{"A_B", NAME_UNDERSCORE},
		{"PC$", NAME_BAD_CHARACTER},
		{"PC\n", NAME_BAD_CHARACTER},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(computer_name_check(cases[i].name), cases[i].want);
	assert_false(name_refused(NAME_UNDERSCORE));
	assert_true(name_refused(NAME_ALL_DIGITS));
	assert_true(computer_name_equal("wurst2", "WURST2"));
	assert_false(computer_name_equal("PC-1", "PC-10"));
	char up[COMPUTER_NAME_MAX + 1];
	computer_name_upper("student-pc8-in-a-long-name", up);
	assert_string_equal(up, "STUDENT-PC8-IN-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vector_decodes_to_its_truth),
		cmocka_unit_test(passwords_are_hidden_unless_asked_for),
		cmocka_unit_test(file_encodings),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(every_bit_flip_is_survived),
		cmocka_unit_test(differing_copies_stop),
		cmocka_unit_test(computer_names),
	};
	return cmocka_run_group_tests_name("odj", tests, start, NULL);
}
