/*
 * Drivers in the order in which they are missed: what the stick hangs on, keyboards, the rest.
 *
 * Devices are noted as they are heard of, and drivers are loaded one device at a time, so that the
 * caller can look for the stick, and start the wizard, in between. Under an emulator a module takes
 * 20 to 130 ms, most of it for the check of its signature. Decision: docs/adr/0092.
 */
#ifndef INIT_DRIVERS_H
#define INIT_DRIVERS_H

#include "rootfs/init/modload.h"

/* Lower comes first. The order of USB controllers is the kernel's wish: EHCI before what serves its
 * slower half. */
enum drivers_rank {
	DRIVERS_XHCI,
	DRIVERS_EHCI,
	DRIVERS_USB_HOST, /* UHCI, OHCI */
	DRIVERS_USB,	  /* what hangs on USB: sticks and keyboards */
	DRIVERS_BOARD,	  /* ACPI, I2C: other keyboards and the busses they hang on */
	DRIVERS_OTHER,	  /* the disks of this PC */
};

struct drivers {
	struct modload modules;
	struct drivers_noted {
		char *modalias;
		enum drivers_rank rank;
	} * noted;
	size_t count, room;
};

/* The modules below root ("/lib/modules"). drivers_close() also after failure. */
int drivers_open(struct drivers *d, const char *root, struct err *e);
void drivers_close(struct drivers *d);

enum drivers_rank drivers_rank(const char *modalias);

/* A device that wants a driver; a devices_fn. Out of memory: its driver is loaded at once. */
void drivers_note(void *d, const char *modalias);

/* The most urgent device up to that rank gets its drivers. False when there is none. */
bool drivers_step(struct drivers *d, enum drivers_rank last);

#endif
