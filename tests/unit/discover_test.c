/* volume/discover: partition tables that sfdisk, sgdisk and fdisk write, file systems that mkntfs
 * and mkfs.vfat make, and a PC whose /sys and /dev are folders of the test. */
#include "test.h"

#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "volume/discover.h"
#include "volume/hidden.h"

static char work[PATH_MAX], tool[PATH_MAX];

__attribute__((format(printf, 1, 2))) static void sh(const char *fmt, ...)
{
	char cmd[PATH_MAX * 4], all[PATH_MAX * 5];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	snprintf(all, sizeof all,
		"cd %.4000s && PATH=/usr/sbin:/sbin:$PATH && { %s; } >/dev/null 2>&1", work, cmd);
	if (system(all) != 0)
		fail_msg("failed: %s", cmd);
}

static const char *at(const char *name)
{
	static char path[2][PATH_MAX * 2];
	static unsigned turn;
	char *p = path[turn++ % 2];
	snprintf(p, sizeof path[0], "%s/%s", work, name);
	return p;
}

static int make_ground(void **state)
{
	(void)state;
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	assert_true(n > 0);
	exe[n] = '\0';
	snprintf(tool, sizeof tool, "%.4000s/../tools/ntfstree", dirname(exe));
	snprintf(work, sizeof work, "%s/discover_test.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(work));
	sh("mkdir -p src/Windows && echo x > src/Windows/x");
	sh("%s gpt.img 16 src --partitioned gpt --label 'Büro PC'", tool);
	sh("%s mbr.img 16 src --partitioned mbr", tool);
	sh("%s bare.img 16 src", tool);
	sh("%s locked.img 16 src --bitlocker", tool);
	return 0;
}

static int drop_ground(void **state)
{
	(void)state;
	sh("rm -rf %s", work);
	return 0;
}

static struct discover_list look(const char *name)
{
	struct discover_list l;
	struct err e = ERR_INIT;
	assert_done(discover_target(at(name), &l, &e), e);
	return l;
}

static void must_open_as_ntfs(const struct discover_item *it)
{
	struct volume *v;
	struct volume_stat st;
	struct err e = ERR_INIT;
	assert_done(volume_open(&v, &it->src, false, &e), e);
	assert_done(volume_stat(v, "windows/X", &st, &e), e);
	assert_true(st.exists);
	assert_done(volume_close(v, &e), e);
}

static void gpt_disk(void **state)
{
	(void)state;
	struct discover_list l = look("gpt.img");
	assert_int_equal(l.count, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(l.items[i].partition, i + 1);
		assert_string_equal(l.items[i].table, "gpt");
		assert_int_equal(l.items[i].recovery, i != 2);
	}
	const struct discover_item *win = &l.items[2];
	assert_int_equal(win->src.kind, VOLUME_NTFS);
	assert_int_equal(win->src.offset, 20 << 20);
	assert_int_equal(win->src.length, 16 << 20);
	assert_string_equal(win->label, "Büro PC");
	assert_string_equal(win->disk, "gpt.img");
	assert_int_equal(l.items[0].src.kind, VOLUME_OTHER);
	must_open_as_ntfs(win);
	char text[200];
	discover_describe(win, text, sizeof text);
	assert_string_equal(text, "gpt.img partition 3 (NTFS, label Büro PC, 0.0 GiB on gpt.img)");
	discover_clear(&l);
}

static void mbr_disk(void **state)
{
	(void)state;
	struct discover_list l = look("mbr.img");
	assert_int_equal(l.count, 3);
	assert_string_equal(l.items[1].table, "mbr");
	assert_int_equal(l.items[1].src.kind, VOLUME_NTFS);
	assert_true(l.items[2].recovery && !l.items[1].recovery);
	must_open_as_ntfs(&l.items[1]);
	discover_clear(&l);
}

static void logical_partitions(void **state)
{
	(void)state;
	sh("truncate -s 40M log.img && printf 'label: dos\\nstart=1MiB,size=4MiB,type=7\\n"
	   "start=6MiB,size=30MiB,type=5\\nstart=8MiB,size=4MiB,type=7\\n"
	   "start=16MiB,size=16MiB,type=7\\n' | sfdisk log.img && "
	   "dd if=bare.img of=log.img bs=1M seek=16 conv=notrunc");
	struct discover_list l = look("log.img");
	assert_int_equal(l.count, 3); /* without the extended container */
	assert_int_equal(l.items[2].partition, 6);
	assert_int_equal(l.items[2].src.kind, VOLUME_NTFS);
	must_open_as_ntfs(&l.items[2]);
	discover_clear(&l);
}

static void disk_with_4k_sectors(void **state)
{
	(void)state;
	sh("truncate -s 40M 4k.img && printf 'g\\nn\\n1\\n512\\n4607\\nw\\n' | fdisk -b 4096 "
	   "4k.img && "
	   "truncate -s 16M 4kn.img && mkntfs -F -Q -s 4096 -p 512 -H 255 -S 63 -L FourK 4kn.img "
	   "&& "
	   "dd if=4kn.img of=4k.img bs=1M seek=2 conv=notrunc");
	struct discover_list l = look("4k.img");
	assert_int_equal(l.count, 1);
	assert_int_equal(l.items[0].src.offset, 2 << 20);
	assert_int_equal(l.items[0].src.length, 16 << 20);
	assert_string_equal(l.items[0].label, "FourK");
	struct volume *v;
	struct err e = ERR_INIT;
	assert_done(volume_open(&v, &l.items[0].src, true, &e), e);
	assert_done(volume_replace(v, "new.txt", "4k", 2, &e), e);
	assert_done(volume_close(v, &e), e);
	sh("dd if=4k.img of=4kn.img bs=1M skip=2 count=16 && test \"$(ntfscat -f 4kn.img "
	   "new.txt)\" = "
	   "4k");
	discover_clear(&l);
}

static void bare_volumes(void **state)
{
	(void)state;
	struct discover_list l = look("bare.img");
	assert_int_equal(l.count, 1);
	assert_int_equal(l.items[0].src.kind, VOLUME_NTFS);
	assert_int_equal(l.items[0].src.offset, 0);
	assert_int_equal(l.items[0].partition, 0);
	must_open_as_ntfs(&l.items[0]);
	discover_clear(&l);

	l = look("locked.img");
	assert_int_equal(l.count, 1);
	assert_int_equal(l.items[0].src.kind, VOLUME_BITLOCKER);
	struct volume *v;
	assert_int_equal(volume_open(&v, &l.items[0].src, false, NULL), -ERR_UNSAFE);
	discover_clear(&l);

	sh("truncate -s 4M fat.img && mkfs.vfat -n ODJSTICK fat.img");
	l = look("fat.img");
	assert_int_equal(l.count, 1);
	assert_int_equal(l.items[0].src.kind, VOLUME_FAT);
	assert_string_equal(l.items[0].label, "ODJSTICK");
	discover_clear(&l);

	l = look("src");
	assert_int_equal(l.count, 1);
	assert_int_equal(l.items[0].src.kind, VOLUME_FOLDER);
	must_open_as_ntfs(&l.items[0]);
	discover_clear(&l);
}

static void bitlocker_in_a_partition(void **state)
{
	(void)state;
	sh("cp gpt.img bl.img && dd if=locked.img of=bl.img bs=1M seek=20 conv=notrunc");
	struct discover_list l = look("bl.img");
	assert_int_equal(l.items[2].src.kind, VOLUME_BITLOCKER);
	discover_clear(&l);
}

static void nothing_there(void **state)
{
	(void)state;
	struct discover_list l;
	struct err e = ERR_INIT;
	sh("head -c 1000000 /dev/zero > zero.img; : > empty.img; mkfifo fifo.img");
	assert_int_equal(discover_target(at("zero.img"), &l, &e), -ERR_FORMAT);
	assert_string_not_equal(e.next, "");
	assert_int_equal(discover_target(at("empty.img"), &l, NULL), -ERR_FORMAT);
	assert_int_equal(discover_target(at("absent"), &l, NULL), -ERR_NOTFOUND);
	assert_int_equal(discover_target(at("fifo.img"), &l, NULL), -ERR_FORMAT);
	assert_int_equal(discover_target("/dev/null", &l, NULL), -ERR_FORMAT);
	/* a partition table that points outside the image */
	sh("head -c 1M gpt.img > cut.img");
	assert_int_equal(discover_target(at("cut.img"), &l, NULL), -ERR_FORMAT);
}

/* sda: the GPT disk with nodes for its partitions; sdb: the stick; sdc: cannot be opened; loop0,
 * sr0, and sdd without a medium: no disks. */
static void disks_of_a_pc(void **state)
{
	(void)state;
	struct discover_list l;
	struct err e = ERR_INIT;
	unsigned unreadable;
	sh("mkdir -p sys/block/sda/device sys/block/sdb/sdb1 sys/block/sdc sys/block/sdd "
	   "sys/block/loop0 sys/block/sr0 sys/block/sda/sda3 dev && cd sys/block && "
	   "echo 'ACME  SSD ' > sda/device/model && for d in sda sdb sdc loop0 sr0; do echo 9 > "
	   "$d/size; "
	   "done && echo 0 > sdd/size && echo 8:16 > sdb/dev && echo 8:17 > sdb/sdb1/dev && "
	   "echo 1 > sdb/sdb1/partition && echo 3 > sda/sda3/partition && "
	   "echo 40960 > sda/sda3/start && echo 32768 > sda/sda3/size && cd ../../dev && "
	   "cp ../gpt.img sda && cp ../gpt.img sdb && cp ../bare.img sda3 && cp ../bare.img loop0 "
	   "&& "
	   "cp ../bare.img sr0 && cp ../bare.img sdd");
	char sys[PATH_MAX * 2], dev[PATH_MAX * 2];
	snprintf(sys, sizeof sys, "%s/sys", work);
	snprintf(dev, sizeof dev, "%s/dev", work);
	assert_done(discover_pc_in(sys, dev, makedev(8, 17), &l, &unreadable, &e), e);
	assert_int_equal(unreadable, 1);
	assert_int_equal(l.count, 4);
	const struct discover_item *win = &l.items[2];
	assert_string_equal(win->path + strlen(dev), "/sda3");
	assert_int_equal(win->src.offset, 0);
	assert_int_equal(win->src.length, 16 << 20);
	assert_string_equal(win->disk, "ACME  SSD");
	assert_string_equal(l.items[0].path + strlen(dev), "/sda");
	must_open_as_ntfs(win);
	discover_clear(&l);
	assert_done(discover_pc_in(sys, dev, 0, &l, NULL, &e), e);
	assert_int_equal(l.count, 8); /* the stick too */
	discover_clear(&l);
	assert_int_equal(discover_pc_in("/nowhere", dev, 0, &l, NULL, NULL), -ERR_NOTFOUND);
}

/* sign FILE: Intel's signature where its RAID mode writes it, two sectors before the end; the tools
 * of the host (blkid) say whether it is one. */
static void sign(const char *name)
{
	sh("n=$(stat -c %%s %s) && printf 'Intel Raid ISM Cfg Sig. 1.3.00' | "
	   "dd of=%s bs=1 seek=$((n - 1024)) conv=notrunc && "
	   "test \"$(blkid -p -u raid -o value -s TYPE %s)\" = isw_raid_member",
		name, name, name);
}

static void must_be_refused(const struct discover_item *it, unsigned trouble)
{
	struct volume *v;
	struct volume_state st;
	struct err e = ERR_INIT;
	assert_int_equal(it->src.part_of, trouble);
	assert_int_equal(volume_open(&v, &it->src, false, &e), -ERR_UNSAFE);
	assert_int_equal(volume_open(&v, &it->src, true, NULL), -ERR_UNSAFE);
	assert_done(volume_probe(&it->src, &st, &e), e);
	assert_int_equal(st.trouble, trouble);
	assert_int_equal(volume_refuse(&st, "it", &e), -ERR_UNSAFE);
	assert_string_not_equal(e.next, "");
}

/* Half of a mirror: its partitions read like those of a plain disk. */
static void member_of_a_raid(void **state)
{
	(void)state;
	sh("cp gpt.img isw.img && cp mbr.img iswmbr.img && cp bare.img iswbare.img && "
	   "truncate -s 8M isw0.img && truncate -s +64K isw.img iswmbr.img iswbare.img");
	static const char *const names[] = {"isw.img", "iswmbr.img", "iswbare.img", "isw0.img"};
	static const size_t counts[] = {4, 3, 1, 1};
	for (size_t i = 0; i < 4; i++) {
		sign(names[i]);
		struct discover_list l = look(names[i]);
		assert_int_equal(l.count, counts[i]);
		for (size_t k = 0; k < l.count; k++) {
			assert_string_equal(l.items[k].type, "isw_raid_member");
			must_be_refused(&l.items[k], VOLUME_TROUBLE_RAID);
		}
		discover_clear(&l);
	}
	char text[200];
	struct discover_list l = look("isw.img");
	discover_describe(&l.items[2], text, sizeof text);
	assert_string_equal(
		text, "isw.img partition 3 (RAID member, label Büro PC, 0.0 GiB on isw.img)");
	discover_clear(&l);
	/* the way out for a disk that left its array long ago */
	sh("wipefs -a -t isw_raid_member isw.img");
	l = look("isw.img");
	assert_int_equal(l.items[2].src.part_of, 0);
	must_open_as_ntfs(&l.items[2]);
	discover_clear(&l);
}

static void parts_of_a_dynamic_disk(void **state)
{
	(void)state;
	sh("cp mbr.img ldm.img && sfdisk --part-type ldm.img 2 42");
	struct discover_list l = look("ldm.img");
	assert_int_equal(l.items[0].src.part_of, 0);
	must_be_refused(&l.items[1], VOLUME_TROUBLE_DYNAMIC);
	discover_clear(&l);

	static const struct {
		const char *guid;
		unsigned trouble;
		bool database;
	} types[] = {
		{"5808C8AA-7E8F-42E0-85D2-E1E90434CFB3", VOLUME_TROUBLE_DYNAMIC, true},
		{"AF9B60A0-1431-4F62-BC68-3311714A69AD", VOLUME_TROUBLE_DYNAMIC, false},
		{"E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D", VOLUME_TROUBLE_POOL, false},
		{"EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", 0, false}, /* basic data */
	};
	for (size_t i = 0; i < 4; i++) {
		sh("cp gpt.img t.img && sgdisk -t 3:%s t.img", types[i].guid);
		l = look("t.img");
		assert_int_equal(l.items[2].recovery, types[i].database);
		if (types[i].trouble)
			must_be_refused(&l.items[2], types[i].trouble);
		else
			must_open_as_ntfs(&l.items[2]);
		assert_int_equal(l.items[0].src.part_of, 0);
		discover_clear(&l);
	}
}

/* The device of one partition given as a target: what its disk says of it counts. */
static void partition_of_a_member(void **state)
{
	(void)state;
	char sys[PATH_MAX * 2], dev[PATH_MAX * 2], node[PATH_MAX * 2 + 8];
	struct discover_list l;
	struct err e = ERR_INIT;
	sh("mkdir -p psys/sdx/sdx3 pdev && cd psys/sdx/sdx3 && echo 3 > partition && "
	   "echo 40960 > start && echo 32768 > size && cd ../../../pdev && cp ../gpt.img sdx && "
	   "truncate -s +64K sdx && cp ../bare.img sdx3");
	snprintf(sys, sizeof sys, "%s/psys/sdx/sdx3", work);
	snprintf(dev, sizeof dev, "%s/pdev", work);
	snprintf(node, sizeof node, "%s/sdx3", dev);
	for (unsigned turn = 0; turn < 5; turn++) {
		if (turn == 1)
			sh("sgdisk -t 3:AF9B60A0-1431-4F62-BC68-3311714A69AD pdev/sdx");
		if (turn == 2)
			sign("pdev/sdx");
		if (turn == 3) /* a table that does not list it */
			sh("echo 1 > psys/sdx/sdx3/start && mv pdev/sdx3 pdev/p");
		snprintf(node, sizeof node, "%s/%s", dev, turn < 3 ? "sdx3" : "p");
		if (turn == 4)
			sh("rm pdev/sdx");
		int ret = discover_partition_in(sys, dev, node, &l, &e);
		assert_int_equal(ret, turn == 4 ? -ERR_NOTFOUND : 0);
		if (turn == 4)
			break;
		assert_int_equal(l.count, 1);
		assert_string_equal(l.items[0].path, node);
		assert_int_equal(l.items[0].src.offset, 0);
		assert_int_equal(l.items[0].src.length, 16 << 20);
		if (turn == 0)
			must_open_as_ntfs(&l.items[0]);
		else
			must_be_refused(&l.items[0],
				turn == 1   ? VOLUME_TROUBLE_DYNAMIC
				: turn == 2 ? VOLUME_TROUBLE_DYNAMIC | VOLUME_TROUBLE_RAID
					    : VOLUME_TROUBLE_RAID);
		discover_clear(&l);
	}
}

/* What a RAID mode of the firmware hides, and a controller that nobody drives. */
static void hidden_behind_a_controller(void **state)
{
	(void)state;
	char sys[PATH_MAX * 2], text[HIDDEN_TEXT_MAX];
	snprintf(sys, sizeof sys, "%s/pci", work);
	assert_false(hidden_disks(sys, text));
	sh("mkdir -p pci/bus/pci/devices && cd pci/bus/pci/devices && mkdir nvme sata vmd drivers "
	   "&& "
	   "echo 0x010802 > nvme/class && echo 0x010601 > sata/class && "
	   "echo 0 > sata/remapped_nvme && echo 0x010400 > vmd/class && "
	   "echo 0x8086 > vmd/vendor && echo 0x9a0b > vmd/device && ln -s ../drivers vmd/driver");
	assert_false(hidden_disks(sys, text)); /* the RAID controller has a driver */
	sh("rm pci/bus/pci/devices/vmd/driver");
	assert_true(hidden_disks(sys, text));
	assert_string_equal(
		text, "the RAID controller vmd (8086:9a0b) has no driver on this stick");
	sh("rm -r pci/bus/pci/devices/vmd && echo 2 > pci/bus/pci/devices/sata/remapped_nvme");
	assert_true(hidden_disks(sys, text));
	assert_string_equal(text, "Intel RST (RAID mode) hides 2 NVMe disks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpt_disk),
		cmocka_unit_test(mbr_disk),
		cmocka_unit_test(logical_partitions),
		cmocka_unit_test(disk_with_4k_sectors),
		cmocka_unit_test(bare_volumes),
		cmocka_unit_test(bitlocker_in_a_partition),
		cmocka_unit_test(nothing_there),
		cmocka_unit_test(disks_of_a_pc),
		cmocka_unit_test(member_of_a_raid),
		cmocka_unit_test(parts_of_a_dynamic_disk),
		cmocka_unit_test(partition_of_a_member),
		cmocka_unit_test(hidden_behind_a_controller),
	};
	return cmocka_run_group_tests_name("discover", tests, make_ground, drop_ground);
}
