#include "bundle/merkle.h"

#include <sodium.h>
#include <string.h>

void merkle_leaf(uint8_t out[CRYPTO_HASH], const void *p, size_t n)
{
	crypto_generichash_state st;
	crypto_generichash_init(&st, NULL, 0, CRYPTO_HASH);
	crypto_generichash_update(&st, (const uint8_t[]){0}, 1);
	crypto_generichash_update(&st, p, n);
	crypto_generichash_final(&st, out, CRYPTO_HASH);
}

static void node(uint8_t out[CRYPTO_HASH], const uint8_t *left, const uint8_t *right)
{
	uint8_t bytes[1 + 2 * CRYPTO_HASH] = {1};
	memcpy(bytes + 1, left, CRYPTO_HASH);
	memcpy(bytes + 1 + CRYPTO_HASH, right, CRYPTO_HASH);
	crypto_generichash(out, CRYPTO_HASH, bytes, sizeof bytes, NULL, 0);
}

uint64_t merkle_hashes(uint32_t leaves)
{
	uint64_t sum = 0;
	for (uint32_t n = leaves; n > 1; n = (n + 1) / 2)
		sum += n;
	return sum;
}

void merkle_build(uint8_t *tree, uint32_t leaves, uint8_t root[CRYPTO_HASH])
{
	uint8_t *level = tree;
	for (uint32_t n = leaves; n > 1; n = (n + 1) / 2) {
		uint8_t *above = n > 2 ? level + (size_t)n * CRYPTO_HASH : root;
		for (uint32_t i = 0; i < n; i += 2) {
			const uint8_t *left = level + (size_t)i * CRYPTO_HASH;
			uint8_t *out = above + (size_t)(i / 2) * CRYPTO_HASH;
			if (i + 1 < n)
				node(out, left, left + CRYPTO_HASH);
			else
				memcpy(out, left, CRYPTO_HASH);
		}
		level = above;
	}
}

int merkle_verify(struct bytedev *d, uint64_t at, uint32_t leaves, uint32_t leaf,
	const uint8_t hash[CRYPTO_HASH], const uint8_t root[CRYPTO_HASH], struct err *e)
{
	uint8_t have[CRYPTO_HASH], sibling[CRYPTO_HASH];
	memcpy(have, hash, CRYPTO_HASH);
	for (uint32_t n = leaves, i = leaf; n > 1; n = (n + 1) / 2, i /= 2) {
		uint32_t other = i ^ 1;
		if (other < n) {
			int ret = bytedev_read(
				d, at + (uint64_t)other * CRYPTO_HASH, sibling, CRYPTO_HASH, e);
			if (ret < 0)
				return ret;
			if (i & 1)
				node(have, sibling, have);
			else
				node(have, have, sibling);
		}
		at += (uint64_t)n * CRYPTO_HASH;
	}
	if (sodium_memcmp(have, root, CRYPTO_HASH) == 0)
		return 0;
	return err_set(e, ERR_INTEGRITY, "It must not be used. Get the bundle from the lab again.",
		"this is not what the lab signed");
}
