#include "volume/volume.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/utf16.h"
#include "volume/backend.h"
#include "volume/fve.h"

#define NAME_UNITS_MAX 255
#define HIBERFILE_HEADER 4096

const char *volume_kind_name(enum volume_kind kind)
{
	static const char *const names[] = {
		[VOLUME_FOLDER] = "folder",
		[VOLUME_NTFS] = "ntfs",
		[VOLUME_BITLOCKER] = "bitlocker",
		[VOLUME_FAT] = "fat",
		[VOLUME_REFS] = "refs",
		[VOLUME_OTHER] = "other",
	};
	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : "other";
}

const char *volume_bitlocker_name(enum volume_bitlocker b)
{
	static const char *const names[] = {"off", "on", "suspended", "unknown"};
	return names[b];
}

/* --- trouble -------------------------------------------------------------------------------- */

static const char bitlocker_next[] = "Nothing was changed. Turn BitLocker off in Windows "
				     "(manage-bde -off C:) and wait until the "
				     "disk is decrypted; suspending it is not enough.";

static const struct trouble {
	unsigned bit;
	const char *name;
	const char *what;
	const char *next;
} troubles[] = {
	{VOLUME_TROUBLE_RAID, "raid", "lies on a disk that is a member of a RAID array",
		"Nothing was changed: what one member holds, the others would not. In the "
		"firmware, "
		"make a single disk of it (RAID off) before Windows is installed. If it left an "
		"array "
		"long ago, the lab removes the old signature: docs/hardware.md, \"Disks\"."},
	{VOLUME_TROUBLE_DYNAMIC, "dynamic", "is part of a dynamic disk (LDM)",
		"Nothing was changed: such a volume may be mirrored or spread over several disks. "
		"Use a "
		"basic disk: a fresh image, or convert it back in Windows."},
	{VOLUME_TROUBLE_POOL, "pool", "is part of a storage pool (Storage Spaces)",
		"Nothing was changed: a pool is read only by Windows. Install Windows on a disk "
		"that "
		"is in no pool."},
	{VOLUME_TROUBLE_BITLOCKER, "bitlocker", "is encrypted with BitLocker", bitlocker_next},
	{VOLUME_TROUBLE_DAMAGED, "damaged", "is not a readable NTFS volume",
		"Nothing was changed. Check the disk in Windows with chkdsk, or choose another "
		"volume."},
	{VOLUME_TROUBLE_HIBERNATED, "hibernated", "belongs to a Windows that is hibernated",
		"Nothing was changed. Start this Windows and shut it down fully (shutdown /s /t 0, "
		"or "
		"Restart), then boot the stick again."},
	{VOLUME_TROUBLE_LOG, "log-unclean", "was not closed by Windows: its log holds open work",
		"Nothing was changed. Start this Windows once and shut it down fully (shutdown /s "
		"/t "
		"0), then boot the stick again."},
	{VOLUME_TROUBLE_DIRTY, "dirty", "is marked for checking by Windows",
		"Nothing was changed. Start this Windows and let chkdsk finish (chkdsk /f), shut "
		"down, "
		"then boot the stick again."},
};

const char *volume_trouble_name(unsigned bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(troubles); i++)
		if (troubles[i].bit == bit)
			return troubles[i].name;
	return "";
}

static int refuse(unsigned trouble, const char *name, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(troubles); i++)
		if (trouble & troubles[i].bit)
			return err_set(
				e, ERR_UNSAFE, troubles[i].next, "%s %s", name, troubles[i].what);
	return 0;
}

int volume_refuse(const struct volume_state *st, const char *name, struct err *e)
{
	if (st->bitlocker == VOLUME_BITLOCKER_SUSPENDED)
		return err_set(e, ERR_UNSAFE, bitlocker_next,
			"%s is encrypted with BitLocker, which is suspended: its key lies open on "
			"the disk, but odjstick cannot use it",
			name);
	return refuse(st->trouble, name, e);
}

/* --- paths ---------------------------------------------------------------------------------- */

static bool part_ok(const char *s)
{
	if (!strcmp(s, ".") || !strcmp(s, ".."))
		return false;
	size_t units = 0;
	for (const unsigned char *c = (const unsigned char *)s; *c; c++) {
		if (*c < 0x20 || strchr("\"*:<>?\\|", *c))
			return false;
		units += (*c & 0xC0) != 0x80;
		units += *c >= 0xF0; /* a surrogate pair */
	}
	return units <= NAME_UNITS_MAX;
}

static int split(struct vpath *p, const char *text, struct err *e)
{
	static const char next[] = "Use names separated by '/', from the root of the volume.";
	size_t len = strlen(text);
	p->text = text;
	p->count = 0;
	if (len >= sizeof p->buf)
		return err_set(e, ERR_LIMIT, next, "path of %zu bytes is too long", len);
	if (!utf8_valid(text, len))
		return err_set(e, ERR_FORMAT, next, "path is not UTF-8");
	memcpy(p->buf, text, len + 1);
	char *save = NULL;
	for (char *s = strtok_r(p->buf, "/", &save); s; s = strtok_r(NULL, "/", &save)) {
		if (p->count == VOLUME_DEPTH_MAX)
			return err_set(e, ERR_LIMIT, next, "%s: too many folders deep", text);
		if (!part_ok(s))
			return err_set(e, ERR_FORMAT, next,
				"%s: \"%s\" cannot be a file name on Windows", text, s);
		p->part[p->count++] = s;
	}
	return 0;
}

/* --- open, state, close --------------------------------------------------------------------- */

/* The first page of hiberfil.sys: all zero or "wake" after a resume, "hibr" while a session waits.
 * Anything else that is not zero is taken for a session too. Facts: libntfs-3g and the kernel's
 * PO_IMAGE_SIGNATURE names; docs/volume.md. */
static int read_hibernation(struct volume *v, struct err *e)
{
	struct volume_stat st;
	int ret = volume_stat(v, "hiberfil.sys", &st, e);
	if (ret < 0 || !st.exists || st.is_dir || st.is_link)
		return ret;
	if (st.size < HIBERFILE_HEADER) {
		v->state.trouble |= VOLUME_TROUBLE_HIBERNATED;
		return 0;
	}
	struct bytedev *d;
	uint8_t *sig = v->state.hibernation_head;
	ret = volume_open_file(v, "hiberfil.sys", false, &d, e);
	if (ret < 0)
		return ret;
	ret = bytedev_read(d, 0, sig, VOLUME_HIBERNATION_HEAD, e);
	bytedev_close(d);
	if (ret < 0 || le32(sig) == 0)
		return ret;
	for (size_t i = 0; i < sizeof v->state.hibernation - 1; i++)
		v->state.hibernation[i] = (char)(sig[i] >= 0x20 && sig[i] < 0x7F ? sig[i] : '?');
	if (memcmp(sig, "wake", 4) && memcmp(sig, "WAKE", 4))
		v->state.trouble |= VOLUME_TROUBLE_HIBERNATED;
	return 0;
}

static int look_at_boot_sector(struct blockdev *d, struct volume_state *st, struct err *e)
{
	uint8_t boot[512];
	st->size = d->size;
	st->kind = VOLUME_OTHER;
	if (d->size < sizeof boot) {
		st->trouble = VOLUME_TROUBLE_DAMAGED;
		return 0;
	}
	int ret = blockdev_read(d, 0, boot, sizeof boot, e);
	if (ret < 0)
		return ret;
	if (!memcmp(boot + 3, "-FVE-FS-", 8)) {
		st->kind = VOLUME_BITLOCKER;
		st->trouble = VOLUME_TROUBLE_BITLOCKER;
		ret = fve_look(d, st, e);
	} else if (!memcmp(boot + 3, "NTFS    ", 8)) {
		st->serial = le64(boot + 0x48);
		st->kind = VOLUME_NTFS;
	} else {
		st->trouble = VOLUME_TROUBLE_DAMAGED;
	}
	return ret;
}

static int volume_new(struct volume **v, const char *name, bool writable, struct err *e)
{
	*v = calloc(1, sizeof **v);
	if (*v)
		(*v)->name = strdup(name);
	if (!*v || !(*v)->name) {
		free(*v);
		return err_nomem(e);
	}
	(*v)->writable = writable;
	return 0;
}

static void volume_drop(struct volume *v)
{
	if (v->be)
		v->be->close(v, NULL);
	free(v->name);
	free(v);
}

/* Open d read-only and collect the state; d stays the caller's. */
static int look(struct blockdev *d, struct volume_state *st, struct err *e)
{
	int ret = look_at_boot_sector(d, st, e);
	if (ret < 0 || st->trouble)
		return ret;
	struct volume *v;
	ret = volume_new(&v, d->name, false, e);
	if (ret < 0)
		return ret;
	struct err why = ERR_INIT;
	ret = ntfs_open(v, d, &why);
	if (ret < 0) {
		st->trouble = VOLUME_TROUBLE_DAMAGED;
		volume_drop(v);
		return ret == -ERR_NOMEM || ret == -ERR_IO
			       ? err_set(e, why.code, why.next, "%s", why.what)
			       : 0;
	}
	ret = read_hibernation(v, e);
	v->state.serial = st->serial;
	*st = v->state;
	volume_drop(v);
	return ret;
}

static int open_block(
	struct blockdev **d, const struct volume_source *src, bool writable, struct err *e)
{
	if (src->layer)
		return src->layer(d, src, writable, e);
	return blockdev_open(d, src->path, src->offset, src->length, writable, e);
}

int volume_probe(const struct volume_source *src, struct volume_state *st, struct err *e)
{
	*st = (struct volume_state){0};
	if (src->part_of) {
		st->kind = src->kind;
		st->trouble = src->part_of;
		return 0;
	}
	if (src->kind == VOLUME_FOLDER) {
		struct volume *v;
		int ret = volume_open(&v, src, false, e);
		if (ret < 0)
			return ret;
		*st = v->state;
		return volume_close(v, e);
	}
	struct blockdev *d;
	int ret = open_block(&d, src, false, e);
	if (ret < 0)
		return ret;
	ret = look(d, st, e);
	blockdev_close(d, NULL);
	return ret;
}

static int open_on(struct volume *v, struct blockdev *d, struct err *e)
{
	struct volume_state st = {0};
	int ret = look(d, &st, e);
	if (ret < 0)
		return ret;
	unsigned fatal = VOLUME_TROUBLE_BITLOCKER | VOLUME_TROUBLE_DAMAGED;
	ret = refuse(v->writable ? st.trouble : st.trouble & fatal, v->name, e);
	if (ret < 0)
		return ret;
	ret = ntfs_open(v, d, e);
	if (ret == 0)
		v->state = st;
	return ret;
}

int volume_open_on(struct volume **v, struct blockdev *d, bool writable, struct err *e)
{
	*v = NULL;
	struct volume *n;
	int ret = volume_new(&n, d->name, writable, e);
	if (ret == 0) {
		ret = open_on(n, d, e);
		if (ret == 0) {
			n->bd = d;
			*v = n;
			return 0;
		}
		volume_drop(n);
	}
	blockdev_close(d, NULL);
	return ret;
}

static int open_folder(struct volume **v, const char *path, bool writable, struct err *e)
{
	struct volume *n;
	int ret = volume_new(&n, path, writable, e);
	if (ret < 0)
		return ret;
	ret = folder_open(n, path, e);
	if (ret == 0)
		ret = read_hibernation(n, e);
	if (ret == 0 && writable)
		ret = volume_refuse(&n->state, path, e);
	if (ret < 0)
		volume_drop(n);
	else
		*v = n;
	return ret;
}

int volume_open(struct volume **v, const struct volume_source *src, bool writable, struct err *e)
{
	*v = NULL;
	if (src->part_of)
		return refuse(src->part_of, src->path, e);
	if (src->kind == VOLUME_FOLDER)
		return open_folder(v, src->path, writable, e);
	struct blockdev *d;
	int ret = open_block(&d, src, writable, e);
	if (ret < 0)
		return ret;
	return volume_open_on(v, d, writable, e);
}

int volume_close(struct volume *v, struct err *e)
{
	if (!v)
		return 0;
	int ret = v->be->close(v, e);
	int closed = blockdev_close(v->bd, ret ? NULL : e);
	free(v->name);
	free(v);
	return ret ? ret : closed;
}

enum volume_kind volume_kind(const struct volume *v)
{
	return v->state.kind;
}

const struct volume_state *volume_get_state(const struct volume *v)
{
	return &v->state;
}

bool volume_writable(const struct volume *v)
{
	return v->writable;
}

/* --- operations ----------------------------------------------------------------------------- */

static int must_write(const struct volume *v, struct err *e)
{
	if (v->writable)
		return 0;
	return err_set(
		e, ERR_READONLY, "Nothing was changed.", "%s is open for reading only", v->name);
}

static int split_write(struct volume *v, struct vpath *p, const char *path, struct err *e)
{
	int ret = must_write(v, e);
	if (ret == 0)
		ret = split(p, path, e);
	if (ret == 0 && p->count == 0)
		ret = err_set(e, ERR_USAGE, "Nothing was changed.",
			"the root of a volume cannot be replaced");
	return ret;
}

int volume_free_space(struct volume *v, uint64_t *bytes, struct err *e)
{
	return v->be->free_space(v, bytes, e);
}

int volume_sync(struct volume *v, struct err *e)
{
	return v->writable ? v->be->sync(v, e) : 0;
}

int volume_stat(struct volume *v, const char *path, struct volume_stat *st, struct err *e)
{
	struct vpath p;
	*st = (struct volume_stat){0};
	int ret = split(&p, path, e);
	return ret < 0 ? ret : v->be->stat(v, &p, st, e);
}

static int compare_names(const void *a, const void *b)
{
	const struct volume_name *x = a, *y = b;
	struct buf ux = BUF_INIT, uy = BUF_INIT;
	int order = strcmp(x->name, y->name);
	if (utf8_to_utf16le(x->name, false, &ux, NULL) == 0 &&
		utf8_to_utf16le(y->name, false, &uy, NULL) == 0) {
		int folded = utf16_casecmp((const uint16_t *)(const void *)ux.p, ux.len / 2,
			(const uint16_t *)(const void *)uy.p, uy.len / 2);
		order = folded ? folded : order;
	}
	buf_clear(&ux);
	buf_clear(&uy);
	return order;
}

int volume_list_add(struct volume_list *l, const char *name, bool is_dir, struct err *e)
{
	if (l->count == VOLUME_LIST_MAX)
		return err_set(
			e, ERR_LIMIT, NULL, "more than %d names in one folder", VOLUME_LIST_MAX);
	if ((l->count & (l->count - 1)) == 0) { /* full at every power of two */
		size_t cap = l->count ? l->count * 2 : 1;
		struct volume_name *n = realloc(l->names, cap * sizeof *n);
		if (!n)
			return err_nomem(e);
		l->names = n;
	}
	char *copy = strdup(name);
	if (!copy)
		return err_nomem(e);
	l->names[l->count++] = (struct volume_name){copy, is_dir};
	return 0;
}

void volume_list_clear(struct volume_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->names[i].name);
	free(l->names);
	*l = (struct volume_list){0};
}

int volume_list(struct volume *v, const char *path, struct volume_list *l, struct err *e)
{
	struct vpath p;
	*l = (struct volume_list){0};
	int ret = split(&p, path, e);
	if (ret == 0)
		ret = v->be->list(v, &p, l, e);
	if (ret < 0)
		volume_list_clear(l);
	else if (l->count)
		qsort(l->names, l->count, sizeof *l->names, compare_names);
	return ret;
}

int volume_open_file(
	struct volume *v, const char *path, bool writable, struct bytedev **d, struct err *e)
{
	struct vpath p;
	*d = NULL;
	int ret = writable ? split_write(v, &p, path, e) : split(&p, path, e);
	return ret < 0 ? ret : v->be->open_file(v, &p, writable, d, e);
}

int volume_read(struct volume *v, const char *path, size_t max, struct buf *out, struct err *e)
{
	struct bytedev *d;
	uint64_t size;
	uint8_t *at;
	int ret = volume_open_file(v, path, false, &d, e);
	if (ret < 0)
		return ret;
	ret = bytedev_size(d, &size, e);
	if (ret == 0 && size > max)
		ret = err_set(e, ERR_LIMIT, NULL,
			"%s: %s has %llu bytes, more than the %zu allowed", v->name, path,
			(unsigned long long)size, max);
	if (ret == 0)
		ret = buf_grow(out, (size_t)size, &at, e);
	if (ret == 0) {
		ret = bytedev_read(d, 0, at, (size_t)size, e);
		if (ret < 0)
			out->len -= (size_t)size;
	}
	bytedev_close(d);
	return ret;
}

static int replace(
	struct volume *v, const char *path, const void *p, size_t n, bool secret, struct err *e)
{
	struct vpath vp;
	int ret = split_write(v, &vp, path, e);
	return ret < 0 ? ret : v->be->replace(v, &vp, p, n, secret, e);
}

int volume_replace(struct volume *v, const char *path, const void *p, size_t n, struct err *e)
{
	return replace(v, path, p, n, false, e);
}

int volume_replace_secret(
	struct volume *v, const char *path, const void *p, size_t n, struct err *e)
{
	return replace(v, path, p, n, true, e);
}

int volume_mkdir(struct volume *v, const char *path, struct err *e)
{
	struct vpath p;
	struct volume_stat st;
	int ret = split_write(v, &p, path, e);
	if (ret == 0)
		ret = v->be->stat(v, &p, &st, e);
	if (ret < 0)
		return ret;
	if (st.exists && st.is_dir && !st.is_link)
		return 0;
	if (st.exists)
		return err_set(e, ERR_EXISTS, "Nothing was changed.",
			"%s: %s exists and is not a folder", v->name, path);
	return v->be->mkdir(v, &p, e);
}

int volume_remove(struct volume *v, const char *path, struct err *e)
{
	struct vpath p;
	int ret = split_write(v, &p, path, e);
	return ret < 0 ? ret : v->be->remove(v, &p, e);
}

int volume_tidy(struct volume *v, const char *path, struct err *e)
{
	struct vpath p;
	int ret = split_write(v, &p, path, e);
	for (; ret == 0 && p.count > 0; p.count--) {
		struct err why = ERR_INIT;
		ret = v->be->tidy(v, &p, &why);
		if (ret == -ERR_NOTFOUND)
			ret = 0; /* a folder on the way does not exist: nothing is beside it */
		if (ret < 0)
			err_set(e, why.code, why.next, "%s", why.what);
	}
	return ret;
}

int volume_rename(struct volume *v, const char *from, const char *to, bool over, struct err *e)
{
	struct vpath pf, pt;
	struct volume_stat sf, st;
	int ret = split_write(v, &pf, from, e);
	if (ret == 0)
		ret = split_write(v, &pt, to, e);
	if (ret == 0)
		ret = v->be->stat(v, &pf, &sf, e);
	if (ret == 0)
		ret = v->be->stat(v, &pt, &st, e);
	if (ret < 0)
		return ret;
	if (!sf.exists)
		return err_set(e, ERR_NOTFOUND, "Nothing was changed.", "%s: there is no %s",
			v->name, from);
	if (!st.exists)
		return v->be->rename(v, &pf, &pt, e);
	if (!over || sf.is_dir || st.is_dir || sf.is_link || st.is_link || sf.file_id == st.file_id)
		return err_set(e, ERR_EXISTS, "Nothing was changed.", "%s: %s exists", v->name, to);
	return v->be->rename_over(v, &pf, &pt, e);
}

int volume_security(struct volume *v, const char *path, struct buf *sd, struct err *e)
{
	struct vpath p;
	int ret = split(&p, path, e);
	return ret < 0 ? ret : v->be->security(v, &p, sd, e);
}
