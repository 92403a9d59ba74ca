#include "tests/tools/mkhive/sddl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	char alias[3];
	const char *sid;
} sids[] = {
	{"BA", "S-1-5-32-544"},
	{"SY", "S-1-5-18"},
	{"BU", "S-1-5-32-545"},
	{"CO", "S-1-3-0"},
	{"CG", "S-1-3-1"},
	{"WD", "S-1-1-0"},
	{"AC", "S-1-15-2-1"},
	{"NS", "S-1-5-20"},
	{"LS", "S-1-5-19"},
	{"NO", "S-1-5-32-556"},
	{"AU", "S-1-5-11"},
	{"OW", "S-1-3-4"},
};

static const struct {
	char name[3];
	uint32_t mask;
} rights[] = {
	{"KA", 0xf003f},
	{"KR", 0x20019},
	{"KW", 0x20006},
	{"GA", 0x10000000},
	{"GR", 0x80000000},
	{"GW", 0x40000000},
};

static const struct {
	char name[3];
	uint8_t bit;
} flags[] = {{"OI", 1}, {"CI", 2}, {"NP", 4}, {"IO", 8}, {"ID", 16}};

static int bad(struct err *e, const char *at)
{
	return err_set(e, ERR_FORMAT, NULL, "SDDL not understood at \"%.20s\"", at);
}

static int put_sid_text(const char *s, size_t n, struct buf *out, struct err *e)
{
	uint8_t b[8 + 4 * 15] = {1};
	const char *end = s + n;
	char *next;
	if (n < 5 || strncmp(s, "S-1-", 4) != 0)
		return bad(e, s);
	unsigned long long authority = strtoull(s + 4, &next, 10);
	for (int i = 0; i < 6; i++)
		b[2 + i] = (uint8_t)(authority >> 8 * (5 - i));
	while (next < end && *next == '-' && b[1] < 15) {
		put_le32(b + 8 + 4 * b[1], (uint32_t)strtoul(next + 1, &next, 10));
		b[1]++;
	}
	return next == end ? buf_add(out, b, 8U + 4U * b[1], e) : bad(e, s);
}

int sddl_sid(const char *s, size_t n, struct buf *out, struct err *e)
{
	for (size_t i = 0; n == 2 && i < ARRAY_SIZE(sids); i++)
		if (strncmp(s, sids[i].alias, 2) == 0)
			return put_sid_text(sids[i].sid, strlen(sids[i].sid), out, e);
	return put_sid_text(s, n, out, e);
}

static int ace_flags(const char *s, size_t n, uint8_t *out, struct err *e)
{
	*out = 0;
	for (size_t k = 0; k < n; k += 2) {
		uint8_t bit = 0;
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
			if (k + 2 <= n && strncmp(s + k, flags[i].name, 2) == 0)
				bit = flags[i].bit;
		if (!bit)
			return bad(e, s + k);
		*out |= bit;
	}
	return 0;
}

static int ace_rights(const char *s, size_t n, uint32_t *mask, struct err *e)
{
	if (n > 2 && strncmp(s, "0x", 2) == 0) {
		*mask = (uint32_t)strtoul(s, NULL, 16);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
		if (n == 2 && strncmp(s, rights[i].name, 2) == 0) {
			*mask = rights[i].mask;
			return 0;
		}
	}
	return bad(e, s);
}

/* (A;CI;KA;;;BA) */
static int put_ace(const char **s, struct buf *out, struct err *e)
{
	const char *field[6], *p = *s + 1;
	size_t len[6];
	for (int i = 0; i < 6; i++) {
		field[i] = p;
		len[i] = strcspn(p, ";)");
		p += len[i];
		if (*p != (i < 5 ? ';' : ')'))
			return bad(e, *s);
		p++;
	}
	*s = p;
	if (len[0] != 1 || (*field[0] != 'A' && *field[0] != 'D') || len[3] || len[4])
		return bad(e, field[0]);
	uint8_t head[8] = {*field[0] == 'D'};
	uint32_t mask = 0;
	size_t at = out->len;
	int ret = ace_flags(field[1], len[1], &head[1], e);
	if (ret == 0)
		ret = ace_rights(field[2], len[2], &mask, e);
	if (ret == 0)
		ret = buf_add(out, head, 8, e);
	if (ret == 0)
		ret = sddl_sid(field[5], len[5], out, e);
	if (ret == 0) {
		put_le16(out->p + at + 2, (uint16_t)(out->len - at));
		put_le32(out->p + at + 4, mask);
	}
	return ret;
}

static int put_acl(const char **s, uint16_t *control, unsigned shift, struct buf *out, uint32_t *at,
	struct err *e)
{
	uint16_t count = 0;
	*control |= (uint16_t)(4U << shift);
	for (; **s && **s != '(' && (*s)[1] != ':'; ++*s) {
		if (**s == 'P')
			*control |= (uint16_t)(0x1000U << shift / 2);
		else if (strncmp(*s, "AI", 2) == 0 && ++*s)
			*control |= (uint16_t)(0x400U << shift / 2);
		else
			return bad(e, *s);
	}
	if (**s != '(') /* flagged but empty, as Windows writes S: */
		return 0;
	*at = (uint32_t)out->len;
	uint8_t head[8] = {2};
	int ret = buf_add(out, head, 8, e);
	for (; ret == 0 && **s == '('; count++)
		ret = put_ace(s, out, e);
	if (ret == 0) {
		put_le16(out->p + *at + 2, (uint16_t)(out->len - *at));
		put_le16(out->p + *at + 4, count);
	}
	return ret;
}

/* The ACLs come before owner and group, as Windows lays descriptors out. */
int sddl_parse(const char *s, struct buf *out, struct err *e)
{
	const char *who[2] = {NULL, NULL};
	size_t len[2] = {0, 0};
	uint32_t acl[2] = {0, 0};
	uint16_t control = 0x8000;
	out->len = 0;
	int ret = buf_grow(out, 20, NULL, e);
	while (ret == 0 && *s) {
		char kind = *s;
		if (s[1] != ':')
			return bad(e, s);
		s += 2;
		if (kind == 'O' || kind == 'G') {
			size_t i = kind == 'G', n = 0;
			while (s[n] && s[n + 1] != ':')
				n++;
			n = s[n] && s[n + 1] == ':' ? n : strlen(s);
			who[i] = s;
			len[i] = n;
			s += n;
		} else if (kind == 'D') {
			ret = put_acl(&s, &control, 0, out, &acl[1], e);
		} else if (kind == 'S') {
			ret = put_acl(&s, &control, 2, out, &acl[0], e);
		} else {
			return bad(e, s - 2);
		}
	}
	for (size_t i = 0; ret == 0 && i < 2; i++) {
		uint32_t at = (uint32_t)out->len;
		ret = who[i] ? sddl_sid(who[i], len[i], out, e) : bad(e, "owner or group");
		if (ret == 0)
			put_le32(out->p + 4 + 4 * i, at);
	}
	if (ret < 0)
		return ret;
	out->p[0] = 1;
	put_le16(out->p + 2, control);
	put_le32(out->p + 12, acl[0]);
	put_le32(out->p + 16, acl[1]);
	return 0;
}
