/*
 * Apply and undo, again and again on one disk: the content is the one from before after each undo
 * and the joined one after each apply, nothing grows after the first round (hive, logs, clusters
 * and MFT records in use), and at the end ntfsfix -n and regfcheck.py find the disk clean.
 *
 * An apply destroys its entry and undo does not make it fresh again (docs/adr/0004), so every round
 * has a fresh stick. CYCLES says how many rounds (make test-cycles: 1000).
 */
#include "test.h"

#include "wholejob.h"

#define CYCLES 12
#define REGFCHECK "../shared/tools/regfcheck.py"

struct size {
	uint64_t hive, log1, log2, free_bytes;
};

static uint64_t size_of(struct volume *v, const char *path)
{
	struct volume_stat st;
	struct err e = ERR_INIT;
	assert_done(volume_stat(v, path, &st, &e), e);
	return st.size;
}

static struct size measure(void)
{
	struct err e = ERR_INIT;
	struct size s = {0};
	struct volume *v = mount_disk();
	s.hive = size_of(v, SYSTEM_HIVE);
	s.log1 = size_of(v, SYSTEM_HIVE ".LOG1");
	s.log2 = size_of(v, SYSTEM_HIVE ".LOG2");
	assert_done(volume_free_space(v, &s.free_bytes, &e), e);
	assert_done(volume_close(v, &e), e);
	return s;
}

static void must_not_grow(unsigned round, const struct size *first, const struct size *now)
{
	if (now->hive > first->hive || now->log1 > first->log1 || now->log2 > first->log2 ||
		now->free_bytes < first->free_bytes)
		fail_msg("round %u: hive %llu (%llu), logs %llu and %llu (%llu and %llu), free "
			 "%llu (%llu)",
			round, (unsigned long long)now->hive, (unsigned long long)first->hive,
			(unsigned long long)now->log1, (unsigned long long)now->log2,
			(unsigned long long)first->log1, (unsigned long long)first->log2,
			(unsigned long long)now->free_bytes, (unsigned long long)first->free_bytes);
}

static void fresh_stick(void)
{
	assert_int_equal(sh("cd %s && rm -rf root/stick && cp -r stick root/stick", work), 0);
}

static void step(bool undo, enum plan_method method, const struct seen *want, unsigned round)
{
	static struct seen now;
	struct err e = ERR_INIT;
	if (whole(undo, method, &e) < 0)
		fail_msg("round %u, %s: %s | %s", round, undo ? "undo" : "apply", e.what, e.next);
	see(&now);
	if (want && !seen_same(&now, want))
		fail_msg("round %u, %s: the disk is not what it was in round 1", round,
			undo ? "undo" : "apply");
}

static void clean_at_the_end(void)
{
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	char path[PATH_MAX];
	assert_int_equal(sh("ntfsfix -n %s/disk.img >%s/ntfsfix.out 2>&1", root, work), 0);
	if (access(REGFCHECK, R_OK) != 0) {
		print_message("# passed but for the independent checker in ../shared, which is "
			      "absent here\n");
		skip();
	}
	struct volume *v = mount_disk();
	assert_done(volume_read(v, SYSTEM_HIVE, FILE_MAX, &b, &e), e);
	assert_done(volume_close(v, &e), e);
	snprintf(path, sizeof path, "%s/SYSTEM", work);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(b.p, 1, b.len, f), b.len);
	fclose(f);
	buf_clear(&b);
	assert_int_equal(sh("/usr/bin/python3 " REGFCHECK " -q %s", path), 0);
}

static void cycle(const char *windows, const char *name)
{
	static struct seen before, joined;
	enum plan_method method;
	const char *wanted = getenv("CYCLES");
	unsigned long asked = wanted ? strtoul(wanted, NULL, 10) : 0;
	unsigned rounds = asked > 0 ? (unsigned)asked : CYCLES;
	struct size first = {0}, now;
	assert_int_equal(plan_method_parse(name, &method), 0);
	fresh(windows);
	see(&before);
	for (unsigned round = 1; round <= rounds; round++) {
		fresh_stick();
		tape.dirty_count = 0;
		tape_names_from(tape_base, tape_base_nodes);
		step(false, method, round > 1 ? &joined : NULL, round);
		if (round == 1)
			see(&joined);
		step(true, method, &before, round);
		now = measure();
		if (round == 1)
			first = now;
		must_not_grow(round, &first, &now);
	}
	print_message("# %s: %u rounds of apply and undo; hive %llu bytes, free %llu bytes\n", name,
		rounds, (unsigned long long)now.hive, (unsigned long long)now.free_bytes);
	clean_at_the_end();
}

static void registry_cycles(void **state)
{
	(void)state;
	cycle("win11", "registry");
}

static void unattend_cycles(void **state)
{
	(void)state;
	cycle("win11-generalized", "unattend");
}

static void firstboot_cycles(void **state)
{
	(void)state;
	cycle("win11", "firstboot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry_cycles),
		cmocka_unit_test(unattend_cycles),
		cmocka_unit_test(firstboot_cycles),
	};
	if (getenv("CRASH_ONLY"))
		cmocka_set_test_filter(getenv("CRASH_ONLY"));
	return cmocka_run_group_tests_name(
		"apply and undo, again and again", tests, make_ground, drop_ground);
}
