/* One blocking call on a thread of its own, so that the screen stays alive. */
#ifndef TUI_TASK_H
#define TUI_TASK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

typedef int (*task_fn)(void *arg, struct err *e);

struct task {
	pthread_t thread;
	task_fn fn;
	void *arg;
	atomic_bool done;
	int ret;
	struct err e;
};

/* t must stay where it is until task_join(). */
int task_start(struct task *t, task_fn fn, void *arg, struct err *e);
bool task_done(struct task *t);
int task_join(struct task *t, struct err *e); /* what fn returned */

#endif
