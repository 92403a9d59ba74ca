/* `struct odj` as JSON: every field by its own name, passwords only when asked for. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "odj/odj.h"

/* jansson: a NULL value makes json_object_set_new() fail, so running out of memory shows up as a
 * missing key; `bad` collects it and odj_json() gives up. */
struct out {
	bool show_secret;
	bool bad;
};

static void put(struct out *x, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		x->bad = true;
}

static void append(struct out *x, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		x->bad = true;
}

static json_t *text(const struct odj_str *s)
{
	return s->utf8 ? json_string(s->utf8) : json_null();
}

static json_t *hex(const uint8_t *p, size_t n)
{
	char *s = malloc(n * 2 + 1);
	if (!s)
		return NULL;
	sodium_bin2hex(s, n * 2 + 1, p, n);
	json_t *v = json_string(s);
	sodium_memzero(s, n * 2 + 1);
	free(s);
	return v;
}

static json_t *guid(const uint8_t g[16])
{
	char s[ODJ_GUID_TEXT];
	odj_guid_text(g, s);
	return json_string(s);
}

static json_t *hidden_hex(struct out *x, const uint8_t *p, size_t n)
{
	return x->show_secret ? hex(p, n) : json_string(ODJ_HIDDEN);
}

static json_t *dc_json(struct out *x, const struct odj_dc *dc)
{
	char flags[16];
	snprintf(flags, sizeof flags, "0x%08x", dc->flags);
	json_t *v = json_object();
	put(x, v, "name", text(&dc->name));
	put(x, v, "address", text(&dc->address));
	put(x, v, "address_type", json_integer(dc->address_type));
	put(x, v, "domain_guid", guid(dc->domain_guid));
	put(x, v, "domain", text(&dc->domain));
	put(x, v, "forest", text(&dc->forest));
	put(x, v, "flags", json_integer(dc->flags));
	put(x, v, "flags_hex", json_string(flags));
	put(x, v, "dc_site", text(&dc->dc_site));
	put(x, v, "client_site", text(&dc->client_site));
	return v;
}

static json_t *domain_json(struct out *x, const struct odj_win7 *w)
{
	json_t *v = json_object();
	put(x, v, "name", text(&w->netbios_domain.s));
	put(x, v, "dns_domain", text(&w->dns_domain.s));
	put(x, v, "dns_forest", text(&w->dns_forest.s));
	put(x, v, "domain_guid", guid(w->domain_guid));
	put(x, v, "sid", text(&w->sid));
	put(x, v, "max_lengths",
		json_pack("[iii]", w->netbios_domain.max_length, w->dns_domain.max_length,
			w->dns_forest.max_length));
	put(x, v, "lengths",
		json_pack("[iii]", w->netbios_domain.length, w->dns_domain.length,
			w->dns_forest.length));
	return v;
}

static json_t *win7_json(struct out *x, const struct odj_win7 *w)
{
	json_t *v = json_object();
	put(x, v, "domain", text(&w->domain));
	put(x, v, "machine_name", text(&w->machine_name));
	put(x, v, "machine_password_utf16le_hex",
		w->has_password ? hidden_hex(x, w->password.p, w->password.len) : json_null());
	put(x, v, "machine_password_chars",
		w->has_password ? json_integer((json_int_t)(w->password.len / 2)) : json_null());
	put(x, v, "dns_domain_info", domain_json(x, w));
	put(x, v, "dc_info", dc_json(x, &w->dc));
	put(x, v, "options", json_integer(w->options));
	return v;
}

static json_t *prov2_json(struct out *x, const struct odj_prov2 *p)
{
	json_t *v = json_object();
	put(x, v, "flags", json_integer(p->flags));
	put(x, v, "netbios_name", text(&p->netbios_name));
	put(x, v, "site", text(&p->site));
	put(x, v, "primary_dns_domain", text(&p->primary_dns_domain));
	put(x, v, "reserved", json_integer(p->reserved));
	put(x, v, "reserved_str", text(&p->reserved_str));
	return v;
}

static json_t *prov3_json(struct out *x, const struct odj_prov3 *p)
{
	json_t *v = json_object();
	put(x, v, "rid", json_integer(p->rid));
	put(x, v, "sid", text(&p->sid));
	if (p->has_guid)
		put(x, v, "object_guid", guid(p->object_guid));
	return v;
}

static void digest_json(
	struct out *x, json_t *v, const char *len, const char *sha256, const struct odj_digest *d)
{
	put(x, v, len, json_integer(d->len));
	put(x, v, sha256, d->present ? hex(d->sha256, sizeof d->sha256) : json_null());
}

static json_t *extension_json(bool present, struct span s)
{
	return present ? hex(s.p, s.len) : json_null();
}

static json_t *cert_json(struct out *x, const struct odj_cert *c)
{
	json_t *pfx = json_array();
	for (size_t i = 0; i < c->pfx_count; i++) {
		const struct odj_pfx *p = &c->pfx[i];
		json_t *v = json_object();
		put(x, v, "template", text(&p->template_name));
		put(x, v, "export_policy", json_integer(p->export_policy));
		put(x, v, "policy_server_url", text(&p->policy_server_url));
		put(x, v, "url_flags", json_integer(p->url_flags));
		put(x, v, "policy_server_id", text(&p->policy_server_id));
		digest_json(x, v, "pfx_len", "pfx_sha256", &p->pfx);
		append(x, pfx, v);
	}
	json_t *sst = json_array();
	for (size_t i = 0; i < c->sst_count; i++) {
		json_t *v = json_object();
		put(x, v, "store_location", json_integer(c->sst[i].store_location));
		put(x, v, "store_name", text(&c->sst[i].store_name));
		digest_json(x, v, "sst_len", "sst_sha256", &c->sst[i].sst);
		append(x, sst, v);
	}
	json_t *v = json_object();
	put(x, v, "pfx_stores", pfx);
	put(x, v, "sst_stores", sst);
	put(x, v, "extension", extension_json(c->has_extension, c->extension));
	return v;
}

static json_t *policy_list_json(struct out *x, const struct odj_policy_list *l)
{
	json_t *elements = json_array();
	for (size_t i = 0; i < l->count; i++) {
		const struct odj_policy_element *el = &l->elements[i];
		json_t *v = json_object();
		put(x, v, "key", text(&el->key));
		put(x, v, "value", text(&el->value));
		put(x, v, "type", json_integer(el->type));
		put(x, v, "data_hex", el->has_data ? hex(el->data.p, el->data.len) : json_null());
		append(x, elements, v);
	}
	json_t *v = json_object();
	put(x, v, "source", text(&l->source));
	put(x, v, "root_key", json_integer(l->root_key));
	put(x, v, "elements", elements);
	return v;
}

static json_t *policy_json(struct out *x, const struct odj_policy *p)
{
	json_t *lists = json_array();
	for (size_t i = 0; i < p->count; i++)
		append(x, lists, policy_list_json(x, &p->lists[i]));
	json_t *v = json_object();
	put(x, v, "lists", lists);
	put(x, v, "extension", extension_json(p->has_extension, p->extension));
	return v;
}

static json_t *content_json(struct out *x, const struct odj_part *p)
{
	return p->win7	   ? win7_json(x, p->win7)
	       : p->prov2  ? prov2_json(x, p->prov2)
	       : p->prov3  ? prov3_json(x, p->prov3)
	       : p->cert   ? cert_json(x, p->cert)
	       : p->policy ? policy_json(x, p->policy)
			   : NULL;
}

static json_t *part_json(struct out *x, const struct odj_part *p)
{
	json_t *v = json_object();
	put(x, v, "type", guid(p->type));
	put(x, v, "name", json_string(odj_part_name(p->kind)));
	put(x, v, "flags", json_integer(p->flags));
	put(x, v, "length", json_integer(p->data.len));
	put(x, v, "extension_hex", hex(p->extension.p, p->extension.len));
	if (p->data.present && p->kind == ODJ_PART_UNKNOWN)
		put(x, v, "raw_sha256", hidden_hex(x, p->data.sha256, sizeof p->data.sha256));
	else if (p->data.present)
		put(x, v, "content", content_json(x, p));
	return v;
}

static json_t *package_json(struct out *x, const struct odj_package *k)
{
	json_t *parts = json_array();
	for (size_t i = 0; i < k->count; i++)
		append(x, parts, part_json(x, &k->parts[i]));
	json_t *v = json_object();
	put(x, v, "encryption_type", guid(k->encryption_type));
	put(x, v, "encryption_context_hex",
		hex(k->encryption_context.p, k->encryption_context.len));
	put(x, v, "cb_decrypted", json_integer(k->cb_decrypted));
	put(x, v, "extension_hex", hex(k->extension.p, k->extension.len));
	put(x, v, "collection_extension_hex",
		hex(k->collection_extension.p, k->collection_extension.len));
	put(x, v, "parts", parts);
	return v;
}

static json_t *blob_json(struct out *x, const struct odj_blob *b)
{
	json_t *v = json_object();
	put(x, v, "format", json_integer(b->format));
	put(x, v, "length", json_integer(b->data.len));
	if (b->win7)
		put(x, v, "win7", win7_json(x, b->win7));
	else if (b->package)
		put(x, v, "package", package_json(x, b->package));
	else if (b->data.present)
		put(x, v, "raw_sha256", hidden_hex(x, b->data.sha256, sizeof b->data.sha256));
	return v;
}

static void summary_password(struct out *x, json_t *v, const struct odj_win7 *w)
{
	uint8_t sha256[32];
	if (!w->has_password)
		return;
	crypto_hash_sha256(sha256, w->password.p, w->password.len);
	put(x, v, "machine_password_chars", json_integer((json_int_t)(w->password.len / 2)));
	put(x, v, "machine_password_sha256", hidden_hex(x, sha256, sizeof sha256));
}

static void summary_parts(struct out *x, json_t *v, const struct odj *o)
{
	json_t *formats = json_array();
	for (size_t i = 0; i < o->count; i++)
		append(x, formats, json_integer(o->blobs[i].format));
	json_t *parts = json_array();
	json_t *flags = json_array();
	for (size_t i = 0; o->package && i < o->package->count; i++) {
		append(x, parts, json_string(odj_part_name(o->package->parts[i].kind)));
		append(x, flags, json_integer(o->package->parts[i].flags));
	}
	put(x, v, "formats", formats);
	put(x, v, "parts", parts);
	put(x, v, "part_flags", flags);
	put(x, v, "win7_copies_identical",
		o->copies == ODJ_COPIES_SINGLE ? json_null()
					       : json_boolean(o->copies == ODJ_COPIES_EQUAL));
}

static json_t *summary_json(struct out *x, const struct odj *o)
{
	const struct odj_win7 *w = o->join;
	json_t *v = json_object();
	if (!w)
		return v;
	put(x, v, "machine_name", text(&w->machine_name));
	put(x, v, "domain", text(&w->domain));
	put(x, v, "netbios_domain", text(&w->netbios_domain.s));
	put(x, v, "dns_domain", text(&w->dns_domain.s));
	put(x, v, "dns_forest", text(&w->dns_forest.s));
	put(x, v, "domain_guid", guid(w->domain_guid));
	put(x, v, "domain_sid", text(&w->sid));
	put(x, v, "dc", dc_json(x, &w->dc));
	put(x, v, "options", json_integer(w->options));
	summary_password(x, v, w);
	summary_parts(x, v, o);
	if (o->prov3) {
		put(x, v, "machine_rid", json_integer(o->prov3->rid));
		put(x, v, "machine_sid", text(&o->prov3->sid));
	}
	if (o->prov4)
		put(x, v, "machine_object_guid", guid(o->prov4->object_guid));
	if (o->prov2)
		put(x, v, "prov2", prov2_json(x, o->prov2));
	return v;
}

static json_t *encoding_json(struct out *x, const struct odj_encoding *enc)
{
	json_t *v = json_object();
	put(x, v, "bytes", json_integer((json_int_t)enc->bytes));
	put(x, v, "bom", enc->bom ? json_string(enc->bom) : json_null());
	if (enc->utf16)
		put(x, v, "utf16le", json_true());
	if (enc->raw) {
		put(x, v, "raw", json_true());
	} else {
		put(x, v, "trailing_nul", json_boolean(enc->trailing_nul));
		put(x, v, "trailing_ws", json_string(enc->trailing_ws));
		put(x, v, "inner_ws", json_boolean(enc->inner_ws));
		put(x, v, "base64_chars", json_integer((json_int_t)enc->base64_chars));
	}
	put(x, v, "binary_len", json_integer((json_int_t)enc->binary_len));
	put(x, v, "binary_sha256", hidden_hex(x, enc->binary_sha256, sizeof enc->binary_sha256));
	return v;
}

json_t *odj_json(const struct odj *o, const struct odj_encoding *enc, bool show_secret)
{
	struct out x = {.show_secret = show_secret};
	json_t *blobs = json_array();
	for (size_t i = 0; i < o->count; i++)
		append(&x, blobs, blob_json(&x, &o->blobs[i]));
	json_t *notes = json_array();
	for (size_t i = 0; i < o->note_count; i++)
		append(&x, notes, json_string(o->notes[i]));
	json_t *v = json_object();
	if (enc)
		put(&x, v, "encoding", encoding_json(&x, enc));
	put(&x, v, "version", json_integer(o->version));
	put(&x, v, "blobs", blobs);
	put(&x, v, "notes", notes);
	put(&x, v, "summary", summary_json(&x, o));
	if (x.bad) {
		json_decref(v);
		return NULL;
	}
	return v;
}
