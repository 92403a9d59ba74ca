/*
 * The terminal: start and stop of ncurses, keys, colours, and the frame every
 * screen shares (title and step left, the PC right, body, status line, key line).
 *
 * Designed for 80x25, complete at 80x24, larger terminals give the body more
 * room; below 80x24 one message asks for a larger one. All windows are panels:
 * the frame at the bottom, a screen's widgets above, dialogs on top. After a
 * resize `generation` changes; whoever owns windows rebuilds them when it sees that.
 */
#ifndef TUI_UI_H
#define TUI_UI_H

#define NCURSES_NOMACROS 1 /* functions only: no macro called "move" or "timeout" */
#ifndef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#endif
#include <curses.h>
#include <panel.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define UI_MIN_ROWS 24
#define UI_MIN_COLS 80

enum ui_style {
	UI_BODY,
	UI_TITLE,
	UI_HEAD,
	UI_FOCUS,
	UI_OK,
	UI_WARN,
	UI_STOP,
	UI_FIELD,
	UI_DIALOG,
	UI_STYLE_COUNT
};

/* Keys are Unicode code points, or one of these. */
enum ui_key {
	UI_NONE = 0x110000, /* nothing within a tenth of a second */
	UI_RESIZE,
	UI_TERM, /* SIGTERM arrived: finish what runs, close the stick, end */
	UI_ENTER,
	UI_ESC,
	UI_TAB,
	UI_BACKTAB,
	UI_UP,
	UI_DOWN,
	UI_LEFT,
	UI_RIGHT,
	UI_PGUP,
	UI_PGDN,
	UI_HOME,
	UI_END,
	UI_BACKSPACE,
	UI_DELETE,
	UI_KILL,      /* Ctrl-U: empty the field */
	UI_HELP,      /* F1, Ctrl-G */
	UI_DETAILS,   /* F2, Ctrl-D */
	UI_UNDO,      /* F8, Ctrl-T: take back */
	UI_MENU,      /* F10, Ctrl-X */
	UI_INTERRUPT, /* Ctrl-C: never ends anything, only explains */
};

struct ui_win {
	WINDOW *win;
	PANEL *panel;
};

struct ui {
	bool colour;
	bool utf8;
	bool small; /* below the minimum: only the message is on screen */
	unsigned generation;
	int rows, cols; /* of the body */
	struct ui_win head, body, foot;
	WINDOW *cursor;		    /* window that shows the cursor, NULL for none */
	void (*rebuild)(void *ctx); /* the screen's windows, after a resize */
	void *ctx;
	int last_key;
	int64_t last_ms;
	char title[96], ident[64], status[256], keys[96];
	enum ui_style status_style;
};

int ui_start(struct ui *ui, struct err *e);
void ui_stop(struct ui *ui);

/* Wait for a key, at most 100 ms. Handles resizes and the small-terminal message itself. */
int ui_key(struct ui *ui);
bool ui_is_text(int key);

/* Throw away what was typed while nobody was asking. */
void ui_flush(struct ui *ui);

/* Put everything on the terminal. */
void ui_show(struct ui *ui);

void ui_title(struct ui *ui, const char *title, const char *ident);
void ui_keys(struct ui *ui, const char *keys);
void ui_status(struct ui *ui, enum ui_style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void ui_style(const struct ui *ui, WINDOW *win, enum ui_style style);

/* A panel on top of all others, filled with the style's background. */
int ui_win_open(
	struct ui *ui, struct ui_win *w, int rows, int cols, int y, int x, enum ui_style style);
void ui_win_close(struct ui_win *w);

int64_t ui_ms(void); /* monotonic milliseconds */

/* How long ui_key() waits for a key: a tenth of a second, or less while something quick is awaited.
 */
void ui_patience(bool quick);

#endif
