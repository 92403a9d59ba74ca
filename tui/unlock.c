/* Step 1: open the stick, then its bundle with the passphrase. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tui/dialog.h"
#include "tui/text.h"
#include "tui/wizard.h"

#define FIELD_ROW 8
#define FIELD_WIDTH 60

/* Only reads, so that the screen is there sooner. What cannot be opened is refused on record. */
static int open_stick(void *arg, struct err *e)
{
	struct wizard *w = arg;
	if (stick_look(&w->stick, w->opt->stick, e) == 0)
		return 0;
	err_clear(e);
	return stick_open(&w->stick, w->opt->stick, e);
}

/* The journal's session. What is typed meanwhile waits in the terminal. */
static enum go begin(struct wizard *w)
{
	err_clear(&w->err);
	return stick_begin(w->stick, &w->err) < 0 ? GO_ERROR : GO_STAY;
}

static int try_unlock(void *arg, struct err *e)
{
	struct wizard *w = arg;
	CLEANUP(secret_clear) struct secret pass = SECRET_INIT;
	int ret = secret_copy(&pass, w->pass.p, w->pass_len, e);
	return ret < 0 ? ret : stick_unlock(w->stick, &pass, NULL, e);
}

static void forget_pass(struct wizard *w)
{
	explicit_bzero(w->pass.p, w->pass.len);
	w->pass_len = 0;
}

/* An intent without a result: somebody pulled the stick or the power in the middle. */
static void tell_unfinished(struct wizard *w)
{
	const char *name = stick_unfinished(w->stick);
	char text[512];
	if (!name[0])
		return;
	snprintf(text, sizeof text,
		_("An earlier session began to change %s and did not finish.\n\n"
		  "Its Windows holds the old or the new settings, never a mixture. If this is that "
		  "PC, go on: the checks will say what is there. If not, keep %s apart until it "
		  "has "
		  "been done again."),
		name, name);
	dialog_tell(&w->ui, _("Unfinished PC"), text);
}

static enum go unlock(struct wizard *w)
{
	struct err e = ERR_INIT;
	int ret = dialog_wait(&w->ui, _("Opening the bundle"), try_unlock, w, &e);
	forget_pass(w);
	if (ret == 0) {
		tell_unfinished(w);
		return GO_NEXT;
	}
	if (ret != -ERR_KEY) {
		w->err = e;
		return GO_ERROR;
	}
	if (w->passfield.win.win)
		passfield_draw(&w->passfield, &w->pass, 0);
	ui_status(&w->ui, UI_STOP, "%s",
		_("[STOP] Wrong passphrase (journalled). Check Caps Lock, then type it again."));
	return GO_STAY;
}

static enum go unlock_from_file(struct wizard *w)
{
	CLEANUP(secret_clear) struct secret pass = SECRET_INIT;
	err_clear(&w->err);
	if (secret_read_passphrase(&pass, w->opt->passphrase_file, NULL, 0, &w->err) < 0)
		return GO_ERROR;
	if (pass.len > w->pass.len) {
		err_set(&w->err, ERR_LIMIT, _("Nothing was changed."),
			_("the passphrase in %s is longer than %d bytes"), w->opt->passphrase_file,
			PASSFIELD_MAX);
		return GO_ERROR;
	}
	memcpy(w->pass.p, pass.p, pass.len);
	w->pass_len = pass.len;
	return unlock(w);
}

static enum go enter(struct wizard *w)
{
	if (w->stick)
		return GO_STAY;
	err_clear(&w->err);
	if (dialog_wait(&w->ui, _("Checking the stick"), open_stick, w, &w->err) < 0)
		return GO_ERROR;
	if (!w->opt->passphrase_file)
		return GO_STAY;
	enum go g = begin(w);
	return g == GO_STAY ? unlock_from_file(w) : g;
}

/* On the stick, init loads a layout and names it. */
static const char *keyboard(void)
{
	const char *name = getenv("KEYMAP");
	return name ? name : "US";
}

static void build(struct wizard *w)
{
	int y = 1;
	y = wizard_pair(w, y, _("Batch"), stick_label(w->stick));
	if (stick_image(w->stick)[0])
		y = wizard_pair(w, y, _("Image"), stick_image(w->stick));
	if (stick_unlocked(w->stick)) {
		wizard_text(w, y + 1, UI_BODY, "%s",
			_("The bundle is open. Enter goes on to this PC."));
		ui_keys(&w->ui, _("Enter go on   F1 ^G help   F10 ^X menu"));
		return;
	}
	y = wizard_text(w, y + 1, UI_BODY, "%s",
		_("The data of this batch is sealed. Type the passphrase the lab gave you."));
	wizard_text(w, FIELD_ROW - 2, UI_HEAD, "%s", _("Passphrase"));
	passfield_open(&w->passfield, &w->ui, getbegy(w->ui.body.win) + FIELD_ROW, 1, FIELD_WIDTH);
	passfield_draw(&w->passfield, &w->pass, w->pass_len);
	wizard_text(w, FIELD_ROW + 2, UI_BODY,
		_("Keyboard: %s layout. What you type shows as stars. Ctrl-U empties the line.\n"
		  "Opening takes a few seconds: that is what keeps a lost stick safe."),
		keyboard());
}

static void drop(struct wizard *w)
{
	passfield_close(&w->passfield);
}

static enum go on_key(struct wizard *w, int key)
{
	if (key == UI_ESC) {
		ui_status(&w->ui, UI_BODY, "%s",
			_("This is the first step. F10 or Ctrl-X leaves; nothing was changed."));
		return GO_STAY;
	}
	if (stick_unlocked(w->stick))
		return key == UI_ENTER ? GO_NEXT : GO_STAY;
	if (key != UI_ENTER) {
		passfield_key(&w->passfield, &w->pass, &w->pass_len, key);
		return GO_STAY;
	}
	if (w->pass_len > 0)
		return unlock(w);
	ui_status(&w->ui, UI_WARN, "%s", _("Type the passphrase first."));
	return GO_STAY;
}

const struct screen screen_unlock = {
	.title = _("Unlock"),
	.keys = _("Enter open   Ctrl-U empty   F1 ^G help   F10 ^X menu"),
	.help = _(
		"The stick carries one batch of PCs, sealed with a passphrase. The lab gives it to "
		"you apart from the stick.\n\n"
		"A wrong passphrase is written to the journal and you may try again. Nobody can "
		"look the passphrase up: without it the batch stays closed, and the lab has to "
		"make "
		"a new stick.\n\n"
		"The keyboard is read with the layout named below the field, whatever is printed "
		"on its keys. The file keyboard.txt on the stick chooses it: de, fr, ..."),
	.enter = enter,
	.build = build,
	.shown = begin,
	.drop = drop,
	.key = on_key,
};
