/*
 * Whole jobs for crash tests: a lab's bundle and stick, a PC's disk per setup
 * phase, `apply` and `undo` from opening the stick to closing it, and a judge
 * of what they leave. Everything lies in a folder of its own, where tape.h
 * records it.
 */
#ifndef TESTS_UNIT_WHOLEJOB_H
#define TESTS_UNIT_WHOLEJOB_H

#include <libgen.h>

#include "base/secret.h"
#include "bundle/bundle.h"
#include "hive/hive.h"
#include "job/job.h"
#include "journal/verify.h"
#include "tape.h"
#include "volume/volume.h"

#define PC "ALM-FIL-001"
#define PC_ENTRY 0
#define DISK_MB 40
#define FILE_MAX (8U << 20)
#define SYSTEM_HIVE "Windows/System32/config/SYSTEM"
#define SEEN_MAX 128 /* files and folders of the PC */

/* libntfs-3g keeps some inodes when a read fails under it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libntfs-3g\n";
}

static char work[PATH_MAX / 4], root[PATH_MAX / 2];
static struct lab_pub lab;

__attribute__((format(printf, 1, 2))) static int sh(const char *fmt, ...)
{
	char cmd[PATH_MAX * 4];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	return system(cmd);
}

/* --- the ground ------------------------------------------------------------------------------ */

static const char ground_script[] =
	"cd %s && R=$OLDPWD && B=%s && O=$B/../../host/odjstick && mkdir root && echo engineer "
	">pass && "
	"echo lab >lab.pass && $O lab keygen -o LAB --passphrase-file lab.pass >/dev/null && "
	"$O bundle create $R/tests/vectors/batch/corp.csv -o b --lab LAB.key --kdf-memory 8 "
	"--passphrase-file pass --lab-passphrase-file lab.pass >/dev/null 2>&1 && "
	"$O stick init stick --bundle b --lab LAB.key --passphrase-file lab.pass >/dev/null && "
	"for w in win11 win11-generalized; do mkdir -p $w/Windows/System32/config "
	"$w/Windows/Panther && "
	"for h in SYSTEM SOFTWARE; do C=$w/Windows/System32/config/$h && "
	"$B/../tools/mkhive $R/tests/vectors/hives/$w-$h.hive-text $C && : >$C.LOG1 && : >$C.LOG2 "
	"|| "
	"exit 1; done; $B/../tools/ntfstree $w.img %d $w || exit 1; done && "
	"rm win11/Windows/System32/config/*.LOG? && $B/../tools/ntfstree win11-nologs.img %d win11";

static int make_ground(void **state)
{
	(void)state;
	char exe[PATH_MAX], path[PATH_MAX];
	struct err e = ERR_INIT;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	assert_true(n > 0);
	exe[n] = '\0';
	assert_done(secret_setup(&e), e);
	snprintf(work, sizeof work, "%.200s/apply_crash.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(work));
	snprintf(root, sizeof root, "%s/root", work);
	assert_int_equal(sh(ground_script, work, dirname(exe), DISK_MB, DISK_MB), 0);
	snprintf(path, sizeof path, "%s/LAB.pub", work);
	assert_done(lab_pub_read(path, &lab, &e), e);
	return 0;
}

static int drop_ground(void **state)
{
	(void)state;
	tape_forget();
	return sh("rm -rf %s", work);
}

/* A fresh stick and the PC's disk are the start of the tape. */
static void fresh(const char *windows)
{
	tape.root[0] = '\0';
	assert_int_equal(sh("cd %s && rm -rf root && mkdir root && cp -r stick root/stick && "
			    "cp --sparse=always %s.img root/disk.img",
				 work, windows),
		0);
	tape_load(root);
	tape_names_from(tape_base, tape_base_nodes);
}

/* --- the jobs, as the command line does them ---------------------------------------------------
 */

static int prepare_apply(struct job *j, const char *disk, struct err *e, enum plan_method method)
{
	int ret = job_select(j, JOB_BY_NAME, PC, e);
	if (ret == 0)
		ret = job_find(j, disk, e);
	if (ret == 0)
		ret = job_choose_only(j, e);
	if (ret == 0) {
		job_set_method(j, method);
		ret = job_preflight(j, e);
	}
	if (ret == 0)
		ret = job_accept(j, "test", e);
	return ret < 0 ? ret : job_plan(j, e);
}

static int prepare_undo(struct job *j, const char *disk, struct err *e, enum plan_method method)
{
	(void)method;
	int ret = job_undo_select(j, JOB_BY_NAME, PC, e);
	if (ret == 0)
		ret = job_find(j, disk, e);
	if (ret == 0)
		ret = job_choose_only(j, e);
	return ret < 0 ? ret : job_undo_prepare(j, e);
}

static int run_job(struct stick *s, bool undo, enum plan_method method, struct err *e)
{
	char disk[PATH_MAX];
	struct secret pass = SECRET_INIT;
	struct job *j = NULL;
	snprintf(disk, sizeof disk, "%s/disk.img", root);
	int ret = secret_copy(&pass, "engineer", 8, e);
	if (ret == 0)
		ret = stick_unlock(s, &pass, NULL, e);
	secret_clear(&pass);
	if (ret == 0)
		ret = job_open(&j, s, e);
	if (ret == 0)
		ret = undo ? prepare_undo(j, disk, e, method) : prepare_apply(j, disk, e, method);
	if (ret == 0)
		ret = undo ? job_undo(j, e) : job_apply(j, NULL, NULL, e);
	job_close(j);
	return ret;
}

static int whole(bool undo, enum plan_method method, struct err *e)
{
	char dir[PATH_MAX];
	struct stick *s = NULL;
	snprintf(dir, sizeof dir, "%s/stick", root);
	int ret = stick_open(&s, dir, e);
	if (ret < 0)
		return ret;
	ret = run_job(s, undo, method, e);
	int closed = stick_close(s, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* --- what a PC's disk holds ------------------------------------------------------------------ */

struct seen {
	struct {
		char path[160];
		uint8_t hash[32];
	} item[SEEN_MAX];
	size_t count;
};

static void hash_value(crypto_generichash_state *st, const struct hive *h, hive_key key, uint32_t i)
{
	struct hive_value v;
	struct err e = ERR_INIT;
	assert_done(hive_value_at(h, key, i, &v, &e), e);
	uint8_t *p = malloc(v.size + 1);
	assert_done(hive_read_value(h, &v, p, &e), e);
	crypto_generichash_update(st, v.name.p, v.name.bytes);
	crypto_generichash_update(st, (const uint8_t *)&v.type, sizeof v.type);
	crypto_generichash_update(st, p, v.size);
	free(p);
}

/* Names, values, security; no times. A value that was deleted and set again is at another place in
 * its list, so the list's order does not count. */
static void hash_key(const struct hive *h, hive_key key, uint8_t sum[32])
{
	struct hive_key_info info;
	struct err e = ERR_INIT;
	assert_done(hive_key_info(h, key, &info, &e), e);
	crypto_generichash_state st;
	crypto_generichash_init(&st, NULL, 0, 32);
	crypto_generichash_update(&st, info.name.p, info.name.bytes);
	crypto_generichash_update(&st, info.sd.p, info.sd.len);
	crypto_generichash_update(&st, info.class_name.p, info.class_name.len);
	uint8_t values[32] = {0}, one[32];
	for (uint32_t i = 0; i < info.values; i++) {
		crypto_generichash_state v;
		crypto_generichash_init(&v, NULL, 0, 32);
		hash_value(&v, h, key, i);
		crypto_generichash_final(&v, one, 32);
		for (size_t k = 0; k < 32; k++)
			values[k] ^= one[k];
	}
	crypto_generichash_update(&st, values, 32);
	for (uint32_t i = 0; i < info.subkeys; i++) {
		hive_key sub;
		assert_done(hive_subkey_at(h, key, i, &sub, &e), e);
		hash_key(h, sub, one);
		crypto_generichash_update(&st, one, 32);
	}
	crypto_generichash_final(&st, sum, 32);
}

static struct bytedev *open_part(struct volume *v, const char *path, const char *suffix)
{
	char name[200];
	struct bytedev *d = NULL;
	snprintf(name, sizeof name, "%s%s", path, suffix);
	return volume_open_file(v, name, false, &d, NULL) < 0 ? NULL : d;
}

/* As Windows would find it: recovered from its logs. */
static void hash_hive(struct volume *v, const char *path, uint8_t sum[32])
{
	struct hive *h = NULL;
	struct err e = ERR_INIT;
	struct bytedev *d = open_part(v, path, ""), *log1 = open_part(v, path, ".LOG1"),
		       *log2 = open_part(v, path, ".LOG2");
	assert_non_null(d);
	assert_done(hive_open(&h, d, log1, log2, 0, &e), e);
	hash_key(h, hive_root(h), sum);
	hive_close(h);
	bytedev_close(log2);
	bytedev_close(log1);
	bytedev_close(d);
}

static void hash_file(struct volume *v, const char *path, uint8_t sum[32])
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	assert_done(volume_read(v, path, FILE_MAX, &b, &e), e);
	crypto_generichash(sum, 32, b.p, b.len, NULL, 0);
	buf_clear(&b);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && strcmp(s + n - m, end) == 0;
}

static void see_folder(struct volume *v, const char *dir, struct seen *s)
{
	struct volume_list l;
	struct err e = ERR_INIT;
	assert_done(volume_list(v, dir, &l, &e), e);
	for (size_t i = 0; i < l.count; i++) {
		assert_true(s->count < SEEN_MAX);
		size_t at = s->count++;
		char *path = s->item[at].path;
		snprintf(path, sizeof s->item[at].path, "%.80s%s%.70s", dir, *dir ? "/" : "",
			l.names[i].name);
		memset(s->item[at].hash, 0, 32);
		if (ends_with(path, ".odjstick-new"))
			continue; /* after a cut its name may lead nowhere: volume_tidy() knows */
		if (l.names[i].is_dir)
			see_folder(v, path, s);
		else if (ends_with(path, "config/SYSTEM") || ends_with(path, "config/SOFTWARE"))
			hash_hive(v, path, s->item[at].hash);
		else if (!ends_with(path, ".LOG1") && !ends_with(path, ".LOG2"))
			hash_file(v, path, s->item[at].hash);
	}
	volume_list_clear(&l);
}

static struct volume *mount_disk(void)
{
	char disk[PATH_MAX];
	struct volume *v;
	struct err e = ERR_INIT;
	snprintf(disk, sizeof disk, "%s/disk.img", root);
	const struct volume_source src = {.kind = VOLUME_NTFS, .path = disk};
	assert_done(volume_open(&v, &src, false, &e), e);
	return v;
}

static void see(struct seen *s)
{
	struct err e = ERR_INIT;
	s->count = 0;
	struct volume *v = mount_disk();
	see_folder(v, "", s);
	assert_done(volume_close(v, &e), e);
}

static const uint8_t *seen_find(const struct seen *s, const char *path)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->item[i].path, path) == 0)
			return s->item[i].hash;
	return NULL;
}

static bool seen_same(const struct seen *a, const struct seen *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const uint8_t *other = seen_find(b, a->item[i].path);
		if (!other || memcmp(other, a->item[i].hash, 32) != 0)
			return false;
	}
	return true;
}

/* Each file is the one of a or the one of b, whole; none that both have is missing. A temporary
 * file is nobody's. Returns the first path that is neither, or NULL. */
static inline const char *seen_between(
	const struct seen *now, const struct seen *a, const struct seen *b)
{
	for (size_t i = 0; i < now->count; i++) {
		const char *path = now->item[i].path;
		const uint8_t *in_a = seen_find(a, path), *in_b = seen_find(b, path);
		if (strstr(path, ".odjstick-new"))
			continue;
		if (!(in_a && memcmp(in_a, now->item[i].hash, 32) == 0) &&
			!(in_b && memcmp(in_b, now->item[i].hash, 32) == 0))
			return path;
	}
	for (size_t i = 0; i < a->count; i++)
		if (seen_find(b, a->item[i].path) && !seen_find(now, a->item[i].path))
			return a->item[i].path;
	return NULL;
}

/* --- what a stick says ----------------------------------------------------------------------- */

struct stick_state {
	enum journal_verdict verdict;
	uint64_t pending;
	enum bundle_state entry;
	bool keeps_undo;
};

static inline struct stick_state ask_stick(void)
{
	char path[PATH_MAX];
	struct journal_report r;
	struct bundle *b;
	struct err e = ERR_INIT;
	struct stick_state s;
	snprintf(path, sizeof path, "%s/stick", root);
	assert_done(journal_verify(path, lab.pk, NULL, &r, &e), e);
	if (r.verdict == JOURNAL_INVALID)
		print_message("# journal: %s\n", r.why);
	snprintf(path, sizeof path, "%s/stick/bundle.odjb", root);
	assert_done(bundle_open(&b, path, &lab, &e), e);
	assert_done(bundle_entry_state(b, PC_ENTRY, &s.entry, NULL, &e), e);
	bundle_close(b);
	snprintf(path, sizeof path, "%s/stick/state/undo-%d.sealed", root, PC_ENTRY);
	s.verdict = r.verdict;
	s.pending = r.pending;
	s.keeps_undo = access(path, F_OK) == 0;
	return s;
}

#endif
