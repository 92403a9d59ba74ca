#include "test.h"

#include <dirent.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "journal/verify.h"

#define VECTORS "tests/vectors/journal"

static const uint8_t plan_hash[JOURNAL_HASH_SIZE] = {0xab, 0xcd};
static uint8_t lab_pub[32], lab_secret[64];

static int sign_as_lab(void *ctx, const uint8_t *p, size_t n, uint8_t sig[64], struct err *e)
{
	(void)ctx;
	(void)e;
	return crypto_sign_detached(sig, NULL, p, n, lab_secret);
}

/* sh -c COMMAND with $A and $B. */
static void shell(const char *command, const char *a, const char *b)
{
	setenv("A", a, 1);
	setenv("B", b, 1);
	assert_int_equal(system(command), 0);
}

static char *new_folder(void)
{
	char *dir = strdup("/tmp/odjstick-journal-XXXXXX");
	assert_non_null(dir);
	assert_non_null(mkdtemp(dir));
	return dir;
}

static void drop_folder(char *dir)
{
	shell("rm -rf \"$A\"", dir, "");
	free(dir);
}

static char *new_stick(bool by_lab)
{
	struct err e = ERR_INIT;
	struct journal_origin origin;
	char *dir = new_folder();
	const struct journal_init p = {.program = "odjstick test",
		.bundle = "0123",
		.bundle_hash = plan_hash,
		.lab_pub = lab_pub,
		.lab_fingerprint = "AAAA-BBBB",
		.sign = by_lab ? sign_as_lab : NULL};
	assert_done(journal_init(dir, &p, &origin, &e), e);
	assert_int_equal(strlen(origin.stick_text), 32);
	assert_int_equal(journal_init(dir, &p, &origin, NULL), -ERR_EXISTS);
	return dir;
}

static struct journal *start(const char *dir)
{
	struct err e = ERR_INIT;
	struct journal *j = NULL;
	assert_done(journal_open(&j, dir, NULL, &e), e);
	return j;
}

static uint64_t intent(struct journal *j, const char *name)
{
	struct err e = ERR_INIT;
	assert_done(JOURNAL_ADD(j, &e, JE_INTENT, JV_TEXT(JF_COMPUTER_NAME, name),
			    JV_HASH(JF_PLAN, plan_hash), JV_TEXT(JF_SERIAL, "SN-1")),
		e);
	return journal_seq(j);
}

static void answer(struct journal *j, uint64_t seq, const char *result)
{
	struct err e = ERR_INIT;
	assert_done(
		JOURNAL_ADD(j, &e, JE_RESULT, JV_NUM(JF_INTENT, seq), JV_TEXT(JF_RESULT, result)),
		e);
}

static void stop(struct journal *j)
{
	struct err e = ERR_INIT;
	assert_done(journal_close(j, &e), e);
}

static enum journal_verdict verdict(const char *dir, struct journal_report *r)
{
	struct err e = ERR_INIT;
	assert_done(journal_verify(dir, lab_pub, NULL, r, &e), e);
	return r->verdict;
}

static void vectors_get_their_verdicts(void **state)
{
	(void)state;
	DIR *d = opendir(VECTORS);
	size_t n = 0;
	assert_non_null(d);
	for (const struct dirent *de = readdir(d); de; de = readdir(d)) {
		char path[512], expect_path[600];
		uint8_t lab[32];
		struct journal_report r;
		struct err e = ERR_INIT;
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, VECTORS "/%s", de->d_name);
		snprintf(expect_path, sizeof expect_path, "%s/expect.json", path);
		json_t *want = json_load_file(expect_path, 0, NULL);
		assert_non_null(want);
		const char *hex = json_string_value(json_object_get(want, "lab"));
		assert_int_equal(sodium_hex2bin(lab, 32, hex, 64, NULL, NULL, NULL), 0);
		assert_done(journal_verify(path, lab,
				    json_string_value(json_object_get(want, "head")), &r, &e),
			e);
		const char *verdict_name = json_string_value(json_object_get(want, "verdict"));
		if (strcmp(journal_verdict_name(r.verdict), verdict_name) != 0)
			fail_msg("%s: %s (%s), wanted %s", de->d_name,
				journal_verdict_name(r.verdict), r.why, verdict_name);
		json_t *seq = json_object_get(want, "bad_seq");
		if (seq && (json_int_t)r.bad_seq != json_integer_value(seq))
			fail_msg("%s: record %d, not %d", de->d_name, (int)r.bad_seq,
				(int)json_integer_value(seq));
		json_t *recovered = json_object_get(want, "recovered");
		if (recovered)
			assert_int_equal(r.recovered, json_integer_value(recovered));
		assert_int_equal(r.why[0] == '\0', r.verdict == JOURNAL_VALID);
		json_decref(want);
		n++;
	}
	closedir(d);
	assert_true(n >= 50);
}

static void sessions_follow_each_other(void **state)
{
	(void)state;
	struct journal_report r;
	struct err e = ERR_INIT;
	char *dir = new_stick(true);
	assert_int_equal(verdict(dir, &r), JOURNAL_VALID);
	assert_true(r.lab_signed && r.lab_matches && r.state_seen);
	assert_int_equal(r.sessions, 0);

	struct journal *j = start(dir);
	assert_int_equal(journal_session(j), 1);
	answer(j, intent(j, "ALM-FIL-001"), "ok");
	char head[JOURNAL_CODE_TEXT];
	journal_head(j, head);
	assert_int_equal(strlen(head), 39);
	assert_int_equal(verdict(dir, &r), JOURNAL_INCOMPLETE);
	assert_string_equal(r.head_code, head);
	struct journal *second;
	assert_int_equal(journal_open(&second, dir, NULL, NULL), -ERR_REFUSED);
	stop(j);

	stop(start(dir));
	assert_int_equal(verdict(dir, &r), JOURNAL_VALID);
	assert_int_equal(r.sessions, 2);
	assert_int_equal(r.records, 7); /* genesis; start, intent, result, end; start, end */
	assert_int_equal(r.pending, 0);
	assert_done(journal_verify(dir, lab_pub, head, &r, &e), e);
	assert_int_equal(r.verdict, JOURNAL_VALID);
	head[0] = head[0] == '0' ? '1' : '0';
	assert_done(journal_verify(dir, lab_pub, head, &r, &e), e);
	assert_int_equal(r.verdict, JOURNAL_INVALID);
	assert_int_equal(journal_verify(dir, lab_pub, "0123", &r, NULL), -ERR_USAGE);
	drop_folder(dir);
}

static void a_start_without_the_lab_says_so(void **state)
{
	(void)state;
	struct journal_report r;
	char *dir = new_stick(false);
	stop(start(dir));
	assert_int_equal(verdict(dir, &r), JOURNAL_VALID);
	assert_false(r.lab_signed);
	assert_true(r.lab_matches);
	drop_folder(dir);
}

static void a_pulled_stick_is_recovered(void **state)
{
	(void)state;
	struct journal_report r;
	char *dir = new_stick(true);
	struct journal *j = start(dir);
	uint64_t first = intent(j, "ALM-FIL-001");
	journal_abandon(j);
	journal_abandon(start(dir)); /* pulled again, right after its start */
	assert_int_equal(verdict(dir, &r), JOURNAL_INCOMPLETE);

	struct journal_pending open[2];
	size_t n = 0;
	struct err e = ERR_INIT;
	assert_done(journal_pending_intent(dir, open, 2, &n, &e), e);
	assert_int_equal(n, 1);
	assert_int_equal(open[0].seq, first);
	assert_int_equal(open[0].session, 1);
	assert_string_equal(open[0].computer_name, "ALM-FIL-001");
	assert_string_equal(open[0].serial, "SN-1");
	assert_memory_equal(open[0].plan, plan_hash, sizeof plan_hash);

	j = start(dir);
	uint64_t other = intent(j, "ALM-FIL-002");
	answer(j, other, "failed");
	stop(j);
	assert_int_equal(verdict(dir, &r), JOURNAL_VALID);
	assert_int_equal(r.recovered, 2);
	assert_int_equal(r.pending, 1);

	j = start(dir); /* the first one is still known, sessions later */
	assert_done(journal_pending_intent(dir, open, 2, &n, &e), e);
	assert_int_equal(n, 1);
	assert_int_equal(open[0].seq, first);
	assert_done(
		JOURNAL_ADD(j, &e, JE_UNDO, JV_NUM(JF_INTENT, first), JV_TEXT(JF_RESULT, "ok")), e);
	assert_done(journal_pending_intent(dir, open, 2, &n, &e), e);
	assert_int_equal(n, 0);
	stop(j);
	drop_folder(dir);
}

static int find_note(const struct journal_record *r, void *ctx, struct err *e)
{
	(void)e;
	if (r->id == JE_PC_SEEN)
		journal_get_text(r, JF_SERIAL, ctx, JOURNAL_LABEL_MAX + 1);
	return 0;
}

static void only_typed_facts_get_in(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	char *dir = new_stick(true);
	struct journal *j = start(dir);
	uint64_t seq = journal_seq(j);
	assert_int_equal(JOURNAL_ADD(j, NULL, JE_NOTE, JV_TEXT(JF_METHOD, "x")), -ERR_USAGE);
	assert_int_equal(JOURNAL_ADD(j, NULL, JE_NOTE, JV_TEXT(JF_REASON, "")), -ERR_USAGE);
	assert_int_equal(
		JOURNAL_ADD(j, NULL, JE_NOTE, JV_TEXT(JF_REASON, "a"), JV_TEXT(JF_REASON, "b")),
		-ERR_USAGE);
	assert_int_equal(
		JOURNAL_ADD(j, NULL, JE_NOTE, JV_TEXT(JF_REASON, "two\nlines")), -ERR_USAGE);
	assert_int_equal(JOURNAL_ADD(j, NULL, JE_NOTE, JV_TEXT(JF_REASON, "\xff")), -ERR_USAGE);
	assert_int_equal(
		JOURNAL_ADD(j, NULL, JE_NOTE, JV_TEXT(JF_REASON, "\xe2\x80\xae")), -ERR_USAGE);
	assert_int_equal(
		JOURNAL_ADD(j, NULL, JE_REFUSED, JV_TEXT(JF_ERROR, "Not A Code")), -ERR_USAGE);
	assert_int_equal(JOURNAL_ADD(j, NULL, JE_SESSION_END, JV_NUM(JF_RECORDS, 1)), -ERR_USAGE);
	assert_int_equal(JOURNAL_ADD(j, NULL, JE_RECOVERED, JV_NUM(JF_LAST, 1)), -ERR_USAGE);
	char long_reason[JOURNAL_REASON_MAX + 2];
	memset(long_reason, 'x', sizeof long_reason - 1);
	long_reason[sizeof long_reason - 1] = '\0';
	assert_int_equal(JOURNAL_ADD(j, &e, JE_NOTE, JV_TEXT(JF_REASON, long_reason)), -ERR_USAGE);
	assert_non_null(strstr(e.what, "reason is too long"));
	assert_int_equal(journal_seq(j), seq);

	/* What a PC's firmware says is kept, made printable and short. */
	char odd[400] = "\x01"
			"A\"\\\xd0\x96\xff";
	memset(odd + strlen(odd), 'z', 300);
	err_clear(&e);
	assert_done(JOURNAL_ADD(j, &e, JE_PC_SEEN, JV_TEXT(JF_SERIAL, odd),
			    JV_BOOL(JF_PLACEHOLDER, true)),
		e);
	stop(j);
	char got[JOURNAL_LABEL_MAX + 1];
	assert_done(journal_read(dir, find_note, got, &e), e);
	assert_int_equal(strlen(got), JOURNAL_LABEL_MAX);
	assert_memory_equal(got, "?A\"\\\xd0\x96?zz", 9);
	struct journal_report r;
	assert_int_equal(verdict(dir, &r), JOURNAL_VALID);
	drop_folder(dir);
}

static void a_long_session_gets_more_room(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct journal_report r;
	struct stat st;
	char *dir = new_stick(true);
	struct journal *j = start(dir);
	for (int i = 0; i < 300; i++)
		assert_done(JOURNAL_ADD(j, &e, JE_NOTE, JV_TEXT(JF_REASON, "one more")), e);
	char *path = path_join(dir, "journal/000001.jsonl");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size % 65536, 0);
	assert_true(st.st_size > 300 * 512);
	stop(j);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(verdict(dir, &r), JOURNAL_VALID);
	assert_int_equal(r.records, 303);
	assert_true(st.st_size % 512 == 0 && st.st_size < 310 * 512);
	free(path);
	drop_folder(dir);
}

static void every_changed_byte_is_noticed(void **state)
{
	(void)state;
	struct journal_report r;
	char *dir = new_stick(true);
	stop(start(dir));
	for (int n = 0; n < 2; n++) {
		char name[64];
		struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		snprintf(name, sizeof name, "journal/%06d.jsonl", n);
		char *path = path_join(dir, name);
		assert_done(file_read(path, 65536, &b, &e), e);
		assert_true(b.len >= 1024);
		FILE *f = fopen(path, "r+b");
		assert_non_null(f);
		setvbuf(f, NULL, _IONBF, 0);
		for (size_t i = 0; i < b.len; i++) {
			fseek(f, (long)i, SEEK_SET);
			fputc(b.p[i] ^ 1, f);
			if (verdict(dir, &r) != JOURNAL_INVALID)
				fail_msg("byte %zu of %s: %s", i, name,
					journal_verdict_name(r.verdict));
			fseek(f, (long)i, SEEK_SET);
			fputc(b.p[i], f);
		}
		fclose(f);
		free(path);
		buf_clear(&b);
	}
	assert_int_equal(verdict(dir, &r), JOURNAL_VALID);
	drop_folder(dir);
}

static void a_stick_without_its_key_is_refused(void **state)
{
	(void)state;
	struct journal *j;
	struct err e = ERR_INIT;
	struct journal_report r;
	char *dir = new_stick(true), *old = new_folder();
	shell("cp \"$A\"/state/journal.key \"$B\"", dir, old);
	stop(start(dir));
	shell("cp \"$A\"/journal.key \"$B\"/state", old,
		dir); /* what a copy of the stick would hold */
	assert_int_equal(journal_open(&j, dir, NULL, &e), -ERR_INTEGRITY);
	assert_non_null(strstr(e.next, "Bring the stick back to the lab"));
	assert_int_equal(verdict(dir, &r), JOURNAL_INVALID);
	shell("rm \"$A\"/state/journal.key", dir, "");
	err_clear(&e);
	assert_int_equal(journal_open(&j, dir, NULL, &e), -ERR_INTEGRITY);
	assert_int_equal(verdict(dir, &r), JOURNAL_VALID);
	assert_false(r.state_seen);
	drop_folder(dir);
	drop_folder(old);
}

static void a_damaged_end_is_refused(void **state)
{
	(void)state;
	struct journal *j;
	struct err e = ERR_INIT;
	char *dir = new_stick(true);
	j = start(dir);
	answer(j, intent(j, "ALM-FIL-001"), "ok");
	stop(j);
	shell("printf X | dd of=\"$A\"/journal/000001.jsonl bs=1 seek=1400 conv=notrunc "
	      "status=none",
		dir, "");
	assert_int_equal(journal_open(&j, dir, NULL, &e), -ERR_INTEGRITY);
	assert_true(e.next[0] != '\0');
	assert_int_equal(journal_read(dir, find_note, (char[JOURNAL_LABEL_MAX + 1]){0}, NULL),
		-ERR_INTEGRITY);
	drop_folder(dir);
}

int main(void)
{
	struct err e = ERR_INIT;
	if (secret_setup(&e) < 0)
		return 1;
	crypto_sign_keypair(lab_pub, lab_secret);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_get_their_verdicts),
		cmocka_unit_test(sessions_follow_each_other),
		cmocka_unit_test(a_start_without_the_lab_says_so),
		cmocka_unit_test(a_pulled_stick_is_recovered),
		cmocka_unit_test(only_typed_facts_get_in),
		cmocka_unit_test(a_long_session_gets_more_room),
		cmocka_unit_test(every_changed_byte_is_noticed),
		cmocka_unit_test(a_stick_without_its_key_is_refused),
		cmocka_unit_test(a_damaged_end_is_refused),
	};
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
