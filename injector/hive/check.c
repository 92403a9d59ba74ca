/*
 * Structure check: base block, cells, the security ring, leaks. Everything
 * Windows is known to reject or repair is an error; what it tolerates is a
 * warning; leaked cells are information.
 */
#include "hive/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void finding(struct checker *c, enum hive_level level, uint32_t cell, const char *fmt, ...)
{
	char text[512];
	if (level == HIVE_ERROR)
		c->out->errors++;
	if (level == HIVE_WARN)
		c->out->warnings++;
	if (!c->found)
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->found(c->ctx, &(struct hive_finding){level, cell, text});
}

/* --- which cells something points at ---
 *
 * Cells are numbered in the order of the image, so that a bit per cell is enough: a tenth of what
 * a bit per 8 bytes takes, and the check is where the most memory is in use.
 */

#define RANK_SPAN 4096U
#define RANK_WORDS (RANK_SPAN / 512)

static int refs_start(struct checker *c, struct err *e)
{
	const uint64_t *starts = c->h->starts;
	uint32_t words = c->h->len / 512, cells = 0;
	c->rank = malloc((words / RANK_WORDS + 1) * sizeof *c->rank);
	if (!c->rank)
		return err_nomem(e);
	for (uint32_t w = 0; w < words; w++) {
		if (w % RANK_WORDS == 0)
			c->rank[w / RANK_WORDS] = cells;
		cells += (uint32_t)__builtin_popcountll(starts[w]);
	}
	c->refs = calloc(cells / 8 + 1, 1);
	return c->refs ? 0 : err_nomem(e);
}

static uint32_t cell_number(const struct checker *c, uint32_t at)
{
	uint32_t w = at / 512, first = w - w % RANK_WORDS, n = c->rank[w / RANK_WORDS];
	for (uint32_t i = first; i < w; i++)
		n += (uint32_t)__builtin_popcountll(c->h->starts[i]);
	uint64_t before = (1ULL << at / 8 % 64) - 1;
	return n + (uint32_t)__builtin_popcountll(c->h->starts[w] & before);
}

bool check_seen(const struct checker *c, uint32_t at)
{
	uint32_t n = cell_number(c, at);
	return c->refs[n / 8] >> n % 8 & 1;
}

static void mark(struct checker *c, uint32_t at)
{
	uint32_t n = cell_number(c, at);
	if (c->refs[n / 8] >> n % 8 & 1)
		finding(c, HIVE_ERROR, at, "cell is referenced more than once");
	c->refs[n / 8] |= (uint8_t)(1U << n % 8);
}

const uint8_t *checked_cell(struct checker *c, uint32_t at, uint32_t least, bool count, uint32_t *n,
	uint32_t key, const char *what)
{
	const uint8_t *p = cell_data(c->h, at, n);
	if (!p) {
		finding(c, HIVE_ERROR, key, "%s: %#x is %s", what, at,
			cell_starts(c->h, at) ? "a free cell" : "no cell");
		return NULL;
	}
	if (*n < least) {
		finding(c, HIVE_ERROR, key, "%s: cell %#x has %u bytes, needs %u", what, at, *n,
			least);
		return NULL;
	}
	if (count)
		mark(c, at);
	return p;
}

int check_push(struct checker *c, uint32_t cell, uint32_t parent, uint32_t depth, struct err *e)
{
	if (c->depth == c->stack_cap) {
		uint32_t cap = c->stack_cap ? c->stack_cap * 2 : 256;
		struct check_item *p = realloc(c->stack, cap * sizeof *p);
		if (!p)
			return err_nomem(e);
		c->stack = p;
		c->stack_cap = cap;
	}
	c->stack[c->depth++] = (struct check_item){cell, parent, depth};
	return 0;
}

/* --- security --- */

static struct sk_count *sk_slot(const struct checker *c, uint32_t cell)
{
	uint32_t i = (cell / 8 * 2654435761U) & (c->sk_cap - 1);
	while (c->sk[i].cell != NIL && c->sk[i].cell != cell)
		i = (i + 1) & (c->sk_cap - 1);
	return &c->sk[i];
}

static int sk_grow(struct checker *c, struct err *e)
{
	struct sk_count *old = c->sk;
	uint32_t n = c->sk_cap;
	c->sk_cap = n ? n * 2 : 1024;
	c->sk = malloc(c->sk_cap * sizeof *c->sk);
	if (!c->sk) {
		c->sk = old;
		c->sk_cap = n;
		return err_nomem(e);
	}
	memset(c->sk, 0xff, c->sk_cap * sizeof *c->sk);
	for (uint32_t i = 0; i < n; i++)
		if (old[i].cell != NIL)
			*sk_slot(c, old[i].cell) = old[i];
	free(old);
	return 0;
}

int check_sk_count(struct checker *c, uint32_t cell, struct err *e)
{
	if (c->sk_used * 2 >= c->sk_cap) {
		int ret = sk_grow(c, e);
		if (ret < 0)
			return ret;
	}
	struct sk_count *s = sk_slot(c, cell);
	if (s->cell == NIL) {
		*s = (struct sk_count){cell, 0};
		c->sk_used++;
	}
	s->count++;
	return 0;
}

/* One member of the ring; false ends the walk. */
static bool check_sk(struct checker *c, uint32_t at, uint32_t *next, uint32_t *known)
{
	uint32_t n, m;
	const uint8_t *p = checked_cell(c, at, SK_SD, true, &n, at, "security ring");
	if (!p)
		return false;
	if (memcmp(p, "sk", 2) != 0) {
		finding(c, HIVE_ERROR, at, "security ring holds a cell of another kind");
		return false;
	}
	c->out->securities++;
	uint32_t size = rd32(p + SK_SIZE), refs = rd32(p + SK_REFS), actual = 0;
	if (size > n - SK_SD)
		finding(c, HIVE_ERROR, at, "security descriptor is longer than its cell");
	else if (!security_valid((struct span){p + SK_SD, size}))
		finding(c, HIVE_WARN, at, "security descriptor is not well-formed");
	*next = rd32(p + SK_NEXT);
	const uint8_t *q = cell_data(c->h, *next, &m);
	if (!q || m < SK_SD) {
		finding(c, HIVE_ERROR, at, "security ring leads to %#x, which is no record", *next);
		return false;
	}
	if (rd32(q + SK_PREV) != at)
		finding(c, HIVE_ERROR, at, "security ring: %#x does not point back", *next);
	if (c->sk_cap && sk_slot(c, at)->cell != NIL) {
		actual = sk_slot(c, at)->count;
		++*known;
	}
	if (refs != actual)
		finding(c, refs < actual ? HIVE_ERROR : HIVE_WARN, at,
			"security record counts %u keys, %u use it", refs, actual);
	return true;
}

static void check_ring(struct checker *c)
{
	uint32_t n, known = 0;
	const uint8_t *root = cell_data(c->h, hive_root(c->h), &n);
	if (!root || n < NK_NAME || c->sk_used == 0)
		return;
	uint32_t start = rd32(root + NK_SECURITY), at = start;
	do {
		uint32_t next;
		if (c->out->securities && cell_starts(c->h, at) && check_seen(c, at)) {
			finding(c, HIVE_ERROR, at, "security ring does not close");
			break;
		}
		if (!check_sk(c, at, &next, &known))
			break;
		at = next;
	} while (at != start);
	if (known < c->sk_used)
		finding(c, HIVE_ERROR, start, "%u security records in use are not in the ring",
			c->sk_used - known);
}

/* --- base block and cells --- */

static void check_base_block(struct checker *c)
{
	const uint8_t *b = c->h->base;
	if (!base_valid(b))
		finding(c, HIVE_ERROR, NIL, "base block: checksum is wrong");
	if (rd32(b + BB_SEQ1) != rd32(b + BB_SEQ2))
		finding(c, HIVE_ERROR, NIL, "not closed cleanly: sequence numbers %u and %u",
			rd32(b + BB_SEQ1), rd32(b + BB_SEQ2));
	if (rd32(b + BB_CLUSTER) != 1)
		finding(c, HIVE_WARN, NIL, "base block: cluster factor %u", rd32(b + BB_CLUSTER));
}

static void check_leak(struct checker *c, uint32_t at, uint32_t size)
{
	if (check_seen(c, at))
		return;
	c->out->leaked_cells++;
	c->out->leaked_bytes += size;
	finding(c, HIVE_INFO, at, "cell of %u bytes is in use but nothing refers to it", size);
}

static void check_cells(struct checker *c)
{
	const struct hive *h = c->h;
	for (uint32_t bin = 0; bin < h->len; bin += rd32(h->bins + bin + 8)) {
		uint32_t end = bin + rd32(h->bins + bin + 8);
		bool free_before = false;
		c->out->bins++;
		for (uint32_t at = bin + BIN_HEADER; at < end;) {
			uint32_t v = rd32(h->bins + at);
			bool used = v >> 31;
			uint32_t size = used ? 0U - v : v;
			if (used) {
				c->out->used_cells++;
				check_leak(c, at, size);
			} else {
				c->out->free_cells++;
				c->out->free_bytes += size;
				c->out->split_free += free_before;
			}
			free_before = !used;
			at += size;
		}
	}
	if (c->out->split_free)
		finding(c, HIVE_WARN, NIL, "%llu free cells lie beside another free cell",
			(unsigned long long)c->out->split_free);
}

static int walk(struct checker *c, struct err *e)
{
	int ret = check_push(c, hive_root(c->h), NIL, 0, e);
	while (ret == 0 && c->depth) {
		struct check_item it = c->stack[--c->depth];
		ret = check_key(c, &it, e);
	}
	return ret;
}

int hive_check(const struct hive *h, void (*found)(void *ctx, const struct hive_finding *f),
	void *ctx, struct hive_check *result, struct err *e)
{
	struct hive_check none;
	struct checker c = {.h = h, .found = found, .ctx = ctx, .out = result ? result : &none};
	*c.out = (struct hive_check){0};
	int ret = refs_start(&c, e);
	if (ret == 0) {
		check_base_block(&c);
		ret = walk(&c, e);
	}
	if (ret == 0) {
		check_ring(&c);
		check_cells(&c);
	}
	free(c.rank);
	free(c.refs);
	free(c.sk);
	free(c.stack);
	buf_clear(&c.names);
	return ret;
}
