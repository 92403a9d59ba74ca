#include "windows/join.h"

#include "odj/name.h"

#define PART_JOIN_PROVIDER "631c7621-5289-4321-bc9e-80f843f868c3"

#define OFFLINE_JOIN "Control\\LSA\\OfflineJoin"
#define PROVISIONING "Control\\LSA\\OfflineProvisioning"
#define NETLOGON "Services\\Netlogon"
#define JOIN_DOMAIN NETLOGON "\\JoinDomain"
#define TCPIP "Services\\Tcpip\\Parameters"

const char *const windows_join_leftover_keys[] = {OFFLINE_JOIN, PROVISIONING, JOIN_DOMAIN, NULL};

/* Absent strings give no value. */
static void set_text(
	struct edit_maker *m, const char *key, const char *name, const struct odj_str *s)
{
	if (s->utf8)
		edit_units(m, key, name, s->utf16, s->len);
}

static void offline_join(struct edit_maker *m, const struct odj_win7 *w)
{
	edit_dword(m, OFFLINE_JOIN, "JoinAction", 1);
	set_text(m, OFFLINE_JOIN, "MachineName", &w->machine_name);
	struct reg_edit *x =
		edit_units(m, OFFLINE_JOIN, "CurrentValue", w->password.p, w->password.len);
	if (x)
		x->sensitive = true;
	set_text(m, OFFLINE_JOIN, "DNSDIName", &w->netbios_domain.s);
	set_text(m, OFFLINE_JOIN, "DNSDIDomName", &w->dns_domain.s);
	set_text(m, OFFLINE_JOIN, "DNSDIForestName", &w->dns_forest.s);
	edit_binary(m, OFFLINE_JOIN, "DNSDIGuid", w->domain_guid, 16);
	set_text(m, OFFLINE_JOIN, "DNSDISid", &w->sid);
	edit_dword(m, OFFLINE_JOIN, "JoinOptions", 0);
	edit_dword(m, OFFLINE_JOIN, "ProvisionOptions", 0);
}

static void provisioning(struct edit_maker *m)
{
	edit_dword(m, PROVISIONING, "NumParts", 1);
	edit_dword(m, PROVISIONING "\\1", "Flags", ODJ_PART_ESSENTIAL);
	edit_text(m, PROVISIONING "\\1", "Type", REG_SZ, PART_JOIN_PROVIDER);
	edit_key(m, PROVISIONING "\\1\\Data");
}

static void netlogon(struct edit_maker *m, const struct odj_dc *dc)
{
	edit_dword(m, NETLOGON, "Start", 2);
	set_text(m, JOIN_DOMAIN, "DomainControllerName", &dc->name);
	set_text(m, JOIN_DOMAIN, "DomainControllerAddress", &dc->address);
	edit_dword(m, JOIN_DOMAIN, "DomainControllerAddressType", dc->address_type);
	edit_binary(m, JOIN_DOMAIN, "DomainGuid", dc->domain_guid, 16);
	set_text(m, JOIN_DOMAIN, "DomainName", &dc->domain);
	set_text(m, JOIN_DOMAIN, "DnsForestName", &dc->forest);
	edit_dword(m, JOIN_DOMAIN, "Flags", dc->flags);
	set_text(m, JOIN_DOMAIN, "DcSiteName", &dc->dc_site);
	set_text(m, JOIN_DOMAIN, "ClientSiteName", &dc->client_site);
}

static void names(struct edit_maker *m, const struct odj_win7 *w)
{
	char netbios[COMPUTER_NAME_MAX + 1];
	computer_name_upper(w->machine_name.utf8, netbios);
	edit_text(m, "Control\\ComputerName\\ComputerName", "ComputerName", REG_SZ, netbios);
	set_text(m, TCPIP, "NV Hostname", &w->machine_name);
	set_text(m, TCPIP, "Hostname", &w->machine_name);
	set_text(m, TCPIP, "NV Domain", &w->dns_domain.s);
	set_text(m, TCPIP, "Domain", &w->dns_domain.s);
}

static int may_build(const struct odj *o, struct err *e)
{
	struct odj_finding x[ODJ_FINDINGS_MAX];
	size_t n = odj_check(o, ODJ_DIRECT, x);
	for (size_t i = 0; i < n; i++)
		if (x[i].level == ODJ_STOP)
			return err_set(e, ERR_REFUSED,
				"Nothing was changed. Provision the PC again, or let djoin take "
				"the blob: firstboot in the row's column method, or --method "
				"firstboot.",
				"%s", x[i].text);
	return 0;
}

int windows_join_edits(
	const struct odj *o, const struct windows_facts *f, struct reg_edits *edits, struct err *e)
{
	uint32_t sets[2];
	int ret = may_build(o, e);
	int count = ret < 0 ? ret : edit_control_sets(f, sets, e);
	if (count < 0)
		return count;
	struct edit_maker m;
	edit_begin(&m, edits, e);
	for (int i = 0; i < count; i++) {
		m.set = sets[i];
		offline_join(&m, o->join);
		provisioning(&m);
		netlogon(&m, &o->join->dc);
		names(&m, o->join);
	}
	m.set = 0;
	edit_dword(&m, "Setup\\DJOIN", "ODJComputerNameSet", 1);
	return edit_end(&m);
}
