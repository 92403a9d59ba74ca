/*
 * Using the hive library from outside: only its public header, linked with libhive.a alone.
 *
 *   example HIVE KEY NAME TEXT     set a REG_SZ value, creating the key; logs lie beside HIVE
 *
 * Build: make build/libhive.a && cc -Iinjector example.c build/libhive.a
 */
#include "hive/hive.h"

#include <stdio.h>
#include <time.h>

static int edit(struct hive *h, char **argv, struct err *e)
{
	hive_key key;
	uint64_t now = ((uint64_t)time(NULL) + 11644473600U) * 10000000U; /* a FILETIME */
	int ret = hive_begin(h, now, e);
	if (ret == 0)
		ret = hive_create_key(h, hive_root(h), argv[2], NULL, &key, e);
	if (ret == 0)
		ret = hive_set_string(h, key, argv[3], argv[4], e);
	return ret == 0 ? hive_commit(h, e) : ret;
}

int main(int argc, char **argv)
{
	static const char *const suffix[] = {"", ".LOG1", ".LOG2"};
	struct bytedev *dev[3] = {NULL, NULL, NULL};
	struct err e = ERR_INIT;
	struct hive *h = NULL;
	int ret = argc == 5 ? 0 : -ERR_USAGE;
	for (int i = 0; ret == 0 && i < 3; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s%s", argv[1], suffix[i]);
		ret = bytedev_open_file(&dev[i], path, 1, i > 0, &e);
	}
	if (ret == 0)
		ret = hive_open(&h, dev[0], dev[1], dev[2], 0, &e);
	if (ret == 0)
		ret = edit(h, argv, &e);
	if (ret < 0)
		fprintf(stderr, "example: %s. %s\n", e.what, err_next(&e));
	hive_close(h);
	for (int i = 0; i < 3; i++)
		bytedev_close(dev[i]);
	return err_exit(ret);
}
