#include "journal/event.h"

#include "journal/table.h"

static const struct {
	const char *name;
	enum journal_kind kind;
} fields[JOURNAL_FIELD_COUNT] = {
#define X(id, name, kind) [id] = {name, kind},
	JOURNAL_FIELDS(X)
#undef X
};

static const struct event_rule rules[JOURNAL_EVENT_COUNT] = {
#define X(id, name, must, may) [id] = {name, must, may},
	JOURNAL_EVENTS(X)
#undef X
};

_Static_assert(JOURNAL_FIELD_COUNT <= 64, "a set of fields is a 64-bit mask");

const char *journal_event_name(enum journal_event ev)
{
	return ev < JOURNAL_EVENT_COUNT ? rules[ev].name : "unknown";
}

const char *journal_field_name(enum journal_field id)
{
	return id < JOURNAL_FIELD_COUNT ? fields[id].name : "unknown";
}

enum journal_kind journal_field_kind(enum journal_field id)
{
	return id < JOURNAL_FIELD_COUNT ? fields[id].kind : JOURNAL_LABEL;
}

const struct event_rule *event_rule(enum journal_event ev)
{
	return &rules[ev];
}
