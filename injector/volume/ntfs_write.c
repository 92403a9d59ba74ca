#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "volume/ntfs_place.h"
#include "volume/sd.h"

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
	if (ret == 0)
		ret = index_hold(v, pl->dir, e);
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
	nvol_clear(n->vol, NV_CaseSensitive);
	ret = link_drop_entry(v, dir, &l, e);
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
	ret = link_prune(v, pl.dir, pl.ni, e);
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
	ret = dst.ni ? place_link(v, &dst, dst.ni, e) : -ERR_IO;
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
	ret = pl.ni ? place_link(v, &pl, pl.ni, e) : -ERR_IO;
	if (ret == 0 && link_short(v, pl.dir, pl.ni, &dos)) {
		ret = link_drop_entry(v, pl.dir, &dos, e);
		if (ret == 0)
			ret = link_prune(v, pl.dir, pl.ni, e);
	}
	if (ret == 0)
		ret = link_stored(v, pl.ni, pl.dir, &pl.name, &pl.link, e);
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
	ret = ni ? link_prune(v, dst.dir, ni, e) : -ERR_IO;
	if (ret == 0) {
		/* A long name whose short one stays behind becomes a name without one. */
		if (taken.fn.file_name_type == FILE_NAME_WIN32)
			taken.fn.file_name_type = FILE_NAME_POSIX;
		link_set_facts(&taken.fn, ni);
		ret = link_put(v, ni, &taken, e);
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
	int ret = place_temp_path(to, &tmp, e);
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
	int ret = place_temp_path(p, &tmp, e);
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
	int ret = place_temp_path(p, &tmp, e);
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
		ret = place_temp_path(p, &tmp, e);
	if (ret == 0)
		ret = discard(v, &tmp, e);
	if (ret == 0)
		ret = ntfs_move(v, p, &tmp, e);
	if (ret == 0)
		ret = discard(v, &tmp, e);
	return ret ? ret : ntfs_flush(v, e);
}

/* A file that bears a name to which no entry leads cannot be written: libntfs-3g wants to update
 * every entry. */
static int prune(struct volume *v, const struct vpath *p, struct err *e)
{
	struct place pl;
	int ret = place_open(v, p, &pl, e);
	if (ret < 0)
		return ret;
	if (pl.ni)
		ret = link_prune(v, pl.dir, pl.ni, e);
	int closed = place_close(v, &pl, ret ? NULL : e);
	return ret ? ret : closed;
}

int ntfs_tidy(struct volume *v, const struct vpath *p, struct err *e)
{
	struct vpath tmp;
	int ret = place_temp_path(p, &tmp, e);
	if (ret == 0)
		ret = discard(v, &tmp, e);
	if (ret == 0)
		ret = prune(v, p, e);
	return ret ? ret : ntfs_flush(v, e);
}
