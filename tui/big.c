#include "tui/big.h"

#include <string.h>

#define BIG_WIDTH 6

static const struct {
	char letter;
	const char *rows[BIG_ROWS];
} glyphs[] = {
	{'D', {"####", "#   #", "#   #", "#   #", "####"}},
	{'O', {" ###", "#   #", "#   #", "#   #", " ###"}},
	{'N', {"#   #", "##  #", "# # #", "#  ##", "#   #"}},
	{'E', {"#####", "#", "####", "#", "#####"}},
	{'F', {"#####", "#", "####", "#", "#"}},
	{'A', {" ###", "#   #", "#####", "#   #", "#   #"}},
	{'I', {"###", " #", " #", " #", "###"}},
	{'U', {"#   #", "#   #", "#   #", "#   #", " ###"}},
	{'L', {"#", "#", "#", "#", "#####"}},
};

static void draw_letter(WINDOW *win, int y, int x, const char *const *rows, const wchar_t *block)
{
	for (int r = 0; r < BIG_ROWS; r++) {
		for (int c = 0; rows[r][c]; c++) {
			if (rows[r][c] == '#')
				mvwaddwstr(win, y + r, x + c, block);
		}
	}
}

void big_draw(const struct ui *ui, WINDOW *win, int y, int x, const char *word)
{
	for (; *word; word++)
		for (size_t i = 0; i < sizeof glyphs / sizeof glyphs[0]; i++)
			if (glyphs[i].letter == *word) {
				draw_letter(win, y, x, glyphs[i].rows, ui->utf8 ? L"█" : L"#");
				x += *word == 'I' ? BIG_WIDTH - 2 : BIG_WIDTH;
			}
}
