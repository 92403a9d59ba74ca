#include "tui/task.h"

#include <signal.h>

#define TASK_STACK                                                                                 \
	(4u << 20) /* musl's default of 128 KiB is too little for a file system driver             \
		    */

static void *task_main(void *p)
{
	struct task *t = p;
	t->ret = t->fn(t->arg, &t->e);
	atomic_store(&t->done, true);
	return NULL;
}

int task_start(struct task *t, task_fn fn, void *arg, struct err *e)
{
	t->fn = fn;
	t->arg = arg;
	t->ret = 0;
	err_clear(&t->e);
	atomic_init(&t->done, false);
	/* signals belong to the thread that draws */
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, TASK_STACK);
	int bad = pthread_create(&t->thread, &attr, task_main, t);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (bad)
		return err_set(e, ERR_NOMEM, "Nothing was changed. Restart the PC and try again.",
			"a working thread could not be started");
	return 0;
}

bool task_done(struct task *t)
{
	return atomic_load(&t->done);
}

int task_join(struct task *t, struct err *e)
{
	pthread_join(t->thread, NULL);
	if (t->ret < 0 && e)
		*e = t->e;
	return t->ret;
}
