/* volume/ when the power goes or the disk fails at any write: a path that is replaced holds the old
 * or the new content, nothing else in the tree changes, and a failed write is never reported as
 * done. */
#include "test.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memdisk.h"
#include "volume/volume.h"

#define ANSWER "Windows/Panther/unattend.xml"
#define HIVE "Windows/System32/config/SYSTEM"
#define MANY 60 /* names in one folder: enough for an index of more than one block */

/* libntfs-3g keeps some inodes when a read fails under it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libntfs-3g\n";
}

static char work[PATH_MAX];
static struct buf image;
static char old_text[40000], new_text[30000];

__attribute__((format(printf, 1, 2))) static void sh(const char *fmt, ...)
{
	char cmd[PATH_MAX * 3];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	if (system(cmd) != 0)
		fail_msg("failed: %s", cmd);
}

static void read_image(const char *path)
{
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	static char block[1 << 16];
	for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;)
		assert_int_equal(buf_add(&image, block, n, NULL), 0);
	fclose(f);
}

static int make_ground(void **state)
{
	(void)state;
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	assert_true(n > 0);
	exe[n] = '\0';
	memset(old_text, 'o', sizeof old_text);
	memset(new_text, 'n', sizeof new_text);
	snprintf(work, sizeof work, "%s/volume_crash_test.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(work));
	sh("cd %s && mkdir -p src/Windows/Panther src/Windows/System32/config && "
	   "head -c 40000 /dev/zero | tr '\\0' o > src/" ANSWER " && "
	   "head -c 200000 /dev/zero | tr '\\0' h > src/" HIVE " && "
	   "for i in $(seq 10 69); do echo $i > src/Windows/Panther/a-rather-long-name-$i.log; "
	   "done; for n in 3 4 5 28 29; do mkdir src/Windows/Few-$n; "
	   "for i in $(seq $n); do echo $i > src/Windows/Few-$n/a-rather-long-name-$i.log; "
	   "done; done",
		work);
	sh("cd %s && %s/../tools/ntfstree tree.img 6 src --shortname "
	   "'Windows/Panther/a-rather-long-name-33.log=ARATHE~1.LOG'",
		work, dirname(exe));
	char path[PATH_MAX * 2];
	snprintf(path, sizeof path, "%s/tree.img", work);
	read_image(path);
	return 0;
}

static int drop_ground(void **state)
{
	(void)state;
	buf_clear(&image);
	sh("rm -rf %s", work);
	return 0;
}

static struct volume *open_mem(struct memdisk *m, bool writable)
{
	struct volume *v;
	struct err e = ERR_INIT;
	assert_done(volume_open_on(&v, memdisk_dev(m, writable), writable, &e), e);
	return v;
}

/* 'o', 'n', or '-' when the path is absent; anything else fails. */
static char what_is(struct volume *v, const char *path)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int ret = volume_read(v, path, 1 << 20, &b, &e);
	char found = '-';
	if (ret != -ERR_NOTFOUND) {
		assert_done(ret, e);
		assert_true(b.len == sizeof old_text || b.len == sizeof new_text);
		found = b.len == sizeof old_text ? 'o' : 'n';
		assert_memory_equal(b.p, found == 'o' ? old_text : new_text, b.len);
	}
	buf_clear(&b);
	return found;
}

struct seen {
	const char *path;
	const char *allowed;
	char folder[32]; /* of the path, and the logs that were in it before */
	unsigned logs;
	unsigned count[256];
};

static void look(struct memdisk *now, unsigned cut, void *ctx)
{
	struct seen *s = ctx;
	struct volume_list l;
	struct err e = ERR_INIT;
	struct volume *v = open_mem(now, false);
	char found = what_is(v, s->path);
	if (!strchr(s->allowed, found))
		fail_msg("cut %u leaves '%c'", cut, found);
	s->count[(unsigned char)found]++;
	int ret = volume_list(v, s->folder, &l, &e);
	if (ret < 0)
		fail_msg("cut %u: %s", cut, e.what);
	unsigned logs = 0;
	for (size_t i = 0; i < l.count; i++)
		logs += strstr(l.names[i].name, ".log") && !strstr(l.names[i].name, "odjstick");
	if (logs != s->logs)
		fail_msg("cut %u: %u names instead of %u", cut, logs, s->logs);
	volume_list_clear(&l);
	assert_done(volume_close(v, &e), e);
}

/* What an interrupted run left must not stop the next one. */
static void run_again(struct memdisk *now, unsigned cut, void *ctx)
{
	struct seen *s = ctx;
	struct err e = ERR_INIT;
	struct memdisk copy = memdisk_copy(now->p, now->size);
	struct volume *v = open_mem(&copy, true);
	int ret = volume_replace(v, s->path, new_text, sizeof new_text, &e);
	if (ret < 0)
		fail_msg("cut %u: %s", cut, e.what);
	assert_int_equal(what_is(v, s->path), 'n');
	assert_done(volume_close(v, &e), e);
	memdisk_free(&copy);
}

/* Nothing but the file itself stays when the run is not repeated. */
static void tidied(struct memdisk *now, unsigned cut, void *ctx)
{
	struct seen *s = ctx;
	struct err e = ERR_INIT;
	struct volume_list l;
	struct memdisk copy = memdisk_copy(now->p, now->size);
	struct volume *v = open_mem(&copy, true);
	char before = what_is(v, s->path);
	int ret = volume_tidy(v, s->path, &e);
	if (ret < 0)
		fail_msg("cut %u: %s", cut, e.what);
	assert_int_equal(what_is(v, s->path), before);
	assert_done(volume_list(v, s->folder, &l, &e), e);
	for (size_t i = 0; i < l.count; i++)
		assert_null(strstr(l.names[i].name, "odjstick"));
	volume_list_clear(&l);
	size_t writes = copy.count;
	assert_done(volume_tidy(v, s->path, &e), e);
	assert_int_equal(copy.count, writes); /* nothing left to do */
	assert_done(volume_tidy(v, "no/such/place", &e), e);
	assert_done(volume_close(v, &e), e);
	memdisk_free(&copy);
}

static void replace_cut_anywhere(const char *path, const char *allowed, unsigned logs)
{
	struct memdisk m = memdisk_copy(image.p, image.len);
	struct seen s = {.path = path, .allowed = allowed, .logs = logs};
	struct err e = ERR_INIT;
	struct volume *v = open_mem(&m, true);
	size_t before = m.count;
	snprintf(s.folder, sizeof s.folder, "%.*s", (int)(strrchr(path, '/') - path), path);
	assert_int_equal(before, 0); /* opening for writing writes nothing */
	assert_done(volume_replace(v, path, new_text, sizeof new_text, &e), e);
	size_t replaced = m.count;
	assert_done(volume_close(v, &e), e);
	for (size_t i = replaced; i < m.count; i++)
		assert_int_equal(m.log[i].n, 0); /* closing has nothing left to write */

	unsigned cuts = memdisk_cuts(image.p, &m, look, &s);
	for (const char *a = allowed; *a; a++)
		assert_true(s.count[(unsigned char)*a] > 0);
	assert_true(cuts > 20);
	memdisk_cuts(image.p, &m, run_again, &s);
	memdisk_cuts(image.p, &m, tidied, &s);
	print_message("%s: %zu writes and syncs, %u power cuts\n", path, m.count, cuts);
	memdisk_free(&m);
}

static void replace_old_or_new(void **state)
{
	(void)state;
	replace_cut_anywhere(ANSWER, "on", MANY);
}

static void create_absent_or_new(void **state)
{
	(void)state;
	replace_cut_anywhere("Windows/Panther/first.cmd", "-n", MANY);
}

/* The index of a small folder moves out of its MFT record, for the temporary name or for the last.
 */
static void small_folder_can_be_listed(void **state)
{
	(void)state;
	replace_cut_anywhere("Windows/Few-3/first.cmd", "-n", 3);
	replace_cut_anywhere("Windows/Few-4/first.cmd", "-n", 4);
	replace_cut_anywhere("Windows/Few-5/first.cmd", "-n", 5);
}

/* The first index block of a folder is full: half of its names move to a second one, and one name
 * divides the two. The new name comes last, first, and around the middle, so that it is the one
 * that divides too, under its temporary name or its own. */
static void full_index_block_loses_nothing(void **state)
{
	(void)state;
	static const char *const names[] = {"first.cmd", "0.cmd", "a-rather-long-name-21.cmd",
		"a-rather-long-name-22.cmd", "a-rather-long-name-23.cmd"};
	for (unsigned n = 28; n <= 29; n++) {
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			char path[80];
			snprintf(path, sizeof path, "Windows/Few-%u/%s", n, names[i]);
			replace_cut_anywhere(path, "-n", n);
		}
	}
}

/* A temporary name that an interrupted run left divides two blocks: taken away, it loses no other,
 * wherever that is cut in turn. */
static void leftover_that_divides_blocks(void **state)
{
	(void)state;
	struct seen s = {.path = "Windows/Few-28/a-rather-long-name-22.cmd",
		.allowed = "-n",
		.logs = 28,
		.folder = "Windows/Few-28"};
	unsigned cuts = 0;
	int ret = -1;
	for (size_t stop = 1; ret < 0; stop++) {
		struct memdisk m = memdisk_copy(image.p, image.len);
		struct err e = ERR_INIT;
		struct volume *v = open_mem(&m, true);
		m.fail_after = stop;
		ret = volume_replace(v, s.path, new_text, sizeof new_text, &e);
		volume_close(v, NULL);

		struct memdisk tidy = memdisk_copy(m.p, m.size);
		v = open_mem(&tidy, true);
		assert_done(volume_tidy(v, s.path, &e), e);
		assert_done(volume_close(v, &e), e);
		cuts += memdisk_cuts(m.p, &tidy, look, &s);
		memdisk_free(&tidy);
		memdisk_free(&m);
	}
	assert_true(cuts > 100);
}

/* The bytes of a file that exists are written where they are, and nowhere else. */
static void hive_is_written_in_place(void **state)
{
	(void)state;
	struct memdisk m = memdisk_copy(image.p, image.len);
	struct volume *v = open_mem(&m, true);
	struct bytedev *d;
	struct err e = ERR_INIT;
	char page[4096];
	memset(page, 'X', sizeof page);
	assert_done(volume_open_file(v, HIVE, true, &d, &e), e);
	assert_done(bytedev_write(d, 8192, page, sizeof page, &e), e);
	assert_int_equal(m.count, 1); /* the data, at once */
	assert_int_equal(m.log[0].n, sizeof page);
	assert_int_equal(image.p[m.log[0].off], 'h');
	assert_int_equal(image.p[m.log[0].off + 4095], 'h');
	assert_done(bytedev_sync(d, &e), e);
	assert_int_equal(m.log[m.count - 1].n, 0);
	bytedev_close(d);
	assert_done(volume_close(v, &e), e);
	memdisk_free(&m);
}

/* Every single write of the device may be the one that fails. */
static void failed_write_is_reported(void **state)
{
	(void)state;
	size_t total = 0;
	for (size_t fail = 1; fail == 1 || fail <= total; fail++) {
		struct memdisk m = memdisk_copy(image.p, image.len);
		struct err e = ERR_INIT, c = ERR_INIT;
		struct volume *v = open_mem(&m, true);
		if (total)
			m.fail_after = fail;
		int ret = volume_replace(v, ANSWER, new_text, sizeof new_text, &e);
		int closed = volume_close(v, &c);
		if (!total) { /* the first round counts */
			assert_done(ret, e);
			total = m.writes;
			fail = 0;
		} else if (fail < total) {
			assert_int_equal(ret, -ERR_IO);
			assert_int_equal(closed, -ERR_IO);
			assert_non_null(strstr(e.what, "on purpose"));
			v = open_mem(&m, false);
			assert_true(strchr("on", what_is(v, ANSWER)));
			volume_close(v, NULL);
		}
		memdisk_free(&m);
	}
	assert_true(total > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replace_old_or_new),
		cmocka_unit_test(create_absent_or_new),
		cmocka_unit_test(small_folder_can_be_listed),
		cmocka_unit_test(full_index_block_loses_nothing),
		cmocka_unit_test(leftover_that_divides_blocks),
		cmocka_unit_test(hive_is_written_in_place),
		cmocka_unit_test(failed_write_is_reported),
	};
	return cmocka_run_group_tests_name("volume_crash", tests, make_ground, drop_ground);
}
