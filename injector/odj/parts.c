#include "odj/parts.h"

#include "odj/mem.h"
#include "odj/ndr.h"

/* Least bytes an array element takes on the wire. */
enum {
	WIRE_POLICY_LIST = 16,
	WIRE_POLICY_ELEMENT = 20,
	WIRE_PFX = 28,
	WIRE_SST = 16,
};

/* DOMAIN_CONTROLLER_INFOW: pointers in line, their strings in the same order after the SID. */
struct dc_pointers {
	bool name, address, domain, forest, dc_site, client_site;
};

static struct dc_pointers dc_head(struct ndr *n, struct odj_dc *dc)
{
	struct dc_pointers p;
	p.name = ndr_ptr(n);
	p.address = ndr_ptr(n);
	dc->address_type = ndr_u32(n);
	ndr_guid(n, dc->domain_guid);
	p.domain = ndr_ptr(n);
	p.forest = ndr_ptr(n);
	dc->flags = ndr_u32(n);
	p.dc_site = ndr_ptr(n);
	p.client_site = ndr_ptr(n);
	return p;
}

static void dc_strings(struct ndr *n, struct dc_pointers p, struct odj_dc *dc)
{
	dc->name = ndr_str(n, p.name);
	dc->address = ndr_str(n, p.address);
	dc->domain = ndr_str(n, p.domain);
	dc->forest = ndr_str(n, p.forest);
	dc->dc_site = ndr_str(n, p.dc_site);
	dc->client_site = ndr_str(n, p.client_site);
}

/* Units, not text, but never a zero one: REG_SZ could not hold it. */
static void password(struct ndr *n, bool present, struct odj_win7 *w)
{
	struct span s = ndr_units(n, present);
	if (!s.p)
		return;
	for (size_t i = 0; i < s.len; i += 2) {
		if (le16(s.p + i) == 0) {
			ndr_fail(n, ERR_FORMAT, "the machine password holds a NUL");
			return;
		}
	}
	w->has_password = true;
	if (secret_copy(&w->password, s.p, s.len, n->e) < 0)
		n->ret = -ERR_NOMEM;
}

struct odj_win7 *odj_part_win7(struct odj *o, struct span s, const char *where, struct err *e)
{
	struct odj_win7 *w = odj_mem_win7(o, e);
	if (!w)
		return NULL;
	struct ndr n;
	ndr_open(&n, o, s, where, e);
	bool has_domain = ndr_ptr(&n);
	bool has_name = ndr_ptr(&n);
	bool has_password = ndr_ptr(&n);
	struct ndr_ustr netbios = ndr_ustr_head(&n);
	struct ndr_ustr dns = ndr_ustr_head(&n);
	struct ndr_ustr forest = ndr_ustr_head(&n);
	ndr_guid(&n, w->domain_guid);
	bool has_sid = ndr_ptr(&n);
	struct dc_pointers dc = dc_head(&n, &w->dc);
	w->options = ndr_u32(&n);

	w->domain = ndr_str(&n, has_domain);
	w->machine_name = ndr_str(&n, has_name);
	password(&n, has_password, w);
	ndr_ustr_text(&n, netbios, &w->netbios_domain);
	ndr_ustr_text(&n, dns, &w->dns_domain);
	ndr_ustr_text(&n, forest, &w->dns_forest);
	w->sid = ndr_sid(&n, has_sid);
	dc_strings(&n, dc, &w->dc);
	return ndr_close(&n) < 0 ? NULL : w;
}

struct odj_prov2 *odj_part_prov2(struct odj *o, struct span s, const char *where, struct err *e)
{
	struct ndr n;
	ndr_open(&n, o, s, where, e);
	struct odj_prov2 *p = ndr_new(&n, sizeof *p);
	if (!p)
		return NULL;
	p->flags = ndr_u32(&n);
	bool netbios = ndr_ptr(&n);
	bool site = ndr_ptr(&n);
	bool domain = ndr_ptr(&n);
	p->reserved = ndr_u32(&n);
	bool reserved = ndr_ptr(&n);
	p->netbios_name = ndr_str(&n, netbios);
	p->site = ndr_str(&n, site);
	p->primary_dns_domain = ndr_str(&n, domain);
	p->reserved_str = ndr_str(&n, reserved);
	return ndr_close(&n) < 0 ? NULL : p;
}

struct odj_prov3 *odj_part_prov3(
	struct odj *o, struct span s, bool with_guid, const char *where, struct err *e)
{
	struct ndr n;
	ndr_open(&n, o, s, where, e);
	struct odj_prov3 *p = ndr_new(&n, sizeof *p);
	if (!p)
		return NULL;
	p->rid = ndr_u32(&n);
	bool sid = ndr_ptr(&n);
	p->has_guid = with_guid;
	if (with_guid)
		ndr_guid(&n, p->object_guid);
	p->sid = ndr_str(&n, sid);
	return ndr_close(&n) < 0 ? NULL : p;
}

/* Heads of array elements are read first, all of them, then what they point at. */
struct pfx_head {
	bool template_name, url, id;
	struct ndr_bytes pfx;
};

static void cert_pfx(struct ndr *n, uint32_t count, struct odj_cert *c)
{
	c->pfx = ndr_array(n, count, sizeof *c->pfx, WIRE_PFX);
	struct pfx_head *h = c->pfx ? ndr_new(n, count * sizeof *h) : NULL;
	if (!h)
		return;
	c->pfx_count = count;
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		h[i].template_name = ndr_ptr(n);
		c->pfx[i].export_policy = ndr_u32(n);
		h[i].url = ndr_ptr(n);
		c->pfx[i].url_flags = ndr_u32(n);
		h[i].id = ndr_ptr(n);
		h[i].pfx = ndr_bytes_head(n);
	}
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		c->pfx[i].template_name = ndr_str(n, h[i].template_name);
		c->pfx[i].policy_server_url = ndr_str(n, h[i].url);
		c->pfx[i].policy_server_id = ndr_str(n, h[i].id);
		c->pfx[i].pfx = ndr_bytes_digest(n, h[i].pfx);
	}
}

struct sst_head {
	bool name;
	struct ndr_bytes sst;
};

static void cert_sst(struct ndr *n, uint32_t count, struct odj_cert *c)
{
	c->sst = ndr_array(n, count, sizeof *c->sst, WIRE_SST);
	struct sst_head *h = c->sst ? ndr_new(n, count * sizeof *h) : NULL;
	if (!h)
		return;
	c->sst_count = count;
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		c->sst[i].store_location = ndr_u32(n);
		h[i].name = ndr_ptr(n);
		h[i].sst = ndr_bytes_head(n);
	}
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		c->sst[i].store_name = ndr_str(n, h[i].name);
		c->sst[i].sst = ndr_bytes_digest(n, h[i].sst);
	}
}

struct odj_cert *odj_part_cert(struct odj *o, struct span s, const char *where, struct err *e)
{
	struct ndr n;
	ndr_open(&n, o, s, where, e);
	struct odj_cert *c = ndr_new(&n, sizeof *c);
	if (!c)
		return NULL;
	uint32_t pfx_count = ndr_u32(&n);
	bool pfx = ndr_ptr(&n);
	uint32_t sst_count = ndr_u32(&n);
	bool sst = ndr_ptr(&n);
	struct ndr_bytes extension = ndr_bytes_head(&n);
	if (pfx)
		cert_pfx(&n, pfx_count, c);
	if (sst)
		cert_sst(&n, sst_count, c);
	c->has_extension = extension.present;
	c->extension = ndr_bytes_copy(&n, extension);
	return ndr_close(&n) < 0 ? NULL : c;
}

struct element_head {
	bool key, value;
	struct ndr_bytes data;
};

static void policy_elements(struct ndr *n, uint32_t count, struct odj_policy_list *l)
{
	l->elements = ndr_array(n, count, sizeof *l->elements, WIRE_POLICY_ELEMENT);
	struct element_head *h = l->elements ? ndr_new(n, count * sizeof *h) : NULL;
	if (!h)
		return;
	l->count = count;
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		h[i].key = ndr_ptr(n);
		h[i].value = ndr_ptr(n);
		l->elements[i].type = ndr_u32(n);
		h[i].data = ndr_bytes_head(n);
	}
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		l->elements[i].key = ndr_str(n, h[i].key);
		l->elements[i].value = ndr_str(n, h[i].value);
		l->elements[i].has_data = h[i].data.present;
		l->elements[i].data = ndr_bytes_copy(n, h[i].data);
	}
}

struct list_head {
	bool source, elements;
	uint32_t count;
};

static void policy_lists(struct ndr *n, uint32_t count, struct odj_policy *p)
{
	p->lists = ndr_array(n, count, sizeof *p->lists, WIRE_POLICY_LIST);
	struct list_head *h = p->lists ? ndr_new(n, count * sizeof *h) : NULL;
	if (!h)
		return;
	p->count = count;
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		h[i].source = ndr_ptr(n);
		p->lists[i].root_key = ndr_u32(n);
		h[i].count = ndr_u32(n);
		h[i].elements = ndr_ptr(n);
	}
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		p->lists[i].source = ndr_str(n, h[i].source);
		if (h[i].elements)
			policy_elements(n, h[i].count, &p->lists[i]);
	}
}

struct odj_policy *odj_part_policy(struct odj *o, struct span s, const char *where, struct err *e)
{
	struct ndr n;
	ndr_open(&n, o, s, where, e);
	struct odj_policy *p = ndr_new(&n, sizeof *p);
	if (!p)
		return NULL;
	uint32_t count = ndr_u32(&n);
	bool lists = ndr_ptr(&n);
	struct ndr_bytes extension = ndr_bytes_head(&n);
	if (lists)
		policy_lists(&n, count, p);
	p->has_extension = extension.present;
	p->extension = ndr_bytes_copy(&n, extension);
	return ndr_close(&n) < 0 ? NULL : p;
}
