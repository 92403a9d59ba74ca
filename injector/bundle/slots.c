#include "bundle/slots.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"

#define MARK 16

static const char mark_pass[MARK + 1] = "odjb key pass  \n";
static const char mark_both[MARK + 1] = "odjb key both  \n";
static const char mark_x25519[MARK + 1] = "odjb key x25519\n";
static const char mark_fresh[MARK + 1] = "odjb slot fresh\n";
static const char mark_spent[MARK + 1] = "odjb slot spent\n";

#define WRAPPED (CRYPTO_KEY + CRYPTO_SEALED)

/* Passphrase slots. What lies before the sealed key is authenticated with it. */
enum { P_PASSES = 16, P_MEMORY = 20, P_SALT = 24, P_COMMIT = 40, P_SEALED = 72 };
/* Recipients' slots. */
enum { X_EPHEMERAL = 16, X_COMMIT = 48, X_SEALED = 80 };
/* Entry slots. */
enum { F_SEALED = 16, S_WHEN = 16, S_MAC = 24, S_END = 56 };

static bool marked(const uint8_t *slot, const char *mark)
{
	return memcmp(slot, mark, MARK) == 0;
}

static bool zero_from(const uint8_t *slot, size_t from, size_t size)
{
	return sodium_is_zero(slot + from, size - from) == 1;
}

/* --- keys --- */

void keys_derive(struct bundle_keys *k, const uint8_t id[BUNDLE_ID_LEN])
{
	crypto_derive(k->header, k->master, "odjb1 header", id, BUNDLE_ID_LEN);
	crypto_derive(k->catalog, k->master, "odjb1 catalog", id, BUNDLE_ID_LEN);
	crypto_derive(k->lookup, k->master, "odjb1 lookup", id, BUNDLE_ID_LEN);
	crypto_derive(k->slot, k->master, "odjb1 slot", id, BUNDLE_ID_LEN);
	crypto_derive(k->spent, k->master, "odjb1 spent", id, BUNDLE_ID_LEN);
}

void keys_header_mac(
	const struct bundle_keys *k, const void *text, size_t covered, uint8_t mac[CRYPTO_HASH])
{
	crypto_generichash(mac, CRYPTO_HASH, text, covered, k->header, CRYPTO_KEY);
}

void keys_lookup(const struct bundle_keys *k, enum bundle_by by, const char *normal,
	uint8_t out[LOOKUP_HASH])
{
	uint8_t message[1 + IDENTITY_MAX] = {(uint8_t)(by + 1)};
	size_t n = strlen(normal);
	if (n > IDENTITY_MAX)
		n = IDENTITY_MAX;
	memcpy(message + 1, normal, n);
	crypto_generichash(out, LOOKUP_HASH, message, 1 + n, k->lookup, CRYPTO_KEY);
}

void lookup_name(const char *name, char out[IDENTITY_MAX + 1])
{
	size_t n = 0;
	for (; name[n] && n < IDENTITY_MAX; n++)
		out[n] = name[n] >= 'a' && name[n] <= 'z' ? (char)(name[n] - 'a' + 'A') : name[n];
	out[n] = '\0';
}

size_t bind_entry(
	uint8_t out[BIND_MAX], const char *label, const struct bundle_facts *f, uint32_t id)
{
	size_t n = strlen(label) + 1;
	memcpy(out, label, n);
	memcpy(out + n, f->id, BUNDLE_ID_LEN);
	put_le32(out + n + BUNDLE_ID_LEN, id);
	put_le64(out + n + BUNDLE_ID_LEN + 4, (uint64_t)f->expires);
	return n + BUNDLE_ID_LEN + 4 + 8;
}

/* --- wrapping the master key under a key-encryption key --- */

static size_t wrap_ad(uint8_t *ad, const uint8_t *slot, size_t sealed_at, const uint8_t *id)
{
	memcpy(ad, slot, sealed_at);
	memcpy(ad + sealed_at, id, BUNDLE_ID_LEN);
	return sealed_at + BUNDLE_ID_LEN;
}

/* work: two keys in secret memory, [0] the key-encryption key, [1] scratch. */
static void wrap(uint8_t *slot, size_t commit_at, size_t sealed_at, const uint8_t *id,
	uint8_t *work, const uint8_t *master)
{
	uint8_t ad[128];
	crypto_derive(slot + commit_at, work, "odjb1 wrap commit", id, BUNDLE_ID_LEN);
	crypto_derive(work + CRYPTO_KEY, work, "odjb1 wrap", id, BUNDLE_ID_LEN);
	size_t n = wrap_ad(ad, slot, sealed_at, id);
	crypto_seal(slot + sealed_at, work + CRYPTO_KEY, master, CRYPTO_KEY, ad, n);
}

static bool unwrap(const uint8_t *slot, size_t commit_at, size_t sealed_at, const uint8_t *id,
	uint8_t *work, uint8_t *master)
{
	uint8_t ad[128], commit[CRYPTO_HASH];
	crypto_derive(commit, work, "odjb1 wrap commit", id, BUNDLE_ID_LEN);
	crypto_derive(work + CRYPTO_KEY, work, "odjb1 wrap", id, BUNDLE_ID_LEN);
	size_t n = wrap_ad(ad, slot, sealed_at, id);
	return sodium_memcmp(commit, slot + commit_at, CRYPTO_HASH) == 0 &&
	       crypto_unseal(master, work + CRYPTO_KEY, slot + sealed_at, WRAPPED, ad, n);
}

/* --- passphrase slots --- */

static int passphrase_kek(const uint8_t *slot, const uint8_t *id, const struct secret *passphrase,
	const struct secret *keyfile, struct secret *work, struct err *e)
{
	struct kdf_cost cost = {le32(slot + P_PASSES), le32(slot + P_MEMORY)};
	struct secret stretched = SECRET_INIT;
	int ret = kdf_cost_check(cost, "key slot 0", e);
	if (ret == 0)
		ret = kdf_passphrase(&stretched, passphrase, slot + P_SALT, cost, e);
	if (ret == 0)
		ret = secret_alloc(work, 2 * CRYPTO_KEY, e);
	if (ret == 0 && keyfile) {
		uint8_t message[BUNDLE_ID_LEN + 64];
		memcpy(message, id, BUNDLE_ID_LEN);
		crypto_generichash(message + BUNDLE_ID_LEN, 64, keyfile->p, keyfile->len, NULL, 0);
		crypto_derive(work->p, stretched.p, "odjb1 keyfile", message, sizeof message);
		sodium_memzero(message, sizeof message);
	} else if (ret == 0) {
		crypto_derive(work->p, stretched.p, "odjb1 passphrase", id, BUNDLE_ID_LEN);
	}
	secret_clear(&stretched);
	return ret;
}

int keyslot_passphrase(uint8_t slot[KEYS_SLOT], const uint8_t id[BUNDLE_ID_LEN],
	const uint8_t master[CRYPTO_KEY], const struct secret *passphrase,
	const struct secret *keyfile, struct kdf_cost cost, struct err *e)
{
	struct secret work = SECRET_INIT;
	memset(slot, 0, KEYS_SLOT);
	memcpy(slot, keyfile ? mark_both : mark_pass, MARK);
	put_le32(slot + P_PASSES, cost.passes);
	put_le32(slot + P_MEMORY, cost.memory_kib);
	randombytes_buf(slot + P_SALT, CRYPTO_SALT);
	int ret = passphrase_kek(slot, id, passphrase, keyfile, &work, e);
	if (ret == 0)
		wrap(slot, P_COMMIT, P_SEALED, id, work.p, master);
	secret_clear(&work);
	return ret;
}

int keyslot_open_passphrase(const uint8_t slot[KEYS_SLOT], const uint8_t id[BUNDLE_ID_LEN],
	const struct secret *passphrase, const struct secret *keyfile, uint8_t *master,
	struct err *e)
{
	bool both = marked(slot, mark_both);
	if (both && !keyfile)
		return err_set(e, ERR_KEY, "Give the key file as well (--keyfile).",
			"this bundle opens only with its passphrase and its key file together");
	struct secret work = SECRET_INIT;
	int ret = passphrase_kek(slot, id, passphrase, both ? keyfile : NULL, &work, e);
	if (ret == 0 && !unwrap(slot, P_COMMIT, P_SEALED, id, work.p, master))
		ret = err_set(e, ERR_KEY, "Nothing was changed. Type it again.",
			both ? "the passphrase and the key file do not open this bundle"
			     : "the passphrase does not open this bundle");
	secret_clear(&work);
	return ret;
}

/* --- recipients' slots --- */

/* work[0] becomes the key-encryption key. False for a degenerate public key. */
static bool recipient_kek(const uint8_t *slot, const uint8_t *id, const uint8_t *secret,
	const uint8_t *their_public, const uint8_t *recipient_public, uint8_t *work)
{
	uint8_t message[BUNDLE_ID_LEN + 2 * RECIPIENT_PK_LEN];
	memcpy(message, id, BUNDLE_ID_LEN);
	memcpy(message + BUNDLE_ID_LEN, slot + X_EPHEMERAL, RECIPIENT_PK_LEN);
	memcpy(message + BUNDLE_ID_LEN + RECIPIENT_PK_LEN, recipient_public, RECIPIENT_PK_LEN);
	if (crypto_scalarmult(work + CRYPTO_KEY, secret, their_public) != 0)
		return false;
	crypto_derive(work, work + CRYPTO_KEY, "odjb1 x25519", message, sizeof message);
	return true;
}

int keyslot_recipient(uint8_t slot[KEYS_SLOT], const uint8_t id[BUNDLE_ID_LEN],
	const uint8_t master[CRYPTO_KEY], const struct recipient_pub *pub, struct err *e)
{
	struct secret work = SECRET_INIT, ephemeral = SECRET_INIT;
	int ret = secret_alloc(&work, 2 * CRYPTO_KEY, e);
	if (ret == 0)
		ret = secret_alloc(&ephemeral, CRYPTO_KEY, e);
	if (ret == 0) {
		memset(slot, 0, KEYS_SLOT);
		memcpy(slot, mark_x25519, MARK);
		crypto_box_keypair(slot + X_EPHEMERAL, ephemeral.p);
		if (recipient_kek(slot, id, ephemeral.p, pub->pk, pub->pk, work.p))
			wrap(slot, X_COMMIT, X_SEALED, id, work.p, master);
		else
			ret = err_set(e, ERR_FORMAT, "Nothing was written.",
				"a recipient's public key is not a usable key");
	}
	secret_clear(&ephemeral);
	secret_clear(&work);
	return ret;
}

int keyslots_open_recipient(const uint8_t keys[KEYS_COUNT * KEYS_SLOT],
	const uint8_t id[BUNDLE_ID_LEN], const struct recipient_key *key, uint8_t *master,
	struct err *e)
{
	struct secret work = SECRET_INIT;
	bool opened = false;
	int ret = secret_alloc(&work, 2 * CRYPTO_KEY, e);
	for (uint32_t i = 1; ret == 0 && !opened && i < KEYS_COUNT; i++) {
		const uint8_t *slot = keys + (size_t)i * KEYS_SLOT;
		opened = marked(slot, mark_x25519) &&
			 recipient_kek(slot, id, recipient_key_secret(key), slot + X_EPHEMERAL,
				 recipient_key_pub(key)->pk, work.p) &&
			 unwrap(slot, X_COMMIT, X_SEALED, id, work.p, master);
	}
	secret_clear(&work);
	if (ret == 0 && !opened)
		ret = err_set(e, ERR_KEY,
			"Nothing was changed. Use another key, or the passphrase.",
			"this bundle was not made for this recipient");
	return ret;
}

static int bad_slot(uint32_t i, const char *why, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, "It must not be used. Get the bundle from the lab again.",
		"key slot %u %s", i, why);
}

int keyslots_check(const uint8_t keys[KEYS_COUNT * KEYS_SLOT], bool *needs_keyfile,
	uint32_t *recipients, struct err *e)
{
	bool both = marked(keys, mark_both);
	if ((!both && !marked(keys, mark_pass)) || !zero_from(keys, P_SEALED + WRAPPED, KEYS_SLOT))
		return bad_slot(0, "is damaged", e);
	*needs_keyfile = both;
	*recipients = 0;
	struct kdf_cost cost = {le32(keys + P_PASSES), le32(keys + P_MEMORY)};
	int ret = kdf_cost_check(cost, "key slot 0", e);
	for (uint32_t i = 1; ret == 0 && i < KEYS_COUNT; i++) {
		const uint8_t *slot = keys + (size_t)i * KEYS_SLOT;
		if (zero_from(slot, 0, KEYS_SLOT))
			continue;
		if (!marked(slot, mark_x25519) || *recipients != i - 1 ||
			!zero_from(slot, X_SEALED + WRAPPED, KEYS_SLOT))
			ret = bad_slot(i, "is damaged", e);
		else
			(*recipients)++;
	}
	return ret;
}

/* --- entry slots --- */

void slot_fresh(uint8_t slot[SLOT_SIZE], const struct bundle_keys *k, const struct bundle_facts *f,
	uint32_t id)
{
	uint8_t ad[BIND_MAX];
	size_t n = bind_entry(ad, "odjb1 slot", f, id);
	memset(slot, 0, SLOT_SIZE);
	memcpy(slot, mark_fresh, MARK);
	crypto_seal(slot + F_SEALED, k->slot, k->entry, CRYPTO_KEY, ad, n);
}

static void spent_mac(const struct bundle_keys *k, const struct bundle_facts *f, uint32_t id,
	const uint8_t when[8], uint8_t mac[CRYPTO_HASH])
{
	uint8_t message[BIND_MAX + 8];
	size_t n = bind_entry(message, "odjb1 spent", f, id);
	memcpy(message + n, when, 8);
	crypto_generichash(mac, CRYPTO_HASH, message, n + 8, k->spent, CRYPTO_KEY);
}

void slot_spent(uint8_t slot[SLOT_SIZE], const struct bundle_keys *k, const struct bundle_facts *f,
	uint32_t id, int64_t now)
{
	memset(slot, 0, SLOT_SIZE);
	memcpy(slot, mark_spent, MARK);
	put_le64(slot + S_WHEN, (uint64_t)now);
	spent_mac(k, f, id, slot + S_WHEN, slot + S_MAC);
}

static bool spent_holds(
	const uint8_t *slot, const struct bundle_keys *k, const struct bundle_facts *f, uint32_t id)
{
	uint8_t mac[CRYPTO_HASH];
	spent_mac(k, f, id, slot + S_WHEN, mac);
	return sodium_memcmp(mac, slot + S_MAC, CRYPTO_HASH) == 0;
}

static bool fresh_opens(
	const uint8_t *slot, struct bundle_keys *k, const struct bundle_facts *f, uint32_t id)
{
	uint8_t ad[BIND_MAX];
	size_t n = bind_entry(ad, "odjb1 slot", f, id);
	return crypto_unseal(k->entry, k->slot, slot + F_SEALED, WRAPPED, ad, n);
}

enum bundle_state slot_state(const uint8_t slot[SLOT_SIZE], struct bundle_keys *k,
	const struct bundle_facts *f, uint32_t id, int64_t *when)
{
	if (when)
		*when = 0;
	if (marked(slot, mark_spent) && zero_from(slot, S_END, SLOT_SIZE) &&
		(!k || spent_holds(slot, k, f, id))) {
		if (when)
			*when = (int64_t)le64(slot + S_WHEN);
		return BUNDLE_SPENT;
	}
	if (marked(slot, mark_fresh) && zero_from(slot, F_SEALED + WRAPPED, SLOT_SIZE) &&
		(!k || fresh_opens(slot, k, f, id)))
		return BUNDLE_FRESH;
	return BUNDLE_DAMAGED;
}
