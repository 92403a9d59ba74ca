/*
 * Running the wizard: as a program of its own, again when it crashes, and what its end means.
 */
#ifndef INIT_WIZARD_H
#define INIT_WIZARD_H

#include "rootfs/init/console.h"

/* A file that is there once the drivers are loaded; the wizard is told its name (DRIVERS=...) and
 * does not look for Windows before. */
#define WIZARD_DRIVERS "/run/drivers"

enum wizard_end { WIZARD_OFF, WIZARD_REBOOT, WIZARD_BROKEN, WIZARD_STOPPED };

/* Called between, so that devices which show up while the wizard runs get their drivers: waits
 * until something happens with `child` or with the devices. False: the wizard must end, whatever it
 * says then; it closes its journal when it is asked to end. */
typedef bool wizard_idle_fn(void *ctx);

/* Until the wizard says how to end. Exit status 0: switch off; 10: start again; anything else, or a
 * signal: it crashed and is started again, three times. keymap: the layout that is loaded, for the
 * wizard to name it; "" when none is. */
enum wizard_end wizard_run(const struct console *c, const char *stick, const char *keymap,
	wizard_idle_fn *idle, void *ctx);

#endif
