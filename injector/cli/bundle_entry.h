/* One entry of an open, unlocked bundle on the terminal: its row, its state, and its further
 * columns (timezone, keyboard, rtc, method and the lab's own), which lie sealed beside the blob. */
#ifndef CLI_BUNDLE_ENTRY_H
#define CLI_BUNDLE_ENTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bundle/bundle.h"

/* Exactly one is set. */
struct bundle_entry_selector {
	const char *serial, *tag, *name;
};

/* -ERR_USAGE unless none or one is given; *any says which. */
int bundle_entry_selected(const struct bundle_entry_selector *s, bool *any, struct err *e);

/* Print it. */
int bundle_entry_show(
	struct bundle *b, const struct bundle_entry_selector *s, bool json, struct err *e);

/* Its columns as an object; JSON null when they can no longer be read, because the entry was used.
 * Needs the lab's public key, as opening an entry does. */
int bundle_entry_columns(
	struct bundle *b, uint32_t id, enum bundle_state state, json_t **out, struct err *e);

/* The row as an object; `when` is the time of use. */
json_t *bundle_entry_json(const struct bundle_row *r, enum bundle_state state, int64_t when);

#endif
