/* A QR code (libqrencode) in half blocks: two modules per character, so it is square. */
#ifndef TUI_QR_H
#define TUI_QR_H

#include "tui/ui.h"

/* Draw text at (y, x). Returns the columns used, 0 when it does not fit in rows x cols or the
 * terminal cannot show half blocks. Light modules are drawn, so the code is dark on light on any
 * terminal with a dark background; with colour that is forced. Capitals, digits, blanks and - . / :
 * make a smaller code. */
int qr_draw(const struct ui *ui, WINDOW *win, int y, int x, int rows, int cols, const char *text);

#endif
