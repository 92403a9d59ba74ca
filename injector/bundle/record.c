#include "bundle/record.h"

#include <string.h>

#include "base/reader.h"

void record_add(struct record_writer *w, enum field_type type, const void *p, size_t n)
{
	if (w->full || n > UINT32_MAX || w->cap - w->len < FIELD_HEAD + n) {
		w->full = true;
		return;
	}
	put_le16(w->out + w->len, (uint16_t)type);
	put_le32(w->out + w->len + 2, (uint32_t)n);
	if (n)
		memcpy(w->out + w->len + FIELD_HEAD, p, n);
	w->len += FIELD_HEAD + n;
}

static void add_text(struct record_writer *w, enum field_type type, const char *s)
{
	if (*s)
		record_add(w, type, s, strlen(s));
}

void record_add_row(struct record_writer *w, const struct bundle_row *row)
{
	add_text(w, FIELD_NAME, row->computer_name);
	add_text(w, FIELD_SERIAL, row->serial);
	add_text(w, FIELD_TAG, row->tag);
	add_text(w, FIELD_DOMAIN, row->domain);
}

static bool take_text(struct span v, char *out, size_t cap)
{
	if (v.len == 0 || v.len >= cap || memchr(v.p, '\0', v.len))
		return false;
	memcpy(out, v.p, v.len);
	out[v.len] = '\0';
	return true;
}

static bool extra_ok(struct span v)
{
	const uint8_t *nul = memchr(v.p, '\0', v.len);
	return v.len <= EXTRA_MAX && nul && nul != v.p &&
	       !memchr(nul + 1, '\0', v.len - (size_t)(nul + 1 - v.p));
}

static bool take_field(struct record *r, uint16_t type, struct span v, bool in_catalog)
{
	switch (type) {
	case FIELD_NAME:
		return take_text(v, r->row.computer_name, sizeof r->row.computer_name);
	case FIELD_SERIAL:
		return take_text(v, r->row.serial, sizeof r->row.serial);
	case FIELD_TAG:
		return take_text(v, r->row.tag, sizeof r->row.tag);
	case FIELD_DOMAIN:
		return take_text(v, r->row.domain, sizeof r->row.domain);
	case FIELD_BLOB:
		r->blob = v;
		return !in_catalog && v.len > 0 && v.len <= BUNDLE_BLOB_MAX;
	case FIELD_EXTRA:
		if (r->extras.len == 0)
			r->extras.p = v.p - FIELD_HEAD;
		r->extras.len = (size_t)(v.p + v.len - r->extras.p);
		return !in_catalog && extra_ok(v);
	case FIELD_POSITION:
		if (!in_catalog || v.len != 12)
			return false;
		r->offset = le64(v.p);
		r->class = le32(v.p + 8);
		return true;
	default:
		return false;
	}
}

static bool decode(struct reader *in, bool in_catalog, struct record *r)
{
	uint16_t last = 0;
	for (;;) {
		uint16_t type = reader_le16(in);
		uint32_t len = reader_le32(in);
		const uint8_t *p = reader_take(in, len);
		if (!reader_ok(in))
			return false;
		if (type == FIELD_END)
			return len == 0;
		if (type < last || (type == last && type != FIELD_EXTRA) ||
			!take_field(r, type, (struct span){p, len}, in_catalog))
			return false;
		last = type;
	}
}

static bool all_zero(struct reader *in)
{
	size_t n = reader_left(in);
	const uint8_t *p = reader_take(in, n);
	uint8_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum |= p[i];
	return sum == 0;
}

int record_decode(const void *p, size_t len, bool in_catalog, struct record *r, struct err *e)
{
	struct reader in;
	reader_init(&in, p, len);
	*r = (struct record){0};
	if (!decode(&in, in_catalog, r) || !all_zero(&in) || !r->row.computer_name[0] ||
		!r->row.domain[0] || (in_catalog ? r->class == 0 : r->blob.len == 0))
		return err_set(e, ERR_INTEGRITY,
			"It must not be used. Get the bundle from the lab again.",
			"the record is malformed");
	return 0;
}
