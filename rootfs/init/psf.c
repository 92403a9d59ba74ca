#include "rootfs/init/psf.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"

#define MAGIC1 0x0436
#define MAGIC2 0x864AB572u
#define MODE1_512 0x01
#define MODE1_TABLE 0x02
#define MODE1_SEQUENCES 0x04
#define FLAG2_TABLE 0x01

#define COLUMNS_WANTED 100
#define ROWS_WANTED 30

size_t psf_row(unsigned width)
{
	return (width + 7) / 8;
}

static int broken(struct err *e, const char *what)
{
	return err_set(e, ERR_FORMAT, NULL, "console font: %s", what);
}

static void add_char(struct psf *f, uint32_t code, unsigned glyph)
{
	if (code <= 0xFFFF && f->n_chars < PSF_CHARS_MAX)
		f->chars[f->n_chars++] =
			(struct psf_char){.code = (uint16_t)code, .glyph = (uint16_t)glyph};
}

/* Version 1: 16-bit characters, 0xFFFE before a sequence, 0xFFFF after the glyph's last. */
static void table1(struct psf *f, struct reader *r)
{
	for (unsigned glyph = 0; glyph < f->count; glyph++) {
		bool sequence = false;
		for (uint16_t c = reader_le16(r); reader_ok(r) && c != 0xFFFF; c = reader_le16(r)) {
			sequence = sequence || c == 0xFFFE;
			if (!sequence)
				add_char(f, c, glyph);
		}
	}
}

/* One UTF-8 character of a table; anything but the first byte is taken as it comes. */
static uint32_t utf8(struct reader *r, uint8_t first)
{
	unsigned more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
	uint32_t code = more == 0 ? first : first & (0x3Fu >> more);
	while (more--)
		code = code << 6 | (reader_u8(r) & 0x3Fu);
	return code;
}

/* Version 2: UTF-8, 0xFE before a sequence, 0xFF after the glyph's last. */
static void table2(struct psf *f, struct reader *r)
{
	for (unsigned glyph = 0; glyph < f->count; glyph++) {
		bool sequence = false;
		for (uint8_t c = reader_u8(r); reader_ok(r) && c != 0xFF; c = reader_u8(r)) {
			sequence = sequence || c == 0xFE;
			uint32_t code = c == 0xFE ? 0 : utf8(r, c);
			if (!sequence)
				add_char(f, code, glyph);
		}
	}
}

static void head1(struct psf *f, struct reader *r, size_t *size, bool *table)
{
	reader_skip(r, 2);
	unsigned mode = reader_u8(r);
	f->width = 8;
	f->height = reader_u8(r);
	f->count = mode & MODE1_512 ? 512 : 256;
	*size = f->height;
	*table = mode & (MODE1_TABLE | MODE1_SEQUENCES);
}

static void head2(struct psf *f, struct reader *r, size_t *size, bool *table)
{
	reader_skip(r, 8);
	uint32_t start = reader_le32(r);
	*table = reader_le32(r) & FLAG2_TABLE;
	f->count = reader_le32(r);
	*size = reader_le32(r);
	f->height = reader_le32(r);
	f->width = reader_le32(r);
	reader_seek(r, start);
}

int psf_init(struct psf *f, const void *file, size_t len, struct err *e)
{
	struct reader r;
	size_t size = 0;
	bool table = false, first = len >= 2 && le16(file) == MAGIC1;
	*f = (struct psf){0};
	if (!first && (len < 4 || le32(file) != MAGIC2))
		return broken(e, "neither PSF 1 nor PSF 2");
	reader_init(&r, file, len);
	(first ? head1 : head2)(f, &r, &size, &table);
	if (!reader_ok(&r) || f->count == 0 || f->count > PSF_GLYPHS_MAX || f->width == 0 ||
		f->width > PSF_SIDE_MAX || f->height == 0 || f->height > PSF_SIDE_MAX ||
		size != f->height * psf_row(f->width))
		return broken(e, "impossible sizes in its head");
	f->glyphs = reader_take(&r, f->count * size);
	if (!f->glyphs)
		return broken(e, "shorter than its head says");
	f->chars = calloc(PSF_CHARS_MAX, sizeof *f->chars);
	if (!f->chars)
		return err_nomem(e);
	if (table)
		(first ? table1 : table2)(f, &r);
	if (!reader_ok(&r)) {
		psf_clear(f);
		return broken(e, "its table of characters ends early");
	}
	return 0;
}

void psf_clear(struct psf *f)
{
	free(f->chars);
	*f = (struct psf){0};
}

static bool pixel(const struct psf *f, unsigned glyph, unsigned x, unsigned y)
{
	size_t row = psf_row(f->width);
	return f->glyphs[(glyph * f->height + y) * row + x / 8] & (0x80u >> (x % 8));
}

int psf_render(const struct psf *f, unsigned scale, unsigned pitch, struct buf *out, struct err *e)
{
	size_t row = psf_row(f->width * scale);
	uint8_t *at;
	if (f->height * scale > pitch)
		return broken(e, "higher than the console takes");
	int ret = buf_grow(out, f->count * pitch * row, &at, e);
	for (unsigned glyph = 0; ret == 0 && glyph < f->count; glyph++, at += pitch * row)
		for (unsigned y = 0; y < f->height * scale; y++)
			for (unsigned x = 0; x < f->width * scale; x++)
				if (pixel(f, glyph, x / scale, y / scale))
					at[y * row + x / 8] |= (uint8_t)(0x80u >> (x % 8));
	return ret;
}

const struct psf_size *psf_for_screen(unsigned width, unsigned height)
{
	static const struct psf_size sizes[] = {
		{"32x16", 16, 32, 2},
		{"24x12", 12, 24, 2},
		{"32x16", 16, 32, 1},
		{"24x12", 12, 24, 1},
		{"16", 8, 16, 1},
	};
	const struct psf_size *s = sizes;
	while (s->height > 16 && (width / (s->width * s->scale) < COLUMNS_WANTED ||
					 height / (s->height * s->scale) < ROWS_WANTED))
		s++;
	return s;
}
