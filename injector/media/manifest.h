/*
 * The manifest of a stick image: every byte that matters for booting, in named
 * ranges with a SHA-256 each, and the lab's signature of it.
 *
 * It lies in the gap between the MBR and the first partition, so it is found
 * and checked without reading the file system of a stick that nobody trusts.
 * image/manifest writes it when an image is built; `odjstick image sign` adds
 * the signature, a .minisig text. Format, and the same check with dd, sha256sum
 * and minisign: docs/format-image.md.
 *
 * `struct manifest` owns its memory; manifest_clear() is safe on a zeroed one.
 */
#ifndef MEDIA_MANIFEST_H
#define MEDIA_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "bundle/lab.h"
#include "volume/blockdev.h"

#define MANIFEST_AT 4096u	 /* offset of the text */
#define MANIFEST_TEXT_MAX 32768u /* its room; zero bytes after it */
#define MANIFEST_SIG_AT (MANIFEST_AT + MANIFEST_TEXT_MAX)
#define MANIFEST_SIG_ROOM 4096u
#define MANIFEST_RANGES_MAX 256u
#define MANIFEST_HASH 32u
#define MANIFEST_NAME_MAX 200u
#define MANIFEST_CODE_TEXT 20 /* "XXXX-XXXX-XXXX-XXXX" and the NUL */

/* What the manifest leaves out of the MBR: the number of sectors of the data partition. */
#define MANIFEST_SIZE_FIELD 458u
#define MANIFEST_SIZE_FIELD_END 462u

struct manifest_range {
	uint64_t offset, length;
	uint8_t sha256[MANIFEST_HASH];
	char name[MANIFEST_NAME_MAX + 1]; /* "/vmlinuz", "[file allocation table]" */
};

struct manifest {
	struct buf text; /* as it is signed */
	struct manifest_range *ranges;
	size_t count;
	uint64_t end;		     /* first byte after the boot partition */
	uint32_t identity;	     /* odjstick.id */
	uint8_t hash[MANIFEST_HASH]; /* SHA-256 of the text: the hash of the image */
};

void manifest_clear(struct manifest *m);

/* Take text apart. -ERR_INTEGRITY when it is no manifest, or when a byte between the MBR and the
 * end of the last range is in no range. `name` is for messages. */
int manifest_parse(
	struct manifest *m, const void *text, size_t len, const char *name, struct err *e);

/* Read and parse the manifest of a medium. -ERR_INTEGRITY when there is none. */
int manifest_read(struct manifest *m, struct blockdev *d, struct err *e);

/* A stick's own number: eight hexadecimal digits in the file /number of the boot partition, a cpio
 * archive that the loaders hand to the kernel (docs/adr/0093). The manifest has the image's, all
 * zeros, and manifest_compare() reads any digits there as zeros. The offset of the digits on the
 * medium; 0: the image has none. */
#define MANIFEST_NUMBER_DIGITS 8u
uint64_t manifest_number_at(const struct manifest *m);

/* Hash every range; differs() hears of each one whose bytes are not the manifest's. *bad is their
 * number. The result says nothing while the manifest itself is not known to be the lab's. */
typedef void manifest_differs(void *ctx, const struct manifest_range *r);
int manifest_compare(const struct manifest *m, struct blockdev *d, manifest_differs *differs,
	void *ctx, size_t *bad, struct err *e);

/* The partition table is that of a stick whose boot partition ends with the manifest: entry 1 the
 * data, from there and not beyond the end of the medium, entry 2 the boot partition, no other. */
int manifest_layout(const struct manifest *m, struct blockdev *d, struct err *e);

/* Sign the text and write the signature to the medium. The caller has compared it before. */
int manifest_sign(
	const struct manifest *m, struct blockdev *d, const struct lab_key *key, struct err *e);

/* Has anybody signed it? (The room for the signature is not empty.) */
int manifest_is_signed(struct blockdev *d, bool *is, struct err *e);

/* 0 when the lab signed this manifest. -ERR_KEY: somebody else did. -ERR_INTEGRITY: nobody did, or
 * it was changed since. trusted: the comment that is covered by the signature; may be NULL. */
int manifest_signed_by(const struct manifest *m, struct blockdev *d, const struct lab_pub *lab,
	char trusted[LAB_COMMENT_MAX + 1], struct err *e);

/* When it was signed, from the comment that manifest_sign() writes: seconds since 1970.
 * -ERR_FORMAT: the comment is another, the lab signed with another program. */
int manifest_signed_at(const char *trusted, int64_t *t);

/* The image hash for people: its first 80 bits, as the lab's fingerprints are written. */
void manifest_code(const uint8_t hash[MANIFEST_HASH], char out[MANIFEST_CODE_TEXT]);

#endif
