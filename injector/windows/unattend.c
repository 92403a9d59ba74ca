#include "windows/unattend.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "odj/name.h"
#include "windows/answer.h"

#define SPLICES_MAX 64
#define BLOB_MARK '\1' /* stands for the base64 text while a splice is made */

static const char new_file[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n"
			       "<unattend xmlns=\"urn:schemas-microsoft-com:unattend\">\r\n"
			       "</unattend>\r\n";

/* --- building text --- */

/* Replace `remove` bytes at `at` by text (ASCII; encoded when written). */
struct splice {
	size_t at, remove;
	struct buf text;
};

struct editor {
	struct answer *a;
	const struct unattend_join *join;
	size_t count;
	struct splice v[SPLICES_MAX];
	struct err *e;
	int ret;
	/* text being built */
	struct buf *out;
	const char *prefix;
	char indent[64];
	int level;
	bool pretty;
};

static void put(struct editor *d, const char *s)
{
	if (d->ret == 0)
		d->ret = buf_add(d->out, s, strlen(s), d->e);
}

static void line(struct editor *d)
{
	if (!d->pretty)
		return;
	put(d, d->a->crlf ? "\r\n" : "\n");
	put(d, d->indent);
	for (int i = 0; i < d->level; i++)
		put(d, "  ");
}

static void name(struct editor *d, const char *before, enum answer_tag tag, const char *after)
{
	put(d, before);
	put(d, d->prefix);
	put(d, *d->prefix ? ":" : "");
	put(d, answer_tag_name(tag));
	put(d, after);
}

static void leaf(struct editor *d, enum answer_tag tag, const char *value)
{
	line(d);
	name(d, "<", tag, ">");
	put(d, value);
	name(d, "</", tag, ">");
}

static void open_tag(struct editor *d, enum answer_tag tag, const char *attributes)
{
	line(d);
	name(d, "<", tag, "");
	put(d, attributes);
	put(d, ">");
	d->level++;
}

static void close_tag(struct editor *d, enum answer_tag tag)
{
	d->level--;
	line(d);
	name(d, "</", tag, ">");
}

static void open_component(struct editor *d, const char *component)
{
	char attributes[256];
	snprintf(attributes, sizeof attributes,
		" name=\"%s\" processorArchitecture=\"%s\" publicKeyToken=\"31bf3856ad364e35\" "
		"language=\"neutral\" versionScope=\"nonSxS\"",
		component, windows_arch_name(d->join->arch));
	open_tag(d, TAG_COMPONENT, attributes);
}

/* The path of a join below `have`, down to AccountData. */
static void write_join(struct editor *d, enum answer_tag have)
{
	static const char mark[] = {BLOB_MARK, 0};
	if (have == TAG_SETTINGS)
		open_component(d, "Microsoft-Windows-UnattendedJoin");
	if (have <= TAG_COMPONENT)
		open_tag(d, TAG_IDENTIFICATION, "");
	if (have <= TAG_IDENTIFICATION)
		open_tag(d, TAG_PROVISIONING, "");
	leaf(d, TAG_ACCOUNT_DATA, mark);
	if (have <= TAG_IDENTIFICATION)
		close_tag(d, TAG_PROVISIONING);
	if (have <= TAG_COMPONENT)
		close_tag(d, TAG_IDENTIFICATION);
	if (have == TAG_SETTINGS)
		close_tag(d, TAG_COMPONENT);
}

static void write_name(struct editor *d, enum answer_tag have)
{
	if (have == TAG_SETTINGS)
		open_component(d, "Microsoft-Windows-Shell-Setup");
	leaf(d, TAG_COMPUTER_NAME, d->join->computer_name);
	if (have == TAG_SETTINGS)
		close_tag(d, TAG_COMPONENT);
}

/* --- splices --- */

static struct splice *add_splice(struct editor *d, size_t at, size_t cut)
{
	if (d->ret == 0 && d->count == SPLICES_MAX)
		d->ret = err_set(d->e, ERR_LIMIT,
			"It is untouched. Remove the repeated settings from it.",
			"the answer file repeats the same settings too often");
	if (d->ret < 0)
		return NULL;
	struct splice *s = &d->v[d->count++];
	*s = (struct splice){.at = at, .remove = cut};
	return s;
}

static void replace_content(struct editor *d, const struct answer_node *n, const char *value)
{
	size_t at = n->self_closed ? n->start_end - 2 * d->a->width : n->start_end;
	struct splice *s = add_splice(d, at, n->end - at);
	if (!s)
		return;
	d->out = &s->text;
	d->prefix = n->prefix;
	put(d, n->self_closed ? ">" : "");
	put(d, value);
	if (n->self_closed)
		name(d, "</", n->tag, ">");
}

/* The blanks in front of a tag when it begins its line; false when it does not. *line_end is where
 * the line before ends. */
static bool own_line(
	const struct answer *a, size_t tag, char *indent, size_t size, size_t *line_end)
{
	size_t w = a->width;
	size_t at = tag;
	while (at >= w && (answer_char(a, at - w) == ' ' || answer_char(a, at - w) == '\t'))
		at -= w;
	size_t n = (tag - at) / w;
	if (at < w || answer_char(a, at - w) != '\n' || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		indent[i] = answer_char(a, at + i * w);
	indent[n] = '\0';
	*line_end = at - w;
	if (*line_end >= w && answer_char(a, *line_end - w) == '\r')
		*line_end -= w;
	return true;
}

/* Get ready to write children of n in front of its end tag. */
static void begin_children(struct editor *d, const struct answer_node *n)
{
	size_t w = d->a->width;
	size_t at = n->self_closed ? n->start_end - 2 * w : n->end;
	size_t line_end = at;
	d->pretty = own_line(
		d->a, n->self_closed ? n->start : n->end, d->indent, sizeof d->indent, &line_end);
	if (!n->self_closed && d->pretty && line_end >= n->start_end)
		at = line_end;
	else if (!n->self_closed)
		d->pretty = false;
	struct splice *s = add_splice(d, at, n->self_closed ? 2 * w : 0);
	if (!s)
		return;
	d->out = &s->text;
	d->prefix = n->prefix;
	d->level = 1;
	put(d, n->self_closed ? ">" : "");
}

static void end_children(struct editor *d, const struct answer_node *n)
{
	if (!n->self_closed || d->ret < 0)
		return;
	d->level = 0;
	line(d);
	name(d, "</", n->tag, ">");
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
	struct editor *d;
	const char *value;
	bool seen;
};

/* The first takes our value, the others go: two answers to one question are none. */
static void set_leaf(void *ctx, int node)
{
	struct leaves *l = ctx;
	const struct answer_node *n = &l->d->a->nodes[node];
	if (l->seen)
		add_splice(l->d, n->start, n->end_end - n->start);
	else
		replace_content(l->d, n, l->value);
	l->seen = true;
}

/* A workgroup contradicts the join. */
static void drop_workgroups(struct editor *d)
{
	const struct answer *a = d->a;
	for (size_t i = 0; i < a->count; i++) {
		const struct answer_node *n = &a->nodes[i];
		int id = n->parent;
		int c = id >= 0 ? a->nodes[id].parent : -1;
		int s = c >= 0 ? a->nodes[c].parent : -1;
		if (n->tag == TAG_JOIN_WORKGROUP && s >= 0 &&
			a->nodes[id].tag == TAG_IDENTIFICATION &&
			wanted_component(a, c, COMPONENT_JOIN, d->join->arch) &&
			a->nodes[s].pass == PASS_SPECIALIZE)
			add_splice(d, n->start, n->end_end - n->start);
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
static void insert_both(struct editor *d, int parent)
{
	const struct answer_node *n = &d->a->nodes[parent];
	begin_children(d, n);
	if (n->tag == TAG_UNATTEND)
		open_tag(d, TAG_SETTINGS, " pass=\"specialize\"");
	write_name(d, TAG_SETTINGS);
	write_join(d, TAG_SETTINGS);
	if (n->tag == TAG_UNATTEND)
		close_tag(d, TAG_SETTINGS);
	end_children(d, n);
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

static void plan(struct editor *d)
{
	static const char mark[] = {BLOB_MARK, 0};
	if (has_processed_pass(d->a)) {
		d->ret = err_set(d->e, ERR_UNSUPPORTED,
			"It is untouched. Remove the used answer file from the image.",
			"the answer file is one that Windows has used already (specialize is "
			"marked "
			"as processed)");
		return;
	}
	struct leaves joins = {d, mark, false};
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
		begin_children(d, p);
		write_name(d, p->tag);
		end_children(d, p);
	}
	if (!joins.seen) {
		const struct answer_node *p = &d->a->nodes[deepest(&j)];
		begin_children(d, p);
		write_join(d, p->tag);
		end_children(d, p);
	}
}

/* --- writing --- */

static int by_place(const void *x, const void *y)
{
	const struct splice *a = x;
	const struct splice *b = y;
	return a->at < b->at ? -1 : a->at > b->at;
}

static size_t encode(const struct answer *a, uint8_t *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; out && i < n; i++) {
		out[i * a->width] = p[i];
		if (a->width == 2)
			out[i * 2 + 1] = 0;
		if (a->big_endian) {
			out[i * 2 + 1] = p[i];
			out[i * 2] = 0;
		}
	}
	return n * a->width;
}

static size_t copy(uint8_t *out, const uint8_t *p, size_t n)
{
	if (out && n)
		memcpy(out, p, n);
	return n;
}

/* Both the size (out NULL) and the bytes. */
static size_t assemble(const struct editor *d, const struct secret *b64, uint8_t *out)
{
	const struct span in = d->a->bytes;
	size_t n = 0, from = 0;
	for (size_t i = 0; i < d->count; i++) {
		const struct splice *s = &d->v[i];
		n += copy(out ? out + n : NULL, in.p + from, s->at - from);
		for (size_t k = 0; k < s->text.len; k++) {
			bool blob = s->text.p[k] == BLOB_MARK;
			n += encode(d->a, out ? out + n : NULL, blob ? b64->p : &s->text.p[k],
				blob ? b64->len : 1);
		}
		from = s->at + s->remove;
	}
	return n + copy(out ? out + n : NULL, in.p + from, in.len - from);
}

static int base64(const struct secret *raw, struct secret *text, struct err *e)
{
	size_t size = sodium_base64_encoded_len(raw->len, sodium_base64_VARIANT_ORIGINAL);
	int ret = secret_alloc(text, size, e);
	if (ret < 0)
		return ret;
	sodium_bin2base64((char *)text->p, size, raw->p, raw->len, sodium_base64_VARIANT_ORIGINAL);
	secret_truncate(text, size - 1);
	return 0;
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

static int write_out(struct editor *d, struct secret *out, struct err *e)
{
	struct secret b64 = SECRET_INIT;
	int ret = base64(d->join->raw, &b64, e);
	if (ret == 0) {
		qsort(d->v, d->count, sizeof *d->v, by_place);
		ret = secret_alloc(out, assemble(d, &b64, NULL), e);
	}
	if (ret == 0)
		assemble(d, &b64, out->p);
	secret_clear(&b64);
	return ret;
}

int unattend_splice(const void *old, size_t len, const struct unattend_join *join,
	struct secret *out, struct err *e)
{
	struct answer a;
	int ret = check_request(join, e);
	if (ret < 0)
		return ret;
	ret = old ? answer_parse(&a, old, len, e)
		  : answer_parse(&a, new_file, sizeof new_file - 1, e);
	if (ret < 0)
		return ret;
	struct editor d = {.a = &a, .join = join, .e = e};
	plan(&d);
	ret = d.ret < 0 ? d.ret : write_out(&d, out, e);
	for (size_t i = 0; i < d.count; i++)
		buf_clear(&d.v[i].text);
	answer_clear(&a);
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
	int ret = answer_parse(&a, p, len, e);
	if (ret < 0)
		return ret;
	struct found joins = {0, 0}, names = {0, 0};
	walk(&a, COMPONENT_JOIN, join->arch, count_leaf, &joins);
	walk(&a, COMPONENT_SHELL, join->arch, count_leaf, &names);
	ret = base64(join->raw, &b64, e);
	if (ret == 0 && !text_is(&a, &joins, b64.p, b64.len, NULL))
		ret = err_set(e, ERR_INTEGRITY, "Do not start this Windows; try again.",
			"the answer file does not hold exactly this join");
	if (ret == 0 &&
		!text_is(&a, &names, join->computer_name, strlen(join->computer_name), NULL))
		ret = err_set(e, ERR_INTEGRITY, "Do not start this Windows; try again.",
			"the answer file does not name the computer %s exactly once",
			join->computer_name);
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
	else if (n->tag == TAG_ACCOUNT_DATA || n->tag == TAG_JOIN_DOMAIN)
		info->other_join = true;
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
