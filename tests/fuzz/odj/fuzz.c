/*
 * The blob decoder on arbitrary bytes. First byte even: the rest is a raw blob;
 * odd: it is a file in some encoding.
 *
 * What must hold: what is accepted can be judged and shown, shows no password
 * unless asked, and survives every file encoding unchanged.
 */
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "odj/odj.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void must(bool what)
{
	if (!what)
		abort();
}

static void shows_no_password(const struct odj *o)
{
	json_t *v = odj_json(o, NULL, false);
	must(v != NULL);
	char *text = json_dumps(v, 0);
	must(text != NULL);
	if (o->join && o->join->password.len >= 16) {
		size_t size = o->join->password.len * 2 + 1;
		char *hex = malloc(size);
		must(hex != NULL);
		sodium_bin2hex(hex, size, o->join->password.p, o->join->password.len);
		char quoted[64] = "_hex\": \"";
		strncat(quoted, hex, 40);
		must(strstr(text, quoted) == NULL);
		free(hex);
	}
	free(text);
	json_decref(v);
}

static void survives_base64(const struct secret *raw)
{
	size_t size = sodium_base64_encoded_len(raw->len, sodium_base64_VARIANT_ORIGINAL);
	char *text = malloc(size);
	must(text != NULL);
	sodium_bin2base64(text, size, raw->p, raw->len, sodium_base64_VARIANT_ORIGINAL);
	struct secret again = SECRET_INIT;
	/* with the closing NUL, as djoin writes it */
	must(odj_decode_file(text, size, "again", &again, NULL, NULL) == 0);
	must(again.len == raw->len && memcmp(again.p, raw->p, raw->len) == 0);
	secret_clear(&again);
	free(text);
}

static void decode(const struct secret *raw)
{
	struct err e = ERR_INIT;
	struct odj o = ODJ_INIT;
	if (odj_decode(raw, &o, &e) < 0) {
		must(e.code != 0 && e.what[0] && e.next[0] && !o.mem);
		return;
	}
	must(e.code == 0);
	struct odj_finding f[ODJ_FINDINGS_MAX];
	must(odj_check(&o, ODJ_DIRECT, f) <= ODJ_FINDINGS_MAX);
	must(odj_check(&o, ODJ_WINDOWS, f) <= ODJ_FINDINGS_MAX);
	shows_no_password(&o);
	json_t *v = odj_json(&o, NULL, true);
	must(v != NULL);
	json_decref(v);
	odj_clear(&o);
	survives_base64(raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (secret_setup(NULL) < 0 || n == 0)
		return 0;
	struct secret raw = SECRET_INIT;
	int ret = p[0] & 1 ? odj_decode_file(p + 1, n - 1, "input", &raw, NULL, NULL)
			   : secret_copy(&raw, p + 1, n - 1, NULL);
	if (ret == 0)
		decode(&raw);
	secret_clear(&raw);
	return 0;
}
