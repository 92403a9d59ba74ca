/*
 * Reading a hive as facts: absent, mistyped or damaged values are "unknown",
 * not errors. Private to windows/. Paths are relative to `from`.
 */
#ifndef WINDOWS_REG_H
#define WINDOWS_REG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hive/hive.h"

/* Copy UTF-8, cut between characters when out is too small. */
void reg_copy(char *out, size_t size, const char *text);

hive_key reg_key(const struct hive *h, hive_key from, const char *path); /* HIVE_KEY_NONE: absent */

/* Empty text and false when the value is not there. */
bool reg_string(const struct hive *h, hive_key from, const char *path, const char *name, char *out,
	size_t size);
bool reg_dword(
	const struct hive *h, hive_key from, const char *path, const char *name, uint32_t *v);

/* Eight bytes of FILETIME as seconds since 1970; 0 when absent or before 1970. */
int64_t reg_time(const struct hive *h, hive_key from, const char *path, const char *name);

/* Number of subkeys, and the name of the i-th as UTF-8 (empty when it cannot be read). */
uint32_t reg_subkeys(const struct hive *h, hive_key key);
void reg_subkey_name(
	const struct hive *h, hive_key key, uint32_t i, char *out, size_t size, hive_key *sub);

/* The bytes of a value of any type, at most max; the caller clears b. */
bool reg_bytes(const struct hive *h, hive_key from, const char *path, const char *name, size_t max,
	struct buf *b);

/* ProductPolicy: the DWORD of one policy. Format: facts on odj (f). */
bool policy_dword(struct span policy, const char *name, uint32_t *v);

/* LSA's UNICODE_STRING blob: u16 length, u16 maximum, u32 offset (8), UTF-16LE text. */
void lsa_string(struct span blob, char *out, size_t size);

#endif
