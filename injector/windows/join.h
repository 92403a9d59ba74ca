/*
 * The join state: the exact registry edits that make an offline Windows a
 * domain member at its next start.
 *
 * Pure: from the decoded blob and the facts to a list; nothing is read or
 * written. The list is data for job/ (plan, apply, verify, undo). All edits are
 * in the SYSTEM hive, in the control set named by Select\Current, and again in
 * the one named by Select\Default when that differs.
 *
 * ActiveComputerName is never created: it is volatile in every real hive.
 * Source: facts on odj, section (c), third-party evidence; docs/windows.md.
 */
#ifndef WINDOWS_JOIN_H
#define WINDOWS_JOIN_H

#include "base/err.h"
#include "odj/odj.h"
#include "windows/edits.h"
#include "windows/facts.h"

/* -ERR_REFUSED when odj_check(ODJ_DIRECT) would stop, -ERR_UNSAFE when the facts name no control
 * set. edits must be empty; it is left empty on failure. */
int windows_join_edits(
	const struct odj *o, const struct windows_facts *f, struct reg_edits *edits, struct err *e);

/* Keys whose presence means an earlier offline join was left behind or is pending; relative to a
 * control set, ends with NULL. Preflight decides about them, undo needs them absent. */
extern const char *const windows_join_leftover_keys[];

#endif
