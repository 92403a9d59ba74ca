/* struct windows_facts as JSON: one object per topic, names as in facts.h. */
#include "base/clock.h"
#include "windows/facts.h"

static json_t *hive_json(const struct windows_hive *h)
{
	return json_pack("{s:b,s:b,s:b,s:b,s:b,s:b,s:b,s:s}", "present", h->present, "readable",
		h->readable, "dirty", h->dirty, "recoverable", h->recoverable, "compressed",
		h->compressed, "sparse", h->sparse, "encrypted", h->encrypted, "problem",
		h->problem);
}

static const char *date(int64_t t, char text[CLOCK_TEXT_MAX])
{
	text[0] = '\0';
	if (t)
		clock_text(t, text);
	return text;
}

static const char *may_join(enum windows_entitlement x)
{
	return x == WINDOWS_MAY_JOIN ? "yes" : x == WINDOWS_MAY_NOT_JOIN ? "no" : "unknown";
}

static json_t *release_json(const struct windows_facts *f)
{
	char installed[CLOCK_TEXT_MAX];
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:s,s:b,s:b,s:s,s:s}", "product", f->product,
		"edition", f->edition, "version", f->version, "installation_type",
		f->installation_type, "build", (json_int_t)f->build, "ubr", (json_int_t)f->ubr,
		"architecture", windows_arch_name(f->arch), "installed",
		date(f->install_date, installed), "server", f->server, "domain_controller",
		f->domain_controller, "may_join", may_join(f->may_join), "may_join_source",
		f->may_join_source);
}

static json_t *setup_json(const struct windows_facts *f)
{
	return json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:b,s:I,s:s}", "phase",
		windows_phase_name(f->phase), "image_state", f->image_state, "cmdline",
		f->setup_cmdline, "system_setup_in_progress", (json_int_t)f->setup_in_progress,
		"oobe_in_progress", (json_int_t)f->oobe_in_progress, "setup_type",
		(json_int_t)f->setup_type, "setup_phase", (json_int_t)f->setup_phase, "audit",
		f->audit, "generalization_state", (json_int_t)f->generalization_state,
		"unattend_file", f->unattend_setting);
}

static json_t *identity_json(const struct windows_facts *f)
{
	return json_pack("{s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:b}", "control_set",
		(json_int_t)f->control_set, "control_set_default",
		(json_int_t)f->control_set_default, "computer_name", f->computer_name, "host_name",
		f->host_name, "join", windows_join_name(f->join), "domain", f->domain,
		"netbios_domain", f->netbios_domain, "workgroup", f->workgroup, "pending_domain",
		f->pending_domain, "pending_name", f->pending_name, "leftover", f->leftover,
		"rename_pending", f->rename_pending);
}

static json_t *unattend_json(const struct windows_facts *f)
{
	json_t *list = json_array();
	for (size_t i = 0; i < f->unattend_count; i++) {
		const struct windows_unattend *u = &f->unattend[i];
		if (json_array_append_new(
			    list, json_pack("{s:s,s:b,s:b,s:b,s:b,s:b}", "path", u->path, "exists",
					  u->exists, "on_volume", u->on_volume, "has_specialize",
					  u->has_specialize, "processed", u->processed,
					  "unreadable", u->unreadable)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *odj_json(const struct windows_facts *f)
{
	char written[CLOCK_TEXT_MAX], log[CLOCK_TEXT_MAX], first[CLOCK_TEXT_MAX];
	return json_pack("{s:s,s:s,s:b,s:s,s:s,s:s}", "state", windows_odj_name(f->odj), "written",
		date(f->odj_written, written), "name_set", f->odj_name_set, "netsetup_log",
		date(f->netsetup_log, log), "firstboot_log", date(f->firstboot_log, first),
		"djoin_exit_code", f->firstboot_code);
}

static json_t *entra_json(const struct windows_facts *f)
{
	return json_pack("{s:b,s:s,s:s}", "joined", f->entra, "tenant", f->entra_tenant,
		"tenant_name", f->entra_tenant_name);
}

static json_t *account_json(const struct sam_account *a)
{
	char set[CLOCK_TEXT_MAX], logon[CLOCK_TEXT_MAX];
	return json_pack("{s:s,s:I,s:b,s:b,s:b,s:b,s:s,s:s,s:b,s:s}", "name", a->name, "rid",
		(json_int_t)a->rid, "enabled", a->enabled, "locked", a->locked, "administrator",
		a->admin, "microsoft_account", a->microsoft, "password",
		sam_password_name(a->password), "password_set", date(a->password_set, set),
		"password_expires", a->password_expires, "last_logon", date(a->last_logon, logon));
}

static json_t *accounts_json(const struct windows_facts *f)
{
	const struct sam *s = &f->accounts;
	const struct sam_account *only = sam_only_admin(s);
	json_t *list = json_array();
	for (size_t i = 0; f->accounts_known && i < s->count; i++)
		if (json_array_append_new(list, account_json(&s->account[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return json_pack("{s:b,s:I,s:I,s:I,s:I,s:s,s:o}", "known", f->accounts_known, "total",
		(json_int_t)s->total, "administrators", (json_int_t)s->admins,
		"foreign_administrators", (json_int_t)s->foreign_admins, "unreadable",
		(json_int_t)s->unreadable, "only_administrator", only ? only->name : "", "list",
		list);
}

static json_t *hives_json(const struct windows_facts *f)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", "system", hive_json(&f->system), "software",
		hive_json(&f->software), "security", hive_json(&f->security), "sam",
		hive_json(&f->sam), "default", hive_json(&f->default_user));
}

static json_t *volume_json(const struct windows_facts *f)
{
	return json_pack("{s:b,s:s,s:b,s:b,s:s,s:I}", "hibernated",
		f->hibernation != WINDOWS_NOT_HIBERNATED, "hibernation",
		windows_hibernation_name(f->hibernation), "fast_startup_enabled", f->fast_startup,
		"dirty", f->volume_dirty, "bitlocker", volume_bitlocker_name(f->bitlocker),
		"free_bytes", (json_int_t)f->free_bytes);
}

static json_t *clock_json(const struct windows_facts *f)
{
	char down[CLOCK_TEXT_MAX];
	return json_pack("{s:s,s:i,s:b,s:s}", "time_zone", f->time_zone, "utc_bias",
		(int)f->utc_bias, "rtc_is_utc", f->rtc_is_utc, "last_shutdown",
		date(f->last_shutdown, down));
}

json_t *windows_facts_json(const struct windows_facts *f)
{
	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:{s:s,s:s},s:o,s:o,s:o,s:o}", "root",
		f->root, "release", release_json(f), "setup", setup_json(f), "identity",
		identity_json(f), "offline_join", odj_json(f), "entra", entra_json(f), "accounts",
		accounts_json(f), "keyboard", "layout", f->keyboard, "name", f->keyboard_name,
		"clock", clock_json(f), "volume", volume_json(f), "hives", hives_json(f),
		"unattend", unattend_json(f));
}
