/*
 * What `batch check` and `bundle create` both print: the findings of a batch, one per line, in the
 * form compilers use and editors understand.
 */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include <stdio.h>

#include "bundle/batch.h"

/* FILE:LINE: error|warning: text; then a summary line. */
void print_findings(FILE *f, const struct batch *b);

/* -ERR_FORMAT when there are errors. */
int refuse_errors(const struct batch *b, struct err *e);

#endif
