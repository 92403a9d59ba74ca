#include "windows/splicer.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- building text --- */

static void splice_put(struct splicer *d, const char *s)
{
	if (d->ret == 0)
		d->ret = buf_add(d->out, s, strlen(s), d->e);
}

static void new_line(struct splicer *d)
{
	if (!d->pretty)
		return;
	splice_put(d, d->a->crlf ? "\r\n" : "\n");
	splice_put(d, d->indent);
	for (int i = 0; i < d->level; i++)
		splice_put(d, "  ");
}

static void name(struct splicer *d, const char *before, enum answer_tag tag, const char *after)
{
	splice_put(d, before);
	splice_put(d, d->prefix);
	splice_put(d, *d->prefix ? ":" : "");
	splice_put(d, answer_tag_name(tag));
	splice_put(d, after);
}

void splice_leaf(struct splicer *d, enum answer_tag tag, const char *value)
{
	new_line(d);
	name(d, "<", tag, ">");
	splice_put(d, value);
	name(d, "</", tag, ">");
}

void splice_open(struct splicer *d, enum answer_tag tag, const char *attributes)
{
	new_line(d);
	name(d, "<", tag, "");
	splice_put(d, attributes);
	splice_put(d, ">");
	d->level++;
}

void splice_close(struct splicer *d, enum answer_tag tag)
{
	d->level--;
	new_line(d);
	name(d, "</", tag, ">");
}

void splice_component(struct splicer *d, const char *component)
{
	char attributes[256];
	snprintf(attributes, sizeof attributes,
		" name=\"%s\" processorArchitecture=\"%s\" publicKeyToken=\"31bf3856ad364e35\" "
		"language=\"neutral\" versionScope=\"nonSxS\"",
		component, windows_arch_name(d->join->arch));
	splice_open(d, TAG_COMPONENT, attributes);
}

/* The path of a join below `have`, down to AccountData. */
/* --- splices --- */

struct splice *splice_cut(struct splicer *d, size_t at, size_t cut)
{
	if (d->ret == 0 && d->count == SPLICES_MAX)
		d->ret = err_set(d->e, ERR_LIMIT,
			"It is untouched. Remove the repeated settings from it.",
			"the answer file repeats the same settings too often");
	if (d->ret < 0)
		return NULL;
	struct splice *s = &d->v[d->count++];
	*s = (struct splice){.at = at, .remove = cut};
	return s;
}

void splice_content(struct splicer *d, const struct answer_node *n, const char *value)
{
	size_t at = n->self_closed ? n->start_end - 2 * d->a->width : n->start_end;
	struct splice *s = splice_cut(d, at, n->end - at);
	if (!s)
		return;
	d->out = &s->text;
	d->prefix = n->prefix;
	splice_put(d, n->self_closed ? ">" : "");
	splice_put(d, value);
	if (n->self_closed)
		name(d, "</", n->tag, ">");
}

/* The blanks in front of a tag when it begins its line; false when it does not. *line_end is where
 * the line before ends. */
static bool own_line(
	const struct answer *a, size_t tag, char *indent, size_t size, size_t *line_end)
{
	size_t w = a->width;
	size_t at = tag;
	while (at >= w && (answer_char(a, at - w) == ' ' || answer_char(a, at - w) == '\t'))
		at -= w;
	size_t n = (tag - at) / w;
	if (at < w || answer_char(a, at - w) != '\n' || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		indent[i] = answer_char(a, at + i * w);
	indent[n] = '\0';
	*line_end = at - w;
	if (*line_end >= w && answer_char(a, *line_end - w) == '\r')
		*line_end -= w;
	return true;
}

/* Get ready to write children of n in front of its end tag. */
void splice_begin(struct splicer *d, const struct answer_node *n)
{
	size_t w = d->a->width;
	size_t at = n->self_closed ? n->start_end - 2 * w : n->end;
	size_t line_end = at;
	d->pretty = own_line(
		d->a, n->self_closed ? n->start : n->end, d->indent, sizeof d->indent, &line_end);
	if (!n->self_closed && d->pretty && line_end >= n->start_end)
		at = line_end;
	else if (!n->self_closed)
		d->pretty = false;
	struct splice *s = splice_cut(d, at, n->self_closed ? 2 * w : 0);
	if (!s)
		return;
	d->out = &s->text;
	d->prefix = n->prefix;
	d->level = 1;
	splice_put(d, n->self_closed ? ">" : "");
}

void splice_end(struct splicer *d, const struct answer_node *n)
{
	if (!n->self_closed || d->ret < 0)
		return;
	d->level = 0;
	new_line(d);
	name(d, "</", n->tag, ">");
}

/* --- writing --- */

static int by_place(const void *x, const void *y)
{
	const struct splice *a = x;
	const struct splice *b = y;
	return a->at < b->at ? -1 : a->at > b->at;
}

static size_t encode(const struct answer *a, uint8_t *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; out && i < n; i++) {
		out[i * a->width] = p[i];
		if (a->width == 2)
			out[i * 2 + 1] = 0;
		if (a->big_endian) {
			out[i * 2 + 1] = p[i];
			out[i * 2] = 0;
		}
	}
	return n * a->width;
}

static size_t copy(uint8_t *out, const uint8_t *p, size_t n)
{
	if (out && n)
		memcpy(out, p, n);
	return n;
}

/* Both the size (out NULL) and the bytes. */
static size_t assemble(const struct splicer *d, const struct secret *b64, uint8_t *out)
{
	const struct span in = d->a->bytes;
	size_t n = 0, from = 0;
	for (size_t i = 0; i < d->count; i++) {
		const struct splice *s = &d->v[i];
		n += copy(out ? out + n : NULL, in.p + from, s->at - from);
		for (size_t k = 0; k < s->text.len; k++) {
			bool blob = s->text.p[k] == SPLICE_BLOB[0];
			n += encode(d->a, out ? out + n : NULL, blob ? b64->p : &s->text.p[k],
				blob ? b64->len : 1);
		}
		from = s->at + s->remove;
	}
	return n + copy(out ? out + n : NULL, in.p + from, in.len - from);
}

int splice_base64(const struct secret *raw, struct secret *text, struct err *e)
{
	size_t size = sodium_base64_encoded_len(raw->len, sodium_base64_VARIANT_ORIGINAL);
	int ret = secret_alloc(text, size, e);
	if (ret < 0)
		return ret;
	sodium_bin2base64((char *)text->p, size, raw->p, raw->len, sodium_base64_VARIANT_ORIGINAL);
	secret_truncate(text, size - 1);
	return 0;
}

int splice_write(struct splicer *d, struct secret *out, struct err *e)
{
	struct secret b64 = SECRET_INIT;
	int ret = d->ret < 0 ? d->ret : splice_base64(d->join->raw, &b64, e);
	if (ret == 0) {
		if (d->count)
			qsort(d->v, d->count, sizeof *d->v, by_place);
		ret = secret_alloc(out, assemble(d, &b64, NULL), e);
	}
	if (ret == 0)
		assemble(d, &b64, out->p);
	for (size_t i = 0; i < d->count; i++)
		buf_clear(&d->v[i].text);
	secret_clear(&b64);
	return ret;
}
