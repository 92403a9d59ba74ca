/* Every finding of odj_check(), there and not there, for both uses: fields of a good blob are
 * changed one at a time. */
#include "test.h"

#include <string.h>

#include "base/secret.h"
#include "odj/odj.h"

#define ONE "tests/vectors/blobs/ALM-FIL-001.txt"

static int start(void **state)
{
	(void)state;
	return secret_setup(NULL);
}

static struct odj_win7 *join_of(struct odj *o)
{
	return (struct odj_win7 *)o->join;
}

static struct odj_package *package_of(struct odj *o)
{
	return (struct odj_package *)o->package;
}

static void make_part(struct odj *o, enum odj_part_kind kind, uint32_t flags)
{
	struct odj_part *p = &package_of(o)->parts[package_of(o)->count - 1];
	p->kind = kind;
	p->flags = flags;
}

static void nothing(struct odj *o)
{
	(void)o;
}

static void no_join(struct odj *o)
{
	o->join = NULL;
}

static void no_name(struct odj *o)
{
	join_of(o)->machine_name.utf8 = NULL;
}

static void bad_name(struct odj *o)
{
	join_of(o)->machine_name.utf8 = "A B";
}

static void other_netbios_name(struct odj *o)
{
	static struct odj_prov2 other = {.netbios_name = {.utf8 = "ELSE", .len = 8}};
	o->prov2 = &other;
}

static void no_password(struct odj *o)
{
	secret_clear(&join_of(o)->password);
}

/* The name ALM-FIL-001 in small letters, as UTF-16. */
static void default_password(struct odj *o)
{
	static const char name[] = "alm-fil-001";
	struct secret *p = &join_of(o)->password;
	secret_clear(p);
	assert_int_equal(secret_alloc(p, 2 * strlen(name), NULL), 0);
	for (size_t i = 0; i < strlen(name); i++) {
		p->p[2 * i] = (uint8_t)name[i];
		p->p[2 * i + 1] = 0;
	}
}

static void no_sid(struct odj *o)
{
	join_of(o)->sid.utf8 = NULL;
}

static void no_domain_guid(struct odj *o)
{
	memset(join_of(o)->domain_guid, 0, 16);
}

static void other_domain_guid(struct odj *o)
{
	join_of(o)->dc.domain_guid[3] ^= 1;
}

static void no_dc(struct odj *o)
{
	join_of(o)->dc.name.utf8 = NULL;
}

static void unknown_part(struct odj *o)
{
	make_part(o, ODJ_PART_UNKNOWN, 0);
}

static void unknown_essential_part(struct odj *o)
{
	make_part(o, ODJ_PART_UNKNOWN, ODJ_PART_ESSENTIAL);
}

static void certificates(struct odj *o)
{
	make_part(o, ODJ_PART_CERT, 0);
}

static void essential_certificates(struct odj *o)
{
	make_part(o, ODJ_PART_CERT, ODJ_PART_ESSENTIAL);
}

static void policies(struct odj *o)
{
	make_part(o, ODJ_PART_POLICY, 0);
}

static void essential_policies(struct odj *o)
{
	make_part(o, ODJ_PART_POLICY, ODJ_PART_ESSENTIAL);
}

static void joined_twice(struct odj *o)
{
	make_part(o, ODJ_PART_JOIN_PROVIDER, 0);
}

static void copies_differ(struct odj *o)
{
	o->copies = ODJ_COPIES_DIFFER;
}

static void noted(struct odj *o)
{
	o->note_count = 1;
	strcpy(o->notes[0], "odd");
}

enum { NONE, WARN = ODJ_WARN, STOP = ODJ_STOP };

static const struct {
	void (*change)(struct odj *o);
	const char *id;
	int direct, windows; /* the level of that finding */
} cases[] = {
	{nothing, NULL, NONE, NONE},
	{no_join, "odj.join", STOP, STOP},
	{no_name, "odj.name", STOP, STOP},
	{bad_name, "odj.name", STOP, STOP},
	{other_netbios_name, "odj.netbios-name", STOP, NONE},
	{no_password, "odj.password", STOP, STOP},
	{default_password, "odj.default-password", WARN, WARN},
	{no_sid, "odj.domain", STOP, STOP},
	{no_domain_guid, "odj.domain", STOP, STOP},
	{other_domain_guid, "odj.domain-guid", WARN, WARN},
	{no_dc, "odj.dc", WARN, WARN},
	{unknown_part, "odj.part-unknown", WARN, WARN},
	{unknown_essential_part, "odj.part-unknown", STOP, WARN},
	{certificates, "odj.part-cert", WARN, NONE},
	{essential_certificates, "odj.part-cert", STOP, NONE},
	{policies, "odj.part-policy", WARN, NONE},
	{essential_policies, "odj.part-policy", STOP, NONE},
	{joined_twice, "odj.duplicate", STOP, STOP},
	{copies_differ, "odj.copies", STOP, STOP},
	{noted, "odj.oddities", WARN, WARN},
};

static void must_find(const struct odj *o, enum odj_use use, const char *id, int level)
{
	struct odj_finding f[ODJ_FINDINGS_MAX];
	size_t n = odj_check(o, use, f);
	int found = NONE;
	for (size_t i = 0; i < n; i++) {
		if (!id || strcmp(f[i].id, id) != 0)
			fail_msg("%s: also %s", id ? id : "a good blob", f[i].id);
		found = (int)f[i].level;
		assert_true(f[i].text[0]);
	}
	if (found != level)
		fail_msg("%s: level %d, not %d", id ? id : "a good blob", found, level);
}

static void every_finding(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		struct secret raw = SECRET_INIT;
		struct odj o = ODJ_INIT;
		assert_done(odj_read_file(ONE, &raw, NULL, &e), e);
		assert_done(odj_decode(&raw, &o, &e), e);
		cases[i].change(&o);
		must_find(&o, ODJ_DIRECT, cases[i].id, cases[i].direct);
		must_find(&o, ODJ_WINDOWS, cases[i].id, cases[i].windows);
		odj_clear(&o);
		secret_clear(&raw);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_finding)};
	return cmocka_run_group_tests_name("odj_check", tests, start, NULL);
}
