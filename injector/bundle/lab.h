/*
 * Lab keys: the Ed25519 key that says "this bundle comes from our lab".
 *
 * LAB.pub and detached signatures are minisign's formats, so that an auditor can
 * check them with the stock tool: `minisign -V -p LAB.pub -m FILE -x FILE.minisig`.
 * LAB.key is ours (Argon2id + XChaCha20-Poly1305). Both are documented in
 * docs/format-bundle.md, "Lab keys".
 *
 * `struct lab_key` owns its secret (in base/secret.h memory); `struct lab_pub`
 * is plain data and may be copied.
 */
#ifndef BUNDLE_LAB_H
#define BUNDLE_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"

#define LAB_KEYID_LEN 8
#define LAB_PK_LEN 32
#define LAB_KEYID_TEXT 17	/* 16 hexadecimal digits as minisign prints them, and the NUL */
#define LAB_FINGERPRINT_TEXT 20 /* "XXXX-XXXX-XXXX-XXXX" and the NUL */
#define LAB_SIG_MAX 512		/* bytes of a detached signature file that we accept */
#define LAB_COMMENT_MAX 128	/* bytes of a trusted comment that we write or accept */

struct lab_pub {
	uint8_t id[LAB_KEYID_LEN];
	uint8_t pk[LAB_PK_LEN];
};

struct lab_key;

/* Write BASE.key (mode 0600) and BASE.pub; neither may exist. -ERR_EXISTS leaves both untouched. */
int lab_keygen(
	const char *base, const struct secret *passphrase, struct lab_pub *pub, struct err *e);

/* Public key: from a file, or from text (LAB.pub's content). -ERR_FORMAT when it is not one. */
int lab_pub_read(const char *path, struct lab_pub *pub, struct err *e);
int lab_pub_parse(
	const void *text, size_t len, const char *name, struct lab_pub *pub, struct err *e);
/* LAB.pub's content appended to out. */
int lab_pub_text(const struct lab_pub *pub, struct buf *out, struct err *e);

/* Open LAB.key; one Argon2id run. -ERR_KEY on a wrong passphrase. */
int lab_key_open(
	struct lab_key **key, const char *path, const struct secret *passphrase, struct err *e);
void lab_key_close(struct lab_key *key);
const struct lab_pub *lab_key_pub(const struct lab_key *key);

/* Detached signature of p[0..n) appended to out as a .minisig text. The trusted comment (printable
 * ASCII, at most LAB_COMMENT_MAX) is covered by the signature. */
int lab_sign(const struct lab_key *key, const void *p, size_t n, const char *trusted_comment,
	struct buf *out, struct err *e);

/* The bare Ed25519 signature of p[0..n), for formats that carry it in their own way (the journal's
 * first record). p must begin with a context that no other format signs. */
void lab_sign_plain(const struct lab_key *key, const void *p, size_t n, uint8_t sig[64]);

/* 0 when sig is pub's signature of p[0..n). -ERR_INTEGRITY otherwise: another key, changed bytes,
 * or not a signature; the message names `what`. trusted may be NULL. */
int lab_verify(const struct lab_pub *pub, const void *p, size_t n, const void *sig, size_t sig_len,
	const char *what, char trusted[LAB_COMMENT_MAX + 1], struct err *e);

/* The id of the key that a detached signature says it was made with. False when it is no signature.
 * Nothing is verified: for messages, and to tell a foreign key from changed bytes. */
bool lab_signer(const void *sig, size_t sig_len, uint8_t id[LAB_KEYID_LEN]);

/* Any hash as the fingerprints are written: its first 80 bits, to read aloud. */
void lab_code(const uint8_t *hash, char out[LAB_FINGERPRINT_TEXT]);

/* For people: the key id as minisign shows it, and a fingerprint to read aloud. */
void lab_keyid(const struct lab_pub *pub, char out[LAB_KEYID_TEXT]);
void lab_fingerprint(const struct lab_pub *pub, char out[LAB_FINGERPRINT_TEXT]);

#endif
