/* journal/record.h: from typed values to the canonical, padded, signed bytes. */
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/utf16.h"
#include "journal/record.h"
#include "journal/table.h"

static int refuse(enum journal_event ev, enum journal_field id, const char *what, struct err *e)
{
	return err_set(e, ERR_USAGE, "Nothing was written. Correct the value and try again.",
		"journal event %s: %s %s", journal_event_name(ev), journal_field_name(id), what);
}

/* Length of the character at s when it may stand in a record, 0 otherwise: no control characters,
 * and none that reorder what a person reads. */
static size_t printable(const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] < 0x20 || p[0] == 0x7f || strnlen(s, n) < n || !utf8_valid(s, n))
		return 0;
	if (n == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return 0; /* C1 */
	if (n == 3 && p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae)
		return 0; /* U+202A..202E */
	if (n == 3 && p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)
		return 0; /* U+2066..2069 */
	return n;
}

static int add_char(struct buf *out, const char *s, size_t n, struct err *e)
{
	if (*s == '"' || *s == '\\')
		if (buf_add(out, "\\", 1, e) < 0)
			return -ERR_NOMEM;
	return buf_add(out, s, n, e);
}

/* A label may come from a stranger's disk or firmware: what cannot be shown becomes '?', what is
 * too long is cut. */
static int add_label(struct buf *out, const char *s, struct err *e)
{
	int ret = 0;
	for (size_t used = 0; ret == 0 && *s;) {
		size_t n = printable(s);
		if (used + (n ? n : 1) > JOURNAL_LABEL_MAX)
			break;
		ret = n ? add_char(out, s, n, e) : buf_add(out, "?", 1, e);
		used += n ? n : 1;
		s += n ? n : 1;
	}
	return ret;
}

static int add_reason(struct buf *out, const char *s, enum journal_event ev, struct err *e)
{
	if (strlen(s) > JOURNAL_REASON_MAX)
		return refuse(ev, JF_REASON, "is too long", e);
	while (*s) {
		size_t n = printable(s);
		if (!n)
			return refuse(ev, JF_REASON, "has a character that cannot be printed", e);
		if (add_char(out, s, n, e) < 0)
			return -ERR_NOMEM;
		s += n;
	}
	return 0;
}

static bool code_valid(const char *s)
{
	size_t n = strlen(s);
	return n >= 1 && n <= JOURNAL_CODE_MAX && s[0] != '-' && s[0] != '.' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n;
}

static int add_hex(struct buf *out, const uint8_t *p, size_t n, struct err *e)
{
	char hex[2 * RECORD_SIG_SIZE + 1];
	sodium_bin2hex(hex, sizeof hex, p, n);
	return buf_add(out, hex, 2 * n, e);
}

static int add_string(
	struct buf *out, enum journal_event ev, const struct journal_value *v, struct err *e)
{
	int ret = buf_add(out, "\"", 1, e);
	if (ret < 0)
		return ret;
	switch (journal_field_kind(v->id)) {
	case JOURNAL_HASH:
		ret = add_hex(out, v->hash, JOURNAL_HASH_SIZE, e);
		break;
	case JOURNAL_CODE:
		if (!code_valid(v->text))
			return refuse(ev, v->id, "is not a code (a-z, 0-9, '.', '-')", e);
		ret = buf_add(out, v->text, strlen(v->text), e);
		break;
	case JOURNAL_REASON:
		ret = add_reason(out, v->text, ev, e);
		break;
	default:
		ret = add_label(out, v->text, e);
		break;
	}
	return ret < 0 ? ret : buf_add(out, "\"", 1, e);
}

static int add_value(
	struct buf *out, enum journal_event ev, const struct journal_value *v, struct err *e)
{
	switch (journal_field_kind(v->id)) {
	case JOURNAL_NUM:
		if (v->num > JOURNAL_NUM_MAX)
			return refuse(ev, v->id, "is too large", e);
		return buf_printf(out, e, "%" PRIu64, v->num);
	case JOURNAL_BOOL:
		return buf_printf(out, e, "%s", v->num ? "true" : "false");
	default:
		return add_string(out, ev, v, e);
	}
}

static bool is_absent(const struct journal_value *v)
{
	switch (journal_field_kind(v->id)) {
	case JOURNAL_NUM:
	case JOURNAL_BOOL:
		return false;
	case JOURNAL_HASH:
		return !v->hash;
	default:
		return !v->text || !*v->text;
	}
}

/* Sort the values by field and hold them against the event's rule. */
static int check_values(enum journal_event ev, const struct journal_value *values, size_t n,
	const struct journal_value *by_field[JOURNAL_FIELD_COUNT], struct err *e)
{
	const struct event_rule *rule = event_rule(ev);
	for (size_t i = 0; i < n; i++) {
		const struct journal_value *v = &values[i];
		if (v->id >= JOURNAL_FIELD_COUNT || !((rule->must | rule->may) & JF(v->id)))
			return refuse(ev, v->id, "does not belong here", e);
		if (by_field[v->id])
			return refuse(ev, v->id, "is given twice", e);
		if (!is_absent(v))
			by_field[v->id] = v;
	}
	for (int id = 0; id < JOURNAL_FIELD_COUNT; id++)
		if ((rule->must & JF(id)) && !by_field[id])
			return refuse(ev, (enum journal_field)id, "is missing", e);
	return 0;
}

static int add_facts(struct buf *out, enum journal_event ev,
	const struct journal_value *by_field[JOURNAL_FIELD_COUNT], struct err *e)
{
	const char *comma = "";
	for (int id = 0; id < JOURNAL_FIELD_COUNT; id++) {
		if (!by_field[id])
			continue;
		int ret = buf_printf(
			out, e, "%s\"%s\":", comma, journal_field_name((enum journal_field)id));
		if (ret == 0)
			ret = add_value(out, ev, by_field[id], e);
		if (ret < 0)
			return ret;
		comma = ",";
	}
	return 0;
}

static int add_head(
	struct buf *out, const struct record_head *h, enum journal_event ev, struct err *e)
{
	char utc[CLOCK_TEXT_MAX];
	char boot[JOURNAL_ID_TEXT], stick[JOURNAL_ID_TEXT];
	clock_text(h->utc, utc);
	sodium_bin2hex(boot, sizeof boot, h->boot, sizeof h->boot);
	sodium_bin2hex(stick, sizeof stick, h->stick, sizeof h->stick);
	return buf_printf(out, e,
		"{\"v\":1,\"seq\":%" PRIu64 ",\"session\":%" PRIu64
		",\"utc\":\"%s\",\"boot\":\"%s\","
		"\"stick\":\"%s\",\"event\":\"%s\",\"facts\":{",
		h->seq, h->session, utc, boot, stick, journal_event_name(ev));
}

static int sign_body(struct buf *body, const struct record_signer *s, struct err *e)
{
	uint8_t sig[RECORD_SIG_SIZE];
	struct buf msg = BUF_INIT;
	int ret = buf_add(&msg, RECORD_CONTEXT, strlen(RECORD_CONTEXT), e);
	if (ret == 0)
		ret = buf_add(&msg, body->p, body->len, e);
	if (ret == 0)
		ret = s->sign(s->ctx, msg.p, msg.len, sig, e);
	buf_clear(&msg);
	if (ret == 0)
		ret = buf_add(body, ",\"sig\":\"", 8, e);
	if (ret == 0)
		ret = add_hex(body, sig, sizeof sig, e);
	return ret < 0 ? ret : buf_add(body, "\"}", 2, e);
}

static int add_padded(struct buf *out, const struct buf *json, struct err *e)
{
	size_t size = (json->len + 2 + RECORD_BLOCK - 1) / RECORD_BLOCK * RECORD_BLOCK;
	if (size > RECORD_MAX)
		return err_set(e, ERR_LIMIT, "Nothing was written. Shorten the texts.",
			"a journal record would have %zu bytes; at most %d are allowed", size,
			RECORD_MAX);
	uint8_t *at;
	int ret = buf_grow(out, size, &at, e);
	if (ret < 0)
		return ret;
	memset(at, ' ', size);
	memcpy(at, json->p, json->len);
	memcpy(at + size - 2, "\r\n", 2);
	return 0;
}

int record_encode(struct buf *out, const struct record_head *h, enum journal_event ev,
	const struct journal_value *values, size_t n, const struct record_signer *s, struct err *e)
{
	const struct journal_value *by_field[JOURNAL_FIELD_COUNT] = {NULL};
	struct buf json = BUF_INIT;
	if (ev >= JOURNAL_EVENT_COUNT)
		return err_set(e, ERR_USAGE, NULL, "unknown journal event %d", (int)ev);
	int ret = check_values(ev, values, n, by_field, e);
	if (ret == 0)
		ret = add_head(&json, h, ev, e);
	if (ret == 0)
		ret = add_facts(&json, ev, by_field, e);
	if (ret == 0)
		ret = buf_add(&json, "},\"prev\":\"", 10, e);
	if (ret == 0)
		ret = add_hex(&json, h->prev, sizeof h->prev, e);
	if (ret == 0)
		ret = buf_add(&json, "\"", 1, e);
	if (ret == 0)
		ret = sign_body(&json, s, e);
	if (ret == 0)
		ret = add_padded(out, &json, e);
	buf_clear(&json);
	return ret;
}
