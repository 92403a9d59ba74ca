#include "windows/unattend.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "odj/name.h"
#include "windows/splicer.h"
#include "windows/unattend_setting.h"

static const char new_file[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n"
			       "<unattend xmlns=\"urn:schemas-microsoft-com:unattend\">\r\n"
			       "</unattend>\r\n";

static void write_join(struct splicer *d, enum answer_tag have)
{
	if (have == TAG_SETTINGS)
		splice_component(d, "Microsoft-Windows-UnattendedJoin");
	if (have <= TAG_COMPONENT)
		splice_open(d, TAG_IDENTIFICATION, "");
	if (have <= TAG_IDENTIFICATION)
		splice_open(d, TAG_PROVISIONING, "");
	splice_leaf(d, TAG_ACCOUNT_DATA, SPLICE_BLOB);
	if (have <= TAG_IDENTIFICATION)
		splice_close(d, TAG_PROVISIONING);
	if (have <= TAG_COMPONENT)
		splice_close(d, TAG_IDENTIFICATION);
	if (have == TAG_SETTINGS)
		splice_close(d, TAG_COMPONENT);
}

static void write_name(struct splicer *d, enum answer_tag have)
{
	if (have == TAG_SETTINGS)
		splice_component(d, "Microsoft-Windows-Shell-Setup");
	splice_leaf(d, TAG_COMPUTER_NAME, d->join->computer_name);
	if (have == TAG_SETTINGS)
		splice_close(d, TAG_COMPONENT);
}

/* --- what to change --- */

/* Everything found on the way to one wanted element. -1: absent. */
struct path {
	int settings, component, identification, provisioning, leaf;
};

static bool wanted_component(
	const struct answer *a, int c, enum answer_component want, enum windows_arch arch)
{
	return a->nodes[c].component == want && a->nodes[c].arch == arch;
}

static void first(int *slot, int node)
{
	if (*slot < 0)
		*slot = node;
}

typedef void (*leaf_fn)(void *ctx, int node);

static void walk_join(const struct answer *a, int component, struct path *p, leaf_fn fn, void *ctx)
{
	for (int i = -1; (i = answer_child(a, component, TAG_IDENTIFICATION, i)) >= 0;) {
		first(&p->identification, i);
		for (int v = -1; (v = answer_child(a, i, TAG_PROVISIONING, v)) >= 0;) {
			first(&p->provisioning, v);
			for (int t = -1; (t = answer_child(a, v, TAG_ACCOUNT_DATA, t)) >= 0;)
				fn(ctx, t);
		}
	}
}

/* Visit every leaf (AccountData or ComputerName) for this architecture in the specialize pass. */
static struct path walk(const struct answer *a, enum answer_component want, enum windows_arch arch,
	leaf_fn fn, void *ctx)
{
	struct path p = {-1, -1, -1, -1, -1};
	for (int s = -1; (s = answer_child(a, 0, TAG_SETTINGS, s)) >= 0;) {
		if (a->nodes[s].pass != PASS_SPECIALIZE)
			continue;
		first(&p.settings, s);
		for (int c = -1; (c = answer_child(a, s, TAG_COMPONENT, c)) >= 0;) {
			if (!wanted_component(a, c, want, arch))
				continue;
			first(&p.component, c);
			if (want == COMPONENT_JOIN)
				walk_join(a, c, &p, fn, ctx);
			else
				for (int t = -1;
					(t = answer_child(a, c, TAG_COMPUTER_NAME, t)) >= 0;)
					fn(ctx, t);
		}
	}
	return p;
}

struct leaves {
	struct splicer *d;
	const char *value;
	bool seen;
};

/* The first takes our value, the others go: two answers to one question are none. */
static void set_leaf(void *ctx, int node)
{
	struct leaves *l = ctx;
	const struct answer_node *n = &l->d->a->nodes[node];
	if (l->seen)
		splice_cut(l->d, n->start, n->end_end - n->start);
	else
		splice_content(l->d, n, l->value);
	l->seen = true;
}

/* Node i says that of this architecture's Identification in the specialize pass. */
static bool is_identified(
	const struct answer *a, size_t i, enum answer_tag tag, enum windows_arch arch)
{
	int id = a->nodes[i].parent;
	int c = id >= 0 ? a->nodes[id].parent : -1;
	int s = c >= 0 ? a->nodes[c].parent : -1;
	return a->nodes[i].tag == tag && s >= 0 && a->nodes[id].tag == TAG_IDENTIFICATION &&
	       wanted_component(a, c, COMPONENT_JOIN, arch) && a->nodes[s].pass == PASS_SPECIALIZE;
}

/* A workgroup contradicts the join. */
static void drop_workgroups(struct splicer *d)
{
	const struct answer *a = d->a;
	for (size_t i = 0; i < a->count; i++) {
		const struct answer_node *n = &a->nodes[i];
		if (is_identified(a, i, TAG_JOIN_WORKGROUP, d->join->arch))
			splice_cut(d, n->start, n->end_end - n->start);
	}
}

static int deepest(const struct path *p)
{
	return p->provisioning >= 0	? p->provisioning
	       : p->identification >= 0 ? p->identification
	       : p->component >= 0	? p->component
					: p->settings;
}

/* Both components are missing from the same settings element, or settings itself is. */
static void insert_both(struct splicer *d, int parent)
{
	const struct answer_node *n = &d->a->nodes[parent];
	splice_begin(d, n);
	if (n->tag == TAG_UNATTEND)
		splice_open(d, TAG_SETTINGS, " pass=\"specialize\"");
	write_name(d, TAG_SETTINGS);
	write_join(d, TAG_SETTINGS);
	if (n->tag == TAG_UNATTEND)
		splice_close(d, TAG_SETTINGS);
	splice_end(d, n);
}

/* Windows marks what it has done in the copy it keeps. Whether it would look at such a pass again
 * nobody has documented. */
static bool has_processed_pass(const struct answer *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->nodes[i].tag == TAG_SETTINGS && a->nodes[i].processed &&
			a->nodes[i].pass == PASS_SPECIALIZE)
			return true;
	return false;
}

static void plan(struct splicer *d)
{
	if (has_processed_pass(d->a)) {
		d->ret = err_set(d->e, ERR_UNSUPPORTED,
			"It is untouched. Remove the used answer file from the image.",
			"the answer file is one that Windows has used already (specialize is "
			"marked "
			"as processed)");
		return;
	}
	struct leaves joins = {d, SPLICE_BLOB, false};
	struct leaves names = {d, d->join->computer_name, false};
	struct path j = walk(d->a, COMPONENT_JOIN, d->join->arch, set_leaf, &joins);
	struct path n = walk(d->a, COMPONENT_SHELL, d->join->arch, set_leaf, &names);
	drop_workgroups(d);
	if (j.settings < 0 || (j.component < 0 && n.component < 0)) {
		insert_both(d, j.settings < 0 ? 0 : j.settings);
		return;
	}
	if (!names.seen) {
		const struct answer_node *p = &d->a->nodes[deepest(&n)];
		splice_begin(d, p);
		write_name(d, p->tag);
		splice_end(d, p);
	}
	if (!joins.seen) {
		const struct answer_node *p = &d->a->nodes[deepest(&j)];
		splice_begin(d, p);
		write_join(d, p->tag);
		splice_end(d, p);
	}
}

static int check_request(const struct unattend_join *join, struct err *e)
{
	if (join->arch == WINDOWS_ARCH_UNKNOWN)
		return err_set(e, ERR_UNSUPPORTED, "Nothing was changed.",
			"the architecture of this Windows is unknown: an answer file needs it");
	enum name_problem p = computer_name_check(join->computer_name);
	if (name_refused(p))
		return err_set(e, ERR_REFUSED,
			"Nothing was changed. Correct the name in the batch.",
			"the computer name \"%.64s\" %s", join->computer_name,
			name_problem_text(p));
	return 0;
}

/* One round: map the file, cut and insert, write it anew. setting NULL: the join. */
static int edit(const void *old, size_t len, const struct unattend_join *join,
	const struct unattend_setting *setting, struct secret *out, struct err *e)
{
	struct answer a;
	int ret = answer_parse(&a, old, len, e);
	if (ret < 0)
		return ret;
	struct splicer d = {.a = &a, .join = join, .e = e};
	if (setting)
		unattend_setting_splice(&d, setting);
	else
		plan(&d);
	ret = splice_write(&d, out, e);
	answer_clear(&a);
	return ret;
}

int unattend_splice(const void *old, size_t len, const struct unattend_join *join,
	struct secret *out, struct err *e)
{
	struct unattend_setting settings[UNATTEND_SETTINGS];
	int count = unattend_settings(join, settings);
	int ret = check_request(join, e);
	if (ret == 0)
		ret = edit(
			old ? old : new_file, old ? len : sizeof new_file - 1, join, NULL, out, e);
	for (int i = 0; ret == 0 && i < count; i++) {
		struct secret last = SECRET_INIT;
		secret_move(&last, out);
		ret = edit(last.p, last.len, join, &settings[i], out, e);
		secret_clear(&last);
	}
	if (ret == 0) {
		ret = unattend_verify(out->p, out->len, join, e);
		if (ret < 0)
			err_ctx(e, "the new answer file");
	}
	if (ret < 0)
		secret_clear(out);
	return ret;
}

/* --- reading --- */

struct found {
	int count, node;
};

static void count_leaf(void *ctx, int node)
{
	struct found *f = ctx;
	f->count++;
	f->node = node;
}

static bool text_is(
	const struct answer *a, const struct found *f, const void *want, size_t len, struct err *e)
{
	struct secret text = SECRET_INIT;
	bool same = f->count == 1 && !a->nodes[f->node].has_content &&
		    answer_text(a, f->node, &text, e) == 0 && text.len == len &&
		    memcmp(text.p, want, len) == 0;
	secret_clear(&text);
	return same;
}

int unattend_verify(const void *p, size_t len, const struct unattend_join *join, struct err *e)
{
	struct answer a;
	struct secret b64 = SECRET_INIT;
	struct unattend_setting settings[UNATTEND_SETTINGS];
	int count = unattend_settings(join, settings);
	int ret = answer_parse(&a, p, len, e);
	if (ret < 0)
		return ret;
	struct found joins = {0, 0}, names = {0, 0};
	walk(&a, COMPONENT_JOIN, join->arch, count_leaf, &joins);
	walk(&a, COMPONENT_SHELL, join->arch, count_leaf, &names);
	ret = splice_base64(join->raw, &b64, e);
	if (ret == 0 && !text_is(&a, &joins, b64.p, b64.len, NULL))
		ret = err_set(e, ERR_INTEGRITY, "Do not start this Windows; try again.",
			"the answer file does not hold exactly this join");
	if (ret == 0 &&
		!text_is(&a, &names, join->computer_name, strlen(join->computer_name), NULL))
		ret = err_set(e, ERR_INTEGRITY, "Do not start this Windows; try again.",
			"the answer file does not name the computer %s exactly once",
			join->computer_name);
	for (int i = 0; ret == 0 && i < count; i++)
		if (!unattend_setting_holds(&a, join->arch, &settings[i]))
			ret = err_set(e, ERR_INTEGRITY, "Do not start this Windows; try again.",
				"the answer file does not hold %s %s exactly once",
				answer_tag_name(settings[i].tag), settings[i].value);
	secret_clear(&b64);
	answer_clear(&a);
	return ret;
}

static void inspect_node(const struct answer *a, size_t i, struct unattend_info *info)
{
	const struct answer_node *n = &a->nodes[i];
	int up[4] = {n->parent, -1, -1, -1};
	for (int k = 1; k < 4 && up[k - 1] >= 0; k++)
		up[k] = a->nodes[up[k - 1]].parent;
	if (n->tag == TAG_SETTINGS && n->pass == PASS_SPECIALIZE && n->processed)
		info->processed = true;
	else if (n->tag == TAG_SETTINGS && n->pass == PASS_SPECIALIZE)
		info->has_specialize = true;
	if (n->tag == TAG_ACCOUNT_DATA && up[3] >= 0 && a->nodes[up[3]].pass == PASS_SPECIALIZE &&
		a->nodes[up[1]].tag == TAG_IDENTIFICATION)
		info->specialize_join = true;
	if (n->tag != TAG_COMPUTER_NAME || up[1] < 0 || info->has_computer_name ||
		a->nodes[up[1]].pass != PASS_SPECIALIZE)
		return;
	struct secret text = SECRET_INIT;
	if (answer_text(a, (int)i, &text, NULL) == 0) {
		info->has_computer_name = true;
		snprintf(info->computer_name, sizeof info->computer_name, "%.*s", (int)text.len,
			(const char *)text.p);
	}
	secret_clear(&text);
}

int unattend_inspect(const void *p, size_t len, struct unattend_info *info, struct err *e)
{
	struct answer a;
	*info = (struct unattend_info){0};
	int ret = answer_parse(&a, p, len, e);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < a.count; i++)
		inspect_node(&a, i, info);
	answer_clear(&a);
	return 0;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct foreign {
	const struct answer *a;
	const struct secret *ours; /* base64 */
	bool found;
};

/* An empty element, as a template has it, is nobody's. */
static void look_at_data(void *ctx, int node)
{
	struct foreign *f = ctx;
	struct secret text = SECRET_INIT;
	bool readable = answer_text(f->a, node, &text, NULL) == 0;
	size_t blank = 0;
	while (readable && blank < text.len && is_blank(text.p[blank]))
		blank++;
	if (!readable || f->a->nodes[node].has_content ||
		(blank < text.len &&
			(text.len != f->ours->len || memcmp(text.p, f->ours->p, text.len) != 0)))
		f->found = true;
	secret_clear(&text);
}

static void look_at_domain(const struct answer *a, size_t i, struct unattend_other *o)
{
	struct secret text = SECRET_INIT;
	size_t from = 0, to;
	if (answer_text(a, (int)i, &text, NULL) < 0)
		return;
	while (from < text.len && is_blank(text.p[from]))
		from++;
	for (to = from; to < text.len && !is_blank(text.p[to]);)
		to++;
	o->join = to > from;
	snprintf(o->domain, sizeof o->domain, "%.*s", (int)(to - from),
		o->join ? (const char *)text.p + from : "");
	secret_clear(&text);
}

int unattend_other_joins(const void *p, size_t len, const struct unattend_join *join,
	struct unattend_other *o, struct err *e)
{
	struct answer a;
	struct secret b64 = SECRET_INIT;
	*o = (struct unattend_other){0};
	int ret = answer_parse(&a, p, len, e);
	if (ret < 0)
		return ret;
	ret = splice_base64(join->raw, &b64, e);
	if (ret == 0) {
		struct foreign f = {.a = &a, .ours = &b64};
		walk(&a, COMPONENT_JOIN, join->arch, look_at_data, &f);
		o->data = f.found;
	}
	for (size_t i = 0; ret == 0 && i < a.count && !o->join; i++)
		if (is_identified(&a, i, TAG_JOIN_DOMAIN, join->arch))
			look_at_domain(&a, i, o);
	secret_clear(&b64);
	answer_clear(&a);
	return ret;
}
