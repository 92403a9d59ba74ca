/*
 * Finish: an apply that was cut off after its entry was destroyed and before
 * its result was in the journal.
 *
 * The blob is gone, so nothing can be planned from it; but the undo record on
 * the stick knows by keyed hashes what was written. A disk that holds exactly
 * that is joined: what is missing are records on the stick, and perhaps the
 * other half of the slot. The job goes its usual way, with one check and with
 * a plan that is there already; nothing but leftovers is touched on the disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "job/internal.h"
#include "job/undo_state.h"
#include "journal/journal.h"

#define OPEN_INTENTS_MAX 64

/* The first and the last intent of the selected PC that has no result. */
static bool find_intents(
	struct job *j, struct journal_pending *oldest, struct journal_pending *newest)
{
	struct journal_pending open[OPEN_INTENTS_MAX];
	size_t n = 0;
	bool found = false;
	if (journal_pending_intent(stick_dir(j->stick), open, OPEN_INTENTS_MAX, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n && i < OPEN_INTENTS_MAX; i++) {
		if (strcmp(open[i].computer_name, j->pc.name) != 0)
			continue;
		if (!found)
			*oldest = open[i];
		*newest = open[i];
		found = true;
	}
	return found;
}

bool finish_has_intent(struct job *j)
{
	struct journal_pending oldest, newest;
	bool found = find_intents(j, &oldest, &newest);
	if (found)
		j->intent = newest.seq;
	return found;
}

int64_t finish_as_of(struct job *j)
{
	struct journal_pending oldest, newest;
	return find_intents(j, &oldest, &newest) ? oldest.utc : clock_now();
}

bool finish_is_open(struct job *j)
{
	undo_record_clear(&j->undo);
	return finish_has_intent(j) && undo_record_load(j, &j->undo, NULL) == 0;
}

int finish_verify(struct job *j, struct err *e)
{
	int holds = undo_compare(j, &j->undo, NULL, e);
	if (holds < 0 || holds & UNDO_HOLDS_AFTER)
		return holds < 0 ? holds : 0;
	return err_set(e, ERR_SPENT,
		"The disk is untouched. Ask the lab to provision this PC again.",
		"the entry of %s was already used, and this disk does not hold its join",
		j->pc.name);
}

static int take_item(const struct undo_item *from, struct plan_item *it, struct err *e)
{
	it->kind = from->kind;
	it->store = from->store;
	it->place = strdup(from->place);
	it->name = from->kind == PLAN_VALUE ? strdup(from->name) : NULL;
	it->type = from->type;
	it->secret = true;
	it->existed = from->existed;
	it->before = strdup("(kept on the stick)");
	it->after = strdup("(written by the interrupted run)");
	return it->place && it->before && it->after && (it->name || from->kind != PLAN_VALUE)
		       ? 0
		       : err_nomem(e);
}

int finish_plan(struct job *j, struct plan *p, struct err *e)
{
	plan_clear(p);
	p->items = calloc(j->undo.count, sizeof *p->items);
	if (!p->items)
		return err_nomem(e);
	int ret = 0;
	for (; ret == 0 && p->count < j->undo.count; p->count++)
		ret = take_item(&j->undo.items[p->count], &p->items[p->count], e);
	p->method = j->undo.method;
	memcpy(p->hash, j->undo.plan, sizeof p->hash);
	if (ret < 0)
		plan_clear(p);
	return ret;
}
