#include "cli/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void facts_describe_join(const struct windows_facts *f, char *out, size_t n)
{
	if (f->join == WINDOWS_JOINED)
		snprintf(out, n, "joined to %s", f->domain);
	else if (f->join == WINDOWS_JOIN_PENDING)
		snprintf(out, n, "will join %s as %s", f->pending_domain, f->pending_name);
	else if (f->join == WINDOWS_JOIN_NONE)
		snprintf(out, n, "workgroup%s%s", f->workgroup[0] ? " " : "", f->workgroup);
	else
		snprintf(out, n, "membership unknown");
}

static void row(const char *label, const char *value)
{
	printf("%-18s %s\n", label, value[0] ? value : "-");
}

static const char *yes_no(bool b)
{
	return b ? "yes" : "no";
}

static void date_row(const char *label, int64_t t, const char *absent)
{
	char text[CLOCK_TEXT_MAX];
	if (t)
		clock_text(t, text);
	row(label, t ? text : absent);
}

/* --- Windows --- */

static void print_hive(const char *name, const struct windows_hive *h)
{
	printf("%-18s %s%s%s%s%s%s\n", name,
		!h->present    ? "missing"
		: !h->readable ? "not usable"
		: h->dirty     ? "not closed cleanly, its logs complete it"
			       : "clean",
		h->compressed ? ", compressed" : "", h->sparse ? ", sparse" : "",
		h->encrypted ? ", encrypted" : "", h->problem[0] ? ": " : "", h->problem);
}

static void print_release(const struct windows_facts *f)
{
	row("Windows", f->product);
	row("Edition", f->edition);
	printf("%-18s %s (build %u.%u), %s\n", "Version", f->version, f->build, f->ubr,
		windows_arch_name(f->arch));
	date_row("Installed", f->install_date, "-");
	row("Role", f->domain_controller ? "domain controller" : f->server ? "server" : "client");
	printf("%-18s %s%s%s\n", "May join a domain",
		f->may_join == WINDOWS_MAY_JOIN	      ? "yes"
		: f->may_join == WINDOWS_MAY_NOT_JOIN ? "no"
						      : "unknown",
		f->may_join_source[0] ? ", says " : "", f->may_join_source);
	printf("%-18s %s (%s)\n", "Setup", windows_phase_name(f->phase),
		f->image_state[0] ? f->image_state : "no image state");
	if (f->setup_cmdline[0])
		row("Setup runs next", f->setup_cmdline);
}

static const char *odj_sentence(const struct windows_facts *f)
{
	switch (f->odj) {
	case WINDOWS_ODJ_WAITING:
		return "waits for the next start of Windows";
	case WINDOWS_ODJ_IGNORED:
		return "still waits, although Windows was shut down after it was written";
	case WINDOWS_ODJ_COMPLETED:
		return "Windows took it up and is a member";
	case WINDOWS_ODJ_FAILED:
		return "left its marks, but this Windows is no member: see NetSetup.log";
	default:
		return "no trace of one";
	}
}

/* The log that the first-boot method leaves on the PC. */
static void print_firstboot(const struct windows_facts *f)
{
	const char *code = f->firstboot_code;
	if (!f->firstboot_log)
		return;
	date_row("First-boot log", f->firstboot_log, "");
	row("  djoin", strcmp(code, "0") == 0	   ? "exit code 0: it joined"
		       : strcmp(code, "2713") == 0 ? "exit code 2713: it joined, Windows restarts"
		       : strcmp(code, "not run") == 0 ? "not run: the start was cut off before it"
		       : code[0]		      ? "failed"
						      : "no exit code: it was cut off");
	if (code[0])
		row("  exit code", code);
}

static void print_identity(const struct windows_facts *f)
{
	char join[FACTS_JOIN_MAX];
	facts_describe_join(f, join, sizeof join);
	row("Computer name", f->computer_name);
	row("Host name", f->host_name);
	row("Membership", join);
	row("Offline join", odj_sentence(f));
	date_row("NetSetup.log", f->netsetup_log, "absent");
	print_firstboot(f);
	if (f->rename_pending)
		row("Rename", "a new name waits for the next start");
	if (f->entra)
		printf("%-18s joined, tenant %s %s\n", "Microsoft Entra", f->entra_tenant,
			f->entra_tenant_name);
	printf("%-18s %u (default %u)\n", "Control set", f->control_set, f->control_set_default);
}

static void print_account(const struct sam_account *a)
{
	printf("    %-20s %s%s%s%s, password %s%s\n", a->name, a->enabled ? "enabled" : "disabled",
		a->locked ? ", locked" : "", a->admin ? ", administrator" : "",
		a->microsoft ? ", Microsoft account" : "", sam_password_name(a->password),
		a->password_set ? "" : ", never set");
}

static void print_accounts(const struct windows_facts *f)
{
	const struct sam *s = &f->accounts;
	const struct sam_account *only = sam_only_admin(s);
	if (!f->accounts_known) {
		row("Accounts", "not known");
		return;
	}
	printf("%-18s %zu; ", "Accounts", s->total);
	if (only)
		printf("one enabled local administrator: %s", only->name);
	else
		printf("%s enabled local administrators", s->admins ? "several" : "no");
	if (s->foreign_admins)
		printf("; %zu administrators of a domain or tenant", s->foreign_admins);
	printf("%s\n", s->unreadable ? "; something in SAM was not understood" : "");
	for (size_t i = 0; i < s->count; i++)
		print_account(&s->account[i]);
}

static const char *hibernation_sentence(enum windows_hibernation h)
{
	return h == WINDOWS_NOT_HIBERNATED ? "no"
	       : h == WINDOWS_FAST_STARTUP ? "shut down with Fast Startup: the kernel sleeps"
	       : h == WINDOWS_HIBERNATED   ? "yes: programs sleep"
					   : "yes, of an unknown kind";
}

static void print_disk(const struct windows_facts *f)
{
	print_hive("SYSTEM hive", &f->system);
	print_hive("SOFTWARE hive", &f->software);
	print_hive("SECURITY hive", &f->security);
	print_hive("SAM hive", &f->sam);
	print_hive("DEFAULT hive", &f->default_user);
	row("Hibernated", hibernation_sentence(f->hibernation));
	row("Fast Startup", f->fast_startup ? "switched on" : "off");
	row("Volume dirty", yes_no(f->volume_dirty));
	row("BitLocker", "off");
	printf("%-18s %llu MiB\n", "Free space", (unsigned long long)(f->free_bytes >> 20));
}

static void print_clock(const struct windows_facts *f)
{
	row("Time zone", f->time_zone);
	printf("%-18s UTC%c%02d:%02d\n", "Offset", f->utc_bias > 0 ? '-' : '+',
		abs(f->utc_bias) / 60, abs(f->utc_bias) % 60);
	row("Clock in UTC", yes_no(f->rtc_is_utc));
	date_row("Last shutdown", f->last_shutdown, "-");
	printf("%-18s %s%s%s\n", "Keyboard", f->keyboard[0] ? f->keyboard : "-",
		f->keyboard_name[0] ? " " : "", f->keyboard_name);
}

static void print_answers(const struct windows_facts *f)
{
	row("Own answer file", f->unattend_setting);
	for (size_t i = 0; i < f->unattend_count; i++)
		if (f->unattend[i].exists)
			printf("%-18s %s (%s)\n", "Answer file", f->unattend[i].path,
				f->unattend[i].unreadable	? "unreadable"
				: f->unattend[i].has_specialize ? "has a specialize pass"
				: f->unattend[i].processed	? "its specialize pass is done"
								: "no specialize pass");
}

void facts_print(const struct windows_facts *f)
{
	print_release(f);
	print_identity(f);
	print_accounts(f);
	print_disk(f);
	print_clock(f);
	print_answers(f);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

void facts_print_others(const json_t *others)
{
	size_t i;
	const json_t *o;
	json_array_foreach((json_t *)others, i, o) printf("%-18s partition %d holds %s%s%s%s%s\n",
		"Beside it", (int)json_integer_value(json_object_get(o, "partition")),
		text_of(o, "holds"), *text_of(o, "product") ? ": " : "", text_of(o, "product"),
		*text_of(o, "type") ? ", " : "", text_of(o, "type"));
}

/* --- the PC --- */

void facts_print_pc(const struct machine *m)
{
	const struct firmware *fw = &m->fw;
	printf("%-18s %s %s\n", "This PC", fw->vendor, fw->product);
	for (size_t i = 0; i < FIRMWARE_IDS; i++)
		printf("%-18s %s %s: %s%s\n", "Firmware", fw->id[i].source, fw->id[i].kind,
			fw->id[i].text[0] ? fw->id[i].text : "-",
			fw->id[i].placeholder ? " (a placeholder)" : "");
	if (!m->power.known)
		row("Power", "not known");
	else if (m->power.percent >= 0)
		printf("%-18s %s, battery at %d%%\n", "Power",
			m->power.on_battery ? "battery" : "mains", m->power.percent);
	else
		row("Power", m->power.on_battery ? "battery" : "mains");
	date_row("Hardware clock", m->rtc, "not known");
}
