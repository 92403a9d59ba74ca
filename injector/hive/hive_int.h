/*
 * Inside of the hive library: the image in memory and what its files share.
 *
 * Offsets ("cells") count from the start of the hive bins data and point at a
 * cell's size field, as in the file. Cell bytes are only reached through
 * cell_data()/cell_edit(), which know where cells start and end; every record
 * accessor states the least size it needs. Pointers into the image are void
 * after anything that allocates a cell.
 *
 * Format: docs/hive.md, section "The file".
 */
#ifndef HIVE_HIVE_INT_H
#define HIVE_HIVE_INT_H

#include "base/reader.h"
#include "base/utf16.h"
#include "hive/hive.h"

/* Inlined reads: opening and checking a hive does millions of them. */
static inline uint32_t rd32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint16_t rd16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

/* Two-letter record signature. */
static inline void put_sig(uint8_t *p, const char *sig)
{
	p[0] = (uint8_t)sig[0];
	p[1] = (uint8_t)sig[1];
}

#define NIL 0xffffffffU
#define BASE_LEN 4096U /* base block */
#define SECTOR 512U    /* what a disk writes at once; the part of the base block that matters */
#define PAGE 4096U     /* bins are multiples; unit of an HvLE reference */
#define BIN_HEADER 32U
#define CELL_MAX 0x7ffffff8U
#define BIG_SEGMENT 16344U   /* bytes of big data in one cell */
#define BIG_MINOR 4U	     /* first minor with big data */
#define SMALL_MAX (1U << 20) /* value limit below BIG_MINOR */
#define LEAF_MAX 1012U
#define LF_MAX 507U

/* base block fields */
enum {
	BB_SEQ1 = 4,
	BB_SEQ2 = 8,
	BB_TIME = 12,
	BB_MAJOR = 20,
	BB_MINOR = 24,
	BB_TYPE = 28,
	BB_FORMAT = 32,
	BB_ROOT = 36,
	BB_LENGTH = 40,
	BB_CLUSTER = 44,
	BB_NAME = 48,
	BB_FLAGS = 144,
	BB_SUM = 508,
};

enum { TYPE_PRIMARY = 0, TYPE_LOG_DIRT = 1, TYPE_LOG_DIRT_2000 = 2, TYPE_LOG_HVLE = 6 };

/* key node (nk) fields, from the start of the cell's data */
enum {
	NK_FLAGS = 2,
	NK_TIME = 4,
	NK_ACCESS = 12,
	NK_LAYER = 13,
	NK_PARENT = 16,
	NK_SUBKEYS = 20,
	NK_SUBLIST = 28,
	NK_VOLATILE_LIST = 32,
	NK_VALUES = 36,
	NK_VALLIST = 40,
	NK_SECURITY = 44,
	NK_CLASS = 48,
	NK_MAX_NAME = 52, /* low 16 bits; the rest are other flags */
	NK_MAX_CLASS = 56,
	NK_MAX_VNAME = 60,
	NK_MAX_VDATA = 64,
	NK_NAME_LEN = 72,
	NK_CLASS_LEN = 74,
	NK_NAME = 76,
};
enum {
	KEY_VOLATILE = 1,
	KEY_ENTRY = 4,
	KEY_NO_DELETE = 8,
	KEY_LATIN1 = 0x20,
	KEY_PREDEFINED = 0x40
};

/* value (vk) fields */
enum { VK_NAME_LEN = 2, VK_SIZE = 4, VK_DATA = 8, VK_TYPE = 12, VK_FLAGS = 16, VK_NAME = 20 };
enum { VALUE_LATIN1 = 1, VALUE_TOMBSTONE = 2 };
#define VK_INLINE 0x80000000U

/* security (sk) fields */
enum { SK_NEXT = 4, SK_PREV = 8, SK_REFS = 12, SK_SIZE = 16, SK_SD = 20 };

#define FREE_CLASSES 160

struct free_list {
	uint32_t *cell;
	uint32_t n, cap;
};

struct hive {
	struct bytedev *dev, *log[2];
	unsigned flags;
	uint8_t base[BASE_LEN];
	uint8_t *bins;
	uint32_t len, cap; /* bytes of bins data in use, allocated */
	uint64_t file_len; /* size of the primary file as last seen */
	uint64_t *starts;  /* one bit per 8 bytes: a cell starts here */
	uint8_t *dirty;	   /* one bit per sector: differs from the primary file */
	uint32_t map_cap;  /* bytes of bins that starts and dirty have room for */
	struct free_list free_list[FREE_CLASSES];
	uint64_t now;
	bool editing, broken, modified;
	bool was_dirty, layered, write_back, mapped;
	struct hive_info info; /* what opening found */
};

/* --- base block (base.c) */
uint32_t base_sum(const uint8_t *b);
void base_seal(uint8_t *b);	   /* set the checksum */
bool base_valid(const uint8_t *b); /* signature and checksum */

/* --- image (image.c) */
int image_reserve(struct hive *h, uint32_t len, struct err *e);
int image_map(struct hive *h, struct err *e); /* find all cells */
int image_map_some(struct hive *h, uint32_t *at, uint32_t have, struct err *e);
void image_wipe(struct hive *h);
int bins_header_put(struct hive *h, uint32_t at, uint32_t size);
void wipe(void *p, size_t n);

/* --- cells (cell.c) */
static inline bool cell_starts(const struct hive *h, uint32_t at)
{
	return at % 8 == 0 && at < h->len && (h->starts[at / 512] >> (at / 8 % 64) & 1);
}
/* Data of an allocated cell, NULL if `at` is none. */
const uint8_t *cell_data(const struct hive *h, uint32_t at, uint32_t *n);
/* The same for at least `least` bytes, with the error filled in. */
const uint8_t *cell_need(
	const struct hive *h, uint32_t at, uint32_t least, const char *what, struct err *e);
/* Allocated cell's bytes [off, off+n) for writing; marks them dirty. NULL when out of range. */
uint8_t *cell_edit(struct hive *h, uint32_t at, uint32_t off, uint32_t n);
int cell_put32(struct hive *h, uint32_t at, uint32_t off, uint32_t v, struct err *e);
int cell_alloc(struct hive *h, uint32_t n, uint32_t *at, struct err *e); /* zeroed */
int cell_free(struct hive *h, uint32_t at, struct err *e);		 /* wiped, coalesced */
int cell_free_index(struct hive *h, struct err *e);
void image_touch(struct hive *h, uint32_t at, uint32_t n);

/* An edit failed half-way: nothing of this image may reach the disk. */
int edit_broken(struct hive *h, int ret);
int edit_ready(struct hive *h, struct err *e);
int damaged(struct err *e, uint32_t at, const char *what);

/* --- names (name.c) */
int name_cmp(const struct hive_name *a, const struct hive_name *b);
uint32_t name_hash(const struct hive_name *n);
uint32_t name_hint(const struct hive_name *n);
/* UTF-8 to a name in buf (UTF-16LE), at most max units. */
int name_from_utf8(const char *s, size_t n, size_t max, struct buf *buf, struct hive_name *name,
	struct err *e);
/* True when all units are below 256. */
bool name_fits_latin1(const struct hive_name *n);
/* Bytes as stored in a record, and how many. */
void name_store(const struct hive_name *n, uint8_t *to);
size_t name_store_len(const struct hive_name *n);

/* --- keys (key.c) */
const uint8_t *key_node(const struct hive *h, uint32_t at, struct err *e); /* nk, name inside */
uint8_t *key_edit(struct hive *h, uint32_t at, uint32_t field, uint32_t n);
bool key_name(const uint8_t *nk, uint32_t n, struct hive_name *name);
int key_stamp(struct hive *h, uint32_t at, struct err *e);
int key_child(const struct hive *h, uint32_t key, const struct hive_name *name, uint32_t *child,
	struct err *e);

/* --- subkey lists (index.c) */
struct leaf {
	uint32_t cell;
	uint16_t count;
	uint8_t width;	  /* bytes per entry */
	char kind;	  /* 'f', 'h', 'i' */
	const uint8_t *p; /* first entry */
};
int leaf_open(const struct hive *h, uint32_t at, struct leaf *l, struct err *e);
/* i-th leaf of a list; *count leaves. A leaf that hangs under the key directly is the only one. */
int list_leaf(const struct hive *h, uint32_t list, uint32_t i, uint32_t *count, struct leaf *l,
	struct err *e);
int index_insert(struct hive *h, uint32_t key, uint32_t child, struct err *e);
int index_remove(struct hive *h, uint32_t key, uint32_t child, struct err *e);

/* --- values (value.c) */
bool value_name(const uint8_t *vk, uint32_t n, struct hive_name *name);
int value_lookup(const struct hive *h, uint32_t key, const struct hive_name *name, uint32_t *cell,
	uint32_t *pos, struct err *e);
int value_free(struct hive *h, uint32_t vk, struct err *e);

/* --- security (security.c, inherit.c) */
int security_get(const struct hive *h, uint32_t sk, struct span *sd, struct err *e);
/* An sk cell with this descriptor: shared (count + 1) or new. ring: any member, NIL when none. */
int security_share(struct hive *h, uint32_t ring, struct span sd, uint32_t *sk, struct err *e);
int security_release(struct hive *h, uint32_t sk, struct err *e);
/* Descriptor a new key gets from its parent's. */
int security_inherit(struct span parent, struct buf *out, struct err *e);
bool security_valid(struct span sd);

/* --- logs (log.c, replay.c) */
struct log_file {
	uint8_t *p;
	size_t n;
	bool header; /* valid base block copy, both sequence numbers equal */
	int type;    /* of the header: TYPE_LOG_* */
	uint32_t seq;
	const char *name;
};
struct replay_sink {
	/* The hive has `len` bytes of bins from here on. */
	int (*resize)(void *ctx, uint32_t len, struct err *e);
	int (*page)(void *ctx, uint32_t at, const uint8_t *p, uint32_t n, struct err *e);
	void *ctx;
};
struct replay {
	enum hive_recovery kind;
	uint32_t entries, pages;
	bool rebuilt;	      /* base block came from a log */
	uint8_t base[SECTOR]; /* base block after the replay, not sealed */
	char note[200];
};
uint64_t marvin64(const uint8_t *p, size_t n);
struct marvin {
	uint32_t lo, hi;
};
void marvin_start(struct marvin *m);
void marvin_words(struct marvin *m, const uint8_t *p, size_t n); /* n % 4 == 0 */
uint64_t marvin_end(struct marvin *m);
int log_load(struct bytedev *dev, struct log_file *l, struct err *e);
void log_clear(struct log_file *l);
/* base: first sector of the primary; bin: first bin's header or NULL when there is none. */
int log_replay(const uint8_t *base, const uint8_t *bin, struct log_file logs[2],
	const struct replay_sink *sink, struct replay *r, struct err *e);
/* Highest sequence number at or after `floor` (modulo 2^32) in a log, remnants included. */
int log_max_seq(struct bytedev *dev, uint32_t *max, struct err *e);
int log_write_hvle(struct hive *h, uint32_t seq, uint64_t *len, struct err *e);
int log_write_dirt(struct hive *h, uint32_t seq, uint64_t *len, struct err *e);
int log_blank(struct bytedev *dev, uint64_t len, struct err *e);

#endif
