#include "tui/wizard.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/dialog.h"
#include "tui/drivers.h"
#include "tui/text.h"
#include "tui/wrap.h"

static const struct screen *const order[] = {
	&screen_unlock,
	&screen_pc,
	&screen_windows,
	&screen_checks,
	&screen_plan,
	&screen_confirm,
	&screen_progress,
	&screen_result,
};
#define STEP_COUNT (sizeof order / sizeof order[0])

#define LABEL_COL 2
#define LABEL_WIDTH 16

/* --- what screens draw with --- */

int wizard_text(struct wizard *w, int y, enum ui_style style, const char *fmt, ...)
{
	char text[1200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ui_style(&w->ui, w->ui.body.win, style);
	int rows = w->ui.rows - y;
	int n = wrap_text(w->ui.body.win, y, LABEL_COL, w->ui.cols - 2 * LABEL_COL, 0, rows, text);
	ui_style(&w->ui, w->ui.body.win, UI_BODY);
	return y + n;
}

int wizard_pair(struct wizard *w, int y, const char *label, const char *text)
{
	WINDOW *win = w->ui.body.win;
	int x = LABEL_COL + LABEL_WIDTH;
	ui_style(&w->ui, win, UI_HEAD);
	wrap_line(win, y, LABEL_COL, LABEL_WIDTH - 1, label);
	ui_style(&w->ui, win, UI_BODY);
	int n = wrap_text(win, y, x, w->ui.cols - x - LABEL_COL, 0, w->ui.rows - y, text);
	return y + (n ? n : 1);
}

const char *wizard_word(enum job_verdict v)
{
	return v == JOB_OK ? TEXT_OK : v == JOB_WARN ? TEXT_WARN : TEXT_STOP;
}

enum ui_style wizard_style(enum job_verdict v)
{
	return v == JOB_OK ? UI_OK : v == JOB_WARN ? UI_WARN : UI_STOP;
}

int wizard_state(struct wizard *w, int y, enum job_verdict v, const char *text)
{
	WINDOW *win = w->ui.body.win;
	const char *word = wizard_word(v);
	int x = LABEL_COL + wrap_width(word) + 1;
	ui_style(&w->ui, win, wizard_style(v));
	wrap_line(win, y, LABEL_COL, x, word);
	ui_style(&w->ui, win, UI_BODY);
	int n = wrap_text(win, y, x, w->ui.cols - x - LABEL_COL, 0, w->ui.rows - y, text);
	return y + (n ? n : 1);
}

void wizard_list(struct wizard *w, int y, int height, size_t count, list_row row)
{
	struct list_place at = {.y = getbegy(w->ui.body.win) + y,
		.x = 1,
		.height = height,
		.width = w->ui.cols - 2,
		.style = UI_BODY};
	list_open(&w->list, &w->ui, &at, count, row, w);
}

void wizard_drop_widgets(struct wizard *w)
{
	list_close(&w->list);
	field_close(&w->field);
}

void wizard_drop_typed(struct wizard *w)
{
	if (w->field.form)
		field_get(&w->field, w->typed);
	wizard_drop_widgets(w);
}

void wizard_wait_disks(struct wizard *w)
{
	if (drivers_pending())
		dialog_wait(&w->ui, _("Loading the drivers of this PC's disks"), drivers_wait, NULL,
			NULL);
}

void wizard_forget_job(struct wizard *w)
{
	job_close(w->job);
	w->job = NULL;
	w->have_pc = w->found = false;
	w->chosen = w->check_at = w->plan_at = 0;
	w->reason[0] = w->typed[0] = '\0';
	w->in_reason = false;
}

/* --- the machine --- */

static void set_title(struct wizard *w)
{
	char title[96], ident[64] = "";
	const char *label = w->stick ? stick_label(w->stick) : "";
	snprintf(title, sizeof title, _("odjstick  %zu/%zu  %s"), w->step + 1, STEP_COUNT,
		w->screen->title);
	if (w->have_pc)
		snprintf(ident, sizeof ident, "%s", job_pc(w->job)->name);
	if (w->asked_firmware && w->pc.fw.serial[0]) {
		size_t n = strlen(ident);
		snprintf(ident + n, sizeof ident - n, _("%sserial %.36s"), n ? "  " : "",
			w->pc.fw.serial);
	} else if (!ident[0]) {
		wrap_copy(ident, sizeof ident, 40, label);
	}
	ui_title(&w->ui, title, ident);
}

static void build(struct wizard *w)
{
	set_title(w);
	ui_keys(&w->ui, w->screen->keys);
	if (w->ui.small)
		return;
	werase(w->ui.body.win);
	ui_style(&w->ui, w->ui.body.win, UI_BODY);
	w->screen->build(w);
}

void wizard_redraw(struct wizard *w)
{
	w->screen->drop(w);
	build(w);
}

static void rebuild(void *ctx)
{
	wizard_redraw(ctx);
}

/* F10: how to leave without finishing. */
static enum go menu(struct wizard *w)
{
	const char *const choices[] = {_("Stay here"), _("Power off this PC"), _("Reboot this PC")};
	int answer = dialog_ask(&w->ui, _("Menu"),
		w->changed || w->undone
			? _("This PC is finished. The journal is closed cleanly either way.")
			: _("Leaving now changes nothing on this PC. The journal is closed "
			    "cleanly either way."),
		choices, 3);
	if (answer <= 0)
		return GO_STAY;
	w->result = answer == 1 ? TUI_POWER_OFF : TUI_REBOOT;
	return GO_END;
}

static enum go on_key(struct wizard *w, int key)
{
	bool busy = w->applying;
	switch (key) {
	case UI_TERM:
		if (busy)
			return w->screen->key(w, UI_NONE);
		err_set(&w->err, ERR_FAILED, "Nothing is half done. Start the wizard again.",
			"the session was ended by the system");
		w->result = -ERR_FAILED;
		return GO_END;
	case UI_HELP:
		dialog_tell(&w->ui, w->screen->title, w->screen->help);
		return GO_STAY;
	case UI_MENU:
		return busy ? w->screen->key(w, UI_INTERRUPT) : menu(w);
	case UI_INTERRUPT:
		if (busy)
			return w->screen->key(w, key);
		ui_status(&w->ui, UI_WARN, "%s",
			_("Ctrl-C does not end the wizard. Esc goes back, F10 or Ctrl-X leaves."));
		return GO_STAY;
	default:
		return w->screen->key(w, key);
	}
}

static enum go interact(struct wizard *w)
{
	struct ui *ui = &w->ui;
	if (w->opt->automatic && w->forward && w->screen->answer && w->screen->answer(w))
		return GO_NEXT;
	build(w);
	ui->rebuild = rebuild;
	ui->ctx = w;
	ui_show(ui);
	enum go g = w->screen->shown ? w->screen->shown(w) : GO_STAY;
	while (g == GO_STAY) {
		ui_show(ui);
		int key = ui_key(ui);
		if (key == UI_RESIZE || (ui->small && key != UI_TERM))
			continue;
		g = on_key(w, key);
	}
	ui->rebuild = NULL;
	ui->cursor = NULL;
	w->screen->drop(w);
	return g;
}

/* From the screen that takes back, which is no step: to the result, or to where it was asked for.
 */
static void leave_undo(struct wizard *w, enum go g)
{
	w->step = g == GO_NEXT ? STEP_COUNT - 1 : w->step;
	w->screen = order[w->step];
}

static void step_to(struct wizard *w, enum go g)
{
	w->ui.status[0] = '\0';
	w->forward = g == GO_NEXT;
	if (g == GO_END) {
		w->ended = true;
	} else if (w->screen == &screen_undo) {
		leave_undo(w, g);
	} else if (g == GO_UNDO) {
		w->screen = &screen_undo;
	} else if (g == GO_ERROR) {
		if (w->stick)
			stick_explain_gone(
				w->opt->stick, _("Nothing was changed on this PC."), &w->err);
		w->screen = &screen_error;
	} else if (g == GO_NEXT) {
		/* the error screen's "next" is to try the same step again */
		w->step += w->screen == &screen_error ? 0 : 1;
		w->screen = order[w->step];
	} else if (g == GO_BACK) {
		w->step -= w->step > 0 ? 1 : 0;
		w->screen = order[w->step];
	}
}

static void run(struct wizard *w)
{
	w->screen = order[0];
	w->forward = true;
	while (!w->ended) {
		if (w->ui.body.win) {
			werase(w->ui.body.win);
			set_title(w);
			ui_keys(&w->ui, "");
			ui_show(&w->ui);
		}
		enum go g = w->screen->enter ? w->screen->enter(w) : GO_STAY;
		step_to(w, g == GO_STAY ? interact(w) : g);
	}
}

int tui_wizard(const struct tui_options *opt, struct err *e)
{
	struct wizard *w = calloc(1, sizeof *w);
	if (!w)
		return err_nomem(e);
	w->opt = opt;
	int ret = secret_alloc(&w->pass, PASSFIELD_MAX, e);
	if (ret == 0)
		ret = ui_start(&w->ui, e);
	if (ret == 0) {
		run(w);
		ui_stop(&w->ui);
		ret = w->result;
		if (ret < 0 && e)
			*e = w->err;
	}
	secret_clear(&w->pass);
	job_close(w->job);
	job_close(w->undo);
	if (w->stick) {
		int bad = stick_close(w->stick, ret < 0 ? NULL : e);
		if (ret >= 0 && bad < 0 && !stick_is_gone(opt->stick)) /* nobody to tell it to */
			ret = bad;
	}
	free(w);
	return ret;
}
