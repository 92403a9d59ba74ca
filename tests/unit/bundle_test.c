/* Bundles as our own writer makes them: many PCs, spending, and what spending leaves alone. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "bundle/batch_internal.h"
#include "bundle/create.h"
#include "bundle/settings.h"

#define BLOB "tests/vectors/blobs/ALM-FIL-001.txt"
#define COUNT 150u /* more look-up records than two pages of the tree hold */
#define SLOTS_AT 7168u
#define SLOT 512u

struct world {
	char dir[64], csv[96], out[96];
	struct secret pass;
	struct lab_pub pub;
	size_t blob_size;
};

static struct world w;

static void size_of_blob(size_t *n)
{
	struct batch *b;
	FILE *f = fopen(w.csv, "w");
	char *cwd = getcwd(NULL, 0);
	fprintf(f, "computer_name,serial,inventory_tag,blob\nALM-FIL-001,S1X,,%s/%s\n", cwd, BLOB);
	fclose(f);
	free(cwd);
	assert_int_equal(batch_open(&b, w.csv, NULL), 0);
	assert_int_equal(batch_check(b, NULL, NULL), 0);
	assert_int_equal(batch_errors(b), 0);
	*n = batch_row(b, 0)->blob_size;
	assert_string_equal(batch_row(b, 0)->domain, "corp.example");
	batch_close(b);
}

/* What the rows say in turn, and what it means. */
#define METHODS 5
static const char *const words[METHODS] = {"", "auto", "registry", "Unattend", "firstboot"};
static const enum settings_method methods[METHODS] = {
	METHOD_AUTO, METHOD_AUTO, METHOD_REGISTRY, METHOD_UNATTEND, METHOD_FIRSTBOOT};

/* The lint would refuse one blob for many PCs; the writer does not look inside. */
static struct batch *many(void)
{
	struct batch *b;
	struct err e = ERR_INIT;
	char *cwd = getcwd(NULL, 0);
	FILE *f = fopen(w.csv, "w");
	fprintf(f, "computer_name,serial,inventory_tag,blob,method\n");
	for (unsigned i = 0; i < COUNT; i++) {
		fprintf(f, "PC-%04u,", i);
		if (i % 7)
			fprintf(f, "ser-%04u", i);
		fprintf(f, ",");
		if (i % 5)
			fprintf(f, "Tag %04u", i);
		fprintf(f, ",%s/%s,%s\n", cwd, BLOB, words[i % METHODS]);
	}
	fclose(f);
	free(cwd);
	assert_done(batch_open(&b, w.csv, &e), e);
	for (size_t i = 0; i < b->row_count; i++) {
		b->rows[i].blob_size = (uint32_t)w.blob_size;
		free(b->rows[i].domain);
		b->rows[i].domain = strdup("corp.example");
	}
	return b;
}

static int setup(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct lab_key *key;
	char base[96], path[112];
	if (secret_setup(NULL) < 0)
		return -1;
	strcpy(w.dir, "/tmp/odjstick-bundle-XXXXXX");
	if (!mkdtemp(w.dir))
		return -1;
	snprintf(w.csv, sizeof w.csv, "%s/b.csv", w.dir);
	snprintf(w.out, sizeof w.out, "%s/b.odjb", w.dir);
	snprintf(base, sizeof base, "%s/LAB", w.dir);
	snprintf(path, sizeof path, "%s.key", base);
	secret_copy(&w.pass, "open sesame", 11, NULL);
	assert_done(lab_keygen(base, &w.pass, &w.pub, &e), e);
	assert_done(lab_key_open(&key, path, &w.pass, &e), e);
	assert_memory_equal(lab_key_pub(key)->pk, w.pub.pk, LAB_PK_LEN);
	size_of_blob(&w.blob_size);
	struct batch *b = many();
	struct bundle_spec spec = {.batch = b,
		.out = w.out,
		.lab = key,
		.passphrase = &w.pass,
		.created = 1700000000,
		.cost = {1, KDF_MEMORY_MIN}};
	assert_done(bundle_create(&spec, NULL, &e), e);
	assert_int_equal(bundle_create(&spec, NULL, NULL), -ERR_EXISTS);
	batch_close(b);
	lab_key_close(key);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	char command[3][112];
	snprintf(command[0], sizeof command[0], "%s/LAB.key", w.dir);
	snprintf(command[1], sizeof command[1], "%s/LAB.pub", w.dir);
	snprintf(command[2], sizeof command[2], "%s/b.odjb.new", w.dir);
	for (int i = 0; i < 3; i++)
		unlink(command[i]);
	unlink(w.csv);
	unlink(w.out);
	secret_clear(&w.pass);
	return rmdir(w.dir);
}

static struct bundle *opened(void)
{
	struct bundle *b;
	struct err e = ERR_INIT;
	assert_done(bundle_open(&b, w.out, &w.pub, &e), e);
	assert_done(bundle_unlock(b, &w.pass, NULL, &e), e);
	return b;
}

static void every_pc_is_found_and_nobody_else(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct bundle *b = opened();
	uint32_t id;
	char text[32];
	assert_int_equal(bundle_count(b), COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(text, sizeof text, "pc-%04u", i);
		assert_done(bundle_find(b, BUNDLE_BY_NAME, text, &id, &e), e);
		assert_int_equal(id, i);
		snprintf(text, sizeof text, "SER %04u", i);
		assert_int_equal(bundle_find(b, BUNDLE_BY_SERIAL, text, &id, NULL),
			i % 7 ? 0 : -ERR_NOTFOUND);
		assert_true(i % 7 == 0 || id == i);
		snprintf(text, sizeof text, "TAG-%04u", i);
		assert_int_equal(
			bundle_find(b, BUNDLE_BY_TAG, text, &id, NULL), i % 5 ? 0 : -ERR_NOTFOUND);
		assert_true(i % 5 == 0 || id == i);
	}
	/* a serial is not a tag, and firmware's placeholders are nobody */
	assert_int_equal(bundle_find(b, BUNDLE_BY_TAG, "ser-0001", &id, NULL), -ERR_NOTFOUND);
	assert_int_equal(bundle_find(b, BUNDLE_BY_SERIAL, "To be filled by O.E.M.", &id, NULL),
		-ERR_REFUSED);
	assert_int_equal(bundle_find(b, BUNDLE_BY_SERIAL, "", &id, NULL), -ERR_FORMAT);
	bundle_close(b);
}

static int take_word(void *ctx, const char *column, const char *value, struct err *e)
{
	(void)e;
	assert_string_equal(column, "method");
	snprintf(ctx, 16, "%s", value);
	return 0;
}

static void each_pc_has_its_own_method(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct bundle *b = opened();
	for (unsigned i = 0; i < COUNT; i++) {
		struct settings s;
		char word[16] = "";
		assert_done(settings_of_entry(b, i, &s, &e), e);
		assert_int_equal(s.method, methods[i % METHODS]);
		assert_done(bundle_entry_extras(b, i, take_word, word, &e), e);
		assert_string_equal(word, words[i % METHODS]);
	}
	bundle_close(b);
}

static void without_keys_little_is_possible(void **state)
{
	(void)state;
	struct bundle *b;
	struct bundle_row row;
	struct secret blob = SECRET_INIT, wrong = SECRET_INIT;
	enum bundle_state s;
	uint32_t id;
	assert_int_equal(bundle_open(&b, w.out, &w.pub, NULL), 0);
	assert_int_equal(bundle_row(b, 0, &row, NULL), -ERR_KEY);
	assert_int_equal(bundle_find(b, BUNDLE_BY_NAME, "PC-0001", &id, NULL), -ERR_KEY);
	assert_int_equal(bundle_entry_open(b, 0, &blob, NULL, NULL), -ERR_KEY);
	assert_int_equal(bundle_entry_spend(b, 0, 1, NULL), -ERR_KEY);
	assert_int_equal(bundle_entry_state(b, 0, &s, NULL, NULL), 0);
	assert_int_equal(s, BUNDLE_FRESH);
	secret_copy(&wrong, "open sesamf", 11, NULL);
	assert_int_equal(bundle_unlock(b, &wrong, NULL, NULL), -ERR_KEY);
	assert_false(bundle_unlocked(b));
	assert_int_equal(bundle_unlock(b, &w.pass, NULL, NULL), 0); /* another try */
	assert_int_equal(bundle_entry_open(b, COUNT, &blob, NULL, NULL), -ERR_NOTFOUND);
	bundle_close(b);

	/* the lab's signature was not checked: rows, but no blob */
	assert_int_equal(bundle_open(&b, w.out, NULL, NULL), 0);
	assert_int_equal(bundle_unlock(b, &w.pass, NULL, NULL), 0);
	assert_int_equal(bundle_row(b, 3, &row, NULL), 0);
	assert_string_equal(row.computer_name, "PC-0003");
	assert_int_equal(bundle_entry_open(b, 3, &blob, NULL, NULL), -ERR_INTEGRITY);
	assert_null(blob.p);
	bundle_close(b);
	secret_clear(&wrong);
}

static void spending_destroys_one_slot_and_nothing_else(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct secret blob = SECRET_INIT;
	enum bundle_state s;
	int64_t when;
	uint32_t checked;
	struct bundle *b = opened();
	assert_done(file_read(w.out, 16 << 20, &before, &e), e);
	assert_done(bundle_entry_open(b, 77, &blob, NULL, &e), e);
	assert_int_equal(blob.len, w.blob_size);
	assert_done(bundle_entry_spend(b, 77, 1700000500, &e), e);
	assert_int_equal(bundle_entry_open(b, 77, &blob, NULL, NULL), -ERR_SPENT);
	assert_int_equal(bundle_entry_spend(b, 77, 1700000501, NULL), -ERR_SPENT);
	assert_done(file_read(w.out, 16 << 20, &after, &e), e);
	size_t at = SLOTS_AT + 77 * SLOT;
	assert_int_equal(after.len, before.len);
	assert_memory_equal(after.p, before.p, at);
	assert_memory_equal(after.p + at + SLOT, before.p + at + SLOT, before.len - at - SLOT);
	/* nothing of the wrapped key is left */
	for (size_t i = 16; i + 8 <= 88; i += 8)
		assert_memory_not_equal(after.p + at + i, before.p + at + i, 8);
	bundle_close(b);

	b = opened();
	assert_done(bundle_entry_state(b, 77, &s, &when, &e), e);
	assert_int_equal(s, BUNDLE_SPENT);
	assert_int_equal(when, 1700000500);
	assert_done(bundle_entry_open(b, 78, &blob, NULL, &e), e);
	assert_done(bundle_check(b, &checked, &e), e);
	assert_int_equal(checked, COUNT);
	bundle_close(b);
	secret_clear(&blob);
	buf_clear(&before);
	buf_clear(&after);
}

static void a_damaged_slot_is_neither_and_can_be_spent(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct secret blob = SECRET_INIT;
	enum bundle_state s;
	struct bundle *b = opened();
	FILE *f = fopen(w.out, "r+b");
	assert_int_equal(fseek(f, SLOTS_AT + 5 * SLOT + 50, SEEK_SET), 0);
	fputc('x', f);
	fputc('y', f);
	fclose(f);
	assert_done(bundle_entry_state(b, 5, &s, NULL, &e), e);
	assert_int_equal(s, BUNDLE_DAMAGED);
	assert_int_equal(bundle_entry_open(b, 5, &blob, NULL, NULL), -ERR_INTEGRITY);
	assert_done(bundle_entry_spend(b, 5, 1700000600, &e), e);
	assert_done(bundle_entry_state(b, 5, &s, NULL, &e), e);
	assert_int_equal(s, BUNDLE_SPENT);
	bundle_close(b);
}

static void a_file_that_cannot_be_written_says_so(void **state)
{
	(void)state;
	struct bundle *b = opened();
	assert_int_equal(bundle_can_spend(b, NULL), 0);
	assert_int_equal(chmod(w.out, 0444), 0);
	assert_int_equal(chmod(w.dir, 0755), 0);
	bool root = geteuid() == 0;
	if (root)
		assert_int_equal(seteuid(65534), 0);
	int can = bundle_can_spend(b, NULL), spent = bundle_entry_spend(b, 9, 1, NULL);
	enum bundle_state s = BUNDLE_DAMAGED;
	int state9 = bundle_entry_state(b, 9, &s, NULL, NULL);
	if (root)
		assert_int_equal(seteuid(0), 0);
	chmod(w.out, 0600);
	assert_int_equal(can, -ERR_READONLY);
	assert_int_equal(spent, -ERR_READONLY);
	assert_int_equal(state9, 0);
	assert_int_equal(s, BUNDLE_FRESH);
	bundle_close(b);
}

/* Flip one bit at many places: whatever must not change is noticed by the check. */
static void no_change_goes_unnoticed(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct buf good = BUF_INIT;
	char path[112];
	assert_done(file_read(w.out, 16 << 20, &good, &e), e);
	snprintf(path, sizeof path, "%s/flipped", w.dir);
	for (size_t i = 0; i < 60; i++) {
		size_t at = (i * 7919 * 131 + 11) % good.len;
		if (at >= 2560 && at < SLOTS_AT + COUNT * SLOT)
			continue; /* mutable members: their own tests */
		struct bundle *b = NULL;
		uint32_t checked;
		good.p[at] ^= (uint8_t)(1 << i % 8);
		assert_done(file_put(path, good.p, good.len, 0600, &e), e);
		good.p[at] ^= (uint8_t)(1 << i % 8);
		int ret = bundle_open(&b, path, &w.pub, NULL);
		if (ret == 0)
			ret = bundle_check(b, &checked, NULL);
		bundle_close(b);
		if (ret >= 0)
			fail_msg("a flipped bit at byte %zu went unnoticed", at);
	}
	unlink(path);
	buf_clear(&good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pc_is_found_and_nobody_else),
		cmocka_unit_test(each_pc_has_its_own_method),
		cmocka_unit_test(without_keys_little_is_possible),
		cmocka_unit_test(spending_destroys_one_slot_and_nothing_else),
		cmocka_unit_test(a_damaged_slot_is_neither_and_can_be_spent),
		cmocka_unit_test(a_file_that_cannot_be_written_says_so),
		cmocka_unit_test(no_change_goes_unnoticed),
	};
	return cmocka_run_group_tests_name("bundle", tests, setup, teardown);
}
