/*
 * Registry hives, offline: read, recover from transaction logs, check, edit,
 * and commit so that a power cut leaves exactly the old or the new hive.
 *
 * The library knows the file format ("regf" 1.3 to 1.6), not Windows: no key
 * names, no policy. It does no I/O of its own; the primary file and its two
 * logs are byte devices that belong to the caller and must outlive the hive.
 *
 * Life of a hive:
 *   hive_open()    reads everything into memory (bounded by HIVE_SIZE_MAX). A
 *                  dirty hive is recovered in memory from its logs as Windows
 *                  would; without a usable log it is refused (-ERR_UNSAFE).
 *   reading        keys are handles, values are views. Views (struct span,
 *                  struct hive_name, struct hive_value) are valid until the
 *                  next edit or hive_close().
 *   hive_begin()   once before the first edit: full structure check; a hive
 *                  with errors or with layered keys is refused for writing.
 *   edits          change the private image in memory only.
 *   hive_commit()  writes through the transaction log, in place, with a sync at
 *                  every barrier. Closing without it discards the edits.
 *
 * Names are arrays of 16-bit units, compared by the NT upcase table; functions
 * that take a name or a path take UTF-8. A path separates keys by '\'; the
 * default value is NULL or "".
 *
 * When an edit fails half-way (memory), the image is no longer trusted: every
 * later edit and the commit are refused, the files are untouched.
 *
 * Errors: 0 or -ERR_*, struct err filled (base/err.h). The format and the commit
 * protocol with its crash argument are described in docs/hive.md.
 */
#ifndef HIVE_HIVE_H
#define HIVE_HIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytedev.h"
#include "base/err.h"
#include "base/mem.h"

#define HIVE_SIZE_MAX (512U << 20) /* bytes of a primary file we read */
#define HIVE_LOG_MAX (256U << 20)  /* bytes of a log file we read */
#define HIVE_VALUE_MAX (64U << 20) /* bytes of one value (1 MiB in minor 3) */
#define HIVE_KEY_NAME_MAX 255	   /* units of a key name */
#define HIVE_VALUE_NAME_MAX 16383  /* units of a value name */
#define HIVE_DEPTH_MAX 512	   /* keys from the root */

/* Value types. Others are opaque and preserved. */
enum hive_type {
	HIVE_REG_NONE = 0,
	HIVE_REG_SZ = 1,
	HIVE_REG_EXPAND_SZ = 2,
	HIVE_REG_BINARY = 3,
	HIVE_REG_DWORD = 4,
	HIVE_REG_DWORD_BE = 5,
	HIVE_REG_LINK = 6,
	HIVE_REG_MULTI_SZ = 7,
	HIVE_REG_QWORD = 11,
};

struct hive;
typedef uint32_t hive_key; /* handle: valid until the key is deleted */
#define HIVE_KEY_NONE 0xffffffffU

/* --- opening ---------------------------------------------------------------------------------- */

enum {
	/* Log format to commit with. Windows 8.1 / 2012 R2 and later read HvLE, 7 and 8.0 DIRT; the
	 * caller knows which Windows it is. Neither flag: decided by what the logs hold, else by
	 * the hive (no last-written time, or access noted in the root key: HvLE). */
	HIVE_LOG_HVLE = 1,
	HIVE_LOG_DIRT = 2,
	/* Show the primary file as it lies, dirty or not, logs ignored. Such a hive cannot be
	 * edited unless it is clean. */
	HIVE_AS_IS = 4,
};

/* log1, log2 may be NULL (absent): then a dirty hive may be unrecoverable and hive_commit() may be
 * refused. Errors: -ERR_FORMAT not a hive, -ERR_INTEGRITY bins that cannot be walked, -ERR_UNSAFE
 * dirty without a usable log, -ERR_LIMIT, -ERR_IO, -ERR_NOMEM. */
int hive_open(struct hive **h, struct bytedev *primary, struct bytedev *log1, struct bytedev *log2,
	unsigned flags, struct err *e);

/* A new hive in memory, ready to be edited; hive_save() writes it. sd: self-relative security
 * descriptor of the root. minor: 3 or 5. now: FILETIME of all keys. */
int hive_create(struct hive **h, unsigned minor, const char *root_name, struct span sd,
	uint64_t now, struct err *e);

/* Wipes and frees; uncommitted edits are gone. NULL is allowed. */
void hive_close(struct hive *h);

enum hive_recovery { HIVE_NOT_RECOVERED, HIVE_RECOVERED_DIRT, HIVE_RECOVERED_HVLE };

struct hive_info {
	unsigned minor;
	uint32_t seq1, seq2; /* of the image (after recovery: last applied entry) */
	uint64_t written;    /* FILETIME of the base block, often 0 since 8.1 */
	uint32_t bins;	     /* bytes of hive bins data */
	uint32_t flags;	     /* base block flags */
	bool dirty;	     /* the primary file was dirty when read */
	bool base_rebuilt;   /* its base block was damaged and came from a log */
	enum hive_recovery recovery;
	uint32_t log_entries; /* applied by the recovery */
	uint32_t log_pages;   /* applied by the recovery */
	bool layered;	      /* holds layered keys: not writable */
	bool modified;	      /* edits not yet committed */
	char log_note[200];   /* what was found in the logs, for people; may be empty */
};
void hive_get_info(const struct hive *h, struct hive_info *info);
bool hive_is_modified(const struct hive *h);

/* --- names ------------------------------------------------------------------------------------ */

struct hive_name {
	const uint8_t *p; /* Latin-1 bytes or UTF-16LE units, as stored */
	size_t bytes;
	bool latin1;
};

size_t hive_name_len(const struct hive_name *n);	      /* units */
uint16_t hive_name_unit(const struct hive_name *n, size_t i); /* i < hive_name_len() */
/* UTF-8, malloc'ed; unpaired surrogates become U+FFFD. NULL when out of memory. */
char *hive_name_utf8(const struct hive_name *n);

/* --- keys ------------------------------------------------------------------------------------- */

struct hive_key_info {
	struct hive_name name;
	hive_key parent; /* HIVE_KEY_NONE for the root */
	uint32_t subkeys, values;
	uint64_t written;	/* FILETIME */
	uint16_t flags;		/* as stored */
	struct span class_name; /* UTF-16LE bytes, empty when none */
	struct span sd;		/* self-relative security descriptor */
};

hive_key hive_root(const struct hive *h);
/* path relative to parent; "" is parent itself. -ERR_NOTFOUND names the missing component. */
int hive_find_key(
	const struct hive *h, hive_key parent, const char *path, hive_key *key, struct err *e);
int hive_key_info(const struct hive *h, hive_key key, struct hive_key_info *info, struct err *e);
/* i < subkeys, in the order of the hive (sorted by upcased name). */
int hive_subkey_at(const struct hive *h, hive_key key, uint32_t i, hive_key *sub, struct err *e);
/* "A\B\C" from below the root ("" for the root), malloc'ed UTF-8. NULL on damage or no memory. */
char *hive_key_path(const struct hive *h, hive_key key);

/* --- values ----------------------------------------------------------------------------------- */

struct hive_value {
	struct hive_name name;
	uint32_t type;
	uint32_t size; /* bytes of data */
	uint32_t cell; /* internal */
};

/* i < values, in stored order. */
int hive_value_at(
	const struct hive *h, hive_key key, uint32_t i, struct hive_value *v, struct err *e);
int hive_find_value(
	const struct hive *h, hive_key key, const char *name, struct hive_value *v, struct err *e);
/* Copies v->size bytes to out (the caller's memory: locked memory for secrets). */
int hive_read_value(const struct hive *h, const struct hive_value *v, void *out, struct err *e);

/* n bytes from `from` on, and not one more: for values that hold a secret beside what is wanted.
 * Only for values of 5 to 16344 bytes (-ERR_UNSUPPORTED); -ERR_INTEGRITY beyond the end. */
int hive_read_part(const struct hive *h, const struct hive_value *v, uint32_t from, void *out,
	uint32_t n, struct err *e);

/* Find and append the data to bytes; type may be NULL. Not for secrets (struct buf). */
int hive_get_value(const struct hive *h, hive_key key, const char *name, uint32_t *type,
	struct buf *bytes, struct err *e);
/* REG_SZ/EXPAND_SZ up to its first NUL as malloc'ed UTF-8; REG_DWORD. Another type or a wrong size
 * is -ERR_FORMAT, absence -ERR_NOTFOUND. */
int hive_get_string(
	const struct hive *h, hive_key key, const char *name, char **text, struct err *e);
int hive_get_dword(
	const struct hive *h, hive_key key, const char *name, uint32_t *v, struct err *e);

/* --- editing (private image) --------------------------------------------------------------------
 */

/* now: FILETIME given to every key changed from here on. Runs hive_check(); refuses with
 * -ERR_INTEGRITY (structure errors), -ERR_UNSUPPORTED (layered keys), -ERR_UNSAFE (dirty, as is).
 */
int hive_begin(struct hive *h, uint64_t now, struct err *e);

/* data must not be a view of the same hive. */
int hive_set_value(struct hive *h, hive_key key, const char *name, uint32_t type, const void *data,
	size_t n, struct err *e);
int hive_set_string(struct hive *h, hive_key key, const char *name, const char *text,
	struct err *e); /* REG_SZ with its NUL */
int hive_set_dword(struct hive *h, hive_key key, const char *name, uint32_t v, struct err *e);
int hive_delete_value(struct hive *h, hive_key key, const char *name, struct err *e);

/* Opens the key, creating missing components. New keys get the security their parent hands down
 * (inheritable ACEs, CREATOR OWNER/GROUP replaced; owner and group are the parent's), or `sd`
 * (self-relative; applied to the last component only when it is new) if not NULL. */
int hive_create_key(struct hive *h, hive_key parent, const char *path, const struct span *sd,
	hive_key *key, struct err *e);
/* With all values and subkeys. The root cannot be deleted. */
int hive_delete_key(struct hive *h, hive_key key, struct err *e);
int hive_set_class(struct hive *h, hive_key key, const void *utf16le, size_t n, struct err *e);
int hive_set_security(struct hive *h, hive_key key, struct span sd, struct err *e);

/* --- writing ------------------------------------------------------------------------------------
 */

/* Writes the edits in place through the transaction log. Returns when they are durable. A hive
 * recovered at opening is first written back as recovered (also when there are no edits).
 * On error the files hold the old or the new hive (recoverable by Windows); err says which part
 * failed. -ERR_REFUSED before the first write: a log device that is needed is absent. */
int hive_commit(struct hive *h, struct err *e);

/* Writes the whole image to a device (size set, synced). Not crash-safe: for new files. */
int hive_save(const struct hive *h, struct bytedev *out, struct err *e);

/* --- checking -----------------------------------------------------------------------------------
 */

enum hive_level {
	HIVE_INFO, /* worth knowing: leaked cells */
	HIVE_WARN, /* Windows tolerates it */
	HIVE_ERROR /* Windows would refuse, repair or misread it */
};

struct hive_finding {
	enum hive_level level;
	uint32_t cell;	  /* offset from the start of the bins, HIVE_KEY_NONE: the hive itself */
	const char *text; /* one line of UTF-8, valid during the call */
};

struct hive_check {
	uint64_t errors, warnings;
	uint64_t bins, keys, values, securities, big_values, layered;
	uint64_t free_cells, free_bytes, used_cells;
	uint64_t leaked_cells, leaked_bytes, split_free; /* split_free: adjacent free cells */
};

/* Every finding goes to `found` (may be NULL). Returns 0 when the check ran, whatever it found. */
int hive_check(const struct hive *h, void (*found)(void *ctx, const struct hive_finding *f),
	void *ctx, struct hive_check *result, struct err *e);

#endif
