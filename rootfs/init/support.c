#include "rootfs/init/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "rootfs/init/sysfile.h"
#include "rootfs/init/system.h"

#define PATH_BYTES 512
#define LINE_BYTES 1024
#define NAMES_MAX 512
#define LOG_MAX (1 << 20)
#define READ_LOG 3 /* klogctl(): all of it, without clearing */
#define REPORT_PATIENCE 60
#define EFIVARS "/sys/firmware/efi/efivars"
#define SECURE_BOOT "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

struct report {
	const char *root;
	struct buf *out;
	struct err *e;
	int ret;
};

__attribute__((format(printf, 2, 3))) static void add(struct report *r, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	/* What a device says of itself does not get to steer a terminal. */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = *c == '\n' ? '\n' : *c == '\t' ? ' ' : '?';
	if (r->ret == 0)
		r->ret = buf_add(r->out, line, strlen(line), r->e);
}

/* One line of a file below the root, "" when there is none. */
static const char *line_of(const struct report *r, const char *dir, const char *name)
{
	static char line[LINE_BYTES];
	char path[PATH_BYTES];
	line[0] = '\0';
	if (snprintf(path, sizeof path, "%s%s/%s", r->root, dir, name) < (int)sizeof path)
		(void)sysfile_line(path, line, LINE_BYTES / 2);
	return line;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef void entry_fn(struct report *r, const char *dir, const char *name);

/* Every entry of a folder below the root, in order. */
static void each(struct report *r, const char *dir, entry_fn *fn)
{
	char path[PATH_BYTES], *names[NAMES_MAX];
	size_t n = 0;
	snprintf(path, sizeof path, "%s%s", r->root, dir);
	DIR *d = opendir(path);
	struct dirent *entry;
	while (d && n < NAMES_MAX && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && (names[n] = strdup(entry->d_name)))
			n++;
	if (d)
		closedir(d);
	qsort(names, n, sizeof *names, by_name);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		fn(r, path, names[i]);
		free(names[i]);
	}
}

/* The driver of a device: the last part of where its link points. */
static const char *driver_of(const struct report *r, const char *dir)
{
	static char target[PATH_BYTES];
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "%s%s/driver", r->root, dir);
	ssize_t n = readlink(path, target, sizeof target - 1);
	if (n <= 0)
		return "(no driver)";
	target[n] = '\0';
	const char *slash = strrchr(target, '/');
	return slash ? slash + 1 : target;
}

/* --- sections -----------------------------------------------------------------------------------
 */

static void pci(struct report *r, const char *dir, const char *name)
{
	add(r, "%s class %s", name, line_of(r, dir, "class"));
	add(r, " id %s", line_of(r, dir, "vendor"));
	add(r, ":%s", line_of(r, dir, "device"));
	add(r, " %s", driver_of(r, dir));
	const char *hidden = line_of(r, dir, "remapped_nvme");
	if (hidden[0] && strcmp(hidden, "0") != 0)
		add(r, ", hides %s NVMe disks (RAID mode)", hidden);
	add(r, "\n");
}

static void usb(struct report *r, const char *dir, const char *name)
{
	/* Interfaces have a ':' in their names and no product. */
	if (strchr(name, ':')) {
		add(r, "  %s class %s", name, line_of(r, dir, "bInterfaceClass"));
		add(r, " %s\n", driver_of(r, dir));
		return;
	}
	add(r, "%s id %s", name, line_of(r, dir, "idVendor"));
	add(r, ":%s", line_of(r, dir, "idProduct"));
	add(r, " %s Mbit/s", line_of(r, dir, "speed"));
	add(r, " %s\n", line_of(r, dir, "product"));
}

static void disk(struct report *r, const char *dir, const char *name)
{
	const char *size = line_of(r, dir, "size");
	if (strcmp(size, "0") == 0)
		return;
	add(r, "%s %s sectors", name, size);
	add(r, ", removable %s", line_of(r, dir, "removable"));
	add(r, ", read-only %s", line_of(r, dir, "ro"));
	add(r, " %s\n", line_of(r, dir, "device/model"));
}

static void partition(struct report *r, const char *dir, const char *name)
{
	const char *number = line_of(r, dir, "partition");
	if (!number[0])
		return;
	add(r, "%s number %s", name, number);
	add(r, " from sector %s", line_of(r, dir, "start"));
	add(r, ", %s sectors\n", line_of(r, dir, "size"));
}

static void input(struct report *r, const char *dir, const char *name)
{
	const char *text = line_of(r, dir, "name");
	if (text[0])
		add(r, "%s %s\n", name, text);
}

static void driverless(struct report *r, const char *dir, const char *name)
{
	const char *modalias = line_of(r, dir, "modalias");
	if (modalias[0] && strcmp(driver_of(r, dir), "(no driver)") == 0)
		add(r, "%s %s\n", name, modalias);
}

/* Four bytes of attributes, then the value: 1 is on (UEFI 2.10, 3.3). */
static const char *secure_boot(const struct report *r)
{
	uint8_t value[5];
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "%s" EFIVARS "/" SECURE_BOOT, r->root);
	if (sysfile_bytes(path, 0, value, sizeof value) != sizeof value)
		return "unknown";
	return value[4] == 1 ? "on" : "off";
}

static void dmi(struct report *r)
{
	static const char *const names[] = {"sys_vendor", "product_name", "product_version",
		"board_vendor", "board_name", "chassis_type", "bios_vendor", "bios_version",
		"bios_date"};
	add(r, "\n[firmware]\n");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add(r, "%s: %s\n", names[i], line_of(r, "/sys/class/dmi/id", names[i]));
	add(r, "boot: %s\n",
		line_of(r, "/sys/firmware/efi", "fw_platform_size")[0] ? "UEFI" : "BIOS");
	add(r, "secure boot: %s\n", secure_boot(r));
	add(r, "lockdown: %s\n", line_of(r, "/sys/kernel/security", "lockdown"));
	add(r, "screen: %s", line_of(r, "/sys/class/graphics/fb0", "name"));
	add(r, " %s\n", line_of(r, "/sys/class/graphics/fb0", "virtual_size"));
}

/* Lines of a file of /proc that begin with one of two words, each once. */
static void pick(struct report *r, const char *name, const char *one, const char *other)
{
	CLEANUP(buf_clear) struct buf text = BUF_INIT;
	char path[PATH_BYTES], *save = NULL;
	bool seen = false;
	snprintf(path, sizeof path, "%s/proc/%s", r->root, name);
	if (sysfile_all(path, LOG_MAX, &text, NULL) < 0)
		return;
	for (char *line = strtok_r((char *)text.p, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		bool first = strncmp(line, one, strlen(one)) == 0;
		if ((first && !seen) || strncmp(line, other, strlen(other)) == 0)
			add(r, "%s\n", line);
		seen = seen || first;
	}
}

static void modules(struct report *r)
{
	CLEANUP(buf_clear) struct buf text = BUF_INIT;
	char path[PATH_BYTES], *save = NULL;
	snprintf(path, sizeof path, "%s/proc/modules", r->root);
	add(r, "\n[modules]\n");
	if (sysfile_all(path, LOG_MAX, &text, NULL) < 0)
		return;
	for (char *line = strtok_r((char *)text.p, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, " ")] = '\0';
		add(r, "%s\n", line);
	}
}

int support_report(const char *root, struct buf *out, struct err *e)
{
	static const struct {
		const char *title, *dir;
		entry_fn *fn;
	} sections[] = {
		{"pci", "/sys/bus/pci/devices", pci},
		{"usb", "/sys/bus/usb/devices", usb},
		{"disks", "/sys/block", disk},
		{"partitions", "/sys/class/block", partition},
		{"input", "/sys/class/input", input},
		{"platform, without a driver", "/sys/bus/platform/devices", driverless},
		{"i2c, without a driver", "/sys/bus/i2c/devices", driverless},
		{"hid, without a driver", "/sys/bus/hid/devices", driverless},
	};
	struct report r = {.root = root ? root : "", .out = out, .e = e};
	struct utsname kernel;
	if (uname(&kernel) == 0)
		add(&r, "[odjstick]\nversion: %s\nkernel: %s\n", ODJSTICK_VERSION, kernel.release);
	add(&r, "command line: %s\n", line_of(&r, "/proc", "cmdline"));
	dmi(&r);
	add(&r, "\n[machine]\n");
	pick(&r, "cpuinfo", "model name", "no such line");
	pick(&r, "meminfo", "MemTotal", "MemAvailable");
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		add(&r, "\n[%s]\n", sections[i].title);
		each(&r, sections[i].dir, sections[i].fn);
	}
	modules(&r);
	return r.ret;
}

int support_log(const char *log, size_t len, struct buf *out, struct err *e)
{
	int ret = 0;
	for (const char *end = log + len; ret == 0 && log < end;) {
		const char *next = memchr(log, '\n', (size_t)(end - log));
		size_t n = next ? (size_t)(next - log) + 1 : (size_t)(end - log);
		if (!memmem(log, n, "SerialNumber: ", 14))
			ret = buf_add(out, log, n, e);
		log += n;
	}
	return ret;
}

/* --- on the stick -------------------------------------------------------------------------------
 */

static int add_log(struct buf *out, struct err *e)
{
	static const char title[] = "\n[kernel log]\n";
	char *log = malloc(LOG_MAX);
	int n = log ? klogctl(READ_LOG, log, LOG_MAX) : -1;
	int ret = buf_add(out, title, sizeof title - 1, e);
	if (ret == 0 && n > 0)
		ret = support_log(log, (size_t)n, out, e);
	free(log);
	return ret;
}

static int write_report(const char *path, struct err *e)
{
	CLEANUP(buf_clear) struct buf out = BUF_INIT;
	(void)mount("securityfs", "/sys/kernel/security", "securityfs",
		MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	(void)mount("efivarfs", EFIVARS, "efivarfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		NULL);
	int ret = support_report(NULL, &out, e);
	if (ret == 0)
		ret = add_log(&out, e);
	return ret < 0 ? ret : file_create(path, out.p, out.len, 0600, e);
}

void support_run(const struct console *c, const char *stick)
{
	char now[CLOCK_TEXT_MAX], name[40], path[PATH_BYTES];
	struct err e = ERR_INIT;
	unsigned year, month, day, hour, minute, second;
	clock_text(clock_now(), now);
	if (sscanf(now, "%u-%u-%uT%u:%u:%u", &year, &month, &day, &hour, &minute, &second) != 6)
		year = month = day = hour = minute = second = 0;
	snprintf(name, sizeof name, "support-%04u%02u%02u-%02u%02u%02u.txt", year % 10000,
		month % 100, day % 100, hour % 100, minute % 100, second % 100);
	snprintf(path, sizeof path, "%s/%s", stick, name);
	console_say(c, "Collecting what this PC is made of ...", NULL);
	if (write_report(path, &e) < 0)
		console_say(c, "The diagnosis could not be written.", e.what, "",
			"Nothing was changed on this PC.",
			"The PC is switched off in one minute (Enter: now).", NULL);
	else
		console_say(c, "A diagnosis of this PC is on the stick, in the file", name, "",
			"It holds no passphrase, nothing of the bundle, and no serial number.",
			"Nothing was changed on this PC. Give the file to the lab.", "",
			"The PC is switched off in one minute (Enter: now).", NULL);
	console_wait_enter(c, REPORT_PATIENCE);
}
