/*
 * Loading kernel modules: finit_module(2), with what each needs before it, each once.
 *
 * Signatures are checked by the kernel. A module that does not load is said in the kernel's log and
 * not tried again; the stick goes on without it.
 */
#ifndef INIT_MODLOAD_H
#define INIT_MODLOAD_H

#include "rootfs/init/modtab.h"

struct modload {
	int dir; /* the modules' folder */
	struct modtab tab;
};

/* The tables of the running kernel below root ("/lib/modules"). modload_close() also after failure.
 */
int modload_open(struct modload *m, const char *root, struct err *e);
void modload_close(struct modload *m);

/* By name; options may be NULL. A name that is not on the stick is nothing to do: it is built in,
 * or not wanted. */
void modload_name(struct modload *m, const char *name, const char *options);

/* Every module that wants this device. */
void modload_device(struct modload *m, const char *modalias);

#endif
