#include "bundle/recipient.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "bundle/armor.h"
#include "bundle/keybox.h"

#define PUB_MAGIC "odjrcpp1"
#define PUB_MAGIC_LEN 8
#define PUB_SIZE (PUB_MAGIC_LEN + RECIPIENT_PK_LEN)
#define PUB_FILE_MAX 4096u

struct recipient_key {
	struct recipient_pub pub;
	struct secret sk;
};

static int write_keys(const char *base, const struct secret *passphrase, const uint8_t *sk,
	const uint8_t *pk, struct err *e)
{
	CLEANUP(buf_clear) struct buf key = BUF_INIT;
	CLEANUP(buf_clear) struct buf pub = BUF_INIT;
	uint8_t bin[PUB_SIZE];
	memcpy(bin, PUB_MAGIC, PUB_MAGIC_LEN);
	memcpy(bin + PUB_MAGIC_LEN, pk, RECIPIENT_PK_LEN);
	int ret = keybox_seal(
		&key, KEYBOX_RECIPIENT, "odjstick recipient secret key", pk, sk, passphrase, e);
	if (ret == 0)
		ret = armor_add(&pub, "odjstick recipient public key", bin, sizeof bin, e);
	return ret < 0 ? ret : keybox_write_pair(base, &key, &pub, e);
}

int recipient_keygen(const char *base, const struct secret *passphrase, struct err *e)
{
	struct secret sk = SECRET_INIT;
	uint8_t pk[RECIPIENT_PK_LEN];
	int ret = secret_alloc(&sk, crypto_box_SECRETKEYBYTES, e);
	if (ret == 0) {
		crypto_box_keypair(pk, sk.p);
		ret = write_keys(base, passphrase, sk.p, pk, e);
	}
	secret_clear(&sk);
	return ret;
}

static bool take_key(struct span *text, struct recipient_pub *pub)
{
	struct span line, comment;
	uint8_t bin[PUB_SIZE];
	if (!armor_line(text, &line) || !armor_prefix(line, ARMOR_COMMENT, &comment) ||
		!armor_line(text, &line) || !armor_base64(line, bin, sizeof bin) ||
		memcmp(bin, PUB_MAGIC, PUB_MAGIC_LEN) != 0)
		return false;
	memcpy(pub->pk, bin + PUB_MAGIC_LEN, RECIPIENT_PK_LEN);
	return true;
}

int recipient_pub_read(
	const char *path, struct recipient_pub pubs[RECIPIENTS_MAX], size_t *count, struct err *e)
{
	CLEANUP(buf_clear) struct buf text = BUF_INIT;
	int ret = file_read(path, PUB_FILE_MAX, &text, e);
	if (ret < 0)
		return ret;
	struct span rest = SPAN_OF(text);
	*count = 0;
	do {
		if (*count == RECIPIENTS_MAX)
			return err_set(e, ERR_LIMIT, "Give fewer recipients.",
				"%s holds more than %d recipients", path, RECIPIENTS_MAX);
		if (!take_key(&rest, &pubs[*count]))
			return err_set(e, ERR_FORMAT,
				"Name .pub files that `odjstick lab recipient` wrote.",
				"%s does not hold recipients' public keys", path);
		(*count)++;
	} while (rest.len);
	return 0;
}

int recipient_key_open(struct recipient_key **key, const char *path,
	const struct secret *passphrase, struct err *e)
{
	struct recipient_key *k = calloc(1, sizeof *k);
	if (!k)
		return err_nomem(e);
	int ret = keybox_open(path, KEYBOX_RECIPIENT, passphrase, k->pub.pk, &k->sk, e);
	if (ret == 0) {
		crypto_scalarmult_base(k->pub.pk, k->sk.p);
		*key = STEAL(k);
	}
	recipient_key_close(k);
	return ret;
}

void recipient_key_close(struct recipient_key *key)
{
	if (!key)
		return;
	secret_clear(&key->sk);
	free(key);
}

const uint8_t *recipient_key_secret(const struct recipient_key *key)
{
	return key->sk.p;
}

const struct recipient_pub *recipient_key_pub(const struct recipient_key *key)
{
	return &key->pub;
}
