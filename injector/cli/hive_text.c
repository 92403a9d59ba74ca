#include "cli/hive_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"

static const struct {
	uint32_t number;
	const char *name;
} types[] = {
	{HIVE_REG_NONE, "REG_NONE"},
	{HIVE_REG_SZ, "REG_SZ"},
	{HIVE_REG_EXPAND_SZ, "REG_EXPAND_SZ"},
	{HIVE_REG_BINARY, "REG_BINARY"},
	{HIVE_REG_DWORD, "REG_DWORD"},
	{HIVE_REG_DWORD_BE, "REG_DWORD_BIG_ENDIAN"},
	{HIVE_REG_LINK, "REG_LINK"},
	{HIVE_REG_MULTI_SZ, "REG_MULTI_SZ"},
	{8, "REG_RESOURCE_LIST"},
	{9, "REG_FULL_RESOURCE_DESCRIPTOR"},
	{10, "REG_RESOURCE_REQUIREMENTS_LIST"},
	{HIVE_REG_QWORD, "REG_QWORD"},
};

const char *hive_type_name(uint32_t type)
{
	static char other[24];
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].number == type)
			return types[i].name;
	snprintf(other, sizeof other, "REG_0x%x", type);
	return other;
}

/* --- from the command line --- */

static int parse_hex(const char *s, struct buf *out, struct err *e)
{
	unsigned half = 0, v = 0;
	for (; *s; s++) {
		if (strchr(" ,:", *s) && half == 0)
			continue;
		const char *digits = "0123456789abcdef0123456789ABCDEF";
		const char *d = strchr(digits, *s);
		if (!d)
			return err_set(e, ERR_USAGE, "Write bytes as hex digits: 01ff20.",
				"\"%c\" is not a hex digit", *s);
		v = v << 4 | (unsigned)((d - digits) % 16);
		if (half++ == 0)
			continue;
		uint8_t b = (uint8_t)v;
		int ret = buf_add(out, &b, 1, e);
		if (ret < 0)
			return ret;
		half = v = 0;
	}
	if (half)
		return err_set(e, ERR_USAGE, "Write two hex digits for each byte.",
			"odd number of hex digits");
	return 0;
}

static int parse_number(const char *s, size_t width, struct buf *out, struct err *e)
{
	char *end;
	uint8_t b[8];
	errno = 0;
	unsigned long long v = strtoull(s, &end, strncmp(s, "0x", 2) == 0 ? 16 : 10);
	if (*s < '0' || *s > '9' || *end || errno || (width == 4 && v > UINT32_MAX))
		return err_set(e, ERR_USAGE, "Write a decimal number, or 0x and hex digits.",
			"\"%s\" is not a number of %zu bytes", s, width);
	put_le64(b, v);
	return buf_add(out, b, width, e);
}

static int parse_multi(const char *s, struct buf *out, struct err *e)
{
	int ret = 0;
	while (ret == 0 && *s) {
		const char *end = strstr(s, "\\0");
		size_t n = end ? (size_t)(end - s) : strlen(s);
		CLEANUP(freep) char *part = strndup(s, n);
		if (!part)
			return err_nomem(e);
		if (n == 0)
			return err_set(e, ERR_USAGE, "Leave out empty texts.",
				"REG_MULTI_SZ cannot hold an empty text");
		ret = utf8_to_utf16le(part, true, out, e);
		s += n + (end ? 2 : 0);
	}
	return ret == 0 ? buf_add(out, "\0", 2, e) : ret;
}

int hive_parse_data(
	const char *type, const char *text, uint32_t *number, struct buf *out, struct err *e)
{
	const char *shorter = strncasecmp(type, "REG_", 4) == 0 ? type + 4 : type;
	*number = UINT32_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcasecmp(types[i].name + 4, shorter) == 0)
			*number = types[i].number;
	switch (*number) {
	case HIVE_REG_SZ:
	case HIVE_REG_EXPAND_SZ:
		return utf8_to_utf16le(text, true, out, e);
	case HIVE_REG_MULTI_SZ:
		return parse_multi(text, out, e);
	case HIVE_REG_DWORD:
		return parse_number(text, 4, out, e);
	case HIVE_REG_QWORD:
		return parse_number(text, 8, out, e);
	case HIVE_REG_BINARY:
	case HIVE_REG_NONE:
		return parse_hex(text, out, e);
	default:
		return err_set(e, ERR_USAGE,
			"Types: REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ, REG_DWORD, REG_QWORD, "
			"REG_BINARY, "
			"REG_NONE.",
			"\"%s\" is not a value type this command writes", type);
	}
}

/* --- is it text? --- */

static bool surrogates_paired(const uint8_t *p, size_t units)
{
	for (size_t i = 0; i < units; i++) {
		uint16_t c = le16(p + 2 * i);
		if (c < 0xd800 || c > 0xdfff)
			continue;
		uint16_t d = i + 1 < units ? le16(p + 2 * i + 2) : 0;
		if (c > 0xdbff || d < 0xdc00 || d > 0xdfff)
			return false;
		i++;
	}
	return true;
}

bool hive_text_clean(const uint8_t *p, size_t n)
{
	if (n < 2 || n % 2 || le16(p + n - 2) != 0)
		return false;
	for (size_t i = 0; i + 2 < n; i += 2)
		if (le16(p + i) == 0)
			return false;
	return surrogates_paired(p, n / 2);
}

bool hive_multi_clean(const uint8_t *p, size_t n)
{
	if (n < 2 || n % 2 || le16(p + n - 2) != 0 || (n >= 4 && le16(p + n - 4) != 0))
		return false;
	for (size_t i = 0; i + 4 < n; i += 2)
		if (le16(p + i) == 0 && (i == 0 || le16(p + i + 2) == 0))
			return false;
	return surrogates_paired(p, n / 2);
}

/* --- JSON and one-liners --- */

static char *hex_text(const uint8_t *p, size_t n)
{
	char *s = malloc(2 * n + 1);
	for (size_t i = 0; s && i < n; i++)
		snprintf(s + 2 * i, 3, "%02x", p[i]);
	if (s)
		s[2 * n] = '\0';
	return s;
}

static json_t *multi_json(const uint8_t *p, size_t n)
{
	json_t *a = json_array();
	for (size_t i = 0; i + 2 < n;) {
		CLEANUP(freep) char *s = utf16le_sz_to_utf8(p + i, n - i);
		json_array_append_new(a, s ? json_string(s) : NULL);
		while (i < n && le16(p + i) != 0)
			i += 2;
		i += 2;
	}
	return a;
}

static json_t *data_json(uint32_t type, const uint8_t *p, size_t n)
{
	if ((type == HIVE_REG_SZ || type == HIVE_REG_EXPAND_SZ) && hive_text_clean(p, n)) {
		CLEANUP(freep) char *s = utf16le_sz_to_utf8(p, n);
		return s ? json_string(s) : NULL;
	}
	if (type == HIVE_REG_MULTI_SZ && hive_multi_clean(p, n))
		return multi_json(p, n);
	if (type == HIVE_REG_DWORD && n == 4)
		return json_integer(le32(p));
	if (type == HIVE_REG_QWORD && n == 8)
		return json_integer((json_int_t)le64(p));
	return NULL;
}

int hive_data_json(json_t *o, uint32_t type, const uint8_t *p, size_t n, struct err *e)
{
	CLEANUP(freep) char *hex = hex_text(p, n);
	json_t *data = data_json(type, p, n);
	if (data && json_object_set_new(o, "data", data) < 0)
		return err_nomem(e);
	if (!hex || json_object_set_new(o, "hex", json_string(hex)) < 0)
		return err_nomem(e);
	return 0;
}

static char *multi_text(const uint8_t *p, size_t n)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i + 2 < n;) {
		CLEANUP(freep) char *s = utf16le_sz_to_utf8(p + i, n - i);
		if (!s || buf_printf(&b, NULL, "%s%s", i ? "\n" : "", s) < 0)
			break;
		while (i < n && le16(p + i) != 0)
			i += 2;
		i += 2;
	}
	return b.p ? (char *)b.p : strdup("");
}

char *hive_data_text(uint32_t type, const uint8_t *p, size_t n)
{
	char number[48];
	if ((type == HIVE_REG_SZ || type == HIVE_REG_EXPAND_SZ) && hive_text_clean(p, n))
		return utf16le_sz_to_utf8(p, n);
	if (type == HIVE_REG_MULTI_SZ && hive_multi_clean(p, n))
		return multi_text(p, n);
	if (type == HIVE_REG_DWORD && n == 4)
		snprintf(number, sizeof number, "0x%08x", le32(p));
	else if (type == HIVE_REG_QWORD && n == 8)
		snprintf(number, sizeof number, "0x%016llx", (unsigned long long)le64(p));
	else
		return hex_text(p, n);
	return strdup(number);
}
