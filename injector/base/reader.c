#include "base/reader.h"

void reader_init(struct reader *r, const void *p, size_t len)
{
	static const uint8_t none[1];
	r->start = p ? p : none;
	r->p = r->start;
	r->end = r->start + (p ? len : 0);
	r->bad = false;
}

bool reader_ok(const struct reader *r)
{
	return !r->bad;
}

size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

size_t reader_pos(const struct reader *r)
{
	return (size_t)(r->p - r->start);
}

const uint8_t *reader_take(struct reader *r, size_t n)
{
	if (r->bad || n > (size_t)(r->end - r->p)) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->p;
	r->p += n;
	return p;
}

uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_take(r, 1);
	return p ? *p : 0;
}

uint16_t reader_le16(struct reader *r)
{
	const uint8_t *p = reader_take(r, 2);
	return p ? le16(p) : 0;
}

uint32_t reader_le32(struct reader *r)
{
	const uint8_t *p = reader_take(r, 4);
	return p ? le32(p) : 0;
}

uint64_t reader_le64(struct reader *r)
{
	const uint8_t *p = reader_take(r, 8);
	return p ? le64(p) : 0;
}

void reader_skip(struct reader *r, size_t n)
{
	(void)reader_take(r, n);
}

void reader_align(struct reader *r, size_t align)
{
	size_t over = reader_pos(r) % align;
	if (over)
		reader_skip(r, align - over);
}

void reader_seek(struct reader *r, size_t pos)
{
	if (r->bad || pos > (size_t)(r->end - r->start))
		r->bad = true;
	else
		r->p = r->start + pos;
}
