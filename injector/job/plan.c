#include "job/plan.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf16.h"

enum { TYPE_SZ = 1, TYPE_EXPAND_SZ = 2, TYPE_DWORD = 4, TYPE_QWORD = 11 };

#define SHOWN_BYTES 64 /* of binary data; more is cut with its length */

static const char *const type_names[] = {"REG_NONE", "REG_SZ", "REG_EXPAND_SZ", "REG_BINARY",
	"REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_LINK", "REG_MULTI_SZ", "REG_RESOURCE_LIST",
	"REG_FULL_RESOURCE_DESCRIPTOR", "REG_RESOURCE_REQUIREMENTS_LIST", "REG_QWORD"};

static const char *const method_names[] = {
	[PLAN_AUTO] = "auto",
	[PLAN_REGISTRY] = "registry",
	[PLAN_UNATTEND] = "unattend",
	[PLAN_FIRSTBOOT] = "firstboot",
};

static const char *const store_names[PLAN_STORES] = {
	[PLAN_FILES] = "files",
	[PLAN_DEFAULT] = "DEFAULT",
	[PLAN_NEW_USER] = "NTUSER.DAT",
	[PLAN_SYSTEM] = "SYSTEM",
};

static const char *const kind_names[] = {
	[PLAN_KEY] = "key", [PLAN_VALUE] = "value", [PLAN_FILE] = "file"};

void plan_clear(struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct plan_item *it = &p->items[i];
		free(it->place);
		free(it->name);
		free(it->before);
		free(it->after);
		secret_clear(&it->data);
	}
	free(p->items);
	*p = (struct plan){0};
}

const char *plan_method_name(enum plan_method m)
{
	return method_names[m];
}

int plan_method_parse(const char *name, enum plan_method *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(method_names); i++) {
		if (strcmp(method_names[i], name) == 0) {
			*m = (enum plan_method)i;
			return 0;
		}
	}
	return -ERR_USAGE;
}

const char *plan_store_name(enum plan_store s)
{
	return store_names[s];
}

const char *plan_store_file(enum plan_store s)
{
	static const char *const files[PLAN_STORES] = {
		[PLAN_DEFAULT] = "Windows\\System32\\config\\DEFAULT",
		[PLAN_NEW_USER] = "Users\\Default\\NTUSER.DAT",
		[PLAN_SYSTEM] = "Windows\\System32\\config\\SYSTEM",
	};
	return files[s];
}

enum plan_store plan_order(enum plan_method m, int i)
{
	return (enum plan_store)(m == PLAN_UNATTEND ? PLAN_STORES - 1 - i : i);
}

const char *plan_type_name(uint32_t type, char buf[16])
{
	if (type < ARRAY_SIZE(type_names))
		return type_names[type];
	snprintf(buf, 16, "REG_%u", type);
	return buf;
}

static char *binary_text(const uint8_t *p, size_t n)
{
	size_t shown = n < SHOWN_BYTES ? n : SHOWN_BYTES;
	size_t size = shown * 2 + 40;
	char *s = malloc(size);
	if (!s)
		return NULL;
	sodium_bin2hex(s, size, p, shown);
	if (shown < n)
		snprintf(s + shown * 2, size - shown * 2, "... (%zu bytes)", n);
	return s;
}

char *plan_data_text(uint32_t type, const uint8_t *p, size_t n)
{
	char *s;
	switch (type) {
	case TYPE_SZ:
	case TYPE_EXPAND_SZ:
		return utf16le_sz_to_utf8(p, n);
	case TYPE_DWORD:
		if (n != 4 || !(s = malloc(16)))
			break;
		snprintf(s, 16, "%u", le32(p));
		return s;
	case TYPE_QWORD:
		if (n != 8 || !(s = malloc(24)))
			break;
		snprintf(s, 24, "%llu", (unsigned long long)le64(p));
		return s;
	default:
		break;
	}
	return binary_text(p, n);
}

static void hash_text(crypto_generichash_state *st, const char *s)
{
	static const char absent = 1;
	if (s)
		crypto_generichash_update(st, (const uint8_t *)s, strlen(s) + 1);
	else
		crypto_generichash_update(st, (const uint8_t *)&absent, 1);
}

void plan_seal(struct plan *p)
{
	crypto_generichash_state st;
	crypto_generichash_init(&st, NULL, 0, sizeof p->hash);
	hash_text(&st, plan_method_name(p->method));
	for (size_t i = 0; i < p->count; i++) {
		const struct plan_item *it = &p->items[i];
		char type[16];
		hash_text(&st, kind_names[it->kind]);
		hash_text(&st, store_names[it->store]);
		hash_text(&st, it->place);
		hash_text(&st, it->name);
		hash_text(&st, plan_type_name(it->type, type));
		hash_text(&st, it->before);
		hash_text(&st, it->after);
	}
	crypto_generichash_final(&st, p->hash, sizeof p->hash);
}

static json_t *text_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *item_json(const struct plan_item *it)
{
	char type[16];
	json_t *v = json_object();
	json_object_set_new(v, "kind", json_string(kind_names[it->kind]));
	if (it->store != PLAN_FILES)
		json_object_set_new(v, "hive", json_string(store_names[it->store]));
	json_object_set_new(v, "place", json_string(it->place));
	if (it->kind == PLAN_VALUE) {
		json_object_set_new(v, "name", json_string(it->name));
		json_object_set_new(v, "type", json_string(plan_type_name(it->type, type)));
	}
	json_object_set_new(v, "existed", json_boolean(it->existed));
	json_object_set_new(v, "secret", json_boolean(it->secret));
	json_object_set_new(v, "before", text_or_null(it->before));
	json_object_set_new(v, "after", text_or_null(it->after));
	return v;
}

json_t *plan_json(const struct plan *p)
{
	char hash[2 * sizeof p->hash + 1];
	sodium_bin2hex(hash, sizeof hash, p->hash, sizeof p->hash);
	json_t *items = json_array();
	for (size_t i = 0; i < p->count; i++)
		json_array_append_new(items, item_json(&p->items[i]));
	json_t *v = json_object();
	json_object_set_new(v, "method", json_string(plan_method_name(p->method)));
	json_object_set_new(v, "hash", json_string(hash));
	json_object_set_new(v, "items", items);
	return v;
}
