/*
 * Registry edits as data: what to write where, for job/ to plan, apply, verify
 * and undo. This module knows the list and the coding of values, not what they
 * mean; join.h, firstboot.h, zone.h and keyboard.h fill it.
 *
 * Every byte of value data is a secret: one of them is the machine password in
 * the clear, and nobody should have to remember which.
 */
#ifndef WINDOWS_EDITS_H
#define WINDOWS_EDITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define REG_EDIT_KEY_MAX 96
#define REG_EDIT_NAME_MAX 40
#define REG_EDITS_MAX 128

enum { REG_SZ = 1, REG_EXPAND_SZ = 2, REG_BINARY = 3, REG_DWORD = 4 };

enum reg_edit_op {
	REG_EDIT_SET, /* create the key path when absent, set the value */
	REG_EDIT_KEY, /* create the key, empty */
};

struct reg_edit {
	enum reg_edit_op op;
	char key[REG_EDIT_KEY_MAX]; /* "ControlSet001\Control\LSA\OfflineJoin" */
	const char *name;	    /* of the value; NULL for REG_EDIT_KEY */
	char name_text[REG_EDIT_NAME_MAX];
	uint32_t type;
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

void reg_edits_clear(struct reg_edits *edits);

/*
 * Building a list: the first failure sticks in `ret`, so the list reads
 * straight down. edits must be empty; edit_end() empties it after a failure.
 */
struct edit_maker {
	struct reg_edits *edits;
	uint32_t set; /* control set the keys are in; 0: directly below the root */
	int ret;
	struct err *e;
};

void edit_begin(struct edit_maker *m, struct reg_edits *edits, struct err *e);
int edit_end(struct edit_maker *m);

void edit_key(struct edit_maker *m, const char *key);
void edit_dword(struct edit_maker *m, const char *key, const char *name, uint32_t value);
void edit_binary(struct edit_maker *m, const char *key, const char *name, const void *p, size_t n);
/* UTF-16LE units, to which the closing NUL is added. The edit, to be marked sensitive, or NULL. */
struct reg_edit *edit_units(
	struct edit_maker *m, const char *key, const char *name, const uint8_t *p, size_t len);
/* ASCII text as REG_SZ or REG_EXPAND_SZ. */
void edit_text(
	struct edit_maker *m, const char *key, const char *name, uint32_t type, const char *s);

/* The control sets to edit, Select\Current and Select\Default when that is another: 1 or 2, or
 * -ERR_UNSAFE when the facts name none. */
struct windows_facts;
int edit_control_sets(const struct windows_facts *f, uint32_t sets[2], struct err *e);

#endif
