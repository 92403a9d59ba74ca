/*
 * What a barcode scanner (a keyboard, to the PC) or a hand typed, made
 * comparable: AIM prefix, blanks and control characters go, letters become
 * capitals, and a code that came through the Russian keyboard layout is read
 * back to the Latin keys that were meant.
 */
#ifndef TUI_SCAN_H
#define TUI_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define SCAN_MAX 65

/* text is UTF-8. *layout is set when letters were read back from the Russian layout. False when
 * nothing usable is left or it is too long. */
bool scan_clean(const char *text, char out[SCAN_MAX], bool *layout);

#endif
