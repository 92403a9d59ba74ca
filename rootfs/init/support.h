/*
 * The `support` boot entry: what this PC is and what its drivers say, as a text file on the stick,
 * for the lab to read where the stick does not do what it should. Instead of a shell.
 *
 * In the report: firmware, processor, memory, PCI and USB devices, disks, keyboards, devices
 * without a driver, modules, the kernel's log. Never in it: anything of the bundle, the journal or
 * the PC's disks, and no serial number or UUID; init has no passphrase and opens no file on the
 * stick.
 */
#ifndef INIT_SUPPORT_H
#define INIT_SUPPORT_H

#include "base/mem.h"
#include "rootfs/init/console.h"

/* Where a report looks; NULL for the running system. A test gives a folder in the place of "/". */
int support_report(const char *root, struct buf *out, struct err *e);

/* The kernel's log without the lines that carry serial numbers. */
int support_log(const char *log, size_t len, struct buf *out, struct err *e);

/* Write the report into the stick's folder, say so, wait for Enter (at most a minute). */
void support_run(const struct console *c, const char *stick);

#endif
