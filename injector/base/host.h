/*
 * The running computer: what tells one boot of it from another.
 */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <stdint.h>

#include "base/err.h"

#define HOST_BOOT_ID_SIZE 16

/* The kernel's boot id; where there is none, a random one that stays for this process. */
int host_boot_id(uint8_t id[HOST_BOOT_ID_SIZE], struct err *e);

#endif
