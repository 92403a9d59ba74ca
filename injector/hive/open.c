/* Opening, creating, saving and closing a hive. */
#include "hive/hive_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_CHUNK (256U << 10)

static const char untouched[] = "The file was not changed.";

static int check_base(const uint8_t *b, const char *name, struct err *e)
{
	uint32_t minor = le32(b + BB_MINOR);
	if (le32(b + BB_MAJOR) != 1 || minor < 3 || minor > 6)
		return err_set(e, ERR_UNSUPPORTED, untouched, "%s: hive version %u.%u is not known",
			name, le32(b + BB_MAJOR), minor);
	if (le32(b + BB_TYPE) != TYPE_PRIMARY || le32(b + BB_FORMAT) != 1)
		return err_set(e, ERR_FORMAT, "Name the hive, not one of its logs.",
			"%s: not a primary hive file (type %u)", name, le32(b + BB_TYPE));
	return 0;
}

static int check_length(const uint8_t *b, uint64_t file, const char *name, struct err *e)
{
	uint32_t len = le32(b + BB_LENGTH);
	if (len > HIVE_SIZE_MAX)
		return err_set(e, ERR_LIMIT, untouched, "%s: hive of %u MiB, more than %u", name,
			len >> 20, HIVE_SIZE_MAX >> 20);
	if (len == 0 || len % PAGE || file < BASE_LEN || len > file - BASE_LEN)
		return err_set(e, ERR_INTEGRITY, untouched,
			"%s: hive is cut short: %u bytes of bins, file of %llu", name, len,
			(unsigned long long)file);
	return 0;
}

/* Bins as they lie in the file, at most as long as the file and the base block allow. */
static int read_bins(struct hive *h, bool all, struct err *e)
{
	uint64_t have = h->file_len - BASE_LEN;
	uint32_t len = le32(h->base + BB_LENGTH);
	if (all || len > have)
		len = have > HIVE_SIZE_MAX ? HIVE_SIZE_MAX : (uint32_t)have & ~(PAGE - 1);
	int ret = image_reserve(h, len, e);
	if (ret < 0)
		return ret;
	h->len = len;
	if (h->was_dirty)
		return bytedev_read(h->dev, BASE_LEN, h->bins, len, e);
	/* Cells are found while what was read is still in the processor's cache. */
	for (uint32_t done = 0, mapped = 0, n; ret == 0 && done < len; done += n) {
		n = len - done < READ_CHUNK ? len - done : READ_CHUNK;
		ret = bytedev_read(h->dev, BASE_LEN + (uint64_t)done, h->bins + done, n, e);
		if (ret == 0)
			ret = image_map_some(h, &mapped, done + n, e);
	}
	h->mapped = ret == 0;
	return ret;
}

/* --- recovery in memory --- */

static int mem_resize(void *ctx, uint32_t len, struct err *e)
{
	struct hive *h = ctx;
	if (len <= h->len)
		return 0; /* an entry may shrink the hive and a later one grow it again */
	int ret = image_reserve(h, len, e);
	if (ret == 0) {
		/* Behind the old end lies what the file has there, else zeros. */
		uint64_t have = h->file_len - BASE_LEN;
		uint32_t from = h->len, end = have < len ? (uint32_t)have : len;
		memset(h->bins + from, 0, len - from);
		if (end > from)
			ret = bytedev_read(
				h->dev, BASE_LEN + (uint64_t)from, h->bins + from, end - from, e);
	}
	if (ret == 0)
		h->len = len;
	return ret;
}

static int mem_page(void *ctx, uint32_t at, const uint8_t *p, uint32_t n, struct err *e)
{
	struct hive *h = ctx;
	if (at > h->len || n > h->len - at)
		return damaged(e, at, "log page lies outside the hive");
	memcpy(h->bins + at, p, n);
	return 0;
}

static int refuse_dirty(const struct hive *h, const struct replay *r, bool valid, struct err *e)
{
	char seq[64] = "its first sector is damaged";
	if (valid)
		snprintf(seq, sizeof seq, "sequence numbers %u and %u differ",
			le32(h->base + BB_SEQ1), le32(h->base + BB_SEQ2));
	return err_set(e, ERR_UNSAFE,
		"Nothing was changed. Start this Windows once, shut it down fully (hold Shift, or "
		"`shutdown /s /t 0`), then try again.",
		"%s: hive was not closed cleanly (%s) and no usable log explains it%s%s",
		h->dev->name, seq, r->note[0] ? ": " : "", r->note);
}

static int recover(struct hive *h, bool valid, struct err *e)
{
	struct log_file logs[2] = {{0}, {0}};
	struct replay r = {0};
	struct replay_sink sink = {mem_resize, mem_page, h};
	int ret = log_load(h->log[0], &logs[0], e);
	if (ret == 0)
		ret = log_load(h->log[1], &logs[1], e);
	if (ret == 0)
		ret = log_replay(h->base, h->len ? h->bins : NULL, logs, &sink, &r, e);
	log_clear(&logs[0]);
	log_clear(&logs[1]);
	if (ret < 0)
		return ret;
	if (r.kind == HIVE_NOT_RECOVERED)
		return refuse_dirty(h, &r, valid, e);
	memcpy(h->base, r.base, SECTOR);
	base_seal(h->base);
	h->write_back = true;
	h->info.recovery = r.kind;
	h->info.base_rebuilt = r.rebuilt;
	h->info.log_entries = r.entries;
	h->info.log_pages = r.pages;
	memcpy(h->info.log_note, r.note, sizeof r.note);
	return 0;
}

static int load(struct hive *h, struct err *e)
{
	int ret = bytedev_size(h->dev, &h->file_len, e);
	if (ret == 0 && h->file_len < BASE_LEN + PAGE)
		ret = err_set(e, ERR_FORMAT, untouched, "%s: not a registry hive (%llu bytes)",
			h->dev->name, (unsigned long long)h->file_len);
	if (ret == 0)
		ret = bytedev_read(h->dev, 0, h->base, BASE_LEN, e);
	if (ret < 0)
		return ret;
	bool valid = base_valid(h->base);
	if (!valid && memcmp(h->base, "regf", 4) != 0 && !(h->log[0] || h->log[1]))
		return err_set(e, ERR_FORMAT, untouched, "%s: not a registry hive", h->dev->name);
	if (valid)
		ret = check_base(h->base, h->dev->name, e);
	h->was_dirty = !valid || le32(h->base + BB_SEQ1) != le32(h->base + BB_SEQ2);
	if (ret == 0 && !h->was_dirty)
		ret = check_length(h->base, h->file_len, h->dev->name, e);
	if (ret == 0)
		ret = read_bins(h, !valid, e);
	if (ret == 0 && h->was_dirty && !(h->flags & HIVE_AS_IS))
		ret = recover(h, valid, e);
	if (ret == 0)
		ret = check_base(h->base, h->dev->name, e);
	if (ret == 0)
		ret = check_length(h->base,
			h->write_back ? BASE_LEN + (uint64_t)h->len : h->file_len, h->dev->name, e);
	if (ret == 0)
		h->len = le32(h->base + BB_LENGTH);
	return ret;
}

static struct hive *hive_new(struct err *e)
{
	struct hive *h = calloc(1, sizeof *h);
	if (!h)
		err_nomem(e);
	return h;
}

int hive_open(struct hive **out, struct bytedev *primary, struct bytedev *log1,
	struct bytedev *log2, unsigned flags, struct err *e)
{
	struct hive *h = hive_new(e);
	if (!h)
		return -ERR_NOMEM;
	h->dev = primary;
	h->log[0] = log1;
	h->log[1] = log2;
	h->flags = flags;
	int ret = load(h, e);
	if (ret == 0) {
		ret = h->mapped ? 0 : image_map(h, e);
		if (ret == 0 && !key_node(h, hive_root(h), e))
			ret = -ERR_INTEGRITY;
		if (ret < 0)
			err_ctx(e, "%s", primary->name);
	}
	if (ret < 0) {
		hive_close(h);
		return ret;
	}
	*out = h;
	return 0;
}

void hive_close(struct hive *h)
{
	if (!h)
		return;
	image_wipe(h);
	free(h);
}

bool hive_is_modified(const struct hive *h)
{
	return h->modified;
}

void hive_get_info(const struct hive *h, struct hive_info *info)
{
	*info = h->info;
	info->minor = le32(h->base + BB_MINOR);
	info->seq1 = le32(h->base + BB_SEQ1);
	info->seq2 = le32(h->base + BB_SEQ2);
	info->written = le64(h->base + BB_TIME);
	info->bins = h->len;
	info->flags = le32(h->base + BB_FLAGS);
	info->dirty = h->was_dirty;
	info->layered = h->layered;
	info->modified = h->modified;
}

/* --- new hives --- */

static int create_root(struct hive *h, const struct hive_name *name, struct span sd, struct err *e)
{
	uint32_t root, sk;
	size_t n = name_store_len(name);
	int ret = cell_alloc(h, NK_NAME + (uint32_t)n, &root, e);
	if (ret == 0)
		ret = security_share(h, NIL, sd, &sk, e);
	if (ret < 0)
		return ret;
	uint8_t *nk = cell_edit(h, root, 0, NK_NAME + (uint32_t)n);
	put_sig(nk, "nk");
	put_le16(nk + NK_FLAGS,
		KEY_ENTRY | KEY_NO_DELETE | (name_fits_latin1(name) ? KEY_LATIN1 : 0));
	put_le64(nk + NK_TIME, h->now);
	put_le32(nk + NK_PARENT, NIL);
	put_le32(nk + NK_SUBLIST, NIL);
	put_le32(nk + NK_VOLATILE_LIST, NIL);
	put_le32(nk + NK_VALLIST, NIL);
	put_le32(nk + NK_SECURITY, sk);
	put_le32(nk + NK_CLASS, NIL);
	put_le16(nk + NK_NAME_LEN, (uint16_t)n);
	name_store(name, nk + NK_NAME);
	put_le32(h->base + BB_ROOT, root);
	return 0;
}

int hive_create(struct hive **out, unsigned minor, const char *root_name, struct span sd,
	uint64_t now, struct err *e)
{
	CLEANUP(buf_clear) struct buf units = BUF_INIT;
	struct hive_name name;
	if (minor != 3 && minor != 5)
		return err_set(
			e, ERR_UNSUPPORTED, NULL, "cannot create a hive of version 1.%u", minor);
	if (!security_valid(sd))
		return err_set(e, ERR_FORMAT, NULL, "security descriptor of the root is not valid");
	int ret = name_from_utf8(root_name, strlen(root_name), HIVE_KEY_NAME_MAX, &units, &name, e);
	if (ret < 0)
		return ret;
	struct hive *h = hive_new(e);
	if (!h)
		return -ERR_NOMEM;
	memcpy(h->base, "regf", 4);
	put_le32(h->base + BB_SEQ1, 1);
	put_le32(h->base + BB_SEQ2, 1);
	put_le32(h->base + BB_MAJOR, 1);
	put_le32(h->base + BB_MINOR, minor);
	put_le32(h->base + BB_FORMAT, 1);
	put_le32(h->base + BB_CLUSTER, 1);
	for (size_t i = 0, n = hive_name_len(&name); i < n && i < 31; i++)
		put_le16(h->base + BB_NAME + 2 * i, hive_name_unit(&name, i));
	h->now = now;
	h->editing = true;
	ret = image_reserve(h, PAGE, e);
	if (ret == 0)
		ret = create_root(h, &name, sd, e);
	if (ret < 0) {
		hive_close(h);
		return ret;
	}
	base_seal(h->base);
	h->modified = true;
	*out = h;
	return 0;
}

int hive_save(const struct hive *h, struct bytedev *out, struct err *e)
{
	if (h->broken)
		return err_set(e, ERR_REFUSED, "Nothing was written.",
			"an earlier edit of this hive failed half-way");
	uint8_t base[BASE_LEN];
	memcpy(base, h->base, BASE_LEN);
	base_seal(base);
	int ret = bytedev_resize(out, BASE_LEN + (uint64_t)h->len, e);
	if (ret == 0)
		ret = bytedev_write(out, 0, base, BASE_LEN, e);
	if (ret == 0)
		ret = bytedev_write(out, BASE_LEN, h->bins, h->len, e);
	return ret == 0 ? bytedev_sync(out, e) : ret;
}
