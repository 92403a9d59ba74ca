/*
 * Keyboard layouts: which one Windows offers before anybody has signed in, and
 * to everybody who signs in for the first time.
 *
 * Both hives, System32\config\DEFAULT (the sign-in screen) and
 * Users\Default\NTUSER.DAT (what new profiles are copied from), have a key
 * "Keyboard Layout": Preload\1 names the layout to load first, by the language
 * and layout in eight hexadecimal digits; a layout that is not its language's
 * own goes through Substitutes. SYSTEM's Control\Keyboard Layouts lists what
 * this Windows has. Sources: docs/windows.md.
 */
#ifndef WINDOWS_KEYBOARD_H
#define WINDOWS_KEYBOARD_H

#include <stdint.h>

#include "base/err.h"
#include "hive/hive.h"
#include "windows/edits.h"
#include "windows/facts.h"

struct keyboard {
	uint16_t language; /* 0x0407 */
	uint32_t layout;   /* 0x00000407 */
};

/* -ERR_NOTFOUND when the control set of an open SYSTEM hive does not list the layout. */
int keyboard_check(const struct hive *system, const struct windows_facts *f,
	const struct keyboard *k, struct err *e);

/* For either hive, of which h is one, open. edits must be empty. */
int keyboard_edits(
	const struct hive *h, const struct keyboard *k, struct reg_edits *edits, struct err *e);

#endif
