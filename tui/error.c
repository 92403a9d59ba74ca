/* A step that could not be done: what happened, what is untouched, what to do. */
#include "tui/text.h"
#include "tui/wizard.h"

static void build(struct wizard *w)
{
	const struct err *e = &w->err;
	if (w->step == 0)
		ui_keys(&w->ui, _("R try again   F1 ^G help   F10 ^X menu"));
	int y = wizard_state(w, 1, JOB_STOP, _("This step could not be done."));
	y = wizard_text(w, y + 1, UI_HEAD, "%s", _("What happened"));
	y = wizard_text(w, y, UI_BODY, "%s", e->what[0] ? e->what : err_name(e->code));
	y = wizard_text(w, y + 1, UI_HEAD, "%s", _("What to do"));
	y = wizard_text(w, y, UI_BODY, "%s", err_next(e));
	wizard_text(w, y + 1, UI_BODY, _("Code for the lab: %s"), err_name(e->code));
}

static void drop(struct wizard *w)
{
	(void)w;
}

static enum go on_key(struct wizard *w, int key)
{
	if (key == 'r' || key == 'R')
		return GO_NEXT;
	if (key == UI_ENTER || key == UI_ESC)
		return w->step > 0 ? GO_BACK : GO_NEXT;
	return GO_STAY;
}

const struct screen screen_error = {
	.title = _("Stopped"),
	.keys = _("Esc back   R try again   F1 ^G help   F10 ^X menu"),
	.help = _("The step before this screen was refused or failed. The text says what happened "
		  "and "
		  "what to do.\n\nEsc goes back one step, R tries the same step again, F10 powers "
		  "off "
		  "or reboots. The code at the bottom is the same one the journal holds."),
	.build = build,
	.drop = drop,
	.key = on_key,
};
