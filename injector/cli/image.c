/* odjstick image: the lab signs what a stick boots; anybody checks a stick that came back. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bundle/lab.h"
#include "cli/cli.h"
#include "media/dataroot.h"
#include "media/layout.h"
#include "media/manifest.h"
#include "media/tail.h"

#define HASH_TEXT (2 * MANIFEST_HASH + 1)

static void hex(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

/* --- sign ----------------------------------------------------------------------------------- */

static void name_difference(void *ctx, const struct manifest_range *r)
{
	(void)ctx;
	fprintf(stderr, "differs  %s\n", r->name);
}

static int sign(const char *path, const struct lab_key *key, struct err *e)
{
	struct blockdev *d = NULL;
	struct manifest m = {0};
	size_t bad = 0;
	int ret = blockdev_open(&d, path, 0, 0, true, e);
	if (ret == 0)
		ret = manifest_read(&m, d, e);
	if (ret == 0)
		ret = manifest_layout(&m, d, e);
	if (ret == 0)
		ret = manifest_compare(&m, d, name_difference, NULL, &bad, e);
	if (ret == 0 && bad)
		ret = err_set(e, ERR_INTEGRITY,
			"It was not signed. Build the image again, or copy it again from there.",
			"%s is not as it was built: %zu places differ", path, bad);
	if (ret == 0)
		ret = manifest_sign(&m, d, key, e);
	int closed = blockdev_close(d, ret == 0 ? e : NULL);
	if (ret == 0)
		ret = closed;
	if (ret == 0) {
		char code[MANIFEST_CODE_TEXT], id[LAB_KEYID_TEXT], text[HASH_TEXT];
		manifest_code(m.hash, code);
		hex(m.hash, sizeof m.hash, text);
		lab_keyid(lab_key_pub(key), id);
		printf("image hash   %s  (%s)\nsigned by    %s\n", code, text, id);
	}
	manifest_clear(&m);
	return ret;
}

static int run_sign(int argc, char **argv, struct err *e)
{
	const char *path, *lab = NULL, *file = NULL;
	const struct cli_opt opts[] = {
		{"--lab", &lab, NULL}, {"--passphrase-file", &file, NULL}, {NULL, NULL, NULL}};
	struct secret passphrase = SECRET_INIT;
	struct lab_key *key = NULL;
	int ret = cli_parse(argc, argv, opts, 1, 1, &path, NULL, e);
	if (ret == 0 && !lab)
		ret = err_set(e, ERR_USAGE, NULL, "--lab LAB.key is missing");
	if (ret == 0)
		ret = secret_read_passphrase(&passphrase, file, "Passphrase of the lab key", 0, e);
	if (ret == 0)
		ret = lab_key_open(&key, lab, &passphrase, e);
	secret_clear(&passphrase);
	if (ret == 0)
		ret = sign(path, key, e);
	lab_key_close(key);
	return ret;
}

/* --- verify --------------------------------------------------------------------------------- */

struct finding {
	const char *path;
	const char *image; /* the code or hash it must have; NULL: any image of the lab */
	const char *since; /* as given; NULL: signed at any time */
	int64_t since_time;
	struct manifest m;
	char trusted[LAB_COMMENT_MAX + 1];
	json_t *differs; /* names; NULL: they are printed */
};

static void note_difference(void *ctx, const struct manifest_range *r)
{
	const struct finding *f = ctx;
	if (f->differs)
		json_array_append_new(f->differs, json_string(r->name));
	else
		printf("differs      %s\n", r->name);
}

/* Do two texts name one hash? Whatever their letters, and with or without hyphens. */
static bool same_name(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == '-')
			a++;
		while (*b == '-')
			b++;
		if (toupper((unsigned char)*a) != toupper((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

static bool is_image(const struct manifest *m, const char *name)
{
	char code[MANIFEST_CODE_TEXT], text[HASH_TEXT];
	manifest_code(m->hash, code);
	hex(m->hash, sizeof m->hash, text);
	return same_name(name, code) || same_name(name, text);
}

/* An old image of the lab's stays an image of the lab's: which one is wanted, the caller knows. */
static int check_wanted(const struct finding *f, struct err *e)
{
	static const char next[] =
		"It is one of the lab's images, unchanged, but not this one: an "
		"older one may have faults that are mended since. Have the stick "
		"made again.";
	int64_t signed_at;
	if (f->image && !is_image(&f->m, f->image)) {
		char code[MANIFEST_CODE_TEXT];
		manifest_code(f->m.hash, code);
		return err_set(e, ERR_INTEGRITY, next, "%s holds the image %s, not %s", f->path,
			code, f->image);
	}
	if (!f->since)
		return 0;
	if (manifest_signed_at(f->trusted, &signed_at) < 0)
		return err_set(e, ERR_INTEGRITY, "Name the image instead: --image.",
			"%s: its signature does not say when it was made", f->path);
	if (signed_at < f->since_time)
		return err_set(e, ERR_INTEGRITY, next, "%s was not signed since %s: %s", f->path,
			f->since, f->trusted);
	return 0;
}

/* All ranges are looked at, so that one report names all that differs. What differs is the verdict,
 * also when something else cannot be read. */
static int verify_open(
	struct finding *f, struct blockdev *d, const struct lab_pub *lab, struct err *e)
{
	struct layout l;
	size_t bad = 0;
	blockdev_drop_cache(d);
	int ret = manifest_read(&f->m, d, e);
	if (ret == 0)
		ret = manifest_signed_by(&f->m, d, lab, f->trusted, e);
	if (ret == 0)
		ret = manifest_compare(&f->m, d, note_difference, f, &bad, e);
	if (bad) {
		err_clear(e);
		ret = err_set(e, ERR_INTEGRITY,
			"Do not start a PC from it. Keep it as it is for the investigation; "
			"bundle and journal are judged by journal verify.",
			"%s was changed after the lab signed it: %zu places differ", f->path, bad);
	}
	if (ret == 0)
		ret = manifest_layout(&f->m, d, e);
	if (ret == 0)
		ret = layout_read(&l, d, e);
	if (ret == 0)
		ret = tail_check(d, l.data_start + l.data_length, e);
	if (ret == 0)
		ret = dataroot_check(&l, d, e);
	return ret < 0 ? ret : check_wanted(f, e);
}

static int report(const struct finding *f, const struct lab_pub *lab, struct err *e)
{
	char code[MANIFEST_CODE_TEXT], id[LAB_KEYID_TEXT], text[HASH_TEXT];
	manifest_code(f->m.hash, code);
	hex(f->m.hash, sizeof f->m.hash, text);
	lab_keyid(lab, id);
	if (f->differs) {
		char when[CLOCK_TEXT_MAX] = "";
		int64_t t;
		if (manifest_signed_at(f->trusted, &t) == 0)
			clock_text(t, when);
		return cli_print_json(
			json_pack("{s:s, s:s, s:s, s:s*, s:s, s:O}", "image", text, "code", code,
				"signed_by", id, "signed_at", when[0] ? when : NULL, "comment",
				f->trusted, "differs", f->differs),
			e);
	}
	printf("image hash   %s  (%s)\nsigned by    %s: %s\n", code, text, id, f->trusted);
	return 0;
}

static int run_verify(int argc, char **argv, struct err *e)
{
	const char *lab_path = NULL;
	bool json = false;
	struct finding f = {.path = NULL};
	const struct cli_opt opts[] = {{"--lab", &lab_path, NULL}, {"--image", &f.image, NULL},
		{"--signed-since", &f.since, NULL}, {"--json", NULL, &json}, {NULL, NULL, NULL}};
	struct blockdev *d = NULL;
	struct lab_pub lab;
	int ret = cli_parse(argc, argv, opts, 1, 1, &f.path, NULL, e);
	if (ret == 0 && !lab_path)
		ret = err_set(e, ERR_USAGE, NULL, "--lab LAB.pub is missing");
	if (ret == 0 && f.since && clock_parse(f.since, &f.since_time) < 0)
		ret = err_set(e, ERR_USAGE, NULL,
			"--signed-since %s: give a date, e.g. 2026-11-25, or 2026-11-25T08:00:00Z",
			f.since);
	if (ret == 0)
		ret = lab_pub_read(lab_path, &lab, e);
	if (ret == 0)
		ret = blockdev_open(&d, f.path, 0, 0, false, e);
	if (ret < 0)
		return ret;
	if (json && !(f.differs = json_array()))
		ret = err_nomem(e);
	if (ret == 0)
		ret = verify_open(&f, d, &lab, e);
	if (ret == 0 || json_array_size(f.differs) > 0) {
		int said = report(&f, &lab, ret == 0 ? e : NULL);
		if (ret == 0)
			ret = said;
	}
	if (ret == 0 && !json)
		printf("%s is as the lab signed it.\n"
		       "Not part of it: the files of the data partition (journal verify), and the "
		       "stick's own electronics.\n",
			f.path);
	blockdev_close(d, NULL);
	manifest_clear(&f.m);
	json_decref(f.differs);
	return ret;
}

static const struct cli_verb verbs[] = {
	{"sign", "IMG --lab LAB.key [--passphrase-file F]",
		"the lab vouches for an image; every stick made from it can then be verified",
		run_sign},
	{"verify", "DEVICE|IMG --lab LAB.pub [--image CODE] [--signed-since DATE] [--json]",
		"is what a stick boots what the lab signed? Names every file and area that differs",
		run_verify},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_image = {"image", "what a stick boots", verbs};
