/* journal/record.h: from bytes to a record, accepting only the canonical spelling. */
#include "journal/record.h"

#include <sodium.h>
#include <string.h>

#include "base/utf16.h"
#include "journal/table.h"

#define UTC_LEN 20 /* 2026-11-24T22:50:59Z */

void record_hash(const uint8_t *p, size_t n, uint8_t out[JOURNAL_HASH_SIZE])
{
	crypto_generichash(out, JOURNAL_HASH_SIZE, p, n, NULL, 0);
}

static bool take(struct reader *r, const char *literal)
{
	size_t n = strlen(literal);
	const uint8_t *p = reader_take(r, n);
	if (p && memcmp(p, literal, n) != 0)
		r->bad = true;
	return reader_ok(r);
}

static int peek(const struct reader *r)
{
	return r->bad || r->p == r->end ? -1 : *r->p;
}

static uint64_t take_num(struct reader *r)
{
	uint64_t n = 0;
	size_t digits = 0;
	while (peek(r) >= '0' && peek(r) <= '9') {
		n = n * 10 + (uint64_t)(reader_u8(r) - '0');
		digits++;
		if ((digits == 2 && n < 10) || n > JOURNAL_NUM_MAX)
			r->bad = true;
	}
	if (digits == 0)
		r->bad = true;
	return n;
}

static void take_hex(struct reader *r, uint8_t *out, size_t n)
{
	const uint8_t *p = reader_take(r, 2 * n);
	for (size_t i = 0; p && i < 2 * n; i++)
		if (!(p[i] >= '0' && p[i] <= '9') && !(p[i] >= 'a' && p[i] <= 'f'))
			r->bad = true;
	if (!reader_ok(r) || sodium_hex2bin(out, n, (const char *)p, 2 * n, NULL, NULL, NULL) != 0)
		r->bad = true;
}

/* What may stand between quotes: no control characters, only the two escapes that must be. */
static struct span take_text(struct reader *r)
{
	struct span s = {r->p, 0};
	for (int c = peek(r); c != '"'; c = peek(r)) {
		if (c < 0x20) {
			r->bad = true;
			return s;
		}
		reader_skip(r, 1);
		if (c == '\\') {
			c = peek(r);
			if (c != '"' && c != '\\')
				r->bad = true;
			reader_skip(r, 1);
		}
	}
	s.len = (size_t)(r->p - s.p);
	if (!utf8_valid((const char *)s.p, s.len))
		r->bad = true;
	return s;
}

static void take_value(struct reader *r, struct fact *f)
{
	int c = peek(r);
	f->string = c == '"';
	if (f->string) {
		take(r, "\"");
		f->text = take_text(r);
		take(r, "\"");
		return;
	}
	f->text.p = r->p;
	if (c == 't')
		take(r, "true");
	else if (c == 'f')
		take(r, "false");
	else
		take_num(r);
	f->text.len = (size_t)(r->p - f->text.p);
}

static struct span take_name(struct reader *r)
{
	struct span s = {r->p, 0};
	int c = peek(r);
	while ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && r->p != s.p) || c == '_') {
		reader_skip(r, 1);
		c = peek(r);
	}
	s.len = (size_t)(r->p - s.p);
	if (s.len == 0 || s.len > RECORD_NAME_MAX)
		r->bad = true;
	return s;
}

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

static void take_facts(struct reader *r, struct record_view *v)
{
	take(r, "{");
	while (reader_ok(r) && peek(r) != '}') {
		if (v->n_facts == RECORD_FACTS_MAX || (v->n_facts && !take(r, ","))) {
			r->bad = true;
			return;
		}
		struct fact *f = &v->facts[v->n_facts];
		take(r, "\"");
		f->name = take_name(r);
		take(r, "\":");
		take_value(r, f);
		for (size_t i = 0; reader_ok(r) && i < v->n_facts; i++)
			if (f->name.len == v->facts[i].name.len &&
				memcmp(f->name.p, v->facts[i].name.p, f->name.len) == 0)
				r->bad = true;
		v->n_facts++;
	}
	take(r, "}");
}

static void take_utc(struct reader *r, int64_t *t)
{
	const uint8_t *p = reader_take(r, UTC_LEN);
	if (!p)
		return;
	char text[CLOCK_TEXT_MAX], again[CLOCK_TEXT_MAX];
	memcpy(text, p, UTC_LEN);
	text[UTC_LEN] = '\0';
	if (clock_parse(text, t) != 0) {
		r->bad = true;
		return;
	}
	clock_text(*t, again);
	if (strcmp(text, again) != 0) /* February 30, second 60 */
		r->bad = true;
}

static void take_event(struct reader *r, struct journal_record *pub)
{
	struct span s = take_text(r);
	if (s.len == 0 || s.len > JOURNAL_CODE_MAX) {
		r->bad = true;
		return;
	}
	memcpy(pub->event, s.p, s.len);
	pub->event[s.len] = '\0';
	if (strspn(pub->event, "abcdefghijklmnopqrstuvwxyz0123456789.-") != s.len)
		r->bad = true;
	for (pub->id = 0; pub->id < JOURNAL_EVENT_COUNT; pub->id++)
		if (strcmp(pub->event, journal_event_name(pub->id)) == 0)
			return;
}

static void take_record(struct reader *r, struct record_view *v)
{
	take(r, "{\"v\":1,\"seq\":");
	v->head.seq = take_num(r);
	take(r, ",\"session\":");
	v->head.session = take_num(r);
	take(r, ",\"utc\":\"");
	take_utc(r, &v->head.utc);
	take(r, "\",\"boot\":\"");
	take_hex(r, v->head.boot, sizeof v->head.boot);
	take(r, "\",\"stick\":\"");
	take_hex(r, v->head.stick, sizeof v->head.stick);
	take(r, "\",\"event\":\"");
	take_event(r, &v->pub);
	take(r, "\",\"facts\":");
	take_facts(r, v);
	take(r, ",\"prev\":\"");
	take_hex(r, v->head.prev, sizeof v->head.prev);
	take(r, "\"");
	v->signed_len = reader_pos(r);
	take(r, ",\"sig\":\"");
	take_hex(r, v->sig, sizeof v->sig);
	take(r, "\"}");
}

static bool kind_fits(const struct fact *f, enum journal_kind kind)
{
	bool is_bool = !f->string && f->text.p[0] >= 'a';
	switch (kind) {
	case JOURNAL_NUM:
		return !f->string && !is_bool;
	case JOURNAL_BOOL:
		return is_bool;
	case JOURNAL_HASH:
		for (size_t i = 0; i < f->text.len; i++)
			if (!strchr("0123456789abcdef", f->text.p[i]))
				return false;
		return f->string && f->text.len == 2 * JOURNAL_HASH_SIZE;
	default:
		return f->string;
	}
}

/* Known events carry what the table demands; facts this program does not know are left alone. */
static bool facts_fit(const struct record_view *v)
{
	if (v->pub.id == JOURNAL_EVENT_COUNT)
		return true;
	uint64_t seen = 0;
	for (size_t i = 0; i < v->n_facts; i++)
		for (int id = 0; id < JOURNAL_FIELD_COUNT; id++) {
			enum journal_field field = (enum journal_field)id;
			if (!span_is(v->facts[i].name, journal_field_name(field)))
				continue;
			if (!kind_fits(&v->facts[i], journal_field_kind(field)))
				return false;
			seen |= JF(id);
		}
	return (seen & event_rule(v->pub.id)->must) == event_rule(v->pub.id)->must;
}

static void fill_public(struct record_view *v, const uint8_t *p, size_t json_len)
{
	struct journal_record *pub = &v->pub;
	pub->seq = v->head.seq;
	pub->session = v->head.session;
	pub->utc = v->head.utc;
	sodium_bin2hex(pub->boot, sizeof pub->boot, v->head.boot, sizeof v->head.boot);
	sodium_bin2hex(pub->stick, sizeof pub->stick, v->head.stick, sizeof v->head.stick);
	pub->json = (const char *)p;
	pub->json_len = json_len;
	pub->priv = v;
}

int record_parse(struct record_view *v, const uint8_t *p, size_t n, const char **why)
{
	*v = (struct record_view){0};
	const uint8_t *lf = memchr(p, '\n', n < RECORD_MAX ? n : RECORD_MAX);
	size_t size = lf ? (size_t)(lf - p) + 1 : 0;
	*why = "no record of whole 512-byte blocks stands here";
	if (size == 0 || size % RECORD_BLOCK != 0 || p[size - 2] != '\r')
		return -ERR_FORMAT;
	size_t len = size - 2;
	while (len && p[len - 1] == ' ')
		len--;
	if (len + 2 + RECORD_BLOCK <= size)
		return -ERR_FORMAT;

	struct reader r;
	reader_init(&r, p, len);
	*why = "the record is not spelled as the format demands";
	take_record(&r, v);
	if (!reader_ok(&r) || reader_left(&r) != 0)
		return -ERR_FORMAT;
	*why = "the record's facts do not fit its event";
	if (!facts_fit(v))
		return -ERR_FORMAT;
	fill_public(v, p, len);
	v->size = size;
	record_hash(p, size, v->hash);
	*why = NULL;
	return 0;
}

bool record_signed_by(const struct record_view *v, const uint8_t pub[JOURNAL_HASH_SIZE])
{
	uint8_t msg[sizeof RECORD_CONTEXT - 1 + RECORD_MAX];
	size_t n = sizeof RECORD_CONTEXT - 1;
	memcpy(msg, RECORD_CONTEXT, n);
	memcpy(msg + n, v->pub.json, v->signed_len);
	return crypto_sign_verify_detached(v->sig, msg, n + v->signed_len, pub) == 0;
}

const struct fact *record_fact(const struct record_view *v, enum journal_field id)
{
	for (size_t i = 0; i < v->n_facts; i++)
		if (span_is(v->facts[i].name, journal_field_name(id)))
			return &v->facts[i];
	return NULL;
}

/* --- public accessors ------------------------------------------------------------------------ */

bool journal_get_text(const struct journal_record *r, enum journal_field id, char *out, size_t cap)
{
	const struct fact *f = record_fact(r->priv, id);
	if (!f || cap == 0)
		return false;
	size_t n = 0;
	for (size_t i = 0; i < f->text.len && n + 1 < cap; i++) {
		if (f->string && f->text.p[i] == '\\')
			i++;
		out[n++] = (char)f->text.p[i];
	}
	while (n && !utf8_valid(out, n)) /* do not cut a character in two */
		n--;
	out[n] = '\0';
	return true;
}

bool journal_get_num(const struct journal_record *r, enum journal_field id, uint64_t *n)
{
	const struct fact *f = record_fact(r->priv, id);
	if (!f || !kind_fits(f, JOURNAL_NUM))
		return false;
	struct reader in;
	reader_init(&in, f->text.p, f->text.len);
	*n = take_num(&in);
	return reader_ok(&in);
}

bool journal_get_bool(const struct journal_record *r, enum journal_field id, bool *b)
{
	const struct fact *f = record_fact(r->priv, id);
	if (!f || !kind_fits(f, JOURNAL_BOOL))
		return false;
	*b = f->text.p[0] == 't';
	return true;
}

bool journal_get_hash(
	const struct journal_record *r, enum journal_field id, uint8_t out[JOURNAL_HASH_SIZE])
{
	const struct fact *f = record_fact(r->priv, id);
	if (!f || !kind_fits(f, JOURNAL_HASH))
		return false;
	struct reader in;
	reader_init(&in, f->text.p, f->text.len);
	take_hex(&in, out, JOURNAL_HASH_SIZE);
	return reader_ok(&in);
}

void journal_code(const uint8_t hash[JOURNAL_HASH_SIZE], char code[JOURNAL_CODE_TEXT])
{
	char hex[2 * 16 + 1];
	sodium_bin2hex(hex, sizeof hex, hash, 16);
	for (size_t i = 0, n = 0; i < 32; i++) {
		if (i && i % 4 == 0)
			code[n++] = '-';
		code[n++] = hex[i];
		code[n] = '\0';
	}
}
