/* Which entry of the bundle is this PC, and which Windows on its disks is meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/bundle.h"
#include "job/internal.h"
#include "volume/hidden.h"
#include "volume/member.h"

int job_open(struct job **j, struct stick *stick, struct err *e)
{
	if (!stick_unlocked(stick))
		return err_set(e, ERR_KEY, "Unlock the bundle first.", "the bundle is locked");
	*j = calloc(1, sizeof **j);
	if (!*j)
		return err_nomem(e);
	(*j)->stick = stick;
	return 0;
}

static void forget_windows(struct job *j)
{
	free(j->windows);
	j->windows = NULL;
	j->windows_count = 0;
	j->chosen = NULL;
	discover_clear(&j->found);
}

static void forget_entry(struct job *j)
{
	odj_clear(&j->odj);
	secret_clear(&j->blob);
	j->settings = (struct settings){0};
	plan_clear(&j->plan);
	undo_record_clear(&j->undo);
	j->undo_ready = false;
	j->check_count = 0;
	j->accepted = false;
	j->selected = false;
	j->finishing = false;
	j->pc = (struct job_pc){0};
}

void job_close(struct job *j)
{
	if (!j)
		return;
	forget_windows(j);
	forget_entry(j);
	free(j);
}

/* --- the entry
 * ------------------------------------------------------------------------------------ */

static int take_entry(struct job *j, uint32_t id, struct err *e)
{
	struct bundle *b = stick_bundle(j->stick);
	struct bundle_row row;
	enum bundle_state state;
	int ret = bundle_row(b, id, &row, e);
	if (ret == 0)
		ret = bundle_entry_state(b, id, &state, NULL, e);
	if (ret < 0)
		return ret;
	forget_entry(j);
	j->entry = id;
	j->expires = bundle_facts(b)->expires;
	snprintf(j->pc.name, sizeof j->pc.name, "%s", row.computer_name);
	snprintf(j->pc.serial, sizeof j->pc.serial, "%s", row.serial);
	snprintf(j->pc.tag, sizeof j->pc.tag, "%s", row.tag);
	snprintf(j->pc.domain, sizeof j->pc.domain, "%s", row.domain);
	j->pc.spent = state != BUNDLE_FRESH;
	j->finishing = state != BUNDLE_FRESH && !j->undoing && finish_is_open(j);
	if (state == BUNDLE_SPENT && !j->undoing && !j->finishing)
		return err_set(e, ERR_SPENT,
			"The disk is untouched. Ask the lab to provision this PC again.",
			"the entry of %s was already used: one blob joins one PC",
			row.computer_name);
	if (state == BUNDLE_DAMAGED && !j->undoing && !j->finishing)
		return err_set(e, ERR_INTEGRITY,
			"The disk is untouched. Ask the lab for a new stick.",
			"the entry of %s is damaged in the bundle", row.computer_name);
	j->selected = true;
	return 0;
}

static enum bundle_by selector(enum job_selector by)
{
	return by == JOB_BY_SERIAL ? BUNDLE_BY_SERIAL
	       : by == JOB_BY_TAG  ? BUNDLE_BY_TAG
				   : BUNDLE_BY_NAME;
}

int job_select(struct job *j, enum job_selector by, const char *text, struct err *e)
{
	struct firmware fw = {.serial_source = "typed"};
	uint32_t id;
	if (by == JOB_BY_SERIAL)
		snprintf(fw.serial, sizeof fw.serial, "%s", text);
	else if (by == JOB_BY_TAG)
		snprintf(fw.tag, sizeof fw.tag, "%s", text);
	int ret = report_pc(j, &fw, e);
	if (ret < 0)
		return ret;
	ret = bundle_find(stick_bundle(j->stick), selector(by), text, &id, e);
	if (ret == 0)
		ret = take_entry(j, id, e);
	return ret < 0 ? report_refusal(j, "entry", ret) : 0;
}

static int find_firmware(struct job *j, const struct firmware *fw, uint32_t *id, struct err *e)
{
	struct bundle *b = stick_bundle(j->stick);
	if (fw->serial[0] && bundle_find(b, BUNDLE_BY_SERIAL, fw->serial, id, NULL) == 0)
		return 0;
	if (fw->tag[0] && bundle_find(b, BUNDLE_BY_TAG, fw->tag, id, NULL) == 0)
		return 0;
	const char *next =
		"The disk is untouched. Scan the inventory tag or choose the PC by hand.";
	if (fw->serial_placeholder)
		return err_set(e, ERR_REFUSED, next,
			"the serial number \"%s\" is a placeholder and names no PC",
			fw->raw_serial);
	return err_set(e, ERR_NOTFOUND, next,
		"no PC of this bundle has the serial number \"%s\"%s%s%s", fw->serial,
		fw->tag[0] ? " or the tag \"" : "", fw->tag, fw->tag[0] ? "\"" : "");
}

int job_undo_select(struct job *j, enum job_selector by, const char *text, struct err *e)
{
	j->undoing = true;
	return job_select(j, by, text, e);
}

int job_select_firmware(struct job *j, const struct firmware *fw, struct err *e)
{
	uint32_t id;
	int ret = report_pc(j, fw, e);
	if (ret < 0)
		return ret;
	ret = find_firmware(j, fw, &id, e);
	if (ret == 0)
		ret = take_entry(j, id, e);
	return ret < 0 ? report_refusal(j, "entry", ret) : 0;
}

const struct job_pc *job_pc(const struct job *j)
{
	return &j->pc;
}

/* --- the Windows
 * ---------------------------------------------------------------------------------- */

static void describe(struct job_candidate *c)
{
	const struct windows_facts *f = &c->facts;
	snprintf(c->shown.product, sizeof c->shown.product, "%.60s%s%.20s (%u)", f->product,
		f->version[0] ? " " : "", f->version, f->build);
	snprintf(c->shown.name, sizeof c->shown.name, "%s", f->computer_name);
	snprintf(c->shown.phase, sizeof c->shown.phase, "%s", windows_phase_name(f->phase));
	if (f->accounts_known)
		sam_admin_names(&f->accounts, c->shown.admins, sizeof c->shown.admins);
	if (f->join == WINDOWS_JOINED)
		snprintf(c->shown.domain, sizeof c->shown.domain, "%s", f->domain);
	else if (f->join == WINDOWS_JOIN_PENDING)
		snprintf(c->shown.domain, sizeof c->shown.domain, "%s", f->pending_domain);
}

/* Read the facts of one volume. Returns 1 when it belongs into the list. */
static int look(struct job_candidate *c, const struct discover_item *it)
{
	struct err why = ERR_INIT;
	c->src = &it->src;
	c->shown.partition = it->partition;
	discover_describe(it, c->shown.where, sizeof c->shown.where);
	if (it->src.part_of) {
		volume_probe(c->src, &c->state, NULL);
		snprintf(c->shown.product, sizeof c->shown.product, "%s%s%s: cannot be changed",
			member_name(it->src.part_of), it->type[0] ? ", " : "", it->type);
		return !it->recovery && !discover_is_foreign(it);
	}
	if (it->src.kind == VOLUME_BITLOCKER) {
		c->state.trouble = VOLUME_TROUBLE_BITLOCKER;
		c->state.kind = VOLUME_BITLOCKER;
		volume_probe(c->src, &c->state, NULL);
		snprintf(c->shown.product, sizeof c->shown.product,
			"BitLocker%s: encrypted, cannot be read",
			c->state.bitlocker == VOLUME_BITLOCKER_SUSPENDED ? ", suspended" : "");
		return 1;
	}
	if (it->src.kind != VOLUME_NTFS && it->src.kind != VOLUME_FOLDER)
		return 0;
	struct volume *v = NULL;
	int ret = volume_probe(c->src, &c->state, &why);
	if (ret == 0)
		ret = volume_open(&v, c->src, false, &why);
	if (ret == 0)
		ret = windows_facts_read(v, &c->facts, &why);
	volume_close(v, NULL);
	if (ret == -ERR_NOTFOUND)
		return 0;
	if (ret < 0) {
		snprintf(c->shown.product, sizeof c->shown.product, "cannot be read: %.100s",
			why.what);
		return 1;
	}
	c->has_facts = true;
	c->shown.usable = true;
	describe(c);
	return 1;
}

/* Windows is on a disk, or so it seems: say what could keep that disk from us. */
static int nothing_found(bool this_pc, struct err *e)
{
	char hidden[HIDDEN_TEXT_MAX];
	if (this_pc && hidden_disks(NULL, hidden))
		return err_set(e, ERR_NOTFOUND,
			"Nothing was changed. In the firmware setup, switch the storage controller "
			"(SATA, RST, VMD) to AHCI or NVMe, join this PC, and switch it back before "
			"its Windows starts.",
			"no Windows was found: %s", hidden);
	return err_set(e, ERR_NOTFOUND,
		"Nothing was changed. Is the disk connected, and set to AHCI or NVMe in the "
		"firmware?",
		"no Windows was found");
}

static int look_everywhere(struct job *j, bool this_pc, struct err *e)
{
	j->windows = calloc(j->found.count ? j->found.count : 1, sizeof *j->windows);
	if (!j->windows)
		return err_nomem(e);
	for (size_t i = 0; i < j->found.count; i++) {
		struct job_candidate *c = &j->windows[j->windows_count];
		if (look(c, &j->found.items[i]))
			j->windows_count++;
		else
			*c = (struct job_candidate){0};
	}
	return j->windows_count ? 0 : nothing_found(this_pc, e);
}

int job_find(struct job *j, const char *target, struct err *e)
{
	forget_windows(j);
	j->whole_pc = !target;
	int ret = target ? discover_target(target, &j->found, e)
			 : discover_pc(job_stick_device(j), &j->found, NULL, e);
	if (ret == 0)
		ret = look_everywhere(j, !target, e);
	return ret < 0 ? report_refusal(j, "windows", ret) : 0;
}

size_t job_windows_count(const struct job *j)
{
	return j->windows_count;
}

const struct job_windows *job_windows(const struct job *j, size_t i)
{
	return i < j->windows_count ? &j->windows[i].shown : NULL;
}

/* Why a candidate without facts cannot be used. */
static int refuse_unusable(const struct job_candidate *c, struct err *e)
{
	int ret = volume_refuse(&c->state, c->shown.where, e);
	if (ret == 0)
		ret = err_set(e, ERR_UNSAFE, "The disk is untouched. This Windows needs repair.",
			"%s: %s", c->shown.where, c->shown.product);
	return ret;
}

static int choose(struct job *j, size_t i, struct err *e)
{
	if (i >= j->windows_count)
		return err_set(e, ERR_USAGE,
			"Nothing was changed. Choose one of those that were found.",
			"there is no Windows number %zu", i + 1);
	const struct job_candidate *c = &j->windows[i];
	if (!c->shown.usable)
		return refuse_unusable(c, e);
	j->chosen = c;
	j->check_count = 0;
	j->accepted = false;
	plan_clear(&j->plan);
	return report_windows(j, e);
}

int job_choose(struct job *j, size_t i, struct err *e)
{
	int ret = choose(j, i, e);
	return ret < 0 ? report_refusal(j, "windows", ret) : 0;
}

int job_choose_only(struct job *j, struct err *e)
{
	size_t usable = 0, which[2] = {0, 0};
	for (size_t i = 0; i < j->windows_count; i++)
		if (j->windows[i].shown.usable && usable++ < ARRAY_SIZE(which))
			which[usable - 1] = i;
	if (usable <= 1)
		return job_choose(j, which[0], e);
	int ret = err_set(e, ERR_AMBIGUOUS,
		"Nothing was changed. Name one: --target DISK --partition N.",
		"%zu Windows were found (%s, %s%s) and none was chosen", usable,
		j->windows[which[0]].shown.where, j->windows[which[1]].shown.where,
		usable > 2 ? ", ..." : "");
	return report_refusal(j, "windows", ret);
}

const struct job_windows *job_chosen(const struct job *j)
{
	return j->chosen ? &j->chosen->shown : NULL;
}
