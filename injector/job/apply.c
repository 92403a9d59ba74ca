/*
 * Apply: intent, write, read back, spend, result.
 *
 * The intent, and what undo needs, are durable on the stick before the first
 * byte of the PC changes.
 * What is written comes from the plan alone, and what is read back is compared
 * with the plan, on a volume that was closed and opened again. Only then is the
 * entry spent. A failure says what the disk holds: the old state, the new one,
 * or that it could not be read.
 */
#include <stdio.h>

#include "base/clock.h"
#include "bundle/bundle.h"
#include "job/internal.h"

static const char *const step_texts[JOB_STEP_COUNT] = {
	[JOB_STEP_INTENT] = "Write the intent into the journal",
	[JOB_STEP_WRITE] = "Write to Windows",
	[JOB_STEP_VERIFY] = "Read back and compare",
	[JOB_STEP_SPEND] = "Destroy the used entry",
	[JOB_STEP_RESULT] = "Write the result into the journal",
};

const char *job_step_text(enum job_step step)
{
	return step_texts[step];
}

/* --- the transaction
 * ------------------------------------------------------------------------------ */

static int step_intent(struct job *j, struct err *e)
{
	int ret = bundle_can_spend(stick_bundle(j->stick), e);
	if (j->finishing)
		return ret; /* its intent is there */
	if (ret == 0)
		ret = report_intent(j, e);
	if (ret < 0)
		return ret;
	ret = undo_save(j, e);
	if (ret < 0)
		report_result(j, ret, NULL);
	return ret;
}

static int step_write(struct job *j, struct err *e)
{
	return plan_write(j, &j->plan, e);
}

static int step_verify(struct job *j, struct err *e)
{
	return plan_verify(j, &j->plan, e);
}

static int step_spend(struct job *j, struct err *e)
{
	int ret = bundle_entry_spend(stick_bundle(j->stick), j->entry, clock_now(), e);
	if (ret == -ERR_SPENT && j->finishing) {
		ret = 0;
		if (e)
			err_clear(e);
	}
	if (ret == 0)
		j->pc.spent = true;
	return ret < 0 ? ret : report_spent(j, e);
}

static int step_result(struct job *j, struct err *e)
{
	return report_result(j, 0, e);
}

/* A write that failed half-way: files come before the service that uses them, so a secret may lie
 * there without a join. */
static void explain_write(struct job *j, struct err *e)
{
	char place[256];
	int there = plan_secret_file(j, &j->plan, place, sizeof place);
	if (there == 0)
		snprintf(e->next, sizeof e->next,
			"The disk does not hold the join. Try again; if it fails again, check the "
			"disk.");
	else
		snprintf(e->next, sizeof e->next,
			"The disk does not hold the join, but the secret join data %s in %.120s. "
			"Do "
			"not "
			"give this PC away: try again, or run undo with this stick, which removes "
			"it; if both fail, check the disk and delete that file.",
			there > 0 ? "lies" : "may lie", place);
}

/* Say in the error what the disk holds now, whatever failed. */
static void explain_failure(struct job *j, enum job_step at, struct err *e)
{
	struct err why = ERR_INIT;
	if (!e)
		return;
	if (at == JOB_STEP_INTENT)
		snprintf(e->next, sizeof e->next, "The disk is untouched. Try another stick.");
	else if (at > JOB_STEP_VERIFY)
		snprintf(e->next, sizeof e->next,
			"The PC is joined and checked. The stick could not record it: "
			"keep the stick, tell the lab, do not use this entry again.");
	else if (plan_verify(j, &j->plan, &why) == 0)
		snprintf(e->next, sizeof e->next,
			"The new state can be read back, but the disk reported an error. Do not "
			"start "
			"Windows: run the stick again, it will check and finish.");
	else if (at == JOB_STEP_VERIFY && !e->next[0])
		snprintf(e->next, sizeof e->next,
			"What was written cannot be read back. Do not start Windows: run the stick "
			"again, it will check and finish.");
	else if (at == JOB_STEP_WRITE)
		explain_write(j, e);
}

/* The steps that write to the stick fail when somebody pulls it. */
static void explain_pulled(struct job *j, enum job_step at, struct err *e)
{
	if (at == JOB_STEP_WRITE || at == JOB_STEP_VERIFY)
		return;
	stick_explain_gone(stick_dir(j->stick),
		at == JOB_STEP_INTENT
			? "This PC is untouched."
			: "This Windows is joined and was read back, but the record is not "
			  "complete: do not start Windows yet, the same steps finish it.",
		e);
}

static int fail(struct job *j, enum job_step at, int ret, struct err *e)
{
	explain_failure(j, at, e);
	explain_pulled(j, at, e);
	if (at == JOB_STEP_INTENT)
		return report_refusal(j, "stick-writable", ret);
	if (at != JOB_STEP_RESULT)
		report_result(j, ret, NULL);
	return ret;
}

int job_apply(struct job *j, job_progress progress, void *ctx, struct err *e)
{
	static int (*const steps[JOB_STEP_COUNT])(struct job *, struct err *) = {
		[JOB_STEP_INTENT] = step_intent,
		[JOB_STEP_WRITE] = step_write,
		[JOB_STEP_VERIFY] = step_verify,
		[JOB_STEP_SPEND] = step_spend,
		[JOB_STEP_RESULT] = step_result,
	};
	if (!j->plan.count || !stick_journal(j->stick))
		return err_set(e, ERR_USAGE, "Nothing was changed. Start again from the checks.",
			"nothing is planned");
	for (enum job_step s = 0; s < JOB_STEP_COUNT; s++) {
		if (progress)
			progress(ctx, s, false);
		int ret = steps[s](j, e);
		if (ret < 0)
			return fail(j, s, ret, e);
		if (progress)
			progress(ctx, s, true);
	}
	return 0;
}
