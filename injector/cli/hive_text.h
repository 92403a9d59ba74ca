/*
 * Registry data as text: types by name, data from the command line, value and
 * key listings, .reg files and the stable text form (docs/hive.md).
 */
#ifndef CLI_HIVE_TEXT_H
#define CLI_HIVE_TEXT_H

#include <jansson.h>

#include "hive/hive.h"

/* "REG_SZ", or "REG_0x..." in a static buffer for types without a name. */
const char *hive_type_name(uint32_t type);

/* Data as typed on a command line: REG_SZ, REG_EXPAND_SZ (text), REG_MULTI_SZ (texts separated by
 * the two characters \0), REG_DWORD, REG_QWORD (decimal or 0x), REG_BINARY, REG_NONE (hex). */
int hive_parse_data(
	const char *type, const char *text, uint32_t *number, struct buf *out, struct err *e);

/* Clean UTF-16 text: even size, one NUL at the end and none before, no unpaired surrogate. */
bool hive_text_clean(const uint8_t *p, size_t n);
/* The same for a list: texts, each with its NUL, and an empty one at the end. */
bool hive_multi_clean(const uint8_t *p, size_t n);

/* Data as JSON value(s) put into `o`: "data" when it can be said, always "hex" else. */
int hive_data_json(json_t *o, uint32_t type, const uint8_t *p, size_t n, struct err *e);

/* One line for people; malloc'ed. */
char *hive_data_text(uint32_t type, const uint8_t *p, size_t n);

/* Write the tree below key to stdout. root: what stands for the hive's root in a .reg file. */
int hive_export_reg(const struct hive *h, hive_key key, const char *root, struct err *e);
int hive_export_text(const struct hive *h, hive_key key, struct err *e);

#endif
