/* Names: arrays of 16-bit units, stored as Latin-1 when every unit fits. */
#include "hive/hive_int.h"

#include <stdlib.h>
#include <string.h>

size_t hive_name_len(const struct hive_name *n)
{
	return n->latin1 ? n->bytes : n->bytes / 2;
}

uint16_t hive_name_unit(const struct hive_name *n, size_t i)
{
	return n->latin1 ? n->p[i] : rd16(n->p + 2 * i);
}

char *hive_name_utf8(const struct hive_name *n)
{
	if (!n->latin1)
		return utf16le_to_utf8(n->p, n->bytes);
	char *s = malloc(n->bytes * 2 + 1);
	if (!s)
		return NULL;
	size_t len = 0;
	for (size_t i = 0; i < n->bytes; i++) {
		uint8_t c = n->p[i];
		if (c >= 0x80) {
			s[len++] = (char)(0xc0 | c >> 6);
			c = 0x80 | (c & 0x3f);
		}
		s[len++] = (char)c;
	}
	s[len] = '\0';
	return s;
}

int name_cmp(const struct hive_name *a, const struct hive_name *b)
{
	size_t na = hive_name_len(a), nb = hive_name_len(b);
	for (size_t i = 0; i < na && i < nb; i++) {
		int d = utf16_up(hive_name_unit(a, i)) - utf16_up(hive_name_unit(b, i));
		if (d)
			return d;
	}
	return na < nb ? -1 : na > nb;
}

uint32_t name_hash(const struct hive_name *n)
{
	uint32_t x = 0;
	for (size_t i = 0, len = hive_name_len(n); i < len; i++)
		x = x * 37 + utf16_up(hive_name_unit(n, i));
	return x;
}

uint32_t name_hint(const struct hive_name *n)
{
	uint32_t x = 0;
	for (size_t i = 0, len = hive_name_len(n); i < len && i < 4; i++) {
		uint16_t c = hive_name_unit(n, i);
		x |= (uint32_t)(c < 256 ? c : 0) << 8 * i;
	}
	return x;
}

bool name_fits_latin1(const struct hive_name *n)
{
	for (size_t i = 0, len = hive_name_len(n); i < len; i++)
		if (hive_name_unit(n, i) > 0xff)
			return false;
	return true;
}

size_t name_store_len(const struct hive_name *n)
{
	return name_fits_latin1(n) ? hive_name_len(n) : n->bytes;
}

void name_store(const struct hive_name *n, uint8_t *to)
{
	bool narrow = name_fits_latin1(n);
	for (size_t i = 0, len = hive_name_len(n); i < len; i++) {
		if (narrow)
			to[i] = (uint8_t)hive_name_unit(n, i);
		else
			put_le16(to + 2 * i, hive_name_unit(n, i));
	}
}

int name_from_utf8(
	const char *s, size_t n, size_t max, struct buf *buf, struct hive_name *name, struct err *e)
{
	CLEANUP(freep) char *copy = strndup(s, n);
	if (!copy)
		return err_nomem(e);
	buf->len = 0;
	int ret = utf8_to_utf16le(copy, false, buf, e);
	if (ret < 0)
		return ret;
	if (buf->len / 2 > max)
		return err_set(e, ERR_LIMIT, NULL,
			"name \"%.40s...\" is longer than %zu characters", copy, max);
	*name = (struct hive_name){buf->p, buf->len, false};
	return 0;
}
