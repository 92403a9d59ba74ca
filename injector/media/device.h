/*
 * May this device become a stick? Looks at what the kernel says about it; writes
 * nothing. Refused are: what is no whole disk, what cannot be pulled out, what is
 * mounted or in use in any part, what the running system lies on, what is too small.
 */
#ifndef MEDIA_DEVICE_H
#define MEDIA_DEVICE_H

#include <stdint.h>

#include "base/err.h"

#define DEVICE_MODEL_MAX 64
#define DEVICE_NAME_MAX 64

struct device {
	char name[DEVICE_NAME_MAX];   /* "sdb" */
	char model[DEVICE_MODEL_MAX]; /* "SanDisk Ultra", made of printable characters */
	uint64_t size;		      /* bytes */
};

/* path is a device node. Errors: -ERR_REFUSED, -ERR_NOTFOUND, -ERR_FORMAT, -ERR_NOSPACE. */
int device_check(const char *path, uint64_t needed, struct device *out, struct err *e);

/* The same for the kernel's name of a device, below another /sys and with another
 * /proc/self/mountinfo and /proc/swaps; for tests. */
int device_check_in(const char *sys, const char *mounts, const char *swaps, const char *name,
	uint64_t needed, struct device *out, struct err *e);

#endif
