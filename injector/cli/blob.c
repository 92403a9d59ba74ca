/* odjstick blob: look into one ODJ blob. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "odj/odj.h"

static const char *or_none(const struct odj_str *s)
{
	return s->utf8 ? s->utf8 : "-";
}

static void row(const char *label, const char *value)
{
	printf("%-18s %s\n", label, value);
}

static void print_formats(const struct odj *o)
{
	printf("%-18s", "Formats");
	for (size_t i = 0; i < o->count; i++)
		printf(" %u", o->blobs[i].format);
	printf("%s\n", o->copies == ODJ_COPIES_EQUAL	? " (both copies agree)"
		       : o->copies == ODJ_COPIES_DIFFER ? " (the copies DIFFER)"
							: "");
	printf("%-18s", "Parts");
	for (size_t i = 0; o->package && i < o->package->count; i++)
		printf("%s %s%s", i ? "," : "", odj_part_name(o->package->parts[i].kind),
			o->package->parts[i].flags & ODJ_PART_ESSENTIAL ? " (essential)" : "");
	printf("\n");
}

static void print_password(const struct odj_win7 *w, bool show_secret)
{
	if (!w->has_password) {
		row("Machine password", "-");
		return;
	}
	printf("%-18s %zu characters, ", "Machine password", w->password.len / 2);
	if (!show_secret) {
		printf("%s\n", ODJ_HIDDEN);
		return;
	}
	printf("UTF-16LE ");
	for (size_t i = 0; i < w->password.len; i++)
		printf("%02x", w->password.p[i]);
	printf("\n");
}

static void print_join(const struct odj *o, bool show_secret)
{
	const struct odj_win7 *w = o->join;
	char guid[ODJ_GUID_TEXT];
	row("Computer name", or_none(&w->machine_name));
	row("Domain", or_none(&w->dns_domain.s));
	row("NetBIOS domain", or_none(&w->netbios_domain.s));
	row("Forest", or_none(&w->dns_forest.s));
	row("Domain SID", or_none(&w->sid));
	odj_guid_text(w->domain_guid, guid);
	row("Domain GUID", guid);
	row("Domain controller", or_none(&w->dc.name));
	row("  address", or_none(&w->dc.address));
	row("  site", or_none(&w->dc.dc_site));
	row("Client site", or_none(&w->dc.client_site));
	printf("%-18s 0x%x\n", "Options", w->options);
	if (o->prov3)
		row("Machine SID", or_none(&o->prov3->sid));
	if (o->prov4) {
		odj_guid_text(o->prov4->object_guid, guid);
		row("Machine GUID", guid);
	}
	print_password(w, show_secret);
}

static void print_findings(const struct odj *o)
{
	struct odj_finding f[ODJ_FINDINGS_MAX];
	size_t n = odj_check(o, ODJ_DIRECT, f);
	for (size_t i = 0; i < n; i++)
		printf("%-18s %s: %s\n", f[i].level == ODJ_STOP ? "Stop" : "Warning", f[i].id,
			f[i].text);
}

static int show_json(const struct odj *o, const struct odj_encoding *enc, const char *path,
	bool show_secret, struct err *e)
{
	const char *base = strrchr(path, '/');
	json_t *v = odj_json(o, enc, show_secret);
	json_t *name = json_string(base ? base + 1 : path);
	if (!v || !name || json_object_set_new(v, "file", name) < 0) {
		json_decref(v);
		return err_nomem(e);
	}
	return cli_print_json(v, e);
}

static int show(int argc, char **argv, struct err *e)
{
	bool json = false;
	bool show_secret = false;
	const struct cli_opt opts[] = {
		{"--json", NULL, &json},
		{"--show-secret", NULL, &show_secret},
		{NULL, NULL, NULL},
	};
	const char *path;
	int ret = cli_parse(argc, argv, opts, 1, 1, &path, NULL, e);
	if (ret < 0)
		return ret;
	struct secret raw = SECRET_INIT;
	struct odj_encoding enc;
	struct odj o = ODJ_INIT;
	ret = odj_read_file(path, &raw, &enc, e);
	if (ret == 0) {
		ret = odj_decode(&raw, &o, e);
		if (ret < 0)
			err_ctx(e, "%s", path);
	}
	secret_clear(&raw);
	if (ret == 0 && json) {
		ret = show_json(&o, &enc, path, show_secret, e);
	} else if (ret == 0) {
		if (o.join)
			print_join(&o, show_secret);
		print_formats(&o);
		print_findings(&o);
	}
	odj_clear(&o);
	return ret;
}

static const struct cli_verb verbs[] = {
	{"show", "FILE [--show-secret] [--json]",
		"what an offline domain join blob holds; passwords only with --show-secret", show},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_blob = {"blob", "offline domain join blobs", verbs};
