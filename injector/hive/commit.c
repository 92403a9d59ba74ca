/*
 * Commit: edits reach the disk through the transaction log, in place.
 *
 *   1  the other log is blanked, the file grows if it must        (old)
 *   2  LOG1: base block copy + all that is dirty; sync            (old: primary is clean)
 *   3  base block: primary number raised = dirty; sync            (new: the log is replayed)
 *   4  dirty sectors; sync                                        (new: replayed again)
 *   5  base block: both numbers, new length = clean; sync         (new)
 *   6  LOG1 blanked; sync                                         (new)
 *
 * The argument for each cut, torn sectors included, is in docs/hive.md.
 */
#include "hive/hive_int.h"

#include <string.h>

enum { FORM_HVLE, FORM_DIRT };

static const char old_next[] = "The hive on disk is unchanged. Fix the cause (space, write "
			       "protection, disk) and try again.";
static const char new_next[] = "The disk holds the old hive, or the new one in its log, never a "
			       "mixture: Windows settles it when "
			       "it starts. Look at the disk before trying again.";

/* Describe a failed step; e already holds what the device said. */
static int step_failed(struct hive *h, struct err *e, int ret, const char *step, const char *next)
{
	if (ret == 0)
		return 0;
	h->broken = true;
	err_ctx(e, "%s: %s", h->dev->name, step);
	if (e) {
		size_t n = strlen(next);
		n = n < sizeof e->next ? n : sizeof e->next - 1;
		memcpy(e->next, next, n);
		e->next[n] = '\0';
	}
	return ret;
}

static int write_base(struct hive *h, uint32_t seq1, uint32_t seq2, uint32_t len, struct err *e)
{
	put_le32(h->base + BB_SEQ1, seq1);
	put_le32(h->base + BB_SEQ2, seq2);
	put_le32(h->base + BB_LENGTH, len);
	base_seal(h->base);
	int ret = bytedev_write(h->dev, 0, h->base, SECTOR, e);
	return ret == 0 ? bytedev_sync(h->dev, e) : ret;
}

/* --- which form --- */

/* By header, or by what a blanked log still holds behind its first sector. */
static int log_type(struct bytedev *dev, int *type, struct err *e)
{
	uint8_t b[2 * SECTOR];
	uint64_t size;
	*type = TYPE_PRIMARY;
	int ret = bytedev_size(dev, &size, e);
	if (ret == 0 && size >= sizeof b)
		ret = bytedev_read(dev, 0, b, sizeof b, e);
	if (ret < 0 || size < sizeof b)
		return ret;
	if (base_valid(b))
		*type = (int)le32(b + BB_TYPE);
	else if (memcmp(b + SECTOR, "HvLE", 4) == 0)
		*type = TYPE_LOG_HVLE;
	else if (memcmp(b + SECTOR, "DIRT", 4) == 0)
		*type = TYPE_LOG_DIRT;
	return 0;
}

static int choose_form(struct hive *h, int *form, struct err *e)
{
	*form = h->flags & HIVE_LOG_DIRT ? FORM_DIRT : FORM_HVLE;
	if (h->flags & (HIVE_LOG_DIRT | HIVE_LOG_HVLE))
		return 0;
	if (h->info.recovery != HIVE_NOT_RECOVERED) {
		*form = h->info.recovery == HIVE_RECOVERED_DIRT ? FORM_DIRT : FORM_HVLE;
		return 0;
	}
	for (size_t i = 0; i < 2; i++) {
		int type = TYPE_PRIMARY;
		int ret = h->log[i] ? log_type(h->log[i], &type, e) : 0;
		if (ret < 0)
			return ret;
		if (type == TYPE_LOG_HVLE || type == TYPE_LOG_DIRT || type == TYPE_LOG_DIRT_2000) {
			*form = type == TYPE_LOG_HVLE ? FORM_HVLE : FORM_DIRT;
			return 0;
		}
	}
	/* Windows stopped keeping the last-written time when it introduced HvLE (hives made later
	 * by programs may have one), and began to note access in keys one version earlier. */
	const uint8_t *root = key_node(h, hive_root(h), e);
	bool accessed = root && root[NK_ACCESS];
	*form = le64(h->base + BB_TIME) && !accessed ? FORM_DIRT : FORM_HVLE;
	return root ? 0 : -ERR_INTEGRITY;
}

static int need_logs(const struct hive *h, int form, struct err *e)
{
	const char *missing = !h->log[0]			? "first"
			      : !h->log[1] && form == FORM_HVLE ? "second"
								: NULL;
	if (!missing)
		return 0;
	return err_set(e, ERR_REFUSED, "Nothing was written.",
		"%s: the %s transaction log is absent; without it a power cut could destroy the "
		"hive",
		h->dev->name, missing);
}

/* --- writing back a recovery --- */

static int disk_resize(void *ctx, uint32_t len, struct err *e)
{
	struct hive *h = ctx;
	if (h->file_len >= BASE_LEN + (uint64_t)len)
		return 0;
	h->file_len = BASE_LEN + (uint64_t)len;
	return bytedev_resize(h->dev, h->file_len, e);
}

static int disk_page(void *ctx, uint32_t at, const uint8_t *p, uint32_t n, struct err *e)
{
	struct hive *h = ctx;
	return bytedev_write(h->dev, BASE_LEN + (uint64_t)at, p, n, e);
}

static int replay_to_disk(struct hive *h, struct replay *r, struct err *e)
{
	struct log_file logs[2] = {{0}, {0}};
	struct replay_sink sink = {disk_resize, disk_page, h};
	uint8_t base[SECTOR], bin[BIN_HEADER];
	int ret = bytedev_read(h->dev, 0, base, SECTOR, e);
	if (ret == 0)
		ret = bytedev_read(h->dev, BASE_LEN, bin, BIN_HEADER, e);
	if (ret == 0)
		ret = log_load(h->log[0], &logs[0], e);
	if (ret == 0)
		ret = log_load(h->log[1], &logs[1], e);
	if (ret == 0)
		ret = log_replay(base, bin, logs, &sink, r, e);
	log_clear(&logs[0]);
	log_clear(&logs[1]);
	return ret;
}

static int blank_logs(struct hive *h, struct err *e)
{
	for (size_t i = 0; i < 2; i++) {
		int ret = h->log[i] ? log_blank(h->log[i], SECTOR, e) : 0;
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int highest(const struct hive *h, uint32_t *seq, struct err *e)
{
	uint32_t seq1 = le32(h->base + BB_SEQ1);
	*seq = le32(h->base + BB_SEQ2);
	if (seq1 - *seq < 0x80000000U)
		*seq = seq1;
	int ret = log_max_seq(h->log[0], seq, e);
	return ret == 0 ? log_max_seq(h->log[1], seq, e) : ret;
}

/* What Windows would do at its next start: pages from the logs into the primary, then clean. The
 * logs are the only good copy until that is durable, so they are blanked last. */
static int write_back(struct hive *h, struct err *e)
{
	static const char again[] =
		"Nothing is lost: the logs still hold everything. Try again, or "
		"start Windows.";
	struct replay r;
	uint32_t seq;
	int ret = highest(h, &seq, e);
	if (ret == 0)
		ret = replay_to_disk(h, &r, e);
	if (ret == 0)
		ret = bytedev_sync(h->dev, e);
	if (ret < 0)
		return step_failed(h, e, ret, "cannot write the recovered hive back", again);
	if (r.kind != h->info.recovery || r.entries != h->info.log_entries) {
		ret = err_set(e, ERR_UNSAFE, again, "logs changed since the hive was opened");
		return step_failed(h, e, ret, "cannot write the recovered hive back", again);
	}
	/* The image may already hold edits and a new length: the recovered base block is r's. */
	uint32_t len = le32(h->base + BB_LENGTH);
	memcpy(h->base, r.base, SECTOR);
	ret = write_base(h, seq + 1, seq + 1, le32(r.base + BB_LENGTH), e);
	put_le32(h->base + BB_LENGTH, len);
	if (ret == 0)
		ret = blank_logs(h, e);
	if (ret == 0)
		h->write_back = h->was_dirty = false;
	return step_failed(h, e, ret, "cannot write the recovered hive back", again);
}

/* --- the commit --- */

static bool sector_dirty(const struct hive *h, uint32_t s)
{
	return h->dirty[s / 8] >> s % 8 & 1;
}

static int write_sectors(struct hive *h, struct err *e)
{
	uint32_t n = h->len / SECTOR;
	int ret = 0;
	for (uint32_t i = 0; ret == 0 && i < n; i++) {
		uint32_t from = i;
		if (i % 8 == 0 && h->dirty[i / 8] == 0) {
			i += 7;
			continue;
		}
		while (i < n && sector_dirty(h, i))
			i++;
		if (i > from)
			ret = bytedev_write(h->dev, BASE_LEN + (uint64_t)from * SECTOR,
				h->bins + (size_t)from * SECTOR, (size_t)(i - from) * SECTOR, e);
	}
	return ret == 0 ? bytedev_sync(h->dev, e) : ret;
}

/* Steps 1 and 2. The file may be longer than its bins, so growing it early changes nothing. */
static int prepare(struct hive *h, int form, uint32_t seq, uint64_t *log_len, struct err *e)
{
	uint64_t size;
	int ret = h->log[1] ? bytedev_size(h->log[1], &size, e) : 0;
	if (ret == 0 && h->log[1] && size)
		ret = log_blank(h->log[1], SECTOR, e);
	if (ret == 0 && h->file_len < BASE_LEN + (uint64_t)h->len) {
		ret = bytedev_resize(h->dev, BASE_LEN + (uint64_t)h->len, e);
		if (ret == 0)
			ret = bytedev_sync(h->dev, e);
		if (ret == 0)
			h->file_len = BASE_LEN + (uint64_t)h->len;
	}
	if (ret < 0)
		return ret;
	return form == FORM_DIRT ? log_write_dirt(h, seq, log_len, e)
				 : log_write_hvle(h, seq, log_len, e);
}

/* Windows up to 8.0 pairs hive and DIRT log by time. The first bin's copy of it, which stands in
 * for a damaged base block, must match the log from before the hive is dirty until it is clean. */
static int stamp_bin(struct hive *h, uint64_t now, struct err *e)
{
	put_le64(h->bins + 20, now);
	int ret = bytedev_write(h->dev, BASE_LEN, h->bins, SECTOR, e);
	return ret == 0 ? bytedev_sync(h->dev, e) : ret;
}

static int match_bin(struct hive *h, struct err *e)
{
	uint64_t now = le64(h->base + BB_TIME);
	return le64(h->bins + 20) == now ? 0 : stamp_bin(h, now, e);
}

static int commit_edits(struct hive *h, int form, struct err *e)
{
	uint32_t seq, old = le32(h->base + BB_SEQ2), len = h->len, old_len;
	uint8_t disk[SECTOR];
	uint64_t log_len = 0;
	int ret = highest(h, &seq, e);
	if (ret == 0)
		ret = bytedev_read(h->dev, 0, disk, SECTOR, e);
	if (ret == 0 && form == FORM_DIRT)
		ret = match_bin(h, e);
	if (ret == 0)
		ret = prepare(h, form, seq + 1, &log_len, e);
	if (ret < 0)
		return step_failed(h, e, ret, "cannot prepare the transaction log", old_next);
	old_len = le32(disk + BB_LENGTH);
	ret = write_base(h, seq + 1, old, old_len, e);
	if (ret == 0)
		ret = write_sectors(h, e);
	if (ret == 0 && form == FORM_DIRT)
		put_le64(h->base + BB_TIME, h->now);
	if (ret == 0)
		ret = write_base(h, seq + 2, seq + 2, len, e);
	if (ret < 0)
		return step_failed(h, e, ret, "cannot write the hive", new_next);
	h->modified = false;
	memset(h->dirty, 0, h->map_cap / SECTOR / 8 + 1);
	if (form == FORM_DIRT)
		ret = stamp_bin(h, h->now, e);
	if (ret == 0)
		ret = log_blank(h->log[0], log_len, e);
	return step_failed(h, e, ret, "the change is complete, but its log could not be blanked",
		"The hive is sound and holds the change. Its log may still hold a copy of the "
		"changed "
		"data until Windows starts.");
}

int hive_commit(struct hive *h, struct err *e)
{
	int form;
	if (h->broken)
		return err_set(e, ERR_REFUSED, "The files are as they were at the last commit.",
			"an earlier edit or commit of this hive failed half-way");
	if (!h->dev)
		return err_set(e, ERR_REFUSED, NULL, "a new hive has no file yet; save it first");
	if (!h->modified && !h->write_back)
		return 0;
	int ret = choose_form(h, &form, e);
	if (ret == 0)
		ret = need_logs(h, form, e);
	if (ret == 0 && h->write_back)
		ret = write_back(h, e);
	if (ret == 0 && h->modified)
		ret = commit_edits(h, form, e);
	return ret;
}
