/*
 * The inside of a job, shared by the files of job/ and nobody else.
 *
 * select.c   which entry, which Windows      preflight.c    the checks
 * decide.c   phase, method, join state       settings.c     the row's other columns
 * build.c    the plan                        write.c        carrying it out, reading it back
 * apply.c    the transaction                 report.c       what the journal is told
 * hives.c    the hives on a volume           disk_id.c      which disk this is
 * undo.c     taking it back                  undo_state.c   what a disk holds, old or new
 * finish.c   cut off after the spend         undo_record.c  what that needs, on the stick
 * check_answer.c   checks of the answer file
 */
#ifndef JOB_INTERNAL_H
#define JOB_INTERNAL_H

#include <stdint.h>

#include "base/bytedev.h"
#include "base/secret.h"
#include "bundle/settings.h"
#include "hive/hive.h"
#include "job/decide.h"
#include "job/job.h"
#include "job/undo_record.h"
#include "odj/odj.h"
#include "volume/discover.h"
#include "volume/volume.h"
#include "windows/edits.h"
#include "windows/facts.h"
#include "windows/unattend.h"
#include "windows/zone.h"

#define JOB_CHECKS_MAX 48

struct job_candidate {
	struct job_windows shown;
	const struct volume_source *src; /* into job.found */
	struct volume_state state;
	struct windows_facts facts; /* meaningful when has_facts */
	bool has_facts;
};

struct job {
	struct stick *stick;

	bool selected;
	uint32_t entry;
	struct job_pc pc;
	int64_t expires;	  /* of the entry, 0 = never */
	struct secret blob;	  /* raw; opened for preflight */
	struct settings settings; /* of the row, opened with the blob */
	int64_t as_of;		  /* the moment that time zones are worked out for */
	struct zone zone;	  /* of this Windows, when the row names one */
	struct odj odj;

	struct discover_list found;
	bool whole_pc; /* found: all disks of this PC, not one target */
	struct job_candidate *windows;
	size_t windows_count;
	const struct job_candidate *chosen;

	struct machine machine;
	bool has_machine;

	struct job_check checks[JOB_CHECKS_MAX];
	size_t check_count;
	bool has_named;
	enum plan_method named;	 /* asked for by name, not by the row */
	enum plan_method method; /* what is used: what AUTO became */

	bool accepted;
	struct plan plan;
	uint64_t intent; /* sequence number of the intent record */

	bool finishing; /* the entry is used; j->undo says what an interrupted run wrote */
	bool undoing;	/* a used entry may be selected: nothing of it is opened */
	bool undo_ready;
	struct undo_record undo;
};

/* --- hives.c: a hive where it lies
 * ------------------------------------------------------ */

#define JOB_SOFTWARE PLAN_STORES /* read, never written */

struct job_hive {
	struct volume *volume;
	struct bytedev *primary, *log1, *log2;
	struct hive *hive;
};

/* Open the volume and a hive of it: an enum plan_store but PLAN_FILES, or JOB_SOFTWARE. Writable:
 * logs that Windows lost are made, empty: the plan lists them, see plan_add_logs(). */
int job_hive_open(
	struct job_hive *s, const struct job_candidate *w, int store, bool writable, struct err *e);
/* Errors of the volume's close are reported: they can mean unwritten changes. */
int job_hive_close(struct job_hive *s, struct err *e);
/* Where log 1 or 2 of that hive is, or would be. */
void job_hive_log_path(const struct job_candidate *w, int store, int log, char *out, size_t size);

/* --- settings.c
 * ------------------------------------------------------------------------------ */

/* Can this Windows take what the row asks for? One check per setting; fills j->zone. */
void settings_check(struct job *j);

/* Add what the method does not put into an answer file to the plan. */
int settings_plan_users(struct job *j, struct plan *p, struct err *e);
int settings_plan_system(struct job *j, struct plan *p, struct hive *system, struct err *e);

/* --- check_answer.c
 * -------------------------------------------------------------------------------- */

/* Will Windows take our answer file, and find no other join in it? */
void answer_check(struct job *j);

/* --- checks.c
 * -------------------------------------------------------------------------------- */

void job_check_add(struct job *j, const char *id, enum job_verdict verdict, int code,
	const char *next, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#define pass(j, id, ...) job_check_add(j, id, JOB_OK, 0, "", __VA_ARGS__)
#define warn(j, id, next, ...) job_check_add(j, id, JOB_WARN, ERR_REFUSED, next, __VA_ARGS__)
#define stop(j, id, code, next, ...) job_check_add(j, id, JOB_STOP, code, next, __VA_ARGS__)

/* --- look_again.c --------------------------------------------------------------------------------
 */

/* -ERR_REFUSED when the PC's disks are not those that were searched. */
int look_again(struct job *j, struct err *e);

/* The first of `now` that is not among `known`, or NULL. */
const struct discover_item *look_again_extra(
	const struct discover_list *known, const struct discover_list *now);
uint64_t job_stick_device(const struct job *j);

/* --- build.c, write.c ----------------------------------------------------------------------------
 */

/* From the opened blob and the chosen Windows; needs j->method. p is replaced. */
int plan_build(struct job *j, struct plan *p, struct err *e);

/* The first-boot method has left something on the disk. */
bool firstboot_waits(struct job *j);

/* Move edits into the plan as items of an open hive, with what it holds now. */
int plan_add_edits(struct plan *p, enum plan_store store, struct hive *h, struct reg_edits *edits,
	struct err *e);

/* The logs of an open hive that are not there: writing it makes them. */
int plan_add_logs(struct job *j, struct plan *p, enum plan_store store, const struct job_hive *s,
	struct err *e);

/* The answer file that the plan will change, or make (existed false). */
int plan_answer_file(
	const struct windows_facts *f, char *path, size_t size, bool *existed, struct err *e);

/* What the answer file must say about this PC. */
struct unattend_join job_unattend(const struct job *j);

/* Write what the plan says, durably; nothing when the disk holds it already. */
int plan_write(struct job *j, const struct plan *p, struct err *e);

/* After a write that failed: 1 when a secret file of the plan, or what its writing left beside it,
 * is on the disk, 0 when none is, -ERR_* when the disk does not tell. place: that file, or the
 * first that may be there. */
int plan_secret_file(struct job *j, const struct plan *p, char *place, size_t size);

/* 0 when the disk, opened afresh, holds exactly what the plan says. */
int plan_verify(struct job *j, const struct plan *p, struct err *e);

/* --- undo.c --------------------------------------------------------------------------------------
 */

/* Keep on the stick, sealed, what undo needs. After the intent, before the disk is written. */
int undo_save(struct job *j, struct err *e);

/* --- finish.c ------------------------------------------------------------------------------------
 */

/* An earlier apply of the selected PC has no result: the newest is taken (j->intent). */
bool finish_has_intent(struct job *j);
/* When the oldest apply of the selected PC began that has no result, or now. What depends on the
 * time is planned for that moment: a run that was cut off before a change to daylight time and its
 * repetition afterwards write the same. */
int64_t finish_as_of(struct job *j);
/* An earlier apply of the selected entry has no result, and its undo record is there: both are
 * taken (j->intent, j->undo). */
bool finish_is_open(struct job *j);
int finish_plan(struct job *j, struct plan *p, struct err *e);
/* 0 when the disk holds exactly what the interrupted run wrote, -ERR_SPENT when not. */
int finish_verify(struct job *j, struct err *e);

/* --- report.c: typed journal records about a job; each returns 0 without a journal
 * ---------------- */

/* What identified the PC: the firmware's strings, or what was typed (serial_source "typed"). */
int report_pc(struct job *j, const struct firmware *fw, struct err *e);
int report_windows(struct job *j, struct err *e);
int report_checks(struct job *j, const char *reason, struct err *e);
int report_plan(struct job *j, struct err *e);
int report_intent(struct job *j, struct err *e);
int report_spent(struct job *j, struct err *e);
int report_result(struct job *j, int failure, struct err *e); /* failure: 0 or -ERR_* */

/* Answers `intent` and every open intent of this PC. */
int report_undo(struct job *j, uint64_t intent, int failure, struct err *e);

/* Journal a refusal and return ret, so that `return report_refusal(j, "entry", ret)` reads well.
 * A journal that cannot be written does not hide the refusal itself. */
int report_refusal(struct job *j, const char *check, int ret);

#endif
