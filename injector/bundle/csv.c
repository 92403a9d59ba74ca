/* The CSV of a batch: encoding, separator, header line, rows. Quoting is libcsv's business. */
#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf16.h"
#include "bundle/batch_internal.h"
#include "bundle/settings.h"

static int has_nul(const char *name, struct err *e)
{
	return err_set(e, ERR_FORMAT, "Save it as \"CSV UTF-8\". Nothing was written.",
		"%s holds NUL bytes: it is not a text file, or UTF-16 without its mark", name);
}

int batch_to_utf8(const char *name, const uint8_t *p, size_t n, char **out, struct err *e)
{
	bool little = n >= 2 && p[0] == 0xff && p[1] == 0xfe;
	bool big = n >= 2 && p[0] == 0xfe && p[1] == 0xff;
	CLEANUP(buf_clear) struct buf swapped = BUF_INIT;
	if (big && buf_add(&swapped, p, n & ~(size_t)1, e) < 0)
		return err_nomem(e);
	for (size_t i = 0; i + 1 < swapped.len; i += 2) {
		uint8_t c = swapped.p[i];
		swapped.p[i] = swapped.p[i + 1];
		swapped.p[i + 1] = c;
	}
	for (size_t i = 2; (little || big) && i + 1 < n; i += 2)
		if (p[i] == 0 && p[i + 1] == 0)
			return has_nul(name, e);
	if (little || big) {
		const uint8_t *units = big ? swapped.p : p;
		*out = utf16le_to_utf8(units + 2, n - 2);
	} else {
		size_t bom = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
		*out = calloc(1, n - bom + 1);
		if (*out && n > bom)
			memcpy(*out, p + bom, n - bom);
	}
	if (!*out)
		return err_nomem(e);
	if (!(little || big) && n && memchr(p, '\0', n)) {
		freep(out);
		return has_nul(name, e);
	}
	return 0;
}

enum known { K_NAME, K_SERIAL, K_TAG, K_BLOB, K_DOMAIN, K_COUNT, K_EXTRA = K_COUNT };

static const char *const known_columns[K_COUNT] = {
	"computer_name",
	"serial",
	"inventory_tag",
	"blob",
	"domain",
};

struct parser {
	struct batch *b;
	struct err *e;
	int ret;
	uint32_t line;	   /* being fed */
	uint32_t row_line; /* where the row at hand began */
	bool have_header, row_ended;
	enum known kind[BATCH_COLUMNS_MAX];
	size_t column;
	char *cells[BATCH_COLUMNS_MAX];
	bool too_many;
};

static void fail(struct parser *p, int ret)
{
	if (p->ret == 0)
		p->ret = ret;
}

static char *trimmed(const char *s, size_t n)
{
	while (n && (*s == ' ' || *s == '\t')) {
		s++;
		n--;
	}
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
		n--;
	char *out = malloc(n + 1);
	if (out) {
		if (n)
			memcpy(out, s, n);
		out[n] = '\0';
	}
	return out;
}

static void on_cell(void *s, size_t n, void *ctx)
{
	struct parser *p = ctx;
	if (p->ret < 0)
		return;
	if (p->column == BATCH_COLUMNS_MAX) {
		p->too_many = true;
		return;
	}
	if (n > BATCH_CELL_MAX) {
		fail(p, err_set(p->e, ERR_LIMIT,
				"Is a quotation mark missing? Nothing was written.",
				"%s:%u: a cell has %zu bytes; at most %u are accepted", p->b->path,
				p->row_line, n, BATCH_CELL_MAX));
		return;
	}
	char *text = trimmed(n ? s : "", n);
	if (!text)
		fail(p, err_nomem(p->e));
	p->cells[p->column++] = text;
}

static void drop_cells(struct parser *p)
{
	for (size_t i = 0; i < p->column; i++)
		freep(&p->cells[i]);
	p->column = 0;
	p->too_many = false;
}

static int warn_column(struct parser *p, const char *name)
{
	return batch_find(p->b, p->row_line, BATCH_WARNING, p->e,
		"column \"%s\" is not known: kept in the bundle, but nothing uses it", name);
}

static int take_column(struct parser *p, char *name)
{
	for (char *c = name; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	for (size_t i = 0; i < p->b->column_count; i++)
		if (strcmp(p->b->columns[i], name) == 0)
			return err_set(p->e, ERR_FORMAT, "Remove one. Nothing was written.",
				"%s:%u: the column \"%s\" is there twice", p->b->path, p->row_line,
				name);
	size_t k = 0;
	while (k < K_COUNT && strcmp(known_columns[k], name) != 0)
		k++;
	p->kind[p->b->column_count] = (enum known)k;
	char *copy = strdup(name);
	if (!copy)
		return err_nomem(p->e);
	p->b->columns[p->b->column_count++] = copy;
	return k == K_EXTRA && *name && !settings_column(name) ? warn_column(p, name) : 0;
}

static int take_header(struct parser *p)
{
	int ret = 0;
	bool seen[K_COUNT + 1] = {false};
	if (p->too_many)
		return err_set(p->e, ERR_LIMIT, "Nothing was written.", "%s: more than %u columns",
			p->b->path, BATCH_COLUMNS_MAX);
	for (size_t i = 0; ret == 0 && i < p->column; i++) {
		ret = take_column(p, p->cells[i]);
		if (ret == 0)
			seen[p->kind[i]] = true;
	}
	if (ret == 0 && (!seen[K_NAME] || !seen[K_BLOB] || !(seen[K_SERIAL] || seen[K_TAG])))
		ret = err_set(p->e, ERR_FORMAT,
			"The first line must name the columns: "
			"computer_name, serial, inventory_tag, blob. Nothing was written.",
			"%s:%u: the column \"%s\" is missing", p->b->path, p->row_line,
			!seen[K_NAME]	? "computer_name"
			: !seen[K_BLOB] ? "blob"
					: "serial");
	p->have_header = true;
	return ret;
}

static int add_extra(struct parser *p, struct batch_row *r, size_t column, char **value)
{
	if (!**value || !*p->b->columns[column])
		return 0;
	struct batch_extra *more = realloc(r->extra, (r->extra_count + 1) * sizeof *more);
	if (!more)
		return err_nomem(p->e);
	r->extra = more;
	r->extra[r->extra_count++] = (struct batch_extra){p->b->columns[column], STEAL(*value)};
	return 0;
}

static int fill_row(struct parser *p, struct batch_row *r)
{
	int ret = 0;
	char **slot[K_COUNT] = {&r->computer_name, &r->serial, &r->tag, &r->blob, &r->domain};
	for (size_t i = 0; ret == 0 && i < p->column && i < p->b->column_count; i++) {
		if (p->kind[i] == K_EXTRA)
			ret = add_extra(p, r, i, &p->cells[i]);
		else
			*slot[p->kind[i]] = STEAL(p->cells[i]);
	}
	for (size_t k = 0; ret == 0 && k < K_COUNT; k++) {
		if (!*slot[k])
			*slot[k] = calloc(1, 1);
		if (!*slot[k])
			ret = err_nomem(p->e);
	}
	r->domain_given = ret == 0 && *r->domain;
	return ret;
}

static bool all_empty(const struct parser *p)
{
	for (size_t i = 0; i < p->column; i++)
		if (*p->cells[i])
			return false;
	return true;
}

static int check_width(struct parser *p)
{
	if (p->column < p->b->column_count)
		return batch_find(p->b, p->row_line, BATCH_ERROR, p->e,
			"only %zu of %zu cells: the row is cut, or a separator is missing",
			p->column, p->b->column_count);
	if (p->column > p->b->column_count || p->too_many)
		return batch_find(p->b, p->row_line, BATCH_ERROR, p->e,
			"more cells than columns: a value with a separator needs quotation marks");
	return 0;
}

static int take_row(struct parser *p)
{
	struct batch *b = p->b;
	if (all_empty(p))
		return 0;
	int ret = check_width(p);
	if (ret < 0)
		return ret;
	if (b->row_count == BATCH_ROWS_MAX)
		return err_set(p->e, ERR_LIMIT, "Split it. Nothing was written.",
			"%s has more than %u PCs", b->path, BATCH_ROWS_MAX);
	if (b->row_count == b->row_cap) {
		size_t cap = b->row_cap ? 2 * b->row_cap : 64;
		struct batch_row *more = realloc(b->rows, cap * sizeof *more);
		if (!more)
			return err_nomem(p->e);
		b->rows = more;
		b->row_cap = cap;
	}
	b->rows[b->row_count] = (struct batch_row){.line = p->row_line};
	return fill_row(p, &b->rows[b->row_count++]);
}

static void on_row(int c, void *ctx)
{
	(void)c;
	struct parser *p = ctx;
	if (p->ret == 0)
		fail(p, p->have_header ? take_row(p) : take_header(p));
	drop_cells(p);
	p->row_ended = true;
}

/* The separator is the candidate that the first line has most of. */
static unsigned char separator(const char *line, size_t n)
{
	static const char candidates[] = ",;\t";
	size_t best = 0, most = 0;
	for (size_t c = 0; candidates[c]; c++) {
		size_t count = 0;
		for (size_t i = 0; i < n; i++)
			count += line[i] == candidates[c];
		if (count > most) {
			best = c;
			most = count;
		}
	}
	return (unsigned char)candidates[best];
}

static int feed_line(struct parser *p, struct csv_parser *csv, const char *line, size_t n)
{
	if (!utf8_valid(line, n))
		return err_set(p->e, ERR_FORMAT, "Save it as \"CSV UTF-8\". Nothing was written.",
			"%s:%u: the line is not UTF-8 text", p->b->path, p->line);
	if (csv_parse(csv, line, n, on_cell, on_row, p) != n)
		return err_set(p->e, ERR_FORMAT,
			"A quotation mark inside a cell is written twice. Nothing was written.",
			"%s:%u: %s", p->b->path, p->line, csv_strerror(csv_error(csv)));
	return p->ret;
}

static int feed(struct parser *p, struct csv_parser *csv, const char *text, size_t len)
{
	bool inside = false; /* a row */
	int ret = 0;
	while (ret == 0 && len) {
		const char *lf = memchr(text, '\n', len);
		size_t n = lf ? (size_t)(lf - text) + 1 : len;
		bool blank = strspn(text, " \t\r") >= n - (lf ? 1 : 0);
		p->line++;
		if (p->line == 1 && n > 5 && memcmp(text, "sep=", 4) == 0) {
			csv_set_delim(csv, (unsigned char)text[4]);
		} else {
			if (!p->have_header && !inside && !blank &&
				!(p->line == 2 && csv_get_delim(csv) != CSV_COMMA))
				csv_set_delim(csv, separator(text, n));
			if (!inside)
				p->row_line = p->line;
			p->row_ended = false;
			ret = feed_line(p, csv, text, n);
			inside = !p->row_ended && (inside || !blank);
		}
		text += n;
		len -= n;
	}
	return ret;
}

int batch_parse(struct batch *b, const char *text, size_t len, struct err *e)
{
	struct parser p = {.b = b, .e = e};
	struct csv_parser csv;
	if (csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return err_nomem(e);
	int ret = feed(&p, &csv, text, len);
	if (ret == 0 && csv_fini(&csv, on_cell, on_row, &p) != 0)
		ret = err_set(e, ERR_FORMAT, "Nothing was written.",
			"%s:%u: a quotation mark opens here and never closes", b->path, p.row_line);
	if (ret == 0)
		ret = p.ret;
	drop_cells(&p);
	csv_free(&csv);
	if (ret == 0 && b->row_count == 0)
		ret = err_set(e, ERR_FORMAT, "Nothing was written.", "%s names no PC", b->path);
	return ret;
}
