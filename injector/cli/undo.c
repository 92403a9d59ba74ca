/* odjstick undo: take back what apply wrote, while Windows has not started since. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/pc.h"

struct options {
	struct pc_options pc;
	bool yes;
};

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	const struct cli_opt opts[] = {
		{"--stick", &o->pc.stick, NULL},
		{"--target", &o->pc.target, NULL},
		{"--partition", &o->pc.partition, NULL},
		{"--serial", &o->pc.serial, NULL},
		{"--tag", &o->pc.tag, NULL},
		{"--name", &o->pc.name, NULL},
		{"--passphrase-file", &o->pc.passphrase, NULL},
		{"--keyfile", &o->pc.keyfile, NULL},
		{"--yes", NULL, &o->yes},
		{NULL, NULL, NULL},
	};
	int ret = cli_parse(argc, argv, opts, 0, 0, NULL, NULL, e);
	return ret < 0 ? ret : pc_check(&o->pc, e);
}

static int prepare(struct job *j, const struct options *o, struct err *e)
{
	int ret = pc_select(j, &o->pc, job_undo_select, e);
	if (ret == 0)
		ret = pc_choose_windows(j, &o->pc, e);
	if (ret == 0)
		ret = job_undo_prepare(j, e);
	if (ret < 0)
		return ret;
	printf("PC       %s  (serial %s, tag %s, domain %s)\n", job_pc(j)->name, job_pc(j)->serial,
		job_pc(j)->tag, job_pc(j)->domain);
	printf("Windows  %s\n         %s\n", job_chosen(j)->product, job_chosen(j)->where);
	printf("Undo     %zu changes\n", job_undo_count(j));
	return 0;
}

static int run_job(struct stick *s, struct job *j, void *ctx, struct err *e)
{
	const struct options *o = ctx;
	char head[64];
	int ret = pc_unchanged(&o->pc, prepare(j, o, e), e);
	if (ret == 0 && !o->yes)
		ret = pc_confirm(j, e);
	if (ret == 0)
		ret = job_undo(j, e);
	if (ret < 0)
		return ret;
	stick_head(s, head, sizeof head);
	printf("\n%s is as it was before the join.%s\nJournal head: %s\n", job_pc(j)->name,
		job_pc(j)->spent ? " Its entry stays used: to join it later, ask the lab "
				   "to provision it again."
				 : "",
		head);
	return 0;
}

static int undo(int argc, char **argv, struct err *e)
{
	struct options o = {0};
	int ret = parse(argc, argv, &o, e);
	return ret < 0 ? ret : pc_run(&o.pc, false, run_job, &o, e);
}

static const struct cli_verb verbs[] = {
	{"",
		"--stick DIR --target TARGET (--serial S | --tag T | --name N)\n"
		"      [--partition N] [--yes] [--keyfile F] [--passphrase-file F]",
		"put back what apply replaced, while Windows has not started since", undo},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_undo = {"undo", "take an applied join back", verbs};
