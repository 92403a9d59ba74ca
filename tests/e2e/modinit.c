/* In init's place: load one module as Debian signed it and one without its signature, say what the
 * kernel did, and switch off. For tests/e2e/secureboot.bats. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

static void load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long ret = fd < 0 ? -1 : syscall(SYS_finit_module, fd, "", 0);
	printf("MODULE %s: %s\r\n", path, ret == 0 ? "loaded" : strerror(errno));
}

static void show(const char *what, const char *path)
{
	char line[128] = "";
	FILE *f = fopen(path, "re");
	if (f && fgets(line, sizeof line, f))
		line[strcspn(line, "\n")] = '\0';
	printf("%s: %s\r\n", what, line);
	if (f)
		fclose(f);
}

int main(void)
{
	mount("securityfs", "/sys", "securityfs", 0, NULL);
	printf("\033[2J\033[H");
	load("/signed.ko");
	load("/unsigned.ko");
	show("LOCKDOWN", "/sys/lockdown");
	printf("MODULES DONE\r\n");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
