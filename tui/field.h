/*
 * Input lines. `struct field` is one libform field for public text; it scrolls
 * sideways when full. `struct passfield` keeps what is typed only in locked
 * memory (libform would copy it into ordinary heap memory) and shows stars.
 */
#ifndef TUI_FIELD_H
#define TUI_FIELD_H

#include <form.h>

#include "base/secret.h"
#include "tui/ui.h"

#define FIELD_MAX 256
#define PASSFIELD_MAX 256 /* bytes of UTF-8 */

struct field {
	struct ui *ui;
	struct ui_win win;
	FORM *form;
	FIELD *fields[2];
	bool active;
};

/* One line at (y, x) of the screen with a "> " before it while it has the focus. */
int field_open(struct field *f, struct ui *ui, int y, int x, int width, int max, const char *text);
void field_close(struct field *f);
void field_focus(struct field *f, bool on);
bool field_key(struct field *f, int key);	      /* true when the key edited or moved */
void field_get(struct field *f, char out[FIELD_MAX]); /* without surrounding blanks */
void field_set(struct field *f, const char *text);

struct passfield {
	struct ui *ui;
	struct ui_win win;
	int width;
};

int passfield_open(struct passfield *f, struct ui *ui, int y, int x, int width);
void passfield_close(struct passfield *f);

/* text is PASSFIELD_MAX bytes of locked memory, *len of them in use. */
bool passfield_key(struct passfield *f, struct secret *text, size_t *len, int key);
void passfield_draw(struct passfield *f, const struct secret *text, size_t len);

#endif
