#include "tui/dialog.h"

#include <stdio.h>
#include <string.h>

#include "tui/list.h"
#include "tui/text.h"
#include "tui/wrap.h"

#define BLINK_MS 250 /* work shorter than this shows no panel */
#define TEXT_WIDTH (DIALOG_WIDTH - 4)

struct dialog {
	struct ui *ui;
	const char *title, *text;
	const char *const *choices;
	size_t count;
	size_t at;
	int lines, seen, skip; /* of the text */
	unsigned generation;
	struct ui_win win;
	struct list list;
};

static void draw_text(struct dialog *d)
{
	WINDOW *win = d->win.win;
	werase(win);
	ui_style(d->ui, win, UI_DIALOG);
	box(win, 0, 0);
	ui_style(d->ui, win, d->ui->colour ? UI_DIALOG : UI_TITLE);
	mvwprintw(win, 0, 2, " %s ", d->title);
	ui_style(d->ui, win, UI_DIALOG);
	wrap_text(win, 1, 2, TEXT_WIDTH, d->skip, d->seen, d->text);
	if (d->lines > d->seen)
		mvwprintw(win, d->seen + 1, 2, _("lines %d-%d of %d   PgUp PgDn scroll"),
			d->skip + 1, d->skip + d->seen, d->lines);
}

static void choice_row(const void *ctx, size_t i, char out[LIST_ROW_MAX])
{
	const struct dialog *d = ctx;
	if (d->count > 1)
		snprintf(out, LIST_ROW_MAX, "%zu  %s", i + 1, d->choices[i]);
	else
		snprintf(out, LIST_ROW_MAX, "%s", d->choices[i]);
}

static void open_windows(struct dialog *d)
{
	struct ui *ui = d->ui;
	d->generation = ui->generation;
	ui->cursor = NULL;
	if (ui->small)
		return;
	int room = LINES - (int)d->count - 6;
	d->lines = wrap_text(stdscr, 0, 0, TEXT_WIDTH, 0, 0, d->text);
	d->seen = d->lines < room ? d->lines : room;
	int height = d->seen + 2 + (int)d->count + 2;
	int y = (LINES - height) / 2, x = (COLS - DIALOG_WIDTH) / 2;
	if (ui_win_open(ui, &d->win, height, DIALOG_WIDTH, y, x, UI_DIALOG) < 0)
		return;
	draw_text(d);
	struct list_place at = {.y = y + d->seen + 2,
		.x = x + 2,
		.height = (int)d->count + 1,
		.width = TEXT_WIDTH,
		.style = UI_DIALOG};
	list_open(&d->list, ui, &at, d->count, choice_row, d);
	list_go(&d->list, d->at);
}

static void scroll_text(struct dialog *d, int by)
{
	int max = d->lines - d->seen;
	d->skip += by;
	if (d->skip > max)
		d->skip = max;
	if (d->skip < 0)
		d->skip = 0;
	draw_text(d);
}

/* -2 while the dialog stays. */
static int on_key(struct dialog *d, int key)
{
	if (key == UI_TERM || key == UI_ESC)
		return -1;
	if (key == UI_ENTER)
		return (int)list_at(&d->list);
	if (key > '0' && key <= '9' && (size_t)(key - '0') <= d->count)
		return key - '1';
	if (key == UI_PGDN || key == UI_PGUP)
		scroll_text(d, key == UI_PGDN ? d->seen - 1 : 1 - d->seen);
	else if (key != '/')
		list_key(&d->list, key);
	d->at = list_at(&d->list);
	return -2;
}

int dialog_ask(struct ui *ui, const char *title, const char *text, const char *const *choices,
	size_t count)
{
	struct dialog d = {
		.ui = ui, .title = title, .text = text, .choices = choices, .count = count};
	WINDOW *cursor = ui->cursor;
	unsigned generation = ui->generation;
	int answer = -2;
	open_windows(&d);
	while (answer == -2) {
		ui_show(ui);
		int key = ui_key(ui);
		if (d.generation != ui->generation)
			open_windows(&d);
		else if (key == UI_TERM)
			answer = -1;
		else if (d.win.win && !ui->small)
			answer = on_key(&d, key);
	}
	list_close(&d.list);
	ui_win_close(&d.win);
	if (generation == ui->generation)
		ui->cursor = cursor;
	return answer;
}

void dialog_tell(struct ui *ui, const char *title, const char *text)
{
	const char *const ok[] = {_("Close")};
	dialog_ask(ui, title, text, ok, 1);
}

void dialog_err(struct ui *ui, const char *title, const struct err *e)
{
	char text[1280];
	snprintf(text, sizeof text, "%s\n\n%s%s(%s)", e->what[0] ? e->what : err_name(e->code),
		e->next, e->next[0] ? "\n\n" : "", err_name(e->code));
	dialog_tell(ui, title, text);
}

char dialog_spinner(int64_t ms)
{
	return "|/-\\"[(ms / 200) % 4];
}

static void draw_wait(struct dialog *d, int64_t ms, bool asked)
{
	struct ui *ui = d->ui;
	if (ui->small)
		return;
	if (!d->win.win || d->generation != ui->generation) {
		d->generation = ui->generation;
		if (ui_win_open(ui, &d->win, 5, DIALOG_WIDTH, (LINES - 5) / 2,
			    (COLS - DIALOG_WIDTH) / 2, UI_DIALOG) < 0)
			return;
	}
	WINDOW *win = d->win.win;
	werase(win);
	ui_style(ui, win, UI_DIALOG);
	box(win, 0, 0);
	wrap_line(win, 1, 2, TEXT_WIDTH - 12, d->text);
	mvwprintw(win, 1, DIALOG_WIDTH - 12, "%c %4lld s", dialog_spinner(ms),
		(long long)(ms / 1000));
	wrap_line(win, 3, 2, TEXT_WIDTH,
		asked ? _("This cannot be interrupted; it ends by itself.") : "");
	ui_show(ui);
}

int dialog_wait(struct ui *ui, const char *text, task_fn fn, void *arg, struct err *e)
{
	struct task t;
	struct dialog d = {.ui = ui, .text = text};
	WINDOW *cursor = ui->cursor;
	unsigned generation = ui->generation;
	int64_t start = ui_ms();
	bool asked = false;
	int ret = task_start(&t, fn, arg, e);
	if (ret < 0)
		return ret;
	ui->cursor = NULL;
	while (!task_done(&t)) {
		ui_patience(ui_ms() - start <= BLINK_MS);
		int key = ui_key(ui);
		asked |= key == UI_INTERRUPT || key == UI_ESC;
		if (ui_ms() - start > BLINK_MS)
			draw_wait(&d, ui_ms() - start, asked);
	}
	ui_patience(false);
	ui_win_close(&d.win);
	ui_flush(ui);
	if (generation == ui->generation)
		ui->cursor = cursor;
	return task_join(&t, e);
}
