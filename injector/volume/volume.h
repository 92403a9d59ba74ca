/*
 * Volume: the place where a Windows lives, as a tree of files.
 *
 * A volume is either a folder that holds `Windows/`, or an NTFS file system in
 * an image file, in one partition of a disk image, or on a block device. NTFS
 * goes through libntfs-3g in this process: no mount, no FUSE, no root for image
 * files. What libntfs-3g does to a disk at open and close, and what of that is
 * measured by tests, is in docs/volume.md.
 *
 * Paths are UTF-8, '/'-separated, relative to the root of the volume; "" and "/"
 * are the root. Names match without regard to case, by the volume's own upcase
 * table on NTFS and by the NT table in a folder. "." and ".." are not names.
 * Links (symbolic links of a folder, NTFS reparse points) are never followed:
 * they are refused, so nothing outside the volume can be reached.
 *
 * A volume is opened read-only unless asked; read-only never changes a byte
 * below. Writing is refused (-ERR_UNSAFE, nothing changed) on a volume that
 * Windows left in a state only Windows can resolve: see volume_state.
 *
 * Functions return 0 or -ERR_*. No global state but libntfs-3g's log handler,
 * which is installed once and prints nothing.
 */
#ifndef VOLUME_VOLUME_H
#define VOLUME_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytedev.h"
#include "base/err.h"
#include "base/mem.h"
#include "volume/blockdev.h"

#define VOLUME_PATH_MAX 4096   /* bytes of a path */
#define VOLUME_DEPTH_MAX 64    /* parts of a path */
#define VOLUME_LIST_MAX 100000 /* names in one folder */

#define VOLUME_NEW_SUFFIX ".odjstick-new" /* of a file that is not complete yet */

enum volume_kind {
	VOLUME_FOLDER,
	VOLUME_NTFS,
	VOLUME_BITLOCKER, /* recognised, never opened */
	VOLUME_FAT,
	VOLUME_REFS,
	VOLUME_OTHER
};

/* "folder", "ntfs", "bitlocker", "fat", "refs", "other" */
const char *volume_kind_name(enum volume_kind kind);

/* Where a volume is. discover.h makes these; `path` belongs to the maker. */
struct volume_source {
	enum volume_kind kind;
	const char *path; /* folder, image file or block device */
	uint64_t offset;  /* bytes into path */
	uint64_t length;  /* bytes; 0 = up to the end */
	/* VOLUME_TROUBLE_* of the disk it lies on (RAID, DYNAMIC, POOL): refused, also for reading.
	 */
	unsigned part_of;
	/* Makes the block layer instead of blockdev_open(): a recorder in crash tests. Normally
	 * NULL. */
	int (*layer)(
		struct blockdev **d, const struct volume_source *src, bool writable, struct err *e);
	void *layer_ctx;
};

/* What Windows left on the volume. Each is a fact of its own with its own words and next step. */
enum volume_trouble {
	VOLUME_CLEAN = 0,
	VOLUME_TROUBLE_BITLOCKER = 1 << 0, /* "-FVE-FS-" in the boot sector: encrypted */
	VOLUME_TROUBLE_HIBERNATED = 1
				    << 1, /* hiberfil.sys holds a session or a Fast Startup image */
	VOLUME_TROUBLE_DIRTY = 1 << 2,	  /* Windows marked the volume for chkdsk */
	VOLUME_TROUBLE_LOG = 1 << 3,	  /* $LogFile holds work that was not finished */
	VOLUME_TROUBLE_DAMAGED = 1 << 4,  /* not a readable NTFS */
	VOLUME_TROUBLE_RAID = 1 << 5,	  /* on a disk that is a member of a RAID array */
	VOLUME_TROUBLE_DYNAMIC = 1 << 6,  /* in a dynamic disk's partition (LDM) */
	VOLUME_TROUBLE_POOL = 1 << 7,	  /* in a partition of a storage pool */
};

enum volume_bitlocker {
	VOLUME_BITLOCKER_OFF,	    /* not encrypted */
	VOLUME_BITLOCKER_ON,	    /* opens with a key that is not on the disk */
	VOLUME_BITLOCKER_SUSPENDED, /* encrypted, its clear key lies on the disk */
	VOLUME_BITLOCKER_UNKNOWN,   /* encrypted, its metadata is not understood */
};

/* "off", "on", "suspended", "unknown" */
const char *volume_bitlocker_name(enum volume_bitlocker b);

#define VOLUME_HIBERNATION_HEAD 64 /* bytes of hiberfil.sys kept for windows/ */

struct volume_state {
	enum volume_kind kind;
	unsigned trouble; /* VOLUME_TROUBLE_* bits; 0 = may be written */
	enum volume_bitlocker bitlocker;
	unsigned protectors; /* FVE_* bits of volume/fve.h */
	char hibernation[5]; /* the signature in hiberfil.sys, e.g. "hibr"; "" when none */
	uint8_t hibernation_head[VOLUME_HIBERNATION_HEAD]; /* zeros when none */
	unsigned ntfs_major, ntfs_minor;
	uint32_t cluster; /* bytes */
	uint64_t size;	  /* bytes of the volume */
	uint64_t serial;  /* of NTFS, made when it was formatted; 0 otherwise */
	char label[97];	  /* volume label, UTF-8 */
};

/* Stable short name of one bit: "bitlocker", "hibernated", "dirty", "log-unclean", "damaged",
 * "raid", "dynamic", "pool". */
const char *volume_trouble_name(unsigned bit);

/* Read the state without opening for good. Never writes. -ERR_* only when the bytes themselves
 * cannot be read; trouble is a result, not an error. */
int volume_probe(const struct volume_source *src, struct volume_state *st, struct err *e);

/* -ERR_UNSAFE with the sentence and the next step for the first trouble in st, or 0. `name` is the
 * object for messages. */
int volume_refuse(const struct volume_state *st, const char *name, struct err *e);

struct volume;

/* Open. Writing first looks at the state read-only and refuses by volume_refuse(); reading is
 * refused only for what cannot be read at all (BitLocker, damaged, not NTFS). */
int volume_open(struct volume **v, const struct volume_source *src, bool writable, struct err *e);

/* The same on a block layer of the caller's choice, which the volume owns from here on, also when
 * opening fails. */
int volume_open_on(struct volume **v, struct blockdev *d, bool writable, struct err *e);

/* Flush, unmount, close. v is gone even when this reports an error; an error after writing means
 * that the last changes may not have reached the disk. NULL is allowed. */
int volume_close(struct volume *v, struct err *e);

enum volume_kind volume_kind(const struct volume *v);
const struct volume_state *volume_get_state(const struct volume *v);
bool volume_writable(const struct volume *v);
int volume_free_space(struct volume *v, uint64_t *bytes, struct err *e);

/* Everything written so far has reached the device, NTFS metadata included. */
int volume_sync(struct volume *v, struct err *e);

/* DOS attributes as NTFS stores them. A folder on the host has only DIRECTORY and ARCHIVE. */
#define VOLUME_ATTR_READONLY 0x0001u
#define VOLUME_ATTR_HIDDEN 0x0002u
#define VOLUME_ATTR_SYSTEM 0x0004u
#define VOLUME_ATTR_ARCHIVE 0x0020u
#define VOLUME_ATTR_SPARSE 0x0200u
#define VOLUME_ATTR_REPARSE 0x0400u
#define VOLUME_ATTR_COMPRESSED 0x0800u
#define VOLUME_ATTR_ENCRYPTED 0x4000u

struct volume_stat {
	bool exists; /* everything else is 0 when false */
	bool is_dir;
	bool is_link;	  /* reparse point or symbolic link: cannot be opened */
	uint64_t size;	  /* bytes of the main stream */
	uint32_t attr;	  /* VOLUME_ATTR_* as stored, other bits kept */
	uint64_t file_id; /* MFT reference or inode: the same file keeps it */
	uint64_t mtime;	  /* FILETIME */
	uint64_t ctime;	  /* creation, FILETIME; 0 in a folder */
};

/* An absent path is not an error: exists is false. */
int volume_stat(struct volume *v, const char *path, struct volume_stat *st, struct err *e);

struct volume_name {
	char *name; /* UTF-8 as stored */
	bool is_dir;
};

struct volume_list {
	struct volume_name *names; /* sorted by upcased name */
	size_t count;
};

void volume_list_clear(struct volume_list *l);

/* Long names only; NTFS metadata files and "."/".." are left out. -ERR_LIMIT beyond
 * VOLUME_LIST_MAX. */
int volume_list(struct volume *v, const char *path, struct volume_list *l, struct err *e);

/* Read a whole file of at most max bytes (-ERR_LIMIT beyond). */
int volume_read(struct volume *v, const char *path, size_t max, struct buf *out, struct err *e);

/* A file as a byte device, to be closed before the volume. Writing in place is refused
 * (-ERR_UNSAFE) for compressed, sparse and encrypted files: their clusters would move. sync returns
 * when data and NTFS metadata are on the device. bytedev_close() cannot report: sync first. */
int volume_open_file(
	struct volume *v, const char *path, bool writable, struct bytedev **d, struct err *e);

/*
 * Create or replace a file so that after a power cut the path holds the old or
 * the new content: NAME.odjstick-new is written, synced, and renamed over. A new
 * file inherits its security from the folder as Windows would compute it; a
 * replaced file keeps its security descriptor, DOS attributes and creation time.
 */
int volume_replace(struct volume *v, const char *path, const void *p, size_t n, struct err *e);

/* The same, readable by SYSTEM and Administrators alone from its first moment on, whatever the
 * folder or a replaced file allow. In a folder on the host: mode 0600. */
int volume_replace_secret(
	struct volume *v, const char *path, const void *p, size_t n, struct err *e);

/* One level; an existing folder is accepted. Security is inherited. */
int volume_mkdir(struct volume *v, const char *path, struct err *e);

/* A file or an empty folder. -ERR_NOTFOUND when absent. */
int volume_remove(struct volume *v, const char *path, struct err *e);

/* Remove what an interrupted volume_replace(), volume_mkdir() or volume_remove() left beside path
 * or beside a folder on the way to it. Writes nothing when there is nothing. */
int volume_tidy(struct volume *v, const char *path, struct err *e);

/* Move within the volume. `to` must not exist (-ERR_EXISTS) unless over is true and both are
 * files. */
int volume_rename(struct volume *v, const char *from, const char *to, bool over, struct err *e);

/* The self-relative security descriptor of a path. Empty in a folder on the host. */
int volume_security(struct volume *v, const char *path, struct buf *sd, struct err *e);

#endif
