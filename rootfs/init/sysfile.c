#include "rootfs/init/sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 4096

ssize_t sysfile_bytes(const char *path, off_t at, void *p, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	size_t done = 0;
	ssize_t got = 0;
	while (done < n) {
		got = pread(fd, (char *)p + done, n - done, at + (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	close(fd);
	return got < 0 ? -1 : (ssize_t)done;
}

bool sysfile_line(const char *path, char *line, size_t n)
{
	ssize_t got = sysfile_bytes(path, 0, line, n - 1);
	line[got > 0 ? got : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return got >= 0;
}

int sysfile_all(const char *path, size_t max, struct buf *b, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, ERR_IO, NULL, "cannot open %s", path);
	int ret = 0;
	ssize_t got = 1;
	while (ret == 0 && got > 0) {
		ret = buf_reserve(b, b->len + CHUNK + 1, e);
		if (ret == 0)
			got = read(fd, b->p + b->len, CHUNK);
		if (ret == 0 && got < 0 && errno != EINTR)
			ret = err_sys(e, ERR_IO, NULL, "cannot read %s", path);
		if (ret == 0 && got > 0)
			b->len += (size_t)got;
		if (ret == 0 && b->len > max)
			ret = err_set(e, ERR_LIMIT, NULL, "%s is larger than %zu bytes", path, max);
		if (got < 0 && errno == EINTR)
			got = 1;
	}
	close(fd);
	if (ret == 0)
		b->p[b->len] = '\0';
	return ret;
}

bool sysfile_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t put = write(fd, text, strlen(text));
	close(fd);
	return put == (ssize_t)strlen(text);
}

bool sysfile_create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd >= 0 && close(fd) == 0;
}
