/*
 * Open one dirty hive again and again, its logs damaged in one place each time.
 *
 *   damage HIVE LOG1 LOG2 flips LOG FROM TO STEP   flip every STEP-th bit of bytes [FROM, TO)
 *   damage HIVE LOG1 LOG2 cuts LOG STEP            cut the log at every multiple of STEP
 *   damage HIVE LOG1 LOG2 entry LOG AT SIZE OTHER STEP  flip every bit of the HvLE entry at AT
 *
 * The first two open the hive each time and print "POSITION RESULT" when the result changes: the
 * CRC-32 of the recovered bins, or an error name. The last calls the replay alone, on a log that
 * begins with that entry and goes on as LOG does (with the other log behind it when OTHER is 1),
 * and prints how many bits were flipped, after how many flips anything was applied, and how many
 * entries are applied undamaged. Of the bits in pages only every STEP-th goes through the replay;
 * for the others the library's hash is continued over the changed word from where it stands before
 * it, and compared with the one state from which the rest of the entry leads to the stored hash.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hive/hive_int.h"
#include "tests/unit/memdev.h"

static uint32_t crc32(const uint8_t *p, size_t n)
{
	static uint32_t table[256];
	uint32_t c = 0xffffffffU;
	for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
		uint32_t v = i;
		for (int k = 0; k < 8; k++)
			v = v & 1 ? 0xedb88320U ^ v >> 1 : v >> 1;
		table[i] = v;
	}
	for (size_t i = 0; i < n; i++)
		c = table[(c ^ p[i]) & 0xff] ^ c >> 8;
	return ~c;
}

static int load(struct memdev *m, const char *name, const char *path)
{
	uint8_t b[65536];
	size_t n;
	memdev_init(m, name, NULL, 0);
	if (strcmp(path, "-") == 0)
		return 0;
	FILE *f = fopen(path, "rb");
	if (!f)
		return -1;
	while ((n = fread(b, 1, sizeof b, f)) > 0)
		buf_add(&m->data, b, n, NULL);
	fclose(f);
	return 0;
}

static void result(struct memdev dev[3], char out[16])
{
	struct hive *h;
	int ret = hive_open(&h, &dev[0].dev, &dev[1].dev, &dev[2].dev, 0, NULL);
	if (ret < 0) {
		snprintf(out, 16, "%s", err_name(ret));
		return;
	}
	snprintf(out, 16, "%08x", crc32(h->bins, h->len));
	hive_close(h);
}

static void say(unsigned long at, struct memdev dev[3])
{
	static char last[16];
	char now[16];
	result(dev, now);
	if (strcmp(now, last) != 0)
		printf("%lu %s\n", at, now);
	memcpy(last, now, sizeof last);
}

/* --- one entry, every bit --- */

static int no_resize(void *ctx, uint32_t len, struct err *e)
{
	(void)len;
	(void)e;
	++*(unsigned long *)ctx;
	return 0;
}

static int no_page(void *ctx, uint32_t at, const uint8_t *p, uint32_t n, struct err *e)
{
	(void)p;
	(void)n;
	return no_resize(ctx, at, e);
}

/* How many entries are applied; touched counts what reached the sink. */
static uint32_t replayed(const uint8_t *base, struct log_file logs[2], unsigned long *touched)
{
	struct replay_sink sink = {no_resize, no_page, touched};
	struct replay r;
	log_replay(base, NULL, logs, &sink, &r, NULL);
	return r.entries;
}

static uint32_t ror(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* The state before a word, from the one behind it: each step of the hash can be undone. */
static struct marvin before(struct marvin m, uint32_t w)
{
	m.hi = ror(m.hi, 19);
	m.lo = ror(m.lo - m.hi, 27);
	m.hi = ror(m.hi ^ m.lo, 9);
	m.lo = ror(m.lo - m.hi, 20);
	m.hi ^= m.lo;
	m.lo -= w;
	return m;
}

struct states {
	size_t words;
	struct marvin *to,
		*from; /* before each word: from the start, and as the stored hash wants it */
};

/* False unless both agree everywhere, which they do for an undamaged entry. */
static bool states_make(struct states *s, const uint8_t *en, size_t size)
{
	const uint8_t *p = en + 40;
	s->words = (size - 40) / 4;
	s->to = calloc(s->words + 1, sizeof *s->to);
	s->from = calloc(s->words + 1, sizeof *s->from);
	marvin_start(&s->to[0]);
	for (size_t i = 0; i < s->words; i++) {
		s->to[i + 1] = s->to[i];
		marvin_words(&s->to[i + 1], p + 4 * i, 4);
	}
	struct marvin end = {le32(en + 24), le32(en + 28)};
	s->from[s->words] = before(before(end, 0), 0x80);
	for (size_t i = s->words; i-- > 0;)
		s->from[i] = before(s->from[i + 1], le32(p + 4 * i));
	return memcmp(s->to, s->from, (s->words + 1) * sizeof *s->to) == 0;
}

/* The stored hash still agrees when `bit` of the entry is flipped. */
static bool hash_agrees(const struct states *s, const uint8_t *en, size_t bit)
{
	size_t i = (bit / 8 - 40) / 4;
	struct marvin m = s->to[i];
	uint8_t w[4];
	memcpy(w, en + 40 + 4 * i, 4);
	w[bit / 8 % 4] ^= (uint8_t)(1U << bit % 8);
	marvin_words(&m, w, 4);
	return m.lo == s->from[i + 1].lo && m.hi == s->from[i + 1].hi;
}

static unsigned long flip_all(const uint8_t *base, struct log_file logs[2], struct log_file *l,
	size_t size, size_t step, const struct states *s)
{
	uint8_t *en = l->p + SECTOR;
	size_t head = 8 * (40 + 8 * (size_t)le32(en + 20));
	unsigned long wrong = 0;
	for (size_t bit = 0; bit < 8 * size; bit++) {
		unsigned long touched = 0;
		if (bit >= head && bit % step) {
			wrong += hash_agrees(s, en, bit);
			continue;
		}
		en[bit / 8] ^= (uint8_t)(1U << bit % 8);
		wrong += replayed(base, logs, &touched) != 0 || touched != 0;
		en[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	return wrong;
}

static int entry(struct memdev dev[3], size_t n, const size_t arg[4])
{
	struct log_file logs[2] = {{0}, {0}};
	struct log_file *l = &logs[n - 1];
	struct buf cut = BUF_INIT;
	struct states s = {0};
	size_t at = arg[0], size = arg[1];
	unsigned long touched = 0;
	if (at > dev[n].data.len || size > dev[n].data.len - at || size < 40)
		return 2;
	if (arg[2] == 1 && log_load(&dev[3 - n].dev, &logs[2 - n], NULL) < 0)
		return 2;
	buf_add(&cut, dev[n].data.p, SECTOR, NULL);
	buf_add(&cut, dev[n].data.p + at, dev[n].data.len - at, NULL);
	*l = (struct log_file){
		cut.p, cut.len, true, TYPE_LOG_HVLE, le32(cut.p + SECTOR + 12), "LOG"};
	uint32_t whole = replayed(dev[0].data.p, logs, &touched);
	int ret = states_make(&s, cut.p + SECTOR, size) ? 0 : 2;
	if (ret == 0)
		printf("%zu %lu %u\n", 8 * size,
			flip_all(dev[0].data.p, logs, l, size, arg[3] ? arg[3] : 1, &s), whole);
	free(s.to);
	free(s.from);
	buf_clear(&cut);
	log_clear(&logs[2 - n]);
	return ret;
}

static void cuts(struct memdev dev[3], struct memdev *log, size_t step)
{
	size_t whole = log->data.len;
	for (size_t at = 0; at <= whole; at += step) {
		log->data.len = at;
		say(at, dev);
	}
	log->data.len = whole;
}

static void flips(struct memdev dev[3], struct memdev *log, size_t from, size_t to, size_t step)
{
	for (size_t bit = 8 * from; bit < 8 * to && bit / 8 < log->data.len; bit += step) {
		log->data.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		say(bit, dev);
		log->data.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"HIVE", "HIVE.LOG1", "HIVE.LOG2"};
	struct memdev dev[3];
	size_t arg[4] = {0}, n = argc < 6 ? 0 : strtoul(argv[5], NULL, 0);
	int ret = 0;
	if (n < 1 || n > 2)
		return 2;
	for (int i = 0; i < 3; i++)
		if (load(&dev[i], names[i], argv[1 + i]) < 0)
			return 2;
	for (int i = 6; i < argc && i < 10; i++)
		arg[i - 6] = strtoul(argv[i], NULL, 0);
	if (strcmp(argv[4], "cuts") == 0)
		cuts(dev, &dev[n], arg[0] ? arg[0] : SECTOR);
	else if (strcmp(argv[4], "entry") == 0)
		ret = entry(dev, n, arg);
	else
		flips(dev, &dev[n], arg[0], arg[1], arg[2]);
	for (int i = 0; i < 3; i++)
		buf_clear(&dev[i].data);
	return ret;
}
