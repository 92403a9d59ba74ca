/*
 * ntfstree: an NTFS image with a tree in it, without root and without a mount.
 *
 *   ntfstree OUT.img SIZE_MB SRCDIR [options]
 *     --partitioned gpt|mbr   a whole disk: EFI and reserved partitions, then NTFS, then recovery
 *     --label TEXT            volume label (default Windows)
 *     --dirty                 set the volume's dirty flag
 *     --log clean|open|fast   a $LogFile as Windows leaves it: closed; in use; kept by Fast Startup
 *     --hiberfile SIG         hiberfil.sys that starts with SIG ("hibr", "wake", "" = zeros)
 *     --compressed|--sparse PATH   store that file (as in SRCDIR) so
 *     --shortname PATH=SHORT  give that file a DOS name, as Windows does for long names
 *     --bitlocker             afterwards make the boot sector look like BitLocker's
 *
 * mkntfs formats, libntfs-3g fills, sfdisk writes partition tables. The folders Windows and
 * Windows/System32/config get descriptors with inheritable entries. The product's volume/ is not
 * used, so that its tests have an independent ground.
 */
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "volume/libntfs.h"

#define PART_START_MB 20 /* EFI 1..16 MiB, reserved 17..19 MiB */
#define PART_TAIL_MB 4	 /* recovery partition and the second GPT */

extern char **environ;

struct options {
	const char *out, *src, *table, *label, *log, *hiber, *compressed, *sparse, *shortname;
	unsigned long size_mb;
	bool dirty, bitlocker;
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("ntfstree: ", stderr);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, " (%s)\n", strerror(errno));
	va_end(ap);
	exit(1);
}

/* Run a program with `input` on its standard input; its output goes nowhere. */
static void run(char *const argv[], const char *input)
{
	int in[2];
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int status;
	if (pipe(in) < 0)
		die("pipe");
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in[0], 0);
	posix_spawn_file_actions_addclose(&fa, in[1]);
	posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, 1, 2);
	errno = posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ);
	if (errno)
		die("cannot run %s", argv[0]);
	posix_spawn_file_actions_destroy(&fa);
	close(in[0]);
	if (input && write(in[1], input, strlen(input)) < 0)
		die("pipe to %s", argv[0]);
	close(in[1]);
	if (waitpid(pid, &status, 0) < 0 || status)
		die("%s failed", argv[0]);
}

/* --- security descriptors, by hand ----------------------------------------------------------- */

/* Self-relative, little-endian: header, owner BA, group SY, DACL. ACEs as 32-bit words:
 * type|flags<<8|size<<16, mask, then the SID. SY = S-1-5-18, BA = S-1-5-32-544, BU = ...-545,
 * CO = S-1-3-0. */
#define SID1(auth, sub) 0x00000101u, (uint32_t)(auth) << 24, (uint32_t)(sub)
#define SID2(sub) 0x00000201u, 5u << 24, 32u, (uint32_t)(sub)
#define ACE1(flags, mask, auth, sub)                                                               \
	((uint32_t)(flags) << 8 | 20u << 16), (uint32_t)(mask), SID1(auth, sub)
#define ACE2(flags, mask, sub) ((uint32_t)(flags) << 8 | 24u << 16), (uint32_t)(mask), SID2(sub)
#define HEAD(control) (1u | (uint32_t)(control) << 16), 20u, 36u, 0u, 48u
#define OWNER_GROUP SID2(544), SID1(5, 18)
#define ACL(size, count) (2u | (uint32_t)(size) << 16), (uint32_t)(count)

/* D:PAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA) */
static const uint32_t sd_config[] = {HEAD(0x9404), OWNER_GROUP, ACL(8 + 20 + 20 + 24, 3),
	ACE1(0x0B, 0x10000000, 3, 0), ACE1(0x03, 0x1F01FF, 5, 18), ACE2(0x03, 0x1F01FF, 544)};

/* D:PAI(A;OICIIO;GA;;;CO)(A;OICIIO;GA;;;SY)(A;;0x1301bf;;;SY)(A;OICIIO;GA;;;BA)(A;;0x1301bf;;;BA)
 * (A;OICIIO;GXGR;;;BU)(A;;0x1200a9;;;BU): what a Windows folder has, without TrustedInstaller */
static const uint32_t sd_windows[] = {HEAD(0x9404), OWNER_GROUP, ACL(8 + 60 + 96, 7),
	ACE1(0x0B, 0x10000000, 3, 0), ACE1(0x0B, 0x10000000, 5, 18), ACE1(0, 0x1301BF, 5, 18),
	ACE2(0x0B, 0x10000000, 544), ACE2(0, 0x1301BF, 544), ACE2(0x0B, 0xA0000000, 545),
	ACE2(0, 0x1200A9, 545)};

/* D:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU) */
static const uint32_t sd_other[] = {HEAD(0x8404), OWNER_GROUP, ACL(8 + 20 + 24 + 24, 3),
	ACE1(0x10, 0x1F01FF, 5, 18), ACE2(0x10, 0x1F01FF, 544), ACE2(0x10, 0x1200A9, 545)};

static void set_sd(ntfs_volume *vol, ntfs_inode *ni, const char *path)
{
	struct SECURITY_CONTEXT scx = {.vol = vol};
	const uint32_t *sd = sd_other;
	size_t n = sizeof sd_other;
	if (!strcasecmp(path, "Windows") || !strcasecmp(path, "Windows/System32")) {
		sd = sd_windows;
		n = sizeof sd_windows;
	} else if (!strcasecmp(path, "Windows/System32/config") ||
		   !strcasecmp(path, "Windows/Panther")) {
		sd = sd_config;
		n = sizeof sd_config;
	}
	if (ntfs_set_ntfs_acl(&scx, ni, (const char *)sd, n, 0))
		die("%s: cannot set security", path);
}

/* --- the tree -------------------------------------------------------------------------------- */

struct tree {
	ntfs_volume *vol;
	const struct options *o;
};

static bool is(const char *option, const char *path)
{
	return option && !strcmp(option, path);
}

static ntfs_inode *make(ntfs_volume *vol, ntfs_inode *dir, const char *name, mode_t type)
{
	ntfschar *u = NULL;
	int n = ntfs_mbstoucs(name, &u);
	ntfs_inode *ni = n > 0 ? ntfs_create(dir, const_cpu_to_le32(0), u, (u8)n, type) : NULL;
	free(u);
	if (!ni)
		die("cannot create %s", name);
	ni->flags = type == S_IFREG ? FILE_ATTR_ARCHIVE : const_cpu_to_le32(0);
	(void)vol;
	return ni;
}

static void fill(ntfs_inode *ni, int fd, const char *path, bool compressed, bool sparse)
{
	static uint8_t block[1 << 16];
	if (compressed)
		ni->flags |= FILE_ATTR_COMPRESSED; /* libntfs-3g takes it from here */
	ntfs_attr *na = ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	if (!na)
		die("%s: cannot open", path);
	s64 off = sparse ? 1 << 20 : 0; /* behind a hole */
	if (sparse && ntfs_attr_truncate(na, off))
		die("%s: cannot make a hole", path);
	for (ssize_t n; (n = read(fd, block, sizeof block)) > 0; off += n)
		if (ntfs_attr_pwrite(na, off, n, block) != n)
			die("%s: cannot write", path);
	if (compressed)
		ntfs_attr_pclose(na);
	ntfs_attr_close(na);
}

static void short_name(const struct options *o, ntfs_inode *dir, ntfs_inode *ni)
{
	const char *dos = strchr(o->shortname, '=') + 1;
	if (ntfs_set_ntfs_dos_name(ni, dir, dos, strlen(dos), 0))
		die("%s: cannot set a short name", o->shortname);
}

static void copy_dir(struct tree *t, ntfs_inode *dir, int fd, const char *path);

static void copy_one(struct tree *t, u64 dir_ref, int fd, const char *name, const char *path)
{
	const struct options *o = t->o;
	int child = openat(fd, name, O_RDONLY);
	struct stat st;
	if (child < 0 || fstat(child, &st) < 0)
		die("%s", path);
	ntfs_inode *dir = ntfs_inode_open(t->vol, dir_ref);
	if (!dir)
		die("%s: its folder", path);
	ntfs_inode *ni = make(t->vol, dir, name, S_ISDIR(st.st_mode) ? S_IFDIR : S_IFREG);
	u64 ref = MK_MREF(ni->mft_no, le16_to_cpu(ni->mrec->sequence_number));
	set_sd(t->vol, ni, path);
	if (S_ISREG(st.st_mode))
		fill(ni, child, path, is(o->compressed, path), is(o->sparse, path));
	size_t len = strlen(path);
	if (o->shortname && !strncmp(o->shortname, path, len) && o->shortname[len] == '=')
		short_name(o, dir, ni); /* closes both */
	else if (ntfs_inode_close_in_dir(ni, dir) || ntfs_inode_close(dir))
		die("%s: cannot close", path);
	if (S_ISDIR(st.st_mode)) {
		ni = ntfs_inode_open(t->vol, ref);
		copy_dir(t, ni, child, path);
	}
	close(child);
}

static void copy_dir(struct tree *t, ntfs_inode *dir, int fd, const char *path)
{
	u64 ref = MK_MREF(dir->mft_no, le16_to_cpu(dir->mrec->sequence_number));
	ntfs_inode_close(dir);
	DIR *d = fdopendir(dup(fd));
	if (!d)
		die("%s", path);
	for (struct dirent *de; (de = readdir(d));) {
		char sub[4096];
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		snprintf(sub, sizeof sub, "%s%s%s", path, *path ? "/" : "", de->d_name);
		copy_one(t, ref, fd, de->d_name, sub);
	}
	closedir(d);
}

/* --- states ---------------------------------------------------------------------------------- */

static void put_hiberfile(ntfs_volume *vol, const char *sig)
{
	uint8_t page[8192] = {0};
	memcpy(page, sig, strnlen(sig, 4));
	ntfs_inode *root = ntfs_inode_open(vol, FILE_root);
	ntfs_inode *ni = make(vol, root, "hiberfil.sys", S_IFREG);
	set_sd(vol, ni, "hiberfil.sys");
	ntfs_attr *na = ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	if (!na || ntfs_attr_pwrite(na, 0, sizeof page, page) != sizeof page)
		die("hiberfil.sys");
	ntfs_attr_close(na);
	ni->flags |= FILE_ATTR_HIDDEN | FILE_ATTR_SYSTEM;
	if (ntfs_inode_close_in_dir(ni, root) || ntfs_inode_close(root))
		die("hiberfil.sys");
}

/* Two restart pages as the log file service writes them: 4 KiB pages with fixups, one client
 * "NTFS". `open`: the client is in use and the volume not marked clean. Layout: libntfs-3g's
 * logfile.h (a format, not code). */
static void put_log(ntfs_volume *vol, const char *how)
{
	static uint8_t page[4096];
	bool in_use = strcmp(how, "clean") != 0, fast = !strcmp(how, "fast");
	ntfs_inode *ni = ntfs_inode_open(vol, FILE_LogFile);
	ntfs_attr *na = ni ? ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0) : NULL;
	if (!na)
		die("$LogFile");
	RESTART_PAGE_HEADER *rp = (void *)page;
	rp->magic = magic_RSTR;
	rp->usa_ofs = cpu_to_le16(0x1E);
	rp->usa_count = cpu_to_le16(9);
	rp->system_page_size = rp->log_page_size = cpu_to_le32(4096);
	rp->restart_area_offset = cpu_to_le16(0x30);
	rp->major_ver = fast ? cpu_to_le16(2) : cpu_to_le16(1);
	rp->minor_ver = fast ? cpu_to_le16(0) : cpu_to_le16(1);
	RESTART_AREA *ra = (void *)(page + 0x30);
	unsigned bits = 0;
	for (s64 size = na->data_size; size; size >>= 1)
		bits++;
	ra->current_lsn = cpu_to_le64(0x100000);
	ra->log_clients = cpu_to_le16(1);
	ra->client_free_list = cpu_to_le16(0xFFFF);
	ra->client_in_use_list = in_use ? cpu_to_le16(0) : cpu_to_le16(0xFFFF);
	if (!in_use)
		ra->client_free_list = cpu_to_le16(0);
	ra->flags = in_use ? const_cpu_to_le16(0) : RESTART_VOLUME_IS_CLEAN;
	ra->seq_number_bits = cpu_to_le32(67 - bits);
	ra->restart_area_length = cpu_to_le16(0xE0);
	ra->client_array_offset = cpu_to_le16(0x40);
	ra->file_size = cpu_to_le64((u64)na->data_size);
	ra->log_record_header_length = cpu_to_le16(0x30);
	ra->log_page_data_offset = cpu_to_le16(0x40);
	LOG_CLIENT_RECORD *cl = (void *)(page + 0x30 + 0x40);
	cl->prev_client = cl->next_client = cpu_to_le16(0xFFFF);
	cl->client_name_length = cpu_to_le32(8);
	memcpy((uint8_t *)cl + 0x20, "N\0T\0F\0S", 8);
	for (int copy = 0; copy < 2; copy++) {
		static uint8_t out[4096];
		memcpy(out, page, sizeof out);
		if (ntfs_mst_pre_write_fixup((NTFS_RECORD *)(void *)out, sizeof out) ||
			ntfs_attr_pwrite(na, copy * 4096, sizeof out, out) != sizeof out)
			die("$LogFile");
	}
	ntfs_attr_close(na);
	ntfs_inode_close(ni);
}

/* --- image and disk -------------------------------------------------------------------------- */

static void format(const struct options *o, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)o->size_mb << 20) < 0)
		die("%s", path);
	close(fd);
	char *mkntfs[] = {"mkntfs", "-F", "-q", "-f", "-p", o->table ? "40960" : "0", "-H", "255",
		"-S", "63", "-s", "512", "-L", (char *)(uintptr_t)o->label, (char *)(uintptr_t)path,
		NULL};
	setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
	run(mkntfs, NULL);
}

static void populate(const struct options *o, const char *path)
{
	struct tree t = {ntfs_mount(path, 0), o};
	if (!t.vol)
		die("%s: cannot open what mkntfs made", path);
	int fd = open(o->src, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		die("%s", o->src);
	NVolSetCompression(t.vol);
	copy_dir(&t, ntfs_inode_open(t.vol, FILE_root), fd, "");
	close(fd);
	if (o->hiber)
		put_hiberfile(t.vol, o->hiber);
	if (o->log)
		put_log(t.vol, o->log);
	if (o->dirty && ntfs_volume_write_flags(t.vol, t.vol->flags | VOLUME_IS_DIRTY))
		die("cannot set the dirty flag");
	if (ntfs_umount(t.vol, FALSE))
		die("%s: cannot unmount", path);
	if (o->bitlocker) {
		fd = open(path, O_RDWR);
		if (fd < 0 || pwrite(fd, "-FVE-FS-", 8, 3) != 8)
			die("%s", path);
		close(fd);
	}
}

static void copy_sparse(const char *from, int to, off_t at)
{
	static uint8_t block[1 << 16], zero[1 << 16];
	int fd = open(from, O_RDONLY);
	if (fd < 0)
		die("%s", from);
	for (ssize_t n; (n = read(fd, block, sizeof block)) > 0; at += n)
		if (memcmp(block, zero, (size_t)n) && pwrite(to, block, (size_t)n, at) != n)
			die("cannot write the disk");
	close(fd);
}

static void make_disk(const struct options *o, const char *volume)
{
	char script[1024];
	unsigned long end = PART_START_MB + o->size_mb;
	bool gpt = !strcmp(o->table, "gpt");
	int fd = open(o->out, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)(end + PART_TAIL_MB) << 20) < 0)
		die("%s", o->out);
	snprintf(script, sizeof script,
		gpt ? "label: gpt\n"
		      "start=1MiB,size=16MiB,type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n"
		      "start=17MiB,size=3MiB,type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE\n"
		      "start=%dMiB,size=%luMiB,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n"
		      "start=%luMiB,size=2MiB,type=DE94BBA4-06D1-4D40-A16A-BFD50179D6AC\n"
		    : "label: dos\n"
		      "start=1MiB,size=16MiB,type=7,bootable\n"
		      "start=%dMiB,size=%luMiB,type=7\n"
		      "start=%luMiB,size=2MiB,type=27\n",
		PART_START_MB, o->size_mb, end);
	char *sfdisk[] = {"sfdisk", "-q", "--no-reread", (char *)(uintptr_t)o->out, NULL};
	run(sfdisk, script);
	copy_sparse(volume, fd, (off_t)PART_START_MB << 20);
	close(fd);
}

static void parse(int argc, char **argv, struct options *o)
{
	struct {
		const char *name, **value;
	} with[] = {{"--partitioned", &o->table}, {"--label", &o->label}, {"--log", &o->log},
		{"--hiberfile", &o->hiber}, {"--compressed", &o->compressed},
		{"--sparse", &o->sparse}, {"--shortname", &o->shortname}};
	const char *plain[3] = {NULL, NULL, NULL};
	int count = 0;
	o->label = "Windows";
	for (int i = 1; i < argc; i++) {
		size_t k = 0;
		while (k < ARRAY_SIZE(with) && strcmp(argv[i], with[k].name) != 0)
			k++;
		if (k < ARRAY_SIZE(with) && i + 1 < argc)
			*with[k].value = argv[++i];
		else if (!strcmp(argv[i], "--dirty"))
			o->dirty = true;
		else if (!strcmp(argv[i], "--bitlocker"))
			o->bitlocker = true;
		else if (argv[i][0] != '-' && count < 3)
			plain[count++] = argv[i];
		else
			count = 99;
	}
	if (count != 3 || (o->shortname && !strchr(o->shortname, '='))) {
		fputs("usage: ntfstree OUT.img SIZE_MB SRCDIR [options]: see the source\n", stderr);
		exit(2);
	}
	o->out = plain[0];
	o->size_mb = strtoul(plain[1], NULL, 10);
	o->src = plain[2];
}

int main(int argc, char **argv)
{
	struct options o = {0};
	char path[4096];
	parse(argc, argv, &o);
	snprintf(path, sizeof path, "%s%s", o.out, o.table ? ".volume" : "");
	format(&o, path);
	populate(&o, path);
	if (o.table) {
		make_disk(&o, path);
		unlink(path);
	}
	return 0;
}
