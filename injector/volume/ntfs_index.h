/*
 * A folder's index, changed in one write. Private to the NTFS backend.
 *
 * The index lives in the folder's MFT record and, when it has outgrown it, in index blocks.
 * libntfs-3g changes several of them for one name (a full block is split, a name that divides two
 * blocks goes) and writes them one by one; in between, names are lost or the folder cannot be
 * listed. So the writes are held back: reads see them, the disk does not. When they are let go,
 * blocks that are already in use go to new clusters; the MFT record, which says where they are, is
 * the one write that decides.
 *
 * Not in one write: a folder whose index needs more than one MFT record (an attribute list), a disk
 * without a free cluster, and an MFT record in two pieces (clusters of 512 bytes). There the MFT
 * record goes first.
 */
#ifndef VOLUME_NTFS_INDEX_H
#define VOLUME_NTFS_INDEX_H

#include "volume/ntfs.h"

/* From now on what is written of this folder's record and of its index blocks in use is held back.
 * One folder at a time. */
int index_hold(struct volume *v, ntfs_inode *dir, struct err *e);

/* Write the folder, with everything it leads to in front of it. Nothing when nothing is held.
 * Always after index_hold(), also when something failed between. */
int index_commit(struct volume *v, ntfs_inode *dir, struct err *e);

#endif
