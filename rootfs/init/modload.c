#include "rootfs/init/modload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "rootfs/init/sysfile.h"
#include "rootfs/init/system.h"

#define TABLE_MAX (1 << 20)
#define PATH_BYTES 256
#define COMPRESSED_FILE                                                                            \
	4 /* the kernel unpacks it; since Linux 5.17, not in every <linux/module.h> */

static int read_table(struct buf *b, const char *folder, const char *name, struct err *e)
{
	char path[PATH_BYTES + 16];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return sysfile_all(path, TABLE_MAX, b, e);
}

int modload_open(struct modload *m, const char *root, struct err *e)
{
	CLEANUP(buf_clear) struct buf alias = BUF_INIT, dep = BUF_INIT;
	struct utsname kernel;
	char folder[PATH_BYTES];
	*m = (struct modload){.dir = -1};
	if (uname(&kernel) < 0)
		return err_sys(e, ERR_FAILED, NULL, "the kernel does not say its version");
	snprintf(folder, sizeof folder, "%s/%s", root, kernel.release);
	m->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir < 0)
		return err_sys(e, ERR_NOTFOUND, NULL, "no drivers for this kernel: %s", folder);
	int ret = read_table(&alias, folder, "modules.alias", e);
	if (ret == 0)
		ret = read_table(&dep, folder, "modules.dep", e);
	return ret < 0 ? ret : modtab_init(&m->tab, &alias, &dep, e);
}

void modload_close(struct modload *m)
{
	modtab_clear(&m->tab);
	if (m->dir >= 0)
		close(m->dir);
	m->dir = -1;
}

static bool insert(struct modload *m, const char *path, const char *options)
{
	int fd = openat(m->dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		system_log("cannot open module %s: %s", path, strerror(errno));
		return false;
	}
	size_t n = strlen(path);
	bool packed = n > 3 && strcmp(path + n - 3, ".xz") == 0;
	long ret =
		syscall(SYS_finit_module, fd, options ? options : "", packed ? COMPRESSED_FILE : 0);
	int why = errno;
	close(fd);
	/* ENODEV: the driver looked and found nothing to drive. */
	if (ret < 0 && why != EEXIST && why != ENODEV)
		system_log("module %s does not load: %s", path, strerror(why));
	return ret == 0 || why == EEXIST;
}

/* depmod lists everything that is needed, also what is needed by what is needed, the deepest last.
 */
static void load(struct modload *m, size_t module, const char *options)
{
	struct modtab_module *it = &m->tab.modules[module];
	if (it->state != MODTAB_NEW)
		return;
	for (size_t i = it->n_deps; i-- > 0;) {
		struct modtab_module *need = &m->tab.modules[it->deps[i]];
		if (need->state == MODTAB_NEW)
			need->state = insert(m, need->path, NULL) ? MODTAB_LOADED : MODTAB_FAILED;
	}
	it->state = insert(m, it->path, options) ? MODTAB_LOADED : MODTAB_FAILED;
}

void modload_name(struct modload *m, const char *name, const char *options)
{
	size_t module = modtab_find(&m->tab, name);
	if (module != MODTAB_NONE)
		load(m, module, options);
}

static void load_found(void *ctx, size_t module)
{
	load(ctx, module, NULL);
}

void modload_device(struct modload *m, const char *modalias)
{
	modtab_lookup(&m->tab, modalias, load_found, m);
}
