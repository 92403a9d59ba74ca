/* Step 8: how it ended, readable from two metres, and what to do with the PC now. */
#include <ctype.h>
#include <stdio.h>

#include "tui/big.h"
#include "tui/dialog.h"
#include "tui/qr.h"
#include "tui/text.h"
#include "tui/wizard.h"
#include "tui/wrap.h"

#define TEXT_COL 2
#define TEXT_WIDTH 44
#define QR_COL 47	/* leaves 33 columns: version 3 with its quiet zone */
#define AUTO_SECONDS 10 /* how long --auto shows a success before it powers off */

/* Text in the left column; returns the row below. */
static int left(struct wizard *w, int y, enum ui_style style, const char *text)
{
	ui_style(&w->ui, w->ui.body.win, style);
	int n = wrap_text(w->ui.body.win, y, TEXT_COL, TEXT_WIDTH, 0, w->ui.rows - y, text);
	ui_style(&w->ui, w->ui.body.win, UI_BODY);
	return y + n;
}

static void head_code(const struct wizard *w, char *code, size_t size)
{
	code[0] = '\0';
	stick_head(w->stick, code, size);
}

static const char *word(const struct wizard *w)
{
	return w->changed ? "DONE" : w->undone ? "UNDONE" : "FAILED";
}

static void build_qr(struct wizard *w)
{
	char code[64], text[128];
	head_code(w, code, sizeof code);
	if (!code[0])
		return;
	snprintf(text, sizeof text, "ODJSTICK %s %s %s", job_pc(w->job)->name, word(w), code);
	for (char *p = text; *p; p++) /* capitals make a smaller code */
		*p = (char)toupper((unsigned char)*p);
	qr_draw(&w->ui, w->ui.body.win, 1, QR_COL, w->ui.rows - 1, w->ui.cols - QR_COL, text);
}

static int build_journal(struct wizard *w, int y)
{
	char code[64];
	head_code(w, code, sizeof code);
	if (!code[0])
		return y;
	y = left(w, y, UI_HEAD, _("Journal"));
	return left(w, y, UI_BODY, code);
}

static void build_done(struct wizard *w)
{
	char text[640];
	const struct job_pc *pc = job_pc(w->job);
	ui_style(&w->ui, w->ui.body.win, UI_OK);
	big_draw(&w->ui, w->ui.body.win, 1, TEXT_COL, "DONE");
	snprintf(text, sizeof text, _("%s %s"), TEXT_OK, pc->name);
	int y = left(w, BIG_ROWS + 2, UI_OK, text);
	snprintf(text, sizeof text, _("will be a member of %s when Windows starts the next time."),
		pc->domain);
	y = left(w, y, UI_BODY, text);
	if (job_get_plan(w->job)->method == PLAN_FIRSTBOOT)
		y = left(w, y, UI_BODY, _("It restarts once by itself."));
	y = build_journal(w, y + 1);
	y = left(w, y + 1, UI_BODY, _("Its entry of the bundle is used up."));
	left(w, y + 1, UI_HEAD, _("P powers off, R reboots. Then pull the stick."));
}

static void build_undone(struct wizard *w)
{
	char text[640];
	const struct job_pc *pc = job_pc(w->job);
	ui_keys(&w->ui, _("P power off   R reboot   F1 ^G help   F10 ^X menu"));
	ui_style(&w->ui, w->ui.body.win, UI_OK);
	big_draw(&w->ui, w->ui.body.win, 1, TEXT_COL, word(w));
	snprintf(text, sizeof text, _("%s %s"), TEXT_OK, pc->name);
	int y = left(w, BIG_ROWS + 2, UI_OK, text);
	y = left(w, y, UI_BODY, _("This Windows is as it was before the change."));
	y = build_journal(w, y + 1);
	y = left(w, y + 1, UI_BODY,
		pc->spent ? _("Its entry of the bundle stays used: to join it later, ask the "
			      "lab to provision it again.")
			  : _("Its entry of the bundle is still there."));
	left(w, y + 1, UI_HEAD, _("P powers off, R reboots. Then pull the stick."));
}

static void build_failed(struct wizard *w)
{
	ui_keys(&w->ui,
		_("P power off   R reboot   F2 ^D whole text   F8 ^T take back   F1 ^G   F10 ^X"));
	const struct err *e = &w->err;
	ui_style(&w->ui, w->ui.body.win, UI_STOP);
	big_draw(&w->ui, w->ui.body.win, 1, TEXT_COL, "FAILED");
	int y = left(w, BIG_ROWS + 2, UI_HEAD, job_pc(w->job)->name);
	y = left(w, y, UI_BODY, e->what[0] ? e->what : err_name(e->code));
	y = left(w, y, UI_BODY, err_next(e));
	y = build_journal(w, y);
	if (y >= w->ui.rows - 1)
		ui_status(&w->ui, UI_WARN, "%s",
			_("The text is longer than the screen: F2 or Ctrl-D shows it whole."));
	left(w, w->ui.rows - 1, UI_HEAD, _("P powers off, R reboots, F2 whole text."));
}

static void build(struct wizard *w)
{
	build_qr(w);
	if (w->changed)
		build_done(w);
	else if (w->undone)
		build_undone(w);
	else
		build_failed(w);
}

static void drop(struct wizard *w)
{
	(void)w;
}

static enum go end(struct wizard *w, int result)
{
	w->result = result;
	return GO_END;
}

static enum go wait_auto(struct wizard *w)
{
	int64_t left_ms = w->shown_ms + AUTO_SECONDS * 1000L - ui_ms();
	if (left_ms <= 0)
		return end(w, TUI_POWER_OFF);
	ui_status(&w->ui, UI_BODY, _("Powers off in %lld s. Any key stops that."),
		(long long)left_ms / 1000 + 1);
	return GO_STAY;
}

static enum go enter(struct wizard *w)
{
	w->shown_ms = w->opt->automatic && w->changed && w->forward ? ui_ms() : 0;
	if (!w->undone)
		snprintf(w->undo_name, sizeof w->undo_name, "%s", job_pc(w->job)->name);
	return GO_STAY;
}

static enum go on_key(struct wizard *w, int key)
{
	if (key == UI_NONE)
		return w->shown_ms ? wait_auto(w) : GO_STAY;
	if (w->shown_ms) {
		w->shown_ms = 0;
		w->ui.status[0] = '\0';
	}
	if (key == 'p' || key == 'P')
		return end(w, TUI_POWER_OFF);
	if (key == 'r' || key == 'R')
		return end(w, TUI_REBOOT);
	if (key == UI_UNDO && !w->undone) /* a part may be there of what failed */
		return GO_UNDO;
	if (key == UI_DETAILS && !w->changed && !w->undone)
		dialog_err(&w->ui, _("What happened"), &w->err);
	else if (key == UI_ESC || key == UI_ENTER)
		ui_status(&w->ui, UI_BODY, "%s",
			_("This PC is finished: P powers it off, R reboots it."));
	return GO_STAY;
}

const struct screen screen_result = {
	.title = _("Result"),
	.keys = _("P power off   R reboot   F8 ^T take it back   F1 ^G help   F10 ^X menu"),
	.help = _(
		"DONE: the changes were written, read back and found right, and the journal says "
		"so. "
		"FAILED: the text says what happened and in which state the disk is.\n\n"
		"The journal's code and the QR code stand for everything the journal holds up to "
		"now. "
		"Note or photograph one of them: with it the auditor can tell that nothing was cut "
		"off later.\n\nF8 or Ctrl-T takes back what was written, also the part of a write "
		"that failed, as long "
		"as Windows has not "
		"started since.\n\nThe stick may be pulled when the PC is off."),
	.enter = enter,
	.build = build,
	.drop = drop,
	.key = on_key,
};
