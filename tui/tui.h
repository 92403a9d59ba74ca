/*
 * The wizard: the screens an engineer sees on the stick.
 *
 * unlock -> this PC -> Windows -> checks -> plan -> confirm -> progress -> result.
 * Everything that is decided or done is job/'s; tui/ shows it and asks. It
 * knows job/, bundle/, journal/ and base/, nothing below. See docs/wizard.md.
 */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include <stdbool.h>

#include "base/err.h"

struct tui_options {
	const char *stick;	     /* the stick's data folder */
	const char *target;	     /* what to search for Windows; NULL: every disk of this PC */
	const char *dmi;	     /* folder with SMBIOS strings; NULL: the kernel's */
	const char *sys;	     /* root of sysfs; NULL: the kernel's, unless dmi is given */
	const char *passphrase_file; /* NULL: ask */
	bool automatic;		     /* go on by itself wherever exactly one good answer exists */
};

/* What init has to do after a session; also the exit status of `odjstick wizard`. */
#define TUI_POWER_OFF 0
#define TUI_REBOOT 10

/* Full-screen session on the terminal of stdin and stdout, and the same session as lines of text.
 * Return TUI_POWER_OFF, TUI_REBOOT, or a negative code when the session could not be held. */
int tui_wizard(const struct tui_options *opt, struct err *e);
int tui_plain(const struct tui_options *opt, struct err *e);

#endif
