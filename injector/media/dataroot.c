#include "media/dataroot.h"

#include <string.h>

#include "base/mem.h"

#define DIRENT 32u
#define CLUSTER_MAX (128u * LAYOUT_SECTOR)
#define FAT_MASK 0x0fffffffu
#define FAT_END 0x0ffffff8u
#define ATTR_LONG_NAME 0x0f
#define DELETED 0xe5
#define DISC_AT 32768u
#define DISC_SECTOR 2048u

struct fat {
	struct blockdev *d;
	uint64_t table;	   /* offset of the first table on the medium */
	uint64_t clusters; /* offset of cluster 2 */
	uint32_t cluster;  /* bytes */
	uint32_t count;	   /* clusters */
	uint32_t root;
};

static const char next_step[] = "Do not start a PC from it. Copy bundle and journal off on a PC "
				"that is running, then have the stick made again.";

static int unreadable(const struct fat *f, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, next_step,
		"%s: the file system of the data partition cannot be read", f->d->name);
}

/* Where firmware would look must be where we look: exactly the shape that mkfs.fat gives. */
static int open_fat(struct fat *f, const struct layout *l, struct blockdev *d, struct err *e)
{
	uint8_t b[LAYOUT_SECTOR];
	*f = (struct fat){.d = d};
	int ret = blockdev_read(d, l->data_start, b, sizeof b, e);
	if (ret < 0)
		return ret;
	const uint64_t sectors = le32(b + 32), fat_sectors = le32(b + 36), reserved = le16(b + 14);
	const uint32_t per = b[13], fats = b[16];
	const uint64_t before = reserved + fats * fat_sectors;
	if (le16(b + 11) != LAYOUT_SECTOR || per == 0 || (per & (per - 1)) != 0 || reserved == 0 ||
		fats != 2 || le16(b + 17) != 0 || le16(b + 19) != 0 || le16(b + 22) != 0 ||
		fat_sectors == 0 || le16(b + 40) != 0 || le16(b + 42) != 0 || b[510] != 0x55 ||
		b[511] != 0xaa || memcmp(b + 82, "FAT32   ", 8) != 0)
		return unreadable(f, e);
	if (sectors > l->data_length / LAYOUT_SECTOR || before >= sectors)
		return unreadable(f, e);
	f->table = l->data_start + reserved * LAYOUT_SECTOR;
	f->clusters = l->data_start + before * LAYOUT_SECTOR;
	f->cluster = per * LAYOUT_SECTOR;
	f->count = (uint32_t)((sectors - before) / per);
	f->root = le32(b + 44);
	/* Fewer than this and another reader takes it for FAT16. */
	if (f->count < 65525 || (uint64_t)f->count + 2 > fat_sectors * (LAYOUT_SECTOR / 4))
		return unreadable(f, e);
	return 0;
}

/* Firmware also looks into a partition for partitions (an MBR in its first sector) and for the file
 * systems of optical discs (descriptors of 2048 bytes from 32 KiB on). */
static int check_nothing_else(const struct fat *f, const struct layout *l, struct err *e)
{
	static const uint8_t no_table[64];
	static const char *const disc[] = {"CD001", "BEA01", "NSR02", "NSR03", "BOOT2"};
	uint8_t sector[LAYOUT_SECTOR];
	int ret = blockdev_read(f->d, l->data_start, sector, sizeof sector, e);
	bool bad = ret == 0 && memcmp(sector + 446, no_table, sizeof no_table) != 0;
	for (uint64_t n = 0; ret == 0 && !bad && n < 16; n++) {
		ret = blockdev_read(
			f->d, l->data_start + DISC_AT + n * DISC_SECTOR, sector, sizeof sector, e);
		for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(disc); i++)
			bad |= memcmp(sector + 1, disc[i], 5) == 0;
	}
	if (ret == 0 && bad)
		ret = err_set(e, ERR_INTEGRITY, next_step,
			"%s: the data partition holds more than a FAT32, from which firmware may "
			"start a PC",
			f->d->name);
	return ret;
}

static bool in_range(const struct fat *f, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < f->count;
}

static int next_cluster(const struct fat *f, uint32_t *cluster, struct err *e)
{
	uint8_t b[4];
	int ret = blockdev_read(f->d, f->table + (uint64_t)*cluster * 4, b, sizeof b, e);
	*cluster = le32(b) & FAT_MASK;
	return ret;
}

static bool is_letter(unsigned c, char letter)
{
	return c == (unsigned)letter || c == (unsigned)letter + ('a' - 'A');
}

/* EFI, then nothing or what firmware may drop: blanks and dots. */
static bool is_efi(const uint16_t *name, size_t n)
{
	if (n < 3 || !is_letter(name[0], 'E') || !is_letter(name[1], 'F') ||
		!is_letter(name[2], 'I'))
		return false;
	for (size_t i = 3; i < n && name[i] != 0; i++)
		if (name[i] != ' ' && name[i] != '.')
			return false;
	return true;
}

/* The first piece of a long name: a longer name than its 13 letters is not EFI. */
static bool long_name_is_efi(const uint8_t *p)
{
	static const uint8_t at[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
	uint16_t name[13];
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		name[i] = le16(p + at[i]);
	return (p[0] & 0x3f) == 1 && is_efi(name, ARRAY_SIZE(name));
}

static bool short_name_is_efi(const uint8_t *p)
{
	uint16_t name[11];
	for (size_t i = 0; i < ARRAY_SIZE(name); i++)
		name[i] = p[i];
	return is_efi(name, ARRAY_SIZE(name));
}

/* Entries behind the end mark are looked at too: not every firmware may know the mark. */
static int check_cluster(const struct fat *f, const uint8_t *p, struct err *e)
{
	for (uint32_t i = 0; i < f->cluster; i += DIRENT) {
		const uint8_t *entry = p + i;
		if (entry[0] == DELETED)
			continue;
		if (entry[11] == ATTR_LONG_NAME ? long_name_is_efi(entry)
						: short_name_is_efi(entry))
			return err_set(e, ERR_INTEGRITY, next_step,
				"%s: the data partition holds \"EFI\", from which firmware may "
				"start a PC",
				f->d->name);
	}
	return 0;
}

int dataroot_check(const struct layout *l, struct blockdev *d, struct err *e)
{
	uint8_t cluster[CLUSTER_MAX];
	struct fat f;
	int ret = open_fat(&f, l, d, e);
	if (ret == 0)
		ret = check_nothing_else(&f, l, e);
	uint32_t at = f.root;
	for (uint32_t n = 0; ret == 0 && at < FAT_END; n++) {
		if (!in_range(&f, at) || n == DATAROOT_CLUSTERS_MAX)
			return unreadable(&f, e);
		ret = blockdev_read(
			d, f.clusters + (uint64_t)(at - 2) * f.cluster, cluster, f.cluster, e);
		if (ret == 0)
			ret = check_cluster(&f, cluster, e);
		if (ret == 0)
			ret = next_cluster(&f, &at, e);
	}
	return ret;
}
