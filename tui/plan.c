/* Step 5: the exact list of changes, before and after. Secrets show a placeholder. */
#include <stdio.h>
#include <string.h>

#include "tui/dialog.h"
#include "tui/text.h"
#include "tui/wizard.h"

#define LIST_ROW 3
#define DETAIL_ROWS 8
#define DETAIL_WIDE 10 /* rows of the detail on a larger terminal */

static int accept_and_plan(void *arg, struct err *e)
{
	struct wizard *w = arg;
	int ret = job_accept(w->job, w->reason[0] ? w->reason : NULL, e);
	return ret < 0 ? ret : job_plan(w->job, e);
}

static enum go enter(struct wizard *w)
{
	if (!w->forward)
		return GO_STAY;
	err_clear(&w->err);
	w->plan_at = 0;
	return dialog_wait(&w->ui, _("Working out the changes"), accept_and_plan, w, &w->err) < 0
		       ? GO_ERROR
		       : GO_STAY;
}

static bool answer(struct wizard *w)
{
	return job_get_plan(w->job)->count > 0;
}

static const char *before_text(const struct plan_item *p)
{
	return p->before ? p->before : p->existed ? _("(there)") : _("(absent)");
}

static const char *after_text(const struct plan_item *p)
{
	return p->after ? p->after : p->kind == PLAN_KEY ? _("(there)") : _("(hidden)");
}

static const char *last_part(const char *place)
{
	const char *slash = strrchr(place, '\\');
	if (!slash)
		slash = strrchr(place, '/');
	return slash ? slash + 1 : place;
}

static const char *sign_of(const struct plan_item *p)
{
	if (!p->existed)
		return "+";
	return p->before && p->after && strcmp(p->before, p->after) == 0 ? "=" : "~";
}

static void plan_row(const void *ctx, size_t i, char out[LIST_ROW_MAX])
{
	const struct wizard *w = ctx;
	const struct plan_item *p = &job_get_plan(w->job)->items[i];
	char what[160];
	bool users = p->store == PLAN_DEFAULT || p->store == PLAN_NEW_USER;
	if (p->name)
		snprintf(what, sizeof what, "%s%s%s\\%s", users ? plan_store_name(p->store) : "",
			users ? ": " : "", last_part(p->place), p->name);
	else
		snprintf(what, sizeof what, "%s%s", p->kind == PLAN_KEY ? _("key ") : _("file "),
			last_part(p->place));
	snprintf(out, LIST_ROW_MAX, "%s %-32s %s -> %s", sign_of(p), what, before_text(p),
		after_text(p));
}

static int list_height(const struct wizard *w)
{
	int rows = (int)job_get_plan(w->job)->count + 1;
	int room = w->ui.rows - LIST_ROW - (w->ui.rows > 24 ? DETAIL_WIDE : DETAIL_ROWS);
	return rows < room ? rows : room;
}

static const char *kind_text(const struct plan_item *p, char buf[16])
{
	if (p->kind == PLAN_KEY)
		return _("registry key");
	if (p->kind == PLAN_FILE)
		return _("file");
	return plan_type_name(p->type, buf);
}

static void build_detail(struct wizard *w)
{
	char text[1024], buf[16];
	const struct plan_item *p = &job_get_plan(w->job)->items[w->plan_at];
	int top = LIST_ROW + list_height(w);
	for (int y = top; y < w->ui.rows; y++) {
		wmove(w->ui.body.win, y, 0);
		wclrtoeol(w->ui.body.win);
	}
	snprintf(text, sizeof text, "%s%s%s  (%s)", p->place, p->name ? "\\" : "",
		p->name ? p->name : "", kind_text(p, buf));
	int y = wizard_pair(w, top + 1, _("Where"), text);
	if (plan_store_file(p->store))
		y = wizard_pair(w, y, _("Hive"), plan_store_file(p->store));
	y = wizard_pair(w, y, _("Before"), before_text(p));
	y = wizard_pair(w, y, _("After"), after_text(p));
	if (p->secret)
		wizard_text(
			w, y, UI_BODY, "%s", _("Secret: never shown and never in the journal."));
}

static const char *method_text(const struct plan *p)
{
	if (p->method == PLAN_FIRSTBOOT)
		return _("This Windows is set up: its own djoin will do the join when it starts.");
	return p->method == PLAN_UNATTEND
		       ? _("This Windows is not set up yet: its answer file will do the join.")
		       : _("This Windows is set up: its registry gets the join.");
}

static void build(struct wizard *w)
{
	const struct plan *p = job_get_plan(w->job);
	wizard_text(w, 0, UI_BODY, "%s", method_text(p));
	wizard_text(w, 1, UI_HEAD, _("%zu %s, nothing else.   + new   ~ changed   = the same"),
		p->count, p->count == 1 ? _("change") : _("changes"));
	if (p->count == 0)
		return;
	wizard_list(w, LIST_ROW, list_height(w), p->count, plan_row);
	list_go(&w->list, w->plan_at);
	build_detail(w);
}

/* The whole of a long value, scrollable. */
static void details(struct wizard *w)
{
	char text[4096], buf[16];
	const struct plan_item *p = &job_get_plan(w->job)->items[w->plan_at];
	const char *hive = plan_store_file(p->store);
	snprintf(text, sizeof text, "%s%s%s\n%s%s%s\n\n%s\n%s\n\n%s\n%s", p->place,
		p->name ? "\\" : "", p->name ? p->name : "", kind_text(p, buf), hive ? ", " : "",
		hive ? hive : "", _("Before:"), before_text(p), _("After:"), after_text(p));
	dialog_tell(&w->ui, _("One change"), text);
}

static enum go on_key(struct wizard *w, int key)
{
	if (!w->list.menu)
		return key == UI_ESC ? GO_BACK : GO_STAY;
	if (key == UI_ESC && !w->list.finding)
		return GO_BACK;
	if (key == UI_ENTER && !w->list.finding)
		return GO_NEXT;
	if (key == UI_DETAILS) {
		details(w);
	} else if (list_key(&w->list, key)) {
		w->plan_at = list_at(&w->list);
		build_detail(w);
	}
	return GO_STAY;
}

const struct screen screen_plan = {
	.title = _("Plan"),
	.keys = _("F2 ^D whole value   Enter go on   Esc back   F1 ^G help   F10 ^X menu"),
	.help = _("Everything that will be written, in order, as it is now and as it will be. "
		  "Places are "
		  "keys of the registry, with the file of their hive, or files of this "
		  "Windows.\n\n"
		  "F2 or Ctrl-D shows a long value whole. Secret values (the password of the "
		  "computer "
		  "account) are not shown anywhere.\n\n"
		  "Nothing has been changed yet. Enter goes on to the last question."),
	.enter = enter,
	.answer = answer,
	.build = build,
	.drop = wizard_drop_widgets,
	.key = on_key,
};
