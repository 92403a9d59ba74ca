#include "job/undo_state.h"

#include <sodium.h>
#include <string.h>

#include "job/internal.h"

bool undo_first_parts(const char *place, char sep, uint32_t n, char out[UNDO_PLACE_MAX])
{
	const char *p = *place == sep ? place + 1 : place;
	for (uint32_t i = 0; i < n; i++) {
		const char *end = strchr(p, sep);
		if (!end && i + 1 < n)
			return false;
		p = !end ? p + strlen(p) : i + 1 < n ? end + 1 : end;
	}
	if ((size_t)(p - place) >= UNDO_PLACE_MAX)
		return false;
	memcpy(out, place, (size_t)(p - place));
	out[p - place] = '\0';
	return true;
}

uint32_t undo_key_depth(const struct hive *h, const char *place)
{
	char part[UNDO_PLACE_MAX];
	hive_key key;
	uint32_t n = 0;
	while (undo_first_parts(place, '\\', n + 1, part) &&
		hive_find_key(h, hive_root(h), part, &key, NULL) == 0)
		n++;
	return n;
}

/* --- one item of a hive
 * -------------------------------------------------------------------------- */

/* 1: that log is there, 0: it is not. */
static int log_exists(const struct job_hive *s, const struct undo_item *it, struct err *e)
{
	struct volume_stat st;
	int ret = volume_stat(s->volume, it->place, &st, e);
	return ret < 0 ? ret : st.exists;
}

static int compare_presence(const struct undo_item *it, int there)
{
	return there < 0 ? there
			 : (there ? UNDO_HOLDS_AFTER : 0) |
				   ((there == 1) == it->existed ? UNDO_HOLDS_BEFORE : 0);
}

/* 1 and its data when the value is there, 0 when not. */
static int read_value(const struct hive *h, const struct undo_item *it, uint32_t *type,
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

static int capture_value(const struct job_hive *s, struct undo_item *it, struct err *e)
{
	const struct hive *h = s->hive;
	hive_key key;
	if (plan_is_log(it->kind, it->store)) {
		int log = log_exists(s, it, e);
		it->existed = log == 1;
		return log < 0 ? log : 0;
	}
	it->depth = undo_key_depth(h, it->place);
	if (it->kind == PLAN_KEY) {
		it->existed = hive_find_key(h, hive_root(h), it->place, &key, NULL) == 0;
		return 0;
	}
	int there = read_value(h, it, &it->type, &it->before, e);
	it->existed = there == 1;
	return there < 0 ? there : 0;
}

/* Data that is there, against both states. */
static int compare_data(const struct undo_record *r, const struct undo_item *it, uint32_t type,
	const struct secret *now)
{
	uint8_t hash[UNDO_HASH];
	int holds = UNDO_HOLDS_NOTHING;
	undo_hash(r, type, now->p, now->len, hash);
	if (sodium_memcmp(hash, it->after, sizeof hash) == 0)
		holds |= UNDO_HOLDS_AFTER;
	if (it->existed && type == it->type && now->len == it->before.len &&
		(now->len == 0 || sodium_memcmp(now->p, it->before.p, now->len) == 0))
		holds |= UNDO_HOLDS_BEFORE;
	return holds;
}

static int compare_value(const struct job_hive *s, const struct undo_record *r,
	const struct undo_item *it, struct err *e)
{
	const struct hive *h = s->hive;
	struct secret now = SECRET_INIT;
	uint32_t type = 0;
	hive_key key;
	if (plan_is_log(it->kind, it->store))
		return compare_presence(it, log_exists(s, it, e));
	if (it->kind == PLAN_KEY)
		return compare_presence(
			it, hive_find_key(h, hive_root(h), it->place, &key, NULL) == 0);
	int there = read_value(h, it, &type, &now, e);
	int holds = there < 0	  ? there
		    : there	  ? compare_data(r, it, type, &now)
		    : it->existed ? UNDO_HOLDS_NOTHING
				  : UNDO_HOLDS_BEFORE;
	secret_clear(&now);
	return holds;
}

/* --- one file
 * ------------------------------------------------------------------------------------ */

/* 1 and its bytes when the file is there, 0 when not. */
static int read_file(
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
	buf_wipe(&b);
	return ret < 0 ? ret : 1;
}

static int capture_file(struct volume *v, struct undo_item *it, struct err *e)
{
	struct volume_stat st = {.exists = true};
	char part[UNDO_PLACE_MAX];
	int ret = 0;
	for (it->depth = 0;
		ret == 0 && st.exists && undo_first_parts(it->place, '/', it->depth + 1, part);) {
		ret = volume_stat(v, part, &st, e);
		it->depth += ret == 0 && st.exists;
		if (strcmp(part, it->place) == 0)
			break;
	}
	int there = ret < 0 ? ret : read_file(v, it, &it->before, e);
	it->existed = there == 1;
	return there < 0 ? there : 0;
}

static int compare_file(
	struct volume *v, const struct undo_record *r, const struct undo_item *it, struct err *e)
{
	struct secret now = SECRET_INIT;
	int there = read_file(v, it, &now, e);
	int holds = there < 0	  ? there
		    : there	  ? compare_data(r, it, 0, &now)
		    : it->existed ? UNDO_HOLDS_NOTHING
				  : UNDO_HOLDS_BEFORE;
	secret_clear(&now);
	return holds;
}

/* --- a whole disk
 * -------------------------------------------------------------------------------- */

/* Where the items of one store are, open for reading. */
struct place {
	enum plan_store store;
	struct volume *volume;
	struct job_hive hive;
};

static int place_open(struct job *j, struct place *p, int store, struct err *e)
{
	*p = (struct place){.store = (enum plan_store)store};
	if (store == PLAN_FILES)
		return volume_open(&p->volume, j->chosen->src, false, e);
	return job_hive_open(&p->hive, j->chosen, store, false, e);
}

static void place_close(struct place *p)
{
	if (p->store == PLAN_FILES)
		volume_close(p->volume, NULL);
	else
		job_hive_close(&p->hive, NULL);
}

bool undo_uses(const struct undo_record *r, int store)
{
	for (size_t i = 0; i < r->count; i++)
		if ((int)r->items[i].store == store)
			return true;
	return false;
}

int undo_capture(struct job *j, struct undo_record *r, struct err *e)
{
	int ret = 0;
	for (int s = 0; ret == 0 && s < PLAN_STORES; s++) {
		struct place p;
		if (!undo_uses(r, s))
			continue;
		ret = place_open(j, &p, s, e);
		for (size_t i = 0; ret == 0 && i < r->count; i++) {
			struct undo_item *it = &r->items[i];
			if ((int)it->store != s)
				continue;
			ret = s == PLAN_FILES ? capture_file(p.volume, it, e)
					      : capture_value(&p.hive, it, e);
		}
		place_close(&p);
	}
	return ret;
}

int undo_compare(struct job *j, const struct undo_record *r, int *each, struct err *e)
{
	int ret = 0, all = UNDO_HOLDS_AFTER | UNDO_HOLDS_BEFORE | UNDO_HOLDS_EITHER;
	for (int s = 0; ret == 0 && s < PLAN_STORES; s++) {
		struct place p;
		if (!undo_uses(r, s))
			continue;
		ret = place_open(j, &p, s, e);
		for (size_t i = 0; ret == 0 && i < r->count; i++) {
			const struct undo_item *it = &r->items[i];
			if ((int)it->store != s)
				continue;
			int one = s == PLAN_FILES ? compare_file(p.volume, r, it, e)
						  : compare_value(&p.hive, r, it, e);
			ret = one < 0 ? one : 0;
			if (each)
				each[i] = one;
			all &= one > 0 ? one | UNDO_HOLDS_EITHER : UNDO_HOLDS_NOTHING;
		}
		place_close(&p);
	}
	return ret < 0 ? ret : all;
}
