/*
 * $MFTMirr: the copy of the first four MFT records.
 *
 * libntfs-3g writes a record of $MFT and then its copy, two writes, and later
 * refuses to open a volume whose copies differ. So a power cut between the two
 * would lock the volume until chkdsk. Where all records on both sides are whole
 * and only their contents differ, the copy is merely old: $MFT counts (it is
 * what Windows reads), and the copy is read as if it were $MFT, or rewritten
 * from it before a volume is opened for writing. Anything else is left for
 * libntfs-3g to refuse.
 *
 * Format: boot sector fields and FILE records with update sequences, as in
 * docs/volume.md.
 */
#ifndef VOLUME_MIRROR_H
#define VOLUME_MIRROR_H

#include "volume/blockdev.h"

struct mirror {
	bool stale;
	uint64_t mft; /* byte offsets in the volume */
	uint64_t copy;
	uint32_t len; /* bytes of four records */
};

/* Never writes. An unusable boot sector is not an error here: stale is false. */
int mirror_look(struct blockdev *d, struct mirror *m, struct err *e);

/* p was read from off: put $MFT's bytes where the copy's are. */
int mirror_overlay(
	struct blockdev *d, const struct mirror *m, uint64_t off, void *p, size_t n, struct err *e);

/* Rewrite the copy and flush. */
int mirror_heal(struct blockdev *d, struct mirror *m, struct err *e);

#endif
