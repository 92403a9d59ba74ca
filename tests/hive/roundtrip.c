/*
 * Parse a hive as it lies, walk all of it, serialise it, and compare.
 *
 *   roundtrip HIVE...
 *
 * A file may be longer than its bins (space kept in reserve, or what an earlier crash left): that
 * tail belongs to nobody and is not part of the hive. Prints one line a hive; status 1 when one
 * differs.
 */
#include <stdio.h>
#include <string.h>

#include "hive/hive_int.h"
#include "tests/unit/memdev.h"

static int one(const char *path, struct err *e)
{
	struct bytedev *file = NULL;
	struct memdev out;
	struct hive *h = NULL;
	struct hive_check c;
	uint64_t size = 0;
	memdev_init(&out, "OUT", NULL, 0);
	int ret = bytedev_open_file(&file, path, 0, 0, e);
	if (ret == 0)
		ret = bytedev_size(file, &size, e);
	if (ret == 0)
		ret = hive_open(&h, file, NULL, NULL, HIVE_AS_IS, e);
	if (ret == 0)
		ret = hive_check(h, NULL, NULL, &c, e);
	if (ret == 0)
		ret = hive_save(h, &out.dev, e);
	size_t n = out.data.len;
	uint8_t *first = malloc(n + 1);
	if (ret == 0)
		ret = bytedev_read(file, 0, first, n, e);
	if (ret == 0 && (n > size || memcmp(first, out.data.p, n) != 0))
		ret = err_set(e, ERR_FAILED, NULL, "differs");
	if (ret == 0)
		printf("%s: %zu bytes the same, %llu keys, %llu behind the bins\n", path, n,
			(unsigned long long)c.keys, (unsigned long long)(size - n));
	free(first);
	hive_close(h);
	buf_clear(&out.data);
	bytedev_close(file);
	return ret;
}

int main(int argc, char **argv)
{
	int status = 0;
	for (int i = 1; i < argc; i++) {
		struct err e = ERR_INIT;
		if (one(argv[i], &e) < 0) {
			printf("%s: %s\n", argv[i], e.what);
			status = 1;
		}
	}
	return status;
}
