/* What the journal is told about a job. Every record is typed; no text of ours goes in. */
#include <stdio.h>
#include <string.h>

#include "base/utf16.h"
#include "job/internal.h"
#include "journal/journal.h"

#define OPEN_INTENTS_MAX 16 /* looked at per result; more than that is a stick for the lab */

static const char *const verdict_names[] = {
	[JOB_OK] = "ok", [JOB_WARN] = "warn", [JOB_STOP] = "stop"};

/* A journal label made of text that came from a disk or a CSV: short, printable. The buffer is the
 * caller's, one per value of a record. */
struct label {
	char text[JOURNAL_LABEL_MAX + 1];
};

static const char *label(struct label *l, const char *s)
{
	size_t n = strnlen(s, JOURNAL_LABEL_MAX);
	while (n && !utf8_valid(s, n))
		n--; /* do not cut a character in half */
	for (size_t i = 0; i < n; i++)
		l->text[i] = s[i] >= 0 && s[i] < 0x20 ? '?' : s[i] == 0x7f ? '?' : s[i];
	l->text[n] = '\0';
	return l->text;
}

static const char *where(const struct job *j, struct label *l)
{
	return j->chosen ? label(l, j->chosen->shown.where) : NULL;
}

int report_pc(struct job *j, const struct firmware *fw, struct err *e)
{
	struct journal *log = stick_journal(j->stick);
	struct label serial, tag;
	if (!log)
		return 0;
	return JOURNAL_ADD(log, e, JE_PC_SEEN, JV_BOOL(JF_PLACEHOLDER, fw->serial_placeholder),
		JV_TEXT(JF_SERIAL, label(&serial, fw->serial)),
		JV_TEXT(JF_SERIAL_SOURCE, fw->serial_source),
		JV_TEXT(JF_TAG, label(&tag, fw->tag)));
}

int report_windows(struct job *j, struct err *e)
{
	struct journal *log = stick_journal(j->stick);
	const struct windows_facts *f = &j->chosen->facts;
	struct label target, edition, name, domain, admins;
	char build[16], names[JOURNAL_LABEL_MAX + 1] = "";
	if (!log)
		return 0;
	if (f->accounts_known)
		sam_admin_names(&f->accounts, names, sizeof names);
	snprintf(build, sizeof build, "%u", f->build);
	return JOURNAL_ADD(log, e, JE_WINDOWS_FOUND, JV_TEXT(JF_TARGET, where(j, &target)),
		JV_TEXT(JF_WINDOWS_EDITION, label(&edition, f->edition)), JV_TEXT(JF_BUILD, build),
		JV_TEXT(JF_ARCH, windows_arch_name(f->arch)),
		JV_TEXT(JF_PHASE, windows_phase_name(f->phase)),
		JV_TEXT(JF_COMPUTER_NAME, label(&name, f->computer_name)),
		JV_TEXT(JF_DOMAIN, label(&domain, f->domain)),
		JV_TEXT(JF_ADMINS, label(&admins, names)));
}

int report_checks(struct job *j, const char *reason, struct err *e)
{
	struct journal *log = stick_journal(j->stick);
	int ret = 0;
	for (size_t i = 0; log && ret == 0 && i < j->check_count; i++) {
		const struct job_check *c = &j->checks[i];
		ret = JOURNAL_ADD(log, e, JE_CHECK, JV_TEXT(JF_CHECK, c->id),
			JV_TEXT(JF_VERDICT, verdict_names[c->verdict]),
			JV_TEXT(JF_REASON, c->verdict == JOB_WARN ? reason : NULL));
	}
	return ret;
}

int report_plan(struct job *j, struct err *e)
{
	struct journal *log = stick_journal(j->stick);
	struct label serial, tag, domain, target;
	if (!log)
		return 0;
	return JOURNAL_ADD(log, e, JE_PLAN, JV_TEXT(JF_COMPUTER_NAME, j->pc.name),
		JV_TEXT(JF_METHOD, plan_method_name(j->plan.method)),
		JV_HASH(JF_PLAN, j->plan.hash), JV_NUM(JF_ITEMS, j->plan.count),
		JV_TEXT(JF_SERIAL, label(&serial, j->pc.serial)),
		JV_TEXT(JF_TAG, label(&tag, j->pc.tag)),
		JV_TEXT(JF_DOMAIN, label(&domain, j->pc.domain)),
		JV_TEXT(JF_TARGET, where(j, &target)), JV_NUM(JF_ENTRY, j->entry));
}

int report_intent(struct job *j, struct err *e)
{
	struct journal *log = stick_journal(j->stick);
	struct label serial, tag, target;
	int ret = JOURNAL_ADD(log, e, JE_INTENT, JV_TEXT(JF_COMPUTER_NAME, j->pc.name),
		JV_HASH(JF_PLAN, j->plan.hash), JV_TEXT(JF_SERIAL, label(&serial, j->pc.serial)),
		JV_TEXT(JF_TAG, label(&tag, j->pc.tag)),
		JV_TEXT(JF_METHOD, plan_method_name(j->plan.method)),
		JV_TEXT(JF_TARGET, where(j, &target)), JV_NUM(JF_ITEMS, j->plan.count),
		JV_NUM(JF_ENTRY, j->entry));
	j->intent = journal_seq(log);
	return ret;
}

int report_spent(struct job *j, struct err *e)
{
	return JOURNAL_ADD(stick_journal(j->stick), e, JE_SPENT,
		JV_TEXT(JF_COMPUTER_NAME, j->pc.name), JV_NUM(JF_INTENT, j->intent),
		JV_NUM(JF_ENTRY, j->entry));
}

static int result_of(struct job *j, uint64_t intent, int failure, struct err *e)
{
	return JOURNAL_ADD(stick_journal(j->stick), e, JE_RESULT, JV_NUM(JF_INTENT, intent),
		JV_TEXT(JF_RESULT, failure ? "failed" : "ok"),
		JV_TEXT(JF_ERROR, failure ? err_name(failure) : NULL),
		JV_TEXT(JF_COMPUTER_NAME, j->pc.name), JV_HASH(JF_PLAN, j->plan.hash));
}

/* Intents of this PC that earlier sessions could not finish are answered by this result too. */
int report_result(struct job *j, int failure, struct err *e)
{
	struct journal_pending open[OPEN_INTENTS_MAX];
	size_t n = 0;
	int ret = result_of(j, j->intent, failure, e);
	if (ret < 0 || failure)
		return ret;
	ret = journal_pending_intent(stick_dir(j->stick), open, ARRAY_SIZE(open), &n, e);
	for (size_t i = 0; ret == 0 && i < n && i < ARRAY_SIZE(open); i++)
		if (open[i].seq != j->intent && strcmp(open[i].computer_name, j->pc.name) == 0)
			ret = result_of(j, open[i].seq, 0, e);
	return ret;
}

static int undo_of(struct job *j, uint64_t intent, int failure, struct err *e)
{
	return JOURNAL_ADD(stick_journal(j->stick), e, JE_UNDO, JV_NUM(JF_INTENT, intent),
		JV_TEXT(JF_RESULT, failure ? "failed" : "ok"),
		JV_TEXT(JF_ERROR, failure ? err_name(failure) : NULL),
		JV_TEXT(JF_COMPUTER_NAME, j->pc.name));
}

int report_undo(struct job *j, uint64_t intent, int failure, struct err *e)
{
	struct journal_pending open[OPEN_INTENTS_MAX];
	size_t n = 0;
	int ret = journal_pending_intent(stick_dir(j->stick), open, ARRAY_SIZE(open), &n, e);
	for (size_t i = 0; ret == 0 && !failure && i < n && i < ARRAY_SIZE(open); i++)
		if (open[i].seq != intent && strcmp(open[i].computer_name, j->pc.name) == 0)
			ret = undo_of(j, open[i].seq, 0, e);
	return ret < 0 ? ret : undo_of(j, intent, failure, e);
}

int report_refusal(struct job *j, const char *check, int ret)
{
	struct label serial, tag, target;
	struct journal *log = stick_journal(j->stick);
	if (log)
		JOURNAL_ADD(log, NULL, JE_REFUSED, JV_TEXT(JF_ERROR, err_name(ret)),
			JV_TEXT(JF_CHECK, check), JV_TEXT(JF_COMPUTER_NAME, j->pc.name),
			JV_TEXT(JF_SERIAL, label(&serial, j->pc.serial)),
			JV_TEXT(JF_TAG, label(&tag, j->pc.tag)),
			JV_TEXT(JF_TARGET, where(j, &target)));
	return ret;
}
