#include "volume/discover.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/utf16.h"
#include "volume/member.h"

#define SECTOR 512	/* the unit of libblkid and sysfs, whatever the disk's own */
#define SYSFS_LINE 256	/* bytes of a one-line file in sysfs */
#define PATH_BYTES 4096 /* bytes of a path built here */

/* One disk or image while it is being looked at. */
struct disk {
	const char *path;
	const char *sys; /* its folder in sysfs, or NULL for an image */
	const char *dev; /* "/dev" */
	char name[64];	 /* model, or the image's file name */
	int fd;
	uint64_t size;
	unsigned sector;
	unsigned part_of;	    /* VOLUME_TROUBLE_RAID, or 0 */
	char raid[MEMBER_TYPE_MAX]; /* the signature that says so */
};

/* --- lists ---------------------------------------------------------------------------------- */

void discover_clear(struct discover_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i].path);
	free(l->items);
	*l = (struct discover_list){0};
}

/* Append a copy of `it`; its path is copied too. */
static int add(
	struct discover_list *l, const struct discover_item *it, const char *path, struct err *e)
{
	if (l->count == (size_t)DISCOVER_PARTITIONS_MAX * DISCOVER_DISKS_MAX)
		return err_set(e, ERR_LIMIT, NULL, "too many partitions");
	struct discover_item *n = realloc(l->items, (l->count + 1) * sizeof *n);
	if (!n)
		return err_nomem(e);
	l->items = n;
	char *copy = strdup(path);
	if (!copy)
		return err_nomem(e);
	l->items[l->count] = *it;
	l->items[l->count].path = copy;
	l->items[l->count].src.path = copy;
	l->count++;
	return 0;
}

/* --- what a volume is ----------------------------------------------------------------------- */

static void keep_text(char *out, size_t n, const char *text)
{
	size_t len = strnlen(text, n - 1);
	while (len && !utf8_valid(text, len))
		len--; /* cut inside a character */
	memcpy(out, text, len);
	out[len] = '\0';
	while (len && (out[len - 1] == ' ' || out[len - 1] == '\n'))
		out[--len] = '\0';
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = '?';
}

static enum volume_kind kind_of_type(const char *type)
{
	static const struct {
		const char *type;
		enum volume_kind kind;
	} known[] = {
		{"ntfs", VOLUME_NTFS},
		{"BitLocker", VOLUME_BITLOCKER},
		{"vfat", VOLUME_FAT},
		{"ReFS", VOLUME_REFS},
	};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(type, known[i].type))
			return known[i].kind;
	return VOLUME_OTHER;
}

bool discover_is_foreign(const struct discover_item *it)
{
	static const char *const types[] = {"ext2", "ext3", "ext4", "btrfs", "xfs", "f2fs",
		"reiserfs", "jfs", "crypto_LUKS", "LVM2_member", "linux_raid_member", "zfs_member",
		"apfs", "hfsplus", "ufs"};
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (it->src.kind == VOLUME_OTHER && strcmp(it->type, types[i]) == 0)
			return true;
	return false;
}

/* The bytes themselves first: a BitLocker boot sector imitates FAT, and some probers believe it. */
static enum volume_kind kind_of_boot_sector(const struct disk *d, uint64_t off)
{
	uint8_t boot[SECTOR];
	if (pread(d->fd, boot, sizeof boot, (off_t)off) != (ssize_t)sizeof boot)
		return VOLUME_OTHER;
	if (!memcmp(boot + 3, "-FVE-FS-", 8))
		return VOLUME_BITLOCKER;
	if (!memcmp(boot + 3, "NTFS    ", 8))
		return VOLUME_NTFS;
	return VOLUME_OTHER;
}

static void classify(const struct disk *d, struct discover_item *it)
{
	const char *text;
	it->src.kind = kind_of_boot_sector(d, it->src.offset);
	blkid_probe pr = blkid_new_probe();
	if (!pr)
		return;
	if (blkid_probe_set_device(
		    pr, d->fd, (blkid_loff_t)it->src.offset, (blkid_loff_t)it->src.length) == 0) {
		blkid_probe_set_sectorsize(pr, d->sector);
		blkid_probe_enable_superblocks(pr, 1);
		blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL);
		if (blkid_do_safeprobe(pr) == 0) {
			if (!blkid_probe_lookup_value(pr, "TYPE", &text, NULL)) {
				keep_text(it->type, sizeof it->type, text);
				if (it->src.kind == VOLUME_OTHER)
					it->src.kind = kind_of_type(text);
			}
			if (!blkid_probe_lookup_value(pr, "LABEL", &text, NULL))
				keep_text(it->label, sizeof it->label, text);
		}
	}
	blkid_free_probe(pr);
	if (d->part_of)
		snprintf(it->type, sizeof it->type, "%s", d->raid);
}

/* --- partition nodes of a real disk --------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void read_line(
	char out[SYSFS_LINE], const char *fmt, ...)
{
	char path[PATH_BYTES];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(path, sizeof path, fmt, ap);
	va_end(ap);
	out[0] = '\0';
	if (n < 0 || (size_t)n >= sizeof path)
		return;
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(out, SYSFS_LINE, f))
		out[strcspn(out, "\n")] = '\0';
	else
		out[0] = '\0';
	fclose(f);
}

static uint64_t read_number(const char *dir, const char *child, const char *file)
{
	char line[SYSFS_LINE];
	read_line(line, "%s/%s/%s", dir, child, file);
	return strtoull(line, NULL, 10);
}

static bool is_partition(const char *sys, const char *child)
{
	char line[SYSFS_LINE];
	read_line(line, "%s/%s/partition", sys, child);
	return child[0] != '.' && line[0] != '\0';
}

/* The node of the partition at (offset, length): a name in /dev. False when the kernel shows none,
 * then the whole disk with an offset will do. */
static bool find_node(const struct disk *d, const struct discover_item *it, char out[PATH_BYTES])
{
	DIR *dir = d->sys ? opendir(d->sys) : NULL;
	bool found = false;
	for (struct dirent *de; dir && !found && (de = readdir(dir));) {
		if (!is_partition(d->sys, de->d_name))
			continue;
		if (read_number(d->sys, de->d_name, "start") != it->src.offset / SECTOR ||
			read_number(d->sys, de->d_name, "size") != it->src.length / SECTOR)
			continue;
		int n = snprintf(out, PATH_BYTES, "%s/%s", d->dev, de->d_name);
		found = n > 0 && n < PATH_BYTES && access(out, F_OK) == 0;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* --- partition tables ----------------------------------------------------------------------- */

static bool is_service_type(blkid_partition part, bool gpt)
{
	static const char *const types[] = {
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", /* EFI system */
		"e3c9e316-0b5c-4db8-817d-f92df00215ae", /* Microsoft reserved */
		"de94bba4-06d1-4d40-a16a-bfd50179d6ac", /* Windows recovery */
	};
	if (!gpt) {
		int type = blkid_partition_get_type(part);
		return type == 0x27 || type == 0xEF;
	}
	const char *text = blkid_partition_get_type_string(part);
	for (size_t i = 0; text && i < ARRAY_SIZE(types); i++)
		if (!strcasecmp(text, types[i]))
			return true;
	return false;
}

static int add_partition(const struct disk *d, blkid_partition part, const char *table,
	struct discover_list *l, struct err *e)
{
	struct discover_item it = {.disk_size = d->size};
	char node[PATH_BYTES];
	uint64_t start = (uint64_t)blkid_partition_get_start(part) * SECTOR;
	uint64_t size = (uint64_t)blkid_partition_get_size(part) * SECTOR;
	if (blkid_partition_is_extended(part) || !size || start >= d->size ||
		size > d->size - start)
		return 0;
	it.src.offset = start;
	it.src.length = size;
	it.partition = (unsigned)blkid_partition_get_partno(part);
	snprintf(it.table, sizeof it.table, "%s", table);
	bool gpt = !strcmp(table, "gpt"), database;
	it.src.part_of = d->part_of | member_by_partition(part, gpt, &database);
	it.recovery = database || is_service_type(part, gpt);
	snprintf(it.disk, sizeof it.disk, "%s", d->name);
	classify(d, &it);
	if (!find_node(d, &it, node))
		return add(l, &it, d->path, e);
	it.src.offset = 0;
	return add(l, &it, node, e);
}

/* Returns the number of entries in the table, or -ERR_*. */
static int add_partitions(
	const struct disk *d, unsigned sector, struct discover_list *l, struct err *e)
{
	blkid_probe pr = blkid_new_probe();
	int count = 0, ret = 0;
	if (!pr || blkid_probe_set_device(pr, d->fd, 0, (blkid_loff_t)d->size) != 0) {
		blkid_free_probe(pr);
		return err_nomem(e);
	}
	blkid_probe_set_sectorsize(pr, sector);
	blkid_probe_enable_superblocks(pr, 0);
	blkid_probe_enable_partitions(pr, 1);
	blkid_partlist parts = blkid_probe_get_partitions(pr);
	blkid_parttable tab = parts ? blkid_partlist_get_table(parts) : NULL;
	const char *type = tab ? blkid_parttable_get_type(tab) : NULL;
	const char *table = !type		   ? ""
			    : !strcmp(type, "gpt") ? "gpt"
			    : !strcmp(type, "dos") ? "mbr"
						   : "";
	if (*table)
		count = blkid_partlist_numof_partitions(parts);
	if (count > DISCOVER_PARTITIONS_MAX)
		ret = err_set(e, ERR_LIMIT, NULL, "%s: %d partitions are too many", d->path, count);
	for (int i = 0; ret == 0 && i < count; i++)
		ret = add_partition(d, blkid_partlist_get_partition(parts, i), table, l, e);
	blkid_free_probe(pr);
	return ret < 0 ? ret : count;
}

static int add_bare(const struct disk *d, struct discover_list *l, struct err *e)
{
	struct discover_item it = {.disk_size = d->size};
	it.src.length = d->size;
	it.src.part_of = d->part_of;
	snprintf(it.disk, sizeof it.disk, "%s", d->name);
	classify(d, &it);
	if (it.src.kind == VOLUME_OTHER && !it.label[0] && !d->part_of)
		return 0;
	return add(l, &it, d->path, e);
}

/* A bare file system or a partition table; an empty result is not an error here. A member of a RAID
 * array gives at least one item, also when the table is on another member or leads beyond this one.
 */
static int look_at(struct disk *d, struct discover_list *l, struct err *e)
{
	size_t before = l->count;
	d->part_of = member_of_raid(d->fd, d->size, d->sector, d->raid);
	if (kind_of_boot_sector(d, 0) != VOLUME_OTHER)
		return add_bare(d, l, e);
	int ret = add_partitions(d, d->sector, l, e);
	/* The image of a disk with 4 KiB sectors does not say so. */
	if (ret == 0 && !d->sys && d->sector == 512)
		ret = add_partitions(d, 4096, l, e);
	if (ret < 0)
		return ret;
	return ret == 0 || (d->part_of && l->count == before) ? add_bare(d, l, e) : 0;
}

static int disk_open(struct disk *d, struct err *e)
{
	struct stat st;
	int logical = 0;
	d->sector = 512;
	if (stat(d->path, &st) < 0)
		return err_sys(e, ERR_IO, "Check the path.", "%s: cannot open", d->path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, ERR_FORMAT, "Give an image file, a block device or a folder.",
			"%s is neither a file nor a block device", d->path);
	d->size = (uint64_t)st.st_size;
	d->fd = open(d->path, O_RDONLY | O_CLOEXEC);
	if (d->fd < 0)
		return err_sys(
			e, ERR_IO, "Check that you may read it.", "%s: cannot open", d->path);
	if (S_ISREG(st.st_mode))
		return 0;
	off_t end = lseek(d->fd, 0, SEEK_END);
	if (end < 0) {
		int ret = err_sys(e, ERR_IO, NULL, "%s: cannot ask for its size", d->path);
		close(d->fd);
		return ret;
	}
	d->size = (uint64_t)end;
	if (ioctl(d->fd, BLKSSZGET, &logical) == 0 && logical >= 512)
		d->sector = (unsigned)logical;
	return 0;
}

/* --- public --------------------------------------------------------------------------------- */

/* The sysfs folder of a block device given by path, "" when there is none. */
static void sysfs_of(const char *path, char out[PATH_BYTES])
{
	struct stat st;
	out[0] = '\0';
	if (stat(path, &st) == 0 && S_ISBLK(st.st_mode))
		snprintf(out, PATH_BYTES, "/sys/dev/block/%u:%u", major(st.st_rdev),
			minor(st.st_rdev));
}

static void disk_model(const char *sys, const char *name, char out[64])
{
	char line[SYSFS_LINE];
	read_line(line, "%s/device/model", sys);
	if (!line[0])
		read_line(line, "%s/device/name", sys); /* eMMC */
	keep_text(out, 64, line[0] ? line : name);
}

static int discover_whole(
	const char *target, const char *sys, struct discover_list *l, struct err *e)
{
	const char *base = strrchr(target, '/');
	struct disk d = {.path = target, .sys = *sys ? sys : NULL, .dev = "/dev"};
	keep_text(d.name, sizeof d.name, base ? base + 1 : target);
	int ret = disk_open(&d, e);
	if (ret < 0)
		return ret;
	ret = look_at(&d, l, e);
	close(d.fd);
	return ret;
}

/* The item of the disk's list that is the partition of the folder `sys`, or NULL. */
static const struct discover_item *of_partition(
	const struct disk *d, const char *sys, const char *name, const struct discover_list *all)
{
	uint64_t start = read_number(sys, ".", "start"), size = read_number(sys, ".", "size");
	for (size_t i = 0; i < all->count; i++) {
		const struct discover_item *it = &all->items[i];
		const char *base = strrchr(it->path, '/');
		bool node = strcmp(it->path, d->path) != 0;
		if (node ? strcmp(base ? base + 1 : it->path, name) == 0
			 : it->src.offset == start * SECTOR && it->src.length == size * SECTOR)
			return it;
	}
	return NULL;
}

/* Its bytes alone, when the table on its disk does not list it. */
static int add_unlisted(
	const struct disk *whole, const char *target, struct discover_list *l, struct err *e)
{
	struct disk d = {.path = target};
	int ret = disk_open(&d, e);
	if (ret < 0)
		return ret;
	d.part_of = whole->part_of;
	memcpy(d.name, whole->name, sizeof d.name);
	memcpy(d.raid, whole->raid, sizeof d.raid);
	ret = add_bare(&d, l, e);
	close(d.fd);
	return ret;
}

static int add_named(struct disk *d, const char *sys, const char *name, const char *target,
	struct discover_list *l, struct err *e)
{
	struct discover_list all = {0};
	int ret = look_at(d, &all, e);
	const struct discover_item *listed = ret < 0 ? NULL : of_partition(d, sys, name, &all);
	if (listed) {
		struct discover_item it = *listed;
		it.src.offset = 0;
		ret = add(l, &it, target, e);
	} else if (ret == 0) {
		ret = add_unlisted(d, target, l, e);
	}
	discover_clear(&all);
	return ret;
}

int discover_partition_in(const char *sys, const char *dev, const char *target,
	struct discover_list *l, struct err *e)
{
	char own[PATH_BYTES], path[PATH_BYTES + 256];
	*l = (struct discover_list){0};
	if (!realpath(sys, own))
		return err_sys(e, ERR_IO, "Is /sys mounted?", "%s: cannot find its disk", target);
	char *name = strrchr(own, '/'), *disk = NULL;
	if (name && name != own) {
		*name++ = '\0';
		disk = strrchr(own, '/');
	}
	if (!disk)
		return err_set(e, ERR_IO, NULL, "%s: cannot find its disk", target);
	snprintf(path, sizeof path, "%s/%s", dev, disk + 1);
	struct disk d = {.path = path, .sys = own, .dev = dev};
	disk_model(own, disk + 1, d.name);
	int ret = disk_open(&d, e);
	if (ret < 0)
		return err_ctx(e, "%s: cannot look at the disk it is on", target);
	ret = add_named(&d, sys, name, target, l, e);
	close(d.fd);
	return ret;
}

int discover_target(const char *target, struct discover_list *l, struct err *e)
{
	struct stat st;
	char sys[PATH_BYTES];
	*l = (struct discover_list){0};
	if (stat(target, &st) < 0)
		return err_sys(e, ERR_IO, "Check the path.", "%s: cannot open", target);
	if (S_ISDIR(st.st_mode)) {
		struct discover_item it = {.src.kind = VOLUME_FOLDER};
		return add(l, &it, target, e);
	}
	sysfs_of(target, sys);
	int ret = *sys && read_number(sys, ".", "partition")
			  ? discover_partition_in(sys, "/dev", target, l, e)
			  : discover_whole(target, sys, l, e);
	if (ret == 0 && l->count == 0)
		ret = err_set(e, ERR_FORMAT,
			"Give a folder with Windows/ in it, an NTFS image, a disk image or a block "
			"device.",
			"%s holds no partition table and no file system that is known", target);
	if (ret < 0)
		discover_clear(l);
	return ret;
}

static bool is_no_disk(const char *name)
{
	static const char *const prefixes[] = {"loop", "ram", "zram", "sr", "fd"};
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t n = strlen(prefixes[i]);
		if (!strncmp(name, prefixes[i], n) && name[n] >= '0' && name[n] <= '9')
			return true;
	}
	return name[0] == '.';
}

static bool has_number(const char *sys, const char *child, uint64_t number)
{
	char line[SYSFS_LINE];
	unsigned maj, min;
	read_line(line, "%s/%s/dev", sys, child);
	return number && sscanf(line, "%u:%u", &maj, &min) == 2 && makedev(maj, min) == number;
}

/* Is the device number that of this disk or of one of its partitions? */
static bool disk_has(const char *sys, uint64_t number)
{
	bool found = has_number(sys, ".", number);
	DIR *dir = opendir(sys);
	for (struct dirent *de; dir && !found && (de = readdir(dir));)
		found = is_partition(sys, de->d_name) && has_number(sys, de->d_name, number);
	if (dir)
		closedir(dir);
	return found;
}

/* 0 also when the disk cannot be read: *bad says so. */
static int add_disk(const char *sys, const char *dev, const char *name, struct discover_list *l,
	bool *bad, struct err *e)
{
	char path[PATH_BYTES];
	int n = snprintf(path, sizeof path, "%s/%s", dev, name);
	struct disk d = {.path = path, .sys = sys, .dev = dev};
	for (char *c = path + strlen(dev) + 1; n > 0 && *c; c++)
		if (*c == '!') /* sysfs for '/', as in cciss!c0d0 */
			*c = '/';
	disk_model(sys, name, d.name);
	*bad = n < 0 || (size_t)n >= sizeof path || disk_open(&d, NULL) < 0;
	if (*bad)
		return 0;
	int ret = look_at(&d, l, e);
	close(d.fd);
	return ret;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

int discover_pc_in(const char *sysroot, const char *dev, uint64_t exclude, struct discover_list *l,
	unsigned *unreadable, struct err *e)
{
	char block[PATH_BYTES], sys[PATH_BYTES + 300];
	struct dirent **names = NULL;
	unsigned bad_count = 0, disks = 0;
	*l = (struct discover_list){0};
	snprintf(block, sizeof block, "%s/block", sysroot);
	int count = scandir(block, &names, NULL, by_name);
	if (count < 0)
		return err_sys(e, ERR_IO, "Is /sys mounted?", "%s: cannot list the disks", block);
	int ret = 0;
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		bool bad = false;
		snprintf(sys, sizeof sys, "%s/%s", block, name);
		if (ret == 0 && disks < DISCOVER_DISKS_MAX && !is_no_disk(name) &&
			read_number(sys, ".", "size") && !disk_has(sys, exclude)) {
			disks++;
			ret = add_disk(sys, dev, name, l, &bad, e);
		}
		bad_count += bad;
		free(names[i]);
	}
	free(names);
	if (unreadable)
		*unreadable = bad_count;
	if (ret < 0)
		discover_clear(l);
	return ret;
}

int discover_pc(uint64_t exclude, struct discover_list *l, unsigned *unreadable, struct err *e)
{
	return discover_pc_in("/sys", "/dev", exclude, l, unreadable, e);
}

void discover_describe(const struct discover_item *it, char *out, size_t n)
{
	static const char *const kinds[] = {
		"folder", "NTFS", "BitLocker", "FAT", "ReFS", "unknown"};
	const char *base = strrchr(it->path, '/');
	const char *kind = it->src.part_of
				   ? member_name(it->src.part_of)
				   : kinds[(size_t)it->src.kind < ARRAY_SIZE(kinds) ? it->src.kind
										    : VOLUME_OTHER];
	if (it->src.kind == VOLUME_FOLDER) {
		snprintf(out, n, "%s (folder)", it->path);
		return;
	}
	char part[32] = "";
	if (it->partition && it->src.offset)
		snprintf(part, sizeof part, " partition %u", it->partition);
	snprintf(out, n, "%s%s (%s%s%s, %.1f GiB on %s)", base ? base + 1 : it->path, part, kind,
		it->label[0] ? ", label " : "", it->label,
		(double)it->src.length / (1024.0 * 1024.0 * 1024.0), it->disk);
}
