/*
 * Batch: the lab's inventory, one CSV row per PC, and the findings of its lint.
 *
 * Columns: computer_name, serial, inventory_tag, blob; optional: domain, timezone,
 * keyboard, rtc, method (bundle/settings.h); any other column is kept as an extra of the
 * row and warned about. Header order is free.
 * UTF-8 (with or without BOM), UTF-16 with BOM; `,` or `;` or tab as separator.
 * A row needs a computer_name and a blob; without a serial and a tag the PC can only be chosen by
 * name.
 *
 * The batch owns its rows and findings until batch_close(). No secret stays in it:
 * blobs are read one at a time and dropped (batch_each_blob).
 */
#ifndef BUNDLE_BATCH_H
#define BUNDLE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define BATCH_ROWS_MAX 100000u
#define BATCH_CSV_MAX (64u << 20) /* bytes */
#define BATCH_CELL_MAX 1024u	  /* bytes of one cell */
#define BATCH_COLUMNS_MAX 64u

enum batch_severity { BATCH_ERROR, BATCH_WARNING };

struct batch_finding {
	uint32_t line; /* of the CSV; 0: the file as a whole */
	enum batch_severity severity;
	char *text; /* what is wrong and why it matters */
};

struct batch_extra {
	const char *column;
	char *value;
};

struct batch_row {
	uint32_t line;
	char *computer_name; /* as written; never NULL, may be "" */
	char *serial;
	char *tag;
	char *domain; /* the column when given, else filled from the blob by batch_check() */
	char *blob;   /* path as written */
	struct batch_extra *extra;
	size_t extra_count;
	bool domain_given;
	bool blob_read;	    /* batch_check() decoded it */
	uint32_t blob_size; /* raw bytes, after batch_check() */
};

struct batch;

/* Read and take the CSV apart. Problems of rows are findings; an error is returned only when the
 * file cannot be read as a CSV of PCs at all. */
int batch_open(struct batch **b, const char *csv_path, struct err *e);
void batch_close(struct batch *b);

/* Keep only rows whose COLUMN (any column of the header) equals VALUE, comparing without case.
 * condition is "COLUMN=VALUE". */
int batch_where(struct batch *b, const char *condition, struct err *e);

/* Lint everything: names, duplicates, identities, each blob. blobs is NULL (paths relative to the
 * CSV), a folder, or an archive that libarchive reads. Adds findings; returns an error only when
 * the work itself could not be done. */
int batch_check(struct batch *b, const char *blobs, struct err *e);

size_t batch_count(const struct batch *b);
const struct batch_row *batch_row(const struct batch *b, size_t i);
size_t batch_finding_count(const struct batch *b);
const struct batch_finding *batch_finding(const struct batch *b, size_t i); /* sorted by line */
size_t batch_errors(const struct batch *b);
size_t batch_warnings(const struct batch *b);
const char *batch_path(const struct batch *b);

/* Call fn once per row whose blob can be read, with the raw (decoded) blob; in any order. The
 * secret is lent for the call only. fn returns 0 or -ERR_* to stop. Rows whose blob cannot be read
 * become findings. */
typedef int (*batch_blob_fn)(void *ctx, size_t row, const struct secret *raw, struct err *e);
int batch_each_blob(struct batch *b, const char *blobs, batch_blob_fn fn, void *ctx, struct err *e);

#endif
