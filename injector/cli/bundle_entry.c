#include "cli/bundle_entry.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/cli.h"

int bundle_entry_selected(const struct bundle_entry_selector *s, bool *any, struct err *e)
{
	int n = !!s->serial + !!s->tag + !!s->name;
	*any = n > 0;
	return n <= 1 ? 0 : err_set(e, ERR_USAGE, NULL, "give one of --serial, --tag, --name");
}

static int find(
	struct bundle *b, const struct bundle_entry_selector *s, uint32_t *id, struct err *e)
{
	if (s->serial)
		return bundle_find(b, BUNDLE_BY_SERIAL, s->serial, id, e);
	return s->tag ? bundle_find(b, BUNDLE_BY_TAG, s->tag, id, e)
		      : bundle_find(b, BUNDLE_BY_NAME, s->name, id, e);
}

static int take_column(void *ctx, const char *column, const char *value, struct err *e)
{
	return json_object_set_new(ctx, column, json_string(value)) < 0 ? err_nomem(e) : 0;
}

int bundle_entry_columns(
	struct bundle *b, uint32_t id, enum bundle_state state, json_t **out, struct err *e)
{
	*out = state == BUNDLE_FRESH ? json_object() : json_null();
	int ret = *out ? 0 : err_nomem(e);
	if (ret == 0 && state == BUNDLE_FRESH)
		ret = bundle_entry_extras(b, id, take_column, *out, e);
	if (ret < 0) {
		json_decref(*out);
		*out = NULL;
	}
	return ret;
}

json_t *bundle_entry_json(const struct bundle_row *r, enum bundle_state state, int64_t when)
{
	char text[CLOCK_TEXT_MAX];
	clock_text(when, text);
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s?}", "entry", (int)r->id,
		"computer_name", r->computer_name, "serial", r->serial, "inventory_tag", r->tag,
		"domain", r->domain, "state", bundle_state_name(state), "spent",
		state == BUNDLE_SPENT ? text : NULL);
}

static void print_pair(const char *name, const char *value)
{
	printf("%-18s %s\n", name, value[0] ? value : "-");
}

static void print_entry(
	const struct bundle_row *r, enum bundle_state state, int64_t when, const json_t *columns)
{
	char used[CLOCK_TEXT_MAX] = "";
	const char *column;
	json_t *value;
	if (state == BUNDLE_SPENT && when)
		clock_text(when, used);
	printf("%-18s %u\n", "Entry", r->id);
	print_pair("Computer name", r->computer_name);
	print_pair("Serial", r->serial);
	print_pair("Inventory tag", r->tag);
	print_pair("Domain", r->domain);
	printf("%-18s %s%s%s\n", "State", bundle_state_name(state), used[0] ? " " : "", used);
	if (json_is_null(columns))
		print_pair("Further columns", "not readable any more: the entry's key is gone");
	json_object_foreach((json_t *)columns, column, value)
		print_pair(column, json_string_value(value));
}

int bundle_entry_show(
	struct bundle *b, const struct bundle_entry_selector *s, bool json, struct err *e)
{
	struct bundle_row row;
	enum bundle_state state;
	int64_t when = 0;
	uint32_t id;
	json_t *columns = NULL;
	int ret = find(b, s, &id, e);
	if (ret == 0)
		ret = bundle_row(b, id, &row, e);
	if (ret == 0)
		ret = bundle_entry_state(b, id, &state, &when, e);
	if (ret == 0)
		ret = bundle_entry_columns(b, id, state, &columns, e);
	if (ret < 0)
		return ret;
	if (!json) {
		print_entry(&row, state, when, columns);
		json_decref(columns);
		return 0;
	}
	json_t *v = bundle_entry_json(&row, state, when);
	if (!v || json_object_set_new(v, "columns", columns) < 0) {
		json_decref(v);
		return err_nomem(e);
	}
	return cli_print_json(v, e);
}
