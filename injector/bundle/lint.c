/* What is wrong with a batch, found in the lab and not on site. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bundle/batch_internal.h"
#include "bundle/bundle.h"
#include "bundle/record.h"
#include "bundle/settings.h"
#include "odj/name.h"
#include "odj/odj.h"

#define HASH 32

/* --- one row by itself --- */

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

/* "5,21E+11": what a spreadsheet makes of a serial that looks like a number. */
static bool spreadsheet_number(const char *s)
{
	size_t n = strspn(s, "0123456789");
	if (n == 0)
		return false;
	if (s[n] == '.' || s[n] == ',')
		n += 1 + strspn(s + n + 1, "0123456789");
	return (s[n] == 'E' || s[n] == 'e') && s[n + 1] == '+' && s[n + 2] != '\0' &&
	       s[n + 2 + strspn(s + n + 2, "0123456789")] == '\0';
}

static int check_identity(struct batch *b, const struct batch_row *r, const char *column,
	const char *text, struct err *e)
{
	char normal[IDENTITY_MAX + 1];
	if (!*text)
		return 0;
	if (strlen(text) > IDENTITY_MAX)
		return batch_find(b, r->line, BATCH_ERROR, e,
			"%s is longer than %d characters: \"%.80s...\"", column, IDENTITY_MAX,
			text);
	if (!is_ascii(text))
		return batch_find(b, r->line, BATCH_ERROR, e,
			"%s \"%s\" has a character beyond ASCII: no firmware and no scanner sends "
			"that",
			column, text);
	if (spreadsheet_number(text))
		return batch_find(b, r->line, BATCH_ERROR, e,
			"%s \"%s\" was turned into a number by a spreadsheet: format the column as "
			"text and enter it again",
			column, text);
	if (identity_normalise(text, normal, NULL) < 0 || identity_is_placeholder(text))
		return batch_find(b, r->line, BATCH_ERROR, e,
			"%s \"%s\" is a placeholder: many PCs have it, so it names none", column,
			text);
	return 0;
}

static int check_name(struct batch *b, const struct batch_row *r, struct err *e)
{
	enum name_problem p = computer_name_check(r->computer_name);
	if (p == NAME_OK)
		return 0;
	return batch_find(b, r->line, name_refused(p) ? BATCH_ERROR : BATCH_WARNING, e,
		"computer_name \"%.80s\" %s", r->computer_name, name_problem_text(p));
}

static int check_rest(struct batch *b, const struct batch_row *r, struct err *e)
{
	int ret = 0;
	if (!*r->serial && !*r->tag)
		ret = batch_find(b, r->line, BATCH_WARNING, e,
			"neither serial nor inventory_tag: the PC can only be chosen by its name");
	if (ret == 0 && !*r->blob)
		ret = batch_find(b, r->line, BATCH_ERROR, e, "blob is empty: nothing to join with");
	if (ret == 0 && (!is_ascii(r->domain) || strlen(r->domain) > BUNDLE_DOMAIN_MAX))
		ret = batch_find(b, r->line, BATCH_ERROR, e,
			"domain \"%.80s\" is not a domain name (ASCII, at most %d characters)",
			r->domain, BUNDLE_DOMAIN_MAX);
	for (size_t i = 0; ret == 0 && i < r->extra_count; i++)
		if (strlen(r->extra[i].column) + strlen(r->extra[i].value) + 1 > EXTRA_MAX)
			ret = batch_find(b, r->line, BATCH_ERROR, e, "column \"%.80s\" is too long",
				r->extra[i].column);
	return ret;
}

static int check_settings(struct batch *b, const struct batch_row *r, struct err *e)
{
	struct settings s = {0};
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < r->extra_count; i++) {
		struct err why = ERR_INIT;
		if (settings_take(&s, r->extra[i].column, r->extra[i].value, &why) < 0)
			ret = batch_find(b, r->line, BATCH_ERROR, e, "%s", why.what);
	}
	if (ret == 0 && s.timezone[0] && !settings_zone_known(s.timezone))
		ret = batch_find(b, r->line, BATCH_WARNING, e,
			"timezone \"%s\" is not known here: is it spelled as `tzutil /l` has it? A "
			"Windows without it refuses the PC",
			s.timezone);
	return ret;
}

static int check_row(struct batch *b, const struct batch_row *r, struct err *e)
{
	int ret = check_name(b, r, e);
	if (ret == 0)
		ret = check_identity(b, r, "serial", r->serial, e);
	if (ret == 0)
		ret = check_identity(b, r, "inventory_tag", r->tag, e);
	if (ret == 0)
		ret = check_settings(b, r, e);
	return ret < 0 ? ret : check_rest(b, r, e);
}

/* --- rows against each other --- */

struct key {
	char text[2 * HASH + 1]; /* a normal form, or a hash */
	uint32_t line;
};

static int by_text(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = strcmp(x->text, y->text);
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int report_twins(
	struct batch *b, struct key *keys, size_t n, const char *what, struct err *e)
{
	int ret = 0;
	qsort(keys, n, sizeof *keys, by_text);
	for (size_t i = 1, first = 0; ret == 0 && i < n; i++) {
		if (strcmp(keys[i].text, keys[first].text) != 0)
			first = i;
		else
			ret = batch_find(b, keys[i].line, BATCH_ERROR, e,
				"%s is the same as in line %u", what, keys[first].line);
	}
	return ret;
}

enum twin { TWIN_NAME, TWIN_SERIAL, TWIN_TAG, TWIN_COUNT };

static bool twin_key(const struct batch_row *r, enum twin t, char out[IDENTITY_MAX + 1])
{
	if (t == TWIN_SERIAL)
		return identity_normalise(r->serial, out, NULL) == 0;
	if (t == TWIN_TAG)
		return identity_normalise(r->tag, out, NULL) == 0;
	size_t n = strlen(r->computer_name);
	if (n == 0 || n > COMPUTER_NAME_MAX)
		return false;
	computer_name_upper(r->computer_name, out);
	return true;
}

static int check_twins(struct batch *b, struct err *e)
{
	static const char *const what[TWIN_COUNT] = {"computer_name", "serial", "inventory_tag"};
	struct key *keys = calloc(b->row_count, sizeof *keys);
	int ret = keys ? 0 : err_nomem(e);
	for (int t = 0; ret == 0 && t < TWIN_COUNT; t++) {
		size_t n = 0;
		for (size_t i = 0; i < b->row_count; i++) {
			keys[n].line = b->rows[i].line;
			n += twin_key(&b->rows[i], (enum twin)t, keys[n].text);
		}
		ret = report_twins(b, keys, n, what[t], e);
	}
	free(keys);
	return ret;
}

/* --- blobs --- */

struct blob_check {
	struct batch *b;
	struct key *hashes;
	size_t hash_count;
};

static const char *text_of(const struct odj_str *s)
{
	return s->utf8 ? s->utf8 : "";
}

static int compare_name(
	struct batch *b, const struct batch_row *r, const struct odj *o, struct err *e)
{
	const char *name = text_of(&o->join->machine_name);
	if (computer_name_equal(name, r->computer_name))
		return 0;
	return batch_find(b, r->line, BATCH_ERROR, e,
		"blob %s is for the computer \"%.64s\", not \"%.64s\": the PC would lose its trust",
		r->blob, name, r->computer_name);
}

static int compare_domain(struct batch *b, struct batch_row *r, const struct odj *o, struct err *e)
{
	const char *dns = text_of(&o->join->dns_domain.s);
	const char *netbios = text_of(&o->join->netbios_domain.s);
	if (r->domain_given && strcasecmp(r->domain, dns) != 0 &&
		strcasecmp(r->domain, netbios) != 0)
		return batch_find(b, r->line, BATCH_ERROR, e,
			"blob %s is for the domain \"%s\" (%s), not \"%s\"", r->blob, dns, netbios,
			r->domain);
	free(r->domain); /* one spelling in the bundle, whichever the lab used */
	r->domain = strdup(*dns ? dns : netbios);
	return r->domain ? 0 : err_nomem(e);
}

static bool stops_windows_too(const struct odj_finding *f, const struct odj_finding *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (w[i].level == ODJ_STOP && strcmp(w[i].id, f->id) == 0)
			return true;
	return false;
}

static enum settings_method method_of(const struct batch_row *r)
{
	struct settings s = {0};
	for (size_t i = 0; i < r->extra_count; i++)
		settings_take(&s, r->extra[i].column, r->extra[i].value, NULL);
	return s.method;
}

/* Without a method the blob is looked at for the registry, which asks more of it than Windows'
 * own djoin does. What only the registry cannot take is an error when the row wants no other. */
static int judge(struct batch *b, const struct batch_row *r, const struct odj *o, struct err *e)
{
	struct odj_finding found[ODJ_FINDINGS_MAX], windows[ODJ_FINDINGS_MAX];
	enum settings_method method = method_of(r);
	bool direct = method == METHOD_AUTO || method == METHOD_REGISTRY;
	size_t n = odj_check(o, direct ? ODJ_DIRECT : ODJ_WINDOWS, found);
	size_t m = odj_check(o, ODJ_WINDOWS, windows);
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < n; i++) {
		bool stop = found[i].level == ODJ_STOP;
		bool hint = stop && direct && !stops_windows_too(&found[i], windows, m);
		bool error = stop && (!hint || method == METHOD_REGISTRY);
		ret = batch_find(b, r->line, error ? BATCH_ERROR : BATCH_WARNING, e,
			"blob %s: %s%s", r->blob, found[i].text,
			hint ? " With firstboot in the column method Windows' own djoin takes it."
			     : "");
	}
	return ret;
}

static int check_blob(void *ctx, size_t row, const struct secret *raw, struct err *e)
{
	struct blob_check *c = ctx;
	struct batch_row *r = &c->b->rows[row];
	struct err why = ERR_INIT;
	struct odj o = ODJ_INIT;
	uint8_t hash[HASH];
	int ret = odj_decode(raw, &o, &why);
	if (ret == -ERR_NOMEM)
		return err_nomem(e);
	if (ret < 0)
		return batch_find(c->b, r->line, BATCH_ERROR, e, "blob %s: %s", r->blob, why.what);
	crypto_generichash(hash, sizeof hash, raw->p, raw->len, NULL, 0);
	sodium_bin2hex(c->hashes[c->hash_count].text, 2 * HASH + 1, hash, sizeof hash);
	c->hashes[c->hash_count++].line = r->line;
	r->blob_size = (uint32_t)raw->len;
	r->blob_read = true;
	ret = judge(c->b, r, &o, e);
	if (ret == 0 && o.join)
		ret = compare_name(c->b, r, &o, e);
	if (ret == 0 && o.join)
		ret = compare_domain(c->b, r, &o, e);
	odj_clear(&o);
	return ret;
}

/* Rows whose domain nobody stated should agree with most of the others. */
static int check_domains(struct batch *b, struct err *e)
{
	const char *most = NULL;
	size_t votes = 0; /* majority vote: one pass, no table */
	for (size_t i = 0; i < b->row_count; i++) {
		const struct batch_row *r = &b->rows[i];
		if (!r->blob_read || r->domain_given)
			continue;
		if (votes == 0)
			most = r->domain;
		votes += strcasecmp(most, r->domain) == 0 ? 1 : (size_t)-1;
	}
	int ret = 0;
	for (size_t i = 0; ret == 0 && most && i < b->row_count; i++) {
		const struct batch_row *r = &b->rows[i];
		if (r->blob_read && !r->domain_given && strcasecmp(most, r->domain) != 0)
			ret = batch_find(b, r->line, BATCH_WARNING, e,
				"blob %s is for the domain \"%s\", others are for \"%s\": add a "
				"column "
				"\"domain\" if that is meant",
				r->blob, r->domain, most);
	}
	return ret;
}

static int check_blobs(struct batch *b, const char *blobs, struct err *e)
{
	struct blob_check c = {b, calloc(b->row_count, sizeof *c.hashes), 0};
	int ret = c.hashes ? batch_each_blob(b, blobs, check_blob, &c, e) : err_nomem(e);
	if (ret == 0)
		ret = report_twins(b, c.hashes, c.hash_count, "blob", e);
	free(c.hashes);
	return ret < 0 ? ret : check_domains(b, e);
}

static int by_line(const void *a, const void *b)
{
	const struct batch_finding *x = a, *y = b;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->severity != y->severity)
		return x->severity < y->severity ? -1 : 1;
	return strcmp(x->text, y->text);
}

int batch_check(struct batch *b, const char *blobs, struct err *e)
{
	int ret = 0;
	if (b->row_count == 0)
		return 0; /* calloc() of nothing may be NULL */
	for (size_t i = 0; ret == 0 && i < b->row_count; i++)
		ret = check_row(b, &b->rows[i], e);
	if (ret == 0)
		ret = check_twins(b, e);
	if (ret == 0)
		ret = check_blobs(b, blobs, e);
	if (b->finding_count)
		qsort(b->findings, b->finding_count, sizeof *b->findings, by_line);
	return ret;
}
