#include "job/disk_id.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

/* Where NVMe, SCSI and SATA, virtio and SD cards tell; the first that says something. */
static const char *const marks[] = {"wwid", "device/wwid", "serial", "device/serial", "device/cid"};

static bool read_line(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, out, size - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return out[strspn(out, " 0")] != '\0';
}

static void read_device(const char *sys, const char *path, struct disk_id *id)
{
	/* a partition's marks are those of its disk, one folder up */
	static const char *const places[] = {"", "../"};
	struct stat st;
	char file[512];
	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		return;
	for (size_t p = 0; p < ARRAY_SIZE(places); p++)
		for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
			snprintf(file, sizeof file, "%s/dev/block/%u:%u/%s%s", sys,
				major(st.st_rdev), minor(st.st_rdev), places[p], marks[i]);
			if (read_line(file, id->device, sizeof id->device))
				return;
		}
	id->device[0] = '\0';
}

void disk_id_read(const char *sys, const struct volume_source *src, const struct volume_state *st,
	struct disk_id *id)
{
	*id = (struct disk_id){.volume = st->serial};
	read_device(sys ? sys : "/sys", src->path, id);
}

bool disk_id_same(const struct disk_id *a, const struct disk_id *b)
{
	bool volumes = a->volume == 0 || b->volume == 0 || a->volume == b->volume;
	bool devices = !a->device[0] || !b->device[0] || strcmp(a->device, b->device) == 0;
	return volumes && devices;
}
