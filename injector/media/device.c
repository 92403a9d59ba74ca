#include "media/device.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

#define ATTRIBUTE_MAX 256u
#define TABLE_MAX (4u << 20)
#define SECTOR 512u

static const char untouched[] = "It is untouched. Name the stick itself, e.g. /dev/sdb, and not a "
				"disk of this PC; lsblk shows them.";

/* An attribute of a block device, without its line feed; "" when there is none. */
static void attribute(const char *sys, const char *name, const char *what, char *out, size_t n)
{
	char path[PATH_MAX];
	out[0] = '\0';
	snprintf(path, sizeof path, "%s/class/block/%s/%s", sys, name, what);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (!fgets(out, (int)n, f))
		out[0] = '\0';
	fclose(f);
	out[strcspn(out, "\r\n")] = '\0';
	for (size_t len = strlen(out); len > 0 && out[len - 1] == ' ';)
		out[--len] = '\0';
	for (char *c = out; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
}

static bool has(const char *sys, const char *name, const char *what)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/class/block/%s/%s", sys, name, what);
	return access(path, F_OK) == 0;
}

/* Sticks say so, or are on a bus whose disks are pulled out; many USB sticks claim to be fixed. */
static bool can_be_pulled(const char *sys, const char *name)
{
	char link[PATH_MAX], where[PATH_MAX], value[ATTRIBUTE_MAX];
	attribute(sys, name, "removable", value, sizeof value);
	if (strcmp(value, "1") == 0)
		return true;
	snprintf(link, sizeof link, "%s/class/block/%s", sys, name);
	if (!realpath(link, where))
		return false;
	/* eMMC is soldered in; a card in a reader of its own is type SD. */
	attribute(sys, name, "device/type", value, sizeof value);
	return strstr(where, "/usb") || (strstr(where, "/mmc_host/") && strcmp(value, "SD") == 0);
}

/* A file of /proc, which has no size of its own. */
static int read_table(const char *path, struct buf *out, struct err *e)
{
	uint8_t *at;
	int ret = buf_grow(out, TABLE_MAX, &at, e);
	if (ret < 0)
		return ret;
	FILE *f = fopen(path, "re");
	out->len = f ? fread(at, 1, TABLE_MAX, f) : 0;
	if (!f || ferror(f) || out->len == TABLE_MAX)
		ret = err_sys(e, ERR_IO, "It cannot be known what is in use; nothing was changed.",
			"%s cannot be read", path);
	if (f)
		fclose(f);
	return ret;
}

/* Is the device number major:minor the source of a mount? Field 3 of mountinfo. */
static bool number_is_mounted(const struct buf *mounts, const char *number)
{
	size_t n = strlen(number);
	const char *p = (const char *)mounts->p, *end = p + mounts->len;
	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *field = p;
		if (!eol)
			eol = end;
		for (int i = 0; i < 2 && field; i++) {
			field = memchr(field, ' ', (size_t)(eol - field));
			field = field ? field + 1 : NULL;
		}
		if (field && (size_t)(eol - field) > n && memcmp(field, number, n) == 0 &&
			field[n] == ' ')
			return true;
		p = eol + 1;
	}
	return false;
}

/* "/dev/NAME " at the start of a line of /proc/swaps. */
static bool is_swap(const struct buf *swaps, const char *name)
{
	char want[DEVICE_NAME_MAX + 8];
	snprintf(want, sizeof want, "/dev/%s ", name);
	size_t n = strlen(want);
	for (size_t i = 0; i + n <= swaps->len; i++)
		if ((i == 0 || swaps->p[i - 1] == '\n') && memcmp(swaps->p + i, want, n) == 0)
			return true;
	return false;
}

struct in_use {
	const char *sys;
	struct buf mounts, swaps;
};

/* A disk or a partition: mounted, swap, or a part of something else (LVM, RAID, dm-crypt). */
static int check_free(const struct in_use *u, const char *name, struct err *e)
{
	char number[ATTRIBUTE_MAX], path[PATH_MAX];
	attribute(u->sys, name, "dev", number, sizeof number);
	if (number_is_mounted(&u->mounts, number))
		return err_set(e, ERR_REFUSED,
			"It is untouched. Unmount it first, if it is the stick you mean.",
			"%s is mounted", name);
	if (is_swap(&u->swaps, name))
		return err_set(e, ERR_REFUSED, untouched, "%s is this PC's swap", name);
	snprintf(path, sizeof path, "%s/class/block/%s/holders", u->sys, name);
	DIR *d = opendir(path);
	bool held = false;
	for (const struct dirent *de = d ? readdir(d) : NULL; de; de = readdir(d))
		held |= de->d_name[0] != '.';
	if (d)
		closedir(d);
	return held ? err_set(e, ERR_REFUSED, untouched,
			      "%s is a part of another device that is in use", name)
		    : 0;
}

static int check_parts(const struct in_use *u, const char *name, struct err *e)
{
	char path[PATH_MAX];
	int ret = check_free(u, name, e);
	snprintf(path, sizeof path, "%s/class/block/%s/", u->sys, name);
	DIR *d = opendir(path);
	for (const struct dirent *de = d ? readdir(d) : NULL; de && ret == 0; de = readdir(d)) {
		char part[PATH_MAX];
		snprintf(part, sizeof part, "%s/partition", de->d_name);
		if (strncmp(de->d_name, name, strlen(name)) == 0 && has(u->sys, name, part))
			ret = check_free(u, de->d_name, e);
	}
	if (d)
		closedir(d);
	return ret;
}

static int describe(
	const char *sys, const char *name, uint64_t needed, struct device *out, struct err *e)
{
	char value[ATTRIBUTE_MAX];
	memset(out, 0, sizeof *out);
	snprintf(out->name, sizeof out->name, "%s", name);
	attribute(sys, name, "device/model", out->model, sizeof out->model);
	attribute(sys, name, "size", value, sizeof value);
	out->size = strtoull(value, NULL, 10) * SECTOR;
	if (out->size < needed)
		return err_set(e, ERR_NOSPACE, "It is untouched. Use a larger stick.",
			"%s is too small: %llu MB, needed are %llu MB", name,
			(unsigned long long)(out->size / 1000000),
			(unsigned long long)((needed + 999999) / 1000000));
	return 0;
}

int device_check_in(const char *sys, const char *mounts, const char *swaps, const char *name,
	uint64_t needed, struct device *out, struct err *e)
{
	struct in_use u = {.sys = sys};
	char read_only[ATTRIBUTE_MAX], sector[ATTRIBUTE_MAX];
	if (!has(sys, name, "size") || has(sys, name, "partition"))
		return err_set(e, ERR_REFUSED, untouched, "%s is not a whole disk", name);
	if (!can_be_pulled(sys, name))
		return err_set(e, ERR_REFUSED, untouched,
			"%s cannot be pulled out of this PC: it is no stick", name);
	attribute(sys, name, "queue/logical_block_size", sector, sizeof sector);
	if (sector[0] && strcmp(sector, "512") != 0)
		return err_set(e, ERR_REFUSED, "It is untouched. Use another stick.",
			"%s has sectors of %s bytes; a stick needs 512", name, sector);
	attribute(sys, name, "ro", read_only, sizeof read_only);
	if (strcmp(read_only, "0") != 0)
		return err_set(e, ERR_REFUSED, "Look for a switch on it, or use another stick.",
			"%s cannot be written", name);
	int ret = read_table(mounts, &u.mounts, e);
	if (ret == 0)
		ret = read_table(swaps, &u.swaps, e);
	if (ret == 0)
		ret = check_parts(&u, name, e);
	buf_clear(&u.mounts);
	buf_clear(&u.swaps);
	return ret < 0 ? ret : describe(sys, name, needed, out, e);
}

int device_check(const char *path, uint64_t needed, struct device *out, struct err *e)
{
	char link[64], where[PATH_MAX];
	struct stat st;
	if (stat(path, &st) < 0)
		return err_sys(e, ERR_IO, "Nothing was changed. Check the name.", "%s", path);
	if (!S_ISBLK(st.st_mode))
		return err_set(e, ERR_FORMAT, "Nothing was changed. For an image file: -o.",
			"%s is no device", path);
	snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	if (!realpath(link, where))
		return err_sys(
			e, ERR_IO, "Nothing was changed.", "%s is unknown to the kernel", path);
	return device_check_in("/sys", "/proc/self/mountinfo", "/proc/swaps",
		strrchr(where, '/') + 1, needed, out, e);
}
