/* The parts of init that read what others wrote: words, OEM strings, module tables, messages of the
 * kernel, sectors, fonts, and the report of the support entry. */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "rootfs/init/devices.h"
#include "rootfs/init/drivers.h"
#include "rootfs/init/identity.h"
#include "rootfs/init/modtab.h"
#include "rootfs/init/psf.h"
#include "rootfs/init/smbios.h"
#include "rootfs/init/support.h"
#include "rootfs/init/words.h"

/* --- words --------------------------------------------------------------------------------------
 */

static void test_words(void **state)
{
	(void)state;
	struct words w;
	words_init(&w);
	assert_string_equal(w.term, "vt220");
	assert_int_equal(w.cols, 80);
	words_add(&w, "quiet  odjstick.id=DEADBEEF console=ttyS1,115200 odjstick.size=132x43\n");
	words_add(&w, "odjstick.keymap=de-latin1 odjstick.term=xterm-256color");
	assert_string_equal(w.id, "deadbeef");
	assert_string_equal(w.port, "ttyS1");
	assert_int_equal(w.speed, 115200);
	assert_int_equal(w.cols, 132);
	assert_int_equal(w.rows, 43);
	assert_string_equal(w.keymap, "de-latin1");
	assert_string_equal(w.term, "xterm-256color");
	assert_false(w.support);
	words_add(&w, "odjstick.support");
	assert_true(w.support);
}

static void test_last_word_wins(void **state)
{
	(void)state;
	struct words w;
	words_init(&w);
	words_add(&w, "console=ttyS0,9600 console=tty0");
	assert_string_equal(w.port, "");
	words_add(&w, "console=tty0 console=ttyS0");
	assert_string_equal(w.port, "ttyS0");
	assert_int_equal(w.speed, 0);
}

static void test_bad_words(void **state)
{
	(void)state;
	static const char *const bad[] = {"odjstick.id=deadbee", "odjstick.id=deadbeef0",
		"odjstick.id=deadbeeg", "console=ttyS", "console=ttyS0x", "console=ttyS123",
		"console=ttyUSB0", "console=ttyS/../sda", "odjstick.size=80", "odjstick.size=0x0",
		"odjstick.size=80x24x1", "odjstick.size=501x24", "odjstick.size=-1x24",
		"odjstick.term=../x", "odjstick.term=", "odjstick.keymap=../../dev/sda",
		"odjstick.keymap=..", "odjstick.keymap=a b/c",
		"odjstick.keymap=abcdefghijklmnopqrstuvwxyzabcdef", "odjstick.supportive",
		"xodjstick.support"};
	struct words fresh;
	words_init(&fresh);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct words w;
		words_init(&w);
		words_add(&w, bad[i]);
		bool same = !w.id[0] && !w.port[0] && !w.support && w.cols == 80 && w.rows == 24 &&
			    strcmp(w.term, "vt220") == 0 &&
			    (!w.keymap[0] || strcmp(w.keymap, "a") == 0);
		if (!same)
			fail_msg("taken: %s", bad[i]);
	}
}

/* --- the order of drivers -----------------------------------------------------------------------
 */

#define NVME "pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02"
#define XHCI "pci:v00001B36d0000000Dsv00001AF4sd00001100bc0Csc03i30"
#define EHCI "pci:v00008086d0000293Asv00001AF4sd00001100bc0Csc03i20"
#define UHCI "pci:v00008086d00002934sv00001AF4sd00001100bc0Csc03i00"
#define STICK "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00"
#define I2C "acpi:PNP0C50:MSFT0001:"

static void test_driver_order(void **state)
{
	(void)state;
	static const char *const heard[] = {
		NVME, UHCI, I2C, EHCI, STICK, XHCI, "virtio:d00000002v00001AF4"};
	static const char *const left[] = {UHCI, I2C, STICK, NVME, "virtio:d00000002v00001AF4"};
	struct drivers d = {.modules.dir = -1};
	for (size_t i = 0; i < ARRAY_SIZE(heard); i++)
		drivers_note(&d, heard[i]);
	assert_true(drivers_step(&d, DRIVERS_EHCI));
	assert_true(drivers_step(&d, DRIVERS_EHCI));
	assert_false(drivers_step(&d, DRIVERS_EHCI));
	assert_int_equal(d.count, ARRAY_SIZE(left));
	for (size_t i = 0; i < d.count; i++) {
		bool found = false;
		for (size_t k = 0; k < ARRAY_SIZE(left); k++)
			found |= strcmp(d.noted[i].modalias, left[k]) == 0;
		assert_true(found);
	}
	static const char *const order[] = {UHCI, STICK, I2C};
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_true(drivers_step(&d, DRIVERS_BOARD));
		for (size_t k = 0; k < d.count; k++)
			assert_string_not_equal(d.noted[k].modalias, order[i]);
	}
	assert_false(drivers_step(&d, DRIVERS_BOARD));
	/* The disks, as they were heard of. */
	assert_string_equal(d.noted[0].modalias, NVME);
	assert_true(drivers_step(&d, DRIVERS_OTHER));
	assert_int_equal(d.count, 1);
	drivers_close(&d);
	assert_false(drivers_step(&d, DRIVERS_OTHER));
}

/* --- OEM strings --------------------------------------------------------------------------------
 */

static void join(void *ctx, const char *text)
{
	strncat(ctx, text, 200);
	strncat(ctx, "|", 2);
}

/* Type 1 with one string, type 11 with three, the end. */
static const uint8_t table[] = "\x01\x06\x01\x00\x01\x00"
			       "odjstick:not here\0\0"
			       "\x0b\x05\x02\x00\x03"
			       "plain\0odjstick:console=ttyS0\0odjstick:odjstick.support\0\0"
			       "\x10\x04\x03\x00\0\0"
			       "\x0b\x05\x04\x00\x01"
			       "odjstick:last\0\0"
			       "\x7f\x04\x05\x00\0\0"
			       "\x0b\x05\x06\x00\x01"
			       "odjstick:behind the end\0\0";

static void test_oem_strings(void **state)
{
	(void)state;
	char found[256] = "";
	smbios_oem_strings(table, sizeof table, join, found);
	assert_string_equal(found, "console=ttyS0|odjstick.support|last|");
}

static void test_oem_strings_cut(void **state)
{
	(void)state;
	/* Every shorter table is read without leaving it (AddressSanitizer watches). */
	for (size_t n = 0; n < sizeof table; n++) {
		uint8_t *copy = malloc(n ? n : 1);
		char found[512] = "";
		memcpy(copy, table, n);
		smbios_oem_strings(copy, n, join, found);
		free(copy);
	}
	char found[16] = "";
	smbios_oem_strings("\x0b\x02\x00\x00odjstick:x\0\0", 16, join, found);
	assert_string_equal(found, ""); /* shorter than its own head */
}

/* --- module tables ------------------------------------------------------------------------------
 */

static const struct {
	const char *pattern, *text;
	bool match;
} patterns[] = {
	{"pci:v00008086d*sv*sd*bc01sc06i01*",
		"pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01", true},
	{"pci:v00008086d*sv*sd*bc01sc06i01*",
		"pci:v00001022d00002922sv00001AF4sd00001100bc01sc06i01", false},
	{"usb:v*p*d*dc*dsc*dp*ic08isc06ip50in*",
		"usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00", true},
	{"usb:v*p*d*dc*dsc*dp*ic08isc06ip62in*",
		"usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00", false},
	{"hid:b0003g*v000005ACp0000020[4-9]", "hid:b0003g0001v000005ACp00000206", true},
	{"hid:b0003g*v000005ACp0000020[4-9]", "hid:b0003g0001v000005ACp0000020A", false},
	{"x[!a-c]y", "xdy", true},
	{"x[!a-c]y", "xby", false},
	{"x[]a]y", "x]y", true},
	{"x[a", "xa", false},
	{"of:N*T*Chid_over_i2cC*", "of:NhidTfooChid-over-i2cC", true},
	{"", "", true},
	{"*", "", true},
	{"**", "abc", true},
	{"a*b*c", "aXbXbXc", true},
	{"a*b*c", "aXbXbX", false},
	{"?", "", false},
	{"abc", "abcd", false},
	{"abcd", "abc", false},
	{"acpi*:PNP0C50:*", "acpi:MSFT0001:PNP0C50:", true},
};

static void test_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (modtab_match(patterns[i].pattern, patterns[i].text) != patterns[i].match)
			fail_msg("%s and %s", patterns[i].pattern, patterns[i].text);
}

static struct buf text_buf(const char *text)
{
	struct buf b = BUF_INIT;
	assert_int_equal(buf_add(&b, text, strlen(text) + 1, NULL), 0);
	b.len--;
	return b;
}

static void count_module(void *ctx, size_t module)
{
	size_t *seen = ctx;
	seen[module]++;
}

static void test_tables(void **state)
{
	(void)state;
	struct buf alias = text_buf("# Aliases extracted from modules themselves.\n"
				    "alias usb:v*p*d*dc*dsc*dp*ic08isc06ip50in* usb_storage\n"
				    "alias pci:v*d*sv*sd*bc01sc06i01* ahci\n"
				    "alias pci:v*d*sv*sd*bc01sc06i01* not_here\n"
				    "alias\n"
				    "alias broken\n");
	struct buf dep = text_buf(
		"kernel/drivers/usb/storage/usb-storage.ko: kernel/scsi.ko kernel/base.ko\n"
		"kernel/ata/ahci.ko: kernel/gone.ko\n"
		"no colon\n"
		"kernel/base.ko:\n"
		"kernel/scsi.ko: kernel/base.ko");
	struct modtab t;
	struct err e = ERR_INIT;
	size_t seen[8] = {0};
	assert_done(modtab_init(&t, &alias, &dep, &e), e);
	assert_int_equal(t.n_modules, 4);
	assert_int_equal(t.n_aliases, 2);
	assert_int_equal(modtab_find(&t, "usb_storage"), 0);
	assert_int_equal(modtab_find(&t, "usb-storage"), 0);
	assert_true(modtab_find(&t, "usb") == MODTAB_NONE);
	assert_true(modtab_find(&t, "storage") == MODTAB_NONE);
	assert_int_equal(t.modules[0].n_deps, 2);
	assert_string_equal(t.modules[t.modules[0].deps[1]].path, "kernel/base.ko");
	assert_int_equal(t.modules[1].n_deps, 0);
	modtab_lookup(&t, "pci:v00008086d00002922sv0sd0bc01sc06i01", count_module, seen);
	assert_int_equal(seen[1], 1);
	assert_int_equal(seen[0] + seen[2] + seen[3], 0);
	modtab_clear(&t);
}

static void test_empty_tables(void **state)
{
	(void)state;
	struct buf alias = text_buf(""), dep = text_buf("");
	struct modtab t;
	struct err e = ERR_INIT;
	assert_done(modtab_init(&t, &alias, &dep, &e), e);
	assert_true(modtab_find(&t, "vfat") == MODTAB_NONE);
	modtab_clear(&t);
}

/* --- messages of the kernel ---------------------------------------------------------------------
 */

static void test_messages(void **state)
{
	(void)state;
	static const char usb[] =
		"add@/devices/x\0ACTION=add\0SUBSYSTEM=usb\0MODALIAS=usb:v1\0SEQNUM=1";
	static const char gone[] =
		"remove@/devices/x\0ACTION=remove\0SUBSYSTEM=usb\0MODALIAS=usb:v1";
	static const char disk[] = "add@/devices/y/block/sda\0ACTION=add\0SUBSYSTEM=block";
	char found[64] = "";
	assert_false(devices_message(usb, sizeof usb, join, found));
	assert_string_equal(found, "usb:v1|");
	found[0] = '\0';
	assert_false(devices_message(gone, sizeof gone, join, found));
	assert_true(devices_message(disk, sizeof disk, join, found));
	assert_string_equal(found, "");
	/* Not ended by a NUL, or not a kernel's message at all. */
	assert_false(devices_message(disk, sizeof disk - 1, join, found));
	assert_false(devices_message("libudev", 8, join, found));
	assert_false(devices_message("", 0, join, found));
}

/* --- a folder in the place of /sys and /dev -----------------------------------------------------
 */

static char root[64];

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "%s/init-test.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(root) ? 0 : -1;
}

static int drop_root(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

/* A file below the root, with its folders. */
static void put(const char *path, const void *p, size_t n)
{
	char full[256];
	snprintf(full, sizeof full, "%s/%s", root, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(full, 0700);
		*slash = '/';
	}
	FILE *f = fopen(full, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

static void put_sector(const char *path, size_t id_at, uint32_t id, const char *fat)
{
	uint8_t sector[512] = {0};
	put_le32(sector + id_at, id);
	memcpy(sector + 82, fat, strlen(fat));
	sector[510] = 0x55;
	sector[511] = 0xAA;
	put(path, sector, sizeof sector);
}

/* A disk whose MBR and whose partition 1 carry these ids. */
static void put_disk(const char *disk, const char *part, uint32_t mbr, uint32_t fat)
{
	char path[128];
	snprintf(path, sizeof path, "dev/%s", disk);
	put_sector(path, 440, mbr, "");
	snprintf(path, sizeof path, "dev/%s", part);
	put_sector(path, 67, fat, "FAT32   ");
	snprintf(path, sizeof path, "sys/%s/%s/partition", disk, part);
	put_text(path, "1\n");
}

static unsigned find(const char *image, const char *number, char *path)
{
	struct identity id;
	snprintf(id.image, sizeof id.image, "%s", image);
	identity_number(&id, number);
	char sys[128], dev[128];
	snprintf(sys, sizeof sys, "%s/sys", root);
	snprintf(dev, sizeof dev, "%s/dev", root);
	return identity_find(sys, dev, &id, path);
}

static void test_identity(void **state)
{
	(void)state;
	char path[IDENTITY_PATH_MAX];
	put_disk("sda", "sda1", 0x11223344, 0x11223344);      /* somebody else's */
	put_disk("sdb", "sdb1", 0xCAFE0001, 0xCAFE0001);      /* ours */
	put_disk("sdc", "sdc1", 0xCAFE0001, 0x00000002);      /* our MBR, another file system */
	put_disk("sdd", "sdd1", 0x00000003, 0xCAFE0001);      /* our file system copied elsewhere */
	put_disk("loop0", "loop0p1", 0xCAFE0001, 0xCAFE0001); /* a file */
	put_text("sys/sdb/sdb2/partition", "2\n");
	assert_int_equal(find("cafe0001", "00000000", path), 1);
	assert_non_null(strstr(path, "/dev/sdb1"));
	assert_int_equal(find("cafe0002", "00000000", path), 0);
	assert_int_equal(find("", "00000000", path), 0);
	assert_int_equal(find("", "", path), 0);
	put_disk("mmcblk0", "mmcblk0p1", 0xCAFE0001, 0xCAFE0001);
	assert_int_equal(find("cafe0001", "00000000", path), 2);
}

/* Two sticks made from one image, each with its number: only the one that was started is used. */
static void test_numbers(void **state)
{
	(void)state;
	static const char *const no_number[] = {"", "0000000", "0000000A", "0000000g", "000000000"};
	char path[IDENTITY_PATH_MAX];
	put_disk("sda", "sda1", 0xCAFE0001, 0x0000BEEF);
	put_disk("sdb", "sdb1", 0xCAFE0001, 0x1234ABCD);
	put_disk("sdc", "sdc1", 0x00000003, 0x0000BEEF); /* of another image */
	assert_int_equal(find("cafe0001", "0000beef", path), 1);
	assert_non_null(strstr(path, "/dev/sda1"));
	assert_int_equal(find("cafe0001", "1234abcd", path), 1);
	assert_non_null(strstr(path, "/dev/sdb1"));
	assert_int_equal(find("cafe0001", "0000bee0", path), 0);
	assert_int_equal(find("cafe0001", "00000000", path), 0);
	/* Nothing that can be a number was handed over: either could be meant. */
	for (size_t i = 0; i < ARRAY_SIZE(no_number); i++)
		assert_int_equal(find("cafe0001", no_number[i], path), 2);
}

static void test_sectors(void **state)
{
	(void)state;
	uint8_t sector[512] = {0};
	char id[9];
	put_le32(sector + 440, 0x0000ABCD);
	identity_of_mbr(sector, id);
	assert_string_equal(id, ""); /* no 55 AA */
	sector[510] = 0x55;
	sector[511] = 0xAA;
	identity_of_mbr(sector, id);
	assert_string_equal(id, "0000abcd");
	identity_of_fat32(sector, id);
	assert_string_equal(id, ""); /* no FAT32 */
}

/* --- fonts --------------------------------------------------------------------------------------
 */

/* 256 glyphs of 8 x 2; glyph g has the rows g and 0x81; glyph 1 is "A", also a sequence, and "B".
 */
static size_t psf1(uint8_t *p)
{
	static const uint8_t chars[] = {
		0x41, 0, 0x42, 0, 0xFE, 0xFF, 0x43, 0, 0x01, 0x03, 0xFF, 0xFF};
	size_t n = 4;
	memcpy(p, "\x36\x04\x02\x02", 4);
	for (unsigned g = 0; g < 256; g++) {
		p[n++] = (uint8_t)g;
		p[n++] = 0x81;
	}
	for (unsigned g = 0; g < 256; g++) {
		size_t len = g == 1 ? sizeof chars : 2;
		memcpy(p + n, g == 1 ? chars : chars + 10, len);
		n += len;
	}
	return n;
}

static void test_psf1(void **state)
{
	(void)state;
	uint8_t file[2048];
	size_t n = psf1(file);
	struct psf f;
	struct err e = ERR_INIT;
	CLEANUP(buf_clear) struct buf out = BUF_INIT;
	assert_done(psf_init(&f, file, n, &e), e);
	assert_int_equal(f.count, 256);
	assert_int_equal(f.n_chars, 2);
	assert_int_equal(f.chars[1].code, 'B');
	assert_int_equal(f.chars[1].glyph, 1);
	assert_done(psf_render(&f, 1, 32, &out, &e), e);
	assert_int_equal(out.len, 256 * 32);
	assert_int_equal(out.p[5 * 32], 5);
	assert_int_equal(out.p[5 * 32 + 1], 0x81);
	assert_int_equal(out.p[5 * 32 + 2], 0);
	buf_clear(&out);
	/* Twice as large: 16 pixels wide, each row twice. */
	assert_done(psf_render(&f, 2, 4, &out, &e), e);
	assert_int_equal(out.len, 256 * 4 * 2);
	static const uint8_t twice[] = {0x00, 0x33, 0x00, 0x33, 0xC0, 0x03, 0xC0, 0x03};
	assert_memory_equal(out.p + 5 * 8, twice, 8);
	assert_int_equal(psf_render(&f, 2, 3, &out, &e), -ERR_FORMAT);
	psf_clear(&f);
}

static void test_psf_cut(void **state)
{
	(void)state;
	uint8_t file[2048];
	size_t n = psf1(file);
	for (size_t len = 0; len < n; len++) {
		uint8_t *copy = malloc(len ? len : 1);
		struct psf f;
		memcpy(copy, file, len);
		assert_int_equal(psf_init(&f, copy, len, NULL), -ERR_FORMAT);
		psf_clear(&f);
		free(copy);
	}
}

static const struct {
	unsigned width, height;
	const char *name;
	unsigned scale;
} screens[] = {
	{0, 0, "16", 1}, /* VGA text mode */
	{640, 480, "16", 1},
	{800, 600, "16", 1},
	{1024, 768, "16", 1},
	{1366, 768, "24x12", 1},
	{1920, 1080, "32x16", 1},
	{2560, 1440, "24x12", 2},
	{3840, 2160, "32x16", 2},
	{7680, 4320, "32x16", 2},
};

static void test_screens(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(screens); i++) {
		const struct psf_size *s = psf_for_screen(screens[i].width, screens[i].height);
		if (strcmp(s->name, screens[i].name) != 0 || s->scale != screens[i].scale)
			fail_msg("%u x %u: %s, %u times", screens[i].width, screens[i].height,
				s->name, s->scale);
	}
}

/* --- the support entry's report -----------------------------------------------------------------
 */

static void link_to(const char *target, const char *path)
{
	char full[256];
	snprintf(full, sizeof full, "%s/%s", root, path);
	assert_int_equal(symlink(target, full), 0);
}

static void test_report(void **state)
{
	(void)state;
	CLEANUP(buf_clear) struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	put_text("sys/class/dmi/id/product_name", "Model\033[2J 9\n");
	put_text("sys/class/dmi/id/product_serial", "SECRET-SERIAL\n");
	put_text("sys/bus/pci/devices/0000:00:17.0/class", "0x010400\n");
	put_text("sys/bus/pci/devices/0000:00:17.0/vendor", "0x8086\n");
	put_text("sys/bus/pci/devices/0000:00:17.0/device", "0x2822\n");
	put_text("sys/bus/pci/devices/0000:00:17.0/remapped_nvme", "2\n");
	link_to("../../../bus/pci/drivers/ahci", "sys/bus/pci/devices/0000:00:17.0/driver");
	put_text("sys/bus/hid/devices/x/modalias", "hid:b0018g0001v1p2\n");
	put_text("proc/modules", "ahci 49152 0 - Live 0x0\nlibahci 1 1 ahci, Live 0x0\n");
	put_text("proc/cpuinfo", "model name\t: Some CPU\nflags: x\nmodel name\t: Some CPU\n");
	assert_done(support_report(root, &out, &e), e);
	assert_int_equal(buf_add(&out, "", 1, &e), 0);
	const char *text = (const char *)out.p;
	assert_non_null(strstr(text, "product_name: Model?[2J 9\n"));
	assert_non_null(strstr(
		text, "0000:00:17.0 class 0x010400 id 0x8086:0x2822 ahci, hides 2 NVMe disks"));
	assert_non_null(strstr(text, "x hid:b0018g0001v1p2\n"));
	assert_non_null(strstr(text, "\nahci\nlibahci\n"));
	assert_non_null(strstr(text, "model name : Some CPU\n"));
	assert_null(strstr(text, "SECRET-SERIAL"));
}

static void test_report_log(void **state)
{
	(void)state;
	static const char log[] =
		"<6>[1] usb 1-1: Product: Stick\n<6>[1] usb 1-1: SerialNumber: 4711\n<6>[2] end";
	CLEANUP(buf_clear) struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	assert_done(support_log(log, sizeof log - 1, &out, &e), e);
	assert_int_equal(buf_add(&out, "", 1, &e), 0);
	assert_string_equal((char *)out.p, "<6>[1] usb 1-1: Product: Stick\n<6>[2] end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_last_word_wins),
		cmocka_unit_test(test_bad_words),
		cmocka_unit_test(test_driver_order),
		cmocka_unit_test(test_oem_strings),
		cmocka_unit_test(test_oem_strings_cut),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_empty_tables),
		cmocka_unit_test(test_messages),
		cmocka_unit_test_setup_teardown(test_identity, make_root, drop_root),
		cmocka_unit_test_setup_teardown(test_numbers, make_root, drop_root),
		cmocka_unit_test(test_sectors),
		cmocka_unit_test(test_psf1),
		cmocka_unit_test(test_psf_cut),
		cmocka_unit_test(test_screens),
		cmocka_unit_test_setup_teardown(test_report, make_root, drop_root),
		cmocka_unit_test(test_report_log),
	};
	return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
