#include "rootfs/init/identity.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rootfs/init/sysfile.h"

#define MBR_SIGNATURE 440
#define FAT32_ID 67
#define FAT32_NAME 82
#define BOOT_MARK 510

static bool is_boot_sector(const uint8_t *sector)
{
	return sector[BOOT_MARK] == 0x55 && sector[BOOT_MARK + 1] == 0xAA;
}

static void put_id(const uint8_t *at, bool valid, char id[9])
{
	id[0] = '\0';
	if (valid)
		snprintf(id, 9, "%08x", (unsigned)le32(at));
}

void identity_of_mbr(const uint8_t sector[IDENTITY_SECTOR], char id[9])
{
	put_id(sector + MBR_SIGNATURE, is_boot_sector(sector), id);
}

void identity_of_fat32(const uint8_t sector[IDENTITY_SECTOR], char id[9])
{
	bool fat32 = is_boot_sector(sector) && memcmp(sector + FAT32_NAME, "FAT32   ", 8) == 0;
	put_id(sector + FAT32_ID, fat32, id);
}

typedef void sector_fn(const uint8_t sector[IDENTITY_SECTOR], char id[9]);

/* id "": any will do. */
static bool carries(const char *dev, const char *name, sector_fn *read_id, const char *id)
{
	uint8_t sector[IDENTITY_SECTOR];
	char path[IDENTITY_PATH_MAX], found[9];
	if (snprintf(path, sizeof path, "%s/%s", dev, name) >= (int)sizeof path ||
		sysfile_bytes(path, 0, sector, sizeof sector) != (ssize_t)sizeof sector)
		return false;
	read_id(sector, found);
	return id[0] ? strcmp(found, id) == 0 : found[0] != '\0';
}

/* The disk's partition 1: its name as the kernel gave it ("sda1", "mmcblk0p1"). */
static bool first_partition(const char *sys, const char *disk, char *name, size_t n)
{
	char path[IDENTITY_PATH_MAX], line[16];
	bool found = false;
	if (snprintf(path, sizeof path, "%s/%s", sys, disk) >= (int)sizeof path)
		return false;
	DIR *d = opendir(path);
	struct dirent *entry;
	while (d && !found && (entry = readdir(d))) {
		if (strncmp(entry->d_name, disk, strlen(disk)) != 0 ||
			snprintf(path, sizeof path, "%s/%s/%s/partition", sys, disk,
				entry->d_name) >= (int)sizeof path ||
			!sysfile_line(path, line, sizeof line) || strcmp(line, "1") != 0)
			continue;
		found = snprintf(name, n, "%s", entry->d_name) < (int)n;
	}
	if (d)
		closedir(d);
	return found;
}

/* Not a disk somebody could have plugged in or built in. */
static bool is_virtual(const char *name)
{
	static const char *const kinds[] = {"loop", "ram", "zram", "sr", "dm-", "md"};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strncmp(name, kinds[i], strlen(kinds[i])) == 0)
			return true;
	return false;
}

void identity_number(struct identity *id, const char *text)
{
	id->volume[0] = '\0';
	if (strlen(text) != 8 || strspn(text, "0123456789abcdef") != 8)
		return;
	snprintf(id->volume, sizeof id->volume, "%s",
		strcmp(text, "00000000") == 0 ? id->image : text);
}

unsigned identity_find(
	const char *sys, const char *dev, const struct identity *id, char path[IDENTITY_PATH_MAX])
{
	unsigned count = 0;
	DIR *d = strlen(id->image) == 8 ? opendir(sys) : NULL;
	struct dirent *entry;
	while (d && (entry = readdir(d))) {
		char part[64];
		if (entry->d_name[0] == '.' || is_virtual(entry->d_name) ||
			!carries(dev, entry->d_name, identity_of_mbr, id->image) ||
			!first_partition(sys, entry->d_name, part, sizeof part) ||
			!carries(dev, part, identity_of_fat32, id->volume))
			continue;
		if (snprintf(path, IDENTITY_PATH_MAX, "%s/%s", dev, part) < IDENTITY_PATH_MAX)
			count++;
	}
	if (d)
		closedir(d);
	return count;
}
