/*
 * Merkle: one signed hash over everything in a bundle that must not change, such that any single
 * part can be verified by reading a handful of hashes. docs/format-bundle.md, "Tree".
 */
#ifndef BUNDLE_MERKLE_H
#define BUNDLE_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytedev.h"
#include "base/err.h"
#include "bundle/crypto.h"

void merkle_leaf(uint8_t out[CRYPTO_HASH], const void *p, size_t n);

/* Fill the levels above the leaves; tree holds merkle_hashes() hashes, the first `leaves` of which
 * are set. root is computed. */
void merkle_build(uint8_t *tree, uint32_t leaves, uint8_t root[CRYPTO_HASH]);
uint64_t merkle_hashes(uint32_t leaves);

/* Does `hash`, as leaf number `leaf`, lead to root along the stored siblings? Reads the tree at
 * `at`. -ERR_INTEGRITY when not; the caller adds what the leaf is. */
int merkle_verify(struct bytedev *d, uint64_t at, uint32_t leaves, uint32_t leaf,
	const uint8_t hash[CRYPTO_HASH], const uint8_t root[CRYPTO_HASH], struct err *e);

#endif
