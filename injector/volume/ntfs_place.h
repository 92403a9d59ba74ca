/*
 * Names in the NTFS tree, made and taken away one device write at a time.
 * Private to the NTFS backend.
 *
 * A name is an entry in a folder's index and a FILE_NAME in the MFT record it
 * leads to. A name is made in this order: FILE_NAME, flush, entry; and taken
 * away in this one: entry, flush, FILE_NAME. So an entry never leads to a record
 * that does not know it, whatever write is the last before a power cut. A
 * FILE_NAME without entry may stay; link_prune() drops it.
 */
#ifndef VOLUME_NTFS_PLACE_H
#define VOLUME_NTFS_PLACE_H

#include "volume/ntfs_index.h"

/* One FILE_NAME of an inode, copied out of the MFT record. */
struct link {
	union {
		FILE_NAME_ATTR fn;
		uint8_t bytes[sizeof(FILE_NAME_ATTR) + 255 * sizeof(ntfschar)];
	};
	int size;
};

/* An even offset in an aligned attribute; the struct is declared packed, so the compiler cannot
 * know. */
static inline const ntfschar *link_name(const FILE_NAME_ATTR *fn)
{
	return (const void *)((const uint8_t *)fn + offsetof(FILE_NAME_ATTR, file_name));
}

/* A folder, a name in it, and what the name stands for now (NULL when absent). */
struct place {
	ntfs_inode *dir;
	struct ntfs_name name;
	ntfs_inode *ni;
	struct link link; /* when ni */
};

/* The folder must exist, the name need not. */
int place_open(struct volume *v, const struct vpath *p, struct place *pl, struct err *e);

int place_must_exist(struct volume *v, const struct vpath *p, struct place *pl, struct err *e);

/* The child's MFT record goes first, then the folder's index (index_commit()), then the child's
 * size and times in that index. Never two copies of the folder at once: it is closed before
 * libntfs-3g opens it. */
int place_close(struct volume *v, struct place *pl, struct err *e);

/* Remove the name and, with its last name, the file. Index and MFT record change together in
 * libntfs-3g, so this is for temporary names only: sweep() knows what a power cut leaves. Closes
 * the place. */
int place_erase(struct volume *v, struct place *pl, struct err *e);

/* Give ni the name pl->name in pl->dir. */
int place_link(struct volume *v, struct place *pl, ntfs_inode *ni, struct err *e);

/* Take the name of an open place away; the file keeps another one. Closes the place. */
int place_unlink(struct volume *v, struct place *pl, struct err *e);

/* p with VOLUME_NEW_SUFFIX appended to its last name. */
int place_temp_path(const struct vpath *p, struct vpath *out, struct err *e);

/* The next FILE_NAME from *ctx on that is in folder `dir_no` and has the name, or without a name
 * the namespace `type` (-1: any). */
int link_find(struct volume *v, u64 dir_no, const struct ntfs_name *name, int type,
	struct link *out, ntfs_attr_search_ctx *ctx);

/* The long name by which ni is known in its folder, when asked for by any of its names. */
int link_stored(struct volume *v, ntfs_inode *ni, ntfs_inode *dir, const struct ntfs_name *name,
	struct link *out, struct err *e);

/* The short name that goes with a long one in the same folder. */
bool link_short(struct volume *v, ntfs_inode *dir, ntfs_inode *ni, struct link *l);

/* Size, times and attributes as an index entry repeats them. */
void link_set_facts(FILE_NAME_ATTR *fn, const ntfs_inode *ni);

/* Add the FILE_NAME and have it on the disk. */
int link_put(struct volume *v, ntfs_inode *ni, const struct link *l, struct err *e);

/* Take the entry out of the folder's index. */
int link_drop_entry(struct volume *v, ntfs_inode *dir, const struct link *l, struct err *e);

/* Drop every FILE_NAME in dir to which no entry leads. */
int link_prune(struct volume *v, ntfs_inode *dir, ntfs_inode *ni, struct err *e);

#endif
