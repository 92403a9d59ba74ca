/*
 * Recipients: X25519 keys that open a bundle without its passphrase (a second lab, an escrow).
 *
 * NAME.pub is a short text that may be given to anybody; several may be put into one file.
 * NAME.key is the secret, protected by its own passphrase. docs/format-bundle.md, "Recipients".
 */
#ifndef BUNDLE_RECIPIENT_H
#define BUNDLE_RECIPIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define RECIPIENT_PK_LEN 32
#define RECIPIENTS_MAX 7 /* key slots beside the passphrase's */

struct recipient_pub {
	uint8_t pk[RECIPIENT_PK_LEN];
};

struct recipient_key;

/* Write BASE.key (mode 0600) and BASE.pub; neither may exist. */
int recipient_keygen(const char *base, const struct secret *passphrase, struct err *e);

/* All public keys of a file, at least one, at most RECIPIENTS_MAX. */
int recipient_pub_read(
	const char *path, struct recipient_pub pubs[RECIPIENTS_MAX], size_t *count, struct err *e);

int recipient_key_open(struct recipient_key **key, const char *path,
	const struct secret *passphrase, struct err *e);
void recipient_key_close(struct recipient_key *key);
const uint8_t *recipient_key_secret(const struct recipient_key *key);
const struct recipient_pub *recipient_key_pub(const struct recipient_key *key);

#endif
