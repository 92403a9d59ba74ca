/*
 * Replay: which log entries belong on top of a dirty primary, and in what order.
 *
 * Rules: docs/hive.md, section "Recovery". A log without a valid header does not
 * count; an entry that cannot be read stops everything that would come after it,
 * also when the other log starts behind it.
 */
#include "hive/hive_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void note(struct replay *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(struct replay *r, const char *fmt, ...)
{
	size_t n = strlen(r->note);
	if (n && n + 3 < sizeof r->note) {
		memcpy(r->note + n, "; ", 3);
		n += 2;
	}
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(r->note + n, sizeof r->note - n, fmt, ap);
	va_end(ap);
}

/* --- new format --- */

struct entry {
	uint32_t size, flags, seq, len, count;
	const uint8_t *refs, *pages;
};

/* The entry at `at`, false unless it is whole: sizes, references and both hashes agree. */
static bool entry_read(const struct log_file *l, size_t at, struct entry *en)
{
	struct reader r;
	if (at > l->n || l->n - at < 40 || memcmp(l->p + at, "HvLE", 4) != 0)
		return false;
	reader_init(&r, l->p + at + 4, l->n - at - 4);
	en->size = reader_le32(&r);
	en->flags = reader_le32(&r);
	en->seq = reader_le32(&r);
	en->len = reader_le32(&r);
	en->count = reader_le32(&r);
	uint64_t h1 = reader_le64(&r), h2 = reader_le64(&r);
	if (en->size < SECTOR || en->size % SECTOR || en->size > l->n - at)
		return false;
	if (en->len == 0 || en->len % PAGE || en->len > HIVE_SIZE_MAX)
		return false;
	if (en->count > (en->size - 40) / 8)
		return false;
	if (marvin64(l->p + at + 40, en->size - 40) != h1 || marvin64(l->p + at, 32) != h2)
		return false;
	en->refs = l->p + at + 40;
	en->pages = en->refs + 8 * (size_t)en->count;
	uint64_t left = en->size - 40 - 8 * (uint64_t)en->count;
	for (uint32_t i = 0; i < en->count; i++) {
		uint32_t to = le32(en->refs + 8 * (size_t)i),
			 n = le32(en->refs + 8 * (size_t)i + 4);
		if (n > left || to > en->len || n > en->len - to)
			return false;
		left -= n;
	}
	return true;
}

static int entry_apply(
	const struct entry *en, const struct replay_sink *sink, struct replay *r, struct err *e)
{
	const uint8_t *p = en->pages;
	int ret = sink->resize(sink->ctx, en->len, e);
	for (uint32_t i = 0; ret == 0 && i < en->count; i++) {
		uint32_t n = le32(en->refs + 8 * (size_t)i + 4);
		ret = sink->page(sink->ctx, le32(en->refs + 8 * (size_t)i), p, n, e);
		p += n;
	}
	put_le32(r->base + BB_LENGTH, en->len);
	put_le32(r->base + BB_FLAGS, (le32(r->base + BB_FLAGS) & ~1U) | (en->flags & 1));
	put_le32(r->base + BB_SEQ1, en->seq);
	put_le32(r->base + BB_SEQ2, en->seq);
	r->entries++;
	r->pages += en->count;
	return ret;
}

static bool is_hvle(const struct log_file *l)
{
	return l->header && l->type == TYPE_LOG_HVLE;
}

static bool has_entry(const struct log_file *l)
{
	return memcmp(l->p + SECTOR, "HvLE", 4) == 0;
}

/* Entries of one log, as long as they continue at *next. */
static int log_apply(const struct log_file *l, uint32_t *next, const struct replay_sink *sink,
	struct replay *r, struct err *e)
{
	struct entry en;
	int ret = 0;
	for (size_t at = SECTOR; ret == 0 && entry_read(l, at, &en) && en.seq == *next; ++*next) {
		ret = entry_apply(&en, sink, r, e);
		at += en.size;
	}
	return ret;
}

static int replay_hvle(const uint8_t *base, struct log_file *logs, const struct replay_sink *sink,
	struct replay *r, struct err *e)
{
	struct log_file *order[2];
	size_t n = 0;
	for (size_t i = 0; i < 2; i++)
		if (is_hvle(&logs[i]))
			order[n++] = &logs[i];
	if (n == 2 && order[1]->seq - order[0]->seq >= 0x80000000U) {
		order[0] = &logs[1];
		order[1] = &logs[0];
	}
	size_t first = 0;
	if (!base_valid(base)) {
		/* The latest log rebuilds the base block; one without entries was just begun. */
		first = n == 2 && !has_entry(order[1]) ? 0 : n - 1;
		n = first + 1;
		memcpy(r->base, order[first]->p, SECTOR);
		put_le32(r->base + BB_TYPE, TYPE_PRIMARY);
		r->rebuilt = true;
	}
	bool begun = false;
	uint32_t next = 0;
	int ret = 0;
	for (size_t i = first; ret == 0 && i < n; i++) {
		if (!begun && !r->rebuilt && order[i]->seq - le32(base + BB_SEQ2) >= 0x80000000U) {
			note(r, "%s is older than the hive (number %u, hive %u)", order[i]->name,
				order[i]->seq, le32(base + BB_SEQ2));
			continue;
		}
		if (begun && order[i]->seq != next) {
			note(r, "%s does not continue (number %u, expected %u)", order[i]->name,
				order[i]->seq, next);
			break;
		}
		if (!begun)
			next = order[i]->seq;
		begun = true;
		ret = log_apply(order[i], &next, sink, r, e);
	}
	if (r->entries)
		r->kind = HIVE_RECOVERED_HVLE;
	else
		r->rebuilt = false;
	return ret;
}

/* --- old format --- */

static bool is_dirt(const struct log_file *l)
{
	return l->header && (l->type == TYPE_LOG_DIRT || l->type == TYPE_LOG_DIRT_2000) &&
	       memcmp(l->p + SECTOR, "DIRT", 4) == 0;
}

/* Bitmap and pages of a DIRT log, NULL unless all of them are there. */
static const uint8_t *dirt_pages(const struct log_file *l, uint32_t *len)
{
	*len = le32(l->p + BB_LENGTH);
	if (*len == 0 || *len % PAGE || *len > HIVE_SIZE_MAX)
		return NULL;
	uint32_t bits = *len / SECTOR;
	size_t at = SECTOR + ((4 + bits / 8 + SECTOR - 1) & ~(size_t)(SECTOR - 1));
	if (at > l->n)
		return NULL;
	size_t used = 0;
	for (uint32_t i = 0; i < bits / 8; i++)
		used += (size_t)__builtin_popcount(l->p[SECTOR + 4 + i]);
	return used * SECTOR <= l->n - at ? l->p + at : NULL;
}

static int dirt_apply(const struct log_file *l, const uint8_t *pages, uint32_t len,
	const struct replay_sink *sink, struct replay *r, struct err *e)
{
	const uint8_t *map = l->p + SECTOR + 4;
	int ret = sink->resize(sink->ctx, len, e);
	for (uint32_t i = 0; ret == 0 && i < len / SECTOR; i++) {
		if (!(map[i / 8] >> i % 8 & 1))
			continue;
		ret = sink->page(sink->ctx, i * SECTOR, pages, SECTOR, e);
		pages += SECTOR;
		r->pages++;
	}
	put_le32(r->base + BB_LENGTH, len);
	put_le32(r->base + BB_SEQ1, l->seq);
	put_le32(r->base + BB_SEQ2, l->seq);
	r->entries = 1;
	r->kind = HIVE_RECOVERED_DIRT;
	return ret;
}

static int replay_dirt(const uint8_t *base, const uint8_t *bin, struct log_file *logs,
	const struct replay_sink *sink, struct replay *r, struct err *e)
{
	bool valid = base_valid(base);
	const uint8_t *time = valid ? base + BB_TIME : bin ? bin + 20 : NULL;
	for (size_t i = 0; i < 2; i++) {
		const struct log_file *l = &logs[i];
		uint32_t len;
		if (!is_dirt(l))
			continue;
		if (!time || memcmp(l->p + BB_TIME, time, 8) != 0) {
			note(r, "%s belongs to another time", l->name);
			continue;
		}
		const uint8_t *pages = dirt_pages(l, &len);
		if (!pages) {
			note(r, "%s is cut short", l->name);
			continue;
		}
		if (!valid) {
			memcpy(r->base, l->p, SECTOR);
			put_le32(r->base + BB_TYPE, TYPE_PRIMARY);
			r->rebuilt = true;
		}
		return dirt_apply(l, pages, len, sink, r, e);
	}
	return 0;
}

int log_replay(const uint8_t *base, const uint8_t *bin, struct log_file logs[2],
	const struct replay_sink *sink, struct replay *r, struct err *e)
{
	*r = (struct replay){.kind = HIVE_NOT_RECOVERED};
	memcpy(r->base, base, SECTOR);
	for (size_t i = 0; i < 2; i++)
		if (logs[i].name && !is_hvle(&logs[i]) && !is_dirt(&logs[i]))
			note(r, "%s %s", logs[i].name,
				logs[i].n == 0	 ? "is empty"
				: logs[i].header ? "has no entry"
						 : "has no valid header");
	if (is_hvle(&logs[0]) || is_hvle(&logs[1]))
		return replay_hvle(base, logs, sink, r, e);
	return replay_dirt(base, bin, logs, sink, r, e);
}
