#include "media/booted.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "media/layout.h"

#define CMDLINE_MAX 4096
#define PARAMETER "odjstick.id="

/* The last such word counts, as for init. */
static bool names_identity(const char *cmdline, uint32_t identity)
{
	char want[sizeof PARAMETER + 8];
	const char *at = NULL;
	snprintf(want, sizeof want, PARAMETER "%08x", (unsigned)identity);
	for (const char *p = cmdline; (p = strstr(p, PARAMETER)) != NULL; p++)
		if (p == cmdline || p[-1] == ' ')
			at = p;
	return at && strncmp(at, want, sizeof want - 1) == 0 &&
	       strchr(" \n", at[sizeof want - 1]) != NULL;
}

bool booted_image_of(const char *cmdline, const char *disk, uint8_t hash[MANIFEST_HASH])
{
	struct blockdev *d = NULL;
	struct manifest m = {0};
	struct layout l;
	bool known = blockdev_open(&d, disk, 0, 0, false, NULL) == 0 &&
		     layout_read(&l, d, NULL) == 0 && names_identity(cmdline, l.identity) &&
		     manifest_read(&m, d, NULL) == 0 && m.identity == l.identity;
	memset(hash, 0, MANIFEST_HASH);
	if (known)
		memcpy(hash, m.hash, MANIFEST_HASH);
	manifest_clear(&m);
	blockdev_close(d, NULL);
	return known;
}

/* The disk whose first partition is mounted at dir: /sys/dev/block/8:1 is .../block/sda/sda1. */
static bool disk_of(const char *dir, char *out, size_t n)
{
	char link[64], where[PATH_MAX], number[PATH_MAX + 16];
	struct stat st;
	if (stat(dir, &st) < 0)
		return false;
	snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	if (!realpath(link, where))
		return false;
	snprintf(number, sizeof number, "%s/partition", where);
	if (access(number, F_OK) < 0)
		return false;
	*strrchr(where, '/') = '\0';
	return snprintf(out, n, "/dev/%s", strrchr(where, '/') + 1) < (int)n;
}

bool booted_image(const char *dir, uint8_t hash[MANIFEST_HASH])
{
	char cmdline[CMDLINE_MAX] = "", disk[PATH_MAX];
	FILE *f = fopen("/proc/cmdline", "re");
	if (f) {
		size_t n = fread(cmdline, 1, sizeof cmdline - 1, f);
		cmdline[n] = '\0';
		fclose(f);
	}
	memset(hash, 0, MANIFEST_HASH);
	return disk_of(dir, disk, sizeof disk) && booted_image_of(cmdline, disk, hash);
}
