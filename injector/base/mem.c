#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void freep(void *pp)
{
	void **p = pp;
	free(*p);
	*p = NULL;
}

void buf_wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_clear(b);
}

void buf_clear(struct buf *b)
{
	free(b->p);
	*b = (struct buf)BUF_INIT;
}

int buf_reserve(struct buf *b, size_t cap, struct err *e)
{
	if (cap <= b->cap)
		return 0;
	size_t want = b->cap ? b->cap : 64;
	while (want < cap) {
		if (want > SIZE_MAX / 2)
			return err_nomem(e);
		want *= 2;
	}
	uint8_t *p = realloc(b->p, want);
	if (!p)
		return err_nomem(e);
	b->p = p;
	b->cap = want;
	return 0;
}

int buf_grow(struct buf *b, size_t n, uint8_t **at, struct err *e)
{
	if (n > SIZE_MAX - b->len)
		return err_nomem(e);
	int ret = buf_reserve(b, b->len + n, e);
	if (ret < 0)
		return ret;
	if (n)
		memset(b->p + b->len, 0, n);
	if (at)
		*at = b->p ? b->p + b->len : NULL; /* NULL + 0 is undefined */
	b->len += n;
	return 0;
}

int buf_add(struct buf *b, const void *p, size_t n, struct err *e)
{
	uint8_t *at = NULL;
	int ret = buf_grow(b, n, &at, e);
	if (ret < 0)
		return ret;
	if (n)
		memcpy(at, p, n);
	return 0;
}

int buf_printf(struct buf *b, struct err *e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return err_set(e, ERR_FAILED, NULL, "cannot format text");

	size_t len = (size_t)n;
	int ret = buf_reserve(b, b->len + len + 1, e);
	if (ret < 0)
		return ret;
	va_start(ap, fmt);
	vsnprintf((char *)b->p + b->len, len + 1, fmt, ap);
	va_end(ap);
	b->len += len;
	return 0;
}

uint16_t le16(const void *p)
{
	const uint8_t *b = p;
	return (uint16_t)(b[0] | b[1] << 8);
}

uint32_t le32(const void *p)
{
	const uint8_t *b = p;
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

uint64_t le64(const void *p)
{
	const uint8_t *b = p;
	return (uint64_t)le32(b) | (uint64_t)le32(b + 4) << 32;
}

void put_le16(void *p, uint16_t v)
{
	uint8_t *b = p;
	b[0] = (uint8_t)v;
	b[1] = (uint8_t)(v >> 8);
}

void put_le32(void *p, uint32_t v)
{
	put_le16(p, (uint16_t)v);
	put_le16((uint8_t *)p + 2, (uint16_t)(v >> 16));
}

void put_le64(void *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}
