#include "job/firmware.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* UUIDs that boards have when nobody gave them one: all digits alike, and the counting one that a
 * maker of firmware leaves in. The rest of the placeholders are those of serials. */
static bool uuid_is_placeholder(const char *text)
{
	static const char counting[] = "03000200-0400-0500-0006-000700080009";
	if (strcasecmp(text, counting) == 0)
		return true;
	for (const char *c = text; *c; c++)
		if (*c != '-' && *c != text[0])
			return false;
	return text[0] != '\0';
}

static void read_ids(const char *dmi, struct firmware *fw)
{
	static const struct {
		const char *file, *kind, *source;
	} places[FIRMWARE_IDS] = {{"product_serial", "serial", "system"},
		{"chassis_serial", "serial", "chassis"}, {"board_serial", "serial", "board"},
		{"chassis_asset_tag", "tag", "chassis"}, {"board_asset_tag", "tag", "board"},
		{"product_uuid", "uuid", "system"}};
	for (size_t i = 0; i < FIRMWARE_IDS; i++) {
		struct firmware_id *id = &fw->id[i];
		id->kind = places[i].kind;
		id->source = places[i].source;
		read_string(dmi, places[i].file, id->text);
		id->placeholder =
			id->text[0] &&
			(strcmp(id->kind, "uuid") == 0 ? uuid_is_placeholder(id->text)
						       : identity_is_placeholder(id->text));
	}
}

/* The first serial that identifies. */
static void choose_serial(struct firmware *fw)
{
	memcpy(fw->raw_serial, fw->id[0].text, sizeof fw->raw_serial);
	for (size_t i = 0; i < FIRMWARE_IDS; i++) {
		const struct firmware_id *id = &fw->id[i];
		if (strcmp(id->kind, "serial") != 0 || !id->text[0] || id->placeholder)
			continue;
		memcpy(fw->serial, id->text, sizeof fw->serial);
		snprintf(fw->serial_source, sizeof fw->serial_source, "%s", id->source);
		return;
	}
	fw->serial_placeholder = fw->raw_serial[0] != '\0';
}

void firmware_read(const char *dmi, struct firmware *fw)
{
	*fw = (struct firmware){0};
	if (!dmi)
		dmi = DMI_DIR;
	read_ids(dmi, fw);
	choose_serial(fw);
	read_string(dmi, "chassis_asset_tag", fw->tag);
	if (fw->tag[0] && identity_is_placeholder(fw->tag))
		fw->tag[0] = '\0';
	read_string(dmi, "sys_vendor", fw->vendor);
	read_string(dmi, "product_name", fw->product);
	read_string(dmi, "product_uuid", fw->uuid);
}
