/*
 * Command line: noun, then verb. One file per noun; each noun is a table of
 * verbs with its usage line, so `odjstick help` and the man page cannot drift.
 *
 * A verb gets its own argc/argv (argv[0] is the verb), returns 0 or -ERR_* and
 * fills `struct err`; main() prints the error and turns the code into the exit
 * status. A positive value is the exit status itself: the wizard's word to init.
 * Verbs never call exit().
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

struct cli_verb {
	const char *name;
	const char *args;    /* "FILE [--show-secret]" */
	const char *summary; /* one line */
	int (*run)(int argc, char **argv, struct err *e);
};

struct cli_noun {
	const char *name;
	const char *summary;
	const struct cli_verb *verbs; /* ends with name == NULL; a noun that is its own verb has one
					 entry whose name is "" */
};

extern const struct cli_noun cli_blob, cli_hive, cli_windows, cli_lab, cli_batch, cli_bundle,
	cli_stick, cli_image, cli_apply, cli_undo, cli_journal, cli_wizard;

/* Options after the verb. Each option fills one field; positional arguments are collected in order
 * (options and arguments may mix). Unknown options, missing values and a wrong number of arguments
 * are -ERR_USAGE with the verb's usage line. */
struct cli_opt {
	const char *name;   /* "--json"; ends with NULL */
	const char **value; /* takes a value when not NULL */
	bool *flag;
};
int cli_parse(int argc, char **argv, const struct cli_opt *opts, int min_args, int max_args,
	const char **args, int *nargs, struct err *e);

/* Print v as indented JSON on stdout and release it. */
int cli_print_json(json_t *v, struct err *e);

/* Print an error as the command line shows it: what, then next step, on stderr. */
void cli_print_err(const struct err *e);

#endif
