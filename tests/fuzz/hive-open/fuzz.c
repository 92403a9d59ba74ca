/*
 * Open, check and walk a hive made of arbitrary bytes.
 *
 * The base block's checksum is set right first, or the fuzzer would never get past it. Oracle: when
 * the check finds no error, every key and value it counted can be read; a hive opened is not
 * written to.
 */
#include <stdlib.h>
#include <string.h>

#include "hive/hive_int.h"
#include "tests/unit/memdev.h"

struct count {
	uint64_t keys, values;
	bool failed;
};

static void walk_values(const struct hive *h, hive_key key, uint32_t n, struct count *c)
{
	for (uint32_t i = 0; i < n && c->values < 5000; i++) {
		struct hive_value v;
		struct buf data = BUF_INIT;
		uint8_t *at;
		if (hive_value_at(h, key, i, &v, NULL) < 0 || v.size > h->len) {
			c->failed = true;
			return;
		}
		char *name = hive_name_utf8(&v.name);
		if (buf_grow(&data, v.size, &at, NULL) < 0 || hive_read_value(h, &v, at, NULL) < 0)
			c->failed = true;
		free(name);
		buf_clear(&data);
		c->values++;
	}
}

static void walk(const struct hive *h, hive_key key, unsigned depth, struct count *c)
{
	struct hive_key_info k;
	if (depth > 40 || c->keys > 2000)
		return;
	if (hive_key_info(h, key, &k, NULL) < 0) {
		c->failed = true;
		return;
	}
	c->keys++;
	free(hive_key_path(h, key));
	walk_values(h, key, k.values, c);
	for (uint32_t i = 0; i < k.subkeys && !c->failed && c->keys <= 2000; i++) {
		hive_key sub;
		if (hive_subkey_at(h, key, i, &sub, NULL) < 0)
			c->failed = true;
		else
			walk(h, sub, depth + 1, c);
	}
}

static void found(void *ctx, const struct hive_finding *f)
{
	*(size_t *)ctx += strlen(f->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recorder r = {.fail_at = 0}; /* any write fails */
	struct memdev dev;
	struct hive *h;
	struct hive_check check;
	struct count c = {0};
	size_t text = 0;
	if (size < SECTOR || size > 1 << 20)
		return 0;
	memdev_init(&dev, "HIVE", &r, 0);
	buf_add(&dev.data, data, size, NULL);
	base_seal(dev.data.p);
	if (hive_open(&h, &dev.dev, NULL, NULL, HIVE_AS_IS, NULL) == 0) {
		if (hive_check(h, found, &text, &check, NULL) < 0)
			abort();
		walk(h, hive_root(h), 0, &c);
		if (check.errors == 0 && c.failed)
			abort();
		hive_close(h);
	}
	if (r.calls)
		abort();
	buf_clear(&dev.data);
	return 0;
}
