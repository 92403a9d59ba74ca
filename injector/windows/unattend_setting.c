#include "windows/unattend_setting.h"

#include <string.h>

int unattend_settings(
	const struct unattend_join *join, struct unattend_setting s[UNATTEND_SETTINGS])
{
	int n = 0;
	if (join->timezone)
		s[n++] = (struct unattend_setting){COMPONENT_SHELL, TAG_TIME_ZONE, join->timezone};
	if (join->input_locale[0])
		s[n++] = (struct unattend_setting){
			COMPONENT_INTERNATIONAL, TAG_INPUT_LOCALE, join->input_locale};
	return n;
}

/* The next leaf in a settings element of this pass after node
 * `after`, or -1. */
static int next_leaf(const struct answer *a, enum windows_arch arch,
	const struct unattend_setting *s, enum answer_pass pass, int after)
{
	for (int i = after + 1; i < (int)a->count; i++) {
		const struct answer_node *n = &a->nodes[i];
		if (n->tag != s->tag || n->parent < 0)
			continue;
		const struct answer_node *c = &a->nodes[n->parent];
		if (c->tag != TAG_COMPONENT || c->component != s->component || c->arch != arch ||
			c->parent < 0)
			continue;
		const struct answer_node *set = &a->nodes[c->parent];
		if (set->tag == TAG_SETTINGS && set->pass == pass && set->parent == 0)
			return i;
	}
	return -1;
}

/* The first settings element of the specialize pass, or its first component of this kind. */
static int find_place(
	const struct answer *a, enum windows_arch arch, const struct unattend_setting *s)
{
	int settings = -1;
	for (int i = -1; (i = answer_child(a, 0, TAG_SETTINGS, i)) >= 0;) {
		if (a->nodes[i].pass != PASS_SPECIALIZE)
			continue;
		if (settings < 0)
			settings = i;
		for (int c = -1; (c = answer_child(a, i, TAG_COMPONENT, c)) >= 0;)
			if (a->nodes[c].component == s->component && a->nodes[c].arch == arch)
				return c;
	}
	return settings;
}

static void insert(struct splicer *d, const struct unattend_setting *s)
{
	int at = find_place(d->a, d->join->arch, s);
	if (at < 0)
		return; /* the join made one; verification would see it */
	const struct answer_node *n = &d->a->nodes[at];
	splice_begin(d, n);
	if (n->tag == TAG_SETTINGS)
		splice_component(d, answer_component_name(s->component));
	splice_leaf(d, s->tag, s->value);
	if (n->tag == TAG_SETTINGS)
		splice_close(d, TAG_COMPONENT);
	splice_end(d, n);
}

void unattend_setting_splice(struct splicer *d, const struct unattend_setting *s)
{
	static const enum answer_pass passes[] = {PASS_SPECIALIZE, PASS_OOBE};
	for (size_t p = 0; p < ARRAY_SIZE(passes); p++) {
		bool seen = false;
		for (int i = -1; (i = next_leaf(d->a, d->join->arch, s, passes[p], i)) >= 0;
			seen = true) {
			const struct answer_node *n = &d->a->nodes[i];
			if (seen)
				splice_cut(d, n->start, n->end_end - n->start);
			else
				splice_content(d, n, s->value);
		}
		if (!seen && passes[p] == PASS_SPECIALIZE)
			insert(d, s);
	}
}

static bool text_is(const struct answer *a, int node, const char *want)
{
	struct secret text = SECRET_INIT;
	bool same = !a->nodes[node].has_content && answer_text(a, node, &text, NULL) == 0 &&
		    text.len == strlen(want) && memcmp(text.p, want, text.len) == 0;
	secret_clear(&text);
	return same;
}

bool unattend_setting_holds(
	const struct answer *a, enum windows_arch arch, const struct unattend_setting *s)
{
	int first = next_leaf(a, arch, s, PASS_SPECIALIZE, -1);
	int late = next_leaf(a, arch, s, PASS_OOBE, -1);
	return first >= 0 && next_leaf(a, arch, s, PASS_SPECIALIZE, first) < 0 &&
	       text_is(a, first, s->value) &&
	       (late < 0 ||
		       (next_leaf(a, arch, s, PASS_OOBE, late) < 0 && text_is(a, late, s->value)));
}
