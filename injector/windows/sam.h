/*
 * Local accounts: who is in SAM, and who of them administers this Windows.
 *
 * sam_read() walks SAM\Domains\Account\Users and the members of the alias
 * Administrators (S-1-5-32-544, whatever its name in the language of that
 * Windows). It takes from a user's V value the 204 bytes of its directory and
 * the bytes of the name, and nothing else: the password hashes are in the same
 * value, encrypted, and are never copied or looked at. What is said of a
 * password comes from the length the directory gives for the NT hash.
 *
 * Pure readers of bytes (sam_user_f, sam_user_v, sam_members) are apart, so
 * that they can be fuzzed. Strings are UTF-8, control characters are '?'.
 *
 * Format: third-party evidence, checked on real hives; docs/windows.md.
 */
#ifndef WINDOWS_SAM_H
#define WINDOWS_SAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct hive;

#define SAM_ACCOUNTS_MAX 64 /* kept; further ones are only counted */
#define SAM_USERS_MAX 4096  /* looked at */
#define SAM_NAME_MAX 64	    /* bytes of UTF-8; Windows allows 20 characters */
#define SAM_V_HEAD 204	    /* bytes of the directory in V */
#define SAM_C_MAX 65536	    /* bytes of an alias with its members */
#define SAM_SID_MAX 68	    /* bytes of a SID with 15 parts */

#define SAM_RID_ADMINISTRATOR 500
#define SAM_RID_EVERY_USER 513 /* the group "None": every local account is in it */

enum sam_password {
	SAM_PASSWORD_UNKNOWN, /* the length in the directory is one we do not know */
	SAM_PASSWORD_BLANK,
	SAM_PASSWORD_SET,
};

struct sam_account {
	char name[SAM_NAME_MAX];
	uint32_t rid;
	bool enabled, locked;
	bool admin;	/* a direct member of Administrators, or all accounts are */
	bool microsoft; /* signs in with an account of Microsoft's */
	enum sam_password password;
	int64_t password_set; /* seconds since 1970; 0: never set */
	bool password_expires;
	int64_t last_logon; /* 0: never */
};

struct sam {
	struct sam_account account[SAM_ACCOUNTS_MAX]; /* by RID */
	size_t count;				      /* in account[] */
	size_t total;				      /* in the hive */
	size_t admins;	       /* enabled local accounts that are administrators */
	size_t foreign_admins; /* members of Administrators that are not accounts of this PC */
	size_t unreadable;     /* accounts whose values make no sense */
};

/* -ERR_NOTFOUND: not a SAM. An account that makes no sense is counted, not an error. */
int sam_read(const struct hive *h, struct sam *s, struct err *e);

/* The one enabled local administrator; NULL when there are none or several. */
const struct sam_account *sam_only_admin(const struct sam *s);

/* Enabled local administrators as "a, b, c"; "..." at the end when they do not fit. */
void sam_admin_names(const struct sam *s, char *out, size_t size);

/* Stable names: "set", "blank", "unknown". */
const char *sam_password_name(enum sam_password p);

/* --- the bytes of single values ----------------------------------------------------------------
 */

/* F, at least 60 bytes: times, RID and flags into a. */
bool sam_user_f(struct span f, struct sam_account *a);

/* Where the name lies in a V of `size` bytes, and what the length of the NT hash says. head is the
 * first SAM_V_HEAD bytes. */
struct sam_v {
	uint32_t name_at, name_len;
	enum sam_password password;
};
bool sam_user_v(struct span head, uint32_t size, struct sam_v *v);

/* Members of an alias (value C), one call per SID. False when the bytes make no sense; members
 * before the bad one were reported. */
bool sam_members(struct span c, void (*member)(void *ctx, struct span sid), void *ctx);

/* The SID of the accounts of this PC, from the V of SAM\Domains\Account. Points into v. */
bool sam_machine_sid(struct span v, struct span *sid);

#endif
