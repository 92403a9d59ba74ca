#include "volume/hidden.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASS_RAID 0x0104
#define PATH_BYTES 512

/* A number in a file of a device's folder; 0 when it has no such file. */
static unsigned long number(const char *dir, const char *name, int base)
{
	char path[PATH_BYTES + 32], line[32] = "";
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "re");
	if (f && !fgets(line, sizeof line, f))
		line[0] = '\0';
	if (f)
		fclose(f);
	return strtoul(line, NULL, base);
}

static bool has_driver(const char *dir)
{
	char path[PATH_BYTES + 32];
	snprintf(path, sizeof path, "%s/driver", dir);
	return access(path, F_OK) == 0;
}

static bool look(const char *dir, const char *slot, char text[HIDDEN_TEXT_MAX])
{
	unsigned long remapped = number(dir, "remapped_nvme", 10);
	if (remapped > 0) {
		snprintf(text, HIDDEN_TEXT_MAX, "Intel RST (RAID mode) hides %lu NVMe disk%s",
			remapped, remapped == 1 ? "" : "s");
		return true;
	}
	if (number(dir, "class", 16) >> 8 != CLASS_RAID || has_driver(dir))
		return false;
	snprintf(text, HIDDEN_TEXT_MAX,
		"the RAID controller %.20s (%04lx:%04lx) has no driver on this stick", slot,
		number(dir, "vendor", 16) & 0xFFFF, number(dir, "device", 16) & 0xFFFF);
	return true;
}

bool hidden_disks(const char *sys, char text[HIDDEN_TEXT_MAX])
{
	char root[PATH_BYTES / 2], dir[PATH_BYTES];
	bool found = false;
	snprintf(root, sizeof root, "%s/bus/pci/devices", sys ? sys : "/sys");
	DIR *d = opendir(root);
	struct dirent *entry;
	while (d && !found && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(dir, sizeof dir, "%s/%.200s", root, entry->d_name);
		found = look(dir, entry->d_name, text);
	}
	if (d)
		closedir(d);
	return found;
}
