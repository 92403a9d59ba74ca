#include "media/dataroot.h"

#include <string.h>

#include "base/mem.h"

#define DIRENT 32u
#define CLUSTER_MAX (128u * LAYOUT_SECTOR)
#define FAT_MASK 0x0fffffffu
#define FAT_END 0x0ffffff8u
#define DELETED 0xe5
#define DISC_AT 32768u
#define DISC_SECTOR 2048u
#define RESERVED_MAX 1024u
#define COUNT_MAX 0x0ffffff5u
#define NAME_MAX_UNITS 13u

struct fat {
	struct blockdev *d;
	uint64_t table;	   /* offset on the medium of the table to go by */
	uint64_t second;   /* of the other one */
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

static int more_than_fat(const struct fat *f, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, next_step,
		"%s: the data partition holds more than a FAT32, from which firmware may start a "
		"PC",
		f->d->name);
}

static bool in_range(const struct fat *f, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < f->count;
}

/* Other file systems keep their first block where FAT has reserved sectors. mkfs.fat fills five of
 * them: boot sector and FSInfo, their copies, and nothing but zeros in the rest. */
static int check_reserved(const struct fat *f, uint64_t start, uint64_t reserved, struct err *e)
{
	static const uint8_t zeros[LAYOUT_SECTOR];
	uint8_t sector[LAYOUT_SECTOR];
	if (reserved > RESERVED_MAX)
		return unreadable(f, e);
	for (uint64_t n = 1; n < reserved; n++) {
		int ret = blockdev_read(f->d, start + n * LAYOUT_SECTOR, sector, sizeof sector, e);
		if (ret < 0)
			return ret;
		if (n == 1 ? memcmp(sector, "RRaA", 4) != 0
			   : n != 6 && n != 7 && memcmp(sector, zeros, sizeof zeros) != 0)
			return more_than_fat(f, e);
	}
	return 0;
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
		b[511] != 0xaa || memcmp(b + 82, "FAT32   ", 8) != 0 ||
		memcmp(b + 3, "mkfs.fat", 8) != 0)
		return unreadable(f, e);
	if (sectors > l->data_length / LAYOUT_SECTOR || before >= sectors)
		return unreadable(f, e);
	f->table = l->data_start + reserved * LAYOUT_SECTOR;
	f->second = f->table + fat_sectors * LAYOUT_SECTOR;
	f->clusters = l->data_start + before * LAYOUT_SECTOR;
	f->cluster = per * LAYOUT_SECTOR;
	f->count = (uint32_t)((sectors - before) / per);
	f->root = le32(b + 44);
	/* Fewer than this and another reader takes it for FAT16. */
	if (f->count < 65525 || f->count > COUNT_MAX ||
		(uint64_t)f->count + 2 > fat_sectors * (LAYOUT_SECTOR / 4))
		return unreadable(f, e);
	/* Other readers mask the number of a cluster, so one that we do not know may be theirs. */
	if (!in_range(f, f->root))
		return unreadable(f, e);
	return check_reserved(f, l->data_start, reserved, e);
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
	return ret == 0 && bad ? more_than_fat(f, e) : ret;
}

static int next_cluster(const struct fat *f, uint32_t *cluster, struct err *e)
{
	uint8_t b[4];
	int ret = blockdev_read(f->d, f->table + (uint64_t)*cluster * 4, b, sizeof b, e);
	*cluster = le32(b) & FAT_MASK;
	return ret;
}

/* The letters of a name in capitals, as far as they are ASCII; without the blanks and dots at its
 * end, which firmware may drop. */
static void plain_name(char out[NAME_MAX_UNITS + 1], const uint16_t *name, size_t n)
{
	size_t used = 0;
	for (size_t i = 0; i < n && name[i] != 0; i++) {
		out[i] = name[i] >= 'a' && name[i] <= 'z'  ? (char)(name[i] - ('a' - 'A'))
			 : name[i] >= ' ' && name[i] < 127 ? (char)name[i]
							   : '?';
		if (out[i] != ' ' && out[i] != '.')
			used = i + 1;
	}
	out[used] = 0;
}

/* The removable media path, a Mac's, what the UEFI shell runs by itself, and programs to choose. */
static bool firmware_starts(const char *name)
{
	static const char *const names[] = {"EFI", "SYSTEM", "STARTUP.NSH"};
	size_t n = strlen(name);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return n >= 4 && strcmp(name + n - 4, ".EFI") == 0;
}

/* Each piece of a long name counts as a whole one: readers differ in how they join them. */
static void long_name(char out[NAME_MAX_UNITS + 1], const uint8_t *p)
{
	static const uint8_t at[NAME_MAX_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
	uint16_t name[NAME_MAX_UNITS];
	for (size_t i = 0; i < NAME_MAX_UNITS; i++)
		name[i] = le16(p + at[i]);
	plain_name(out, name, NAME_MAX_UNITS);
}

static void short_name(char out[NAME_MAX_UNITS + 1], const uint8_t *p)
{
	uint16_t name[12];
	size_t n = 0;
	for (size_t i = 0; i < 8 && p[i] != ' '; i++)
		name[n++] = p[i];
	name[n++] = '.';
	for (size_t i = 8; i < 11; i++)
		name[n++] = p[i];
	plain_name(out, name, n);
}

/* Entries behind the end mark are looked at too: not every firmware may know the mark. So is every
 * entry both ways, for readers do not agree on what makes one a long name. */
static int check_cluster(const struct fat *f, const uint8_t *p, struct err *e)
{
	char name[NAME_MAX_UNITS + 1];
	for (uint32_t i = 0; i < f->cluster; i += DIRENT) {
		if (p[i] == DELETED)
			continue;
		long_name(name, p + i);
		if (!firmware_starts(name))
			short_name(name, p + i);
		if (firmware_starts(name))
			return err_set(e, ERR_INTEGRITY, next_step,
				"%s: the data partition holds \"%s\", from which firmware may "
				"start a PC",
				f->d->name, name);
	}
	return 0;
}

static int check_root(const struct fat *f, struct err *e)
{
	uint8_t cluster[CLUSTER_MAX];
	uint32_t at = f->root;
	int ret = 0;
	for (uint32_t n = 0; ret == 0 && at < FAT_END; n++) {
		if (!in_range(f, at) || n == DATAROOT_CLUSTERS_MAX)
			return unreadable(f, e);
		ret = blockdev_read(f->d, f->clusters + (uint64_t)(at - 2) * f->cluster, cluster,
			f->cluster, e);
		if (ret == 0)
			ret = check_cluster(f, cluster, e);
		if (ret == 0)
			ret = next_cluster(f, &at, e);
	}
	return ret;
}

/* The root folder as either table has it: they are the same when all is well, but a power cut may
 * part them, and firmware may read the second. */
int dataroot_check(const struct layout *l, struct blockdev *d, struct err *e)
{
	struct fat f;
	int ret = open_fat(&f, l, d, e);
	if (ret == 0)
		ret = check_nothing_else(&f, l, e);
	if (ret == 0)
		ret = check_root(&f, e);
	f.table = f.second;
	return ret < 0 ? ret : check_root(&f, e);
}
