#include "bundle/armor.h"

#include <sodium.h>
#include <string.h>

#define BASE64_MAX 1024u

bool armor_line(struct span *text, struct span *line)
{
	if (text->len == 0)
		return false;
	const uint8_t *lf = memchr(text->p, '\n', text->len);
	size_t n = lf ? (size_t)(lf - text->p) : text->len;
	*line = (struct span){text->p, n};
	text->p += n + (lf ? 1 : 0);
	text->len -= n + (lf ? 1 : 0);
	if (line->len && line->p[line->len - 1] == '\r')
		line->len--;
	return line->len <= ARMOR_LINE_MAX;
}

bool armor_prefix(struct span line, const char *prefix, struct span *rest)
{
	size_t n = strlen(prefix);
	if (line.len < n || memcmp(line.p, prefix, n) != 0)
		return false;
	*rest = (struct span){line.p + n, line.len - n};
	return true;
}

bool armor_base64(struct span line, uint8_t *out, size_t n)
{
	size_t got = 0;
	return sodium_base642bin(out, n, (const char *)line.p, line.len, NULL, &got, NULL,
		       sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       got == n;
}

bool armor_read(const void *text, size_t len, uint8_t *out, size_t n)
{
	struct span rest = {text, len}, line, comment;
	return armor_line(&rest, &line) && armor_prefix(line, ARMOR_COMMENT, &comment) &&
	       armor_line(&rest, &line) && armor_base64(line, out, n) && rest.len == 0;
}

int armor_add_base64(struct buf *out, const uint8_t *p, size_t n, struct err *e)
{
	char text[BASE64_MAX];
	if (sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL) > sizeof text)
		return err_set(e, ERR_LIMIT, NULL, "%zu bytes do not fit on an armor line", n);
	sodium_bin2base64(text, sizeof text, p, n, sodium_base64_VARIANT_ORIGINAL);
	return buf_printf(out, e, "%s\n", text);
}

int armor_add(struct buf *out, const char *comment, const uint8_t *p, size_t n, struct err *e)
{
	int ret = buf_printf(out, e, ARMOR_COMMENT "%s\n", comment);
	return ret < 0 ? ret : armor_add_base64(out, p, n, e);
}
