/*
 * The power goes at every instant of a session.
 *
 * This program's own pwrite, write, fsync, ftruncate, rename and unlink stand before libc's and
 * count. At step N the session's process ends, in one of several states a stick may be left in: the
 * step not done, done by half, or everything since the last sync lost. Afterwards a new session
 * must start, the journal must verify, and every record that was reported written must be there.
 */
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "journal/verify.h"

enum cut {
	CUT_BEFORE,	 /* the step does not happen */
	CUT_FIRST_HALF,	 /* of a write */
	CUT_SECOND_HALF, /* of a write */
	CUT_LOST,	 /* the step happens, then all that was not synced is undone */
	CUT_KINDS,
};

#define LOST_MAX 64
#define FINISHED 7 /* exit status of a session that was not cut */
#define SKIPPED 8  /* the step has no halves */

static struct plan {
	bool armed;
	int at; /* the step that is cut; 0 counts only */
	int step;
	enum cut kind;
	int fail_with; /* errno for every write from step `at` on, instead of a cut */
} plan;

/* How to undo what was not synced. */
static struct lost {
	enum { LOST_NONE, LOST_BYTES, LOST_RENAME } what;
	int fd;
	off_t off, size;
	uint8_t *old;
	size_t n;
	char from[256], to[256];
	bool had_to;
} lost[LOST_MAX];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void forget(struct lost *l)
{
	if (l->what == LOST_BYTES)
		close(l->fd);
	free(l->old);
	*l = (struct lost){.what = LOST_NONE};
}

static void undo_bytes(const struct lost *l)
{
	if (l->n)
		REAL(pwrite)(l->fd, l->old, l->n, l->off);
	REAL(ftruncate)(l->fd, l->size);
}

static void undo_rename(const struct lost *l)
{
	REAL(rename)(l->to, l->from);
	if (!l->had_to)
		return;
	int fd = open(l->to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	REAL(write)(fd, l->old, l->n);
	close(fd);
}

static void lose(void)
{
	for (int i = LOST_MAX - 1; i >= 0; i--) {
		if (lost[i].what == LOST_BYTES)
			undo_bytes(&lost[i]);
		if (lost[i].what == LOST_RENAME)
			undo_rename(&lost[i]);
	}
	_exit(0);
}

static struct lost *remember(void)
{
	for (int i = 0; i < LOST_MAX; i++)
		if (lost[i].what == LOST_NONE && (i == LOST_MAX - 1 || !lost[i + 1].what))
			return &lost[i];
	abort();
}

static void remember_bytes(int fd, off_t off, size_t n)
{
	struct lost *l = remember();
	struct stat st;
	fstat(fd, &st);
	*l = (struct lost){.what = LOST_BYTES, .fd = dup(fd), .off = off, .size = st.st_size};
	l->old = malloc(n + 1);
	ssize_t got = pread(fd, l->old, n, off);
	l->n = got > 0 ? (size_t)got : 0;
}

static void remember_rename(const char *from, const char *to)
{
	struct lost *l = remember();
	struct buf old = BUF_INIT;
	*l = (struct lost){.what = LOST_RENAME, .had_to = file_exists(to)};
	snprintf(l->from, sizeof l->from, "%s", from);
	snprintf(l->to, sizeof l->to, "%s", to);
	if (l->had_to && file_read(to, 1 << 20, &old, NULL) == 0) {
		l->old = old.p;
		l->n = old.len;
	}
}

static bool same_file(int a, int b)
{
	struct stat sa, sb;
	fstat(a, &sa);
	fstat(b, &sb);
	return sa.st_ino == sb.st_ino;
}

static void synced(int fd)
{
	struct stat st;
	fstat(fd, &st);
	for (int i = 0; i < LOST_MAX; i++)
		if ((lost[i].what == LOST_BYTES && same_file(fd, lost[i].fd)) ||
			(lost[i].what == LOST_RENAME && S_ISDIR(st.st_mode)))
			forget(&lost[i]);
}

/* One more step; true when this is the one. */
static bool now(void)
{
	return plan.armed && ++plan.step == plan.at && !plan.fail_with;
}

static bool refuse(void)
{
	if (!plan.armed || !plan.fail_with || plan.step < plan.at)
		return false;
	errno = plan.fail_with;
	return true;
}

/* A step that happens or does not; half of it is no case of its own. */
static void whole(bool cut)
{
	if (cut && (plan.kind == CUT_FIRST_HALF || plan.kind == CUT_SECOND_HALF))
		_exit(SKIPPED);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t off)
{
	bool cut = now();
	if (refuse())
		return -1;
	if (cut && plan.kind == CUT_BEFORE)
		_exit(0);
	if (cut && plan.kind == CUT_FIRST_HALF) {
		REAL(pwrite)(fd, p, n / 2, off);
		_exit(0);
	}
	if (cut && plan.kind == CUT_SECOND_HALF) {
		REAL(pwrite)(fd, (const char *)p + n / 2, n - n / 2, off + (off_t)(n / 2));
		_exit(0);
	}
	if (plan.armed)
		remember_bytes(fd, off, n);
	ssize_t put = REAL(pwrite)(fd, p, n, off);
	if (cut)
		lose();
	return put;
}

ssize_t write(int fd, const void *p, size_t n)
{
	struct stat st;
	if (!plan.armed || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return REAL(write)(fd, p, n);
	off_t off = lseek(fd, 0, SEEK_CUR);
	ssize_t put = pwrite(fd, p, n, off);
	if (put > 0)
		lseek(fd, put, SEEK_CUR);
	return put;
}

int fsync(int fd)
{
	bool cut = now();
	whole(cut);
	if (cut && plan.kind == CUT_LOST)
		lose();
	if (cut)
		_exit(0);
	if (plan.armed)
		synced(fd);
	return 0; /* this disk's own speed is not what is tested */
}

int ftruncate(int fd, off_t size)
{
	bool cut = now();
	whole(cut);
	if (refuse())
		return -1;
	if (cut && plan.kind != CUT_LOST)
		_exit(0);
	if (plan.armed) {
		struct stat st;
		fstat(fd, &st);
		remember_bytes(fd, size, st.st_size > size ? (size_t)(st.st_size - size) : 0);
	}
	int ret = REAL(ftruncate)(fd, size);
	if (cut)
		lose();
	return ret;
}

int rename(const char *from, const char *to)
{
	bool cut = now();
	whole(cut);
	if (refuse())
		return -1;
	if (cut && plan.kind != CUT_LOST)
		_exit(0);
	if (plan.armed)
		remember_rename(from, to);
	int ret = REAL(rename)(from, to);
	if (cut)
		lose();
	return ret;
}

int unlink(const char *path)
{
	bool cut = now();
	whole(cut);
	if (cut)
		_exit(0);
	return REAL(unlink)(path);
}

/* --- the sessions ---------------------------------------------------------------------------- */

static uint8_t lab_pub[32], lab_secret[64];

static int sign_as_lab(void *ctx, const uint8_t *p, size_t n, uint8_t sig[64], struct err *e)
{
	(void)ctx;
	(void)e;
	return crypto_sign_detached(sig, NULL, p, n, lab_secret);
}

static void shell(const char *command, const char *a, const char *b)
{
	setenv("A", a, 1);
	setenv("B", b, 1);
	assert_int_equal(system(command), 0);
}

static int init_stick(const char *dir, struct err *e)
{
	static const uint8_t hash[32] = {1};
	struct journal_origin origin;
	const struct journal_init p = {.program = "odjstick test",
		.bundle = "0123",
		.bundle_hash = hash,
		.lab_pub = lab_pub,
		.lab_fingerprint = "AAAA",
		.sign = sign_as_lab};
	return journal_init(dir, &p, &origin, e);
}

/* One PC, start to end. Each number that was reported written goes to `out`. */
static int one_session(const char *dir, int out, bool finish, struct err *e)
{
	static const uint8_t plan_hash[32] = {2};
	struct journal *j = NULL;
	int ret = journal_open(&j, dir, NULL, e);
	uint64_t seq = 0;
	for (int i = 0; ret == 0 && i < 3; i++) {
		if (i == 1)
			ret = JOURNAL_ADD(j, e, JE_INTENT, JV_TEXT(JF_COMPUTER_NAME, "ALM-FIL-001"),
				JV_HASH(JF_PLAN, plan_hash));
		if (i == 2)
			ret = JOURNAL_ADD(
				j, e, JE_RESULT, JV_NUM(JF_INTENT, seq), JV_TEXT(JF_RESULT, "ok"));
		if (ret < 0)
			break;
		seq = journal_seq(j);
		REAL(write)(out, &seq, sizeof seq);
	}
	if (ret < 0 || !finish) {
		journal_abandon(j);
		return ret;
	}
	return journal_close(j, e);
}

/* A session in its own process, cut at a step: 0, FINISHED when it came to its end before, or
 * SKIPPED. *last is the highest record it was told is durable. */
static int run_cut(const char *dir, int at, enum cut kind, uint64_t *last)
{
	int pipefd[2], status;
	assert_int_equal(pipe(pipefd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		plan.at = at;
		plan.kind = kind;
		plan.armed = true;
		int ret = one_session(dir, pipefd[1], true, NULL);
		plan.armed = false;
		_exit(ret < 0 ? 1 : FINISHED);
	}
	close(pipefd[1]);
	for (uint64_t seq; read(pipefd[0], &seq, sizeof seq) == sizeof seq;)
		*last = seq;
	close(pipefd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 1)
		fail_msg("step %d, cut %d: the session failed before the cut", at, (int)kind);
	return WEXITSTATUS(status);
}

static void must_go_on(const char *dir, int at, enum cut kind, uint64_t last)
{
	struct err e = ERR_INIT;
	struct journal_report r;
	int null = open("/dev/null", O_WRONLY);
	assert_done(journal_verify(dir, lab_pub, NULL, &r, &e), e);
	if (r.verdict == JOURNAL_INVALID)
		fail_msg("step %d, cut %d: invalid: %s", at, (int)kind, r.why);
	if (r.records <= last)
		fail_msg("step %d, cut %d: record %d is gone", at, (int)kind, (int)last);
	if (one_session(dir, null, true, &e) < 0)
		fail_msg("step %d, cut %d: %s", at, (int)kind, e.what);
	assert_done(journal_verify(dir, lab_pub, NULL, &r, &e), e);
	if (r.verdict != JOURNAL_VALID || !r.state_seen)
		fail_msg("step %d, cut %d: %s", at, (int)kind, r.why);
	close(null);
}

/* The stored secret of the closed session is overwritten: one slot in use, the other all zero. */
static void one_key_only(const char *dir)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char *path = path_join(dir, "state/journal.key");
	assert_done(file_read(path, 8192, &b, &e), e);
	assert_int_equal(b.len, 8192);
	assert_true(sodium_is_zero(b.p, 4096) != sodium_is_zero(b.p + 4096, 4096));
	buf_clear(&b);
	free(path);
}

/* What a stick holds: a few session files, the key. Whatever else is in `to` goes. */
static void copy_stick(const char *base, const char *to)
{
	static const char *const names[] = {"journal/000000.jsonl", "journal/000001.jsonl",
		"journal/000002.jsonl", "journal/000003.jsonl", "state/journal.key"};
	struct err e = ERR_INIT;
	char path[256];
	for (int i = 1; i < 8; i++) {
		snprintf(path, sizeof path, "%s/journal/%06d.jsonl", to, i);
		REAL(unlink)(path);
	}
	snprintf(path, sizeof path, "%s/journal", to);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/state", to);
	mkdir(path, 0700);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct buf b = BUF_INIT;
		snprintf(path, sizeof path, "%s/%s", base, names[i]);
		if (!file_exists(path))
			continue;
		assert_done(file_read(path, 1 << 20, &b, &e), e);
		snprintf(path, sizeof path, "%s/%s", to, names[i]);
		assert_done(file_put(path, b.p, b.len, 0600, &e), e);
		buf_clear(&b);
	}
}

static void cut_everywhere(const char *base, bool twice)
{
	char dir[] = "/tmp/odjstick-cut-XXXXXX";
	assert_non_null(mkdtemp(dir));
	int steps = 0;
	for (int kind = 0; kind < CUT_KINDS; kind++) {
		int how = 0;
		for (int at = 1; how != FINISHED; at += twice ? 3 : 1) {
			uint64_t last = 0;
			copy_stick(base, dir);
			how = run_cut(dir, at, (enum cut)kind, &last);
			if (how == SKIPPED)
				continue;
			if (twice) /* and again while the next session repairs */
				run_cut(dir, 1 + at * 7 % 23, (enum cut)(at % CUT_KINDS), &last);
			must_go_on(dir, at, (enum cut)kind, last);
			one_key_only(dir);
			steps += how == 0;
		}
	}
	assert_true(steps > (twice ? 15 : 50)); /* it did count, not end at once */
	shell("rm -rf \"$A\"", dir, "");
}

static char *base_stick(int sessions, bool last_pulled)
{
	struct err e = ERR_INIT;
	int null = open("/dev/null", O_WRONLY);
	char *dir = strdup("/tmp/odjstick-base-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_done(init_stick(dir, &e), e);
	for (int i = 0; i < sessions; i++)
		assert_done(one_session(dir, null, !(last_pulled && i == sessions - 1), &e), e);
	close(null);
	return dir;
}

static void drop(char *dir)
{
	shell("rm -rf \"$A\"", dir, "");
	free(dir);
}

static void cut_in_the_first_session(void **state)
{
	(void)state;
	char *base = base_stick(0, false);
	cut_everywhere(base, false);
	drop(base);
}

static void cut_while_recovering(void **state)
{
	(void)state;
	char *base = base_stick(2, true);
	cut_everywhere(base, false);
	drop(base);
}

static void cut_twice(void **state)
{
	(void)state;
	char *base = base_stick(1, false);
	cut_everywhere(base, true);
	drop(base);
}

static void cut_while_made(void **state)
{
	(void)state;
	char dir[] = "/tmp/odjstick-cut-XXXXXX";
	assert_non_null(mkdtemp(dir));
	bool finished = false;
	for (int at = 1; !finished; at++) {
		int status;
		shell("rm -rf \"$A\" && mkdir \"$A\"", dir, "");
		pid_t pid = fork();
		if (pid == 0) {
			plan.at = at;
			plan.kind = (enum cut)(at % CUT_KINDS);
			plan.armed = true;
			_exit(init_stick(dir, NULL) < 0 ? 1 : FINISHED);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		finished = WEXITSTATUS(status) == FINISHED;
		struct err e = ERR_INIT;
		int ret = init_stick(dir, &e);
		assert_true(ret == 0 || ret == -ERR_EXISTS);
		must_go_on(dir, at, (enum cut)(at % CUT_KINDS), 0);
	}
	shell("rm -rf \"$A\"", dir, "");
}

/* From every step on, writes fail: nothing may be reported written that is not, the code says why,
 * and the stick works again afterwards. */
static void refusing_stick(int sys, int want)
{
	char *base = base_stick(1, false);
	char dir[] = "/tmp/odjstick-full-XXXXXX";
	assert_non_null(mkdtemp(dir));
	int ret = -1;
	for (int at = 1; ret < 0; at++) {
		struct err e = ERR_INIT;
		int pipefd[2];
		uint64_t last = 0;
		copy_stick(base, dir);
		assert_int_equal(pipe(pipefd), 0);
		plan = (struct plan){.armed = true, .at = at, .fail_with = sys};
		ret = one_session(dir, pipefd[1], true, &e);
		plan.armed = false;
		close(pipefd[1]);
		for (uint64_t seq; read(pipefd[0], &seq, sizeof seq) == sizeof seq;)
			last = seq;
		close(pipefd[0]);
		for (int i = 0; i < LOST_MAX; i++)
			forget(&lost[i]);
		if (ret < 0) {
			assert_int_equal(ret, -want);
			assert_true(e.next[0] != '\0');
		}
		must_go_on(dir, at, CUT_BEFORE, last);
	}
	shell("rm -rf \"$A\"", dir, "");
	drop(base);
}

static void a_full_stick_is_told(void **state)
{
	(void)state;
	refusing_stick(ENOSPC, ERR_NOSPACE);
}

static void a_read_only_stick_is_told(void **state)
{
	(void)state;
	refusing_stick(EROFS, ERR_READONLY);
}

int main(void)
{
	struct err e = ERR_INIT;
	if (secret_setup(&e) < 0)
		return 1;
	crypto_sign_keypair(lab_pub, lab_secret);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_in_the_first_session),
		cmocka_unit_test(cut_while_recovering),
		cmocka_unit_test(cut_twice),
		cmocka_unit_test(cut_while_made),
		cmocka_unit_test(a_full_stick_is_told),
		cmocka_unit_test(a_read_only_stick_is_told),
	};
	return cmocka_run_group_tests_name("journal, power cuts", tests, NULL, NULL);
}
