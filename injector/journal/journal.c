/* journal/journal.h: making a journal, and one session of writing. */
#include "journal/journal.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytedev.h"
#include "base/file.h"
#include "base/host.h"
#include "journal/chain.h"
#include "journal/keys.h"
#include "journal/newest.h"
#include "journal/pending.h"

#define ROOM_CHUNK                                                                                 \
	(UINT32_C(128) * RECORD_BLOCK)	   /* reserved at once: a PC takes about 20 records */
#define ROOM_LEFT (6 * (size_t)RECORD_MAX) /* what result, spent, undo and session-end may need */

#define FULL_NEXT                                                                                  \
	"No PC was touched. Free some space on the stick, or switch its write protection off, "    \
	"and "                                                                                     \
	"start again."
#define WRITE_NEXT                                                                                 \
	"The record may be missing. Do not start another PC with this stick; check the stick, "    \
	"then "                                                                                    \
	"run `odjstick journal verify`."

#define END_NEXT                                                                                   \
	"What was recorded about PCs stands. The next start of the stick closes the session."

struct journal {
	char *dir;
	char *folder;
	struct file_lock *lock;
	struct bytedev *dev;
	uint64_t size; /* of the session's file */
	uint64_t off;  /* where the next record goes */
	struct session_key key;
	struct keys keys;
	struct record_head head; /* of the next record; prev is the journal's head */
	uint64_t session;
	uint64_t written; /* records in this session */
	int64_t newest;	  /* latest time in the records of earlier sessions */
	bool failed;	  /* a write failed: what the file holds is unknown */
	char stick[JOURNAL_ID_TEXT];
};

/* The lower layers know what failed, not what it means here. */
static void explain(struct err *e, const char *next)
{
	if (e && !e->next[0])
		snprintf(e->next, sizeof e->next, "%s", next);
}

/* A stick that is full or write-protected is the same story wherever it was noticed. */
static int explain_open(int ret, struct err *e)
{
	if (ret == -ERR_NOSPACE || ret == -ERR_READONLY || ret == -ERR_IO)
		explain(e, FULL_NEXT);
	return ret;
}

/* --- a new stick ----------------------------------------------------------------------------- */

static int make_folders(const char *dir, struct err *e)
{
	static const char *const names[] = {"journal", "state"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(freep) char *path = path_join(dir, names[i]);
		if (!path)
			return err_nomem(e);
		int ret = file_mkdir(path, e);
		if (ret < 0)
			return ret;
	}
	return file_sync_dir(dir, e);
}

static int encode_genesis(struct buf *out, const struct journal_init *p, struct session_key *first,
	const struct record_head *h, struct err *e)
{
	struct record_signer signer = {p->sign, p->sign_ctx};
	if (!p->sign)
		signer = (struct record_signer){session_key_sign, first};
	const struct journal_value values[] = {
		JV_TEXT(JF_PROGRAM, p->program),
		JV_HASH(JF_NEXT, first->pub),
		JV_TEXT(JF_BUNDLE, p->bundle),
		JV_HASH(JF_BUNDLE_HASH, p->bundle_hash),
		JV_HASH(JF_LAB, p->lab_pub),
		JV_TEXT(JF_LAB_FINGERPRINT, p->lab_fingerprint),
		JV_TEXT(JF_SIGNED_BY, p->sign ? "lab" : "self"),
	};
	return record_encode(out, h, JE_GENESIS, values, ARRAY_SIZE(values), &signer, e);
}

static int write_genesis(const char *dir, const char *path, const struct journal_init *p,
	struct journal_origin *out, struct err *e)
{
	struct session_key first = {.sk = SECRET_INIT};
	struct buf record = BUF_INIT;
	struct record_head h = {.utc = clock_now()};
	uint8_t hash[JOURNAL_HASH_SIZE];
	randombytes_buf(h.stick, sizeof h.stick);
	int ret = host_boot_id(h.boot, e);
	if (ret == 0)
		ret = session_key_new(&first, e);
	if (ret == 0)
		ret = encode_genesis(&record, p, &first, &h, e);
	/* The key first: a first record without it could never be continued. */
	if (ret == 0)
		ret = keys_create(dir, h.stick, &first, e);
	if (ret == 0)
		ret = file_put(path, record.p, record.len, 0644, e);
	if (ret == 0) {
		record_hash(record.p, record.len, hash);
		memcpy(out->stick, h.stick, sizeof out->stick);
		sodium_bin2hex(out->stick_text, sizeof out->stick_text, h.stick, sizeof h.stick);
		journal_code(hash, out->start_code);
	}
	session_key_clear(&first);
	buf_clear(&record);
	return ret;
}

/* A first record that was cut off while it was written is none. */
static bool has_records(const char *folder)
{
	struct store_session s;
	struct record_view v;
	uint64_t last;
	if (store_last(folder, &last, NULL) < 0)
		return false;
	bool any = last > 0 || store_load(&s, folder, 0, NULL) < 0;
	if (!any) {
		any = store_next(&s, &v);
		store_unload(&s);
	}
	return any;
}

int journal_init(
	const char *dir, const struct journal_init *p, struct journal_origin *out, struct err *e)
{
	int ret = make_folders(dir, e);
	if (ret < 0)
		return ret;
	CLEANUP(freep) char *folder = path_join(dir, "journal");
	CLEANUP(freep) char *path = folder ? store_path(folder, 0, e) : NULL;
	if (!path)
		return err_nomem(e);
	if (has_records(folder))
		return err_set(e, ERR_EXISTS, "It is untouched. Choose an empty folder.",
			"%s already has a journal", dir);
	return write_genesis(dir, path, p, out, e);
}

/* --- starting a session ---------------------------------------------------------------------- */

static void fill_reserved(uint8_t *p, size_t n)
{
	memset(p, ' ', n);
	for (size_t at = RECORD_BLOCK; at <= n; at += RECORD_BLOCK)
		memcpy(p + at - 2, "\r\n", 2);
}

/* The newest session that was closed: everything before it was checked when it started. */
static int find_closed(const char *folder, uint64_t last, uint64_t *base, struct err *e)
{
	for (uint64_t n = last;; n--) {
		struct store_session s;
		struct record_view v;
		bool closed = false;
		int ret = store_load(&s, folder, n, e);
		while (ret == 0 && store_next(&s, &v))
			closed = v.pub.id == JE_SESSION_END || v.pub.id == JE_GENESIS;
		store_unload(&s);
		if (ret < 0)
			return err_ctx(e, "the journal cannot be continued");
		*base = n;
		if (closed || n == 0)
			return 0;
	}
}

/* Cut an earlier session's file after its last good record: its tail is recorded by now. */
static int trim_session(const char *folder, uint64_t number, struct err *e)
{
	struct store_session s;
	struct record_view v;
	struct bytedev *dev = NULL;
	int ret = store_load(&s, folder, number, e);
	while (ret == 0 && store_next(&s, &v))
		;
	CLEANUP(freep) char *path = store_path(folder, number, e);
	if (ret == 0 && !path)
		ret = -ERR_NOMEM;
	if (ret == 0 && s.off < s.data.len) {
		ret = bytedev_open_file(&dev, path, 1, 0, e);
		if (ret == 0)
			ret = bytedev_resize(dev, s.off, e);
		if (ret == 0)
			ret = bytedev_sync(dev, e);
	}
	if (dev)
		bytedev_close(dev);
	store_unload(&s);
	return ret;
}

static int create_session_file(struct journal *j, struct err *e)
{
	struct buf room = BUF_INIT;
	uint8_t *at;
	CLEANUP(freep) char *path = store_path(j->folder, j->session, e);
	int ret = path ? buf_grow(&room, ROOM_CHUNK, &at, e) : -ERR_NOMEM;
	if (ret == 0) {
		fill_reserved(at, ROOM_CHUNK);
		ret = file_put(path, room.p, room.len, 0644, e);
	}
	buf_clear(&room);
	if (ret == 0)
		ret = bytedev_open_file(&j->dev, path, 1, 0, e);
	j->size = ROOM_CHUNK;
	return ret;
}

/* More reserved room, synced before anything goes into it. */
static int extend(struct journal *j, struct err *e)
{
	struct buf room = BUF_INIT;
	uint8_t *at;
	if (j->size + ROOM_CHUNK > STORE_SESSION_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "Start the program again: a new session begins.",
			"this session's journal file is full");
	int ret = buf_grow(&room, ROOM_CHUNK, &at, e);
	if (ret == 0) {
		fill_reserved(at, ROOM_CHUNK);
		ret = bytedev_write(j->dev, j->size, room.p, room.len, e);
	}
	if (ret == 0)
		ret = bytedev_sync(j->dev, e);
	if (ret == 0)
		j->size += ROOM_CHUNK;
	buf_clear(&room);
	return ret;
}

/* Write, sync, forget what is cached, read back, compare. */
static int write_record(struct journal *j, const struct buf *record, struct err *e)
{
	struct buf back = BUF_INIT;
	uint8_t *at;
	int ret = bytedev_write(j->dev, j->off, record->p, record->len, e);
	if (ret == 0)
		ret = bytedev_sync(j->dev, e);
	if (ret == 0)
		ret = buf_grow(&back, record->len, &at, e);
	if (ret == 0) {
		bytedev_drop_cache(j->dev);
		ret = bytedev_read(j->dev, j->off, at, record->len, e);
	}
	if (ret == 0 && memcmp(at, record->p, record->len) != 0)
		ret = err_set(e, ERR_IO, WRITE_NEXT,
			"%s: the stick gave back other bytes than it got", j->dev->name);
	buf_clear(&back);
	return ret;
}

static int append(struct journal *j, enum journal_event ev, const struct journal_value *values,
	size_t n, struct err *e)
{
	struct record_signer signer = {session_key_sign, &j->key};
	struct buf record = BUF_INIT;
	if (j->failed)
		return err_set(e, ERR_FAILED, WRITE_NEXT,
			"an earlier journal record could not be written; no more are accepted");
	j->head.utc = clock_now();
	int ret = record_encode(&record, &j->head, ev, values, n, &signer, e);
	if (ret == 0 && j->off + record.len > j->size)
		ret = extend(j, e);
	if (ret == 0) {
		ret = write_record(j, &record, e);
		j->failed = ret < 0;
		if (ret < 0)
			explain(e, WRITE_NEXT);
	}
	if (ret == 0) {
		record_hash(record.p, record.len, j->head.prev);
		j->head.seq++;
		j->off += record.len;
		j->written++;
	}
	buf_clear(&record);
	return ret;
}

static int write_start(struct journal *j, const struct journal_program *p, const struct chain *c,
	const struct session_key *recover, struct err *e)
{
	uint64_t from;
	int ret = pending_from(j->folder, c->pending_from, j->session, &from, e);
	if (ret < 0)
		return ret;
	bool behind = clock_now() < c->utc;
	const struct journal_value values[] = {
		JV_TEXT(JF_PROGRAM, p && p->name ? p->name : "odjstick"),
		JV_HASH(JF_IMAGE, p ? p->image : NULL),
		JV_TEXT(JF_CLOCK, behind ? "behind" : "ok"),
		JV_HASH(JF_KEY, j->key.pub),
		JV_HASH(JF_RECOVER, recover->pub),
		JV_NUM(JF_PENDING_FROM, from),
	};
	return append(j, JE_SESSION_START, values, ARRAY_SIZE(values), e);
}

/* Close the sessions that were left open, then cut what they had reserved. */
static int recover_open(struct journal *j, const struct chain *c, struct err *e)
{
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < chain_open_count(c); i++) {
		struct chain_open o = chain_open_at(c, i);
		const struct journal_value values[] = {JV_NUM(JF_CLOSES, o.session),
			JV_NUM(JF_LAST, o.last), JV_NUM(JF_TORN, o.torn), JV_HASH(JF_TAIL, o.tail)};
		ret = append(j, JE_RECOVERED, values, ARRAY_SIZE(values), e);
		if (ret == 0)
			ret = trim_session(j->folder, o.session, e);
	}
	return ret;
}

static void place(struct journal *j, const struct chain *c)
{
	j->session = c->end == CHAIN_EMPTY ? c->session : c->session + 1;
	j->head.seq = c->seq;
	j->head.session = j->session;
	j->newest = j->session ? newest_time(j->folder, j->session - 1) : 0;
	memcpy(j->head.prev, c->head, sizeof j->head.prev);
	memcpy(j->head.stick, c->stick, sizeof j->head.stick);
	sodium_bin2hex(j->stick, sizeof j->stick, c->stick, sizeof c->stick);
}

/* The order is the point: see docs/format-journal.md section 9 for what each cut leaves. */
static int begin(
	struct journal *j, const struct journal_program *p, const struct chain *c, struct err *e)
{
	struct session_key recover = {.sk = SECRET_INIT};
	place(j, c);
	if (j->session > STORE_SESSIONS_MAX)
		return err_set(
			e, ERR_LIMIT, "Make a new stick.", "the journal has too many sessions");
	int ret = host_boot_id(j->head.boot, e);
	if (ret == 0)
		ret = keys_open(&j->keys, j->dir, true, c->announced, &j->key, e);
	if (ret == 0)
		ret = create_session_file(j, e);
	if (ret == 0)
		ret = session_key_new(&recover, e);
	if (ret == 0)
		ret = keys_put(&j->keys, &recover, e);
	if (ret == 0)
		ret = write_start(j, p, c, &recover, e);
	if (ret == 0)
		ret = keys_switch(&j->keys, e);
	if (ret == 0)
		ret = recover_open(j, c, e);
	if (ret == 0 && c->end == CHAIN_CLOSED && c->session > 0)
		ret = trim_session(j->folder, c->session, e);
	session_key_clear(&recover);
	return ret;
}

static int open_at(struct journal *j, const struct journal_program *p, struct err *e)
{
	struct chain c = {0};
	uint64_t last = 0, base = 0;
	CLEANUP(freep) char *lock = path_join(j->dir, "state/lock");
	if (!lock)
		return err_nomem(e);
	int ret = store_last(j->folder, &last, e);
	if (ret == 0)
		ret = file_lock(&j->lock, lock, e);
	if (ret == 0)
		ret = store_last(j->folder, &last, e);
	if (ret == 0)
		ret = find_closed(j->folder, last, &base, e);
	if (ret == 0)
		ret = chain_walk(&c, j->folder, base, last, NULL, NULL, e);
	if (ret == 0)
		ret = begin(j, p, &c, e);
	chain_clear(&c);
	return ret;
}

int journal_open(
	struct journal **out, const char *dir, const struct journal_program *p, struct err *e)
{
	struct journal *j = calloc(1, sizeof *j);
	if (!j)
		return err_nomem(e);
	int ret = 0;
	j->dir = strdup(dir);
	j->folder = path_join(dir, "journal");
	if (!j->dir || !j->folder)
		ret = err_nomem(e);
	if (ret == 0)
		ret = open_at(j, p, e);
	if (ret < 0) {
		journal_abandon(j);
		return explain_open(ret, e);
	}
	*out = j;
	return 0;
}

/* --- the session ----------------------------------------------------------------------------- */

/* Before a PC is changed there must be room to say how it ended. */
static bool needs_room(enum journal_event ev)
{
	return ev != JE_RESULT && ev != JE_SPENT && ev != JE_UNDO && ev != JE_SESSION_END;
}

int journal_event(struct journal *j, enum journal_event ev, const struct journal_value *values,
	size_t n, struct err *e)
{
	if (ev < JE_UNLOCK_FAILED)
		return err_set(e, ERR_USAGE, NULL, "%s is not written through journal_event()",
			journal_event_name(ev));
	if (needs_room(ev) && !j->failed && j->size - j->off < RECORD_MAX + ROOM_LEFT) {
		int ret = extend(j, e);
		if (ret < 0)
			return explain_open(ret, e);
	}
	return append(j, ev, values, n, e);
}

uint64_t journal_seq(const struct journal *j)
{
	return j->head.seq - 1;
}

uint64_t journal_session(const struct journal *j)
{
	return j->session;
}

int64_t journal_newest(const struct journal *j)
{
	return j->newest;
}

const char *journal_stick(const struct journal *j)
{
	return j->stick;
}

const uint8_t *journal_head_hash(const struct journal *j)
{
	return j->head.prev;
}

void journal_head(const struct journal *j, char code[JOURNAL_CODE_TEXT])
{
	journal_code(j->head.prev, code);
}

static int end(struct journal *j, struct err *e)
{
	struct session_key next = {.sk = SECRET_INIT};
	int ret = session_key_new(&next, e);
	if (ret == 0)
		ret = keys_put(&j->keys, &next, e);
	if (ret == 0) {
		const struct journal_value values[] = {
			JV_HASH(JF_NEXT, next.pub), JV_NUM(JF_RECORDS, j->written + 1)};
		ret = append(j, JE_SESSION_END, values, ARRAY_SIZE(values), e);
	}
	if (ret == 0)
		ret = keys_switch(&j->keys, e);
	if (ret == 0)
		ret = bytedev_resize(j->dev, j->off, e);
	if (ret == 0)
		ret = bytedev_sync(j->dev, e);
	session_key_clear(&next);
	return ret;
}

int journal_close(struct journal *j, struct err *e)
{
	if (!j)
		return 0;
	int ret = end(j, e);
	if (ret < 0)
		explain(e, END_NEXT);
	journal_abandon(j);
	return ret;
}

void journal_abandon(struct journal *j)
{
	if (!j)
		return;
	keys_close(&j->keys);
	session_key_clear(&j->key);
	if (j->dev)
		bytedev_close(j->dev);
	file_unlock(j->lock);
	free(j->folder);
	free(j->dir);
	free(j);
}
