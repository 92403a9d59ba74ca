/* Step 3: which Windows. What cannot be used is listed with the reason. */
#include <stdio.h>

#include "tui/dialog.h"
#include "tui/text.h"
#include "tui/wizard.h"

#define LIST_ROW 3

static int find(void *arg, struct err *e)
{
	struct wizard *w = arg;
	return job_find(w->job, w->opt->target, e);
}

static int choose(void *arg, struct err *e)
{
	struct wizard *w = arg;
	return job_choose(w->job, w->chosen, e);
}

static size_t usable(const struct wizard *w, size_t *first)
{
	size_t n = 0;
	for (size_t i = job_windows_count(w->job); i-- > 0;)
		if (job_windows(w->job, i)->usable) {
			*first = i;
			n++;
		}
	return n;
}

static enum go enter(struct wizard *w)
{
	if (w->found)
		return GO_STAY;
	err_clear(&w->err);
	wizard_wait_disks(w);
	if (dialog_wait(&w->ui, _("Looking for Windows on this PC's disks"), find, w, &w->err) < 0)
		return GO_ERROR;
	w->found = true;
	w->chosen = 0;
	usable(w, &w->chosen);
	return GO_STAY;
}

static bool answer(struct wizard *w)
{
	size_t first;
	return usable(w, &first) == 1 &&
	       dialog_wait(&w->ui, _("Opening this Windows"), choose, w, NULL) == 0;
}

static void windows_row(const void *ctx, size_t i, char out[LIST_ROW_MAX])
{
	const struct wizard *w = ctx;
	const struct job_windows *win = job_windows(w->job, i);
	snprintf(out, LIST_ROW_MAX, "%zu  %s %s", i + 1, win->usable ? TEXT_OK : TEXT_STOP,
		win->product);
}

static int list_height(const struct wizard *w)
{
	int rows = (int)job_windows_count(w->job) + 1, room = w->ui.rows - LIST_ROW - 9;
	return rows < room ? rows : room;
}

static void build_detail(struct wizard *w)
{
	const struct job_windows *win = job_windows(w->job, w->chosen);
	int top = LIST_ROW + list_height(w) + 1, y = top;
	WINDOW *body = w->ui.body.win;
	for (; y < w->ui.rows; y++) {
		wmove(body, y, 0);
		wclrtoeol(body);
	}
	y = wizard_pair(w, top, _("Where"), win->where);
	y = wizard_pair(w, y, win->usable ? _("What") : _("Why not"), win->product);
	if (!win->usable) {
		wizard_text(w, y + 1, UI_BODY, "%s", _("This one cannot be changed from here."));
		return;
	}
	y = wizard_pair(w, y, _("Its name now"), win->name[0] ? win->name : _("(not known)"));
	y = wizard_pair(
		w, y, _("Its domain now"), win->domain[0] ? win->domain : _("none: a workgroup"));
	y = wizard_pair(w, y, _("Setup phase"), win->phase);
	if (win->admins[0])
		wizard_pair(w, y, _("Local admins"), win->admins);
}

static void build(struct wizard *w)
{
	size_t first, n = usable(w, &first);
	if (n == 0)
		wizard_state(
			w, 1, JOB_STOP, _("No Windows here can be changed. Each line says why."));
	else
		wizard_text(w, 1, UI_BODY, "%s",
			_("Which Windows is to become a member of the domain?"));
	wizard_list(w, LIST_ROW, list_height(w), job_windows_count(w->job), windows_row);
	list_go(&w->list, w->chosen);
	build_detail(w);
}

static enum go act(struct wizard *w)
{
	struct err e = ERR_INIT;
	if (dialog_wait(&w->ui, _("Opening this Windows"), choose, w, &e) == 0)
		return GO_NEXT;
	dialog_err(&w->ui, _("This Windows cannot be used"), &e);
	return GO_STAY;
}

static enum go on_key(struct wizard *w, int key)
{
	bool finding = w->list.finding;
	if (key == UI_ESC && !finding)
		return GO_BACK;
	if (key == UI_ENTER && !finding)
		return act(w);
	size_t count = job_windows_count(w->job);
	if (!finding && key > '0' && key <= '9' && (size_t)(key - '0') <= count)
		list_go(&w->list, (size_t)(key - '1'));
	else if (!list_key(&w->list, key))
		return GO_STAY;
	w->chosen = list_at(&w->list);
	build_detail(w);
	return GO_STAY;
}

const struct screen screen_windows = {
	.title = _("Windows"),
	.keys = _("Up Down 1-9 select   Enter use   Esc back   F1 ^G help   F10 ^X menu"),
	.help = _("Every Windows that was found on the disks of this PC, and every volume that may "
		  "hide "
		  "one. [STOP] lines cannot be used; the line and the text below say why.\n\n"
		  "BitLocker: the volume is encrypted. Turn BitLocker off in that Windows "
		  "first.\nHibernated: start that Windows and shut it down fully (hold Shift while "
		  "clicking Shut down).\n\nNothing is changed on this PC here."),
	.enter = enter,
	.answer = answer,
	.build = build,
	.drop = wizard_drop_widgets,
	.key = on_key,
};
