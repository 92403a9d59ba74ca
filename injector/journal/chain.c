#include "journal/chain.h"

#include <string.h>

void chain_clear(struct chain *c)
{
	buf_clear(&c->open);
	*c = (struct chain){0};
}

size_t chain_open_count(const struct chain *c)
{
	return c->open.len / sizeof(struct chain_open);
}

struct chain_open chain_open_at(const struct chain *c, size_t i)
{
	struct chain_open o;
	memcpy(&o, c->open.p + i * sizeof o, sizeof o);
	return o;
}

static void pop_open(struct chain *c)
{
	c->open.len -= sizeof(struct chain_open);
	memmove(c->open.p, c->open.p + sizeof(struct chain_open), c->open.len);
}

static int broken(struct chain *c, const char *why)
{
	c->why = why;
	return -ERR_INTEGRITY;
}

static bool get_hash(const struct record_view *v, enum journal_field id, uint8_t *out)
{
	return journal_get_hash(&v->pub, id, out);
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, JOURNAL_HASH_SIZE) == 0;
}

/* --- one record ------------------------------------------------------------------------------ */

static int check_genesis(struct chain *c, const struct record_view *v)
{
	static const uint8_t none[JOURNAL_HASH_SIZE];
	uint8_t lab[JOURNAL_HASH_SIZE];
	char by[8];
	if (v->pub.id != JE_GENESIS)
		return broken(c, "the journal does not begin with its first record");
	if (v->head.seq != 0 || v->head.session != 0 || !same(v->head.prev, none))
		return broken(c, "the first record has a predecessor");
	get_hash(v, JF_NEXT, c->announced);
	get_hash(v, JF_LAB, lab);
	journal_get_text(&v->pub, JF_SIGNED_BY, by, sizeof by);
	if (strcmp(by, "lab") != 0 && strcmp(by, "self") != 0)
		return broken(c, "nobody signed the first record");
	if (!record_signed_by(v, strcmp(by, "lab") == 0 ? lab : c->announced))
		return broken(c, "the first record's signature is wrong");
	memcpy(c->stick, v->head.stick, sizeof c->stick);
	c->ended = true;
	return 0;
}

static int check_start(struct chain *c, const struct record_view *v)
{
	uint8_t recover[JOURNAL_HASH_SIZE];
	get_hash(v, JF_KEY, c->key);
	get_hash(v, JF_RECOVER, recover);
	if (!same(c->key, c->announced))
		return broken(c, "the session's key is not the one announced before");
	if (same(recover, c->key))
		return broken(c, "the session announces its own key again");
	return 0;
}

static int check_recovered(struct chain *c, const struct record_view *v)
{
	if (c->resumed && c->session == c->from)
		return 0; /* it names a session we have not read */
	if (chain_open_count(c) == 0)
		return broken(c, "it recovers a session that was closed");
	struct chain_open o = chain_open_at(c, 0);
	uint8_t tail[JOURNAL_HASH_SIZE];
	uint64_t closes = 0, last = 0, torn = 0;
	journal_get_num(&v->pub, JF_CLOSES, &closes);
	journal_get_num(&v->pub, JF_LAST, &last);
	journal_get_num(&v->pub, JF_TORN, &torn);
	get_hash(v, JF_TAIL, tail);
	if (closes != o.session || last != o.last)
		return broken(c, "it recovers another session than the one left open");
	if (o.tail_len && (!same(tail, o.tail) || torn != o.torn))
		return broken(c, "the recovered session's file changed after the recovery");
	return 0;
}

static int check_end(struct chain *c, const struct record_view *v)
{
	uint8_t next[JOURNAL_HASH_SIZE];
	uint64_t records = 0;
	get_hash(v, JF_NEXT, next);
	journal_get_num(&v->pub, JF_RECORDS, &records);
	if (records != c->in_session + 1)
		return broken(c, "the session's end counts another number of records");
	if (same(next, c->key) || same(next, c->announced))
		return broken(c, "the session's end announces an old key");
	return 0;
}

static int check_place(struct chain *c, const struct record_view *v)
{
	if (v->head.session != c->session)
		return broken(c, "it belongs to another session");
	if (v->head.seq != c->seq)
		return broken(c, "its number is not the next one");
	if (!same(v->head.prev, c->head))
		return broken(c, "the record before it is not the one it was written after");
	if (memcmp(v->head.stick, c->stick, sizeof c->stick) != 0)
		return broken(c, "it belongs to another stick");
	return 0;
}

static int check_event(struct chain *c, const struct record_view *v)
{
	bool start = v->pub.id == JE_SESSION_START;
	if (start != (c->in_session == 0))
		return broken(c, start ? "a session starts twice"
				       : "the session does not begin with its start");
	if (!start && v->pub.id != JE_RECOVERED && chain_open_count(c))
		return broken(c, "an earlier session was left open and not recovered first");
	switch (v->pub.id) {
	case JE_GENESIS:
		return broken(c, "a second first record");
	case JE_SESSION_START:
		return check_start(c, v);
	case JE_RECOVERED:
		return check_recovered(c, v);
	case JE_SESSION_END:
		return check_end(c, v);
	default:
		return 0;
	}
}

/* The record stands: what follows from it. */
static void accept(struct chain *c, const struct record_view *v)
{
	switch (v->pub.id) {
	case JE_SESSION_START:
		get_hash(v, JF_RECOVER, c->announced);
		journal_get_num(&v->pub, JF_PENDING_FROM, &c->pending_from);
		break;
	case JE_RECOVERED:
		if (chain_open_count(c))
			pop_open(c);
		c->recovered++;
		break;
	case JE_SESSION_END:
		get_hash(v, JF_NEXT, c->announced);
		c->ended = true;
		break;
	default:
		break;
	}
	if (v->head.utc < c->utc)
		c->clock_back = true;
	c->utc = v->head.utc;
	memcpy(c->head, v->hash, sizeof c->head);
	c->seq = v->head.seq + 1;
	c->in_session++;
	c->records++;
}

/* Begin in the middle: this record's place is where we are. */
static void resume_at(struct chain *c, const struct record_view *v)
{
	c->resumed = true;
	c->seq = v->head.seq;
	c->utc = v->head.utc;
	memcpy(c->head, v->head.prev, sizeof c->head);
	memcpy(c->stick, v->head.stick, sizeof c->stick);
	get_hash(v, JF_KEY, c->announced);
}

static int take_record(struct chain *c, const struct record_view *v, bool first_of_all)
{
	int ret = 0;
	if (first_of_all && c->session == 0) {
		ret = check_genesis(c, v);
	} else {
		if (first_of_all)
			resume_at(c, v);
		if (c->ended)
			return broken(c, "it stands after the session's end");
		ret = check_place(c, v);
		if (ret == 0)
			ret = check_event(c, v);
		if (ret == 0 && !record_signed_by(v, c->key))
			ret = broken(c, "its signature is not the session key's");
	}
	if (ret == 0)
		accept(c, v);
	return ret;
}

/* --- one session ----------------------------------------------------------------------------- */

/* Reserved room as the writer lays it out. */
static bool is_reserved(struct span tail)
{
	if (tail.len % RECORD_BLOCK != 0)
		return false;
	for (size_t i = 0; i < tail.len; i++) {
		size_t at = i % RECORD_BLOCK;
		uint8_t want = at == RECORD_BLOCK - 2 ? '\r' : at == RECORD_BLOCK - 1 ? '\n' : ' ';
		if (tail.p[i] != want)
			return false;
	}
	return true;
}

static int leave_open(struct chain *c, const struct store_session *s, struct err *e)
{
	struct span tail = store_tail_bytes(s);
	if (store_tail(s) == STORE_TAIL_DAMAGED)
		return broken(c, s->why);
	struct chain_open o = {.session = c->session,
		.last = c->seq - 1,
		.torn = store_torn(s),
		.tail_len = tail.len};
	record_hash(tail.p, tail.len, o.tail);
	c->torn = o.torn;
	c->end = c->in_session ? CHAIN_OPEN : CHAIN_EMPTY;
	return c->in_session ? buf_add(&c->open, &o, sizeof o, e) : 0;
}

static int leave(struct chain *c, const struct store_session *s, struct err *e)
{
	c->torn = 0;
	c->end = CHAIN_CLOSED;
	if (!c->ended)
		return leave_open(c, s, e);
	if (!is_reserved(store_tail_bytes(s)))
		return broken(c, "something stands after the session's end");
	return 0;
}

static int walk_session(struct chain *c, struct store_session *s, bool first, chain_fn *fn,
	void *ctx, struct err *e)
{
	struct record_view v;
	c->session = s->number;
	c->in_session = 0;
	c->ended = false;
	while (store_next(s, &v)) {
		int ret = take_record(c, &v, first && c->in_session == 0);
		if (ret == 0 && fn)
			ret = fn(&v, ctx, e);
		if (ret < 0)
			return ret;
	}
	if (c->in_session == 0 && first)
		return broken(c, s->why ? s->why : "the file is empty");
	return leave(c, s, e);
}

int chain_walk(struct chain *c, const char *folder, uint64_t from, uint64_t to, chain_fn *fn,
	void *ctx, struct err *e)
{
	int ret = 0;
	*c = (struct chain){.session = from, .from = from};
	for (uint64_t n = from; ret == 0 && n <= to; n++) {
		struct store_session s;
		if (n > from && c->end == CHAIN_EMPTY) {
			ret = broken(c, "the session before it has no record");
			break;
		}
		struct err local = ERR_INIT;
		ret = store_load(&s, folder, n, &local);
		if (ret == -ERR_NOTFOUND) {
			c->session = n;
			ret = broken(c, "the session's file is missing");
		} else if (ret < 0 && e) {
			*e = local;
		}
		if (ret == 0)
			ret = walk_session(c, &s, n == from, fn, ctx, e);
		store_unload(&s);
	}
	if (ret < 0 && c->why)
		err_set(e, ERR_INTEGRITY,
			"Nothing was changed. `odjstick journal verify` tells more; keep the stick "
			"for "
			"the lab.",
			"the journal in %s is broken at record %llu (session %llu): %s", folder,
			(unsigned long long)c->seq, (unsigned long long)c->session, c->why);
	return ret;
}
