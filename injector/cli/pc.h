/*
 * Which PC is meant: the options that `apply` and `undo` share, and the steps
 * from them to a job with an entry and a Windows chosen.
 */
#ifndef CLI_PC_H
#define CLI_PC_H

#include "base/err.h"
#include "job/job.h"

struct pc_options {
	const char *stick, *target, *partition;
	const char *serial, *tag, *name;
};

/* -ERR_USAGE when something needed is missing. */
int pc_check(const struct pc_options *o, struct err *e);

/* select is job_select or job_undo_select. */
int pc_select(struct job *j, const struct pc_options *o,
	int (*select)(struct job *, enum job_selector, const char *, struct err *), struct err *e);
int pc_choose_windows(struct job *j, const struct pc_options *o, struct err *e);

/* The target is a disk of this PC, not an image of another one's. */
bool pc_is_device(const char *target);

/* The person at the terminal types the computer name. */
int pc_confirm(const struct job *j, struct err *e);

#endif
