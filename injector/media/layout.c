#include "media/layout.h"

#include <string.h>

#include "base/mem.h"

#define TABLE 446u
#define ENTRY 16u
#define DISK_SIGNATURE 440u
#define TYPE_FAT32 0x0c
#define TYPE_EFI 0xef

struct entry {
	uint8_t active, type;
	uint64_t start, length;
};

static struct entry entry_of(const uint8_t *mbr, unsigned i)
{
	const uint8_t *p = mbr + TABLE + i * ENTRY;
	return (struct entry){.active = p[0],
		.type = p[4],
		.start = (uint64_t)le32(p + 8) * LAYOUT_SECTOR,
		.length = (uint64_t)le32(p + 12) * LAYOUT_SECTOR};
}

int layout_parse(struct layout *l, const uint8_t mbr[LAYOUT_MBR], uint64_t size, const char *name,
	struct err *e)
{
	static const uint8_t none[2 * ENTRY];
	static const char next[] = "Name the stick's whole device, not a partition of it. If this "
				   "is it, do not start a PC from it: have it made again.";
	const struct entry data = entry_of(mbr, 0), boot = entry_of(mbr, 1);
	memset(l, 0, sizeof *l);
	if (mbr[510] != 0x55 || mbr[511] != 0xaa || data.type != TYPE_FAT32 ||
		boot.type != TYPE_EFI || data.active != 0 || boot.active != 0x80 ||
		memcmp(mbr + TABLE + 2 * ENTRY, none, sizeof none) != 0)
		return err_set(
			e, ERR_INTEGRITY, next, "%s has not the partitions of a stick", name);
	if (boot.start != LAYOUT_BOOT_START || boot.length == 0 ||
		data.start != boot.start + boot.length || data.length < LAYOUT_DATA_MIN)
		return err_set(e, ERR_INTEGRITY, next,
			"%s: the partitions are not where a stick has them", name);
	if (data.start > size || data.length > size - data.start)
		return err_set(e, ERR_INTEGRITY, next,
			"%s: the data partition reaches beyond the end of the medium", name);
	*l = (struct layout){.identity = le32(mbr + DISK_SIGNATURE),
		.boot_start = boot.start,
		.boot_length = boot.length,
		.data_start = data.start,
		.data_length = data.length};
	return 0;
}

int layout_read(struct layout *l, struct blockdev *d, struct err *e)
{
	uint8_t mbr[LAYOUT_MBR];
	memset(l, 0, sizeof *l);
	if (d->size < sizeof mbr)
		return err_set(e, ERR_INTEGRITY, "Name a stick or an image of one.",
			"%s is too small to be a stick", d->name);
	/* Firmware counts in the medium's sectors: with others it would look elsewhere than we do.
	 */
	if (d->sector != LAYOUT_SECTOR)
		return err_set(e, ERR_INTEGRITY,
			"Do not start a PC from it. Sticks have sectors of 512 bytes.",
			"%s has sectors of %u bytes", d->name, (unsigned)d->sector);
	int ret = blockdev_read(d, 0, mbr, sizeof mbr, e);
	return ret < 0 ? ret : layout_parse(l, mbr, d->size, d->name, e);
}

void layout_set_data_length(uint8_t mbr[LAYOUT_MBR], uint64_t length)
{
	put_le32(mbr + TABLE + 12, (uint32_t)(length / LAYOUT_SECTOR));
}
