/*
 * Tape: everything this program does to a stick's folder and to a PC's disk
 * image, in one order, and the means to put both back to any instant of it.
 *
 * This program's own open, write, pwrite, ftruncate, fsync, rename, unlink and
 * reads stand before libc's. Below `root` they are recorded, or made to fail:
 *
 *   ROOT/disk.img   the PC's disk
 *   ROOT/stick/     the stick's data partition: files in it, in journal/ and state/
 *
 * The model of a power cut: what was written to a file before that file's last
 * fsync is there; of what was written after it any part may be. The same for
 * names and the fsync of their folder. A write may be torn in the middle.
 */
#ifndef TESTS_UNIT_TAPE_H
#define TESTS_UNIT_TAPE_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAPE_PATH 64
#define TAPE_FDS 512
#define TAPE_NODES 256
#define TAPE_OPS 4096
#define TAPE_DISK 0 /* the node of the disk */
#define TAPE_NONE (-1)
#define TAPE_DIR (-2)
#define SECTOR 512

enum tape_what {
	TAPE_CREATE,
	TAPE_WRITE,
	TAPE_SIZE,
	TAPE_RENAME,
	TAPE_UNLINK,
	TAPE_SYNC,
	TAPE_SYNC_DIR
};

struct tape_op {
	enum tape_what what;
	int node;
	char path[TAPE_PATH], to[TAPE_PATH]; /* of names; a synced folder's */
	uint64_t off;
	size_t n;
	uint8_t *data;
};

struct tape_node {
	char path[TAPE_PATH]; /* "" when no name leads to it */
	uint8_t *p;	      /* of stick files only */
	size_t n;
};

enum fault_kind {
	FAULT_ONCE,  /* this call fails, the ones after it do not: EIO */
	FAULT_FULL,  /* from this call on nothing more can be written on this device: ENOSPC */
	FAULT_SHORT, /* half of this read or write is done */
	FAULT_GONE,  /* from this call on the device does not answer: EIO */
	FAULT_KINDS
};

static struct tape {
	char root[PATH_MAX];
	bool recording;
	struct tape_op ops[TAPE_OPS];
	size_t count;
	struct tape_node names[TAPE_NODES]; /* as the files are now; contents unused */
	int nodes;
	int fd[TAPE_FDS]; /* node, TAPE_DIR or TAPE_NONE */
	char dir[TAPE_FDS][TAPE_PATH];
	struct {
		uint64_t off;
		size_t n;
	} dirty[TAPE_OPS * 4]; /* of the disk image, since tape_reset() */
	size_t dirty_count;
	struct { /* which call fails, and how */
		bool armed, fired, on_disk;
		enum fault_kind kind;
		unsigned at, calls;
	} fault;
} tape;

static struct tape_node tape_base[TAPE_NODES]; /* at the start; the disk's content in tape_disk */
static int tape_base_nodes;
static uint8_t *tape_disk;
static size_t tape_disk_size;

#define REAL(name)                                                                                 \
	({                                                                                         \
		static __typeof__(&name) real_;                                                    \
		if (!real_)                                                                        \
			real_ = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                        \
		real_;                                                                             \
	})

/* --- faults ---------------------------------------------------------------------------------- */

/* One more call on a device; 0, or the errno it fails with. *n: shortened. */
static int tape_trouble(bool disk, bool writes, size_t *n)
{
	if (!tape.fault.armed)
		return 0;
	bool now = tape.fault.calls++ == tape.fault.at;
	if (now) {
		tape.fault.fired = true;
		tape.fault.on_disk = disk;
	}
	if (!tape.fault.fired || disk != tape.fault.on_disk)
		return 0;
	switch (tape.fault.kind) {
	case FAULT_ONCE:
		return now ? EIO : 0;
	case FAULT_FULL:
		return writes ? ENOSPC : 0;
	case FAULT_SHORT:
		if (now && n && *n > 1)
			*n /= 2;
		return 0;
	default:
		return EIO;
	}
}

static bool tape_fails(int node, bool writes, size_t *n)
{
	int error = node == TAPE_NONE ? 0 : tape_trouble(node == TAPE_DISK, writes, n);
	if (error)
		errno = error;
	return error != 0;
}

/* --- who is who ------------------------------------------------------------------------------ */

static const char *tape_relative(const char *path)
{
	size_t n = strlen(tape.root);
	return n && strncmp(path, tape.root, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

static int tape_find(const char *path)
{
	for (int i = 0; i < tape.nodes; i++)
		if (strcmp(tape.names[i].path, path) == 0)
			return i;
	return TAPE_NONE;
}

static int tape_of(int fd)
{
	return fd >= 0 && fd < TAPE_FDS && tape.root[0] ? tape.fd[fd] : TAPE_NONE;
}

static struct tape_op *tape_add(enum tape_what what, int node)
{
	static struct tape_op unused;
	if (!tape.recording)
		return &unused;
	if (tape.count == TAPE_OPS)
		abort();
	tape.ops[tape.count] = (struct tape_op){.what = what, .node = node};
	return &tape.ops[tape.count++];
}

static void tape_add_write(int node, uint64_t off, const void *p, size_t n)
{
	if (node == TAPE_DISK) {
		if (tape.dirty_count == sizeof tape.dirty / sizeof tape.dirty[0])
			abort();
		tape.dirty[tape.dirty_count].off = off;
		tape.dirty[tape.dirty_count++].n = n;
	}
	if (!tape.recording)
		return;
	struct tape_op *op = tape_add(TAPE_WRITE, node);
	op->off = off;
	op->n = n;
	op->data = malloc(n);
	memcpy(op->data, p, n);
}

static int tape_new_node(const char *path)
{
	if (tape.nodes == TAPE_NODES || strlen(path) >= TAPE_PATH)
		abort();
	strcpy(tape.names[tape.nodes].path, path);
	return tape.nodes++;
}

/* --- before libc's --------------------------------------------------------------------------- */

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	const char *rel = tape_relative(path);
	if (!rel)
		return REAL(open)(path, flags, mode);
	int node = tape_find(rel);
	bool creates = node == TAPE_NONE && flags & O_CREAT;
	int error = tape_trouble(strcmp(rel, "disk.img") == 0, creates, NULL);
	if (error) {
		errno = error;
		return -1;
	}
	int fd = REAL(open)(path, flags, mode);
	if (fd < 0)
		return fd;
	if (fd >= TAPE_FDS || flags & O_TRUNC)
		abort();
	if (flags & O_DIRECTORY) {
		node = TAPE_DIR;
		snprintf(tape.dir[fd], TAPE_PATH, "%s", rel);
	} else if (creates) {
		node = tape_new_node(rel);
		strcpy(tape_add(TAPE_CREATE, node)->path, rel);
	}
	tape.fd[fd] = node;
	return fd;
}

int close(int fd)
{
	if (tape_of(fd) != TAPE_NONE)
		tape.fd[fd] = TAPE_NONE;
	return REAL(close)(fd);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t off)
{
	int node = tape_of(fd);
	if (tape_fails(node, true, &n))
		return -1;
	ssize_t put = REAL(pwrite)(fd, p, n, off);
	if (node != TAPE_NONE && put > 0)
		tape_add_write(node, (uint64_t)off, p, (size_t)put);
	return put;
}

ssize_t write(int fd, const void *p, size_t n)
{
	int node = tape_of(fd);
	if (node == TAPE_NONE)
		return REAL(write)(fd, p, n);
	off_t off = lseek(fd, 0, SEEK_CUR);
	ssize_t put = pwrite(fd, p, n, off);
	if (put > 0)
		lseek(fd, put, SEEK_CUR);
	return put;
}

ssize_t pread(int fd, void *p, size_t n, off_t off)
{
	return tape_fails(tape_of(fd), false, &n) ? -1 : REAL(pread)(fd, p, n, off);
}

ssize_t read(int fd, void *p, size_t n)
{
	return tape_fails(tape_of(fd), false, &n) ? -1 : REAL(read)(fd, p, n);
}

int fsync(int fd)
{
	int node = tape_of(fd);
	if (node == TAPE_NONE)
		return REAL(fsync)(fd);
	if (tape_fails(node, false, NULL))
		return -1;
	struct tape_op *op = tape_add(node == TAPE_DIR ? TAPE_SYNC_DIR : TAPE_SYNC, node);
	if (node == TAPE_DIR)
		strcpy(op->path, tape.dir[fd]);
	return 0; /* this disk's own speed is not what is tested */
}

int ftruncate(int fd, off_t size)
{
	int node = tape_of(fd);
	if (tape_fails(node, true, NULL))
		return -1;
	int ret = REAL(ftruncate)(fd, size);
	if (node != TAPE_NONE && ret == 0)
		tape_add(TAPE_SIZE, node)->n = (size_t)size;
	return ret;
}

int rename(const char *from, const char *to)
{
	const char *f = tape_relative(from), *t = tape_relative(to);
	if (!f || !t)
		return REAL(rename)(from, to);
	if (tape_fails(TAPE_DIR, true, NULL))
		return -1;
	int ret = REAL(rename)(from, to);
	if (ret < 0)
		return ret;
	int node = tape_find(f), over = tape_find(t);
	struct tape_op *op = tape_add(TAPE_RENAME, node);
	strcpy(op->path, f);
	strcpy(op->to, t);
	if (over != TAPE_NONE)
		tape.names[over].path[0] = '\0';
	strcpy(tape.names[node].path, t);
	return 0;
}

int unlink(const char *path)
{
	const char *rel = tape_relative(path);
	if (!rel)
		return REAL(unlink)(path);
	if (tape_fails(TAPE_DIR, true, NULL))
		return -1;
	int ret = REAL(unlink)(path);
	if (ret < 0)
		return ret;
	int node = tape_find(rel);
	strcpy(tape_add(TAPE_UNLINK, node)->path, rel);
	tape.names[node].path[0] = '\0';
	return 0;
}

int remove(const char *path)
{
	return unlink(path);
}

/* --- the start ------------------------------------------------------------------------------- */

static const char *const tape_folders[] = {"stick", "stick/journal", "stick/state"};

static void tape_full_path(char out[PATH_MAX], const char *rel)
{
	snprintf(out, PATH_MAX, "%.*s/%s", PATH_MAX / 2, tape.root, rel);
}

static void tape_read(const char *rel, uint8_t **p, size_t *n)
{
	char path[PATH_MAX];
	struct stat st;
	tape_full_path(path, rel);
	int fd = REAL(open)(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		abort();
	*n = (size_t)st.st_size;
	*p = malloc(*n + 1);
	for (size_t at = 0; at < *n;) {
		ssize_t got = REAL(pread)(fd, *p + at, *n - at, (off_t)at);
		if (got <= 0)
			abort();
		at += (size_t)got;
	}
	REAL(close)(fd);
}

static void tape_forget_ops(void)
{
	for (size_t i = 0; i < tape.count; i++)
		free(tape.ops[i].data);
	tape.count = 0;
}

static void tape_forget(void)
{
	tape_forget_ops();
	for (int i = 0; i < tape_base_nodes; i++)
		free(tape_base[i].p);
	free(tape_disk);
	tape_disk = NULL;
	tape_base_nodes = 0;
	tape.root[0] = '\0';
}

/* What is below root now is the start: for tape_show() and for recording. */
static void tape_load(const char *root)
{
	tape_forget();
	memset(&tape, 0, sizeof tape);
	memset(tape_base, 0, sizeof tape_base);
	for (int i = 0; i < TAPE_FDS; i++)
		tape.fd[i] = TAPE_NONE;
	snprintf(tape.root, sizeof tape.root, "%s", root);
	tape_read("disk.img", &tape_disk, &tape_disk_size);
	strcpy(tape_base[tape_base_nodes++].path, "disk.img");
	for (size_t f = 0; f < sizeof tape_folders / sizeof tape_folders[0]; f++) {
		char path[PATH_MAX];
		tape_full_path(path, tape_folders[f]);
		DIR *d = opendir(path);
		if (!d)
			abort();
		for (const struct dirent *de = readdir(d); de; de = readdir(d)) {
			struct tape_node *node = &tape_base[tape_base_nodes];
			if (de->d_type != DT_REG)
				continue;
			snprintf(node->path, TAPE_PATH, "%.30s/%.30s", tape_folders[f], de->d_name);
			tape_read(node->path, &node->p, &node->n);
			tape_base_nodes++;
		}
		closedir(d);
	}
}

static void tape_names_from(const struct tape_node *node, int n)
{
	tape.nodes = n;
	for (int i = 0; i < n; i++)
		strcpy(tape.names[i].path, node[i].path);
}

/* --- any instant ----------------------------------------------------------------------------- */

enum tape_half { WHOLE, FIRST_HALF, SECOND_HALF };

/* Which operations happened, and which one by half. */
struct tape_cut {
	bool kept[TAPE_OPS + 1];
	size_t torn; /* TAPE_OPS: none */
	enum tape_half half;
};

/* The part of a write that happened. Disks tear between sectors, files anywhere. */
static void tape_part(const struct tape_op *op, enum tape_half half, size_t *from, size_t *to)
{
	size_t mid = op->n / 2;
	if (op->node == TAPE_DISK)
		mid -= mid % SECTOR;
	*from = half == SECOND_HALF ? mid : 0;
	*to = half == FIRST_HALF ? mid : op->n;
}

static void tape_poke(struct tape_node *node, uint64_t off, const uint8_t *p, size_t n)
{
	size_t end = (size_t)off + n;
	if (end > node->n) {
		node->p = realloc(node->p, end + 1);
		memset(node->p + node->n, 0, end - node->n);
		node->n = end;
	}
	if (n)
		memcpy(node->p + off, p, n);
}

static void tape_pwrite(int fd, const uint8_t *p, size_t n, uint64_t off)
{
	for (size_t at = 0; at < n;) {
		ssize_t put = REAL(pwrite)(fd, p + at, n - at, (off_t)(off + at));
		if (put <= 0)
			abort();
		at += (size_t)put;
	}
}

static void tape_show_disk(const struct tape_cut *cut)
{
	char path[PATH_MAX];
	tape_full_path(path, "disk.img");
	int fd = REAL(open)(path, O_WRONLY | O_CLOEXEC);
	for (size_t i = 0; i < tape.dirty_count; i++)
		tape_pwrite(fd, tape_disk + tape.dirty[i].off, tape.dirty[i].n, tape.dirty[i].off);
	tape.dirty_count = 0;
	for (size_t i = 0; i < tape.count; i++) {
		const struct tape_op *op = &tape.ops[i];
		if (!cut->kept[i] || op->what != TAPE_WRITE || op->node != TAPE_DISK)
			continue;
		size_t from, to;
		tape_part(op, i == cut->torn ? cut->half : WHOLE, &from, &to);
		tape_pwrite(fd, op->data + from, to - from, op->off + from);
		tape.dirty[tape.dirty_count].off = op->off;
		tape.dirty[tape.dirty_count++].n = op->n;
	}
	REAL(close)(fd);
}

static int tape_named(const struct tape_node *node, int n, const char *path)
{
	for (int i = 0; i < n; i++)
		if (strcmp(node[i].path, path) == 0)
			return i;
	return TAPE_NONE;
}

static void tape_play(
	struct tape_node *node, int *n, const struct tape_op *op, enum tape_half half, bool happens)
{
	size_t from, to;
	if (op->what == TAPE_CREATE && *n <= op->node)
		*n = op->node + 1;
	if (!happens || op->node == TAPE_DISK)
		return;
	int over = op->what == TAPE_RENAME ? tape_named(node, *n, op->to) : TAPE_NONE;
	switch (op->what) {
	case TAPE_CREATE:
		strcpy(node[op->node].path, op->path);
		break;
	case TAPE_WRITE:
		tape_part(op, half, &from, &to);
		tape_poke(&node[op->node], op->off + from, op->data + from, to - from);
		break;
	case TAPE_SIZE:
		if (node[op->node].n < op->n)
			tape_poke(&node[op->node], op->n, NULL, 0);
		node[op->node].n = op->n;
		break;
	case TAPE_RENAME:
		if (!node[op->node].path[0])
			break; /* its creation did not happen */
		if (over != TAPE_NONE)
			node[over].path[0] = '\0';
		strcpy(node[op->node].path, op->to);
		break;
	case TAPE_UNLINK:
		node[op->node].path[0] = '\0';
		break;
	default:
		break;
	}
}

static void tape_clear_folders(void)
{
	for (size_t f = 0; f < sizeof tape_folders / sizeof tape_folders[0]; f++) {
		char path[PATH_MAX], file[PATH_MAX];
		tape_full_path(path, tape_folders[f]);
		DIR *d = opendir(path);
		for (const struct dirent *de = readdir(d); de; de = readdir(d)) {
			if (de->d_type != DT_REG)
				continue;
			snprintf(file, sizeof file, "%.*s/%s", PATH_MAX / 2, path, de->d_name);
			REAL(unlink)(file);
		}
		closedir(d);
	}
}

/* Put stick and disk into the state that a cut leaves. hash: of both, to know it again; disk: of
 * the disk's. */
static void tape_show(const struct tape_cut *cut, uint8_t hash[32], uint8_t disk[32])
{
	static struct tape_node node[TAPE_NODES];
	int n = tape_base_nodes;
	crypto_generichash_state st, only;
	crypto_generichash_init(&st, NULL, 0, 32);
	memset(node, 0, sizeof node);
	for (int i = 0; i < n; i++) {
		strcpy(node[i].path, tape_base[i].path);
		if (tape_base[i].p)
			tape_poke(&node[i], 0, tape_base[i].p, tape_base[i].n);
	}
	for (size_t i = 0; i < tape.count; i++) {
		enum tape_half half = i == cut->torn ? cut->half : WHOLE;
		uint8_t mark[2] = {cut->kept[i], (uint8_t)half};
		tape_play(node, &n, &tape.ops[i], half, cut->kept[i]);
		if (tape.ops[i].what == TAPE_WRITE && tape.ops[i].node == TAPE_DISK)
			crypto_generichash_update(&st, mark, sizeof mark);
	}
	only = st;
	crypto_generichash_final(&only, disk, 32);
	tape_show_disk(cut);
	tape_clear_folders();
	for (int i = 1; i < n; i++) {
		char path[PATH_MAX];
		if (node[i].path[0]) {
			tape_full_path(path, node[i].path);
			int fd = REAL(open)(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
			tape_pwrite(fd, node[i].p, node[i].n, 0);
			REAL(close)(fd);
			crypto_generichash_update(
				&st, (const uint8_t *)node[i].path, strlen(node[i].path));
			crypto_generichash_update(&st, node[i].p, node[i].n);
		}
		free(node[i].p);
	}
	tape_names_from(node, n);
	crypto_generichash_final(&st, hash, 32);
}

/* As it was at the start. */
static inline void tape_reset(void)
{
	static const struct tape_cut nothing = {.torn = TAPE_OPS};
	uint8_t hash[32], disk[32];
	tape_show(&nothing, hash, disk);
}

#endif
