#include "rootfs/init/wizard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rootfs/init/system.h"

#define PROGRAM "/bin/odjstick"
#define STARTS 4
#define STOP_PAUSE 50 /* ms */
#define STATUS_REBOOT 10

/* In the child: the terminal as standard files, a few plain words of environment, and go. */
static void become(const struct console *c, const char *stick, const char *keymap)
{
	static char term[WORDS_NAME_MAX + 8], layout[WORDS_NAME_MAX + 8];
	snprintf(term, sizeof term, "TERM=%s", c->term);
	snprintf(layout, sizeof layout, "KEYMAP=%s", keymap);
	char *const argv[] = {"odjstick", "wizard", "--stick", (char *)stick, NULL};
	char *const env[] = {"PATH=/bin", "HOME=/run", "LANG=C.UTF-8", "DRIVERS=" WIZARD_DRIVERS,
		term, keymap[0] ? layout : NULL, NULL};
	sigset_t none;
	sigemptyset(&none);
	for (int fd = 0; fd < 3; fd++)
		if (dup2(c->fd, fd) < 0)
			_exit(127);
	if (chdir("/") == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0)
		execve(PROGRAM, argv, env);
	_exit(127);
}

/* Take in every program that ended; true, with the status, when the wizard is among them. */
static bool reap(pid_t wizard, int *status)
{
	bool ended = false;
	int how;
	for (pid_t pid; (pid = waitpid(-1, &how, WNOHANG)) > 0;)
		if (pid == wizard) {
			*status = how;
			ended = true;
		}
	return ended;
}

static int run_once(const struct console *c, const char *stick, const char *keymap,
	wizard_idle_fn *idle, void *ctx, bool *stop)
{
	int status = 0;
	console_reset(c);
	pid_t pid = fork();
	if (pid == 0)
		become(c, stick, keymap);
	if (pid < 0)
		return 127 << 8;
	while (!reap(pid, &status))
		if (!*stop && !idle(ctx)) {
			*stop = true;
			(void)kill(pid, SIGTERM);
		} else if (*stop) {
			system_sleep(STOP_PAUSE);
		}
	console_reset(c);
	return status;
}

enum wizard_end wizard_run(const struct console *c, const char *stick, const char *keymap,
	wizard_idle_fn *idle, void *ctx)
{
	for (int start = 1; start <= STARTS; start++) {
		char line[64];
		bool stop = false;
		int how = run_once(c, stick, keymap, idle, ctx, &stop);
		if (stop)
			return WIZARD_STOPPED;
		int status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
		if (status == 0)
			return WIZARD_OFF;
		if (status == STATUS_REBOOT)
			return WIZARD_REBOOT;
		system_log("wizard ended with status %d (start %d)", status, start);
		snprintf(line, sizeof line, "The wizard stopped (status %d).", status);
		console_say(c, line, "It is started again.", NULL);
		system_sleep(1000);
	}
	return WIZARD_BROKEN;
}
