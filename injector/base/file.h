/*
 * Files on the lab's machine and on the stick: bounded reads, durable writes.
 * Nothing here touches a PC's disk; that is volume/.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* Read a whole regular file of at most max bytes (-ERR_LIMIT beyond). */
int file_read(const char *path, size_t max, struct buf *out, struct err *e);

/* Write the whole content under its final name, over what is there: write, cut to n, fsync, fsync
 * of the directory. mode applies to a file that is made. A power cut leaves any mixture of absent,
 * old and new, so this is for content whose reader can tell (sealed, signed), and never for the
 * only copy of something that is needed: that stays under another name meanwhile. There is no
 * write-new and rename here, because the stick is FAT: a cut inside a rename leaves two names for
 * the same clusters, and removing one of them frees what the other still uses. */
int file_put(const char *path, const void *p, size_t n, unsigned mode, struct err *e);

/* Create a file that must not exist; fsync it and its directory. */
int file_create(const char *path, const void *p, size_t n, unsigned mode, struct err *e);

/* mkdir that accepts an existing directory. */
int file_mkdir(const char *path, struct err *e);

int file_sync_dir(const char *path, struct err *e);
bool file_exists(const char *path);

/* Hold path (created when absent) for this process alone; gone with the process, so nothing stale
 * stays after a power cut. -ERR_REFUSED when another process holds it. file_unlock(NULL) is fine.
 */
struct file_lock;
int file_lock(struct file_lock **lock, const char *path, struct err *e);
void file_unlock(struct file_lock *lock);

/* "dir/name" in malloc'ed memory, NULL when out of memory. */
char *path_join(const char *dir, const char *name);

#endif
