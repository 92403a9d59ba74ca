/*
 * Files on the lab's machine and on the stick: bounded reads, durable
 * replacement. Nothing here touches a PC's disk; that is volume/.
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

/* Write-new, fsync, rename, fsync of the directory: after a power cut the path holds the old or the
 * new content. mode applies to the new file. */
int file_replace(const char *path, const void *p, size_t n, unsigned mode, struct err *e);

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
