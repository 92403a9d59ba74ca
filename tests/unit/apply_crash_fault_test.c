/*
 * The disk or the stick fails at every call of a whole apply and of a whole
 * undo: one error (EIO), full from here on (ENOSPC), half a read or write, gone
 * from here on.
 *
 * What fails is reported, with what happened and what to do; what is reported
 * done is done; every file of the PC is the old or the new one and the journal
 * stands; and the same again on a working device ends in the finished (or
 * undone) state.
 *
 * CRASH_STRIDE=1 takes every call with every kind; make test takes every
 * CRASH_STRIDE-th, and the kinds in turn.
 */
#include "test.h"

#include "wholejob.h"

#define STRIDE 61

struct outcome {
	unsigned runs, failed, survived, refused_again;
};

#define BLOB_FILE "Windows/Setup/odjstick/blob.txt"

static struct seen start, end;
static unsigned told; /* errors that named what is left of the secret */

static void must_be_told(const char *what, const struct err *e)
{
	if (!e->code || !e->what[0] || !err_next(e)[0])
		fail_msg("%s: code %d, \"%s\", \"%s\"", what, e->code, e->what, e->next);
}

static void must_be(const char *what, const struct seen *want)
{
	static struct seen disk;
	see(&disk);
	if (!seen_same(&disk, want)) {
		const char *path = seen_between(&disk, want, want);
		fail_msg("%s: %s", what, path ? path : "something is left");
	}
}

/* Between old and new, whatever failed. */
static void must_be_consistent(const char *what)
{
	static struct seen disk;
	see(&disk);
	const char *path = seen_between(&disk, &start, &end);
	if (path)
		fail_msg("%s: %s is neither old nor new", what, path);
	if (ask_stick().verdict == JOURNAL_INVALID)
		fail_msg("%s: the journal is invalid", what);
}

/* A spent entry without an open intent was applied to the end. */
static bool was_finished(bool undo, int ret, const struct stick_state *before)
{
	return undo ? ret == -ERR_NOTFOUND && !before->keeps_undo
		    : ret == -ERR_SPENT && before->entry == BUNDLE_SPENT && !before->pending;
}

static void again(const char *what, bool undo, enum plan_method method, struct outcome *o)
{
	struct err e = ERR_INIT;
	struct stick_state before = ask_stick();
	int ret = whole(undo, method, &e);
	if (was_finished(undo, ret, &before))
		o->refused_again++;
	else if (ret < 0)
		fail_msg("%s, again: %s | %s", what, e.what, e.next);
	must_be(what, &end);
	struct stick_state s = ask_stick();
	if (s.verdict != JOURNAL_VALID || s.pending || (!undo && s.entry != BUNDLE_SPENT))
		fail_msg("%s, again: journal verdict %d, %d intents open, entry %s", what,
			(int)s.verdict, (int)s.pending, bundle_state_name(s.entry));
}

/* A part of a first-boot join is there: its secret must be named, with the ways to be rid of it. */
static void must_tell_secret(const char *what, const struct err *e)
{
	static struct seen disk;
	see(&disk);
	if (!seen_find(&disk, BLOB_FILE) || seen_same(&disk, &end))
		return;
	if (!strstr(e->next, "blob.txt") || !strstr(e->next, "undo"))
		fail_msg("%s: the join data is left and not told: %s", what, e->next);
	told++;
}

/* The failing run; false when the call that should fail is not reached any more. */
static bool fail_at(
	unsigned at, enum fault_kind kind, bool undo, enum plan_method method, struct outcome *o)
{
	struct err e = ERR_INIT;
	char what[96];
	snprintf(what, sizeof what, "%s %s, call %u, fault %d", plan_method_name(method),
		undo ? "undo" : "apply", at, (int)kind);
	if (getenv("CRASH_SHOW"))
		print_message("# %s\n", what);
	tape_reset();
	memset(&tape.fault, 0, sizeof tape.fault);
	tape.fault.armed = true;
	tape.fault.kind = kind;
	tape.fault.at = at;
	int ret = whole(undo, method, &e);
	bool fired = tape.fault.fired;
	tape.fault.armed = false;
	o->runs++;
	if (ret < 0) {
		o->failed++;
		must_be_told(what, &e);
		if (!undo)
			must_tell_secret(what, &e);
	} else {
		o->survived++;
		must_be(what, &end);
	}
	must_be_consistent(what);
	again(what, undo, method, o);
	return fired;
}

static unsigned stride(void)
{
	const char *s = getenv("CRASH_STRIDE");
	unsigned long n = s ? strtoul(s, NULL, 10) : 0;
	return n > 0 ? (unsigned)n : STRIDE;
}

static void fail_everywhere(bool undo, enum plan_method method)
{
	struct outcome o = {0};
	struct err e = ERR_INIT;
	tape_load(root);
	tape_names_from(tape_base, tape_base_nodes);
	see(&start);
	tape.fault.armed = true;
	tape.fault.at = UINT_MAX;
	assert_done(whole(undo, method, &e), e);
	unsigned calls = tape.fault.calls;
	tape.fault.armed = false;
	see(&end);
	bool all = stride() == 1;
	for (unsigned at = 0; at < calls; at += stride())
		for (int kind = 0; kind < FAULT_KINDS; kind++)
			if (all || (at / stride()) % FAULT_KINDS == (unsigned)kind)
				fail_at(at, (enum fault_kind)kind, undo, method, &o);
	print_message("# %s of %s: %u calls; %u runs with a fault: %u failed, %u went on; "
		      "again: all finished, %u were\n",
		undo ? "undo" : "apply", plan_method_name(method), calls, o.runs, o.failed,
		o.survived, o.refused_again);
	assert_true(o.failed > 5);
}

static void apply_and_undo(const char *windows, const char *name)
{
	enum plan_method method;
	struct err e = ERR_INIT;
	assert_int_equal(plan_method_parse(name, &method), 0);
	fresh(windows);
	fail_everywhere(false, method);
	fresh(windows);
	assert_done(whole(false, method, &e), e);
	fail_everywhere(true, method);
}

static void registry_faults(void **state)
{
	(void)state;
	apply_and_undo("win11", "registry");
}

static void unattend_faults(void **state)
{
	(void)state;
	apply_and_undo("win11-generalized", "unattend");
}

static void firstboot_faults(void **state)
{
	(void)state;
	told = 0;
	apply_and_undo("win11", "firstboot");
	assert_true(told > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry_faults),
		cmocka_unit_test(unattend_faults),
		cmocka_unit_test(firstboot_faults),
	};
	if (getenv("CRASH_ONLY"))
		cmocka_set_test_filter(getenv("CRASH_ONLY"));
	return cmocka_run_group_tests_name("apply_crash, faults", tests, make_ground, drop_ground);
}
