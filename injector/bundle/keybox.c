#include "bundle/keybox.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "bundle/armor.h"
#include "bundle/crypto.h"

/* Offsets in the box. Everything before the nonce is authenticated with the secret. */
enum {
	BOX_KIND = 0,
	BOX_PASSES = 8,
	BOX_MEMORY = 12,
	BOX_SALT = 16,
	BOX_PUBLIC = 32,
	BOX_SEALED = 64,
	BOX_SIZE = BOX_SEALED + KEYBOX_SECRET + CRYPTO_SEALED
};

#define KEYBOX_FILE_MAX 2048u

int keybox_seal(struct buf *out, const char *kind, const char *comment,
	const uint8_t public[KEYBOX_PUBLIC], const uint8_t secret[KEYBOX_SECRET],
	const struct secret *passphrase, struct err *e)
{
	uint8_t box[BOX_SIZE];
	struct kdf_cost cost = KDF_COST_DEFAULT;
	struct secret key = SECRET_INIT;
	memcpy(box + BOX_KIND, kind, KEYBOX_KIND_LEN);
	put_le32(box + BOX_PASSES, cost.passes);
	put_le32(box + BOX_MEMORY, cost.memory_kib);
	randombytes_buf(box + BOX_SALT, CRYPTO_SALT);
	memcpy(box + BOX_PUBLIC, public, KEYBOX_PUBLIC);
	int ret = kdf_passphrase(&key, passphrase, box + BOX_SALT, cost, e);
	if (ret == 0) {
		crypto_seal(box + BOX_SEALED, key.p, secret, KEYBOX_SECRET, box, BOX_SEALED);
		ret = armor_add(out, comment, box, sizeof box, e);
	}
	secret_clear(&key);
	return ret;
}

static int unseal(const uint8_t box[BOX_SIZE], const char *path, const struct secret *passphrase,
	struct secret *secret, struct err *e)
{
	struct kdf_cost cost = {le32(box + BOX_PASSES), le32(box + BOX_MEMORY)};
	struct secret key = SECRET_INIT;
	int ret = kdf_cost_check(cost, path, e);
	if (ret == 0)
		ret = kdf_passphrase(&key, passphrase, box + BOX_SALT, cost, e);
	if (ret == 0)
		ret = secret_alloc(secret, KEYBOX_SECRET, e);
	if (ret == 0 && !crypto_unseal(secret->p, key.p, box + BOX_SEALED, BOX_SIZE - BOX_SEALED,
				box, BOX_SEALED))
		ret = err_set(e, ERR_KEY,
			"Nothing was changed. Check the passphrase and try again.",
			"the passphrase does not open %s", path);
	if (ret < 0)
		secret_clear(secret);
	secret_clear(&key);
	return ret;
}

int keybox_open(const char *path, const char *kind, const struct secret *passphrase,
	uint8_t public[KEYBOX_PUBLIC], struct secret *secret, struct err *e)
{
	CLEANUP(buf_clear) struct buf text = BUF_INIT;
	uint8_t box[BOX_SIZE];
	int ret = file_read(path, KEYBOX_FILE_MAX, &text, e);
	if (ret < 0)
		return ret;
	if (!armor_read(text.p, text.len, box, sizeof box) ||
		memcmp(box, kind, KEYBOX_KIND_LEN) != 0)
		return err_set(e, ERR_FORMAT, "Nothing was changed. Name the .key file.",
			"%s is not a secret %s key", path,
			strcmp(kind, KEYBOX_LAB) == 0 ? "lab" : "recipient");
	memcpy(public, box + BOX_PUBLIC, KEYBOX_PUBLIC);
	return unseal(box, path, passphrase, secret, e);
}

static char *with_suffix(const char *base, const char *suffix)
{
	size_t n = strlen(base) + strlen(suffix) + 1;
	char *s = malloc(n);
	if (s)
		snprintf(s, n, "%s%s", base, suffix);
	return s;
}

int keybox_write_pair(const char *base, const struct buf *key, const struct buf *pub, struct err *e)
{
	CLEANUP(freep) char *key_path = with_suffix(base, ".key");
	CLEANUP(freep) char *pub_path = with_suffix(base, ".pub");
	if (!key_path || !pub_path)
		return err_nomem(e);
	int ret = file_create(pub_path, pub->p, pub->len, 0644, e);
	if (ret < 0)
		return ret;
	ret = file_create(key_path, key->p, key->len, 0600, e);
	if (ret < 0)
		unlink(pub_path);
	return ret;
}
