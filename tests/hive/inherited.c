/*
 * How often a new key would get the list that Windows gave the key lying there.
 *
 *   inherited HIVE
 *
 * Below every key that has subkeys a key is made, and its DACL compared, byte for byte, with that
 * of each subkey whose DACL is not protected from inheritance. Nothing is written. Prints "SAME of
 * UNPROTECTED".
 */
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "hive/hive.h"

#define DACL_PROTECTED 0x1000
#define PROBE "made by tests/hive/inherited.c"

static unsigned long same, unprotected;

static struct span dacl(struct span sd)
{
	uint32_t at = le32(sd.p + 16);
	return at ? (struct span){sd.p + at, le16(sd.p + at + 2)} : (struct span){NULL, 0};
}

static void compare(struct span made, struct span stored)
{
	struct span a = dacl(made), b = dacl(stored);
	if (le16(stored.p + 2) & DACL_PROTECTED)
		return;
	unprotected++;
	same += a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static int walk(struct hive *h, hive_key key, struct err *e)
{
	CLEANUP(buf_clear) struct buf made = BUF_INIT;
	struct hive_key_info k, sub;
	hive_key child;
	int ret = hive_key_info(h, key, &k, e);
	uint32_t n = ret == 0 ? k.subkeys : 0;
	if (n == 0)
		return ret;
	ret = hive_create_key(h, key, PROBE, NULL, &child, e);
	if (ret == 0)
		ret = hive_key_info(h, child, &sub, e);
	if (ret == 0)
		ret = buf_add(&made, sub.sd.p, sub.sd.len, e);
	if (ret == 0)
		ret = hive_delete_key(h, child, e);
	for (uint32_t i = 0; ret == 0 && i < n; i++) {
		ret = hive_subkey_at(h, key, i, &child, e);
		if (ret == 0)
			ret = hive_key_info(h, child, &sub, e);
		if (ret == 0)
			compare(SPAN_OF(made), sub.sd);
		if (ret == 0)
			ret = walk(h, child, e);
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct bytedev *dev = NULL;
	struct hive *h = NULL;
	struct err e = ERR_INIT;
	int ret = argc == 2 ? bytedev_open_file(&dev, argv[1], 0, 0, &e) : -ERR_USAGE;
	if (ret == 0)
		ret = hive_open(&h, dev, NULL, NULL, 0, &e);
	if (ret == 0)
		ret = hive_begin(h, 1, &e);
	if (ret == 0)
		ret = walk(h, hive_root(h), &e);
	if (ret == 0)
		printf("%lu of %lu\n", same, unprotected);
	else
		fprintf(stderr, "inherited: %s\n", e.what);
	hive_close(h);
	bytedev_close(dev);
	return err_exit(ret);
}
