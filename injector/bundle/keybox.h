/*
 * Key box: a 32-byte secret in a text file, protected by a passphrase.
 *
 * Used for LAB.key and for recipients' keys; they differ in the kind that is bound into the box.
 * Format: docs/format-bundle.md, "Secret key files".
 */
#ifndef BUNDLE_KEYBOX_H
#define BUNDLE_KEYBOX_H

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"

#define KEYBOX_SECRET 32
#define KEYBOX_PUBLIC 32
#define KEYBOX_KIND_LEN 8

#define KEYBOX_LAB "odjlabk1"
#define KEYBOX_RECIPIENT "odjrcpk1"

/* Append the box to out. */
int keybox_seal(struct buf *out, const char *kind, const char *comment,
	const uint8_t public[KEYBOX_PUBLIC], const uint8_t secret[KEYBOX_SECRET],
	const struct secret *passphrase, struct err *e);

/* Open the box in the file at path. -ERR_KEY on a wrong passphrase, -ERR_FORMAT when the file is
 * not a box of this kind. */
int keybox_open(const char *path, const char *kind, const struct secret *passphrase,
	uint8_t public[KEYBOX_PUBLIC], struct secret *secret, struct err *e);

/* Write BASE.key (0600) and BASE.pub (0644). Neither may exist; after a failure neither does. */
int keybox_write_pair(
	const char *base, const struct buf *key, const struct buf *pub, struct err *e);

#endif
