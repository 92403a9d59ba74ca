/*
 * OEM strings of the firmware (SMBIOS structure type 11), as /sys/firmware/dmi/tables/DMI has them.
 *
 * A virtual machine or a management board can put words for init there, for every firmware alike:
 * strings that begin with "odjstick:". Whoever can set them owns the PC's firmware and could do
 * worse. Format: DMTF DSP0134 (a formatted area of the length that its second byte says, then
 * NUL-terminated strings, then one more NUL).
 */
#ifndef INIT_SMBIOS_H
#define INIT_SMBIOS_H

#include <stddef.h>

#define SMBIOS_TABLE_MAX 65536
#define SMBIOS_PREFIX "odjstick:"

/* Calls found() for every OEM string that begins with the prefix, without the prefix. Broken
 * tables end the search. */
void smbios_oem_strings(
	const void *table, size_t len, void (*found)(void *ctx, const char *text), void *ctx);

#endif
