/* odjstick hive: look into and change one registry hive file, logs beside it. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/hive_text.h"

/* --- the hive file and its logs; a log that is absent is created when first written --- */

struct late_file {
	struct bytedev dev;
	struct bytedev *real; /* NULL while the file does not exist */
	char *path;
};

static int late_size(struct bytedev *d, uint64_t *size, struct err *e)
{
	struct late_file *f = d->ctx;
	*size = 0;
	return f->real ? bytedev_size(f->real, size, e) : 0;
}

static int late_read(struct bytedev *d, uint64_t off, void *p, size_t n, struct err *e)
{
	struct late_file *f = d->ctx;
	if (!f->real)
		return err_set(e, ERR_IO, NULL, "%s does not exist", f->path);
	return bytedev_read(f->real, off, p, n, e);
}

static int late_make(struct late_file *f, struct err *e)
{
	if (f->real)
		return 0;
	int ret = bytedev_open_file(&f->real, f->path, 1, 1, e);
	if (ret < 0)
		return ret;
	CLEANUP(freep) char *dir = strdup(f->path);
	return dir ? file_sync_dir(dirname(dir), e) : err_nomem(e);
}

static int late_write(struct bytedev *d, uint64_t off, const void *p, size_t n, struct err *e)
{
	struct late_file *f = d->ctx;
	int ret = late_make(f, e);
	return ret == 0 ? bytedev_write(f->real, off, p, n, e) : ret;
}

static int late_resize(struct bytedev *d, uint64_t size, struct err *e)
{
	struct late_file *f = d->ctx;
	int ret = late_make(f, e);
	return ret == 0 ? bytedev_resize(f->real, size, e) : ret;
}

static int late_sync(struct bytedev *d, struct err *e)
{
	struct late_file *f = d->ctx;
	return f->real ? bytedev_sync(f->real, e) : 0;
}

static const struct bytedev_ops late_ops = {
	.size = late_size,
	.read = late_read,
	.write = late_write,
	.resize = late_resize,
	.sync = late_sync,
};

struct session {
	struct bytedev *dev;
	struct late_file log[2];
	struct hive *h;
	hive_key key;
};

static void session_close(struct session *s)
{
	hive_close(s->h);
	for (size_t i = 0; i < 2; i++) {
		bytedev_close(s->log[i].real);
		free(s->log[i].path);
	}
	bytedev_close(s->dev);
}

static int late_open(
	struct late_file *f, const char *hive, const char *suffix, bool write, struct err *e)
{
	size_t n = strlen(hive), m = strlen(suffix);
	f->path = malloc(n + m + 1);
	if (!f->path)
		return err_nomem(e);
	memcpy(f->path, hive, n);
	memcpy(f->path + n, suffix, m + 1);
	f->dev = (struct bytedev){&late_ops, f, f->path};
	return file_exists(f->path) ? bytedev_open_file(&f->real, f->path, write, 0, e) : 0;
}

static int session_open(
	struct session *s, const char *path, bool write, unsigned flags, struct err *e)
{
	int ret = bytedev_open_file(&s->dev, path, write, 0, e);
	if (ret == 0)
		ret = late_open(&s->log[0], path, ".LOG1", write, e);
	if (ret == 0)
		ret = late_open(&s->log[1], path, ".LOG2", write, e);
	if (ret < 0)
		return ret;
	struct bytedev *log1 = write || s->log[0].real ? &s->log[0].dev : NULL;
	struct bytedev *log2 = write || s->log[1].real ? &s->log[1].dev : NULL;
	return hive_open(&s->h, s->dev, log1, log2, flags, e);
}

static void say_recovered(const struct session *s)
{
	struct hive_info i;
	hive_get_info(s->h, &i);
	if (i.recovery != HIVE_NOT_RECOVERED)
		fprintf(stderr,
			"odjstick: the hive was not closed cleanly; %u log %s (%u pages) applied\n",
			i.log_entries, i.log_entries == 1 ? "entry was" : "entries were",
			i.log_pages);
}

static int open_key(struct session *s, const char *path, const char *key, struct err *e)
{
	int ret = session_open(s, path, false, 0, e);
	if (ret < 0)
		return ret;
	say_recovered(s);
	return hive_find_key(s->h, hive_root(s->h), key ? key : "", &s->key, e);
}

/* --- values --- */

static int value_json(const struct session *s, const struct hive_value *v, bool with_data,
	json_t **out, struct err *e)
{
	CLEANUP(freep) char *name = hive_name_utf8(&v->name);
	json_t *o = json_pack("{s:s, s:s, s:I}", "name", name ? name : "", "type",
		hive_type_name(v->type), "size", (json_int_t)v->size);
	*out = o;
	if (!o || !with_data)
		return o ? 0 : err_nomem(e);
	CLEANUP(buf_clear) struct buf data = BUF_INIT;
	uint8_t *at;
	int ret = buf_grow(&data, v->size, &at, e);
	if (ret == 0)
		ret = hive_read_value(s->h, v, at, e);
	return ret == 0 ? hive_data_json(o, v->type, data.p, data.len, e) : ret;
}

static int print_value(
	const struct session *s, const struct hive_value *v, bool name_too, struct err *e)
{
	CLEANUP(freep) char *name = hive_name_utf8(&v->name), *text = NULL;
	CLEANUP(buf_clear) struct buf data = BUF_INIT;
	uint8_t *at;
	int ret = buf_grow(&data, v->size, &at, e);
	if (ret == 0)
		ret = hive_read_value(s->h, v, at, e);
	if (ret < 0)
		return ret;
	text = hive_data_text(v->type, data.p, data.len);
	if (!name || !text)
		return err_nomem(e);
	if (name_too)
		printf("%s\t%s\t", *name ? name : "(default)", hive_type_name(v->type));
	printf("%s\n", text);
	return 0;
}

/* --- ls --- */

static int ls_json(const struct session *s, const struct hive_key_info *k, struct err *e)
{
	CLEANUP(freep) char *path = hive_key_path(s->h, s->key);
	json_t *subkeys = json_array(), *values = json_array();
	json_t *o = json_pack("{s:s, s:I, s:o, s:o}", "key", path ? path : "", "written",
		(json_int_t)k->written, "subkeys", subkeys, "values", values);
	int ret = o ? 0 : err_nomem(e);
	for (uint32_t i = 0; ret == 0 && i < k->subkeys; i++) {
		hive_key sub;
		struct hive_key_info info;
		ret = hive_subkey_at(s->h, s->key, i, &sub, e);
		if (ret == 0)
			ret = hive_key_info(s->h, sub, &info, e);
		CLEANUP(freep) char *name = ret == 0 ? hive_name_utf8(&info.name) : NULL;
		if (ret == 0 && (!name || json_array_append_new(subkeys, json_string(name)) < 0))
			ret = err_nomem(e);
	}
	for (uint32_t i = 0; ret == 0 && i < k->values; i++) {
		struct hive_value v;
		json_t *j = NULL;
		ret = hive_value_at(s->h, s->key, i, &v, e);
		if (ret == 0)
			ret = value_json(s, &v, false, &j, e);
		if (j && json_array_append_new(values, j) < 0)
			ret = err_nomem(e);
	}
	if (ret < 0)
		json_decref(o);
	return ret == 0 ? cli_print_json(o, e) : ret;
}

static int ls_text(const struct session *s, const struct hive_key_info *k, struct err *e)
{
	int ret = 0;
	for (uint32_t i = 0; ret == 0 && i < k->subkeys; i++) {
		hive_key sub;
		struct hive_key_info info;
		ret = hive_subkey_at(s->h, s->key, i, &sub, e);
		if (ret == 0)
			ret = hive_key_info(s->h, sub, &info, e);
		CLEANUP(freep) char *name = ret == 0 ? hive_name_utf8(&info.name) : NULL;
		if (name)
			printf("%s\\\n", name);
	}
	for (uint32_t i = 0; ret == 0 && i < k->values; i++) {
		struct hive_value v;
		ret = hive_value_at(s->h, s->key, i, &v, e);
		CLEANUP(freep) char *name = ret == 0 ? hive_name_utf8(&v.name) : NULL;
		if (name)
			printf("%s\t%s\t%u bytes\n", *name ? name : "(default)",
				hive_type_name(v.type), v.size);
	}
	return ret;
}

static int run_ls(int argc, char **argv, struct err *e)
{
	CLEANUP(session_close) struct session s = {0};
	const char *args[2] = {NULL, NULL};
	bool json = false;
	struct hive_key_info k;
	const struct cli_opt opts[] = {{"--json", NULL, &json}, {0}};
	int ret = cli_parse(argc, argv, opts, 1, 2, args, NULL, e);
	if (ret == 0)
		ret = open_key(&s, args[0], args[1], e);
	if (ret == 0)
		ret = hive_key_info(s.h, s.key, &k, e);
	if (ret < 0)
		return ret;
	return json ? ls_json(&s, &k, e) : ls_text(&s, &k, e);
}

/* --- get --- */

static int get_one(const struct session *s, const char *name, bool json, struct err *e)
{
	struct hive_value v;
	json_t *o = NULL;
	int ret = hive_find_value(s->h, s->key, name, &v, e);
	if (ret < 0 || !json)
		return ret < 0 ? ret : print_value(s, &v, false, e);
	ret = value_json(s, &v, true, &o, e);
	if (ret < 0)
		json_decref(o);
	return ret == 0 ? cli_print_json(o, e) : ret;
}

static int get_all(const struct session *s, bool json, struct err *e)
{
	struct hive_key_info k;
	json_t *all = json ? json_array() : NULL;
	int ret = hive_key_info(s->h, s->key, &k, e);
	for (uint32_t i = 0; ret == 0 && i < k.values; i++) {
		struct hive_value v;
		json_t *o = NULL;
		ret = hive_value_at(s->h, s->key, i, &v, e);
		if (ret == 0)
			ret = json ? value_json(s, &v, true, &o, e) : print_value(s, &v, true, e);
		if (o && json_array_append_new(all, o) < 0)
			ret = err_nomem(e);
	}
	if (ret < 0)
		json_decref(all);
	return ret == 0 && json ? cli_print_json(all, e) : ret;
}

static int run_get(int argc, char **argv, struct err *e)
{
	CLEANUP(session_close) struct session s = {0};
	const char *args[3] = {NULL, NULL, NULL};
	bool json = false;
	const struct cli_opt opts[] = {{"--json", NULL, &json}, {0}};
	int ret = cli_parse(argc, argv, opts, 2, 3, args, NULL, e);
	if (ret == 0)
		ret = open_key(&s, args[0], args[1], e);
	if (ret < 0)
		return ret;
	return args[2] ? get_one(&s, args[2], json, e) : get_all(&s, json, e);
}

/* --- set, delete --- */

static int log_flag(const char *text, unsigned *flags, struct err *e)
{
	*flags = 0;
	if (!text)
		return 0;
	*flags = strcmp(text, "hvle") == 0   ? HIVE_LOG_HVLE
		 : strcmp(text, "dirt") == 0 ? HIVE_LOG_DIRT
					     : 0;
	return *flags ? 0
		      : err_set(e, ERR_USAGE, "hvle: Windows 8.1 and later; dirt: 7 and 8.0.",
				"--log knows hvle and dirt, not \"%s\"", text);
}

static int begin(struct session *s, const char *path, const char *log, struct err *e)
{
	unsigned flags;
	int ret = log_flag(log, &flags, e);
	if (ret == 0)
		ret = session_open(s, path, true, flags, e);
	if (ret < 0)
		return ret;
	say_recovered(s);
	return hive_begin(s->h, clock_filetime(clock_now()), e);
}

/* Windows wants both logs to exist, be they empty. */
static int commit(struct session *s, struct err *e)
{
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < 2; i++)
		ret = late_make(&s->log[i], e);
	return ret == 0 ? hive_commit(s->h, e) : ret;
}

static int run_set(int argc, char **argv, struct err *e)
{
	CLEANUP(session_close) struct session s = {0};
	CLEANUP(buf_clear) struct buf data = BUF_INIT;
	const char *args[5], *log = NULL;
	uint32_t type;
	const struct cli_opt opts[] = {{"--log", &log, NULL}, {0}};
	int ret = cli_parse(argc, argv, opts, 5, 5, args, NULL, e);
	if (ret == 0)
		ret = hive_parse_data(args[3], args[4], &type, &data, e);
	if (ret == 0)
		ret = begin(&s, args[0], log, e);
	if (ret == 0)
		ret = hive_create_key(s.h, hive_root(s.h), args[1], NULL, &s.key, e);
	if (ret == 0)
		ret = hive_set_value(s.h, s.key, args[2], type, data.p, data.len, e);
	return ret == 0 ? commit(&s, e) : ret;
}

static int run_delete(int argc, char **argv, struct err *e)
{
	CLEANUP(session_close) struct session s = {0};
	const char *args[3] = {NULL, NULL, NULL}, *log = NULL;
	const struct cli_opt opts[] = {{"--log", &log, NULL}, {0}};
	int ret = cli_parse(argc, argv, opts, 2, 3, args, NULL, e);
	if (ret == 0)
		ret = begin(&s, args[0], log, e);
	if (ret == 0)
		ret = hive_find_key(s.h, hive_root(s.h), args[1], &s.key, e);
	if (ret == 0)
		ret = args[2] ? hive_delete_value(s.h, s.key, args[2], e)
			      : hive_delete_key(s.h, s.key, e);
	return ret == 0 ? commit(&s, e) : ret;
}

/* --- check, recover, export --- */

struct findings {
	json_t *list; /* NULL: print */
	bool failed;
};

static void found(void *ctx, const struct hive_finding *f)
{
	static const char *const level[] = {"info", "warning", "error"};
	struct findings *all = ctx;
	if (!all->list) {
		if (f->cell == HIVE_KEY_NONE)
			printf("%s: %s\n", level[f->level], f->text);
		else
			printf("%s: at %#x: %s\n", level[f->level], f->cell, f->text);
		return;
	}
	json_t *cell = f->cell == HIVE_KEY_NONE ? json_null() : json_integer(f->cell);
	json_t *o = json_pack(
		"{s:s, s:o, s:s}", "level", level[f->level], "cell", cell, "text", f->text);
	if (!o || json_array_append_new(all->list, o) < 0)
		all->failed = true;
}

static int print_check(const struct hive_check *c, struct findings *all, struct err *e)
{
	if (!all->list) {
		printf("%llu errors, %llu warnings; %llu keys, %llu values, %llu bins, %llu leaked "
		       "cells\n",
			(unsigned long long)c->errors, (unsigned long long)c->warnings,
			(unsigned long long)c->keys, (unsigned long long)c->values,
			(unsigned long long)c->bins, (unsigned long long)c->leaked_cells);
		return 0;
	}
	json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "errors",
		(json_int_t)c->errors, "warnings", (json_int_t)c->warnings, "keys",
		(json_int_t)c->keys, "values", (json_int_t)c->values, "bins", (json_int_t)c->bins,
		"free_bytes", (json_int_t)c->free_bytes, "leaked_cells",
		(json_int_t)c->leaked_cells, "layered", (json_int_t)c->layered, "findings",
		all->list);
	return all->failed ? err_nomem(e) : cli_print_json(o, e);
}

static int run_check(int argc, char **argv, struct err *e)
{
	CLEANUP(session_close) struct session s = {0};
	const char *args[1];
	bool json = false;
	struct findings all = {0};
	struct hive_check c;
	const struct cli_opt opts[] = {{"--json", NULL, &json}, {0}};
	int ret = cli_parse(argc, argv, opts, 1, 1, args, NULL, e);
	if (ret == 0)
		ret = session_open(&s, args[0], false, HIVE_AS_IS, e);
	if (ret < 0)
		return ret;
	all.list = json ? json_array() : NULL;
	ret = hive_check(s.h, found, &all, &c, e);
	if (ret == 0)
		ret = print_check(&c, &all, e);
	if (ret == 0 && c.errors)
		return err_set(e, ERR_INTEGRITY,
			"Nothing was changed. If it was only not closed cleanly, `hive recover` "
			"may help.",
			"%s has %llu errors", args[0], (unsigned long long)c.errors);
	return ret;
}

static void report(const char *path, const struct hive_info *i)
{
	if (!i->dirty)
		printf("%s was closed cleanly; nothing to recover.\n", path);
	else
		printf("%s was not closed cleanly: %u %s from its logs, %u pages%s%s%s\n", path,
			i->log_entries, i->log_entries == 1 ? "entry" : "entries", i->log_pages,
			i->base_rebuilt ? ", first sector rebuilt" : "", i->log_note[0] ? "; " : "",
			i->log_note);
}

static int run_recover(int argc, char **argv, struct err *e)
{
	CLEANUP(session_close) struct session s = {0};
	const char *args[1], *out = NULL;
	bool json = false;
	struct hive_info i;
	struct bytedev *dev;
	const struct cli_opt opts[] = {{"-o", &out, NULL}, {"--json", NULL, &json}, {0}};
	int ret = cli_parse(argc, argv, opts, 1, 1, args, NULL, e);
	if (ret == 0 && out && file_exists(out))
		ret = err_set(e, ERR_EXISTS, "Name a file that does not exist yet.",
			"%s exists and is not overwritten", out);
	if (ret == 0)
		ret = session_open(&s, args[0], false, 0, e);
	if (ret < 0)
		return ret;
	hive_get_info(s.h, &i);
	if (out) {
		ret = bytedev_open_file(&dev, out, 1, 1, e);
		if (ret == 0) {
			ret = hive_save(s.h, dev, e);
			bytedev_close(dev);
		}
	}
	if (ret < 0)
		return ret;
	if (!json) {
		report(args[0], &i);
		return 0;
	}
	return cli_print_json(
		json_pack("{s:b, s:b, s:I, s:I, s:s, s:I, s:I}", "dirty", i.dirty, "base_rebuilt",
			i.base_rebuilt, "entries", (json_int_t)i.log_entries, "pages",
			(json_int_t)i.log_pages, "note", i.log_note, "seq1", (json_int_t)i.seq1,
			"bins", (json_int_t)i.bins),
		e);
}

static int run_export(int argc, char **argv, struct err *e)
{
	CLEANUP(session_close) struct session s = {0};
	const char *args[2] = {NULL, NULL}, *root = "HKEY_LOCAL_MACHINE\\OFFLINE";
	bool text = false;
	const struct cli_opt opts[] = {{"--text", NULL, &text}, {"--root", &root, NULL}, {0}};
	int ret = cli_parse(argc, argv, opts, 1, 2, args, NULL, e);
	if (ret == 0)
		ret = open_key(&s, args[0], args[1], e);
	if (ret < 0)
		return ret;
	return text ? hive_export_text(s.h, s.key, e) : hive_export_reg(s.h, s.key, root, e);
}

static const struct cli_verb verbs[] = {
	{"ls", "HIVE [KEY] [--json]", "subkeys and values of a key", run_ls},
	{"get", "HIVE KEY [NAME] [--json]", "data of one value (\"\" is the default), or of all",
		run_get},
	{"set", "HIVE KEY NAME TYPE DATA [--log hvle|dirt]",
		"write one value, creating missing keys; recovers a dirty hive first", run_set},
	{"delete", "HIVE KEY [NAME] [--log hvle|dirt]",
		"remove one value, or the key with all below it", run_delete},
	{"export", "HIVE [KEY] [--text] [--root NAME]",
		"a .reg file for regedit (UTF-16), or a stable text form, on standard output",
		run_export},
	{"check", "HIVE [--json]", "check the structure as the file lies; exit 5 on errors",
		run_check},
	{"recover", "HIVE [-o OUT] [--json]",
		"say what the logs hold; -o writes the recovered hive to a new file", run_recover},
	{0},
};

const struct cli_noun cli_hive = {"hive", "look into and change one registry hive file", verbs};
