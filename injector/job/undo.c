/*
 * Undo: put back what was there before, on a disk that holds exactly what was
 * written.
 *
 * undo_save() runs between the intent and the first write. job_undo() marks the
 * record before it writes, so an undo that was cut off is finished by running
 * it again: only then may the disk hold the old state already. The registry
 * goes back in one hive commit, a file in one rename, as it came.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "job/internal.h"
#include "windows/unattend.h"

#define PLACE_MAX 512

/* The first n parts of a place ("A\B\C", "/Windows/Panther/x"); false when it has fewer. */
static bool first_parts(const char *place, char sep, uint32_t n, char out[PLACE_MAX])
{
	const char *p = *place == sep ? place + 1 : place;
	for (uint32_t i = 0; i < n; i++) {
		const char *end = strchr(p, sep);
		if (!end && i + 1 < n)
			return false;
		p = !end ? p + strlen(p) : i + 1 < n ? end + 1 : end;
	}
	if ((size_t)(p - place) >= PLACE_MAX)
		return false;
	memcpy(out, place, (size_t)(p - place));
	out[p - place] = '\0';
	return true;
}

/* --- the registry: one item
 * ------------------------------------------------------------------------ */

static uint32_t key_depth(struct hive *h, const char *place)
{
	char part[PLACE_MAX];
	hive_key key;
	uint32_t n = 0;
	while (first_parts(place, '\\', n + 1, part) &&
		hive_find_key(h, hive_root(h), part, &key, NULL) == 0)
		n++;
	return n;
}

/* 1 and its data when the value is there, 0 when not. */
static int read_value(struct hive *h, const struct undo_item *it, uint32_t *type,
	struct secret *data, struct err *e)
{
	struct hive_value v;
	hive_key key;
	if (hive_find_key(h, hive_root(h), it->place, &key, NULL) < 0 ||
		hive_find_value(h, key, it->name, &v, NULL) < 0)
		return 0;
	int ret = secret_alloc(data, v.size, e);
	if (ret == 0)
		ret = hive_read_value(h, &v, data->p, e);
	*type = v.type;
	return ret < 0 ? ret : 1;
}

static int capture_value(struct hive *h, struct undo_item *it, struct err *e)
{
	hive_key key;
	it->depth = key_depth(h, it->place);
	if (it->kind == PLAN_KEY) {
		it->existed = hive_find_key(h, hive_root(h), it->place, &key, NULL) == 0;
		return 0;
	}
	int there = read_value(h, it, &it->type, &it->before, e);
	it->existed = there == 1;
	return there < 0 ? there : 0;
}

/* Which of the two the hive holds for this item. */
static int compare_value(
	struct hive *h, const struct undo_record *r, const struct undo_item *it, struct err *e)
{
	struct secret now = SECRET_INIT;
	uint8_t hash[UNDO_HASH];
	uint32_t type = 0;
	hive_key key;
	if (it->kind == PLAN_KEY) {
		bool there = hive_find_key(h, hive_root(h), it->place, &key, NULL) == 0;
		return (there ? UNDO_HOLDS_AFTER : 0) |
		       (there == it->existed ? UNDO_HOLDS_BEFORE : 0);
	}
	int there = read_value(h, it, &type, &now, e);
	if (there <= 0)
		return there < 0 ? there : it->existed ? UNDO_HOLDS_NOTHING : UNDO_HOLDS_BEFORE;
	int holds = UNDO_HOLDS_NOTHING;
	undo_hash(r, type, now.p, now.len, hash);
	if (sodium_memcmp(hash, it->after, sizeof hash) == 0)
		holds |= UNDO_HOLDS_AFTER;
	if (it->existed && type == it->type && now.len == it->before.len &&
		(now.len == 0 || sodium_memcmp(now.p, it->before.p, now.len) == 0))
		holds |= UNDO_HOLDS_BEFORE;
	secret_clear(&now);
	return holds;
}

static int restore_value(struct hive *h, const struct undo_item *it, struct err *e)
{
	hive_key key;
	if (it->kind != PLAN_VALUE)
		return 0;
	int ret = hive_find_key(h, hive_root(h), it->place, &key, e);
	if (ret < 0)
		return ret;
	if (!it->existed)
		return hive_delete_value(h, key, it->name, e);
	return hive_set_value(h, key, it->name, it->type, it->before.p, it->before.len, e);
}

/* Delete the keys of this place that we made, from the deepest up, while they are empty. */
static int prune_keys(struct hive *h, const struct undo_item *it, struct err *e)
{
	char part[PLACE_MAX];
	for (uint32_t n = key_depth(h, it->place); n > it->depth; n--) {
		struct hive_key_info info;
		hive_key key;
		if (!first_parts(it->place, '\\', n, part))
			break;
		int ret = hive_find_key(h, hive_root(h), part, &key, e);
		if (ret == 0)
			ret = hive_key_info(h, key, &info, e);
		if (ret == 0 && (info.subkeys || info.values))
			return 0; /* another item of ours is still below, or a stranger's */
		if (ret == 0)
			ret = hive_delete_key(h, key, e);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int restore_hive(struct hive *h, const struct undo_record *r, struct err *e)
{
	int ret = hive_begin(h, clock_filetime(clock_now()), e);
	for (size_t i = r->count; ret == 0 && i-- > 0;)
		ret = restore_value(h, &r->items[i], e);
	for (size_t i = r->count; ret == 0 && i-- > 0;)
		ret = prune_keys(h, &r->items[i], e);
	for (size_t i = 0; ret == 0 && i < r->count; i++)
		if (key_depth(h, r->items[i].place) > r->items[i].depth)
			ret = err_set(e, ERR_REFUSED,
				"The disk is untouched. Something else was written there since.",
				"the key %s holds more than this stick put into it",
				r->items[i].place);
	return ret < 0 ? ret : hive_commit(h, e);
}

/* --- the registry: all items
 * ----------------------------------------------------------------------- */

static int capture_registry(struct job *j, struct undo_record *r, struct err *e)
{
	struct system_hive s;
	int ret = system_hive_open(&s, j->chosen, false, e);
	for (size_t i = 0; ret == 0 && i < r->count; i++)
		ret = capture_value(s.hive, &r->items[i], e);
	system_hive_close(&s, NULL);
	return ret;
}

static int compare_registry(struct job *j, const struct undo_record *r, struct err *e)
{
	struct system_hive s;
	int holds = UNDO_HOLDS_AFTER | UNDO_HOLDS_BEFORE;
	int ret = system_hive_open(&s, j->chosen, false, e);
	for (size_t i = 0; ret == 0 && i < r->count; i++) {
		int one = compare_value(s.hive, r, &r->items[i], e);
		ret = one < 0 ? one : 0;
		holds &= one;
	}
	system_hive_close(&s, NULL);
	return ret < 0 ? ret : holds;
}

static int restore_registry(struct job *j, const struct undo_record *r, struct err *e)
{
	struct system_hive s;
	int ret = system_hive_open(&s, j->chosen, true, e);
	if (ret < 0)
		return ret;
	ret = restore_hive(s.hive, r, e);
	int closed = system_hive_close(&s, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* --- the answer file
 * ------------------------------------------------------------------------------- */

/* 1 and its bytes when the file is there, 0 when not. */
static int read_answer(
	struct volume *v, const struct undo_item *it, struct secret *data, struct err *e)
{
	struct volume_stat st;
	struct buf b = BUF_INIT;
	int ret = volume_stat(v, it->place, &st, e);
	if (ret < 0 || !st.exists)
		return ret;
	ret = volume_read(v, it->place, UNATTEND_MAX, &b, e);
	if (ret == 0)
		ret = secret_copy(data, b.p, b.len, e);
	if (b.p)
		sodium_memzero(b.p, b.len);
	buf_clear(&b);
	return ret < 0 ? ret : 1;
}

static int capture_file(struct job *j, struct undo_record *r, struct err *e)
{
	struct undo_item *it = &r->items[0];
	struct volume *v = NULL;
	struct volume_stat st = {.exists = true};
	char part[PLACE_MAX];
	int ret = volume_open(&v, j->chosen->src, false, e);
	for (it->depth = 0;
		ret == 0 && st.exists && first_parts(it->place, '/', it->depth + 1, part);) {
		ret = volume_stat(v, part, &st, e);
		it->depth += ret == 0 && st.exists;
		if (strcmp(part, it->place) == 0)
			break;
	}
	int there = ret < 0 ? ret : read_answer(v, it, &it->before, e);
	it->existed = there == 1;
	volume_close(v, NULL);
	return there < 0 ? there : 0;
}

static int compare_file(struct job *j, const struct undo_record *r, struct err *e)
{
	const struct undo_item *it = &r->items[0];
	struct secret now = SECRET_INIT;
	struct volume *v = NULL;
	uint8_t hash[UNDO_HASH];
	int holds = UNDO_HOLDS_NOTHING;
	int there = volume_open(&v, j->chosen->src, false, e);
	if (there == 0)
		there = read_answer(v, it, &now, e);
	volume_close(v, NULL);
	if (there == 1) {
		undo_hash(r, 0, now.p, now.len, hash);
		if (sodium_memcmp(hash, it->after, sizeof hash) == 0)
			holds |= UNDO_HOLDS_AFTER;
		if (it->existed && now.len == it->before.len &&
			sodium_memcmp(now.p, it->before.p, now.len) == 0)
			holds |= UNDO_HOLDS_BEFORE;
	}
	secret_clear(&now);
	if (there == 0)
		return it->existed ? UNDO_HOLDS_NOTHING : UNDO_HOLDS_BEFORE;
	return there < 0 ? there : holds;
}

/* Folders that were made for the file go with it, unless something else moved in. */
static int prune_folders(struct volume *v, const struct undo_item *it, struct err *e)
{
	char part[PLACE_MAX];
	uint32_t n = it->depth;
	while (first_parts(it->place, '/', n + 1, part) && strcmp(part, it->place) != 0)
		n++;
	int ret = 0;
	for (; ret == 0 && n > it->depth; n--) {
		struct volume_list l;
		if (!first_parts(it->place, '/', n, part))
			break;
		ret = volume_list(v, part, &l, e);
		bool empty = ret == 0 && l.count == 0;
		volume_list_clear(&l);
		if (ret == 0 && !empty)
			break;
		if (ret == 0)
			ret = volume_remove(v, part, e);
	}
	return ret;
}

static int restore_file(struct job *j, const struct undo_record *r, struct err *e)
{
	const struct undo_item *it = &r->items[0];
	struct volume *v;
	int ret = volume_open(&v, j->chosen->src, true, e);
	if (ret < 0)
		return ret;
	if (it->existed) {
		ret = volume_replace(v, it->place, it->before.p, it->before.len, e);
	} else {
		ret = volume_remove(v, it->place, e);
		if (ret == 0)
			ret = prune_folders(v, it, e);
		if (ret == 0)
			ret = volume_sync(v, e);
	}
	int closed = volume_close(v, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* --- save
 * ------------------------------------------------------------------------------------------ */

int undo_compare(struct job *j, const struct undo_record *r, struct err *e)
{
	return r->method == PLAN_UNATTEND ? compare_file(j, r, e) : compare_registry(j, r, e);
}

/* An earlier run of this entry wrote already: what it kept is the true old state. */
static bool is_kept(struct job *j)
{
	struct undo_record r = {0};
	bool kept = undo_record_load(j, &r, NULL) == 0 && r.method == j->plan.method;
	if (kept) {
		int holds = undo_compare(j, &r, NULL);
		kept = holds >= 0 && (holds & UNDO_HOLDS_AFTER);
	}
	undo_record_clear(&r);
	return kept;
}

static int take_plan(const struct plan *p, struct undo_record *r, struct err *e)
{
	r->items = calloc(p->count, sizeof *r->items);
	if (!r->items)
		return err_nomem(e);
	for (r->count = 0; r->count < p->count; r->count++) {
		const struct plan_item *from = &p->items[r->count];
		struct undo_item *it = &r->items[r->count];
		it->kind = from->kind;
		it->place = strdup(from->place);
		it->name = strdup(from->name ? from->name : "");
		if (!it->place || !it->name) {
			r->count++;
			return err_nomem(e);
		}
		undo_hash(r, from->type, from->data.p, from->data.len, it->after);
	}
	return 0;
}

int undo_save(struct job *j, struct err *e)
{
	if (is_kept(j))
		return 0;
	struct undo_record r = {.method = j->plan.method, .intent = j->intent};
	memcpy(r.plan, j->plan.hash, sizeof r.plan);
	int ret = undo_record_key(j, &r, e);
	if (ret == 0)
		ret = take_plan(&j->plan, &r, e);
	if (ret == 0)
		ret = r.method == PLAN_UNATTEND ? capture_file(j, &r, e)
						: capture_registry(j, &r, e);
	if (ret == 0)
		ret = undo_record_save(j, &r, e);
	undo_record_clear(&r);
	return ret;
}

/* --- undo
 * ------------------------------------------------------------------------------------------ */

/* The PC bears the new name, and what waited for its start is gone. */
static bool has_started(const struct job *j)
{
	const struct windows_facts *f = &j->chosen->facts;
	bool named = strcasecmp(f->computer_name, j->pc.name) == 0;
	return named && (j->undo.method == PLAN_UNATTEND || f->join != WINDOWS_JOIN_PENDING);
}

/* Of an undo or an apply that was cut off the old state may be there already, and leftovers. */
static int judge(struct job *j, int holds, struct err *e)
{
	if (holds & UNDO_HOLDS_AFTER)
		return 0;
	if (holds & UNDO_HOLDS_BEFORE && (j->undo.restoring || finish_has_intent(j)))
		return 0;
	if (has_started(j))
		return err_set(e, ERR_UNSAFE,
			"The disk is untouched. Leave the domain in Windows instead.",
			"Windows has started as %s since: the join cannot be undone from outside",
			j->pc.name);
	if (holds & UNDO_HOLDS_BEFORE)
		return err_set(e, ERR_REFUSED,
			"The disk is untouched. An interrupted apply is finished by running it "
			"again.",
			"this disk does not hold the join of %s: there is nothing to undo",
			j->pc.name);
	return err_set(e, ERR_REFUSED,
		"The disk is untouched. Is this the right PC? If so, it was changed since.",
		"this disk does not hold what was written to %s", j->pc.name);
}

int job_undo_prepare(struct job *j, struct err *e)
{
	if (!j->undoing || !j->selected || !j->chosen)
		return err_set(e, ERR_USAGE, NULL, "choose the PC and its Windows first");
	undo_record_clear(&j->undo);
	int ret = undo_record_load(j, &j->undo, e);
	if (ret == 0)
		ret = volume_refuse(&j->chosen->state, j->chosen->shown.where, e);
	if (ret == 0)
		ret = undo_compare(j, &j->undo, e);
	if (ret >= 0)
		ret = judge(j, ret, e);
	j->undo_ready = ret == 0;
	return ret < 0 ? report_refusal(j, "undo", ret) : 0;
}

size_t job_undo_count(const struct job *j)
{
	return j->undo_ready ? j->undo.count : 0;
}

/* What an earlier undo did not get to: temporary files, folders that were made for ours. */
static int settle(struct job *j, const struct undo_record *r, struct err *e)
{
	const struct undo_item *it = &r->items[0];
	struct volume *v;
	int ret = r->method == PLAN_UNATTEND ? volume_open(&v, j->chosen->src, true, e) : 0;
	if (ret < 0 || r->method != PLAN_UNATTEND)
		return ret;
	ret = volume_tidy(v, it->place, e);
	if (ret == 0 && !it->existed)
		ret = prune_folders(v, it, e);
	if (ret == 0)
		ret = volume_sync(v, e);
	int closed = volume_close(v, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* Mark, write, read back. */
static int restore(struct job *j, struct err *e)
{
	int ret = 0;
	int holds = undo_compare(j, &j->undo, e);
	if (holds < 0 || holds & UNDO_HOLDS_BEFORE)
		return holds < 0 ? holds
				 : settle(j, &j->undo, e); /* an earlier undo got this far */
	j->undo.restoring = true;
	ret = undo_record_save(j, &j->undo, e);
	if (ret == 0)
		ret = j->undo.method == PLAN_UNATTEND ? restore_file(j, &j->undo, e)
						      : restore_registry(j, &j->undo, e);
	if (ret < 0)
		return ret;
	holds = undo_compare(j, &j->undo, e);
	if (holds >= 0 && !(holds & UNDO_HOLDS_BEFORE))
		return err_set(e, ERR_FAILED, "Do not start this PC. Run undo again on it.",
			"read back: %s is not what it was", j->pc.name);
	return holds < 0 ? holds : 0;
}

int job_undo(struct job *j, struct err *e)
{
	if (!j->undo_ready || !stick_journal(j->stick))
		return err_set(e, ERR_USAGE, NULL, "nothing is ready to be undone");
	int ret = restore(j, e);
	if (ret < 0) {
		report_undo(j, j->undo.intent, ret, NULL);
		return ret;
	}
	ret = report_undo(j, j->undo.intent, 0, e);
	return ret < 0 ? ret : undo_record_remove(j, e);
}
