#include "cli/pc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/secret.h"

int pc_check(const struct pc_options *o, struct err *e)
{
	if (!o->stick || !o->target)
		return err_set(e, ERR_USAGE, NULL, "--stick and --target are needed");
	if (!!o->serial + !!o->tag + !!o->name != 1)
		return err_set(e, ERR_USAGE, NULL, "give one of --serial, --tag, --name");
	return 0;
}

int pc_unchanged(const struct pc_options *o, int ret, struct err *e)
{
	if (ret < 0)
		stick_explain_gone(o->stick, "Nothing was changed on this PC.", e);
	return ret;
}

static int unlock(struct stick *s, const struct pc_options *o, struct err *e)
{
	CLEANUP(secret_clear) struct secret pass = SECRET_INIT;
	int ret = secret_read_passphrase(&pass, o->passphrase, "Passphrase of the bundle", 0, e);
	return ret < 0 ? ret : stick_unlock(s, &pass, o->keyfile, e);
}

int pc_run(const struct pc_options *o, bool read_only, pc_work work, void *ctx, struct err *e)
{
	struct stick *s = NULL;
	struct job *j = NULL;
	int ret = read_only ? stick_look(&s, o->stick, e) : stick_open(&s, o->stick, e);
	if (ret < 0)
		return ret;
	ret = unlock(s, o, e);
	if (ret == 0)
		ret = job_open(&j, s, e);
	ret = ret < 0 ? pc_unchanged(o, ret, e) : work(s, j, ctx, e);
	job_close(j);
	int closed = stick_close(s, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

int pc_select(struct job *j, const struct pc_options *o,
	int (*select)(struct job *, enum job_selector, const char *, struct err *), struct err *e)
{
	if (o->serial)
		return select(j, JOB_BY_SERIAL, o->serial, e);
	if (o->tag)
		return select(j, JOB_BY_TAG, o->tag, e);
	return select(j, JOB_BY_NAME, o->name, e);
}

int pc_choose_windows(struct job *j, const struct pc_options *o, struct err *e)
{
	int ret = job_find(j, o->target, e);
	if (ret < 0 || !o->partition)
		return ret < 0 ? ret : job_choose_only(j, e);
	unsigned long n = strtoul(o->partition, NULL, 10);
	for (size_t i = 0; i < job_windows_count(j); i++)
		if (job_windows(j, i)->partition == n)
			return job_choose(j, i, e);
	return err_set(e, ERR_NOTFOUND, "`odjstick windows list TARGET` shows what is there.",
		"no Windows was found in partition %s of %s", o->partition, o->target);
}

bool pc_is_device(const char *target)
{
	struct stat st;
	return stat(target, &st) == 0 && S_ISBLK(st.st_mode);
}

int pc_confirm(const struct job *j, struct err *e)
{
	char line[64];
	printf("\nType the computer name to change this PC: ");
	fflush(stdout);
	if (fgets(line, sizeof line, stdin))
		line[strcspn(line, "\r\n")] = '\0';
	else
		line[0] = '\0';
	if (strcmp(line, job_pc(j)->name) == 0)
		return 0;
	return err_set(e, ERR_REFUSED, "Nothing was changed. Type it exactly, or use --yes.",
		"not confirmed");
}
