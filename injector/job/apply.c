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
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bundle/bundle.h"
#include "job/internal.h"
#include "windows/unattend.h"

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

/* --- write
 * ---------------------------------------------------------------------------------------- */

static int write_item(struct hive *h, const struct plan_item *it, struct err *e)
{
	hive_key key;
	int ret = hive_create_key(h, hive_root(h), it->place, NULL, &key, e);
	if (ret == 0 && it->kind == PLAN_VALUE)
		ret = hive_set_value(h, key, it->name, it->type, it->data.p, it->data.len, e);
	return ret;
}

static int write_registry(struct job *j, const struct plan *p, struct err *e)
{
	struct system_hive s;
	int ret = system_hive_open(&s, j->chosen, true, e);
	if (ret < 0)
		return ret;
	ret = hive_begin(s.hive, clock_filetime(clock_now()), e);
	for (size_t i = 0; ret == 0 && i < p->count; i++)
		ret = write_item(s.hive, &p->items[i], e);
	if (ret == 0)
		ret = hive_commit(s.hive, e);
	int closed = system_hive_close(&s, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* Make the folders above path, one by one. */
static int make_folders(struct volume *v, const char *path, struct err *e)
{
	char dir[256];
	int ret = 0;
	for (const char *slash = strchr(path + 1, '/'); ret == 0 && slash;
		slash = strchr(slash + 1, '/')) {
		snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
		ret = volume_mkdir(v, dir, e);
	}
	return ret;
}

static int write_file(struct job *j, const struct plan *p, struct err *e)
{
	const struct plan_item *it = &p->items[0];
	struct volume *v;
	int ret = volume_open(&v, j->chosen->src, true, e);
	if (ret < 0)
		return ret;
	ret = make_folders(v, it->place, e);
	if (ret == 0)
		ret = volume_replace(v, it->place, it->data.p, it->data.len, e);
	int closed = volume_close(v, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* --- read back
 * ------------------------------------------------------------------------------------ */

/* 1: the disk holds what the plan says, 0: it does not. */
static int holds_value(struct hive *h, hive_key key, const struct plan_item *it, struct err *e)
{
	struct hive_value v;
	struct secret now = SECRET_INIT;
	if (hive_find_value(h, key, it->name, &v, NULL) < 0)
		return 0;
	if (v.type != it->type || v.size != it->data.len)
		return 0;
	int ret = secret_alloc(&now, v.size, e);
	if (ret == 0)
		ret = hive_read_value(h, &v, now.p, e);
	if (ret == 0)
		ret = v.size == 0 || sodium_memcmp(now.p, it->data.p, v.size) == 0;
	secret_clear(&now);
	return ret;
}

static int holds_item(struct hive *h, const struct plan_item *it, struct err *e)
{
	hive_key key;
	if (hive_find_key(h, hive_root(h), it->place, &key, NULL) < 0)
		return 0;
	return it->kind == PLAN_KEY ? 1 : holds_value(h, key, it, e);
}

static int mismatch(const struct plan_item *it, struct err *e)
{
	return err_set(e, ERR_FAILED, "Do not start this PC. Run the stick again on it.",
		"read back: %s%s%s is not what was written", it->place, it->name ? "\\" : "",
		it->name ? it->name : "");
}

static int verify_registry(struct job *j, const struct plan *p, struct err *e)
{
	struct system_hive s;
	int ret = system_hive_open(&s, j->chosen, false, e);
	for (size_t i = 0; ret == 0 && i < p->count; i++) {
		int same = holds_item(s.hive, &p->items[i], e);
		ret = same == 1 ? 0 : same < 0 ? same : mismatch(&p->items[i], e);
	}
	system_hive_close(&s, NULL);
	return ret;
}

static int verify_file(struct job *j, const struct plan *p, struct err *e)
{
	const struct plan_item *it = &p->items[0];
	const struct unattend_join join = {
		.arch = j->chosen->facts.arch, .computer_name = j->pc.name, .raw = &j->blob};
	struct volume *v = NULL;
	struct buf b = BUF_INIT;
	int ret = volume_open(&v, j->chosen->src, false, e);
	if (ret == 0)
		ret = volume_read(v, it->place, UNATTEND_MAX, &b, e);
	if (ret == 0 && (b.len != it->data.len || sodium_memcmp(b.p, it->data.p, b.len) != 0))
		ret = mismatch(it, e);
	if (ret == 0)
		ret = unattend_verify(b.p, b.len, &join, e);
	buf_wipe(&b);
	volume_close(v, NULL);
	return ret;
}

int plan_verify(struct job *j, const struct plan *p, struct err *e)
{
	if (j->finishing)
		return finish_verify(j, e);
	return p->method == PLAN_UNATTEND ? verify_file(j, p, e) : verify_registry(j, p, e);
}

/* What a run that was cut off left beside its files. */
static int tidy(struct job *j, const struct plan *p, struct err *e)
{
	struct volume *v;
	int ret = p->method == PLAN_UNATTEND ? volume_open(&v, j->chosen->src, true, e) : 0;
	if (ret < 0 || p->method != PLAN_UNATTEND)
		return ret;
	ret = volume_tidy(v, p->items[0].place, e);
	int closed = volume_close(v, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* A disk that holds the plan already (an earlier run was cut off after its write) is left alone,
 * but for temporary files. */
int plan_write(struct job *j, const struct plan *p, struct err *e)
{
	if (j->finishing || plan_verify(j, p, NULL) == 0)
		return tidy(j, p, e);
	return p->method == PLAN_UNATTEND ? write_file(j, p, e) : write_registry(j, p, e);
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
		snprintf(e->next, sizeof e->next,
			"The disk does not hold the join. Try again; if it fails again, check the "
			"disk.");
}

static int fail(struct job *j, enum job_step at, int ret, struct err *e)
{
	explain_failure(j, at, e);
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
		return err_set(e, ERR_USAGE, NULL, "nothing is planned");
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
