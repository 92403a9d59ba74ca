/* Build the plan: for each value and file, what is there now and what will be. Read only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "job/internal.h"
#include "windows/join.h"
#include "windows/unattend.h"

#define SECRET_TEXT "(machine password)"

static int add_item(struct plan *p, enum plan_kind kind, const char *place, const char *name,
	struct plan_item **out, struct err *e)
{
	struct plan_item *items = realloc(p->items, (p->count + 1) * sizeof *items);
	if (!items)
		return err_nomem(e);
	p->items = items;
	struct plan_item *it = &items[p->count++];
	*it = (struct plan_item){.kind = kind};
	it->place = strdup(place);
	it->name = name ? strdup(name) : NULL;
	if (!it->place || (name && !it->name))
		return err_nomem(e);
	*out = it;
	return 0;
}

/* --- registry
 * ------------------------------------------------------------------------------------- */

static int read_before(struct hive *h, hive_key key, struct plan_item *it, struct err *e)
{
	struct buf b = BUF_INIT;
	struct hive_value v;
	uint32_t type = 0;
	int ret = it->secret ? hive_find_value(h, key, it->name, &v, NULL)
			     : hive_get_value(h, key, it->name, &type, &b, NULL);
	if (ret == -ERR_NOTFOUND)
		return 0;
	if (ret < 0)
		return err_set(e, ERR_INTEGRITY, "The disk is untouched.",
			"SYSTEM hive: the value %s\\%s cannot be read", it->place, it->name);
	it->existed = true;
	it->before = it->secret ? strdup(SECRET_TEXT) : plan_data_text(type, b.p, b.len);
	buf_clear(&b);
	return it->before ? 0 : err_nomem(e);
}

static int add_edit(struct plan *p, struct hive *h, struct reg_edit *edit, struct err *e)
{
	struct plan_item *it;
	hive_key key;
	bool is_key = edit->op == REG_EDIT_KEY;
	int ret = add_item(p, is_key ? PLAN_KEY : PLAN_VALUE, edit->key, edit->name, &it, e);
	if (ret < 0)
		return ret;
	it->type = edit->type;
	it->secret = edit->sensitive;
	ret = hive_find_key(h, hive_root(h), edit->key, &key, NULL);
	if (ret < 0 && ret != -ERR_NOTFOUND)
		return err_set(e, ERR_INTEGRITY, "The disk is untouched.",
			"SYSTEM hive: the key %s cannot be read", edit->key);
	if (is_key) {
		it->existed = ret == 0;
		it->before = it->existed ? strdup("(key)") : NULL;
		it->after = strdup("(key)");
		return it->after ? 0 : err_nomem(e);
	}
	if (ret == 0)
		ret = read_before(h, key, it, e);
	else
		ret = 0;
	if (ret < 0)
		return ret;
	it->after = it->secret ? strdup(SECRET_TEXT)
			       : plan_data_text(edit->type, edit->data.p, edit->data.len);
	secret_move(&it->data, &edit->data);
	return it->after ? 0 : err_nomem(e);
}

static int plan_registry(struct job *j, struct plan *p, struct err *e)
{
	struct reg_edits edits = REG_EDITS_INIT;
	struct system_hive s;
	int ret = windows_join_edits(&j->odj, &j->chosen->facts, &edits, e);
	if (ret < 0)
		return ret;
	ret = system_hive_open(&s, j->chosen, false, e);
	for (size_t i = 0; ret == 0 && i < edits.count; i++)
		ret = add_edit(p, s.hive, &edits.v[i], e);
	system_hive_close(&s, NULL);
	reg_edits_clear(&edits);
	return ret;
}

/* --- unattend.xml
 * --------------------------------------------------------------------------------- */

static bool is_there(const struct windows_facts *f, const char *path)
{
	for (size_t i = 0; i < f->unattend_count; i++)
		if (f->unattend[i].exists && strcasecmp(f->unattend[i].path, path) == 0)
			return true;
	return false;
}

/* The answer file for the specialize pass: the first in Windows' search order that exists and was
 * not used before; else a new one, in a place that no used file holds. */
static int choose_answer(
	const struct windows_facts *f, char *path, size_t size, bool *existed, struct err *e)
{
	static const char *const places[] = {
		"Panther/unattend.xml", "Panther/Unattend/unattend.xml"};
	*existed = true;
	for (size_t i = 0; i < f->unattend_count; i++) {
		const struct windows_unattend *u = &f->unattend[i];
		snprintf(path, size, "%s", u->path);
		if (u->exists && u->on_volume && !u->processed)
			return 0;
	}
	*existed = false;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, size, "%s/%s", f->root, places[i]);
		if (!is_there(f, path))
			return 0;
	}
	return err_set(e, ERR_UNSAFE, "Use a fresh image, or remove the used answer files.",
		"every place for an answer file holds one that Windows has used already");
}

static int splice(struct job *j, struct volume *v, struct plan_item *it, struct err *e)
{
	const struct unattend_join join = {
		.arch = j->chosen->facts.arch, .computer_name = j->pc.name, .raw = &j->blob};
	struct buf old = BUF_INIT;
	int ret = it->existed ? volume_read(v, it->place, UNATTEND_MAX, &old, e) : 0;
	if (ret == 0)
		ret = unattend_splice(it->existed ? old.p : NULL, old.len, &join, &it->data, e);
	if (ret == 0 && it->existed) {
		char text[64];
		snprintf(text, sizeof text, "answer file, %zu bytes", old.len);
		it->before = strdup(text);
		ret = it->before ? 0 : err_nomem(e);
	}
	buf_wipe(&old);
	return ret;
}

static int plan_unattend(struct job *j, struct plan *p, struct err *e)
{
	const struct windows_facts *f = &j->chosen->facts;
	char path[256], text[320];
	struct plan_item *it;
	struct volume *v = NULL;
	bool existed;
	int ret = choose_answer(f, path, sizeof path, &existed, e);
	if (ret == 0)
		ret = add_item(p, PLAN_FILE, path, NULL, &it, e);
	if (ret < 0)
		return ret;
	it->secret = true;
	it->existed = existed;
	ret = volume_open(&v, j->chosen->src, false, e);
	if (ret == 0)
		ret = splice(j, v, it, e);
	volume_close(v, NULL);
	snprintf(text, sizeof text, "answer file with ComputerName %s and the join to %s",
		j->pc.name, j->pc.domain);
	it->after = strdup(text);
	return ret == 0 && !it->after ? err_nomem(e) : ret;
}

int plan_build(struct job *j, struct plan *p, struct err *e)
{
	plan_clear(p);
	p->method = j->method;
	int ret = j->method == PLAN_UNATTEND ? plan_unattend(j, p, e) : plan_registry(j, p, e);
	if (ret < 0)
		plan_clear(p);
	else
		plan_seal(p);
	return ret;
}

int job_plan(struct job *j, struct err *e)
{
	if (!j->accepted)
		return err_set(e, ERR_USAGE, NULL, "the checks come before the plan");
	int ret = j->finishing ? finish_plan(j, &j->plan, e) : plan_build(j, &j->plan, e);
	return ret < 0 ? report_refusal(j, "plan", ret) : report_plan(j, e);
}

const struct plan *job_get_plan(const struct job *j)
{
	return j->plan.count ? &j->plan : NULL;
}
