/* odjstick stick: make a stick, or its data folder, from a lab's bundle. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytedev.h"
#include "base/file.h"
#include "bundle/bundle.h"
#include "cli/cli.h"
#include "cli/stick.h"
#include "journal/journal.h"

#define COPY_CHUNK (1u << 20)

void stick_lab_clear(struct stick_lab *l)
{
	lab_key_close(l->key);
}

static int sign_start(void *ctx, const uint8_t *p, size_t n, uint8_t sig[64], struct err *e)
{
	(void)e;
	lab_sign_plain(ctx, p, n, sig);
	return 0;
}

int stick_lab_read(
	struct stick_lab *l, const char *path, const char *passphrase_file, struct err *e)
{
	struct err not_pub = ERR_INIT;
	struct secret passphrase = SECRET_INIT;
	int ret = lab_pub_read(path, &l->pub, &not_pub);
	if (ret == 0)
		return 0;
	if (ret != -ERR_FORMAT) {
		*e = not_pub;
		return ret;
	}
	size_t n = strlen(path);
	if (n < 4 || strcmp(path + n - 4, ".key") != 0) {
		*e = not_pub;
		return ret;
	}
	ret = secret_read_passphrase(
		&passphrase, passphrase_file, "Passphrase of the lab key", 0, e);
	if (ret == 0)
		ret = lab_key_open(&l->key, path, &passphrase, e);
	if (ret == 0)
		l->pub = *lab_key_pub(l->key);
	secret_clear(&passphrase);
	return ret;
}

/* What an operating system leaves on every stick it sees, and what our image holds (README.TXT). */
static bool is_clutter(const char *name)
{
	static const char *const names[] = {".", "..", "System Volume Information", "$RECYCLE.BIN",
		"lost+found", "README.TXT", ".Trashes", ".fseventsd", ".Spotlight-V100"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static int need_empty(const char *dir, struct err *e)
{
	CLEANUP(freep) char *journal = path_join(dir, "journal");
	if (!journal)
		return err_nomem(e);
	if (file_exists(journal))
		return err_set(e, ERR_EXISTS,
			"It is untouched. Keep its journal for the audit; use an empty folder.",
			"%s is a stick already", dir);
	DIR *d = opendir(dir);
	if (!d)
		return err_sys(
			e, ERR_IO, "Check the name and the permissions.", "cannot open %s", dir);
	int ret = 0;
	for (const struct dirent *de = readdir(d); ret == 0 && de; de = readdir(d))
		if (!is_clutter(de->d_name))
			ret = err_set(e, ERR_EXISTS,
				"It is untouched. Name an empty folder, or empty this one.",
				"%s is not empty: it holds \"%s\"", dir, de->d_name);
	closedir(d);
	return ret;
}

static int copy(struct bytedev *from, struct bytedev *to, struct err *e)
{
	uint64_t size = 0;
	CLEANUP(freep) uint8_t *chunk = malloc(COPY_CHUNK);
	if (!chunk)
		return err_nomem(e);
	int ret = bytedev_size(from, &size, e);
	for (uint64_t off = 0; ret == 0 && off < size;) {
		size_t n = size - off < COPY_CHUNK ? (size_t)(size - off) : COPY_CHUNK;
		ret = bytedev_read(from, off, chunk, n, e);
		if (ret == 0)
			ret = bytedev_write(to, off, chunk, n, e);
		off += n;
	}
	if (ret == 0)
		ret = bytedev_sync(to, e);
	bytedev_drop_cache(to);
	return ret;
}

static int copy_file(const char *from_path, const char *to_path, struct err *e)
{
	struct bytedev *from = NULL, *to = NULL;
	int ret = bytedev_open_file(&from, from_path, 0, 0, e);
	if (ret == 0)
		ret = bytedev_open_file(&to, to_path, 1, 1, e);
	if (ret == 0)
		ret = copy(from, to, e);
	if (from)
		bytedev_close(from);
	if (to)
		bytedev_close(to);
	return ret;
}

/* The copy on the stick is what is verified and described, not the file it came from. */
static int put_bundle(const char *dir, const char *source, const struct stick_lab *l,
	struct bundle_facts *facts, struct err *e)
{
	struct bundle *b = NULL;
	CLEANUP(freep) char *path = path_join(dir, "bundle.odjb");
	if (!path)
		return err_nomem(e);
	int ret = copy_file(source, path, e);
	if (ret == 0)
		ret = bundle_open(&b, path, &l->pub, e);
	if (ret == 0)
		*facts = *bundle_facts(b);
	bundle_close(b);
	return ret;
}

static int put_lab(const char *dir, const struct stick_lab *l, struct err *e)
{
	struct buf text = BUF_INIT;
	CLEANUP(freep) char *path = path_join(dir, "lab.pub");
	int ret = path ? lab_pub_text(&l->pub, &text, e) : err_nomem(e);
	if (ret == 0)
		ret = file_create(path, text.p, text.len, 0644, e);
	buf_clear(&text);
	return ret;
}

static int put_journal(const char *dir, const struct stick_lab *l, const struct bundle_facts *facts,
	struct journal_origin *origin, struct err *e)
{
	char fingerprint[LAB_FINGERPRINT_TEXT];
	lab_fingerprint(&l->pub, fingerprint);
	const struct journal_init p = {.program = "odjstick " ODJSTICK_VERSION,
		.bundle = facts->id_text,
		.bundle_hash = facts->header_hash,
		.lab_pub = l->pub.pk,
		.lab_fingerprint = fingerprint,
		.sign = l->key ? sign_start : NULL,
		.sign_ctx = l->key};
	return journal_init(dir, &p, origin, e);
}

int stick_fill(const char *dir, const char *bundle, const struct stick_lab *l,
	struct journal_origin *origin, struct bundle_facts *facts, struct err *e)
{
	int ret = put_bundle(dir, bundle, l, facts, e);
	if (ret == 0)
		ret = put_lab(dir, l, e);
	return ret < 0 ? ret : put_journal(dir, l, facts, origin, e);
}

void stick_tell(const struct stick_lab *l, const struct journal_origin *origin,
	const struct bundle_facts *facts)
{
	char fingerprint[LAB_FINGERPRINT_TEXT];
	lab_fingerprint(&l->pub, fingerprint);
	printf("stick            %s\nbundle           %s (%u PCs)\nlab fingerprint  %s\n"
	       "journal start    %s\n",
		origin->stick_text, facts->id_text, facts->count, fingerprint, origin->start_code);
	if (!l->key)
		printf("The lab's secret key was not given: write the journal start down, it is "
		       "what an auditor compares.\n");
}

static int init(const char *dir, const char *bundle, const struct stick_lab *l, struct err *e)
{
	struct journal_origin origin;
	struct bundle_facts facts;
	struct bundle *b = NULL;
	/* Look before anything is written. */
	int ret = bundle_open(&b, bundle, &l->pub, e);
	bundle_close(b);
	if (ret == 0)
		ret = file_mkdir(dir, e);
	if (ret == 0)
		ret = need_empty(dir, e);
	if (ret < 0)
		return ret;
	ret = stick_fill(dir, bundle, l, &origin, &facts, e);
	if (ret < 0)
		return err_ctx(e, "%s is not a stick yet; empty it and try again", dir);
	stick_tell(l, &origin, &facts);
	return 0;
}

static int run_init(int argc, char **argv, struct err *e)
{
	const char *dir, *bundle = NULL, *lab_path = NULL, *passphrase_file = NULL;
	const struct cli_opt opts[] = {{.name = "--bundle", .value = &bundle},
		{.name = "--lab", .value = &lab_path},
		{.name = "--passphrase-file", .value = &passphrase_file}, {0}};
	struct stick_lab l = {.key = NULL};
	int ret = cli_parse(argc, argv, opts, 1, 1, &dir, NULL, e);
	if (ret == 0 && (!bundle || !lab_path))
		ret = err_set(e, ERR_USAGE, NULL, "%s is missing", bundle ? "--lab" : "--bundle");
	if (ret == 0)
		ret = stick_lab_read(&l, lab_path, passphrase_file, e);
	if (ret == 0)
		ret = init(dir, bundle, &l, e);
	stick_lab_clear(&l);
	return ret;
}

static const struct cli_verb verbs[] = {
	{"init", "DIR --bundle OUT.odjb --lab LAB.pub|LAB.key [--passphrase-file F]",
		"Put a bundle, the lab's public key and an empty journal into DIR. With LAB.key "
		"the "
		"lab signs the journal's start.",
		run_init},
	{"make",
		"--image ODJSTICK.img --bundle OUT.odjb --lab LAB.pub|LAB.key\n"
		"      -o STICK.img [--size N[M|G]] | --device DEV... [--yes]\n"
		"      [--passphrase-file F]",
		"Write sticks: the image, a data partition as large as the stick, the bundle; "
		"everything is read back",
		stick_make_run},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_stick = {"stick", "make sticks", verbs};
