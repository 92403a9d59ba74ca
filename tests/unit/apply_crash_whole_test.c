/*
 * The power goes, or the stick is pulled, at every instant of a whole apply and
 * of a whole undo: stick and disk in one sequence, in the true order.
 *
 * At every cut: the volume mounts (here and by ntfsfix -n), every file of the
 * PC is the old or the new one, the SYSTEM hive by independent log replay too
 * (crash_judge.py), the journal stands. Then both next steps are tried on copies
 * of that instant: the same again must end in the finished (or undone) state, and
 * undo after a cut apply in the undone state or, where nothing was written, in a
 * refusal that changes nothing. Never anything else.
 *
 * CRASH_STRIDE=1 takes every kind of cut at every operation; make test takes
 * every plain cut, and the other kinds at every CRASH_STRIDE-th operation.
 * CRASH_ONLY=unattend_* takes some of the tests, CRASH_SHOW=1 names each cut.
 */
#include "test.h"

#include <sys/wait.h>

#include "tape_cut.h"
#include "wholejob.h"

#define TOOLS "../shared/tools"
#define STRIDE 13
#define STATES_MAX 8000
#define HIVES_MAX 600

struct scenario {
	const char *windows, *method_name;
	bool undo;
	enum plan_method method;
	struct seen start, end, undone;
	uint8_t state[STATES_MAX][32];
	uint8_t disk[STATES_MAX][32];
	uint8_t hive[HIVES_MAX][32];
	unsigned mirrors; /* disks whose $MFTMirr is old */
	unsigned cuts, states, disks, hives, finished, already, undone_count, refused;
};

static struct scenario now;

static bool known(uint8_t (*list)[32], unsigned *count, unsigned max, const uint8_t hash[32])
{
	for (unsigned i = 0; i < *count; i++)
		if (memcmp(list[i], hash, 32) == 0)
			return true;
	assert_true(*count < max);
	memcpy(list[(*count)++], hash, 32);
	return false;
}

/* --- independent judges ---------------------------------------------------------------------- */

/* What libntfs-3g's own tool says without changing anything. A cut between a record of $MFT and its
 * copy in $MFTMirr leaves the copy old (docs/adr/0043): then the tool must be able to repair the
 * copy, and be content afterwards. */
static void mounts_elsewhere(const char *what)
{
	if (sh("ntfsfix -n %s/disk.img >%s/ntfsfix.out 2>&1", root, work) == 0)
		return;
	if (sh("cd %s && grep -q 'MFTMirr does not match' ntfsfix.out && "
	       "cp --sparse=always root/disk.img fixed.img && ntfsfix fixed.img >fix.out 2>&1 && "
	       "ntfsfix -n fixed.img >>fix.out 2>&1",
		    work) == 0) {
		now.mirrors++;
		return;
	}
	sh("cat %s/ntfsfix.out %s/fix.out", work, work);
	fail_msg("%s: ntfsfix -n refuses the volume", what);
}

/* The hive and its logs, kept for crash_judge.py: each content once. */
static void keep_hive(const char *name)
{
	static const char *const parts[] = {"SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2"};
	struct volume *v = mount_disk();
	struct buf file[3];
	struct err e = ERR_INIT;
	crypto_generichash_state st;
	uint8_t hash[32];
	crypto_generichash_init(&st, NULL, 0, 32);
	for (size_t i = 0; i < 3; i++) {
		char path[64];
		snprintf(path, sizeof path, "Windows/System32/config/%s", parts[i]);
		file[i] = (struct buf)BUF_INIT;
		struct volume_stat on; /* a log may be absent: nothing is in it */
		assert_done(volume_stat(v, path, &on, &e), e);
		if (on.exists)
			assert_done(volume_read(v, path, FILE_MAX, &file[i], &e), e);
		crypto_generichash_update(&st, (const uint8_t *)&file[i].len, sizeof file[i].len);
		crypto_generichash_update(&st, file[i].p, file[i].len);
	}
	assert_done(volume_close(v, &e), e);
	crypto_generichash_final(&st, hash, 32);
	unsigned at = now.hives;
	bool fresh_one = name || !known(now.hive, &now.hives, HIVES_MAX, hash);
	for (size_t i = 0; i < 3; i++) {
		char path[PATH_MAX];
		if (name)
			snprintf(path, sizeof path, "%s/%s.%s", work, name, parts[i]);
		else
			snprintf(path, sizeof path, "%s/%u.%s", work, at, parts[i]);
		FILE *f = fresh_one ? fopen(path, "w") : NULL;
		if (f && file[i].len)
			assert_int_equal(fwrite(file[i].p, 1, file[i].len, f), file[i].len);
		if (f)
			fclose(f);
		buf_clear(&file[i]);
	}
}

/* --- one instant ----------------------------------------------------------------------------- */

static void journal_stands(const char *what, const struct stick_state *s)
{
	if (s->verdict == JOURNAL_INVALID)
		fail_msg("%s: the journal is invalid", what);
}

static void must_be(const char *what, const struct seen *want, const char *which)
{
	static struct seen disk;
	see(&disk);
	if (seen_same(&disk, want))
		return;
	const char *path = seen_between(&disk, want, want);
	for (size_t i = 0; !path && i < disk.count; i++)
		if (!seen_find(want, disk.item[i].path))
			path = disk.item[i].path;
	fail_msg("%s: the disk is not %s: %s", what, which, path ? path : "something is left");
}

/* Nothing is open any more, and the journal is closed. */
static void must_be_closed(const char *what, bool spent)
{
	struct stick_state s = ask_stick();
	if (s.verdict != JOURNAL_VALID || s.pending || (spent && s.entry != BUNDLE_SPENT))
		fail_msg("%s: journal verdict %d, %d intents open, entry %s", what, (int)s.verdict,
			(int)s.pending, bundle_state_name(s.entry));
}

static void apply_again(const char *what)
{
	struct err e = ERR_INIT;
	bool spent = ask_stick().entry == BUNDLE_SPENT, open = ask_stick().pending > 0;
	int ret = whole(false, now.method, &e);
	if (ret == -ERR_SPENT && spent && !open)
		now.already++; /* it was finished; only the session was not closed */
	else if (ret < 0)
		fail_msg("%s, apply again: %s | %s", what, e.what, e.next);
	now.finished++;
	must_be(what, &now.end, "finished");
	must_be_closed(what, true);
}

static void undo_instead(const char *what)
{
	static struct seen before, after;
	struct err e = ERR_INIT;
	see(&before);
	int ret = whole(true, now.method, &e);
	see(&after);
	if (ret == 0) {
		now.undone_count++;
		must_be(what, &now.undone, "undone");
		must_be_closed(what, false);
		assert_false(ask_stick().keeps_undo);
	} else if (!seen_same(&before, &after) || !seen_same(&before, &now.start)) {
		fail_msg("%s, undo: %s | %s", what, e.what, e.next);
	} else {
		now.refused++;
	}
}

/* An undo that was cut: the record may be gone already, when only the session's end is missing. */
static void undo_again(const char *what)
{
	struct err e = ERR_INIT;
	bool open = ask_stick().keeps_undo;
	int ret = whole(true, now.method, &e);
	if (ret < 0 && (open || ret != -ERR_NOTFOUND))
		fail_msg("%s, undo again: %s | %s", what, e.what, e.next);
	now.undone_count++;
	must_be(what, &now.undone, "undone");
	must_be_closed(what, false);
	assert_false(ask_stick().keeps_undo);
}

static size_t stride(void)
{
	const char *s = getenv("CRASH_STRIDE");
	unsigned long n = s ? strtoul(s, NULL, 10) : 0;
	return n > 0 ? (size_t)n : STRIDE;
}

static void look(const struct tape_cut *cut, const char *what, void *ctx)
{
	static struct seen disk;
	uint8_t hash[32], side[32];
	char text[160];
	(void)ctx;
	snprintf(text, sizeof text, "%s, %s: %s", now.method_name, now.undo ? "undo" : "apply",
		what);
	now.cuts++;
	if (getenv("CRASH_SHOW"))
		print_message("# %s\n", text);
	tape_show(cut, hash, side);
	if (known(now.state, &now.states, STATES_MAX, hash))
		return;
	struct stick_state s = ask_stick();
	journal_stands(text, &s);
	if (!known(now.disk, &now.disks, STATES_MAX, side)) {
		mounts_elsewhere(text);
		keep_hive(NULL);
		see(&disk);
		const char *path = seen_between(&disk, &now.start, &now.end);
		if (path)
			fail_msg("%s: %s is neither old nor new", text, path);
	}
	if (now.undo) {
		undo_again(text);
		return;
	}
	apply_again(text);
	if (stride() > 1 && now.states % 3)
		return;
	tape_show(cut, hash, side);
	undo_instead(text);
}

/* --- one scenario ---------------------------------------------------------------------------- */

static void record(bool undo)
{
	struct err e = ERR_INIT;
	tape_record();
	int ret = whole(undo, now.method, &e);
	tape_stop();
	assert_done(ret, e);
}

static void judge_hives(void)
{
	if (access(TOOLS "/regfreplay.py", R_OK) != 0) {
		print_message("# passed but for the independent judge in ../shared, which is "
			      "absent here\n");
		skip();
	}
	assert_int_equal(sh("/usr/bin/python3 tests/tools/crash_judge.py " TOOLS " %s %u %s", work,
				 now.hives,
				 memcmp(seen_find(&now.start, SYSTEM_HIVE),
					 seen_find(&now.end, SYSTEM_HIVE), 32)
					 ? ""
					 : "same"),
		0);
}

static void report(void)
{
	print_message(
		"# %s of %s: %zu operations, %u cuts, %u different states (%u disks, %u hives, %u "
		"old mirrors); "
		"run again: %u finished (%u were), %u undone, %u had nothing to undo\n",
		now.undo ? "undo" : "apply", now.method_name, tape.count, now.cuts, now.states,
		now.disks, now.hives, now.mirrors, now.finished, now.already, now.undone_count,
		now.refused);
}

static void begin(const char *windows, const char *method, bool undo)
{
	memset(&now, 0, sizeof now);
	now.windows = windows;
	now.method_name = method;
	now.undo = undo;
	assert_int_equal(plan_method_parse(method, &now.method), 0);
	fresh(windows);
	see(&now.start);
	now.undone = now.start;
	keep_hive("old");
}

static void cut_an_apply(const char *windows, const char *method)
{
	begin(windows, method, false);
	record(false);
	see(&now.end);
	keep_hive("new");
	assert_false(seen_same(&now.start, &now.end));
	must_be_closed("the run that was recorded", true);
	tape_cuts(stride(), look, NULL);
	report();
	assert_true(now.finished > 50 && now.undone_count > 5 && now.refused > 5);
	judge_hives();
}

static void cut_an_undo(const char *windows, const char *method)
{
	struct err e = ERR_INIT;
	begin(windows, method, true);
	now.end = now.start;
	assert_done(whole(false, now.method, &e), e);
	keep_hive("new");
	tape_load(root);
	see(&now.start);
	record(true);
	must_be("the undo that was recorded", &now.undone, "undone");
	tape_cuts(stride(), look, NULL);
	report();
	assert_true(now.undone_count > 15);
	judge_hives();
}

static void registry_apply(void **state)
{
	(void)state;
	cut_an_apply("win11", "registry");
}

static void registry_undo(void **state)
{
	(void)state;
	cut_an_undo("win11", "registry");
}

/* The logs are made, are part of the plan, and go again. */
static void nologs_apply(void **state)
{
	(void)state;
	cut_an_apply("win11-nologs", "registry");
}

static void nologs_undo(void **state)
{
	(void)state;
	cut_an_undo("win11-nologs", "registry");
}

static void unattend_apply(void **state)
{
	(void)state;
	cut_an_apply("win11-generalized", "unattend");
}

static void unattend_undo(void **state)
{
	(void)state;
	cut_an_undo("win11-generalized", "unattend");
}

static void firstboot_apply(void **state)
{
	(void)state;
	cut_an_apply("win11", "firstboot");
}

static void firstboot_undo(void **state)
{
	(void)state;
	cut_an_undo("win11", "firstboot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry_apply),
		cmocka_unit_test(registry_undo),
		cmocka_unit_test(nologs_apply),
		cmocka_unit_test(nologs_undo),
		cmocka_unit_test(unattend_apply),
		cmocka_unit_test(unattend_undo),
		cmocka_unit_test(firstboot_apply),
		cmocka_unit_test(firstboot_undo),
	};
	if (getenv("CRASH_ONLY"))
		cmocka_set_test_filter(getenv("CRASH_ONLY"));
	return cmocka_run_group_tests_name("apply_crash, whole", tests, make_ground, drop_ground);
}
