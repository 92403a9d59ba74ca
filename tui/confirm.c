/*
 * Step 6: the one question before the PC is changed. A bare Enter never
 * proceeds (scanners send it): the end of the name is typed, or the label scanned.
 */
#include <stdio.h>
#include <string.h>

#include "bundle/identity.h"
#include "tui/text.h"
#include "tui/wizard.h"
#include "tui/wrap.h"

#define TAIL 4
#define FIELD_WIDTH 30

enum { IN_FIELD, ON_BACK, ON_CHANGE, PLACES };

static const char *name_tail(const char *name)
{
	size_t n = strlen(name);
	return n > TAIL ? name + n - TAIL : name;
}

bool wizard_names(const char *typed, const struct job_pc *pc)
{
	char code[SCAN_MAX];
	bool layout;
	if (!scan_clean(typed, code, &layout))
		return false;
	const char *const good[] = {name_tail(pc->name), pc->name, pc->tag, pc->serial};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (identity_equal(code, good[i]))
			return true;
	return false;
}

static bool answer(struct wizard *w)
{
	return job_get_plan(w->job)->count > 0; /* --auto is the confirmation */
}

static void add_count(char *text, size_t size, size_t n, const char *one, const char *many)
{
	size_t len = strlen(text);
	if (n > 0)
		snprintf(text + len, size - len, "%s%zu %s", len ? ", " : "", n,
			n == 1 ? one : many);
}

static void changes_text(const struct plan *p, char *text, size_t size)
{
	size_t n[PLAN_FILE + 1] = {0};
	for (size_t i = 0; i < p->count; i++)
		n[p->items[i].kind]++;
	text[0] = '\0';
	add_count(text, size, n[PLAN_VALUE], _("registry value"), _("registry values"));
	add_count(text, size, n[PLAN_KEY], _("registry key"), _("registry keys"));
	add_count(text, size, n[PLAN_FILE], _("file"), _("files"));
}

static int build_summary(struct wizard *w, int y)
{
	char text[640];
	const struct job_pc *pc = job_pc(w->job);
	const struct job_windows *win = job_chosen(w->job);
	snprintf(text, sizeof text, _("%s %s, serial %s"), w->pc.fw.vendor, w->pc.fw.product,
		w->pc.fw.serial[0] ? w->pc.fw.serial : _("unknown"));
	y = wizard_pair(w, y, _("This PC"), text);
	snprintf(text, sizeof text, _("%s in domain %s"), pc->name, pc->domain);
	y = wizard_pair(w, y, _("becomes"), text);
	snprintf(text, sizeof text, _("%s on %s"), win->product, win->where);
	y = wizard_pair(w, y, _("Windows"), text);
	snprintf(
		text, sizeof text, _("now called %s"), win->name[0] ? win->name : _("(not known)"));
	y = wizard_pair(w, y, "", text);
	changes_text(job_get_plan(w->job), text, sizeof text);
	y = wizard_pair(w, y, _("Will change"), text);
	y = wizard_pair(w, y, _("Will not change"), _("everything else on this disk"));
	return wizard_pair(
		w, y, _("Afterwards"), _("this entry of the bundle is used up: one entry, one PC"));
}

static void draw_buttons(struct wizard *w)
{
	WINDOW *win = w->ui.body.win;
	static const char *const labels[PLACES] = {"", _("Back"), _("Change this PC")};
	int y = w->ui.rows - 2, x = 2;
	for (int i = ON_BACK; i < PLACES; i++) {
		bool on = w->button == i;
		ui_style(&w->ui, win, on ? UI_FOCUS : UI_BODY);
		mvwprintw(win, y, x, "%s [ %s ]", on ? ">" : " ", labels[i]);
		x += wrap_width(labels[i]) + 10;
	}
	ui_style(&w->ui, win, UI_BODY);
	field_focus(&w->field, w->button == IN_FIELD);
}

static void build(struct wizard *w)
{
	const struct job_pc *pc = job_pc(w->job);
	wizard_text(w, 0, UI_HEAD, "%s", _("Read this before anything is changed."));
	build_summary(w, 2);
	wizard_text(w, w->ui.rows - 6, UI_BODY,
		_("To change this PC, type the last %d characters of %s, or scan its label:"), TAIL,
		pc->name);
	field_open(&w->field, &w->ui, getbegy(w->ui.body.win) + w->ui.rows - 4, 1, FIELD_WIDTH,
		SCAN_MAX - 1, w->typed);
	draw_buttons(w);
}

static enum go enter(struct wizard *w)
{
	w->typed[0] = '\0';
	w->button = IN_FIELD;
	return GO_STAY;
}

static enum go proceed(struct wizard *w)
{
	field_get(&w->field, w->typed);
	if (wizard_names(w->typed, job_pc(w->job)))
		return GO_NEXT;
	bool empty = !w->typed[0];
	field_set(&w->field, "");
	w->typed[0] = '\0';
	w->button = IN_FIELD;
	draw_buttons(w);
	if (empty)
		ui_status(&w->ui, UI_WARN, "%s",
			_("Enter alone changes nothing. Type the end of the name, or Esc goes "
			  "back."));
	else
		ui_status(&w->ui, UI_STOP,
			_("[STOP] That does not belong to %s. Nothing was changed."),
			job_pc(w->job)->name);
	return GO_STAY;
}

static void move_focus(struct wizard *w, int by)
{
	w->button = (w->button + by + PLACES) % PLACES;
	draw_buttons(w);
}

static enum go on_key(struct wizard *w, int key)
{
	switch (key) {
	case UI_ESC:
		return GO_BACK;
	case UI_ENTER:
		return w->button == ON_BACK ? GO_BACK : proceed(w);
	case UI_TAB:
	case UI_DOWN:
		move_focus(w, 1);
		return GO_STAY;
	case UI_BACKTAB:
	case UI_UP:
		move_focus(w, -1);
		return GO_STAY;
	case UI_LEFT:
	case UI_RIGHT:
		if (w->button != IN_FIELD) {
			w->button = w->button == ON_BACK ? ON_CHANGE : ON_BACK;
			draw_buttons(w);
			return GO_STAY;
		}
		break;
	default:
		break;
	}
	if (ui_is_text(key) && w->button != IN_FIELD) {
		w->button = IN_FIELD;
		draw_buttons(w);
	}
	field_key(&w->field, key);
	return GO_STAY;
}

const struct screen screen_confirm = {
	.title = _("Confirm"),
	.keys = _("type the name's end + Enter: change   Tab buttons   Esc back   F1 ^G   F10 ^X"),
	.help = _(
		"The last question. Compare the name and the serial with the label on the case.\n\n"
		"To say yes, type the last four characters of the computer name, or scan the label "
		"(tag, serial or name). Enter alone never changes anything, because scanners send "
		"it too.\n\nEsc goes back without changing anything."),
	.enter = enter,
	.answer = answer,
	.build = build,
	.drop = wizard_drop_typed,
	.key = on_key,
};
