/*
 * The undo record on a FAT that promises nothing: cut off at every length, with
 * a byte wrong, full of what lay in its clusters before. Such a record does not
 * open; the one saved before it counts, and where there is none it is as if none
 * had been written yet. Saving goes on in each case, and never over the newest.
 */
#include "test.h"

#include "base/file.h"
#include "job/internal.h"
#include "wholejob.h"

#define FIRST "state/undo-0.sealed"
#define SECOND "state/undo-0-2.sealed"

static struct job job;

static void open_job(void)
{
	char dir[PATH_MAX];
	struct secret pass = SECRET_INIT;
	struct err e = ERR_INIT;
	fresh("win11");
	tape.root[0] = '\0';
	snprintf(dir, sizeof dir, "%s/stick", root);
	assert_done(stick_look(&job.stick, dir, &e), e);
	assert_done(secret_copy(&pass, "engineer", 8, &e), e);
	assert_done(stick_unlock(job.stick, &pass, NULL, &e), e);
	secret_clear(&pass);
	job.entry = PC_ENTRY;
	snprintf(job.pc.name, sizeof job.pc.name, PC);
}

static void save(uint64_t intent)
{
	struct err e = ERR_INIT;
	struct undo_item item = {
		.kind = PLAN_VALUE, .store = PLAN_SYSTEM, .place = "Setup", .name = "CmdLine"};
	struct undo_record r = {
		.method = PLAN_REGISTRY, .intent = intent, .items = &item, .count = 1};
	assert_done(undo_record_save(&job, &r, &e), e);
}

/* The intent of the record that counts; 0: none opens. */
static uint64_t newest(int want)
{
	struct undo_record r = {0};
	struct err e = ERR_INIT;
	int ret = undo_record_load(&job, &r, &e);
	uint64_t intent = r.intent;
	undo_record_clear(&r);
	assert_int_equal(ret, want);
	assert_true(ret == 0 || (e.what[0] && e.next[0]));
	return ret == 0 ? intent : 0;
}

static struct buf get(const char *name)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char *path = path_join(stick_dir(job.stick), name);
	assert_done(file_read(path, FILE_MAX, &b, &e), e);
	free(path);
	return b;
}

static void set(const char *name, const void *p, size_t n)
{
	struct err e = ERR_INIT;
	char *path = path_join(stick_dir(job.stick), name);
	assert_done(file_put(path, p, n, 0600, &e), e);
	free(path);
}

static bool there(const char *name)
{
	char *path = path_join(stick_dir(job.stick), name);
	bool yes = file_exists(path);
	free(path);
	return yes;
}

static int make_all(void **state)
{
	int ret = make_ground(state);
	open_job();
	return ret;
}

static int drop_all(void **state)
{
	stick_close(job.stick, NULL);
	return drop_ground(state);
}

static void start_again(void)
{
	struct err e = ERR_INIT;
	assert_done(undo_record_remove(&job, &e), e);
	assert_false(there(FIRST) || there(SECOND));
	newest(-ERR_NOTFOUND);
}

static void torn_first_record_is_none_yet(void **state)
{
	(void)state;
	save(7);
	struct buf whole = get(FIRST);
	for (size_t n = 0; n < whole.len; n++) {
		start_again();
		set(FIRST, whole.p, n);
		newest(-ERR_INTEGRITY);
		save(8);
		assert_int_equal(newest(0), 8);
	}
	start_again();
	buf_clear(&whole);
}

static void torn_later_record_leaves_the_one_before(void **state)
{
	(void)state;
	save(7);
	save(8);
	struct buf first = get(FIRST), second = get(SECOND);
	assert_int_equal(newest(0), 8);
	for (size_t n = 0; n < second.len; n += 5) {
		set(SECOND, second.p, n);
		assert_int_equal(newest(0), 7);
		save(9); /* over the torn one */
		assert_int_equal(newest(0), 9);
		struct buf now = get(FIRST);
		assert_int_equal(now.len, first.len);
		assert_memory_equal(now.p, first.p, first.len);
		buf_clear(&now);
	}
	save(10); /* over the older one */
	assert_int_equal(newest(0), 10);
	set(FIRST, first.p, 20);
	assert_int_equal(newest(0), 9);
	buf_clear(&first);
	buf_clear(&second);
	start_again();
}

static void wrong_bytes_are_no_record(void **state)
{
	(void)state;
	save(7);
	save(8);
	struct buf second = get(SECOND);
	for (size_t at = 0; at < second.len; at += 3) {
		second.p[at] ^= 0x40;
		set(SECOND, second.p, second.len);
		assert_int_equal(newest(0), 7);
		second.p[at] ^= 0x40;
	}
	memset(second.p + second.len / 2, 0, second.len - second.len / 2);
	set(SECOND, second.p, second.len);
	assert_int_equal(newest(0), 7);
	buf_clear(&second);
	start_again();
}

/* Old before new: a cut between leaves the newest, which says how far the undo was. */
static void the_newest_goes_last(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	for (int saves = 2; saves <= 3; saves++) {
		const char *old = saves == 2 ? FIRST : SECOND;
		for (int i = 0; i < saves; i++)
			save(7);
		tape_load(root);
		tape_names_from(tape_base, tape_base_nodes);
		tape.recording = true;
		assert_done(undo_record_remove(&job, &e), e);
		tape.recording = false;
		size_t i = 0;
		while (i < tape.count && tape.ops[i].what != TAPE_UNLINK)
			i++;
		assert_true(i < tape.count);
		assert_true(ends_with(tape.ops[i].path, old));
		assert_int_equal(tape.ops[i + 1].what, TAPE_SYNC_DIR);
		tape.root[0] = '\0';
		newest(-ERR_NOTFOUND);
	}
}

/* The whole way: an apply that was cut while it wrote the record runs again, and can be undone. */
static void apply_over_a_torn_record(void **state)
{
	(void)state;
	static struct seen before, after;
	struct err e = ERR_INIT;
	save(7);
	struct buf whole_record = get(FIRST);
	see(&before);
	for (size_t n = 0; n < whole_record.len; n += whole_record.len / 3) {
		set(FIRST, whole_record.p, n);
		assert_done(stick_close(job.stick, &e), e);
		assert_done(whole(false, PLAN_REGISTRY, &e), e);
		assert_done(whole(true, PLAN_REGISTRY, &e), e);
		see(&after);
		assert_true(seen_same(&before, &after));
		open_job();
	}
	buf_clear(&whole_record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(torn_first_record_is_none_yet),
		cmocka_unit_test(torn_later_record_leaves_the_one_before),
		cmocka_unit_test(wrong_bytes_are_no_record),
		cmocka_unit_test(the_newest_goes_last),
		cmocka_unit_test(apply_over_a_torn_record),
	};
	return cmocka_run_group_tests_name("apply_crash, undo record", tests, make_all, drop_all);
}
