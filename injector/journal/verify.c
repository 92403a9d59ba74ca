#include "journal/verify.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "journal/chain.h"
#include "journal/keys.h"
#include "journal/pending.h"

struct verification {
	struct journal_report *r;
	struct pending pending;
	const uint8_t *lab_pub;
	char head[2 * JOURNAL_HASH_SIZE + 1]; /* hex digits somebody noted; "" when none */
	bool head_seen;
};

const char *journal_verdict_name(enum journal_verdict v)
{
	static const char *const names[] = {"valid", "incomplete", "invalid"};
	return v < ARRAY_SIZE(names) ? names[v] : "unknown";
}

static void take_genesis(struct verification *c, const struct record_view *v)
{
	struct journal_report *r = c->r;
	uint8_t lab[JOURNAL_HASH_SIZE];
	char by[8] = "";
	journal_get_text(&v->pub, JF_SIGNED_BY, by, sizeof by);
	journal_get_text(&v->pub, JF_BUNDLE, r->bundle, sizeof r->bundle);
	journal_get_text(
		&v->pub, JF_LAB_FINGERPRINT, r->lab_fingerprint, sizeof r->lab_fingerprint);
	memcpy(r->stick, v->pub.stick, sizeof r->stick);
	journal_code(v->hash, r->start_code);
	r->first_utc = v->pub.utc;
	r->lab_signed = strcmp(by, "lab") == 0;
	r->lab_matches = c->lab_pub && journal_get_hash(&v->pub, JF_LAB, lab) &&
			 memcmp(lab, c->lab_pub, sizeof lab) == 0;
}

static int take_record(const struct record_view *v, void *ctx, struct err *e)
{
	struct verification *c = ctx;
	char hex[2 * JOURNAL_HASH_SIZE + 1];
	if (v->pub.id == JE_GENESIS)
		take_genesis(c, v);
	sodium_bin2hex(hex, sizeof hex, v->hash, sizeof v->hash);
	if (c->head[0] && strncmp(hex, c->head, strlen(c->head)) == 0)
		c->head_seen = true;
	return pending_add(&c->pending, v, e);
}

/* A noted code: hex digits in any case, with or without dashes and spaces. */
static int read_code(const char *text, char out[2 * JOURNAL_HASH_SIZE + 1], struct err *e)
{
	size_t n = 0;
	for (; *text; text++) {
		char c = *text;
		if (c == '-' || c == ' ')
			continue;
		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		if (!strchr("0123456789abcdef", c) || n == 2 * JOURNAL_HASH_SIZE)
			break;
		out[n++] = c;
	}
	out[n] = '\0';
	if (*text || n < 32)
		return err_set(
			e, ERR_USAGE, "Give all 8 groups of 4 digits.", "the head code is not one");
	return 0;
}

static void invalid(struct journal_report *r, const char *why)
{
	r->verdict = JOURNAL_INVALID;
	snprintf(r->why, sizeof r->why, "%s", why);
}

/* The stick itself knows which key comes next: a journal cut at a session's end does not fit it. */
static int check_state(
	const char *dir, const struct chain *c, struct journal_report *r, struct err *e)
{
	struct keys keys;
	struct session_key k = {.sk = SECRET_INIT};
	struct err local = ERR_INIT;
	int ret = keys_open(&keys, dir, false, c->announced, &k, &local);
	session_key_clear(&k);
	if (ret == -ERR_NOTFOUND)
		return 0;
	r->state_seen = true;
	if (ret == -ERR_INTEGRITY)
		invalid(r, "the stick holds another key than the end of the journal announces: "
			   "sessions were removed or added");
	else if (ret < 0 && e)
		*e = local;
	return ret == -ERR_INTEGRITY ? 0 : ret;
}

static void judge_end(const struct chain *c, struct journal_report *r)
{
	if (c->end == CHAIN_CLOSED)
		return;
	r->verdict = JOURNAL_INCOMPLETE;
	if (c->end == CHAIN_EMPTY)
		snprintf(r->why, sizeof r->why,
			"session %llu was cut off while it started; it holds no record",
			(unsigned long long)c->session);
	else
		snprintf(r->why, sizeof r->why,
			"session %llu has no end (still running, or the stick was pulled)%s",
			(unsigned long long)c->session,
			c->torn ? "; its last record is only half written" : "");
}

static void fill(const struct chain *c, const struct verification *v, struct journal_report *r)
{
	r->records = c->records;
	r->sessions = c->session - (c->in_session == 0 && c->session ? 1 : 0);
	r->recovered = c->recovered;
	r->pending = pending_count(&v->pending);
	r->clock_back = c->clock_back;
	r->last_utc = c->utc;
	if (c->records)
		journal_code(c->head, r->head_code);
}

int journal_verify(const char *dir, const uint8_t *lab_pub, const char *head,
	struct journal_report *r, struct err *e)
{
	struct verification v = {.r = r, .lab_pub = lab_pub};
	struct chain c = {0};
	uint64_t last = 0;
	*r = (struct journal_report){.lab_given = lab_pub != NULL};
	int ret = head ? read_code(head, v.head, e) : 0;
	if (ret < 0)
		return ret;
	CLEANUP(freep) char *folder = store_folder(dir, e);
	ret = folder ? store_last(folder, &last, e) : -ERR_NOMEM;
	if (ret == 0)
		ret = chain_walk(&c, folder, 0, last, take_record, &v, e);
	fill(&c, &v, r);
	if (ret == -ERR_INTEGRITY && c.why) {
		err_clear(e);
		invalid(r, c.why);
		r->bad_seq = c.seq;
		r->bad_session = c.session;
		ret = 0;
	} else if (ret == 0) {
		judge_end(&c, r);
		if (lab_pub && !r->lab_matches)
			invalid(r, "the journal was started under another lab's key");
		else if (v.head[0] && !v.head_seen)
			invalid(r,
				"the noted head code is not in the journal: records were removed");
		else
			ret = check_state(dir, &c, r, e);
	}
	pending_clear(&v.pending);
	chain_clear(&c);
	return ret;
}
