/*
 * Splicer: cut and insert text in an answer file that answer.h has mapped, and
 * leave every other byte as it is. Private to windows/.
 *
 * Text is ASCII and encoded like the file when it is written; SPLICE_BLOB in it
 * stands for the blob's base64, so that nothing secret is in ordinary memory.
 * The first failure sticks in `ret`, so that what is written reads straight down.
 */
#ifndef WINDOWS_SPLICER_H
#define WINDOWS_SPLICER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"
#include "windows/answer.h"
#include "windows/unattend.h"

#define SPLICES_MAX 64
#define SPLICE_BLOB "\1"

/* Replace `remove` bytes at `at` by text (ASCII; encoded when written). */
struct splice {
	size_t at, remove;
	struct buf text;
};

struct splicer {
	struct answer *a;
	const struct unattend_join *join;
	size_t count;
	struct splice v[SPLICES_MAX];
	struct err *e;
	int ret;
	/* text being built */
	struct buf *out;
	const char *prefix;
	char indent[64];
	int level;
	bool pretty;
};

/* Remove bytes; text may be added to the result. NULL after a failure. */
struct splice *splice_cut(struct splicer *d, size_t at, size_t cut);

/* Give a node another content. */
void splice_content(struct splicer *d, const struct answer_node *n, const char *value);

/* Write children of n in front of its end tag, indented as it is, in between. */
void splice_begin(struct splicer *d, const struct answer_node *n);
void splice_open(struct splicer *d, enum answer_tag tag, const char *attributes);
void splice_component(struct splicer *d, const char *component);
void splice_leaf(struct splicer *d, enum answer_tag tag, const char *value);
void splice_close(struct splicer *d, enum answer_tag tag);
void splice_end(struct splicer *d, const struct answer_node *n);

/* The new file, and what the splices held is freed. */
int splice_write(struct splicer *d, struct secret *out, struct err *e);

int splice_base64(const struct secret *raw, struct secret *text, struct err *e);

#endif
