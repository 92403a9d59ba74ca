/* The first program after the kernel: says that it runs and what the kernel's clock shows. Then the
 * stick's init takes over, or nothing where there is none: the stick beside it
 * (tests/bench/boot/run). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define SERIAL "/first-serial-line"

int main(void)
{
	char line[64];
	struct timespec now = {0};
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(line, sizeof line, "\r\nkernel done at %lld.%03ld\r\n", (long long)now.tv_sec,
		now.tv_nsec / 1000000);
	(void)mknod(SERIAL, S_IFCHR | 0600, makedev(4, 64));
	int console = open(SERIAL, O_WRONLY | O_NOCTTY | O_NONBLOCK);
	if (console < 0 || write(console, line, strlen(line)) < 0)
		return 1; /* the kernel panics, and says so */
	close(console);
	unlink(SERIAL);
	execl("/init.stick", "/init", (char *)NULL);
	for (;;)
		pause();
}
