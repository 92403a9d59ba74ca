#include "windows/collect.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "windows/join.h"
#include "windows/reg.h"

#define WINDOWS_11_BUILD 22000
#define POLICY_MAX (1U << 20)
#define LSA_VALUE_MAX 4096
#define BIAS_MAX (15 * 60) /* minutes; UTC+14 is the furthest zone */
#define DOMAIN_SID_MIN 24  /* S-1-5-21-a-b-c */

hive_key collect_set(const struct windows_facts *f, const struct hive *h)
{
	char name[24];
	if (!h || f->control_set == 0)
		return HIVE_KEY_NONE;
	snprintf(name, sizeof name, "ControlSet%03u", f->control_set);
	return reg_key(h, hive_root(h), name);
}

static uint32_t select_set(const struct hive *h, const char *which)
{
	char name[24];
	uint32_t n;
	if (!reg_dword(h, hive_root(h), "Select", which, &n) || n == 0 || n > 999)
		return 0;
	snprintf(name, sizeof name, "ControlSet%03u", n);
	return reg_key(h, hive_root(h), name) == HIVE_KEY_NONE ? 0 : n;
}

/* --- SYSTEM --- */

static void read_setup(struct windows_facts *f, const struct hive *h)
{
	hive_key setup = reg_key(h, hive_root(h), "Setup");
	uint32_t audit;
	reg_dword(h, setup, "", "SystemSetupInProgress", &f->setup_in_progress);
	reg_dword(h, setup, "", "OOBEInProgress", &f->oobe_in_progress);
	reg_dword(h, setup, "", "SetupType", &f->setup_type);
	reg_dword(h, setup, "", "SetupPhase", &f->setup_phase);
	reg_string(h, setup, "", "CmdLine", f->setup_cmdline, sizeof f->setup_cmdline);
	reg_string(h, setup, "", "UnattendFile", f->unattend_setting, sizeof f->unattend_setting);
	reg_dword(
		h, setup, "Status\\SysprepStatus", "GeneralizationState", &f->generalization_state);
	f->audit = reg_dword(h, setup, "Status", "AuditBoot", &audit) && audit != 0;
}

static void read_names(struct windows_facts *f, const struct hive *h, hive_key set)
{
	static const char tcpip[] = "Services\\Tcpip\\Parameters";
	char running[64];
	reg_string(h, set, "Control\\ComputerName\\ComputerName", "ComputerName", f->computer_name,
		sizeof f->computer_name);
	bool next = reg_string(h, set, tcpip, "NV Hostname", f->host_name, sizeof f->host_name);
	bool now = reg_string(h, set, tcpip, "Hostname", running, sizeof running);
	if (!next)
		reg_copy(f->host_name, sizeof f->host_name, running);
	/* Hostname follows NV Hostname at boot */
	f->rename_pending = next && now && strcasecmp(f->host_name, running) != 0;
}

/* Minutes from local time to UTC: ActiveTimeBias is what Windows last used, Bias the zone's own. */
static int32_t read_bias(const struct hive *h, hive_key set, const char *zone)
{
	uint32_t v;
	if (!reg_dword(h, set, zone, "ActiveTimeBias", &v) && !reg_dword(h, set, zone, "Bias", &v))
		return 0;
	int32_t bias = (int32_t)v;
	return bias >= -BIAS_MAX && bias <= BIAS_MAX ? bias : 0;
}

static void read_machine(struct windows_facts *f, const struct hive *h, hive_key set)
{
	char text[64];
	uint32_t utc;
	reg_string(h, set, "Control\\Session Manager\\Environment", "PROCESSOR_ARCHITECTURE", text,
		sizeof text);
	f->arch = strcasecmp(text, "AMD64") == 0   ? WINDOWS_AMD64
		  : strcasecmp(text, "x86") == 0   ? WINDOWS_X86
		  : strcasecmp(text, "ARM64") == 0 ? WINDOWS_ARM64
						   : WINDOWS_ARCH_UNKNOWN;
	reg_string(h, set, "Control\\ProductOptions", "ProductType", text, sizeof text);
	f->domain_controller = strcasecmp(text, "LanmanNT") == 0;
	f->server = f->domain_controller || strcasecmp(text, "ServerNT") == 0;
	static const char zone[] = "Control\\TimeZoneInformation";
	reg_string(h, set, zone, "TimeZoneKeyName", f->time_zone, sizeof f->time_zone);
	f->rtc_is_utc = reg_dword(h, set, zone, "RealTimeIsUniversal", &utc) && utc != 0;
	f->utc_bias = read_bias(h, set, zone);
	static const char power[] = "Control\\Session Manager\\Power";
	uint32_t fast;
	f->fast_startup = reg_dword(h, set, power, "HiberbootEnabled", &fast) && fast != 0;
	f->last_shutdown = reg_time(h, set, "Control\\Windows", "ShutdownTime");
}

void collect_system(struct windows_facts *f, const struct hive *system)
{
	if (!system)
		return;
	f->control_set = select_set(system, "Current");
	f->control_set_default = select_set(system, "Default");
	if (f->control_set == 0 && !f->system.problem[0])
		snprintf(f->system.problem, sizeof f->system.problem,
			"Select\\Current names no control set that exists");
	hive_key set = collect_set(f, system);
	read_setup(f, system);
	read_names(f, system, set);
	read_machine(f, system, set);
}

/* --- SOFTWARE --- */

/* Windows 11 still calls itself Windows 10 here. */
static void fix_product(struct windows_facts *f)
{
	static const char ten[] = "Windows 10";
	if (f->build >= WINDOWS_11_BUILD && !f->server &&
		strncmp(f->product, ten, sizeof ten - 1) == 0)
		memcpy(f->product, "Windows 11", sizeof ten - 1);
}

static uint32_t to_number(const char *s)
{
	uint32_t n = 0;
	for (; *s >= '0' && *s <= '9' && n < 1000000; s++)
		n = n * 10 + (uint32_t)(*s - '0');
	return *s ? 0 : n;
}

void collect_software(struct windows_facts *f, const struct hive *software)
{
	if (!software)
		return;
	char build[16];
	uint32_t date;
	hive_key v =
		reg_key(software, hive_root(software), "Microsoft\\Windows NT\\CurrentVersion");
	reg_string(software, v, "", "ProductName", f->product, sizeof f->product);
	reg_string(software, v, "", "EditionID", f->edition, sizeof f->edition);
	reg_string(software, v, "", "InstallationType", f->installation_type,
		sizeof f->installation_type);
	if (!reg_string(software, v, "", "DisplayVersion", f->version, sizeof f->version) &&
		!reg_string(software, v, "", "ReleaseId", f->version, sizeof f->version))
		reg_string(software, v, "", "CurrentVersion", f->version, sizeof f->version);
	if (!reg_string(software, v, "", "CurrentBuild", build, sizeof build))
		reg_string(software, v, "", "CurrentBuildNumber", build, sizeof build);
	f->build = to_number(build);
	reg_dword(software, v, "", "UBR", &f->ubr);
	if (reg_dword(software, v, "", "InstallDate", &date))
		f->install_date = date;
	reg_string(software, hive_root(software),
		"Microsoft\\Windows\\CurrentVersion\\Setup\\State", "ImageState", f->image_state,
		sizeof f->image_state);
	if (strncasecmp(f->installation_type, "Server", 6) == 0)
		f->server = true;
	fix_product(f);
}

/* --- join state --- */

static bool pending_join(struct windows_facts *f, const struct hive *h, hive_key set)
{
	static const char key[] = "Control\\Lsa\\OfflineJoin";
	uint32_t action;
	bool has_action = reg_dword(h, set, key, "JoinAction", &action);
	bool has_domain = reg_string(
		h, set, key, "DNSDIDomName", f->pending_domain, sizeof f->pending_domain);
	reg_string(h, set, key, "MachineName", f->pending_name, sizeof f->pending_name);
	if (!has_action && !has_domain)
		return false;
	reg_copy(f->domain, sizeof f->domain, f->pending_domain);
	reg_string(h, set, key, "DNSDIName", f->netbios_domain, sizeof f->netbios_domain);
	return true;
}

static void lsa_value(const struct hive *h, const char *path, char *out, size_t size)
{
	struct buf b = BUF_INIT;
	out[0] = '\0';
	if (reg_bytes(h, hive_root(h), path, NULL, LSA_VALUE_MAX, &b))
		lsa_string(SPAN_OF(b), out, size);
	buf_clear(&b);
}

/* The LSA policy is the authority: a domain member has the domain's SID there. */
static bool join_from_security(struct windows_facts *f, const struct hive *security)
{
	char name[64];
	struct buf sid = BUF_INIT;
	if (!security ||
		reg_key(security, hive_root(security), "Policy\\PolPrDmN") == HIVE_KEY_NONE)
		return false;
	lsa_value(security, "Policy\\PolPrDmN", name, sizeof name);
	bool member = reg_bytes(security, hive_root(security), "Policy\\PolPrDmS", NULL,
			      LSA_VALUE_MAX, &sid) &&
		      sid.len >= DOMAIN_SID_MIN;
	buf_clear(&sid);
	f->join = member ? WINDOWS_JOINED : WINDOWS_JOIN_NONE;
	if (member) {
		lsa_value(security, "Policy\\PolDnDDN", f->domain, sizeof f->domain);
		reg_copy(f->netbios_domain, sizeof f->netbios_domain, name);
		if (!f->domain[0])
			reg_copy(f->domain, sizeof f->domain, name);
	} else {
		reg_copy(f->workgroup, sizeof f->workgroup, name);
	}
	return true;
}

/* Without SECURITY: a member starts Netlogon and has a DNS domain, a workgroup PC does neither. A
 * DNS suffix alone may be anybody's. */
static void join_from_system(struct windows_facts *f, const struct hive *h, hive_key set)
{
	static const char cached[] = "Control\\Lsa\\CachedMachineNames";
	char domain[256];
	uint32_t start;
	bool has_domain = reg_string(h, set, "Services\\Tcpip\\Parameters", "NV Domain", domain,
				  sizeof domain) &&
			  domain[0];
	bool has_start = reg_dword(h, set, "Services\\Netlogon", "Start", &start);
	bool member_name = reg_key(h, set, cached) != HIVE_KEY_NONE;
	f->join = WINDOWS_JOIN_UNKNOWN;
	if (has_start && has_domain && (start == 2 || member_name))
		f->join = WINDOWS_JOINED;
	else if (has_start && !has_domain && start != 2 && !member_name)
		f->join = WINDOWS_JOIN_NONE;
	if (f->join == WINDOWS_JOINED)
		reg_copy(f->domain, sizeof f->domain, domain);
}

void collect_join(struct windows_facts *f, const struct hive *system, const struct hive *security)
{
	hive_key set = collect_set(f, system);
	if (set == HIVE_KEY_NONE)
		return;
	for (size_t i = 0; windows_join_leftover_keys[i]; i++)
		if (reg_key(system, set, windows_join_leftover_keys[i]) != HIVE_KEY_NONE)
			f->leftover = true;
	if (pending_join(f, system, set))
		f->join = WINDOWS_JOIN_PENDING;
	else if (!join_from_security(f, security))
		join_from_system(f, system, set);
}

/* --- decisions --- */

static bool image_state_is(const struct windows_facts *f, const char *state)
{
	return strcasecmp(f->image_state, state) == 0;
}

void decide_phase(struct windows_facts *f, bool setup_started)
{
	bool busy = f->setup_in_progress || f->oobe_in_progress || f->setup_type;
	if (f->audit || image_state_is(f, "IMAGE_STATE_GENERALIZE_RESEAL_TO_AUDIT") ||
		image_state_is(f, "IMAGE_STATE_SPECIALIZE_RESEAL_TO_AUDIT"))
		f->phase = WINDOWS_PHASE_AUDIT;
	else if (image_state_is(f, "IMAGE_STATE_COMPLETE"))
		f->phase = busy ? WINDOWS_PHASE_BETWEEN : WINDOWS_PHASE_COMPLETE;
	else if (image_state_is(f, "IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE") ||
		 image_state_is(f, "IMAGE_STATE_UNDEPLOYABLE"))
		f->phase = WINDOWS_PHASE_BETWEEN;
	else if (image_state_is(f, "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"))
		f->phase = setup_started	     ? WINDOWS_PHASE_BETWEEN
			   : f->generalization_state ? WINDOWS_PHASE_GENERALIZED
						     : WINDOWS_PHASE_SPECIALIZE;
	else
		f->phase = busy ? WINDOWS_PHASE_BETWEEN : WINDOWS_PHASE_UNKNOWN;
}

/* EditionID without the licensing policy at hand. From memory, unverified: the policy decides when
 * it is there. */
static enum windows_entitlement by_edition(const char *edition)
{
	static const char *const no[] = {"Core", "CoreN", "CoreSingleLanguage",
		"CoreCountrySpecific", "Starter", "StarterN", "HomeBasic", "HomeBasicN",
		"HomePremium", "HomePremiumN", "CloudEdition", "CloudEditionN", "Cloud", "CloudN"};
	static const char *const yes[] = {"Professional", "Enterprise", "Education",
		"IoTEnterprise", "Ultimate", "Business", "Server", "EnterpriseEval", "PPIPro"};
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (strcasecmp(edition, no[i]) == 0)
			return WINDOWS_MAY_NOT_JOIN;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (strncasecmp(edition, yes[i], strlen(yes[i])) == 0)
			return WINDOWS_MAY_JOIN;
	return WINDOWS_MAY_JOIN_UNKNOWN;
}

void decide_entitlement(struct windows_facts *f, const struct hive *system)
{
	struct buf b = BUF_INIT;
	uint32_t allowed;
	hive_key set = collect_set(f, system);
	if (reg_bytes(system, set, "Control\\ProductOptions", "ProductPolicy", POLICY_MAX, &b) &&
		policy_dword(SPAN_OF(b), "WorkstationService-DomainJoinEnabled", &allowed)) {
		f->may_join = allowed ? WINDOWS_MAY_JOIN : WINDOWS_MAY_NOT_JOIN;
		reg_copy(f->may_join_source, sizeof f->may_join_source, "ProductPolicy");
	} else if (f->edition[0]) {
		f->may_join = by_edition(f->edition);
		reg_copy(f->may_join_source, sizeof f->may_join_source, "EditionID");
	}
	buf_clear(&b);
}
