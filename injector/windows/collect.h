/* The hives' contributions to the facts. Private to windows/. A hive may be NULL. */
#ifndef WINDOWS_COLLECT_H
#define WINDOWS_COLLECT_H

#include "hive/hive.h"
#include "windows/facts.h"

/* In this order: later ones rely on what earlier ones found. */
void collect_system(struct windows_facts *f, const struct hive *system);
void collect_software(struct windows_facts *f, const struct hive *software);
void collect_join(struct windows_facts *f, const struct hive *system, const struct hive *security);
void collect_accounts(struct windows_facts *f, const struct hive *sam);
void collect_keyboard(
	struct windows_facts *f, const struct hive *system, const struct hive *default_user);
/* What became of an offline join; after collect_join(). */
void decide_odj(struct windows_facts *f, const struct hive *system);
void decide_phase(struct windows_facts *f, bool setup_started);
void decide_entitlement(struct windows_facts *f, const struct hive *system);

/* Root of the control set in use, HIVE_KEY_NONE when Select does not lead to one. */
hive_key collect_set(const struct windows_facts *f, const struct hive *system);

#endif
