/*
 * The wizard's state and its screens. One screen per file; a screen is a small
 * vtable. What the engineer typed or chose lives here, not in widgets, so that
 * going back, a dialog or a resize loses nothing. Owned by tui_wizard().
 */
#ifndef TUI_WIZARD_H
#define TUI_WIZARD_H

#include "base/secret.h"
#include "job/job.h"
#include "tui/field.h"
#include "tui/list.h"
#include "tui/scan.h"
#include "tui/task.h"
#include "tui/tui.h"
#include "tui/ui.h"

enum go {
	GO_STAY,
	GO_NEXT,
	GO_BACK,
	GO_UNDO,  /* the screen that takes back; it leads here again, or to the result */
	GO_ERROR, /* w->err says what; the error screen offers back and again */
	GO_END	  /* w->result is the answer for init */
};

struct wizard;

struct screen {
	const char *title;
	const char *keys;
	const char *help;
	enum go (*enter)(struct wizard *w); /* work before it can be shown; may be NULL */
	enum go (*shown)(struct wizard *w); /* work as soon as it is; may be NULL */
	bool (*answer)(struct wizard *w);   /* --auto: exactly one good answer; may be NULL */
	void (*build)(struct wizard *w);    /* windows at the present size */
	void (*drop)(struct wizard *w);	    /* the windows again; keeps what was typed */
	enum go (*key)(struct wizard *w, int key); /* UI_NONE every tenth of a second */
};

extern const struct screen screen_unlock, screen_pc, screen_windows, screen_checks, screen_plan,
	screen_confirm, screen_progress, screen_result, screen_error, screen_undo;

struct wizard_steps {
	atomic_int state[JOB_STEP_COUNT]; /* 0 waits, 1 runs, 2 done */
	atomic_llong since[JOB_STEP_COUNT], took[JOB_STEP_COUNT];
};

struct wizard {
	const struct tui_options *opt;
	struct ui ui;
	const struct screen *screen;
	size_t step;  /* index of the screen, or of the one that failed */
	bool forward; /* arrived by going on */
	bool ended;
	int result;	/* TUI_POWER_OFF or TUI_REBOOT */
	struct err err; /* of the error and the result screen */

	struct stick *stick;
	struct job *job;
	struct machine pc;

	/* unlock */
	struct secret pass;
	size_t pass_len;
	struct passfield passfield;

	/* pc */
	bool asked_firmware, have_pc, scanning, other_layout;
	char scan[FIELD_MAX], pc_why[160];
	struct err pc_err;
	int64_t scan_ms;

	/* windows: found by this job; chosen as the engineer sees it */
	bool found;
	size_t chosen;
	size_t check_at, plan_at;

	/* checks */
	char reason[FIELD_MAX];
	bool in_reason;

	/* confirm */
	char typed[FIELD_MAX];
	int button; /* 0 the field, 1 Back, 2 Change */

	/* progress */
	struct task apply;
	bool applying, applied, changed; /* changed: apply returned 0 */
	struct wizard_steps steps;
	int64_t shown_ms;

	/* undo: its own job, which becomes the session's when it was done */
	struct job *undo;
	char undo_name[16]; /* whom it is offered for, "" nobody */
	bool undone;

	/* widgets of the screen that is shown */
	struct list list;
	struct field field;
};

/* Text lines of a screen's body, from row y on; returns the row below. */
int wizard_text(struct wizard *w, int y, enum ui_style style, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* "  Label          text": the label in the head style, the text wrapped beside it. */
int wizard_pair(struct wizard *w, int y, const char *label, const char *text);

/* A state word, then text beside it. */
int wizard_state(struct wizard *w, int y, enum job_verdict v, const char *text);

const char *wizard_word(enum job_verdict v);
enum ui_style wizard_style(enum job_verdict v);

/* The end of the PC's name, or its label: what a person has to type to say yes. */
bool wizard_names(const char *typed, const struct job_pc *pc);

/* A list in the body's rows [y, y + height). */
void wizard_list(struct wizard *w, int y, int height, size_t count, list_row row);
void wizard_drop_widgets(struct wizard *w);
/* The same of a screen with the end of a name to type; w->typed keeps it. */
void wizard_drop_typed(struct wizard *w);

/* Before this PC's disks are looked at: their drivers may still be on their way. */
void wizard_wait_disks(struct wizard *w);

/* Build the screen anew, after what it shows has changed shape. */
void wizard_redraw(struct wizard *w);

/* The job is no longer valid for what was chosen: close it, forget everything derived from it. */
void wizard_forget_job(struct wizard *w);

#endif
