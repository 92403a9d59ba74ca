/*
 * Security descriptor of a new file or folder, computed from its folder's.
 *
 * Self-relative descriptors as NTFS stores them. The rules are those of
 * [MS-DTYP] 2.5.3.4 (CreateSecurityDescriptor, ComputeInheritedACLFromParent)
 * for an object made by LocalSystem without a descriptor of its own: owner
 * Administrators, group SYSTEM, inheritable entries of the folder marked
 * inherited, CREATOR OWNER and CREATOR GROUP replaced, generic rights mapped to
 * file rights. Without inheritable entries: SYSTEM and Administrators, full.
 */
#ifndef VOLUME_SD_H
#define VOLUME_SD_H

#include <stdbool.h>

#include "base/mem.h"

#define SD_MAX 65536 /* bytes of a descriptor */

/* Append the descriptor of a child of `parent` to out. -ERR_FORMAT when parent is malformed. */
int sd_inherit(struct span parent, bool for_dir, struct buf *out, struct err *e);

/* Append the descriptor of a file for SYSTEM and Administrators alone: full access for both,
 * protected, so that nothing is inherited later either. */
int sd_secret(struct buf *out, struct err *e);

#endif
