/*
 * Where the stick talks to the person in front of the PC: the screen, or a serial port when the
 * command line names one. Never both: two wizards would fight over the stick.
 *
 * The terminal stays open for as long as init runs: a serial port that nobody holds open forgets
 * what was typed between two programs. No key of it makes a signal, and the screen cannot be
 * switched to another virtual terminal.
 */
#ifndef INIT_CONSOLE_H
#define INIT_CONSOLE_H

#include "base/err.h"
#include "rootfs/init/words.h"

struct console {
	int fd;
	bool serial;
	char term[WORDS_NAME_MAX];
};

void console_open(struct console *c, const struct words *w);

/* The terminal as a program expects it: lines, echo, no signals. */
void console_reset(const struct console *c);

/* Clear the screen and write lines; a list that ends in NULL. */
void console_say(const struct console *c, ...) __attribute__((sentinel));

/* Wait for Enter, at most so long. */
void console_wait_enter(const struct console *c, unsigned seconds);

/* A font of dir ("/share/fonts") that suits the screen. Nothing to do on a serial port. */
int console_font(const struct console *c, const char *dir, struct err *e);

/* The keyboard layout NAME of dir ("/share/keymaps"). */
int console_keymap(const struct console *c, const char *dir, const char *name, struct err *e);

#endif
