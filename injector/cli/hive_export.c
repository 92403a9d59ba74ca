/* Export of a hive: .reg files as regedit reads them, and the stable text form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"
#include "cli/hive_text.h"

#define LINE_MAX_REG 76 /* regedit wraps hex data about here */

/* --- walking: keys in stored (sorted) order, each with its values --- */

typedef int (*visit_fn)(void *ctx, const struct hive *h, hive_key key, struct err *e);

struct level {
	hive_key key;
	uint32_t next;
};

static int walk(const struct hive *h, hive_key top, visit_fn visit, void *ctx, struct err *e)
{
	CLEANUP(freep) struct level *stack = calloc(HIVE_DEPTH_MAX + 2, sizeof *stack);
	size_t n = 1;
	if (!stack)
		return err_nomem(e);
	stack[0].key = top;
	int ret = visit(ctx, h, top, e);
	while (ret == 0 && n) {
		struct level *l = &stack[n - 1];
		struct hive_key_info info;
		ret = hive_key_info(h, l->key, &info, e);
		if (ret < 0)
			break;
		if (l->next == info.subkeys) {
			n--;
			continue;
		}
		if (n > HIVE_DEPTH_MAX)
			return err_set(e, ERR_INTEGRITY, NULL, "keys are nested too deep");
		hive_key sub;
		ret = hive_subkey_at(h, l->key, l->next++, &sub, e);
		if (ret == 0)
			ret = visit(ctx, h, sub, e);
		if (ret == 0)
			stack[n++] = (struct level){sub, 0};
	}
	return ret;
}

static int read_data(
	const struct hive *h, const struct hive_value *v, struct buf *out, struct err *e)
{
	uint8_t *at;
	out->len = 0;
	int ret = buf_grow(out, v->size, &at, e);
	return ret == 0 ? hive_read_value(h, v, at, e) : ret;
}

/* --- .reg: UTF-16LE, so that names without a UTF-8 form survive --- */

struct reg {
	const char *root;
	struct buf line;
};

static void put16(uint16_t c)
{
	putchar(c & 0xff);
	putchar(c >> 8);
}

static void put_ascii(const char *s)
{
	for (; *s; s++)
		put16((uint16_t)(unsigned char)*s);
}

static int put_utf8(const char *s, struct err *e)
{
	CLEANUP(buf_clear) struct buf b = BUF_INIT;
	int ret = utf8_to_utf16le(s, false, &b, e);
	if (ret == 0)
		fwrite(b.p, 1, b.len, stdout);
	return ret;
}

static void put_escaped(uint16_t c)
{
	if (c == '\\' || c == '"')
		put16('\\');
	put16(c);
}

static void put_name_quoted(const struct hive_name *n)
{
	put16('"');
	for (size_t i = 0; i < hive_name_len(n); i++)
		put_escaped(hive_name_unit(n, i));
	put16('"');
}

/* Text that can stand in quotes: clean and on one line. */
static bool one_line(const struct buf *b)
{
	if (!hive_text_clean(b->p, b->len))
		return false;
	for (size_t i = 0; i < b->len; i += 2)
		if (le16(b->p + i) == '\n' || le16(b->p + i) == '\r')
			return false;
	return true;
}

static void reg_hex(const struct buf *b, uint32_t type, size_t column)
{
	char s[16];
	if (type == HIVE_REG_BINARY)
		snprintf(s, sizeof s, "hex:");
	else
		snprintf(s, sizeof s, "hex(%x):", type);
	put_ascii(s);
	column += strlen(s);
	for (size_t i = 0; i < b->len; i++) {
		bool last = i + 1 == b->len;
		snprintf(s, sizeof s, "%02x%s", b->p[i], last ? "" : ",");
		put_ascii(s);
		column += 3;
		if (!last && column > LINE_MAX_REG) {
			put_ascii("\\\r\n  ");
			column = 2;
		}
	}
}

static int reg_value(const struct hive *h, const struct hive_value *v, struct buf *b, struct err *e)
{
	char s[16];
	int ret = read_data(h, v, b, e);
	if (ret < 0)
		return ret;
	if (hive_name_len(&v->name))
		put_name_quoted(&v->name);
	else
		put16('@');
	put16('=');
	if (v->type == HIVE_REG_SZ && one_line(b)) {
		put16('"');
		for (size_t i = 0; i + 2 < b->len; i += 2)
			put_escaped(le16(b->p + i));
		put16('"');
	} else if (v->type == HIVE_REG_DWORD && b->len == 4) {
		snprintf(s, sizeof s, "dword:%08x", le32(b->p));
		put_ascii(s);
	} else {
		reg_hex(b, v->type, 3 + hive_name_len(&v->name));
	}
	put_ascii("\r\n");
	return 0;
}

/* "\A\B" in units, without going through UTF-8. */
static int put_path(const struct hive *h, hive_key key, struct err *e)
{
	hive_key chain[HIVE_DEPTH_MAX + 1];
	size_t n = 0;
	struct hive_key_info info;
	while (key != hive_root(h)) {
		int ret = hive_key_info(h, key, &info, e);
		if (ret < 0)
			return ret;
		if (n > HIVE_DEPTH_MAX)
			return err_set(e, ERR_INTEGRITY, NULL, "keys are nested too deep");
		chain[n++] = key;
		key = info.parent;
	}
	while (n) {
		int ret = hive_key_info(h, chain[--n], &info, e);
		if (ret < 0)
			return ret;
		put16('\\');
		for (size_t i = 0; i < hive_name_len(&info.name); i++)
			put16(hive_name_unit(&info.name, i));
	}
	return 0;
}

static int reg_key(void *ctx, const struct hive *h, hive_key key, struct err *e)
{
	struct reg *r = ctx;
	struct hive_key_info info;
	put_ascii("\r\n[");
	int ret = put_utf8(r->root, e);
	if (ret == 0)
		ret = put_path(h, key, e);
	if (ret == 0)
		ret = hive_key_info(h, key, &info, e);
	put_ascii("]\r\n");
	for (uint32_t i = 0; ret == 0 && i < info.values; i++) {
		struct hive_value v;
		ret = hive_value_at(h, key, i, &v, e);
		if (ret == 0)
			ret = reg_value(h, &v, &r->line, e);
	}
	return ret;
}

static int flushed(int ret, struct err *e)
{
	if (ret == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		return err_sys(e, ERR_IO, NULL, "cannot write to standard output");
	return ret;
}

int hive_export_reg(const struct hive *h, hive_key key, const char *root, struct err *e)
{
	struct reg r = {root, BUF_INIT};
	put16(0xfeff);
	put_ascii("Windows Registry Editor Version 5.00\r\n");
	int ret = walk(h, key, reg_key, &r, e);
	buf_clear(&r.line);
	return flushed(ret, e);
}

/* --- the stable text form: what mkhive reads, so that diffs are readable --- */

static void text_unit(uint16_t c)
{
	if (c == '\\' || c == '"')
		printf("\\%c", c);
	else if (c >= 0x20 && c < 0x7f)
		putchar(c);
	else
		printf("\\u{%x}", c);
}

static void text_quoted(const uint8_t *p, size_t units)
{
	putchar('"');
	for (size_t i = 0; i < units; i++)
		text_unit(le16(p + 2 * i));
	putchar('"');
}

static void text_multi(const struct buf *b)
{
	for (size_t i = 0; i + 2 < b->len;) {
		size_t n = 0;
		while (le16(b->p + i + 2 * n) != 0)
			n++;
		fputs(i ? "," : "", stdout);
		text_quoted(b->p + i, n);
		i += 2 * n + 2;
	}
}

static void text_hex(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%s%02x", i ? " " : "", p[i]);
}

static void text_data(uint32_t type, const struct buf *b)
{
	if ((type == HIVE_REG_SZ || type == HIVE_REG_EXPAND_SZ) && hive_text_clean(b->p, b->len)) {
		fputs(type == HIVE_REG_SZ ? "sz:" : "expand:", stdout);
		text_quoted(b->p, b->len / 2 - 1);
	} else if (type == HIVE_REG_MULTI_SZ && hive_multi_clean(b->p, b->len)) {
		fputs("multi:", stdout);
		text_multi(b);
	} else if (type == HIVE_REG_DWORD && b->len == 4) {
		printf("dword:0x%x", le32(b->p));
	} else if (type == HIVE_REG_QWORD && b->len == 8) {
		printf("qword:0x%llx", (unsigned long long)le64(b->p));
	} else {
		if (type == HIVE_REG_BINARY)
			fputs("hex:", stdout);
		else
			printf("hex(%u):", type);
		text_hex(b->p, b->len);
	}
}

static void text_path(const struct hive *h, hive_key key)
{
	CLEANUP(freep) char *path = hive_key_path(h, key);
	printf("\n[%s]\n", path ? path : "?");
}

static int text_key(void *ctx, const struct hive *h, hive_key key, struct err *e)
{
	struct buf *b = ctx;
	struct hive_key_info info;
	int ret = hive_key_info(h, key, &info, e);
	if (ret < 0)
		return ret;
	text_path(h, key);
	if (info.flags & ~0x2c)
		printf("# flags 0x%x\n", info.flags);
	if (info.class_name.len) {
		fputs("class ", stdout);
		for (size_t i = 0; i + 1 < info.class_name.len; i += 2)
			text_unit(le16(info.class_name.p + i));
		putchar('\n');
	}
	fputs("# security ", stdout);
	text_hex(info.sd.p, info.sd.len);
	putchar('\n');
	for (uint32_t i = 0; ret == 0 && i < info.values; i++) {
		struct hive_value v;
		ret = hive_value_at(h, key, i, &v, e);
		if (ret == 0)
			ret = read_data(h, &v, b, e);
		if (ret < 0)
			break;
		if (hive_name_len(&v.name) == 0) {
			putchar('@');
		} else {
			putchar('"');
			for (size_t k = 0; k < hive_name_len(&v.name); k++)
				text_unit(hive_name_unit(&v.name, k));
			putchar('"');
		}
		fputs(" = ", stdout);
		text_data(v.type, b);
		putchar('\n');
	}
	return ret;
}

int hive_export_text(const struct hive *h, hive_key key, struct err *e)
{
	CLEANUP(buf_clear) struct buf b = BUF_INIT;
	return flushed(walk(h, key, text_key, &b, e), e);
}
