/*
 * UTF-16LE as Windows stores it.
 *
 * Windows names are arrays of 16-bit units, not text: lone surrogates are
 * legal. The escaping conversions keep such units visible as U+FFFD in UTF-8
 * and report them; the strict ones refuse.
 *
 * Upcasing follows the NT table: 1:1 on the BMP, no locale rules, no expansion
 * (sharp s stays). Source: facts on regf, section 3 (lh hash).
 */
#ifndef BASE_UTF16_H
#define BASE_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* Upcase one unit by the NT table. */
uint16_t utf16_up(uint16_t c);

/* Compare two unit arrays by upcased units; shorter first on prefix. */
int utf16_casecmp(const uint16_t *a, size_t na, const uint16_t *b, size_t nb);

/* UTF-16LE bytes (n bytes, odd tail ignored, no NUL handling) to a NUL-terminated UTF-8 string that
 * the caller frees. Unpaired surrogates become U+FFFD. NULL when out of memory. */
char *utf16le_to_utf8(const void *p, size_t n);

/* The same, but stops at the first NUL unit: how Windows reads REG_SZ. */
char *utf16le_sz_to_utf8(const void *p, size_t n);

/* UTF-8 (strict: overlong, surrogates and > U+10FFFF refused) to UTF-16LE bytes appended to out,
 * with a NUL unit when nul. -ERR_FORMAT on bad UTF-8. */
int utf8_to_utf16le(const char *s, bool nul, struct buf *out, struct err *e);

/* True when s is strict UTF-8. */
bool utf8_valid(const char *s, size_t n);

#endif
