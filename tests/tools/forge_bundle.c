/*
 * forge_bundle: a bundle that a careless lab tool could have made, for refusal tests.
 *
 *   forge_bundle BATCH.csv OUT.odjb LAB.key LAB-PASSFILE PASSFILE name|domain|odd-name|odd-method
 *
 * `odjstick bundle create` refuses a row whose blob belongs to another name or domain. The stick
 * must refuse it again: this tool checks the batch as it is, then exchanges two names (or changes
 * the domains of all rows, or one name into none a PC can have, or what the first further column of
 * the first row says into a word nobody knows), and seals it with the lab's real key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bundle/create.h"

static void must(int ret, const struct err *e)
{
	if (ret < 0) {
		fprintf(stderr, "forge_bundle: %s\n", e->what);
		exit(1);
	}
}

static void swap_names(struct batch *b)
{
	struct batch_row *first = (struct batch_row *)batch_row(b, 0);
	struct batch_row *second = (struct batch_row *)batch_row(b, 1);
	char *name = first->computer_name;
	first->computer_name = second->computer_name;
	second->computer_name = name;
}

static void change_domains(struct batch *b)
{
	for (size_t i = 0; i < batch_count(b); i++) {
		struct batch_row *r = (struct batch_row *)batch_row(b, i);
		free(r->domain);
		r->domain = strdup("other.example");
	}
}

static void make_name_odd(struct batch *b)
{
	struct batch_row *first = (struct batch_row *)batch_row(b, 0);
	free(first->computer_name);
	first->computer_name = strdup("12345");
}

static void make_word_odd(struct batch *b)
{
	struct batch_row *first = (struct batch_row *)batch_row(b, 0);
	free(first->extra[0].value);
	first->extra[0].value = strdup("by hand");
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct secret lab_pass = SECRET_INIT, pass = SECRET_INIT;
	struct lab_key *lab;
	struct batch *b;
	if (argc != 7)
		return 2;
	must(secret_setup(&e), &e);
	must(secret_read_passphrase(&lab_pass, argv[4], "", 0, &e), &e);
	must(secret_read_passphrase(&pass, argv[5], "", 0, &e), &e);
	must(lab_key_open(&lab, argv[3], &lab_pass, &e), &e);
	must(batch_open(&b, argv[1], &e), &e);
	must(batch_check(b, NULL, &e), &e);
	if (strcmp(argv[6], "name") == 0)
		swap_names(b);
	else if (strcmp(argv[6], "odd-name") == 0)
		make_name_odd(b);
	else if (strcmp(argv[6], "odd-method") == 0)
		make_word_odd(b);
	else
		change_domains(b);
	const struct bundle_spec spec = {
		.batch = b,
		.out = argv[2],
		.lab = lab,
		.passphrase = &pass,
		.created = clock_now(),
		.cost = KDF_COST_DEFAULT,
	};
	must(bundle_create(&spec, NULL, &e), &e);
	batch_close(b);
	lab_key_close(lab);
	secret_clear(&pass);
	secret_clear(&lab_pass);
	return 0;
}
