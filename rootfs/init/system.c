#include "rootfs/init/system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "rootfs/init/sysfile.h"

#define LOG_LINE 512
#define BUSY_TRIES 50
#define BUSY_PAUSE 100 /* ms */

static const struct {
	const char *type, *dir;
	unsigned long flags;
	const char *options;
} kernel_mounts[] = {
	{"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
	{"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
	{"devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, NULL},
	{"tmpfs", "/run", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"},
};

static const struct {
	const char *file, *value;
} settings[] = {
	{"/proc/sys/kernel/sysrq", "0"},
	{"/proc/sys/kernel/ctrl-alt-del", "0"},
	{"/proc/sys/kernel/dmesg_restrict", "1"},
	{"/proc/sys/kernel/kptr_restrict", "2"},
	{"/proc/sys/kernel/yama/ptrace_scope", "3"},
	{"/proc/sys/kernel/core_pattern", "\n"},
	{"/proc/sys/kernel/modprobe", "\n"}, /* modules are loaded by init only */
	{"/proc/sys/kernel/kexec_load_disabled", "1"},
	{"/proc/sys/kernel/printk", "3 4 1 3"},
};

void system_start(void)
{
	umask(077);
	for (size_t i = 0; i < ARRAY_SIZE(kernel_mounts); i++)
		(void)mount(kernel_mounts[i].type, kernel_mounts[i].dir, kernel_mounts[i].type,
			kernel_mounts[i].flags, kernel_mounts[i].options);
	/* What goes to these three must not end this program, and is for nobody. */
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		(void)dup2(null, fd);
	if (null > 2)
		close(null);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		(void)sysfile_write(settings[i].file, settings[i].value);
	(void)reboot(RB_DISABLE_CAD); /* Ctrl-Alt-Del is a signal to this process, and blocked */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

void system_log(const char *fmt, ...)
{
	static const char mark[] = "<5>odjstick: ";
	char line[LOG_LINE];
	memcpy(line, mark, sizeof mark);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line + sizeof mark - 1, sizeof line - sizeof mark, fmt, ap);
	va_end(ap);
	(void)sysfile_write("/dev/kmsg", line);
}

/* Reading must not write (noatime). A file made or removed is on the stick when the call returns
 * (dirsync). The FAT is written before the folder's entry that leads to it (sync): fsync() alone
 * writes the entry first, and a cut between leaves a file on clusters that count as free, at which
 * the driver stops writing to the whole stick; it costs little, for nearly all writes go into
 * reserved room and are synced anyway. What is left is written soon after a file is closed, not
 * half a minute later (flush). A damaged file system is not written further (errors). Names are
 * UTF-8 on our side (utf8); iocharset is not used then, but it is loaded, so it is the table that
 * is there for short names anyway. */
int system_mount(const char *device, const char *dir, struct err *e)
{
	(void)mkdir(dir, 0700);
	if (mount(device, dir, "vfat",
		    MS_NOATIME | MS_SYNCHRONOUS | MS_DIRSYNC | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    "flush,utf8=1,iocharset=cp437,fmask=0177,dmask=0077,errors=remount-ro") < 0)
		return err_sys(e, ERR_IO, NULL, "cannot mount %s", device);
	return 0;
}

static void flush_device(const char *device)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)ioctl(fd, BLKFLSBUF, 0);
	close(fd);
}

void system_unmount(const char *device, const char *dir)
{
	sync();
	for (unsigned tries = 0; umount2(dir, 0) < 0 && errno == EBUSY; tries++) {
		if (tries == BUSY_TRIES) {
			system_log("the stick stays busy; made read-only");
			(void)mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL);
			break;
		}
		system_sleep(BUSY_PAUSE);
	}
	flush_device(device);
}

void system_end(bool again)
{
	(void)kill(-1, SIGKILL);
	sync();
	(void)sysfile_write("/proc/sys/vm/drop_caches", "3");
	(void)reboot(again ? RB_AUTOBOOT : RB_POWER_OFF);
}

void system_sleep(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}
