#include "tests/tools/mkhive/cut.h"

#include <stdio.h>
#include <stdlib.h>

static struct bytedev *under(struct bytedev *d)
{
	struct cut *c = d->ctx;
	return c->file[d - c->dev];
}

static int size(struct bytedev *d, uint64_t *n, struct err *e)
{
	return bytedev_size(under(d), n, e);
}

static int read_at(struct bytedev *d, uint64_t off, void *p, size_t n, struct err *e)
{
	return bytedev_read(under(d), off, p, n, e);
}

/* The first write to the primary at 0 marks it dirty; then the light goes out. */
static int write_at(struct bytedev *d, uint64_t off, const void *p, size_t n, struct err *e)
{
	struct cut *c = d->ctx;
	if (c->off)
		return 0;
	c->off = d == &c->dev[0] && off == 0;
	return bytedev_write(under(d), off, p, n, e);
}

static int resize(struct bytedev *d, uint64_t n, struct err *e)
{
	struct cut *c = d->ctx;
	return c->off ? 0 : bytedev_resize(under(d), n, e);
}

static int sync_all(struct bytedev *d, struct err *e)
{
	return bytedev_sync(under(d), e);
}

static const struct bytedev_ops ops = {
	.size = size, .read = read_at, .write = write_at, .resize = resize, .sync = sync_all};

int cut_begin(struct cut *c, struct hive **h, const char *out, uint64_t now, struct err *e)
{
	static const char *const suffix[] = {"", ".LOG1", ".LOG2"};
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < 3; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s%s", out, suffix[i]);
		if (i > 0)
			remove(path);
		ret = bytedev_open_file(&c->file[i], path, 1, 1, e);
		c->dev[i] = (struct bytedev){.ops = &ops, .ctx = c, .name = "hive"};
	}
	hive_close(*h);
	*h = NULL;
	if (ret == 0)
		ret = hive_open(h, &c->dev[0], &c->dev[1], &c->dev[2], HIVE_LOG_HVLE, e);
	return ret == 0 ? hive_begin(*h, now, e) : ret;
}

int cut_end(struct cut *c, struct hive *h, struct err *e)
{
	int ret = hive_commit(h, e);
	if (ret == 0 && !c->off)
		ret = err_set(e, ERR_FAILED, NULL, "nothing was changed after the cut");
	return ret;
}

void cut_close(struct cut *c)
{
	for (size_t i = 0; i < 3; i++)
		bytedev_close(c->file[i]);
}
