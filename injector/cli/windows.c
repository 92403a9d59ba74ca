/* odjstick windows: which Windows are on a target, and what one of them is. Read only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/pc.h"
#include "job/machine.h"
#include "volume/discover.h"
#include "volume/fve.h"
#include "volume/volume.h"
#include "windows/facts.h"

#define TARGETS_MAX 64

/* Facts of one discovered volume. 1: a Windows; 0: none, `why` says what it is instead. */
static int look(const struct discover_item *it, struct windows_facts *f, struct err *why)
{
	struct volume *v = NULL;
	struct volume_state st;
	if (it->src.kind == VOLUME_BITLOCKER || it->src.part_of) {
		if (volume_probe(&it->src, &st, why) == 0)
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

/* --- list --- */

static json_t *protectors_json(unsigned bits)
{
	json_t *list = json_array();
	for (unsigned bit = 1; bit <= FVE_OTHER; bit <<= 1)
		if (bits & bit)
			json_array_append_new(list, json_string(fve_protector_name(bit)));
	return list;
}

static json_t *item_json(
	const struct discover_item *it, const struct windows_facts *f, const char *why)
{
	struct volume_state st = {0};
	bool look_inside = it->src.kind == VOLUME_BITLOCKER && !it->src.part_of;
	if (it->src.part_of || (look_inside && volume_probe(&it->src, &st, NULL) < 0))
		st.bitlocker = VOLUME_BITLOCKER_UNKNOWN;
	json_t *v = json_pack("{s:s,s:i,s:I,s:I,s:s,s:s,s:s,s:s,s:o}", "path", it->path,
		"partition", (int)it->partition, "offset", (json_int_t)it->src.offset, "length",
		(json_int_t)it->src.length, "kind", volume_kind_name(it->src.kind), "type",
		it->type, "label", it->label, "bitlocker", volume_bitlocker_name(st.bitlocker),
		"protectors", protectors_json(st.protectors));
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
	char where[256], join[FACTS_JOIN_MAX];
	discover_describe(it, where, sizeof where);
	printf("%s\n", where);
	if (!f) {
		printf("    no Windows: %s\n", why);
		return;
	}
	facts_describe_join(f, join, sizeof join);
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

/* The one Windows of the target; of the given partition when partition >= 0. -ERR_UNSAFE: *which is
 * a volume that hides what it holds. */
static int find_one(const struct discover_list *l, long partition, struct windows_facts *f,
	const struct discover_item **which, struct err *e)
{
	const struct discover_item *hidden = NULL;
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
			hidden = &l->items[i];
		}
	}
	if (found > 1)
		return err_set(e, ERR_AMBIGUOUS,
			"Choose one with --partition N; `windows list` "
			"shows them. Nothing was changed.",
			"there are %zu Windows on this target", found);
	if (found == 1)
		return 0;
	if (reason.code == ERR_UNSAFE) {
		*which = hidden;
		return err_set(e, reason.code, reason.next, "%s", reason.what);
	}
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

struct inspected {
	const char *target;
	struct discover_list found;
	const struct discover_item *which;
	struct windows_facts facts;
	struct machine pc;
	bool has_pc;
};

/* What else lies on the target: a second Windows, another system, a volume that hides its content.
 */
static json_t *others_json(const struct inspected *i)
{
	json_t *list = json_array();
	for (size_t k = 0; k < i->found.count; k++) {
		const struct discover_item *it = &i->found.items[k];
		struct windows_facts f;
		struct err why = ERR_INIT;
		bool foreign = discover_is_foreign(it),
		     hidden = it->src.kind == VOLUME_BITLOCKER || it->src.part_of;
		if (it == i->which || (!foreign && !hidden && !look(it, &f, &why)))
			continue;
		if (json_array_append_new(
			    list, json_pack("{s:i,s:s,s:s,s:s,s:s}", "partition",
					  (int)it->partition, "holds",
					  foreign  ? "another system"
					  : hidden ? "unknown"
						   : "windows",
					  "type", it->type, "label", it->label, "product",
					  foreign || hidden ? "" : f.product)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int print_inspected(const struct inspected *i, bool json, struct err *e)
{
	json_t *others = others_json(i);
	if (!others)
		return err_nomem(e);
	if (!json) {
		facts_print(&i->facts);
		facts_print_others(others);
		if (i->has_pc)
			facts_print_pc(&i->pc);
		json_decref(others);
		return 0;
	}
	json_t *v = windows_facts_json(&i->facts);
	if (!v || json_object_set_new(v, "others", others) < 0 ||
		(i->has_pc && json_object_set_new(v, "pc", machine_json(&i->pc)) < 0)) {
		json_decref(v);
		return err_nomem(e);
	}
	return cli_print_json(v, e);
}

/* What can be known of a volume that hides what it holds; the refusal follows. */
static int print_hidden(const struct inspected *i, struct err *why)
{
	json_t *volume = item_json(i->which, NULL, why->what), *others = others_json(i);
	if (volume)
		json_object_set_new(volume, "next", json_string(why->next));
	json_t *v = json_pack("{s:o,s:o}", "volume", volume, "others", others);
	if (!v || (i->has_pc && json_object_set_new(v, "pc", machine_json(&i->pc)) < 0)) {
		json_decref(v);
		return err_nomem(why);
	}
	return cli_print_json(v, why);
}

static int inspect(int argc, char **argv, struct err *e)
{
	bool json = false, pc = false;
	const char *partition = NULL, *sys = NULL;
	const struct cli_opt opts[] = {
		{"--json", NULL, &json},
		{"--partition", &partition, NULL},
		{"--pc", NULL, &pc},
		{"--sys", &sys, NULL},
		{NULL, NULL, NULL},
	};
	struct inspected i = {0};
	long number = -1;
	int ret = cli_parse(argc, argv, opts, 1, 1, &i.target, NULL, e);
	if (ret == 0)
		ret = parse_partition(partition, &number, e);
	if (ret < 0)
		return ret;
	ret = discover_target(i.target, &i.found, e);
	if (ret == 0) {
		ret = find_one(&i.found, number, &i.facts, &i.which, e);
		if (ret < 0)
			err_ctx(e, "%s", i.target);
	}
	bool hidden = json && ret == -ERR_UNSAFE && i.which;
	i.has_pc = pc || sys || pc_is_device(i.target);
	if ((ret == 0 || hidden) && i.has_pc)
		machine_read(sys, NULL, &i.pc);
	if (ret == 0)
		ret = print_inspected(&i, json, e);
	else if (hidden && print_hidden(&i, e) < 0)
		ret = -e->code;
	discover_clear(&i.found);
	return ret;
}

static const struct cli_verb verbs[] = {
	{"list", "[TARGET...] [--json]", "every Windows on the targets, or on all disks of this PC",
		list},
	{"inspect", "TARGET [--partition N] [--pc] [--sys DIR] [--json]",
		"everything known about one Windows; --pc: and about the PC this runs on", inspect},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_windows = {"windows", "the Windows on a disk, read only", verbs};
