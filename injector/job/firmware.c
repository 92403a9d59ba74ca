#include "job/firmware.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "bundle/identity.h"

#define DMI_DIR "/sys/class/dmi/id"
#define DMI_LINE_MAX 4096

/* The first line of a file of sysfs, whose size stat() does not know. "" when it cannot be read. */
static void read_line(const char *path, char line[DMI_LINE_MAX])
{
	FILE *f = fopen(path, "re");
	if (!f || !fgets(line, DMI_LINE_MAX, f))
		line[0] = '\0';
	if (f)
		fclose(f);
}

/* First line of a DMI string: printable ASCII, trimmed, cut to size. */
static void read_string(const char *dmi, const char *name, char out[FIRMWARE_TEXT_MAX])
{
	CLEANUP(freep) char *path = path_join(dmi, name);
	char line[DMI_LINE_MAX];
	size_t n = 0;
	out[0] = '\0';
	if (!path)
		return;
	read_line(path, line);
	for (const char *c = line; *c && *c != '\n' && n < FIRMWARE_TEXT_MAX - 1; c++) {
		if (*c < 0x20 || *c > 0x7e || (n == 0 && *c == ' '))
			continue;
		out[n++] = *c;
	}
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static void choose_serial(const char *dmi, struct firmware *fw)
{
	static const struct {
		const char *file, *source;
	} places[] = {{"product_serial", "system"}, {"chassis_serial", "chassis"},
		{"board_serial", "board"}};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char text[FIRMWARE_TEXT_MAX];
		read_string(dmi, places[i].file, text);
		if (i == 0)
			memcpy(fw->raw_serial, text, sizeof text);
		if (!text[0] || identity_is_placeholder(text))
			continue;
		memcpy(fw->serial, text, sizeof text);
		snprintf(fw->serial_source, sizeof fw->serial_source, "%s", places[i].source);
		return;
	}
	fw->serial_placeholder = fw->raw_serial[0] != '\0';
}

void firmware_read(const char *dmi, struct firmware *fw)
{
	*fw = (struct firmware){0};
	if (!dmi)
		dmi = DMI_DIR;
	choose_serial(dmi, fw);
	read_string(dmi, "chassis_asset_tag", fw->tag);
	if (fw->tag[0] && identity_is_placeholder(fw->tag))
		fw->tag[0] = '\0';
	read_string(dmi, "sys_vendor", fw->vendor);
	read_string(dmi, "product_name", fw->product);
	read_string(dmi, "product_uuid", fw->uuid);
}
