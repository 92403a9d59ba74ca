#include "tui/wrap.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Next character of *s: advances, replaces what cannot be shown, sets its width. */
static wchar_t next_char(const char **s, int *width)
{
	wchar_t c = 0;
	mbstate_t state;
	memset(&state, 0, sizeof state);
	size_t n = mbrtowc(&c, *s, MB_CUR_MAX, &state);
	if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
		(*s)++;
		c = L'?';
	} else {
		*s += n;
	}
	int w = c == L'\n' ? 0 : wcwidth(c);
	if (w < 0 || (w == 0 && c != L'\n')) {
		c = L'?';
		w = 1;
	}
	*width = w;
	return c;
}

int wrap_width(const char *text)
{
	int total = 0;
	while (*text) {
		int w;
		next_char(&text, &w);
		total += w;
	}
	return total;
}

static void put_char(WINDOW *win, wchar_t c)
{
	wchar_t s[2] = {c, 0};
	waddwstr(win, s);
}

void wrap_line(WINDOW *win, int y, int x, int width, const char *text)
{
	bool cut = wrap_width(text) > width;
	int room = cut ? width - 3 : width;
	wmove(win, y, x);
	while (*text) {
		int w;
		wchar_t c = next_char(&text, &w);
		if (w > room)
			break;
		put_char(win, c == L'\n' ? L' ' : c);
		room -= w;
	}
	if (cut && width >= 3)
		waddstr(win, "...");
}

void wrap_copy(char *out, size_t size, int width, const char *text)
{
	bool cut = wrap_width(text) > width;
	int room = cut ? width - 3 : width;
	size_t n = 0;
	while (*text) {
		int w;
		char mb[MB_LEN_MAX];
		mbstate_t state;
		memset(&state, 0, sizeof state);
		wchar_t c = next_char(&text, &w);
		size_t len = wcrtomb(mb, c == L'\n' ? L' ' : c, &state);
		if (w > room || len == (size_t)-1 || n + len + 4 > size)
			break;
		memcpy(out + n, mb, len);
		n += len;
		room -= w;
	}
	if (cut && n + 4 <= size) {
		memcpy(out + n, "...", 3);
		n += 3;
	}
	out[n] = '\0';
}

/* Where the line that starts at s ends, and where the next one starts. */
static const char *line_end(const char *s, int width, const char **next)
{
	const char *space = NULL, *p = s;
	int used = 0;
	while (*p && *p != '\n') {
		const char *q = p;
		int w;
		next_char(&q, &w);
		if (*p == ' ')
			space = p;
		if (used + w > width) {
			*next = space ? space + 1 : p;
			return space ? space : p;
		}
		used += w;
		p = q;
	}
	*next = *p == '\n' ? p + 1 : p;
	return p;
}

int wrap_text(WINDOW *win, int y, int x, int width, int skip, int rows, const char *text)
{
	int line = 0;
	while (*text) {
		const char *next;
		const char *end = line_end(text, width, &next);
		if (line >= skip && line < skip + rows) {
			wmove(win, y + line - skip, x);
			while (text < end) {
				int w;
				put_char(win, next_char(&text, &w));
			}
		}
		text = next;
		line++;
	}
	return line;
}
