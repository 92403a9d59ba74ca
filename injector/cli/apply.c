/* odjstick apply: one PC from the command line, by the same steps as the wizard. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/pc.h"
#include "job/job.h"

struct options {
	struct pc_options pc;
	const char *method_name, *reason, *sys;
	enum plan_method method;
	bool dry_run, yes, json;
};

static const char *const verdict_words[] = {
	[JOB_OK] = "[ OK ]", [JOB_WARN] = "[WARN]", [JOB_STOP] = "[STOP]"};

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	const struct cli_opt opts[] = {
		{"--stick", &o->pc.stick, NULL},
		{"--target", &o->pc.target, NULL},
		{"--partition", &o->pc.partition, NULL},
		{"--serial", &o->pc.serial, NULL},
		{"--tag", &o->pc.tag, NULL},
		{"--name", &o->pc.name, NULL},
		{"--method", &o->method_name, NULL},
		{"--reason", &o->reason, NULL},
		{"--sys", &o->sys, NULL},
		{"--passphrase-file", &o->pc.passphrase, NULL},
		{"--keyfile", &o->pc.keyfile, NULL},
		{"--dry-run", NULL, &o->dry_run},
		{"--yes", NULL, &o->yes},
		{"--json", NULL, &o->json},
		{NULL, NULL, NULL},
	};
	int ret = cli_parse(argc, argv, opts, 0, 0, NULL, NULL, e);
	if (ret < 0)
		return ret;
	ret = pc_check(&o->pc, e);
	if (ret < 0)
		return ret;
	o->method = PLAN_AUTO;
	if (o->method_name && plan_method_parse(o->method_name, &o->method) < 0)
		return err_set(e, ERR_USAGE, "Methods are auto, registry, unattend, firstboot.",
			"unknown method \"%s\"", o->method_name);
	return 0;
}

static void print_checks(const struct job *j)
{
	printf("PC       %s  (serial %s, tag %s, domain %s)\n", job_pc(j)->name, job_pc(j)->serial,
		job_pc(j)->tag, job_pc(j)->domain);
	printf("Windows  %s\n         %s\n", job_chosen(j)->product, job_chosen(j)->where);
	for (size_t i = 0; i < job_check_count(j); i++) {
		const struct job_check *c = job_check(j, i);
		printf("%s %s\n", verdict_words[c->verdict], c->text);
		if (c->next[0])
			printf("       %s\n", c->next);
	}
}

static void print_plan(const struct plan *p)
{
	printf("\nPlan: method %s, %zu changes\n", plan_method_name(p->method), p->count);
	for (size_t i = 0; i < p->count; i++) {
		const struct plan_item *it = &p->items[i];
		bool users = it->store == PLAN_DEFAULT || it->store == PLAN_NEW_USER;
		printf("  %s%s%s%s%s\n      %s -> %s\n", users ? plan_store_name(it->store) : "",
			users ? ": " : "", it->place, it->name ? "\\" : "",
			it->name ? it->name : "", it->before ? it->before : "(absent)", it->after);
	}
}

static void print_step(void *ctx, enum job_step step, bool done)
{
	(void)ctx;
	if (done)
		printf("done: %s\n", job_step_text(step));
	fflush(stdout);
}

static int prepare(struct job *j, const struct options *o, struct err *e)
{
	int ret = pc_select(j, &o->pc, job_select, e);
	if (ret == 0)
		ret = pc_choose_windows(j, &o->pc, e);
	if (o->sys || pc_is_device(o->pc.target)) {
		struct machine m;
		machine_read(o->sys, NULL, &m);
		job_set_machine(j, &m);
	}
	if (o->method_name)
		job_set_method(j, o->method);
	if (ret == 0)
		ret = job_preflight(j, e);
	if (ret < 0)
		return ret;
	if (!o->json)
		print_checks(j);
	ret = job_accept(j, o->reason, e);
	if (ret == 0)
		ret = job_plan(j, e);
	return ret;
}

/* From here to the end of the process a key, a closed terminal or a reader that went away does not
 * stop the work between the disk and the journal. Pulling the plug is survived too, but needs a
 * second run. */
static void hold_signals(void)
{
	static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE};
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		signal(held[i], SIG_IGN);
}

static int change(struct job *j, struct stick *s, const struct options *o, struct err *e)
{
	char head[64];
	int ret = o->yes ? 0 : pc_confirm(j, e);
	if (ret == 0)
		hold_signals();
	if (ret == 0)
		ret = job_apply(j, o->json ? NULL : print_step, NULL, e);
	if (ret < 0 || o->json)
		return ret;
	stick_head(s, head, sizeof head);
	printf("\n%s will be a member of %s when Windows starts%s.\nJournal head: %s\n",
		job_pc(j)->name, job_pc(j)->domain,
		job_get_plan(j)->method == PLAN_FIRSTBOOT ? "; it restarts once by itself" : "",
		head);
	return 0;
}

static int run_job(struct stick *s, struct job *j, void *ctx, struct err *e)
{
	const struct options *o = ctx;
	int ret = pc_unchanged(&o->pc, prepare(j, o, e), e);
	if (ret == 0 && !o->json)
		print_plan(job_get_plan(j));
	if (ret == 0 && !o->dry_run)
		ret = change(j, s, o, e);
	if (!o->json)
		return ret;
	int shown = cli_print_json(job_json(j), ret == 0 ? e : NULL);
	return ret < 0 ? ret : shown;
}

static int apply(int argc, char **argv, struct err *e)
{
	struct options o = {0};
	int ret = parse(argc, argv, &o, e);
	return ret < 0 ? ret : pc_run(&o.pc, o.dry_run, run_job, &o, e);
}

static const struct cli_verb verbs[] = {
	{"",
		"--stick DIR --target TARGET (--serial S | --tag T | --name N)\n"
		"      [--partition N] [--method auto|registry|unattend|firstboot]\n"
		"      [--reason TEXT] [--dry-run] [--yes] [--json] [--keyfile F]\n"
		"      [--passphrase-file F] [--sys DIR]",
		"check one PC, show the plan, change it, read back", apply},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_apply = {"apply", "join the Windows on TARGET", verbs};
