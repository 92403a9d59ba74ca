/*
 * What lies behind the data partition of a stick: nothing.
 *
 * GPT keeps a second partition table in the last sectors of a medium, and some
 * programs take it when there is none at the beginning. No manifest covers that
 * place, because it is elsewhere on each stick: so a stick that is made is
 * cleared there, and one that is verified must be empty there.
 * Source: UEFI specification, "GUID Partition Table".
 */
#ifndef MEDIA_TAIL_H
#define MEDIA_TAIL_H

#include "base/err.h"
#include "volume/blockdev.h"

#define TAIL_MAX (1024u * 1024u) /* of a medium that is larger than its stick: its last MiB */

/* `end` is the first byte behind the data partition. Zeros from there to the end of the medium. */
int tail_clear(struct blockdev *d, uint64_t end, struct err *e);

/* -ERR_INTEGRITY: it holds anything but zeros, or FF as erased flash does; or the last sector of
 * the medium, wherever that lies, is the header of a GPT. */
int tail_check(struct blockdev *d, uint64_t end, struct err *e);

#endif
