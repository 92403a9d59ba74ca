#include "media/manifest.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "media/layout.h"

#define FIRST_LINE "odjstick image manifest 1\n"
#define IDENTITY "identity "
#define HASH_CHUNK (1u << 20)
#define NUMBER_DIGITS_MAX 15u
#define STICK_NUMBER "/number"
#define STICK_NUMBER_AT 120u /* behind cpio's header (110 bytes) and the name, aligned to 4 */

static const char get_another[] = "Do not start a PC from it. Have it made again in the lab.";

void manifest_clear(struct manifest *m)
{
	buf_clear(&m->text);
	free(m->ranges);
	memset(m, 0, sizeof *m);
}

/* --- the text ------------------------------------------------------------------------------- */

struct cursor {
	const char *p, *end;
};

static bool take(struct cursor *c, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return false;
	c->p += n;
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(struct cursor *c, uint8_t *out, size_t n)
{
	if ((size_t)(c->end - c->p) < 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(c->p[2 * i]), low = hex_digit(c->p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	c->p += 2 * n;
	return true;
}

/* Decimal, without a leading zero. */
static bool take_number(struct cursor *c, uint64_t *out)
{
	const char *start = c->p;
	*out = 0;
	while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
		if ((size_t)(c->p - start) >= NUMBER_DIGITS_MAX)
			return false;
		*out = *out * 10 + (uint64_t)(*c->p++ - '0');
	}
	return c->p > start && (*start != '0' || c->p == start + 1);
}

/* Printable ASCII up to the end of the line. */
static bool take_name(struct cursor *c, char out[MANIFEST_NAME_MAX + 1])
{
	size_t n = 0;
	while (c->p < c->end && *c->p >= 0x20 && *c->p <= 0x7e) {
		if (n == MANIFEST_NAME_MAX)
			return false;
		out[n++] = *c->p++;
	}
	out[n] = '\0';
	return n > 0 && take(c, "\n");
}

static bool take_range(struct cursor *c, struct manifest_range *r)
{
	return take_hex(c, r->sha256, sizeof r->sha256) && take(c, " ") &&
	       take_number(c, &r->offset) && take(c, " ") && take_number(c, &r->length) &&
	       take(c, " ") && take_name(c, r->name) && r->length > 0;
}

/* Each range begins where the one before ended, or after one of the two places left out. */
static bool follows(uint64_t at, uint64_t offset)
{
	if (at == MANIFEST_SIZE_FIELD)
		return offset == MANIFEST_SIZE_FIELD_END;
	if (at == MANIFEST_AT)
		return offset == MANIFEST_SIG_AT + MANIFEST_SIG_ROOM;
	return offset == at;
}

static bool parse_ranges(struct manifest *m, struct cursor *c)
{
	uint64_t at = 0;
	while (c->p < c->end) {
		struct manifest_range *r = &m->ranges[m->count];
		if (m->count == MANIFEST_RANGES_MAX || !take_range(c, r) || !follows(at, r->offset))
			return false;
		/* A range may not reach over a place that is left out. */
		if ((at < MANIFEST_SIZE_FIELD && r->length > MANIFEST_SIZE_FIELD - at) ||
			(r->offset < MANIFEST_AT && r->length > MANIFEST_AT - r->offset))
			return false;
		at = r->offset + r->length;
		m->count++;
	}
	m->end = at;
	return at >= LAYOUT_BOOT_START + LAYOUT_SECTOR;
}

static bool parse(struct manifest *m, struct cursor *c)
{
	uint8_t id[4];
	if (!take(c, FIRST_LINE) || !take(c, IDENTITY) || !take_hex(c, id, sizeof id) ||
		!take(c, "\n"))
		return false;
	m->identity = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
	return parse_ranges(m, c);
}

int manifest_parse(
	struct manifest *m, const void *text, size_t len, const char *name, struct err *e)
{
	memset(m, 0, sizeof *m);
	m->ranges = calloc(MANIFEST_RANGES_MAX, sizeof *m->ranges);
	if (!m->ranges)
		return err_nomem(e);
	int ret = buf_add(&m->text, text, len, e);
	struct cursor c = {text, (const char *)text + len};
	if (ret == 0 && !parse(m, &c))
		ret = err_set(e, ERR_INTEGRITY, get_another,
			"%s is no stick, or its manifest was damaged", name);
	if (ret < 0) {
		manifest_clear(m);
		return ret;
	}
	crypto_hash_sha256(m->hash, m->text.p, m->text.len);
	return 0;
}

/* --- on a medium ---------------------------------------------------------------------------- */

/* A text, then nothing but zero bytes: no byte of the area is unaccounted for. */
static int read_padded(
	struct blockdev *d, uint64_t at, uint8_t *room, size_t n, size_t *len, struct err *e)
{
	*len = 0;
	if (d->size < at + n)
		return err_set(e, ERR_INTEGRITY, get_another,
			"%s is no stick: it ends before byte %llu", d->name,
			(unsigned long long)(at + n));
	int ret = blockdev_read(d, at, room, n, e);
	if (ret < 0)
		return ret;
	size_t used = n;
	while (used > 0 && room[used - 1] == 0)
		used--;
	*len = used;
	return 0;
}

int manifest_read(struct manifest *m, struct blockdev *d, struct err *e)
{
	CLEANUP(freep) uint8_t *room = malloc(MANIFEST_TEXT_MAX);
	size_t len;
	memset(m, 0, sizeof *m);
	if (!room)
		return err_nomem(e);
	int ret = read_padded(d, MANIFEST_AT, room, MANIFEST_TEXT_MAX, &len, e);
	return ret < 0 ? ret : manifest_parse(m, room, len, d->name, e);
}

static bool is_number(const struct manifest_range *r)
{
	return strcmp(r->name, STICK_NUMBER) == 0 &&
	       r->length >= STICK_NUMBER_AT + MANIFEST_NUMBER_DIGITS;
}

uint64_t manifest_number_at(const struct manifest *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (is_number(&m->ranges[i]))
			return m->ranges[i].offset + STICK_NUMBER_AT;
	return 0;
}

/* The beginning of the file: digits as the image has them. What is no digit stays, and is found. */
static void hide_number(uint8_t *file)
{
	for (size_t i = STICK_NUMBER_AT; i < STICK_NUMBER_AT + MANIFEST_NUMBER_DIGITS; i++)
		if (hex_digit((char)file[i]) >= 0)
			file[i] = '0';
}

static int hash_range(const struct manifest_range *r, struct blockdev *d, uint8_t *chunk,
	uint8_t out[MANIFEST_HASH], struct err *e)
{
	crypto_hash_sha256_state s;
	crypto_hash_sha256_init(&s);
	for (uint64_t done = 0; done < r->length;) {
		uint64_t left = r->length - done;
		size_t n = left < HASH_CHUNK ? (size_t)left : HASH_CHUNK;
		int ret = blockdev_read(d, r->offset + done, chunk, n, e);
		if (ret < 0)
			return err_ctx(e, "%s", r->name);
		if (done == 0 && is_number(r))
			hide_number(chunk);
		crypto_hash_sha256_update(&s, chunk, n);
		done += n;
	}
	crypto_hash_sha256_final(&s, out);
	return 0;
}

int manifest_compare(const struct manifest *m, struct blockdev *d, manifest_differs *differs,
	void *ctx, size_t *bad, struct err *e)
{
	CLEANUP(freep) uint8_t *chunk = malloc(HASH_CHUNK);
	*bad = 0;
	if (!chunk)
		return err_nomem(e);
	if (d->size < m->end)
		return err_set(e, ERR_INTEGRITY, get_another,
			"%s ends before its boot partition does", d->name);
	for (size_t i = 0; i < m->count; i++) {
		uint8_t hash[MANIFEST_HASH];
		int ret = hash_range(&m->ranges[i], d, chunk, hash, e);
		if (ret < 0)
			return ret;
		if (memcmp(hash, m->ranges[i].sha256, sizeof hash) == 0)
			continue;
		++*bad;
		if (differs)
			differs(ctx, &m->ranges[i]);
	}
	return 0;
}

int manifest_layout(const struct manifest *m, struct blockdev *d, struct err *e)
{
	struct layout l;
	int ret = layout_read(&l, d, e);
	if (ret < 0)
		return ret;
	if (l.data_start != m->end || l.identity != m->identity)
		return err_set(e, ERR_INTEGRITY, get_another,
			"%s: the partition table and the manifest do not belong together", d->name);
	return 0;
}

/* --- the signature -------------------------------------------------------------------------- */

int manifest_sign(
	const struct manifest *m, struct blockdev *d, const struct lab_key *key, struct err *e)
{
	CLEANUP(buf_clear) struct buf sig = BUF_INIT;
	char comment[LAB_COMMENT_MAX + 1], now[CLOCK_TEXT_MAX];
	uint8_t *zero;
	clock_text(clock_now(), now);
	snprintf(comment, sizeof comment, "odjstick image %08x, signed %s", (unsigned)m->identity,
		now);
	int ret = lab_sign(key, m->text.p, m->text.len, comment, &sig, e);
	if (ret == 0)
		ret = buf_grow(&sig, MANIFEST_SIG_ROOM - sig.len, &zero, e);
	if (ret == 0)
		ret = blockdev_write(d, MANIFEST_SIG_AT, sig.p, sig.len, e);
	return ret < 0 ? ret : blockdev_sync(d, e);
}

int manifest_is_signed(struct blockdev *d, bool *is, struct err *e)
{
	uint8_t sig[MANIFEST_SIG_ROOM];
	size_t len;
	int ret = read_padded(d, MANIFEST_SIG_AT, sig, sizeof sig, &len, e);
	*is = len > 0;
	return ret;
}

int manifest_signed_by(const struct manifest *m, struct blockdev *d, const struct lab_pub *lab,
	char trusted[LAB_COMMENT_MAX + 1], struct err *e)
{
	uint8_t sig[MANIFEST_SIG_ROOM];
	uint8_t signer[LAB_KEYID_LEN];
	size_t len;
	int ret = read_padded(d, MANIFEST_SIG_AT, sig, sizeof sig, &len, e);
	if (ret < 0)
		return ret;
	if (len == 0)
		return err_set(e, ERR_INTEGRITY,
			"Nothing can be said about it. In the lab: odjstick image sign.",
			"%s: no lab has signed this image", d->name);
	if (lab_signer(sig, len, signer) && memcmp(signer, lab->id, sizeof signer) != 0) {
		char want[LAB_KEYID_TEXT], got[LAB_KEYID_TEXT];
		struct lab_pub other = {{0}, {0}};
		memcpy(other.id, signer, sizeof signer);
		lab_keyid(lab, want);
		lab_keyid(&other, got);
		return err_set(e, ERR_KEY,
			"Use the public key of the lab that made it. If that is this key, somebody "
			"else made the stick: do not start a PC from it.",
			"%s: the image is signed by the key %s, not by the lab's key %s", d->name,
			got, want);
	}
	char what[256];
	snprintf(what, sizeof what, "%s: the manifest", d->name);
	return lab_verify(lab, m->text.p, m->text.len, sig, len, what, trusted, e);
}

int manifest_signed_at(const char *trusted, int64_t *t)
{
	struct cursor c = {trusted, trusted + strlen(trusted)};
	uint8_t id[4];
	if (!take(&c, "odjstick image ") || !take_hex(&c, id, sizeof id) || !take(&c, ", signed "))
		return -ERR_FORMAT;
	return clock_parse(c.p, t);
}

void manifest_code(const uint8_t hash[MANIFEST_HASH], char out[MANIFEST_CODE_TEXT])
{
	lab_code(hash, out);
}
