#include "bundle/batch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "bundle/batch_internal.h"

#define FINDINGS_MAX 10000u /* beyond, only counted */
#define FINDING_TEXT 512

int batch_find(struct batch *b, uint32_t line, enum batch_severity severity, struct err *e,
	const char *fmt, ...)
{
	(severity == BATCH_ERROR) ? b->errors++ : b->warnings++;
	if (b->finding_count == FINDINGS_MAX)
		return 0;
	if (b->finding_count == b->finding_cap) {
		size_t cap = b->finding_cap ? 2 * b->finding_cap : 16;
		struct batch_finding *more = realloc(b->findings, cap * sizeof *more);
		if (!more)
			return err_nomem(e);
		b->findings = more;
		b->finding_cap = cap;
	}
	char text[FINDING_TEXT];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	char *copy = strdup(text);
	if (!copy)
		return err_nomem(e);
	b->findings[b->finding_count++] = (struct batch_finding){line, severity, copy};
	return 0;
}

int batch_open(struct batch **out, const char *csv_path, struct err *e)
{
	CLEANUP(buf_clear) struct buf file = BUF_INIT;
	CLEANUP(freep) char *text = NULL;
	struct batch *b = calloc(1, sizeof *b);
	if (!b)
		return err_nomem(e);
	b->path = strdup(csv_path);
	int ret = b->path ? file_read(csv_path, BATCH_CSV_MAX, &file, e) : err_nomem(e);
	if (ret == 0)
		ret = batch_to_utf8(csv_path, file.p, file.len, &text, e);
	if (ret == 0)
		ret = batch_parse(b, text, strlen(text), e);
	if (ret == 0)
		*out = STEAL(b);
	batch_close(b);
	return ret;
}

static void row_clear(struct batch_row *r)
{
	free(r->computer_name);
	free(r->serial);
	free(r->tag);
	free(r->domain);
	free(r->blob);
	for (size_t i = 0; i < r->extra_count; i++)
		free(r->extra[i].value);
	free(r->extra);
}

void batch_close(struct batch *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->row_count; i++)
		row_clear(&b->rows[i]);
	for (size_t i = 0; i < b->finding_count; i++)
		free(b->findings[i].text);
	for (size_t i = 0; i < b->column_count; i++)
		free(b->columns[i]);
	free(b->rows);
	free(b->findings);
	free(b->path);
	free(b);
}

static const char *cell(const struct batch_row *r, const char *column)
{
	if (strcmp(column, "computer_name") == 0)
		return r->computer_name;
	if (strcmp(column, "serial") == 0)
		return r->serial;
	if (strcmp(column, "inventory_tag") == 0)
		return r->tag;
	if (strcmp(column, "blob") == 0)
		return r->blob;
	if (strcmp(column, "domain") == 0)
		return r->domain;
	for (size_t i = 0; i < r->extra_count; i++)
		if (strcmp(column, r->extra[i].column) == 0)
			return r->extra[i].value;
	return "";
}

int batch_where(struct batch *b, const char *condition, struct err *e)
{
	const char *eq = strchr(condition, '=');
	const char *column = NULL;
	for (size_t i = 0; eq && i < b->column_count; i++)
		if (strlen(b->columns[i]) == (size_t)(eq - condition) &&
			strncasecmp(b->columns[i], condition, (size_t)(eq - condition)) == 0)
			column = b->columns[i];
	if (!column)
		return err_set(e, ERR_USAGE,
			"Give COLUMN=VALUE with a column of the CSV's first line.",
			"\"%s\" names no column of %s", condition, b->path);
	size_t kept = 0;
	for (size_t i = 0; i < b->row_count; i++) {
		if (strcasecmp(cell(&b->rows[i], column), eq + 1) == 0)
			b->rows[kept++] = b->rows[i];
		else
			row_clear(&b->rows[i]);
	}
	b->row_count = kept;
	if (kept == 0)
		return err_set(e, ERR_NOTFOUND, "Nothing was written.", "no row of %s has %s",
			b->path, condition);
	return 0;
}

size_t batch_count(const struct batch *b)
{
	return b->row_count;
}

const struct batch_row *batch_row(const struct batch *b, size_t i)
{
	return &b->rows[i];
}

size_t batch_finding_count(const struct batch *b)
{
	return b->finding_count;
}

const struct batch_finding *batch_finding(const struct batch *b, size_t i)
{
	return &b->findings[i];
}

size_t batch_errors(const struct batch *b)
{
	return b->errors;
}

size_t batch_warnings(const struct batch *b)
{
	return b->warnings;
}

const char *batch_path(const struct batch *b)
{
	return b->path;
}
