/*
 * The join state: the exact registry edits that make an offline Windows a
 * domain member at its next start.
 *
 * Pure: from the decoded blob and the facts to a list; nothing is read or
 * written. The list is data for job/ (plan, apply, verify, undo). All edits are
 * in the SYSTEM hive, in the control set named by Select\Current, and again in
 * the one named by Select\Default when that differs.
 *
 * Every byte of value data is a secret: one of them is the machine password in
 * the clear, and nobody should have to remember which.
 *
 * ActiveComputerName is never created: it is volatile in every real hive.
 * Source: facts on odj, section (c), third-party evidence; docs/windows.md.
 */
#ifndef WINDOWS_JOIN_H
#define WINDOWS_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "odj/odj.h"
#include "windows/facts.h"

#define REG_EDIT_KEY_MAX 96
#define REG_EDITS_MAX 96

enum reg_edit_op {
	REG_EDIT_SET, /* create the key path when absent, set the value */
	REG_EDIT_KEY, /* create the key, empty */
};

struct reg_edit {
	enum reg_edit_op op;
	char key[REG_EDIT_KEY_MAX]; /* "ControlSet001\Control\LSA\OfflineJoin" */
	const char *name;	    /* NULL for REG_EDIT_KEY */
	uint32_t type;		    /* REG_SZ 1, REG_BINARY 3, REG_DWORD 4 */
	struct secret data;
	bool sensitive; /* the password: never shown, not even with the plan */
};

struct reg_edits {
	size_t count;
	struct reg_edit *v;
};

#define REG_EDITS_INIT                                                                             \
	{                                                                                          \
		0, NULL                                                                            \
	}

/* -ERR_REFUSED when odj_check(ODJ_DIRECT) would stop, -ERR_UNSAFE when the facts name no control
 * set. edits must be empty; it is left empty on failure. */
int windows_join_edits(
	const struct odj *o, const struct windows_facts *f, struct reg_edits *edits, struct err *e);
void reg_edits_clear(struct reg_edits *edits);

/* Keys whose presence means an earlier offline join was left behind or is pending; relative to a
 * control set, ends with NULL. Preflight decides about them, undo needs them absent. */
extern const char *const windows_join_leftover_keys[];

#endif
