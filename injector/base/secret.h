/*
 * Secrets: bytes that live only in locked, guarded memory (sodium_malloc) and
 * are wiped when released. Passphrases, keys, machine passwords, blobs.
 *
 * A `struct secret` owns its memory. Copying the struct does not copy the
 * secret; hand over with secret_move(). Never put secrets into `struct buf`,
 * an error message or a journal record.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct secret {
	uint8_t *p;
	size_t len;
};

#define SECRET_INIT                                                                                \
	{                                                                                          \
		NULL, 0                                                                            \
	}

/* Call once before anything else (idempotent): sodium_init(), no core dumps. */
int secret_setup(struct err *e);

/* No core dumps, for a command without secrets of its own. Part of secret_setup(). */
void secret_no_core(void);

/* Allocate len zeroed bytes; the old content of s is wiped first. */
int secret_alloc(struct secret *s, size_t len, struct err *e);
int secret_copy(struct secret *s, const void *p, size_t len, struct err *e);
void secret_move(struct secret *to, struct secret *from);

/* Keep the first len bytes: the rest is wiped (the allocation stays). */
void secret_truncate(struct secret *s, size_t len);
void secret_clear(struct secret *s);

/* A whole regular file of at most max bytes (key files, blobs). -ERR_LIMIT beyond. */
int secret_read_file(struct secret *s, const char *path, size_t max, struct err *e);

/* Read a passphrase: from file (first line without CR/LF, "-" = stdin), or from the terminal
 * with echo off when file is NULL. `confirm` asks twice on a terminal. */
int secret_read_passphrase(
	struct secret *s, const char *file, const char *prompt, int confirm, struct err *e);

#endif
