#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf16.h"
#include "hive/hive_int.h"
#include "windows/sam.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define USERS "SAM\\Domains\\Account\\Users\\"
#define HASH 56
#define HASH_BYTE 0xc5

static const uint8_t sd[] = {1, 0, 0, 0x80, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2,
	0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};

/* S-1-5-21-1-2-3 and, with the RID behind it, an account of this PC. */
static const uint8_t machine[24] = {1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};

static void put(struct hive *h, const char *path, const char *name, const void *p, size_t n)
{
	struct err e = ERR_INIT;
	hive_key k;
	assert_done(hive_create_key(h, hive_root(h), path, NULL, &k, &e), e);
	assert_done(hive_set_value(h, k, name, 3, p, n, &e), e);
}

static size_t put_sid(uint8_t *p, uint32_t rid)
{
	memcpy(p, machine, sizeof machine);
	p[1] = 5;
	put_le32(p + 24, rid);
	return 28;
}

static void user(struct hive *h, const char *path, uint32_t rid, uint16_t flags, const char *name,
	uint32_t hash)
{
	uint8_t f[80] = {0}, v[400] = {0};
	size_t len = 2 * strlen(name);
	put_le64(f + 24, 133500000000000000ULL);
	put_le32(f + 48, rid);
	put_le16(f + 56, flags);
	put_le32(v + 16, (uint32_t)len);
	put_le32(v + 168, (uint32_t)(len + 3) / 4 * 4);
	put_le32(v + 172, hash);
	for (size_t i = 0; name[i]; i++)
		put_le16(v + 204 + 2 * i, (uint8_t)name[i]);
	memset(v + 204 + (len + 3) / 4 * 4, HASH_BYTE, hash);
	put(h, path, "F", f, sizeof f);
	put(h, path, "V", v, 204 + (len + 3) / 4 * 4 + hash);
}

/* Two members: account 500, and `second` (a RID). */
static void admins(struct hive *h, uint32_t second)
{
	uint8_t c[52 + 56] = {0};
	size_t n = put_sid(c + 52, 500);
	n += put_sid(c + 52 + n, second);
	put_le32(c + 44, (uint32_t)n);
	put_le32(c + 48, 2);
	put(h, "SAM\\Domains\\Builtin\\Aliases\\00000220", "C", c, 52 + n);
}

static struct hive *new_sam(uint32_t second)
{
	struct err e = ERR_INIT;
	struct hive *h = NULL;
	uint8_t v[48 + 24] = {0};
	assert_done(hive_create(&h, 5, "SAM", (struct span){sd, sizeof sd}, 1, &e), e);
	put_le32(v + 16, 24);
	memcpy(v + 48, machine, 24);
	put(h, "SAM\\Domains\\Account", "V", v, sizeof v);
	user(h, USERS "000001F4", 500, 0x211, "Admin", HASH);
	user(h, USERS "000003E9", 1001, 0x210, "staging", 24);
	admins(h, second);
	return h;
}

static void one_administrator(void **state)
{
	(void)state;
	struct hive *h = new_sam(1001);
	struct sam s;
	struct err e = ERR_INIT;
	assert_done(sam_read(h, &s, &e), e);
	assert_int_equal(s.total, 2);
	assert_int_equal(s.admins, 1);
	assert_int_equal(s.unreadable, 0);
	assert_string_equal(sam_only_admin(&s)->name, "staging");
	assert_int_equal(sam_only_admin(&s)->password, SAM_PASSWORD_BLANK);
	assert_false(s.account[0].enabled);
	assert_true(s.account[0].admin);
	assert_int_equal(s.account[0].password, SAM_PASSWORD_SET);
	assert_int_equal(s.account[0].password_set, 1705526400);
	hive_close(h);
}

/* Poisoned bytes cannot be read at all under the address sanitizer, by anybody. */
static void no_hash_is_ever_read(void **state)
{
	(void)state;
	struct hive *h = new_sam(1001);
	struct sam s;
	struct err e = ERR_INIT;
	size_t poisoned = 0;
	for (uint32_t i = 0; i < h->len; i++)
		if (h->bins[i] == HASH_BYTE && (i == 0 || h->bins[i - 1] != HASH_BYTE)) {
			uint32_t n = 0;
			while (h->bins[i + n] == HASH_BYTE)
				n++;
			ASAN_POISON_MEMORY_REGION(h->bins + i, n);
			poisoned += n;
			i += n;
		}
	assert_true(poisoned >= HASH + 24);
	assert_done(sam_read(h, &s, &e), e);
	ASAN_UNPOISON_MEMORY_REGION(h->bins, h->cap);
	assert_int_equal(s.total, 2);
	hive_close(h);
}

static void everybody_and_strangers(void **state)
{
	(void)state;
	struct hive *h = new_sam(SAM_RID_EVERY_USER);
	struct sam s;
	char names[64], small[12];
	assert_int_equal(sam_read(h, &s, NULL), 0);
	assert_true(s.account[0].admin && s.account[1].admin);
	user(h, USERS "000001F4", 500, 0x210, "Admin", HASH);
	assert_int_equal(sam_read(h, &s, NULL), 0);
	assert_int_equal(s.admins, 2);
	assert_null(sam_only_admin(&s));
	sam_admin_names(&s, names, sizeof names);
	assert_string_equal(names, "Admin, staging");
	sam_admin_names(&s, small, sizeof small);
	assert_string_equal(small, "Admin, ...");
	admins(h, 4711); /* nobody here */
	assert_int_equal(sam_read(h, &s, NULL), 0);
	assert_int_equal(s.foreign_admins, 1);
	hive_close(h);
}

static void broken_accounts_are_counted(void **state)
{
	(void)state;
	struct hive *h = new_sam(1001);
	struct sam s;
	put(h, USERS "000003E9", "V", "short", 5);
	assert_int_equal(sam_read(h, &s, NULL), 0);
	assert_int_equal(s.total, 1);
	assert_int_equal(s.unreadable, 1);
	put(h, "SAM\\Domains\\Builtin\\Aliases\\00000220", "C", "short", 5);
	assert_int_equal(sam_read(h, &s, NULL), 0);
	assert_int_equal(s.unreadable, 2);
	hive_close(h);
	struct err e = ERR_INIT;
	assert_int_equal(hive_create(&h, 5, "SAM", (struct span){sd, sizeof sd}, 1, NULL), 0);
	assert_int_equal(sam_read(h, &s, &e), -ERR_NOTFOUND);
	hive_close(h);
}

/* A directory that points outside its value. */
static void names_stay_inside(void **state)
{
	(void)state;
	uint8_t head[SAM_V_HEAD] = {0};
	struct span s = {head, sizeof head};
	struct sam_v v;
	put_le32(head + 16, 10);
	assert_true(sam_user_v(s, SAM_V_HEAD + 10, &v));
	assert_int_equal(v.name_at, SAM_V_HEAD);
	assert_false(sam_user_v(s, SAM_V_HEAD + 9, &v));
	put_le32(head + 12, 0xfffffffc);
	assert_false(sam_user_v(s, SAM_V_HEAD + 10, &v));
	put_le32(head + 12, 0);
	put_le32(head + 16, 9);
	assert_false(sam_user_v(s, SAM_V_HEAD + 10, &v));
	s.len--;
	assert_false(sam_user_v(s, SAM_V_HEAD + 10, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_administrator),
		cmocka_unit_test(no_hash_is_ever_read),
		cmocka_unit_test(everybody_and_strangers),
		cmocka_unit_test(broken_accounts_are_counted),
		cmocka_unit_test(names_stay_inside),
	};
	return cmocka_run_group_tests_name("sam", tests, NULL, NULL);
}
