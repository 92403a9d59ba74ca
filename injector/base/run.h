/*
 * Other programs of the lab's machine: mkfs.fat and mcopy, when a stick is made.
 * Never used on the stick. No shell and no PATH: an argument vector, a program
 * from the system's own folders, a fixed environment.
 */
#ifndef BASE_RUN_H
#define BASE_RUN_H

#include "base/err.h"

/* Run argv[0] and wait; argv ends with NULL. Its output is shown to nobody, but its last words are
 * in the error. -ERR_NOTFOUND when it is not installed (`package` is named), -ERR_FAILED when it
 * ends with another status than 0. Descriptors without O_CLOEXEC are inherited: "/proc/self/fd/N"
 * names one. */
int run_program(const char *const *argv, const char *package, struct err *e);

#endif
