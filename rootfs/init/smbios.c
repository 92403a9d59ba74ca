#include "rootfs/init/smbios.h"

#include <string.h>

#include "base/reader.h"

#define TYPE_OEM_STRINGS 11
#define TYPE_END 127
#define HEADER 4
#define TEXT_MAX 256

/* The next string of a structure: its bytes without the NUL, or NULL. */
static const uint8_t *next_string(struct reader *r, size_t *len)
{
	const uint8_t *end = memchr(r->p, '\0', reader_left(r));
	if (!end)
		return NULL;
	*len = (size_t)(end - r->p);
	return reader_take(r, *len + 1);
}

static void offer(const uint8_t *text, size_t len, void (*found)(void *, const char *), void *ctx)
{
	static const size_t prefix = sizeof SMBIOS_PREFIX - 1;
	char copy[TEXT_MAX];
	if (len < prefix || len - prefix >= sizeof copy || memcmp(text, SMBIOS_PREFIX, prefix) != 0)
		return;
	memcpy(copy, text + prefix, len - prefix);
	copy[len - prefix] = '\0';
	found(ctx, copy);
}

void smbios_oem_strings(
	const void *table, size_t len, void (*found)(void *ctx, const char *text), void *ctx)
{
	struct reader r;
	reader_init(&r, table, len);
	for (;;) {
		uint8_t type = reader_u8(&r), size = reader_u8(&r);
		if (!reader_ok(&r) || size < HEADER || type == TYPE_END)
			return;
		reader_skip(&r, size - 2u);
		/* A structure without strings ends in two NULs all the same. */
		size_t n = 0;
		const uint8_t *text = reader_ok(&r) ? next_string(&r, &n) : NULL;
		if (text && n == 0)
			reader_skip(&r, 1);
		for (; text && n > 0; text = next_string(&r, &n))
			if (type == TYPE_OEM_STRINGS)
				offer(text, n, found, ctx);
		if (!text || !reader_ok(&r))
			return;
	}
}
