/*
 * NDR20 little-endian, one type-serialized object at a time. Private to odj/.
 *
 * An `ndr` reads the body of one object and may not leave it. The first failure
 * fills `struct err` and sticks: later reads give 0, NULL or empty, so a struct
 * is read straight through and the result tested at ndr_close(). Alignment
 * counts from the start of the body. Oddities that do not make the object
 * ambiguous become notes.
 *
 * Only zero or non-zero of a referent id matters: real ids are neither ordered
 * nor unique. Format: MS-RPCE 2.2.6, C706 chapter 14; facts on odj (b), traps 1-6.
 */
#ifndef ODJ_NDR_H
#define ODJ_NDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/reader.h"
#include "odj/odj.h"

#define NDR_WHERE_MAX 48

struct ndr {
	struct reader r;
	struct odj *o; /* owner of the memory and the notes */
	struct err *e;
	int ret; /* 0 or the first failure */
	char where[NDR_WHERE_MAX];
};

/* Header and top-level pointer of the object in `bytes`. */
void ndr_open(struct ndr *n, struct odj *o, struct span bytes, const char *where, struct err *e);

/* The struct has been read: note what is left over. Returns n->ret. */
int ndr_close(struct ndr *n);

int ndr_fail(struct ndr *n, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool ndr_ok(const struct ndr *n);

uint8_t ndr_u8(struct ndr *n);
uint16_t ndr_u16(struct ndr *n);
uint32_t ndr_u32(struct ndr *n);
bool ndr_ptr(struct ndr *n); /* is there a pointee? */
void ndr_guid(struct ndr *n, uint8_t out[16]);

/* [string] wchar_t *, when present: text without NUL inside. */
struct odj_str ndr_str(struct ndr *n, bool present);

/* The same for bytes that are not text: units before the NUL. */
struct span ndr_units(struct ndr *n, bool present);

/* ODJ_UNICODE_STRING: the head in line, the text later. */
struct ndr_ustr {
	uint16_t length, max_length;
	bool present;
};
struct ndr_ustr ndr_ustr_head(struct ndr *n);
void ndr_ustr_text(struct ndr *n, struct ndr_ustr head, struct odj_ustr *out);

/* Conformant SID as text. */
struct odj_str ndr_sid(struct ndr *n, bool present);

/* {count, pointer} of bytes: head in line, data later (empty when absent). */
struct ndr_bytes {
	uint32_t len;
	bool present;
};
struct ndr_bytes ndr_bytes_head(struct ndr *n);
struct span ndr_bytes_data(struct ndr *n, struct ndr_bytes head);
struct span ndr_bytes_copy(struct ndr *n, struct ndr_bytes head); /* outlives the raw blob */
struct odj_digest ndr_bytes_digest(struct ndr *n, struct ndr_bytes head);

/* Array of structs: conformance must equal count. Allocates count * size bytes; wire is the least
 * an element takes, so that the count cannot ask for more than the input holds. */
void *ndr_array(struct ndr *n, uint32_t count, size_t size, size_t wire);

/* Memory that lives as long as the decoded blob; NULL when out of memory or after a failure. */
void *ndr_new(struct ndr *n, size_t size);

void odj_note(struct odj *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
