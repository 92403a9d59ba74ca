/*
 * The running computer: what tells one boot of it from another, and how old its system is.
 */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <stdint.h>

#include "base/err.h"

#define HOST_BOOT_ID_SIZE 16

/* When the image this system runs from was made (seconds since 1970): the time of this program's
 * file, where the root is the memory a stick boots into; 0 on an installed system. */
int64_t host_image_time(void);

/* The kernel's boot id; where there is none, a random one that stays for this process. */
int host_boot_id(uint8_t id[HOST_BOOT_ID_SIZE], struct err *e);

#endif
