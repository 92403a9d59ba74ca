/*
 * What `apply` and `undo` share: the options, the way from the stick to a job
 * with an entry and a Windows chosen, and what is said when the stick is pulled.
 */
#ifndef CLI_PC_H
#define CLI_PC_H

#include "base/err.h"
#include "job/job.h"

struct pc_options {
	const char *stick, *target, *partition;
	const char *serial, *tag, *name;
	const char *passphrase, *keyfile;
};

/* -ERR_USAGE when something needed is missing. */
int pc_check(const struct pc_options *o, struct err *e);

/* Opens the stick (read_only: and writes nothing to it), unlocks it, opens a job, lets work do the
 * rest, closes everything. */
typedef int (*pc_work)(struct stick *s, struct job *j, void *ctx, struct err *e);
int pc_run(const struct pc_options *o, bool read_only, pc_work work, void *ctx, struct err *e);

/* Before the PC was changed ret came back, with e. Returns ret. */
int pc_unchanged(const struct pc_options *o, int ret, struct err *e);

/* select is job_select or job_undo_select. */
int pc_select(struct job *j, const struct pc_options *o,
	int (*select)(struct job *, enum job_selector, const char *, struct err *), struct err *e);
int pc_choose_windows(struct job *j, const struct pc_options *o, struct err *e);

/* The target is a disk of this PC, not an image of another one's. */
bool pc_is_device(const char *target);

/* The person at the terminal types the computer name. */
int pc_confirm(const struct job *j, struct err *e);

#endif
