/*
 * Ownership helpers: cleanup attributes, hand-over, and growable byte buffers.
 *
 * `struct buf` owns heap memory; buf_clear() frees it and is safe on a zeroed
 * struct. Buffers are for public bytes. Anything secret lives in
 * `struct secret` (base/secret.h).
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Free the pointer a cleanup attribute points at: `CLEANUP(freep) char *s = NULL;` */
void freep(void *pp);

/* Take the pointer out of an owned variable: `*out = STEAL(p);` */
#define STEAL(p)                                                                                   \
	__extension__({                                                                            \
		__typeof__(p) steal_ = (p);                                                        \
		(p) = NULL;                                                                        \
		steal_;                                                                            \
	})

struct buf {
	uint8_t *p;
	size_t len;
	size_t cap;
};

#define BUF_INIT                                                                                   \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

void buf_clear(struct buf *b);

/* buf_clear() of what a file of somebody else's may have held: an answer file has passwords. */
void buf_wipe(struct buf *b);

/* All return 0 or -ERR_NOMEM. buf_grow() appends n zero bytes and returns where in *at. */
int buf_reserve(struct buf *b, size_t cap, struct err *e);
int buf_add(struct buf *b, const void *p, size_t n, struct err *e);
int buf_grow(struct buf *b, size_t n, uint8_t **at, struct err *e);
int buf_printf(struct buf *b, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A view: never owned, never written through. */
struct span {
	const uint8_t *p;
	size_t len;
};

#define SPAN_OF(b) ((struct span){(b).p, (b).len})

/* Reads and writes of little-endian numbers at unaligned addresses. */
uint16_t le16(const void *p);
uint32_t le32(const void *p);
uint64_t le64(const void *p);
void put_le16(void *p, uint16_t v);
void put_le32(void *p, uint32_t v);
void put_le64(void *p, uint64_t v);

#endif
