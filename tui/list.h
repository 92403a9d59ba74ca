/*
 * A list of rows on libmenu: the row in focus is reversed and marked "> ".
 * Rows that do not fit are reached by scrolling, and a line below the rows
 * says which part is seen, so nothing is hidden silently. Rows are numbered by
 * the caller where digits select; '/' starts a search in the rows' text.
 */
#ifndef TUI_LIST_H
#define TUI_LIST_H

#include <menu.h>

#include "tui/ui.h"

#define LIST_ROW_MAX 512
#define LIST_FIND_MAX 32

struct list {
	struct ui *ui;
	struct ui_win win;
	MENU *menu;
	ITEM **items;
	char (*rows)[LIST_ROW_MAX]; /* the items' text, cut and padded to the width */
	size_t count;
	int height; /* rows seen at once */
	int width;
	enum ui_style style;
	bool finding;
	wchar_t find[LIST_FIND_MAX];
	size_t find_len;
};

/* Where on the screen; height includes the line that tells the position. */
struct list_place {
	int y, x, height, width;
	enum ui_style style;
};

/* Writes the text of row i. */
typedef void (*list_row)(const void *ctx, size_t i, char out[LIST_ROW_MAX]);

int list_open(struct list *l, struct ui *ui, const struct list_place *at, size_t count,
	list_row row, const void *ctx);
void list_close(struct list *l);

size_t list_at(const struct list *l);
void list_go(struct list *l, size_t i);

/* Focus elsewhere: the row keeps a "- " mark, the reverse bar goes. */
void list_focus(struct list *l, bool on);

/* true when the key was for the list (movement, search). Digits are the caller's. */
bool list_key(struct list *l, int key);

#endif
