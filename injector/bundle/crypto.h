/*
 * Crypto: the few constructions that keys, key slots, records and entries share.
 *
 * All of it is libsodium; what is ours is the labels and the bytes that are bound, and those are
 * written down in docs/format-bundle.md, "Cryptography". Keys passed in and out lie in
 * base/secret.h memory of the caller.
 */
#ifndef BUNDLE_CRYPTO_H
#define BUNDLE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define CRYPTO_KEY 32
#define CRYPTO_HASH 32
#define CRYPTO_SALT 16
#define CRYPTO_NONCE 24
#define CRYPTO_TAG 16
#define CRYPTO_SEALED (CRYPTO_NONCE + CRYPTO_TAG) /* what sealing adds */

/* Cost of Argon2id. Readers refuse what lies outside: a file must not be able to take all memory or
 * run for hours, nor to turn the derivation into nothing. */
#define KDF_PASSES_MIN 1u
#define KDF_PASSES_MAX 10u
#define KDF_PASSES_DEFAULT 3u
#define KDF_MEMORY_MIN (8u << 10) /* KiB */
#define KDF_MEMORY_MAX (1024u << 10)
#define KDF_MEMORY_DEFAULT (256u << 10)

struct kdf_cost {
	uint32_t passes;
	uint32_t memory_kib;
};

#define KDF_COST_DEFAULT ((struct kdf_cost){KDF_PASSES_DEFAULT, KDF_MEMORY_DEFAULT})

/* -ERR_LIMIT, naming `what`, when the cost is outside the limits. */
int kdf_cost_check(struct kdf_cost cost, const char *what, struct err *e);

/* Argon2id 1.3, one lane: out gets CRYPTO_KEY bytes. */
int kdf_passphrase(struct secret *out, const struct secret *passphrase,
	const uint8_t salt[CRYPTO_SALT], struct kdf_cost cost, struct err *e);

/* BLAKE2b-256 keyed with key, over label, a zero byte, data. */
void crypto_derive(uint8_t out[CRYPTO_KEY], const uint8_t key[CRYPTO_KEY], const char *label,
	const void *data, size_t n);

/* XChaCha20-Poly1305 with a random nonce: out = nonce, ciphertext, tag (n + CRYPTO_SEALED bytes).
 */
void crypto_seal(uint8_t *out, const uint8_t key[CRYPTO_KEY], const void *p, size_t n,
	const void *ad, size_t ad_len);
/* Opens n sealed bytes into out (n - CRYPTO_SEALED bytes). False when they are not authentic. */
bool crypto_unseal(uint8_t *out, const uint8_t key[CRYPTO_KEY], const void *p, size_t n,
	const void *ad, size_t ad_len);

/* Lower-case hexadecimal with NUL (2n + 1 bytes), and back: true when text is exactly n bytes. */
void crypto_hex(char *out, const uint8_t *p, size_t n);
bool crypto_unhex(uint8_t *out, size_t n, const char *text, size_t len);

#endif
