#include "journal/pending.h"

#include <string.h>

#include "journal/store.h"

size_t pending_count(const struct pending *p)
{
	return p->list.len / sizeof(struct journal_pending);
}

void pending_clear(struct pending *p)
{
	buf_clear(&p->list);
}

static void settle(struct pending *p, uint64_t intent)
{
	struct journal_pending one;
	for (size_t at = 0; at < p->list.len; at += sizeof one) {
		memcpy(&one, p->list.p + at, sizeof one);
		if (one.seq != intent)
			continue;
		p->list.len -= sizeof one;
		memmove(p->list.p + at, p->list.p + at + sizeof one, p->list.len - at);
		return;
	}
}

int pending_add(struct pending *p, const struct record_view *v, struct err *e)
{
	const struct journal_record *r = &v->pub;
	uint64_t intent;
	if ((r->id == JE_RESULT || r->id == JE_UNDO) && journal_get_num(r, JF_INTENT, &intent))
		settle(p, intent);
	if (r->id != JE_INTENT)
		return 0;
	struct journal_pending one = {.seq = r->seq, .session = r->session, .utc = r->utc};
	journal_get_hash(r, JF_PLAN, one.plan);
	journal_get_text(r, JF_COMPUTER_NAME, one.computer_name, sizeof one.computer_name);
	journal_get_text(r, JF_SERIAL, one.serial, sizeof one.serial);
	journal_get_text(r, JF_TARGET, one.target, sizeof one.target);
	journal_get_text(r, JF_METHOD, one.method, sizeof one.method);
	return buf_add(&p->list, &one, sizeof one, e);
}

/* All records of sessions from..last through pending_add(). */
static int scan(struct pending *p, const char *folder, uint64_t from, uint64_t last, struct err *e)
{
	int ret = 0;
	for (uint64_t n = from; ret == 0 && n <= last; n++) {
		struct store_session s;
		struct record_view v;
		ret = store_load(&s, folder, n, e);
		while (ret == 0 && store_next(&s, &v))
			ret = pending_add(p, &v, e);
		store_unload(&s);
	}
	return ret;
}

int pending_from(const char *folder, uint64_t from, uint64_t next, uint64_t *out, struct err *e)
{
	struct pending p = {BUF_INIT};
	struct journal_pending first;
	int ret = next ? scan(&p, folder, from, next - 1, e) : 0;
	*out = next;
	if (ret == 0 && pending_count(&p)) {
		memcpy(&first, p.list.p, sizeof first);
		*out = first.session;
	}
	pending_clear(&p);
	return ret;
}

/* pending_from of the newest session-start. */
static int hint(const char *folder, uint64_t last, uint64_t *from, struct err *e)
{
	*from = 0;
	for (uint64_t n = last; n > 0; n--) {
		struct store_session s;
		struct record_view v;
		int ret = store_load(&s, folder, n, e);
		bool found = ret == 0 && store_next(&s, &v) &&
			     journal_get_num(&v.pub, JF_PENDING_FROM, from);
		store_unload(&s);
		if (ret < 0 || found)
			return ret;
	}
	return 0;
}

int journal_pending_intent(
	const char *dir, struct journal_pending *out, size_t max, size_t *n, struct err *e)
{
	struct pending p = {BUF_INIT};
	uint64_t last = 0, from = 0;
	CLEANUP(freep) char *folder = store_folder(dir, e);
	int ret = folder ? store_last(folder, &last, e) : -ERR_NOMEM;
	if (ret == 0)
		ret = hint(folder, last, &from, e);
	if (ret == 0)
		ret = scan(&p, folder, from, last, e);
	if (ret == 0) {
		*n = pending_count(&p);
		size_t take = *n < max ? *n : max;
		if (take)
			memcpy(out, p.list.p, take * sizeof *out);
	}
	pending_clear(&p);
	return ret;
}

int journal_read(const char *dir, journal_fn *fn, void *ctx, struct err *e)
{
	uint64_t last = 0;
	CLEANUP(freep) char *folder = store_folder(dir, e);
	int ret = folder ? store_last(folder, &last, e) : -ERR_NOMEM;
	for (uint64_t n = 0; ret == 0 && n <= last; n++) {
		struct store_session s;
		struct record_view v;
		ret = store_load(&s, folder, n, e);
		while (ret == 0 && store_next(&s, &v))
			ret = fn(&v.pub, ctx, e);
		if (ret == 0 && store_tail(&s) == STORE_TAIL_DAMAGED)
			ret = err_set(e, ERR_INTEGRITY, "`odjstick journal verify` tells more.",
				"session %llu of the journal in %s is damaged: %s",
				(unsigned long long)n, folder, s.why);
		store_unload(&s);
	}
	return ret;
}
