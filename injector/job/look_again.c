/*
 * Look again: the disks of this PC may have changed since Windows was looked
 * for, while somebody read the checks. A disk that came late could hold the
 * Windows that was meant, so a plan is not made before it has been seen.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "job/internal.h"

static bool same(const struct discover_item *a, const struct discover_item *b)
{
	return strcmp(a->path, b->path) == 0 && a->src.offset == b->src.offset &&
	       a->src.length == b->src.length && a->src.kind == b->src.kind;
}

const struct discover_item *look_again_extra(
	const struct discover_list *known, const struct discover_list *now)
{
	for (size_t i = 0; i < now->count; i++) {
		size_t k = 0;
		while (k < known->count && !same(&known->items[k], &now->items[i]))
			k++;
		if (k == known->count)
			return &now->items[i];
	}
	return NULL;
}

uint64_t job_stick_device(const struct job *j)
{
	struct stat st;
	return stat(stick_dir(j->stick), &st) == 0 ? (uint64_t)st.st_dev : 0;
}

int look_again(struct job *j, struct err *e)
{
	struct discover_list now = {0};
	char text[128];
	if (!j->whole_pc)
		return 0;
	int ret = discover_pc(job_stick_device(j), &now, NULL, e);
	const struct discover_item *extra = look_again_extra(&j->found, &now);
	const struct discover_item *gone = look_again_extra(&now, &j->found);
	if (ret == 0 && extra) {
		discover_describe(extra, text, sizeof text);
		ret = err_set(e, ERR_REFUSED,
			"The disk is untouched. Go back and look for Windows again: it may be on "
			"that one.",
			"%s has appeared since Windows was looked for", text);
	} else if (ret == 0 && gone) {
		discover_describe(gone, text, sizeof text);
		ret = err_set(e, ERR_REFUSED,
			"Nothing was changed. Check the cable, then go back and look for Windows "
			"again.",
			"%s is gone since Windows was looked for", text);
	}
	discover_clear(&now);
	return ret;
}
