/*
 * Decide: from the setup phase, the method asked for and the state of the join
 * to the method that is used, or to a refusal. Pure; nothing but this decides.
 *
 * The whole table is tests/vectors/decision.md, shown in docs/windows.md and
 * compared cell by cell with these functions by tests/unit/decide_test.c.
 */
#ifndef JOB_DECIDE_H
#define JOB_DECIDE_H

#include <stdbool.h>

#include "bundle/settings.h"
#include "job/plan.h"
#include "windows/facts.h"

enum decide_state {
	STATE_NONE,	     /* a workgroup PC */
	STATE_PENDING_SAME,  /* exactly what this plan would write waits for the next start */
	STATE_PENDING_OTHER, /* another offline join waits, or ours by another method */
	STATE_JOINED_SAME,   /* member of this row's domain */
	STATE_JOINED_OTHER,
	STATE_LEFTOVER, /* parts of an earlier offline join */
	STATE_UNKNOWN,
};
#define STATE_COUNT 7

/* The method asked for: `named` by whoever runs the job (--method; NULL when nobody did), also when
 * that is auto; else the row's column. */
enum plan_method decide_wanted(const enum plan_method *named, enum settings_method row);

/* Does the method asked for fit the phase? *method is what is used; when nothing fits it is
 * PLAN_AUTO, when something else would fit it is that. */
bool decide_method(enum windows_phase phase, enum plan_method wanted, enum plan_method *method);

/* May a disk in this state be changed? */
bool decide_state(enum decide_state state);

#endif
