/*
 * What `windows inspect` reads out of the first-boot log, on arbitrary bytes: the log lies on a
 * stranger's disk, and djoin's own words are in it.
 *
 * What must hold: the answer is what a second, plainer reader here gives; it is printable, fits,
 * and ends without a space; whatever the log holds already, a line that the script adds is what
 * counts.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windows/firstboot.h"

#define MARK "odjstick: djoin exit code "
#define LINE_MAX_BYTES 64

static void must(bool what)
{
	if (!what)
		abort();
}

/* By lines: each is cut out as a string of its own; the last one with the mark counts. */
static void plain_code(const uint8_t *p, size_t n, char out[FIRSTBOOT_CODE_MAX])
{
	size_t end;
	out[0] = '\0';
	for (size_t from = 0; from < n; from = end + 1) {
		for (end = from; end < n && p[end] >= 0x20 && p[end] < 0x7f;)
			end++;
		char *line = strndup((const char *)p + from, end - from);
		must(line != NULL);
		const char *code = strstr(line, MARK);
		if (code)
			snprintf(out, FIRSTBOOT_CODE_MAX, "%s", code + strlen(MARK));
		free(line);
	}
	for (size_t len = strlen(out); len && out[len - 1] == ' '; len--)
		out[len - 1] = '\0';
}

/* Into memory of its own size, so that one byte too far is noticed. */
static char *read_code(const uint8_t *p, size_t n)
{
	char *code = malloc(FIRSTBOOT_CODE_MAX);
	must(code != NULL);
	memset(code, 'x', FIRSTBOOT_CODE_MAX);
	firstboot_code((struct span){p, n}, code);
	must(memchr(code, '\0', FIRSTBOOT_CODE_MAX) != NULL);
	return code;
}

static void check(const uint8_t *p, size_t n)
{
	char plain[FIRSTBOOT_CODE_MAX];
	char *code = read_code(p, n);
	size_t len = strlen(code);
	plain_code(p, n, plain);
	must(strcmp(code, plain) == 0);
	for (size_t i = 0; i < len; i++)
		must(code[i] >= ' ' && code[i] <= '~');
	must(!len || code[len - 1] != ' ');
	free(code);
}

/* The script's own line behind the input, as cmd's echo writes it. */
static void check_added(const uint8_t *p, size_t n)
{
	char line[LINE_MAX_BYTES], want[FIRSTBOOT_CODE_MAX];
	snprintf(want, sizeof want, "%u", n ? 251U * p[n - 1] + p[0] : 0U);
	size_t add = (size_t)snprintf(line, sizeof line, "\r\n" MARK "%s \r\n", want);
	uint8_t *log = malloc(n + add);
	must(log != NULL);
	if (n)
		memcpy(log, p, n);
	memcpy(log + n, line, add);
	char *code = read_code(log, n + add);
	must(strcmp(code, want) == 0);
	free(code);
	free(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t *own = malloc(n ? n : 1);
	must(own != NULL);
	if (n)
		memcpy(own, p, n);
	check(own, n);
	check_added(own, n);
	free(own);
	return 0;
}
