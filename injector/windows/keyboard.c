#include "windows/keyboard.h"

#include <stdio.h>

#define PRELOAD "Keyboard Layout\\Preload"
#define SUBSTITUTES "Keyboard Layout\\Substitutes"

int keyboard_check(const struct hive *system, const struct windows_facts *f,
	const struct keyboard *k, struct err *e)
{
	char path[64];
	hive_key key;
	snprintf(path, sizeof path, "ControlSet%03u\\Control\\Keyboard Layouts\\%08x",
		f->control_set, k->layout);
	if (hive_find_key(system, hive_root(system), path, &key, NULL) == 0)
		return 0;
	return err_set(e, ERR_NOTFOUND,
		"The disk is untouched. HKLM\\SYSTEM\\CurrentControlSet\\Control\\Keyboard "
		"Layouts "
		"lists the layouts; correct the row in the lab.",
		"this Windows has no keyboard layout %08x", k->layout);
}

/* A substitute that is there already would turn our language into another layout. */
int keyboard_edits(
	const struct hive *h, const struct keyboard *k, struct reg_edits *edits, struct err *e)
{
	struct edit_maker m;
	char language[9], layout[9];
	hive_key key;
	struct hive_value v;
	snprintf(language, sizeof language, "%08x", k->language);
	snprintf(layout, sizeof layout, "%08x", k->layout);
	bool substituted = hive_find_key(h, hive_root(h), SUBSTITUTES, &key, NULL) == 0 &&
			   hive_find_value(h, key, language, &v, NULL) == 0;
	edit_begin(&m, edits, e);
	edit_text(&m, PRELOAD, "1", REG_SZ, language);
	if (substituted || k->layout != k->language)
		edit_text(&m, SUBSTITUTES, language, REG_SZ, layout);
	return edit_end(&m);
}
