/* What `stick init` and `stick make` share. Internal to cli/. */
#ifndef CLI_STICK_H
#define CLI_STICK_H

#include "bundle/bundle.h"
#include "bundle/lab.h"
#include "journal/journal.h"

struct stick_lab {
	struct lab_pub pub;
	struct lab_key *key; /* NULL: only the public half was given */
};

/* LAB.pub or LAB.key: whichever the file is. */
int stick_lab_read(
	struct stick_lab *l, const char *path, const char *passphrase_file, struct err *e);
void stick_lab_clear(struct stick_lab *l);

/* Put bundle.odjb, lab.pub, journal/ and state/ into an empty folder. */
int stick_fill(const char *dir, const char *bundle, const struct stick_lab *l,
	struct journal_origin *origin, struct bundle_facts *facts, struct err *e);

/* What the lab notes about a new stick. */
void stick_tell(const struct stick_lab *l, const struct journal_origin *origin,
	const struct bundle_facts *facts);

int stick_make_run(int argc, char **argv, struct err *e);

#endif
