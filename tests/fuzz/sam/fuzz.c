/*
 * The reader of local accounts on arbitrary bytes: a SAM with two accounts whose F and V, the alias
 * Administrators and the SID of the PC are cut from the input (u16 length before each).
 *
 * What must hold: names are printable UTF-8 and lie inside V; an administrator is an account; sums
 * agree; the list of names fits its room. That no hash is read is sam_test's matter.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/utf16.h"
#include "hive/hive.h"
#include "windows/sam.h"

#define PIECES 6

static const uint8_t sd[] = {1, 0, 0, 0x80, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2,
	0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};

static void must(bool what)
{
	if (!what)
		abort();
}

static void put(struct hive *h, const char *path, const char *name, struct span data)
{
	hive_key k;
	must(hive_create_key(h, hive_root(h), path, NULL, &k, NULL) == 0);
	must(hive_set_value(h, k, name, 3, data.p, data.len, NULL) == 0);
}

static void check_account(const struct sam_account *a)
{
	must(a->name[0] && utf8_valid(a->name, strlen(a->name)));
	for (const char *c = a->name; *c; c++)
		must((unsigned char)*c >= 0x20 && *c != 0x7f);
	must(a->password_set >= 0 && a->last_logon >= 0);
}

static void check(const struct sam *s)
{
	char names[128];
	size_t admins = 0;
	must(s->count <= SAM_ACCOUNTS_MAX && s->count <= s->total);
	for (size_t i = 0; i < s->count; i++) {
		check_account(&s->account[i]);
		admins += s->account[i].admin && s->account[i].enabled;
	}
	must(admins == s->admins && !!sam_only_admin(s) == (admins == 1));
	for (size_t n = sizeof names; n > 20; n -= 13) {
		sam_admin_names(s, names, n);
		must(strlen(names) < n && utf8_valid(names, strlen(names)));
		must((names[0] != '\0') == (admins > 0));
	}
}

static void check_v(struct span v)
{
	struct sam_v at;
	if (!sam_user_v(v, (uint32_t)v.len, &at))
		return;
	must(at.name_at >= SAM_V_HEAD && at.name_len > 0 && at.name_len <= v.len - at.name_at);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const path[PIECES] = {"SAM\\Domains\\Account\\Users\\000001F4",
		"SAM\\Domains\\Account\\Users\\000001F4", "SAM\\Domains\\Account\\Users\\000003E9",
		"SAM\\Domains\\Account\\Users\\000003E9",
		"SAM\\Domains\\Builtin\\Aliases\\00000220", "SAM\\Domains\\Account"};
	static const char *const name[PIECES] = {"F", "V", "F", "V", "C", "V"};
	struct hive *h = NULL;
	struct reader r;
	struct sam s;
	if (n > 20000 || hive_create(&h, 5, "SAM", (struct span){sd, sizeof sd}, 1, NULL) < 0)
		return 0;
	reader_init(&r, p, n);
	for (size_t i = 0; i < PIECES && reader_left(&r) > 2; i++) {
		size_t len = reader_le16(&r);
		len = len < reader_left(&r) ? len : reader_left(&r);
		struct span piece = {reader_take(&r, len), len};
		put(h, path[i], name[i], piece);
		if (strcmp(name[i], "V") == 0)
			check_v(piece);
	}
	if (sam_read(h, &s, NULL) == 0)
		check(&s);
	hive_close(h);
	return 0;
}
