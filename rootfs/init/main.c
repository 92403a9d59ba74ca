/*
 * The first program of the stick. Loads drivers until the stick it was started from is there,
 * mounts its data partition, shows the wizard, loads the drivers of this PC's disks meanwhile, and
 * switches the PC off when the wizard is done.
 *
 * There is no way to a shell from here: no shell is on the stick. Every failure ends in a message
 * on the screen and a PC that can be switched off; init itself never returns. Decisions:
 * docs/adr/0076.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "rootfs/init/console.h"
#include "rootfs/init/devices.h"
#include "rootfs/init/drivers.h"
#include "rootfs/init/identity.h"
#include "rootfs/init/smbios.h"
#include "rootfs/init/support.h"
#include "rootfs/init/sysfile.h"
#include "rootfs/init/system.h"
#include "rootfs/init/wizard.h"
#include "rootfs/init/words.h"

#define STICK "/stick"
#define NUMBER "/number"
#define KEYMAPS "/share/keymaps"
#define KEYMAP_FILE STICK "/keyboard.txt"
#define COMMAND_LINE_MAX 4096
#define PATIENCE 10000	/* ms without our stick until something is said */
#define RETRY 10	/* s between two tries to mount */
#define HEAD_START 1000 /* ms for the stick to answer, and for the wizard's first screen */
#define SETTLED 1500	/* ms without news from any device */
#define SETTLING 10000	/* ms of news after which the wizard need not wait any longer */
#define LAST_NICE 19

struct init {
	struct words words;
	struct identity identity;
	struct console console;
	struct drivers drivers;
	int64_t others;	 /* when other devices than USB and keyboards have their turn */
	bool walked;	 /* every device that was there at start is noted */
	bool ready;	 /* every device had its turn, and none is new */
	bool twins;	 /* a second stick with our identity showed up meanwhile */
	int64_t settled; /* when that is so at the latest; 0 until the first time */
	int devices;	 /* the kernel's messages */
	int signals;	 /* a program ended */
	char stick[IDENTITY_PATH_MAX];
};

/* --- words --------------------------------------------------------------------------------------
 */

static void oem_words(void *ctx, const char *text)
{
	words_add(ctx, text);
}

/* Which stick this is: from the command line, and from the file that the loader added. */
static void read_identity(struct init *in)
{
	char text[16];
	snprintf(in->identity.image, sizeof in->identity.image, "%s", in->words.id);
	(void)sysfile_line(NUMBER, text, sizeof text);
	identity_number(&in->identity, text);
}

static void read_words(struct words *w)
{
	static char line[COMMAND_LINE_MAX];
	static uint8_t table[SMBIOS_TABLE_MAX];
	words_init(w);
	if (sysfile_line("/proc/cmdline", line, sizeof line))
		words_add(w, line);
	ssize_t n = sysfile_bytes("/sys/firmware/dmi/tables/DMI", 0, table, sizeof table);
	if (n > 0)
		smbios_oem_strings(table, (size_t)n, oem_words, w);
}

/* --- devices ------------------------------------------------------------------------------------
 */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What the stick needs: USB controllers first, because a stick takes its time to answer them, and
 * then what no device asks for. Without delay_use=0 a stick answers a second later; the number must
 * be given when usb-storage is loaded. */
static void first_drivers(struct drivers *d)
{
	static const char *const names[] = {"sd_mod", "vfat", "nls_cp437"};
	while (drivers_step(d, DRIVERS_USB_HOST))
		;
	modload_name(&d->modules, "usb-storage", "delay_use=0");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		modload_name(&d->modules, names[i], NULL);
}

/* Notes everything that showed up. True when disks came or went. */
static bool hear(struct init *in)
{
	bool lost;
	bool disks = devices_hear(in->devices, drivers_note, &in->drivers, &lost);
	if (lost)
		devices_walk("/sys/devices", drivers_note, &in->drivers);
	return disks;
}

/* Wait for the kernel or a program, at most so long (-1: for ever). False when time is up. */
static bool wait_for_event(struct init *in, int ms)
{
	struct pollfd fds[] = {
		{.fd = in->devices, .events = POLLIN}, {.fd = in->signals, .events = POLLIN}};
	struct signalfd_siginfo what;
	if (poll(fds, ARRAY_SIZE(fds), ms) == 0)
		return false;
	if (fds[1].revents)
		(void)!read(in->signals, &what, sizeof what);
	return true;
}

/* Drivers for one device, or a look at all devices. False when there is nothing to do now; *left:
 * ms until there may be. The kernel returns from loading a disk controller's driver when it has
 * asked all its ports, and that can take a second: not while the stick or the first screen is
 * waited for. */
static bool step(struct init *in, int *left)
{
	int64_t now = now_ms();
	*left = now < in->others ? (int)(in->others - now) : 0;
	if (drivers_step(&in->drivers, *left ? DRIVERS_BOARD : DRIVERS_OTHER))
		return true;
	bool walk = !in->walked;
	if (walk)
		devices_walk("/sys/devices", drivers_note, &in->drivers);
	in->walked = true;
	return walk;
}

/* One step towards drivers for all there is; at the end `ready`, or `twins`. */
static void settle(struct init *in)
{
	char other[IDENTITY_PATH_MAX];
	int left;
	(void)hear(in);
	if (step(in, &left))
		return;
	if (left) {
		(void)wait_for_event(in, left);
		return;
	}
	if (!in->settled)
		in->settled = now_ms() + SETTLING;
	if (wait_for_event(in, SETTLED) && now_ms() < in->settled)
		return;
	system_log("drivers");
	in->twins = identity_find("/sys/block", "/dev", &in->identity, other) > 1;
	in->ready = !in->twins;
	if (in->ready)
		(void)sysfile_create(WIZARD_DRIVERS);
}

/* While the wizard runs: it comes first. False when there is a second stick that could be ours:
 * nothing has been looked for on the disks yet, for that waits until `ready`. */
static bool idle(void *ctx)
{
	struct init *in = ctx;
	if (!in->ready) {
		(void)setpriority(PRIO_PROCESS, 0, LAST_NICE);
		settle(in);
		(void)setpriority(PRIO_PROCESS, 0, 0);
	} else if (wait_for_event(in, -1)) {
		(void)hear(in);
		while (drivers_step(&in->drivers, DRIVERS_OTHER))
			(void)hear(in);
	}
	return !in->twins;
}

/* --- our stick ----------------------------------------------------------------------------------
 */

static void say_two(const struct init *in)
{
	console_say(&in->console, "Two sticks with the same identity are plugged in.",
		"Nothing was changed on this PC.", "",
		"Pull one of them out; this goes on by itself.", NULL);
}

static void say_missing(const struct init *in)
{
	console_say(&in->console, "The stick this PC was started from does not answer.",
		"Nothing was changed on this PC.", "",
		"Pull it out and plug it in again, at the back of the PC if possible;",
		"this goes on by itself. Or switch the PC off.", NULL);
}

/* Until a disk comes or goes, or the time has come (0: it never comes). */
static void wait_for_disks(struct init *in, int64_t until)
{
	int left;
	while (!hear(in)) {
		if (step(in, &left))
			continue;
		if (left) {
			(void)wait_for_event(in, left);
			continue;
		}
		left = until ? (int)(until - now_ms()) : -1;
		if ((until && left <= 0) || !wait_for_event(in, left))
			return;
	}
}

static void find_stick(struct init *in)
{
	int64_t patience = now_ms() + PATIENCE;
	for (;;) {
		unsigned found = identity_find("/sys/block", "/dev", &in->identity, in->stick);
		if (found == 1)
			return;
		bool said = found > 1 || now_ms() >= patience;
		if (found > 1)
			say_two(in);
		else if (said)
			say_missing(in);
		wait_for_disks(in, said ? 0 : patience);
	}
}

static void mount_stick(struct init *in)
{
	for (;;) {
		struct err e = ERR_INIT;
		find_stick(in);
		if (system_mount(in->stick, STICK, &e) == 0)
			return;
		system_log("%s", e.what);
		console_say(&in->console, "The data partition of the stick cannot be read.",
			"Nothing was changed on this PC.", "",
			"Switch the PC off, and have the stick checked (or made again) in the lab.",
			NULL);
		system_sleep(RETRY * 1000);
	}
}

/* --- screen and keyboard ------------------------------------------------------------------------
 */

static void log_failure(int ret, const struct err *e)
{
	if (ret < 0 && e->what[0])
		system_log("%s", e->what);
}

/* The layout that the command line names, or else the first line of a file on the stick. Afterwards
 * words.keymap is what is loaded. On a serial port the layout is the terminal's own. */
static void choose_keymap(struct init *in)
{
	char name[WORDS_NAME_MAX], *chosen = in->words.keymap;
	struct err e = ERR_INIT;
	if (!chosen[0] && sysfile_line(KEYMAP_FILE, name, sizeof name)) {
		name[strcspn(name, " \t\r")] = '\0';
		if (words_name_ok(name))
			snprintf(chosen, sizeof in->words.keymap, "%s", name);
	}
	int ret = in->console.serial || !chosen[0]
			  ? -1
			  : console_keymap(&in->console, KEYMAPS, chosen, &e);
	log_failure(ret, &e);
	if (ret < 0)
		chosen[0] = '\0';
}

/* --- from start to end --------------------------------------------------------------------------
 */

static void start(struct init *in)
{
	struct err e = ERR_INIT;
	sigset_t child;
	system_start();
	in->others = now_ms() + HEAD_START;
	system_log("init");
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	in->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	read_words(&in->words);
	read_identity(in);
	console_open(&in->console, &in->words);
	log_failure(console_font(&in->console, "/share/fonts", &e), &e);
	err_clear(&e);
	log_failure(devices_listen(&in->devices, &e), &e);
	err_clear(&e);
	log_failure(drivers_open(&in->drivers, "/lib/modules", &e), &e);
	devices_list("/sys/bus/pci/devices", drivers_note, &in->drivers);
	first_drivers(&in->drivers);
}

static void say_broken(const struct init *in)
{
	console_say(&in->console, "The wizard stopped again and again.",
		"What it did until then is in the journal on the stick.", "",
		"Do not start Windows on this PC before the lab has looked at the journal.",
		"The PC is switched off in one minute (Enter: now).", NULL);
	console_wait_enter(&in->console, 60);
}

static enum wizard_end work(struct init *in)
{
	if (in->words.support) {
		while (!in->ready && !in->twins)
			settle(in);
		if (in->twins)
			return WIZARD_STOPPED;
		modload_name(&in->drivers.modules, "efivarfs", NULL);
		support_run(&in->console, STICK);
		return WIZARD_OFF;
	}
	in->others = now_ms() + HEAD_START;
	enum wizard_end end = wizard_run(&in->console, STICK, in->words.keymap, idle, in);
	if (end == WIZARD_BROKEN)
		say_broken(in);
	return end;
}

int main(void)
{
	struct init in = {.devices = -1, .signals = -1};
	if (getpid() != 1) {
		fputs("init is the first program of the stick and does nothing elsewhere\n",
			stderr);
		return 2;
	}
	start(&in);
	enum wizard_end end;
	do {
		in.twins = false;
		mount_stick(&in);
		choose_keymap(&in);
		system_log("wizard");
		end = work(&in);
		system_unmount(in.stick, STICK);
	} while (end == WIZARD_STOPPED);
	system_end(end == WIZARD_REBOOT);
	console_say(
		&in.console, "Finished. You can switch this PC off and pull the stick out.", NULL);
	for (;;)
		(void)wait_for_event(&in, -1);
}
