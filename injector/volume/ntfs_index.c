#include "volume/ntfs_index.h"

#include <ntfs-3g/lcnalloc.h>

/* --- hold back -------------------------------------------------------------------------------- */

/* The n bytes at `at` of an attribute, wherever its clusters are. */
static int hold_piece(
	struct volume *v, ntfs_attr *na, s64 at, u32 n, enum ntfsdev_held what, struct err *e)
{
	ntfs_volume *vol = ntfs_of(v)->vol;
	int ret = 0;
	for (s64 end = at + n; ret == 0 && at < end;) {
		s64 in = at & (vol->cluster_size - 1);
		s64 size = end - at < vol->cluster_size - in ? end - at : vol->cluster_size - in;
		LCN lcn = ntfs_attr_vcn_to_lcn(na, at >> vol->cluster_size_bits);
		if (lcn >= 0)
			ret = ntfsdev_hold(&ntfs_of(v)->io,
				((uint64_t)lcn << vol->cluster_size_bits) + (uint64_t)in,
				(size_t)size, what, e);
		at += size;
	}
	return ret;
}

/* The blocks that the index's bitmap says are in use. */
static int hold_blocks(struct volume *v, ntfs_inode *dir, struct err *e)
{
	u32 block = ntfs_of(v)->vol->indx_record_size;
	if (!ntfs_attr_exist(dir, AT_INDEX_ALLOCATION, NTFS_INDEX_I30, 4))
		return 0;
	ntfs_attr *blocks = ntfs_attr_open(dir, AT_INDEX_ALLOCATION, NTFS_INDEX_I30, 4);
	ntfs_attr *used = ntfs_attr_open(dir, AT_BITMAP, NTFS_INDEX_I30, 4);
	int ret = blocks && used ? 0 : ntfs_fail(v, e, "cannot read the index of a folder");
	for (s64 i = 0; ret == 0 && (i + 1) * block <= blocks->data_size; i++) {
		u8 bits = 0;
		if (ntfs_attr_pread(used, i / 8, 1, &bits) != 1)
			break; /* a bitmap may be shorter: the rest is free */
		if (bits >> (i % 8) & 1)
			ret = hold_piece(v, blocks, i * block, block, NTFSDEV_BLOCK, e);
	}
	if (used)
		ntfs_attr_close(used);
	if (blocks)
		ntfs_attr_close(blocks);
	return ret;
}

/* The part of the index that is in the MFT record. */
static int read_root(struct volume *v, ntfs_inode *dir, struct buf *root, struct err *e)
{
	ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(dir, NULL);
	int ret = 0;
	if (!ctx ||
		ntfs_attr_lookup(AT_INDEX_ROOT, NTFS_INDEX_I30, 4, CASE_SENSITIVE, 0, NULL, 0, ctx))
		ret = ntfs_fail(v, e, "cannot read the index of a folder");
	else
		ret = buf_add(root,
			(const uint8_t *)ctx->attr + le16_to_cpu(ctx->attr->value_offset),
			le32_to_cpu(ctx->attr->value_length), e);
	if (ctx)
		ntfs_attr_put_search_ctx(ctx);
	return ret;
}

static void let_go(struct volume *v)
{
	ntfsdev_let_go(&ntfs_of(v)->io);
	buf_clear(&ntfs_of(v)->root_before);
}

int index_hold(struct volume *v, ntfs_inode *dir, struct err *e)
{
	struct ntfs *n = ntfs_of(v);
	ntfs_volume *vol = n->vol;
	errno = 0;
	int ret = read_root(v, dir, &n->root_before, e);
	if (ret == 0)
		ret = hold_piece(v, vol->mft_na, (s64)dir->mft_no << vol->mft_record_size_bits,
			vol->mft_record_size, NTFSDEV_RECORD, e);
	if (ret == 0)
		ret = hold_blocks(v, dir, e);
	if (ret < 0)
		let_go(v);
	return ret;
}

/* One run in an MFT record takes a byte and two numbers of up to eight. */
#define RUN_MAX ((size_t)17)

/* --- let go ----------------------------------------------------------------------------------- */

/* What the runs of `na` become when its cluster `vcn` moves to `lcn`. NULL: out of memory. */
static runlist_element *with_cluster_at(const ntfs_attr *na, VCN vcn, LCN lcn)
{
	size_t count = 0;
	while (na->rl[count].length)
		count++;
	runlist_element *out = calloc(count + 3, sizeof *out), *to = out;
	for (const runlist_element *r = na->rl; out && r < na->rl + count; r++) {
		s64 before = vcn - r->vcn, after = r->length - before - 1;
		if (before < 0 || after < 0) {
			*to++ = *r;
			continue;
		}
		if (before)
			*to++ = (runlist_element){r->vcn, r->lcn, before};
		*to++ = (runlist_element){vcn, lcn, 1};
		if (after)
			*to++ = (runlist_element){vcn + 1, r->lcn + before + 1, after};
	}
	if (out)
		*to = na->rl[count];
	return out;
}

/* Write cluster `vcn` as reads see it to a free cluster and map that. *old: where it was. */
static bool move_cluster(struct volume *v, ntfs_attr *na, VCN vcn, LCN *old)
{
	ntfs_volume *vol = ntfs_of(v)->vol;
	*old = ntfs_attr_vcn_to_lcn(na, vcn);
	uint8_t *data = malloc(vol->cluster_size);
	runlist_element *moved = NULL;
	runlist *fresh = data && *old >= 0 ? ntfs_cluster_alloc(vol, vcn, 1, -1, DATA_ZONE) : NULL;
	LCN lcn = fresh ? fresh[0].lcn : -1;
	if (fresh &&
		ntfs_pread(vol->dev, *old << vol->cluster_size_bits, vol->cluster_size, data) ==
			vol->cluster_size &&
		ntfs_pwrite(vol->dev, lcn << vol->cluster_size_bits, vol->cluster_size, data) ==
			vol->cluster_size)
		moved = with_cluster_at(na, vcn, lcn);
	if (fresh && !moved)
		ntfs_cluster_free_basic(vol, lcn, 1);
	if (moved) {
		free(na->rl);
		na->rl = moved;
	}
	free(fresh);
	free(data);
	return moved != NULL;
}

/* Move every cluster of an index block whose write is held. *gone: the clusters that are free once
 * the record is on the disk, zero-terminated runs. False: nothing was moved. */
static bool move_blocks(struct volume *v, ntfs_inode *dir, runlist_element **gone)
{
	struct ntfs *n = ntfs_of(v);
	u8 bits = n->vol->cluster_size_bits;
	ntfs_attr *na = ntfs_attr_open(dir, AT_INDEX_ALLOCATION, NTFS_INDEX_I30, 4);
	size_t moved = 0;
	/* Each move may add two runs; they must fit into the record that decides. */
	u32 room = le32_to_cpu(dir->mrec->bytes_allocated) - le32_to_cpu(dir->mrec->bytes_in_use);
	bool whole = na && !NInoAttrList(dir) &&
		     room >= RUN_MAX * 2 * ntfsdev_held_blocks(&n->io) &&
		     !ntfs_attr_map_whole_runlist(na);
	s64 count = whole ? na->allocated_size >> bits : 0;
	*gone = whole ? calloc((size_t)count + 1, sizeof **gone) : NULL;
	whole = whole && *gone;
	for (VCN vcn = 0; whole && vcn < count; vcn++) {
		LCN lcn = ntfs_attr_vcn_to_lcn(na, vcn);
		if (lcn < 0 || !ntfsdev_holds(&n->io, (uint64_t)lcn << bits, (size_t)1 << bits))
			continue;
		whole = move_cluster(v, na, vcn, &lcn);
		if (whole)
			(*gone)[moved++] = (runlist_element){vcn, lcn, 1};
	}
	whole = whole && moved && !ntfs_attr_update_mapping_pairs(na, 0) && !ntfs_inode_sync(dir);
	for (size_t i = 0; !whole && i < moved; i++)
		ntfs_cluster_free_basic(n->vol, ntfs_attr_vcn_to_lcn(na, (*gone)[i].vcn), 1);
	if (na)
		ntfs_attr_close(na);
	return whole;
}

static bool root_changed(struct volume *v, ntfs_inode *dir)
{
	struct buf now = BUF_INIT;
	const struct buf *before = &ntfs_of(v)->root_before;
	bool same = read_root(v, dir, &now, NULL) == 0 && now.len && now.len == before->len &&
		    memcmp(now.p, before->p, now.len) == 0;
	buf_clear(&now);
	return !same;
}

int index_commit(struct volume *v, ntfs_inode *dir, struct err *e)
{
	struct ntfs *n = ntfs_of(v);
	runlist_element *gone = NULL;
	if (!ntfsdev_holding(&n->io))
		return 0;
	int ret = 0;
	if (NInoDirty(dir) && ntfs_inode_sync(dir))
		ret = ntfs_fail(v, e, "cannot write a folder");
	size_t blocks = ntfsdev_held_blocks(&n->io);
	bool several = blocks + root_changed(v, dir) > 1;
	bool moved = several && move_blocks(v, dir, &gone);
	int put = ntfs_flush(v, ret ? NULL : e);
	ret = ret ? ret : put;
	ntfsdev_put(&n->io, NTFSDEV_RECORD);
	if (several)
		put = ntfs_flush(v, ret ? NULL : e);
	if (!moved)
		ntfsdev_put(&n->io, NTFSDEV_BLOCK);
	let_go(v);
	for (runlist_element *r = gone; moved && r->length; r++)
		ntfs_cluster_free_basic(n->vol, r->lcn, 1);
	free(gone);
	ret = ret ? ret : put;
	put = ntfs_flush(v, ret ? NULL : e);
	return ret ? ret : put;
}
