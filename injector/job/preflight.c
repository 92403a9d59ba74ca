/*
 * Preflight: everything that must be true before a byte of the PC changes.
 *
 * Each check has a stable id, a verdict, a sentence and a next step. A stop
 * cannot be overridden. The list is complete even when an early check stops:
 * the engineer sees all that is wrong with a PC at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/host.h"
#include "bundle/bundle.h"
#include "job/internal.h"
#include "journal/journal.h"
#include "odj/name.h"

#define CLOCK_AHEAD_MAX (10LL * 366 * 86400) /* seconds */
#define ACCOUNT_NAMES_MAX 128

#define FREE_SPACE_MIN                                                                             \
	(16ULL << 20) /* logs, a grown hive, a new unattend.xml: with room to spare */

/* --- the entry
 * -------------------------------------------------------------------------------------- */

static void check_name(struct job *j)
{
	enum name_problem p = computer_name_check(j->pc.name);
	if (name_refused(p))
		stop(j, "name", ERR_REFUSED,
			"Correct the row in the lab and make the bundle again.",
			"the computer name %s", name_problem_text(p));
	else
		pass(j, "name", "the computer name %s is well formed", j->pc.name);
}

static void check_blob_name(struct job *j)
{
	const char *name = j->odj.join->machine_name.utf8;
	if (!name || !computer_name_equal(name, j->pc.name))
		stop(j, "blob-name", ERR_REFUSED,
			"This PC's join data was mixed up in the lab: correct the row there.",
			"the join data is for %s, the row is for %s", name ? name : "nobody",
			j->pc.name);
	else
		pass(j, "blob-name", "the join data is for %s", j->pc.name);
}

static void check_blob_domain(struct job *j)
{
	const char *dns = j->odj.join->dns_domain.s.utf8;
	if (!dns || (j->pc.domain[0] && strcasecmp(dns, j->pc.domain) != 0))
		stop(j, "blob-domain", ERR_REFUSED,
			"The blob of another domain was put into this row: correct it in the lab.",
			"the join data is for the domain %s, the row is for %s",
			dns ? dns : "(none)", j->pc.domain);
	else
		pass(j, "blob-domain", "the join data is for the domain %s", dns);
}

/* What we cannot write into the registry, Windows' own djoin may still understand. */
static const char *next_of(const struct job *j, const char *id)
{
	struct odj_finding f[ODJ_FINDINGS_MAX];
	size_t n = odj_check(&j->odj, ODJ_WINDOWS, f);
	for (size_t i = 0; i < n && i < ODJ_FINDINGS_MAX; i++)
		if (f[i].level == ODJ_STOP && strcmp(f[i].id, id) == 0)
			return "Provision this PC again.";
	return j->method == PLAN_REGISTRY
		       ? "In the lab: firstboot in the row's column method, or apply --method "
			 "firstboot. Windows' own djoin understands it."
		       : "Provision this PC again.";
}

static void check_blob_use(struct job *j)
{
	struct odj_finding f[ODJ_FINDINGS_MAX];
	enum odj_use use = j->method == PLAN_REGISTRY ? ODJ_DIRECT : ODJ_WINDOWS;
	size_t n = odj_check(&j->odj, use, f);
	for (size_t i = 0; i < n && i < ODJ_FINDINGS_MAX; i++) {
		if (f[i].level == ODJ_STOP)
			stop(j, f[i].id, ERR_REFUSED, next_of(j, f[i].id), "%s", f[i].text);
		else
			warn(j, f[i].id, "Go on only if this is known.", "%s", f[i].text);
	}
	if (n == 0)
		pass(j, "blob", "the join data is complete");
}

/* The newest moment somebody vouches for: now cannot be before it. */
static int64_t newest_known(struct job *j, const char **what)
{
	struct journal *log = stick_journal(j->stick);
	int64_t made = bundle_facts(stick_bundle(j->stick))->created;
	int64_t wrote = log ? journal_newest(log) : 0, image = host_image_time();
	*what = "the bundle was made";
	if (wrote > made)
		*what = "this stick's newest record was written";
	if (image > made && image > wrote) {
		*what = "this stick's system is dated";
		return image;
	}
	return wrote > made ? wrote : made;
}

/* A hardware clock that Windows keeps in local time is off by the zone when Linux reads it. */
static int64_t zone_slack(const struct job *j)
{
	const struct windows_facts *f = &j->chosen->facts;
	return f->rtc_is_utc ? 0 : (int64_t)abs(f->utc_bias) * 60;
}

static void check_clock(struct job *j)
{
	static const char next[] =
		"Correct the clock in the firmware setup, or say why it does not matter.";
	const char *what;
	int64_t now = clock_now(), newest = newest_known(j, &what);
	int64_t made = bundle_facts(stick_bundle(j->stick))->created;
	char then[CLOCK_TEXT_MAX], today[CLOCK_TEXT_MAX];
	clock_text(now, today);
	clock_text(newest, then);
	if (now + zone_slack(j) < newest)
		warn(j, "clock", next, "this PC's clock says %s, but %s %s", today, what, then);
	else if (now - made > CLOCK_AHEAD_MAX) /* not the journal: this clock may have written it */
		warn(j, "clock", next,
			"this PC's clock says %s, more than ten years after the bundle was made",
			today);
	else
		pass(j, "clock", "the clock is plausible: %s", today);
}

static void check_expiry(struct job *j)
{
	char then[CLOCK_TEXT_MAX];
	clock_text(j->expires, then);
	if (j->expires && clock_now() >= j->expires)
		stop(j, "expiry", ERR_REFUSED, "Ask the lab for a new bundle.",
			"the join data expired %s", then);
}

static void check_power(struct job *j)
{
	const struct power *p = &j->machine.power;
	if (!j->has_machine || !p->known)
		return;
	if (power_is_low(p))
		warn(j, "power", "Plug in the mains adapter, then check again.",
			"this PC runs on its battery, and that is at %d%%", p->percent);
	else if (p->on_battery && p->percent < 0)
		warn(j, "power", "Plug in the mains adapter, then check again.",
			"this PC runs on its battery, and does not say how full that is");
	else if (p->on_battery)
		pass(j, "power", "this PC runs on its battery, which is at %d%%", p->percent);
	else
		pass(j, "power", "this PC runs on mains");
}

/* --- the disk
 * --------------------------------------------------------------------------------------- */

static void check_volume(struct job *j)
{
	const struct job_candidate *w = j->chosen;
	struct err why = ERR_INIT;
	if (w->facts.hibernation == WINDOWS_FAST_STARTUP)
		stop(j, "volume", ERR_UNSAFE,
			"Start this Windows and choose Restart, or hold Shift while you choose "
			"Shut down; then boot the stick again.",
			"%s belongs to a Windows that was shut down with Fast Startup: it is "
			"hibernated",
			w->shown.where);
	else if (volume_refuse(&w->state, w->shown.where, &why) < 0)
		stop(j, "volume", ERR_UNSAFE, why.next, "%s", why.what);
	else
		pass(j, "volume", "the volume was left clean by Windows");

	if (w->facts.free_bytes < FREE_SPACE_MIN)
		stop(j, "free-space", ERR_UNSAFE, "Free some space on the disk of Windows.",
			"only %llu MiB are free on the volume; 16 MiB are needed",
			(unsigned long long)(w->facts.free_bytes >> 20));
	else
		pass(j, "free-space", "there is room on the volume");
}

static void check_hive(
	struct job *j, const char *id, const char *name, const struct windows_hive *h)
{
	if (!h->present || !h->readable)
		stop(j, id, ERR_UNSAFE,
			h->dirty ? "Start Windows once, shut it down with Shift held, then try "
				   "again."
				 : "This Windows needs repair or a fresh image.",
			"the %s hive cannot be used: %s", name,
			h->problem[0] ? h->problem : "it is missing");
	else if (h->dirty)
		warn(j, id, "Better: start Windows once and shut it down with Shift held.",
			"the %s hive was not closed cleanly; its logs complete it", name);
	else
		pass(j, id, "the %s hive was closed cleanly", name);
}

static void check_hives(struct job *j)
{
	const struct windows_facts *f = &j->chosen->facts;
	check_hive(j, "hive-system", "SYSTEM", &f->system);
	check_hive(j, "hive-software", "SOFTWARE", &f->software);
	if (f->control_set == 0)
		stop(j, "control-set", ERR_UNSAFE, "This Windows needs repair or a fresh image.",
			"the SYSTEM hive does not say which control set is current");
}

/* NTFS moves the clusters of such a file when it is written in place. */
static bool check_storage_of(struct job *j, const char *name, const struct windows_hive *h)
{
	if (!h->compressed && !h->sparse && !h->encrypted)
		return true;
	stop(j, "hive-storage", ERR_UNSAFE,
		"In Windows, remove that attribute from the folder Windows\\System32\\config and "
		"its files, or use a fresh image.",
		"the %s hive or its log is stored %s: it cannot be written safely", name,
		h->compressed ? "compressed"
		: h->sparse   ? "sparse"
			      : "encrypted");
	return false;
}

static void check_hive_storage(struct job *j)
{
	const struct windows_facts *f = &j->chosen->facts;
	if (j->method == PLAN_UNATTEND)
		return;
	if (check_storage_of(j, "SYSTEM", &f->system) && j->settings.has_keyboard)
		check_storage_of(j, "DEFAULT", &f->default_user);
}

static bool writes_a_hive(const struct job *j)
{
	return j->method != PLAN_UNATTEND || j->settings.rtc != RTC_UNSAID;
}

/* Windows 8.1 changed the form of the logs through which a hive is written (docs/hive.md); a
 * Windows that reads the other one would lose the hive with the power. */
static void check_build(struct job *j)
{
	if (j->chosen->facts.build == 0 && writes_a_hive(j))
		stop(j, "build", ERR_UNSAFE, "This Windows needs repair or a fresh image.",
			"nothing on the disk says which build of Windows this is, so how its "
			"registry must be written is not known");
}

/* --- Windows
 * ---------------------------------------------------------------------------------------- */

static void check_edition(struct job *j)
{
	const struct windows_facts *f = &j->chosen->facts;
	if (f->domain_controller)
		stop(j, "edition", ERR_UNSAFE, "This is not a PC to join: leave it alone.",
			"this Windows is a domain controller");
	else if (f->may_join == WINDOWS_MAY_NOT_JOIN)
		stop(j, "edition", ERR_UNSAFE,
			"Install Pro, Enterprise or Education (or upgrade with a product key) "
			"first.",
			"%s (%s) cannot join a domain, says %s",
			f->product[0] ? f->product : "this edition", f->edition,
			f->may_join_source);
	else if (f->may_join == WINDOWS_MAY_JOIN_UNKNOWN)
		stop(j, "edition", ERR_UNSAFE, "Use a Windows that names its edition.",
			"nothing on the disk says whether this Windows may join a domain");
	else
		pass(j, "edition", "%s may join a domain", f->product);
}

/* The disk holds exactly the join we would write: an earlier run was cut off before its record. An
 * answer file is not looked at here: what it holds is replaced. */
static bool is_our_own_join(struct job *j)
{
	struct plan p = {0};
	bool ours = (j->method == PLAN_REGISTRY || j->method == PLAN_FIRSTBOOT) &&
		    plan_build(j, &p, NULL) == 0 && plan_verify(j, &p, NULL) == 0;
	plan_clear(&p);
	return ours;
}

static enum decide_state join_state(struct job *j, bool *firstboot)
{
	const struct windows_facts *f = &j->chosen->facts;
	*firstboot = firstboot_waits(j);
	if (f->join == WINDOWS_JOIN_PENDING || *firstboot)
		return is_our_own_join(j) ? STATE_PENDING_SAME : STATE_PENDING_OTHER;
	if (f->join == WINDOWS_JOINED)
		return strcasecmp(f->domain, j->pc.domain) == 0 ? STATE_JOINED_SAME
								: STATE_JOINED_OTHER;
	return f->join == WINDOWS_JOIN_UNKNOWN ? STATE_UNKNOWN
	       : f->leftover		       ? STATE_LEFTOVER
					       : STATE_NONE;
}

static void stop_pending(struct job *j, bool firstboot)
{
	const struct windows_facts *f = &j->chosen->facts;
	if (f->join == WINDOWS_JOIN_PENDING)
		stop(j, "join-state", ERR_UNSAFE,
			"Start Windows so that it can finish, or use a fresh image.",
			"an offline join to %s as %s already waits for the next start",
			f->pending_domain, f->pending_name);
	else if (firstboot)
		stop(j, "join-state", ERR_UNSAFE,
			"Run `undo` with the stick that wrote it, or run it again with the method "
			"firstboot.",
			"parts of a first-boot join by this program are on the disk");
}

static void check_join_state(struct job *j)
{
	const struct windows_facts *f = &j->chosen->facts;
	bool firstboot;
	enum decide_state state = join_state(j, &firstboot);
	if (decide_state(state))
		pass(j, "join-state", "%s",
			state == STATE_NONE
				? "not joined to a domain"
				: "this join was written before; only its record is missing");
	else if (state == STATE_JOINED_SAME)
		stop(j, "join-state", ERR_UNSAFE,
			"Nothing is left to do, or leave that domain in Windows first.",
			"this Windows is already a member of %s, as %s", f->domain,
			f->computer_name);
	else if (state == STATE_JOINED_OTHER)
		stop(j, "join-state", ERR_UNSAFE,
			"Leave that domain in Windows first, or use a fresh image.",
			"this Windows is already joined to %s", f->domain);
	else if (state == STATE_PENDING_OTHER)
		stop_pending(j, firstboot);
	else if (state == STATE_LEFTOVER)
		stop(j, "join-state", ERR_UNSAFE,
			"Start Windows once so that it cleans up, or use a fresh image.",
			"parts of an earlier offline join were left behind");
	else
		stop(j, "join-state", ERR_UNSAFE, "Use a fresh image.",
			"the disk does not say whether this Windows is joined to a domain");
}

static void check_rename(struct job *j)
{
	if (j->chosen->facts.rename_pending)
		warn(j, "rename", "Better: start Windows once so that it finishes.",
			"a new computer name already waits for the next start");
}

/* A PC is a member of one directory at a time; what an offline join makes of both is unknown. */
static void check_entra(struct job *j)
{
	const struct windows_facts *f = &j->chosen->facts;
	const char *tenant = f->entra_tenant_name[0] ? f->entra_tenant_name : f->entra_tenant;
	if (f->entra && f->join != WINDOWS_JOINED)
		stop(j, "entra", ERR_UNSAFE,
			"Leave it in Windows (dsregcmd /leave), or use a fresh image.",
			"this Windows is joined to Microsoft Entra ID%s%s",
			tenant[0] ? ", tenant " : "", tenant);
}

/* Who can sign in when the domain cannot be reached, and who stays an administrator afterwards. */
static void check_accounts(struct job *j)
{
	const struct windows_facts *f = &j->chosen->facts;
	const struct sam_account *only = sam_only_admin(&f->accounts);
	char names[ACCOUNT_NAMES_MAX];
	sam_admin_names(&f->accounts, names, sizeof names);
	if (!f->accounts_known && !f->sam.present)
		warn(j, "accounts", "Go on only if this Windows starts and lets you sign in.",
			"the local accounts are not known: there is no SAM hive");
	else if (!f->accounts_known || f->accounts.unreadable)
		warn(j, "accounts", "Go on only if this Windows starts and lets you sign in.",
			"the local accounts cannot be read%s%s", f->sam.problem[0] ? ": " : "",
			f->sam.problem);
	else if (only)
		pass(j, "accounts", "one local administrator can sign in: %s%s", only->name,
			only->password == SAM_PASSWORD_BLANK ? " (without a password)" : "");
	else if (f->accounts.admins)
		pass(j, "accounts", "%zu local administrators can sign in: %s", f->accounts.admins,
			names);
	else if (j->method == PLAN_UNATTEND)
		pass(j, "accounts", "no local administrator yet: setup has not made one");
	else
		warn(j, "accounts",
			"Enable a local administrator first: without the domain nobody could "
			"repair "
			"this PC.",
			"no enabled local account is an administrator");
}

static void check_dual_boot(struct job *j)
{
	size_t windows = 0, foreign = 0;
	for (size_t i = 0; i < j->windows_count; i++)
		windows += j->windows[i].has_facts;
	for (size_t i = 0; i < j->found.count; i++)
		foreign += discover_is_foreign(&j->found.items[i]);
	if (windows > 1 || foreign)
		pass(j, "dual-boot",
			"%zu Windows and %zu partition%s of other systems are here; %s "
			"was chosen",
			windows, foreign, foreign == 1 ? "" : "s", j->chosen->shown.where);
}

/* Who asked for the method; nobody did when it is auto. */
static void say_who(struct job *j, enum plan_method wanted)
{
	enum plan_method row = decide_wanted(NULL, j->settings.method);
	if (!j->has_named && row != PLAN_AUTO)
		pass(j, "method", "the lab's row asks for the method %s", plan_method_name(row));
	else if (j->has_named && row != PLAN_AUTO && row != wanted)
		pass(j, "method-named", "the method %s was asked for by name, not the row's %s",
			plan_method_name(wanted), plan_method_name(row));
	else if (j->has_named)
		pass(j, "method-named", "the method %s was asked for by name",
			plan_method_name(wanted));
}

static void check_phase(struct job *j)
{
	enum windows_phase phase = j->chosen->facts.phase;
	enum plan_method wanted =
		decide_wanted(j->has_named ? &j->named : NULL, j->settings.method);
	const char *name = windows_phase_name(phase);
	bool fits = decide_method(phase, wanted, &j->method);
	if (j->method == PLAN_AUTO)
		stop(j, "phase", ERR_UNSAFE,
			"Let Windows finish its setup and shut it down, then come back.",
			"Windows setup is in a state that must not be touched: %s", name);
	else if (!fits)
		stop(j, "phase", ERR_REFUSED,
			j->has_named ? "Leave the method to the program (auto)."
				     : "In the lab: leave the row's column method empty, or apply "
				       "--method auto.",
			"the method %s has no effect on a Windows in the phase \"%s\"",
			plan_method_name(wanted), name);
	else
		pass(j, "phase", "setup phase \"%s\": the %s method fits", name,
			plan_method_name(j->method));
	say_who(j, wanted);
}

static int open_blob(struct job *j, struct err *e)
{
	if (j->odj.join)
		return 0;
	int ret = bundle_entry_open(stick_bundle(j->stick), j->entry, &j->blob, NULL, e);
	if (ret == 0)
		ret = settings_of_entry(stick_bundle(j->stick), j->entry, &j->settings, e);
	if (ret == 0)
		ret = odj_decode(&j->blob, &j->odj, e);
	if (ret == 0 && !j->odj.join)
		ret = err_set(e, ERR_FORMAT, "The disk is untouched. Provision this PC again.",
			"the join data of %s holds no join", j->pc.name);
	return ret;
}

/* The one check of a job that only has to be recorded. */
static void check_unfinished(struct job *j)
{
	struct err why = ERR_INIT;
	if (finish_verify(j, &why) < 0)
		stop(j, "entry", why.code, why.next, "%s", why.what);
	else
		pass(j, "entry", "an interrupted run joined this PC; only its record is missing");
}

void job_set_machine(struct job *j, const struct machine *m)
{
	j->machine = *m;
	j->has_machine = true;
}

void job_set_method(struct job *j, enum plan_method named)
{
	j->named = named;
	j->has_named = true;
}

int job_preflight(struct job *j, struct err *e)
{
	if (!j->selected || !j->chosen)
		return err_set(e, ERR_USAGE,
			"Nothing was changed. Scan the PC, then choose its Windows.",
			"the PC and its Windows are not chosen yet");
	j->check_count = 0;
	j->accepted = false;
	if (j->finishing) {
		check_unfinished(j);
		return 0;
	}
	int ret = open_blob(j, e);
	if (ret < 0)
		return report_refusal(j, "blob", ret);

	j->as_of = finish_as_of(j);
	check_phase(j);
	check_name(j);
	check_blob_name(j);
	check_blob_domain(j);
	check_blob_use(j);
	check_clock(j);
	check_expiry(j);
	check_power(j);
	check_volume(j);
	check_hives(j);
	check_hive_storage(j);
	check_build(j);
	check_edition(j);
	settings_check(j);
	check_join_state(j);
	check_entra(j);
	check_rename(j);
	check_accounts(j);
	check_dual_boot(j);
	answer_check(j);
	return 0;
}

size_t job_check_count(const struct job *j)
{
	return j->check_count;
}

const struct job_check *job_check(const struct job *j, size_t i)
{
	return i < j->check_count ? &j->checks[i] : NULL;
}

enum job_verdict job_verdict(const struct job *j)
{
	enum job_verdict worst = JOB_OK;
	for (size_t i = 0; i < j->check_count; i++)
		if (j->checks[i].verdict > worst)
			worst = j->checks[i].verdict;
	return worst;
}

static const struct job_check *first(const struct job *j, enum job_verdict v)
{
	for (size_t i = 0; i < j->check_count; i++)
		if (j->checks[i].verdict == v)
			return &j->checks[i];
	return NULL;
}

int job_accept(struct job *j, const char *reason, struct err *e)
{
	const struct job_check *c = first(j, JOB_STOP);
	int ret = report_checks(j, reason, e);
	if (ret < 0)
		return ret;
	if (c) {
		ret = err_set(e, c->code, c->next, "%s (the disk is untouched)", c->text);
		return report_refusal(j, c->id, ret);
	}
	c = first(j, JOB_WARN);
	if (c && (!reason || !*reason)) {
		ret = err_set(e, ERR_REFUSED, c->next,
			"a reason is needed (--reason TEXT) to go on although %s (the disk is "
			"untouched)",
			c->text);
		return report_refusal(j, c->id, ret);
	}
	j->accepted = true;
	return 0;
}
