/* Which device may become a stick, judged on made-up /sys trees; and media that do not keep what
 * was written. Whole sticks are made and read by others in tests/e2e/make.bats. */
#include "media/make.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "media/booted.h"
#include "media/device.h"
#include "test.h"

#define MIB (1u << 20)

/* --- a made-up /sys ------------------------------------------------------------------------- */

static char root[] = "media_test.XXXXXX";

static void sh(const char *command)
{
	assert_int_equal(system(command), 0);
}

/* sdb: a stick with a partition. sda: a disk of the PC. sdc: a USB stick that claims to be fixed.
 * mmcblk0: soldered in; mmcblk1: a card. */
static const char tree[] =
	"mkdir -p sys/class/block\n"
	"dev() { mkdir -p sys/devices/$1/queue sys/devices/$1/holders sys/devices/$1/device;"
	" echo $2 >sys/devices/$1/dev; echo $3 >sys/devices/$1/removable; echo 0 "
	">sys/devices/$1/ro;"
	" echo 512 >sys/devices/$1/queue/logical_block_size; echo 2000000 >sys/devices/$1/size;"
	" echo 'Model   ' >sys/devices/$1/device/model;"
	" ln -s ../../devices/$1 sys/class/block/${1##*/}; }\n"
	"part() { mkdir -p sys/devices/$1/holders; echo $2 >sys/devices/$1/dev; echo 1 "
	">sys/devices/$1/partition; echo 1000 >sys/devices/$1/size;"
	" ln -s ../../devices/$1 sys/class/block/${1##*/}; }\n"
	"dev pci/ata1/sda 8:0 0; part pci/ata1/sda/sda1 8:1\n"
	"dev pci/usb1/sdb 8:16 1; part pci/usb1/sdb/sdb1 8:17\n"
	"dev pci/usb2/sdc 8:32 0\n"
	"dev pci/mmc_host/mmc0/mmcblk0 179:0 0; echo MMC >sys/devices/pci/mmc_host/mmc0/mmcblk0/"
	"device/type\n"
	"dev pci/mmc_host/mmc1/mmcblk1 179:8 0; echo SD >sys/devices/pci/mmc_host/mmc1/mmcblk1/"
	"device/type\n"
	"dev virtual/loop0 7:0 0\n"
	"echo '21 1 8:1 / / rw - ext4 /dev/sda1 rw' >mounts\n"
	"echo 'Filename Type Size Used Priority' >swaps\n";

static int make_tree(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(chdir(root), 0);
	sh(tree);
	return 0;
}

static int drop_tree(void **state)
{
	(void)state;
	assert_int_equal(chdir(".."), 0);
	char command[64];
	snprintf(command, sizeof command, "rm -rf %s", root);
	sh(command);
	return 0;
}

static int check(const char *name, uint64_t needed, struct err *e)
{
	struct device d;
	err_clear(e);
	return device_check_in("sys", "mounts", "swaps", name, needed, &d, e);
}

static void refused(const char *name, const char *why)
{
	struct err e = ERR_INIT;
	assert_int_equal(check(name, MIB, &e), -ERR_REFUSED);
	if (!strstr(e.what, why))
		fail_msg("%s: \"%s\" lacks \"%s\"", name, e.what, why);
}

static void test_sticks_are_taken(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct device d;
	assert_int_equal(check("sdb", MIB, &e), 0);
	assert_int_equal(check("sdc", MIB, &e), 0);
	assert_int_equal(check("mmcblk1", MIB, &e), 0);
	assert_int_equal(
		device_check_in("sys", "mounts", "swaps", "sdb", 2000000 * 512ull, &d, &e), 0);
	assert_string_equal(d.model, "Model");
	assert_int_equal(d.size, 2000000 * 512ull);
	assert_int_equal(check("sdb", 2000000 * 512ull + 1, &e), -ERR_NOSPACE);
	assert_non_null(strstr(e.what, "too small"));
}

static void test_disks_of_the_pc_are_refused(void **state)
{
	(void)state;
	refused("sda", "cannot be pulled out");
	refused("mmcblk0", "cannot be pulled out");
	refused("loop0", "cannot be pulled out");
	refused("sda1", "not a whole disk");
	refused("sdb1", "not a whole disk");
	refused("sdz", "not a whole disk");
}

static void test_in_use_is_refused(void **state)
{
	(void)state;
	sh("cp mounts m; echo '30 21 8:17 / /media/x rw - vfat /dev/sdb1 rw' >>mounts");
	refused("sdb", "sdb1 is mounted");
	sh("cp m mounts; echo '30 21 8:16 / /media/x rw - vfat /dev/sdb rw' >>mounts");
	refused("sdb", "sdb is mounted");
	/* A number that only begins alike. */
	sh("cp m mounts; echo '30 21 8:160 / /media/x rw - vfat /dev/sdk rw' >>mounts");
	struct err e = ERR_INIT;
	assert_int_equal(check("sdb", MIB, &e), 0);
	sh("cp m mounts; echo '/dev/sdb1 partition 1 0 -2' >>swaps");
	refused("sdb", "sdb1 is this PC's swap");
	sh("sed -i 1q swaps; ln -s x sys/class/block/sdb1/holders/dm-0");
	refused("sdb", "sdb1 is a part of another device");
	sh("rm sys/class/block/sdb1/holders/dm-0");
	assert_int_equal(check("sdb", MIB, &e), 0);
}

static void test_what_cannot_be_written_or_known_is_refused(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	sh("echo 1 >sys/class/block/sdb/ro");
	refused("sdb", "cannot be written");
	sh("echo 0 >sys/class/block/sdb/ro; echo 4096 "
	   ">sys/class/block/sdb/queue/logical_block_size");
	refused("sdb", "sectors of 4096 bytes");
	sh("echo 512 >sys/class/block/sdb/queue/logical_block_size; mv mounts m");
	assert_true(check("sdb", MIB, &e) < 0);
	sh("mv m mounts");
	assert_int_equal(check("sdb", MIB, &e), 0);
}

static void test_only_devices(void **state)
{
	(void)state;
	struct device d;
	struct err e = ERR_INIT;
	assert_int_equal(device_check("mounts", MIB, &d, &e), -ERR_FORMAT);
	err_clear(&e);
	assert_int_equal(device_check("absent", MIB, &d, &e), -ERR_NOTFOUND);
	err_clear(&e);
	assert_true(device_check("/dev/null", MIB, &d, &e) < 0);
}

/* --- media that lie --------------------------------------------------------------------------- */

enum lie { HONEST, WRAPS, FORGETS, FLIPS };

struct liar {
	struct blockdev dev;
	uint8_t *mem;
	uint64_t real; /* bytes that are really there */
	enum lie lie;
};

static int liar_read(struct blockdev *d, uint64_t off, void *p, size_t n, struct err *e)
{
	const struct liar *l = d->ctx;
	(void)e;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] =
			off + i < l->real || l->lie == WRAPS ? l->mem[(off + i) % l->real] : 0;
	return 0;
}

static int liar_write(struct blockdev *d, uint64_t off, const void *p, size_t n, struct err *e)
{
	struct liar *l = d->ctx;
	(void)e;
	for (size_t i = 0; i < n; i++)
		if (off + i < l->real || l->lie == WRAPS)
			l->mem[(off + i) % l->real] = ((const uint8_t *)p)[i];
	if (l->lie == FLIPS && off <= 3 * MIB + 5 && 3 * MIB + 5 < off + n)
		l->mem[3 * MIB + 5] ^= 4;
	return 0;
}

static int liar_sync(struct blockdev *d, struct err *e)
{
	(void)d;
	(void)e;
	return 0;
}

static const struct blockdev_ops liar_ops = {
	.read = liar_read, .write = liar_write, .sync = liar_sync};

#define IMAGE (4u * MIB) /* up to the data partition */
#define DATA (40u * MIB)
#define TAIL (MIB / 2) /* behind it */

/* An MBR as image/mkimage writes it, with a boot partition of 3 MiB. */
static void put_mbr(uint8_t *mbr)
{
	memset(mbr, 0, LAYOUT_MBR);
	put_le32(mbr + 440, 0x12345678);
	mbr[450] = 0x0c;
	put_le32(mbr + 454, IMAGE / 512);
	put_le32(mbr + 458, LAYOUT_DATA_MIN / 512);
	mbr[462] = 0x80;
	mbr[466] = 0xef;
	put_le32(mbr + 470, MIB / 512);
	put_le32(mbr + 474, 3 * MIB / 512);
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
}

static int make_on(enum lie lie, uint64_t real, uint8_t **mem, struct err *e)
{
	uint8_t *image = calloc(1, IMAGE + LAYOUT_DATA_MIN);
	struct liar medium = {.mem = calloc(1, real), .real = real, .lie = lie};
	struct liar source = {.mem = image, .real = IMAGE + LAYOUT_DATA_MIN};
	const struct manifest m = {.end = IMAGE, .identity = 0x12345678};
	assert_non_null(image);
	assert_non_null(medium.mem);
	put_mbr(image);
	if (real > IMAGE + DATA)
		memset(medium.mem + IMAGE + DATA, 0xee, real - IMAGE - DATA);
	for (size_t i = MIB; i < IMAGE; i++)
		image[i] = (uint8_t)(i * 7 + i / 1000);
	medium.dev = (struct blockdev){.ops = &liar_ops,
		.ctx = &medium,
		.size = IMAGE + DATA + TAIL,
		.sector = 512,
		.writable = true,
		.name = "medium"};
	source.dev = medium.dev;
	source.dev.ctx = &source;
	source.dev.size = source.real;
	int data = memfd_create("data", MFD_CLOEXEC);
	assert_int_equal(ftruncate(data, DATA), 0);
	assert_int_equal(pwrite(data, "head", 4, 0), 4);
	assert_int_equal(pwrite(data, "middle", 6, 9 * MIB), 6);
	err_clear(e);
	int ret = make_stick(&medium.dev, &source.dev, &m, data, DATA, NULL, NULL, NULL, e);
	close(data);
	free(image);
	*mem = medium.mem;
	return ret;
}

static void test_a_good_medium(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	uint8_t *mem;
	assert_int_equal(make_on(HONEST, IMAGE + DATA + TAIL, &mem, &e), 0);
	assert_memory_equal(mem + IMAGE, "head", 4);
	assert_memory_equal(mem + IMAGE + 9 * MIB, "middle", 6);
	assert_int_equal(le32(mem + 458), DATA / 512);
	assert_int_equal(mem[511], 0xaa);
	/* The marks are gone, and what an earlier life left behind the data partition. */
	for (size_t i = IMAGE + 10 * MIB; i < IMAGE + DATA + TAIL; i++)
		assert_int_equal(mem[i], 0);
	free(mem);
}

/* No MBR: such a stick starts no PC. */
static void noticed(enum lie lie, uint64_t real)
{
	struct err e = ERR_INIT;
	uint8_t *mem;
	assert_int_equal(make_on(lie, real, &mem, &e), -ERR_INTEGRITY);
	assert_int_equal(mem[510], 0);
	assert_int_equal(mem[511], 0);
	free(mem);
}

static void test_media_that_lie_are_noticed(void **state)
{
	(void)state;
	noticed(FLIPS, IMAGE + DATA + TAIL);
	noticed(FORGETS, 20 * MIB);
	noticed(WRAPS, 16 * MIB);
	noticed(FORGETS, IMAGE + DATA - 1);
}

/* --- which image -------------------------------------------------------------------------------
 */

/* Firmware would count in these sectors, and find other bytes than we judge. */
static void test_a_medium_of_other_sectors_is_refused(void **state)
{
	(void)state;
	uint8_t mem[LAYOUT_MBR] = {0};
	struct liar l = {.mem = mem, .real = sizeof mem, .lie = HONEST};
	l.dev = (struct blockdev){
		.ops = &liar_ops, .ctx = &l, .size = sizeof mem, .sector = 4096, .name = "stick"};
	struct layout layout;
	struct err e = ERR_INIT;
	assert_int_equal(layout_read(&layout, &l.dev, &e), -ERR_INTEGRITY);
	assert_non_null(strstr(e.what, "4096"));
	err_clear(&e);
}

static void test_the_booted_image(void **state)
{
	(void)state;
	static const char text[] = "odjstick image manifest 1\nidentity 12345678\n";
	static const struct {
		uint64_t at, length;
	} ranges[] = {{0, 458}, {462, 3634}, {40960, IMAGE - 40960}};
	CLEANUP(buf_clear) struct buf b = BUF_INIT;
	uint8_t mbr[LAYOUT_MBR], hash[MANIFEST_HASH], none[MANIFEST_HASH] = {0};
	put_mbr(mbr);
	assert_int_equal(buf_add(&b, text, sizeof text - 1, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		assert_int_equal(buf_printf(&b, NULL, "%064d %llu %llu [x]\n", 0,
					 (unsigned long long)ranges[i].at,
					 (unsigned long long)ranges[i].length),
			0);
	FILE *f = fopen("disk", "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(mbr, sizeof mbr, 1, f), 1);
	assert_int_equal(fseek(f, MANIFEST_AT, SEEK_SET), 0);
	assert_int_equal(fwrite(b.p, b.len, 1, f), 1);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(truncate("disk", IMAGE + DATA), 0);

	assert_true(booted_image_of("quiet odjstick.id=12345678 x\n", "disk", hash));
	struct manifest m;
	assert_int_equal(manifest_parse(&m, b.p, b.len, "m", NULL), 0);
	assert_memory_equal(hash, m.hash, sizeof hash);
	manifest_clear(&m);
	assert_true(booted_image_of("odjstick.id=87654321 odjstick.id=12345678", "disk", hash));
	static const char *const others[] = {"", "quiet", "odjstick.id=12345679",
		"odjstick.id=123456780", "xodjstick.id=12345678",
		"odjstick.id=12345678 odjstick.id=87654321"};
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(booted_image_of(others[i], "disk", hash));
	assert_memory_equal(hash, none, sizeof hash);
	assert_false(booted_image_of("odjstick.id=12345678", "absent", hash));
	assert_int_equal(truncate("disk", 8192), 0);
	assert_false(booted_image_of("odjstick.id=12345678", "disk", hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sticks_are_taken),
		cmocka_unit_test(test_disks_of_the_pc_are_refused),
		cmocka_unit_test(test_in_use_is_refused),
		cmocka_unit_test(test_what_cannot_be_written_or_known_is_refused),
		cmocka_unit_test(test_only_devices),
		cmocka_unit_test(test_a_good_medium),
		cmocka_unit_test(test_media_that_lie_are_noticed),
		cmocka_unit_test(test_a_medium_of_other_sectors_is_refused),
		cmocka_unit_test(test_the_booted_image),
	};
	return cmocka_run_group_tests(tests, make_tree, drop_tree);
}
