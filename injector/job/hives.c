/* A hive of the chosen Windows, with its logs, on its volume. */
#include <stdio.h>
#include <string.h>

#include "job/internal.h"

#define BUILD_WINDOWS_8_1 9600 /* first release that writes and reads HvLE logs */

/* Relative to the folder of Windows. NTUSER.DAT of new users lies beside it. */
static const char *const files[] = {
	[PLAN_DEFAULT] = "System32/config/DEFAULT",
	[PLAN_NEW_USER] = "../Users/Default/NTUSER.DAT",
	[PLAN_SYSTEM] = "System32/config/SYSTEM",
	[JOB_SOFTWARE] = "System32/config/SOFTWARE",
};

/* In messages the engineer knows them by these names, wherever the volume lies. */
static const char *const names[][3] = {
	[PLAN_DEFAULT] = {"DEFAULT hive", "DEFAULT.LOG1", "DEFAULT.LOG2"},
	[PLAN_NEW_USER] = {"NTUSER.DAT of new users", "NTUSER.DAT.LOG1", "NTUSER.DAT.LOG2"},
	[PLAN_SYSTEM] = {"SYSTEM hive", "SYSTEM.LOG1", "SYSTEM.LOG2"},
	[JOB_SOFTWARE] = {"SOFTWARE hive", "SOFTWARE.LOG1", "SOFTWARE.LOG2"},
};

static void hive_path(
	const struct job_candidate *w, int store, const char *suffix, char *out, size_t size)
{
	const char *file = files[store], *root = w->facts.root;
	int n = (int)strlen(root);
	if (strncmp(file, "../", 3) == 0) {
		const char *slash = strrchr(root, '/');
		n = slash ? (int)(slash - root) : 0;
		file += 3;
	}
	snprintf(out, size, "%.*s/%s%s", n, root, file, suffix);
}

void job_hive_log_path(const struct job_candidate *w, int store, int log, char *out, size_t size)
{
	hive_path(w, store, log == 1 ? ".LOG1" : ".LOG2", out, size);
}

/* What a run that was cut off left of making them. Before a file is open: flushing writes the MFT
 * records of those that are. */
static int tidy_logs(struct job_hive *s, const struct job_candidate *w, int store, struct err *e)
{
	char path[256];
	int ret = 0;
	for (int log = 1; ret == 0 && log <= 2; log++) {
		job_hive_log_path(w, store, log, path, sizeof path);
		ret = volume_tidy(s->volume, path, e);
	}
	return ret;
}

static int open_log(struct job_hive *s, const struct job_candidate *w, int store, int log,
	bool writable, struct bytedev **d, struct err *e)
{
	char path[256];
	struct volume_stat st;
	job_hive_log_path(w, store, log, path, sizeof path);
	int ret = volume_stat(s->volume, path, &st, e);
	if (ret == 0 && !st.exists) {
		if (!writable)
			return 0;
		ret = volume_replace(s->volume, path, "", 0, e);
	}
	return ret < 0 ? ret : volume_open_file(s->volume, path, writable, d, e);
}

static void name_devices(struct job_hive *s, int store)
{
	s->primary->name = names[store][0];
	if (s->log1)
		s->log1->name = names[store][1];
	if (s->log2)
		s->log2->name = names[store][2];
}

int job_hive_open(
	struct job_hive *s, const struct job_candidate *w, int store, bool writable, struct err *e)
{
	char path[256];
	*s = (struct job_hive){0};
	hive_path(w, store, "", path, sizeof path);
	/* Build 0 is not known: preflight stops, and nothing here guesses in its place. */
	unsigned log = w->facts.build >= BUILD_WINDOWS_8_1 ? HIVE_LOG_HVLE
		       : w->facts.build			   ? HIVE_LOG_DIRT
							   : 0;
	int ret = volume_open(&s->volume, w->src, writable, e);
	if (ret == 0 && writable)
		ret = tidy_logs(s, w, store, e);
	if (ret == 0)
		ret = volume_open_file(s->volume, path, writable, &s->primary, e);
	if (ret == 0)
		ret = open_log(s, w, store, 1, writable, &s->log1, e);
	if (ret == 0)
		ret = open_log(s, w, store, 2, writable, &s->log2, e);
	if (ret == 0)
		name_devices(s, store);
	if (ret == 0)
		ret = hive_open(&s->hive, s->primary, s->log1, s->log2, log, e);
	if (ret < 0)
		job_hive_close(s, NULL);
	return ret;
}

int job_hive_close(struct job_hive *s, struct err *e)
{
	hive_close(s->hive);
	bytedev_close(s->log2);
	bytedev_close(s->log1);
	bytedev_close(s->primary);
	int ret = volume_close(s->volume, e);
	*s = (struct job_hive){0};
	return ret;
}
