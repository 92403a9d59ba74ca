/*
 * mkhive: build a registry hive from a description a person can read.
 *
 *   mkhive DESCRIPTION OUT
 *
 * The description, line by line ('#' starts a comment line):
 *
 *   hive NAME MINOR               root key's name; 3 or 5. First line.
 *   time 2025-03-01T08:00:00Z     last-written time of all keys from here on
 *   log empty                     (ignored here: for people)
 *   sd NAME = SDDL                a named security descriptor
 *   root NAME                     descriptor of the root key; before the first key
 *   [Key\Path]                    opens or creates a key (security inherited)
 *   security NAME                 descriptor of the open key
 *   class TEXT                    class name of the open key
 *   "name" = TYPE:DATA            a value; bare word allowed, @ is the default value
 *   fill COUNT VALUES BYTES       COUNT subkeys of the open key, each with VALUES binary values of
 *                                 up to BYTES pseudo-random bytes: a hive of realistic size
 *   later                         the hive so far is saved; what follows is only in OUT.LOG1, as
 * after a power cut while Windows wrote: the hive is dirty
 *
 * TYPE:DATA  sz:"text"  expand:"text"  multi:"a","b"  dword:1  dword:0x1f  qword:5  hex:01 02
 *            hex(11):.. (any type)  time:2025-03-01T08:00:00Z (8 bytes)  zeros(3):4096
 *            policy:Name=1,Other=0 (ProductPolicy)  samf: samv: samc: samdomain: (samdata.h)
 * Text escapes: \\ \" \n \u{263a}
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf16.h"
#include "hive/hive.h"
#include "tests/tools/mkhive/cut.h"
#include "tests/tools/mkhive/samdata.h"
#include "tests/tools/mkhive/sddl.h"

#define SD_MAX 32

struct named_sd {
	char *name;
	struct buf sd;
};

struct maker {
	const char *file;
	unsigned line;
	struct hive *h;
	hive_key key;
	char *hive_name;
	unsigned minor;
	uint64_t now;
	struct named_sd sd[SD_MAX];
	size_t sds;
	uint32_t seed;
	const char *out;
	struct cut cut;
	bool later;
};

static int bad(struct maker *m, struct err *e, const char *what)
{
	return err_set(e, ERR_FORMAT, NULL, "%s:%u: %s", m->file, m->line, what);
}

static const char *skip(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* The next bare word, malloc'ed; *s moves behind it. */
static char *word(const char **s)
{
	const char *p = skip(*s);
	size_t n = strcspn(p, " \t=");
	*s = p + n;
	return strndup(p, n);
}

/* --- text in quotes --- */

static int code_point(struct maker *m, const char **s, struct buf *out, struct err *e)
{
	char *end;
	unsigned long c = (*s)[0] == '{' ? strtoul(*s + 1, &end, 16) : 0;
	if (c == 0 || c > 0xffff || *end != '}')
		return bad(m, e, "write \\u{1..ffff}");
	*s = end + 1;
	uint8_t unit[2];
	put_le16(unit, (uint16_t)c);
	return buf_add(out, unit, 2, e);
}

/* "text" to UTF-16LE without a NUL. */
static int quoted(struct maker *m, const char **s, struct buf *out, struct err *e)
{
	const char *p = skip(*s);
	if (*p++ != '"')
		return bad(m, e, "text must be in quotes");
	while (*p && *p != '"') {
		int ret;
		if (*p == '\\' && p[1] == 'u') {
			p += 2;
			ret = code_point(m, &p, out, e);
		} else if (*p == '\\' && p[1]) {
			char one[2] = {p[1] == 'n' ? '\n' : p[1], 0};
			ret = utf8_to_utf16le(one, false, out, e);
			p += 2;
		} else {
			size_t n = strcspn(p, "\\\"");
			char *part = strndup(p, n);
			ret = part ? utf8_to_utf16le(part, false, out, e) : err_nomem(e);
			free(part);
			p += n;
		}
		if (ret < 0)
			return ret;
	}
	if (*p != '"')
		return bad(m, e, "closing quote is missing");
	*s = p + 1;
	return 0;
}

/* --- data --- */

static int put_multi(struct maker *m, const char *s, struct buf *out, struct err *e)
{
	int ret = 0;
	s = skip(s);
	while (ret == 0 && *s) {
		ret = quoted(m, &s, out, e);
		if (ret == 0)
			ret = buf_add(out, "\0", 2, e);
		s = skip(s);
		if (*s == ',')
			s++;
	}
	return ret == 0 ? buf_add(out, "\0", 2, e) : ret;
}

static int put_hex(struct maker *m, const char *s, struct buf *out, struct err *e)
{
	for (; *s; s++) {
		unsigned v;
		if (strchr(" ,\t", *s))
			continue;
		if (!isxdigit((unsigned char)s[0]) || !isxdigit((unsigned char)s[1]) ||
			sscanf(s, "%2x", &v) != 1)
			return bad(m, e, "bytes are two hex digits each");
		uint8_t b = (uint8_t)v;
		int ret = buf_add(out, &b, 1, e);
		if (ret < 0)
			return ret;
		s++;
	}
	return 0;
}

static int put_number(struct maker *m, const char *s, size_t width, struct buf *out, struct err *e)
{
	char *end;
	uint8_t b[8];
	errno = 0;
	unsigned long long v =
		*s == '-' ? (unsigned long long)strtoll(s, &end, 10) : strtoull(s, &end, 0);
	if (end == s || *skip(end) || errno)
		return bad(m, e, "not a number");
	put_le64(b, v);
	return buf_add(out, b, width, e);
}

static int put_time(struct maker *m, const char *s, struct buf *out, struct err *e)
{
	int64_t t;
	uint8_t b[8];
	if (clock_parse(s, &t) < 0)
		return bad(m, e, "not a time");
	put_le64(b, clock_filetime(t));
	return buf_add(out, b, 8, e);
}

static int policy_record(struct maker *m, const char *name, size_t n, unsigned long v,
	struct buf *out, struct err *e)
{
	struct buf units = BUF_INIT;
	char *copy = strndup(name, n);
	int ret = copy ? utf8_to_utf16le(copy, false, &units, e) : err_nomem(e);
	free(copy);
	size_t total = (16 + units.len + 4 + 3) & ~(size_t)3;
	uint8_t *p;
	if (ret == 0 && n == 0)
		ret = bad(m, e, "policy without a name");
	if (ret == 0)
		ret = buf_grow(out, total, &p, e);
	if (ret == 0) {
		put_le16(p, (uint16_t)total);
		put_le16(p + 2, (uint16_t)units.len);
		put_le16(p + 4, 4);
		put_le16(p + 6, 4);
		memcpy(p + 16, units.p, units.len);
		put_le32(p + 16 + units.len, (uint32_t)v);
	}
	buf_clear(&units);
	return ret;
}

static int put_policy(struct maker *m, const char *s, struct buf *out, struct err *e)
{
	int ret = buf_grow(out, 20, NULL, e);
	for (s = skip(s); ret == 0 && *s; s = skip(s)) {
		size_t n = strcspn(s, "=");
		char *end;
		if (!s[n])
			return bad(m, e, "policy must be Name=number");
		unsigned long v = strtoul(s + n + 1, &end, 0);
		ret = policy_record(m, s, n, v, out, e);
		s = skip(end);
		if (*s == ',')
			s++;
	}
	uint8_t marker[4] = {0x45};
	if (ret == 0)
		ret = buf_add(out, marker, 4, e);
	if (ret < 0)
		return ret;
	put_le32(out->p, (uint32_t)out->len);
	put_le32(out->p + 4, (uint32_t)out->len - 24);
	put_le32(out->p + 8, 4);
	put_le32(out->p + 16, 1);
	return 0;
}

static int text_data(struct maker *m, const char *s, struct buf *out, struct err *e)
{
	int ret = quoted(m, &s, out, e);
	if (ret == 0 && *skip(s))
		ret = bad(m, e, "something follows the text");
	return ret == 0 ? buf_add(out, "\0", 2, e) : ret;
}

static int data(struct maker *m, const char *s, uint32_t *type, struct buf *out, struct err *e)
{
	size_t n = strcspn(s, ":(");
	const char *colon = strchr(s, ':');
	if (!colon)
		return bad(m, e, "value needs TYPE:DATA");
	const char *rest = skip(colon + 1);
	bool typed = s[n] == '(';
	*type = typed ? (uint32_t)strtoul(s + n + 1, NULL, 0) : 0;
#define IS(t) (n == sizeof(t) - 1 && strncmp(s, t, n) == 0)
	if (IS("sz"))
		return *type = HIVE_REG_SZ, text_data(m, rest, out, e);
	if (IS("expand"))
		return *type = HIVE_REG_EXPAND_SZ, text_data(m, rest, out, e);
	if (IS("multi"))
		return *type = HIVE_REG_MULTI_SZ, put_multi(m, rest, out, e);
	if (IS("dword"))
		return *type = HIVE_REG_DWORD, put_number(m, rest, 4, out, e);
	if (IS("qword"))
		return *type = HIVE_REG_QWORD, put_number(m, rest, 8, out, e);
	if (IS("time"))
		return *type = HIVE_REG_BINARY, put_time(m, rest, out, e);
	if (IS("policy"))
		return *type = HIVE_REG_BINARY, put_policy(m, rest, out, e);
	if (IS("zeros"))
		return buf_grow(out, strtoul(rest, NULL, 0), NULL, e);
	if (IS("hex")) {
		*type = typed ? *type : HIVE_REG_BINARY;
		return put_hex(m, rest, out, e);
	}
#undef IS
	bool known;
	*type = HIVE_REG_BINARY;
	int ret = samdata(s, n, rest, out, &known, e);
	return known ? ret : bad(m, e, "unknown type");
}

/* --- lines --- */

static int find_sd(struct maker *m, const char *s, struct span *sd, struct err *e)
{
	char *name = word(&s);
	int ret = bad(m, NULL, "");
	for (size_t i = 0; i < m->sds; i++) {
		if (strcmp(m->sd[i].name, name) != 0)
			continue;
		*sd = SPAN_OF(m->sd[i].sd);
		ret = 0;
	}
	free(name);
	return ret == 0 ? 0 : bad(m, e, "no security descriptor of this name");
}

static int line_sd(struct maker *m, const char *s, struct err *e)
{
	if (m->sds == SD_MAX)
		return bad(m, e, "too many security descriptors");
	struct named_sd *n = &m->sd[m->sds++];
	n->name = word(&s);
	s = skip(s);
	if (*s != '=')
		return bad(m, e, "write: sd NAME = SDDL");
	int ret = sddl_parse(skip(s + 1), &n->sd, e);
	return ret < 0 ? err_ctx(e, "%s:%u", m->file, m->line) : 0;
}

static int line_root(struct maker *m, const char *s, struct err *e)
{
	struct span sd;
	int ret = find_sd(m, s, &sd, e);
	if (ret == 0 && (!m->hive_name || m->h))
		ret = bad(m, e, "root comes once, after hive");
	if (ret == 0)
		ret = hive_create(&m->h, m->minor, m->hive_name, sd, m->now, e);
	if (ret == 0)
		m->key = hive_root(m->h);
	return ret;
}

static int line_key(struct maker *m, const char *s, struct err *e)
{
	size_t n = strlen(s);
	if (n < 2 || s[n - 1] != ']' || !m->h)
		return bad(m, e, "key must be [Path], after root");
	char *path = strndup(s + 1, n - 2);
	int ret = path ? hive_create_key(m->h, hive_root(m->h), path, NULL, &m->key, e)
		       : err_nomem(e);
	free(path);
	return ret;
}

static int line_class(struct maker *m, const char *s, struct err *e)
{
	struct buf b = BUF_INIT;
	int ret = utf8_to_utf16le(skip(s), false, &b, e);
	if (ret == 0)
		ret = hive_set_class(m->h, m->key, b.p, b.len, e);
	buf_clear(&b);
	return ret;
}

static uint32_t random32(struct maker *m)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 17;
	m->seed ^= m->seed << 5;
	return m->seed;
}

static int fill_key(struct maker *m, unsigned k, unsigned values, unsigned bytes, struct err *e)
{
	char name[32];
	uint8_t b[4096];
	hive_key key;
	snprintf(name, sizeof name, "Entry%05u", k);
	int ret = hive_create_key(m->h, m->key, name, NULL, &key, e);
	for (unsigned v = 0; ret == 0 && v < values; v++) {
		size_t n = random32(m) % (bytes + 1);
		for (size_t i = 0; i < n; i++)
			b[i] = (uint8_t)random32(m);
		snprintf(name, sizeof name, "Value%03u", v);
		ret = hive_set_value(m->h, key, name, HIVE_REG_BINARY, b, n, e);
	}
	return ret;
}

static int line_fill(struct maker *m, const char *s, struct err *e)
{
	unsigned count, values, bytes;
	if (sscanf(s, "%u %u %u", &count, &values, &bytes) != 3 || bytes > 4096 || !m->h)
		return bad(m, e, "write: fill COUNT VALUES BYTES (at most 4096)");
	int ret = 0;
	for (unsigned k = 0; ret == 0 && k < count; k++)
		ret = fill_key(m, k, values, bytes, e);
	return ret;
}

static int line_time(struct maker *m, const char *s, struct err *e)
{
	int64_t t;
	if (clock_parse(skip(s), &t) < 0)
		return bad(m, e, "not a time");
	m->now = clock_filetime(t);
	return m->h ? hive_begin(m->h, m->now, e) : 0;
}

static int save(struct maker *m, struct err *e)
{
	struct bytedev *dev;
	int ret = m->h ? bytedev_open_file(&dev, m->out, 1, 1, e) : bad(m, e, "no root line");
	if (ret < 0)
		return ret;
	ret = hive_save(m->h, dev, e);
	bytedev_close(dev);
	return ret;
}

static int line_later(struct maker *m, const char *s, struct err *e)
{
	int ret = *skip(s) || m->later ? bad(m, e, "later stands alone, and once") : save(m, e);
	if (ret == 0)
		ret = cut_begin(&m->cut, &m->h, m->out, m->now, e);
	m->later = ret == 0;
	m->key = m->h ? hive_root(m->h) : HIVE_KEY_NONE;
	return ret;
}

static int line_hive(struct maker *m, const char *s, struct err *e)
{
	free(m->hive_name);
	m->hive_name = word(&s);
	m->minor = (unsigned)strtoul(skip(s), NULL, 10);
	return m->minor == 3 || m->minor == 5 ? 0 : bad(m, e, "write: hive NAME 3|5");
}

static int line_value(struct maker *m, const char *s, struct err *e)
{
	struct buf name = BUF_INIT, b = BUF_INIT;
	char *utf8 = NULL;
	uint32_t type = 0;
	int ret = m->h ? 0 : bad(m, e, "value outside a key");
	if (ret == 0 && *s == '"') {
		ret = quoted(m, &s, &name, e);
		utf8 = ret == 0 ? utf16le_to_utf8(name.p, name.len) : NULL;
	} else if (ret == 0) {
		utf8 = word(&s);
		if (utf8 && strcmp(utf8, "@") == 0)
			*utf8 = '\0';
	}
	s = skip(s);
	if (ret == 0 && (!utf8 || *s != '='))
		ret = bad(m, e, "line is not understood");
	if (ret == 0)
		ret = data(m, skip(s + 1), &type, &b, e);
	if (ret == 0)
		ret = hive_set_value(m->h, m->key, utf8, type, b.p, b.len, e);
	free(utf8);
	buf_clear(&name);
	buf_clear(&b);
	return ret;
}

static int line(struct maker *m, const char *s, struct err *e)
{
	static const struct {
		const char *word;
		int (*run)(struct maker *m, const char *s, struct err *e);
	} kinds[] = {{"hive ", line_hive}, {"time ", line_time}, {"sd ", line_sd},
		{"root ", line_root}, {"class ", line_class}, {"fill ", line_fill}};
	if (strcmp(skip(s), "later") == 0)
		return line_later(m, skip(s) + 5, e);
	s = skip(s);
	if (!*s || *s == '#')
		return 0;
	if (*s == '[')
		return line_key(m, s, e);
	if (strncmp(s, "security ", 9) == 0) {
		struct span sd;
		int ret = find_sd(m, s + 9, &sd, e);
		return ret == 0 ? hive_set_security(m->h, m->key, sd, e) : ret;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].word);
		/* `time = dword:1` is a value, `time 2025-..` is not */
		if (strncmp(s, kinds[i].word, n) == 0 && *skip(s + n) != '=')
			return kinds[i].run(m, s + n, e);
	}
	return line_value(m, s, e);
}

static int run(struct maker *m, FILE *f, struct err *e)
{
	char *text = NULL;
	size_t cap = 0;
	int ret = 0;
	while (ret == 0 && getline(&text, &cap, f) >= 0) {
		m->line++;
		size_t n = strlen(text);
		while (n && strchr(" \t\r\n", text[n - 1]))
			text[--n] = '\0';
		ret = line(m, text, e);
		if (ret < 0)
			err_ctx(e, "%s:%u", m->file, m->line);
	}
	free(text);
	if (ret < 0)
		return ret;
	return m->later ? cut_end(&m->cut, m->h, e) : save(m, e);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	if (argc != 3) {
		fprintf(stderr, "usage: mkhive DESCRIPTION OUT\n");
		return 2;
	}
	FILE *f = fopen(argv[1], "r");
	if (!f) {
		perror(argv[1]);
		return 1;
	}
	struct maker m = {.file = argv[1], .out = argv[2], .seed = 2463534242U};
	int ret = run(&m, f, &e);
	fclose(f);
	if (ret < 0)
		fprintf(stderr, "mkhive: %s\n", e.what);
	hive_close(m.h);
	cut_close(&m.cut);
	free(m.hive_name);
	for (size_t i = 0; i < m.sds; i++) {
		free(m.sd[i].name);
		buf_clear(&m.sd[i].sd);
	}
	return ret < 0;
}
