/* From the raw blob to `struct odj`: ODJ_PROVISION_DATA, its blobs, the package and its parts. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "odj/mem.h"
#include "odj/ndr.h"
#include "odj/odj.h"
#include "odj/parts.h"

enum {
	FORMAT_WIN7 = 1,
	FORMAT_PACKAGE = 2,
	WIRE_BLOB = 12,
	WIRE_PART = 36,
};

#define UNSUPPORTED_NEXT                                                                           \
	"It is untouched. Provision this PC with a djoin of Windows 7 to 11 or Server 2008 R2 "    \
	"to 2025."

/* PartType GUIDs as they lie on the wire. */
static const struct {
	uint8_t guid[16];
	enum odj_part_kind kind;
	const char *name;
} part_types[] = {
	{{0x21, 0x76, 0x1c, 0x63, 0x89, 0x52, 0x21, 0x43, 0xbc, 0x9e, 0x80, 0xf8, 0x43, 0xf8, 0x68,
		 0xc3},
		ODJ_PART_JOIN_PROVIDER, "JOIN_PROVIDER"},
	{{0x6b, 0xc5, 0xbf, 0x57, 0xf9, 0x52, 0x0c, 0x48, 0xad, 0xcb, 0x91, 0xb3, 0xf8, 0xa8, 0x23,
		 0x17},
		ODJ_PART_JOIN_PROVIDER2, "JOIN_PROVIDER2"},
	{{0x25, 0xcf, 0x0c, 0xfc, 0xfa, 0x7f, 0x4a, 0x47, 0x86, 0x11, 0x69, 0xff, 0xe2, 0x69, 0x64,
		 0x5f},
		ODJ_PART_JOIN_PROVIDER3, "JOIN_PROVIDER3"},
	{{0x6a, 0x71, 0x08, 0x4a, 0x10, 0x67, 0x47, 0x46, 0x82, 0x11, 0xfd, 0xbb, 0x0b, 0x03, 0xf6,
		 0x0b},
		ODJ_PART_JOIN_PROVIDER4, "JOIN_PROVIDER4"},
	{{0xe9, 0x71, 0x09, 0x9c, 0x2f, 0x83, 0x73, 0x48, 0x8e, 0x87, 0xef, 0x14, 0x19, 0xd4, 0x78,
		 0x1e},
		ODJ_PART_CERT, "CERT_PROVIDER"},
	{{0x2a, 0x60, 0xfb, 0x68, 0x09, 0x0c, 0xce, 0x48, 0xb7, 0x5f, 0x07, 0xb7, 0xbd, 0x58, 0xf7,
		 0xec},
		ODJ_PART_POLICY, "POLICY_PROVIDER"},
};

const char *odj_part_name(enum odj_part_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(part_types); i++)
		if (part_types[i].kind == kind)
			return part_types[i].name;
	return "UNKNOWN";
}

static enum odj_part_kind part_kind(const uint8_t guid[16])
{
	for (size_t i = 0; i < ARRAY_SIZE(part_types); i++)
		if (memcmp(part_types[i].guid, guid, 16) == 0)
			return part_types[i].kind;
	return ODJ_PART_UNKNOWN;
}

void odj_guid_text(const uint8_t g[16], char out[ODJ_GUID_TEXT])
{
	snprintf(out, ODJ_GUID_TEXT, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", le32(g),
		le16(g + 4), le16(g + 6), g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
}

static struct odj_digest digest(struct span s)
{
	struct odj_digest d = {.present = true, .len = (uint32_t)s.len};
	crypto_hash_sha256(d.sha256, s.p, s.len);
	return d;
}

static int decode_part(
	struct odj *o, struct odj_part *p, struct span s, const char *where, struct err *e)
{
	p->data = digest(s);
	const void *got = p;
	switch (p->kind) {
	case ODJ_PART_JOIN_PROVIDER:
		got = p->win7 = odj_part_win7(o, s, where, e);
		break;
	case ODJ_PART_JOIN_PROVIDER2:
		got = p->prov2 = odj_part_prov2(o, s, where, e);
		break;
	case ODJ_PART_JOIN_PROVIDER3:
	case ODJ_PART_JOIN_PROVIDER4:
		got = p->prov3 = odj_part_prov3(o, s, p->kind == ODJ_PART_JOIN_PROVIDER4, where, e);
		break;
	case ODJ_PART_CERT:
		got = p->cert = odj_part_cert(o, s, where, e);
		break;
	case ODJ_PART_POLICY:
		got = p->policy = odj_part_policy(o, s, where, e);
		break;
	case ODJ_PART_UNKNOWN:
		break;
	}
	return got ? 0 : -ERR_FORMAT;
}

struct part_head {
	struct ndr_bytes data, extension;
};

static void decode_parts(struct ndr *n, struct odj_package *k, uint32_t count)
{
	k->parts = ndr_array(n, count, sizeof *k->parts, WIRE_PART);
	struct part_head *h = k->parts ? ndr_new(n, count * sizeof *h) : NULL;
	if (!h)
		return;
	k->count = count;
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		ndr_guid(n, k->parts[i].type);
		k->parts[i].kind = part_kind(k->parts[i].type);
		k->parts[i].flags = ndr_u32(n);
		h[i].data = ndr_bytes_head(n);
		h[i].extension = ndr_bytes_head(n);
	}
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		struct odj_part *p = &k->parts[i];
		char where[NDR_WHERE_MAX];
		snprintf(where, sizeof where, "%.30s part %u", n->where, i);
		p->data.len = h[i].data.len;
		struct span s = ndr_bytes_data(n, h[i].data);
		p->extension = ndr_bytes_copy(n, h[i].extension);
		if (s.p && ndr_ok(n) && decode_part(n->o, p, s, where, n->e) < 0)
			n->ret = -n->e->code;
	}
}

static int decode_collection(
	struct odj *o, struct span s, struct odj_package *k, const char *where, struct err *e)
{
	struct ndr n;
	ndr_open(&n, o, s, where, e);
	uint32_t count = ndr_u32(&n);
	bool parts = ndr_ptr(&n);
	struct ndr_bytes extension = ndr_bytes_head(&n);
	if (parts && ndr_ok(&n))
		decode_parts(&n, k, count);
	k->collection_extension = ndr_bytes_copy(&n, extension);
	return ndr_close(&n);
}

static struct odj_package *decode_package(
	struct odj *o, struct span s, const char *where, struct err *e)
{
	static const uint8_t plain[16];
	struct odj_package *k = odj_mem_new(o, sizeof *k, e);
	if (!k)
		return NULL;
	struct ndr n;
	ndr_open(&n, o, s, where, e);
	ndr_guid(&n, k->encryption_type);
	struct ndr_bytes context = ndr_bytes_head(&n);
	struct ndr_bytes wrapped = ndr_bytes_head(&n);
	k->cb_decrypted = ndr_u32(&n);
	struct ndr_bytes extension = ndr_bytes_head(&n);
	k->encryption_context = ndr_bytes_copy(&n, context);
	struct span parts = ndr_bytes_data(&n, wrapped);
	k->extension = ndr_bytes_copy(&n, extension);
	if (ndr_close(&n) < 0)
		return NULL;
	if (memcmp(k->encryption_type, plain, sizeof plain) != 0) {
		err_set(e, ERR_UNSUPPORTED, UNSUPPORTED_NEXT,
			"the package in this ODJ blob is encrypted");
		return NULL;
	}
	if (!parts.p) {
		ndr_fail(&n, ERR_FORMAT, "no part collection");
		return NULL;
	}
	char inner[NDR_WHERE_MAX];
	snprintf(inner, sizeof inner, "%.30s collection", where);
	return decode_collection(o, parts, k, inner, e) < 0 ? NULL : k;
}

static int decode_blob(
	struct odj *o, struct odj_blob *b, struct span s, const char *where, struct err *e)
{
	b->data = digest(s);
	const void *got = b;
	if (b->format == FORMAT_WIN7)
		got = b->win7 = odj_part_win7(o, s, where, e);
	else if (b->format == FORMAT_PACKAGE)
		got = b->package = decode_package(o, s, where, e);
	return got ? 0 : -ERR_FORMAT;
}

static void decode_blobs(struct ndr *n, struct odj *o, uint32_t count)
{
	o->blobs = ndr_array(n, count, sizeof *o->blobs, WIRE_BLOB);
	struct ndr_bytes *h = o->blobs ? ndr_new(n, count * sizeof *h) : NULL;
	if (!h)
		return;
	o->count = count;
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		o->blobs[i].format = ndr_u32(n);
		h[i] = ndr_bytes_head(n);
	}
	for (uint32_t i = 0; i < count && ndr_ok(n); i++) {
		char where[NDR_WHERE_MAX];
		snprintf(where, sizeof where, "blob %u", i);
		o->blobs[i].data.len = h[i].len;
		struct span s = ndr_bytes_data(n, h[i]);
		if (s.p && decode_blob(o, &o->blobs[i], s, where, n->e) < 0)
			n->ret = -n->e->code;
	}
}

static bool str_equal(const struct odj_str *a, const struct odj_str *b)
{
	return !a->utf8 == !b->utf8 && a->len == b->len &&
	       (a->len == 0 || memcmp(a->utf16, b->utf16, a->len) == 0);
}

static bool ustr_equal(const struct odj_ustr *a, const struct odj_ustr *b)
{
	return a->length == b->length && a->max_length == b->max_length && str_equal(&a->s, &b->s);
}

static bool dc_equal(const struct odj_dc *a, const struct odj_dc *b)
{
	return str_equal(&a->name, &b->name) && str_equal(&a->address, &b->address) &&
	       a->address_type == b->address_type &&
	       memcmp(a->domain_guid, b->domain_guid, 16) == 0 &&
	       str_equal(&a->domain, &b->domain) && str_equal(&a->forest, &b->forest) &&
	       a->flags == b->flags && str_equal(&a->dc_site, &b->dc_site) &&
	       str_equal(&a->client_site, &b->client_site);
}

/* By content: referent ids differ between the two copies of one blob. */
static bool win7_equal(const struct odj_win7 *a, const struct odj_win7 *b)
{
	bool password = a->has_password == b->has_password && a->password.len == b->password.len &&
			(a->password.len == 0 ||
				sodium_memcmp(a->password.p, b->password.p, a->password.len) == 0);
	return password && str_equal(&a->domain, &b->domain) &&
	       str_equal(&a->machine_name, &b->machine_name) &&
	       ustr_equal(&a->netbios_domain, &b->netbios_domain) &&
	       ustr_equal(&a->dns_domain, &b->dns_domain) &&
	       ustr_equal(&a->dns_forest, &b->dns_forest) &&
	       memcmp(a->domain_guid, b->domain_guid, 16) == 0 && str_equal(&a->sid, &b->sid) &&
	       dc_equal(&a->dc, &b->dc) && a->options == b->options;
}

/* The views: what a join is built from. The first of each format, as djoin takes them. */
static void choose(struct odj *o)
{
	const struct odj_win7 *old = NULL;
	const struct odj_win7 *new = NULL;
	for (size_t i = 0; i < o->count; i++) {
		if (!old)
			old = o->blobs[i].win7;
		if (!o->package)
			o->package = o->blobs[i].package;
	}
	for (size_t i = 0; o->package && i < o->package->count; i++) {
		const struct odj_part *p = &o->package->parts[i];
		if (!new)
			new = p->win7;
		if (p->prov2)
			o->prov2 = p->prov2;
		if (p->prov3)
			o->prov3 = p->prov3;
		if (p->prov3 && p->prov3->has_guid)
			o->prov4 = p->prov3;
	}
	o->join = new ? new : old;
	o->copies = !old || !new	   ? ODJ_COPIES_SINGLE
		    : win7_equal(old, new) ? ODJ_COPIES_EQUAL
					   : ODJ_COPIES_DIFFER;
}

int odj_decode(const struct secret *raw, struct odj *o, struct err *e)
{
	struct err local = ERR_INIT;
	if (!e)
		e = &local;
	odj_clear(o);
	struct ndr n;
	ndr_open(&n, o, (struct span){raw->p, raw->len}, "provision data", e);
	o->version = ndr_u32(&n);
	if (ndr_ok(&n) && o->version != 1)
		n.ret = err_set(e, ERR_UNSUPPORTED, UNSUPPORTED_NEXT,
			"this ODJ blob has version %u; only version 1 is known", o->version);
	uint32_t count = ndr_u32(&n);
	if (ndr_ptr(&n) && ndr_ok(&n))
		decode_blobs(&n, o, count);
	int ret = ndr_close(&n);
	if (ret < 0)
		odj_clear(o);
	else
		choose(o);
	return ret;
}
