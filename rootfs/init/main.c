/*
 * The first program of the stick. Loads the drivers this PC asks for, finds the stick it was
 * started from, mounts its data partition, shows the wizard, and switches the PC off when the
 * wizard is done.
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
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "rootfs/init/console.h"
#include "rootfs/init/devices.h"
#include "rootfs/init/identity.h"
#include "rootfs/init/modload.h"
#include "rootfs/init/smbios.h"
#include "rootfs/init/support.h"
#include "rootfs/init/sysfile.h"
#include "rootfs/init/system.h"
#include "rootfs/init/wizard.h"
#include "rootfs/init/words.h"

#define STICK "/stick"
#define KEYMAPS "/share/keymaps"
#define KEYMAP_FILE STICK "/keyboard.txt"
#define COMMAND_LINE_MAX 4096
#define PATIENCE 10000 /* ms without our stick until something is said */
#define RETRY 10       /* s between two tries to mount */
#define SETTLED 1500   /* ms without news from any device */

struct init {
	struct words words;
	struct console console;
	struct modload modules;
	int devices; /* the kernel's messages */
	int signals; /* a program ended */
	char stick[IDENTITY_PATH_MAX];
};

/* --- words --------------------------------------------------------------------------------------
 */

static void oem_words(void *ctx, const char *text)
{
	words_add(ctx, text);
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

static void drive(void *ctx, const char *modalias)
{
	modload_device(ctx, modalias);
}

/* Drivers that must come first or that no device asks for. Without delay_use=0 a stick answers a
 * second later; the number must be given when usb-storage is loaded. */
static void first_drivers(struct modload *m)
{
	static const char *const names[] = {
		"xhci-pci", "ehci-pci", "vfat", "nls_cp437", "nls_ascii"};
	modload_name(m, "usb-storage", "delay_use=0");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		modload_name(m, names[i], NULL);
}

/* Drivers for everything that showed up. True when disks came or went. */
static bool hear(struct init *in)
{
	bool lost;
	bool disks = devices_hear(in->devices, drive, &in->modules, &lost);
	if (lost)
		devices_walk("/sys/devices", drive, &in->modules);
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

static void idle(void *ctx)
{
	if (wait_for_event(ctx, -1))
		(void)hear(ctx);
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

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until a disk comes or goes, or the time has come (0: it never comes). */
static void wait_for_disks(struct init *in, int64_t until)
{
	int left = -1;
	while (!hear(in)) {
		if (until)
			left = (int)(until - now_ms());
		if ((until && left <= 0) || !wait_for_event(in, left))
			return;
	}
}

static void find_stick(struct init *in)
{
	int64_t patience = now_ms() + PATIENCE;
	for (;;) {
		unsigned found = identity_find("/sys/block", "/dev", in->words.id, in->stick);
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
	system_log("init");
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	in->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	read_words(&in->words);
	console_open(&in->console, &in->words);
	log_failure(console_font(&in->console, "/share/fonts", &e), &e);
	err_clear(&e);
	log_failure(devices_listen(&in->devices, &e), &e);
	err_clear(&e);
	log_failure(modload_open(&in->modules, "/lib/modules", &e), &e);
	first_drivers(&in->modules);
	devices_walk("/sys/devices", drive, &in->modules);
	system_log("drivers");
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
		while (wait_for_event(in, SETTLED))
			(void)hear(in);
		support_run(&in->console, STICK);
		return WIZARD_OFF;
	}
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
	mount_stick(&in);
	choose_keymap(&in);
	system_log("wizard");
	enum wizard_end end = work(&in);
	system_unmount(in.stick, STICK);
	system_end(end == WIZARD_REBOOT);
	console_say(
		&in.console, "Finished. You can switch this PC off and pull the stick out.", NULL);
	for (;;)
		(void)wait_for_event(&in, -1);
}
