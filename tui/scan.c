#include "tui/scan.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* The letter keys of a Russian keyboard, and the same keys on a US one. */
static const wchar_t russian[] = L"йцукенгшщзхъфывапролджэячсмитьбюё";
static const char us[] = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`";

static int latin_key(wchar_t c)
{
	const wchar_t *at = wcschr(russian, (wchar_t)towlower((wint_t)c));
	return at && *at ? toupper((unsigned char)us[at - russian]) : -1;
}

/* "]C1" and the like: how scanners may announce the symbology. */
static const char *skip_aim(const char *text)
{
	if (text[0] == ']' && isalpha((unsigned char)text[1]) && isdigit((unsigned char)text[2]))
		return text + 3;
	return text;
}

bool scan_clean(const char *text, char out[SCAN_MAX], bool *layout)
{
	size_t n = 0;
	mbstate_t state;
	memset(&state, 0, sizeof state);
	*layout = false;
	text = skip_aim(text);
	while (*text) {
		wchar_t c;
		size_t len = mbrtowc(&c, text, MB_LEN_MAX, &state);
		if (len == 0 || len == (size_t)-1 || len == (size_t)-2)
			return false;
		text += len;
		int key = c < 0x80 ? toupper((int)c) : latin_key(c);
		if (key < 0)
			return false;
		*layout |= c >= 0x80;
		if (key <= ' ' || key == 0x7F)
			continue;
		if (n + 1 >= SCAN_MAX)
			return false;
		out[n++] = (char)key;
	}
	out[n] = '\0';
	return n > 0;
}
