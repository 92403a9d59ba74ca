#include "windows/answer.h"

#include <expat.h>
#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "windows/unattend.h"

#define NAMESPACE "urn:schemas-microsoft-com:unattend"
#define NEXT "It is untouched. Repair the answer file, or remove it from the image."

static const char *const tag_names[TAG_COUNT] = {
	[TAG_UNATTEND] = "unattend",
	[TAG_SETTINGS] = "settings",
	[TAG_COMPONENT] = "component",
	[TAG_IDENTIFICATION] = "Identification",
	[TAG_OFFLINE_IDENTIFICATION] = "OfflineIdentification",
	[TAG_PROVISIONING] = "Provisioning",
	[TAG_ACCOUNT_DATA] = "AccountData",
	[TAG_COMPUTER_NAME] = "ComputerName",
	[TAG_JOIN_DOMAIN] = "JoinDomain",
	[TAG_JOIN_WORKGROUP] = "JoinWorkgroup",
	[TAG_CREDENTIALS] = "Credentials",
	[TAG_TIME_ZONE] = "TimeZone",
	[TAG_INPUT_LOCALE] = "InputLocale",
};

static const char *const component_names[] = {
	[COMPONENT_OTHER] = "",
	[COMPONENT_JOIN] = "Microsoft-Windows-UnattendedJoin",
	[COMPONENT_SHELL] = "Microsoft-Windows-Shell-Setup",
	[COMPONENT_INTERNATIONAL] = "Microsoft-Windows-International-Core",
};

const char *answer_component_name(enum answer_component c)
{
	return component_names[c];
}

const char *answer_tag_name(enum answer_tag tag)
{
	return tag_names[tag];
}

/* --- expat with memory that is wiped --- */

union block {
	size_t size;
	max_align_t align;
};

static void *wiped_malloc(size_t n)
{
	union block *b = n > SIZE_MAX - sizeof *b ? NULL : malloc(sizeof *b + n);
	if (!b)
		return NULL;
	b->size = n;
	return b + 1;
}

static void wiped_free(void *p)
{
	if (!p)
		return;
	union block *b = (union block *)p - 1;
	sodium_memzero(p, b->size);
	free(b);
}

static void *wiped_realloc(void *p, size_t n)
{
	void *q = wiped_malloc(n);
	if (q && p) {
		size_t old = ((union block *)p - 1)->size;
		memcpy(q, p, old < n ? old : n);
		wiped_free(p);
	}
	return q;
}

/* --- one pass over the file --- */

struct pass {
	XML_Parser parser;
	struct answer *a; /* being filled; NULL on a pass for text */
	struct err *e;
	int ret;
	int depth;
	int stack[UNATTEND_DEPTH_MAX];	  /* node of each open element, -1: not kept */
	const struct answer_node *wanted; /* collect text of the element that starts there */
	int wanted_depth;		  /* 0: not inside */
	struct secret *text;
	size_t used;
};

static void give_up(struct pass *x, int code, const char *what)
{
	if (x->ret == 0)
		x->ret = err_set(x->e, code, NEXT, "the answer file %s (line %lu)", what,
			(unsigned long)XML_GetCurrentLineNumber(x->parser));
	XML_StopParser(x->parser, XML_FALSE);
}

/* "uri\nlocal[\nprefix]". A prefix too long to keep must not hide an element. */
static enum answer_tag split_name(struct pass *x, const char *name, char prefix[ANSWER_PREFIX_MAX])
{
	size_t ns = strlen(NAMESPACE);
	if (strncmp(name, NAMESPACE "\n", ns + 1) != 0)
		return TAG_COUNT;
	const char *local = name + ns + 1;
	const char *nl = strchr(local, '\n');
	size_t len = nl ? (size_t)(nl - local) : strlen(local);
	if (nl && strlen(nl + 1) >= ANSWER_PREFIX_MAX) {
		give_up(x, ERR_LIMIT, "has a name space prefix that is too long");
		return TAG_COUNT;
	}
	if (nl)
		memcpy(prefix, nl + 1, strlen(nl + 1) + 1);
	for (enum answer_tag t = 0; t < TAG_COUNT; t++)
		if (strlen(tag_names[t]) == len && memcmp(tag_names[t], local, len) == 0)
			return t;
	return TAG_COUNT;
}

static const char *attribute(const char **atts, const char *name)
{
	for (; *atts; atts += 2)
		if (strcmp(atts[0], name) == 0)
			return atts[1];
	return "";
}

static void read_attributes(struct answer_node *n, const char **atts)
{
	if (n->tag == TAG_SETTINGS) {
		const char *pass = attribute(atts, "pass");
		n->processed = strcasecmp(attribute(atts, "wasPassProcessed"), "true") == 0;
		n->pass = strcasecmp(pass, "specialize") == 0	      ? PASS_SPECIALIZE
			  : strcasecmp(pass, "offlineServicing") == 0 ? PASS_OFFLINE_SERVICING
			  : strcasecmp(pass, "oobeSystem") == 0	      ? PASS_OOBE
								      : PASS_OTHER;
	}
	if (n->tag == TAG_COMPONENT) {
		const char *name = attribute(atts, "name");
		const char *arch = attribute(atts, "processorArchitecture");
		for (size_t i = COMPONENT_JOIN; i < ARRAY_SIZE(component_names); i++)
			if (strcasecmp(name, component_names[i]) == 0)
				n->component = (enum answer_component)i;
		n->arch = strcasecmp(arch, "amd64") == 0   ? WINDOWS_AMD64
			  : strcasecmp(arch, "x86") == 0   ? WINDOWS_X86
			  : strcasecmp(arch, "arm64") == 0 ? WINDOWS_ARM64
							   : WINDOWS_ARCH_UNKNOWN;
	}
}

static void keep(struct pass *x, enum answer_tag tag, const char *prefix, const char **atts)
{
	struct answer *a = x->a;
	if (a->count == ANSWER_NODES_MAX) {
		give_up(x, ERR_LIMIT, "has too many elements");
		return;
	}
	struct answer_node *n = &a->nodes[a->count];
	*n = (struct answer_node){.tag = tag, .parent = x->depth ? x->stack[x->depth - 1] : -1};
	memcpy(n->prefix, prefix, ANSWER_PREFIX_MAX);
	n->start = (size_t)XML_GetCurrentByteIndex(x->parser);
	n->start_end = n->start + (size_t)XML_GetCurrentByteCount(x->parser);
	read_attributes(n, atts);
	x->stack[x->depth] = (int)a->count++;
}

static void XMLCALL on_start(void *ctx, const char *name, const char **atts)
{
	struct pass *x = ctx;
	char prefix[ANSWER_PREFIX_MAX] = "";
	if (x->depth == UNATTEND_DEPTH_MAX) {
		give_up(x, ERR_LIMIT, "is nested too deeply");
		return;
	}
	enum answer_tag tag = split_name(x, name, prefix);
	if (x->ret < 0)
		return;
	if (x->depth == 0 && tag != TAG_UNATTEND) {
		give_up(x, ERR_FORMAT, "does not begin with an unattend element");
		return;
	}
	if (x->wanted && (size_t)XML_GetCurrentByteIndex(x->parser) == x->wanted->start)
		x->wanted_depth = x->depth + 1;
	x->stack[x->depth] = -1;
	if (x->a && x->depth && x->stack[x->depth - 1] >= 0)
		x->a->nodes[x->stack[x->depth - 1]].has_content = true;
	if (x->a && tag != TAG_COUNT)
		keep(x, tag, prefix, atts);
	x->depth++;
}

static void XMLCALL on_end(void *ctx, const char *name)
{
	struct pass *x = ctx;
	(void)name;
	if (x->ret < 0) /* an empty element ends after its start was refused */
		return;
	if (x->depth == x->wanted_depth)
		x->wanted_depth = 0;
	int i = x->stack[--x->depth];
	if (!x->a || i < 0)
		return;
	struct answer_node *n = &x->a->nodes[i];
	n->end = (size_t)XML_GetCurrentByteIndex(x->parser);
	n->end_end = n->end + (size_t)XML_GetCurrentByteCount(x->parser);
	/* the second to last character of the start tag */
	n->self_closed = answer_char(x->a, n->start_end - 2 * x->a->width) == '/';
	if (n->self_closed)
		n->end = n->end_end = n->start_end;
}

static void XMLCALL on_text(void *ctx, const char *s, int len)
{
	struct pass *x = ctx;
	if (!x->wanted_depth || x->depth != x->wanted_depth)
		return;
	if ((size_t)len > x->text->len - x->used) {
		give_up(x, ERR_LIMIT, "has more text than bytes");
		return;
	}
	memcpy(x->text->p + x->used, s, (size_t)len);
	x->used += (size_t)len;
}

static void XMLCALL on_doctype(
	void *ctx, const char *name, const char *sysid, const char *pubid, int internal)
{
	(void)name, (void)sysid, (void)pubid, (void)internal;
	give_up(ctx, ERR_UNSUPPORTED, "has a document type, which no answer file needs");
}

static void XMLCALL on_declaration(void *ctx, const char *version, const char *encoding, int alone)
{
	(void)alone;
	static const char *const known[] = {"utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii"};
	if (version && strcmp(version, "1.0") != 0) {
		give_up(ctx, ERR_UNSUPPORTED, "is not XML 1.0, which is all that Windows reads");
		return;
	}
	if (!encoding)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcasecmp(encoding, known[i]) == 0)
			return;
	give_up(ctx, ERR_UNSUPPORTED, "is neither UTF-8 nor UTF-16");
}

static int run(struct pass *x, struct span in)
{
	static const XML_Memory_Handling_Suite memory = {wiped_malloc, wiped_realloc, wiped_free};
	x->parser = XML_ParserCreate_MM(NULL, &memory, "\n");
	if (!x->parser)
		return err_nomem(x->e);
	XML_SetReturnNSTriplet(x->parser, 1);
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_start, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	XML_SetXmlDeclHandler(x->parser, on_declaration);
	if (XML_Parse(x->parser, (const char *)in.p, (int)in.len, 1) == XML_STATUS_ERROR &&
		x->ret == 0) {
		enum XML_Error code = XML_GetErrorCode(x->parser);
		if (code == XML_ERROR_NO_MEMORY)
			x->ret = err_nomem(x->e);
		else
			give_up(x,
				code == XML_ERROR_UNKNOWN_ENCODING ? ERR_UNSUPPORTED : ERR_FORMAT,
				XML_ErrorString(code));
	}
	XML_ParserFree(x->parser);
	return x->ret;
}

/* What expat will detect too: the byte order mark, or how '<' lies. */
static void find_width(struct answer *a)
{
	const uint8_t *p = a->bytes.p;
	a->width = 1;
	if (a->bytes.len < 2)
		return;
	if ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == '<' && p[1] == 0))
		a->width = 2;
	if ((p[0] == 0xfe && p[1] == 0xff) || (p[0] == 0 && p[1] == '<')) {
		a->width = 2;
		a->big_endian = true;
	}
}

char answer_char(const struct answer *a, size_t at)
{
	if (at >= a->bytes.len || a->width > a->bytes.len - at)
		return 0;
	const uint8_t *p = a->bytes.p + at;
	unsigned c = a->width == 1 ? p[0] : a->big_endian ? (unsigned)(p[0] << 8 | p[1]) : le16(p);
	return (char)(c < 0x80 ? c : 0);
}

int answer_parse(struct answer *a, const void *p, size_t len, struct err *e)
{
	*a = (struct answer){.bytes = {p, len}};
	if (len > UNATTEND_MAX)
		return err_set(e, ERR_LIMIT, NEXT, "the answer file has %zu bytes; at most %zu",
			len, UNATTEND_MAX);
	a->nodes = calloc(ANSWER_NODES_MAX, sizeof *a->nodes);
	if (!a->nodes)
		return err_nomem(e);
	find_width(a);
	for (size_t i = 0; i + a->width < len && !a->crlf; i += a->width)
		a->crlf = answer_char(a, i) == '\r';
	struct pass x = {.a = a, .e = e};
	int ret = run(&x, a->bytes);
	if (ret < 0)
		answer_clear(a);
	return ret;
}

void answer_clear(struct answer *a)
{
	free(a->nodes);
	*a = (struct answer){0};
}

int answer_child(const struct answer *a, int parent, enum answer_tag tag, int after)
{
	for (size_t i = (size_t)(after + 1); parent >= 0 && i < a->count; i++)
		if (a->nodes[i].parent == parent && a->nodes[i].tag == tag)
			return (int)i;
	return -1;
}

int answer_text(const struct answer *a, int node, struct secret *text, struct err *e)
{
	const struct answer_node *n = &a->nodes[node];
	/* UTF-8 of UTF-16 text is at most half as long again */
	int ret = secret_alloc(text, (n->end - n->start_end) * 2, e);
	struct pass x = {.e = e, .wanted = n, .text = text};
	if (ret == 0)
		ret = run(&x, a->bytes);
	if (ret < 0)
		secret_clear(text);
	else
		secret_truncate(text, x.used);
	return ret;
}
