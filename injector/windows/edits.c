#include "windows/edits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "windows/facts.h"

void reg_edits_clear(struct reg_edits *edits)
{
	for (size_t i = 0; i < edits->count; i++)
		secret_clear(&edits->v[i].data);
	free(edits->v);
	*edits = (struct reg_edits)REG_EDITS_INIT;
}

void edit_begin(struct edit_maker *m, struct reg_edits *edits, struct err *e)
{
	*m = (struct edit_maker){.edits = edits, .e = e};
	edits->v = calloc(REG_EDITS_MAX, sizeof *edits->v);
	if (!edits->v)
		m->ret = err_nomem(e);
}

int edit_end(struct edit_maker *m)
{
	if (m->ret < 0)
		reg_edits_clear(m->edits);
	return m->ret;
}

static struct reg_edit *add(
	struct edit_maker *m, enum reg_edit_op op, const char *key, const char *name, uint32_t type)
{
	if (m->ret == 0 && m->edits->count == REG_EDITS_MAX)
		m->ret = err_set(m->e, ERR_LIMIT,
			"Nothing was changed. Tell the lab: the blob asks for more than is known.",
			"too many registry edits");
	if (m->ret < 0)
		return NULL;
	struct reg_edit *x = &m->edits->v[m->edits->count++];
	*x = (struct reg_edit){.op = op, .type = type, .data = SECRET_INIT};
	if (name) {
		snprintf(x->name_text, sizeof x->name_text, "%s", name);
		x->name = x->name_text;
	}
	if (m->set)
		snprintf(x->key, sizeof x->key, "ControlSet%03u\\%s", m->set, key);
	else
		snprintf(x->key, sizeof x->key, "%s", key);
	return x;
}

void edit_key(struct edit_maker *m, const char *key)
{
	add(m, REG_EDIT_KEY, key, NULL, 0);
}

void edit_dword(struct edit_maker *m, const char *key, const char *name, uint32_t value)
{
	struct reg_edit *x = add(m, REG_EDIT_SET, key, name, REG_DWORD);
	if (!x)
		return;
	m->ret = secret_alloc(&x->data, 4, m->e);
	if (m->ret == 0)
		put_le32(x->data.p, value);
}

void edit_binary(struct edit_maker *m, const char *key, const char *name, const void *p, size_t n)
{
	struct reg_edit *x = add(m, REG_EDIT_SET, key, name, REG_BINARY);
	if (x)
		m->ret = secret_copy(&x->data, p, n, m->e);
}

struct reg_edit *edit_units(
	struct edit_maker *m, const char *key, const char *name, const uint8_t *p, size_t len)
{
	struct reg_edit *x = add(m, REG_EDIT_SET, key, name, REG_SZ);
	if (!x)
		return NULL;
	m->ret = secret_alloc(&x->data, len + 2, m->e);
	if (m->ret == 0 && len)
		memcpy(x->data.p, p, len);
	return x;
}

void edit_text(
	struct edit_maker *m, const char *key, const char *name, uint32_t type, const char *s)
{
	struct reg_edit *x = add(m, REG_EDIT_SET, key, name, type);
	size_t n = strlen(s) + 1;
	if (!x)
		return;
	m->ret = secret_alloc(&x->data, 2 * n, m->e);
	for (size_t i = 0; m->ret == 0 && i < n; i++)
		put_le16(x->data.p + 2 * i, (uint8_t)s[i]);
}

int edit_control_sets(const struct windows_facts *f, uint32_t sets[2], struct err *e)
{
	if (f->control_set == 0)
		return err_set(e, ERR_UNSAFE,
			"Nothing was changed. Repair or reinstall this Windows.",
			"the SYSTEM hive does not say which control set is in use");
	sets[0] = f->control_set;
	sets[1] = f->control_set_default;
	return sets[1] && sets[1] != sets[0] ? 2 : 1;
}
