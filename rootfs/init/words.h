/*
 * What init is told: words of the kernel's command line, and of the firmware's OEM strings.
 *
 *   odjstick.id=XXXXXXXX     the stick: MBR disk signature and FAT volume id of the data partition
 *   console=ttySn[,speed]    the wizard is on that serial port instead of the screen
 *   odjstick.term=NAME       terminal at the serial port (vt220)
 *   odjstick.size=COLSxROWS  its size (80x24)
 *   odjstick.keymap=NAME     keyboard layout, a file of /share/keymaps
 *   odjstick.support         write a diagnosis to the stick instead of starting the wizard
 *
 * The last one of several wins. A value that is not what it should be is as if it were not there:
 * nothing in it can keep the stick from starting.
 */
#ifndef INIT_WORDS_H
#define INIT_WORDS_H

#include <stdbool.h>

#define WORDS_NAME_MAX 32

struct words {
	char id[9];		     /* eight lower-case hexadecimal digits, or "" */
	char port[WORDS_NAME_MAX];   /* "ttyS0", or "" for the screen */
	unsigned speed;		     /* baud; 0: as the kernel left it */
	char term[WORDS_NAME_MAX];   /* of the serial port */
	unsigned short cols, rows;   /* of the serial port */
	char keymap[WORDS_NAME_MAX]; /* "" when none was named */
	bool support;
};

void words_init(struct words *w);

/* Take the words of one line; words that are not init's are skipped. */
void words_add(struct words *w, const char *line);

/* A keymap's or terminal's name: letters, digits, '-', '+', '.', '_'; no '.' in front. */
bool words_name_ok(const char *name);

#endif
