#include "tui/drivers.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAUSE 50 /* ms */

bool drivers_pending(void)
{
	const char *file = getenv("DRIVERS");
	return file && *file && access(file, F_OK) < 0;
}

int drivers_wait(void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	for (int ms = 0; ms < DRIVERS_PATIENCE && drivers_pending(); ms += PAUSE)
		(void)nanosleep(&(struct timespec){.tv_nsec = PAUSE * 1000000L}, NULL);
	return 0;
}
