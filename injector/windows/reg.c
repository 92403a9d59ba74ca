#include "windows/reg.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "base/utf16.h"

#define POLICY_HEADER 20 /* u32 total, values, end marker, unused, version */
#define POLICY_RECORD 16 /* u16 total, name, type, data; u32 flags, unused */
#define POLICY_DWORD 4

void reg_copy(char *out, size_t size, const char *text)
{
	size_t n = strlen(text);
	if (n >= size) {
		n = size - 1;
		while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(out, text, n);
	out[n] = '\0';
}

hive_key reg_key(const struct hive *h, hive_key from, const char *path)
{
	hive_key key;
	if (!h || from == HIVE_KEY_NONE || hive_find_key(h, from, path, &key, NULL) < 0)
		return HIVE_KEY_NONE;
	return key;
}

bool reg_string(const struct hive *h, hive_key from, const char *path, const char *name, char *out,
	size_t size)
{
	char *text = NULL;
	hive_key key = reg_key(h, from, path);
	out[0] = '\0';
	if (key == HIVE_KEY_NONE || hive_get_string(h, key, name, &text, NULL) < 0)
		return false;
	reg_copy(out, size, text);
	free(text);
	return true;
}

bool reg_dword(const struct hive *h, hive_key from, const char *path, const char *name, uint32_t *v)
{
	hive_key key = reg_key(h, from, path);
	*v = 0;
	return key != HIVE_KEY_NONE && hive_get_dword(h, key, name, v, NULL) == 0;
}

int64_t reg_time(const struct hive *h, hive_key from, const char *path, const char *name)
{
	struct buf b = BUF_INIT;
	int64_t t = 0;
	if (reg_bytes(h, from, path, name, 8, &b) && b.len == 8 && le64(b.p))
		t = clock_from_filetime(le64(b.p));
	buf_clear(&b);
	return t > 0 ? t : 0;
}

uint32_t reg_subkeys(const struct hive *h, hive_key key)
{
	struct hive_key_info info;
	return h && key != HIVE_KEY_NONE && hive_key_info(h, key, &info, NULL) == 0 ? info.subkeys
										    : 0;
}

void reg_subkey_name(
	const struct hive *h, hive_key key, uint32_t i, char *out, size_t size, hive_key *sub)
{
	struct hive_key_info info;
	out[0] = '\0';
	*sub = HIVE_KEY_NONE;
	if (hive_subkey_at(h, key, i, sub, NULL) < 0 || hive_key_info(h, *sub, &info, NULL) < 0)
		return;
	char *text = hive_name_utf8(&info.name);
	if (text)
		reg_copy(out, size, text);
	free(text);
}

bool reg_bytes(const struct hive *h, hive_key from, const char *path, const char *name, size_t max,
	struct buf *b)
{
	struct hive_value v;
	hive_key key = reg_key(h, from, path);
	if (key == HIVE_KEY_NONE || hive_find_value(h, key, name, &v, NULL) < 0 || v.size > max)
		return false;
	return hive_get_value(h, key, name, NULL, b, NULL) == 0;
}

static bool name_is(const uint8_t *units, size_t bytes, const char *name)
{
	size_t n = strlen(name);
	if (bytes != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (utf16_up(le16(units + 2 * i)) != utf16_up((uint8_t)name[i]))
			return false;
	return true;
}

bool policy_dword(struct span policy, const char *name, uint32_t *v)
{
	struct reader r;
	reader_init(&r, policy.p, policy.len);
	reader_skip(&r, 4);
	uint32_t size = reader_le32(&r);
	reader_seek(&r, POLICY_HEADER);
	if (!reader_ok(&r) || size > reader_left(&r))
		return false;
	reader_init(&r, policy.p + POLICY_HEADER, size);
	while (reader_left(&r) >= POLICY_RECORD) {
		size_t at = reader_pos(&r);
		uint16_t total = reader_le16(&r);
		uint16_t name_bytes = reader_le16(&r);
		uint16_t type = reader_le16(&r);
		uint16_t data_bytes = reader_le16(&r);
		reader_skip(&r, 8);
		const uint8_t *units = reader_take(&r, name_bytes);
		const uint8_t *data = reader_take(&r, data_bytes);
		if (!data || reader_pos(&r) - at > total)
			return false;
		if (name_is(units, name_bytes, name)) {
			*v = type == POLICY_DWORD && data_bytes == 4 ? le32(data) : 0;
			return type == POLICY_DWORD && data_bytes == 4;
		}
		reader_seek(&r, at + total);
	}
	return false;
}

void lsa_string(struct span blob, char *out, size_t size)
{
	struct reader r;
	out[0] = '\0';
	reader_init(&r, blob.p, blob.len);
	uint16_t len = reader_le16(&r);
	reader_skip(&r, 2);
	uint32_t offset = reader_le32(&r);
	reader_seek(&r, offset);
	const uint8_t *p = reader_take(&r, len);
	char *text = p ? utf16le_sz_to_utf8(p, len) : NULL;
	if (text)
		reg_copy(out, size, text);
	free(text);
}
