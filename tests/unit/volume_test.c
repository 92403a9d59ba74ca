/* volume/: a folder and an NTFS image hold the same tree and must answer alike; what Windows left
 * on a volume must be seen before anything is written. Images are made by tests/tools/ntfstree. */
#include "test.h"

#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "volume/volume.h"

#define HIVE "Windows/System32/config/SYSTEM"
#define HIVE_SIZE 300000
#define ANSWER "Windows/Panther/unattend.xml"

static char work[PATH_MAX], tool[PATH_MAX], src[PATH_MAX];

/* --- ground --------------------------------------------------------------------------------- */

static const char *at(const char *name)
{
	static char path[4][PATH_MAX * 2];
	static unsigned turn;
	char *p = path[turn++ % 4];
	snprintf(p, sizeof path[0], "%s/%s", work, name);
	return p;
}

__attribute__((format(printf, 1, 2))) static void sh(const char *fmt, ...)
{
	char cmd[PATH_MAX * 4];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	if (system(cmd) != 0)
		fail_msg("failed: %s", cmd);
}

static void put(const char *path, const void *p, size_t n)
{
	struct err e = ERR_INIT;
	assert_done(file_put(path, p, n, 0644, &e), e);
}

static uint8_t hive_byte(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static int make_ground(void **state)
{
	(void)state;
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	assert_true(n > 0);
	exe[n] = '\0';
	snprintf(tool, sizeof tool, "%.4000s/../tools/ntfstree", dirname(exe));
	snprintf(work, sizeof work, "%s/volume_test.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(work));
	snprintf(src, sizeof src, "%.4000s/src", work);
	sh("mkdir -p %s/Windows/System32/config %s/Windows/Panther '%s/Program Files' "
	   "%s/Users/Jürgen %s/empty",
		src, src, src, src, src);
	uint8_t *hive = malloc(HIVE_SIZE);
	for (size_t i = 0; i < HIVE_SIZE; i++)
		hive[i] = hive_byte(i);
	put(at("src/" HIVE), hive, HIVE_SIZE);
	put(at("src/Windows/System32/config/SOFTWARE"), hive, 70000);
	free(hive);
	put(at("src/" ANSWER), "<unattend/>\r\n", 13);
	put(at("src/Users/Jürgen/Straße.txt"), "x", 1);
	put(at("src/nothing"), "", 0);
	sh("%s %s 64 %s", tool, at("tree.img"), src);
	return 0;
}

static int drop_ground(void **state)
{
	(void)state;
	sh("rm -rf %s", work);
	return 0;
}

/* A fresh copy, so that tests do not see each other's writes. */
static struct volume_source fresh(enum volume_kind kind, const char *name)
{
	const char *to = at(name);
	sh("rm -rf %s", to);
	if (kind == VOLUME_FOLDER)
		sh("cp -r %s %s", src, to);
	else
		sh("cp --sparse=always %s %s", at("tree.img"), to);
	return (struct volume_source){.kind = kind, .path = to};
}

static struct volume *must_open(const struct volume_source *s, bool writable)
{
	struct volume *v;
	struct err e = ERR_INIT;
	assert_done(volume_open(&v, s, writable, &e), e);
	return v;
}

static void must_close(struct volume *v)
{
	struct err e = ERR_INIT;
	assert_done(volume_close(v, &e), e);
}

static void must_hold(struct volume *v, const char *path, const void *p, size_t n)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	assert_done(volume_read(v, path, 1 << 24, &b, &e), e);
	assert_int_equal(b.len, n);
	if (n)
		assert_memory_equal(b.p, p, n);
	buf_clear(&b);
}

static char *sum(const char *path)
{
	char cmd[PATH_MAX + 32];
	char *out = calloc(1, 65);
	snprintf(cmd, sizeof cmd, "sha256sum %s", path);
	FILE *f = popen(cmd, "r");
	assert_int_equal(fread(out, 1, 64, f), 64);
	pclose(f);
	return out;
}

/* --- both kinds ----------------------------------------------------------------------------- */

static void reads_alike(struct volume *v)
{
	struct volume_stat st;
	struct volume_list l;
	struct err e = ERR_INIT;
	uint8_t *hive = malloc(HIVE_SIZE);
	for (size_t i = 0; i < HIVE_SIZE; i++)
		hive[i] = hive_byte(i);
	must_hold(v, "/windows/SYSTEM32/Config/system", hive, HIVE_SIZE);
	free(hive);
	must_hold(v, "USERS/JÜRGEN/straße.TXT", "x", 1);
	must_hold(v, "nothing", "", 0);

	assert_done(volume_stat(v, HIVE, &st, &e), e);
	assert_true(st.exists && !st.is_dir && !st.is_link);
	assert_int_equal(st.size, HIVE_SIZE);
	assert_done(volume_stat(v, "", &st, &e), e);
	assert_true(st.exists && st.is_dir);
	assert_done(volume_stat(v, "Windows/none/SYSTEM", &st, &e), e);
	assert_false(st.exists);
	assert_done(volume_stat(v, HIVE "/below-a-file", &st, &e), e);
	assert_false(st.exists);

	static const char *const root[] = {"empty", "nothing", "Program Files", "Users", "Windows"};
	assert_done(volume_list(v, "/", &l, &e), e);
	assert_int_equal(l.count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(l.names[i].name, root[i]);
		assert_int_equal(l.names[i].is_dir, i != 1);
	}
	volume_list_clear(&l);
	assert_done(volume_list(v, "empty", &l, &e), e);
	assert_int_equal(l.count, 0);
	volume_list_clear(&l);
}

static void refuses_alike(struct volume *v)
{
	struct buf b = BUF_INIT;
	struct bytedev *d;
	struct volume_list l;
	struct volume_stat st;
	assert_int_equal(volume_read(v, "absent", 10, &b, NULL), -ERR_NOTFOUND);
	assert_int_equal(volume_read(v, HIVE, HIVE_SIZE - 1, &b, NULL), -ERR_LIMIT);
	assert_int_equal(b.len, 0);
	assert_int_equal(volume_open_file(v, "Windows", false, &d, NULL), -ERR_NOTFOUND);
	assert_int_equal(volume_list(v, HIVE, &l, NULL), -ERR_NOTFOUND);
	assert_int_equal(volume_stat(v, "a/../b", &st, NULL), -ERR_FORMAT);
	assert_int_equal(volume_stat(v, "stream:ads", &st, NULL), -ERR_FORMAT);
	assert_int_equal(volume_stat(v, "bad\xff", &st, NULL), -ERR_FORMAT);
	assert_int_equal(volume_open_file(v, HIVE, true, &d, NULL), -ERR_READONLY);
	assert_int_equal(volume_replace(v, "new", "x", 1, NULL), -ERR_READONLY);
	assert_int_equal(volume_mkdir(v, "new", NULL), -ERR_READONLY);
	assert_int_equal(volume_remove(v, "nothing", NULL), -ERR_READONLY);
	assert_int_equal(volume_rename(v, "nothing", "n2", false, NULL), -ERR_READONLY);
	buf_clear(&b);
}

static void read_only(enum volume_kind kind)
{
	struct volume_source s = fresh(kind, "ro");
	char *before = kind == VOLUME_NTFS ? sum(s.path) : NULL;
	struct volume *v = must_open(&s, false);
	assert_int_equal(volume_kind(v), kind);
	assert_int_equal(volume_get_state(v)->trouble, 0);
	reads_alike(v);
	refuses_alike(v);
	must_close(v);
	if (before) {
		char *after = sum(s.path);
		assert_string_equal(before, after);
		free(after);
		free(before);
	}
}

static void folder_read_only(void **state)
{
	(void)state;
	read_only(VOLUME_FOLDER);
}

static void ntfs_read_only_changes_no_byte(void **state)
{
	(void)state;
	read_only(VOLUME_NTFS);
}

static void writes_hive(struct volume *v)
{
	struct bytedev *d;
	struct err e = ERR_INIT;
	uint64_t size;
	uint8_t page[4096], back[4096];
	memset(page, 0xA5, sizeof page);
	assert_done(volume_open_file(v, HIVE, true, &d, &e), e);
	assert_done(bytedev_write(d, 4096, page, sizeof page, &e), e);
	assert_done(bytedev_sync(d, &e), e);
	assert_done(bytedev_read(d, 4096, back, sizeof back, &e), e);
	assert_memory_equal(page, back, sizeof page);
	assert_int_equal(bytedev_read(d, HIVE_SIZE - 1, back, 2, NULL), -ERR_IO);
	assert_done(bytedev_resize(d, HIVE_SIZE + 100000, &e), e);
	assert_done(bytedev_size(d, &size, &e), e);
	assert_int_equal(size, HIVE_SIZE + 100000);
	assert_done(bytedev_read(d, HIVE_SIZE + 90000, back, 1, &e), e);
	assert_int_equal(back[0], 0);
	assert_done(bytedev_resize(d, HIVE_SIZE, &e), e);
	assert_done(bytedev_sync(d, &e), e);
	bytedev_close(d);
}

static void changes_tree(struct volume *v)
{
	struct err e = ERR_INIT;
	struct volume_stat st;
	char big[70000];
	memset(big, 'b', sizeof big);
	assert_done(volume_replace(v, ANSWER, "<new/>", 6, &e), e);
	must_hold(v, ANSWER, "<new/>", 6);
	assert_done(volume_replace(v, "windows/panther/UNATTEND.XML", big, sizeof big, &e), e);
	must_hold(v, ANSWER, big, sizeof big);
	assert_done(volume_replace(v, "Windows/Panther/first.cmd", "rem", 3, &e), e);
	must_hold(v, "Windows/Panther/FIRST.cmd", "rem", 3);
	assert_int_equal(volume_replace(v, "no/such/folder", "x", 1, NULL), -ERR_NOTFOUND);
	assert_int_equal(volume_replace(v, "Windows", "x", 1, NULL), -ERR_EXISTS);

	assert_done(volume_mkdir(v, "Windows/Setup", &e), e);
	assert_done(volume_mkdir(v, "WINDOWS/setup", &e), e);
	assert_int_equal(volume_mkdir(v, ANSWER, NULL), -ERR_EXISTS);
	assert_done(
		volume_rename(v, "Windows/Panther/first.cmd", "Windows/Setup/go.cmd", false, &e),
		e);
	must_hold(v, "Windows/Setup/go.cmd", "rem", 3);
	assert_int_equal(
		volume_rename(v, "Windows/Setup/go.cmd", ANSWER, false, NULL), -ERR_EXISTS);
	assert_done(volume_rename(v, "Windows/Setup/go.cmd", ANSWER, true, &e), e);
	must_hold(v, ANSWER, "rem", 3);
	assert_true(volume_remove(v, "Windows", NULL) < 0);
	assert_done(volume_remove(v, "Windows/Setup", &e), e);
	assert_done(volume_stat(v, "Windows/Setup", &st, &e), e);
	assert_false(st.exists);
	assert_int_equal(volume_remove(v, "Windows/Setup", NULL), -ERR_NOTFOUND);
}

static void read_write(enum volume_kind kind)
{
	struct volume_source s = fresh(kind, "rw");
	struct volume *v = must_open(&s, true), *second;
	struct volume_list l;
	struct err e = ERR_INIT;
	assert_int_equal(volume_open(&second, &s, true, NULL), -ERR_UNSAFE);
	writes_hive(v);
	changes_tree(v);
	must_close(v);

	v = must_open(&s, false);
	must_hold(v, ANSWER, "rem", 3);
	assert_done(volume_list(v, "Windows/Panther", &l, &e), e);
	assert_int_equal(l.count, 1); /* no temporary file is left */
	assert_string_equal(l.names[0].name, "unattend.xml");
	volume_list_clear(&l);
	must_close(v);
	if (kind == VOLUME_NTFS)
		sh("ntfsresize -i -f %s >/dev/null", s.path); /* counts every cluster */
}

/* Where a file is, as ntfsinfo sees it: MFT record, sequence number, runs, sizes. */
static char *where(const char *img, const char *path)
{
	char cmd[PATH_MAX + 256];
	char *out = calloc(1, 4096);
	snprintf(cmd, sizeof cmd,
		"ntfsinfo -f -v -F '%s' %s | "
		"grep -E 'Inode|Record Seq|VCN|(Data|Allocated|Initialized) size:|^\t\t\t0x'",
		path, img);
	FILE *f = popen(cmd, "r");
	assert_true(fread(out, 1, 4095, f) > 0);
	pclose(f);
	return out;
}

static void hive_stays_where_it_is(void **state)
{
	(void)state;
	struct volume_source s = fresh(VOLUME_NTFS, "place.img");
	char *before = where(s.path, HIVE);
	assert_non_null(strstr(before, "VCN"));
	struct volume *v = must_open(&s, true);
	struct bytedev *d;
	struct err e = ERR_INIT;
	assert_done(volume_open_file(v, HIVE, true, &d, &e), e);
	assert_done(bytedev_write(d, 100000, "here", 4, &e), e);
	assert_done(bytedev_sync(d, &e), e);
	/* on the disk already, as another reader sees it */
	sh("test \"$(ntfscat -f %s " HIVE " | tail -c +100001 | head -c 4)\" = here", s.path);
	bytedev_close(d);
	must_close(v);
	char *after = where(s.path, HIVE);
	assert_string_equal(before, after);
	sh("ntfscat -f %s " HIVE " | cmp -l - %s/" HIVE " | wc -l | grep -qx 4", s.path, src);
	sh("ntfsresize -i -f %s >/dev/null", s.path); /* counts every cluster */
	free(before);
	free(after);
}

/* O:BAG:SYD:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;FA;;;BA): what a file inherits in Panther, whose
 * descriptor is D:PAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA). Written out by hand. */
static const uint8_t inherited[] = {1, 0, 4, 0x84, 96, 0, 0, 0, 112, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0,
	0, /* */
	2, 0, 76, 0, 3, 0, 0, 0, 0, 0x10, 24, 0, 0xFF, 1, 0x1F, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0,
	0, 0x20, 2, 0, 0, 0, 0x10, 20, 0, 0xFF, 1, 0x1F, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, 0,
	0x10, 24, 0, 0xFF, 1, 0x1F, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, 1, 2, 0,
	0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};

/* O:BAG:SYD:P(A;;FA;;;SY)(A;;FA;;;BA), written out by hand. */
static const uint8_t for_two[] = {1, 0, 4, 0x90, 72, 0, 0, 0, 88, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0,
	0, /* */
	2, 0, 52, 0, 2, 0, 0, 0, 0, 0, 20, 0, 0xFF, 1, 0x1F, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
	0, 0, 24, 0, 0xFF, 1, 0x1F, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, 1, 2, 0,
	0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};

static void secret_file_is_for_system_and_administrators(void **state)
{
	(void)state;
	static const char *const paths[] = {"Windows/Panther/blob.txt", ANSWER};
	struct volume_source s = fresh(VOLUME_NTFS, "secret.img");
	struct volume *v = must_open(&s, true);
	struct buf sd = BUF_INIT;
	struct err e = ERR_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) { /* a new file, and a replaced one */
		sd.len = 0;
		assert_done(volume_replace_secret(v, paths[i], "new", 3, &e), e);
		must_hold(v, paths[i], "new", 3);
		assert_done(volume_security(v, paths[i], &sd, &e), e);
		assert_int_equal(sd.len, sizeof for_two);
		assert_memory_equal(sd.p, for_two, sizeof for_two);
	}
	must_close(v);
	buf_clear(&sd);
	sh("ntfsresize -i -f %s >/dev/null", s.path);
}

static void security_is_inherited_or_kept(void **state)
{
	(void)state;
	struct volume_source s = fresh(VOLUME_NTFS, "sd.img");
	struct volume *v = must_open(&s, true);
	struct volume_stat was, is;
	struct buf old = BUF_INIT, sd = BUF_INIT;
	struct err e = ERR_INIT;
	assert_done(volume_security(v, ANSWER, &old, &e), e);
	assert_done(volume_stat(v, ANSWER, &was, &e), e);
	assert_done(volume_replace(v, ANSWER, "new", 3, &e), e);
	assert_done(volume_security(v, ANSWER, &sd, &e), e);
	assert_int_equal(sd.len, old.len);
	assert_memory_equal(sd.p, old.p, sd.len);
	assert_done(volume_stat(v, ANSWER, &is, &e), e);
	assert_int_equal(is.attr, was.attr);
	assert_int_equal(is.ctime, was.ctime);
	assert_int_not_equal(is.file_id, was.file_id);

	assert_done(volume_replace(v, "Windows/Panther/x.cmd", "new", 3, &e), e);
	sd.len = 0;
	assert_done(volume_security(v, "Windows/Panther/x.cmd", &sd, &e), e);
	assert_int_equal(sd.len, sizeof inherited);
	assert_memory_equal(sd.p, inherited, sizeof inherited);

	/* a folder keeps the entries for its own children: 4 instead of 3 */
	assert_done(volume_mkdir(v, "Windows/Panther/dir", &e), e);
	sd.len = 0;
	assert_done(volume_security(v, "Windows/Panther/dir", &sd, &e), e);
	assert_int_equal(le16(sd.p + le32(sd.p + 16) + 4), 4);
	must_close(v);
	buf_clear(&old);
	buf_clear(&sd);
	sh("ntfsresize -i -f %s >/dev/null", s.path);
}

static void stored_otherwise_is_refused(const char *option)
{
	const char *img = at("stored.img");
	sh("%s %s 16 %s %s " HIVE, tool, img, src, option);
	struct volume_source s = {.kind = VOLUME_NTFS, .path = img};
	struct volume *v = must_open(&s, true);
	struct bytedev *d;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char *before = sum(img);
	assert_int_equal(volume_open_file(v, HIVE, true, &d, &e), -ERR_UNSAFE);
	assert_string_not_equal(e.next, "");
	err_clear(&e);
	assert_done(volume_read(v, HIVE, 1 << 24, &b, &e), e);
	assert_int_equal(b.p[b.len - 1], hive_byte(HIVE_SIZE - 1));
	must_close(v);
	char *after = sum(img);
	assert_string_equal(before, after);
	free(before);
	free(after);
	buf_clear(&b);
}

static void compressed_and_sparse_are_refused(void **state)
{
	(void)state;
	stored_otherwise_is_refused("--compressed");
	stored_otherwise_is_refused("--sparse");
}

static void short_names_do_not_survive(void **state)
{
	(void)state;
	const char *img = at("short.img");
	sh("%s %s 16 %s --shortname '" ANSWER "=UNATTE~1.XML'", tool, img, src);
	struct volume_source s = {.kind = VOLUME_NTFS, .path = img};
	struct volume *v = must_open(&s, true);
	struct volume_stat st;
	struct err e = ERR_INIT;
	must_hold(v, "Windows/Panther/UNATTE~1.XML", "<unattend/>\r\n", 13);
	assert_done(volume_replace(v, ANSWER, "new", 3, &e), e);
	must_hold(v, ANSWER, "new", 3);
	assert_done(volume_stat(v, "Windows/Panther/UNATTE~1.XML", &st, &e), e);
	assert_false(st.exists);
	must_close(v);
	sh("ntfsresize -i -f %s >/dev/null", img);
}

static void folder_read_write(void **state)
{
	(void)state;
	read_write(VOLUME_FOLDER);
}

static void ntfs_read_write(void **state)
{
	(void)state;
	read_write(VOLUME_NTFS);
}

static void folder_follows_no_link(void **state)
{
	(void)state;
	struct volume_source s = fresh(VOLUME_FOLDER, "links");
	struct volume_stat st;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	sh("ln -s /etc %s/out && ln -s /etc/hostname %s/file", s.path, s.path);
	struct volume *v = must_open(&s, true);
	assert_int_equal(volume_read(v, "out/hostname", 999, &b, NULL), -ERR_REFUSED);
	assert_int_equal(volume_read(v, "file", 999, &b, NULL), -ERR_REFUSED);
	assert_int_equal(volume_replace(v, "file", "x", 1, NULL), -ERR_EXISTS);
	assert_int_equal(volume_remove(v, "file", NULL), -ERR_REFUSED);
	assert_done(volume_stat(v, "FILE", &st, &e), e);
	assert_true(st.exists && st.is_link);
	must_close(v);
}

/* --- trouble -------------------------------------------------------------------------------- */

static void trouble(const char *options, unsigned want, bool readable)
{
	const char *img = at("trouble.img");
	sh("%s %s 16 %s %s", tool, img, src, options);
	struct volume_source s = {.kind = VOLUME_NTFS, .path = img};
	struct volume_state st;
	struct volume *v;
	struct err e = ERR_INIT;
	char *before = sum(img);
	assert_done(volume_probe(&s, &st, &e), e);
	assert_int_equal(st.trouble, want);
	int ret = volume_open(&v, &s, true, &e);
	assert_int_equal(ret, want ? -ERR_UNSAFE : 0);
	if (want) {
		assert_string_not_equal(e.next, "");
		assert_null(v);
		err_clear(&e);
	} else {
		must_close(v);
	}
	if (readable) {
		v = must_open(&s, false);
		must_hold(v, ANSWER, "<unattend/>\r\n", 13);
		must_close(v);
	} else {
		assert_int_equal(volume_open(&v, &s, false, NULL), -ERR_UNSAFE);
	}
	char *after = sum(img);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void states_are_told_apart(void **state)
{
	(void)state;
	trouble("", 0, true);
	trouble("--hiberfile hibr", VOLUME_TROUBLE_HIBERNATED, true);
	trouble("--hiberfile HIBR", VOLUME_TROUBLE_HIBERNATED, true);
	trouble("--hiberfile RSTR", VOLUME_TROUBLE_HIBERNATED, true);
	trouble("--hiberfile wake", 0, true);
	trouble("--hiberfile ''", 0, true);
	trouble("--dirty", VOLUME_TROUBLE_DIRTY, true);
	trouble("--log clean", 0, true);
	trouble("--log open", VOLUME_TROUBLE_LOG, true);
	trouble("--log fast", VOLUME_TROUBLE_LOG, true);
	trouble("--dirty --log open --hiberfile hibr",
		VOLUME_TROUBLE_DIRTY | VOLUME_TROUBLE_LOG | VOLUME_TROUBLE_HIBERNATED, true);
	trouble("--bitlocker", VOLUME_TROUBLE_BITLOCKER, false);
}

static void damaged_is_not_opened(void **state)
{
	(void)state;
	struct volume_source s = fresh(VOLUME_NTFS, "cut.img");
	struct volume_state st;
	struct volume *v;
	struct err e = ERR_INIT;
	sh("truncate -s 30M %s", s.path);
	assert_done(volume_probe(&s, &st, &e), e);
	assert_int_equal(st.trouble, VOLUME_TROUBLE_DAMAGED);
	assert_int_equal(volume_open(&v, &s, false, NULL), -ERR_UNSAFE);
	sh("head -c 100000 /dev/zero > %s", s.path);
	assert_done(volume_probe(&s, &st, &e), e);
	assert_int_equal(st.trouble, VOLUME_TROUBLE_DAMAGED);
	sh(": > %s", s.path);
	assert_done(volume_probe(&s, &st, &e), e);
	assert_int_equal(st.trouble, VOLUME_TROUBLE_DAMAGED);
	s.path = at("absent.img");
	assert_int_equal(volume_open(&v, &s, false, NULL), -ERR_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folder_read_only),
		cmocka_unit_test(ntfs_read_only_changes_no_byte),
		cmocka_unit_test(folder_read_write),
		cmocka_unit_test(ntfs_read_write),
		cmocka_unit_test(folder_follows_no_link),
		cmocka_unit_test(hive_stays_where_it_is),
		cmocka_unit_test(security_is_inherited_or_kept),
		cmocka_unit_test(secret_file_is_for_system_and_administrators),
		cmocka_unit_test(compressed_and_sparse_are_refused),
		cmocka_unit_test(short_names_do_not_survive),
		cmocka_unit_test(states_are_told_apart),
		cmocka_unit_test(damaged_is_not_opened),
	};
	return cmocka_run_group_tests_name("volume", tests, make_ground, drop_ground);
}
