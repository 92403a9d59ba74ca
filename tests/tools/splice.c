/*
 * splice BLOB ARCH NAME [OLD]: unattend_splice() for tests. The new file goes to
 * standard output, a refusal to standard error with the exit status of its code.
 *
 * splice BLOB --all NAME DIR: every DIR/CASE.ARCH.old into its CASE.ARCH.new.
 *
 * SPLICE_TIMEZONE and SPLICE_KEYBOARD in the environment are put in as well.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "odj/odj.h"
#include "windows/unattend.h"

static enum windows_arch arch_of(const char *s, size_t n)
{
	return strncmp(s, "x86", n) == 0     ? WINDOWS_X86
	       : strncmp(s, "amd64", n) == 0 ? WINDOWS_AMD64
	       : strncmp(s, "arm64", n) == 0 ? WINDOWS_ARM64
					     : WINDOWS_ARCH_UNKNOWN;
}

static struct unattend_join join_of(
	enum windows_arch arch, const char *name, const struct secret *raw)
{
	struct unattend_join join = {.arch = arch, .computer_name = name, .raw = raw};
	const char *locale = getenv("SPLICE_KEYBOARD");
	join.timezone = getenv("SPLICE_TIMEZONE");
	snprintf(join.input_locale, sizeof join.input_locale, "%s", locale ? locale : "");
	return join;
}

/* old NULL: a new answer file; to NULL: standard output. */
static int splice(const struct unattend_join *join, const char *old, const char *to)
{
	struct err e = ERR_INIT;
	struct secret out = SECRET_INIT;
	struct buf in = BUF_INIT;
	int ret = old ? file_read(old, 2 * UNATTEND_MAX, &in, &e) : 0;
	if (ret == 0)
		ret = unattend_splice(
			old ? (in.p ? in.p : (uint8_t *)"") : NULL, in.len, join, &out, &e);
	FILE *f = ret < 0 ? NULL : to ? fopen(to, "wb") : stdout;
	if (f)
		fwrite(out.p, 1, out.len, f);
	if (f && f != stdout)
		fclose(f);
	if (ret < 0)
		fprintf(stderr, "%s%s%s: %s\n", to ? old : "", to ? ": " : "", err_name(ret),
			e.what);
	secret_clear(&out);
	buf_clear(&in);
	return ret;
}

static int splice_all(const char *name, const struct secret *raw, const char *dir)
{
	char path[4096];
	glob_t found;
	int worst = 0;
	snprintf(path, sizeof path, "%s/*.old", dir);
	if (glob(path, 0, NULL, &found) != 0)
		return -ERR_NOTFOUND;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *old = found.gl_pathv[i];
		int stem = (int)(strlen(old) - strlen("old"));
		const char *arch = old + stem - 1;
		while (arch > old && arch[-1] != '.')
			arch--;
		snprintf(path, sizeof path, "%.*snew", stem, old);
		struct unattend_join join =
			join_of(arch_of(arch, (size_t)(old + stem - 1 - arch)), name, raw);
		int ret = splice(&join, old, path);
		worst = ret < 0 ? ret : worst;
	}
	globfree(&found);
	return worst;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct secret raw = SECRET_INIT;
	if (argc < 4 || secret_setup(&e) < 0)
		return 2;
	int ret = odj_read_file(argv[1], &raw, NULL, &e);
	if (ret == 0 && argc > 4 && strcmp(argv[2], "--all") == 0) {
		ret = splice_all(argv[3], &raw, argv[4]);
	} else if (ret == 0) {
		struct unattend_join join =
			join_of(arch_of(argv[2], strlen(argv[2])), argv[3], &raw);
		ret = splice(&join, argc > 4 ? argv[4] : NULL, NULL);
	}
	secret_clear(&raw);
	return err_exit(ret);
}
