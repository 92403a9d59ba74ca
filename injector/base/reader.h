/*
 * Bounded reader: the only way untrusted bytes are taken apart.
 *
 * A reader never reads past `end`. The first bad read sets `bad` and every
 * later one returns 0 or NULL, so a parser may read a whole record and test
 * reader_ok() once. The bytes belong to the caller.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct reader {
	const uint8_t *start;
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

void reader_init(struct reader *r, const void *p, size_t len);
bool reader_ok(const struct reader *r);
size_t reader_left(const struct reader *r);
size_t reader_pos(const struct reader *r);

uint8_t reader_u8(struct reader *r);
uint16_t reader_le16(struct reader *r);
uint32_t reader_le32(struct reader *r);
uint64_t reader_le64(struct reader *r);

/* The next n bytes, or NULL (and bad) when there are fewer. n == 0 never fails. */
const uint8_t *reader_take(struct reader *r, size_t n);
void reader_skip(struct reader *r, size_t n);

/* Skip to the next multiple of `align` counted from start. */
void reader_align(struct reader *r, size_t align);

/* Move to an absolute position counted from start. */
void reader_seek(struct reader *r, size_t pos);

#endif
