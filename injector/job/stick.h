/*
 * The stick's data folder, open for one session: lab.pub, bundle.odjb,
 * journal/, state/.
 *
 * stick_open() starts a journal session and verifies the bundle against the
 * lab's public key, so a stick that cannot be written is refused before anything
 * else happens. stick_look() only reads; stick_begin() starts the session later.
 * The bundle stays locked until stick_unlock(). Owned by the caller;
 * stick_close() ends the journal session and wipes every key.
 */
#ifndef JOB_STICK_H
#define JOB_STICK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"

struct bundle;
struct journal;
struct stick;

/* Errors: -ERR_NOTFOUND (not a stick folder), -ERR_INTEGRITY (bundle damaged or signed by another
 * lab; in the journal), -ERR_READONLY, -ERR_NOSPACE. */
int stick_open(struct stick **s, const char *dir, struct err *e);

/* Nothing is written, neither now nor later (dry runs), or not until stick_begin(). */
int stick_look(struct stick **s, const char *dir, struct err *e);

/* Starts the session, once, and asks, each time, whether an entry could be spent. Before
 * stick_unlock(), or what it says is not in the journal. On the stick this is 0.4 s of an
 * emulator's time: writes that wait until they are on it. */
int stick_begin(struct stick *s, struct err *e);

int stick_close(struct stick *s, struct err *e);

/* The stick with this folder was pulled out, or its folder is no longer there. Ask after something
 * failed. */
bool stick_is_gone(const char *dir);

/* After a failure: when the stick was pulled out, e says that instead, and pc_state: what the PC
 * holds now, in whole sentences. The code stays. */
void stick_explain_gone(const char *dir, const char *pc_state, struct err *e);

/* One key derivation. -ERR_KEY for a wrong passphrase, which is journalled. keyfile may be NULL. */
int stick_unlock(
	struct stick *s, const struct secret *passphrase, const char *keyfile, struct err *e);
bool stick_unlocked(const struct stick *s);

struct bundle *stick_bundle(struct stick *s);
struct journal *stick_journal(struct stick *s); /* NULL before stick_begin() */
const char *stick_dir(const struct stick *s);

/* Where the stick stands in the house: one line for the screen's frame, e.g. the batch label. */
const char *stick_label(const struct stick *s);

/* The short form of the image hash, "" when this PC was not started from this stick. It names the
 * image; it proves nothing (media/booted.h). */
const char *stick_image(const struct stick *s);

/* An intent an earlier session left without a result: the PC it was for, or "" when there is none.
 */
const char *stick_unfinished(const struct stick *s);

/* The short code of the journal's head after the last record, for the result screen. */
void stick_head(const struct stick *s, char *code, size_t size);

#endif
