/* Hives: names, values of all sizes, subkey lists, security, refusals, commit. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/utf16.h"
#include "hive/hive.h"
#include "tests/unit/memdev.h"

#define NOW 0x01db8cdd00000000ULL

/* O:SYG:SYD:PAI(A;CI;KA;;;BA)(A;CIIO;KA;;;CO)(A;CI;KA;;;SY)(A;CI;KR;;;BU)S:AI: the shape of the
 * descriptor that Control\Lsa has in real hives. */
static const uint8_t parent_sd[] = {0x01, 0x00, 0x14, 0x9c, 0x74, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0,
	0, 0x14, 0, 0, 0,
	/* DACL */
	0x02, 0x00, 0x60, 0x00, 0x04, 0x00, 0x00, 0x00,
	/* BA */ 0x00, 0x02, 0x18, 0x00, 0x3f, 0x00, 0x0f, 0x00, 1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0,
	0, 0x20, 2, 0, 0,
	/* CO */ 0x00, 0x0a, 0x14, 0x00, 0x3f, 0x00, 0x0f, 0x00, 1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0,
	/* SY */ 0x00, 0x02, 0x14, 0x00, 0x3f, 0x00, 0x0f, 0x00, 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0,
	0,
	/* BU */ 0x00, 0x02, 0x18, 0x00, 0x19, 0x00, 0x02, 0x00, 1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0,
	0, 0x21, 2, 0, 0,
	/* owner SY, group SY */ 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5,
	0x12, 0, 0, 0};

/* What its children Kerberos and MSV1_0 have: D:AI(A;CIID;KA;;;BA)(A;ID;KA;;;SY)(A;CIIOID;KA;;;CO)
 * (A;CIIOID;KA;;;SY)(A;CIID;KR;;;BU). */
static const uint8_t child_sd[] = {0x01, 0x00, 0x14, 0x8c, 0x88, 0, 0, 0, 0x94, 0, 0, 0, 0, 0, 0, 0,
	0x14, 0, 0, 0, 0x02, 0x00, 0x74, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x12, 0x18, 0x00, 0x3f,
	0x00, 0x0f, 0x00, 1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0, 0x00, 0x10, 0x14,
	0x00, 0x3f, 0x00, 0x0f, 0x00, 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0, 0x00, 0x1a, 0x14, 0x00,
	0x3f, 0x00, 0x0f, 0x00, 1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0x00, 0x1a, 0x14, 0x00, 0x3f,
	0x00, 0x0f, 0x00, 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0, 0x00, 0x12, 0x18, 0x00, 0x19, 0x00,
	0x02, 0x00, 1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x21, 2, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5,
	0x12, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0};

static struct hive *new_hive(unsigned minor)
{
	struct err e = ERR_INIT;
	struct hive *h = NULL;
	assert_done(
		hive_create(&h, minor, "ROOT", (struct span){parent_sd, sizeof parent_sd}, NOW, &e),
		e);
	return h;
}

static void show(void *ctx, const struct hive_finding *f)
{
	(void)ctx;
	if (f->level != HIVE_INFO)
		print_error("%#x: %s\n", f->cell, f->text);
}

static void assert_sound(const struct hive *h)
{
	struct err e = ERR_INIT;
	struct hive_check c;
	assert_done(hive_check(h, show, NULL, &c, &e), e);
	assert_int_equal(c.errors, 0);
	assert_int_equal(c.warnings, 0);
	assert_int_equal(c.leaked_cells, 0);
	assert_int_equal(c.split_free, 0);
}

static void fill(uint8_t *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 31 + seed);
}

/* --- the upcase table, hashed: value computed from the $UpCase that mkntfs 2022.10.3 writes --- */

static void upcase_is_nt(void **state)
{
	(void)state;
	uint64_t x = 1469598103934665603ULL;
	for (unsigned c = 0; c < 0x10000; c++) {
		uint16_t u = utf16_up((uint16_t)c);
		x = (x ^ (u & 0xff)) * 1099511628211ULL;
		x = (x ^ u >> 8) * 1099511628211ULL;
	}
	assert_true(x == 0xe48810078fdde661ULL);
}

/* --- values --- */

static const size_t sizes[] = {0, 1, 4, 5, 8, 200, 4096, 16343, 16344, 16345, 32688, 32689, 100000};

static void set_and_get(struct hive *h, const char *name, size_t n, unsigned seed)
{
	struct err e = ERR_INIT;
	static uint8_t want[100000];
	struct buf got = BUF_INIT;
	uint32_t type;
	fill(want, n, seed);
	assert_done(hive_set_value(h, hive_root(h), name, 3 + seed, want, n, &e), e);
	assert_sound(h);
	assert_done(hive_get_value(h, hive_root(h), name, &type, &got, &e), e);
	assert_int_equal(type, 3 + seed);
	assert_int_equal(got.len, n);
	assert_true(n == 0 || memcmp(got.p, want, n) == 0);
	buf_clear(&got);
}

static void value_sizes(void **state)
{
	(void)state;
	for (unsigned minor = 3; minor <= 5; minor += 2) {
		struct err e = ERR_INIT;
		struct hive *h = new_hive(minor);
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
			for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
				set_and_get(h, "a", sizes[i], 1);
				set_and_get(h, "A", sizes[k], 2); /* the same value */
			}
		struct hive_key_info k;
		assert_done(hive_key_info(h, hive_root(h), &k, &e), e);
		assert_int_equal(k.values, 1);
		set_and_get(h, NULL, 10, 3);
		assert_done(hive_delete_value(h, hive_root(h), "a", &e), e);
		assert_done(hive_delete_value(h, hive_root(h), "", &e), e);
		assert_int_equal(hive_delete_value(h, hive_root(h), "a", &e), -ERR_NOTFOUND);
		assert_sound(h);
		hive_close(h);
	}
}

/* Big data as Windows lays it out: the last part's cell is as large as the others'. */
static void big_parts_are_of_one_size(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct memdev out;
	struct hive *h = new_hive(5);
	memdev_init(&out, "OUT", NULL, 0);
	set_and_get(h, "a", 2 * 16344 + 1, 1);
	assert_sound(h);
	assert_done(hive_save(h, &out.dev, &e), e);
	size_t parts = 0;
	for (size_t at = 4096; at < out.data.len; at += 8) {
		if (memcmp(out.data.p + at + 4, "db", 2) != 0 ||
			(int32_t)le32(out.data.p + at) != -16)
			continue;
		const uint8_t *list = out.data.p + 4096 + le32(out.data.p + at + 8);
		parts = le16(out.data.p + at + 6);
		for (size_t i = 0; i < parts; i++) {
			const uint8_t *part = out.data.p + 4096 + le32(list + 4 + 4 * i);
			assert_int_equal((int32_t)le32(part), -16352);
		}
	}
	assert_int_equal(parts, 3);
	buf_clear(&out.data);
	hive_close(h);
}

static void values_too_large(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct hive *h = new_hive(3);
	uint8_t *big = calloc(1, (1U << 20) + 1);
	assert_int_equal(
		hive_set_value(h, hive_root(h), "x", 3, big, (1U << 20) + 1, &e), -ERR_LIMIT);
	assert_sound(h);
	e = (struct err)ERR_INIT;
	assert_done(hive_set_value(h, hive_root(h), "x", 3, big, 1U << 20, &e), e);
	assert_sound(h);
	free(big);
	hive_close(h);
}

/* --- subkeys --- */

static void many_keys(void **state)
{
	(void)state;
	for (unsigned minor = 3; minor <= 5; minor += 2) {
		struct err e = ERR_INIT;
		struct hive *h = new_hive(minor);
		struct hive_key_info info;
		char name[32];
		hive_key key;
		for (unsigned i = 0; i < 2600; i++) {
			snprintf(name, sizeof name, "k%04u", i * 1009 % 2600);
			assert_done(hive_create_key(h, hive_root(h), name, NULL, &key, &e), e);
			if (i == 506 || i == 507 || i == 1012 || i == 1013)
				assert_sound(h);
		}
		assert_sound(h);
		assert_done(hive_key_info(h, hive_root(h), &info, &e), e);
		assert_int_equal(info.subkeys, 2600);
		assert_done(hive_find_key(h, hive_root(h), "K0815", &key, &e), e);
		for (unsigned i = 0; i < 2600; i++) {
			snprintf(name, sizeof name, "k%04u", i * 337 % 2600);
			assert_done(hive_find_key(h, hive_root(h), name, &key, &e), e);
			assert_done(hive_delete_key(h, key, &e), e);
			if (i % 500 == 499)
				assert_sound(h);
		}
		assert_sound(h);
		assert_done(hive_key_info(h, hive_root(h), &info, &e), e);
		assert_int_equal(info.subkeys, 0);
		hive_close(h);
	}
}

static void key_names(void **state)
{
	(void)state;
	static const char *const names[] = {
		"Привет", "привет2", "ÿ", "ë", "µ", "ß", "ſ", "日本", "😀", "a.b c"};
	struct err e = ERR_INIT;
	struct hive *h = new_hive(5);
	hive_key key, again;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_done(hive_create_key(h, hive_root(h), names[i], NULL, &key, &e), e);
	assert_sound(h);
	assert_done(hive_find_key(h, hive_root(h), "ПРИВЕТ", &key, &e), e);
	assert_done(hive_create_key(h, hive_root(h), "приВЕТ", NULL, &again, &e), e);
	assert_int_equal(key, again);
	assert_done(hive_find_key(h, hive_root(h), "Ë", &key, &e), e);
	struct hive_key_info info;
	assert_done(hive_key_info(h, key, &info, &e), e);
	assert_true(info.name.latin1);
	char *path = hive_key_path(h, key);
	assert_string_equal(path, "ë");
	free(path);
	char longer[258];
	memset(longer, 'n', 256);
	longer[256] = '\0';
	assert_int_equal(hive_create_key(h, hive_root(h), longer, NULL, &key, &e), -ERR_LIMIT);
	longer[255] = '\0';
	e = (struct err)ERR_INIT;
	assert_done(hive_create_key(h, hive_root(h), longer, NULL, &key, &e), e);
	assert_sound(h);
	hive_close(h);
}

static void delete_tree(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct hive *h = new_hive(5);
	hive_key key, top;
	uint8_t data[20000];
	fill(data, sizeof data, 7);
	assert_done(hive_create_key(h, hive_root(h), "top", NULL, &top, &e), e);
	assert_done(hive_create_key(h, top, "a\\b\\c\\d", NULL, &key, &e), e);
	assert_done(hive_set_value(h, key, "big", 3, data, sizeof data, &e), e);
	assert_done(hive_set_class(h, key, "c\0l\0", 4, &e), e);
	assert_done(hive_create_key(h, top, "a\\x", NULL, &key, &e), e);
	assert_done(hive_set_dword(h, key, "n", 5, &e), e);
	assert_sound(h);
	assert_done(hive_delete_key(h, top, &e), e);
	assert_sound(h);
	assert_int_equal(hive_delete_key(h, hive_root(h), &e), -ERR_REFUSED);
	struct hive_check c;
	assert_done(hive_check(h, NULL, NULL, &c, &e), e);
	assert_int_equal(c.keys, 1);
	assert_int_equal(c.securities, 1);
	hive_close(h);
}

static void depth_limit(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct hive *h = new_hive(5);
	char path[2 * 513 + 1];
	hive_key key;
	for (size_t i = 0; i < 513; i++)
		memcpy(path + 2 * i, "d\\", 2);
	path[2 * 513] = '\0';
	assert_int_equal(hive_create_key(h, hive_root(h), path, NULL, &key, &e), -ERR_LIMIT);
	path[2 * 512] = '\0';
	e = (struct err)ERR_INIT;
	assert_done(hive_create_key(h, hive_root(h), path, NULL, &key, &e), e);
	assert_sound(h);
	hive_close(h);
}

/* --- security --- */

static void inherited_security(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct hive *h = new_hive(5);
	struct hive_key_info a, b;
	struct hive_check c;
	hive_key key;
	assert_done(hive_create_key(h, hive_root(h), "Kerberos", NULL, &key, &e), e);
	assert_done(hive_key_info(h, key, &a, &e), e);
	assert_int_equal(a.sd.len, sizeof child_sd);
	assert_memory_equal(a.sd.p, child_sd, sizeof child_sd);
	assert_done(hive_create_key(h, hive_root(h), "MSV1_0", NULL, &key, &e), e);
	assert_done(hive_key_info(h, key, &b, &e), e);
	assert_done(hive_check(h, NULL, NULL, &c, &e), e);
	assert_int_equal(c.securities, 2); /* shared */
	struct span bad = {(const uint8_t *)"no", 2};
	assert_int_equal(hive_create_key(h, hive_root(h), "x", &bad, &key, &e), -ERR_FORMAT);
	e = (struct err)ERR_INIT;
	struct span own = {parent_sd, sizeof parent_sd};
	assert_done(hive_create_key(h, hive_root(h), "new\\own", &own, &key, &e), e);
	assert_done(hive_key_info(h, key, &b, &e), e);
	assert_memory_equal(b.sd.p, parent_sd, sizeof parent_sd);
	assert_done(hive_set_security(h, key, a.sd, &e), e);
	assert_sound(h);
	hive_close(h);
}

/* --- files --- */

struct disk {
	struct recorder r;
	struct memdev hive, log1, log2;
};

static void disk_make(struct disk *d, struct hive *h)
{
	struct err e = ERR_INIT;
	d->r = (struct recorder){.fail_at = -1};
	memdev_init(&d->hive, "HIVE", &d->r, 0);
	memdev_init(&d->log1, "HIVE.LOG1", &d->r, 1);
	memdev_init(&d->log2, "HIVE.LOG2", &d->r, 2);
	assert_done(hive_save(h, &d->hive.dev, &e), e);
}

static void disk_clear(struct disk *d)
{
	buf_clear(&d->hive.data);
	buf_clear(&d->log1.data);
	buf_clear(&d->log2.data);
	recorder_clear(&d->r);
}

static struct hive *disk_open(struct disk *d, unsigned flags)
{
	struct err e = ERR_INIT;
	struct hive *h = NULL;
	assert_done(hive_open(&h, &d->hive.dev, &d->log1.dev, &d->log2.dev, flags, &e), e);
	return h;
}

static void commit_and_reopen(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct disk d;
	struct hive *h = new_hive(5);
	hive_key key;
	disk_make(&d, h);
	hive_close(h);
	for (unsigned flags = HIVE_LOG_HVLE; flags <= HIVE_LOG_DIRT; flags++) {
		uint32_t before = le32(d.hive.data.p + 4);
		h = disk_open(&d, flags);
		assert_done(hive_begin(h, NOW + flags, &e), e);
		assert_done(hive_create_key(h, hive_root(h), "A\\B", NULL, &key, &e), e);
		assert_done(hive_set_string(h, key, "name", "wert", &e), e);
		assert_done(hive_set_dword(h, key, "n", flags, &e), e);
		assert_true(hive_is_modified(h));
		assert_done(hive_commit(h, &e), e);
		assert_false(hive_is_modified(h));
		assert_sound(h);
		hive_close(h);
		assert_true(le32(d.hive.data.p + 4) > before);
		assert_int_equal(le32(d.hive.data.p + 4), le32(d.hive.data.p + 8));
		for (size_t i = 0; i < d.log1.data.len; i++)
			assert_int_equal(d.log1.data.p[i], 0); /* blank: no secret stays behind */
		if (flags == HIVE_LOG_DIRT) {
			assert_true(le64(d.hive.data.p + 12) == NOW + flags);
			assert_true(le64(d.hive.data.p + 4096 + 20) == NOW + flags);
		}
		h = disk_open(&d, 0);
		char *text;
		uint32_t n;
		assert_done(hive_find_key(h, hive_root(h), "a\\b", &key, &e), e);
		assert_done(hive_get_string(h, key, "NAME", &text, &e), e);
		assert_string_equal(text, "wert");
		free(text);
		assert_done(hive_get_dword(h, key, "n", &n, &e), e);
		assert_int_equal(n, flags);
		hive_close(h);
	}
	disk_clear(&d);
}

static void refusals(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct disk d;
	struct hive *h = new_hive(5), *none = NULL;
	assert_int_equal(hive_commit(h, &e), -ERR_REFUSED); /* no file yet */
	disk_make(&d, h);
	hive_close(h);
	e = (struct err)ERR_INIT;
	h = disk_open(&d, HIVE_LOG_HVLE);
	assert_int_equal(hive_set_dword(h, hive_root(h), "n", 1, &e), -ERR_REFUSED); /* no begin */
	hive_close(h);
	e = (struct err)ERR_INIT;
	assert_done(hive_open(&h, &d.hive.dev, &d.log1.dev, NULL, HIVE_LOG_HVLE, &e), e);
	assert_done(hive_begin(h, NOW, &e), e);
	assert_done(hive_set_dword(h, hive_root(h), "n", 1, &e), e);
	d.r.calls = 0;
	assert_int_equal(hive_commit(h, &e), -ERR_REFUSED); /* one log is missing */
	assert_int_equal(d.r.calls, 0);			    /* and nothing was touched */
	hive_close(h);

	put_le32(d.hive.data.p + 4, 77); /* dirty */
	uint32_t sum = 0;
	for (size_t i = 0; i < 508; i += 4)
		sum ^= le32(d.hive.data.p + i);
	put_le32(d.hive.data.p + 508, sum);
	e = (struct err)ERR_INIT;
	assert_int_equal(
		hive_open(&none, &d.hive.dev, &d.log1.dev, &d.log2.dev, 0, &e), -ERR_UNSAFE);
	assert_non_null(strstr(e.what, "77"));
	assert_true(e.next[0]);
	h = disk_open(&d, HIVE_AS_IS);
	assert_int_equal(hive_begin(h, NOW, &e), -ERR_UNSAFE);
	hive_close(h);
	disk_clear(&d);
}

static bool holds(const struct memdev *m, const void *p, size_t n)
{
	for (size_t i = 0; i + n <= m->data.len; i++)
		if (memcmp(m->data.p + i, p, n) == 0)
			return true;
	return false;
}

/* A deleted or replaced value is nowhere on the disk any more, in the hive or in a log. */
static void secrets_are_wiped(void **state)
{
	(void)state;
	static const uint8_t secret[] = "correct horse battery staple, 120 characters or more";
	struct err e = ERR_INIT;
	for (int how = 0; how < 4; how++) {
		struct disk d;
		struct hive *h = new_hive(5);
		hive_key key;
		assert_done(hive_create_key(h, hive_root(h), "k", NULL, &key, &e), e);
		assert_done(hive_set_value(h, key, "pw", 3, secret, sizeof secret, &e), e);
		disk_make(&d, h);
		hive_close(h);
		assert_true(holds(&d.hive, secret, 20));
		h = disk_open(&d, how % 2 ? HIVE_LOG_DIRT : HIVE_LOG_HVLE);
		assert_done(hive_begin(h, NOW, &e), e);
		assert_done(hive_find_key(h, hive_root(h), "k", &key, &e), e);
		if (how == 0)
			assert_done(hive_delete_value(h, key, "pw", &e), e);
		else if (how == 1)
			assert_done(hive_delete_key(h, key, &e), e);
		else if (how == 2)
			assert_done(hive_set_value(h, key, "pw", 3, "shorter", 7, &e), e);
		else
			assert_done(
				hive_set_value(h, key, "pw", 3, parent_sd, sizeof parent_sd, &e),
				e);
		assert_done(hive_commit(h, &e), e);
		hive_close(h);
		assert_false(holds(&d.hive, secret, 20));
		assert_false(holds(&d.log1, secret, 20));
		disk_clear(&d);
	}
}

/* A value that is only in the hive leaves no copy in the log once it is committed. */
static void logs_keep_no_copy(void **state)
{
	(void)state;
	static const uint8_t secret[] = "a machine password of a new member";
	struct err e = ERR_INIT;
	struct disk d;
	struct hive *h = new_hive(5);
	disk_make(&d, h);
	hive_close(h);
	h = disk_open(&d, HIVE_LOG_HVLE);
	assert_done(hive_begin(h, NOW, &e), e);
	assert_done(hive_set_value(h, hive_root(h), "pw", 3, secret, sizeof secret, &e), e);
	assert_done(hive_commit(h, &e), e);
	hive_close(h);
	assert_true(holds(&d.hive, secret, sizeof secret));
	assert_false(holds(&d.log1, secret, 8));
	assert_false(holds(&d.log2, secret, 8));
	disk_clear(&d);
}

static void layered_keys_are_refused(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct disk d;
	struct hive *h = new_hive(5);
	disk_make(&d, h);
	hive_close(h);
	d.hive.data.p[4096 + 0x20 + 4 + 13] = 1; /* the root key is a tombstone */
	h = disk_open(&d, 0);
	assert_int_equal(hive_begin(h, NOW, &e), -ERR_UNSUPPORTED);
	assert_int_equal(hive_set_dword(h, hive_root(h), "n", 1, NULL), -ERR_REFUSED);
	hive_close(h);
	disk_clear(&d);
}

/* Numbers go over 2^32 and stay above what a stale log holds. */
static void sequence_wraps(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct disk d;
	struct hive *h = new_hive(5);
	disk_make(&d, h);
	hive_close(h);
	for (uint32_t i = 0; i < 4; i++) {
		if (i == 0) {
			uint8_t stale[1024] = "regf";
			put_le32(d.hive.data.p + 4, 0xfffffff0U);
			put_le32(d.hive.data.p + 8, 0xfffffff0U);
			memcpy(stale + 512, "HvLE", 4);
			put_le32(stale + 512 + 12, 0xfffffffeU);
			buf_add(&d.log2.data, stale, sizeof stale, &e);
			uint32_t sum = 0;
			for (size_t k = 0; k < 508; k += 4)
				sum ^= le32(d.hive.data.p + k);
			put_le32(d.hive.data.p + 508, sum);
		}
		h = disk_open(&d, HIVE_LOG_HVLE);
		assert_done(hive_begin(h, NOW, &e), e);
		assert_done(hive_set_dword(h, hive_root(h), "n", i, &e), e);
		assert_done(hive_commit(h, &e), e);
		hive_close(h);
		assert_int_equal(le32(d.hive.data.p + 4), 2 * i); /* 0xfffffffe + 2 = 0 */
		assert_int_equal(le32(d.hive.data.p + 8), 2 * i);
	}
	disk_clear(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(upcase_is_nt),
		cmocka_unit_test(value_sizes),
		cmocka_unit_test(big_parts_are_of_one_size),
		cmocka_unit_test(values_too_large),
		cmocka_unit_test(many_keys),
		cmocka_unit_test(key_names),
		cmocka_unit_test(delete_tree),
		cmocka_unit_test(depth_limit),
		cmocka_unit_test(inherited_security),
		cmocka_unit_test(commit_and_reopen),
		cmocka_unit_test(refusals),
		cmocka_unit_test(secrets_are_wiped),
		cmocka_unit_test(logs_keep_no_copy),
		cmocka_unit_test(layered_keys_are_refused),
		cmocka_unit_test(sequence_wraps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
