/* A job as JSON: what --dry-run --json prints. No secret is in it. */
#include "job/internal.h"

static const char *const verdict_names[] = {
	[JOB_OK] = "ok", [JOB_WARN] = "warn", [JOB_STOP] = "stop"};

static json_t *pc_json(const struct job *j)
{
	json_t *v = json_object();
	json_object_set_new(v, "computer_name", json_string(j->pc.name));
	json_object_set_new(v, "serial", json_string(j->pc.serial));
	json_object_set_new(v, "inventory_tag", json_string(j->pc.tag));
	json_object_set_new(v, "domain", json_string(j->pc.domain));
	json_object_set_new(v, "spent", json_boolean(j->pc.spent));
	return v;
}

static json_t *windows_json(const struct job *j)
{
	if (!j->chosen)
		return json_null();
	const struct job_windows *w = &j->chosen->shown;
	json_t *v = json_object();
	json_object_set_new(v, "where", json_string(w->where));
	json_object_set_new(v, "product", json_string(w->product));
	json_object_set_new(v, "computer_name", json_string(w->name));
	json_object_set_new(v, "phase", json_string(w->phase));
	json_object_set_new(v, "facts", windows_facts_json(&j->chosen->facts));
	return v;
}

static json_t *check_json(const struct job_check *c)
{
	json_t *v = json_object();
	json_object_set_new(v, "id", json_string(c->id));
	json_object_set_new(v, "verdict", json_string(verdict_names[c->verdict]));
	json_object_set_new(v, "text", json_string(c->text));
	json_object_set_new(v, "next", json_string(c->next));
	return v;
}

json_t *job_json(const struct job *j)
{
	json_t *checks = json_array();
	for (size_t i = 0; i < j->check_count; i++)
		json_array_append_new(checks, check_json(&j->checks[i]));
	json_t *v = json_object();
	json_object_set_new(v, "pc", pc_json(j));
	json_object_set_new(v, "windows", windows_json(j));
	json_object_set_new(v, "checks", checks);
	json_object_set_new(v, "plan", j->plan.count ? plan_json(&j->plan) : json_null());
	return v;
}
