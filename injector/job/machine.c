#include "job/machine.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#define SYSFS "/sys"
#define LINE 64
#define SUPPLIES_MAX 32

/* The first line of dir/a/b without its end; "" when it cannot be read. */
static void read_line(const char *dir, const char *a, const char *b, char line[LINE])
{
	char path[4096];
	int n = snprintf(path, sizeof path, "%s/%s/%s", dir, a, b);
	line[0] = '\0';
	if (n < 0 || (size_t)n >= sizeof path)
		return;
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (!fgets(line, LINE, f))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(f);
}

/* 0..max, or -1 */
static int number(const char *line, int max)
{
	char *end;
	long n = strtol(line, &end, 10);
	return end == line || *end || n < 0 || n > max ? -1 : (int)n;
}

struct supplies {
	bool mains_online, discharging;
	int percents, batteries; /* sum, and how many say one */
};

static void take_supply(const char *dir, const char *name, struct supplies *s, struct power *p)
{
	char type[LINE], line[LINE];
	read_line(dir, name, "type", type);
	read_line(dir, name, "scope", line);
	if (strcmp(line, "Device") == 0)
		return;
	if (strcmp(type, "Mains") == 0 || strcmp(type, "USB") == 0) {
		read_line(dir, name, "online", line);
		s->mains_online = s->mains_online || number(line, 2) > 0;
		p->known = p->known || strcmp(type, "Mains") == 0;
	} else if (strcmp(type, "Battery") == 0) {
		p->known = p->battery = true;
		read_line(dir, name, "status", line);
		s->discharging = s->discharging || strcmp(line, "Discharging") == 0;
		read_line(dir, name, "capacity", line);
		int percent = number(line, 100);
		if (percent >= 0) {
			s->percents += percent;
			s->batteries++;
		}
	}
}

static void read_power(const char *dir, struct power *p)
{
	struct supplies s = {0};
	*p = (struct power){.percent = -1};
	DIR *d = opendir(dir);
	if (!d)
		return;
	struct dirent *it;
	for (size_t n = 0; (it = readdir(d)) && n < SUPPLIES_MAX; n++)
		if (it->d_name[0] != '.')
			take_supply(dir, it->d_name, &s, p);
	closedir(d);
	if (s.batteries)
		p->percent = s.percents / s.batteries;
	p->on_battery = p->battery && s.discharging && !s.mains_online;
}

static int64_t read_rtc(const char *dir)
{
	char line[LINE], *end;
	read_line(dir, "rtc0", "since_epoch", line);
	long long t = strtoll(line, &end, 10);
	return end == line || *end || t < 0 ? 0 : t;
}

void machine_read(const char *sys, const char *dmi, struct machine *m)
{
	const char *root = sys ? sys : SYSFS;
	*m = (struct machine){.power.percent = -1};
	CLEANUP(freep) char *strings = path_join(root, "class/dmi/id");
	CLEANUP(freep) char *power = path_join(root, "class/power_supply");
	CLEANUP(freep) char *rtc = path_join(root, "class/rtc");
	if (!strings || !power || !rtc)
		return;
	firmware_read(dmi ? dmi : strings, &m->fw);
	if (dmi && !sys)
		return;
	read_power(power, &m->power);
	m->rtc = read_rtc(rtc);
}

bool power_is_low(const struct power *p)
{
	return p->on_battery && p->percent >= 0 && p->percent < MACHINE_BATTERY_LOW;
}

static json_t *ids_json(const struct firmware *fw)
{
	json_t *list = json_array();
	for (size_t i = 0; i < FIRMWARE_IDS; i++) {
		const struct firmware_id *id = &fw->id[i];
		if (json_array_append_new(list,
			    json_pack("{s:s,s:s,s:s,s:b}", "kind", id->kind, "source", id->source,
				    "text", id->text, "placeholder", id->placeholder)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *machine_json(const struct machine *m)
{
	char rtc[CLOCK_TEXT_MAX] = "";
	const struct firmware *fw = &m->fw;
	if (m->rtc)
		clock_text(m->rtc, rtc);
	return json_pack("{s:{s:s,s:s,s:s,s:s,s:s,s:o},s:{s:b,s:b,s:b,s:i},s:s}", "firmware",
		"vendor", fw->vendor, "product", fw->product, "serial", fw->serial, "serial_source",
		fw->serial_source, "tag", fw->tag, "ids", ids_json(fw), "power", "known",
		m->power.known, "battery", m->power.battery, "on_battery", m->power.on_battery,
		"percent", m->power.percent, "rtc", rtc);
}
