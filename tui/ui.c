#include "tui/ui.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "tui/frame.h"
#include "tui/text.h"

#define TICK_MS 100
#define QUICK_MS 10
#define TERM_MS 20	  /* a step that must end first is looked at this often after SIGTERM */
#define ESC_MS_CONSOLE 25 /* the key arrives at once */
#define ESC_MS_SERIAL 100 /* the rest of an escape sequence may be under way */
#define CRLF_MS 150	  /* LF this soon after CR is the tail of a scanner's suffix */

static volatile sig_atomic_t term_seen;

static void on_term(int sig)
{
	(void)sig;
	term_seen = 1;
}

void ui_patience(bool quick)
{
	timeout(quick ? QUICK_MS : TICK_MS);
}

int64_t ui_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_term};
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGQUIT, &sa, NULL);
	sigaction(SIGTSTP, &sa, NULL);
}

/* TERM on a serial line is often a guess, so both cursor modes and the common function keys of
 * linux, vt100, vt220 and xterm are known whatever terminfo says. */
static void define_keys(void)
{
	static const struct {
		const char *seq;
		int key;
	} keys[] = {
		{"\177", KEY_BACKSPACE},
		{"\b", KEY_BACKSPACE},
		{"\033[A", KEY_UP},
		{"\033OA", KEY_UP},
		{"\033[B", KEY_DOWN},
		{"\033OB", KEY_DOWN},
		{"\033[C", KEY_RIGHT},
		{"\033OC", KEY_RIGHT},
		{"\033[D", KEY_LEFT},
		{"\033OD", KEY_LEFT},
		{"\033[Z", KEY_BTAB},
		{"\033[5~", KEY_PPAGE},
		{"\033[6~", KEY_NPAGE},
		{"\033[1~", KEY_HOME},
		{"\033[H", KEY_HOME},
		{"\033OH", KEY_HOME},
		{"\033[4~", KEY_END},
		{"\033[F", KEY_END},
		{"\033OF", KEY_END},
		{"\033[3~", KEY_DC},
		{"\033OP", KEY_F(1)},
		{"\033[11~", KEY_F(1)},
		{"\033[[A", KEY_F(1)},
		{"\033OQ", KEY_F(2)},
		{"\033[12~", KEY_F(2)},
		{"\033[[B", KEY_F(2)},
		{"\033[19~", KEY_F(8)},
		{"\033[21~", KEY_F(10)},
	};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		define_key(keys[i].seq, keys[i].key);
}

/* Blue, white and yellow; never red against green. NO_COLOR and terminals without colour get the
 * same screens through reverse and bold. */
static void start_colours(struct ui *ui)
{
	const char *no = getenv("NO_COLOR");
	ui->colour = !(no && *no) && has_colors() && start_color() == OK && COLORS >= 8;
	if (!ui->colour)
		return;
	static const short pairs[UI_STYLE_COUNT][2] = {
		[UI_BODY] = {COLOR_WHITE, COLOR_BLUE},
		[UI_TITLE] = {COLOR_BLUE, COLOR_WHITE},
		[UI_HEAD] = {COLOR_CYAN, COLOR_BLUE},
		[UI_FOCUS] = {COLOR_WHITE, COLOR_BLUE},
		[UI_OK] = {COLOR_WHITE, COLOR_BLUE},
		[UI_WARN] = {COLOR_YELLOW, COLOR_BLUE},
		[UI_STOP] = {COLOR_YELLOW, COLOR_BLACK},
		[UI_FIELD] = {COLOR_WHITE, COLOR_BLACK},
		[UI_DIALOG] = {COLOR_BLACK, COLOR_WHITE},
	};
	for (int i = 0; i < UI_STYLE_COUNT; i++)
		init_pair((short)(i + 1), pairs[i][0], pairs[i][1]);
}

static attr_t style_attr(const struct ui *ui, enum ui_style style)
{
	static const attr_t mono[UI_STYLE_COUNT] = {
		[UI_TITLE] = A_REVERSE,
		[UI_HEAD] = A_BOLD,
		[UI_FOCUS] = A_REVERSE,
		[UI_WARN] = A_BOLD,
		[UI_STOP] = A_REVERSE | A_BOLD,
		[UI_FIELD] = A_UNDERLINE,
	};
	static const attr_t coloured[UI_STYLE_COUNT] = {
		[UI_HEAD] = A_BOLD,
		[UI_FOCUS] = A_REVERSE,
		[UI_OK] = A_BOLD,
		[UI_WARN] = A_BOLD,
		[UI_STOP] = A_BOLD,
	};
	return ui->colour ? coloured[style] : mono[style];
}

void ui_style(const struct ui *ui, WINDOW *win, enum ui_style style)
{
	short pair = ui->colour ? (short)(style + 1) : 0;
	wattr_set(win, style_attr(ui, style), pair, NULL);
}

int ui_win_open(
	struct ui *ui, struct ui_win *w, int rows, int cols, int y, int x, enum ui_style style)
{
	ui_win_close(w);
	w->win = newwin(rows, cols, y, x);
	w->panel = w->win ? new_panel(w->win) : NULL;
	if (!w->panel) {
		ui_win_close(w);
		return -ERR_NOMEM;
	}
	ui_style(ui, w->win, style);
	if (ui->colour) {
		cchar_t blank;
		setcchar(&blank, L" ", style_attr(ui, style), (short)(style + 1), NULL);
		wbkgrndset(w->win, &blank);
	}
	werase(w->win);
	return 0;
}

void ui_win_close(struct ui_win *w)
{
	if (w->panel)
		del_panel(w->panel);
	if (w->win)
		delwin(w->win);
	*w = (struct ui_win){NULL, NULL};
}

int ui_start(struct ui *ui, struct err *e)
{
	*ui = (struct ui){0};
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(e, ERR_USAGE,
			"Run it on a terminal, or use --plain. Nothing was changed.",
			"the wizard needs a terminal for its screens");
	if (!setlocale(LC_ALL, "C.UTF-8"))
		setlocale(LC_ALL, "");
	ui->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	const char *term = getenv("TERM");
	if (!newterm(NULL, stdout, stdin))
		return err_set(e, ERR_UNSUPPORTED,
			"Set TERM to linux, vt100, vt220 or xterm, or use --plain. Nothing was "
			"changed.",
			"the terminal type \"%s\" is not known here", term ? term : "");
	catch_signals();
	set_escdelay(term && strcmp(term, "linux") == 0 ? ESC_MS_CONSOLE : ESC_MS_SERIAL);
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	define_keys();
	start_colours(ui);
	timeout(TICK_MS);
	curs_set(0);
	refresh();
	frame_layout(ui);
	return 0;
}

void ui_stop(struct ui *ui)
{
	frame_close(ui);
	erase();
	refresh();
	curs_set(1);
	endwin();
}

static int special_key(wint_t code)
{
	static const struct {
		int curses;
		enum ui_key key;
	} map[] = {
		{KEY_ENTER, UI_ENTER},
		{KEY_BTAB, UI_BACKTAB},
		{KEY_UP, UI_UP},
		{KEY_DOWN, UI_DOWN},
		{KEY_LEFT, UI_LEFT},
		{KEY_RIGHT, UI_RIGHT},
		{KEY_PPAGE, UI_PGUP},
		{KEY_NPAGE, UI_PGDN},
		{KEY_HOME, UI_HOME},
		{KEY_END, UI_END},
		{KEY_BACKSPACE, UI_BACKSPACE},
		{KEY_DC, UI_DELETE},
		{KEY_F(1), UI_HELP},
		{KEY_F(2), UI_DETAILS},
		{KEY_F(8), UI_UNDO},
		{KEY_F(10), UI_MENU},
	};
	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if ((wint_t)map[i].curses == code)
			return map[i].key;
	return UI_NONE;
}

static int plain_key(wint_t code)
{
	switch (code) {
	case '\r':
	case '\n':
		return UI_ENTER;
	case '\t':
		return UI_TAB;
	case 27:
		return UI_ESC;
	case 3: /* Ctrl-C */
		return UI_INTERRUPT;
	case 4: /* Ctrl-D */
		return UI_DETAILS;
	case 7: /* Ctrl-G */
		return UI_HELP;
	case 8:
	case 127:
		return UI_BACKSPACE;
	case 21: /* Ctrl-U */
		return UI_KILL;
	case 20: /* Ctrl-T */
		return UI_UNDO;
	case 24: /* Ctrl-X */
		return UI_MENU;
	default:
		return code >= ' ' ? (int)code : UI_NONE;
	}
}

bool ui_is_text(int key)
{
	return key >= ' ' && key < UI_NONE;
}

static int on_resize(struct ui *ui)
{
	frame_layout(ui);
	if (ui->rebuild)
		ui->rebuild(ui->ctx);
	return UI_RESIZE;
}

int ui_key(struct ui *ui)
{
	wint_t code = 0;
	if (term_seen) {
		napms(TERM_MS);
		return UI_TERM;
	}
	int kind = get_wch(&code);
	if (kind == ERR)
		return term_seen ? UI_TERM : UI_NONE;
	if (kind == KEY_CODE_YES && code == KEY_RESIZE)
		return on_resize(ui);
	int64_t now = ui_ms();
	bool tail =
		kind == OK && code == '\n' && ui->last_key == '\r' && now - ui->last_ms < CRLF_MS;
	ui->last_key = kind == OK ? (int)code : 0;
	ui->last_ms = now;
	if (tail || ui->small)
		return UI_NONE;
	return kind == KEY_CODE_YES ? special_key(code) : plain_key(code);
}

void ui_flush(struct ui *ui)
{
	flushinp();
	ui->last_key = 0;
}
