/*
 * Folder backend: a Windows tree in a folder of the host.
 *
 * Everything goes through openat() from the folder's own descriptor with
 * O_NOFOLLOW, one name at a time, so no link and no ".." leads out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf16.h"
#include "volume/backend.h"

struct folder {
	int fd;
};

static int root_of(const struct volume *v)
{
	return ((struct folder *)v->impl)->fd;
}

/* --- names without regard to case ----------------------------------------------------------- */

static bool same_name(const char *a, const struct buf *ub)
{
	struct buf ua = BUF_INIT;
	bool same = utf8_to_utf16le(a, false, &ua, NULL) == 0 && ua.len == ub->len &&
		    utf16_casecmp((const uint16_t *)(const void *)ua.p, ua.len / 2,
			    (const uint16_t *)(const void *)ub->p, ub->len / 2) == 0;
	buf_clear(&ua);
	return same;
}

/* The name as stored, in malloc'ed memory: exact case first, else the first match in the folder.
 * *out NULL when absent. */
static int stored_name(int dir, const char *part, char **out, struct err *e)
{
	struct stat st;
	*out = NULL;
	if (fstatat(dir, part, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		*out = strdup(part);
		return *out ? 0 : err_nomem(e);
	}
	struct buf want = BUF_INIT;
	int ret = utf8_to_utf16le(part, false, &want, e);
	int fd = ret < 0 ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (ret == 0 && !d) {
		ret = err_sys(e, ERR_IO, NULL, "cannot list the folder that holds %s", part);
		if (fd >= 0)
			close(fd);
	}
	for (struct dirent *de; d && (de = readdir(d));)
		if (same_name(de->d_name, &want)) {
			*out = strdup(de->d_name);
			ret = *out ? 0 : err_nomem(e);
			break;
		}
	if (d)
		closedir(d);
	buf_clear(&want);
	return ret;
}

static int not_found(struct volume *v, const struct vpath *p, struct err *e)
{
	return err_set(
		e, ERR_NOTFOUND, "Nothing was changed.", "%s: there is no %s", v->name, p->text);
}

/* Open the folder of the first `count` parts. */
static int walk(struct volume *v, const struct vpath *p, size_t count, int *out, struct err *e)
{
	int fd = openat(root_of(v), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, ERR_IO, NULL, "%s: cannot open", v->name);
	for (size_t i = 0; i < count; i++) {
		char *name;
		int ret = stored_name(fd, p->part[i], &name, e);
		int next = name ? openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				: -1;
		int sys = errno;
		struct stat st;
		bool link = next < 0 && name && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			    S_ISLNK(st.st_mode);
		bool absent = !name || sys == ENOTDIR;
		free(name);
		close(fd);
		if (ret < 0)
			return ret;
		if (link)
			return err_set(e, ERR_REFUSED, VOLUME_LINK_NEXT,
				"%s: %s leads through a link", v->name, p->text);
		if (next < 0 && absent)
			return not_found(v, p, e);
		errno = sys;
		if (next < 0)
			return err_sys(e, ERR_IO, NULL, "%s: cannot open %s", v->name, p->text);
		fd = next;
	}
	*out = fd;
	return 0;
}

/* The folder that holds the last part, and the last part as stored, or as given when absent. */
struct spot {
	int dir;
	char *name;
	bool exists;
	struct stat st;
};

static void spot_close(struct spot *s)
{
	if (s->dir >= 0)
		close(s->dir);
	free(s->name);
	s->dir = -1;
	s->name = NULL;
}

static int spot_open(struct volume *v, const struct vpath *p, struct spot *s, struct err *e)
{
	*s = (struct spot){.dir = -1};
	int ret = walk(v, p, p->count ? p->count - 1 : 0, &s->dir, e);
	const char *last = p->count ? p->part[p->count - 1] : ".";
	if (ret == 0)
		ret = stored_name(s->dir, last, &s->name, e);
	if (ret == 0 && s->name) {
		s->exists = true;
		if (fstatat(s->dir, s->name, &s->st, AT_SYMLINK_NOFOLLOW) < 0)
			ret = err_sys(e, ERR_IO, NULL, "%s: cannot stat %s", v->name, p->text);
	} else if (ret == 0) {
		s->name = strdup(last);
		ret = s->name ? 0 : err_nomem(e);
	}
	if (ret < 0)
		spot_close(s);
	return ret;
}

static int spot_must_exist(struct volume *v, const struct vpath *p, struct spot *s, struct err *e)
{
	int ret = spot_open(v, p, s, e);
	if (ret < 0 || s->exists)
		return ret;
	spot_close(s);
	return not_found(v, p, e);
}

/* --- reading -------------------------------------------------------------------------------- */

static int folder_stat(
	struct volume *v, const struct vpath *p, struct volume_stat *st, struct err *e)
{
	struct spot s;
	struct err mine = ERR_INIT;
	*st = (struct volume_stat){0};
	int ret = spot_open(v, p, &s, &mine);
	if (ret == -ERR_NOTFOUND)
		return 0;
	if (ret < 0)
		return err_set(e, mine.code, mine.next, "%s", mine.what);
	if (s.exists) {
		st->exists = true;
		st->is_dir = S_ISDIR(s.st.st_mode);
		st->is_link = !st->is_dir && !S_ISREG(s.st.st_mode);
		st->size = S_ISREG(s.st.st_mode) ? (uint64_t)s.st.st_size : 0;
		st->attr = st->is_dir ? 0 : VOLUME_ATTR_ARCHIVE;
		st->file_id = (uint64_t)s.st.st_ino;
		st->mtime =
			clock_filetime(s.st.st_mtim.tv_sec) + (uint64_t)s.st.st_mtim.tv_nsec / 100;
	}
	spot_close(&s);
	return 0;
}

static bool is_real_dir(int dir, const struct dirent *de)
{
	struct stat st;
	if (de->d_type != DT_UNKNOWN)
		return de->d_type == DT_DIR;
	return fstatat(dir, de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int folder_list(
	struct volume *v, const struct vpath *p, struct volume_list *l, struct err *e)
{
	int fd;
	int ret = walk(v, p, p->count, &fd, e);
	if (ret < 0)
		return ret;
	DIR *d = fdopendir(fd);
	if (!d) {
		ret = err_sys(e, ERR_IO, NULL, "%s: cannot list %s", v->name, p->text);
		close(fd);
		return ret;
	}
	errno = 0;
	for (struct dirent *de; ret == 0 && (de = readdir(d));)
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, "..") &&
			utf8_valid(de->d_name, strlen(de->d_name)))
			ret = volume_list_add(l, de->d_name, is_real_dir(fd, de), e);
	if (ret == 0 && errno)
		ret = err_sys(e, ERR_IO, NULL, "%s: cannot list %s", v->name, p->text);
	closedir(d);
	return ret;
}

/* A plain file behind base/'s byte device, opened by descriptor so that no name is followed. */
static int open_fd(struct spot *s, bool writable, struct bytedev **d, struct err *e)
{
	char path[64];
	int fd = openat(s->dir, s->name,
		(writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, ERR_IO, NULL, "cannot open %s", s->name);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int ret = bytedev_open_file(d, path, writable, 0, e);
	close(fd);
	return ret;
}

static int folder_open_file(
	struct volume *v, const struct vpath *p, bool writable, struct bytedev **d, struct err *e)
{
	struct spot s;
	int ret = spot_must_exist(v, p, &s, e);
	if (ret < 0)
		return ret;
	if (S_ISDIR(s.st.st_mode))
		ret = err_set(e, ERR_NOTFOUND, "Nothing was changed.", "%s: %s is a folder",
			v->name, p->text);
	else if (!S_ISREG(s.st.st_mode))
		ret = err_set(
			e, ERR_REFUSED, VOLUME_LINK_NEXT, "%s: %s is a link", v->name, p->text);
	else
		ret = open_fd(&s, writable, d, e);
	spot_close(&s);
	return ret;
}

static int folder_security(struct volume *v, const struct vpath *p, struct buf *sd, struct err *e)
{
	struct spot s;
	(void)sd;
	int ret = spot_must_exist(v, p, &s, e);
	if (ret == 0)
		spot_close(&s);
	return ret;
}

static int folder_free_space(struct volume *v, uint64_t *bytes, struct err *e)
{
	struct statvfs vfs;
	if (fstatvfs(root_of(v), &vfs) < 0)
		return err_sys(e, ERR_IO, NULL, "%s: cannot ask for free space", v->name);
	*bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return 0;
}

/* --- writing -------------------------------------------------------------------------------- */

static int sync_dir(struct volume *v, int dir, struct err *e)
{
	if (fsync(dir) < 0)
		return err_sys(e, ERR_IO, NULL, "%s: cannot flush a folder", v->name);
	return 0;
}

static int write_fd(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t put = write(fd, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		p += put;
		n -= (size_t)put;
	}
	return fsync(fd);
}

static int write_new(
	struct spot *s, const char *tmp, const void *data, size_t n, bool secret, struct err *e)
{
	unlinkat(s->dir, tmp, 0); /* left by a power cut */
	mode_t mode = secret ? 0600 : s->exists ? s->st.st_mode & 07777 : 0644;
	int fd = openat(s->dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, ERR_IO, "Nothing was changed.", "cannot create %s", tmp);
	bool bad = write_fd(fd, data, n) < 0 || fchmod(fd, mode) < 0;
	/* Ownership is kept where the host allows it; only root may give files away. */
	if (!bad && s->exists && geteuid() == 0)
		bad = fchown(fd, s->st.st_uid, s->st.st_gid) < 0;
	int ret = bad ? err_sys(e, ERR_IO, "Nothing was changed.", "cannot write %s", tmp) : 0;
	if (close(fd) < 0 && ret == 0)
		ret = err_sys(e, ERR_IO, "Nothing was changed.", "cannot close %s", tmp);
	if (ret < 0)
		unlinkat(s->dir, tmp, 0);
	return ret;
}

static int folder_replace(struct volume *v, const struct vpath *p, const void *data, size_t n,
	bool secret, struct err *e)
{
	struct spot s;
	char tmp[256 * 4 + sizeof VOLUME_NEW_SUFFIX];
	int ret = spot_open(v, p, &s, e);
	if (ret < 0)
		return ret;
	snprintf(tmp, sizeof tmp, "%s%s", s.name, VOLUME_NEW_SUFFIX);
	if (s.exists && !S_ISREG(s.st.st_mode))
		ret = err_set(e, ERR_EXISTS, "Nothing was changed.",
			"%s: %s exists and is not a plain file", v->name, p->text);
	if (ret == 0)
		ret = write_new(&s, tmp, data, n, secret, e);
	if (ret == 0 && renameat(s.dir, tmp, s.dir, s.name) < 0)
		ret = err_sys(e, ERR_IO, "Nothing was changed.", "%s: cannot replace %s", v->name,
			p->text);
	if (ret == 0)
		ret = sync_dir(v, s.dir, e);
	spot_close(&s);
	return ret;
}

static int folder_mkdir(struct volume *v, const struct vpath *p, struct err *e)
{
	struct spot s;
	int ret = spot_open(v, p, &s, e);
	if (ret < 0)
		return ret;
	if (mkdirat(s.dir, s.name, 0755) < 0)
		ret = err_sys(e, ERR_IO, "Nothing was changed.", "%s: cannot make folder %s",
			v->name, p->text);
	else
		ret = sync_dir(v, s.dir, e);
	spot_close(&s);
	return ret;
}

static int folder_remove(struct volume *v, const struct vpath *p, struct err *e)
{
	struct spot s;
	int ret = spot_must_exist(v, p, &s, e);
	if (ret < 0)
		return ret;
	if (!S_ISREG(s.st.st_mode) && !S_ISDIR(s.st.st_mode))
		ret = err_set(
			e, ERR_REFUSED, VOLUME_LINK_NEXT, "%s: %s is a link", v->name, p->text);
	else if (unlinkat(s.dir, s.name, S_ISDIR(s.st.st_mode) ? AT_REMOVEDIR : 0) < 0)
		ret = err_sys(e, ERR_IO, "Nothing was changed.", "%s: cannot remove %s", v->name,
			p->text);
	else
		ret = sync_dir(v, s.dir, e);
	spot_close(&s);
	return ret;
}

static int folder_tidy(struct volume *v, const struct vpath *p, struct err *e)
{
	struct spot s;
	char tmp[256 * 4 + sizeof VOLUME_NEW_SUFFIX];
	int ret = spot_open(v, p, &s, e);
	if (ret < 0)
		return ret;
	snprintf(tmp, sizeof tmp, "%s%s", s.name, VOLUME_NEW_SUFFIX);
	if (unlinkat(s.dir, tmp, 0) == 0)
		ret = sync_dir(v, s.dir, e);
	else if (errno != ENOENT)
		ret = err_sys(e, ERR_IO, NULL, "%s: cannot remove %s", v->name, tmp);
	spot_close(&s);
	return ret;
}

static int folder_rename(
	struct volume *v, const struct vpath *from, const struct vpath *to, struct err *e)
{
	struct spot a, b;
	int ret = spot_must_exist(v, from, &a, e);
	if (ret < 0)
		return ret;
	ret = spot_open(v, to, &b, e);
	if (ret == 0) {
		if (renameat(a.dir, a.name, b.dir, b.name) < 0)
			ret = err_sys(e, ERR_IO, "Nothing was changed.", "%s: cannot rename %s",
				v->name, from->text);
		if (ret == 0)
			ret = sync_dir(v, b.dir, e);
		if (ret == 0)
			ret = sync_dir(v, a.dir, e);
		spot_close(&b);
	}
	spot_close(&a);
	return ret;
}

static int folder_sync(struct volume *v, struct err *e)
{
	return syncfs(root_of(v)) < 0 ? err_sys(e, ERR_IO, NULL, "%s: cannot flush", v->name) : 0;
}

static int folder_close(struct volume *v, struct err *e)
{
	struct folder *f = v->impl;
	int ret = 0;
	if (close(f->fd) < 0 && v->writable)
		ret = err_sys(e, ERR_IO, NULL, "%s: cannot close", v->name);
	free(f);
	v->impl = NULL;
	return ret;
}

static const struct volume_backend folder_backend = {
	.stat = folder_stat,
	.list = folder_list,
	.open_file = folder_open_file,
	.replace = folder_replace,
	.mkdir = folder_mkdir,
	.remove = folder_remove,
	.tidy = folder_tidy,
	.rename = folder_rename,
	.rename_over = folder_rename,
	.security = folder_security,
	.free_space = folder_free_space,
	.sync = folder_sync,
	.close = folder_close,
};

int folder_open(struct volume *v, const char *path, struct err *e)
{
	struct folder *f = calloc(1, sizeof *f);
	if (!f)
		return err_nomem(e);
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0) {
		free(f);
		return err_sys(e, ERR_IO, "Check the path.", "%s: cannot open folder", path);
	}
	v->impl = f;
	v->be = &folder_backend;
	v->state.kind = VOLUME_FOLDER;
	if (v->writable && flock(f->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(e, ERR_UNSAFE,
					 "Nothing was changed. Close the other program, then try "
					 "again.",
					 "%s is in use by another program", path)
			       : err_sys(e, ERR_IO, NULL, "%s: cannot lock", path);
	return 0;
}
