/*
 * Create: the lab turns a checked batch into a bundle. docs/format-bundle.md, "Making a bundle".
 */
#ifndef BUNDLE_CREATE_H
#define BUNDLE_CREATE_H

#include "bundle/batch.h"
#include "bundle/bundle.h"
#include "bundle/crypto.h"
#include "bundle/recipient.h"

struct bundle_spec {
	struct batch *batch; /* after batch_check(), without errors */
	const char *blobs;   /* as for batch_check() */
	const char *out;     /* must not exist */
	const struct lab_key *lab;
	const struct secret *passphrase;
	const struct secret *keyfile; /* or NULL */
	const struct recipient_pub *recipients;
	size_t recipient_count;
	const char *label; /* public; NULL: made from the bundle id */
	int64_t created;
	int64_t expires; /* 0: never */
	struct kdf_cost cost;
};

/* Write the bundle beside `out` and rename it when it is complete and on disk. -ERR_EXISTS when out
 * exists, -ERR_REFUSED when the batch has errors, -ERR_LIMIT beyond 4 GiB. facts may be NULL. */
int bundle_create(const struct bundle_spec *spec, struct bundle_facts *facts, struct err *e);

#endif
