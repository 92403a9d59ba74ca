/* The event table as the encoder and the parser look it up. Internal to journal/. */
#ifndef JOURNAL_TABLE_H
#define JOURNAL_TABLE_H

#include "journal/event.h"

struct event_rule {
	const char *name;
	uint64_t must; /* sets of JF(id) */
	uint64_t may;
};

const struct event_rule *event_rule(enum journal_event ev); /* ev < JOURNAL_EVENT_COUNT */

#endif
