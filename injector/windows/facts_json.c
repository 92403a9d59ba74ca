/* struct windows_facts as JSON: one object per topic, names as in facts.h. */
#include "base/clock.h"
#include "windows/facts.h"

static json_t *hive_json(const struct windows_hive *h)
{
	return json_pack("{s:b,s:b,s:b,s:b,s:s}", "present", h->present, "readable", h->readable,
		"dirty", h->dirty, "recoverable", h->recoverable, "problem", h->problem);
}

static const char *may_join(enum windows_entitlement x)
{
	return x == WINDOWS_MAY_JOIN ? "yes" : x == WINDOWS_MAY_NOT_JOIN ? "no" : "unknown";
}

static json_t *release_json(const struct windows_facts *f)
{
	char date[CLOCK_TEXT_MAX] = "";
	if (f->install_date)
		clock_text(f->install_date, date);
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:s,s:b,s:b,s:s,s:s}", "product", f->product,
		"edition", f->edition, "version", f->version, "installation_type",
		f->installation_type, "build", (json_int_t)f->build, "ubr", (json_int_t)f->ubr,
		"architecture", windows_arch_name(f->arch), "installed", date, "server", f->server,
		"domain_controller", f->domain_controller, "may_join", may_join(f->may_join),
		"may_join_source", f->may_join_source);
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

json_t *windows_facts_json(const struct windows_facts *f)
{
	return json_pack("{s:s,s:o,s:o,s:o,s:{s:o,s:o,s:o},s:b,s:b,s:I,s:s,s:b,s:o}", "root",
		f->root, "release", release_json(f), "setup", setup_json(f), "identity",
		identity_json(f), "hives", "system", hive_json(&f->system), "software",
		hive_json(&f->software), "security", hive_json(&f->security), "hibernated",
		f->hibernated, "volume_dirty", f->volume_dirty, "free_bytes",
		(json_int_t)f->free_bytes, "time_zone", f->time_zone, "rtc_is_utc", f->rtc_is_utc,
		"unattend", unattend_json(f));
}
