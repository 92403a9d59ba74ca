/*
 * The plan: the exact list of values and files, before and after.
 *
 * A plan is data. It is shown, hashed into the journal, executed, verified and
 * (later) undone from this one structure. Secret items (the machine password,
 * an unattend.xml that holds the blob) keep their bytes in locked memory and
 * show a placeholder text instead.
 */
#ifndef JOB_PLAN_H
#define JOB_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

enum plan_method { PLAN_AUTO, PLAN_REGISTRY, PLAN_UNATTEND, PLAN_FIRSTBOOT };
/* A file in the store of a hive is a log of that hive: it is made empty, and what is in it later is
 * Windows' business, so it is there or not and never compared. See plan_is_log(). */
enum plan_kind { PLAN_KEY, PLAN_VALUE, PLAN_FILE };

/* Where an item is. */
enum plan_store {
	PLAN_FILES,    /* the volume itself */
	PLAN_DEFAULT,  /* the hive System32\config\DEFAULT: the sign-in screen */
	PLAN_NEW_USER, /* the hive Users\Default\NTUSER.DAT: profiles to come */
	PLAN_SYSTEM,   /* the hive System32\config\SYSTEM */
};
#define PLAN_STORES 4

struct plan_item {
	enum plan_kind kind;
	enum plan_store store;
	char *place;	    /* key path in its hive, or '/' path on the volume */
	char *name;	    /* value name; NULL for keys and files */
	uint32_t type;	    /* registry type; 0 for keys and files */
	bool secret;	    /* after must not be shown or journalled */
	bool locked;	    /* a file for SYSTEM and Administrators alone */
	bool existed;	    /* the key, value or file was there before */
	char *before;	    /* display text; NULL when it did not exist */
	char *after;	    /* display text */
	struct secret data; /* the bytes to write */
};

struct plan {
	enum plan_method method;
	struct plan_item *items;
	size_t count;
	uint8_t hash[32]; /* BLAKE2b-256 over everything shown: what the journal binds */
};

static inline bool plan_is_log(enum plan_kind kind, enum plan_store store)
{
	return kind == PLAN_FILE && store != PLAN_FILES;
}

void plan_clear(struct plan *p);
/* "auto", "registry", "unattend", "firstboot" */
const char *plan_method_name(enum plan_method m);
int plan_method_parse(const char *name, enum plan_method *m);
json_t *plan_json(const struct plan *p);
const char *plan_store_name(enum plan_store s); /* "files", "DEFAULT", "NTUSER.DAT", "SYSTEM" */

/* The file of its hive, as Windows writes paths; NULL for PLAN_FILES. */
const char *plan_store_file(enum plan_store s);

/* The i-th store to be written, i < PLAN_STORES: what makes Windows act comes last, so that a run
 * that was cut off has changed nothing that matters. Undo goes backwards. */
enum plan_store plan_order(enum plan_method m, int i);

/* How a registry type is written, "REG_SZ" ... or "REG_NNN". buf is used for the latter. */
const char *plan_type_name(uint32_t type, char buf[16]);

/* Display text of registry data: strings as text, numbers in decimal, binary in hex. malloc'ed. */
char *plan_data_text(uint32_t type, const uint8_t *p, size_t n);

/* Compute p->hash from the items. */
void plan_seal(struct plan *p);

#endif
