/*
 * Small readers of a Windows disk on arbitrary bytes. First byte: 0 ProductPolicy, 1 LSA text, 2
 * the boot sector of a BitLocker volume, 3 its metadata, 4 firmware strings as sysfs gives them.
 *
 * What must hold: ProductPolicy and the metadata give what a second, plainer reader here gives;
 * text is UTF-8 and fits; an identity from the firmware is never a placeholder.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf16.h"
#include "bundle/identity.h"
#include "job/machine.h"
#include "volume/fve.h"
#include "windows/reg.h"

static void must(bool what)
{
	if (!what)
		abort();
}

static const char wanted[] = "WorkstationService-DomainJoinEnabled";

/* By index alone: -1 not there or broken, else the value. */
static int64_t plain_policy(const uint8_t *p, size_t n)
{
	if (n < 20)
		return -1;
	size_t size = le32(p + 4);
	if (size > n - 20)
		return -1;
	p += 20;
	for (size_t at = 0; at + 16 <= size;) {
		size_t total = le16(p + at), name = le16(p + at + 2), data = le16(p + at + 6);
		if (at + 16 + name + data > size || 16 + name + data > total)
			return -1;
		bool same = name == 2 * strlen(wanted);
		for (size_t i = 0; same && i < strlen(wanted); i++)
			same = utf16_up(le16(p + at + 16 + 2 * i)) == utf16_up((uint8_t)wanted[i]);
		if (same)
			return le16(p + at + 4) == 4 && data == 4
				       ? (int64_t)le32(p + at + 16 + name)
				       : -1;
		at += total;
	}
	return -1;
}

static void policy(struct span s)
{
	uint32_t v = 0;
	bool found = policy_dword(s, wanted, &v);
	int64_t plain = plain_policy(s.p, s.len);
	must(found == (plain >= 0) && (!found || v == plain));
}

static void lsa(struct span s)
{
	char text[40];
	lsa_string(s, text, sizeof text);
	must(strlen(text) < sizeof text && utf8_valid(text, strlen(text)));
}

/* How many entries claim to be a clear key; -1 when the block is not one. */
static int plain_clear_keys(const uint8_t *p, size_t n)
{
	if (n < 112 || memcmp(p, "-FVE-FS-", 8) != 0 || le16(p + 10) != 2 || le32(p + 72) != 48)
		return -1;
	size_t size = le32(p + 64), count = 0;
	if (size < 48 || size > n - 64)
		return -1;
	const uint8_t *end = p + 64 + size;
	for (p += 112; end - p >= 8 && le16(p); p += le16(p)) {
		if (le16(p) < 8 || le16(p) > end - p)
			return -1;
		count += le16(p + 2) == 2 && le16(p + 4) == 8 && le16(p) >= 36 && le16(p + 34) == 0;
	}
	return (int)count;
}

static void metadata(struct span s)
{
	unsigned bits;
	bool good = fve_metadata(s, &bits);
	int plain = plain_clear_keys(s.p, s.len);
	if (good && plain < 0)
		abort();
	must(!good || ((bits & FVE_CLEAR_KEY) != 0) == (plain > 0));
	for (unsigned b = 1; b <= FVE_OTHER; b <<= 1)
		must(fve_protector_name(b)[0] != '\0');
}

static void boot(struct span s)
{
	uint64_t at[FVE_COPIES];
	if (fve_boot(s, at))
		must(s.len >= 512 && !memcmp(s.p + 3, "-FVE-FS-", 8));
}

/* The input, cut at its NULs, becomes the strings of a PC. */
static void firmware(const uint8_t *p, size_t n)
{
	static const char *const files[] = {"product_serial", "chassis_serial", "board_serial",
		"chassis_asset_tag", "product_uuid", "sys_vendor", "product_name"};
	static char dir[] = "/tmp/fuzz-facts.XXXXXX";
	static bool made;
	if (!made)
		must(mkdtemp(dir) != NULL);
	made = true;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[128];
		size_t len = strnlen((const char *)p, n);
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		FILE *f = fopen(path, "w");
		must(f && fwrite(p, 1, len, f) == len && fclose(f) == 0);
		len = len < n ? len + 1 : len;
		p += len;
		n -= len;
	}
	struct machine m;
	machine_read(NULL, dir, &m);
	must(!m.fw.serial[0] || !identity_is_placeholder(m.fw.serial));
	must(!m.fw.tag[0] || !identity_is_placeholder(m.fw.tag));
	json_t *v = machine_json(&m);
	must(v != NULL);
	json_decref(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	/* a copy of its own, so that one byte too far is noticed */
	uint8_t *own = malloc(n > 1 ? n - 1 : 1);
	must(own != NULL);
	memcpy(own, p + 1, n - 1);
	struct span s = {own, n - 1};
	switch (p[0]) {
	case 1:
		lsa(s);
		break;
	case 2:
		boot(s);
		break;
	case 3:
		metadata(s);
		break;
	case 4: /* one in 256 only: seven files are slow */
		firmware(s.p, s.len);
		break;
	default:
		policy(s);
	}
	free(own);
	return 0;
}
