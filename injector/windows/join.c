#include "windows/join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "odj/name.h"

enum { REG_SZ = 1, REG_BINARY = 3, REG_DWORD = 4 };

#define PART_JOIN_PROVIDER "631c7621-5289-4321-bc9e-80f843f868c3"

#define OFFLINE_JOIN "Control\\LSA\\OfflineJoin"
#define PROVISIONING "Control\\LSA\\OfflineProvisioning"
#define NETLOGON "Services\\Netlogon"
#define JOIN_DOMAIN NETLOGON "\\JoinDomain"
#define TCPIP "Services\\Tcpip\\Parameters"

const char *const windows_join_leftover_keys[] = {OFFLINE_JOIN, PROVISIONING, JOIN_DOMAIN, NULL};

/* Building a list: the first failure sticks, so the list reads straight down. */
struct maker {
	struct reg_edits *edits;
	uint32_t set; /* control set the keys are in; 0: directly below the root */
	int ret;
	struct err *e;
};

static struct reg_edit *add(
	struct maker *m, enum reg_edit_op op, const char *key, const char *name, uint32_t type)
{
	if (m->ret == 0 && m->edits->count == REG_EDITS_MAX)
		m->ret = err_set(m->e, ERR_LIMIT, NULL, "too many registry edits");
	if (m->ret < 0)
		return NULL;
	struct reg_edit *x = &m->edits->v[m->edits->count++];
	*x = (struct reg_edit){.op = op, .name = name, .type = type, .data = SECRET_INIT};
	if (m->set)
		snprintf(x->key, sizeof x->key, "ControlSet%03u\\%s", m->set, key);
	else
		snprintf(x->key, sizeof x->key, "%s", key);
	return x;
}

static void set_dword(struct maker *m, const char *key, const char *name, uint32_t value)
{
	struct reg_edit *x = add(m, REG_EDIT_SET, key, name, REG_DWORD);
	if (!x)
		return;
	m->ret = secret_alloc(&x->data, 4, m->e);
	if (m->ret == 0)
		put_le32(x->data.p, value);
}

static void set_guid(struct maker *m, const char *key, const char *name, const uint8_t guid[16])
{
	struct reg_edit *x = add(m, REG_EDIT_SET, key, name, REG_BINARY);
	if (x)
		m->ret = secret_copy(&x->data, guid, 16, m->e);
}

/* UTF-16LE units, to which the closing NUL is added. */
static struct reg_edit *set_units(
	struct maker *m, const char *key, const char *name, const uint8_t *p, size_t len)
{
	struct reg_edit *x = add(m, REG_EDIT_SET, key, name, REG_SZ);
	if (!x)
		return NULL;
	m->ret = secret_alloc(&x->data, len + 2, m->e);
	if (m->ret == 0 && len)
		memcpy(x->data.p, p, len);
	return x;
}

/* Absent strings give no value. */
static void set_text(struct maker *m, const char *key, const char *name, const struct odj_str *s)
{
	if (s->utf8)
		set_units(m, key, name, s->utf16, s->len);
}

static void set_ascii(struct maker *m, const char *key, const char *name, const char *s)
{
	uint8_t wide[128];
	size_t n = 0;
	for (; s[n] && n < sizeof wide / 2; n++)
		put_le16(wide + 2 * n, (uint8_t)s[n]);
	set_units(m, key, name, wide, 2 * n);
}

static void offline_join(struct maker *m, const struct odj_win7 *w)
{
	set_dword(m, OFFLINE_JOIN, "JoinAction", 1);
	set_text(m, OFFLINE_JOIN, "MachineName", &w->machine_name);
	struct reg_edit *x =
		set_units(m, OFFLINE_JOIN, "CurrentValue", w->password.p, w->password.len);
	if (x)
		x->sensitive = true;
	set_text(m, OFFLINE_JOIN, "DNSDIName", &w->netbios_domain.s);
	set_text(m, OFFLINE_JOIN, "DNSDIDomName", &w->dns_domain.s);
	set_text(m, OFFLINE_JOIN, "DNSDIForestName", &w->dns_forest.s);
	set_guid(m, OFFLINE_JOIN, "DNSDIGuid", w->domain_guid);
	set_text(m, OFFLINE_JOIN, "DNSDISid", &w->sid);
	set_dword(m, OFFLINE_JOIN, "JoinOptions", 0);
	set_dword(m, OFFLINE_JOIN, "ProvisionOptions", 0);
}

static void provisioning(struct maker *m)
{
	set_dword(m, PROVISIONING, "NumParts", 1);
	set_dword(m, PROVISIONING "\\1", "Flags", ODJ_PART_ESSENTIAL);
	set_ascii(m, PROVISIONING "\\1", "Type", PART_JOIN_PROVIDER);
	add(m, REG_EDIT_KEY, PROVISIONING "\\1\\Data", NULL, 0);
}

static void netlogon(struct maker *m, const struct odj_dc *dc)
{
	set_dword(m, NETLOGON, "Start", 2);
	set_text(m, JOIN_DOMAIN, "DomainControllerName", &dc->name);
	set_text(m, JOIN_DOMAIN, "DomainControllerAddress", &dc->address);
	set_dword(m, JOIN_DOMAIN, "DomainControllerAddressType", dc->address_type);
	set_guid(m, JOIN_DOMAIN, "DomainGuid", dc->domain_guid);
	set_text(m, JOIN_DOMAIN, "DomainName", &dc->domain);
	set_text(m, JOIN_DOMAIN, "DnsForestName", &dc->forest);
	set_dword(m, JOIN_DOMAIN, "Flags", dc->flags);
	set_text(m, JOIN_DOMAIN, "DcSiteName", &dc->dc_site);
	set_text(m, JOIN_DOMAIN, "ClientSiteName", &dc->client_site);
}

static void names(struct maker *m, const struct odj_win7 *w)
{
	char netbios[COMPUTER_NAME_MAX + 1];
	computer_name_upper(w->machine_name.utf8, netbios);
	set_ascii(m, "Control\\ComputerName\\ComputerName", "ComputerName", netbios);
	set_text(m, TCPIP, "NV Hostname", &w->machine_name);
	set_text(m, TCPIP, "Hostname", &w->machine_name);
	set_text(m, TCPIP, "NV Domain", &w->dns_domain.s);
	set_text(m, TCPIP, "Domain", &w->dns_domain.s);
}

static int may_build(const struct odj *o, const struct windows_facts *f, struct err *e)
{
	struct odj_finding x[ODJ_FINDINGS_MAX];
	size_t n = odj_check(o, ODJ_DIRECT, x);
	for (size_t i = 0; i < n; i++)
		if (x[i].level == ODJ_STOP)
			return err_set(e, ERR_REFUSED, "Nothing was changed.", "%s", x[i].text);
	if (f->control_set == 0)
		return err_set(e, ERR_UNSAFE,
			"Nothing was changed. Repair or reinstall this Windows.",
			"the SYSTEM hive does not say which control set is in use");
	return 0;
}

int windows_join_edits(
	const struct odj *o, const struct windows_facts *f, struct reg_edits *edits, struct err *e)
{
	int ret = may_build(o, f, e);
	if (ret < 0)
		return ret;
	edits->v = calloc(REG_EDITS_MAX, sizeof *edits->v);
	if (!edits->v)
		return err_nomem(e);
	struct maker m = {.edits = edits, .e = e};
	const uint32_t sets[] = {f->control_set, f->control_set_default};
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		if (sets[i] == 0 || (i > 0 && sets[i] == sets[0]))
			continue;
		m.set = sets[i];
		offline_join(&m, o->join);
		provisioning(&m);
		netlogon(&m, &o->join->dc);
		names(&m, o->join);
	}
	m.set = 0;
	set_dword(&m, "Setup\\DJOIN", "ODJComputerNameSet", 1);
	if (m.ret < 0)
		reg_edits_clear(edits);
	return m.ret;
}

void reg_edits_clear(struct reg_edits *edits)
{
	for (size_t i = 0; i < edits->count; i++)
		secret_clear(&edits->v[i].data);
	free(edits->v);
	*edits = (struct reg_edits)REG_EDITS_INIT;
}
