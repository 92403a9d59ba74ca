#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "volume/ntfs.h"
#include "volume/sd.h"

#define MREF_NONE ((u64)-1)

/* --- names ---------------------------------------------------------------------------------- */

/* One FILE_NAME of an inode, copied out of the MFT record. */
struct link {
	union {
		FILE_NAME_ATTR fn;
		uint8_t bytes[sizeof(FILE_NAME_ATTR) + 255 * sizeof(ntfschar)];
	};
	int size;
};

/* An even offset in an aligned attribute; the struct is declared packed, so the compiler cannot
 * know. */
static const ntfschar *name_of(const FILE_NAME_ATTR *fn)
{
	return (const void *)((const uint8_t *)fn + offsetof(FILE_NAME_ATTR, file_name));
}

static bool same_name(struct volume *v, const FILE_NAME_ATTR *fn, const struct ntfs_name *name)
{
	ntfs_volume *vol = ntfs_of(v)->vol;
	return ntfs_names_are_equal(name_of(fn), fn->file_name_length, name->u, (size_t)name->len,
		IGNORE_CASE, vol->upcase, vol->upcase_len);
}

/* The next FILE_NAME from *ctx on that is in folder `dir_no` and has the name, or without a name
 * the namespace `type` (-1: any). */
static int find_link(struct volume *v, u64 dir_no, const struct ntfs_name *name, int type,
	struct link *out, ntfs_attr_search_ctx *ctx)
{
	while (!ntfs_attr_lookup(AT_FILE_NAME, AT_UNNAMED, 0, CASE_SENSITIVE, 0, NULL, 0, ctx)) {
		const FILE_NAME_ATTR *fn = (const void *)((const uint8_t *)ctx->attr +
							  le16_to_cpu(ctx->attr->value_offset));
		u32 size = le32_to_cpu(ctx->attr->value_length);
		if (MREF_LE(fn->parent_directory) != dir_no || size > sizeof out->bytes)
			continue;
		if (name ? !same_name(v, fn, name) : type >= 0 && fn->file_name_type != type)
			continue;
		memcpy(out->bytes, fn, size);
		out->size = (int)size;
		return 0;
	}
	return -1;
}

/* The long name by which ni is known in its folder, when asked for by any of its names. */
static int stored_link(struct volume *v, ntfs_inode *ni, ntfs_inode *dir,
	const struct ntfs_name *name, struct link *out, struct err *e)
{
	ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(ni, NULL);
	int ret = ctx ? find_link(v, dir->mft_no, name, 0, out, ctx) : -1;
	if (ret == 0 && out->fn.file_name_type == FILE_NAME_DOS) {
		ntfs_attr_reinit_search_ctx(ctx);
		ret = find_link(v, dir->mft_no, NULL, FILE_NAME_WIN32, out, ctx);
	}
	if (ctx)
		ntfs_attr_put_search_ctx(ctx);
	errno = EIO;
	return ret < 0 ? ntfs_fail(v, e, "cannot find a name in its MFT record") : 0;
}

/* --- a place in the tree -------------------------------------------------------------------- */

/* A folder, a name in it, and what the name stands for now (NULL when absent). */
struct place {
	ntfs_inode *dir;
	struct ntfs_name name;
	ntfs_inode *ni;
	struct link link; /* when ni */
};

/* The child's MFT record goes first, then the folder's index, then the child's size and times in
 * that index. Never two copies of the folder at once: it is closed before libntfs-3g opens it. */
static int place_close(struct volume *v, struct place *pl, struct err *e)
{
	int ret = 0;
	bool renamed = pl->ni && nino_take_name_dirty(pl->ni);
	if (pl->ni && NInoDirty(pl->ni) && ntfs_inode_sync(pl->ni))
		ret = ntfs_fail(v, e, "cannot write an MFT record");
	int put = node_put(v, pl->dir, ret ? NULL : e);
	ret = ret ? ret : put;
	if (renamed) {
		NInoFileNameSetDirty(pl->ni);
		NInoSetDirty(pl->ni);
	}
	put = node_put(v, pl->ni, ret ? NULL : e);
	pl->dir = pl->ni = NULL;
	return ret ? ret : put;
}

static int place_child(struct volume *v, const struct vpath *p, struct place *pl, struct err *e)
{
	u64 mref = node_lookup(v, pl->dir, &pl->name);
	if (mref == MREF_NONE)
		return errno == ENOENT && !ntfs_of(v)->io.first.code
			       ? 0
			       : ntfs_fail(v, e, "cannot look up %s", p->text);
	for (struct ntfs_file *f = ntfs_of(v)->files; f; f = f->next)
		if (f->ni->mft_no == MREF(mref))
			return err_set(e, ERR_REFUSED, "Nothing was changed.",
				"%s: %s is open in this program", v->name, p->text);
	pl->ni = node_get(v, mref, e);
	if (!pl->ni)
		return -ERR_IO;
	return stored_link(v, pl->ni, pl->dir, &pl->name, &pl->link, e);
}

static int place_open(struct volume *v, const struct vpath *p, struct place *pl, struct err *e)
{
	*pl = (struct place){0};
	int ret = node_walk(v, p, p->count - 1, &pl->dir, e);
	if (ret < 0)
		return ret;
	bool folder = (pl->dir->mrec->flags & MFT_RECORD_IS_DIRECTORY) &&
		      !(pl->dir->flags & FILE_ATTR_REPARSE_POINT);
	if (!folder)
		ret = err_set(e, ERR_NOTFOUND, "Nothing was changed.",
			"%s: the folder of %s does not exist", v->name, p->text);
	if (ret == 0)
		ret = ntfs_name_of(p->part[p->count - 1], &pl->name, e);
	if (ret == 0)
		ret = place_child(v, p, pl, e);
	if (ret < 0)
		place_close(v, pl, NULL);
	return ret;
}

static int place_must_exist(
	struct volume *v, const struct vpath *p, struct place *pl, struct err *e)
{
	int ret = place_open(v, p, pl, e);
	if (ret < 0 || pl->ni)
		return ret;
	place_close(v, pl, NULL);
	return err_set(
		e, ERR_NOTFOUND, "Nothing was changed.", "%s: there is no %s", v->name, p->text);
}

/* Remove the name and, with its last name, the file. Index and MFT record change together in
 * libntfs-3g, so this is for temporary names only: sweep() knows what a power cut leaves. Closes
 * the place. */
static int place_erase(struct volume *v, struct place *pl, struct err *e)
{
	ntfs_inode *dir = pl->dir, *ni = pl->ni;
	pl->dir = pl->ni = NULL;
	errno = 0;
	if (ntfs_delete(ntfs_of(v)->vol, NULL, ni, dir, name_of(&pl->link.fn),
		    pl->link.fn.file_name_length))
		return ntfs_fail(v, e, "cannot remove a file");
	return ntfs_check(v, e);
}

/* p with VOLUME_NEW_SUFFIX appended to its last name. */
static int path_new(const struct vpath *p, struct vpath *out, struct err *e)
{
	const char *last = p->part[p->count - 1];
	size_t len = strlen(last);
	*out = *p;
	if (len + sizeof VOLUME_NEW_SUFFIX > sizeof out->buf)
		return err_set(e, ERR_LIMIT, "Nothing was changed.", "%s: name is too long", last);
	memcpy(out->buf, last, len);
	memcpy(out->buf + len, VOLUME_NEW_SUFFIX, sizeof VOLUME_NEW_SUFFIX);
	out->part[p->count - 1] = out->buf;
	return 0; /* the other parts keep pointing into p->buf */
}

/* --- names of an inode, one step at a time ---------------------------------------------------- */

/*
 * A name is an entry in a folder's index and a FILE_NAME in the MFT record it
 * leads to. A name is made in this order: FILE_NAME, flush, entry; and taken
 * away in this one: entry, flush, FILE_NAME. So an entry never leads to a record
 * that does not know it, whatever write is the last before a power cut. A
 * FILE_NAME without entry may stay; prune() drops it.
 */

static int put_file_name(struct volume *v, ntfs_inode *ni, const struct link *l, struct err *e)
{
	errno = 0;
	if (ntfs_attr_add(ni, AT_FILE_NAME, AT_UNNAMED, 0, (const u8 *)l->bytes, l->size))
		return ntfs_fail(v, e, "cannot add a name");
	ni->mrec->link_count = cpu_to_le16((u16)(le16_to_cpu(ni->mrec->link_count) + 1));
	ntfs_inode_mark_dirty(ni);
	if (ntfs_inode_sync(ni))
		return ntfs_fail(v, e, "cannot write an MFT record");
	return ntfs_flush(v, e);
}

/* Remove the FILE_NAME at *ctx. */
static int drop_file_name(
	struct volume *v, ntfs_inode *ni, ntfs_attr_search_ctx *ctx, struct err *e)
{
	if (ntfs_attr_record_rm(ctx))
		return ntfs_fail(v, e, "cannot drop a name");
	ni->mrec->link_count = cpu_to_le16((u16)(le16_to_cpu(ni->mrec->link_count) - 1));
	ntfs_inode_mark_dirty(ni);
	return 0;
}

/* The next FILE_NAME of ni in dir, from *ctx on, to which no entry leads. */
static bool find_stale(
	struct volume *v, ntfs_inode *dir, ntfs_inode *ni, ntfs_attr_search_ctx *ctx, bool *failed)
{
	struct link l;
	while (!find_link(v, dir->mft_no, NULL, -1, &l, ctx)) {
		errno = 0;
		u64 mref = ntfs_inode_lookup_by_name(dir, name_of(&l.fn), l.fn.file_name_length);
		*failed = mref == MREF_NONE && errno != ENOENT;
		if (*failed || mref == MREF_NONE || MREF(mref) != ni->mft_no)
			return !*failed;
	}
	return false;
}

/* Drop every FILE_NAME in dir to which no entry leads. */
static int prune(struct volume *v, ntfs_inode *dir, ntfs_inode *ni, struct err *e)
{
	int ret = 0;
	for (bool more = true, failed = false; ret == 0 && more;) {
		ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(ni, NULL);
		if (!ctx)
			return ntfs_fail(v, e, "cannot read the names of a file");
		more = find_stale(v, dir, ni, ctx, &failed);
		if (failed)
			ret = ntfs_fail(v, e, "cannot look up the names of a file");
		else if (more)
			ret = drop_file_name(v, ni, ctx, e);
		ntfs_attr_put_search_ctx(ctx);
	}
	return ret;
}

static void set_facts(FILE_NAME_ATTR *fn, const ntfs_inode *ni)
{
	bool is_dir = ni->mrec->flags & MFT_RECORD_IS_DIRECTORY;
	fn->creation_time = ni->creation_time;
	fn->last_data_change_time = ni->last_data_change_time;
	fn->last_mft_change_time = ni->last_mft_change_time;
	fn->last_access_time = ni->last_access_time;
	fn->allocated_size = (sle64)cpu_to_le64(is_dir ? 0 : (u64)ni->allocated_size);
	fn->data_size = (sle64)cpu_to_le64(is_dir ? 0 : (u64)ni->data_size);
	fn->file_attributes = ni->flags;
	if (is_dir)
		fn->file_attributes |= FILE_ATTR_I30_INDEX_PRESENT;
	fn->reparse_point_tag = const_cpu_to_le32(0);
}

/* Give ni the name pl->name in pl->dir. */
static int link_in(struct volume *v, struct place *pl, ntfs_inode *ni, struct err *e)
{
	struct link l;
	memset(&l, 0, sizeof l);
	l.size = (int)(offsetof(FILE_NAME_ATTR, file_name) +
		       (size_t)pl->name.len * sizeof(ntfschar));
	l.fn.parent_directory =
		MK_LE_MREF(pl->dir->mft_no, le16_to_cpu(pl->dir->mrec->sequence_number));
	l.fn.file_name_length = (u8)pl->name.len;
	l.fn.file_name_type = FILE_NAME_POSIX;
	memcpy(l.bytes + offsetof(FILE_NAME_ATTR, file_name), pl->name.u,
		(size_t)pl->name.len * sizeof(ntfschar));
	set_facts(&l.fn, ni);
	int ret = prune(v, pl->dir, ni, e);
	if (ret == 0)
		ret = put_file_name(v, ni, &l, e);
	errno = 0;
	if (ret == 0 && ntfs_index_add_filename(pl->dir, &l.fn,
				MK_MREF(ni->mft_no, le16_to_cpu(ni->mrec->sequence_number))))
		ret = ntfs_fail(v, e, "cannot add a name to a folder");
	return ret;
}

static int drop_entry(struct volume *v, ntfs_inode *dir, const struct link *l, struct err *e)
{
	errno = 0;
	if (ntfs_index_remove(dir, NULL, l->bytes, l->size))
		return ntfs_fail(v, e, "cannot remove a name from a folder");
	return 0;
}

/* The short name that goes with a long one in the same folder. */
static bool short_link(struct volume *v, ntfs_inode *dir, ntfs_inode *ni, struct link *l)
{
	ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(ni, NULL);
	bool found = ctx && find_link(v, dir->mft_no, NULL, FILE_NAME_DOS, l, ctx) == 0;
	if (ctx)
		ntfs_attr_put_search_ctx(ctx);
	return found;
}

/* Take the name of an open place away; the file keeps another one. Closes the place. */
static int place_unlink(struct volume *v, struct place *pl, struct err *e)
{
	struct link dos;
	int ret = drop_entry(v, pl->dir, &pl->link, e);
	if (ret == 0 && pl->link.fn.file_name_type == FILE_NAME_WIN32 &&
		short_link(v, pl->dir, pl->ni, &dos))
		ret = drop_entry(v, pl->dir, &dos, e);
	if (ret == 0 && ntfs_inode_sync(pl->dir))
		ret = ntfs_fail(v, e, "cannot write a folder");
	if (ret == 0)
		ret = ntfs_flush(v, e);
	if (ret == 0)
		ret = prune(v, pl->dir, pl->ni, e);
	int closed = place_close(v, pl, ret ? NULL : e);
	ret = ret ? ret : closed;
	return ret ? ret : ntfs_flush(v, e);
}

/* --- create --------------------------------------------------------------------------------- */

/* In the file itself, not in $Secure, whose stream and two indexes cannot be changed in one write.
 * ntfs_create() put a descriptor there that lets everybody in; it has not reached the disk. */
static int set_security(struct volume *v, ntfs_inode *ni, const struct buf *sd, struct err *e)
{
	errno = 0;
	if (ntfs_attr_remove(ni, AT_SECURITY_DESCRIPTOR, AT_UNNAMED, 0) ||
		ntfs_attr_add(ni, AT_SECURITY_DESCRIPTOR, AT_UNNAMED, 0, sd->p, (s64)sd->len))
		return ntfs_fail(v, e, "cannot set a security descriptor");
	return 0;
}

static int child_security(
	struct volume *v, ntfs_inode *dir, bool for_dir, struct buf *sd, struct err *e)
{
	struct buf parent = BUF_INIT;
	int ret = node_security(v, dir, &parent, e);
	if (ret == 0)
		ret = sd_inherit(SPAN_OF(parent), for_dir, sd, e);
	buf_clear(&parent);
	return ret;
}

/* Make pl->ni under pl->name. The MFT record with its final security is written when the place is
 * closed, in one piece. `like`: the file to be replaced, or NULL. */
static int create(struct volume *v, struct place *pl, mode_t type, ntfs_inode *like, bool secret,
	struct err *e)
{
	struct buf sd = BUF_INIT;
	/* A descriptor in $Secure is shared by its number. */
	bool shared = like && !secret && test_nino_flag(like, v3_Extensions) && like->security_id;
	int ret = shared   ? 0
		  : secret ? sd_secret(&sd, e)
		  : like   ? node_security(v, like, &sd, e)
			   : child_security(v, pl->dir, S_ISDIR(type), &sd, e);
	if (ret == 0) {
		errno = 0;
		pl->ni = ntfs_create(pl->dir, shared ? like->security_id : const_cpu_to_le32(0),
			pl->name.u, (u8)pl->name.len, type);
		if (!pl->ni)
			ret = ntfs_fail(v, e, "cannot create a file");
	}
	if (ret == 0 && !shared)
		ret = set_security(v, pl->ni, &sd, e);
	if (ret == 0 && like) {
		FILE_ATTR_FLAGS keep = FILE_ATTR_READONLY | FILE_ATTR_HIDDEN | FILE_ATTR_SYSTEM |
				       FILE_ATTR_ARCHIVE | FILE_ATTR_NOT_CONTENT_INDEXED;
		pl->ni->flags = (pl->ni->flags & ~keep) | (like->flags & keep);
		pl->ni->creation_time = like->creation_time;
		NInoFileNameSetDirty(pl->ni);
		NInoSetDirty(pl->ni);
	}
	buf_clear(&sd);
	return ret;
}

static int write_all(struct volume *v, ntfs_inode *ni, const void *data, size_t n, struct err *e)
{
	errno = 0;
	ntfs_attr *na = ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	if (!na)
		return ntfs_fail(v, e, "cannot open a new file");
	int ret = 0;
	if (ntfs_attr_truncate_solid(na, (s64)n))
		ret = ntfs_fail(v, e, "cannot allocate %zu bytes", n);
	const uint8_t *from = data;
	for (size_t off = 0; ret == 0 && off < n;) {
		s64 put = ntfs_attr_pwrite(na, (s64)off, (s64)(n - off), from + off);
		if (put <= 0)
			ret = ntfs_fail(v, e, "cannot write a new file");
		else
			off += (size_t)put;
	}
	ntfs_attr_close(na);
	return ret;
}

/* Take an entry out of a folder that leads to no file: all that a power cut left of creating it. */
static int sweep(struct volume *v, const struct vpath *p, struct err *e)
{
	struct ntfs *n = ntfs_of(v);
	struct ntfs_name name;
	struct link l = {.size = 0};
	ntfs_inode *dir;
	int ret = ntfs_name_of(p->part[p->count - 1], &name, e);
	if (ret == 0)
		ret = node_walk(v, p, p->count - 1, &dir, e);
	if (ret < 0)
		return ret;
	l.fn.file_name_length = (u8)name.len;
	l.size = (int)(offsetof(FILE_NAME_ATTR, file_name) + (size_t)name.len * sizeof(ntfschar));
	memcpy(l.bytes + offsetof(FILE_NAME_ATTR, file_name), name.u,
		(size_t)name.len * sizeof(ntfschar));
	errno = 0;
	nvol_clear(n->vol, NV_CaseSensitive);
	if (ntfs_index_remove(dir, NULL, l.bytes, l.size))
		ret = ntfs_fail(v, e, "cannot remove what is left of %s", p->text);
	NVolSetCaseSensitive(n->vol);
	int put = node_put(v, dir, ret ? NULL : e);
	return ret ? ret : put;
}

/* Remove the temporary name, whatever a power cut left of it. */
static int discard(struct volume *v, const struct vpath *p, struct err *e)
{
	struct place pl;
	struct err why = ERR_INIT;
	int ret = place_open(v, p, &pl, &why);
	if (ret == -ERR_IO && ntfs_check(v, NULL) == 0)
		return sweep(v, p, e);
	if (ret < 0)
		return err_set(e, why.code, why.next, "%s", why.what);
	if (!pl.ni)
		return place_close(v, &pl, e);
	ret = prune(v, pl.dir, pl.ni, e);
	if (ret == 0)
		return place_erase(v, &pl, e);
	place_close(v, &pl, NULL);
	return ret;
}

/* The new file under its temporary name, complete and on the disk. */
static int write_new(struct volume *v, const struct vpath *tmp, ntfs_inode *like, const void *data,
	size_t n, bool secret, struct err *e)
{
	struct place pl;
	int ret = discard(v, tmp, e); /* left by a power cut */
	if (ret == 0)
		ret = place_open(v, tmp, &pl, e);
	if (ret < 0)
		return ret;
	ret = create(v, &pl, S_IFREG, like, secret, e);
	if (ret == 0 && n)
		ret = write_all(v, pl.ni, data, n, e);
	int closed = place_close(v, &pl, ret ? NULL : e);
	ret = ret ? ret : closed;
	if (ret == 0)
		ret = ntfs_flush(v, e);
	if (ret < 0)
		discard(v, tmp, NULL);
	return ret;
}

/* --- rename --------------------------------------------------------------------------------- */

int ntfs_move(struct volume *v, const struct vpath *from, const struct vpath *to, struct err *e)
{
	struct place src, dst;
	int ret = place_must_exist(v, from, &src, e);
	if (ret < 0)
		return ret;
	u64 mref = MK_MREF(src.ni->mft_no, le16_to_cpu(src.ni->mrec->sequence_number));
	ret = place_close(v, &src, e);
	if (ret == 0)
		ret = place_open(v, to, &dst, e);
	if (ret < 0)
		return ret;
	dst.ni = node_get(v, mref, e);
	ret = dst.ni ? link_in(v, &dst, dst.ni, e) : -ERR_IO;
	int closed = place_close(v, &dst, ret ? NULL : e);
	ret = ret ? ret : closed;
	if (ret == 0)
		ret = ntfs_flush(v, e);
	if (ret == 0)
		ret = place_must_exist(v, from, &src, e);
	return ret ? ret : place_unlink(v, &src, e);
}

/* The one write that decides: the entry of the folder's index points to the new file. */
static int redirect(struct volume *v, ntfs_inode *dir, u64 old_no, ntfs_inode *ni,
	const struct link *l, struct err *e)
{
	ntfs_index_context *x = ntfs_index_ctx_get(dir, NTFS_INDEX_I30, 4);
	if (!x)
		return ntfs_fail(v, e, "cannot open a folder's index");
	int ret = 0;
	errno = 0;
	if (ntfs_index_lookup(l->bytes, l->size, x) || x->data_len != l->size ||
		MREF_LE(x->entry->indexed_file) != old_no) {
		ret = ntfs_fail(v, e, "cannot find a name in its folder");
	} else {
		x->entry->indexed_file =
			MK_LE_MREF(ni->mft_no, le16_to_cpu(ni->mrec->sequence_number));
		memcpy(x->data, l->bytes, (size_t)l->size);
		ntfs_index_entry_mark_dirty(x);
	}
	ntfs_index_ctx_put(x);
	if (ret == 0 && NInoDirty(dir) && ntfs_inode_sync(dir))
		ret = ntfs_fail(v, e, "cannot write a folder");
	return ret ? ret : ntfs_flush(v, e);
}

/* Free a replaced file, to whose long name no entry leads any more: give it a temporary name, drop
 * the others, erase it the usual way. */
static int bury(struct volume *v, const struct vpath *tmp, u64 old_mref, struct err *e)
{
	struct place pl;
	struct link dos;
	int ret = place_open(v, tmp, &pl, e);
	if (ret < 0)
		return ret;
	pl.ni = node_get(v, old_mref, e);
	ret = pl.ni ? link_in(v, &pl, pl.ni, e) : -ERR_IO;
	if (ret == 0 && short_link(v, pl.dir, pl.ni, &dos)) {
		ret = drop_entry(v, pl.dir, &dos, e);
		if (ret == 0)
			ret = prune(v, pl.dir, pl.ni, e);
	}
	if (ret == 0)
		ret = stored_link(v, pl.ni, pl.dir, &pl.name, &pl.link, e);
	if (ret < 0) {
		place_close(v, &pl, NULL);
		return ret;
	}
	return place_erase(v, &pl, e);
}

/* Point the name `to` at the file `mref`; *old_mref: what it was before. */
static int commit_over(
	struct volume *v, const struct vpath *to, u64 mref, u64 *old_mref, struct err *e)
{
	struct place dst;
	int ret = place_must_exist(v, to, &dst, e);
	if (ret < 0)
		return ret;
	u64 old_no = dst.ni->mft_no;
	*old_mref = MK_MREF(old_no, le16_to_cpu(dst.ni->mrec->sequence_number));
	ntfs_inode *ni = node_get(v, mref, e);
	struct link taken = dst.link;
	ret = ni ? prune(v, dst.dir, ni, e) : -ERR_IO;
	if (ret == 0) {
		/* A long name whose short one stays behind becomes a name without one. */
		if (taken.fn.file_name_type == FILE_NAME_WIN32)
			taken.fn.file_name_type = FILE_NAME_POSIX;
		set_facts(&taken.fn, ni);
		ret = put_file_name(v, ni, &taken, e);
	}
	if (ret == 0)
		ret = redirect(v, dst.dir, old_no, ni, &taken, e);
	int put = ni ? node_put(v, ni, ret ? NULL : e) : 0;
	int closed = place_close(v, &dst, ret || put ? NULL : e);
	return ret ? ret : put ? put : closed;
}

int ntfs_move_over(
	struct volume *v, const struct vpath *from, const struct vpath *to, struct err *e)
{
	struct place src;
	struct vpath tmp;
	u64 old_mref;
	int ret = path_new(to, &tmp, e);
	if (ret == 0)
		ret = place_must_exist(v, from, &src, e);
	if (ret < 0)
		return ret;
	u64 mref = MK_MREF(src.ni->mft_no, le16_to_cpu(src.ni->mrec->sequence_number));
	ret = place_close(v, &src, e);
	if (ret == 0)
		ret = commit_over(v, to, mref, &old_mref, e);
	if (ret == 0)
		ret = place_must_exist(v, from, &src, e);
	if (ret == 0)
		ret = place_unlink(v, &src, e);
	if (ret == 0)
		ret = ntfs_flush(v, e);
	if (ret == 0)
		ret = bury(v, &tmp, old_mref, e);
	return ret ? ret : ntfs_flush(v, e);
}

/* --- the operations of volume.h ------------------------------------------------------------- */

int ntfs_replace(struct volume *v, const struct vpath *p, const void *data, size_t n, bool secret,
	struct err *e)
{
	struct place old;
	struct vpath tmp;
	int ret = path_new(p, &tmp, e);
	if (ret == 0)
		ret = place_open(v, p, &old, e);
	if (ret < 0)
		return ret;
	bool over = old.ni != NULL;
	if (over && ((old.ni->mrec->flags & MFT_RECORD_IS_DIRECTORY) ||
			    (old.ni->flags & FILE_ATTR_REPARSE_POINT))) {
		place_close(v, &old, NULL);
		return err_set(e, ERR_EXISTS, "Nothing was changed.",
			"%s: %s exists and is not a plain file", v->name, p->text);
	}
	/* write_new() opens the folder itself; the old file may stay open, it is only read. */
	int put = node_put(v, old.dir, e);
	old.dir = NULL;
	ret = put ? put : write_new(v, &tmp, old.ni, data, n, secret, e);
	put = old.ni ? node_put(v, old.ni, ret ? NULL : e) : 0;
	ret = ret ? ret : put;
	if (ret < 0)
		return ret;
	return over ? ntfs_move_over(v, &tmp, p, e) : ntfs_move(v, &tmp, p, e);
}

/* Under a temporary name first, so that a power cut leaves no half-made folder under the real one.
 */
int ntfs_make_dir(struct volume *v, const struct vpath *p, struct err *e)
{
	struct place pl;
	struct vpath tmp;
	int ret = path_new(p, &tmp, e);
	if (ret == 0)
		ret = discard(v, &tmp, e);
	if (ret == 0)
		ret = place_open(v, &tmp, &pl, e);
	if (ret < 0)
		return ret;
	ret = create(v, &pl, S_IFDIR, NULL, false, e);
	int closed = place_close(v, &pl, ret ? NULL : e);
	ret = ret ? ret : closed;
	if (ret == 0)
		ret = ntfs_flush(v, e);
	return ret ? ret : ntfs_move(v, &tmp, p, e);
}

int ntfs_remove(struct volume *v, const struct vpath *p, struct err *e)
{
	struct place pl;
	int ret = place_must_exist(v, p, &pl, e);
	if (ret < 0)
		return ret;
	if (pl.ni->flags & FILE_ATTR_REPARSE_POINT) {
		place_close(v, &pl, NULL);
		return err_set(e, ERR_REFUSED, VOLUME_LINK_NEXT, "%s: %s is a reparse point",
			v->name, p->text);
	}
	errno = 0;
	if ((pl.ni->mrec->flags & MFT_RECORD_IS_DIRECTORY) && ntfs_check_empty_dir(pl.ni) < 0) {
		ret = ntfs_fail(v, e, "cannot remove folder %s", p->text);
		place_close(v, &pl, NULL);
		return ret;
	}
	struct vpath tmp;
	ret = place_close(v, &pl, e);
	if (ret == 0)
		ret = path_new(p, &tmp, e);
	if (ret == 0)
		ret = discard(v, &tmp, e);
	if (ret == 0)
		ret = ntfs_move(v, p, &tmp, e);
	if (ret == 0)
		ret = discard(v, &tmp, e);
	return ret ? ret : ntfs_flush(v, e);
}
