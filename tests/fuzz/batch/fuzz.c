/*
 * The CSV reader on arbitrary bytes.
 *
 * What must hold: an accepted inventory, written again by the rules of RFC 4180, reads as the same
 * rows.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf16.h"
#include "bundle/batch_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void must(bool what)
{
	if (!what)
		abort();
}

static struct batch *parse(const uint8_t *p, size_t n)
{
	char *text = NULL;
	struct batch *b = calloc(1, sizeof *b);
	must(b != NULL);
	b->path = strdup("fuzz.csv");
	if (batch_to_utf8(b->path, p, n, &text, NULL) < 0 ||
		batch_parse(b, text, strlen(text), NULL) < 0) {
		batch_close(b);
		b = NULL;
	}
	free(text);
	return b;
}

static void cell(struct buf *out, const char *s, char end)
{
	must(utf8_valid(s, strlen(s)));
	buf_add(out, "\"", 1, NULL);
	for (; *s; s++) {
		buf_add(out, s, 1, NULL);
		if (*s == '"')
			buf_add(out, s, 1, NULL);
	}
	buf_add(out, "\"", 1, NULL);
	buf_add(out, &end, 1, NULL);
}

static void write_again(const struct batch *b, struct buf *out)
{
	buf_printf(out, NULL, "computer_name,serial,inventory_tag,blob,domain\n");
	for (size_t i = 0; i < batch_count(b); i++) {
		const struct batch_row *r = batch_row(b, i);
		cell(out, r->computer_name, ',');
		cell(out, r->serial, ',');
		cell(out, r->tag, ',');
		cell(out, r->blob, ',');
		cell(out, r->domain, '\n');
	}
}

/* Only further columns distinguish a row from an empty one: the second form has none of them. */
static bool plain_row(const struct batch_row *r)
{
	return *r->computer_name || *r->serial || *r->tag || *r->blob || *r->domain;
}

static void same(const struct batch *a, const struct batch *b)
{
	size_t j = 0;
	for (size_t i = 0; i < batch_count(a); i++) {
		const struct batch_row *x = batch_row(a, i);
		if (!plain_row(x))
			continue;
		must(j < batch_count(b));
		const struct batch_row *y = batch_row(b, j++);
		must(strcmp(x->computer_name, y->computer_name) == 0);
		must(strcmp(x->serial, y->serial) == 0 && strcmp(x->tag, y->tag) == 0);
		must(strcmp(x->blob, y->blob) == 0 && strcmp(x->domain, y->domain) == 0);
	}
	must(j == batch_count(b));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct batch *a = parse(p, n);
	if (!a)
		return 0;
	struct buf text = BUF_INIT;
	bool any = false;
	for (size_t i = 0; i < batch_count(a); i++)
		any = any || plain_row(batch_row(a, i));
	write_again(a, &text);
	struct batch *b = parse(text.p, text.len);
	must(!any || b != NULL);
	if (b)
		same(a, b);
	batch_close(a);
	batch_close(b);
	buf_clear(&text);
	return 0;
}
