#include "base/err.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int exit_status;
	const char *name;
} table[ERR_CODE_COUNT] = {[ERR_OK] = {0, "ok"},
#define X(code, exit_status, name) [code] = {exit_status, name},
	ERR_TABLE(X)
#undef X
};

void err_clear(struct err *e)
{
	if (e)
		*e = (struct err)ERR_INIT;
}

static bool claim(struct err *e, int code, const char *next)
{
	if (!e || e->code)
		return false;
	e->code = code;
	snprintf(e->next, sizeof e->next, "%s", next ? next : "");
	return true;
}

int(err_set)(struct err *e, int code, const char *next, const char *fmt, ...)
{
	if (claim(e, code, next)) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(e->what, sizeof e->what, fmt, ap);
		va_end(ap);
	}
	return -code;
}

static int code_of_errno(int sys, int code)
{
	switch (sys) {
	case ENOSPC:
	case EDQUOT:
		return ERR_NOSPACE;
	case EROFS:
		return ERR_READONLY;
	case ENOENT:
		return ERR_NOTFOUND;
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return code;
	}
}

int(err_sys)(struct err *e, int code, const char *next, const char *fmt, ...)
{
	int sys = errno;
	code = code_of_errno(sys, code);
	if (claim(e, code, next)) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(e->what, sizeof e->what, fmt, ap);
		va_end(ap);
		e->sys = sys;
		size_t n = strlen(e->what);
		snprintf(e->what + n, sizeof e->what - n, ": %s", strerror(sys));
	}
	errno = sys;
	return -code;
}

int(err_ctx)(struct err *e, const char *fmt, ...)
{
	if (!e)
		return -ERR_FAILED;
	char ctx[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(ctx, sizeof ctx, fmt, ap);
	va_end(ap);

	char old[sizeof e->what];
	memcpy(old, e->what, sizeof old);
	int n = snprintf(e->what, sizeof e->what, "%s: ", ctx);
	if (n > 0 && (size_t)n < sizeof e->what) {
		size_t room = sizeof e->what - (size_t)n;
		size_t len = strnlen(old, room - 1);
		memcpy(e->what + n, old, len);
		e->what[(size_t)n + len] = '\0';
	}
	return e->code ? -e->code : -ERR_FAILED;
}

int(err_nomem)(struct err *e)
{
	return err_set(e, ERR_NOMEM, "Nothing was changed. Close other programs and try again.",
		"out of memory");
}

static int positive(int code)
{
	if (code < 0)
		code = -code;
	return code < ERR_CODE_COUNT ? code : ERR_FAILED;
}

int err_exit(int ret)
{
	return table[positive(ret)].exit_status;
}

const char *err_name(int code)
{
	return table[positive(code)].name;
}

const char *err_next(const struct err *e)
{
	if (e->next[0])
		return e->next;
	switch (e->code) {
	case ERR_IO:
		return "Check the medium and its connection, and whether you may read and write "
		       "there; then try again.";
	case ERR_NOMEM:
		return "Close other programs, or use a PC with more memory; then try again.";
	case ERR_NOSPACE:
		return "Free some space there, then try again.";
	case ERR_READONLY:
		return "Switch the write protection off, then try again.";
	case ERR_NOTFOUND:
		return "Check the name, then try again.";
	case ERR_USAGE:
		return "`odjstick help` shows every command with its options.";
	case ERR_FORMAT:
	case ERR_UNSUPPORTED:
	case ERR_LIMIT:
		return "Check that it is the right file; if it is, make it again.";
	case ERR_INTEGRITY:
		return "Do not use it any further; ask the lab.";
	case ERR_UNSAFE:
		return "Leave this PC as it is and ask the lab.";
	default:
		return "Try again; if it happens again, ask the lab.";
	}
}
