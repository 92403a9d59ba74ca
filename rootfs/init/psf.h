/*
 * Console fonts: PC Screen Font files, versions 1 and 2, and which size suits a screen.
 *
 * Format: kbd's doc/font-formats (psf_1, psf_2). Glyphs are rows of whole bytes, the leftmost pixel
 * in the highest bit; then, per glyph, the characters it stands for. Sequences of combining
 * characters are skipped: the Linux console has no use for them.
 */
#ifndef INIT_PSF_H
#define INIT_PSF_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define PSF_GLYPHS_MAX 512 /* of the Linux console */
#define PSF_SIDE_MAX 32	   /* of a glyph in a file */
#define PSF_CHARS_MAX 8192

struct psf_char {
	uint16_t code, glyph;
};

struct psf {
	unsigned width, height, count;
	const uint8_t *glyphs; /* into the file; count * height * psf_row() bytes */
	struct psf_char *chars;
	size_t n_chars;
};

/* Takes a whole file apart; the file's bytes must outlive the font. -ERR_FORMAT */
int psf_init(struct psf *f, const void *file, size_t len, struct err *e);
void psf_clear(struct psf *f);

/* Bytes of one row of a glyph that is width pixels wide. */
size_t psf_row(unsigned width);

/* All glyphs as the kernel takes them: pitch rows each, every pixel `scale` (1 or 2) times as wide
 * and high. */
int psf_render(const struct psf *f, unsigned scale, unsigned pitch, struct buf *out, struct err *e);

/* A font of the stick and how much it is enlarged. */
struct psf_size {
	const char *name; /* "16", "24x12", "32x16" */
	unsigned width, height, scale;
};

/* The largest letters that leave at least 100 columns and 30 rows; the smallest otherwise. */
const struct psf_size *psf_for_screen(unsigned width, unsigned height);

#endif
