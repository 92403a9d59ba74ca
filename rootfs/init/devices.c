#include "rootfs/init/devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MODALIAS_MAX 2048
#define MESSAGE_MAX 8192
#define DEPTH_MAX 32
#define KERNEL_GROUP 1 /* messages of the kernel itself; 2 would be udev's */
#define RECEIVE_BUFFER (1 << 20)

int devices_listen(int *fd, struct err *e)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	int size = RECEIVE_BUFFER;
	*fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (*fd < 0)
		return err_sys(e, ERR_FAILED, NULL, "no socket for the kernel's device messages");
	(void)setsockopt(*fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	if (bind(*fd, (struct sockaddr *)&address, sizeof address) < 0)
		return err_sys(e, ERR_FAILED, NULL, "the kernel does not send device messages");
	return 0;
}

static void offer_file(int dir, const char *name, devices_fn *offer, void *ctx)
{
	char text[MODALIAS_MAX];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	offer(ctx, text);
}

void devices_list(const char *bus, devices_fn *offer, void *ctx)
{
	DIR *d = opendir(bus);
	struct dirent *entry;
	while (d && (entry = readdir(d))) {
		char name[sizeof entry->d_name + sizeof "/modalias"];
		snprintf(name, sizeof name, "%s/modalias", entry->d_name);
		if (entry->d_name[0] != '.')
			offer_file(dirfd(d), name, offer, ctx);
	}
	if (d)
		closedir(d);
}

/* Takes dir over. Links are not followed: every device is reached once, as a folder. */
static void walk(int dir, unsigned depth, devices_fn *offer, void *ctx)
{
	DIR *d = fdopendir(dir);
	if (!d) {
		close(dir);
		return;
	}
	struct dirent *entry;
	while ((entry = readdir(d))) {
		if (entry->d_type == DT_REG && strcmp(entry->d_name, "modalias") == 0)
			offer_file(dirfd(d), "modalias", offer, ctx);
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || depth >= DEPTH_MAX)
			continue;
		int sub = openat(
			dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (sub >= 0)
			walk(sub, depth + 1, offer, ctx);
	}
	closedir(d);
}

void devices_walk(const char *root, devices_fn *offer, void *ctx)
{
	int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		walk(dir, 0, offer, ctx);
}

/* The value of "KEY=value" in a message, or NULL. */
static const char *value_of(const char *message, size_t len, const char *key)
{
	size_t n = strlen(key);
	for (const char *p = message, *end = message + len; p < end; p += strlen(p) + 1)
		if (strncmp(p, key, n) == 0)
			return p + n;
	return NULL;
}

bool devices_message(const char *message, size_t len, devices_fn *offer, void *ctx)
{
	if (len == 0 || message[len - 1] != '\0' || !strchr(message, '@'))
		return false;
	const char *action = value_of(message, len, "ACTION=");
	const char *subsystem = value_of(message, len, "SUBSYSTEM=");
	const char *modalias = value_of(message, len, "MODALIAS=");
	if (!action || !subsystem)
		return false;
	if (modalias && strcmp(action, "add") == 0)
		offer(ctx, modalias);
	return strcmp(subsystem, "block") == 0;
}

bool devices_hear(int fd, devices_fn *offer, void *ctx, bool *lost)
{
	char message[MESSAGE_MAX];
	bool disks = false;
	*lost = false;
	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t size = sizeof from;
		ssize_t n =
			recvfrom(fd, message, sizeof message, 0, (struct sockaddr *)&from, &size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			*lost = disks = true;
			continue;
		}
		if (n <= 0)
			return disks;
		/* Only the kernel has port 0. */
		if (from.nl_pid == 0 && devices_message(message, (size_t)n, offer, ctx))
			disks = true;
	}
}
