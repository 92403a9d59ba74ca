/* odjstick: main. Dispatch noun and verb, print errors, choose the exit status. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"

static const struct cli_noun *const nouns[] = {
	&cli_lab,
	&cli_batch,
	&cli_bundle,
	&cli_stick,
	&cli_image,
	&cli_blob,
	&cli_hive,
	&cli_windows,
	&cli_apply,
	&cli_undo,
	&cli_journal,
	&cli_wizard,
};

#define NOUN_COUNT (sizeof nouns / sizeof nouns[0])

static void print_usage(FILE *f)
{
	fprintf(f, "odjstick: joins the offline Windows of this PC to its domain\n\n");
	for (size_t i = 0; i < NOUN_COUNT; i++) {
		const struct cli_noun *n = nouns[i];
		for (const struct cli_verb *v = n->verbs; v->name; v++)
			fprintf(f, "  odjstick %s%s%s %s\n", n->name, *v->name ? " " : "", v->name,
				v->args);
	}
	fprintf(f, "\nExit status: 0 done, 1 refused or failed, 2 usage, 3 bad input file, "
		   "4 wrong key,\n5 integrity broken, 6 this PC is not safe to touch.\n");
}

static void print_noun_usage(FILE *f, const struct cli_noun *n)
{
	fprintf(f, "odjstick %s: %s\n\n", n->name, n->summary);
	for (const struct cli_verb *v = n->verbs; v->name; v++)
		fprintf(f, "  odjstick %s%s%s %s\n      %s\n", n->name, *v->name ? " " : "",
			v->name, v->args, v->summary);
}

static const struct cli_noun *find_noun(const char *name)
{
	for (size_t i = 0; i < NOUN_COUNT; i++)
		if (strcmp(nouns[i]->name, name) == 0)
			return nouns[i];
	return NULL;
}

static const struct cli_verb *find_verb(const struct cli_noun *n, const char *name)
{
	for (const struct cli_verb *v = n->verbs; v->name; v++)
		if (!*v->name || (name && strcmp(v->name, name) == 0))
			return v;
	return NULL;
}

static bool is_help(const char *s)
{
	return strcmp(s, "help") == 0 || strcmp(s, "--help") == 0 || strcmp(s, "-h") == 0;
}

/* What every command begins with. A hive needs no cryptography, and starting it costs 128 KiB of
 * program text: much, beside a hive of a few MiB. */
static int prepare(const struct cli_noun *n, struct err *e)
{
	secret_no_core();
	return n == &cli_hive ? 0 : secret_setup(e);
}

static int run(int argc, char **argv)
{
	struct err e = ERR_INIT;
	const struct cli_noun *n = find_noun(argv[1]);
	if (!n) {
		err_set(&e, ERR_USAGE, "`odjstick help` lists the commands.",
			"unknown command \"%s\"", argv[1]);
		cli_print_err(&e);
		return err_exit(-ERR_USAGE);
	}
	if (argc > 2 && is_help(argv[2])) {
		print_noun_usage(stdout, n);
		return 0;
	}
	const struct cli_verb *v = find_verb(n, argc > 2 ? argv[2] : NULL);
	if (!v) {
		print_noun_usage(stderr, n);
		return err_exit(-ERR_USAGE);
	}
	int skip = *v->name ? 2 : 1;
	int ret = prepare(n, &e);
	if (ret == 0)
		ret = v->run(argc - skip, argv + skip, &e);
	if (ret < 0) {
		cli_print_err(&e);
		if (ret == -ERR_USAGE)
			fprintf(stderr, "usage: odjstick %s%s%s %s\n", n->name, *v->name ? " " : "",
				v->name, v->args);
	}
	return ret > 0 ? ret : err_exit(ret);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return err_exit(-ERR_USAGE);
	}
	if (is_help(argv[1])) {
		print_usage(stdout);
		return 0;
	}
	return run(argc, argv);
}
