#include "rootfs/init/drivers.h"

#include <stdlib.h>
#include <string.h>

int drivers_open(struct drivers *d, const char *root, struct err *e)
{
	*d = (struct drivers){0};
	return modload_open(&d->modules, root, e);
}

void drivers_close(struct drivers *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->noted[i].modalias);
	free(d->noted);
	modload_close(&d->modules);
	*d = (struct drivers){.modules.dir = -1};
}

static bool begins(const char *text, const char *head)
{
	return strncmp(text, head, strlen(head)) == 0;
}

/* "pci:v...bc0Csc03i30": class 0C, subclass 03 is a USB controller, and the interface its kind. */
static enum drivers_rank rank_pci(const char *modalias)
{
	const char *usb = strstr(modalias, "bc0Csc03i");
	if (!usb)
		return DRIVERS_OTHER;
	usb += strlen("bc0Csc03i");
	return begins(usb, "30")   ? DRIVERS_XHCI
	       : begins(usb, "20") ? DRIVERS_EHCI
				   : DRIVERS_USB_HOST;
}

enum drivers_rank drivers_rank(const char *modalias)
{
	static const struct {
		const char *bus;
		enum drivers_rank rank;
	} table[] = {{"usb:", DRIVERS_USB}, {"hid:", DRIVERS_USB}, {"scsi:", DRIVERS_USB},
		{"acpi:", DRIVERS_BOARD}, {"i2c:", DRIVERS_BOARD}, {"serio:", DRIVERS_BOARD},
		{"platform:", DRIVERS_BOARD}, {"vmbus:", DRIVERS_BOARD}, {"ssam:", DRIVERS_BOARD}};
	if (begins(modalias, "pci:"))
		return rank_pci(modalias);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (begins(modalias, table[i].bus))
			return table[i].rank;
	return DRIVERS_OTHER;
}

static bool make_room(struct drivers *d)
{
	if (d->count < d->room)
		return true;
	size_t room = d->room ? 2 * d->room : 64;
	struct drivers_noted *more = realloc(d->noted, room * sizeof *more);
	if (!more)
		return false;
	d->noted = more;
	d->room = room;
	return true;
}

void drivers_note(void *ctx, const char *modalias)
{
	struct drivers *d = ctx;
	char *copy = make_room(d) ? strdup(modalias) : NULL;
	if (copy)
		d->noted[d->count++] = (struct drivers_noted){copy, drivers_rank(modalias)};
	else
		modload_device(&d->modules, modalias);
}

bool drivers_step(struct drivers *d, enum drivers_rank last)
{
	size_t best = d->count;
	for (size_t i = 0; i < d->count; i++)
		if (d->noted[i].rank <= last &&
			(best == d->count || d->noted[i].rank < d->noted[best].rank))
			best = i;
	if (best == d->count)
		return false;
	char *modalias = d->noted[best].modalias;
	memmove(&d->noted[best], &d->noted[best + 1], (--d->count - best) * sizeof *d->noted);
	modload_device(&d->modules, modalias);
	free(modalias);
	return true;
}
