#include "volume/ntfs_place.h"

#include <errno.h>
#include <string.h>

/* --- names ---------------------------------------------------------------------------------- */

static bool same_name(struct volume *v, const FILE_NAME_ATTR *fn, const struct ntfs_name *name)
{
	ntfs_volume *vol = ntfs_of(v)->vol;
	return ntfs_names_are_equal(link_name(fn), fn->file_name_length, name->u, (size_t)name->len,
		IGNORE_CASE, vol->upcase, vol->upcase_len);
}

int link_find(struct volume *v, u64 dir_no, const struct ntfs_name *name, int type,
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

int link_stored(struct volume *v, ntfs_inode *ni, ntfs_inode *dir, const struct ntfs_name *name,
	struct link *out, struct err *e)
{
	ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(ni, NULL);
	int ret = ctx ? link_find(v, dir->mft_no, name, 0, out, ctx) : -1;
	if (ret == 0 && out->fn.file_name_type == FILE_NAME_DOS) {
		ntfs_attr_reinit_search_ctx(ctx);
		ret = link_find(v, dir->mft_no, NULL, FILE_NAME_WIN32, out, ctx);
	}
	if (ctx)
		ntfs_attr_put_search_ctx(ctx);
	errno = EIO;
	return ret < 0 ? ntfs_fail(v, e, "cannot find a name in its MFT record") : 0;
}

/* --- a place in the tree -------------------------------------------------------------------- */

int place_close(struct volume *v, struct place *pl, struct err *e)
{
	int ret = 0;
	bool renamed = pl->ni && nino_take_name_dirty(pl->ni);
	if (pl->ni && NInoDirty(pl->ni) && ntfs_inode_sync(pl->ni))
		ret = ntfs_fail(v, e, "cannot write an MFT record");
	int put = index_commit(v, pl->dir, ret ? NULL : e);
	ret = ret ? ret : put;
	put = node_put(v, pl->dir, ret ? NULL : e);
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
	return link_stored(v, pl->ni, pl->dir, &pl->name, &pl->link, e);
}

int place_open(struct volume *v, const struct vpath *p, struct place *pl, struct err *e)
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

int place_must_exist(struct volume *v, const struct vpath *p, struct place *pl, struct err *e)
{
	int ret = place_open(v, p, pl, e);
	if (ret < 0 || pl->ni)
		return ret;
	place_close(v, pl, NULL);
	return err_set(
		e, ERR_NOTFOUND, "Nothing was changed.", "%s: there is no %s", v->name, p->text);
}

int place_temp_path(const struct vpath *p, struct vpath *out, struct err *e)
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

int link_put(struct volume *v, ntfs_inode *ni, const struct link *l, struct err *e)
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
	while (!link_find(v, dir->mft_no, NULL, -1, &l, ctx)) {
		errno = 0;
		u64 mref = ntfs_inode_lookup_by_name(dir, link_name(&l.fn), l.fn.file_name_length);
		*failed = mref == MREF_NONE && errno != ENOENT;
		if (*failed || mref == MREF_NONE || MREF(mref) != ni->mft_no)
			return !*failed;
	}
	return false;
}

int link_prune(struct volume *v, ntfs_inode *dir, ntfs_inode *ni, struct err *e)
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

void link_set_facts(FILE_NAME_ATTR *fn, const ntfs_inode *ni)
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

/* Put an entry that leads to ni into the folder's index. */
static int link_add_entry(struct volume *v, ntfs_inode *dir, const ntfs_inode *ni,
	const struct link *l, struct err *e)
{
	struct link copy = *l; /* libntfs-3g asks for one that it may change */
	int ret = index_hold(v, dir, e);
	if (ret < 0)
		return ret;
	errno = 0;
	if (ntfs_index_add_filename(
		    dir, &copy.fn, MK_MREF(ni->mft_no, le16_to_cpu(ni->mrec->sequence_number))))
		ret = ntfs_fail(v, e, "cannot add a name to a folder");
	int committed = index_commit(v, dir, ret ? NULL : e);
	return ret ? ret : committed;
}

/* Is the entry one that divides two blocks? Taking it out changes a block and what is above it. */
static bool divides_blocks(ntfs_inode *dir, const struct link *l)
{
	ntfs_index_context *x = ntfs_index_ctx_get(dir, NTFS_INDEX_I30, 4);
	bool divides = x && !ntfs_index_lookup(l->bytes, l->size, x) &&
		       (x->entry->ie_flags & INDEX_ENTRY_NODE);
	if (x)
		ntfs_index_ctx_put(x);
	return divides;
}

int place_erase(struct volume *v, struct place *pl, struct err *e)
{
	int ret = 0;
	/* ntfs_delete() does more than take the entry out, so nothing can be held back meanwhile.
	 * Put in again, the entry is in a block, and leaves it by one write. */
	if (divides_blocks(pl->dir, &pl->link)) {
		ret = link_drop_entry(v, pl->dir, &pl->link, e);
		if (ret == 0)
			ret = link_add_entry(v, pl->dir, pl->ni, &pl->link, e);
	}
	if (ret < 0) {
		place_close(v, pl, NULL);
		return ret;
	}
	ntfs_inode *dir = pl->dir, *ni = pl->ni;
	pl->dir = pl->ni = NULL;
	errno = 0;
	if (ntfs_delete(ntfs_of(v)->vol, NULL, ni, dir, link_name(&pl->link.fn),
		    pl->link.fn.file_name_length))
		return ntfs_fail(v, e, "cannot remove a file");
	return ntfs_check(v, e);
}

int place_link(struct volume *v, struct place *pl, ntfs_inode *ni, struct err *e)
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
	link_set_facts(&l.fn, ni);
	int ret = link_prune(v, pl->dir, ni, e);
	if (ret == 0)
		ret = link_put(v, ni, &l, e);
	if (ret < 0)
		return ret;
	return link_add_entry(v, pl->dir, ni, &l, e);
}

int link_drop_entry(struct volume *v, ntfs_inode *dir, const struct link *l, struct err *e)
{
	int ret = index_hold(v, dir, e);
	if (ret < 0)
		return ret;
	errno = 0;
	if (ntfs_index_remove(dir, NULL, l->bytes, l->size))
		ret = ntfs_fail(v, e, "cannot remove a name from a folder");
	int committed = index_commit(v, dir, ret ? NULL : e);
	return ret ? ret : committed;
}

bool link_short(struct volume *v, ntfs_inode *dir, ntfs_inode *ni, struct link *l)
{
	ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(ni, NULL);
	bool found = ctx && link_find(v, dir->mft_no, NULL, FILE_NAME_DOS, l, ctx) == 0;
	if (ctx)
		ntfs_attr_put_search_ctx(ctx);
	return found;
}

int place_unlink(struct volume *v, struct place *pl, struct err *e)
{
	struct link dos;
	int ret = link_drop_entry(v, pl->dir, &pl->link, e);
	if (ret == 0 && pl->link.fn.file_name_type == FILE_NAME_WIN32 &&
		link_short(v, pl->dir, pl->ni, &dos))
		ret = link_drop_entry(v, pl->dir, &dos, e);
	if (ret == 0 && ntfs_inode_sync(pl->dir))
		ret = ntfs_fail(v, e, "cannot write a folder");
	if (ret == 0)
		ret = ntfs_flush(v, e);
	if (ret == 0)
		ret = link_prune(v, pl->dir, pl->ni, e);
	int closed = place_close(v, pl, ret ? NULL : e);
	ret = ret ? ret : closed;
	return ret ? ret : ntfs_flush(v, e);
}
