/*
 * On the stick the wizard starts before the drivers of this PC's disks are loaded. init says when
 * they are: a file appears, whose name is in the environment (DRIVERS). Elsewhere nothing is waited
 * for.
 */
#ifndef TUI_DRIVERS_H
#define TUI_DRIVERS_H

#include <stdbool.h>

#include "base/err.h"

/* True when there is something to wait for. */
bool drivers_pending(void);

/* Until the file is there, or for DRIVERS_PATIENCE. A task_fn without argument; never fails: a disk
 * whose driver hangs is not found, and the list of what was found says so. */
#define DRIVERS_PATIENCE 30000 /* ms */
int drivers_wait(void *arg, struct err *e);

#endif
