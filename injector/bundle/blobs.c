/* Where a batch's blobs come from: a folder, or any archive that libarchive reads, in one pass. */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "bundle/batch_internal.h"
#include "odj/odj.h"

#define ARCHIVE_NEXT "Nothing was written. Make the archive again."

/* A path as written on any system, in one form: '/' between names, no "./" in front. */
static char *tidy(const char *path)
{
	char *s = strdup(path);
	if (!s)
		return NULL;
	for (char *c = s; *c; c++)
		if (*c == '\\')
			*c = '/';
	size_t skip = 0;
	while (s[skip] == '.' && s[skip + 1] == '/')
		skip += 2;
	memmove(s, s + skip, strlen(s + skip) + 1);
	return s;
}

/* A blob that cannot be used is a finding of its row; running out of memory is not. */
static int report(struct batch *b, size_t row, int ret, const struct err *why, struct err *e)
{
	if (ret == -ERR_NOMEM)
		return err_nomem(e);
	return batch_find(b, b->rows[row].line, BATCH_ERROR, e, "blob: %s", why->what);
}

/* --- folder --- */

static char *folder_of(const char *csv_path)
{
	char *dir = strdup(csv_path);
	char *slash = dir ? strrchr(dir, '/') : NULL;
	if (slash)
		slash[slash == dir ? 1 : 0] = '\0';
	else if (dir) {
		free(dir);
		dir = strdup(".");
	}
	return dir;
}

static int one_file(
	struct batch *b, const char *dir, size_t row, batch_blob_fn fn, void *ctx, struct err *e)
{
	struct err why = ERR_INIT;
	struct secret raw = SECRET_INIT;
	CLEANUP(freep) char *name = tidy(b->rows[row].blob);
	if (!name)
		return err_nomem(e);
	if (!*name)
		return 0; /* an empty cell is a finding of its own */
	CLEANUP(freep) char *path = name[0] == '/' ? strdup(name) : path_join(dir, name);
	if (!path)
		return err_nomem(e);
	int ret = odj_read_file(path, &raw, NULL, &why);
	ret = ret < 0 ? report(b, row, ret, &why, e) : fn(ctx, row, &raw, e);
	secret_clear(&raw);
	return ret;
}

static int each_file(struct batch *b, const char *dir, batch_blob_fn fn, void *ctx, struct err *e)
{
	int ret = 0;
	for (size_t row = 0; ret == 0 && row < b->row_count; row++)
		ret = one_file(b, dir, row, fn, ctx, e);
	return ret;
}

/* --- archive --- */

/* Named one by one: libarchive's "all" has formats that point at files of this machine (mtree), and
 * filters that run programs. */
static void support(struct archive *a)
{
	archive_read_support_format_zip(a);
	archive_read_support_format_tar(a);
	archive_read_support_format_7zip(a);
	archive_read_support_format_cab(a);
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
}

struct wanted {
	char *name;
	size_t row;
	bool seen;
};

struct wishlist {
	struct wanted *v;
	size_t count;
};

static int by_name(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order ? order : (x->row > y->row) - (x->row < y->row);
}

static void wishlist_clear(struct wishlist *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->v[i].name);
	free(w->v);
}

static int wishlist_init(struct wishlist *w, const struct batch *b, struct err *e)
{
	*w = (struct wishlist){calloc(b->row_count, sizeof *w->v), 0};
	for (size_t row = 0; w->v && row < b->row_count; row++) {
		w->v[row] = (struct wanted){tidy(b->rows[row].blob), row, false};
		if (!w->v[row].name)
			return err_nomem(e);
		w->count++;
	}
	if (!w->v)
		return err_nomem(e);
	qsort(w->v, w->count, sizeof *w->v, by_name);
	return 0;
}

static struct wanted *wishlist_first(struct wishlist *w, const char *name)
{
	size_t low = 0, high = w->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(w->v[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < w->count && strcmp(w->v[low].name, name) == 0 ? &w->v[low] : NULL;
}

/* Content of the member at hand, decoded. space is secret memory of ODJ_FILE_MAX + 1 bytes. */
static int member_blob(struct archive *a, const char *name, struct secret *space,
	struct secret *raw, struct err *e)
{
	size_t n = 0;
	for (;;) {
		la_ssize_t got = archive_read_data(a, space->p + n, space->len - n);
		if (got < 0)
			return err_set(e, ERR_FORMAT, ARCHIVE_NEXT,
				"cannot read %s from the archive: %s", name,
				archive_error_string(a));
		n += (size_t)got;
		if (got == 0 || n == space->len)
			break;
	}
	if (n > ODJ_FILE_MAX)
		return err_set(e, ERR_LIMIT, ARCHIVE_NEXT, "%s is too large for a blob", name);
	return odj_decode_file(space->p, n, name, raw, NULL, e);
}

static int serve_member(struct batch *b, struct archive *a, const char *name,
	struct wishlist *wishes, struct secret *space, batch_blob_fn fn, void *ctx, struct err *e)
{
	struct wanted *w = wishlist_first(wishes, name);
	struct err why = ERR_INIT;
	struct secret raw = SECRET_INIT;
	if (!w || w->seen || !*name)
		return 0; /* nobody asks for it; of two members with one name the first counts */
	int got = member_blob(a, name, space, &raw, &why), ret = 0;
	for (; ret == 0 && w < wishes->v + wishes->count && strcmp(w->name, name) == 0; w++) {
		w->seen = true;
		ret = got < 0 ? report(b, w->row, got, &why, e) : fn(ctx, w->row, &raw, e);
	}
	secret_clear(&raw);
	return ret;
}

static int walk_archive(struct batch *b, struct archive *a, const char *path,
	struct wishlist *wishes, struct secret *space, batch_blob_fn fn, void *ctx, struct err *e)
{
	struct archive_entry *entry;
	int ret = 0, got = ARCHIVE_OK;
	while (ret == 0) {
		got = archive_read_next_header(a, &entry);
		if (got == ARCHIVE_EOF)
			return 0;
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			return err_set(e, ERR_FORMAT, ARCHIVE_NEXT,
				"cannot read the archive %s: %s", path, archive_error_string(a));
		const char *raw_name = archive_entry_pathname_utf8(entry);
		if (!raw_name)
			raw_name = archive_entry_pathname(entry);
		if (!raw_name || archive_entry_filetype(entry) != AE_IFREG)
			continue;
		CLEANUP(freep) char *name = tidy(raw_name);
		ret = name ? serve_member(b, a, name, wishes, space, fn, ctx, e) : err_nomem(e);
	}
	return ret;
}

static int each_member(
	struct batch *b, const char *path, batch_blob_fn fn, void *ctx, struct err *e)
{
	struct wishlist wishes;
	struct secret space = SECRET_INIT;
	struct archive *a = archive_read_new();
	int ret = wishlist_init(&wishes, b, e);
	if (ret == 0)
		ret = a ? secret_alloc(&space, ODJ_FILE_MAX + 1, e) : err_nomem(e);
	if (ret == 0) {
		support(a);
		if (archive_read_open_filename(a, path, 64 << 10) != ARCHIVE_OK)
			ret = err_set(e, ERR_FORMAT,
				"Give a folder or an archive (zip, 7z, cab, tar, tar.gz, tar.xz, "
				"tar.zst).",
				"cannot read the archive %s: %s", path, archive_error_string(a));
		else
			ret = walk_archive(b, a, path, &wishes, &space, fn, ctx, e);
	}
	for (size_t i = 0; ret == 0 && i < wishes.count; i++)
		if (!wishes.v[i].seen && *wishes.v[i].name)
			ret = batch_find(b, b->rows[wishes.v[i].row].line, BATCH_ERROR, e,
				"blob: %s is not in the archive %s", wishes.v[i].name, path);
	wishlist_clear(&wishes);
	secret_clear(&space);
	archive_read_free(a);
	return ret;
}

int batch_each_blob(struct batch *b, const char *blobs, batch_blob_fn fn, void *ctx, struct err *e)
{
	struct stat st;
	if (!blobs) {
		CLEANUP(freep) char *dir = folder_of(b->path);
		return dir ? each_file(b, dir, fn, ctx, e) : err_nomem(e);
	}
	if (stat(blobs, &st) < 0)
		return err_sys(e, ERR_IO, "Check the name after --blobs.", "cannot open %s", blobs);
	return S_ISDIR(st.st_mode) ? each_file(b, blobs, fn, ctx, e)
				   : each_member(b, blobs, fn, ctx, e);
}
