#include "media/make.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/run.h"
#include "media/tail.h"

#define CHUNK (1u << 20)
#define SECTORS_MAX UINT32_MAX
#define FD_TEXT 64
#define MARK 4096u
#define FAT32_VOLUME_ID 67u

uint64_t make_needed(const struct layout *image, uint64_t bundle)
{
	uint64_t data = bundle + MAKE_ROOM;
	/* A hundredth for tables and the rest of last clusters. */
	data += data / 100;
	if (data < LAYOUT_DATA_MIN)
		data = LAYOUT_DATA_MIN;
	return image->data_start + (data + CHUNK - 1) / CHUNK * CHUNK;
}

/* --- the data partition --------------------------------------------------------------------- */

static int format(const struct layout *l, uint32_t volume, int fd, struct err *e)
{
	char path[FD_TEXT], hidden[24], id[16];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	snprintf(
		hidden, sizeof hidden, "%llu", (unsigned long long)(l->data_start / LAYOUT_SECTOR));
	snprintf(id, sizeof id, "%08x", (unsigned)volume);
	return run_program((const char *const[]){"mkfs.fat", "-F", "32", "-n", "ODJSTICK", "-i", id,
				   "-h", hidden, path, NULL},
		"dosfstools", e);
}

/* The files come from a folder that holds nothing else; the program is started in no folder of
 * ours, so every path is whole. */
static int fill(int fd, const char *dir, struct err *e)
{
	char target[FD_TEXT], source[4096];
	snprintf(target, sizeof target, "/proc/self/fd/%d", fd);
	static const char *const parts[] = {
		"bundle.odjb", "lab.pub", "journal", "state", "README.TXT"};
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(parts); i++) {
		snprintf(source, sizeof source, "%s/%s", dir, parts[i]);
		if (strcmp(parts[i], "README.TXT") == 0 && access(source, F_OK) < 0)
			continue;
		ret = run_program(
			(const char *const[]){"mcopy", "-s", "-i", target, source, "::", NULL},
			"mtools", e);
	}
	return ret;
}

/* README.TXT of the image; one without it makes a stick too. A missing program is noticed by the
 * next step, which needs it. */
static int take_readme(const char *image, const struct layout *l, const char *dir, struct err *e)
{
	char from[FD_TEXT], to[4096];
	int fd = open(image, O_RDONLY);
	if (fd < 0)
		return err_sys(e, ERR_IO, NULL, "cannot open %s", image);
	snprintf(
		from, sizeof from, "/proc/self/fd/%d@@%llu", fd, (unsigned long long)l->data_start);
	snprintf(to, sizeof to, "%s/README.TXT", dir);
	run_program((const char *const[]){"mcopy", "-n", "-i", from, "::README.TXT", to, NULL},
		"mtools", NULL);
	close(fd);
	return 0;
}

static uint64_t data_length(const struct layout *l, uint64_t size)
{
	uint64_t room = size > l->data_start ? size - l->data_start : 0;
	uint64_t most = SECTORS_MAX - l->data_start / LAYOUT_SECTOR;
	if (room / LAYOUT_SECTOR > most)
		room = most * LAYOUT_SECTOR;
	return room / CHUNK * CHUNK;
}

int make_data(const char *image, const struct layout *l, uint32_t volume, uint64_t size,
	const char *dir, int *out, uint64_t *length, struct err *e)
{
	*length = data_length(l, size);
	/* Inherited on purpose: mkfs.fat and mcopy open it by its number. */
	int fd = memfd_create("odjstick-data", 0);
	if (fd < 0)
		return err_sys(e, ERR_NOMEM, NULL, "no memory for the data partition");
	int ret = 0;
	if (ftruncate(fd, (off_t)*length) < 0)
		ret = err_sys(e, ERR_NOMEM, NULL, "no memory for the data partition");
	if (ret == 0)
		ret = take_readme(image, l, dir, e);
	if (ret == 0)
		ret = format(l, volume, fd, e);
	if (ret == 0)
		ret = fill(fd, dir, e);
	if (ret < 0)
		close(fd);
	else
		*out = fd;
	return ret;
}

/* --- the medium ----------------------------------------------------------------------------- */

struct job {
	struct blockdev *medium, *image;
	int data;
	uint64_t boot_end; /* where the data partition begins */
	uint64_t data_length, all, done;
	make_progress *progress;
	void *ctx;
	uint64_t number_at; /* of the stick's number; 0: it has none */
	char number[MANIFEST_NUMBER_DIGITS + 1];
	uint8_t *chunk, *again;
	uint8_t seed[randombytes_SEEDBYTES]; /* of the marks */
};

enum mark { MARK_WRITE, MARK_COMPARE, MARK_REMOVE };

static void tell(struct job *j, uint64_t n)
{
	j->done += n;
	if (j->progress)
		j->progress(j->ctx, j->done, j->all);
}

static int read_data(struct job *j, uint64_t off, uint8_t *p, size_t n, struct err *e)
{
	while (n) {
		ssize_t got = pread(j->data, p, n, (off_t)off);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_sys(e, ERR_IO, NULL, "the data partition in memory");
		p += got;
		off += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

/* The next piece of the data partition that holds something, from `at` on; *at == length: none. */
static int next_piece(struct job *j, uint64_t *at, uint64_t *end, struct err *e)
{
	off_t from = lseek(j->data, (off_t)*at, SEEK_DATA);
	if (from < 0 && errno == ENXIO) {
		*at = *end = j->data_length;
		return 0;
	}
	off_t to = from < 0 ? -1 : lseek(j->data, from, SEEK_HOLE);
	if (to < 0)
		return err_sys(e, ERR_IO, NULL, "the data partition in memory");
	*at = (uint64_t)from;
	*end = (uint64_t)to;
	return 0;
}

/* One chunk: `want` is what belongs at `off` of the medium. */
typedef int chunk_step(struct job *j, uint64_t off, size_t n, struct err *e);

static int put_chunk(struct job *j, uint64_t off, size_t n, struct err *e)
{
	/* The MBR comes last. */
	if (off == 0)
		memset(j->chunk, 0, LAYOUT_MBR);
	return blockdev_write(j->medium, off, j->chunk, n, e);
}

static int compare_chunk(struct job *j, uint64_t off, size_t n, struct err *e)
{
	if (off == 0)
		memset(j->chunk, 0, LAYOUT_MBR);
	int ret = blockdev_read(j->medium, off, j->again, n, e);
	if (ret == 0 && memcmp(j->chunk, j->again, n) != 0)
		ret = err_set(e, ERR_INTEGRITY,
			"It starts no PC. Throw it away: it is worn out, or smaller than it says.",
			"%s does not hold what was written, near byte %llu", j->medium->name,
			(unsigned long long)off);
	return ret;
}

/* The image's piece at off, in which the stick's own number belongs. */
static void put_number(struct job *j, uint64_t off, size_t n)
{
	for (size_t i = 0; j->number_at && i < MANIFEST_NUMBER_DIGITS; i++)
		if (j->number_at + i >= off && j->number_at + i < off + n)
			j->chunk[j->number_at + i - off] = (uint8_t)j->number[i];
}

/* The number is the volume id of the data partition, so that either leads to the other. */
static int take_number(struct job *j, struct err *e)
{
	uint8_t id[4];
	if (!j->number_at)
		return 0;
	int ret = read_data(j, FAT32_VOLUME_ID, id, sizeof id, e);
	if (ret == 0)
		snprintf(j->number, sizeof j->number, "%08x", (unsigned)le32(id));
	return ret;
}

static int walk_boot(struct job *j, chunk_step *step, struct err *e)
{
	int ret = 0;
	for (uint64_t off = 0; ret == 0 && off < j->boot_end;) {
		size_t n = j->boot_end - off < CHUNK ? (size_t)(j->boot_end - off) : CHUNK;
		ret = blockdev_read(j->image, off, j->chunk, n, e);
		put_number(j, off, n);
		if (ret == 0)
			ret = step(j, off, n, e);
		tell(j, n);
		off += n;
	}
	return ret;
}

static int walk_data(struct job *j, chunk_step *step, struct err *e)
{
	uint64_t at = 0, end = 0;
	int ret = next_piece(j, &at, &end, e);
	while (ret == 0 && at < j->data_length) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		ret = read_data(j, at, j->chunk, n, e);
		if (ret == 0)
			ret = step(j, j->boot_end + at, n, e);
		tell(j, n);
		at += n;
		if (ret == 0 && at == end)
			ret = next_piece(j, &at, &end, e);
	}
	return ret;
}

/* Nothing of the data partition lies there, so a mark may. */
static bool is_free(struct job *j, uint64_t off)
{
	off_t next = lseek(j->data, (off_t)(off - j->boot_end), SEEK_DATA);
	return next < 0 ? errno == ENXIO : (uint64_t)next >= off - j->boot_end + MARK;
}

static int one_mark(struct job *j, uint64_t off, enum mark what, struct err *e)
{
	if (off < j->boot_end || !is_free(j, off))
		return 0;
	if (what == MARK_REMOVE)
		memset(j->chunk, 0, MARK);
	else
		randombytes_buf_deterministic(j->chunk, MARK, j->seed);
	return what == MARK_COMPARE ? compare_chunk(j, off, MARK, e)
				    : blockdev_write(j->medium, off, j->chunk, MARK, e);
}

/* A stick that has less memory than it says forgets what is beyond, or begins again at its start.
 * Marks at the very end and at every power of two must still be there after all the rest was
 * written: memory comes in powers of two, so a mark beyond the real end lies on the first bytes. */
static int marks(struct job *j, enum mark what, struct err *e)
{
	const uint64_t end = j->boot_end + j->data_length;
	int ret = one_mark(j, end - MARK, what, e);
	for (uint64_t off = CHUNK; ret == 0 && off <= end - 2 * MARK; off *= 2)
		ret = one_mark(j, off, what, e);
	return ret;
}

static int write_mbr(
	struct job *j, const struct manifest *m, const struct lab_key *key, struct err *e)
{
	uint8_t mbr[LAYOUT_MBR], back[LAYOUT_MBR];
	struct layout l;
	int ret = key ? manifest_sign(m, j->medium, key, e) : 0;
	if (ret == 0)
		ret = blockdev_read(j->image, 0, mbr, sizeof mbr, e);
	if (ret == 0) {
		layout_set_data_length(mbr, j->data_length);
		ret = layout_parse(&l, mbr, j->medium->size, j->medium->name, e);
	}
	if (ret == 0)
		ret = blockdev_write(j->medium, 0, mbr, sizeof mbr, e);
	if (ret == 0)
		ret = blockdev_sync(j->medium, e);
	if (ret < 0)
		return ret;
	blockdev_drop_cache(j->medium);
	if (key)
		ret = manifest_signed_by(m, j->medium, lab_key_pub(key), NULL, e);
	if (ret < 0)
		return ret;
	ret = blockdev_read(j->medium, 0, back, sizeof back, e);
	if (ret == 0 && memcmp(mbr, back, sizeof mbr) != 0)
		ret = err_set(e, ERR_INTEGRITY, "Throw it away.",
			"%s does not hold the partition table that was written", j->medium->name);
	return ret;
}

static int run(struct job *j, struct err *e)
{
	randombytes_buf(j->seed, sizeof j->seed);
	int ret = marks(j, MARK_WRITE, e);
	if (ret == 0)
		ret = walk_boot(j, put_chunk, e);
	if (ret == 0)
		ret = walk_data(j, put_chunk, e);
	if (ret == 0)
		ret = tail_clear(j->medium, j->boot_end + j->data_length, e);
	if (ret == 0)
		ret = blockdev_sync(j->medium, e);
	if (ret < 0)
		return ret;
	blockdev_drop_cache(j->medium);
	ret = marks(j, MARK_COMPARE, e);
	if (ret == 0)
		ret = walk_boot(j, compare_chunk, e);
	if (ret == 0)
		ret = walk_data(j, compare_chunk, e);
	return ret < 0 ? ret : marks(j, MARK_REMOVE, e);
}

/* Bytes that will be written and read: for the progress only. */
static int count_data(struct job *j, struct err *e)
{
	uint64_t at = 0, end = 0;
	int ret = next_piece(j, &at, &end, e);
	j->all = 2 * j->boot_end;
	while (ret == 0 && at < j->data_length) {
		j->all += 2 * (end - at);
		at = end;
		ret = next_piece(j, &at, &end, e);
	}
	return ret;
}

int make_stick(struct blockdev *medium, struct blockdev *image, const struct manifest *m, int data,
	uint64_t data_length, const struct lab_key *key, make_progress *progress, void *ctx,
	struct err *e)
{
	struct job j = {.medium = medium,
		.image = image,
		.data = data,
		.boot_end = m->end,
		.data_length = data_length,
		.number_at = manifest_number_at(m),
		.progress = progress,
		.ctx = ctx,
		.chunk = malloc(CHUNK),
		.again = malloc(CHUNK)};
	int ret = j.chunk && j.again ? count_data(&j, e) : err_nomem(e);
	if (ret == 0)
		ret = take_number(&j, e);
	if (ret == 0)
		ret = run(&j, e);
	if (ret == 0)
		ret = write_mbr(&j, m, key, e);
	free(j.chunk);
	free(j.again);
	return ret;
}
