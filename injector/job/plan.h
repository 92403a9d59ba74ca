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

enum plan_method { PLAN_AUTO, PLAN_REGISTRY, PLAN_UNATTEND };
enum plan_kind { PLAN_KEY, PLAN_VALUE, PLAN_FILE };

struct plan_item {
	enum plan_kind kind;
	char *place;	    /* "ControlSet001\\Control\\Lsa\\OfflineJoin" in SYSTEM, or
			       "Windows/Panther/..." */
	char *name;	    /* value name; NULL for keys and files */
	uint32_t type;	    /* registry type; 0 for keys and files */
	bool secret;	    /* after must not be shown or journalled */
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

void plan_clear(struct plan *p);
const char *plan_method_name(enum plan_method m); /* "auto", "registry", "unattend" */
int plan_method_parse(const char *name, enum plan_method *m);
json_t *plan_json(const struct plan *p);

/* How a registry type is written, "REG_SZ" ... or "REG_NNN". buf is used for the latter. */
const char *plan_type_name(uint32_t type, char buf[16]);

/* Display text of registry data: strings as text, numbers in decimal, binary in hex. malloc'ed. */
char *plan_data_text(uint32_t type, const uint8_t *p, size_t n);

/* Compute p->hash from the items. */
void plan_seal(struct plan *p);

#endif
