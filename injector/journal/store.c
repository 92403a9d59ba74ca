#include "journal/store.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define NAME_DIGITS 6
#define NAME_SUFFIX ".jsonl"
#define NAME_LEN (NAME_DIGITS + sizeof NAME_SUFFIX - 1)

static const char record_start[] = "{\"v\":1,\"seq\":";

char *store_path(const char *folder, uint64_t session, struct err *e)
{
	char name[32];
	snprintf(name, sizeof name, "%06" PRIu64 NAME_SUFFIX, session);
	char *path = path_join(folder, name);
	if (!path)
		err_nomem(e);
	return path;
}

char *store_folder(const char *dir, struct err *e)
{
	char *folder = path_join(dir, "journal");
	if (!folder) {
		err_nomem(e);
		return NULL;
	}
	if (file_exists(folder))
		return folder;
	free(folder);
	folder = strdup(dir);
	if (!folder)
		err_nomem(e);
	return folder;
}

/* Session number of a file name, or -1. Windows may show names in either case. */
static int64_t number_of(const char *name)
{
	static const char suffix[] = NAME_SUFFIX;
	if (strlen(name) != NAME_LEN || strspn(name, "0123456789") != NAME_DIGITS)
		return -1;
	for (size_t i = 0; i < sizeof suffix - 1; i++)
		if ((name[NAME_DIGITS + i] | (suffix[i] == '.' ? 0 : 0x20)) != suffix[i])
			return -1;
	return (int64_t)strtoul(name, NULL, 10);
}

int store_last(const char *folder, uint64_t *last, struct err *e)
{
	DIR *d = opendir(folder);
	if (!d)
		return err_sys(e, ERR_IO,
			"Name a stick's folder (or a copied journal folder); `odjstick stick init` "
			"makes one.",
			"cannot open the journal %s", folder);
	int64_t max = -1;
	errno = 0;
	for (const struct dirent *de = readdir(d); de; de = readdir(d)) {
		int64_t n = number_of(de->d_name);
		max = n > max ? n : max;
	}
	int bad = errno;
	closedir(d);
	if (bad) {
		errno = bad;
		return err_sys(e, ERR_IO, NULL, "cannot list %s", folder);
	}
	if (max < 0)
		return err_set(e, ERR_NOTFOUND,
			"Name a stick's folder; `odjstick stick init` makes one.",
			"%s holds no journal", folder);
	*last = (uint64_t)max;
	return 0;
}

int store_load(struct store_session *s, const char *folder, uint64_t number, struct err *e)
{
	*s = (struct store_session){.number = number};
	CLEANUP(freep) char *path = store_path(folder, number, e);
	if (!path)
		return -ERR_NOMEM;
	return file_read(path, STORE_SESSION_BYTES_MAX, &s->data, e);
}

void store_unload(struct store_session *s)
{
	buf_clear(&s->data);
}

void store_rewind(struct store_session *s)
{
	s->off = 0;
}

bool store_next(struct store_session *s, struct record_view *v)
{
	if (s->off == s->data.len ||
		record_parse(v, s->data.p + s->off, s->data.len - s->off, &s->why) < 0)
		return false;
	s->off += v->size;
	return true;
}

struct span store_tail_bytes(const struct store_session *s)
{
	if (!s->data.p)
		return (struct span){(const uint8_t *)"", 0};
	return (struct span){s->data.p + s->off, s->data.len - s->off};
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\r' || c == '\n' || c == '\0';
}

uint64_t store_torn(const struct store_session *s)
{
	struct span tail = store_tail_bytes(s);
	while (tail.len && is_blank(tail.p[tail.len - 1]))
		tail.len--;
	return tail.len;
}

enum store_tail store_tail(const struct store_session *s)
{
	struct span tail = store_tail_bytes(s);
	const size_t mark = sizeof record_start - 1;
	if (tail.len == 0)
		return STORE_TAIL_NONE;
	for (size_t at = RECORD_BLOCK; at + mark <= tail.len; at += RECORD_BLOCK)
		if (memcmp(tail.p + at, record_start, mark) == 0)
			return STORE_TAIL_DAMAGED;
	return store_torn(s) ? STORE_TAIL_TORN : STORE_TAIL_BLANK;
}
