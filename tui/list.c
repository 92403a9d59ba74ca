#include "tui/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "tui/text.h"
#include "tui/wrap.h"

static void draw_position(struct list *l)
{
	WINDOW *win = l->win.win;
	char line[256] = "";
	size_t top = (size_t)top_row(l->menu), last = top + (size_t)l->height;
	if (last > l->count)
		last = l->count;
	if (l->finding)
		snprintf(line, sizeof line, _("find: %.120ls_"), l->find);
	else if (l->count > (size_t)l->height)
		snprintf(line, sizeof line, _("rows %zu-%zu of %zu   %s   / finds"), top + 1, last,
			l->count,
			last < l->count ? _("v more below")
			: top > 0	? _("^ more above")
					: "");
	ui_style(l->ui, win, l->style == UI_BODY ? UI_HEAD : l->style);
	wmove(win, l->height, 0);
	wclrtoeol(win);
	wrap_line(win, l->height, 2, l->width - 2, line);
}

static void pad_row(struct list *l, size_t i, list_row get, const void *ctx)
{
	char text[LIST_ROW_MAX] = "";
	get(ctx, i, text);
	char *row = l->rows[i];
	int width = l->width - 2; /* the mark */
	wrap_copy(row, LIST_ROW_MAX - (size_t)width, width, text);
	size_t len = strlen(row);
	for (int w = wrap_width(row); w < width; w++)
		row[len++] = ' ';
	row[len] = '\0';
}

static int fill(struct list *l, list_row get, const void *ctx)
{
	l->rows = calloc(l->count, sizeof *l->rows);
	l->items = calloc(l->count + 1, sizeof *l->items);
	if (!l->rows || !l->items)
		return -ERR_NOMEM;
	for (size_t i = 0; i < l->count; i++) {
		pad_row(l, i, get, ctx);
		l->items[i] = new_item(l->rows[i], "");
		if (!l->items[i])
			return -ERR_NOMEM;
	}
	l->menu = new_menu(l->items);
	return l->menu ? 0 : -ERR_NOMEM;
}

int list_open(struct list *l, struct ui *ui, const struct list_place *at, size_t count,
	list_row row, const void *ctx)
{
	int height = at->height, width = at->width;
	list_close(l);
	*l = (struct list){
		.ui = ui, .count = count, .height = height - 1, .width = width, .style = at->style};
	if (ui_win_open(ui, &l->win, height, width, at->y, at->x, at->style) < 0 ||
		fill(l, row, ctx) < 0) {
		list_close(l);
		return -ERR_NOMEM;
	}
	set_menu_win(l->menu, l->win.win);
	set_menu_sub(l->menu, derwin(l->win.win, l->height, width, 0, 0));
	set_menu_format(l->menu, l->height, 1);
	menu_opts_off(l->menu, O_SHOWDESC);
	list_focus(l, true);
	if (ui->colour)
		set_menu_back(l->menu, COLOR_PAIR(l->style + 1));
	post_menu(l->menu);
	draw_position(l);
	return 0;
}

void list_close(struct list *l)
{
	if (l->menu) {
		WINDOW *sub = menu_sub(l->menu);
		unpost_menu(l->menu);
		free_menu(l->menu);
		delwin(sub);
	}
	for (size_t i = 0; l->items && l->items[i]; i++)
		free_item(l->items[i]);
	free(l->items);
	free(l->rows);
	ui_win_close(&l->win);
	*l = (struct list){0};
}

size_t list_at(const struct list *l)
{
	return l->menu ? (size_t)item_index(current_item(l->menu)) : 0;
}

void list_go(struct list *l, size_t i)
{
	if (!l->menu || i >= l->count)
		return;
	set_current_item(l->menu, l->items[i]);
	draw_position(l);
}

void list_focus(struct list *l, bool on)
{
	chtype pair = l->ui->colour ? (chtype)COLOR_PAIR(l->style + 1) : 0;
	set_menu_mark(l->menu, on ? "> " : "- ");
	set_menu_fore(l->menu, pair | (on ? A_REVERSE : A_NORMAL));
}

static bool row_has(const struct list *l, size_t i)
{
	wchar_t row[LIST_ROW_MAX];
	if (mbstowcs(row, l->rows[i], LIST_ROW_MAX) == (size_t)-1)
		return false;
	for (wchar_t *p = row; *p; p++) {
		size_t n = 0;
		while (n < l->find_len && towlower((wint_t)p[n]) == towlower((wint_t)l->find[n]))
			n++;
		if (n == l->find_len)
			return true;
	}
	return false;
}

static void find_from(struct list *l, size_t start)
{
	for (size_t k = 0; l->find_len && k < l->count; k++) {
		size_t i = (start + k) % l->count;
		if (row_has(l, i)) {
			list_go(l, i);
			return;
		}
	}
}

static bool find_key(struct list *l, int key)
{
	if (ui_is_text(key) && l->find_len + 1 < LIST_FIND_MAX) {
		l->find[l->find_len++] = (wchar_t)key;
		l->find[l->find_len] = 0;
		find_from(l, list_at(l));
	} else if (key == UI_BACKSPACE && l->find_len > 0) {
		l->find[--l->find_len] = 0;
	} else if (key == UI_DOWN) {
		find_from(l, list_at(l) + 1);
	} else if (key == UI_ENTER || key == UI_ESC) {
		l->finding = false;
	} else {
		return false;
	}
	draw_position(l);
	return true;
}

bool list_key(struct list *l, int key)
{
	static const struct {
		int key, request;
	} moves[] = {
		{UI_UP, REQ_UP_ITEM},
		{UI_DOWN, REQ_DOWN_ITEM},
		{UI_PGUP, REQ_SCR_UPAGE},
		{UI_PGDN, REQ_SCR_DPAGE},
		{UI_HOME, REQ_FIRST_ITEM},
		{UI_END, REQ_LAST_ITEM},
	};
	if (l->finding)
		return find_key(l, key);
	if (key == '/') {
		l->finding = true;
		l->find_len = 0;
		l->find[0] = 0;
		draw_position(l);
		return true;
	}
	for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
		if (moves[i].key != key)
			continue;
		int ret = menu_driver(l->menu, moves[i].request);
		if (ret == E_REQUEST_DENIED && key == UI_PGDN)
			menu_driver(l->menu, REQ_LAST_ITEM);
		if (ret == E_REQUEST_DENIED && key == UI_PGUP)
			menu_driver(l->menu, REQ_FIRST_ITEM);
		draw_position(l);
		return true;
	}
	return false;
}
