/*
 * A journal's session file of arbitrary bytes.
 *
 * What must hold: a record that is accepted is exactly one spelling (its JSON, read by another
 * parser and written again, is the same bytes), its facts can be asked for, and walking the file
 * ends at a definite tail.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "journal/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void must(bool what)
{
	if (!what)
		abort();
}

static void is_canonical(const struct record_view *v)
{
	json_t *j = json_loadb(v->pub.json, v->pub.json_len, JSON_REJECT_DUPLICATES, NULL);
	must(j != NULL);
	char *text = json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER);
	must(text != NULL);
	must(strlen(text) == v->pub.json_len && memcmp(text, v->pub.json, v->pub.json_len) == 0);
	free(text);
	json_decref(j);
}

static void answers(const struct record_view *v)
{
	char text[JOURNAL_LABEL_MAX + 1];
	uint8_t hash[JOURNAL_HASH_SIZE] = {0};
	uint64_t num;
	bool b;
	for (int id = 0; id < JOURNAL_FIELD_COUNT; id++) {
		enum journal_field f = (enum journal_field)id;
		if (journal_get_text(&v->pub, f, text, sizeof text))
			must(strlen(text) < sizeof text);
		journal_get_num(&v->pub, f, &num);
		journal_get_bool(&v->pub, f, &b);
		journal_get_hash(&v->pub, f, hash);
	}
	record_signed_by(v, hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct store_session s = {.number = 1};
	struct record_view v;
	if (secret_setup(NULL) < 0 || buf_add(&s.data, p, n, NULL) < 0)
		return 0;
	size_t records = 0;
	while (store_next(&s, &v)) {
		must(v.size % RECORD_BLOCK == 0 && v.size <= RECORD_MAX);
		is_canonical(&v);
		answers(&v);
		records++;
	}
	must(records <= n / RECORD_BLOCK);
	must((store_tail(&s) == STORE_TAIL_NONE) == (s.off == n));
	must(store_torn(&s) <= n - s.off);
	store_unload(&s);
	return 0;
}
