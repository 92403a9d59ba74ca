/*
 * Identity: what a serial number or an inventory tag means, in one place.
 *
 * The same text reaches us from a CSV, from SMBIOS, from a bar code scanner and
 * from a keyboard. Two texts name the same PC when their normal forms are equal:
 * blanks and ASCII hyphens removed, a-z upper-cased, nothing else changed
 * (docs/format-bundle.md, "Normal form"; a change here is a new bundle version).
 *
 * Firmware is full of texts that look like serials and are not; a placeholder
 * never identifies a PC, neither in a batch nor on site.
 */
#ifndef BUNDLE_IDENTITY_H
#define BUNDLE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define IDENTITY_MAX 64 /* bytes of a serial or tag, before and after normalising */

/* Normal form of text, NUL-terminated. -ERR_LIMIT when text is longer than IDENTITY_MAX,
 * -ERR_FORMAT when it holds control characters, bytes beyond ASCII, or nothing but blanks and
 * hyphens. */
int identity_normalise(const char *text, char out[IDENTITY_MAX + 1], struct err *e);

/* True for "To be filled by O.E.M.", "System Serial Number", "0", "None", "123456789", runs of one
 * character and the like, and for texts identity_normalise() refuses. */
bool identity_is_placeholder(const char *text);

/* Both normalise and are equal. */
bool identity_equal(const char *a, const char *b);

#endif
