/*
 * The PC's devices as the kernel names them: one walk over /sys/devices, then its messages about
 * what comes and goes (kernel: Documentation/ABI/testing/sysfs-uevent, lib/kobject_uevent.c).
 *
 * Each device with a modalias is offered to the caller, who loads a driver for it.
 */
#ifndef INIT_DEVICES_H
#define INIT_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* The modalias ends in a NUL and stays valid only during the call. */
typedef void devices_fn(void *ctx, const char *modalias);

/* A non-blocking descriptor that gets a message for every device from now on. */
int devices_listen(int *fd, struct err *e);

/* Every modalias of a bus ("/sys/bus/pci/devices"). */
void devices_list(const char *bus, devices_fn *offer, void *ctx);

/* Every modalias below root ("/sys/devices"); takes longer. */
void devices_walk(const char *root, devices_fn *offer, void *ctx);

/* All messages that wait. True when a disk or partition came or went; *lost when the kernel had to
 * drop messages, so a walk is needed again. */
bool devices_hear(int fd, devices_fn *offer, void *ctx, bool *lost);

/* One message, "ACTION@PATH" NUL "KEY=VALUE" NUL...; true when it is about a disk or partition. */
bool devices_message(const char *message, size_t len, devices_fn *offer, void *ctx);

#endif
