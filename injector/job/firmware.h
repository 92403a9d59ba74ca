/*
 * What this PC says of itself: SMBIOS strings as the kernel shows them.
 *
 * Serial numbers lie ("To be filled by O.E.M."): a placeholder is kept for the
 * screen but is never an identity. The serial is taken from the first of
 * system, chassis, board that is not a placeholder, the tag from the chassis;
 * the source is recorded. What counts as a placeholder is decided in one place,
 * bundle/identity.h. Strings are trimmed, printable ASCII, at most 64 bytes.
 */
#ifndef JOB_FIRMWARE_H
#define JOB_FIRMWARE_H

#include <stdbool.h>

#include "base/err.h"

#define FIRMWARE_TEXT_MAX 65

/* One string that could identify the PC, as it stands. */
struct firmware_id {
	const char *kind;   /* "serial", "tag", "uuid" */
	const char *source; /* "system", "chassis", "board" */
	char text[FIRMWARE_TEXT_MAX];
	bool placeholder; /* says nothing about this PC; "" is no placeholder */
};
#define FIRMWARE_IDS 6

struct firmware {
	char serial[FIRMWARE_TEXT_MAX];	    /* "" when every source is a placeholder or absent */
	char serial_source[16];		    /* "system", "chassis", "board" or "" */
	char raw_serial[FIRMWARE_TEXT_MAX]; /* the system serial as it stands, even if a placeholder
					     */
	bool serial_placeholder;
	char tag[FIRMWARE_TEXT_MAX]; /* chassis asset tag, "" when placeholder or absent */
	char vendor[FIRMWARE_TEXT_MAX];
	char product[FIRMWARE_TEXT_MAX];
	char uuid[FIRMWARE_TEXT_MAX];
	struct firmware_id id[FIRMWARE_IDS]; /* serials, then tags, then the UUID */
};

/* dmi is the folder with the strings; NULL means /sys/class/dmi/id. Missing files are empty
 * strings, not errors: a PC without SMBIOS is chosen by hand. */
void firmware_read(const char *dmi, struct firmware *fw);

#endif
