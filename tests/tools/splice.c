/*
 * splice BLOB ARCH NAME [OLD]: unattend_splice() for tests. The new file goes to
 * standard output, a refusal to standard error with the exit status of its code.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "odj/odj.h"
#include "windows/unattend.h"

static enum windows_arch arch_of(const char *s)
{
	return strcmp(s, "x86") == 0	 ? WINDOWS_X86
	       : strcmp(s, "amd64") == 0 ? WINDOWS_AMD64
	       : strcmp(s, "arm64") == 0 ? WINDOWS_ARM64
					 : WINDOWS_ARCH_UNKNOWN;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct secret raw = SECRET_INIT, out = SECRET_INIT;
	struct buf old = BUF_INIT;
	if (argc < 4 || secret_setup(&e) < 0)
		return 2;
	int ret = odj_read_file(argv[1], &raw, NULL, &e);
	if (ret == 0 && argc > 4)
		ret = file_read(argv[4], 2 * UNATTEND_MAX, &old, &e);
	const struct unattend_join join = {arch_of(argv[2]), argv[3], &raw};
	if (ret == 0)
		ret = unattend_splice(argc > 4 ? (old.p ? old.p : (uint8_t *)"") : NULL, old.len,
			&join, &out, &e);
	if (ret == 0)
		fwrite(out.p, 1, out.len, stdout);
	else
		fprintf(stderr, "%s: %s\n", err_name(ret), e.what);
	secret_clear(&out);
	secret_clear(&raw);
	buf_clear(&old);
	return err_exit(ret);
}
