/*
 * A power cut in the middle of a commit, for hives that are dirty on purpose.
 *
 * cut_begin() reopens the saved hive with logs OUT.LOG1 and OUT.LOG2 in the form
 * Windows 8.1 and later write. cut_end() commits the edits made since; power
 * goes right after the base block was marked dirty, so the edits are in the log
 * and nowhere else.
 */
#ifndef TESTS_TOOLS_MKHIVE_CUT_H
#define TESTS_TOOLS_MKHIVE_CUT_H

#include <stdbool.h>

#include "hive/hive.h"

struct cut {
	struct bytedev dev[3]; /* what the hive writes to */
	struct bytedev *file[3];
	bool off; /* no power: writes are lost */
};

int cut_begin(struct cut *c, struct hive **h, const char *out, uint64_t now, struct err *e);
int cut_end(struct cut *c, struct hive *h, struct err *e);
void cut_close(struct cut *c);

#endif
