/* State of entries, and the one-way step from fresh to spent. */
#include <sodium.h>
#include <string.h>

#include "bundle/internal.h"

int bundle_slot_read(struct bundle *b, uint32_t id, uint8_t slot[SLOT_SIZE], struct err *e)
{
	int ret = bundle_need_id(b, id, e);
	return ret < 0 ? ret
		       : bytedev_read(b->dev, b->layout.at[MEMBER_SLOTS] + (uint64_t)id * SLOT_SIZE,
				 slot, SLOT_SIZE, e);
}

int bundle_entry_state(
	struct bundle *b, uint32_t id, enum bundle_state *state, int64_t *when, struct err *e)
{
	uint8_t slot[SLOT_SIZE];
	struct bundle_keys *keys = bundle_unlocked(b) ? keys_of(&b->secret) : NULL;
	int ret = bundle_slot_read(b, id, slot, e);
	if (ret < 0)
		return ret;
	*state = slot_state(slot, keys, &b->header.facts, id, when);
	if (keys)
		sodium_memzero(keys->entry, CRYPTO_KEY);
	return 0;
}

const char *bundle_state_name(enum bundle_state s)
{
	return s == BUNDLE_FRESH ? "fresh" : s == BUNDLE_SPENT ? "spent" : "damaged";
}

/* Open the same file for writing. A medium or file that may not be written is "read-only". */
static int open_writable(struct bundle *b, struct bytedev **d, struct err *e)
{
	struct err why = ERR_INIT;
	char text[HEADER_MAX];
	int ret = bytedev_open_file(d, b->path, 1, 0, &why);
	if (ret == -ERR_NOTFOUND)
		return err_set(e, ERR_NOTFOUND,
			"The entry is untouched. Is the stick still plugged in?", "%s is gone",
			b->path);
	if (ret < 0)
		return err_set(e, ERR_READONLY,
			"The entry is untouched. Remove the write protection and try again.",
			"the bundle cannot be written: %s", why.what);
	ret = bytedev_read(*d, b->layout.at[MEMBER_HEADER], text, sizeof text, e);
	if (ret == 0 && memcmp(text, b->header_text, sizeof text) != 0)
		ret = err_set(e, ERR_INTEGRITY, "Nothing was changed. Start again.",
			"%s was replaced by another bundle meanwhile", b->path);
	if (ret < 0)
		bytedev_close(*d);
	return ret;
}

int bundle_can_spend(struct bundle *b, struct err *e)
{
	struct bytedev *d;
	int ret = open_writable(b, &d, e);
	if (ret == 0)
		bytedev_close(d);
	return ret;
}

static int overwrite(struct bundle *b, struct bytedev *d, uint32_t id, int64_t now, struct err *e)
{
	uint8_t slot[SLOT_SIZE], back[SLOT_SIZE];
	uint64_t at = b->layout.at[MEMBER_SLOTS] + (uint64_t)id * SLOT_SIZE;
	slot_spent(slot, keys_of(&b->secret), &b->header.facts, id, now);
	int ret = bytedev_write(d, at, slot, sizeof slot, e);
	if (ret == 0)
		ret = bytedev_sync(d, e);
	if (ret == 0) {
		bytedev_drop_cache(d);
		ret = bytedev_read(d, at, back, sizeof back, e);
	}
	if (ret == 0 && memcmp(slot, back, sizeof slot) != 0)
		ret = err_set(e, ERR_IO, "Take this stick out of use and tell the lab.",
			"the stick did not keep what was written: the entry may still be usable");
	return ret;
}

int bundle_entry_spend(struct bundle *b, uint32_t id, int64_t now, struct err *e)
{
	enum bundle_state state = BUNDLE_DAMAGED;
	struct bytedev *d = NULL;
	int ret = bundle_need_key(b, e);
	if (ret == 0)
		ret = bundle_entry_state(b, id, &state, NULL, e);
	if (ret == 0 && state == BUNDLE_SPENT)
		ret = err_set(e, ERR_SPENT, "Nothing was changed.", "the entry was used before");
	if (ret == 0)
		ret = open_writable(b, &d, e);
	if (ret == 0) {
		ret = overwrite(b, d, id, now, e);
		bytedev_close(d);
	}
	if (ret < 0)
		err_ctx(e, "%s: entry %u", b->path, id);
	return ret;
}
