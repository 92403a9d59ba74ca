/* Is this blob fit to build a join from? One answer for batch lint and preflight. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "odj/name.h"
#include "odj/odj.h"

#define DEFAULT_PASSWORD_MAX 14 /* NETSETUP_PROVISION_USE_DEFAULT_PASSWORD: the name, cut */

struct findings {
	struct odj_finding *v;
	size_t count;
};

static void add(struct findings *f, enum odj_level level, const char *id, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void add(struct findings *f, enum odj_level level, const char *id, const char *fmt, ...)
{
	if (f->count == ODJ_FINDINGS_MAX)
		return;
	struct odj_finding *x = &f->v[f->count++];
	x->id = id;
	x->level = level;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(x->text, sizeof x->text, fmt, ap);
	va_end(ap);
}

static bool missing(const struct odj_str *s)
{
	return !s->utf8 || !*s->utf8;
}

static void check_name(struct findings *f, const struct odj *o, enum odj_use use)
{
	const struct odj_str *name = &o->join->machine_name;
	if (!name->utf8) {
		add(f, ODJ_STOP, "odj.name",
			"The blob has no computer name. Provision this PC again.");
		return;
	}
	enum name_problem p = computer_name_check(name->utf8);
	if (p != NAME_OK)
		add(f, name_refused(p) ? ODJ_STOP : ODJ_WARN, "odj.name",
			"The computer name \"%.64s\" in the blob %s.", name->utf8,
			name_problem_text(p));
	if (use == ODJ_DIRECT && o->prov2 && !missing(&o->prov2->netbios_name) &&
		!computer_name_equal(o->prov2->netbios_name.utf8, name->utf8))
		add(f, ODJ_STOP, "odj.netbios-name",
			"The blob asks for the NetBIOS name \"%.32s\" beside the name \"%.64s\"; "
			"the registry method cannot do that. Provision without /netbios.",
			o->prov2->netbios_name.utf8, name->utf8);
}

static bool is_default_password(const struct odj_win7 *w)
{
	size_t chars = w->machine_name.utf8 ? w->machine_name.len / 2 : 0;
	if (chars > DEFAULT_PASSWORD_MAX)
		chars = DEFAULT_PASSWORD_MAX;
	if (chars == 0 || w->password.len != chars * 2)
		return false;
	for (size_t i = 0; i < chars; i++) {
		uint16_t c = le16(w->machine_name.utf16 + 2 * i);
		if (c >= 'A' && c <= 'Z')
			c = (uint16_t)(c + 32);
		if (le16(w->password.p + 2 * i) != c)
			return false;
	}
	return true;
}

static void check_join(struct findings *f, const struct odj *o, enum odj_use use)
{
	static const uint8_t none[16];
	const struct odj_win7 *w = o->join;
	check_name(f, o, use);
	if (w->password.len == 0)
		add(f, ODJ_STOP, "odj.password",
			"The blob has no machine password. Provision this PC again.");
	else if (is_default_password(w))
		add(f, ODJ_WARN, "odj.default-password",
			"The machine password is the default one (the computer name). Provision "
			"without /defpwd.");
	if (missing(&w->dns_domain.s) || missing(&w->netbios_domain.s) || missing(&w->sid) ||
		memcmp(w->domain_guid, none, sizeof none) == 0)
		add(f, ODJ_STOP, "odj.domain",
			"The blob does not name its domain completely (DNS name, NetBIOS name, "
			"SID, "
			"GUID). Provision this PC again.");
	else if (memcmp(w->domain_guid, w->dc.domain_guid, sizeof none) != 0)
		add(f, ODJ_WARN, "odj.domain-guid",
			"The domain controller in the blob belongs to another domain GUID.");
	if (missing(&w->dc.name))
		add(f, ODJ_WARN, "odj.dc", "The blob names no domain controller.");
}

static void check_parts(struct findings *f, const struct odj *o, enum odj_use use)
{
	for (size_t i = 0; o->package && i < o->package->count; i++) {
		const struct odj_part *p = &o->package->parts[i];
		bool essential = (p->flags & ODJ_PART_ESSENTIAL) != 0;
		enum odj_level level = use == ODJ_DIRECT && essential ? ODJ_STOP : ODJ_WARN;
		char type[ODJ_GUID_TEXT];
		odj_guid_text(p->type, type);
		if (p->kind == ODJ_PART_UNKNOWN)
			add(f, level, "odj.part-unknown",
				"The blob has %s part of unknown type %s.",
				essential ? "an essential" : "a", type);
		else if (p->kind == ODJ_PART_CERT && use == ODJ_DIRECT)
			add(f, level, "odj.part-cert",
				"The certificates in the blob are not installed by the registry "
				"method; group policy has to bring them.");
		else if (p->kind == ODJ_PART_POLICY && use == ODJ_DIRECT)
			add(f, level, "odj.part-policy",
				"The policies in the blob are not installed by the registry "
				"method; "
				"group policy has to bring them.");
	}
}

static void check_shape(struct findings *f, const struct odj *o)
{
	size_t old = 0;
	size_t packages = 0;
	size_t joins = 0;
	for (size_t i = 0; i < o->count; i++) {
		old += o->blobs[i].win7 != NULL;
		packages += o->blobs[i].package != NULL;
	}
	for (size_t i = 0; o->package && i < o->package->count; i++)
		joins += o->package->parts[i].kind == ODJ_PART_JOIN_PROVIDER;
	if (old > 1 || packages > 1 || joins > 1)
		add(f, ODJ_STOP, "odj.duplicate",
			"The blob holds the same kind of join data more than once; which one "
			"Windows "
			"would take is unknown. Provision this PC again.");
	if (o->copies == ODJ_COPIES_DIFFER)
		add(f, ODJ_STOP, "odj.copies",
			"The two copies of the join data in the blob differ: it was damaged or "
			"edited. Provision this PC again.");
	if (o->note_count)
		add(f, ODJ_WARN, "odj.oddities", "The blob is unusual: %s%s", o->notes[0],
			o->note_count > 1 ? " (and more)" : "");
}

size_t odj_check(const struct odj *o, enum odj_use use, struct odj_finding out[ODJ_FINDINGS_MAX])
{
	struct findings f = {out, 0};
	if (o->join)
		check_join(&f, o, use);
	else
		add(&f, ODJ_STOP, "odj.join",
			"The blob holds no join data. Provision this PC again.");
	check_shape(&f, o);
	check_parts(&f, o, use);
	return f.count;
}
