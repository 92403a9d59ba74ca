/*
 * The system around the wizard: file systems of the kernel, what is closed to everybody, the log,
 * the stick's mount, and the end.
 */
#ifndef INIT_SYSTEM_H
#define INIT_SYSTEM_H

#include <stdbool.h>

#include "base/err.h"

/* /proc, /sys, /dev, /run; then no SysRq, no core dumps, no Ctrl-Alt-Del, no signals. */
void system_start(void);

/* A line in the kernel's log ("odjstick: ..."), never on the screen. */
void system_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Mount the data partition at dir, as docs/adr/0073 says. */
int system_mount(const char *device, const char *dir, struct err *e);

/* Write everything out and unmount; read-only when a program keeps it busy. */
void system_unmount(const char *device, const char *dir);

/* Kill what is left, let go of freed memory (which the kernel clears), switch off or start again.
 * Returns when the PC can do neither. */
void system_end(bool again);

/* A pause in thousandths of a second. */
void system_sleep(unsigned ms);

#endif
