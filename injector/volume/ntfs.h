/*
 * NTFS backend: a volume on libntfs-3g. Private to volume/.
 *
 * ntfs.c opens, looks up and reads; ntfs_write.c changes the tree, by the steps
 * of ntfs_place.c and ntfs_index.c; all work on `struct ntfs`. An inode is opened at most once at a
 * time: libntfs-3g would otherwise keep two copies of its MFT record. Files that callers hold open
 * are in a list, and node_get() hands those out again.
 */
#ifndef VOLUME_NTFS_H
#define VOLUME_NTFS_H

#include "volume/backend.h"
#include "volume/libntfs.h"
#include "volume/ntfsdev.h"

#define MREF_NONE ((u64)-1)

struct ntfs_file {
	struct bytedev dev;
	struct volume *v;
	ntfs_inode *ni;
	ntfs_attr *na;
	bool writable;
	struct ntfs_file *next;
	char name[];
};

struct ntfs {
	struct ntfsdev io;
	ntfs_volume *vol;
	struct ntfs_file *files;
	struct buf root_before; /* ntfs_index.c, while a folder's writes are held back */
};

static inline struct ntfs *ntfs_of(const struct volume *v)
{
	return v->impl;
}

/* UTF-16 name of one path part. */
struct ntfs_name {
	ntfschar u[256];
	int len;
};

int ntfs_name_of(const char *part, struct ntfs_name *n, struct err *e);

/* An open inode by MFT reference; release with node_put(). NULL with e filled. */
ntfs_inode *node_get(struct volume *v, u64 mref, struct err *e);
int node_put(struct volume *v, ntfs_inode *ni, struct err *e);

/* Walk the first `count` parts. 0 with *ni, -ERR_NOTFOUND, or another error. A reparse point on the
 * way is refused; as the last part it is returned. */
int node_walk(
	struct volume *v, const struct vpath *p, size_t count, ntfs_inode **ni, struct err *e);

/* Look a name up in a folder without regard to case: MREF_NONE and errno when absent. */
u64 node_lookup(struct volume *v, ntfs_inode *dir, const struct ntfs_name *name);

/* Fill e for a failed libntfs-3g call: the block device's own error when there is one. */
int ntfs_fail(struct volume *v, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* 0, or the block device's error that libntfs-3g did not pass on. */
int ntfs_check(struct volume *v, struct err *e);

/* Everything libntfs-3g still holds goes to the device, and the device flushes. */
int ntfs_flush(struct volume *v, struct err *e);

/* The self-relative descriptor of an inode. */
int node_security(struct volume *v, ntfs_inode *ni, struct buf *sd, struct err *e);

/* ntfs_write.c */
int ntfs_replace(struct volume *v, const struct vpath *p, const void *data, size_t n, bool secret,
	struct err *e);
int ntfs_make_dir(struct volume *v, const struct vpath *p, struct err *e);
int ntfs_remove(struct volume *v, const struct vpath *p, struct err *e);
int ntfs_tidy(struct volume *v, const struct vpath *p, struct err *e);
int ntfs_move(struct volume *v, const struct vpath *from, const struct vpath *to, struct err *e);
int ntfs_move_over(
	struct volume *v, const struct vpath *from, const struct vpath *to, struct err *e);

#endif
