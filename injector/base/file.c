#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(
			e, ERR_IO, "Check the name and the permissions.", "cannot open %s", path);
	struct stat st;
	int ret = 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		ret = err_set(e, ERR_FORMAT, "Name a file.", "%s is not a regular file", path);
	else if ((uint64_t)st.st_size > max)
		ret = err_set(e, ERR_LIMIT, "This is probably the wrong file.",
			"%s has %lld bytes; at most %zu are accepted", path, (long long)st.st_size,
			max);
	size_t want = ret == 0 ? (size_t)st.st_size : 0;
	uint8_t *at = NULL;
	if (ret == 0)
		ret = buf_grow(out, want, &at, e);
	for (size_t done = 0; ret == 0 && done < want;) {
		ssize_t n = read(fd, at + done, want - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ret = err_sys(e, ERR_IO, NULL, "cannot read %s", path);
		else if (n == 0)
			ret = err_set(
				e, ERR_IO, "Try again.", "%s became shorter while read", path);
		else
			done += (size_t)n;
	}
	close(fd);
	return ret;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t put = write(fd, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

static int write_new(const char *path, const void *p, size_t n, unsigned mode, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
	if (fd < 0 && errno == EEXIST)
		return err_set(e, ERR_EXISTS,
			"It is untouched. Choose another name or move it away.",
			"%s exists already", path);
	if (fd < 0)
		return err_sys(e, ERR_IO, NULL, "cannot create %s", path);
	int ret = 0;
	if (write_all(fd, p, n) < 0 || fsync(fd) < 0)
		ret = err_sys(e, ERR_IO, NULL, "cannot write %s", path);
	if (close(fd) < 0 && ret == 0)
		ret = err_sys(e, ERR_IO, NULL, "cannot write %s", path);
	if (ret < 0)
		unlink(path);
	return ret;
}

static int sync_parent(const char *path, struct err *e)
{
	CLEANUP(freep) char *dir = strdup(path);
	if (!dir)
		return err_nomem(e);
	char *slash = strrchr(dir, '/');
	if (!slash)
		return file_sync_dir(".", e);
	slash[slash == dir ? 1 : 0] = '\0';
	return file_sync_dir(dir, e);
}

static int put(int fd, const char *path, const void *p, size_t n, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || write_all(fd, p, n) < 0 ||
		(st.st_size > (off_t)n && ftruncate(fd, (off_t)n) < 0) || fsync(fd) < 0)
		return err_sys(e, ERR_IO, NULL, "cannot write %s", path);
	return 0;
}

int file_put(const char *path, const void *p, size_t n, unsigned mode, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
	if (fd < 0)
		return err_sys(e, ERR_IO, NULL, "cannot create %s", path);
	int ret = put(fd, path, p, n, e);
	if (close(fd) < 0 && ret == 0)
		ret = err_sys(e, ERR_IO, NULL, "cannot write %s", path);
	return ret < 0 ? ret : sync_parent(path, e);
}

int file_create(const char *path, const void *p, size_t n, unsigned mode, struct err *e)
{
	int ret = write_new(path, p, n, mode, e);
	return ret < 0 ? ret : sync_parent(path, e);
}

int file_mkdir(const char *path, struct err *e)
{
	struct stat st;
	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return err_sys(e, ERR_IO, NULL, "cannot make the folder %s", path);
}

int file_sync_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, ERR_IO, NULL, "cannot open the folder %s", path);
	int ret = 0;
	/* EINVAL: this filesystem cannot sync folders, and has nothing better to offer. */
	if (fsync(fd) < 0 && errno != EINVAL)
		ret = err_sys(e, ERR_IO, NULL, "cannot flush the folder %s", path);
	close(fd);
	return ret;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

struct file_lock {
	int fd;
};

int file_lock(struct file_lock **lock, const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, ERR_IO, NULL, "cannot open %s", path);
	int ret = 0;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		ret = errno == EWOULDBLOCK
			      ? err_set(e, ERR_REFUSED,
					"Nothing was changed. Wait for it, or end it.",
					"another program is using this folder (%s is locked)", path)
			      : err_sys(e, ERR_IO, NULL, "cannot lock %s", path);
	struct file_lock *l = ret == 0 ? malloc(sizeof *l) : NULL;
	if (ret == 0 && !l)
		ret = err_nomem(e);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	l->fd = fd;
	*lock = l;
	return 0;
}

void file_unlock(struct file_lock *lock)
{
	if (!lock)
		return;
	close(lock->fd);
	free(lock);
}

char *path_join(const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	char *s = malloc(n);
	if (s)
		snprintf(s, n, "%s/%s", dir, name);
	return s;
}
