/* A whole write of the job, on a disk that may lose power at any device write: the volume mounts,
 * the SYSTEM hive is the old or the new one (judged by an independent log replay and hivex, in
 * crash_judge.py), unattend.xml is absent or whole, and a second run ends in the finished state. */
#include "test.h"

#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "job/internal.h"
#include "memdisk.h"

#define PC "ALM-FIL-001"
#define BLOB "tests/vectors/blobs/" PC ".txt"
#define CONFIG "Windows/System32/config/"
#define ANSWER "Windows/Panther/unattend.xml"
#define TOOLS "../shared/tools"
#define DISK_MB 12
#define FILE_MAX (8U << 20)
#define STATES_MAX 400 /* different contents of hive and logs that the judge is given */

/* libntfs-3g keeps some inodes when a read fails under it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libntfs-3g\n";
}

static const char *const hive_files[] = {"SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2"};
static char work[PATH_MAX / 2];
static struct secret blob;

__attribute__((format(printf, 1, 2))) static int sh(const char *fmt, ...)
{
	char cmd[PATH_MAX * 3];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	return system(cmd);
}

/* --- the ground: one synthetic Windows 11 per method
 * ---------------------------------------------- */

static void make_disk(const char *name, const char *bin)
{
	int ret = sh("cd %s && mkdir -p %s/" CONFIG " %s/Windows/Panther && "
		     "for h in SYSTEM SOFTWARE; do %s/../tools/mkhive "
		     "$OLDPWD/tests/vectors/hives/%s-$h.hive-text %s/" CONFIG "$h && : >%s/" CONFIG
		     "$h.LOG1 && : >%s/" CONFIG "$h.LOG2 || exit 1; done && "
		     "%s/../tools/ntfstree %s.img %d %s",
		work, name, name, bin, name, name, name, name, bin, name, DISK_MB, name);
	assert_int_equal(ret, 0);
}

static int make_ground(void **state)
{
	(void)state;
	char exe[PATH_MAX];
	struct err e = ERR_INIT;
	struct odj_encoding enc;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	assert_true(n > 0);
	exe[n] = '\0';
	assert_done(secret_setup(&e), e);
	assert_done(odj_read_file(BLOB, &blob, &enc, &e), e);
	snprintf(work, sizeof work, "%s/apply_crash_test.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(work));
	const char *bin = dirname(exe);
	make_disk("win11", bin);
	make_disk("win11-generalized", bin);
	return 0;
}

static int drop_ground(void **state)
{
	(void)state;
	secret_clear(&blob);
	return sh("rm -rf %s", work);
}

static struct buf read_disk(const char *name)
{
	char path[PATH_MAX];
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	snprintf(path, sizeof path, "%s/%s.img", work, name);
	assert_done(file_read(path, DISK_MB << 20, &b, &e), e);
	return b;
}

/* --- a job on a disk in memory
 * -------------------------------------------------------------------- */

static int layer(struct blockdev **d, const struct volume_source *src, bool writable, struct err *e)
{
	(void)e;
	*d = memdisk_dev(src->layer_ctx, writable);
	return 0;
}

struct run {
	struct volume_source src;
	struct job_candidate windows;
	struct job job;
};

static struct volume *mount(const struct volume_source *src)
{
	struct volume *v;
	struct err e = ERR_INIT;
	assert_done(volume_open(&v, src, false, &e), e);
	return v;
}

/* As preflight does: look at the disk, choose the method, make the plan. */
static void start_run(struct run *r, struct memdisk *m)
{
	struct err e = ERR_INIT;
	*r = (struct run){.src = {.kind = VOLUME_NTFS, .layer = layer, .layer_ctx = m}};
	struct volume *v = mount(&r->src);
	assert_done(windows_facts_read(v, &r->windows.facts, &e), e);
	assert_done(volume_close(v, &e), e);
	r->windows.src = &r->src;
	r->job.chosen = &r->windows;
	r->job.method =
		r->windows.facts.phase == WINDOWS_PHASE_COMPLETE ? PLAN_REGISTRY : PLAN_UNATTEND;
	snprintf(r->job.pc.name, sizeof r->job.pc.name, PC);
	assert_done(secret_copy(&r->job.blob, blob.p, blob.len, &e), e);
	assert_done(odj_decode(&r->job.blob, &r->job.odj, &e), e);
	assert_done(plan_build(&r->job, &r->job.plan, &e), e);
}

static void end_run(struct run *r)
{
	plan_clear(&r->job.plan);
	odj_clear(&r->job.odj);
	secret_clear(&r->job.blob);
}

/* The job's write, recorded. */
static void record(struct memdisk *m, enum plan_method method, struct buf *answer)
{
	struct run r;
	struct err e = ERR_INIT;
	start_run(&r, m);
	assert_int_equal(r.job.method, method);
	assert_int_equal(m->count, 0); /* planning writes nothing */
	assert_true(plan_verify(&r.job, &r.job.plan, NULL) < 0);
	assert_done(plan_write(&r.job, &r.job.plan, &e), e);
	assert_done(plan_verify(&r.job, &r.job.plan, &e), e);
	assert_true(m->count > 10);
	if (answer)
		assert_done(buf_add(answer, r.job.plan.items[0].data.p,
				    r.job.plan.items[0].data.len, &e),
			e);
	end_run(&r);
}

/* A pending join is finished only when it is bit for bit ours; whatever was left, the second run
 * ends in the planned state, and a third has nothing to do. */
static void run_again(struct memdisk *now, unsigned cut)
{
	struct memdisk copy = memdisk_copy(now->p, now->size);
	struct run r;
	struct err e = ERR_INIT;
	start_run(&r, &copy);
	bool whole = plan_verify(&r.job, &r.job.plan, NULL) == 0;
	if (r.windows.facts.join == WINDOWS_JOIN_PENDING && !whole)
		fail_msg("cut %u left a part of the join", cut);
	int ret = plan_write(&r.job, &r.job.plan, &e);
	if (ret == 0)
		ret = plan_verify(&r.job, &r.job.plan, &e);
	if (ret < 0)
		fail_msg("cut %u, second run: %s", cut, e.what);
	if (whole && r.job.method == PLAN_REGISTRY)
		assert_int_equal(copy.count, 0); /* of a file a temporary name may have to go */
	end_run(&r);
	memdisk_free(&copy);
}

/* --- registry
 * ------------------------------------------------------------------------------------- */

struct states {
	unsigned count;
	uint8_t hash[STATES_MAX][32];
};

static void read_hive(struct memdisk *now, struct buf file[3])
{
	const struct volume_source src = {.kind = VOLUME_NTFS, .layer = layer, .layer_ctx = now};
	struct volume *v = mount(&src);
	struct err e = ERR_INIT;
	for (size_t i = 0; i < 3; i++) {
		char path[64];
		snprintf(path, sizeof path, CONFIG "%s", hive_files[i]);
		file[i] = (struct buf)BUF_INIT;
		assert_done(volume_read(v, path, FILE_MAX, &file[i], &e), e);
	}
	assert_done(volume_close(v, &e), e);
}

static void save_hive(const struct buf file[3], const char *name)
{
	for (size_t i = 0; i < 3; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%s/%s.%s", work, name, hive_files[i]);
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		if (file[i].len)
			assert_int_equal(fwrite(file[i].p, 1, file[i].len, f), file[i].len);
		fclose(f);
	}
}

static bool is_known(struct states *s, const struct buf file[3])
{
	crypto_generichash_state st;
	uint8_t *hash = s->hash[s->count];
	crypto_generichash_init(&st, NULL, 0, 32);
	for (size_t i = 0; i < 3; i++) {
		crypto_generichash_update(&st, (const uint8_t *)&file[i].len, sizeof file[i].len);
		crypto_generichash_update(&st, file[i].p, file[i].len);
	}
	crypto_generichash_final(&st, hash, 32);
	for (unsigned i = 0; i < s->count; i++)
		if (memcmp(s->hash[i], hash, 32) == 0)
			return true;
	return false;
}

/* Each different content once: kept for the judge, and run again. */
static void look_registry(struct memdisk *now, unsigned cut, void *ctx)
{
	struct states *s = ctx;
	struct buf file[3];
	read_hive(now, file);
	if (!is_known(s, file)) {
		char name[16];
		snprintf(name, sizeof name, "%u", s->count++);
		assert_true(s->count < STATES_MAX);
		save_hive(file, name);
		run_again(now, cut);
	}
	for (size_t i = 0; i < 3; i++)
		buf_clear(&file[i]);
}

static void save_as(struct memdisk *m, const char *name)
{
	struct buf file[3];
	read_hive(m, file);
	save_hive(file, name);
	for (size_t i = 0; i < 3; i++)
		buf_clear(&file[i]);
}

static void registry_cut_anywhere(void **state)
{
	static struct states s;
	*state = &s;
	struct buf base = read_disk("win11");
	struct memdisk m = memdisk_copy(base.p, base.len);
	save_as(&m, "old");
	record(&m, PLAN_REGISTRY, NULL);
	save_as(&m, "new");
	unsigned cuts = memdisk_cuts(base.p, &m, look_registry, &s);
	assert_true(cuts > m.writes);
	assert_true(s.count > 10);
	print_message("# registry: %zu writes, %u power cuts, %u different hives\n", m.writes, cuts,
		s.count);
	memdisk_free(&m);
	buf_clear(&base);

	if (access(TOOLS "/regfreplay.py", R_OK) != 0) {
		print_message("# the independent judge is in ../shared, which is absent here\n");
		skip();
	}
	assert_int_equal(
		sh("/usr/bin/python3 tests/tools/crash_judge.py " TOOLS " %s %u", work, s.count),
		0);
}

/* --- unattend.xml
 * --------------------------------------------------------------------------------- */

struct answer {
	struct buf whole;
	unsigned absent, complete;
};

static void look_unattend(struct memdisk *now, unsigned cut, void *ctx)
{
	struct answer *a = ctx;
	const struct volume_source src = {.kind = VOLUME_NTFS, .layer = layer, .layer_ctx = now};
	struct volume *v = mount(&src);
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int ret = volume_read(v, ANSWER, FILE_MAX, &b, &e);
	if (ret == -ERR_NOTFOUND)
		a->absent++;
	else if (ret == 0 && b.len == a->whole.len && memcmp(b.p, a->whole.p, b.len) == 0)
		a->complete++;
	else
		fail_msg("cut %u: the answer file is neither absent nor whole", cut);
	buf_clear(&b);
	e = (struct err)ERR_INIT;
	assert_done(volume_close(v, &e), e);
	run_again(now, cut);
}

static void unattend_cut_anywhere(void **state)
{
	(void)state;
	struct buf base = read_disk("win11-generalized");
	struct memdisk m = memdisk_copy(base.p, base.len);
	struct answer a = {.whole = BUF_INIT};
	record(&m, PLAN_UNATTEND, &a.whole);
	unsigned cuts = memdisk_cuts(base.p, &m, look_unattend, &a);
	assert_true(cuts > m.writes);
	assert_true(a.absent > 0 && a.complete > 0);
	print_message("# unattend: %zu writes, %u power cuts: %u absent, %u whole\n", m.writes,
		cuts, a.absent, a.complete);
	memdisk_free(&m);
	buf_clear(&a.whole);
	buf_clear(&base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry_cut_anywhere),
		cmocka_unit_test(unattend_cut_anywhere),
	};
	return cmocka_run_group_tests_name("apply_crash", tests, make_ground, drop_ground);
}
