/* Words that can be read from two metres: five rows of blocks per letter. */
#ifndef TUI_BIG_H
#define TUI_BIG_H

#include "tui/ui.h"

#define BIG_ROWS 5

/* Draw word (letters of DONE and FAILED; '#' without UTF-8) at (y, x) of win. */
void big_draw(const struct ui *ui, WINDOW *win, int y, int x, const char *word);

#endif
