/*
 * Every power cut in what tape.h recorded: after each operation; with all that
 * was not synced lost, on the disk, the stick or both; with one unsynced
 * operation lost, or nothing but that one there; with a write torn.
 *
 * Not torn: records of NTFS itself (FILE, INDX), which are torn only by a disk
 * that breaks its promise of whole sectors of 1 or 4 KiB; nobody but a journal
 * of NTFS could heal those, and libntfs-3g writes none.
 */
#ifndef TESTS_UNIT_TAPE_CUT_H
#define TESTS_UNIT_TAPE_CUT_H

#include "tape.h"

static void tape_record(void)
{
	tape_forget_ops();
	tape_names_from(tape_base, tape_base_nodes);
	tape.recording = true;
}

static void tape_stop(void)
{
	tape.recording = false;
}

/* --- every cut ------------------------------------------------------------------------------- */

static bool tape_is_sync(const struct tape_op *op)
{
	return op->what == TAPE_SYNC || op->what == TAPE_SYNC_DIR;
}

static bool tape_covers(const struct tape_op *sync, const struct tape_op *op)
{
	bool name = op->what == TAPE_CREATE || op->what == TAPE_RENAME || op->what == TAPE_UNLINK;
	if (name && sync->what == TAPE_SYNC_DIR) {
		const char *path = op->what == TAPE_RENAME ? op->to : op->path;
		size_t n = (size_t)(strrchr(path, '/') - path);
		return strlen(sync->path) == n && strncmp(sync->path, path, n) == 0;
	}
	return !name && sync->what == TAPE_SYNC && sync->node == op->node;
}

/* Operation i, before k, is not known to be on its device at k. */
static bool tape_pending(size_t i, size_t k)
{
	if (tape_is_sync(&tape.ops[i]))
		return false;
	for (size_t s = i + 1; s < k; s++)
		if (tape_is_sync(&tape.ops[s]) && tape_covers(&tape.ops[s], &tape.ops[i]))
			return false;
	return true;
}

enum { DISK_SIDE = 1, STICK_SIDE = 2 };

static int tape_side(size_t i)
{
	return tape.ops[i].node == TAPE_DISK ? DISK_SIDE : STICK_SIDE;
}

static struct tape_cut tape_prefix(size_t k)
{
	struct tape_cut cut = {.torn = TAPE_OPS};
	for (size_t i = 0; i < k; i++)
		cut.kept[i] = true;
	return cut;
}

typedef void (*tape_look)(const struct tape_cut *cut, const char *what, void *ctx);

/* All that was not synced is lost: of the disk, of the stick, of both. */
static void tape_lose(size_t k, tape_look look, void *ctx)
{
	for (int sides = DISK_SIDE; sides <= (DISK_SIDE | STICK_SIDE); sides++) {
		struct tape_cut cut = tape_prefix(k);
		int found = 0;
		char what[96];
		for (size_t i = 0; i < k; i++)
			if (tape_side(i) & sides && tape_pending(i, k)) {
				cut.kept[i] = false;
				found |= tape_side(i);
			}
		snprintf(what, sizeof what, "cut %zu, unsynced lost on side %d", k, sides);
		if (found == sides)
			look(&cut, what, ctx);
	}
}

/* Of what was not synced, one is lost, or one is all there is. */
static void tape_lose_one(size_t k, tape_look look, void *ctx)
{
	for (size_t one = 0; one < k; one++) {
		char what[96];
		if (!tape_pending(one, k))
			continue;
		struct tape_cut without = tape_prefix(k), alone = tape_prefix(k);
		without.kept[one] = false;
		for (size_t i = 0; i < k; i++)
			if (i != one && tape_side(i) == tape_side(one) && tape_pending(i, k))
				alone.kept[i] = false;
		snprintf(what, sizeof what, "cut %zu, without %zu", k, one);
		look(&without, what, ctx);
		snprintf(what, sizeof what, "cut %zu, of the unsynced only %zu", k, one);
		look(&alone, what, ctx);
	}
}

static bool tape_is_record(const struct tape_op *op)
{
	return op->node == TAPE_DISK && op->n >= 4 &&
	       (memcmp(op->data, "FILE", 4) == 0 || memcmp(op->data, "INDX", 4) == 0);
}

static void tape_tear(size_t k, tape_look look, void *ctx)
{
	for (enum tape_half half = FIRST_HALF; half <= SECOND_HALF; half++) {
		struct tape_cut cut = tape_prefix(k);
		size_t from, to;
		char what[96];
		cut.kept[k] = true;
		cut.torn = k;
		cut.half = half;
		tape_part(&tape.ops[k], half, &from, &to);
		snprintf(what, sizeof what, "cut %zu, half %d of a write", k, (int)half);
		if (from < to && to - from < tape.ops[k].n && !tape_is_record(&tape.ops[k]))
			look(&cut, what, ctx);
	}
}

/* Every stride-th operation gets all kinds of cuts; each gets the plain one. */
static void tape_cuts(size_t stride, tape_look look, void *ctx)
{
	for (size_t k = 0; k <= tape.count; k++) {
		char what[96];
		struct tape_cut cut = tape_prefix(k);
		snprintf(what, sizeof what, "cut %zu", k);
		look(&cut, what, ctx);
		bool closes = k == tape.count || tape_is_sync(&tape.ops[k]);
		if (k % stride)
			continue;
		tape_lose(k, look, ctx);
		if (closes)
			tape_lose_one(k, look, ctx);
		else if (tape.ops[k].what == TAPE_WRITE)
			tape_tear(k, look, ctx);
	}
}

#endif
