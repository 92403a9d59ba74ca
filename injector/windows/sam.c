#include "windows/sam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "base/utf16.h"
#include "hive/hive.h"
#include "windows/reg.h"

/* F of a user */
#define F_LAST_LOGON 8
#define F_PASSWORD_SET 24
#define F_RID 48
#define F_FLAGS 56
#define F_MIN 60
#define FLAG_DISABLED 0x0001u
#define FLAG_NEVER_EXPIRES 0x0200u
#define FLAG_LOCKED 0x0400u
#define NEVER 0x7fffffffffffffffULL

/* V: entries of {offset, length, attribute}, offsets from the end of the directory */
#define V_ENTRY ((size_t)12)
#define V_NAME 1
#define V_NT_HASH 14
#define DOMAIN_V_HEAD 48 /* the V of a domain has 4 entries; the second is its SID */
#define DOMAIN_V_MAX 4096

/* C of an alias: a header of 52 bytes; at 40 the members' offset, length and number */
#define C_HEAD 52
#define C_MEMBERS 40
#define SID_HEAD 8
#define MACHINE_SID 24 /* S-1-5-21-a-b-c */

static const char users_path[] = "SAM\\Domains\\Account\\Users";
static const char admins_path[] = "SAM\\Domains\\Builtin\\Aliases\\00000220";

/* --- single values --- */

static int64_t when(uint64_t filetime)
{
	int64_t t = filetime && filetime < NEVER ? clock_from_filetime(filetime) : 0;
	return t > 0 ? t : 0;
}

bool sam_user_f(struct span f, struct sam_account *a)
{
	if (f.len < F_MIN)
		return false;
	uint32_t flags = le16(f.p + F_FLAGS);
	a->rid = le32(f.p + F_RID);
	a->enabled = !(flags & FLAG_DISABLED);
	a->locked = (flags & FLAG_LOCKED) != 0;
	a->password_expires = !(flags & FLAG_NEVER_EXPIRES);
	a->password_set = when(le64(f.p + F_PASSWORD_SET));
	a->last_logon = when(le64(f.p + F_LAST_LOGON));
	return true;
}

/* Lengths of what stands for a hash: 4 and 20 with the old encryption (header, hash), 24 and 56
 * since Windows 10 1607 (header and salt, two blocks). */
static enum sam_password by_length(uint32_t n)
{
	return n == 20 || n == 56	     ? SAM_PASSWORD_SET
	       : n == 0 || n == 4 || n == 24 ? SAM_PASSWORD_BLANK
					     : SAM_PASSWORD_UNKNOWN;
}

bool sam_user_v(struct span head, uint32_t size, struct sam_v *v)
{
	if (head.len < SAM_V_HEAD || size < SAM_V_HEAD)
		return false;
	uint32_t room = size - SAM_V_HEAD;
	uint32_t at = le32(head.p + V_NAME * V_ENTRY), len = le32(head.p + V_NAME * V_ENTRY + 4);
	if (len == 0 || len % 2 || len > room || at > room - len)
		return false;
	v->name_at = SAM_V_HEAD + at;
	v->name_len = len;
	v->password = by_length(le32(head.p + V_NT_HASH * V_ENTRY + 4));
	return true;
}

bool sam_members(struct span c, void (*member)(void *ctx, struct span sid), void *ctx)
{
	struct reader r;
	reader_init(&r, c.p, c.len);
	reader_seek(&r, C_MEMBERS);
	uint32_t at = reader_le32(&r), len = reader_le32(&r), count = reader_le32(&r);
	if (!reader_ok(&r) || c.len < C_HEAD || at > c.len - C_HEAD || len > c.len - C_HEAD - at)
		return false;
	reader_init(&r, c.p + C_HEAD + at, len);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *sid = reader_take(&r, SID_HEAD);
		size_t n = sid ? 4 * (size_t)sid[1] : 0;
		if (!sid || sid[0] != 1 || SID_HEAD + n > SAM_SID_MAX || !reader_take(&r, n))
			return false;
		member(ctx, (struct span){sid, SID_HEAD + n});
	}
	return true;
}

bool sam_machine_sid(struct span v, struct span *sid)
{
	struct reader r;
	reader_init(&r, v.p, v.len);
	reader_seek(&r, V_ENTRY);
	uint32_t at = reader_le32(&r), len = reader_le32(&r);
	if (!reader_ok(&r) || len != MACHINE_SID || v.len < DOMAIN_V_HEAD + MACHINE_SID ||
		at > v.len - DOMAIN_V_HEAD - MACHINE_SID)
		return false;
	*sid = (struct span){v.p + DOMAIN_V_HEAD + at, MACHINE_SID};
	return sid->p[0] == 1 && sid->p[1] == 4;
}

/* --- the hive --- */

/* Text that is shown and journalled. */
static void keep_name(char out[SAM_NAME_MAX], const uint8_t *units, size_t n)
{
	char *text = utf16le_sz_to_utf8(units, n);
	reg_copy(out, SAM_NAME_MAX, text ? text : "");
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	free(text);
}

/* The directory and the name, byte for byte what is needed: the rest of V is not ours to read. */
static bool read_v(const struct hive *h, hive_key user, struct sam_account *a)
{
	struct hive_value value;
	struct sam_v v;
	uint8_t head[SAM_V_HEAD], name[2 * SAM_NAME_MAX];
	if (hive_find_value(h, user, "V", &value, NULL) < 0 ||
		hive_read_part(h, &value, 0, head, sizeof head, NULL) < 0 ||
		!sam_user_v((struct span){head, sizeof head}, value.size, &v))
		return false;
	uint32_t n = v.name_len < sizeof name ? v.name_len : sizeof name;
	if (hive_read_part(h, &value, v.name_at, name, n, NULL) < 0)
		return false;
	keep_name(a->name, name, n);
	a->password = v.password;
	return a->name[0] != '\0';
}

static bool read_user(const struct hive *h, hive_key user, struct sam_account *a)
{
	struct buf f = BUF_INIT;
	struct hive_value v;
	*a = (struct sam_account){0};
	bool ok = reg_bytes(h, user, "", "F", 4096, &f) && sam_user_f(SPAN_OF(f), a) &&
		  read_v(h, user, a);
	a->microsoft = hive_find_value(h, user, "InternetUserName", &v, NULL) == 0;
	buf_clear(&f);
	return ok;
}

static void keep(struct sam *s, const struct sam_account *a)
{
	s->total++;
	if (s->count < SAM_ACCOUNTS_MAX)
		s->account[s->count++] = *a;
}

static int read_users(const struct hive *h, struct sam *s, struct err *e)
{
	struct hive_key_info info;
	hive_key users = reg_key(h, hive_root(h), users_path);
	if (users == HIVE_KEY_NONE || hive_key_info(h, users, &info, e) < 0)
		return err_set(e, ERR_NOTFOUND, NULL, "the hive holds no accounts");
	for (uint32_t i = 0; i < info.subkeys && i < SAM_USERS_MAX; i++) {
		struct sam_account a;
		struct hive_key_info user;
		hive_key key;
		if (hive_subkey_at(h, users, i, &key, NULL) < 0 ||
			hive_key_info(h, key, &user, NULL) < 0) {
			s->unreadable++;
			continue;
		}
		if (user.values < 2) /* "Names": the same accounts by name */
			continue;
		if (read_user(h, key, &a))
			keep(s, &a);
		else
			s->unreadable++;
	}
	return 0;
}

struct admins {
	struct sam *s;
	struct span machine;
};

static void take_admin(void *ctx, struct span sid)
{
	struct admins *a = ctx;
	bool local = a->machine.p && sid.len == a->machine.len + 4 &&
		     memcmp(sid.p + 2, a->machine.p + 2, a->machine.len - 2) == 0;
	uint32_t rid = local ? le32(sid.p + sid.len - 4) : 0;
	bool found = false;
	for (size_t i = 0; local && i < a->s->count; i++)
		if (rid == SAM_RID_EVERY_USER || a->s->account[i].rid == rid) {
			a->s->account[i].admin = true;
			found = true;
		}
	if (!found)
		a->s->foreign_admins++;
}

int sam_read(const struct hive *h, struct sam *s, struct err *e)
{
	struct buf v = BUF_INIT, c = BUF_INIT;
	struct admins a = {.s = s};
	*s = (struct sam){0};
	int ret = read_users(h, s, e);
	if (ret == 0 && reg_bytes(h, hive_root(h), "SAM\\Domains\\Account", "V", DOMAIN_V_MAX, &v))
		sam_machine_sid(SPAN_OF(v), &a.machine);
	if (ret == 0 && !a.machine.p)
		s->unreadable++;
	if (ret == 0 && (!reg_bytes(h, hive_root(h), admins_path, "C", SAM_C_MAX, &c) ||
				!sam_members(SPAN_OF(c), take_admin, &a)))
		s->unreadable++;
	for (size_t i = 0; i < s->count; i++)
		s->admins += s->account[i].admin && s->account[i].enabled;
	buf_clear(&v);
	buf_clear(&c);
	return ret;
}

const struct sam_account *sam_only_admin(const struct sam *s)
{
	if (s->admins != 1)
		return NULL;
	for (size_t i = 0; i < s->count; i++)
		if (s->account[i].admin && s->account[i].enabled)
			return &s->account[i];
	return NULL;
}

void sam_admin_names(const struct sam *s, char *out, size_t size)
{
	static const char more[] = ", ...";
	size_t n = 0;
	out[0] = '\0';
	for (size_t i = 0; i < s->count; i++) {
		const struct sam_account *a = &s->account[i];
		if (!a->admin || !a->enabled)
			continue;
		size_t len = strlen(a->name) + (n ? 2 : 0);
		if (n + len + sizeof more > size) {
			reg_copy(out + n, size - n, n ? more : "...");
			return;
		}
		snprintf(out + n, size - n, "%s%s", n ? ", " : "", a->name);
		n += len;
	}
}

const char *sam_password_name(enum sam_password p)
{
	return p == SAM_PASSWORD_SET ? "set" : p == SAM_PASSWORD_BLANK ? "blank" : "unknown";
}
