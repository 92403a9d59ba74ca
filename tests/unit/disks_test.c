/* Which disk is this, and is it still the same set of disks. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "job/disk_id.h"
#include "job/internal.h"
#include "test.h"

static char root[] = "/tmp/disks-test-XXXXXX";

static const char *at(const char *name)
{
	static char path[4][256];
	static unsigned n;
	char *p = path[n++ % 4];
	snprintf(p, sizeof path[0], "%s/%s", root, name);
	return p;
}

static void put_text(const char *name, const char *text)
{
	FILE *f = fopen(at(name), "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void disks_differ_by_a_mark_that_both_have(void **state)
{
	(void)state;
	static const struct {
		struct disk_id a, b;
		bool same;
	} cases[] = {
		{{1, "x"}, {1, "x"}, true},
		{{1, "x"}, {2, "x"}, false}, /* formatted anew */
		{{1, "x"}, {1, "y"}, false}, /* a clone */
		{{1, ""}, {1, "y"}, true},   /* an image of it */
		{{0, ""}, {0, ""}, true},    /* folders */
		{{0, ""}, {2, ""}, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(disk_id_same(&cases[i].a, &cases[i].b), cases[i].same);
}

/* A partition's node in a made-up /sys: the marks are those of its disk. */
static void a_device_is_named_by_its_disk(void **state)
{
	(void)state;
	char node[256];
	struct volume_source src = {.path = node};
	struct volume_state st = {.serial = 0x1122334455667788};
	struct disk_id id;
	snprintf(node, sizeof node, "%s/node", root);
	if (mknod(node, S_IFBLK | 0600, makedev(7, 250)) < 0)
		skip(); /* needs root */
	assert_int_equal(mkdir(at("dev"), 0700), 0);
	assert_int_equal(mkdir(at("dev/block"), 0700), 0);
	assert_int_equal(mkdir(at("disk"), 0700), 0);
	assert_int_equal(mkdir(at("disk/part"), 0700), 0);
	assert_int_equal(symlink("../../disk/part", at("dev/block/7:250")), 0);
	disk_id_read(root, &src, &st, &id);
	assert_string_equal(id.device, "");
	put_text("disk/serial", "S4EVNX0R\n");
	disk_id_read(root, &src, &st, &id);
	assert_string_equal(id.device, "S4EVNX0R");
	put_text("disk/wwid", "eui.0025385b91b0a1c2\n"); /* the better one */
	disk_id_read(root, &src, &st, &id);
	assert_string_equal(id.device, "eui.0025385b91b0a1c2");
	assert_int_equal(id.volume, st.serial);
	put_text("disk/wwid", "0000\n"); /* a placeholder */
	disk_id_read(root, &src, &st, &id);
	assert_string_equal(id.device, "S4EVNX0R");
}

static struct discover_item item(char *path, uint64_t offset)
{
	return (struct discover_item){
		.path = path, .src = {.kind = VOLUME_NTFS, .offset = offset, .length = 1000}};
}

static void a_disk_that_came_late_is_noticed(void **state)
{
	(void)state;
	char a[] = "/dev/sda1", b[] = "/dev/sdb1";
	struct discover_item one[] = {item(a, 0), item(a, 5000)};
	struct discover_item two[] = {item(a, 5000), item(a, 0), item(b, 0)};
	struct discover_list known = {one, 2}, now = {two, 2};
	assert_null(look_again_extra(&known, &now)); /* another order is no change */
	now.count = 3;
	assert_ptr_equal(look_again_extra(&known, &now), &two[2]);
	assert_null(look_again_extra(&now, &known));
	two[1].src.length = 999; /* partitioned anew */
	assert_ptr_equal(look_again_extra(&known, &now), &two[1]);
	assert_ptr_equal(look_again_extra(&now, &known), &one[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_differ_by_a_mark_that_both_have),
		cmocka_unit_test(a_device_is_named_by_its_disk),
		cmocka_unit_test(a_disk_that_came_late_is_noticed),
	};
	if (!mkdtemp(root))
		return 1;
	int ret = cmocka_run_group_tests(tests, NULL, NULL);
	char rm[300];
	snprintf(rm, sizeof rm, "rm -rf %s", root);
	return system(rm) == 0 ? ret : 1;
}
