/* The SYSTEM hive of the chosen Windows, with its logs, on its volume. */
#include <stdio.h>

#include "job/internal.h"

#define BUILD_WINDOWS_8_1 9600 /* first release that writes and reads HvLE logs */

static void hive_path(const struct job_candidate *w, const char *suffix, char *out, size_t size)
{
	snprintf(out, size, "%s/System32/config/SYSTEM%s", w->facts.root, suffix);
}

static int open_log(struct system_hive *s, const struct job_candidate *w, const char *suffix,
	bool writable, struct bytedev **d, struct err *e)
{
	char path[256];
	struct volume_stat st;
	hive_path(w, suffix, path, sizeof path);
	int ret = volume_stat(s->volume, path, &st, e);
	if (ret == 0 && !st.exists) {
		if (!writable)
			return 0;
		ret = volume_replace(s->volume, path, "", 0, e);
	}
	return ret < 0 ? ret : volume_open_file(s->volume, path, writable, d, e);
}

/* In messages the engineer knows them by these names, wherever the volume lies. */
static void name_devices(struct system_hive *s)
{
	s->primary->name = "SYSTEM hive";
	if (s->log1)
		s->log1->name = "SYSTEM.LOG1";
	if (s->log2)
		s->log2->name = "SYSTEM.LOG2";
}

int system_hive_open(
	struct system_hive *s, const struct job_candidate *w, bool writable, struct err *e)
{
	char path[256];
	*s = (struct system_hive){0};
	hive_path(w, "", path, sizeof path);
	unsigned log = w->facts.build >= BUILD_WINDOWS_8_1 ? HIVE_LOG_HVLE : HIVE_LOG_DIRT;
	int ret = volume_open(&s->volume, w->src, writable, e);
	if (ret == 0)
		ret = volume_open_file(s->volume, path, writable, &s->primary, e);
	if (ret == 0)
		ret = open_log(s, w, ".LOG1", writable, &s->log1, e);
	if (ret == 0)
		ret = open_log(s, w, ".LOG2", writable, &s->log2, e);
	if (ret == 0)
		name_devices(s);
	if (ret == 0)
		ret = hive_open(&s->hive, s->primary, s->log1, s->log2, log, e);
	if (ret < 0)
		system_hive_close(s, NULL);
	return ret;
}

int system_hive_close(struct system_hive *s, struct err *e)
{
	hive_close(s->hive);
	bytedev_close(s->log2);
	bytedev_close(s->log1);
	bytedev_close(s->primary);
	int ret = volume_close(s->volume, e);
	*s = (struct system_hive){0};
	return ret;
}
