/*
 * Undo: put back what was there before, on the disk that was changed.
 *
 * undo_save() runs between the intent and the first write. job_undo() marks the
 * record before it writes, so an undo that was cut off is finished by running
 * it again: only then may the disk hold the old state already. Each hive goes
 * back in one commit, each file in one rename, in the reverse order of apply.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "job/internal.h"
#include "job/undo_state.h"

/* --- a hive
 * -------------------------------------------------------------------------------------- */

static int restore_value(struct hive *h, const struct undo_item *it, struct err *e)
{
	hive_key key;
	struct hive_value v;
	if (it->kind != PLAN_VALUE)
		return 0;
	int ret = hive_find_key(h, hive_root(h), it->place, &key, it->existed ? e : NULL);
	if (!it->existed) /* a cut-off run may not have got as far as this value */
		return ret < 0 || hive_find_value(h, key, it->name, &v, NULL) < 0
			       ? 0
			       : hive_delete_value(h, key, it->name, e);
	return ret < 0 ? ret
		       : hive_set_value(
				 h, key, it->name, it->type, it->before.p, it->before.len, e);
}

/* Delete the keys of this place that we made, from the deepest up, while they are empty. */
static int prune_keys(struct hive *h, const struct undo_item *it, struct err *e)
{
	char part[UNDO_PLACE_MAX];
	if (it->kind == PLAN_FILE)
		return 0;
	for (uint32_t n = undo_key_depth(h, it->place); n > it->depth; n--) {
		struct hive_key_info info;
		hive_key key;
		if (!undo_first_parts(it->place, '\\', n, part))
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

static int restore_items(
	struct hive *h, const struct undo_record *r, enum plan_store store, struct err *e)
{
	const struct undo_item *v = r->items;
	int ret = hive_begin(h, clock_filetime(clock_now()), e);
	for (size_t i = r->count; ret == 0 && i-- > 0;)
		ret = v[i].store == store ? restore_value(h, &v[i], e) : 0;
	for (size_t i = r->count; ret == 0 && i-- > 0;)
		ret = v[i].store == store ? prune_keys(h, &v[i], e) : 0;
	for (size_t i = 0; ret == 0 && i < r->count; i++)
		if (v[i].store == store && undo_key_depth(h, v[i].place) > v[i].depth)
			ret = err_set(e, ERR_REFUSED,
				"The disk is untouched. Something else was written there since.",
				"the key %s holds more than this stick put into it", v[i].place);
	return ret < 0 ? ret : hive_commit(h, e);
}

static int restore_hive(
	struct job *j, const struct undo_record *r, enum plan_store store, struct err *e)
{
	struct job_hive s;
	int ret = job_hive_open(&s, j->chosen, store, true, e);
	if (ret < 0)
		return ret;
	ret = restore_items(s.hive, r, store, e);
	int closed = job_hive_close(&s, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* Zeros wherever something else is: a file that a cut left half removed has them already, and must
 * not be written. */
static int blank(struct bytedev *d, uint64_t size, struct err *e)
{
	static const uint8_t zeros[4096];
	uint8_t b[sizeof zeros];
	bool wrote = false;
	int ret = 0;
	for (uint64_t at = 0; ret == 0 && at < size; at += sizeof b) {
		size_t n = size - at < sizeof b ? (size_t)(size - at) : sizeof b;
		ret = bytedev_read(d, at, b, n, e);
		if (ret < 0 || memcmp(b, zeros, n) == 0)
			continue;
		ret = bytedev_write(d, at, zeros, n, e);
		wrote = true;
	}
	sodium_memzero(b, sizeof b);
	return ret == 0 && wrote ? bytedev_sync(d, e) : ret;
}

/* The hive is clean, so it is whole without its log. A commit that was cut leaves values in a log:
 * it is blanked before its clusters are free. */
static int remove_log(struct volume *v, const struct undo_item *it, struct err *e)
{
	struct volume_stat st;
	struct bytedev *d = NULL;
	uint64_t size = 0;
	int ret = volume_stat(v, it->place, &st, e);
	if (ret == 0 && st.exists)
		ret = volume_open_file(v, it->place, true, &d, e);
	if (ret == 0 && d)
		ret = bytedev_size(d, &size, e);
	if (ret == 0 && d)
		ret = blank(d, size, e);
	bytedev_close(d);
	if (ret == 0)
		ret = volume_tidy(v, it->place, e);
	return ret == 0 && st.exists ? volume_remove(v, it->place, e) : ret;
}

static bool has_logs(const struct undo_record *r, enum plan_store store)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->items[i].store == store && plan_is_log(r->items[i].kind, store))
			return true;
	return false;
}

static int remove_logs(
	struct job *j, const struct undo_record *r, enum plan_store store, struct err *e)
{
	struct volume *v;
	int ret = volume_open(&v, j->chosen->src, true, e);
	if (ret < 0)
		return ret;
	for (size_t i = r->count; ret == 0 && i-- > 0;) {
		const struct undo_item *it = &r->items[i];
		if (it->store == store && plan_is_log(it->kind, store) && !it->existed)
			ret = remove_log(v, it, e);
	}
	int closed = volume_close(v, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* --- files
 * --------------------------------------------------------------------------------------- */

/* Folders that were made for the file go with it, unless something else moved in. */
static int prune_folders(struct volume *v, const struct undo_item *it, struct err *e)
{
	char part[UNDO_PLACE_MAX];
	struct volume_stat st;
	uint32_t n = it->depth;
	while (undo_first_parts(it->place, '/', n + 1, part) && strcmp(part, it->place) != 0)
		n++;
	int ret = 0;
	for (; ret == 0 && n > it->depth; n--) {
		struct volume_list l;
		if (!undo_first_parts(it->place, '/', n, part))
			break;
		ret = volume_stat(v, part, &st, e);
		if (ret < 0 || !st.exists)
			continue;
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

/* there: the old content is. What an earlier undo did not get to goes in any case: folders that
 * were made for ours. */
static int restore_file(struct volume *v, const struct undo_item *it, bool there, struct err *e)
{
	struct volume_stat st;
	if (it->existed)
		return there ? 0 : volume_replace(v, it->place, it->before.p, it->before.len, e);
	int ret = volume_stat(v, it->place, &st, e);
	if (ret == 0 && st.exists)
		ret = volume_remove(v, it->place, e);
	return ret < 0 ? ret : prune_folders(v, it, e);
}

static int restore_files(struct job *j, const struct undo_record *r, const int *each, struct err *e)
{
	struct volume *v;
	int ret = volume_open(&v, j->chosen->src, true, e);
	if (ret < 0)
		return ret;
	/* All names that were left first: one of them keeps a folder from going. */
	for (size_t i = 0; ret == 0 && i < r->count; i++)
		if (r->items[i].store == PLAN_FILES)
			ret = volume_tidy(v, r->items[i].place, e);
	for (size_t i = r->count; ret == 0 && i-- > 0;) {
		const struct undo_item *it = &r->items[i];
		if (it->store == PLAN_FILES)
			ret = restore_file(v, it, each[i] & UNDO_HOLDS_BEFORE, e);
	}
	if (ret == 0)
		ret = volume_sync(v, e);
	int closed = volume_close(v, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* The values are as they were. Logs that were made do not count: see hive_is_dirty(). */
static bool store_is_restored(const struct undo_record *r, enum plan_store store, const int *each)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->items[i].store == store && !plan_is_log(r->items[i].kind, store) &&
			!(each[i] & UNDO_HOLDS_BEFORE))
			return false;
	return true;
}

/* 1: the hive is whole only with its logs, which must not go before it is written back. */
static int hive_is_dirty(struct job *j, enum plan_store store, struct err *e)
{
	struct job_hive s;
	struct hive_info info = {0};
	int ret = job_hive_open(&s, j->chosen, store, false, e);
	if (ret == 0)
		hive_get_info(s.hive, &info);
	job_hive_close(&s, NULL);
	return ret < 0 ? ret : info.dirty;
}

static int restore_store(struct job *j, const struct undo_record *r, enum plan_store store,
	const int *each, struct err *e)
{
	int ret = !store_is_restored(r, store, each) ? 1
		  : has_logs(r, store)		     ? hive_is_dirty(j, store, e)
						     : 0;
	if (ret == 1)
		ret = restore_hive(j, r, store, e);
	return ret < 0 || !has_logs(r, store) ? ret : remove_logs(j, r, store, e);
}

static int restore_all(struct job *j, const struct undo_record *r, const int *each, struct err *e)
{
	int ret = 0;
	for (int i = PLAN_STORES; ret == 0 && i-- > 0;) {
		enum plan_store store = plan_order(r->method, i);
		if (!undo_uses(r, store))
			continue;
		ret = store == PLAN_FILES ? restore_files(j, r, each, e)
					  : restore_store(j, r, store, each, e);
	}
	return ret;
}

/* --- save
 * ------------------------------------------------------------------------------------------ */

static int take_plan(const struct plan *p, struct undo_record *r, struct err *e)
{
	r->items = calloc(p->count, sizeof *r->items);
	if (!r->items)
		return err_nomem(e);
	for (r->count = 0; r->count < p->count; r->count++) {
		const struct plan_item *from = &p->items[r->count];
		struct undo_item *it = &r->items[r->count];
		it->kind = from->kind;
		it->store = from->store;
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

static struct undo_item *find(struct undo_record *r, const struct undo_item *like)
{
	for (size_t i = 0; i < r->count; i++) {
		struct undo_item *it = &r->items[i];
		if (it->kind == like->kind && it->store == like->store &&
			strcmp(it->place, like->place) == 0 && strcmp(it->name, like->name) == 0)
			return it;
	}
	return NULL;
}

/* A log that an earlier run made is in no later plan. */
static int take_log(struct undo_record *r, struct undo_item *was, struct err *e)
{
	struct undo_item *items = realloc(r->items, (r->count + 1) * sizeof *items);
	if (!items)
		return err_nomem(e);
	r->items = items;
	items[r->count++] = *was;
	*was = (struct undo_item){.store = was->store};
	return 0;
}

/* What an earlier run of this entry wrote already was not there before it: its record knows. */
static int take_earlier(
	struct undo_record *r, struct undo_record *old, const int *each, struct err *e)
{
	for (size_t i = 0; i < old->count; i++) {
		struct undo_item *was = &old->items[i], *it = find(r, was);
		bool log = plan_is_log(was->kind, was->store) && !was->existed;
		if (!it && log && each[i] & UNDO_HOLDS_AFTER && take_log(r, was, e) < 0)
			return -ERR_NOMEM;
		if (!it)
			continue;
		if (was->depth < it->depth)
			it->depth = was->depth;
		if (!(each[i] & UNDO_HOLDS_AFTER))
			continue;
		it->existed = was->existed;
		it->type = was->type;
		secret_move(&it->before, &was->before);
	}
	return 0;
}

static int merge_earlier(struct job *j, struct undo_record *r, struct err *e)
{
	struct undo_record old = {0};
	int ret = undo_record_load(j, &old, NULL);
	if (ret < 0) /* none, or of no use */
		return ret == -ERR_NOMEM ? err_nomem(e) : 0;
	CLEANUP(freep) int *each = calloc(old.count, sizeof *each);
	if (!each)
		ret = err_nomem(e);
	else if (disk_id_same(&old.disk, &r->disk) && undo_compare(j, &old, each, NULL) >= 0)
		ret = take_earlier(r, &old, each, e);
	undo_record_clear(&old);
	return ret;
}

int undo_save(struct job *j, struct err *e)
{
	struct undo_record r = {.method = j->plan.method, .intent = j->intent};
	memcpy(r.plan, j->plan.hash, sizeof r.plan);
	disk_id_read(NULL, j->chosen->src, &j->chosen->state, &r.disk);
	int ret = undo_record_key(j, &r, e);
	if (ret == 0)
		ret = take_plan(&j->plan, &r, e);
	if (ret == 0)
		ret = undo_capture(j, &r, e);
	if (ret == 0)
		ret = merge_earlier(j, &r, e);
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
	return named && (j->undo.method != PLAN_REGISTRY || f->join != WINDOWS_JOIN_PENDING);
}

static bool is_on_that_disk(const struct job *j, const struct job_candidate *w)
{
	struct disk_id now;
	disk_id_read(NULL, w->src, &w->state, &now);
	return disk_id_same(&now, &j->undo.disk);
}

static int other_disk(const struct job *j, struct err *e)
{
	return err_set(e, ERR_REFUSED,
		"The disk is untouched. Run undo on the disk that was changed, in the PC it "
		"belongs to.",
		"this is not the disk on which the join of %s was written", j->pc.name);
}

static int choose_changed(struct job *j, struct err *e)
{
	int ret = undo_record_load(j, &j->undo, e);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < j->windows_count; i++)
		if (j->windows[i].shown.usable && is_on_that_disk(j, &j->windows[i]))
			return job_choose(j, i, e);
	return other_disk(j, e);
}

int job_undo_choose(struct job *j, struct err *e)
{
	if (!j->undoing || !j->selected)
		return err_set(e, ERR_USAGE, "Nothing was changed. Scan the PC first.",
			"the PC is not chosen yet");
	undo_record_clear(&j->undo);
	int ret = choose_changed(j, e);
	return ret < 0 ? report_refusal(j, "undo", ret) : 0;
}

/* A file that was not complete lies beside its place: it may hold the secret. */
static bool has_leftovers(struct job *j)
{
	struct volume *v = NULL;
	bool found = false;
	if (volume_open(&v, j->chosen->src, false, NULL) < 0)
		return false;
	for (size_t i = 0; !found && i < j->undo.count; i++) {
		char path[UNDO_PLACE_MAX];
		struct volume_stat st;
		snprintf(path, sizeof path, "%.400s%s", j->undo.items[i].place, VOLUME_NEW_SUFFIX);
		found = j->undo.items[i].store == PLAN_FILES &&
			volume_stat(v, path, &st, NULL) == 0 && st.exists;
	}
	volume_close(v, NULL);
	return found;
}

/* Of an undo or an apply that was cut off the old state may be there already, and leftovers. Of an
 * apply that failed a part may be there: its entry is not used up. */
static int judge(struct job *j, int holds, struct err *e)
{
	if (holds & UNDO_HOLDS_AFTER)
		return 0;
	if (holds & UNDO_HOLDS_EITHER && !j->pc.spent &&
		(!(holds & UNDO_HOLDS_BEFORE) || has_leftovers(j)))
		return 0;
	if (holds & UNDO_HOLDS_EITHER && (j->undo.restoring || finish_has_intent(j)))
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
		return err_set(e, ERR_USAGE,
			"Nothing was changed. Scan the PC, then choose its Windows.",
			"the PC and its Windows are not chosen yet");
	undo_record_clear(&j->undo);
	int ret = undo_record_load(j, &j->undo, e);
	if (ret == 0)
		ret = volume_refuse(&j->chosen->state, j->chosen->shown.where, e);
	if (ret == 0 && !is_on_that_disk(j, j->chosen))
		ret = other_disk(j, e);
	if (ret == 0)
		ret = undo_compare(j, &j->undo, NULL, e);
	if (ret >= 0)
		ret = judge(j, ret, e);
	j->undo_ready = ret == 0;
	return ret < 0 ? report_refusal(j, "undo", ret) : 0;
}

size_t job_undo_count(const struct job *j)
{
	return j->undo_ready ? j->undo.count : 0;
}

/* Mark, write, read back. */
static int restore(struct job *j, struct err *e)
{
	CLEANUP(freep) int *each = calloc(j->undo.count, sizeof *each);
	if (!each)
		return err_nomem(e);
	int holds = undo_compare(j, &j->undo, each, e);
	if (holds < 0)
		return holds;
	j->undo.restoring = true;
	int ret = undo_record_save(j, &j->undo, e);
	if (ret < 0) {
		stick_explain_gone(stick_dir(j->stick), "Nothing was put back yet.", e);
		return ret;
	}
	ret = restore_all(j, &j->undo, each, e); /* also when all is back: see restore_file() */
	if (ret < 0)
		return ret;
	holds = undo_compare(j, &j->undo, NULL, e);
	if (holds >= 0 && !(holds & UNDO_HOLDS_BEFORE))
		return err_set(e, ERR_FAILED, "Do not start this PC. Run undo again on it.",
			"read back: %s is not what it was", j->pc.name);
	return holds < 0 ? holds : 0;
}

int job_undo(struct job *j, struct err *e)
{
	if (!j->undo_ready || !stick_journal(j->stick))
		return err_set(e, ERR_USAGE, "Nothing was changed. Start undo again.",
			"nothing is ready to be undone");
	int ret = restore(j, e);
	if (ret < 0) {
		report_undo(j, j->undo.intent, ret, NULL);
		return ret;
	}
	ret = report_undo(j, j->undo.intent, 0, e);
	if (ret == 0)
		ret = undo_record_remove(j, e);
	if (ret < 0)
		stick_explain_gone(stick_dir(j->stick),
			"This Windows is as it was before, but the record is not "
			"complete: run undo again.",
			e);
	return ret;
}
