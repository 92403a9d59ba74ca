/*
 * Armor: minisign's text form for keys. Two lines, "untrusted comment: ..." and
 * base64 (RFC 4648, padded) of a binary of known length.
 */
#ifndef BUNDLE_ARMOR_H
#define BUNDLE_ARMOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

#define ARMOR_COMMENT "untrusted comment: "
#define ARMOR_LINE_MAX 1024u

/* Take the next line (without LF, CR LF accepted) off *text. False at the end of the text, and for
 * lines longer than ARMOR_LINE_MAX. */
bool armor_line(struct span *text, struct span *line);

/* The line starts with prefix: *rest is what follows. */
bool armor_prefix(struct span line, const char *prefix, struct span *rest);

/* The line is canonical base64 of exactly n bytes. */
bool armor_base64(struct span line, uint8_t *out, size_t n);

/* Exactly the two lines. */
bool armor_read(const void *text, size_t len, uint8_t *out, size_t n);

/* Append base64 and a line feed; append the two lines. */
int armor_add_base64(struct buf *out, const uint8_t *p, size_t n, struct err *e);
int armor_add(struct buf *out, const char *comment, const uint8_t *p, size_t n, struct err *e);

#endif
