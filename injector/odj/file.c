/* File encodings of the blob. Text is narrowed to ASCII in secret memory, cleaned of blanks and
 * terminators, and decoded strictly; what is left must begin like a type-serialized object. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "odj/odj.h"

#define NEXT                                                                                       \
	"It is untouched. Give the file that djoin /savefile wrote, or copy the base64 text "      \
	"completely."

static const uint8_t magic[8] = {0x01, 0x10, 0x08, 0x00, 0xcc, 0xcc, 0xcc, 0xcc};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Find the encoding: where the text begins and how wide a character is. */
static int find_text(
	struct span *in, unsigned *width, struct odj_encoding *enc, const char *name, struct err *e)
{
	*width = 1;
	if (in->len >= 2 && in->p[0] == 0xff && in->p[1] == 0xfe) {
		enc->bom = "utf-16le";
		*width = 2;
		*in = (struct span){in->p + 2, in->len - 2};
	} else if (in->len >= 3 && memcmp(in->p, "\xef\xbb\xbf", 3) == 0) {
		enc->bom = "utf-8";
		*in = (struct span){in->p + 3, in->len - 3};
	} else if (in->len >= 2 && in->p[0] == 0xfe && in->p[1] == 0xff) {
		return err_set(
			e, ERR_FORMAT, NEXT, "%s is UTF-16 big-endian text, not an ODJ blob", name);
	} else if (in->len >= 2 && in->p[0] != 0 && in->p[1] == 0) {
		enc->utf16 = true;
		*width = 2;
	}
	if (in->len % *width != 0)
		return err_set(
			e, ERR_FORMAT, NEXT, "%s is UTF-16 text with half a character", name);
	return 0;
}

static int narrow(
	struct span in, unsigned width, struct secret *text, const char *name, struct err *e)
{
	int ret = secret_alloc(text, in.len / width, e);
	for (size_t i = 0; ret == 0 && i < text->len; i++) {
		unsigned c = width == 2 ? le16(in.p + 2 * i) : in.p[i];
		if (c > 0x7e)
			ret = err_set(e, ERR_FORMAT, NEXT,
				"%s is neither base64 text nor a blob (character %zu)", name, i);
		text->p[i] = (uint8_t)c;
	}
	return ret;
}

/* Drop blanks and closing NULs in place, and remember where they were. */
static void clean(struct secret *text, struct odj_encoding *enc)
{
	uint8_t *p = text->p;
	size_t n = text->len;
	enc->trailing_nul = n && p[n - 1] == 0;
	while (n && p[n - 1] == 0)
		n--;
	size_t end = n;
	while (end && is_blank(p[end - 1]))
		end--;
	for (size_t i = end, at = 0; i < n && at + 3 <= sizeof enc->trailing_ws; i++, at += 2)
		snprintf(enc->trailing_ws + at, 3, "%02x", p[i]);
	while (end && (is_blank(p[end - 1]) || p[end - 1] == 0))
		end--;
	size_t begin = 0;
	while (begin < end && is_blank(p[begin]))
		begin++;
	size_t out = 0;
	for (size_t i = begin; i < end; i++) {
		if (is_blank(p[i]))
			enc->inner_ws = true;
		else
			p[out++] = p[i];
	}
	secret_truncate(text, out);
	enc->base64_chars = out;
}

static int decode_base64(
	const struct secret *text, struct secret *raw, const char *name, struct err *e)
{
	size_t most = text->len / 4 * 3 + 3;
	int ret = secret_alloc(raw, most, e);
	if (ret < 0)
		return ret;
	size_t len = 0;
	if (text->len == 0 || sodium_base642bin(raw->p, most, (const char *)text->p, text->len,
				      NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return err_set(e, ERR_FORMAT, NEXT, "%s is not complete base64 text", name);
	secret_truncate(raw, len);
	return 0;
}

static int decode_text(struct span in, const char *name, struct secret *raw,
	struct odj_encoding *enc, struct err *e)
{
	struct secret text = SECRET_INIT;
	unsigned width;
	int ret = find_text(&in, &width, enc, name, e);
	if (ret == 0)
		ret = narrow(in, width, &text, name, e);
	if (ret == 0) {
		clean(&text, enc);
		ret = decode_base64(&text, raw, name, e);
	}
	secret_clear(&text);
	return ret;
}

int odj_decode_file(const void *bytes, size_t len, const char *name, struct secret *raw,
	struct odj_encoding *enc, struct err *e)
{
	struct odj_encoding unused;
	if (!enc)
		enc = &unused;
	*enc = (struct odj_encoding){.bytes = len};
	if (len > ODJ_FILE_MAX)
		return err_set(e, ERR_LIMIT, NEXT, "%s has %zu bytes; a blob has at most %zu", name,
			len, ODJ_FILE_MAX);
	int ret;
	if (len >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0) {
		enc->raw = true;
		ret = secret_copy(raw, bytes, len, e);
	} else {
		ret = decode_text((struct span){bytes, len}, name, raw, enc, e);
	}
	if (ret == 0 && raw->len > ODJ_RAW_MAX)
		ret = err_set(e, ERR_LIMIT, NEXT, "%s holds %zu bytes; a blob has at most %zu",
			name, raw->len, ODJ_RAW_MAX);
	/* the filler is checked loosely later: only version, byte order and header length matter */
	if (ret == 0 && (raw->len < 16 || memcmp(raw->p, magic, 4) != 0))
		ret = err_set(e, ERR_FORMAT, NEXT,
			"%s is base64 text, but what it holds does not begin like an ODJ blob",
			name);
	if (ret < 0) {
		secret_clear(raw);
		return ret;
	}
	enc->binary_len = raw->len;
	crypto_hash_sha256(enc->binary_sha256, raw->p, raw->len);
	return 0;
}

int odj_read_file(const char *path, struct secret *raw, struct odj_encoding *enc, struct err *e)
{
	struct secret file = SECRET_INIT;
	int ret = secret_read_file(&file, path, ODJ_FILE_MAX, e);
	if (ret == 0)
		ret = odj_decode_file(file.p, file.len, path, raw, enc, e);
	secret_clear(&file);
	return ret;
}
