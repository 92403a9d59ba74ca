/* Build the plan: for each value and file, what is there now and what will be. Read only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "job/internal.h"
#include "windows/firstboot.h"
#include "windows/join.h"

#define SECRET_TEXT "(machine password)"

static int add_item(struct plan *p, enum plan_kind kind, enum plan_store store, const char *place,
	const char *name, struct plan_item **out, struct err *e)
{
	struct plan_item *items = realloc(p->items, (p->count + 1) * sizeof *items);
	if (!items)
		return err_nomem(e);
	p->items = items;
	struct plan_item *it = &items[p->count++];
	*it = (struct plan_item){.kind = kind, .store = store};
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
			"%s hive: the value %s\\%s cannot be read", plan_store_name(it->store),
			it->place, it->name);
	it->existed = true;
	it->before = it->secret ? strdup(SECRET_TEXT) : plan_data_text(type, b.p, b.len);
	buf_clear(&b);
	return it->before ? 0 : err_nomem(e);
}

static int add_edit(
	struct plan *p, enum plan_store store, struct hive *h, struct reg_edit *edit, struct err *e)
{
	struct plan_item *it;
	hive_key key;
	bool is_key = edit->op == REG_EDIT_KEY;
	int ret = add_item(p, is_key ? PLAN_KEY : PLAN_VALUE, store, edit->key, edit->name, &it, e);
	if (ret < 0)
		return ret;
	it->type = edit->type;
	it->secret = edit->sensitive;
	ret = hive_find_key(h, hive_root(h), edit->key, &key, NULL);
	if (ret < 0 && ret != -ERR_NOTFOUND)
		return err_set(e, ERR_INTEGRITY, "The disk is untouched.",
			"%s hive: the key %s cannot be read", plan_store_name(store), edit->key);
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

int plan_add_edits(struct plan *p, enum plan_store store, struct hive *h, struct reg_edits *edits,
	struct err *e)
{
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < edits->count; i++)
		ret = add_edit(p, store, h, &edits->v[i], e);
	return ret;
}

int plan_add_logs(struct job *j, struct plan *p, enum plan_store store, const struct job_hive *s,
	struct err *e)
{
	const struct bytedev *const log[] = {s->log1, s->log2};
	int ret = 0;
	for (int i = 0; ret == 0 && i < 2; i++) {
		char path[256];
		struct plan_item *it;
		if (log[i])
			continue;
		job_hive_log_path(j->chosen, store, i + 1, path, sizeof path);
		ret = add_item(p, PLAN_FILE, store, path, NULL, &it, e);
		if (ret == 0 && !(it->after = strdup("(empty log, to write the hive safely)")))
			ret = err_nomem(e);
	}
	return ret;
}

/* What the method itself writes into SYSTEM. */
static int method_edits(struct job *j, struct reg_edits *edits, struct err *e)
{
	if (j->method == PLAN_REGISTRY)
		return windows_join_edits(&j->odj, &j->chosen->facts, edits, e);
	if (j->method == PLAN_FIRSTBOOT)
		return firstboot_edits(&j->chosen->facts, edits, e);
	return 0;
}

static int plan_system(struct job *j, struct plan *p, struct err *e)
{
	struct reg_edits edits = REG_EDITS_INIT;
	struct job_hive s;
	int ret = job_hive_open(&s, j->chosen, PLAN_SYSTEM, false, e);
	if (ret == 0)
		ret = plan_add_logs(j, p, PLAN_SYSTEM, &s, e);
	if (ret == 0)
		ret = method_edits(j, &edits, e);
	if (ret == 0)
		ret = plan_add_edits(p, PLAN_SYSTEM, s.hive, &edits, e);
	if (ret == 0)
		ret = settings_plan_system(j, p, s.hive, e);
	job_hive_close(&s, NULL);
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
int plan_answer_file(
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

struct unattend_join job_unattend(const struct job *j)
{
	struct unattend_join join = {
		.arch = j->chosen->facts.arch, .computer_name = j->pc.name, .raw = &j->blob};
	if (j->settings.timezone[0])
		join.timezone = j->zone.name;
	if (j->settings.has_keyboard)
		settings_keyboard_text(&j->settings, join.input_locale);
	return join;
}

static int splice(struct job *j, struct volume *v, struct plan_item *it, struct err *e)
{
	const struct unattend_join join = job_unattend(j);
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
	int ret = plan_answer_file(f, path, sizeof path, &existed, e);
	if (ret == 0)
		ret = add_item(p, PLAN_FILE, PLAN_FILES, path, NULL, &it, e);
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

/* --- first boot
 * ----------------------------------------------------------------------------------- */

static void below_windows(const struct job *j, const char *file, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", j->chosen->facts.root, file);
}

static int add_file(struct job *j, struct plan *p, struct volume *v, const char *file,
	const char *after, struct plan_item **out, struct err *e)
{
	char path[256];
	struct volume_stat st;
	below_windows(j, file, path, sizeof path);
	int ret = add_item(p, PLAN_FILE, PLAN_FILES, path, NULL, out, e);
	if (ret == 0)
		ret = volume_stat(v, path, &st, e);
	if (ret < 0)
		return ret;
	(*out)->existed = st.exists;
	(*out)->before = st.exists ? strdup("(file)") : NULL;
	(*out)->after = strdup(after);
	return (*out)->after && (!st.exists || (*out)->before) ? 0 : err_nomem(e);
}

static int plan_firstboot(struct job *j, struct plan *p, struct err *e)
{
	struct span script = firstboot_script();
	struct plan_item *it;
	struct volume *v = NULL;
	int ret = volume_open(&v, j->chosen->src, false, e);
	if (ret == 0)
		ret = add_file(j, p, v, FIRSTBOOT_BLOB,
			"(join data, for SYSTEM and Administrators alone)", &it, e);
	if (ret == 0) {
		it->secret = it->locked = true;
		ret = firstboot_blob(&j->blob, &it->data, e);
	}
	if (ret == 0)
		ret = add_file(j, p, v, FIRSTBOOT_SCRIPT,
			"script: run djoin once, remove it, the join data and the service", &it, e);
	if (ret == 0)
		ret = secret_copy(&it->data, script.p, script.len, e);
	volume_close(v, NULL);
	return ret;
}

bool firstboot_waits(struct job *j)
{
	char path[256], key[64];
	struct job_hive s;
	hive_key found;
	struct volume_stat st = {0};
	below_windows(j, FIRSTBOOT_BLOB, path, sizeof path);
	snprintf(key, sizeof key, "ControlSet%03u\\%s", j->chosen->facts.control_set,
		FIRSTBOOT_SERVICE);
	/* A file without the service is what a first-boot run that was cut off leaves: the same
	 * method goes on from there. */
	bool waits = job_hive_open(&s, j->chosen, PLAN_SYSTEM, false, NULL) == 0 &&
		     (hive_find_key(s.hive, hive_root(s.hive), key, &found, NULL) == 0 ||
			     (j->method != PLAN_FIRSTBOOT &&
				     volume_stat(s.volume, path, &st, NULL) == 0 && st.exists));
	job_hive_close(&s, NULL);
	return waits;
}

/* --- all of it
 * ------------------------------------------------------------------------------------ */

int plan_build(struct job *j, struct plan *p, struct err *e)
{
	plan_clear(p);
	p->method = j->method;
	int ret = j->method == PLAN_UNATTEND	? plan_unattend(j, p, e)
		  : j->method == PLAN_FIRSTBOOT ? plan_firstboot(j, p, e)
						: 0;
	if (ret == 0)
		ret = settings_plan_users(j, p, e);
	if (ret == 0 && (j->method != PLAN_UNATTEND || j->settings.rtc != RTC_UNSAID))
		ret = plan_system(j, p, e);
	if (ret < 0)
		plan_clear(p);
	else
		plan_seal(p);
	return ret;
}

int job_plan(struct job *j, struct err *e)
{
	if (!j->accepted)
		return err_set(e, ERR_USAGE, "Nothing was changed. Start again from the checks.",
			"the checks come before the plan");
	int ret = look_again(j, e);
	if (ret == 0)
		ret = j->finishing ? finish_plan(j, &j->plan, e) : plan_build(j, &j->plan, e);
	return ret < 0 ? report_refusal(j, "plan", ret) : report_plan(j, e);
}

const struct plan *job_get_plan(const struct job *j)
{
	return j->plan.count ? &j->plan : NULL;
}
