/*
 * What a BitLocker volume says of itself without any key: which kinds of keys
 * open it, and whether one of them is the clear key, which lies open on the
 * disk while BitLocker is suspended (or waits for its activation).
 *
 * No key and no encrypted byte is read: only the boot sector and the headers of
 * the metadata entries. Volumes of Windows 7 and later (metadata version 2);
 * anything else is "unknown".
 *
 * Format: third-party evidence (libbde's documentation, cryptsetup), no BitLocker
 * volume of a real Windows was seen; docs/volume.md.
 */
#ifndef VOLUME_FVE_H
#define VOLUME_FVE_H

#include "base/err.h"
#include "base/mem.h"
#include "volume/blockdev.h"
#include "volume/volume.h"

#define FVE_COPIES 3	    /* of the metadata on a volume */
#define FVE_BLOCK_MAX 65536 /* bytes of one copy */
#define FVE_ENTRIES_MAX 256

/* Bits of the kinds of keys there are. */
enum fve_protector {
	FVE_CLEAR_KEY = 1 << 0,
	FVE_TPM = 1 << 1,
	FVE_STARTUP_KEY = 1 << 2,
	FVE_TPM_PIN = 1 << 3,
	FVE_RECOVERY_PASSWORD = 1 << 4,
	FVE_PASSWORD = 1 << 5,
	FVE_OTHER = 1 << 6,
};

/* Offsets of the copies from the 512 bytes of a boot sector. False: not a layout we know. */
bool fve_boot(struct span boot, uint64_t at[FVE_COPIES]);

/* FVE_* bits of one copy of the metadata; false when it makes no sense. */
bool fve_metadata(struct span block, unsigned *protectors);

/* The first good copy decides. Fills st->bitlocker and st->protectors; a volume that cannot be
 * understood is VOLUME_BITLOCKER_UNKNOWN, not an error. */
int fve_look(struct blockdev *d, struct volume_state *st, struct err *e);

/* "clear-key", "tpm", "startup-key", "tpm-pin", "recovery-password", "password", "other" */
const char *fve_protector_name(unsigned bit);

#endif
