/* odjstick batch: lint a CSV of PCs and their blobs. */
#include "cli/batch.h"

#include <stdio.h>

#include "cli/cli.h"

static const char *severity_name(enum batch_severity s)
{
	return s == BATCH_ERROR ? "error" : "warning";
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

void print_findings(FILE *f, const struct batch *b)
{
	for (size_t i = 0; i < batch_finding_count(b); i++) {
		const struct batch_finding *x = batch_finding(b, i);
		fprintf(f, "%s:%u: %s: %s\n", batch_path(b), x->line, severity_name(x->severity),
			x->text);
	}
	size_t more = batch_errors(b) + batch_warnings(b) - batch_finding_count(b);
	if (more)
		fprintf(f, "%s: %zu more findings are not shown\n", batch_path(b), more);
	size_t n = batch_count(b), errors = batch_errors(b), warnings = batch_warnings(b);
	fprintf(f, "%s: %zu PC%s, %zu error%s, %zu warning%s\n", batch_path(b), n, plural(n),
		errors, plural(errors), warnings, plural(warnings));
}

int refuse_errors(const struct batch *b, struct err *e)
{
	size_t n = batch_errors(b);
	if (n == 0)
		return 0;
	return err_set(e, ERR_FORMAT,
		"Nothing was written. Correct the lines above and check again.",
		"%s has %zu error%s", batch_path(b), n, plural(n));
}

static int print_json(const struct batch *b, struct err *e)
{
	json_t *findings = json_array();
	for (size_t i = 0; i < batch_finding_count(b); i++) {
		const struct batch_finding *x = batch_finding(b, i);
		json_array_append_new(
			findings, json_pack("{s:i, s:s, s:s}", "line", (int)x->line, "severity",
					  severity_name(x->severity), "text", x->text));
	}
	return cli_print_json(
		json_pack("{s:s, s:I, s:I, s:I, s:o}", "file", batch_path(b), "pcs",
			(json_int_t)batch_count(b), "errors", (json_int_t)batch_errors(b),
			"warnings", (json_int_t)batch_warnings(b), "findings", findings),
		e);
}

static int run_check(int argc, char **argv, struct err *e)
{
	const char *path = NULL, *blobs = NULL, *where = NULL;
	bool json = false;
	const struct cli_opt opts[] = {{"--blobs", &blobs, NULL}, {"--where", &where, NULL},
		{"--json", NULL, &json}, {NULL, NULL, NULL}};
	struct batch *b = NULL;
	int ret = cli_parse(argc, argv, opts, 1, 1, &path, NULL, e);
	if (ret == 0)
		ret = batch_open(&b, path, e);
	if (ret == 0 && where)
		ret = batch_where(b, where, e);
	if (ret == 0)
		ret = batch_check(b, blobs, e);
	if (ret == 0 && json)
		ret = print_json(b, e);
	else if (ret == 0)
		print_findings(stdout, b);
	if (ret == 0)
		ret = refuse_errors(b, e);
	batch_close(b);
	return ret;
}

static const struct cli_verb verbs[] = {
	{"check", "BATCH.csv [--blobs DIR|ARCHIVE] [--where COLUMN=VALUE] [--json]",
		"lint an inventory and its blobs: FILE:LINE: what, why", run_check},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_batch = {"batch", "the lab's inventory of PCs", verbs};
