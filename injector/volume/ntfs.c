#include "volume/ntfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"

#define FIRST_USER_FILE 24 /* MFT records below belong to NTFS itself, but the root */

/* --- errors --------------------------------------------------------------------------------- */

int ntfs_check(struct volume *v, struct err *e)
{
	const struct err *io = &ntfs_of(v)->io.first;
	return io->code ? err_set(e, io->code, io->next, "%s", io->what) : 0;
}

int ntfs_fail(struct volume *v, struct err *e, const char *fmt, ...)
{
	int sys = errno;
	char what[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	const struct err *io = &ntfs_of(v)->io.first;
	if (io->code) {
		err_set(e, io->code, io->next, "%s", io->what);
		return e ? err_ctx(e, "%s", what) : -io->code;
	}
	errno = sys ? sys : EIO;
	return err_sys(
		e, ERR_IO, "Check the disk in Windows with chkdsk.", "%s: %s", v->name, what);
}

/* --- inodes --------------------------------------------------------------------------------- */

static struct ntfs_file *file_of_inode(struct volume *v, u64 mft_no)
{
	for (struct ntfs_file *f = ntfs_of(v)->files; f; f = f->next)
		if (f->ni->mft_no == mft_no)
			return f;
	return NULL;
}

ntfs_inode *node_get(struct volume *v, u64 mref, struct err *e)
{
	struct ntfs_file *f = file_of_inode(v, MREF(mref));
	ntfs_inode *ni = f ? f->ni : ntfs_inode_open(ntfs_of(v)->vol, mref);
	if (!ni) {
		errno = errno == ENOENT ? EIO : errno; /* the name exists: not "not found" */
		ntfs_fail(v, e, "cannot open MFT record %llu", (unsigned long long)MREF(mref));
	}
	return ni;
}

int node_put(struct volume *v, ntfs_inode *ni, struct err *e)
{
	if (!ni || file_of_inode(v, ni->mft_no))
		return 0;
	u64 no = ni->mft_no;
	if (ntfs_inode_close(ni))
		return ntfs_fail(v, e, "cannot write MFT record %llu", (unsigned long long)no);
	return ntfs_check(v, e);
}

int ntfs_name_of(const char *part, struct ntfs_name *n, struct err *e)
{
	struct buf b = BUF_INIT;
	int ret = utf8_to_utf16le(part, false, &b, e);
	if (ret == 0 && b.len > 255 * sizeof(ntfschar))
		ret = err_set(e, ERR_LIMIT, NULL, "%s: name is too long", part);
	if (ret == 0) {
		memcpy(n->u, b.p, b.len);
		n->len = (int)(b.len / sizeof(ntfschar));
	}
	buf_clear(&b);
	return ret;
}

u64 node_lookup(struct volume *v, ntfs_inode *dir, const struct ntfs_name *name)
{
	/* Only the lookup is case-blind: with libntfs-3g's own "ignore case" mode every listed name
	 * would come back in lower case. */
	ntfs_volume *vol = ntfs_of(v)->vol;
	nvol_clear(vol, NV_CaseSensitive);
	u64 mref = ntfs_inode_lookup_by_name(dir, name->u, name->len);
	NVolSetCaseSensitive(vol);
	return mref;
}

static bool is_reparse(const ntfs_inode *ni)
{
	return (ni->flags & FILE_ATTR_REPARSE_POINT) != 0;
}

static bool is_dir(const ntfs_inode *ni)
{
	return (ni->mrec->flags & MFT_RECORD_IS_DIRECTORY) != 0;
}

static int not_found(struct volume *v, const struct vpath *p, struct err *e)
{
	return err_set(
		e, ERR_NOTFOUND, "Nothing was changed.", "%s: there is no %s", v->name, p->text);
}

/* Replace *ni (a folder) by its child. */
static int step(
	struct volume *v, const struct vpath *p, const char *part, ntfs_inode **ni, struct err *e)
{
	if (is_reparse(*ni))
		return err_set(e, ERR_REFUSED, VOLUME_LINK_NEXT,
			"%s: %s leads through a reparse point", v->name, p->text);
	if (!is_dir(*ni))
		return not_found(v, p, e);
	struct ntfs_name name;
	int ret = ntfs_name_of(part, &name, e);
	if (ret < 0)
		return ret;
	u64 mref = node_lookup(v, *ni, &name);
	if (mref == MREF_NONE && errno == ENOENT && !ntfs_of(v)->io.first.code)
		return not_found(v, p, e);
	if (mref == MREF_NONE)
		return ntfs_fail(v, e, "cannot look up %s", p->text);
	ret = node_put(v, *ni, e);
	*ni = NULL;
	if (ret < 0)
		return ret;
	if (MREF(mref) < FIRST_USER_FILE)
		return not_found(v, p, e);
	*ni = node_get(v, mref, e);
	return *ni ? 0 : -ERR_IO;
}

int node_walk(
	struct volume *v, const struct vpath *p, size_t count, ntfs_inode **out, struct err *e)
{
	*out = NULL;
	ntfs_inode *ni = node_get(v, FILE_root, e);
	if (!ni)
		return -ERR_IO;
	for (size_t i = 0; i < count; i++) {
		int ret = step(v, p, p->part[i], &ni, e);
		if (ret < 0) {
			node_put(v, ni, NULL);
			return ret;
		}
	}
	*out = ni;
	return 0;
}

/* --- reading -------------------------------------------------------------------------------- */

static int ntfs_stat_path(
	struct volume *v, const struct vpath *p, struct volume_stat *st, struct err *e)
{
	*st = (struct volume_stat){0};
	ntfs_inode *ni;
	struct err mine = ERR_INIT;
	int ret = node_walk(v, p, p->count, &ni, &mine);
	if (ret == -ERR_NOTFOUND)
		return 0;
	if (ret < 0)
		return err_set(e, mine.code, mine.next, "%s", mine.what);
	st->exists = true;
	st->is_dir = is_dir(ni);
	st->is_link = is_reparse(ni);
	st->size = st->is_dir ? 0 : (uint64_t)ni->data_size;
	st->attr = le32_to_cpu(ni->flags);
	st->file_id = MK_MREF(ni->mft_no, le16_to_cpu(ni->mrec->sequence_number));
	st->mtime = (uint64_t)sle64_to_cpu(ni->last_data_change_time);
	st->ctime = (uint64_t)sle64_to_cpu(ni->creation_time);
	return node_put(v, ni, e);
}

struct list_job {
	struct volume_list *l;
	struct err *e;
	int ret;
};

static int list_one(void *ctx, const ntfschar *name, const int len, const int type, const s64 pos,
	const MFT_REF mref, const unsigned dt_type)
{
	struct list_job *job = ctx;
	(void)pos;
	if (type == FILE_NAME_DOS || MREF(mref) < FIRST_USER_FILE)
		return 0;
	char *text = utf16le_to_utf8(name, (size_t)len * sizeof *name);
	if (!text)
		job->ret = err_nomem(job->e);
	else if (strcmp(text, ".") != 0 && strcmp(text, "..") != 0)
		job->ret = volume_list_add(job->l, text, dt_type == NTFS_DT_DIR, job->e);
	free(text);
	return job->ret < 0 ? -1 : 0;
}

static int ntfs_list(struct volume *v, const struct vpath *p, struct volume_list *l, struct err *e)
{
	ntfs_inode *ni;
	int ret = node_walk(v, p, p->count, &ni, e);
	if (ret < 0)
		return ret;
	if (is_reparse(ni) || !is_dir(ni)) {
		node_put(v, ni, NULL);
		return err_set(e, ERR_NOTFOUND, "Nothing was changed.", "%s: %s is not a folder",
			v->name, p->text);
	}
	struct list_job job = {l, e, 0};
	s64 pos = 0;
	if (ntfs_readdir(ni, &pos, &job, list_one) && job.ret == 0)
		job.ret = ntfs_fail(v, e, "cannot list %s", p->text);
	ret = node_put(v, ni, job.ret ? NULL : e);
	return job.ret ? job.ret : ret;
}

int node_security(struct volume *v, ntfs_inode *ni, struct buf *sd, struct err *e)
{
	struct SECURITY_CONTEXT scx = {.vol = ntfs_of(v)->vol};
	int n = ntfs_get_ntfs_acl(&scx, ni, NULL, 0);
	uint8_t *at;
	if (n <= 0)
		return ntfs_fail(v, e, "cannot read a security descriptor");
	int ret = buf_grow(sd, (size_t)n, &at, e);
	if (ret == 0 && ntfs_get_ntfs_acl(&scx, ni, (char *)at, (size_t)n) != n)
		ret = ntfs_fail(v, e, "cannot read a security descriptor");
	return ret;
}

static int ntfs_security(struct volume *v, const struct vpath *p, struct buf *sd, struct err *e)
{
	ntfs_inode *ni;
	int ret = node_walk(v, p, p->count, &ni, e);
	if (ret < 0)
		return ret;
	ret = node_security(v, ni, sd, e);
	int put = node_put(v, ni, ret ? NULL : e);
	return ret ? ret : put;
}

static int ntfs_free_space(struct volume *v, uint64_t *bytes, struct err *e)
{
	ntfs_volume *vol = ntfs_of(v)->vol;
	if (!NVolFreeSpaceKnown(vol) && ntfs_volume_get_free_space(vol) < 0)
		return ntfs_fail(v, e, "cannot count the free clusters");
	*bytes = (uint64_t)vol->free_clusters * vol->cluster_size;
	return 0;
}

/* --- a file as a byte device ---------------------------------------------------------------- */

static struct ntfs_file *file_of(struct bytedev *d)
{
	return d->ctx;
}

static int file_size(struct bytedev *d, uint64_t *size, struct err *e)
{
	(void)e;
	*size = (uint64_t)file_of(d)->na->data_size;
	return 0;
}

static int file_read(struct bytedev *d, uint64_t off, void *p, size_t n, struct err *e)
{
	struct ntfs_file *f = file_of(d);
	uint64_t size = (uint64_t)f->na->data_size;
	if (off > size || n > size - off)
		return err_set(e, ERR_IO, NULL, "%s: ends before byte %llu", d->name,
			(unsigned long long)(off + n));
	uint8_t *to = p;
	while (n) {
		s64 got = ntfs_attr_pread(f->na, (s64)off, (s64)n, to);
		if (got <= 0)
			return ntfs_fail(f->v, e, "cannot read %s at %llu", d->name,
				(unsigned long long)off);
		to += got;
		off += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static int file_readonly(struct bytedev *d, struct err *e)
{
	if (file_of(d)->writable)
		return 0;
	return err_set(
		e, ERR_READONLY, "Nothing was changed.", "%s is open for reading only", d->name);
}

static int file_resize(struct bytedev *d, uint64_t size, struct err *e)
{
	struct ntfs_file *f = file_of(d);
	int ret = file_readonly(d, e);
	if (ret < 0)
		return ret;
	/* "solid": growth gets clusters now, never a hole that would need some later. */
	errno = 0;
	if (ntfs_attr_truncate_solid(f->na, (s64)size))
		return ntfs_fail(f->v, e, "cannot set the size of %s to %llu", d->name,
			(unsigned long long)size);
	ntfs_inode_update_times(f->ni, NTFS_UPDATE_MCTIME);
	NInoFileNameSetDirty(f->ni);
	NInoSetDirty(f->ni);
	return ntfs_check(f->v, e);
}

static int file_write(struct bytedev *d, uint64_t off, const void *p, size_t n, struct err *e)
{
	struct ntfs_file *f = file_of(d);
	int ret = file_readonly(d, e);
	if (ret == 0 && off + n > (uint64_t)f->na->data_size)
		ret = file_resize(d, off + n, e);
	if (ret < 0)
		return ret;
	const uint8_t *from = p;
	while (n) {
		s64 put = ntfs_attr_pwrite(f->na, (s64)off, (s64)n, from);
		if (put <= 0)
			return ntfs_fail(f->v, e, "cannot write %s at %llu", d->name,
				(unsigned long long)off);
		from += put;
		off += (uint64_t)put;
		n -= (size_t)put;
	}
	ntfs_inode_update_times(f->ni, NTFS_UPDATE_MCTIME);
	return ntfs_check(f->v, e);
}

static int file_sync(struct bytedev *d, struct err *e)
{
	struct ntfs_file *f = file_of(d);
	return f->writable ? ntfs_flush(f->v, e) : 0;
}

static void file_close(struct bytedev *d)
{
	struct ntfs_file *f = file_of(d);
	struct ntfs *n = ntfs_of(f->v);
	for (struct ntfs_file **at = &n->files; *at; at = &(*at)->next)
		if (*at == f) {
			*at = f->next;
			break;
		}
	ntfs_attr_close(f->na);
	if (!file_of_inode(f->v, f->ni->mft_no) && ntfs_inode_close(f->ni) && !n->io.first.code)
		err_set(&n->io.first, ERR_IO, "The last changes may be lost.",
			"cannot write the MFT record of %s", d->name);
	free(f);
}

static const struct bytedev_ops file_ops = {
	.size = file_size,
	.read = file_read,
	.write = file_write,
	.resize = file_resize,
	.sync = file_sync,
	.close = file_close,
};

static int may_open(struct volume *v, ntfs_inode *ni, const struct vpath *p, struct err *e)
{
	if (is_reparse(ni))
		return err_set(e, ERR_REFUSED, VOLUME_LINK_NEXT, "%s: %s is a reparse point",
			v->name, p->text);
	if (is_dir(ni))
		return err_set(e, ERR_NOTFOUND, "Nothing was changed.", "%s: %s is a folder",
			v->name, p->text);
	return 0;
}

/* The attributes of the file and of its stream are kept apart and need not agree. */
static int may_write_in_place(
	struct volume *v, const struct ntfs_file *f, const struct vpath *p, struct err *e)
{
	FILE_ATTR_FLAGS flags = f->ni->flags;
	const char *how = NULL;
	if ((flags & FILE_ATTR_COMPRESSED) || NAttrCompressed(f->na))
		how = "compressed";
	else if ((flags & FILE_ATTR_ENCRYPTED) || NAttrEncrypted(f->na))
		how = "encrypted";
	else if ((flags & FILE_ATTR_SPARSE_FILE) || NAttrSparse(f->na))
		how = "sparse";
	if (!how)
		return 0;
	return err_set(e, ERR_UNSAFE,
		"Nothing was changed. Store it plainly in Windows (compact /u, cipher /d), then "
		"start again.",
		"%s: %s is stored %s and cannot be written in place", v->name, p->text, how);
}

static int ntfs_open_file(
	struct volume *v, const struct vpath *p, bool writable, struct bytedev **d, struct err *e)
{
	ntfs_inode *ni;
	int ret = node_walk(v, p, p->count, &ni, e);
	if (ret < 0)
		return ret;
	ret = may_open(v, ni, p, e);
	struct ntfs_file *f = NULL;
	if (ret == 0) {
		f = calloc(1, sizeof *f + strlen(p->text) + 1);
		ret = f ? 0 : err_nomem(e);
	}
	if (ret == 0) {
		f->na = ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
		if (!f->na)
			ret = ntfs_fail(v, e, "cannot open %s", p->text);
		f->ni = ni;
	}
	if (ret == 0 && writable)
		ret = may_write_in_place(v, f, p, e);
	if (ret < 0 || !f) {
		if (f && f->na)
			ntfs_attr_close(f->na);
		node_put(v, ni, NULL);
		free(f);
		return ret;
	}
	memcpy(f->name, p->text, strlen(p->text) + 1);
	f->v = v;
	f->writable = writable;
	f->dev = (struct bytedev){&file_ops, f, f->name};
	f->next = ntfs_of(v)->files;
	ntfs_of(v)->files = f;
	*d = &f->dev;
	return 0;
}

/* --- flush, open, close --------------------------------------------------------------------- */

int ntfs_flush(struct volume *v, struct err *e)
{
	struct ntfs *n = ntfs_of(v);
	/* Closed inodes were written when they were closed. What may still be dirty: files that
	 * callers hold, and the system inodes that libntfs-3g itself keeps open. */
	for (struct ntfs_file *f = n->files; f; f = f->next)
		if (f->writable && ntfs_inode_sync(f->ni))
			return ntfs_fail(v, e, "cannot write the MFT record of %s", f->name);
	ntfs_inode *system[] = {n->vol->secure_ni, n->vol->lcnbmp_ni, n->vol->mft_ni,
		n->vol->mftmirr_ni, n->vol->vol_ni};
	for (size_t i = 0; i < ARRAY_SIZE(system); i++)
		if (system[i] && NInoDirty(system[i]) && ntfs_inode_sync(system[i]))
			return ntfs_fail(v, e, "cannot write NTFS metadata");
	if (ntfs_device_sync(n->vol->dev))
		return ntfs_fail(v, e, "cannot flush the disk");
	return ntfs_check(v, e);
}

static int ntfs_close(struct volume *v, struct err *e)
{
	struct ntfs *n = ntfs_of(v);
	int ret = 0;
	while (n->files)
		file_close(&n->files->dev);
	if (v->writable)
		ret = ntfs_flush(v, e);
	errno = 0;
	if (ntfs_umount(n->vol, FALSE) && v->writable && ret == 0)
		ret = ntfs_fail(v, e, "cannot unmount");
	if (ret == 0 && v->writable)
		ret = ntfs_check(v, e);
	free(n);
	v->impl = NULL;
	return ret;
}

static const struct volume_backend ntfs_backend = {
	.stat = ntfs_stat_path,
	.list = ntfs_list,
	.open_file = ntfs_open_file,
	.replace = ntfs_replace,
	.mkdir = ntfs_make_dir,
	.remove = ntfs_remove,
	.tidy = ntfs_tidy,
	.rename = ntfs_move,
	.rename_over = ntfs_move_over,
	.security = ntfs_security,
	.free_space = ntfs_free_space,
	.sync = ntfs_flush,
	.close = ntfs_close,
};

/* What a read-write mount would refuse, asked without mounting read-write. */
static bool log_is_clean(struct volume *v)
{
	ntfs_inode *ni = ntfs_inode_open(ntfs_of(v)->vol, FILE_LogFile);
	ntfs_attr *na = ni ? ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0) : NULL;
	RESTART_PAGE_HEADER *rp = NULL;
	bool clean = na && ntfs_check_logfile(na, &rp) && ntfs_is_logfile_clean(na, rp);
	/* Version 2.0 restart pages: Windows kept metadata in a cache (Fast Startup, or the power
	 * went away). */
	if (rp && le16_to_cpu(rp->major_ver) == 2 && le16_to_cpu(rp->minor_ver) == 0)
		clean = false;
	free(rp);
	if (na)
		ntfs_attr_close(na);
	if (ni)
		ntfs_inode_close(ni);
	return clean;
}

static int read_state(struct volume *v, struct err *e)
{
	struct ntfs *n = ntfs_of(v);
	struct volume_state *st = &v->state;
	st->kind = VOLUME_NTFS;
	st->ntfs_major = n->vol->major_ver;
	st->ntfs_minor = n->vol->minor_ver;
	st->cluster = n->vol->cluster_size;
	st->size = n->io.bd->size;
	snprintf(st->label, sizeof st->label, "%s", n->vol->vol_name ? n->vol->vol_name : "");
	if (n->vol->flags & VOLUME_IS_DIRTY)
		st->trouble |= VOLUME_TROUBLE_DIRTY;
	if (!log_is_clean(v))
		st->trouble |= VOLUME_TROUBLE_LOG;
	return ntfs_check(v, e);
}

static int mount_failed(struct volume *v, struct err *e)
{
	int sys = errno;
	int ret = ntfs_check(v, e);
	if (ret < 0)
		return ret;
	if (sys == ENOMEM)
		return err_nomem(e);
	if (sys == EPERM || sys == EOPNOTSUPP) /* hibernated or unclean by libntfs-3g's own rules */
		return err_set(e, ERR_UNSAFE,
			"Nothing was changed. Start this Windows once and shut it down fully.",
			"%s cannot be written: Windows has not finished with it", v->name);
	return err_set(e, ERR_FORMAT, "Nothing was changed. Check the disk in Windows with chkdsk.",
		"%s is not a readable NTFS volume", v->name);
}

int ntfs_open(struct volume *v, struct blockdev *d, struct err *e)
{
	ntfs_log_set_handler(ntfs_log_handler_null);
	struct ntfs *n = calloc(1, sizeof *n);
	if (!n)
		return err_nomem(e);
	struct ntfs_device *dev = ntfsdev_new(&n->io, d, v->writable);
	int ret = dev ? mirror_look(d, &n->io.mirror, e) : err_nomem(e);
	if (ret == 0 && v->writable && n->io.mirror.stale)
		ret = mirror_heal(d, &n->io.mirror, e);
	if (ret < 0) {
		if (dev)
			ntfs_device_free(dev);
		free(n);
		return ret;
	}
	v->impl = n;
	errno = 0;
	n->vol = ntfs_device_mount(dev, v->writable ? 0 : NTFS_MNT_RDONLY);
	if (!n->vol) {
		ret = mount_failed(v, e);
		ntfs_device_free(dev);
		v->impl = NULL;
		free(n);
		return ret;
	}
	nvol_clear(n->vol, NV_Compression); /* a new file in a compressed folder is stored plain */
	v->be = &ntfs_backend;
	uint64_t end = (uint64_t)n->vol->nr_clusters * n->vol->cluster_size;
	if (v->writable && NVolReadOnly(n->vol))
		return err_set(e, ERR_READONLY, "Nothing was changed.", "%s opened read-only only",
			v->name);
	if (end > d->size)
		return err_set(e, ERR_FORMAT, "The image may be cut short. Nothing was changed.",
			"%s is shorter than the NTFS in it", v->name);
	return read_state(v, e);
}
