/*
 * Which image this PC was started from, by the manifest on the stick that is
 * mounted. The name of an image, not a proof: a changed stick can show any
 * hash, because the program that reads it came from the same stick. What it is
 * for: which of the lab's images was used, noted in the journal and read aloud.
 */
#ifndef MEDIA_BOOTED_H
#define MEDIA_BOOTED_H

#include <stdbool.h>
#include <stdint.h>

#include "media/manifest.h"

/* dir is the mounted data partition. False when this PC was not started from the stick that dir
 * lies on, or its manifest cannot be read; hash is then all zero. */
bool booted_image(const char *dir, uint8_t hash[MANIFEST_HASH]);

/* The same for a kernel command line (text) and the whole disk. */
bool booted_image_of(const char *cmdline, const char *disk, uint8_t hash[MANIFEST_HASH]);

#endif
