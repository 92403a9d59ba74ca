/*
 * The kernel modules in the initramfs: which one a device asks for, and what must be loaded before.
 *
 * Reads depmod's own text tables, modules.alias and modules.dep (kmod's modules.dep(5) and
 * modules.alias lines "alias PATTERN MODULE"). The tables are ours, made at build time, but a line
 * that is not understood is still only skipped. A table owns its texts; module numbers are stable.
 */
#ifndef INIT_MODTAB_H
#define INIT_MODTAB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

#define MODTAB_DEPS_MAX 32
#define MODTAB_NONE ((size_t)-1)

enum modtab_state { MODTAB_NEW, MODTAB_LOADED, MODTAB_FAILED };

struct modtab_module {
	const char *path; /* below the modules' folder: "kernel/fs/fat/vfat.ko" */
	size_t deps[MODTAB_DEPS_MAX];
	size_t n_deps;
	enum modtab_state state;
};

struct modtab_alias {
	const char *pattern;
	size_t module;
};

struct modtab {
	struct buf alias_text, dep_text;
	struct modtab_module *modules;
	size_t n_modules;
	struct modtab_alias *aliases;
	size_t n_aliases;
};

/* Takes over both texts (each ends in a NUL behind len), also when it fails. */
int modtab_init(struct modtab *t, struct buf *alias_text, struct buf *dep_text, struct err *e);
void modtab_clear(struct modtab *t);

/* By name, '-' and '_' being the same; MODTAB_NONE when it is not there. */
size_t modtab_find(const struct modtab *t, const char *name);

/* Shell pattern with '*', '?' and '[...]', against the whole text; '-' and '_' are the same. */
bool modtab_match(const char *pattern, const char *text);

/* Calls found() with the module of every alias that matches. */
void modtab_lookup(const struct modtab *t, const char *modalias,
	void (*found)(void *ctx, size_t module), void *ctx);

#endif
