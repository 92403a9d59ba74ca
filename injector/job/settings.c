/*
 * The row's other columns: time zone, keyboard layout, what the firmware's
 * clock runs in. In an answer file where there is one (windows/unattend.h), in
 * the registry otherwise; the clock's setting has no place in an answer file.
 */
#include <string.h>

#include "job/internal.h"
#include "windows/keyboard.h"

#define NEXT_REGISTRY                                                                              \
	"The disk is untouched. Leave the column keyboard empty for this PC, or use another "      \
	"image."

static struct keyboard keyboard_of(const struct job *j)
{
	return (struct keyboard){j->settings.language, j->settings.layout};
}

/* --- can this Windows take them
 * -------------------------------------------------------------- */

static void say(struct job *j, const char *id, int ret, const struct err *why, const char *fits)
{
	if (ret < 0)
		job_check_add(j, id, JOB_STOP, ret == -ERR_NOTFOUND ? ERR_REFUSED : ERR_UNSAFE,
			why->next[0] ? why->next : "The disk is untouched.", "%s", why->what);
	else
		job_check_add(j, id, JOB_OK, 0, "", "%s", fits);
}

static void check_zone(struct job *j)
{
	struct job_hive s;
	struct err why = ERR_INIT;
	char text[256];
	int ret = job_hive_open(&s, j->chosen, JOB_SOFTWARE, false, &why);
	if (ret == 0)
		ret = zone_read(s.hive, j->settings.timezone, j->as_of, &j->zone, &why);
	job_hive_close(&s, NULL);
	snprintf(text, sizeof text, "the time zone will be %s", j->zone.name);
	say(j, "timezone", ret, &why, text);
}

/* The users' hives are needed only when there is no answer file. */
static int open_users(struct job *j, struct err *e)
{
	int ret = 0;
	for (int store = PLAN_DEFAULT; ret == 0 && store <= PLAN_NEW_USER; store++) {
		struct job_hive s;
		struct err why = ERR_INIT;
		ret = job_hive_open(&s, j->chosen, store, false, &why);
		job_hive_close(&s, NULL);
		if (ret < 0)
			ret = err_set(e, ERR_UNSAFE, NEXT_REGISTRY,
				"the keyboard layout cannot be set: %s", why.what);
	}
	return ret;
}

static void check_keyboard(struct job *j)
{
	struct job_hive s;
	struct err why = ERR_INIT;
	char text[64], name[16];
	struct keyboard k = keyboard_of(j);
	int ret = job_hive_open(&s, j->chosen, PLAN_SYSTEM, false, &why);
	if (ret == 0)
		ret = keyboard_check(s.hive, &j->chosen->facts, &k, &why);
	job_hive_close(&s, NULL);
	if (ret == 0 && j->method != PLAN_UNATTEND)
		ret = open_users(j, &why);
	snprintf(text, sizeof text, "the keyboard layout will be %s",
		settings_keyboard_text(&j->settings, name));
	say(j, "keyboard", ret, &why, text);
}

void settings_check(struct job *j)
{
	if (j->settings.timezone[0])
		check_zone(j);
	if (j->settings.has_keyboard)
		check_keyboard(j);
	if (j->settings.rtc != RTC_UNSAID)
		job_check_add(j, "rtc", JOB_OK, 0, "",
			"Windows will take the firmware's clock for %s",
			j->settings.rtc == RTC_UTC ? "UTC" : "local time");
}

/* --- the plan
 * -------------------------------------------------------------------------------- */

/* `ret` is that of whoever filled the list. */
static int move(struct plan *p, enum plan_store store, struct hive *h, struct reg_edits *edits,
	int ret, struct err *e)
{
	if (ret == 0)
		ret = plan_add_edits(p, store, h, edits, e);
	reg_edits_clear(edits);
	return ret;
}

int settings_plan_system(struct job *j, struct plan *p, struct hive *system, struct err *e)
{
	struct reg_edits edits = REG_EDITS_INIT;
	const struct windows_facts *f = &j->chosen->facts;
	int ret = 0;
	if (j->settings.timezone[0] && p->method != PLAN_UNATTEND)
		ret = move(p, PLAN_SYSTEM, system, &edits,
			zone_edits(&j->zone, j->as_of, f, &edits, e), e);
	if (ret == 0 && j->settings.rtc != RTC_UNSAID)
		ret = move(p, PLAN_SYSTEM, system, &edits,
			zone_rtc_edits(j->settings.rtc == RTC_UTC, f, &edits, e), e);
	return ret;
}

int settings_plan_users(struct job *j, struct plan *p, struct err *e)
{
	struct keyboard k = keyboard_of(j);
	int ret = 0;
	if (!j->settings.has_keyboard || p->method == PLAN_UNATTEND)
		return 0;
	for (int store = PLAN_DEFAULT; ret == 0 && store <= PLAN_NEW_USER; store++) {
		struct reg_edits edits = REG_EDITS_INIT;
		struct job_hive s;
		ret = job_hive_open(&s, j->chosen, store, false, e);
		if (ret == 0)
			ret = plan_add_logs(j, p, (enum plan_store)store, &s, e);
		if (ret == 0)
			ret = move(p, (enum plan_store)store, s.hive, &edits,
				keyboard_edits(s.hive, &k, &edits, e), e);
		job_hive_close(&s, NULL);
	}
	return ret;
}
