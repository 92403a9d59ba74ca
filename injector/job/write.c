/*
 * Carry out a plan, and read back whether the disk holds it.
 *
 * Store by store, in plan_order(): each file in one rename, each hive
 * in one commit. A store that holds its part already (an earlier run was cut
 * off) is left alone, so running again finishes what is missing and no more.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "job/internal.h"
#include "volume/sd.h"

/* --- read back
 * ------------------------------------------------------------------------------------ */

static int mismatch(const struct plan_item *it, struct err *e)
{
	return err_set(e, ERR_FAILED, "Do not start this PC. Run the stick again on it.",
		"read back: %s%s%s is not what was written", it->place, it->name ? "\\" : "",
		it->name ? it->name : "");
}

/* 1: the disk holds what the plan says, 0: it does not. */
static int holds_value(struct hive *h, hive_key key, const struct plan_item *it, struct err *e)
{
	struct hive_value v;
	struct secret now = SECRET_INIT;
	if (hive_find_value(h, key, it->name, &v, NULL) < 0)
		return 0;
	if (v.type != it->type || v.size != it->data.len)
		return 0;
	int ret = secret_alloc(&now, v.size, e);
	if (ret == 0)
		ret = hive_read_value(h, &v, now.p, e);
	if (ret == 0)
		ret = v.size == 0 || sodium_memcmp(now.p, it->data.p, v.size) == 0;
	secret_clear(&now);
	return ret;
}

static int holds_item(const struct job_hive *s, const struct plan_item *it, struct err *e)
{
	hive_key key;
	struct volume_stat st;
	if (plan_is_log(it->kind, it->store)) {
		int ret = volume_stat(s->volume, it->place, &st, e);
		return ret < 0 ? ret : st.exists;
	}
	if (hive_find_key(s->hive, hive_root(s->hive), it->place, &key, NULL) < 0)
		return 0;
	return it->kind == PLAN_KEY ? 1 : holds_value(s->hive, key, it, e);
}

static int verify_hive(struct job *j, const struct plan *p, enum plan_store store, struct err *e)
{
	struct job_hive s;
	int ret = job_hive_open(&s, j->chosen, store, false, e);
	for (size_t i = 0; ret == 0 && i < p->count; i++) {
		const struct plan_item *it = &p->items[i];
		int same = it->store == store ? holds_item(&s, it, e) : 1;
		ret = same == 1 ? 0 : same < 0 ? same : mismatch(it, e);
	}
	job_hive_close(&s, NULL);
	return ret;
}

static int verify_locked(struct volume *v, const struct plan_item *it, struct err *e)
{
	struct buf is = BUF_INIT, want = BUF_INIT;
	if (!it->locked || volume_kind(v) == VOLUME_FOLDER)
		return 0;
	int ret = volume_security(v, it->place, &is, e);
	if (ret == 0)
		ret = sd_secret(&want, e);
	if (ret == 0 && (is.len != want.len || memcmp(is.p, want.p, is.len) != 0))
		ret = err_set(e, ERR_FAILED, "Do not start this PC. Run the stick again on it.",
			"read back: others may read %s", it->place);
	buf_clear(&is);
	buf_clear(&want);
	return ret;
}

static int verify_file(struct job *j, struct volume *v, const struct plan *p,
	const struct plan_item *it, struct err *e)
{
	struct unattend_join join = job_unattend(j);
	struct buf b = BUF_INIT;
	int ret = volume_read(v, it->place, UNATTEND_MAX, &b, e);
	if (ret == 0 && (b.len != it->data.len || sodium_memcmp(b.p, it->data.p, b.len) != 0))
		ret = mismatch(it, e);
	if (ret == 0 && p->method == PLAN_UNATTEND)
		ret = unattend_verify(b.p, b.len, &join, e);
	if (ret == 0)
		ret = verify_locked(v, it, e);
	buf_wipe(&b);
	return ret;
}

static int verify_files(struct job *j, const struct plan *p, struct err *e)
{
	struct volume *v = NULL;
	int ret = volume_open(&v, j->chosen->src, false, e);
	for (size_t i = 0; ret == 0 && i < p->count; i++)
		if (p->items[i].store == PLAN_FILES)
			ret = verify_file(j, v, p, &p->items[i], e);
	volume_close(v, NULL);
	return ret;
}

static int verify_store(struct job *j, const struct plan *p, enum plan_store store, struct err *e)
{
	return store == PLAN_FILES ? verify_files(j, p, e) : verify_hive(j, p, store, e);
}

static bool uses(const struct plan *p, enum plan_store store)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].store == store)
			return true;
	return false;
}

int plan_verify(struct job *j, const struct plan *p, struct err *e)
{
	int ret = 0;
	if (j->finishing)
		return finish_verify(j, e);
	for (int s = 0; ret == 0 && s < PLAN_STORES; s++)
		if (uses(p, (enum plan_store)s))
			ret = verify_store(j, p, (enum plan_store)s, e);
	return ret;
}

/* --- write
 * ---------------------------------------------------------------------------------------- */

static int write_item(struct hive *h, const struct plan_item *it, struct err *e)
{
	hive_key key;
	if (plan_is_log(it->kind, it->store))
		return 0; /* opening the hive has made it */
	int ret = hive_create_key(h, hive_root(h), it->place, NULL, &key, e);
	if (ret == 0 && it->kind == PLAN_VALUE)
		ret = hive_set_value(h, key, it->name, it->type, it->data.p, it->data.len, e);
	return ret;
}

static int write_hive(struct job *j, const struct plan *p, enum plan_store store, struct err *e)
{
	struct job_hive s;
	int ret = job_hive_open(&s, j->chosen, store, true, e);
	if (ret < 0)
		return ret;
	ret = hive_begin(s.hive, clock_filetime(clock_now()), e);
	for (size_t i = 0; ret == 0 && i < p->count; i++)
		if (p->items[i].store == store)
			ret = write_item(s.hive, &p->items[i], e);
	if (ret == 0)
		ret = hive_commit(s.hive, e);
	int closed = job_hive_close(&s, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* Make the folders above path, one by one. */
static int make_folders(struct volume *v, const char *path, struct err *e)
{
	char dir[256];
	int ret = 0;
	for (const char *slash = strchr(path + 1, '/'); ret == 0 && slash;
		slash = strchr(slash + 1, '/')) {
		snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
		ret = volume_mkdir(v, dir, e);
	}
	return ret;
}

static int write_file(struct volume *v, const struct plan_item *it, struct err *e)
{
	int ret =
		volume_tidy(v, it->place, e); /* folders half made by a run that was cut off, too */
	if (ret == 0)
		ret = make_folders(v, it->place, e);
	if (ret < 0)
		return ret;
	return it->locked ? volume_replace_secret(v, it->place, it->data.p, it->data.len, e)
			  : volume_replace(v, it->place, it->data.p, it->data.len, e);
}

static int write_files(struct job *j, const struct plan *p, struct err *e)
{
	struct volume *v;
	int ret = volume_open(&v, j->chosen->src, true, e);
	if (ret < 0)
		return ret;
	for (size_t i = 0; ret == 0 && i < p->count; i++)
		if (p->items[i].store == PLAN_FILES)
			ret = write_file(v, &p->items[i], e);
	int closed = volume_close(v, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* What a run that was cut off left beside its files. */
static int tidy(struct job *j, const struct plan *p, struct err *e)
{
	struct volume *v;
	if (!uses(p, PLAN_FILES))
		return 0;
	int ret = volume_open(&v, j->chosen->src, true, e);
	if (ret < 0)
		return ret;
	for (size_t i = 0; ret == 0 && i < p->count; i++)
		if (p->items[i].store == PLAN_FILES)
			ret = volume_tidy(v, p->items[i].place, e);
	int closed = volume_close(v, ret == 0 ? e : NULL);
	return ret < 0 ? ret : closed;
}

/* 1: the new content, or a part of it under the temporary name, is there. 0: it is not. */
static int find_secret(
	struct volume *v, const struct plan_item *it, char *place, size_t size, struct err *e)
{
	struct volume_stat st;
	struct buf b = BUF_INIT;
	int ret = volume_stat(v, it->place, &st, e);
	if (ret == 0 && st.exists && st.size == it->data.len) {
		ret = volume_read(v, it->place, UNATTEND_MAX, &b, e);
		if (ret == 0)
			ret = b.len == it->data.len && sodium_memcmp(b.p, it->data.p, b.len) == 0;
		buf_wipe(&b);
	}
	if (ret != 0)
		return ret;
	snprintf(place, size, "%s%s", it->place, VOLUME_NEW_SUFFIX);
	ret = volume_stat(v, place, &st, e);
	return ret < 0 ? ret : st.exists;
}

int plan_secret_file(struct job *j, const struct plan *p, char *place, size_t size)
{
	struct volume *v = NULL;
	struct err why = ERR_INIT;
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < p->count; i++) {
		const struct plan_item *it = &p->items[i];
		if (!it->secret || it->store != PLAN_FILES)
			continue;
		snprintf(place, size, "%s", it->place);
		if (!v)
			ret = volume_open(&v, j->chosen->src, false, &why);
		if (ret == 0)
			ret = find_secret(v, it, place, size, &why);
	}
	volume_close(v, NULL);
	return ret;
}

int plan_write(struct job *j, const struct plan *p, struct err *e)
{
	int ret = 0;
	if (j->finishing || plan_verify(j, p, NULL) == 0)
		return tidy(j, p, e);
	for (int i = 0; ret == 0 && i < PLAN_STORES; i++) {
		enum plan_store s = plan_order(p->method, i);
		if (!uses(p, s))
			continue;
		if (verify_store(j, p, s, NULL) == 0)
			ret = s == PLAN_FILES ? tidy(j, p, e) : 0;
		else
			ret = s == PLAN_FILES ? write_files(j, p, e) : write_hive(j, p, s, e);
	}
	return ret;
}
