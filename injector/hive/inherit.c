/*
 * What a new key's security descriptor is, given its parent's.
 *
 * The rules for a container: an ACE with CONTAINER_INHERIT becomes effective
 * and stays inheritable unless NO_PROPAGATE; one with only OBJECT_INHERIT is
 * handed on without effect. CREATOR OWNER and CREATOR GROUP, and generic
 * rights, are replaced in an effective copy while the original is kept
 * inherit-only. When the parent's list is itself auto-inherited, the copies are
 * marked inherited, and what an earlier ACE already says is left out.
 * Owner and group are the parent's.
 */
#include "hive/hive_int.h"

#include <string.h>

enum {
	SD_DACL_PRESENT = 4,
	SD_SACL_PRESENT = 0x10,
	SD_DACL_AUTO = 0x400,
	SD_SACL_AUTO = 0x800,
	SD_SELF_RELATIVE = 0x8000
};
enum { ACE_OI = 1, ACE_CI = 2, ACE_NP = 4, ACE_IO = 8, ACE_ID = 0x10, ACE_AUDIT = 0xc0 };

#define GENERIC_READ 0x80000000U
#define GENERIC_WRITE 0x40000000U
#define GENERIC_EXECUTE 0x20000000U
#define GENERIC_ALL 0x10000000U
#define KEY_READ 0x20019U
#define KEY_WRITE 0x20006U
#define KEY_EXECUTE 0x20039U
#define KEY_ALL 0xf003fU

static uint32_t map_generic(uint32_t mask)
{
	uint32_t m = mask;
	if (mask & GENERIC_READ)
		m |= KEY_READ;
	if (mask & GENERIC_WRITE)
		m |= KEY_WRITE;
	if (mask & GENERIC_EXECUTE)
		m |= KEY_EXECUTE;
	if (mask & GENERIC_ALL)
		m |= KEY_ALL;
	return m == mask ? m : m & KEY_ALL;
}

struct acl_job {
	struct span owner, group; /* SIDs */
	uint8_t id_flag;	  /* ACE_ID when the parent's list is auto-inherited */
	struct buf *out;	  /* ACEs so far */
	uint32_t count;
};

static struct span sid_at(struct span sd, uint32_t at)
{
	return at ? (struct span){sd.p + at, 8U + 4U * sd.p[at + 1]} : (struct span){NULL, 0};
}

static int put_ace(struct acl_job *j, uint8_t type, uint8_t flags, uint32_t mask, struct span sid,
	struct err *e)
{
	uint8_t head[8] = {type, flags};
	put_le16(head + 2, (uint16_t)(8 + sid.len));
	put_le32(head + 4, mask);
	j->count++;
	int ret = buf_add(j->out, head, 8, e);
	return ret == 0 ? buf_add(j->out, sid.p, sid.len, e) : ret;
}

/* An earlier ACE already says this: same kind and SID, at least the same rights, and either in
 * effect (pass 0) or inheritable at least as far. */
static bool covers(const uint8_t *ace, uint8_t type, uint32_t mask, struct span sid, uint8_t pass)
{
	if (ace[0] != type || le16(ace + 2) != 8 + sid.len || memcmp(ace + 8, sid.p, sid.len) != 0)
		return false;
	bool reach = pass ? (ace[1] & pass) == pass : !(ace[1] & ACE_IO);
	return reach && (mask & ~le32(ace + 4)) == 0;
}

static bool covered(const struct acl_job *j, size_t from, uint8_t type, uint32_t mask,
	struct span sid, uint8_t pass)
{
	if (!j->id_flag) /* only done for automatic inheritance */
		return false;
	for (size_t at = from; at < j->out->len; at += le16(j->out->p + at + 2))
		if (covers(j->out->p + at, type, mask, sid, pass))
			return true;
	return false;
}

static struct span replace_creator(const struct acl_job *j, struct span sid)
{
	static const uint8_t creator[8] = {1, 1, 0, 0, 0, 0, 0, 3};
	if (sid.len != 12 || memcmp(sid.p, creator, 8) != 0)
		return sid;
	uint32_t rid = le32(sid.p + 8);
	if (rid == 0 && j->owner.p)
		return j->owner;
	if (rid == 1 && j->group.p)
		return j->group;
	return sid;
}

/* One allow, deny or audit ACE (header, mask, SID). */
static int inherit_plain(struct acl_job *j, size_t first, const uint8_t *ace, struct err *e)
{
	struct span sid = {ace + 8, 8U + 4U * ace[9]};
	uint32_t mask = le32(ace + 4), mapped = map_generic(mask);
	struct span who = replace_creator(j, sid);
	uint8_t keep = ace[1] & ACE_AUDIT, pass = ace[1] & (ACE_OI | ACE_CI);
	bool changed = mapped != mask || who.p != sid.p;
	bool effect = !covered(j, first, ace[0], mapped, who, 0);
	bool stays = !(ace[1] & ACE_NP) && !covered(j, first, ace[0], mask, sid, pass);
	if (effect && stays && !changed)
		return put_ace(j, ace[0], keep | pass | j->id_flag, mask, sid, e);
	int ret = 0;
	if (effect)
		ret = put_ace(j, ace[0], keep | j->id_flag, mapped, who, e);
	if (ret == 0 && stays)
		ret = put_ace(j, ace[0], keep | pass | ACE_IO | j->id_flag, mask, sid, e);
	return ret;
}

static int inherit_ace(struct acl_job *j, size_t first, const uint8_t *ace, struct err *e)
{
	uint32_t n = le16(ace + 2);
	if (!(ace[1] & (ACE_OI | ACE_CI)))
		return 0;
	bool plain = ace[0] <= 3 && n >= 16 && n >= 16U + 4U * ace[9];
	if (ace[1] & ACE_CI && plain)
		return inherit_plain(j, first, ace, e);
	if (!(ace[1] & ACE_CI) && ace[1] & ACE_NP)
		return 0;
	/* Only for objects below, or a kind whose inside we do not know: handed on as it is. */
	uint8_t flags = (ace[1] & (ACE_AUDIT | ACE_OI | ACE_CI)) | j->id_flag;
	if (!(ace[1] & ACE_CI))
		flags |= ACE_IO;
	else if (ace[1] & ACE_NP)
		flags &= (uint8_t) ~(ACE_OI | ACE_CI);
	size_t at = j->out->len;
	int ret = buf_add(j->out, ace, n, e);
	if (ret == 0) {
		j->out->p[at + 1] = flags;
		j->count++;
	}
	return ret;
}

/* Append the inherited form of the ACL at `at` to out; *where is its offset or 0 when empty. */
static int inherit_acl(struct span parent, uint32_t at, bool automatic, struct buf *out,
	uint32_t *where, struct err *e)
{
	const uint8_t *acl = parent.p + at;
	size_t start = out->len;
	struct acl_job j = {
		.owner = sid_at(parent, le32(parent.p + 4)),
		.group = sid_at(parent, le32(parent.p + 8)),
		.id_flag = automatic ? ACE_ID : 0,
		.out = out,
	};
	int ret = buf_add(out, acl, 8, e);
	uint32_t pos = 8;
	for (uint32_t i = 0, n = le16(acl + 4); ret == 0 && i < n; i++) {
		ret = inherit_ace(&j, start + 8, acl + pos, e);
		pos += le16(acl + pos + 2);
	}
	if (ret < 0)
		return ret;
	*where = 0;
	if (j.count == 0 || out->len - start > UINT16_MAX) {
		out->len = start;
		return 0;
	}
	put_le16(out->p + start + 2, (uint16_t)(out->len - start));
	put_le16(out->p + start + 4, (uint16_t)j.count);
	*where = (uint32_t)start;
	return 0;
}

static int put_sid(struct span parent, size_t field, struct buf *out, struct err *e)
{
	struct span sid = sid_at(parent, le32(parent.p + field));
	if (!sid.p)
		return 0;
	put_le32(out->p + field, (uint32_t)out->len);
	return buf_add(out, sid.p, sid.len, e);
}

int security_inherit(struct span parent, struct buf *out, struct err *e)
{
	out->len = 0;
	if (!security_valid(parent))
		return err_set(e, ERR_INTEGRITY, "The hive was not changed.",
			"the parent key's security descriptor is not valid");
	uint32_t sacl = le32(parent.p + 12), dacl = le32(parent.p + 16), at = 0;
	uint16_t control = le16(parent.p + 2), flags = SD_SELF_RELATIVE;
	int ret = buf_grow(out, 20, NULL, e);
	if (ret == 0 && control & SD_SACL_PRESENT && sacl) {
		ret = inherit_acl(parent, sacl, control & SD_SACL_AUTO, out, &at, e);
		if (ret == 0)
			put_le32(out->p + 12, at);
	}
	/* Automatic inheritance says so even when there is no audit ACE to hand down. */
	if (at || control & SD_SACL_AUTO)
		flags |= SD_SACL_PRESENT | (control & SD_SACL_AUTO);
	at = 0;
	if (ret == 0 && control & SD_DACL_PRESENT && dacl)
		ret = inherit_acl(parent, dacl, control & SD_DACL_AUTO, out, &at, e);
	if (ret < 0)
		return ret;
	if (!at) {
		/* Nothing is handed down; the creator's default list is not known here. The
		 * parent's own descriptor is the nearest that cannot give away more. */
		out->len = 0;
		return buf_add(out, parent.p, parent.len, e);
	}
	flags |= SD_DACL_PRESENT | (control & SD_DACL_AUTO);
	out->p[0] = 1;
	put_le16(out->p + 2, flags);
	put_le32(out->p + 16, at);
	ret = put_sid(parent, 4, out, e);
	return ret == 0 ? put_sid(parent, 8, out, e) : ret;
}
