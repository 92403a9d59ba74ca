#include "rootfs/init/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define WORD_MAX 96
#define SIDE_MAX 500 /* columns or rows that a terminal may have */

void words_init(struct words *w)
{
	*w = (struct words){.term = "vt220", .cols = 80, .rows = 24};
}

bool words_name_ok(const char *name)
{
	size_t n =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+._");
	return n > 0 && n < WORDS_NAME_MAX && name[n] == '\0' && name[0] != '.';
}

static void take_id(struct words *w, const char *value)
{
	if (strlen(value) != 8 || strspn(value, "0123456789abcdefABCDEF") != 8)
		return;
	for (size_t i = 0; i <= 8; i++)
		w->id[i] = (char)tolower((unsigned char)value[i]);
}

/* Another console than a serial port is the screen: the kernel's last console= counts. */
static void take_console(struct words *w, const char *value)
{
	size_t n = strcspn(value, ",");
	w->port[0] = '\0';
	w->speed = 0;
	if (strncmp(value, "ttyS", 4) != 0 || n == 4 || n > 6 ||
		strspn(value + 4, "0123456789") != n - 4)
		return;
	memcpy(w->port, value, n);
	w->port[n] = '\0';
	if (value[n] == ',')
		w->speed = (unsigned)strtoul(value + n + 1, NULL, 10);
}

static void take_size(struct words *w, const char *value)
{
	unsigned cols, rows;
	char rest;
	if (sscanf(value, "%4ux%4u%c", &cols, &rows, &rest) != 2)
		return;
	if (cols == 0 || rows == 0 || cols > SIDE_MAX || rows > SIDE_MAX)
		return;
	w->cols = (unsigned short)cols;
	w->rows = (unsigned short)rows;
}

static void take_term(struct words *w, const char *value)
{
	if (words_name_ok(value))
		snprintf(w->term, sizeof w->term, "%s", value);
}

static void take_keymap(struct words *w, const char *value)
{
	if (words_name_ok(value))
		snprintf(w->keymap, sizeof w->keymap, "%s", value);
}

static const struct {
	const char *name;
	void (*take)(struct words *w, const char *value);
} known[] = {
	{"odjstick.id=", take_id},
	{"console=", take_console},
	{"odjstick.size=", take_size},
	{"odjstick.term=", take_term},
	{"odjstick.keymap=", take_keymap},
};

static void take_word(struct words *w, const char *word)
{
	if (strcmp(word, "odjstick.support") == 0)
		w->support = true;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t n = strlen(known[i].name);
		if (strncmp(word, known[i].name, n) == 0)
			known[i].take(w, word + n);
	}
}

void words_add(struct words *w, const char *line)
{
	static const char space[] = " \t\r\n";
	for (line += strspn(line, space); *line; line += strspn(line, space)) {
		size_t n = strcspn(line, space);
		char word[WORD_MAX];
		if (n < sizeof word) {
			memcpy(word, line, n);
			word[n] = '\0';
			take_word(w, word);
		}
		line += n;
	}
}
