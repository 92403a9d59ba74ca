/* What the hives say of people: accounts, keyboard, the cloud account of the PC, and what became of
 * an offline join. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "windows/collect.h"
#include "windows/reg.h"

void collect_accounts(struct windows_facts *f, const struct hive *sam)
{
	struct err e = ERR_INIT;
	f->accounts_known = sam && sam_read(sam, &f->accounts, &e) == 0;
	if (sam && !f->accounts_known && !f->sam.problem[0])
		reg_copy(f->sam.problem, sizeof f->sam.problem, e.what);
}

/* The layout of the sign-in screen: the first of the default user's. */
void collect_keyboard(
	struct windows_facts *f, const struct hive *system, const struct hive *default_user)
{
	char path[96];
	hive_key set = collect_set(f, system);
	if (!default_user ||
		!reg_string(default_user, hive_root(default_user), "Keyboard Layout\\Preload", "1",
			f->keyboard, sizeof f->keyboard))
		return;
	snprintf(path, sizeof path, "Control\\Keyboard Layouts\\%s", f->keyboard);
	reg_string(system, set, path, "Layout Text", f->keyboard_name, sizeof f->keyboard_name);
}

static void read_entra(struct windows_facts *f, const struct hive *h, hive_key set)
{
	static const char info[] = "Control\\CloudDomainJoin\\JoinInfo";
	char name[96], path[160];
	hive_key join = reg_key(h, set, info), sub;
	if (reg_subkeys(h, join) == 0)
		return;
	f->entra = true;
	reg_subkey_name(h, join, 0, name, sizeof name, &sub);
	reg_string(h, sub, "", "TenantId", f->entra_tenant, sizeof f->entra_tenant);
	snprintf(path, sizeof path, "Control\\CloudDomainJoin\\TenantInfo\\%s", f->entra_tenant);
	if (f->entra_tenant[0])
		reg_string(h, set, path, "DisplayName", f->entra_tenant_name,
			sizeof f->entra_tenant_name);
}

static int64_t key_time(const struct hive *h, hive_key set, const char *path)
{
	struct hive_key_info info;
	hive_key key = reg_key(h, set, path);
	if (key == HIVE_KEY_NONE || hive_key_info(h, key, &info, NULL) < 0 || !info.written)
		return 0;
	int64_t t = clock_from_filetime(info.written);
	return t > 0 ? t : 0;
}

void decide_odj(struct windows_facts *f, const struct hive *system)
{
	uint32_t set_by_odj;
	hive_key set = collect_set(f, system);
	if (set == HIVE_KEY_NONE)
		return;
	read_entra(f, system, set);
	f->odj_written = key_time(system, set, "Control\\Lsa\\OfflineJoin");
	f->odj_name_set = reg_dword(system, hive_root(system), "Setup\\DJOIN", "ODJComputerNameSet",
				  &set_by_odj) &&
			  set_by_odj != 0;
	if (f->join == WINDOWS_JOIN_PENDING)
		f->odj = f->last_shutdown && f->last_shutdown > f->odj_written
				 ? WINDOWS_ODJ_IGNORED
				 : WINDOWS_ODJ_WAITING;
	else if (f->join == WINDOWS_JOINED)
		f->odj = f->odj_name_set || f->leftover ? WINDOWS_ODJ_COMPLETED : WINDOWS_ODJ_NONE;
	else if (f->odj_name_set || f->leftover)
		f->odj = WINDOWS_ODJ_FAILED;
}
