/*
 * One PC, start to finish. The only place where a PC is changed, and the only
 * thing the wizard and `odjstick apply` call.
 *
 * A job walks through these calls in order; each may refuse, and a refusal is
 * journalled and leaves the PC's disk untouched:
 *
 *   job_select()       which entry of the bundle is this PC
 *   job_find()         where Windows lives on the target (or on this PC's disks)
 *   job_choose()       which of several
 *   job_preflight()    every check: ok, warn (needs a reason), stop
 *   job_plan()         the exact list of changes
 *   job_apply()        intent, write, read back, spend the entry, result
 *
 * Everything a job hands out belongs to the job until job_close().
 */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "job/firmware.h"
#include "job/machine.h"
#include "job/plan.h"
#include "job/stick.h"

struct job;

enum job_selector { JOB_BY_SERIAL, JOB_BY_TAG, JOB_BY_NAME };

/* The chosen entry, without its blob. */
struct job_pc {
	char name[16];
	char serial[65];
	char tag[65];
	char domain[256];
	bool spent;
};

/* One Windows that was found, or a volume that may hide one (BitLocker). */
struct job_windows {
	char where[128];    /* "/dev/nvme0n1 partition 3" or "disk.img" */
	char product[128];  /* "Windows 11 Pro 23H2 (22631)", or what stands in the way */
	char name[64];	    /* current computer name, "" when unknown */
	char domain[256];   /* domain it is joined to, "" for a workgroup */
	char phase[32];	    /* setup phase in words */
	char admins[128];   /* enabled local administrators by name; "" none or not known */
	unsigned partition; /* number in the table, 0 = not in one */
	bool usable;	    /* false: `product` says why; choosing it is refused */
};

enum job_verdict { JOB_OK, JOB_WARN, JOB_STOP };

struct job_check {
	const char *id; /* stable, e.g. "edition", "hive-clean" */
	enum job_verdict verdict;
	char text[256];
	char next[256]; /* "" when ok */
	int code;	/* ERR_* of a stop: decides the exit status */
};

enum job_step { JOB_STEP_INTENT, JOB_STEP_WRITE, JOB_STEP_VERIFY, JOB_STEP_SPEND, JOB_STEP_RESULT };
#define JOB_STEP_COUNT 5

/* Called when a step begins (done false) and when it ended well (done true). */
typedef void (*job_progress)(void *ctx, enum job_step step, bool done);
const char *job_step_text(enum job_step step);

/* The stick must be unlocked before job_select(). stick stays the caller's and must outlive the
 * job. */
int job_open(struct job **j, struct stick *stick, struct err *e);
void job_close(struct job *j);

/* Entry by serial, tag or name. -ERR_NOTFOUND, -ERR_REFUSED (placeholder), -ERR_SPENT. */
int job_select(struct job *j, enum job_selector by, const char *text, struct err *e);

/* Entry by what the firmware says: serial, then tag. -ERR_NOTFOUND when neither matches. */
int job_select_firmware(struct job *j, const struct firmware *fw, struct err *e);
const struct job_pc *job_pc(const struct job *j);

/* target NULL: every disk of this PC except the stick itself. Finding nothing is -ERR_NOTFOUND. */
int job_find(struct job *j, const char *target, struct err *e);
size_t job_windows_count(const struct job *j);
const struct job_windows *job_windows(const struct job *j, size_t i);

/* The usable one when there is exactly one; -ERR_AMBIGUOUS for several, -ERR_UNSAFE when what was
 * found cannot be used. */
int job_choose_only(struct job *j, struct err *e);
int job_choose(struct job *j, size_t i, struct err *e);
const struct job_windows *job_chosen(const struct job *j);

/* The PC this program runs on, when it is the PC that is changed: preflight looks at its power. m
 * is copied. Without it, and for an image on the lab's machine, nothing is said about power. */
void job_set_machine(struct job *j, const struct machine *m);

/* The method that was asked for by name, which may be auto: it counts, not the row's column. */
void job_set_method(struct job *j, enum plan_method named);

/* Runs every check. Returns 0 also when checks stop or warn; job_verdict() is the worst one. */
int job_preflight(struct job *j, struct err *e);
size_t job_check_count(const struct job *j);
const struct job_check *job_check(const struct job *j, size_t i);
enum job_verdict job_verdict(const struct job *j);

/* After preflight: 0 when nothing stops and every warning has a reason (reason may be NULL when
 * there is none); else the refusal, journalled. */
int job_accept(struct job *j, const char *reason, struct err *e);

int job_plan(struct job *j, struct err *e);
const struct plan *job_get_plan(const struct job *j);

/* Changes the PC. On failure e says what state the disk is in. */
int job_apply(struct job *j, job_progress progress, void *ctx, struct err *e);

/*
 * Undo: job_undo_select(), job_find(), job_choose*(), job_undo_prepare(), job_undo(). Puts back
 * what job_apply() replaced, from the sealed record it left in the stick's state/, and only on a
 * disk that still holds exactly what was written. The entry is not made fresh again.
 */
int job_undo_select(struct job *j, enum job_selector by, const char *text, struct err *e);
/* After job_find(): the Windows that was changed, among several. -ERR_NOTFOUND as below,
 * -ERR_REFUSED when none is on the disk that was changed. */
int job_undo_choose(struct job *j, struct err *e);
/* -ERR_NOTFOUND: this stick has nothing to undo for this PC. -ERR_UNSAFE: Windows has started
 * since. -ERR_REFUSED: the disk holds something else. */
int job_undo_prepare(struct job *j, struct err *e);
size_t job_undo_count(const struct job *j); /* changes that will be taken back */
int job_undo(struct job *j, struct err *e);

json_t *job_json(const struct job *j); /* pc, windows, checks, plan: for --dry-run --json */

#endif
