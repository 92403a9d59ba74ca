/*
 * Take it back: what this stick wrote to this PC goes away again, while Windows has not started
 * since. Offered after DONE and for a PC whose entry was used. As before the change, the end of the
 * name is typed or the label scanned. What cannot be undone is told here, and the screen before
 * shows again.
 */
#include <stdio.h>

#include "base/mem.h"
#include "tui/dialog.h"
#include "tui/text.h"
#include "tui/wizard.h"

#define FIELD_WIDTH 30

static int prepare(void *arg, struct err *e)
{
	struct wizard *w = arg;
	int ret = job_open(&w->undo, w->stick, e);
	if (ret == 0)
		ret = job_undo_select(w->undo, JOB_BY_NAME, w->undo_name, e);
	if (ret == 0)
		ret = job_find(w->undo, w->opt->target, e);
	if (ret == 0)
		ret = job_undo_choose(w->undo, e);
	return ret < 0 ? ret : job_undo_prepare(w->undo, e);
}

static int take_back(void *arg, struct err *e)
{
	struct wizard *w = arg;
	return job_undo(w->undo, e);
}

static enum go enter(struct wizard *w)
{
	struct err e = ERR_INIT;
	w->typed[0] = '\0';
	wizard_wait_disks(w);
	if (dialog_wait(&w->ui, _("Looking at what was written"), prepare, w, &e) == 0)
		return GO_STAY;
	job_close(STEAL(w->undo));
	stick_explain_gone(w->opt->stick, _("Nothing was taken back."), &e);
	dialog_err(&w->ui, _("It cannot be taken back"), &e);
	return GO_BACK;
}

static void build(struct wizard *w)
{
	char text[640];
	const struct job_pc *pc = job_pc(w->undo);
	const struct job_windows *win = job_chosen(w->undo);
	size_t n = job_undo_count(w->undo);
	wizard_text(w, 0, UI_HEAD, "%s", _("Read this before anything is taken back."));
	snprintf(text, sizeof text, _("%s in domain %s"), pc->name, pc->domain);
	int y = wizard_pair(w, 2, _("Was to become"), text);
	snprintf(text, sizeof text, _("%s on %s"), win->product, win->where);
	y = wizard_pair(w, y, _("Windows"), text);
	snprintf(text, sizeof text, _("%zu %s, to exactly what was there before"), n,
		n == 1 ? _("change") : _("changes"));
	y = wizard_pair(w, y, _("Will put back"), text);
	y = wizard_pair(w, y, _("Will not change"), _("everything else on this disk"));
	wizard_pair(w, y, _("Afterwards"),
		pc->spent ? _("its entry stays used: to join it later, ask the lab to provision "
			      "it again")
			  : _("its entry is still there: the same PC can be joined with it"));
	wizard_text(w, w->ui.rows - 6, UI_BODY,
		_("To take it back, type the last 4 characters of %s, or scan its label:"),
		pc->name);
	field_open(&w->field, &w->ui, getbegy(w->ui.body.win) + w->ui.rows - 4, 1, FIELD_WIDTH,
		SCAN_MAX - 1, w->typed);
}

static enum go proceed(struct wizard *w)
{
	field_get(&w->field, w->typed);
	if (wizard_names(w->typed, job_pc(w->undo))) {
		err_clear(&w->err);
		int ret = dialog_wait(&w->ui,
			_("Taking it back. Do not pull the stick or the "
			  "power"),
			take_back, w, &w->err);
		w->undone = ret == 0;
		w->changed = false;
		job_close(w->job);
		w->job = STEAL(w->undo);
		w->have_pc = true;
		return GO_NEXT;
	}
	bool empty = !w->typed[0];
	field_set(&w->field, "");
	w->typed[0] = '\0';
	if (empty)
		ui_status(&w->ui, UI_WARN, "%s",
			_("Enter alone changes nothing. Type the end of the name, or Esc goes "
			  "back."));
	else
		ui_status(&w->ui, UI_STOP,
			_("[STOP] That does not belong to %s. Nothing was taken back."),
			job_pc(w->undo)->name);
	return GO_STAY;
}

static enum go on_key(struct wizard *w, int key)
{
	if (key == UI_ESC) {
		job_close(STEAL(w->undo));
		return GO_BACK;
	}
	if (key == UI_ENTER)
		return proceed(w);
	field_key(&w->field, key);
	return GO_STAY;
}

const struct screen screen_undo = {
	.title = _("Take it back"),
	.keys = _("type the name's end + Enter: take back   Esc leave it   F1 ^G help   F10 ^X"),
	.help = _(
		"This stick keeps, sealed, what was there before it changed a PC. As long as that "
		"Windows has not started since, it can be put back exactly: every value, key, "
		"file and folder.\n\n"
		"The disk is compared first: one that holds something else, or another PC's, is "
		"refused and stays as it is.\n\n"
		"The used entry does not become fresh again. Its password has lain on that disk, "
		"so a PC that is to be joined later needs a new one from the lab.\n\n"
		"Esc goes back without changing anything."),
	.enter = enter,
	.build = build,
	.drop = wizard_drop_typed,
	.key = on_key,
};
