#include "media/tail.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/layout.h"

static const char next_step[] = "Do not start a PC from it. Copy bundle and journal off on a PC "
				"that is running, then have the stick made again with stick make.";

/* Its length; *at is where it begins. */
static size_t tail_of(const struct blockdev *d, uint64_t end, uint64_t *at)
{
	uint64_t n = d->size > end ? d->size - end : 0;
	if (n > TAIL_MAX)
		n = TAIL_MAX;
	*at = d->size - n;
	return (size_t)n;
}

int tail_clear(struct blockdev *d, uint64_t end, struct err *e)
{
	uint64_t at;
	size_t n = tail_of(d, end, &at);
	CLEANUP(freep) uint8_t *zeros = calloc(1, TAIL_MAX);
	return zeros ? blockdev_write(d, at, zeros, n, e) : err_nomem(e);
}

static bool is_empty(const uint8_t *p, size_t n)
{
	return n == 0 || ((p[0] == 0x00 || p[0] == 0xff) && memcmp(p, p + 1, n - 1) == 0);
}

int tail_check(struct blockdev *d, uint64_t end, struct err *e)
{
	uint8_t last[LAYOUT_SECTOR];
	uint64_t at;
	size_t n = tail_of(d, end, &at);
	CLEANUP(freep) uint8_t *tail = malloc(TAIL_MAX);
	if (!tail)
		return err_nomem(e);
	int ret = blockdev_read(d, d->size - sizeof last, last, sizeof last, e);
	if (ret == 0)
		ret = blockdev_read(d, at, tail, n, e);
	if (ret == 0 && memcmp(last, "EFI PART", 8) == 0)
		ret = err_set(e, ERR_INTEGRITY, next_step,
			"%s: a second partition table lies in its last sector", d->name);
	if (ret == 0 && !is_empty(tail, n))
		ret = err_set(e, ERR_INTEGRITY, next_step,
			"%s: bytes that nobody signed lie behind the data partition", d->name);
	return ret;
}
