/*
 * Does what judge.py says to a hive held in memory, and tells every write it made.
 *
 *   worker HIVE LOG1|- LOG2|- hvle|dirt
 *
 * Commands on stdin, one a line, fields separated by tabs, bytes in hex:
 *   S key name type data    set a value (keys are created)      D key name    delete a value
 *   K key                   delete a key                        M key         create a key
 *   C [fail [short|read]]   commit; the fail-th changing call (from 0) or read (from 1) fails
 *   X                       remember the three files            Y             go back to them
 *   Q                       our own check: errors warnings leaked
 * Each command is answered by one line: "ok ..." or "error CODE"; C by "ok CALLS READS" and the
 * writes: w DEV OFFSET HEX | r DEV SIZE | s DEV   and a line "."
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hive/hive.h"
#include "tests/unit/memdev.h"

struct worker {
	struct recorder r;
	struct memdev dev[3];
	struct buf saved[3];
	unsigned flags;
	struct hive *h;
	uint64_t now, saved_now;
};

static int load(struct memdev *m, const char *path)
{
	uint8_t b[65536];
	size_t n;
	FILE *f = strcmp(path, "-") == 0 ? NULL : fopen(path, "rb");
	if (!f)
		return strcmp(path, "-") == 0 ? 0 : -1;
	while ((n = fread(b, 1, sizeof b, f)) > 0)
		buf_add(&m->data, b, n, NULL);
	fclose(f);
	return 0;
}

static int reopen(struct worker *w, struct err *e)
{
	hive_close(w->h);
	w->h = NULL;
	int ret = hive_open(&w->h, &w->dev[0].dev, &w->dev[1].dev, &w->dev[2].dev, w->flags, e);
	return ret == 0 ? hive_begin(w->h, w->now, e) : ret;
}

static size_t unhex(const char *s, uint8_t *out)
{
	size_t n = 0;
	unsigned v;
	for (; s && s[0] && s[1] && sscanf(s, "%2x", &v) == 1; s += 2)
		out[n++] = (uint8_t)v;
	return n;
}

static char *unhex_text(const char *s)
{
	size_t n = strlen(s) / 2;
	char *t = calloc(1, n + 1);
	unhex(s, (uint8_t *)t);
	return t;
}

static void dump(struct worker *w)
{
	for (size_t i = 0; i < w->r.n; i++) {
		struct memrec *m = &w->r.rec[i];
		if (m->op == MEM_SYNC)
			printf("s %d\n", m->dev);
		else if (m->op == MEM_RESIZE)
			printf("r %d %llu\n", m->dev, (unsigned long long)m->off);
		else {
			printf("w %d %llu ", m->dev, (unsigned long long)m->off);
			for (size_t k = 0; k < m->data.len; k++)
				printf("%02x", m->data.p[k]);
			putchar('\n');
		}
	}
	puts(".");
}

static int commit(struct worker *w, const char *fail, const char *cut, struct err *e)
{
	recorder_clear(&w->r);
	w->r.on = true;
	bool read = cut && strcmp(cut, "read") == 0;
	w->r.fail_at = fail && !read ? atol(fail) : -1;
	w->r.fail_read = read ? atol(fail) : 0;
	w->r.fail_short = cut && !read;
	int ret = hive_commit(w->h, e);
	w->r.fail_read = 0;
	if (ret < 0)
		printf("error %s\n", err_name(ret));
	else
		printf("ok %ld %ld\n", w->r.calls, w->r.reads);
	return 1;
}

static int edit(struct worker *w, char **f, struct err *e)
{
	CLEANUP(freep) char *key = unhex_text(f[1]), *name = f[2] ? unhex_text(f[2]) : NULL;
	CLEANUP(freep) uint8_t *data = f[2] && f[3] && f[4] ? malloc(strlen(f[4]) + 1) : NULL;
	hive_key k;
	int ret = hive_begin(w->h, w->now, e);
	if (ret < 0)
		return ret;
	if (*f[0] == 'S' || *f[0] == 'M') {
		ret = hive_create_key(w->h, hive_root(w->h), key, NULL, &k, e);
		if (ret == 0 && *f[0] == 'S')
			ret = hive_set_value(w->h, k, name, (uint32_t)strtoul(f[3], NULL, 10), data,
				unhex(f[4], data), e);
		return ret;
	}
	ret = hive_find_key(w->h, hive_root(w->h), key, &k, e);
	if (ret < 0)
		return ret;
	return *f[0] == 'D' ? hive_delete_value(w->h, k, name, e) : hive_delete_key(w->h, k, e);
}

static int check(struct worker *w, struct err *e)
{
	struct hive_check c;
	int ret = hive_check(w->h, NULL, NULL, &c, e);
	if (ret == 0)
		printf("ok %llu %llu %llu\n", (unsigned long long)c.errors,
			(unsigned long long)c.warnings, (unsigned long long)c.leaked_cells);
	return ret < 0 ? ret : 1;
}

static int snapshot(struct worker *w, bool back, struct err *e)
{
	for (size_t i = 0; i < 3; i++) {
		struct buf *from = back ? &w->saved[i] : &w->dev[i].data;
		struct buf *to = back ? &w->dev[i].data : &w->saved[i];
		to->len = 0;
		buf_add(to, from->p, from->len, e);
	}
	recorder_clear(&w->r);
	if (back)
		w->now = w->saved_now;
	else
		w->saved_now = w->now;
	return back ? reopen(w, e) : 0;
}

static int run(struct worker *w, char *line, struct err *e)
{
	char *f[6] = {NULL};
	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < 5 && line; i++)
		f[i] = strsep(&line, "\t");
	switch (*f[0]) {
	case 'C':
		return commit(w, f[1], f[1] ? f[2] : NULL, e);
	case 'X':
	case 'Y':
		return snapshot(w, *f[0] == 'Y', e);
	case 'Q':
		return check(w, e);
	default:
		return edit(w, f, e);
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"HIVE", "HIVE.LOG1", "HIVE.LOG2"};
	struct worker w = {.now = 0x01db8cdd00000000ULL};
	struct err e = ERR_INIT;
	if (argc != 5)
		return 2;
	w.flags = strcmp(argv[4], "dirt") == 0 ? HIVE_LOG_DIRT : HIVE_LOG_HVLE;
	w.r.fail_at = -1;
	for (int i = 0; i < 3; i++) {
		memdev_init(&w.dev[i], names[i], &w.r, i);
		if (load(&w.dev[i], argv[1 + i]) < 0)
			return 2;
	}
	int ret = reopen(&w, &e);
	if (ret < 0)
		printf("error %s %s\n", err_name(ret), e.what);
	else
		puts("ok");
	char *line = NULL;
	size_t cap = 0;
	while (ret == 0 && fflush(stdout) == 0 && getline(&line, &cap, stdin) > 0) {
		e = (struct err)ERR_INIT;
		w.now += 10000;
		bool committing = *line == 'C';
		int r = run(&w, line, &e);
		if (r == 0)
			puts("ok");
		else if (r < 0)
			printf("error %s %s\n", err_name(r), e.what);
		if (committing)
			dump(&w);
	}
	free(line);
	hive_close(w.h);
	for (int i = 0; i < 3; i++) {
		buf_clear(&w.dev[i].data);
		buf_clear(&w.saved[i]);
	}
	recorder_clear(&w.r);
	return ret < 0;
}
