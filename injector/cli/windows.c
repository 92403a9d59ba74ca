/* odjstick windows: which Windows are on a target, and what one of them is. Read only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "volume/discover.h"
#include "volume/volume.h"
#include "windows/facts.h"

#define TARGETS_MAX 64
#define JOIN_TEXT_MAX 400 /* a sentence with a domain and a name */

/* Facts of one discovered volume. 1: a Windows; 0: none, `why` says what it is instead. */
static int look(const struct discover_item *it, struct windows_facts *f, struct err *why)
{
	struct volume *v = NULL;
	struct volume_state st;
	if (it->src.kind == VOLUME_BITLOCKER) {
		st = (struct volume_state){.trouble = VOLUME_TROUBLE_BITLOCKER};
		volume_refuse(&st, it->path, why);
		return 0;
	}
	if (it->src.kind != VOLUME_NTFS && it->src.kind != VOLUME_FOLDER) {
		err_set(why, ERR_NOTFOUND, NULL, "%s cannot hold a Windows",
			volume_kind_name(it->src.kind));
		return 0;
	}
	int ret = volume_open(&v, &it->src, false, why);
	if (ret == 0)
		ret = windows_facts_read(v, f, why);
	volume_close(v, NULL);
	return ret == 0;
}

static void describe_join(const struct windows_facts *f, char *out, size_t n)
{
	if (f->join == WINDOWS_JOINED)
		snprintf(out, n, "joined to %s", f->domain);
	else if (f->join == WINDOWS_JOIN_PENDING)
		snprintf(out, n, "will join %s as %s", f->pending_domain, f->pending_name);
	else if (f->join == WINDOWS_JOIN_NONE)
		snprintf(out, n, "workgroup%s%s", f->workgroup[0] ? " " : "", f->workgroup);
	else
		snprintf(out, n, "membership unknown");
}

/* --- list --- */

static json_t *item_json(
	const struct discover_item *it, const struct windows_facts *f, const char *why)
{
	json_t *v = json_pack("{s:s,s:i,s:I,s:I,s:s,s:s}", "path", it->path, "partition",
		(int)it->partition, "offset", (json_int_t)it->src.offset, "length",
		(json_int_t)it->src.length, "kind", volume_kind_name(it->src.kind), "label",
		it->label);
	json_t *detail = f ? windows_facts_json(f) : json_string(why);
	if (!v || !detail || json_object_set_new(v, f ? "windows" : "no_windows", detail) < 0) {
		json_decref(v);
		return NULL;
	}
	return v;
}

static void print_item(
	const struct discover_item *it, const struct windows_facts *f, const char *why)
{
	char where[256], join[JOIN_TEXT_MAX];
	discover_describe(it, where, sizeof where);
	printf("%s\n", where);
	if (!f) {
		printf("    no Windows: %s\n", why);
		return;
	}
	describe_join(f, join, sizeof join);
	printf("    %s, build %u.%u, %s, setup %s, named %s, %s\n",
		f->product[0] ? f->product : "Windows of unknown edition", f->build, f->ubr,
		windows_arch_name(f->arch), windows_phase_name(f->phase),
		f->computer_name[0] ? f->computer_name : "?", join);
}

static int list_items(const struct discover_list *l, json_t *out, size_t *found, struct err *e)
{
	for (size_t i = 0; i < l->count; i++) {
		struct windows_facts f = WINDOWS_FACTS_INIT;
		struct err why = ERR_INIT;
		bool windows = look(&l->items[i], &f, &why) != 0;
		*found += windows;
		if (!out)
			print_item(&l->items[i], windows ? &f : NULL, why.what);
		else if (json_array_append_new(
				 out, item_json(&l->items[i], windows ? &f : NULL, why.what)) < 0)
			return err_nomem(e);
	}
	return 0;
}

static int list_targets(const char **targets, int n, json_t *out, size_t *found, struct err *e)
{
	int ret = 0;
	for (int i = 0; ret == 0 && i < (n ? n : 1); i++) {
		struct discover_list l = {0};
		ret = n ? discover_target(targets[i], &l, e) : discover_pc(0, &l, NULL, e);
		if (ret == 0)
			ret = list_items(&l, out, found, e);
		discover_clear(&l);
	}
	return ret;
}

static int list(int argc, char **argv, struct err *e)
{
	bool json = false;
	const struct cli_opt opts[] = {{"--json", NULL, &json}, {NULL, NULL, NULL}};
	const char *targets[TARGETS_MAX];
	int n;
	int ret = cli_parse(argc, argv, opts, 0, TARGETS_MAX, targets, &n, e);
	if (ret < 0)
		return ret;
	size_t found = 0;
	json_t *out = json ? json_array() : NULL;
	ret = list_targets(targets, n, out, &found, e);
	if (ret < 0)
		json_decref(out);
	else if (json)
		ret = cli_print_json(out, e);
	if (ret == 0 && found == 0)
		ret = err_set(e, ERR_NOTFOUND, "Nothing was changed.", "no Windows was found");
	return ret;
}

/* --- inspect --- */

static void row(const char *label, const char *value)
{
	printf("%-18s %s\n", label, value[0] ? value : "-");
}

static const char *yes_no(bool b)
{
	return b ? "yes" : "no";
}

static void print_hive(const char *name, const struct windows_hive *h)
{
	printf("%-18s %s%s%s\n", name,
		!h->present    ? "missing"
		: !h->readable ? "not usable"
		: h->dirty     ? "not closed cleanly, its logs complete it"
			       : "clean",
		h->problem[0] ? ": " : "", h->problem);
}

static void print_release(const struct windows_facts *f)
{
	char date[CLOCK_TEXT_MAX] = "";
	if (f->install_date)
		clock_text(f->install_date, date);
	row("Windows", f->product);
	row("Edition", f->edition);
	printf("%-18s %s (build %u.%u), %s\n", "Version", f->version, f->build, f->ubr,
		windows_arch_name(f->arch));
	row("Installed", date);
	row("Role", f->domain_controller ? "domain controller" : f->server ? "server" : "client");
	printf("%-18s %s%s%s\n", "May join a domain",
		f->may_join == WINDOWS_MAY_JOIN	      ? "yes"
		: f->may_join == WINDOWS_MAY_NOT_JOIN ? "no"
						      : "unknown",
		f->may_join_source[0] ? ", says " : "", f->may_join_source);
}

static void print_facts(const struct windows_facts *f)
{
	char join[JOIN_TEXT_MAX];
	describe_join(f, join, sizeof join);
	print_release(f);
	printf("%-18s %s (%s)\n", "Setup", windows_phase_name(f->phase),
		f->image_state[0] ? f->image_state : "no image state");
	row("Computer name", f->computer_name);
	row("Host name", f->host_name);
	row("Membership", join);
	if (f->leftover)
		row("Offline join", "keys of an offline join are there");
	if (f->rename_pending)
		row("Rename", "a new name waits for the next start");
	printf("%-18s %u (default %u)\n", "Control set", f->control_set, f->control_set_default);
	print_hive("SYSTEM hive", &f->system);
	print_hive("SOFTWARE hive", &f->software);
	print_hive("SECURITY hive", &f->security);
	row("Hibernated", yes_no(f->hibernated));
	row("Volume dirty", yes_no(f->volume_dirty));
	printf("%-18s %llu MiB\n", "Free space", (unsigned long long)(f->free_bytes >> 20));
	row("Time zone", f->time_zone);
	row("Clock in UTC", yes_no(f->rtc_is_utc));
	row("Own answer file", f->unattend_setting);
	for (size_t i = 0; i < f->unattend_count; i++)
		if (f->unattend[i].exists)
			printf("%-18s %s (%s)\n", "Answer file", f->unattend[i].path,
				f->unattend[i].unreadable	? "unreadable"
				: f->unattend[i].has_specialize ? "has a specialize pass"
				: f->unattend[i].processed	? "its specialize pass is done"
								: "no specialize pass");
}

/* The one Windows of the target; of the given partition when partition >= 0. */
static int find_one(const struct discover_list *l, long partition, struct windows_facts *f,
	const struct discover_item **which, struct err *e)
{
	struct err reason = ERR_INIT;
	size_t found = 0;
	for (size_t i = 0; i < l->count; i++) {
		struct windows_facts one;
		struct err why = ERR_INIT;
		if (partition >= 0 && (long)l->items[i].partition != partition)
			continue;
		if (look(&l->items[i], &one, &why)) {
			*f = one;
			*which = &l->items[i];
			found++;
		} else if (reason.code == 0 || why.code == ERR_UNSAFE) {
			reason = why;
		}
	}
	if (found > 1)
		return err_set(e, ERR_AMBIGUOUS,
			"Choose one with --partition N; `windows list` "
			"shows them. Nothing was changed.",
			"there are %zu Windows on this target", found);
	if (found == 1)
		return 0;
	if (reason.code == ERR_UNSAFE)
		return err_set(e, reason.code, reason.next, "%s", reason.what);
	return err_set(e, ERR_NOTFOUND, "Nothing was changed. `windows list` shows what is there.",
		"no Windows was found%s%s", reason.what[0] ? ": " : "", reason.what);
}

static int parse_partition(const char *text, long *n, struct err *e)
{
	char *end;
	*n = -1;
	if (!text)
		return 0;
	*n = strtol(text, &end, 10);
	if (*end || end == text || *n < 0)
		return err_set(e, ERR_USAGE, NULL, "--partition needs a number, not \"%s\"", text);
	return 0;
}

static int inspect(int argc, char **argv, struct err *e)
{
	bool json = false;
	const char *partition = NULL;
	const struct cli_opt opts[] = {
		{"--json", NULL, &json},
		{"--partition", &partition, NULL},
		{NULL, NULL, NULL},
	};
	const char *target = NULL;
	long number = -1;
	int ret = cli_parse(argc, argv, opts, 1, 1, &target, NULL, e);
	if (ret == 0)
		ret = parse_partition(partition, &number, e);
	if (ret < 0)
		return ret;
	struct discover_list l = {0};
	struct windows_facts f = WINDOWS_FACTS_INIT;
	const struct discover_item *which = NULL;
	ret = discover_target(target, &l, e);
	if (ret == 0) {
		ret = find_one(&l, number, &f, &which, e);
		if (ret < 0)
			err_ctx(e, "%s", target);
	}
	if (ret == 0 && json)
		ret = cli_print_json(windows_facts_json(&f), e);
	else if (ret == 0)
		print_facts(&f);
	discover_clear(&l);
	return ret;
}

static const struct cli_verb verbs[] = {
	{"list", "[TARGET...] [--json]", "every Windows on the targets, or on all disks of this PC",
		list},
	{"inspect", "TARGET [--partition N] [--json]", "everything known about one Windows",
		inspect},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_windows = {"windows", "the Windows on a disk, read only", verbs};
