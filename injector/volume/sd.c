#include "volume/sd.h"

#include <string.h>

#include "base/reader.h"

#define SE_DACL_PRESENT 0x0004
#define SE_SACL_PRESENT 0x0010
#define SE_DACL_AUTO_INHERITED 0x0400
#define SE_SACL_AUTO_INHERITED 0x0800
#define SE_DACL_PROTECTED 0x1000
#define SE_SELF_RELATIVE 0x8000

#define ACE_OBJECT_INHERIT 0x01
#define ACE_CONTAINER_INHERIT 0x02
#define ACE_NO_PROPAGATE 0x04
#define ACE_INHERIT_ONLY 0x08
#define ACE_INHERITED 0x10
#define ACE_INHERITANCE 0x1F

#define ACE_TYPE_ALLOWED 0
#define ACE_TYPE_DENIED 1
#define ACE_TYPE_AUDIT 2

#define ACL_HEADER 8
#define ACE_HEADER 8 /* type, flags, size, mask */
#define SD_HEADER 20
#define GENERIC_BITS 0xF0000000u

static const uint8_t sid_creator_owner[12] = {1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0};
static const uint8_t sid_creator_group[12] = {1, 1, 0, 0, 0, 0, 0, 3, 1, 0, 0, 0};
static const uint8_t sid_system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
static const uint8_t sid_admins[16] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0};

static uint32_t map_generic(uint32_t mask)
{
	uint32_t out = mask & ~GENERIC_BITS;
	if (mask & 0x80000000u)
		out |= 0x00120089; /* FILE_GENERIC_READ */
	if (mask & 0x40000000u)
		out |= 0x00120116; /* FILE_GENERIC_WRITE */
	if (mask & 0x20000000u)
		out |= 0x001200A0; /* FILE_GENERIC_EXECUTE */
	if (mask & 0x10000000u)
		out |= 0x001F01FF; /* FILE_ALL_ACCESS */
	return out;
}

struct ace {
	uint8_t type;
	uint8_t flags;
	uint32_t mask;
	struct span rest; /* SID and whatever follows it */
};

struct acl {
	struct buf *out;
	size_t start;
	unsigned count;
};

static int acl_begin(struct acl *a, struct buf *out, struct err *e)
{
	*a = (struct acl){out, out->len, 0};
	return buf_grow(out, ACL_HEADER, NULL, e);
}

static void acl_end(struct acl *a, uint8_t revision)
{
	uint8_t *h = a->out->p + a->start;
	h[0] = revision;
	put_le16(h + 2, (uint16_t)(a->out->len - a->start));
	put_le16(h + 4, (uint16_t)a->count);
}

static int acl_add(struct acl *a, const struct ace *ace, struct err *e)
{
	uint8_t *at;
	size_t size = ACE_HEADER + ace->rest.len;
	if (a->out->len + size > SD_MAX)
		return err_set(e, ERR_LIMIT, NULL, "security descriptor would be too large");
	int ret = buf_grow(a->out, size, &at, e);
	if (ret < 0)
		return ret;
	at[0] = ace->type;
	at[1] = ace->flags;
	put_le16(at + 2, (uint16_t)size);
	put_le32(at + 4, ace->mask);
	memcpy(at + ACE_HEADER, ace->rest.p, ace->rest.len);
	a->count++;
	return 0;
}

static bool is_sid(struct span s, const uint8_t sid[12])
{
	return s.len >= 12 && !memcmp(s.p, sid, 12);
}

/* The entry as it applies to the new object itself. True when that differs from the original in
 * more than flags, so that a folder needs the original too. */
static bool make_effective(struct ace *ace)
{
	bool changed = (ace->mask & GENERIC_BITS) != 0;
	if (ace->type > ACE_TYPE_AUDIT)
		return false; /* labels, conditional and object entries are copied as they are */
	ace->mask = map_generic(ace->mask);
	if (is_sid(ace->rest, sid_creator_owner))
		ace->rest = (struct span){sid_admins, sizeof sid_admins};
	else if (is_sid(ace->rest, sid_creator_group))
		ace->rest = (struct span){sid_system, sizeof sid_system};
	else
		return changed;
	return true;
}

static int inherit_ace(struct acl *to, const struct ace *from, bool for_dir, struct err *e)
{
	bool oi = from->flags & ACE_OBJECT_INHERIT, ci = from->flags & ACE_CONTAINER_INHERIT;
	bool stop = from->flags & ACE_NO_PROPAGATE;
	uint8_t other = (uint8_t)((from->flags & ~ACE_INHERITANCE) | ACE_INHERITED);
	uint8_t pass = (uint8_t)(from->flags & (ACE_OBJECT_INHERIT | ACE_CONTAINER_INHERIT));
	struct ace mine = *from, kept = *from;
	bool differs = make_effective(&mine);
	int ret = 0;

	mine.flags = other;
	kept.flags = (uint8_t)(other | pass | ACE_INHERIT_ONLY);
	if (!for_dir)
		return oi ? acl_add(to, &mine, e) : 0;
	if (ci && !differs && !stop)
		mine.flags |= pass;
	if (ci)
		ret = acl_add(to, &mine, e);
	if (ret == 0 && !stop && ((ci && differs) || (oi && !ci)))
		ret = acl_add(to, &kept, e);
	return ret;
}

static int inherit_acl(struct span sd, uint32_t off, struct acl *to, bool for_dir,
	uint8_t *revision, struct err *e)
{
	struct reader r;
	reader_init(&r, sd.p, sd.len);
	reader_seek(&r, off);
	*revision = reader_u8(&r);
	reader_skip(&r, 3);
	unsigned count = reader_le16(&r);
	reader_skip(&r, 2);
	for (unsigned i = 0; i < count; i++) {
		struct ace ace = {.type = reader_u8(&r), .flags = reader_u8(&r)};
		uint16_t size = reader_le16(&r);
		ace.mask = reader_le32(&r);
		ace.rest.len = size >= ACE_HEADER ? size - (size_t)ACE_HEADER : SIZE_MAX;
		ace.rest.p = reader_take(&r, ace.rest.len);
		if (!reader_ok(&r))
			return err_set(e, ERR_FORMAT, NULL,
				"the security descriptor of the folder is malformed");
		int ret = inherit_ace(to, &ace, for_dir, e);
		if (ret < 0)
			return ret;
	}
	return reader_ok(&r) ? 0
			     : err_set(e, ERR_FORMAT, NULL,
				       "the security descriptor of the folder is malformed");
}

static int default_dacl(struct acl *to, struct err *e)
{
	struct ace ace = {.type = ACE_TYPE_ALLOWED, .mask = 0x001F01FF};
	ace.rest = (struct span){sid_system, sizeof sid_system};
	int ret = acl_add(to, &ace, e);
	ace.rest = (struct span){sid_admins, sizeof sid_admins};
	return ret < 0 ? ret : acl_add(to, &ace, e);
}

/* Owner Administrators and group SYSTEM behind the lists, then the header in front of them. */
static int finish(struct buf *sd, uint16_t flags, uint32_t sacl_at, uint32_t dacl_at, struct err *e)
{
	uint32_t owner_at = (uint32_t)sd->len;
	int ret = buf_add(sd, sid_admins, sizeof sid_admins, e);
	if (ret == 0)
		ret = buf_add(sd, sid_system, sizeof sid_system, e);
	if (ret < 0)
		return ret;
	sd->p[0] = 1;
	put_le16(sd->p + 2, flags);
	put_le32(sd->p + 4, owner_at);
	put_le32(sd->p + 8, owner_at + (uint32_t)sizeof sid_admins);
	put_le32(sd->p + 12, sacl_at);
	put_le32(sd->p + 16, dacl_at);
	return 0;
}

int sd_secret(struct buf *out, struct err *e)
{
	struct buf sd = BUF_INIT;
	struct acl acl;
	int ret = buf_grow(&sd, SD_HEADER, NULL, e);
	if (ret == 0)
		ret = acl_begin(&acl, &sd, e);
	if (ret == 0)
		ret = default_dacl(&acl, e);
	if (ret == 0) {
		acl_end(&acl, 2);
		ret = finish(&sd, SE_SELF_RELATIVE | SE_DACL_PRESENT | SE_DACL_PROTECTED, 0,
			(uint32_t)acl.start, e);
	}
	if (ret == 0)
		ret = buf_add(out, sd.p, sd.len, e);
	buf_clear(&sd);
	return ret;
}

int sd_inherit(struct span parent, bool for_dir, struct buf *out, struct err *e)
{
	struct reader r;
	reader_init(&r, parent.p, parent.len);
	reader_skip(&r, 2);
	uint16_t control = reader_le16(&r);
	reader_skip(&r, 8);
	uint32_t sacl = reader_le32(&r), dacl = reader_le32(&r);
	if (!reader_ok(&r))
		return err_set(
			e, ERR_FORMAT, NULL, "the security descriptor of the folder is malformed");

	struct buf sd = BUF_INIT;
	struct acl acl;
	uint8_t revision = 2;
	uint16_t flags = SE_SELF_RELATIVE | SE_DACL_PRESENT | SE_DACL_AUTO_INHERITED;
	uint32_t sacl_at = 0;
	int ret = buf_grow(&sd, SD_HEADER, NULL, e);
	if (ret == 0 && (control & SE_SACL_PRESENT) && sacl) {
		ret = acl_begin(&acl, &sd, e);
		ret = ret < 0 ? ret : inherit_acl(parent, sacl, &acl, for_dir, &revision, e);
		if (ret == 0 && acl.count) {
			acl_end(&acl, revision);
			sacl_at = (uint32_t)acl.start;
			flags |= SE_SACL_PRESENT | SE_SACL_AUTO_INHERITED;
		} else {
			sd.len = acl.start;
		}
	}
	if (ret == 0)
		ret = acl_begin(&acl, &sd, e);
	revision = 2;
	if (ret == 0 && (control & SE_DACL_PRESENT) && dacl)
		ret = inherit_acl(parent, dacl, &acl, for_dir, &revision, e);
	if (ret == 0 && acl.count == 0)
		ret = default_dacl(&acl, e);
	if (ret == 0) {
		acl_end(&acl, revision);
		ret = finish(&sd, flags, sacl_at, (uint32_t)acl.start, e);
	}
	if (ret == 0)
		ret = buf_add(out, sd.p, sd.len, e);
	buf_clear(&sd);
	return ret;
}
