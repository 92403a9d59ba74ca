#include "tui/field.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"
#include "tui/text.h"

#define MARK_WIDTH 2

static void draw_mark(struct ui *ui, WINDOW *win, bool on)
{
	ui_style(ui, win, UI_BODY);
	mvwaddstr(win, 0, 0, on ? "> " : "  ");
}

static int make_form(struct field *f, int width, int max)
{
	f->fields[0] = new_field(1, width, 0, 0, 0, 0);
	if (!f->fields[0])
		return -ERR_NOMEM;
	field_opts_off(f->fields[0], O_STATIC | O_BLANK | O_AUTOSKIP);
	set_max_field(f->fields[0], max);
	chtype look = f->ui->colour ? (chtype)COLOR_PAIR(UI_FIELD + 1) : A_UNDERLINE;
	set_field_back(f->fields[0], look);
	set_field_fore(f->fields[0], look);
	f->form = new_form(f->fields);
	return f->form ? 0 : -ERR_NOMEM;
}

int field_open(struct field *f, struct ui *ui, int y, int x, int width, int max, const char *text)
{
	field_close(f);
	f->ui = ui;
	if (ui_win_open(ui, &f->win, 1, width + MARK_WIDTH, y, x, UI_BODY) < 0 ||
		make_form(f, width, max) < 0) {
		field_close(f);
		return -ERR_NOMEM;
	}
	set_form_win(f->form, f->win.win);
	set_form_sub(f->form, derwin(f->win.win, 1, width, 0, MARK_WIDTH));
	post_form(f->form);
	field_set(f, text);
	field_focus(f, true);
	return 0;
}

void field_close(struct field *f)
{
	if (f->form) {
		WINDOW *sub = form_sub(f->form);
		if (f->ui->cursor == sub)
			f->ui->cursor = NULL;
		unpost_form(f->form);
		free_form(f->form);
		delwin(sub);
	}
	if (f->fields[0])
		free_field(f->fields[0]);
	ui_win_close(&f->win);
	*f = (struct field){0};
}

static void place_cursor(struct field *f)
{
	if (!f->active)
		return;
	pos_form_cursor(f->form);
	f->ui->cursor = form_sub(f->form);
}

void field_focus(struct field *f, bool on)
{
	f->active = on;
	draw_mark(f->ui, f->win.win, on);
	f->ui->cursor = NULL;
	place_cursor(f);
}

bool field_key(struct field *f, int key)
{
	static const struct {
		int key, request;
	} edits[] = {
		{UI_LEFT, REQ_PREV_CHAR},
		{UI_RIGHT, REQ_NEXT_CHAR},
		{UI_HOME, REQ_BEG_LINE},
		{UI_END, REQ_END_LINE},
		{UI_BACKSPACE, REQ_DEL_PREV},
		{UI_DELETE, REQ_DEL_CHAR},
		{UI_KILL, REQ_CLR_FIELD},
	};
	bool used = ui_is_text(key);
	if (used)
		form_driver_w(f->form, OK, (wchar_t)key);
	for (size_t i = 0; !used && i < ARRAY_SIZE(edits); i++) {
		if (edits[i].key != key)
			continue;
		form_driver(f->form, edits[i].request);
		used = true;
	}
	if (used)
		place_cursor(f);
	return used;
}

void field_get(struct field *f, char out[FIELD_MAX])
{
	out[0] = '\0';
	if (!f->form)
		return;
	form_driver(f->form, REQ_VALIDATION);
	const char *p = field_buffer(f->fields[0], 0);
	while (*p == ' ')
		p++;
	size_t n = strlen(p);
	while (n > 0 && p[n - 1] == ' ')
		n--;
	if (n >= FIELD_MAX)
		n = FIELD_MAX - 1;
	memcpy(out, p, n);
	out[n] = '\0';
}

void field_set(struct field *f, const char *text)
{
	set_field_buffer(f->fields[0], 0, text);
	form_driver(f->form, REQ_END_LINE);
	place_cursor(f);
}

int passfield_open(struct passfield *f, struct ui *ui, int y, int x, int width)
{
	passfield_close(f);
	f->ui = ui;
	f->width = width;
	return ui_win_open(ui, &f->win, 1, width + MARK_WIDTH, y, x, UI_BODY);
}

void passfield_close(struct passfield *f)
{
	if (f->ui && f->ui->cursor == f->win.win)
		f->ui->cursor = NULL;
	ui_win_close(&f->win);
	*f = (struct passfield){0};
}

static void add_char(struct secret *text, size_t *len, int key)
{
	char mb[MB_LEN_MAX];
	mbstate_t state;
	memset(&state, 0, sizeof state);
	size_t n = wcrtomb(mb, (wchar_t)key, &state);
	if (n == (size_t)-1 || *len + n > text->len)
		return;
	memcpy(text->p + *len, mb, n);
	*len += n;
	explicit_bzero(mb, sizeof mb);
}

static void drop_char(struct secret *text, size_t *len)
{
	while (*len > 0) {
		uint8_t c = text->p[--*len];
		text->p[*len] = 0;
		if ((c & 0xC0) != 0x80)
			return;
	}
}

bool passfield_key(struct passfield *f, struct secret *text, size_t *len, int key)
{
	if (ui_is_text(key)) {
		add_char(text, len, key);
	} else if (key == UI_BACKSPACE) {
		drop_char(text, len);
	} else if (key == UI_KILL) {
		explicit_bzero(text->p, text->len);
		*len = 0;
	} else {
		return false;
	}
	passfield_draw(f, text, *len);
	return true;
}

void passfield_draw(struct passfield *f, const struct secret *text, size_t len)
{
	int chars = 0;
	for (size_t i = 0; i < len; i++)
		chars += (text->p[i] & 0xC0) != 0x80;
	WINDOW *win = f->win.win;
	draw_mark(f->ui, win, true);
	ui_style(f->ui, win, UI_FIELD);
	int stars = chars < f->width ? chars : f->width - 1;
	for (int i = 0; i < f->width; i++)
		waddch(win, i < stars ? '*' : ' ');
	wmove(win, 0, MARK_WIDTH + stars);
	f->ui->cursor = win;
}
