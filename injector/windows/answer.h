/*
 * Answer file as a map: where the elements that matter lie in the bytes.
 * Private to windows/.
 *
 * expat reads; only elements of the unattend namespace that lead to a join or a
 * computer name are kept. Offsets count bytes of the input, in whatever encoding
 * it has. Nothing is copied but a computer name: an answer file may hold
 * somebody's password, so expat's own memory is wiped when it is freed.
 */
#ifndef WINDOWS_ANSWER_H
#define WINDOWS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"
#include "windows/facts.h"

#define ANSWER_NODES_MAX 4096
#define ANSWER_PREFIX_MAX 32

enum answer_tag {
	TAG_UNATTEND,
	TAG_SETTINGS,
	TAG_COMPONENT,
	TAG_IDENTIFICATION,
	TAG_OFFLINE_IDENTIFICATION,
	TAG_PROVISIONING,
	TAG_ACCOUNT_DATA,
	TAG_COMPUTER_NAME,
	TAG_JOIN_DOMAIN,
	TAG_JOIN_WORKGROUP,
	TAG_CREDENTIALS,
	TAG_TIME_ZONE,
	TAG_INPUT_LOCALE,
	TAG_COUNT, /* everything else: not kept */
};

enum answer_pass { PASS_OTHER, PASS_SPECIALIZE, PASS_OFFLINE_SERVICING, PASS_OOBE };
enum answer_component {
	COMPONENT_OTHER,
	COMPONENT_JOIN,
	COMPONENT_SHELL,
	COMPONENT_INTERNATIONAL,
};

struct answer_node {
	int parent; /* index of the parent element, -1: the root, or a parent that is not kept */
	enum answer_tag tag;
	size_t start, start_end; /* of the start tag */
	size_t end, end_end;	 /* of the end tag; equal to start_end when self_closed */
	bool self_closed;
	bool has_content; /* elements inside, of any kind */
	char prefix[ANSWER_PREFIX_MAX];
	enum answer_pass pass;		 /* of a settings element */
	bool processed;			 /* of a settings element: Windows has done this pass */
	enum answer_component component; /* of a component element */
	enum windows_arch arch;
};

struct answer {
	struct span bytes;
	size_t width;	 /* bytes of an ASCII character: 1 or 2 */
	bool big_endian; /* of a 2-byte encoding */
	bool crlf;
	size_t count;
	struct answer_node *nodes;
};

/* -ERR_FORMAT, -ERR_UNSUPPORTED (document type, encoding), -ERR_LIMIT. */
int answer_parse(struct answer *a, const void *p, size_t len, struct err *e);
void answer_clear(struct answer *a);

/* The next child of `parent` (-1: none) with this tag after node `after` (-1: the first), or -1. */
int answer_child(const struct answer *a, int parent, enum answer_tag tag, int after);

/* Character data directly inside a node, UTF-8, as an XML reader sees it. */
int answer_text(const struct answer *a, int node, struct secret *text, struct err *e);

/* Name of a component, as Windows spells it. */
const char *answer_component_name(enum answer_component c);

/* Element name of a tag. */
const char *answer_tag_name(enum answer_tag tag);

/* The character at a byte offset, 0 when it is not ASCII or beyond the end. */
char answer_char(const struct answer *a, size_t at);

#endif
