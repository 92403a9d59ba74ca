/* One check more. Its sentence and next step are kept in the job. */
#include <stdarg.h>
#include <stdio.h>

#include "job/internal.h"

void job_check_add(struct job *j, const char *id, enum job_verdict verdict, int code,
	const char *next, const char *fmt, ...)
{
	if (j->check_count == JOB_CHECKS_MAX) /* holds every check there is */
		return;
	struct job_check *c = &j->checks[j->check_count++];
	*c = (struct job_check){.id = id, .verdict = verdict, .code = code};
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->text, sizeof c->text, fmt, ap);
	va_end(ap);
	snprintf(c->next, sizeof c->next, "%s", next);
}
