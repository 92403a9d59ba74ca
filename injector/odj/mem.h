/*
 * Memory of one decoded blob: many small public pieces, freed together.
 * Private to odj/. Passwords are registered here so that clearing wipes them.
 */
#ifndef ODJ_MEM_H
#define ODJ_MEM_H

#include <stddef.h>

#include "base/err.h"
#include "odj/odj.h"

/* Zeroed memory that lives as long as o; NULL and e filled when there is none. */
void *odj_mem_new(struct odj *o, size_t size, struct err *e);

/* A win7 blob whose password odj_clear() will wipe. */
struct odj_win7 *odj_mem_win7(struct odj *o, struct err *e);

#endif
