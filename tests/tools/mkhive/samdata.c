#include "tests/tools/mkhive/samdata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf16.h"
#include "tests/tools/mkhive/sddl.h"

#define HASH_BYTE 0xc5
#define F_SIZE 80
#define V_ENTRIES 17

static int bad(struct err *e, const char *s)
{
	return err_set(e, ERR_FORMAT, NULL, "account data not understood at \"%.30s\"", s);
}

static uint64_t when(const char *text)
{
	int64_t t;
	return clock_parse(text, &t) == 0 ? clock_filetime(t) : 0;
}

static int make_f(const char *s, struct buf *out, struct err *e)
{
	unsigned rid, flags;
	char set[32] = "-", logon[32] = "-";
	uint8_t *f;
	if (sscanf(s, "%u %x %31s %31s", &rid, &flags, set, logon) < 2)
		return bad(e, s);
	int ret = buf_grow(out, F_SIZE, &f, e);
	if (ret < 0)
		return ret;
	put_le32(f, 0x00010002);
	put_le64(f + 8, when(logon));
	put_le64(f + 24, when(set));
	put_le64(f + 32, 0x7fffffffffffffffULL); /* never expires */
	put_le32(f + 48, rid);
	put_le32(f + 52, 513);
	put_le16(f + 56, (uint16_t)flags);
	return 0;
}

/* "text" in UTF-16LE, padded to 4; its length without the padding in *len. */
static int text(const char **s, struct buf *out, uint32_t *len, struct err *e)
{
	const char *open = strchr(*s, '"'), *close = open ? strchr(open + 1, '"') : NULL;
	if (!close)
		return bad(e, *s);
	size_t before = out->len;
	char *copy = strndup(open + 1, (size_t)(close - open - 1));
	int ret = copy ? utf8_to_utf16le(copy, false, out, e) : err_nomem(e);
	free(copy);
	*len = (uint32_t)(out->len - before);
	*s = close + 1;
	return ret == 0 && *len % 4 ? buf_add(out, "\0", 2, e) : ret;
}

static int make_v(const char *s, struct buf *out, struct err *e)
{
	struct buf data = BUF_INIT;
	unsigned long hash = strtoul(s, NULL, 10);
	uint32_t len[V_ENTRIES] = {[12] = 8, [13] = 4, [14] = (uint32_t)hash, [15] = 4, [16] = 4};
	uint32_t at[V_ENTRIES] = {0};
	int ret = text(&s, &data, &len[1], e);
	for (size_t i = 2; ret == 0 && i < V_ENTRIES; i++) {
		uint8_t *p;
		at[i] = (uint32_t)data.len;
		ret = buf_grow(&data, (len[i] + 3U) & ~3U, &p, e);
		if (ret == 0 && i == 14)
			memset(p, HASH_BYTE, len[i]);
	}
	uint8_t head[12 * V_ENTRIES] = {0};
	for (size_t i = 0; i < V_ENTRIES; i++) {
		put_le32(head + 12 * i, at[i]);
		put_le32(head + 12 * i + 4, len[i]);
	}
	if (ret == 0)
		ret = buf_add(out, head, sizeof head, e);
	if (ret == 0)
		ret = buf_add(out, data.p, data.len, e);
	buf_clear(&data);
	return ret;
}

static int make_c(const char *s, struct buf *out, struct err *e)
{
	struct buf data = BUF_INIT;
	uint32_t rid = (uint32_t)strtoul(s, NULL, 10), name, count = 0;
	int ret = text(&s, &data, &name, e);
	uint32_t members = (uint32_t)data.len;
	for (s += strspn(s, " "); ret == 0 && *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");
		ret = sddl_sid(s, n, &data, e);
		count++;
		s += n;
	}
	uint8_t head[52] = {0};
	put_le32(head, rid);
	put_le32(head + 16, 0);
	put_le32(head + 20, name);
	put_le32(head + 28, members);
	put_le32(head + 40, members);
	put_le32(head + 44, (uint32_t)data.len - members);
	put_le32(head + 48, count);
	if (ret == 0)
		ret = buf_add(out, head, sizeof head, e);
	if (ret == 0)
		ret = buf_add(out, data.p, data.len, e);
	buf_clear(&data);
	return ret;
}

/* The descriptor that real ones have in front of the SID, its two lists emptied: sampasswd wants
 * the SID where that puts it. */
static int make_domain(const char *s, struct buf *out, struct err *e)
{
	enum { SD = 0xc8, SACL = 0x14, DACL = 0x44, OWNER = 0xa8, GROUP = 0xb8, SID = 24 };
	static const char admins[] = "S-1-5-32-544";
	uint8_t head[48 + OWNER] = {0}, *sd = head + 48;
	put_le32(head + 4, SD);
	put_le32(head + 12, SD);
	put_le32(head + 16, SID);
	put_le32(head + 24, SD + SID);
	put_le32(head + 36, SD + SID);
	put_le32(sd, 0x80140001);
	put_le32(sd + 4, OWNER);
	put_le32(sd + 8, GROUP);
	put_le32(sd + 12, SACL);
	put_le32(sd + 16, DACL);
	put_le32(sd + SACL, 2U | (uint32_t)(DACL - SACL) << 16);
	put_le32(sd + DACL, 2U | (uint32_t)(OWNER - DACL) << 16);
	int ret = buf_add(out, head, sizeof head, e);
	for (int i = 0; ret == 0 && i < 2; i++)
		ret = sddl_sid(admins, sizeof admins - 1, out, e);
	return ret == 0 ? sddl_sid(s, strcspn(s, " "), out, e) : ret;
}

int samdata(const char *kind, size_t n, const char *s, struct buf *out, bool *known, struct err *e)
{
	static const struct {
		const char *kind;
		int (*make)(const char *s, struct buf *out, struct err *e);
	} kinds[] = {
		{"samf", make_f}, {"samv", make_v}, {"samc", make_c}, {"samdomain", make_domain}};
	*known = false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].kind) != n || strncmp(kind, kinds[i].kind, n) != 0)
			continue;
		*known = true;
		return kinds[i].make(s, out, e);
	}
	return 0;
}
