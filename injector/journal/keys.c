#include "journal/keys.h"

#include <sodium.h>
#include <string.h>

#include "base/file.h"

#define SLOT_MAGIC "ODJKEY1\n"
#define SLOT_MAGIC_SIZE 8
#define SLOT_STICK SLOT_MAGIC_SIZE
#define SLOT_SEED (SLOT_STICK + JOURNAL_STICK_ID_SIZE)
#define SLOT_SUM (SLOT_SEED + KEYS_SEED_SIZE)

#define KEYS_PATH "state/journal.key"

#define LOST_NEXT "No PC was touched. Bring the stick back to the lab; do not use it for more PCs."

int session_key_new(struct session_key *k, struct err *e)
{
	int ret = secret_alloc(&k->sk, crypto_sign_SECRETKEYBYTES, e);
	if (ret == 0)
		crypto_sign_keypair(k->pub, k->sk.p);
	return ret;
}

static int session_key_from_seed(struct session_key *k, const uint8_t *seed, struct err *e)
{
	int ret = secret_alloc(&k->sk, crypto_sign_SECRETKEYBYTES, e);
	if (ret == 0)
		crypto_sign_seed_keypair(k->pub, k->sk.p, seed);
	return ret;
}

void session_key_clear(struct session_key *k)
{
	secret_clear(&k->sk);
}

int session_key_sign(void *ctx, const uint8_t *p, size_t n, uint8_t sig[64], struct err *e)
{
	const struct session_key *k = ctx;
	(void)e;
	crypto_sign_detached(sig, NULL, p, n, k->sk.p);
	return 0;
}

static void fill_slot(uint8_t *slot, const uint8_t *stick, const struct session_key *k)
{
	memset(slot, 0, KEYS_SLOT_SIZE);
	memcpy(slot, SLOT_MAGIC, SLOT_MAGIC_SIZE);
	memcpy(slot + SLOT_STICK, stick, JOURNAL_STICK_ID_SIZE);
	memcpy(slot + SLOT_SEED, k->sk.p, KEYS_SEED_SIZE);
	crypto_generichash(slot + SLOT_SUM, JOURNAL_HASH_SIZE, slot, SLOT_SUM, NULL, 0);
}

static bool slot_valid(const uint8_t *slot)
{
	uint8_t sum[JOURNAL_HASH_SIZE];
	crypto_generichash(sum, sizeof sum, slot, SLOT_SUM, NULL, 0);
	return memcmp(slot, SLOT_MAGIC, SLOT_MAGIC_SIZE) == 0 &&
	       memcmp(sum, slot + SLOT_SUM, sizeof sum) == 0;
}

int keys_create(const char *dir, const uint8_t stick[JOURNAL_STICK_ID_SIZE],
	const struct session_key *k, struct err *e)
{
	CLEANUP(freep) char *path = path_join(dir, KEYS_PATH);
	struct secret image = SECRET_INIT;
	if (!path)
		return err_nomem(e);
	int ret = secret_alloc(&image, (size_t)KEYS_SLOTS * KEYS_SLOT_SIZE, e);
	if (ret == 0) {
		fill_slot(image.p, stick, k);
		ret = file_put(path, image.p, image.len, 0600, e);
	}
	secret_clear(&image);
	return ret;
}

/* Find the slot whose key has the announced public half. */
static int find(struct keys *s, const uint8_t *image, const uint8_t *announced,
	struct session_key *k, struct err *e)
{
	for (int i = 0; i < KEYS_SLOTS; i++) {
		const uint8_t *slot = image + (size_t)i * KEYS_SLOT_SIZE;
		if (!slot_valid(slot))
			continue;
		int ret = session_key_from_seed(k, slot + SLOT_SEED, e);
		if (ret < 0)
			return ret;
		if (memcmp(k->pub, announced, sizeof k->pub) == 0) {
			memcpy(s->stick, slot + SLOT_STICK, sizeof s->stick);
			s->slot = i;
			return 0;
		}
	}
	session_key_clear(k);
	return err_set(e, ERR_INTEGRITY, LOST_NEXT,
		"%s does not hold the key that the end of the journal announces", s->dev->name);
}

int keys_open(struct keys *s, const char *dir, bool writable,
	const uint8_t announced[JOURNAL_HASH_SIZE], struct session_key *k, struct err *e)
{
	*s = (struct keys){0};
	CLEANUP(freep) char *path = path_join(dir, KEYS_PATH);
	struct secret image = SECRET_INIT;
	if (!path)
		return err_nomem(e);
	if (!file_exists(path))
		return err_set(e, writable ? ERR_INTEGRITY : ERR_NOTFOUND, LOST_NEXT,
			"%s, the key that continues the journal, is missing", path);
	uint64_t size = 0;
	int ret = bytedev_open_file(&s->dev, path, writable, 0, e);
	if (ret == 0)
		ret = bytedev_size(s->dev, &size, e);
	if (ret == 0 && size != (uint64_t)KEYS_SLOTS * KEYS_SLOT_SIZE)
		ret = err_set(e, ERR_INTEGRITY, LOST_NEXT, "%s has %llu bytes, not %d", path,
			(unsigned long long)size, KEYS_SLOTS * KEYS_SLOT_SIZE);
	if (ret == 0)
		ret = secret_alloc(&image, (size_t)KEYS_SLOTS * KEYS_SLOT_SIZE, e);
	if (ret == 0)
		ret = bytedev_read(s->dev, 0, image.p, image.len, e);
	if (ret == 0)
		ret = find(s, image.p, announced, k, e);
	secret_clear(&image);
	if (ret < 0 || !writable)
		keys_close(s);
	return ret;
}

/* Write one slot and sync; k NULL empties it. */
static int write_slot(struct keys *s, int slot, const struct session_key *k, struct err *e)
{
	struct secret image = SECRET_INIT;
	int ret = secret_alloc(&image, KEYS_SLOT_SIZE, e);
	if (ret == 0 && k)
		fill_slot(image.p, s->stick, k);
	if (ret == 0)
		ret = bytedev_write(s->dev, (uint64_t)slot * KEYS_SLOT_SIZE, image.p, image.len, e);
	if (ret == 0)
		ret = bytedev_sync(s->dev, e);
	secret_clear(&image);
	return ret;
}

int keys_put(struct keys *s, const struct session_key *k, struct err *e)
{
	return write_slot(s, 1 - s->slot, k, e);
}

int keys_switch(struct keys *s, struct err *e)
{
	int ret = write_slot(s, s->slot, NULL, e);
	if (ret == 0)
		s->slot = 1 - s->slot;
	return ret;
}

void keys_close(struct keys *s)
{
	if (s->dev)
		bytedev_close(s->dev);
	s->dev = NULL;
}
