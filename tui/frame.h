/* The frame around every screen: two lines above the body, three below. See ui.h. */
#ifndef TUI_FRAME_H
#define TUI_FRAME_H

#include "tui/ui.h"

#define FRAME_TOP 2
#define FRAME_BOTTOM 3

void frame_layout(struct ui *ui); /* (re)build for the terminal's present size */
void frame_close(struct ui *ui);
void frame_draw(struct ui *ui);

#endif
