#include "base/host.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define UUID_TEXT 36
#define SELF "/proc/self/exe"
#define FS_RAMFS 0x858458f6L /* what an initramfs is, by statfs(2) */
#define FS_TMPFS 0x01021994L

static bool read_kernel_id(uint8_t id[HOST_BOOT_ID_SIZE])
{
	char text[UUID_TEXT];
	int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t got = read(fd, text, sizeof text);
	close(fd);
	size_t len = 0;
	return got == UUID_TEXT &&
	       sodium_hex2bin(id, HOST_BOOT_ID_SIZE, text, sizeof text, "-", &len, NULL) == 0 &&
	       len == HOST_BOOT_ID_SIZE;
}

int host_boot_id(uint8_t id[HOST_BOOT_ID_SIZE], struct err *e)
{
	static uint8_t once[HOST_BOOT_ID_SIZE];
	static bool drawn;
	if (read_kernel_id(id))
		return 0;
	if (sodium_init() < 0)
		return err_set(e, ERR_FAILED, "Nothing was changed.",
			"the cryptography library did not start");
	if (!drawn)
		randombytes_buf(once, sizeof once);
	drawn = true;
	memcpy(id, once, sizeof once);
	return 0;
}

int64_t host_image_time(void)
{
	struct statfs fs;
	struct stat st;
	if (statfs("/", &fs) < 0 || stat(SELF, &st) < 0)
		return 0;
	return fs.f_type == FS_RAMFS || fs.f_type == FS_TMPFS ? (int64_t)st.st_mtime : 0;
}
