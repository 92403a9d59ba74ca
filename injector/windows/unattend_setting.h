/*
 * One setting of an answer file besides the join: an element that a component
 * may have in the specialize and the oobeSystem pass, of which the later one
 * wins. Ours is put into specialize; where oobeSystem has it, it gets the same
 * value. Private to windows/. Documented for TimeZone and InputLocale.
 */
#ifndef WINDOWS_UNATTEND_SETTING_H
#define WINDOWS_UNATTEND_SETTING_H

#include <stdbool.h>

#include "windows/splicer.h"

struct unattend_setting {
	enum answer_component component;
	enum answer_tag tag;
	const char *value; /* ASCII */
};

#define UNATTEND_SETTINGS 2

/* What the row asks for, in s. The number of settings. */
int unattend_settings(
	const struct unattend_join *join, struct unattend_setting s[UNATTEND_SETTINGS]);

/* Cut and insert what makes the file hold this setting. The join must be in it already. */
void unattend_setting_splice(struct splicer *d, const struct unattend_setting *s);

/* Exactly one in specialize, at most one in each oobeSystem, all with this value. */
bool unattend_setting_holds(
	const struct answer *a, enum windows_arch arch, const struct unattend_setting *s);

#endif
