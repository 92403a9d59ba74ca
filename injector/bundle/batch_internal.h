/*
 * Internal: what the files of bundle/ that make a batch share. Not for other folders.
 */
#ifndef BUNDLE_BATCH_INTERNAL_H
#define BUNDLE_BATCH_INTERNAL_H

#include "bundle/batch.h"

struct batch {
	char *path;
	char *columns[BATCH_COLUMNS_MAX]; /* lower case */
	size_t column_count;
	struct batch_row *rows;
	size_t row_count, row_cap;
	struct batch_finding *findings;
	size_t finding_count, finding_cap;
	size_t errors, warnings;
};

int batch_find(struct batch *b, uint32_t line, enum batch_severity severity, struct err *e,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* CSV text (UTF-8, NUL-terminated) into rows and findings. */
int batch_parse(struct batch *b, const char *text, size_t len, struct err *e);

/* File bytes to UTF-8; *out is NUL-terminated. */
int batch_to_utf8(const char *name, const uint8_t *p, size_t n, char **out, struct err *e);

#endif
