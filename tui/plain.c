/*
 * The wizard as lines of text: no boxes, no cursor. For screen readers, for
 * serial lines that keep a log, and for scripts. The same calls in the same
 * order as the screens, the same questions, the same confirmation.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/secret.h"
#include "job/job.h"
#include "tui/drivers.h"
#include "tui/lookup.h"
#include "tui/scan.h"
#include "tui/text.h"
#include "tui/tui.h"

#define LINE_MAX_BYTES 512
#define TRIES 5 /* wrong answers to one question before the session ends */

struct plain {
	const struct tui_options *opt;
	struct stick *stick;
	struct job *job;
	struct machine pc;
	char reason[LINE_MAX_BYTES];
};

static void say(const char *label, const char *text)
{
	printf("%s%s%s\n", label, *label ? ": " : "", text);
}

static void say_err(const struct err *e)
{
	printf("%s %s\n", TEXT_STOP, e->what[0] ? e->what : err_name(e->code));
	say(_("What to do"), err_next(e));
}

/* One answer, trimmed. False at the end of input. */
static bool ask(const char *question, char out[LINE_MAX_BYTES])
{
	printf("%s ", question);
	fflush(stdout);
	if (!fgets(out, LINE_MAX_BYTES, stdin))
		return false;
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

static int no_answer(struct err *e)
{
	return err_set(e, ERR_REFUSED, _("Nothing was changed. Start the wizard again."),
		_("the question was not answered"));
}

static void doing(const char *what)
{
	printf("%s ...\n", what);
	fflush(stdout);
}

static int unlock_once(struct plain *p, struct err *e)
{
	CLEANUP(secret_clear) struct secret pass = SECRET_INIT;
	const char *file = p->opt->passphrase_file;
	int ret = secret_read_passphrase(&pass, file, _("Passphrase: "), 0, e);
	if (ret < 0)
		return ret;
	doing(_("Opening the bundle"));
	return stick_unlock(p->stick, &pass, NULL, e);
}

static int unlock(struct plain *p, struct err *e)
{
	int ret = -ERR_KEY;
	for (int i = 0; i < TRIES && ret == -ERR_KEY; i++) {
		err_clear(e);
		ret = unlock_once(p, e);
		if (ret == -ERR_KEY && p->opt->passphrase_file)
			break;
		if (ret == -ERR_KEY)
			say_err(e);
	}
	if (ret == 0 && stick_unfinished(p->stick)[0])
		printf(_("%s An earlier session began to change %s and did not finish.\n"),
			TEXT_WARN, stick_unfinished(p->stick));
	return ret;
}

static int select_text(struct plain *p, const char *text, struct err *e)
{
	char code[SCAN_MAX];
	bool layout;
	if (!scan_clean(text, code, &layout))
		return err_set(e, ERR_NOTFOUND, _("Scan the label again, or type its text."),
			_("this cannot be a tag, serial or name"));
	enum job_selector by;
	return lookup_select(p->job, p->stick, code, &by, e);
}

static int select_by_hand(struct plain *p, struct err *e)
{
	char text[LINE_MAX_BYTES];
	for (int i = 0; i < TRIES; i++) {
		if (!ask(_("Inventory tag, serial or name (empty ends):"), text) || !text[0])
			return no_answer(e);
		err_clear(e);
		int ret = select_text(p, text, e);
		if (ret == 0)
			return 0;
		say_err(e);
	}
	return -e->code;
}

static int pick_pc(struct plain *p, struct err *e)
{
	machine_read(p->opt->sys, p->opt->dmi, &p->pc);
	printf(_("This PC: %s %s, serial %s, tag %s\n"), p->pc.fw.vendor, p->pc.fw.product,
		p->pc.fw.serial[0] ? p->pc.fw.serial : _("(none)"),
		p->pc.fw.tag[0] ? p->pc.fw.tag : _("(none)"));
	int ret = job_open(&p->job, p->stick, e);
	if (ret == 0)
		ret = job_select_firmware(p->job, &p->pc.fw, e);
	if (lookup_again(ret) && !p->opt->automatic) {
		say_err(e);
		ret = select_by_hand(p, e);
	}
	if (ret < 0)
		return ret;
	const struct job_pc *pc = job_pc(p->job);
	printf(_("In the bundle: %s, domain %s, serial %s, tag %s\n"), pc->name, pc->domain,
		pc->serial, pc->tag);
	return 0;
}

static void list_windows(const struct plain *p)
{
	for (size_t i = 0; i < job_windows_count(p->job); i++) {
		const struct job_windows *w = job_windows(p->job, i);
		printf("%zu %s %s, %s", i + 1, w->usable ? TEXT_OK : TEXT_STOP, w->product,
			w->where);
		if (w->usable)
			printf(_(", now %s, domain %s, %s"), w->name,
				w->domain[0] ? w->domain : _("none"), w->phase);
		printf("\n");
	}
}

static int ask_windows(struct plain *p, struct err *e)
{
	char text[LINE_MAX_BYTES], *end;
	if (!ask(_("Number of the Windows to use (empty ends):"), text) || !text[0])
		return no_answer(e);
	unsigned long n = strtoul(text, &end, 10);
	if (*end || n < 1 || n > job_windows_count(p->job))
		return err_set(e, ERR_REFUSED, _("Nothing was changed. Start the wizard again."),
			_("there is no Windows number \"%s\""), text);
	return job_choose(p->job, n - 1, e);
}

static int pick_windows(struct plain *p, struct err *e)
{
	if (drivers_pending()) {
		doing(_("Loading the drivers of this PC's disks"));
		drivers_wait(NULL, NULL);
	}
	doing(_("Looking for Windows on this PC's disks"));
	int ret = job_find(p->job, p->opt->target, e);
	if (ret < 0)
		return ret;
	list_windows(p);
	ret = job_choose_only(p->job, e);
	if (ret == -ERR_AMBIGUOUS && !p->opt->automatic) {
		err_clear(e);
		ret = ask_windows(p, e);
	}
	return ret;
}

static int check(struct plain *p, struct err *e)
{
	doing(_("Checking this PC"));
	job_set_machine(p->job, &p->pc);
	int ret = job_preflight(p->job, e);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < job_check_count(p->job); i++) {
		const struct job_check *c = job_check(p->job, i);
		const char *word = c->verdict == JOB_OK	    ? TEXT_OK
				   : c->verdict == JOB_WARN ? TEXT_WARN
							    : TEXT_STOP;
		printf("%s %s\n", word, c->text);
		if (c->next[0])
			printf("       %s\n", c->next);
	}
	if (job_verdict(p->job) == JOB_WARN && !p->opt->automatic)
		ask(_("Reason to go on all the same, for the journal (empty ends):"), p->reason);
	return job_accept(p->job, p->reason[0] ? p->reason : NULL, e);
}

static int show_plan(struct plain *p, struct err *e)
{
	int ret = job_plan(p->job, e);
	if (ret < 0)
		return ret;
	const struct plan *plan = job_get_plan(p->job);
	printf(_("%zu %s, nothing else:\n"), plan->count,
		plan->count == 1 ? _("change") : _("changes"));
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *it = &plan->items[i];
		printf("  %s%s%s: %s -> %s\n", it->place, it->name ? "\\" : "",
			it->name ? it->name : "", it->before ? it->before : _("(absent)"),
			it->after ? it->after : _("(there)"));
	}
	return 0;
}

static int confirm(struct plain *p, struct err *e)
{
	char text[LINE_MAX_BYTES], question[256];
	const struct job_pc *pc = job_pc(p->job);
	size_t n = strlen(pc->name);
	const char *tail = n > 4 ? pc->name + n - 4 : pc->name;
	if (p->opt->automatic)
		return 0;
	snprintf(question, sizeof question,
		_("To change this PC into %s, type the last 4 characters of its name:"), pc->name);
	if (ask(question, text) && strcasecmp(text, tail) == 0)
		return 0;
	return err_set(e, ERR_REFUSED, _("Nothing was changed. Start the wizard again."),
		_("the change of %s was not confirmed"), pc->name);
}

static void on_progress(void *ctx, enum job_step step, bool done)
{
	(void)ctx;
	printf("%s %s\n", done ? TEXT_OK : TEXT_RUN, job_step_text(step));
	fflush(stdout);
}

static void say_head(const struct plain *p)
{
	char code[64] = "";
	stick_head(p->stick, code, sizeof code);
	if (code[0])
		say(_("Journal"), code);
}

static int finish(struct plain *p)
{
	char text[LINE_MAX_BYTES] = "";
	const struct job_pc *pc = job_pc(p->job);
	printf(_("DONE: %s will be a member of %s when Windows starts the next time.\n"), pc->name,
		pc->domain);
	if (job_get_plan(p->job)->method == PLAN_FIRSTBOOT)
		say("", _("It restarts once by itself."));
	say_head(p);
	if (!p->opt->automatic)
		ask(_("P powers off, R reboots:"), text);
	return text[0] == 'r' || text[0] == 'R' ? TUI_REBOOT : TUI_POWER_OFF;
}

static int session(struct plain *p, struct err *e)
{
	static int (*const steps[])(struct plain * p, struct err * e) = {
		unlock, pick_pc, pick_windows, check, show_plan, confirm};
	int ret = stick_open(&p->stick, p->opt->stick, e);
	if (ret < 0)
		return ret;
	say(_("Batch"), stick_label(p->stick));
	if (stick_image(p->stick)[0])
		say(_("Image"), stick_image(p->stick));
	for (size_t i = 0; i < ARRAY_SIZE(steps) && ret == 0; i++)
		ret = steps[i](p, e);
	if (ret < 0) {
		stick_explain_gone(p->opt->stick, _("Nothing was changed on this PC."), e);
		return ret;
	}
	ret = job_apply(p->job, on_progress, NULL, e);
	if (ret < 0) {
		printf(_("FAILED: %s\n"), job_pc(p->job)->name);
		say_head(p);
		return ret;
	}
	return finish(p);
}

int tui_plain(const struct tui_options *opt, struct err *e)
{
	struct plain p = {.opt = opt};
	signal(SIGINT, SIG_IGN);
	int ret = session(&p, e);
	job_close(p.job);
	if (p.stick) {
		int bad = stick_close(p.stick, ret < 0 ? NULL : e);
		ret = ret >= 0 && bad < 0 ? bad : ret;
	}
	return ret;
}
