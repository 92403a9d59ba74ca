#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int take_option(int argc, char **argv, int *i, const struct cli_opt *opts, struct err *e)
{
	const char *arg = argv[*i];
	const char *eq = strchr(arg, '=');
	size_t len = eq ? (size_t)(eq - arg) : strlen(arg);
	for (const struct cli_opt *o = opts; o->name; o++) {
		if (strlen(o->name) != len || strncmp(o->name, arg, len) != 0)
			continue;
		if (!o->value) {
			if (eq)
				return err_set(e, ERR_USAGE, NULL, "%s takes no value", o->name);
			*o->flag = true;
			return 0;
		}
		if (!eq && *i + 1 >= argc)
			return err_set(e, ERR_USAGE, NULL, "%s needs a value", o->name);
		*o->value = eq ? eq + 1 : argv[++*i];
		return 0;
	}
	return err_set(e, ERR_USAGE, NULL, "unknown option %s", arg);
}

int cli_parse(int argc, char **argv, const struct cli_opt *opts, int min_args, int max_args,
	const char **args, int *nargs, struct err *e)
{
	int n = 0;
	bool options = true;
	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
			int ret = take_option(argc, argv, &i, opts, e);
			if (ret < 0)
				return ret;
		} else if (n < max_args) {
			args[n++] = argv[i];
		} else {
			return err_set(e, ERR_USAGE, NULL, "too many arguments: \"%s\"", argv[i]);
		}
	}
	if (n < min_args)
		return err_set(e, ERR_USAGE, NULL, "an argument is missing");
	if (nargs)
		*nargs = n;
	return 0;
}

int cli_print_json(json_t *v, struct err *e)
{
	char *s = v ? json_dumps(v, JSON_INDENT(1) | JSON_ENSURE_ASCII) : NULL;
	json_decref(v);
	if (!s)
		return err_nomem(e);
	int bad = puts(s) < 0;
	free(s);
	return bad ? err_sys(e, ERR_IO, NULL, "cannot write to standard output") : 0;
}

void cli_print_err(const struct err *e)
{
	fprintf(stderr, "odjstick: %s\n", e->what[0] ? e->what : err_name(e->code));
	fprintf(stderr, "  %s\n", err_next(e));
}
