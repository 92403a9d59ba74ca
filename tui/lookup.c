#include "tui/lookup.h"

#include "base/mem.h"
#include "bundle/bundle.h"

bool lookup_again(int ret)
{
	return ret == -ERR_NOTFOUND || ret == -ERR_REFUSED || ret == -ERR_SPENT ||
	       ret == -ERR_FORMAT || ret == -ERR_LIMIT || ret == -ERR_AMBIGUOUS;
}

int lookup_select(
	struct job *j, struct stick *stick, const char *code, enum job_selector *by, struct err *e)
{
	static const struct {
		enum bundle_by in_bundle;
		enum job_selector in_job;
	} kinds[] = {
		{BUNDLE_BY_TAG, JOB_BY_TAG},
		{BUNDLE_BY_SERIAL, JOB_BY_SERIAL},
		{BUNDLE_BY_NAME, JOB_BY_NAME},
	};
	uint32_t id;
	*by = JOB_BY_TAG;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (bundle_find(stick_bundle(stick), kinds[i].in_bundle, code, &id, NULL) == 0) {
			*by = kinds[i].in_job;
			break;
		}
	}
	int ret = job_select(j, *by, code, e);
	if (ret != -ERR_NOTFOUND)
		return ret;
	err_clear(e);
	return err_set(e, ERR_NOTFOUND,
		"Compare the label with the screen and try again; the PC may belong to another "
		"batch. Nothing was changed.",
		"no PC of this bundle has the tag, serial or name \"%s\"", code);
}
