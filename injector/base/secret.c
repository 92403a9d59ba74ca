#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

#define PASSPHRASE_MAX 1024

void secret_no_core(void)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
}

int secret_setup(struct err *e)
{
	secret_no_core();
	if (sodium_init() < 0)
		return err_set(e, ERR_FAILED, "Nothing was changed.",
			"the cryptography library did not start");
	return 0;
}

void secret_clear(struct secret *s)
{
	sodium_free(s->p);
	*s = (struct secret)SECRET_INIT;
}

int secret_alloc(struct secret *s, size_t len, struct err *e)
{
	secret_clear(s);
	s->p = sodium_malloc(len ? len : 1);
	if (!s->p)
		return err_nomem(e);
	memset(s->p, 0, len);
	s->len = len;
	return 0;
}

int secret_copy(struct secret *s, const void *p, size_t len, struct err *e)
{
	int ret = secret_alloc(s, len, e);
	if (ret < 0)
		return ret;
	if (len)
		memcpy(s->p, p, len);
	return 0;
}

void secret_move(struct secret *to, struct secret *from)
{
	if (to == from)
		return;
	secret_clear(to);
	*to = *from;
	*from = (struct secret)SECRET_INIT;
}

void secret_truncate(struct secret *s, size_t len)
{
	if (len >= s->len)
		return;
	sodium_memzero(s->p + len, s->len - len);
	s->len = len;
}

static int read_exactly(int fd, struct secret *s, const char *path, struct err *e)
{
	for (size_t done = 0; done < s->len;) {
		ssize_t n = read(fd, s->p + done, s->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, ERR_IO, NULL, "cannot read %s", path);
		if (n == 0)
			return err_set(
				e, ERR_IO, "Try again.", "%s became shorter while read", path);
		done += (size_t)n;
	}
	return 0;
}

int secret_read_file(struct secret *s, const char *path, size_t max, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
	if (fd < 0)
		return err_sys(
			e, ERR_IO, "Check the name and the permissions.", "cannot open %s", path);
	struct stat st;
	int ret;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		ret = err_set(e, ERR_FORMAT, "Name a file.", "%s is not a regular file", path);
	else if ((uint64_t)st.st_size > max)
		ret = err_set(e, ERR_LIMIT, "This is probably the wrong file.",
			"%s has %lld bytes; at most %zu are accepted", path, (long long)st.st_size,
			max);
	else
		ret = secret_alloc(s, (size_t)st.st_size, e);
	if (ret == 0)
		ret = read_exactly(fd, s, path, e);
	if (ret < 0)
		secret_clear(s);
	close(fd);
	return ret;
}

static volatile sig_atomic_t caught; /* a signal came while the terminal did not echo */

static void on_signal(int sig)
{
	caught = sig;
}

/* First line of fd, without its end. Reads byte by byte: what follows belongs to somebody else. */
static int read_line(int fd, struct secret *s, const char *from, struct err *e)
{
	int ret = secret_alloc(s, PASSPHRASE_MAX, e);
	if (ret < 0)
		return ret;
	size_t n = 0;
	for (;;) {
		uint8_t c;
		ssize_t got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR && !caught)
			continue;
		if (got < 0)
			return err_sys(e, ERR_IO, NULL, "cannot read the passphrase from %s", from);
		if (got == 0 || c == '\n')
			break;
		if (n == PASSPHRASE_MAX)
			return err_set(e, ERR_LIMIT, "Use a shorter first line.",
				"the passphrase in %s is longer than %d bytes", from,
				PASSPHRASE_MAX);
		s->p[n++] = c;
	}
	if (n && s->p[n - 1] == '\r')
		n--;
	secret_truncate(s, n);
	if (n == 0)
		return err_set(e, ERR_USAGE, "Give a passphrase of at least one character.",
			"the passphrase in %s is empty", from);
	return 0;
}

static int ask(int tty, const char *prompt, struct secret *s, struct err *e)
{
	struct termios old, quiet;
	if (tcgetattr(tty, &old) < 0)
		return err_sys(e, ERR_IO, "Use --passphrase-file.", "cannot ask on the terminal");
	/* Ctrl-C must not leave a terminal without echo: restore it, then let it act. */
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction before[ARRAY_SIZE(ending)], ours = {.sa_handler = on_signal};
	caught = 0;
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		sigaction(ending[i], &ours, &before[i]);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	tcsetattr(tty, TCSAFLUSH, &quiet);
	dprintf(tty, "%s: ", prompt);
	int ret = read_line(tty, s, "the terminal", e);
	dprintf(tty, "\n");
	tcsetattr(tty, TCSAFLUSH, &old);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		sigaction(ending[i], &before[i], NULL);
	if (caught)
		raise(caught);
	return ret;
}

static int read_terminal(struct secret *s, const char *prompt, bool confirm, struct err *e)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (tty < 0)
		return err_set(e, ERR_USAGE, "Give --passphrase-file F (first line, - = stdin).",
			"a passphrase is needed and there is no terminal to ask on");
	struct secret again = SECRET_INIT;
	int ret = ask(tty, prompt, s, e);
	if (ret == 0 && confirm)
		ret = ask(tty, "The same again", &again, e);
	if (ret == 0 && confirm &&
		(again.len != s->len || sodium_memcmp(again.p, s->p, s->len) != 0))
		ret = err_set(e, ERR_USAGE, "Nothing was written. Try again.",
			"the two passphrases differ");
	secret_clear(&again);
	close(tty);
	return ret;
}

int secret_read_passphrase(
	struct secret *s, const char *file, const char *prompt, int confirm, struct err *e)
{
	if (!file)
		return read_terminal(s, prompt, confirm != 0, e);
	if (strcmp(file, "-") == 0)
		return read_line(STDIN_FILENO, s, "standard input", e);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, ERR_IO, "Check the name after --passphrase-file.",
			"cannot open %s", file);
	int ret = read_line(fd, s, file, e);
	close(fd);
	return ret;
}
