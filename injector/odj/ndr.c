#include "odj/ndr.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"
#include "odj/mem.h"

#define NDR_HEADER 16
#define NDR_FILLER 0xccccccccU
#define NDR_SID_MAX 15 /* sub-authorities, by definition of a SID */
#define NDR_NEXT "The blob file is damaged or was not made by djoin. Provision this PC again."

void odj_note(struct odj *o, const char *fmt, ...)
{
	if (o->note_count >= ODJ_NOTES_MAX)
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(o->notes[o->note_count++], sizeof o->notes[0], fmt, ap);
	va_end(ap);
}

int ndr_fail(struct ndr *n, int code, const char *fmt, ...)
{
	if (n->ret < 0)
		return n->ret;
	char why[128];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	n->ret = err_set(n->e, code, NDR_NEXT, "not a usable ODJ blob: %s at byte %zu: %s",
		n->where, reader_pos(&n->r), why);
	n->r.bad = true;
	return n->ret;
}

bool ndr_ok(const struct ndr *n)
{
	return n->ret == 0;
}

/* All reads come through here, so running out of bytes is reported once. */
static const uint8_t *take(struct ndr *n, size_t len)
{
	const uint8_t *p = reader_take(&n->r, len);
	if (!p && n->ret == 0) {
		n->ret = err_set(n->e, ERR_FORMAT, NDR_NEXT,
			"not a usable ODJ blob: %s ends too early: %zu bytes wanted at byte %zu",
			n->where, len, reader_pos(&n->r));
	}
	return p;
}

static void align(struct ndr *n, size_t to)
{
	size_t pos = reader_pos(&n->r);
	size_t pad = (to - pos % to) % to;
	const uint8_t *p = pad ? take(n, pad) : NULL;
	if (p && !sodium_is_zero(p, pad))
		odj_note(n->o, "%s: non-zero padding at byte %zu", n->where, pos);
}

void ndr_open(struct ndr *n, struct odj *o, struct span bytes, const char *where, struct err *e)
{
	*n = (struct ndr){.o = o, .e = e};
	snprintf(n->where, sizeof n->where, "%s", where);
	reader_init(&n->r, bytes.p, bytes.len);
	const uint8_t *h = take(n, NDR_HEADER);
	if (!h)
		return;
	if (h[0] != 1 || h[1] != 0x10 || le16(h + 2) != 8) {
		ndr_fail(n, ERR_FORMAT, "no type serialization header");
		return;
	}
	uint32_t len = le32(h + 8);
	size_t left = reader_left(&n->r);
	if (len % 8 != 0 || len > left) {
		ndr_fail(n, ERR_FORMAT, "object length %u does not fit (%zu bytes follow)", len,
			left);
		return;
	}
	if (le32(h + 4) != NDR_FILLER)
		odj_note(o, "%s: common header filler is %08x", n->where, le32(h + 4));
	if (le32(h + 12) != 0)
		odj_note(o, "%s: private header filler is %08x", n->where, le32(h + 12));
	if (len < left)
		odj_note(o, "%s: %zu bytes after the object", n->where, left - len);
	reader_init(&n->r, h + NDR_HEADER, len);
	if (!ndr_ptr(n) && ndr_ok(n))
		ndr_fail(n, ERR_FORMAT, "the object is a NULL pointer");
}

int ndr_close(struct ndr *n)
{
	if (n->ret < 0)
		return n->ret;
	size_t left = reader_left(&n->r);
	const uint8_t *p = take(n, left);
	if (left >= 8)
		odj_note(n->o, "%s: %zu unread bytes", n->where, left);
	if (p && !sodium_is_zero(p, left))
		odj_note(n->o, "%s: non-zero padding at the end", n->where);
	return n->ret;
}

uint8_t ndr_u8(struct ndr *n)
{
	const uint8_t *p = take(n, 1);
	return p ? *p : 0;
}

uint16_t ndr_u16(struct ndr *n)
{
	align(n, 2);
	const uint8_t *p = take(n, 2);
	return p ? le16(p) : 0;
}

uint32_t ndr_u32(struct ndr *n)
{
	align(n, 4);
	const uint8_t *p = take(n, 4);
	return p ? le32(p) : 0;
}

bool ndr_ptr(struct ndr *n)
{
	return ndr_u32(n) != 0;
}

void ndr_guid(struct ndr *n, uint8_t out[16])
{
	align(n, 4);
	const uint8_t *p = take(n, 16);
	if (p)
		memcpy(out, p, 16);
}

void *ndr_new(struct ndr *n, size_t size)
{
	if (!ndr_ok(n))
		return NULL;
	void *p = odj_mem_new(n->o, size, n->e);
	if (!p)
		n->ret = -ERR_NOMEM;
	return p;
}

/* max, offset, actual of a varying array of 16-bit units; returns actual and checks the rest. */
static uint32_t units_head(struct ndr *n, uint32_t *max)
{
	*max = ndr_u32(n);
	uint32_t offset = ndr_u32(n);
	uint32_t actual = ndr_u32(n);
	if (ndr_ok(n) && (offset != 0 || actual > *max))
		ndr_fail(n, ERR_FORMAT, "string counts %u, %u, %u", *max, offset, actual);
	return ndr_ok(n) ? actual : 0;
}

static struct odj_str make_str(struct ndr *n, const char *utf8, const uint8_t *utf16, size_t len)
{
	size_t text = strlen(utf8) + 1;
	uint8_t *p = ndr_new(n, len + text);
	if (!p)
		return (struct odj_str){0};
	if (len)
		memcpy(p, utf16, len);
	memcpy(p + len, utf8, text);
	return (struct odj_str){(const char *)(p + len), p, len};
}

static bool is_text(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i += 2) {
		uint16_t c = le16(p + i);
		uint16_t next = i + 2 < len ? le16(p + i + 2) : 0;
		if (c == 0)
			return false;
		if (c >= 0xdc00 && c < 0xe000)
			return false;
		if (c >= 0xd800 && c < 0xdc00) {
			if (next < 0xdc00 || next >= 0xe000)
				return false;
			i += 2;
		}
	}
	return true;
}

static struct odj_str text_str(struct ndr *n, const uint8_t *p, size_t len)
{
	if (!is_text(p, len)) {
		ndr_fail(n, ERR_FORMAT, "a string is not text");
		return (struct odj_str){0};
	}
	CLEANUP(freep) char *utf8 = utf16le_to_utf8(p, len);
	if (!utf8) {
		n->ret = err_nomem(n->e);
		return (struct odj_str){0};
	}
	return make_str(n, utf8, p, len);
}

struct span ndr_units(struct ndr *n, bool present)
{
	uint32_t max = 0;
	uint32_t actual = present ? units_head(n, &max) : 0;
	if (!present || !ndr_ok(n))
		return (struct span){NULL, 0};
	const uint8_t *p = take(n, (size_t)actual * 2);
	if (!p)
		return (struct span){NULL, 0};
	if (max != actual)
		odj_note(n->o, "%s: string of %u in an array of %u", n->where, actual, max);
	if (actual == 0 || le16(p + (size_t)actual * 2 - 2) != 0) {
		ndr_fail(n, ERR_FORMAT, "a string has no terminator");
		return (struct span){NULL, 0};
	}
	return (struct span){p, (size_t)actual * 2 - 2};
}

struct odj_str ndr_str(struct ndr *n, bool present)
{
	struct span s = ndr_units(n, present);
	return s.p ? text_str(n, s.p, s.len) : (struct odj_str){0};
}

struct ndr_ustr ndr_ustr_head(struct ndr *n)
{
	struct ndr_ustr h = {0};
	align(n, 4);
	h.length = ndr_u16(n);
	h.max_length = ndr_u16(n);
	h.present = ndr_ptr(n);
	return h;
}

void ndr_ustr_text(struct ndr *n, struct ndr_ustr head, struct odj_ustr *out)
{
	out->length = head.length;
	out->max_length = head.max_length;
	if (!head.present || !ndr_ok(n))
		return;
	uint32_t max;
	uint32_t actual = units_head(n, &max);
	if (!ndr_ok(n))
		return;
	if (max != head.max_length / 2U || actual != head.length / 2U) {
		ndr_fail(n, ERR_FORMAT, "string counts %u, %u do not match lengths %u, %u", max,
			actual, head.max_length, head.length);
		return;
	}
	const uint8_t *p = take(n, (size_t)actual * 2);
	if (p)
		out->s = text_str(n, p, (size_t)actual * 2);
}

struct odj_str ndr_sid(struct ndr *n, bool present)
{
	if (!present || !ndr_ok(n))
		return (struct odj_str){0};
	uint32_t conformance = ndr_u32(n);
	uint8_t revision = ndr_u8(n);
	uint8_t count = ndr_u8(n);
	const uint8_t *auth = take(n, 6);
	if (!auth)
		return (struct odj_str){0};
	if (conformance != count || count > NDR_SID_MAX) {
		ndr_fail(n, ERR_FORMAT, "SID with %u of %u parts", count, conformance);
		return (struct odj_str){0};
	}
	uint64_t authority = 0;
	for (int i = 0; i < 6; i++)
		authority = authority << 8 | auth[i];

	char text[32 + NDR_SID_MAX * 11];
	int len = snprintf(text, sizeof text, "S-%u-%llu", revision, (unsigned long long)authority);
	for (uint8_t i = 0; i < count; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, "-%u", ndr_u32(n));
	uint8_t wide[2 * sizeof text];
	size_t chars = (size_t)len;
	for (size_t i = 0; i < chars; i++)
		put_le16(wide + 2 * i, (uint8_t)text[i]);
	return ndr_ok(n) ? make_str(n, text, wide, chars * 2) : (struct odj_str){0};
}

struct ndr_bytes ndr_bytes_head(struct ndr *n)
{
	struct ndr_bytes h;
	h.len = ndr_u32(n);
	h.present = ndr_ptr(n);
	if (!h.present && h.len)
		odj_note(n->o, "%s: %u bytes announced, none there", n->where, h.len);
	return h;
}

struct span ndr_bytes_data(struct ndr *n, struct ndr_bytes head)
{
	static const uint8_t none[1];
	if (!head.present || !ndr_ok(n))
		return (struct span){NULL, 0};
	uint32_t max = ndr_u32(n);
	if (ndr_ok(n) && max != head.len)
		ndr_fail(n, ERR_FORMAT, "byte array of %u with count %u", max, head.len);
	const uint8_t *p = ndr_ok(n) ? take(n, head.len) : NULL;
	if (!p)
		return (struct span){NULL, 0};
	return (struct span){head.len ? p : none, head.len};
}

struct span ndr_bytes_copy(struct ndr *n, struct ndr_bytes head)
{
	struct span s = ndr_bytes_data(n, head);
	if (!s.p)
		return s;
	uint8_t *p = ndr_new(n, s.len);
	if (!p)
		return (struct span){NULL, 0};
	memcpy(p, s.p, s.len);
	return (struct span){p, s.len};
}

struct odj_digest ndr_bytes_digest(struct ndr *n, struct ndr_bytes head)
{
	struct odj_digest d = {.len = head.len};
	struct span s = ndr_bytes_data(n, head);
	if (!s.p)
		return d;
	d.present = true;
	crypto_hash_sha256(d.sha256, s.p, s.len);
	return d;
}

void *ndr_array(struct ndr *n, uint32_t count, size_t size, size_t wire)
{
	if (!ndr_ok(n))
		return NULL;
	uint32_t max = ndr_u32(n);
	if (!ndr_ok(n))
		return NULL;
	if (max != count || count > reader_left(&n->r) / wire) {
		ndr_fail(n, ERR_FORMAT, "array of %u with count %u", max, count);
		return NULL;
	}
	return ndr_new(n, count * size);
}
