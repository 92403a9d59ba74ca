/*
 * Step 2: which entry of the bundle is this PC. The firmware's serial and tag
 * decide when they can; otherwise a label is scanned or a name typed. The field
 * has the focus then, and the record that was found is shown before it is used.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bundle/identity.h"
#include "tui/dialog.h"
#include "tui/lookup.h"
#include "tui/text.h"
#include "tui/wizard.h"

#define RECORD_ROW 7
#define CHOICE_ROW 14
#define FIELD_WIDTH 64
#define SCAN_ECHO_MS 700 /* an Enter this soon after a scan is the scanner's, not a person's */

struct lookup {
	struct stick *stick;
	struct job *job; /* a new one: what was chosen before stays until this is found */
	const char *text;
	enum job_selector by;
};

/* What this stick wrote to a PC whose entry is used can be taken back. */
static void note_spent(struct wizard *w, const struct job *j, int ret)
{
	snprintf(w->undo_name, sizeof w->undo_name, "%s", ret == -ERR_SPENT ? job_pc(j)->name : "");
}

static int select_firmware(void *arg, struct err *e)
{
	struct wizard *w = arg;
	int ret = job_open(&w->job, w->stick, e);
	if (ret == 0)
		ret = job_select_firmware(w->job, &w->pc.fw, e);
	note_spent(w, w->job, ret);
	return ret;
}

static int select_text(void *arg, struct err *e)
{
	struct lookup *l = arg;
	int ret = job_open(&l->job, l->stick, e);
	return ret < 0 ? ret : lookup_select(l->job, l->stick, l->text, &l->by, e);
}

static void explain_firmware(struct wizard *w)
{
	const struct job_pc *pc = job_pc(w->job);
	if (identity_equal(pc->serial, w->pc.fw.serial))
		snprintf(w->pc_why, sizeof w->pc_why, _("its serial is the one the %s reports"),
			w->pc.fw.serial_source[0] ? w->pc.fw.serial_source : _("firmware"));
	else
		snprintf(w->pc_why, sizeof w->pc_why,
			_("its inventory tag is the one the firmware reports"));
}

static void take_job(struct wizard *w, struct lookup *l)
{
	enum job_selector by = l->by;
	wizard_forget_job(w);
	w->undo_name[0] = '\0';
	w->job = STEAL(l->job);
	w->have_pc = true;
	const char *what = by == JOB_BY_TAG	 ? _("inventory tag")
			   : by == JOB_BY_SERIAL ? _("serial")
						 : _("computer name");
	snprintf(w->pc_why, sizeof w->pc_why, _("chosen by hand: %s scanned or typed%s"), what,
		w->other_layout ? _(" (read back from the Russian layout)") : "");
}

/* Not found, refused or used up is asked for by hand; anything else ends the step. */
static enum go after_select(struct wizard *w, int ret)
{
	w->scanning = ret != 0;
	if (ret == 0 || lookup_again(ret))
		return GO_STAY;
	w->err = w->pc_err;
	if (!w->have_pc) {
		wizard_forget_job(w);
		w->asked_firmware = w->scanning = false;
	}
	return GO_ERROR;
}

static enum go enter(struct wizard *w)
{
	if (w->asked_firmware)
		return GO_STAY;
	machine_read(w->opt->sys, w->opt->dmi, &w->pc);
	w->asked_firmware = true;
	err_clear(&w->pc_err);
	int ret = dialog_wait(
		&w->ui, _("Looking this PC up in the bundle"), select_firmware, w, &w->pc_err);
	w->have_pc = ret == 0;
	if (w->have_pc)
		explain_firmware(w);
	return after_select(w, ret);
}

static bool answer(struct wizard *w)
{
	return w->have_pc && !w->scanning;
}

static const char *or_none(const char *s)
{
	return s[0] ? s : _("(none)");
}

/* "" when this PC does not say. */
static void power_text(const struct power *p, char *out, size_t size)
{
	if (!p->known)
		out[0] = '\0';
	else if (p->on_battery && p->percent >= 0)
		snprintf(out, size, _("battery, at %d%%"), p->percent);
	else
		snprintf(out, size, "%s", p->on_battery ? _("battery") : _("mains"));
}

static int build_firmware(struct wizard *w, int y)
{
	char text[256];
	const struct firmware *fw = &w->pc.fw;
	snprintf(text, sizeof text, "%s %s", fw->vendor, fw->product);
	y = wizard_pair(w, y, _("This PC is"), text[1] ? text : _("(the firmware does not say)"));
	if (fw->serial[0])
		snprintf(text, sizeof text, _("%s (from %s)"), fw->serial, fw->serial_source);
	else if (fw->serial_placeholder)
		snprintf(text, sizeof text, _("\"%s\": a placeholder, not a serial"),
			fw->raw_serial);
	else
		snprintf(text, sizeof text, "%s", _("(none)"));
	y = wizard_pair(w, y, _("Serial"), text);
	y = wizard_pair(w, y, _("Inventory tag"), or_none(fw->tag));
	power_text(&w->pc.power, text, sizeof text);
	return text[0] ? wizard_pair(w, y, _("Power"), text) : y;
}

static void build_record(struct wizard *w, int y)
{
	char text[640];
	const struct job_pc *pc = job_pc(w->job);
	snprintf(text, sizeof text, _("In the bundle: %s"), pc->name);
	y = wizard_state(w, y, JOB_OK, text);
	y = wizard_pair(w, y, _("Domain"), or_none(pc->domain));
	y = wizard_pair(w, y, _("Serial"), or_none(pc->serial));
	y = wizard_pair(w, y, _("Inventory tag"), or_none(pc->tag));
	wizard_pair(w, y, _("Why this one"), w->pc_why);
}

static void choice_row(const void *ctx, size_t i, char out[LIST_ROW_MAX])
{
	const struct wizard *w = ctx;
	if (i == 0)
		snprintf(out, LIST_ROW_MAX, _("Use %s for this PC"), job_pc(w->job)->name);
	else
		snprintf(out, LIST_ROW_MAX, "%s", _("Choose another: scan its label, or type"));
}

static void build_scan(struct wizard *w)
{
	int y = RECORD_ROW;
	if (w->pc_err.code)
		y = wizard_state(
			w, y, w->pc_err.code == ERR_SPENT ? JOB_STOP : JOB_WARN, w->pc_err.what);
	if (w->pc_err.next[0])
		y = wizard_text(w, y, UI_BODY, "%s", w->pc_err.next);
	if (w->undo_name[0])
		wizard_text(w, y, UI_BODY,
			_("F8 or Ctrl-T takes back what this stick wrote to %s."), w->undo_name);
	wizard_text(w, CHOICE_ROW - 2, UI_HEAD, "%s",
		_("Scan the label of this PC, or type its inventory tag, serial or name:"));
	field_open(&w->field, &w->ui, getbegy(w->ui.body.win) + CHOICE_ROW, 1, FIELD_WIDTH,
		SCAN_MAX - 1, w->scan);
}

static void build(struct wizard *w)
{
	build_firmware(w, 1);
	ui_keys(&w->ui, w->scanning ? _("Enter look up   Ctrl-U empty   Esc back   F1 ^G help   "
					"F10 ^X menu")
				    : screen_pc.keys);
	if (w->scanning) {
		build_scan(w);
		return;
	}
	build_record(w, RECORD_ROW);
	wizard_list(w, CHOICE_ROW, 3, 2, choice_row);
}

static enum go look_up(struct wizard *w)
{
	char code[SCAN_MAX];
	field_get(&w->field, w->scan);
	if (!w->scan[0]) {
		ui_status(&w->ui, UI_WARN, "%s", _("Scan or type something first."));
		return GO_STAY;
	}
	err_clear(&w->pc_err);
	bool readable = scan_clean(w->scan, code, &w->other_layout);
	if (!readable)
		err_set(&w->pc_err, ERR_NOTFOUND, _("Scan the label again, or type its text."),
			_("\"%s\" cannot be a tag, serial or name"), w->scan);
	field_set(&w->field, "");
	int ret = -ERR_NOTFOUND;
	if (readable) {
		struct lookup l = {.stick = w->stick, .text = code};
		ret = dialog_wait(&w->ui, _("Looking it up"), select_text, &l, &w->pc_err);
		if (ret == 0)
			take_job(w, &l);
		else
			note_spent(w, l.job, ret);
		if (ret != 0)
			job_close(l.job);
	}
	enum go g = after_select(w, ret);
	if (g != GO_STAY)
		return g;
	if (ret == 0)
		ui_status(&w->ui, UI_OK, "%s", _("Found. Compare it with the label, then Enter."));
	else
		ui_status(&w->ui, UI_STOP, _("[STOP] \"%s\" was not accepted."), code);
	w->scan_ms = ui_ms();
	wizard_redraw(w);
	return GO_STAY;
}

static void start_scan(struct wizard *w, int first)
{
	w->scanning = true;
	w->scan[0] = '\0';
	err_clear(&w->pc_err);
	w->ui.status[0] = '\0';
	wizard_redraw(w);
	if (ui_is_text(first))
		field_key(&w->field, first);
}

/* Letters and digits start a new scan here: digits must not select rows, a code may begin with one.
 */
static enum go choice_key(struct wizard *w, int key)
{
	bool enter_key = key == UI_ENTER || key == UI_TAB;
	if (enter_key && ui_ms() - w->scan_ms < SCAN_ECHO_MS)
		return GO_STAY;
	if (ui_is_text(key) || (key == UI_ENTER && list_at(&w->list) == 1))
		start_scan(w, key);
	else if (key == UI_ENTER)
		return GO_NEXT;
	else
		list_key(&w->list, key);
	return GO_STAY;
}

static enum go on_key(struct wizard *w, int key)
{
	if (key == UI_NONE)
		return GO_STAY;
	if (!w->scanning)
		return key == UI_ESC ? GO_BACK : choice_key(w, key);
	if (key == UI_ESC && w->have_pc) {
		w->scanning = false; /* back to the record that was there */
		wizard_redraw(w);
		return GO_STAY;
	}
	if (key == UI_ESC)
		return GO_BACK;
	if (key == UI_UNDO && w->undo_name[0])
		return GO_UNDO;
	if (key == UI_ENTER || key == UI_TAB)
		return look_up(w);
	field_key(&w->field, key);
	return GO_STAY;
}

static void drop(struct wizard *w)
{
	if (w->field.form)
		field_get(&w->field, w->scan);
	wizard_drop_widgets(w);
}

const struct screen screen_pc = {
	.title = _("This PC"),
	.keys = _("Enter act   type or scan: look up   Esc back   F1 ^G help   F10 ^X menu"),
	.help = _("The upper part is what the firmware of this PC says about itself. The lower "
		  "part is "
		  "the entry of the bundle that belongs to it, and why.\n\n"
		  "When the firmware says nothing useful (\"To be filled by O.E.M.\"), scan the "
		  "label "
		  "on the case, or type its inventory tag, serial or computer name. A scanner may "
		  "end "
		  "its code with Enter or Tab. Compare what was found with the label before you go "
		  "on: one entry can be used once, on one PC.\n\n"
		  "Nothing is changed on this PC here."),
	.enter = enter,
	.answer = answer,
	.build = build,
	.drop = drop,
	.key = on_key,
};
