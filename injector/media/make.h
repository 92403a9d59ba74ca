/*
 * Writing a stick: the image's first 49 MiB as they are, a data partition as
 * large as the medium allows, and reading all of it back.
 *
 * The file system of the data partition is made by the lab machine's mkfs.fat
 * and filled by mcopy, in memory (a memfd, sparse), so no root, no mount and no
 * half-made file system on the medium; then it is copied. The MBR comes last:
 * a stick that was not finished starts no PC. docs/adr/0090.
 */
#ifndef MEDIA_MAKE_H
#define MEDIA_MAKE_H

#include <stdint.h>

#include "base/err.h"
#include "media/layout.h"
#include "media/manifest.h"
#include "volume/blockdev.h"

/* Room that is kept for journal and undo records beside the bundle. */
#define MAKE_ROOM (24u << 20)

/* The smallest medium for a bundle of that many bytes. */
uint64_t make_needed(const struct layout *image, uint64_t bundle);

/* A data partition in memory: *fd is a sparse memfd of *length bytes, the largest that fits a
 * medium of `size`. Holds what is in `dir` (bundle.odjb, lab.pub, journal/, state/), and the
 * image's README.TXT, which is put into dir. The file system's volume id becomes `volume`. */
int make_data(const char *image, const struct layout *l, uint32_t volume, uint64_t size,
	const char *dir, int *fd, uint64_t *length, struct err *e);

/* Write a stick: `image` up to the data partition, `data` of that length behind it. The
 * volume id of `data` becomes the stick's number, when the image has room for one. With a key the
 * manifest is signed. Everything is read back and compared; -ERR_INTEGRITY when the medium does
 * not keep what was written (a worn or fake stick). progress(ctx, done, all) may be NULL. */
typedef void make_progress(void *ctx, uint64_t done, uint64_t all);
int make_stick(struct blockdev *medium, struct blockdev *image, const struct manifest *m, int data,
	uint64_t data_length, const struct lab_key *key, make_progress *progress, void *ctx,
	struct err *e);

#endif
