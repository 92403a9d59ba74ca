/* Finding Windows on a volume and opening its hives; what the hives say is in collect.c. */
#include "windows/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "hive/hive.h"
#include "volume/volume.h"
#include "windows/collect.h"
#include "windows/firstboot.h"
#include "windows/reg.h"
#include "windows/unattend.h"

#define ROOT "/Windows"
#define FAST_STARTUP_SECONDS 600 /* from the shutdown to the image */
#define FIRSTBOOT_LOG_MAX (1u << 20)
#define HIBERNATION_LAST 4102444800LL /* 2100: a later time is not a time */

/* A hive and the files under it, in the order they must be closed. */
struct opened {
	struct hive *h;
	struct bytedev *file[3]; /* primary, LOG1, LOG2 */
};

static void close_hive(struct opened *o)
{
	hive_close(o->h);
	for (size_t i = 0; i < 3; i++)
		bytedev_close(o->file[i]);
	*o = (struct opened){0};
}

/* How NTFS stores the file of a hive, or one of its logs: these cannot be written in place. */
static void note_storage(struct windows_hive *fact, uint32_t attr)
{
	fact->compressed = fact->compressed || attr & VOLUME_ATTR_COMPRESSED;
	fact->sparse = fact->sparse || attr & VOLUME_ATTR_SPARSE;
	fact->encrypted = fact->encrypted || attr & VOLUME_ATTR_ENCRYPTED;
}

static int open_files(struct volume *v, const char *path, struct opened *o,
	struct windows_hive *fact, struct err *e)
{
	static const char *const suffix[] = {"", ".LOG1", ".LOG2"};
	for (size_t i = 0; i < 3; i++) {
		char name[256];
		struct volume_stat st;
		snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		int ret = volume_stat(v, name, &st, e);
		if (ret == 0 && i == 0)
			fact->present = st.exists;
		if (ret == 0)
			note_storage(fact, st.attr);
		if (ret == 0 && st.exists && !st.is_dir)
			ret = volume_open_file(v, name, false, &o->file[i], e);
		if (ret < 0)
			return ret;
		if (i == 0 && !st.exists)
			return err_set(e, ERR_NOTFOUND, NULL, "the file is missing");
	}
	return 0;
}

/* Open for reading; what is wrong becomes part of the facts. An unrecoverable hive is shown as it
 * lies, so that the screen can still say which PC this is. */
static void open_hive(struct volume *v, const char *root, const char *name, struct opened *o,
	struct windows_hive *fact)
{
	char path[192];
	struct err e = ERR_INIT;
	struct hive_info info = {0};
	snprintf(path, sizeof path, "%s/System32/config/%s", root, name);
	int ret = open_files(v, path, o, fact, &e);
	if (ret == 0)
		ret = hive_open(&o->h, o->file[0], o->file[1], o->file[2], 0, &e);
	fact->readable = ret == 0;
	if (ret == -ERR_UNSAFE && hive_open(&o->h, o->file[0], NULL, NULL, HIVE_AS_IS, NULL) < 0)
		o->h = NULL;
	if (ret < 0)
		reg_copy(fact->problem, sizeof fact->problem, e.what);
	if (o->h) {
		hive_get_info(o->h, &info);
		fact->dirty = info.dirty;
		fact->recoverable = info.dirty && fact->readable;
	}
}

/* "C:\x\y" or "%SystemDrive%\x\y" of the running Windows is "/x/y" of its volume. */
static bool map_path(const char *text, char *out, size_t size)
{
	static const char *const roots[] = {"C:", "%SystemDrive%"};
	const char *rest = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (strncasecmp(text, roots[i], strlen(roots[i])) == 0)
			rest = text + strlen(roots[i]);
	if (!rest || *rest != '\\' || strlen(rest) >= size)
		return false;
	for (; *rest; rest++)
		*out++ = (char)(*rest == '\\' ? '/' : *rest);
	*out = '\0';
	return true;
}

static void look_at_answer(struct volume *v, struct windows_unattend *u)
{
	struct volume_stat st;
	struct buf b = BUF_INIT;
	struct unattend_info info;
	if (volume_stat(v, u->path, &st, NULL) < 0 || !st.exists)
		return;
	u->exists = true;
	bool read = !st.is_dir && volume_read(v, u->path, UNATTEND_MAX, &b, NULL) == 0 &&
		    unattend_inspect(b.p ? b.p : (uint8_t *)"", b.len, &info, NULL) == 0;
	u->unreadable = !read;
	u->has_specialize = read && info.has_specialize;
	u->processed = read && info.processed;
	buf_wipe(&b);
}

static struct windows_unattend *add_answer(struct windows_facts *f)
{
	return &f->unattend[f->unattend_count++];
}

/* The implicit search, as far as it lies on this volume. Facts on odj (d). */
static void find_answers(struct windows_facts *f, struct volume *v)
{
	static const char *const places[] = {ROOT "/Panther/Unattend/unattend.xml",
		ROOT "/Panther/Unattend/autounattend.xml", ROOT "/Panther/unattend.xml",
		ROOT "/System32/Sysprep/unattend.xml", "/unattend.xml"};
	if (f->unattend_setting[0]) {
		struct windows_unattend *u = add_answer(f);
		u->on_volume = map_path(f->unattend_setting, u->path, sizeof u->path);
		if (u->on_volume)
			look_at_answer(v, u);
		else
			reg_copy(u->path, sizeof u->path, f->unattend_setting);
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct windows_unattend *u = add_answer(f);
		reg_copy(u->path, sizeof u->path, places[i]);
		u->on_volume = true;
		look_at_answer(v, u);
	}
}

static void read_volume(struct windows_facts *f, struct volume *v)
{
	const struct volume_state *st = volume_get_state(v);
	f->is_folder = volume_kind(v) == VOLUME_FOLDER;
	if (st->trouble & VOLUME_TROUBLE_HIBERNATED)
		f->hibernation = WINDOWS_HIBERNATION_UNKNOWN;
	f->bitlocker = st->bitlocker;
	f->volume_dirty = (st->trouble & (VOLUME_TROUBLE_DIRTY | VOLUME_TROUBLE_LOG)) != 0;
	if (volume_free_space(v, &f->free_bytes, NULL) < 0)
		f->free_bytes = 0;
}

/* When no hive says it: the folder of the second instruction set is there or not. */
static void guess_arch(struct windows_facts *f, struct volume *v)
{
	struct volume_stat st;
	if (f->arch != WINDOWS_ARCH_UNKNOWN)
		return;
	if (volume_stat(v, ROOT "/SysArm32", &st, NULL) == 0 && st.exists)
		f->arch = WINDOWS_ARM64;
	else if (volume_stat(v, ROOT "/SysWOW64", &st, NULL) == 0 && st.exists)
		f->arch = WINDOWS_AMD64;
}

/* When the image in hiberfil.sys was written: SystemTime of its header, whose place follows from
 * the width of the fields before it. 0: none, or not a time. */
static int64_t hibernation_time(const struct windows_facts *f, const struct volume_state *st)
{
	uint64_t ft = le64(st->hibernation_head + (f->arch == WINDOWS_X86 ? 0x18 : 0x20));
	int64_t t = clock_from_filetime(ft);
	return ft && t > 0 && t < HIBERNATION_LAST ? t : 0;
}

/* Fast Startup is a shutdown: the time of the last shutdown and that of the image are the same,
 * give or take what writing memory takes. A hibernation leaves the older time of shutdown as it
 * was. */
static void tell_hibernation(struct windows_facts *f, const struct volume_state *st)
{
	int64_t at = hibernation_time(f, st);
	if (f->hibernation == WINDOWS_NOT_HIBERNATED || !f->system.readable)
		return;
	if (!f->fast_startup)
		f->hibernation = WINDOWS_HIBERNATED;
	else if (at && f->last_shutdown)
		f->hibernation = llabs(at - f->last_shutdown) <= FAST_STARTUP_SECONDS
					 ? WINDOWS_FAST_STARTUP
					 : WINDOWS_HIBERNATED;
}

static void find_netsetup_log(struct windows_facts *f, struct volume *v)
{
	struct volume_stat st;
	if (volume_stat(v, ROOT "/debug/NetSetup.log", &st, NULL) == 0 && st.exists && !st.is_dir)
		f->netsetup_log = clock_from_filetime(st.mtime);
}

static void find_firstboot_log(struct windows_facts *f, struct volume *v)
{
	static const char path[] = ROOT "/" FIRSTBOOT_LOG;
	CLEANUP(buf_clear) struct buf text = BUF_INIT;
	struct volume_stat st;
	if (volume_stat(v, path, &st, NULL) < 0 || !st.exists || st.is_dir)
		return;
	f->firstboot_log = clock_from_filetime(st.mtime);
	if (volume_read(v, path, FIRSTBOOT_LOG_MAX, &text, NULL) == 0)
		firstboot_code((struct span){text.p, text.len}, f->firstboot_code);
}

/* A sealed image whose first start was cut off: setup.exe has begun (1) and not reported its end
 * (3, which also stays behind from the installation of the reference PC). */
static bool setup_started(const struct hive *system)
{
	uint32_t state;
	return system &&
	       reg_dword(system, hive_root(system), "Setup\\Status\\ChildCompletion", "setup.exe",
		       &state) &&
	       state == 1;
}

int windows_facts_read(struct volume *v, struct windows_facts *f, struct err *e)
{
	struct volume_stat st;
	*f = (struct windows_facts)WINDOWS_FACTS_INIT;
	int ret = volume_stat(v, ROOT "/System32/config", &st, e);
	if (ret < 0)
		return ret;
	if (!st.exists || !st.is_dir)
		return err_set(e, ERR_NOTFOUND,
			"Nothing was changed. Choose the volume that holds the Windows folder.",
			"there is no Windows on this volume");
	reg_copy(f->root, sizeof f->root, ROOT);
	read_volume(f, v);

	struct opened o[5] = {0};
	open_hive(v, ROOT, "SYSTEM", &o[0], &f->system);
	open_hive(v, ROOT, "SOFTWARE", &o[1], &f->software);
	open_hive(v, ROOT, "SECURITY", &o[2], &f->security);
	open_hive(v, ROOT, "SAM", &o[3], &f->sam);
	open_hive(v, ROOT, "DEFAULT", &o[4], &f->default_user);
	const struct hive *system = o[0].h;
	collect_system(f, system);
	collect_software(f, o[1].h);
	collect_join(f, system, o[2].h);
	decide_odj(f, system);
	collect_accounts(f, o[3].h);
	collect_keyboard(f, system, o[4].h);
	decide_phase(f, setup_started(system));
	decide_entitlement(f, system);
	guess_arch(f, v);
	tell_hibernation(f, volume_get_state(v));
	find_netsetup_log(f, v);
	find_firstboot_log(f, v);
	find_answers(f, v);
	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		close_hive(&o[i]);
	return 0;
}
