#include "base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define WORDS_MAX 200u
#define PROGRAM_MAX 128

/* The program's last words, on one line; reads to the end, so that it never waits for us. */
static void read_words(int fd, char out[WORDS_MAX])
{
	char c;
	size_t n = 0;
	ssize_t got;
	while ((got = read(fd, &c, 1)) > 0 || (got < 0 && errno == EINTR)) {
		if (got < 0)
			continue;
		if (n == WORDS_MAX - 1)
			memmove(out, out + 1, --n);
		out[n++] = c < 0x20 || c > 0x7e ? ' ' : c;
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static bool find(const char *name, char out[PROGRAM_MAX])
{
	static const char *const folders[] = {
		"/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"};
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(out, PROGRAM_MAX, "%s/%s", folders[i], name);
		if (access(out, X_OK) == 0)
			return true;
	}
	return false;
}

static int spawn(const char *path, char *const *argv, int words, pid_t *pid)
{
	char path_is[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", language[] = "LC_ALL=C";
	/* mtools: no settings of the user's; a larger partition than the disk's size is fine. */
	char settings[] = "MTOOLSRC=/dev/null", lenient[] = "MTOOLS_SKIP_CHECK=1";
	char *const env[] = {path_is, language, settings, lenient, NULL};
	posix_spawn_file_actions_t act;
	int ret = posix_spawn_file_actions_init(&act);
	if (ret != 0)
		return ret;
	ret = posix_spawn_file_actions_addopen(&act, 0, "/dev/null", O_RDONLY, 0);
	if (ret == 0)
		ret = posix_spawn_file_actions_adddup2(&act, words, 1);
	if (ret == 0)
		ret = posix_spawn_file_actions_adddup2(&act, words, 2);
	if (ret == 0)
		ret = posix_spawn(pid, path, &act, NULL, argv, env);
	posix_spawn_file_actions_destroy(&act);
	return ret;
}

static int wait_for(pid_t pid, const char *name, const char *words, struct err *e)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, ERR_FAILED, NULL, "cannot wait for %s", name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, ERR_FAILED, NULL, "%s failed: %s", name, words);
}

int run_program(const char *const *argv, const char *package, struct err *e)
{
	char path[PROGRAM_MAX], words[WORDS_MAX] = "";
	int pipe_fd[2];
	pid_t pid;
	if (!find(argv[0], path))
		return err_set(e, ERR_NOTFOUND,
			"Nothing was changed. Install the package it is in.",
			"the program %s is not on this machine (package %s)", argv[0], package);
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_sys(e, ERR_FAILED, NULL, "cannot start %s", argv[0]);
	/* posix_spawn() changes no argument; its type is older than const. */
	int ret = spawn(path, (char *const *)(uintptr_t)argv, pipe_fd[1], &pid);
	close(pipe_fd[1]);
	if (ret == 0)
		read_words(pipe_fd[0], words);
	close(pipe_fd[0]);
	if (ret != 0) {
		errno = ret;
		return err_sys(e, ERR_FAILED, NULL, "cannot start %s", argv[0]);
	}
	return wait_for(pid, argv[0], words, e);
}
