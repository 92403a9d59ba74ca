#include "job/stick.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "bundle/bundle.h"
#include "bundle/lab.h"
#include "journal/journal.h"
#include "media/booted.h"

struct stick {
	char *dir;
	struct bundle *bundle;
	struct journal *journal;
	uint32_t attempts; /* wrong passphrases of this session */
	char unfinished[JOURNAL_LABEL_MAX + 1];
	char label[BUNDLE_LABEL_MAX + 32];
	uint8_t image_hash[MANIFEST_HASH];
	char image[MANIFEST_CODE_TEXT]; /* "" when unknown */
};

/* A device that was pulled leaves sysfs at once, while its folder still answers from memory. */
static bool device_is_gone(const char *dir)
{
	struct stat st;
	char device[64];
	if (stat(dir, &st) < 0)
		return errno == EIO;
	snprintf(device, sizeof device, "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	return major(st.st_dev) && file_exists("/sys/dev/block") && !file_exists(device);
}

bool stick_is_gone(const char *dir)
{
	CLEANUP(freep) char *pub = path_join(dir, "lab.pub");
	return pub && (!file_exists(pub) || device_is_gone(dir));
}

static void explain_gone(const char *pc_state, struct err *e)
{
	snprintf(e->what, sizeof e->what, "the stick was pulled out, or lost its contact");
	snprintf(e->next, sizeof e->next, "%s Plug the stick in again and start over from it.",
		pc_state);
}

void stick_explain_gone(const char *dir, const char *pc_state, struct err *e)
{
	if (e && stick_is_gone(dir))
		explain_gone(pc_state, e);
}

static int no_stick(const char *dir, const char *part, struct err *e)
{
	int ret = err_set(e, ERR_NOTFOUND,
		"Name the folder that `odjstick stick init` made, or the stick's drive.",
		"%s is not a stick: it has no %s", dir, part);
	if (!device_is_gone(dir))
		return ret;
	err_clear(e);
	ret = err_set(e, ERR_IO, NULL, "%s does not answer", dir);
	explain_gone("If this PC was being changed, do not start its Windows.", e);
	return ret;
}

static int is_stick(const char *dir, struct err *e)
{
	static const char *const parts[] = {"lab.pub", "bundle.odjb", "journal", "state"};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		CLEANUP(freep) char *path = path_join(dir, parts[i]);
		if (!path)
			return err_nomem(e);
		if (!file_exists(path))
			return no_stick(dir, parts[i], e);
	}
	return 0;
}

static int open_bundle(struct stick *s, struct err *e)
{
	CLEANUP(freep) char *pub_path = path_join(s->dir, "lab.pub");
	CLEANUP(freep) char *bundle_path = path_join(s->dir, "bundle.odjb");
	struct lab_pub lab;
	if (!pub_path || !bundle_path)
		return err_nomem(e);
	int ret = lab_pub_read(pub_path, &lab, e);
	if (ret == 0)
		ret = bundle_open(&s->bundle, bundle_path, &lab, e);
	if (ret < 0)
		return ret;
	const struct bundle_facts *f = bundle_facts(s->bundle);
	snprintf(s->label, sizeof s->label, "%s (%u PCs)", f->label[0] ? f->label : "bundle",
		f->count);
	return 0;
}

static int note_unfinished(struct stick *s, struct err *e)
{
	struct journal_pending p;
	size_t n = 0;
	int ret = journal_pending_intent(s->dir, &p, 1, &n, e);
	if (ret == 0 && n > 0)
		snprintf(s->unfinished, sizeof s->unfinished, "%s", p.computer_name);
	return ret;
}

static int start_session(struct stick *s, struct err *e)
{
	struct journal_program program = {.name = "odjstick " ODJSTICK_VERSION};
	if (s->image[0])
		program.image = s->image_hash;
	return journal_open(&s->journal, s->dir, &program, e);
}

static int open_dir(struct stick **out, const char *dir, struct err *e)
{
	struct stick *s = calloc(1, sizeof *s);
	if (!s)
		return err_nomem(e);
	*out = s;
	s->dir = strdup(dir);
	int ret = s->dir ? is_stick(s->dir, e) : err_nomem(e);
	if (ret == 0)
		ret = note_unfinished(s, e);
	if (ret == 0 && booted_image(s->dir, s->image_hash))
		manifest_code(s->image_hash, s->image);
	return ret;
}

/* *out is what the steps made of it, or NULL after ret < 0. */
static int opened(struct stick **out, struct stick *s, int ret)
{
	if (ret < 0)
		stick_close(s, NULL);
	*out = ret < 0 ? NULL : s;
	return ret;
}

int stick_look(struct stick **out, const char *dir, struct err *e)
{
	struct stick *s = NULL;
	int ret = open_dir(&s, dir, e);
	if (ret == 0)
		ret = open_bundle(s, e);
	return opened(out, s, ret);
}

static int on_record(struct stick *s, int ret)
{
	if (ret < 0)
		JOURNAL_ADD(s->journal, NULL, JE_REFUSED, JV_TEXT(JF_ERROR, err_name(ret)),
			JV_TEXT(JF_CHECK, "bundle"));
	return ret;
}

int stick_begin(struct stick *s, struct err *e)
{
	int ret = s->journal ? 0 : start_session(s, e);
	return ret < 0 ? ret : on_record(s, bundle_can_spend(s->bundle, e));
}

/* The journal comes before the bundle, so that a damaged bundle is on record. */
int stick_open(struct stick **out, const char *dir, struct err *e)
{
	struct stick *s = NULL;
	int ret = open_dir(&s, dir, e);
	if (ret == 0)
		ret = start_session(s, e);
	if (ret == 0)
		ret = on_record(s, open_bundle(s, e));
	if (ret == 0)
		ret = stick_begin(s, e);
	return opened(out, s, ret);
}

int stick_close(struct stick *s, struct err *e)
{
	if (!s)
		return 0;
	bundle_close(s->bundle);
	int ret = journal_close(s->journal, e);
	free(s->dir);
	free(s);
	return ret;
}

int stick_unlock(
	struct stick *s, const struct secret *passphrase, const char *keyfile, struct err *e)
{
	struct secret key = SECRET_INIT;
	int ret = keyfile ? secret_read_file(&key, keyfile, BUNDLE_KEYFILE_MAX, e) : 0;
	if (ret == 0)
		ret = bundle_unlock(s->bundle, passphrase, keyfile ? &key : NULL, e);
	secret_clear(&key);
	if (!s->journal)
		return ret;
	if (ret == 0)
		return JOURNAL_ADD(s->journal, e, JE_UNLOCKED,
			JV_TEXT(JF_BUNDLE, bundle_facts(s->bundle)->id_text));
	s->attempts++;
	JOURNAL_ADD(s->journal, NULL, JE_UNLOCK_FAILED, JV_TEXT(JF_ERROR, err_name(ret)),
		JV_NUM(JF_ATTEMPT, s->attempts));
	return ret;
}

bool stick_unlocked(const struct stick *s)
{
	return bundle_unlocked(s->bundle);
}

struct bundle *stick_bundle(struct stick *s)
{
	return s->bundle;
}

struct journal *stick_journal(struct stick *s)
{
	return s->journal;
}

const char *stick_dir(const struct stick *s)
{
	return s->dir;
}

const char *stick_label(const struct stick *s)
{
	return s->label;
}

const char *stick_image(const struct stick *s)
{
	return s->image;
}

const char *stick_unfinished(const struct stick *s)
{
	return s->unfinished;
}

void stick_head(const struct stick *s, char *code, size_t size)
{
	char text[JOURNAL_CODE_TEXT] = "";
	if (s->journal)
		journal_head(s->journal, text);
	snprintf(code, size, "%s", text);
}
