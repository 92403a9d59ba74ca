/* Checks of the answer file: nothing stands in front of ours, and it orders no other join. */
#include "job/internal.h"

/* False: a stop was said. */
static bool check_place(struct job *j)
{
	const struct windows_facts *f = &j->chosen->facts;
	if (f->unattend_setting[0]) {
		stop(j, "unattend", ERR_UNSAFE,
			"Remove Setup\\UnattendFile from the image, or put the join there.",
			"SYSTEM\\Setup names its own answer file, %s: ours would be ignored",
			f->unattend_setting);
		return false;
	}
	for (size_t i = 0; i < f->unattend_count; i++) {
		const struct windows_unattend *u = &f->unattend[i];
		if (!u->exists || !u->unreadable)
			continue;
		stop(j, "unattend", ERR_UNSAFE, "Repair or remove that file in the image.",
			"%s is not an answer file that can be read", u->path);
		return false;
	}
	pass(j, "unattend", "no other answer file stands in front of ours");
	return true;
}

/* What the file that we would change orders already. False: it is not there, or cannot be read. */
static bool read_joins(
	struct job *j, char *path, size_t size, struct unattend_other *o, struct err *why)
{
	const struct unattend_join join = job_unattend(j);
	struct volume *v = NULL;
	struct buf b = BUF_INIT;
	bool existed = false;
	int ret = plan_answer_file(&j->chosen->facts, path, size, &existed, why);
	if (ret == 0 && existed)
		ret = volume_open(&v, j->chosen->src, false, why);
	if (ret == 0 && existed)
		ret = volume_read(v, path, UNATTEND_MAX, &b, why);
	if (ret == 0 && existed)
		ret = unattend_other_joins(b.p, b.len, &join, o, why);
	buf_wipe(&b);
	volume_close(v, NULL);
	return ret == 0 && existed;
}

/* Join data of somebody else are a join that waits, as in the registry: not ours to replace. Beside
 * JoinDomain Windows takes the join data (documented), but nobody should find that out on site. */
static void check_joins(struct job *j)
{
	char path[256];
	struct unattend_other o = {0};
	struct err why = ERR_INIT; /* what cannot be read stops elsewhere */
	if (!read_joins(j, path, sizeof path, &o, &why))
		return;
	if (o.data)
		stop(j, "answer-join", ERR_UNSAFE,
			"Run `undo` with the stick that wrote it, or remove it from the image.",
			"%s holds the join data of another offline join", path);
	else if (o.join)
		warn(j, "answer-join",
			"Better: remove JoinDomain and Credentials from the image's answer file. "
			"Windows takes the join data of this stick instead.",
			"%s orders a join of its own, to %s", path, o.domain);
}

void answer_check(struct job *j)
{
	if (j->method == PLAN_UNATTEND && check_place(j))
		check_joins(j);
}
