/* An entry of the bundle by what a person scanned or typed, whatever of the three it is. */
#ifndef TUI_LOOKUP_H
#define TUI_LOOKUP_H

#include "job/job.h"

/* code comes from scan_clean(). Asks the bundle first which kind of text it is, so that the journal
 * holds one choice or one refusal, not three attempts. */
int lookup_select(
	struct job *j, struct stick *stick, const char *code, enum job_selector *by, struct err *e);

/* True when a refused lookup should be asked again rather than end the step. */
bool lookup_again(int ret);

#endif
