#include "tui/frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tui/text.h"
#include "tui/wrap.h"

void frame_close(struct ui *ui)
{
	ui_win_close(&ui->head);
	ui_win_close(&ui->body);
	ui_win_close(&ui->foot);
}

static void show_too_small(void)
{
	erase();
	mvprintw(0, 0, _("This terminal is %dx%d."), COLS, LINES);
	mvprintw(1, 0, _("odjstick needs %dx%d or more:"), UI_MIN_COLS, UI_MIN_ROWS);
	mvprintw(2, 0, "%s", _("please enlarge it."));
	mvprintw(3, 0, "%s", _("Nothing is lost."));
	refresh();
}

void frame_layout(struct ui *ui)
{
	frame_close(ui);
	ui->generation++;
	ui->cursor = NULL;
	ui->small = LINES < UI_MIN_ROWS || COLS < UI_MIN_COLS;
	if (ui->small) {
		show_too_small();
		return;
	}
	ui->rows = LINES - FRAME_TOP - FRAME_BOTTOM;
	ui->cols = COLS;
	erase();
	clearok(curscr, TRUE);
	ui_win_open(ui, &ui->foot, FRAME_BOTTOM, COLS, LINES - FRAME_BOTTOM, 0, UI_BODY);
	ui_win_open(ui, &ui->body, ui->rows, COLS, FRAME_TOP, 0, UI_BODY);
	ui_win_open(ui, &ui->head, FRAME_TOP, COLS, 0, 0, UI_BODY);
	/* a rebuilt frame belongs below dialogs that are still open */
	bottom_panel(ui->foot.panel);
	bottom_panel(ui->body.panel);
	bottom_panel(ui->head.panel);
}

static void bar(const struct ui *ui, WINDOW *win, int row, enum ui_style style)
{
	ui_style(ui, win, style);
	wmove(win, row, 0);
	for (int i = 0; i < ui->cols; i++)
		waddch(win, ' ');
}

static void rule(const struct ui *ui, WINDOW *win, int row)
{
	ui_style(ui, win, UI_BODY);
	wmove(win, row, 0);
	for (int i = 0; i < ui->cols; i++)
		waddch(win, ACS_HLINE);
}

void frame_draw(struct ui *ui)
{
	WINDOW *head = ui->head.win, *foot = ui->foot.win;
	bar(ui, head, 0, UI_TITLE);
	wrap_line(head, 0, 1, ui->cols - 2, ui->title);
	int width = wrap_width(ui->ident);
	wrap_line(head, 0, ui->cols - width - 1, width, ui->ident);
	rule(ui, head, 1);
	rule(ui, foot, 0);
	bar(ui, foot, 1, UI_BODY);
	ui_style(ui, foot, ui->status_style);
	wrap_line(foot, 1, 1, ui->cols - 2, ui->status);
	bar(ui, foot, 2, UI_TITLE);
	wrap_line(foot, 2, 1, ui->cols - 2, ui->keys);
}

void ui_title(struct ui *ui, const char *title, const char *ident)
{
	snprintf(ui->title, sizeof ui->title, "%s", title);
	snprintf(ui->ident, sizeof ui->ident, "%s", ident);
}

void ui_keys(struct ui *ui, const char *keys)
{
	snprintf(ui->keys, sizeof ui->keys, "%s", keys);
}

void ui_status(struct ui *ui, enum ui_style style, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(ui->status, sizeof ui->status, fmt, ap);
	va_end(ap);
	ui->status_style = style;
}

void ui_show(struct ui *ui)
{
	if (ui->small)
		return;
	frame_draw(ui);
	curs_set(ui->cursor ? 1 : 0);
	update_panels();
	if (ui->cursor)
		wnoutrefresh(ui->cursor);
	doupdate();
}
