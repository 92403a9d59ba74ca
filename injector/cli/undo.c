/* odjstick undo: take back what apply wrote, while Windows has not started since. */
#include <stdio.h>

#include "base/secret.h"
#include "cli/cli.h"
#include "cli/pc.h"

struct options {
	struct pc_options pc;
	const char *passphrase, *keyfile;
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
		{"--passphrase-file", &o->passphrase, NULL},
		{"--keyfile", &o->keyfile, NULL},
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

static int run_job(struct stick *s, const struct options *o, struct err *e)
{
	struct job *j = NULL;
	char head[64];
	int ret = job_open(&j, s, e);
	if (ret == 0)
		ret = prepare(j, o, e);
	if (ret == 0 && !o->yes)
		ret = pc_confirm(j, e);
	if (ret == 0)
		ret = job_undo(j, e);
	if (ret == 0) {
		stick_head(s, head, sizeof head);
		printf("\n%s is as it was before the join.%s\nJournal head: %s\n", job_pc(j)->name,
			job_pc(j)->spent ? " Its entry stays used: to join it later, ask the lab "
					   "to provision it again."
					 : "",
			head);
	}
	job_close(j);
	return ret;
}

static int undo(int argc, char **argv, struct err *e)
{
	struct options o = {0};
	struct secret pass = SECRET_INIT;
	struct stick *s = NULL;
	int ret = parse(argc, argv, &o, e);
	if (ret == 0)
		ret = stick_open(&s, o.pc.stick, e);
	if (ret < 0)
		return ret;
	ret = secret_read_passphrase(&pass, o.passphrase, "Passphrase of the bundle", 0, e);
	if (ret == 0)
		ret = stick_unlock(s, &pass, o.keyfile, e);
	secret_clear(&pass);
	if (ret == 0)
		ret = run_job(s, &o, e);
	int closed = stick_close(s, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

static const struct cli_verb verbs[] = {
	{"",
		"--stick DIR --target TARGET (--serial S | --tag T | --name N)\n"
		"      [--partition N] [--yes] [--keyfile F] [--passphrase-file F]",
		"put back what apply replaced, while Windows has not started since", undo},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_undo = {"undo", "take an applied join back", verbs};
