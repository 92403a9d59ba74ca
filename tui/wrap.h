/*
 * Text in windows: UTF-8 in, columns out. Bytes that are not printable text
 * (registry data may be anything) show as '?', so a value can never move the
 * cursor or hide a line.
 */
#ifndef TUI_WRAP_H
#define TUI_WRAP_H

#include <stddef.h>
#include <wchar.h>

#include "tui/ui.h"

int wrap_width(const char *text); /* columns of one line */

/* One line, cut with "..." when it does not fit. */
void wrap_line(WINDOW *win, int y, int x, int width, const char *text);

/* Wrapped at spaces (long words are split), '\n' ends a line. Draws rows [skip, skip + rows) and
 * returns how many rows the whole text has; rows 0 only counts. */
int wrap_text(WINDOW *win, int y, int x, int width, int skip, int rows, const char *text);

/* Copy at most size - 1 bytes of printable text, cut at `width` columns with "...". */
void wrap_copy(char *out, size_t size, int width, const char *text);

#endif
