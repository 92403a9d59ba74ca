/* Step 4: every check with its verdict. A stop ends here, a warning needs a typed reason. */
#include <stdio.h>
#include <string.h>

#include "tui/dialog.h"
#include "tui/text.h"
#include "tui/wizard.h"

#define LIST_ROW 3
#define DETAIL_ROWS 6 /* of a check that says what to do */
#define DETAIL_OK 4   /* when every check is fine */
#define REASON_ROWS 2
#define REASON_MIN 4 /* characters: "ok" is not a reason */
#define REASON_WIDTH 74
#define REASON_LENGTH 200

static int preflight(void *arg, struct err *e)
{
	struct wizard *w = arg;
	machine_read(w->opt->sys, w->opt->dmi, &w->pc); /* the mains may be plugged in by now */
	job_set_machine(w->job, &w->pc);
	return job_preflight(w->job, e);
}

static enum go enter(struct wizard *w)
{
	if (!w->forward)
		return GO_STAY;
	err_clear(&w->err);
	if (dialog_wait(&w->ui, _("Checking this PC"), preflight, w, &w->err) < 0)
		return GO_ERROR;
	w->check_at = 0;
	for (size_t i = 0; i < job_check_count(w->job); i++) /* the first that needs attention */
		if (job_check(w->job, i)->verdict == job_verdict(w->job)) {
			w->check_at = i;
			break;
		}
	return GO_STAY;
}

static bool answer(struct wizard *w)
{
	return job_verdict(w->job) == JOB_OK;
}

static void check_row(const void *ctx, size_t i, char out[LIST_ROW_MAX])
{
	const struct wizard *w = ctx;
	const struct job_check *c = job_check(w->job, i);
	snprintf(out, LIST_ROW_MAX, "%s %s", wizard_word(c->verdict), c->text);
}

static int list_height(const struct wizard *w)
{
	enum job_verdict v = job_verdict(w->job);
	int rows = (int)job_check_count(w->job) + 1;
	int room = w->ui.rows - LIST_ROW - (v == JOB_OK ? DETAIL_OK : DETAIL_ROWS) -
		   (v == JOB_WARN ? REASON_ROWS : 0);
	return rows < room ? rows : room;
}

static void build_detail(struct wizard *w)
{
	const struct job_check *c = job_check(w->job, w->check_at);
	int top = LIST_ROW + list_height(w);
	int end = w->ui.rows - (job_verdict(w->job) == JOB_WARN ? REASON_ROWS : 0);
	for (int y = top; y < end; y++) {
		wmove(w->ui.body.win, y, 0);
		wclrtoeol(w->ui.body.win);
	}
	int y = wizard_state(w, top, c->verdict, c->text);
	if (c->next[0])
		wizard_pair(w, y, _("What to do"), c->next);
}

static void build_headline(struct wizard *w)
{
	enum job_verdict v = job_verdict(w->job);
	size_t n = 0;
	char text[160];
	for (size_t i = 0; i < job_check_count(w->job); i++)
		n += job_check(w->job, i)->verdict == v;
	if (v == JOB_OK)
		snprintf(text, sizeof text, _("All %zu checks are fine."), n);
	else if (v == JOB_WARN)
		snprintf(text, sizeof text,
			_("%zu of %zu checks: a reason is needed before you go on."), n,
			job_check_count(w->job));
	else
		snprintf(text, sizeof text,
			_("Stopped by %zu of %zu checks: this PC stays as it is."), n,
			job_check_count(w->job));
	wizard_state(w, 1, v, text);
}

static void focus(struct wizard *w)
{
	if (!w->field.form)
		return;
	list_focus(&w->list, !w->in_reason);
	field_focus(&w->field, w->in_reason);
}

static void build(struct wizard *w)
{
	build_headline(w);
	wizard_list(w, LIST_ROW, list_height(w), job_check_count(w->job), check_row);
	list_go(&w->list, w->check_at);
	build_detail(w);
	if (job_verdict(w->job) == JOB_STOP)
		ui_keys(&w->ui, _("Up Down read   Esc back   F1 ^G help   F10 ^X menu"));
	if (job_verdict(w->job) != JOB_WARN)
		return;
	ui_keys(&w->ui, _("Tab reason   Enter go on   Esc back   F1 ^G help   F10 ^X menu"));
	int y = w->ui.rows - REASON_ROWS;
	wizard_text(
		w, y, UI_HEAD, "%s", _("Reason to go on all the same (goes into the journal):"));
	field_open(&w->field, &w->ui, getbegy(w->ui.body.win) + y + 1, 1, REASON_WIDTH,
		REASON_LENGTH, w->reason);
	focus(w);
}

static void drop(struct wizard *w)
{
	if (w->field.form)
		field_get(&w->field, w->reason);
	wizard_drop_widgets(w);
}

static enum go act(struct wizard *w)
{
	enum job_verdict v = job_verdict(w->job);
	if (v == JOB_OK)
		return GO_NEXT;
	if (v == JOB_STOP) {
		ui_status(&w->ui, UI_STOP, "%s",
			_("[STOP] This cannot be overridden. Esc goes back, F10 or Ctrl-X "
			  "leaves."));
		return GO_STAY;
	}
	field_get(&w->field, w->reason);
	if (strlen(w->reason) >= REASON_MIN)
		return GO_NEXT;
	w->in_reason = true;
	focus(w);
	ui_status(&w->ui, UI_WARN, "%s", _("[WARN] Type why it is right to go on, then Enter."));
	return GO_STAY;
}

static enum go on_key(struct wizard *w, int key)
{
	if (key == UI_ESC && !w->list.finding)
		return GO_BACK;
	if (key == UI_ENTER && !w->list.finding)
		return act(w);
	if (w->field.form && (key == UI_TAB || key == UI_BACKTAB)) {
		w->in_reason = !w->in_reason;
		focus(w);
		return GO_STAY;
	}
	bool vertical = key == UI_UP || key == UI_DOWN || key == UI_PGUP || key == UI_PGDN;
	if (w->in_reason && w->field.form && !vertical) {
		field_key(&w->field, key);
		return GO_STAY;
	}
	if (list_key(&w->list, key)) {
		w->check_at = list_at(&w->list);
		build_detail(w);
	}
	return GO_STAY;
}

const struct screen screen_checks = {
	.title = _("Checks"),
	.keys = _("Up Down read   Enter go on   Esc back   F1 ^G help   F10 ^X menu"),
	.help = _("[ OK ] is fine. [WARN] is unusual: you may go on if you can say why; what you "
		  "type goes "
		  "into the journal with your session. [STOP] cannot be overridden: following it "
		  "would "
		  "risk this PC or join the wrong one. Each line says what to do.\n\n"
		  "Only reading was done so far. Esc goes back to choose another Windows."),
	.enter = enter,
	.answer = answer,
	.build = build,
	.drop = drop,
	.key = on_key,
};
