/*
 * Open one dirty hive again and again, its logs damaged in one place each time.
 *
 *   damage HIVE LOG1 LOG2 flips LOG FROM TO STEP     flip every STEP-th bit of bytes [FROM, TO) of
 * log 1|2 damage HIVE LOG1 LOG2 cuts LOG                   cut the log at every multiple of 512
 *
 * Prints "POSITION RESULT" when the result changes: the CRC-32 of the recovered bins, or an error
 * name.
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

int main(int argc, char **argv)
{
	static const char *const names[] = {"HIVE", "HIVE.LOG1", "HIVE.LOG2"};
	struct memdev dev[3];
	if (argc < 6)
		return 2;
	for (int i = 0; i < 3; i++)
		if (load(&dev[i], names[i], argv[1 + i]) < 0)
			return 2;
	struct memdev *log = &dev[atoi(argv[5])];
	if (strcmp(argv[4], "cuts") == 0) {
		size_t whole = log->data.len;
		for (size_t at = 0; at <= whole; at += SECTOR) {
			log->data.len = at;
			say(at, dev);
		}
	} else if (argc == 9) {
		unsigned long from = strtoul(argv[6], NULL, 0), to = strtoul(argv[7], NULL, 0);
		unsigned long step = strtoul(argv[8], NULL, 0);
		for (unsigned long bit = 8 * from; bit < 8 * to && bit / 8 < log->data.len;
			bit += step) {
			log->data.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			say(bit, dev);
			log->data.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
	}
	for (int i = 0; i < 3; i++)
		buf_clear(&dev[i].data);
	return 0;
}
