#include "rootfs/init/modtab.h"

#include <stdlib.h>
#include <string.h>

/* --- patterns -----------------------------------------------------------------------------------
 */

/* depmod writes '_' for '-', in names and in aliases. */
static char same_letter(char c)
{
	return c == '-' ? '_' : c;
}

/* One "[...]": whether c is in it, and where the pattern goes on. NULL when it has no end. */
static const char *match_set(const char *p, char c, bool *in)
{
	bool negate = *p == '!' || *p == '^', first = true;
	*in = false;
	if (negate)
		p++;
	for (; *p && (*p != ']' || first); p++, first = false) {
		char low = *p, high = *p;
		if (p[1] == '-' && p[2] && p[2] != ']') {
			high = p[2];
			p += 2;
		}
		if (low <= c && c <= high)
			*in = true;
	}
	if (*p != ']')
		return NULL;
	*in = *in != negate;
	return p + 1;
}

/* One character of the text against the head of the pattern; the rest of the pattern, or NULL. */
static const char *match_one(const char *p, char c)
{
	bool in;
	if (*p == '?')
		return p + 1;
	if (*p == '[') {
		const char *rest = match_set(p + 1, c, &in);
		return rest && in ? rest : NULL;
	}
	return same_letter(*p) == same_letter(c) ? p + 1 : NULL;
}

bool modtab_match(const char *pattern, const char *text)
{
	/* Where to go on when the last '*' has to take one character more. */
	const char *star = NULL, *mark = NULL;
	while (*text) {
		const char *rest;
		if (*pattern == '*') {
			star = ++pattern;
			mark = text;
		} else if (*pattern && (rest = match_one(pattern, *text))) {
			pattern = rest;
			text++;
		} else if (star) {
			pattern = star;
			text = ++mark;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

/* --- tables -------------------------------------------------------------------------------------
 */

/* The next line of a text, its end made a NUL; NULL at the end. */
static char *next_line(char **at)
{
	char *line = *at;
	if (!*line)
		return NULL;
	size_t n = strcspn(line, "\n");
	*at = line + n + (line[n] == '\n');
	line[n] = '\0';
	return line;
}

static size_t count_lines(const struct buf *b)
{
	size_t n = 1;
	for (size_t i = 0; i < b->len; i++)
		n += b->p[i] == '\n';
	return n;
}

/* Is path the module of that name? */
static bool is_called(const char *path, const char *name)
{
	const char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	while (*name && same_letter(*base) == same_letter(*name)) {
		base++;
		name++;
	}
	return *name == '\0' && strncmp(base, ".ko", 3) == 0;
}

size_t modtab_find(const struct modtab *t, const char *name)
{
	for (size_t i = 0; i < t->n_modules; i++)
		if (is_called(t->modules[i].path, name))
			return i;
	return MODTAB_NONE;
}

static size_t find_path(const struct modtab *t, const char *path)
{
	for (size_t i = 0; i < t->n_modules; i++)
		if (strcmp(t->modules[i].path, path) == 0)
			return i;
	return MODTAB_NONE;
}

/* "PATH: NEEDED NEEDED ...": first all paths, then, with all of them known, what they need. */
static void parse_dep(struct modtab *t)
{
	char *at = (char *)t->dep_text.p, *line;
	char **needs = calloc(count_lines(&t->dep_text), sizeof *needs);
	if (!needs)
		return;
	while ((line = next_line(&at))) {
		char *colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = '\0';
		needs[t->n_modules] = colon + 1;
		t->modules[t->n_modules++].path = line;
	}
	for (size_t i = 0; i < t->n_modules; i++) {
		struct modtab_module *m = &t->modules[i];
		char *save = NULL;
		for (char *word = strtok_r(needs[i], " ", &save); word;
			word = strtok_r(NULL, " ", &save)) {
			size_t need = find_path(t, word);
			if (need != MODTAB_NONE && m->n_deps < MODTAB_DEPS_MAX)
				m->deps[m->n_deps++] = need;
		}
	}
	free(needs);
}

/* "alias PATTERN MODULE"; depmod writes all lines of a module together. */
static void parse_alias(struct modtab *t)
{
	char *at = (char *)t->alias_text.p, *line;
	size_t module = MODTAB_NONE;
	while ((line = next_line(&at))) {
		char *save = NULL, *verb = strtok_r(line, " ", &save);
		char *pattern = strtok_r(NULL, " ", &save), *name = strtok_r(NULL, " ", &save);
		if (!name || strcmp(verb, "alias") != 0)
			continue;
		if (module == MODTAB_NONE || !is_called(t->modules[module].path, name))
			module = modtab_find(t, name);
		if (module != MODTAB_NONE)
			t->aliases[t->n_aliases++] = (struct modtab_alias){pattern, module};
	}
}

int modtab_init(struct modtab *t, struct buf *alias_text, struct buf *dep_text, struct err *e)
{
	*t = (struct modtab){.alias_text = *alias_text, .dep_text = *dep_text};
	*alias_text = *dep_text = (struct buf)BUF_INIT;
	t->modules = calloc(count_lines(&t->dep_text), sizeof *t->modules);
	t->aliases = calloc(count_lines(&t->alias_text), sizeof *t->aliases);
	if (!t->modules || !t->aliases) {
		modtab_clear(t);
		return err_nomem(e);
	}
	parse_dep(t);
	parse_alias(t);
	return 0;
}

void modtab_clear(struct modtab *t)
{
	buf_clear(&t->alias_text);
	buf_clear(&t->dep_text);
	free(t->modules);
	free(t->aliases);
	*t = (struct modtab){0};
}

void modtab_lookup(const struct modtab *t, const char *modalias,
	void (*found)(void *ctx, size_t module), void *ctx)
{
	for (size_t i = 0; i < t->n_aliases; i++)
		if (modtab_match(t->aliases[i].pattern, modalias))
			found(ctx, t->aliases[i].module);
}
