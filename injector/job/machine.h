/*
 * The PC this program runs on: its firmware's strings, its power, its clock.
 *
 * Everything is read from sysfs, below a root that tests replace. What is not
 * there is "unknown", never an error: a desktop has no battery, a virtual
 * machine no real serial. Peripherals with a battery of their own (a mouse)
 * do not count.
 */
#ifndef JOB_MACHINE_H
#define JOB_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "job/firmware.h"

#define MACHINE_BATTERY_LOW 20 /* per cent: below, and without mains, a reason is needed */

struct power {
	bool known;	 /* sysfs names a battery or a mains adapter */
	bool battery;	 /* there is one */
	bool on_battery; /* and it is what keeps this PC running now */
	int percent;	 /* of all batteries together; -1 unknown */
};

struct machine {
	struct firmware fw;
	struct power power;
	int64_t rtc; /* the hardware clock read as UTC, seconds since 1970; 0 unknown */
};

/* sys is the root of sysfs, NULL means /sys. dmi replaces the folder of the firmware's strings;
 * with dmi alone, power and clock stay unknown, because they would be another PC's. */
void machine_read(const char *sys, const char *dmi, struct machine *m);

/* on battery, known to be low */
bool power_is_low(const struct power *p);

json_t *machine_json(const struct machine *m); /* NULL: out of memory */

#endif
