/* An init that does nothing: says that it runs, and when the kernel thinks it is. What is in front
 * of it is not ours; what the stick's init takes on top is (tests/bench/boot/run). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	char line[64];
	struct timespec now = {0};
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(line, sizeof line, "\r\nnull init at %lld.%03ld\r\n", (long long)now.tv_sec,
		now.tv_nsec / 1000000);
	(void)mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	int console = open("/dev/ttyS0", O_WRONLY | O_NOCTTY | O_NONBLOCK);
	if (console < 0 || write(console, line, strlen(line)) < 0)
		return 1; /* the kernel panics, and says so */
	for (;;)
		pause();
}
