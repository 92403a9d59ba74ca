/* odjstick bundle: make bundles and look at them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bundle/batch.h"
#include "bundle/bundle.h"
#include "bundle/create.h"
#include "cli/batch.h"
#include "cli/bundle_entry.h"
#include "cli/cli.h"

/* --- create --- */

struct create_args {
	const char *csv, *out, *lab, *blobs, *keyfile, *recipient, *where, *expires, *label;
	const char *passphrase_file, *lab_passphrase_file, *kdf_memory;
};

struct create_secrets {
	struct secret passphrase, lab_passphrase, keyfile;
	struct lab_key *lab;
	struct batch *batch;
};

static void secrets_clear(struct create_secrets *s)
{
	secret_clear(&s->passphrase);
	secret_clear(&s->lab_passphrase);
	secret_clear(&s->keyfile);
	lab_key_close(s->lab);
	batch_close(s->batch);
}

static int parse_memory(const char *text, struct kdf_cost *cost, struct err *e)
{
	char *end = NULL;
	unsigned long mib = strtoul(text, &end, 10);
	if (end == text || *end || mib < KDF_MEMORY_MIN >> 10 || mib > KDF_MEMORY_MAX >> 10)
		return err_set(e, ERR_USAGE, NULL, "--kdf-memory takes %u to %u MiB",
			KDF_MEMORY_MIN >> 10, KDF_MEMORY_MAX >> 10);
	cost->memory_kib = (uint32_t)mib << 10;
	return 0;
}

/* A date alone means its last second. */
static int parse_expiry(const char *text, int64_t *t, struct err *e)
{
	if (clock_parse(text, t) < 0)
		return err_set(e, ERR_USAGE, "Write 2027-03-31 or 2027-03-31T18:00:00Z.",
			"--expires: \"%s\" is not a date", text);
	if (strlen(text) == sizeof "2027-03-31" - 1)
		*t += 24 * 60 * 60 - 1;
	return 0;
}

static int parse_create(int argc, char **argv, struct create_args *a, struct err *e)
{
	const struct cli_opt opts[] = {{"-o", &a->out, NULL}, {"--lab", &a->lab, NULL},
		{"--blobs", &a->blobs, NULL}, {"--keyfile", &a->keyfile, NULL},
		{"--recipient", &a->recipient, NULL}, {"--where", &a->where, NULL},
		{"--expires", &a->expires, NULL}, {"--label", &a->label, NULL},
		{"--passphrase-file", &a->passphrase_file, NULL},
		{"--lab-passphrase-file", &a->lab_passphrase_file, NULL},
		{"--kdf-memory", &a->kdf_memory, NULL}, {NULL, NULL, NULL}};
	int ret = cli_parse(argc, argv, opts, 1, 1, &a->csv, NULL, e);
	if (ret == 0 && (!a->out || !a->lab))
		ret = err_set(e, ERR_USAGE, NULL, "%s is missing", a->out ? "--lab" : "-o");
	return ret;
}

static int fill_spec(const struct create_args *a, struct bundle_spec *spec,
	struct recipient_pub pubs[RECIPIENTS_MAX], struct err *e)
{
	int ret = 0;
	*spec = (struct bundle_spec){.blobs = a->blobs,
		.out = a->out,
		.label = a->label,
		.created = clock_now(),
		.cost = KDF_COST_DEFAULT,
		.recipients = pubs};
	if (a->kdf_memory)
		ret = parse_memory(a->kdf_memory, &spec->cost, e);
	if (ret == 0 && a->expires)
		ret = parse_expiry(a->expires, &spec->expires, e);
	if (ret == 0 && a->recipient)
		ret = recipient_pub_read(a->recipient, pubs, &spec->recipient_count, e);
	return ret;
}

static int checked_batch(const struct create_args *a, struct batch **b, struct err *e)
{
	int ret = batch_open(b, a->csv, e);
	if (ret == 0 && a->where)
		ret = batch_where(*b, a->where, e);
	if (ret == 0)
		ret = batch_check(*b, a->blobs, e);
	if (ret == 0)
		print_findings(stderr, *b);
	return ret < 0 ? ret : refuse_errors(*b, e);
}

static int take_secrets(const struct create_args *a, struct create_secrets *s, struct err *e)
{
	int ret = secret_read_passphrase(
		&s->lab_passphrase, a->lab_passphrase_file, "Passphrase of the lab key", 0, e);
	if (ret == 0)
		ret = lab_key_open(&s->lab, a->lab, &s->lab_passphrase, e);
	if (ret == 0)
		ret = secret_read_passphrase(
			&s->passphrase, a->passphrase_file, "Passphrase for the bundle", 1, e);
	if (ret == 0 && a->keyfile)
		ret = secret_read_file(&s->keyfile, a->keyfile, BUNDLE_KEYFILE_MAX, e);
	return ret;
}

static int run_create(int argc, char **argv, struct err *e)
{
	struct create_args a = {0};
	struct create_secrets s = {0};
	struct recipient_pub pubs[RECIPIENTS_MAX];
	struct bundle_spec spec;
	struct bundle_facts facts;
	int ret = parse_create(argc, argv, &a, e);
	if (ret == 0)
		ret = fill_spec(&a, &spec, pubs, e);
	if (ret == 0)
		ret = checked_batch(&a, &s.batch, e);
	if (ret == 0)
		ret = take_secrets(&a, &s, e);
	if (ret == 0) {
		spec.batch = s.batch;
		spec.lab = s.lab;
		spec.passphrase = &s.passphrase;
		spec.keyfile = a.keyfile ? &s.keyfile : NULL;
		ret = bundle_create(&spec, &facts, e);
	}
	secrets_clear(&s);
	if (ret == 0)
		printf("%s: %u PC%s, %llu bytes, bundle %s\n", a.out, facts.count,
			facts.count == 1 ? "" : "s", (unsigned long long)facts.size, facts.id_text);
	return ret;
}

/* --- opening, for list, show and check --- */

struct open_args {
	const char *path, *lab, *keyfile, *identity, *passphrase_file;
	struct bundle_entry_selector one;
	bool json, columns;
};

static int parse_open(int argc, char **argv, struct open_args *a, struct err *e)
{
	const struct cli_opt opts[] = {{"--lab", &a->lab, NULL}, {"--keyfile", &a->keyfile, NULL},
		{"--identity", &a->identity, NULL},
		{"--passphrase-file", &a->passphrase_file, NULL}, {"--json", NULL, &a->json},
		{"--columns", NULL, &a->columns}, {"--serial", &a->one.serial, NULL},
		{"--tag", &a->one.tag, NULL}, {"--name", &a->one.name, NULL}, {NULL, NULL, NULL}};
	return cli_parse(argc, argv, opts, 1, 1, &a->path, NULL, e);
}

static int open_bundle(const struct open_args *a, struct bundle **b, struct err *e)
{
	struct lab_pub lab;
	int ret = a->lab ? lab_pub_read(a->lab, &lab, e) : 0;
	return ret < 0 ? ret : bundle_open(b, a->path, a->lab ? &lab : NULL, e);
}

static int unlock_identity(
	const struct open_args *a, struct bundle *b, const struct secret *passphrase, struct err *e)
{
	struct recipient_key *key = NULL;
	int ret = recipient_key_open(&key, a->identity, passphrase, e);
	if (ret == 0)
		ret = bundle_unlock_recipient(b, key, e);
	recipient_key_close(key);
	return ret;
}

static int unlock(const struct open_args *a, struct bundle *b, struct err *e)
{
	struct secret passphrase = SECRET_INIT, keyfile = SECRET_INIT;
	int ret = secret_read_passphrase(&passphrase, a->passphrase_file,
		a->identity ? "Passphrase of the recipient's key" : "Passphrase of the bundle", 0,
		e);
	if (ret == 0 && a->keyfile)
		ret = secret_read_file(&keyfile, a->keyfile, BUNDLE_KEYFILE_MAX, e);
	if (ret == 0 && a->identity)
		ret = unlock_identity(a, b, &passphrase, e);
	else if (ret == 0)
		ret = bundle_unlock(b, &passphrase, a->keyfile ? &keyfile : NULL, e);
	secret_clear(&passphrase);
	secret_clear(&keyfile);
	return ret;
}

/* --- show --- */

static int count_states(struct bundle *b, uint32_t counts[3], struct err *e)
{
	int ret = 0;
	for (uint32_t id = 0; ret == 0 && id < bundle_count(b); id++) {
		enum bundle_state s = BUNDLE_DAMAGED;
		ret = bundle_entry_state(b, id, &s, NULL, e);
		counts[s]++;
	}
	return ret;
}

static const char *opens_with(const struct bundle_facts *f)
{
	return f->needs_keyfile ? "passphrase and key file" : "passphrase";
}

static int show_json(const struct bundle_facts *f, const uint32_t n[3], const char *created,
	const char *expires, struct err *e)
{
	return cli_print_json(
		json_pack("{s:s, s:s, s:s, s:s?, s:i, s:I, s:s, s:b, s:s, s:i, s:{s:i, s:i, s:i}}",
			"id", f->id_text, "label", f->label, "created", created, "expires",
			f->expires ? expires : NULL, "entries", (int)f->count, "bytes",
			(json_int_t)f->size, "lab_key", f->lab_keyid, "lab_verified",
			f->lab_verified, "opens_with", opens_with(f), "recipients",
			(int)f->recipients, "states", "fresh", (int)n[BUNDLE_FRESH], "spent",
			(int)n[BUNDLE_SPENT], "damaged", (int)n[BUNDLE_DAMAGED]),
		e);
}

static int show_bundle(struct bundle *b, bool json, struct err *e)
{
	const struct bundle_facts *f = bundle_facts(b);
	char created[CLOCK_TEXT_MAX], expires[CLOCK_TEXT_MAX] = "never";
	uint32_t n[3] = {0};
	int ret = count_states(b, n, e);
	if (ret < 0)
		return ret;
	clock_text(f->created, created);
	if (f->expires)
		clock_text(f->expires, expires);
	if (json)
		return show_json(f, n, created, expires, e);
	printf("Bundle      %s\nLabel       %s\nCreated     %s\nExpires     %s\n"
	       "PCs         %u: %u fresh, %u spent, %u damaged\n"
	       "Opens with  %s, or %u recipients' keys\nLab key     %s (%s)\n",
		f->id_text, f->label, created, expires, f->count, n[BUNDLE_FRESH], n[BUNDLE_SPENT],
		n[BUNDLE_DAMAGED], opens_with(f), f->recipients, f->lab_keyid,
		f->lab_verified ? "signature verified"
				: "signature NOT checked: give --lab LAB.pub");
	return 0;
}

static int run_show(int argc, char **argv, struct err *e)
{
	struct open_args a = {0};
	struct bundle *b = NULL;
	bool one = false;
	int ret = parse_open(argc, argv, &a, e);
	if (ret == 0)
		ret = bundle_entry_selected(&a.one, &one, e);
	if (ret == 0)
		ret = open_bundle(&a, &b, e);
	if (ret == 0 && one)
		ret = unlock(&a, b, e);
	if (ret == 0)
		ret = one ? bundle_entry_show(b, &a.one, a.json, e) : show_bundle(b, a.json, e);
	bundle_close(b);
	return ret;
}

/* --- list --- */

/* In the listing: "timezone=... keyboard=..." after the row, or an object. */
static int list_columns(
	struct bundle *b, uint32_t id, enum bundle_state s, json_t *row, struct err *e)
{
	const char *column;
	json_t *columns, *value;
	int ret = bundle_entry_columns(b, id, s, &columns, e);
	if (ret < 0)
		return ret;
	if (row)
		return json_object_set_new(row, "columns", columns) < 0 ? err_nomem(e) : 0;
	json_object_foreach(columns, column, value) if (json_string_value(value)[0])
		printf("  %s=%s", column, json_string_value(value));
	json_decref(columns);
	return 0;
}

static int list_rows(struct bundle *b, bool columns, json_t *out, struct err *e)
{
	if (!out)
		printf("%6s  %-15s  %-20s  %-16s  %-24s  %s\n", "ENTRY", "NAME", "SERIAL", "TAG",
			"DOMAIN", "STATE");
	for (uint32_t id = 0; id < bundle_count(b); id++) {
		struct bundle_row r;
		enum bundle_state s = BUNDLE_DAMAGED;
		int64_t when = 0;
		int ret = bundle_row(b, id, &r, e);
		if (ret == 0)
			ret = bundle_entry_state(b, id, &s, &when, e);
		if (ret < 0)
			return ret;
		json_t *row = out ? bundle_entry_json(&r, s, when) : NULL;
		if (out && (!row || json_array_append_new(out, row) < 0))
			return err_nomem(e);
		if (!out)
			printf("%6u  %-15s  %-20s  %-16s  %-24s  %s", id, r.computer_name,
				*r.serial ? r.serial : "-", *r.tag ? r.tag : "-", r.domain,
				bundle_state_name(s));
		if (columns)
			ret = list_columns(b, id, s, row, e);
		if (!out)
			printf("\n");
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int run_list(int argc, char **argv, struct err *e)
{
	struct open_args a = {0};
	struct bundle *b = NULL;
	int ret = parse_open(argc, argv, &a, e);
	if (ret == 0)
		ret = open_bundle(&a, &b, e);
	if (ret == 0)
		ret = unlock(&a, b, e);
	json_t *out = ret == 0 && a.json ? json_array() : NULL;
	if (ret == 0)
		ret = list_rows(b, a.columns, out, e);
	if (ret == 0 && out)
		ret = cli_print_json(out, e);
	else
		json_decref(out);
	bundle_close(b);
	return ret;
}

/* --- check --- */

static int print_check(const struct open_args *a, struct bundle *b, struct err *e)
{
	const struct bundle_facts *f = bundle_facts(b);
	bool key = bundle_unlocked(b);
	if (a->json)
		return cli_print_json(json_pack("{s:b, s:b, s:b, s:b, s:i}", "hashes", 1,
					      "signature", f->lab_verified, "rows", key, "entries",
					      key && f->lab_verified, "count", (int)f->count),
			e);
	printf("structure   ok\nhashes      ok (%u PCs)\nsignature   %s\nrows        %s\n"
	       "entries     %s\n",
		f->count, f->lab_verified ? "ok" : "not checked: give --lab LAB.pub",
		key ? "ok" : "not checked: give --passphrase-file or --identity",
		key && f->lab_verified ? "ok: every fresh entry opens" : "not checked");
	return 0;
}

static int run_check(int argc, char **argv, struct err *e)
{
	struct open_args a = {0};
	struct bundle *b = NULL;
	uint32_t checked = 0;
	int ret = parse_open(argc, argv, &a, e);
	if (ret == 0)
		ret = open_bundle(&a, &b, e);
	if (ret == 0 && (a.passphrase_file || a.identity))
		ret = unlock(&a, b, e);
	if (ret == 0)
		ret = bundle_check(b, &checked, e);
	if (ret == 0)
		ret = print_check(&a, b, e);
	bundle_close(b);
	return ret;
}

#define OPEN_ARGS                                                                                  \
	"BUNDLE.odjb [--lab LAB.pub] [--passphrase-file F] [--keyfile F] [--identity KEY] "        \
	"[--json]"

static const struct cli_verb verbs[] = {
	{"create",
		"BATCH.csv -o OUT.odjb --lab LAB.key [--blobs DIR|ARCHIVE] [--where COLUMN=VALUE]\n"
		"      [--label TEXT] [--expires DATE] [--keyfile F] [--recipient PUB] "
		"[--kdf-memory "
		"MIB]\n      [--passphrase-file F] [--lab-passphrase-file F]",
		"make one encrypted, signed file of an inventory and its blobs", run_create},
	{"list", OPEN_ARGS " [--columns]", "list the PCs and whether they were used", run_list},
	{"show",
		"BUNDLE.odjb [--lab LAB.pub] [--json]\n"
		"      [(--serial S | --tag T | --name N) [--passphrase-file F] [--keyfile F] "
		"[--identity KEY]]",
		"show what needs no key, or one entry with its further columns", run_show},
	{"check", OPEN_ARGS, "verify every byte that the given keys allow to verify", run_check},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_bundle = {"bundle", "the encrypted file that goes onto a stick", verbs};
