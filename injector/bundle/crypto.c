#include "bundle/crypto.h"

#include <sodium.h>
#include <string.h>

int kdf_cost_check(struct kdf_cost cost, const char *what, struct err *e)
{
	if (cost.passes >= KDF_PASSES_MIN && cost.passes <= KDF_PASSES_MAX &&
		cost.memory_kib >= KDF_MEMORY_MIN && cost.memory_kib <= KDF_MEMORY_MAX)
		return 0;
	return err_set(e, ERR_LIMIT, "Nothing was changed.",
		"%s: a key derivation with %u passes over %u KiB is outside the limits "
		"(%u to %u passes, %u to %u KiB)",
		what, cost.passes, cost.memory_kib, KDF_PASSES_MIN, KDF_PASSES_MAX, KDF_MEMORY_MIN,
		KDF_MEMORY_MAX);
}

int kdf_passphrase(struct secret *out, const struct secret *passphrase,
	const uint8_t salt[CRYPTO_SALT], struct kdf_cost cost, struct err *e)
{
	int ret = secret_alloc(out, CRYPTO_KEY, e);
	if (ret < 0)
		return ret;
	if (crypto_pwhash(out->p, CRYPTO_KEY, (const char *)passphrase->p, passphrase->len, salt,
		    cost.passes, (size_t)cost.memory_kib << 10, crypto_pwhash_ALG_ARGON2ID13) == 0)
		return 0;
	secret_clear(out);
	return err_set(e, ERR_NOMEM,
		"Nothing was changed. Free memory and try again, or use a PC with more.",
		"the key derivation needs %u MiB of memory and did not get it",
		cost.memory_kib >> 10);
}

void crypto_derive(uint8_t out[CRYPTO_KEY], const uint8_t key[CRYPTO_KEY], const char *label,
	const void *data, size_t n)
{
	crypto_generichash_state st;
	crypto_generichash_init(&st, key, CRYPTO_KEY, CRYPTO_KEY);
	crypto_generichash_update(&st, (const uint8_t *)label, strlen(label) + 1);
	crypto_generichash_update(&st, data, n);
	crypto_generichash_final(&st, out, CRYPTO_KEY);
	sodium_memzero(&st, sizeof st);
}

void crypto_seal(uint8_t *out, const uint8_t key[CRYPTO_KEY], const void *p, size_t n,
	const void *ad, size_t ad_len)
{
	randombytes_buf(out, CRYPTO_NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		out + CRYPTO_NONCE, NULL, p, n, ad, ad_len, NULL, out, key);
}

bool crypto_unseal(uint8_t *out, const uint8_t key[CRYPTO_KEY], const void *p, size_t n,
	const void *ad, size_t ad_len)
{
	const uint8_t *nonce = p;
	return n >= CRYPTO_SEALED &&
	       crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, nonce + CRYPTO_NONCE,
		       n - CRYPTO_NONCE, ad, ad_len, nonce, key) == 0;
}

void crypto_hex(char *out, const uint8_t *p, size_t n)
{
	sodium_bin2hex(out, 2 * n + 1, p, n);
}

bool crypto_unhex(uint8_t *out, size_t n, const char *text, size_t len)
{
	if (len != 2 * n)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789abcdef", text[i]) || text[i] == '\0')
			return false;
	size_t got = 0;
	return sodium_hex2bin(out, n, text, len, NULL, &got, NULL) == 0 && got == n;
}
