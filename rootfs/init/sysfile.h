/*
 * Small files of /proc, /sys and the initramfs, whose size stat() may not know.
 *
 * Nothing here needs an error struct: what cannot be read is not there for init, what cannot be
 * written is said in the kernel's log by whoever cares.
 */
#ifndef INIT_SYSFILE_H
#define INIT_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/mem.h"

/* Up to n bytes from an offset; how many were read, or -1. */
ssize_t sysfile_bytes(const char *path, off_t at, void *p, size_t n);

/* The first line without its end, "" when there is none; cut to n - 1 bytes. False when the file
 * cannot be read. */
bool sysfile_line(const char *path, char *line, size_t n);

/* The whole file and a NUL behind it (not counted in b->len); at most max bytes. */
int sysfile_all(const char *path, size_t max, struct buf *b, struct err *e);

/* One write of a text. */
bool sysfile_write(const char *path, const char *text);

/* An empty file. */
bool sysfile_create(const char *path);

#endif
