#include "bundle/bundle.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/internal.h"
#include "bundle/merkle.h"

/* --- open: everything that needs no key --- */

/* The tar block in front of a member is the only valid one. */
static int check_block(struct bundle *b, enum member m, uint64_t size, struct err *e)
{
	uint8_t have[TAR_BLOCK], want[TAR_BLOCK];
	int ret = bytedev_read(b->dev, b->layout.at[m] - TAR_BLOCK, have, sizeof have, e);
	if (ret == 0)
		ret = tar_block(want, member_names[m], size, b->header.facts.created, e);
	if (ret == 0 && memcmp(have, want, TAR_BLOCK) != 0)
		ret = err_set(e, ERR_INTEGRITY, LAB_AGAIN, "the archive is damaged at \"%s\"",
			member_names[m]);
	return ret;
}

static bool zero(const uint8_t *p, size_t n)
{
	return sodium_is_zero(p, n) == 1;
}

/* A member of at most one block whose size is in its tar block: header, signature. */
static int read_small(
	struct bundle *b, enum member m, uint8_t out[TAR_BLOCK], size_t *len, struct err *e)
{
	uint8_t block[2 * TAR_BLOCK];
	int ret = bytedev_read(b->dev, b->layout.at[m] - TAR_BLOCK, block, sizeof block, e);
	if (ret < 0)
		return ret;
	uint64_t size = tar_size(block);
	if (strncmp((const char *)block, member_names[m], 100) != 0)
		return err_set(e, m == MEMBER_HEADER ? ERR_FORMAT : ERR_INTEGRITY,
			m == MEMBER_HEADER ? "Nothing was changed. Name a bundle (.odjb)."
					   : LAB_AGAIN,
			m == MEMBER_HEADER ? "this is not a bundle"
					   : "the bundle carries no lab signature");
	if (size == 0 || size > TAR_BLOCK || !zero(block + TAR_BLOCK + size, TAR_BLOCK - size))
		return err_set(e, ERR_INTEGRITY, LAB_AGAIN, "the archive is damaged at \"%s\"",
			member_names[m]);
	memcpy(out, block + TAR_BLOCK, TAR_BLOCK);
	*len = (size_t)size;
	return 0;
}

static int open_header(struct bundle *b, struct err *e)
{
	uint64_t size;
	size_t len = 0;
	layout_init(
		&b->layout, 1); /* the first two members lie at the same place in every bundle */
	int ret = bytedev_size(b->dev, &size, e);
	if (ret == 0 && size < 2 * TAR_BLOCK)
		ret = err_set(e, ERR_FORMAT, "Nothing was changed. Name a bundle (.odjb).",
			"this is not a bundle");
	if (ret == 0)
		ret = read_small(b, MEMBER_HEADER, (uint8_t *)b->header_text, &len, e);
	if (ret == 0)
		ret = header_parse(b->header_text, len, &b->header, &b->mac_covers, e);
	if (ret < 0)
		return ret;
	crypto_generichash(b->header.facts.header_hash, sizeof b->header.facts.header_hash,
		(const uint8_t *)b->header_text, len, NULL, 0);
	layout_init(&b->layout, b->header.facts.count);
	if (size != b->header.facts.size || size < b->layout.entries + TAR_END)
		return err_set(e, ERR_INTEGRITY, LAB_AGAIN,
			"the bundle has %llu bytes and should have %llu: it was not copied "
			"completely, "
			"or changed",
			(unsigned long long)size, (unsigned long long)b->header.facts.size);
	return check_block(b, MEMBER_HEADER, len, e);
}

static int check_signature(struct bundle *b, const struct lab_pub *lab, struct err *e)
{
	uint8_t sig[TAR_BLOCK];
	char comment[LAB_COMMENT_MAX + 1], want[64] = "odjstick bundle ", keyid[LAB_KEYID_TEXT];
	size_t len = 0, header_len = strnlen(b->header_text, HEADER_MAX);
	int ret = read_small(b, MEMBER_SIGNATURE, sig, &len, e);
	if (ret == 0)
		ret = check_block(b, MEMBER_SIGNATURE, len, e);
	if (ret < 0 || !lab)
		return ret;
	ret = lab_verify(lab, b->header_text, header_len, sig, len, "the bundle", comment, e);
	if (ret < 0)
		return ret;
	lab_keyid(lab, keyid);
	memcpy(want + strlen(want), b->header.facts.id_text, BUNDLE_ID_TEXT);
	if (strcmp(comment, want) != 0 || strcmp(keyid, b->header.facts.lab_keyid) != 0)
		return err_set(e, ERR_INTEGRITY, LAB_AGAIN,
			"the lab's signature belongs to another bundle");
	b->header.facts.lab_verified = true;
	return 0;
}

static int open_rest(struct bundle *b, struct err *e)
{
	int ret = 0;
	for (int m = MEMBER_KEYS; ret == 0 && m < MEMBER_COUNT; m++)
		ret = check_block(b, m, b->layout.size[m], e);
	uint8_t end[TAR_END];
	if (ret == 0)
		ret = bytedev_read(b->dev, b->header.facts.size - TAR_END, end, sizeof end, e);
	if (ret == 0 && !zero(end, sizeof end))
		ret = err_set(e, ERR_INTEGRITY, LAB_AGAIN, "the end of the archive is damaged");
	if (ret == 0)
		ret = bytedev_read(b->dev, b->layout.at[MEMBER_KEYS], b->keys, sizeof b->keys, e);
	if (ret == 0)
		ret = keyslots_check(
			b->keys, &b->header.facts.needs_keyfile, &b->header.facts.recipients, e);
	return ret;
}

int bundle_open(struct bundle **out, const char *path, const struct lab_pub *lab, struct err *e)
{
	struct bundle *b = calloc(1, sizeof *b);
	if (!b)
		return err_nomem(e);
	b->page_number = -1;
	b->path = strdup(path);
	int ret = b->path ? bytedev_open_file(&b->dev, path, 0, 0, e) : err_nomem(e);
	if (ret == 0) {
		ret = open_header(b, e);
		if (ret == 0)
			ret = check_signature(b, lab, e);
		if (ret == 0)
			ret = open_rest(b, e);
		if (ret < 0)
			err_ctx(e, "%s", path);
	}
	if (ret == 0)
		*out = STEAL(b);
	bundle_close(b);
	return ret;
}

void bundle_close(struct bundle *b)
{
	if (!b)
		return;
	secret_clear(&b->secret);
	bytedev_close(b->dev);
	free(b->path);
	free(b);
}

const struct bundle_facts *bundle_facts(const struct bundle *b)
{
	return &b->header.facts;
}

uint32_t bundle_count(const struct bundle *b)
{
	return b->header.facts.count;
}

/* --- unlock --- */

/* keys holds the master key: derive the others and see that the header was made with it. */
static int accept_master(struct bundle *b, struct secret *keys, struct err *e)
{
	uint8_t mac[CRYPTO_HASH];
	keys_derive(keys_of(keys), b->header.facts.id);
	keys_header_mac(keys_of(keys), b->header_text, b->mac_covers, mac);
	if (sodium_memcmp(mac, b->header.mac, CRYPTO_HASH) != 0)
		return err_set(e, ERR_INTEGRITY, LAB_AGAIN,
			"%s: the header does not belong to the key that opened the bundle",
			b->path);
	secret_move(&b->secret, keys);
	return 0;
}

int bundle_unlock(struct bundle *b, const struct secret *passphrase, const struct secret *keyfile,
	struct err *e)
{
	struct secret keys = SECRET_INIT;
	int ret = secret_alloc(&keys, sizeof(struct bundle_keys), e);
	if (ret == 0)
		ret = keyslot_open_passphrase(b->keys, b->header.facts.id, passphrase, keyfile,
			keys_of(&keys)->master, e);
	if (ret == 0)
		ret = accept_master(b, &keys, e);
	secret_clear(&keys);
	return ret;
}

int bundle_unlock_recipient(struct bundle *b, const struct recipient_key *key, struct err *e)
{
	struct secret keys = SECRET_INIT;
	int ret = secret_alloc(&keys, sizeof(struct bundle_keys), e);
	if (ret == 0)
		ret = keyslots_open_recipient(
			b->keys, b->header.facts.id, key, keys_of(&keys)->master, e);
	if (ret == 0)
		ret = accept_master(b, &keys, e);
	secret_clear(&keys);
	return ret;
}

bool bundle_unlocked(const struct bundle *b)
{
	return b->secret.p != NULL;
}

int bundle_need_key(const struct bundle *b, struct err *e)
{
	if (bundle_unlocked(b))
		return 0;
	return err_set(e, ERR_KEY, "Give the passphrase.", "%s is locked", b->path);
}

int bundle_derive_key(const struct bundle *b, const char *label, struct secret *out, struct err *e)
{
	int ret = bundle_need_key(b, e);
	if (ret == 0)
		ret = secret_alloc(out, CRYPTO_KEY, e);
	if (ret == 0)
		crypto_derive(out->p, keys_of(&b->secret)->master, label, b->header.facts.id,
			BUNDLE_ID_LEN);
	return ret;
}

int bundle_need_id(const struct bundle *b, uint32_t id, struct err *e)
{
	if (id < b->header.facts.count)
		return 0;
	return err_set(e, ERR_NOTFOUND, NULL, "%s has no entry %u", b->path, id);
}

int bundle_leaf_verify(struct bundle *b, uint32_t leaf, const void *p, size_t n, struct err *e)
{
	uint8_t hash[CRYPTO_HASH];
	merkle_leaf(hash, p, n);
	return merkle_verify(
		b->dev, b->layout.at[MEMBER_TREE], b->layout.leaves, leaf, hash, b->header.root, e);
}
