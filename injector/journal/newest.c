#include "journal/newest.h"

#include <string.h>

#include "journal/store.h"

/* True when the session before has to be looked at too. */
static bool look(const char *folder, uint64_t session, int64_t *newest)
{
	struct store_session s;
	struct record_view v;
	char clock[JOURNAL_CODE_MAX + 1];
	bool behind = false;
	if (store_load(&s, folder, session, NULL) < 0)
		return false;
	while (store_next(&s, &v)) {
		if (v.pub.utc > *newest)
			*newest = v.pub.utc;
		if (v.pub.id == JE_SESSION_START &&
			journal_get_text(&v.pub, JF_CLOCK, clock, sizeof clock))
			behind = strcmp(clock, "ok") != 0;
	}
	store_unload(&s);
	return behind;
}

int64_t newest_time(const char *folder, uint64_t last)
{
	int64_t newest = 0;
	for (unsigned i = 0; i < NEWEST_SESSIONS_MAX; i++)
		if (!look(folder, last, &newest) || last-- == 0)
			break;
	return newest;
}
