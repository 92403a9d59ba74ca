/* odjstick wizard: the screens an engineer works with on the stick. */
#include "cli/cli.h"
#include "tui/tui.h"

/* Where init mounts the stick's data folder. */
#define DEFAULT_STICK "/run/odjstick/stick"

static int run(int argc, char **argv, struct err *e)
{
	struct tui_options opt = {.stick = DEFAULT_STICK};
	bool plain = false;
	const struct cli_opt opts[] = {
		{"--stick", &opt.stick, NULL},
		{"--target", &opt.target, NULL},
		{"--dmi", &opt.dmi, NULL},
		{"--sys", &opt.sys, NULL},
		{"--passphrase-file", &opt.passphrase_file, NULL},
		{"--auto", NULL, &opt.automatic},
		{"--plain", NULL, &plain},
		{NULL, NULL, NULL},
	};
	int ret = cli_parse(argc, argv, opts, 0, 0, NULL, NULL, e);
	if (ret < 0)
		return ret;
	return plain ? tui_plain(&opt, e) : tui_wizard(&opt, e);
}

static const struct cli_verb verbs[] = {
	{"",
		"[--stick DIR] [--target TARGET] [--dmi DIR] [--sys DIR] [--passphrase-file FILE] "
		"[--auto] "
		"[--plain]",
		"prepare this PC, screen by screen; exit status 0 = power off, 10 = reboot", run},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_wizard = {
	.name = "wizard",
	.summary = "the screens an engineer works with on the stick",
	.verbs = verbs,
};
