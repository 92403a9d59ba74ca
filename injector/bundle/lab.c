#include "bundle/lab.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "bundle/armor.h"
#include "bundle/crypto.h"
#include "bundle/keybox.h"

/* minisign: "Ed" marks a key, "ED" a signature of the BLAKE2b-512 of the file. */
#define ALG_KEY "Ed"
#define ALG_PREHASHED "ED"
#define ALG_LEN 2
#define PUB_SIZE (ALG_LEN + LAB_KEYID_LEN + LAB_PK_LEN)
#define SIG_LEN 64
#define SIG_SIZE (ALG_LEN + LAB_KEYID_LEN + SIG_LEN)
#define PREHASH_LEN 64
#define PUB_FILE_MAX 1024u
#define TRUSTED "trusted comment: "

struct lab_key {
	struct lab_pub pub;
	struct secret sk; /* libsodium's 64-byte form */
};

/* minisign draws the key id at random and compares it only; ours follows from the key. */
static void set_id(struct lab_pub *pub)
{
	uint8_t hash[CRYPTO_HASH];
	crypto_generichash(hash, sizeof hash, pub->pk, LAB_PK_LEN, NULL, 0);
	memcpy(pub->id, hash, LAB_KEYID_LEN);
}

void lab_keyid(const struct lab_pub *pub, char out[LAB_KEYID_TEXT])
{
	snprintf(out, LAB_KEYID_TEXT, "%016llX", (unsigned long long)le64(pub->id));
}

void lab_code(const uint8_t *hash, char out[LAB_FINGERPRINT_TEXT])
{
	/* Without I, L, O, U: nothing that is misread aloud. */
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	size_t n = 0;
	for (size_t i = 0; i < 16; i++) {
		if (i && i % 4 == 0)
			out[n++] = '-';
		size_t bit = i * 5;
		unsigned two = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];
		out[n++] = digits[two >> (11 - bit % 8) & 31];
	}
	out[n] = '\0';
}

void lab_fingerprint(const struct lab_pub *pub, char out[LAB_FINGERPRINT_TEXT])
{
	uint8_t hash[CRYPTO_HASH];
	crypto_generichash(hash, sizeof hash, pub->pk, LAB_PK_LEN, NULL, 0);
	lab_code(hash, out);
}

int lab_pub_text(const struct lab_pub *pub, struct buf *out, struct err *e)
{
	uint8_t bin[PUB_SIZE];
	char comment[64], id[LAB_KEYID_TEXT];
	lab_keyid(pub, id);
	snprintf(comment, sizeof comment, "odjstick lab public key %s", id);
	memcpy(bin, ALG_KEY, ALG_LEN);
	memcpy(bin + ALG_LEN, pub->id, LAB_KEYID_LEN);
	memcpy(bin + ALG_LEN + LAB_KEYID_LEN, pub->pk, LAB_PK_LEN);
	return armor_add(out, comment, bin, sizeof bin, e);
}

int lab_pub_parse(
	const void *text, size_t len, const char *name, struct lab_pub *pub, struct err *e)
{
	uint8_t bin[PUB_SIZE];
	if (!armor_read(text, len, bin, sizeof bin) || memcmp(bin, ALG_KEY, ALG_LEN) != 0)
		return err_set(e, ERR_FORMAT,
			"Name the .pub file that `odjstick lab keygen` wrote.",
			"%s is not a lab public key", name);
	memcpy(pub->id, bin + ALG_LEN, LAB_KEYID_LEN);
	memcpy(pub->pk, bin + ALG_LEN + LAB_KEYID_LEN, LAB_PK_LEN);
	return 0;
}

int lab_pub_read(const char *path, struct lab_pub *pub, struct err *e)
{
	CLEANUP(buf_clear) struct buf text = BUF_INIT;
	int ret = file_read(path, PUB_FILE_MAX, &text, e);
	return ret < 0 ? ret : lab_pub_parse(text.p, text.len, path, pub, e);
}

static int write_keys(const char *base, const struct secret *passphrase, const uint8_t *seed,
	const struct lab_pub *pub, struct err *e)
{
	CLEANUP(buf_clear) struct buf key = BUF_INIT;
	CLEANUP(buf_clear) struct buf text = BUF_INIT;
	char comment[64], id[LAB_KEYID_TEXT];
	lab_keyid(pub, id);
	snprintf(comment, sizeof comment, "odjstick lab secret key %s", id);
	int ret = keybox_seal(&key, KEYBOX_LAB, comment, pub->pk, seed, passphrase, e);
	if (ret == 0)
		ret = lab_pub_text(pub, &text, e);
	return ret < 0 ? ret : keybox_write_pair(base, &key, &text, e);
}

int lab_keygen(
	const char *base, const struct secret *passphrase, struct lab_pub *pub, struct err *e)
{
	struct secret seed = SECRET_INIT, sk = SECRET_INIT;
	int ret = secret_alloc(&seed, crypto_sign_SEEDBYTES, e);
	if (ret == 0)
		ret = secret_alloc(&sk, crypto_sign_SECRETKEYBYTES, e);
	if (ret == 0) {
		randombytes_buf(seed.p, seed.len);
		crypto_sign_seed_keypair(pub->pk, sk.p, seed.p);
		set_id(pub);
		ret = write_keys(base, passphrase, seed.p, pub, e);
	}
	secret_clear(&sk);
	secret_clear(&seed);
	return ret;
}

int lab_key_open(
	struct lab_key **key, const char *path, const struct secret *passphrase, struct err *e)
{
	struct secret seed = SECRET_INIT;
	uint8_t public[LAB_PK_LEN];
	struct lab_key *k = calloc(1, sizeof *k);
	if (!k)
		return err_nomem(e);
	int ret = keybox_open(path, KEYBOX_LAB, passphrase, public, &seed, e);
	if (ret == 0)
		ret = secret_alloc(&k->sk, crypto_sign_SECRETKEYBYTES, e);
	if (ret == 0) {
		crypto_sign_seed_keypair(k->pub.pk, k->sk.p, seed.p);
		set_id(&k->pub);
		*key = STEAL(k);
	}
	secret_clear(&seed);
	lab_key_close(k);
	return ret;
}

void lab_key_close(struct lab_key *key)
{
	if (!key)
		return;
	secret_clear(&key->sk);
	free(key);
}

const struct lab_pub *lab_key_pub(const struct lab_key *key)
{
	return &key->pub;
}

static bool comment_ok(const char *s, size_t n)
{
	if (n > LAB_COMMENT_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return true;
}

/* What minisign's second signature covers: the first one, then the trusted comment. */
static size_t global_message(uint8_t out[SIG_LEN + LAB_COMMENT_MAX], const uint8_t sig[SIG_LEN],
	const void *comment, size_t n)
{
	memcpy(out, sig, SIG_LEN);
	memcpy(out + SIG_LEN, comment, n);
	return SIG_LEN + n;
}

int lab_sign(const struct lab_key *key, const void *p, size_t n, const char *trusted_comment,
	struct buf *out, struct err *e)
{
	uint8_t hash[PREHASH_LEN], bin[SIG_SIZE], global[SIG_LEN];
	uint8_t message[SIG_LEN + LAB_COMMENT_MAX];
	size_t comment_len = strlen(trusted_comment);
	if (!comment_ok(trusted_comment, comment_len))
		return err_set(e, ERR_FORMAT, "Nothing was signed.",
			"the trusted comment is not printable ASCII of at most %d bytes",
			LAB_COMMENT_MAX);
	uint8_t *sig = bin + ALG_LEN + LAB_KEYID_LEN;
	crypto_generichash(hash, sizeof hash, p, n, NULL, 0);
	memcpy(bin, ALG_PREHASHED, ALG_LEN);
	memcpy(bin + ALG_LEN, key->pub.id, LAB_KEYID_LEN);
	crypto_sign_detached(sig, NULL, hash, sizeof hash, key->sk.p);
	size_t len = global_message(message, sig, trusted_comment, comment_len);
	crypto_sign_detached(global, NULL, message, len, key->sk.p);
	int ret = armor_add(out, "odjstick lab signature", bin, sizeof bin, e);
	if (ret == 0)
		ret = buf_printf(out, e, TRUSTED "%s\n", trusted_comment);
	return ret < 0 ? ret : armor_add_base64(out, global, sizeof global, e);
}

void lab_sign_plain(const struct lab_key *key, const void *p, size_t n, uint8_t sig[64])
{
	crypto_sign_detached(sig, NULL, p, n, key->sk.p);
}

struct signature {
	uint8_t bin[SIG_SIZE];
	struct span comment;
	uint8_t global[SIG_LEN];
};

static bool parse_signature(const void *text, size_t len, struct signature *s)
{
	struct span rest = {text, len}, line, unused;
	return len <= LAB_SIG_MAX && armor_line(&rest, &line) &&
	       armor_prefix(line, ARMOR_COMMENT, &unused) && armor_line(&rest, &line) &&
	       armor_base64(line, s->bin, sizeof s->bin) && armor_line(&rest, &line) &&
	       armor_prefix(line, TRUSTED, &s->comment) &&
	       comment_ok((const char *)s->comment.p, s->comment.len) && armor_line(&rest, &line) &&
	       armor_base64(line, s->global, sizeof s->global) && rest.len == 0 &&
	       memcmp(s->bin, ALG_PREHASHED, ALG_LEN) == 0;
}

bool lab_signer(const void *sig, size_t sig_len, uint8_t id[LAB_KEYID_LEN])
{
	struct signature s;
	if (!parse_signature(sig, sig_len, &s))
		return false;
	memcpy(id, s.bin + ALG_LEN, LAB_KEYID_LEN);
	return true;
}

static bool signature_holds(
	const struct lab_pub *pub, const void *p, size_t n, const struct signature *s)
{
	uint8_t hash[PREHASH_LEN], message[SIG_LEN + LAB_COMMENT_MAX];
	const uint8_t *sig = s->bin + ALG_LEN + LAB_KEYID_LEN;
	crypto_generichash(hash, sizeof hash, p, n, NULL, 0);
	size_t len = global_message(message, sig, s->comment.p, s->comment.len);
	return crypto_sign_verify_detached(sig, hash, sizeof hash, pub->pk) == 0 &&
	       crypto_sign_verify_detached(s->global, message, len, pub->pk) == 0;
}

int lab_verify(const struct lab_pub *pub, const void *p, size_t n, const void *sig, size_t sig_len,
	const char *what, char trusted[LAB_COMMENT_MAX + 1], struct err *e)
{
	struct signature s;
	if (!parse_signature(sig, sig_len, &s))
		return err_set(e, ERR_INTEGRITY, "It must not be used. Get it from the lab again.",
			"%s carries no lab signature", what);
	char want[LAB_KEYID_TEXT], got[LAB_KEYID_TEXT];
	struct lab_pub signer = {{0}, {0}};
	memcpy(signer.id, s.bin + ALG_LEN, LAB_KEYID_LEN);
	lab_keyid(pub, want);
	lab_keyid(&signer, got);
	if (memcmp(signer.id, pub->id, LAB_KEYID_LEN) != 0)
		return err_set(e, ERR_INTEGRITY,
			"It must not be used here: it comes from another lab, or the lab's key is "
			"not "
			"the right one.",
			"%s is signed by the key %s, not by the lab's key %s", what, got, want);
	if (!signature_holds(pub, p, n, &s))
		return err_set(e, ERR_INTEGRITY, "It must not be used. Get it from the lab again.",
			"%s was changed after the lab signed it (key %s)", what, want);
	if (trusted) {
		memcpy(trusted, s.comment.p, s.comment.len);
		trusted[s.comment.len] = '\0';
	}
	return 0;
}
