#include "volume/fve.h"

#include <string.h>

#include "base/reader.h"

#define BOOT_SIZE 512
#define BOOT_SIGNATURE 3
#define BOOT_OFFSETS 176

#define BLOCK_VERSION 10
#define BLOCK_HEADER 64 /* then the metadata: its header, its entries */
#define VERSION_7 2	/* Windows 7 and later */
#define META_HEADER 48
#define ENTRY_HEADER 8 /* u16 size, entry type, value type, version */
#define ENTRY_VMK 2    /* a copy of the volume's master key, wrapped by one protector */
#define VALUE_VMK 8
#define VMK_PROTECTION 26 /* u16 behind GUID, time and two bytes */

static const char signature[] = "-FVE-FS-";
#define SIGNATURE (sizeof signature - 1)

static const struct {
	uint16_t stored;
	enum fve_protector bit;
	const char *name;
} kinds[] = {
	{0x0000, FVE_CLEAR_KEY, "clear-key"},
	{0x0100, FVE_TPM, "tpm"},
	{0x0200, FVE_STARTUP_KEY, "startup-key"},
	{0x0500, FVE_TPM_PIN, "tpm-pin"},
	{0x0800, FVE_RECOVERY_PASSWORD, "recovery-password"},
	{0x2000, FVE_PASSWORD, "password"},
};

const char *fve_protector_name(unsigned bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].bit == bit)
			return kinds[i].name;
	return "other";
}

bool fve_boot(struct span boot, uint64_t at[FVE_COPIES])
{
	if (boot.len < BOOT_SIZE || memcmp(boot.p + BOOT_SIGNATURE, signature, SIGNATURE) != 0)
		return false;
	bool any = false;
	for (size_t i = 0; i < FVE_COPIES; i++) {
		at[i] = le64(boot.p + BOOT_OFFSETS + 8 * i);
		any = any || at[i] >= BOOT_SIZE;
	}
	return any;
}

static unsigned protector(const uint8_t *data, size_t n)
{
	uint16_t stored = n >= VMK_PROTECTION + 2 ? le16(data + VMK_PROTECTION) : 0xffff;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].stored == stored)
			return kinds[i].bit;
	return FVE_OTHER;
}

bool fve_metadata(struct span block, unsigned *protectors)
{
	struct reader r;
	*protectors = 0;
	if (block.len < BLOCK_HEADER + META_HEADER || memcmp(block.p, signature, SIGNATURE) != 0 ||
		le16(block.p + BLOCK_VERSION) != VERSION_7)
		return false;
	uint32_t size = le32(block.p + BLOCK_HEADER);
	if (size < META_HEADER || size > block.len - BLOCK_HEADER ||
		le32(block.p + BLOCK_HEADER + 8) != META_HEADER)
		return false;
	reader_init(&r, block.p + BLOCK_HEADER + META_HEADER, size - META_HEADER);
	for (unsigned i = 0; reader_left(&r) >= ENTRY_HEADER; i++) {
		uint16_t total = reader_le16(&r), type = reader_le16(&r), value = reader_le16(&r);
		reader_skip(&r, 2);
		if (total == 0) /* room that is not used */
			break;
		if (total < ENTRY_HEADER || i == FVE_ENTRIES_MAX)
			return false;
		const uint8_t *data = reader_take(&r, (size_t)total - ENTRY_HEADER);
		if (!data)
			return false;
		if (type == ENTRY_VMK && value == VALUE_VMK)
			*protectors |= protector(data, (size_t)total - ENTRY_HEADER);
	}
	return *protectors != 0;
}

/* One copy; 1 when it was understood. */
static int look_at(struct blockdev *d, uint64_t at, unsigned *protectors, struct err *e)
{
	struct buf b = BUF_INIT;
	uint8_t *p;
	uint64_t n = at < d->size ? d->size - at : 0;
	if (n > FVE_BLOCK_MAX)
		n = FVE_BLOCK_MAX;
	int ret = n ? buf_grow(&b, (size_t)n, &p, e) : 0;
	if (ret == 0 && n)
		ret = blockdev_read(d, at, p, (size_t)n, e);
	if (ret == 0)
		ret = fve_metadata(SPAN_OF(b), protectors);
	buf_wipe(&b);
	return ret;
}

int fve_look(struct blockdev *d, struct volume_state *st, struct err *e)
{
	uint8_t boot[BOOT_SIZE];
	uint64_t at[FVE_COPIES];
	unsigned bits = 0;
	int ret = blockdev_read(d, 0, boot, sizeof boot, e);
	st->bitlocker = VOLUME_BITLOCKER_UNKNOWN;
	if (ret < 0 || !fve_boot((struct span){boot, sizeof boot}, at))
		return ret;
	for (size_t i = 0; i < FVE_COPIES && ret == 0; i++)
		if (at[i] >= BOOT_SIZE)
			ret = look_at(d, at[i], &bits, e);
	if (ret == 1) {
		st->protectors = bits;
		st->bitlocker =
			bits & FVE_CLEAR_KEY ? VOLUME_BITLOCKER_SUSPENDED : VOLUME_BITLOCKER_ON;
	}
	return ret < 0 ? ret : 0;
}
