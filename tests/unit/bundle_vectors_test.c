/* Run tests/vectors/bundle: each file names the step that must fail, and how; or all steps succeed.
 */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "bundle/bundle.h"
#include "bundle/recipient.h"

#define VECTORS "tests/vectors/bundle/"
#define VALUE_MAX 16384

struct vector {
	const char *name;
	char expect[64], lab[128], passphrase[64], keyfile[256], identity[512], entry[16], row[512];
	char *blob;
	struct buf file;
	size_t body;
	char dir[64], path[96];
};

static void set(char *out, size_t cap, const char *value)
{
	assert_true(strlen(value) < cap);
	memcpy(out, value, strlen(value) + 1);
}

static void take_line(struct vector *v, const char *name, const char *value)
{
	const struct {
		const char *name;
		char *out;
		size_t cap;
	} fields[] = {{"expect", v->expect, sizeof v->expect}, {"lab", v->lab, sizeof v->lab},
		{"passphrase", v->passphrase, sizeof v->passphrase},
		{"keyfile", v->keyfile, sizeof v->keyfile},
		{"identity", v->identity, sizeof v->identity}, {"entry", v->entry, sizeof v->entry},
		{"row", v->row, sizeof v->row}, {"blob", v->blob, VALUE_MAX}};
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(name, fields[i].name) == 0)
			set(fields[i].out, fields[i].cap, value);
}

static void load(struct vector *v, const char *name)
{
	char path[512];
	struct err e = ERR_INIT;
	snprintf(path, sizeof path, VECTORS "%s", name);
	v->name = name;
	v->blob = calloc(1, VALUE_MAX);
	assert_non_null(v->blob);
	assert_done(file_read(path, 1 << 20, &v->file, &e), e);
	char *p = (char *)v->file.p;
	while (*p != '\n') {
		char *end = strchr(p, '\n');
		*end = '\0';
		char *colon = strstr(p, ": ");
		if (colon) {
			*colon = '\0';
			take_line(v, p, colon + 2);
		}
		p = end + 1;
	}
	v->body = (size_t)(p + 1 - (char *)v->file.p);
	strcpy(v->dir, "/tmp/odjstick-vector-XXXXXX");
	assert_non_null(mkdtemp(v->dir));
	snprintf(v->path, sizeof v->path, "%s/b", v->dir);
	assert_done(file_create(v->path, v->file.p + v->body, v->file.len - v->body, 0600, &e), e);
}

static void unload(struct vector *v)
{
	unlink(v->path);
	rmdir(v->dir);
	free(v->blob);
	buf_clear(&v->file);
}

static int unlock(const struct vector *v, struct bundle *b, struct err *e)
{
	struct secret pass = SECRET_INIT, keyfile = SECRET_INIT;
	struct recipient_key *key = NULL;
	assert_int_equal(secret_copy(&pass, v->passphrase, strlen(v->passphrase), NULL), 0);
	size_t n = strlen(v->keyfile) / 2;
	assert_int_equal(secret_alloc(&keyfile, n, NULL), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(sscanf(v->keyfile + 2 * i, "%2hhx", &keyfile.p[i]), 1);
	int ret;
	if (v->identity[0]) {
		char path[128], text[640];
		snprintf(path, sizeof path, "%s/k", v->dir);
		snprintf(text, sizeof text, "untrusted comment: x\n%s\n", v->identity);
		assert_int_equal(file_create(path, text, strlen(text), 0600, NULL), 0);
		assert_done(recipient_key_open(&key, path, &pass, e), *e);
		unlink(path);
		ret = bundle_unlock_recipient(b, key, e);
		recipient_key_close(key);
	} else {
		ret = bundle_unlock(b, &pass, n ? &keyfile : NULL, e);
	}
	secret_clear(&pass);
	secret_clear(&keyfile);
	return ret;
}

static int find_all(const struct vector *v, struct bundle *b, uint32_t want, struct err *e)
{
	char parts[4][256] = {"", "", "", ""};
	const char *p = v->row;
	for (int i = 0; i < 4; i++) {
		size_t n = strcspn(p, "|");
		memcpy(parts[i], p, n);
		p += n + (p[n] == '|');
	}
	const struct {
		enum bundle_by by;
		const char *text;
	} asks[] = {{BUNDLE_BY_SERIAL, parts[1]}, {BUNDLE_BY_TAG, parts[2]},
		{BUNDLE_BY_NAME, parts[0]}};
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		uint32_t id = UINT32_MAX;
		int ret = *asks[i].text ? bundle_find(b, asks[i].by, asks[i].text, &id, e) : 0;
		if (ret < 0)
			return ret;
		if (*asks[i].text)
			assert_int_equal(id, want);
	}
	return 0;
}

static int row(const struct vector *v, struct bundle *b, uint32_t id, struct err *e)
{
	struct bundle_row r;
	char text[512];
	int ret = bundle_row(b, id, &r, e);
	if (ret < 0)
		return ret;
	snprintf(text, sizeof text, "%s|%s|%s|%s", r.computer_name, r.serial, r.tag, r.domain);
	assert_string_equal(text, v->row);
	return 0;
}

static int entry(const struct vector *v, struct bundle *b, uint32_t id, struct err *e)
{
	struct secret blob = SECRET_INIT;
	int ret = bundle_entry_open(b, id, &blob, NULL, e);
	if (ret == 0) {
		char *hex = calloc(1, 2 * blob.len + 1);
		for (size_t i = 0; i < blob.len; i++)
			sprintf(hex + 2 * i, "%02x", blob.p[i]);
		assert_string_equal(hex, v->blob);
		free(hex);
	}
	secret_clear(&blob);
	return ret;
}

/* What happened, in the words of a vector. */
static void run(const struct vector *v, char *got, size_t cap, struct err *e)
{
	static const char *const stages[] = {"open", "unlock", "row", "find", "entry", "check"};
	char text[160];
	struct lab_pub lab;
	struct bundle *b = NULL;
	uint32_t id = (uint32_t)strtoul(v->entry, NULL, 10), checked = 0;
	snprintf(text, sizeof text, "untrusted comment: x\n%s\n", v->lab);
	assert_int_equal(lab_pub_parse(text, strlen(text), "vector", &lab, NULL), 0);
	int ret = bundle_open(&b, v->path, &lab, e), stage = 0;
	if (ret == 0)
		ret = unlock(v, b, e), stage++;
	if (ret == 0)
		ret = row(v, b, id, e), stage++;
	if (ret == 0)
		ret = find_all(v, b, id, e), stage++;
	if (ret == 0)
		ret = entry(v, b, id, e), stage++;
	if (ret == 0)
		ret = bundle_check(b, &checked, e), stage++;
	if (ret == 0)
		snprintf(got, cap, "success");
	else
		snprintf(got, cap, "%s %s", stages[stage], err_name(ret));
	bundle_close(b);
}

static void every_vector_ends_as_it_says(void **state)
{
	(void)state;
	struct dirent **names;
	int n = scandir(VECTORS, &names, NULL, alphasort), files = 0, wrong = 0;
	assert_true(n > 2);
	for (int i = 0; i < n; i++) {
		if (strstr(names[i]->d_name, ".odjv")) {
			struct vector v = {0};
			struct err e = ERR_INIT;
			char got[64];
			load(&v, names[i]->d_name);
			run(&v, got, sizeof got, &e);
			if (strcmp(got, v.expect) != 0) {
				fprintf(stderr, "# %s: wanted \"%s\", got \"%s\": %s\n", v.name,
					v.expect, got, e.what);
				wrong++;
			}
			unload(&v);
			files++;
		}
		free(names[i]);
	}
	free(names);
	assert_int_equal(wrong, 0);
	assert_true(files >= 69);
}

int main(void)
{
	if (secret_setup(NULL) < 0)
		return 1;
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_vector_ends_as_it_says)};
	return cmocka_run_group_tests_name("bundle vectors", tests, NULL, NULL);
}
