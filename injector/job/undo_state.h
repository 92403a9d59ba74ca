/*
 * What a disk holds of an undo record's two states, the one before and the one
 * that was written. Private to job/.
 */
#ifndef JOB_UNDO_STATE_H
#define JOB_UNDO_STATE_H

#include "hive/hive.h"
#include "job/undo_record.h"
#include "volume/volume.h"

#define UNDO_PLACE_MAX 512

/* Of a whole disk, or of one item; an item may hold both. EITHER: each item holds one of the two,
 * so something was cut off in between. */
enum { UNDO_HOLDS_NOTHING = 0, UNDO_HOLDS_AFTER = 1, UNDO_HOLDS_BEFORE = 2, UNDO_HOLDS_EITHER = 4 };

bool undo_uses(const struct undo_record *r, int store);

/* Read what is there now into the items' before, existed, depth and type. */
int undo_capture(struct job *j, struct undo_record *r, struct err *e);

/* each (NULL, or r->count) is filled per item. The bits of the whole, or -ERR_*. */
int undo_compare(struct job *j, const struct undo_record *r, int *each, struct err *e);

/* The first n parts of a place ("A\B\C", "/Windows/Panther/x"); false when it has fewer. */
bool undo_first_parts(const char *place, char sep, uint32_t n, char out[UNDO_PLACE_MAX]);

/* How many leading parts of a key path exist. */
uint32_t undo_key_depth(const struct hive *h, const char *place);

#endif
