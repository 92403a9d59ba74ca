#include "tui/qr.h"

#include <qrencode.h>

#define QUIET 2 /* modules of light around the code; readers accept two on a screen */

/* Light outside the code and where the module is white. */
static bool is_light(const QRcode *q, int row, int col)
{
	if (row < 0 || col < 0 || row >= q->width || col >= q->width)
		return true;
	return (q->data[row * q->width + col] & 1) == 0;
}

static void draw(const struct ui *ui, WINDOW *win, int y, int x, const QRcode *q)
{
	/* UI_FIELD is white on black: its foreground is the paper */
	ui_style(ui, win, ui->colour ? UI_FIELD : UI_BODY);
	for (int row = -QUIET; row < q->width + QUIET; row += 2) {
		wmove(win, y++, x);
		for (int col = -QUIET; col < q->width + QUIET; col++) {
			bool up = is_light(q, row, col);
			bool down = row + 1 < q->width + QUIET && is_light(q, row + 1, col);
			waddwstr(win, up && down ? L"█" : up ? L"▀" : down ? L"▄" : L" ");
		}
	}
	ui_style(ui, win, UI_BODY);
}

int qr_draw(const struct ui *ui, WINDOW *win, int y, int x, int rows, int cols, const char *text)
{
	if (!ui->utf8)
		return 0;
	QRcode *q = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (!q)
		return 0;
	int side = q->width + 2 * QUIET;
	bool fits = (side + 1) / 2 <= rows && side <= cols;
	if (fits)
		draw(ui, win, y, x, q);
	QRcode_free(q);
	return fits ? side : 0;
}
