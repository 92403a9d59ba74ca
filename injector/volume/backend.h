/*
 * Backend: what a folder and an NTFS volume each do for volume.c. Private to
 * volume/.
 *
 * Paths arrive split and checked (volume.c): every part is valid UTF-8, is not
 * "." or "..", and holds none of the characters NTFS forbids.
 */
#ifndef VOLUME_BACKEND_H
#define VOLUME_BACKEND_H

#include "volume/volume.h"

struct vpath {
	const char *text; /* as the caller gave it, for messages */
	const char *part[VOLUME_DEPTH_MAX];
	size_t count; /* 0 = the root */
	char buf[VOLUME_PATH_MAX];
};

struct volume_backend {
	int (*stat)(struct volume *v, const struct vpath *p, struct volume_stat *st, struct err *e);
	int (*list)(struct volume *v, const struct vpath *p, struct volume_list *l, struct err *e);
	int (*open_file)(struct volume *v, const struct vpath *p, bool writable, struct bytedev **d,
		struct err *e);
	/* The parent exists or this is -ERR_NOTFOUND. secret: for SYSTEM and Administrators. */
	int (*replace)(struct volume *v, const struct vpath *p, const void *data, size_t n,
		bool secret, struct err *e);
	int (*mkdir)(struct volume *v, const struct vpath *p, struct err *e);
	int (*remove)(struct volume *v, const struct vpath *p, struct err *e);
	/* The temporary name beside p goes; -ERR_NOTFOUND when p's folder does not exist. */
	int (*tidy)(struct volume *v, const struct vpath *p, struct err *e);
	/* The target is known to be absent. */
	int (*rename)(
		struct volume *v, const struct vpath *from, const struct vpath *to, struct err *e);
	/* Both are files in the same or another folder; `to` exists. */
	int (*rename_over)(
		struct volume *v, const struct vpath *from, const struct vpath *to, struct err *e);
	int (*security)(struct volume *v, const struct vpath *p, struct buf *sd, struct err *e);
	int (*free_space)(struct volume *v, uint64_t *bytes, struct err *e);
	int (*sync)(struct volume *v, struct err *e);
	int (*close)(struct volume *v, struct err *e); /* frees impl, not v */
};

struct volume {
	const struct volume_backend *be;
	void *impl;
	bool writable;
	struct volume_state state;
	struct blockdev *bd; /* closed with the volume; NULL for a folder or a borrowed one */
	char *name;
};

/* Both fill v->be, v->impl and v->state but for hibernation. folder_open() takes the path;
 * ntfs_open() borrows d, which must outlive the backend. */
int folder_open(struct volume *v, const char *path, struct err *e);
int ntfs_open(struct volume *v, struct blockdev *d, struct err *e);

/* Append a name (copied) to a list under construction; -ERR_LIMIT beyond VOLUME_LIST_MAX. */
int volume_list_add(struct volume_list *l, const char *name, bool is_dir, struct err *e);

#define VOLUME_LINK_NEXT "Nothing was changed. odjstick does not follow links on a Windows volume."

#endif
