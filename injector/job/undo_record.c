#include "job/undo_record.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/reader.h"
#include "bundle/bundle.h"
#include "bundle/crypto.h"
#include "job/internal.h"

#define MAGIC "ODJUNDO3"
#define MAGIC_LEN 8
#define SEAL_LABEL "odjstick undo seal"
#define HASH_LABEL "odjstick undo hash"
#define UNDO_FILE_MAX ((size_t)8 << 20)
#define UNDO_ITEMS_MAX 1024u
#define UNDO_TEXT_MAX 4096u
#define AD_SIZE (BUNDLE_ID_LEN + 4)

#define NEXT_DAMAGED                                                                               \
	"The disk is untouched. If the stick was pulled before it wrote to this PC, apply again. " \
	"Otherwise this join cannot be taken back with this stick."

/* Two places per entry: a record is never written over the newest one. */
static const char *const places[] = {"", "-2"};
#define PLACES ARRAY_SIZE(places)

void undo_record_clear(struct undo_record *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->items[i].place);
		free(r->items[i].name);
		secret_clear(&r->items[i].before);
	}
	free(r->items);
	secret_clear(&r->key);
	*r = (struct undo_record){0};
}

int undo_record_key(struct job *j, struct undo_record *r, struct err *e)
{
	return bundle_derive_key(stick_bundle(j->stick), HASH_LABEL, &r->key, e);
}

void undo_hash(
	const struct undo_record *r, uint32_t type, const void *p, size_t n, uint8_t out[UNDO_HASH])
{
	crypto_generichash_state st;
	uint8_t head[4];
	put_le32(head, type);
	crypto_generichash_init(&st, r->key.p, r->key.len, UNDO_HASH);
	crypto_generichash_update(&st, head, sizeof head);
	if (n)
		crypto_generichash_update(&st, p, n);
	crypto_generichash_final(&st, out, UNDO_HASH);
	sodium_memzero(&st, sizeof st);
}

static char *record_path(struct job *j, size_t place)
{
	char name[48];
	snprintf(name, sizeof name, "state/undo-%u%s.sealed", j->entry, places[place]);
	return path_join(stick_dir(j->stick), name);
}

static void bind(struct job *j, uint8_t ad[AD_SIZE])
{
	memcpy(ad, bundle_facts(stick_bundle(j->stick))->id, BUNDLE_ID_LEN);
	put_le32(ad + BUNDLE_ID_LEN, j->entry);
}

/* --- writing: once to count, once into place
 * ------------------------------------------------------ */

struct writer {
	uint8_t *p; /* NULL: only count */
	size_t n;
};

static void put(struct writer *w, const void *p, size_t n)
{
	if (w->p && n)
		memcpy(w->p + w->n, p, n);
	w->n += n;
}

static void put_num(struct writer *w, uint64_t v, size_t bytes)
{
	uint8_t b[8];
	put_le64(b, v);
	put(w, b, bytes);
}

static void put_bytes(struct writer *w, const void *p, size_t n)
{
	put_num(w, n, 4);
	put(w, p, n);
}

static void put_record(struct writer *w, const struct undo_record *r)
{
	put(w, MAGIC, MAGIC_LEN);
	put_num(w, r->saves, 4);
	put_num(w, r->method, 1);
	put_num(w, r->restoring, 1);
	put_num(w, r->intent, 8);
	put_num(w, r->disk.volume, 8);
	put_bytes(w, r->disk.device, strlen(r->disk.device));
	put(w, r->plan, sizeof r->plan);
	put_num(w, r->count, 4);
	for (size_t i = 0; i < r->count; i++) {
		const struct undo_item *it = &r->items[i];
		put_num(w, it->kind, 1);
		put_num(w, it->store, 1);
		put_num(w, it->existed, 1);
		put_num(w, it->depth, 4);
		put_num(w, it->type, 4);
		put_bytes(w, it->place, strlen(it->place));
		put_bytes(w, it->name, strlen(it->name));
		put(w, it->after, sizeof it->after);
		put_bytes(w, it->before.p, it->before.len);
	}
}

static int seal(struct job *j, const struct secret *plain, struct buf *sealed, struct err *e)
{
	struct secret key = SECRET_INIT;
	uint8_t ad[AD_SIZE], *at;
	bind(j, ad);
	int ret = bundle_derive_key(stick_bundle(j->stick), SEAL_LABEL, &key, e);
	if (ret == 0)
		ret = buf_grow(sealed, plain->len + CRYPTO_SEALED, &at, e);
	if (ret == 0)
		crypto_seal(at, key.p, plain->p, plain->len, ad, sizeof ad);
	secret_clear(&key);
	return ret;
}

/* --- reading
 * -------------------------------------------------------------------------------------- */

static char *take_text(struct reader *rd)
{
	uint32_t n = reader_le32(rd);
	const uint8_t *p = n <= UNDO_TEXT_MAX ? reader_take(rd, n) : NULL;
	rd->bad = rd->bad || !p || (n && memchr(p, '\0', n));
	return rd->bad ? NULL : strndup((const char *)p, n);
}

static void take_device(struct reader *rd, struct disk_id *id)
{
	uint32_t n = reader_le32(rd);
	const uint8_t *p = n <= DISK_ID_DEVICE_MAX ? reader_take(rd, n) : NULL;
	rd->bad = rd->bad || !p;
	if (p)
		memcpy(id->device, p, n);
}

static int take_item(struct reader *rd, struct undo_item *it, struct err *e)
{
	uint8_t kind = reader_u8(rd);
	uint8_t store = reader_u8(rd);
	rd->bad = rd->bad || kind > PLAN_FILE || store >= PLAN_STORES ||
		  (kind != PLAN_FILE && store == PLAN_FILES);
	it->kind = (enum plan_kind)kind;
	it->store = (enum plan_store)store;
	it->existed = reader_u8(rd) != 0;
	it->depth = reader_le32(rd);
	it->type = reader_le32(rd);
	it->place = take_text(rd);
	it->name = take_text(rd);
	const uint8_t *after = reader_take(rd, sizeof it->after);
	uint32_t n = reader_le32(rd);
	const uint8_t *before = reader_take(rd, n);
	if (!reader_ok(rd) || !after || !before)
		return -ERR_INTEGRITY;
	if (!it->place || !it->name)
		return err_nomem(e);
	memcpy(it->after, after, sizeof it->after);
	return secret_copy(&it->before, before, n, e);
}

static int take_record(const struct secret *plain, struct undo_record *r, struct err *e)
{
	struct reader rd;
	reader_init(&rd, plain->p, plain->len);
	const uint8_t *magic = reader_take(&rd, MAGIC_LEN);
	if (!magic || memcmp(magic, MAGIC, MAGIC_LEN) != 0)
		return -ERR_INTEGRITY;
	r->saves = reader_le32(&rd);
	uint8_t method = reader_u8(&rd);
	r->restoring = reader_u8(&rd) != 0;
	r->intent = reader_le64(&rd);
	r->disk.volume = reader_le64(&rd);
	take_device(&rd, &r->disk);
	const uint8_t *plan = reader_take(&rd, sizeof r->plan);
	uint32_t count = reader_le32(&rd);
	if (!reader_ok(&rd) || !plan || count == 0 || count > UNDO_ITEMS_MAX ||
		method == PLAN_AUTO || method > PLAN_FIRSTBOOT)
		return -ERR_INTEGRITY;
	r->method = (enum plan_method)method;
	memcpy(r->plan, plan, sizeof r->plan);
	r->items = calloc(count, sizeof *r->items);
	if (!r->items)
		return err_nomem(e);
	int ret = 0;
	for (r->count = 0; ret == 0 && r->count < count; r->count++)
		ret = take_item(&rd, &r->items[r->count], e);
	return ret == 0 && reader_left(&rd) ? -ERR_INTEGRITY : ret;
}

static int unseal(struct job *j, const struct buf *sealed, struct undo_record *r, struct err *e)
{
	struct secret key = SECRET_INIT, plain = SECRET_INIT;
	uint8_t ad[AD_SIZE];
	bind(j, ad);
	int ret = sealed->len > CRYPTO_SEALED ? 0 : -ERR_INTEGRITY;
	if (ret == 0)
		ret = bundle_derive_key(stick_bundle(j->stick), SEAL_LABEL, &key, e);
	if (ret == 0)
		ret = secret_alloc(&plain, sealed->len - CRYPTO_SEALED, e);
	if (ret == 0 && !crypto_unseal(plain.p, key.p, sealed->p, sealed->len, ad, sizeof ad))
		ret = -ERR_INTEGRITY;
	if (ret == 0)
		ret = take_record(&plain, r, e);
	secret_clear(&key);
	secret_clear(&plain);
	return ret;
}

/* --- saving and loading
 * -------------------------------------------------------------------------------------- */

static int load_place(struct job *j, size_t place, struct undo_record *r, struct err *e)
{
	CLEANUP(freep) char *path = record_path(j, place);
	struct buf sealed = BUF_INIT;
	if (!path)
		return err_nomem(e);
	if (!file_exists(path))
		return -ERR_NOTFOUND;
	int ret = file_read(path, UNDO_FILE_MAX, &sealed, e);
	if (ret == 0)
		ret = unseal(j, &sealed, r, e);
	buf_clear(&sealed);
	if (ret < 0)
		undo_record_clear(r);
	return ret;
}

/* The record that was saved last, of those that open; *place: where it lies. A power cut leaves one
 * that does not open while it is written: then the one before it counts, or there is none yet. */
static int load_newest(struct job *j, struct undo_record *r, size_t *place, struct err *e)
{
	int worst = -ERR_NOTFOUND;
	bool found = false;
	for (size_t i = 0; i < PLACES; i++) {
		struct undo_record one = {0};
		int ret = load_place(j, i, &one, e);
		if (ret == 0 && (!found || one.saves > r->saves)) {
			undo_record_clear(r);
			*r = one;
			*place = i;
			found = true;
			continue;
		}
		undo_record_clear(&one);
		if (ret < 0 && ret != -ERR_NOTFOUND && ret != -ERR_INTEGRITY)
			return undo_record_clear(r), ret;
		if (ret == -ERR_INTEGRITY)
			worst = ret;
	}
	return found ? 0 : worst;
}

static int write_sealed(struct job *j, size_t place, const struct undo_record *r, struct err *e)
{
	CLEANUP(freep) char *path = record_path(j, place);
	struct secret plain = SECRET_INIT;
	struct buf sealed = BUF_INIT;
	struct writer w = {NULL, 0};
	put_record(&w, r);
	int ret = path ? secret_alloc(&plain, w.n, e) : err_nomem(e);
	if (ret == 0) {
		w = (struct writer){plain.p, 0};
		put_record(&w, r);
		ret = seal(j, &plain, &sealed, e);
	}
	if (ret == 0)
		ret = file_put(path, sealed.p, sealed.len, 0600, e);
	secret_clear(&plain);
	buf_clear(&sealed);
	return ret;
}

int undo_record_save(struct job *j, struct undo_record *r, struct err *e)
{
	struct undo_record old = {0};
	size_t place = PLACES - 1;
	int ret = load_newest(j, &old, &place, e);
	r->saves = ret == 0 ? old.saves + 1 : 1;
	undo_record_clear(&old);
	if (ret < 0 && ret != -ERR_NOTFOUND && ret != -ERR_INTEGRITY)
		return ret;
	return write_sealed(j, (place + 1) % PLACES, r, e);
}

int undo_record_load(struct job *j, struct undo_record *r, struct err *e)
{
	size_t place;
	int ret = load_newest(j, r, &place, e);
	if (ret == 0)
		ret = undo_record_key(j, r, e);
	if (ret == -ERR_NOTFOUND)
		err_set(e, ERR_NOTFOUND,
			"The disk is untouched. Only the stick that changed a PC can undo it, and "
			"only once.",
			"this stick holds nothing to undo for %s", j->pc.name);
	if (ret == -ERR_INTEGRITY)
		err_set(e, ERR_INTEGRITY, NEXT_DAMAGED,
			"what undo needs for %s is damaged or belongs to another "
			"bundle",
			j->pc.name);
	if (ret < 0)
		undo_record_clear(r);
	return ret;
}

static int remove_place(struct job *j, size_t place, struct err *e)
{
	CLEANUP(freep) char *path = record_path(j, place);
	if (!path)
		return err_nomem(e);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(e, ERR_IO, "The PC is restored.", "cannot remove %s", path);
	return 0;
}

/* The newest last: while it is there the older one says nothing. */
int undo_record_remove(struct job *j, struct err *e)
{
	CLEANUP(freep) char *dir = path_join(stick_dir(j->stick), "state");
	struct undo_record newest = {0};
	size_t place = 0;
	if (!dir)
		return err_nomem(e);
	int ret = load_newest(j, &newest, &place, e);
	undo_record_clear(&newest);
	if (ret == -ERR_NOTFOUND || ret == -ERR_INTEGRITY)
		ret = 0;
	for (size_t i = 1; ret == 0 && i <= PLACES; i++) {
		ret = remove_place(j, (place + i) % PLACES, e);
		if (ret == 0)
			ret = file_sync_dir(dir, e);
	}
	return ret;
}
