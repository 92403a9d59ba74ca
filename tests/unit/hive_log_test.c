/* Hives and their logs: logs of every size, one or none of them, which form, what a cut leaves. */
#include "test.h"

#include <string.h>

#include "hive/hive.h"
#include "tests/unit/memdev.h"

#define NOW 0x01db8cdd00000000ULL
#define BINS 4096

/* O:SYG:SYD:(A;CI;KA;;;SY) */
static const uint8_t sd[] = {0x01, 0x00, 0x04, 0x80, 0x30, 0, 0, 0, 0x3c, 0, 0, 0, 0, 0, 0, 0, 0x14,
	0, 0, 0, 0x02, 0x00, 0x1c, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x02, 0x14, 0x00, 0x3f, 0x00,
	0x0f, 0x00, 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0, 1,
	1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0};

enum { HIVE, LOG1, LOG2 };

struct disk {
	struct recorder r;
	struct memdev dev[3];
	long fail_read; /* of the commit to come */
};

static void seal(struct disk *d)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < 508; i += 4)
		sum ^= le32(d->dev[HIVE].data.p + i);
	put_le32(d->dev[HIVE].data.p + 508, sum);
}

static void disk_make(struct disk *d)
{
	static const char *const names[] = {"HIVE", "HIVE.LOG1", "HIVE.LOG2"};
	struct err e = ERR_INIT;
	struct hive *h = NULL;
	d->r = (struct recorder){.fail_at = -1};
	d->fail_read = 0;
	for (int i = 0; i < 3; i++)
		memdev_init(&d->dev[i], names[i], &d->r, i);
	assert_done(hive_create(&h, 5, "ROOT", (struct span){sd, sizeof sd}, NOW, &e), e);
	assert_done(hive_save(h, &d->dev[HIVE].dev, &e), e);
	hive_close(h);
}

static void disk_clear(struct disk *d)
{
	for (int i = 0; i < 3; i++)
		buf_clear(&d->dev[i].data);
	recorder_clear(&d->r);
}

/* Set one value in a hive with the logs that `logs` has bits for, and commit. */
static int change(struct disk *d, unsigned flags, unsigned logs, struct err *e)
{
	struct hive *h = NULL;
	assert_done(hive_open(&h, &d->dev[HIVE].dev, logs & 1 ? &d->dev[LOG1].dev : NULL,
			    logs & 2 ? &d->dev[LOG2].dev : NULL, flags, e),
		*e);
	assert_done(hive_begin(h, NOW, e), *e);
	assert_done(hive_set_dword(h, hive_root(h), "n", 7, e), *e);
	long fail_at = d->r.fail_at;
	recorder_clear(&d->r);
	d->r.fail_at = fail_at;
	d->r.fail_read = d->fail_read;
	d->r.on = true;
	int ret = hive_commit(h, e);
	d->r.on = false;
	hive_close(h);
	return ret;
}

/* How many times the recorder saw a write to `dev` that begins with these four bytes after `off`.
 */
static size_t written(const struct disk *d, int dev, size_t off, const char *sig)
{
	size_t n = 0;
	for (size_t i = 0; i < d->r.n; i++) {
		const struct memrec *m = &d->r.rec[i];
		if (m->op == MEM_WRITE && m->dev == dev && m->data.len >= off + 4)
			n += memcmp(m->data.p + off, sig, 4) == 0;
	}
	return n;
}

static size_t touched(const struct disk *d, int dev)
{
	size_t n = 0;
	for (size_t i = 0; i < d->r.n; i++)
		n += d->r.rec[i].dev == dev && d->r.rec[i].op != MEM_SYNC;
	return n;
}

static void logs_of_every_size(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 100, 511, 512, 513, 1024, 4096, 65536};
	for (size_t i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		struct err e = ERR_INIT;
		struct disk d;
		size_t n = sizes[i / 2];
		bool dirt = i % 2;
		disk_make(&d);
		assert_int_equal(buf_grow(&d.dev[LOG1].data, n, NULL, &e), 0);
		assert_int_equal(buf_grow(&d.dev[LOG2].data, n, NULL, &e), 0);
		assert_done(change(&d, dirt ? HIVE_LOG_DIRT : HIVE_LOG_HVLE, 3, &e), e);
		assert_int_equal(written(&d, LOG1, 512, dirt ? "DIRT" : "HvLE"), 1);
		assert_true(d.dev[LOG1].data.len >= 1024); /* grown before it was written */
		assert_int_equal(d.dev[LOG2].data.len, n); /* the other keeps its size */
		for (size_t k = 0; k < d.dev[LOG1].data.len; k++)
			assert_int_equal(d.dev[LOG1].data.p[k], 0);
		disk_clear(&d);
	}
}

static void one_log_or_none(void **state)
{
	(void)state;
	for (unsigned logs = 0; logs < 3; logs++) {
		for (int dirt = 0; dirt < 2; dirt++) {
			struct err e = ERR_INIT;
			struct disk d;
			disk_make(&d);
			int ret = change(&d, dirt ? HIVE_LOG_DIRT : HIVE_LOG_HVLE, logs, &e);
			if (logs == 1 && dirt) { /* 7 and 8.0 write the first log */
				assert_done(ret, e);
				assert_int_equal(written(&d, LOG1, 512, "DIRT"), 1);
			} else {
				assert_int_equal(ret, -ERR_REFUSED);
				assert_non_null(strstr(e.what, "log is absent"));
				assert_int_equal(d.r.n, 0); /* before the first write */
			}
			disk_clear(&d);
		}
	}
}

/* Every call fails once: the commit says so, and before the log is written the hive is untouched.
 */
static void a_log_that_cannot_grow(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct disk d;
	disk_make(&d);
	d.r.fail_at = 0; /* LOG1 must become longer: the first call of all */
	assert_int_equal(change(&d, HIVE_LOG_HVLE, 3, &e), -ERR_NOSPACE);
	assert_int_equal(touched(&d, HIVE), 0);
	assert_int_equal(d.dev[LOG1].data.len, 0);
	assert_non_null(strstr(e.next, "unchanged"));
	disk_clear(&d);
}

static int reopen(struct disk *d, struct hive_info *info)
{
	struct hive *h = NULL;
	int ret = hive_open(&h, &d->dev[HIVE].dev, &d->dev[LOG1].dev, &d->dev[LOG2].dev, 0, NULL);
	if (ret < 0)
		return ret;
	hive_get_info(h, info);
	hive_close(h);
	return 0;
}

/* Every read of a commit fails once: it says so, and the hive is the old one, recoverable or clean.
 */
static void a_read_that_fails(void **state)
{
	(void)state;
	long n = 1;
	for (bool failed = true; failed; n++) {
		struct err e = ERR_INIT;
		struct hive_info info;
		struct disk d;
		disk_make(&d);
		assert_int_equal(buf_grow(&d.dev[LOG1].data, 70000, NULL, &e), 0);
		d.fail_read = n;
		int ret = change(&d, 0, 3, &e);
		failed = ret < 0;
		if (failed)
			assert_int_equal(ret, -ERR_IO);
		assert_int_equal(reopen(&d, &info), 0);
		disk_clear(&d);
	}
	assert_true(n > 4);
}

/* Without a word from the caller: what the logs are, else what the hive tells of its Windows. */
static void the_form_follows_what_is_there(void **state)
{
	(void)state;
	static const struct {
		uint64_t time;
		uint8_t access;
		const char *log, *want;
	} cases[] = {
		{0, 0, "", "HvLE"},	/* 8.1 and later keep no time */
		{NOW, 0, "", "DIRT"},	/* up to 8.0 */
		{NOW, 2, "", "HvLE"},	/* access bits came with 8 */
		{0, 0, "DIRT", "DIRT"}, /* the logs' own form decides */
		{NOW, 0, "HvLE", "HvLE"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		struct disk d;
		uint8_t log[1024] = {0};
		disk_make(&d);
		put_le64(d.dev[HIVE].data.p + 12, cases[i].time);
		seal(&d);
		d.dev[HIVE].data.p[BINS + 0x20 + 4 + 12] = cases[i].access; /* of the root key */
		memcpy(log + 512, cases[i].log, strlen(cases[i].log));
		assert_int_equal(buf_add(&d.dev[LOG1].data, log, sizeof log, &e), 0);
		assert_done(change(&d, 0, 3, &e), e);
		assert_int_equal(written(&d, LOG1, 512, cases[i].want), 1);
		disk_clear(&d);
	}
}

/* What we do not know stays as it was when the key around it is edited. */
static void class_and_flags_stay(void **state)
{
	(void)state;
	static const uint8_t class_name[] = {0x35, 0x12, 0, 0xd8, 'a', 0, 0, 0}; /* not text */
	struct err e = ERR_INIT;
	struct disk d;
	struct hive *h = NULL;
	struct hive_key_info info;
	hive_key key, sub;
	disk_make(&d);
	assert_done(hive_open(&h, &d.dev[HIVE].dev, &d.dev[LOG1].dev, &d.dev[LOG2].dev,
			    HIVE_LOG_HVLE, &e),
		e);
	assert_done(hive_begin(h, NOW, &e), e);
	assert_done(hive_create_key(h, hive_root(h), "k", NULL, &key, &e), e);
	assert_done(hive_set_class(h, key, class_name, sizeof class_name, &e), e);
	assert_done(hive_commit(h, &e), e);
	hive_close(h);
	uint8_t *nk = d.dev[HIVE].data.p + BINS + key + 4;
	put_le16(nk + 2, 0x1020 | 0x80); /* flags seen in Windows 7, virtualised */
	nk[12] = 3;			 /* access */
	nk[14] = 0x5a;			 /* spare */
	put_le16(nk + 54, 0xa5c3);	 /* virtualisation, user and debug flags */
	put_le32(nk + 68, 0xdeadbeefU);	 /* work variable */
	assert_done(hive_open(&h, &d.dev[HIVE].dev, &d.dev[LOG1].dev, &d.dev[LOG2].dev,
			    HIVE_LOG_HVLE, &e),
		e);
	assert_done(hive_begin(h, NOW + 1, &e), e);
	assert_done(hive_set_string(h, key, "name", "value", &e), e);
	assert_done(hive_create_key(h, key, "subkey with a longer name", NULL, &sub, &e), e);
	assert_done(hive_delete_value(h, key, "name", &e), e);
	assert_done(hive_delete_key(h, sub, &e), e);
	assert_done(hive_commit(h, &e), e);
	assert_done(hive_key_info(h, key, &info, &e), e);
	assert_int_equal(info.class_name.len, sizeof class_name);
	assert_memory_equal(info.class_name.p, class_name, sizeof class_name);
	hive_close(h);
	nk = d.dev[HIVE].data.p + BINS + key + 4;
	assert_int_equal(le16(nk + 2), 0x1020 | 0x80);
	assert_int_equal(nk[12], 3);
	assert_int_equal(nk[14], 0x5a);
	assert_int_equal(le16(nk + 54), 0xa5c3);
	assert_true(le32(nk + 68) == 0xdeadbeefU);
	disk_clear(&d);
}

/* A commit cut while it writes the hive: recovered from LOG1, wherever that lies; not once it is
 * damaged in its header, its entry, or cut. */
static void a_cut_commit_is_recovered(void **state)
{
	(void)state;
	static const size_t damage[] = {
		4, 100, 511, 512, 516, 524, 528, 532, 536, 544, 552, 600, 4000};
	struct hive_info info;
	struct disk d;
	for (long at = 0;; at++) { /* the call after which the hive is dirty */
		struct err e = ERR_INIT;
		disk_make(&d);
		d.r.fail_at = at;
		assert_true(change(&d, HIVE_LOG_HVLE, 3, &e) < 0);
		d.r.fail_at = -1;
		const uint8_t *p = d.dev[HIVE].data.p;
		if (le32(p + 4) != le32(p + 8))
			break;
		assert_int_equal(reopen(&d, &info), 0);
		assert_false(info.dirty);
		disk_clear(&d);
	}
	assert_int_equal(reopen(&d, &info), 0);
	assert_true(info.dirty);
	assert_int_equal(info.recovery, HIVE_RECOVERED_HVLE);
	assert_int_equal(info.log_entries, 1);
	for (size_t i = 0; i < ARRAY_SIZE(damage); i++) {
		d.dev[LOG1].data.p[damage[i]] ^= 0x10;
		assert_int_equal(reopen(&d, &info), -ERR_UNSAFE);
		d.dev[LOG1].data.p[damage[i]] ^= 0x10;
	}
	struct buf swap = d.dev[LOG1].data;
	d.dev[LOG1].data = d.dev[LOG2].data;
	d.dev[LOG2].data = swap;
	assert_int_equal(reopen(&d, &info), 0);
	assert_int_equal(info.log_entries, 1);
	d.dev[LOG2].data.len = 1024;
	assert_int_equal(reopen(&d, &info), -ERR_UNSAFE);
	disk_clear(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_of_every_size),
		cmocka_unit_test(one_log_or_none),
		cmocka_unit_test(a_log_that_cannot_grow),
		cmocka_unit_test(a_read_that_fails),
		cmocka_unit_test(the_form_follows_what_is_there),
		cmocka_unit_test(class_and_flags_stay),
		cmocka_unit_test(a_cut_commit_is_recovered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
