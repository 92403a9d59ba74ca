/* odjstick stick make: from an image and a bundle to sticks that boot. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/stick.h"
#include "media/device.h"
#include "media/layout.h"
#include "media/make.h"
#include "media/manifest.h"

#define DEVICES_MAX 64
#define WALK_DESCRIPTORS 8

struct make {
	const char *image_path, *bundle_path, *out, *size;
	const char *devices[DEVICES_MAX];
	int device_count;
	bool yes;
	struct stick_lab lab;
	struct blockdev *image;
	struct manifest manifest;
	struct layout layout;
	bool image_signed; /* by this lab */
	uint64_t needed;   /* bytes of the smallest medium */
};

/* --- what goes onto the sticks ---------------------------------------------------------------- */

static void name_difference(void *ctx, const struct manifest_range *r)
{
	(void)ctx;
	fprintf(stderr, "differs  %s\n", r->name);
}

/* An image that is not what was built makes no stick; one that another lab signed neither. */
static int look_at_image(struct make *k, struct err *e)
{
	size_t bad = 0;
	int ret = blockdev_open(&k->image, k->image_path, 0, 0, false, e);
	if (ret == 0)
		ret = manifest_read(&k->manifest, k->image, e);
	if (ret == 0)
		ret = layout_read(&k->layout, k->image, e);
	if (ret == 0)
		ret = manifest_layout(&k->manifest, k->image, e);
	if (ret == 0)
		ret = manifest_compare(&k->manifest, k->image, name_difference, NULL, &bad, e);
	if (ret == 0 && bad)
		ret = err_set(e, ERR_INTEGRITY,
			"No stick was made. Build the image again, or copy it again from there.",
			"%s is not as it was built: %zu places differ", k->image_path, bad);
	if (ret == 0)
		ret = manifest_is_signed(k->image, &k->image_signed, e);
	if (ret == 0 && k->image_signed)
		ret = manifest_signed_by(&k->manifest, k->image, &k->lab.pub, NULL, e);
	return ret;
}

static int look_at_bundle(struct make *k, struct err *e)
{
	struct bundle *b = NULL;
	struct stat st;
	int ret = bundle_open(&b, k->bundle_path, &k->lab.pub, e);
	bundle_close(b);
	if (ret < 0)
		return ret;
	if (stat(k->bundle_path, &st) < 0)
		return err_sys(e, ERR_IO, NULL, "%s", k->bundle_path);
	k->needed = make_needed(&k->layout, (uint64_t)st.st_size);
	return 0;
}

/* --- one stick -------------------------------------------------------------------------------- */

static void show_progress(void *ctx, uint64_t done, uint64_t all)
{
	int *last = ctx;
	int percent = (int)(done * 100 / (all ? all : 1));
	if (percent == *last || !isatty(STDERR_FILENO))
		return;
	*last = percent;
	fprintf(stderr, "\r%3d %%%s", percent, done == all ? "\r     \r" : "");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

/* The journal's first key passes through here: memory, not a disk, where there is such a folder. */
static int make_folder(char *out, size_t n, struct err *e)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
	snprintf(out, n, "%s/odjstick.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(out)) {
		out[0] = '\0';
		return err_sys(e, ERR_IO, NULL, "cannot make a folder in %s", tmp ? tmp : "/tmp");
	}
	return 0;
}

/* Each stick has a number of its own, so that it is not taken for another one made from the same
 * image; an image without room for one knows its sticks by its own identity. */
static uint32_t new_volume_id(const struct make *k)
{
	uint32_t id = k->layout.identity;
	while (manifest_number_at(&k->manifest) && (id == 0 || id == k->layout.identity))
		id = randombytes_random();
	return id;
}

static int write_medium(
	const struct make *k, struct blockdev *medium, const char *dir, struct err *e)
{
	uint64_t length = 0;
	int data = -1, percent = -1;
	const struct lab_key *key = k->image_signed ? NULL : k->lab.key;
	int ret = make_data(
		k->image_path, &k->layout, new_volume_id(k), medium->size, dir, &data, &length, e);
	if (ret == 0)
		ret = make_stick(medium, k->image, &k->manifest, data, length, key, show_progress,
			&percent, e);
	if (data >= 0)
		close(data);
	return ret;
}

static int make_one(const struct make *k, const char *path, struct err *e)
{
	char dir[256] = "";
	struct journal_origin origin;
	struct bundle_facts facts;
	struct blockdev *medium = NULL;
	int ret = blockdev_open(&medium, path, 0, 0, true, e);
	if (ret == 0)
		ret = make_folder(dir, sizeof dir, e);
	if (ret == 0)
		ret = stick_fill(dir, k->bundle_path, &k->lab, &origin, &facts, e);
	if (ret == 0)
		ret = write_medium(k, medium, dir, e);
	if (dir[0])
		nftw(dir, remove_one, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
	int closed = blockdev_close(medium, ret == 0 ? e : NULL);
	if (ret == 0)
		ret = closed;
	if (ret < 0)
		return err_ctx(e, "%s is no stick yet", path);
	char code[MANIFEST_CODE_TEXT];
	manifest_code(k->manifest.hash, code);
	printf("%s: written, read back, ready\n", path);
	stick_tell(&k->lab, &origin, &facts);
	printf("image hash       %s\n", code);
	if (!k->image_signed && !k->lab.key)
		printf("The image is not signed: image verify cannot vouch for this stick. In the "
		       "lab: odjstick image sign.\n");
	return 0;
}

/* --- into a file --------------------------------------------------------------------------------
 */

static int parse_size(const char *text, uint64_t *size, struct err *e)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	unsigned shift = *end == 'G' ? 30 : *end == 'M' ? 20 : 0;
	if (shift)
		end++;
	if (errno || text[0] < '0' || text[0] > '9' || *end || n == 0 || n > UINT64_MAX >> 31)
		return err_set(e, ERR_USAGE, NULL,
			"--size %s: give a number of bytes, or one with M or G", text);
	*size = (uint64_t)n << shift;
	return 0;
}

static int make_file(const struct make *k, struct err *e)
{
	uint64_t size = k->image->size > k->needed ? k->image->size : k->needed;
	int ret = k->size ? parse_size(k->size, &size, e) : 0;
	if (ret < 0)
		return ret;
	if (size < k->needed)
		return err_set(e, ERR_NOSPACE, "Nothing was written.",
			"--size %s is too small: this bundle needs %llu MiB", k->size,
			(unsigned long long)(k->needed >> 20));
	int fd = open(k->out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return err_set(e, ERR_EXISTS,
			"It is untouched. Name a new file; for a stick, use "
			"--device.",
			"%s exists already", k->out);
	if (fd < 0)
		return err_sys(e, ERR_IO, NULL, "cannot make %s", k->out);
	if (ftruncate(fd, (off_t)size) < 0)
		ret = err_sys(e, ERR_IO, NULL, "cannot make %s that large", k->out);
	close(fd);
	if (ret == 0)
		ret = make_one(k, k->out, e);
	if (ret < 0)
		unlink(k->out);
	return ret;
}

/* --- onto devices -------------------------------------------------------------------------------
 */

static int confirm(const struct make *k, struct err *e)
{
	char line[64] = "";
	printf("Everything on %s is lost. Type yes to go on: ",
		k->device_count == 1 ? "it" : "them");
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return strcmp(line, "yes") == 0 ? 0
					: err_set(e, ERR_REFUSED,
						  "Nothing was written. Type yes, "
						  "or use --yes.",
						  "not confirmed");
}

static int make_devices(const struct make *k, struct err *e)
{
	/* All of them, before the first is written. */
	for (int i = 0; i < k->device_count; i++) {
		struct device d;
		int ret = device_check(k->devices[i], k->needed, &d, e);
		if (ret < 0)
			return ret;
		printf("%s  %s, %.1f GB\n", k->devices[i], d.model[0] ? d.model : "(no name)",
			(double)d.size / 1e9);
	}
	int ret = k->yes ? 0 : confirm(k, e);
	for (int i = 0; ret == 0 && i < k->device_count; i++)
		ret = make_one(k, k->devices[i], e);
	return ret;
}

/* --device takes every argument that is no option. */
static int parse(struct make *k, int argc, char **argv, const char **lab, const char **passphrase,
	struct err *e)
{
	const char *first = NULL, *more[DEVICES_MAX];
	int count = 0;
	const struct cli_opt opts[] = {{"--image", &k->image_path, NULL},
		{"--bundle", &k->bundle_path, NULL}, {"--lab", lab, NULL}, {"-o", &k->out, NULL},
		{"--size", &k->size, NULL}, {"--device", &first, NULL}, {"--yes", NULL, &k->yes},
		{"--passphrase-file", passphrase, NULL}, {NULL, NULL, NULL}};
	int ret = cli_parse(argc, argv, opts, 0, DEVICES_MAX - 1, more, &count, e);
	if (ret < 0)
		return ret;
	if (!k->image_path || !k->bundle_path || !*lab)
		return err_set(e, ERR_USAGE, NULL, "%s is missing",
			!k->image_path	  ? "--image"
			: !k->bundle_path ? "--bundle"
					  : "--lab");
	if (!k->out == !first)
		return err_set(e, ERR_USAGE, NULL, "name one: -o STICK.img or --device DEV");
	if (k->size && !k->out)
		return err_set(e, ERR_USAGE, NULL, "--size goes with -o: a stick has its size");
	if (count && !first)
		return err_set(e, ERR_USAGE, NULL, "too many arguments: \"%s\"", more[0]);
	if (first)
		k->devices[k->device_count++] = first;
	for (int i = 0; i < count; i++)
		k->devices[k->device_count++] = more[i];
	return 0;
}

int stick_make_run(int argc, char **argv, struct err *e)
{
	struct make k = {.image_path = NULL};
	const char *lab = NULL, *passphrase = NULL;
	int ret = parse(&k, argc, argv, &lab, &passphrase, e);
	if (ret == 0)
		ret = stick_lab_read(&k.lab, lab, passphrase, e);
	if (ret == 0)
		ret = look_at_image(&k, e);
	if (ret == 0)
		ret = look_at_bundle(&k, e);
	if (ret == 0)
		ret = k.out ? make_file(&k, e) : make_devices(&k, e);
	blockdev_close(k.image, NULL);
	manifest_clear(&k.manifest);
	stick_lab_clear(&k.lab);
	return ret;
}
