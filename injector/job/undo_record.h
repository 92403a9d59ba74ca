/*
 * The undo record: what a PC held before, in STICK/state/undo-ENTRY.sealed and
 * undo-ENTRY-2.sealed: written in turn, the newest that opens counts, so a power
 * cut while one is written leaves the one before it (or none: then the PC has
 * not been written either).
 *
 * Sealed (XChaCha20-Poly1305) with a key that follows from the bundle's master
 * key and bound to the bundle and the entry, so a found stick shows nothing and
 * a copied file opens nowhere else. Of what was written it holds keyed hashes
 * only: enough to see that the disk still holds it, not to write it again.
 *
 * Inside, little-endian: "ODJUNDO3", u32 saves, u8 method, u8 restoring, u64 intent,
 * u64 volume serial, text device, 32 bytes plan hash, u32 count; per item
 * u8 kind, u8 store, u8 existed, u32 depth, u32 type, text place, text name,
 * 32 bytes hash after, u32 size and bytes before. A text is u32 size and UTF-8
 * without NUL. A file in the store of a hive is a log of it (job/plan.h).
 */
#ifndef JOB_UNDO_RECORD_H
#define JOB_UNDO_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "job/disk_id.h"
#include "job/plan.h"

#define UNDO_HASH 32

struct undo_item {
	enum plan_kind kind;
	enum plan_store store;
	char *place, *name;   /* as in the plan; name "" for keys, files and the default value */
	bool existed;	      /* the key, value or file was there before */
	uint32_t depth;	      /* leading parts of the key, or of the file's folder, that existed */
	uint32_t type;	      /* registry type before */
	struct secret before; /* data before, when it existed */
	uint8_t after[UNDO_HASH];
};

struct undo_record {
	uint32_t saves; /* how often a record of this entry was saved, this one included */
	enum plan_method method;
	bool restoring; /* an undo has begun: the disk may hold the old state already */
	uint64_t intent;
	struct disk_id disk; /* that was changed */
	uint8_t plan[32];
	struct undo_item *items;
	size_t count;
	struct secret key; /* for undo_hash() */
};

struct job;

void undo_record_clear(struct undo_record *r);

/* The keys for j's bundle: call before undo_hash(). load does it by itself. */
int undo_record_key(struct job *j, struct undo_record *r, struct err *e);
void undo_hash(const struct undo_record *r, uint32_t type, const void *p, size_t n,
	uint8_t out[UNDO_HASH]);

/* Of j's entry. -ERR_NOTFOUND when there is none, -ERR_INTEGRITY when it does not open. r must be
 * empty. */
int undo_record_load(struct job *j, struct undo_record *r, struct err *e);
int undo_record_save(struct job *j, struct undo_record *r, struct err *e); /* durable; counts r */
int undo_record_remove(struct job *j, struct err *e);

#endif
