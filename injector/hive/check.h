/* Structure check: state shared by check.c (cells, security) and check_key.c (keys, values). */
#ifndef HIVE_CHECK_H
#define HIVE_CHECK_H

#include "hive/hive_int.h"

struct sk_count {
	uint32_t cell, count;
};

struct check_item {
	uint32_t cell, parent, depth;
};

struct checker {
	const struct hive *h;
	void (*found)(void *ctx, const struct hive_finding *f);
	void *ctx;
	struct hive_check *out;
	uint32_t *rank;	     /* how many cells start before each stretch of RANK_SPAN bytes */
	uint8_t *refs;	     /* one bit per cell, by rank: something points at it */
	struct sk_count *sk; /* open addressing, cell NIL = free */
	uint32_t sk_cap, sk_used;
	struct check_item *stack;
	uint32_t depth, stack_cap;
	struct buf names; /* (hash, cell) pairs of one key's values */
};

void finding(struct checker *c, enum hive_level level, uint32_t cell, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Something pointed at this cell before. `at` is where a cell starts. */
bool check_seen(const struct checker *c, uint32_t at);

/* Data of a referenced cell with at least `least` bytes, NULL with a finding. count: mark it. */
const uint8_t *checked_cell(struct checker *c, uint32_t at, uint32_t least, bool count, uint32_t *n,
	uint32_t key, const char *what);

int check_push(struct checker *c, uint32_t cell, uint32_t parent, uint32_t depth, struct err *e);
int check_sk_count(struct checker *c, uint32_t cell, struct err *e);
int check_key(struct checker *c, const struct check_item *it, struct err *e);

#endif
