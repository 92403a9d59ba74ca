/* Step 7: the change itself, on a thread; named steps, their time, no way to interrupt. */
#include <stdio.h>

#include "tui/dialog.h"
#include "tui/text.h"
#include "tui/wizard.h"
#include "tui/wrap.h"

enum { WAITS, RUNS, DONE };

/* Called on the working thread: only atomics are touched. */
static void on_progress(void *ctx, enum job_step step, bool done)
{
	struct wizard_steps *s = ctx;
	int64_t now = ui_ms();
	if (done)
		atomic_store(&s->took[step], now - atomic_load(&s->since[step]));
	else
		atomic_store(&s->since[step], now);
	atomic_store(&s->state[step], done ? DONE : RUNS);
}

static int apply(void *arg, struct err *e)
{
	struct wizard *w = arg;
	return job_apply(w->job, on_progress, &w->steps, e);
}

static enum go enter(struct wizard *w)
{
	err_clear(&w->err);
	for (int i = 0; i < JOB_STEP_COUNT; i++)
		atomic_store(&w->steps.state[i], WAITS);
	if (task_start(&w->apply, apply, w, &w->err) < 0)
		return GO_ERROR;
	w->applying = true;
	return GO_STAY;
}

static void draw_steps(struct wizard *w)
{
	WINDOW *win = w->ui.body.win;
	int64_t now = ui_ms();
	for (int i = 0; i < JOB_STEP_COUNT; i++) {
		int state = atomic_load(&w->steps.state[i]), y = 3 + 2 * i;
		long long ms = state == DONE   ? atomic_load(&w->steps.took[i])
			       : state == RUNS ? now - atomic_load(&w->steps.since[i])
					       : 0;
		ui_style(&w->ui, win, state == WAITS ? UI_BODY : UI_OK);
		wmove(win, y, 0);
		wclrtoeol(win);
		wrap_line(win, y, 4, 8,
			state == DONE	? TEXT_OK
			: state == RUNS ? TEXT_RUN
					: TEXT_WAIT);
		wrap_line(win, y, 12, w->ui.cols - 28, job_step_text((enum job_step)i));
		if (state == WAITS)
			continue;
		mvwprintw(win, y, w->ui.cols - 14, "%c %4lld.%lld s",
			state == RUNS ? dialog_spinner(now) : ' ', ms / 1000, ms / 100 % 10);
	}
	ui_style(&w->ui, win, UI_BODY);
}

static void build(struct wizard *w)
{
	wizard_text(w, 1, UI_HEAD, _("Changing %s. Do not pull the stick or the power."),
		job_pc(w->job)->name);
	draw_steps(w);
	if (!w->ui.status[0])
		ui_status(&w->ui, UI_BODY, "%s",
			_("If the power fails now, start the stick again: it says what to do."));
}

static void drop(struct wizard *w)
{
	(void)w;
}

static enum go on_key(struct wizard *w, int key)
{
	if (task_done(&w->apply)) {
		int ret = task_join(&w->apply, &w->err);
		w->applying = false;
		w->applied = true;
		w->changed = ret == 0;
		ui_flush(&w->ui);
		return GO_NEXT;
	}
	draw_steps(w);
	if (key == UI_INTERRUPT || key == UI_ESC || key == UI_MENU)
		ui_status(&w->ui, UI_WARN, "%s",
			_("Writing cannot be interrupted: half a change would be worse. It ends "
			  "soon."));
	return GO_STAY;
}

const struct screen screen_progress = {
	.title = _("Changing this PC"),
	.keys = _("Please wait   F1 ^G help"),
	.help = _(
		"The intent is journalled, the changes are written, read back and compared, the "
		"entry "
		"is marked used, and the result is journalled.\n\nNothing can be interrupted here. "
		"If the power fails, this Windows holds the old or the new settings, never a "
		"mixture, and the next start of the stick tells about it."),
	.enter = enter,
	.build = build,
	.drop = drop,
	.key = on_key,
};
