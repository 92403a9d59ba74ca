/* Panels above the screen: a question with choices, a text to read, and "please wait". */
#ifndef TUI_DIALOG_H
#define TUI_DIALOG_H

#include "tui/task.h"
#include "tui/ui.h"

#define DIALOG_WIDTH 68

/* Returns the index of the choice, -1 for Esc or SIGTERM. The first choice is in focus. Texts
 * longer than the screen scroll with PgUp and PgDn and say so. */
int dialog_ask(struct ui *ui, const char *title, const char *text, const char *const *choices,
	size_t count);

void dialog_tell(struct ui *ui, const char *title, const char *text);

/* What an error says: what happened, then what to do. */
void dialog_err(struct ui *ui, const char *title, const struct err *e);

/* Run fn on a thread; a panel with a spinner appears when it takes longer than a blink. Keys typed
 * meanwhile are thrown away, Ctrl-C is explained. Returns what fn returned. */
int dialog_wait(struct ui *ui, const char *text, task_fn fn, void *arg, struct err *e);

char dialog_spinner(int64_t ms);

#endif
