#include "odj/mem.h"

#include <stdint.h>
#include <stdlib.h>

/* The list lives in front of each piece. A flexible array keeps the piece aligned for any type. */
struct odj_mem {
	struct odj_mem *next;
	struct odj_win7 *win7; /* the piece, when it holds a password */
	max_align_t piece[];
};

void *odj_mem_new(struct odj *o, size_t size, struct err *e)
{
	if (size > SIZE_MAX - sizeof(struct odj_mem)) {
		err_nomem(e);
		return NULL;
	}
	struct odj_mem *m = calloc(1, sizeof *m + size);
	if (!m) {
		err_nomem(e);
		return NULL;
	}
	m->next = o->mem;
	o->mem = m;
	return m->piece;
}

struct odj_win7 *odj_mem_win7(struct odj *o, struct err *e)
{
	struct odj_win7 *w = odj_mem_new(o, sizeof *w, e);
	if (w)
		o->mem->win7 = w;
	return w;
}

void odj_clear(struct odj *o)
{
	while (o->mem) {
		struct odj_mem *m = o->mem;
		o->mem = m->next;
		if (m->win7)
			secret_clear(&m->win7->password);
		free(m);
	}
	*o = (struct odj)ODJ_INIT;
}
