/*
 * Facts: what is installed on a volume and in which state it is, read only.
 *
 * windows_facts_read() looks for Windows\System32\config on an open volume and
 * collects everything preflight decides on. A hive that cannot be read is a
 * fact (`system.problem`), not a failure: the caller decides what it means.
 * Strings are UTF-8, "" when unknown, cut at their size.
 *
 * Sources: facts on windows-values and odj (d), (f).
 */
#ifndef WINDOWS_FACTS_H
#define WINDOWS_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "volume/volume.h"
#include "windows/sam.h"

enum windows_arch { WINDOWS_ARCH_UNKNOWN, WINDOWS_X86, WINDOWS_AMD64, WINDOWS_ARM64 };

/* Where setup stands. It decides the method: SPECIALIZE and GENERALIZED still read unattend.xml,
 * COMPLETE takes the registry, the rest is refused. The rules are in docs/windows.md. */
enum windows_phase {
	WINDOWS_PHASE_UNKNOWN,
	WINDOWS_PHASE_GENERALIZED, /* sealed by sysprep; specialize runs at the next start */
	WINDOWS_PHASE_SPECIALIZE,  /* image applied, specialize still ahead */
	WINDOWS_PHASE_BETWEEN,	   /* setup or OOBE has begun and not finished */
	WINDOWS_PHASE_COMPLETE,
	WINDOWS_PHASE_AUDIT,
};

enum windows_join_state {
	WINDOWS_JOIN_UNKNOWN,
	WINDOWS_JOIN_NONE,    /* workgroup */
	WINDOWS_JOIN_PENDING, /* an offline join waits for the next start */
	WINDOWS_JOINED,
};

enum windows_entitlement { WINDOWS_MAY_JOIN_UNKNOWN, WINDOWS_MAY_JOIN, WINDOWS_MAY_NOT_JOIN };

/* What became of an offline join that somebody wrote into this Windows. */
enum windows_odj {
	WINDOWS_ODJ_NONE,      /* no trace of one */
	WINDOWS_ODJ_WAITING,   /* it waits; Windows was not shut down since it was written */
	WINDOWS_ODJ_IGNORED,   /* it waits, although Windows has run and was shut down since */
	WINDOWS_ODJ_COMPLETED, /* taken up, and this Windows is a member */
	WINDOWS_ODJ_FAILED,    /* taken up or half removed, and this Windows is no member */
};

/* Why hiberfil.sys holds a session. Inferred, unverified: docs/windows.md. */
enum windows_hibernation {
	WINDOWS_NOT_HIBERNATED,
	WINDOWS_FAST_STARTUP, /* shut down; the kernel's session is kept for the next start */
	WINDOWS_HIBERNATED,   /* people's programs are kept too */
	WINDOWS_HIBERNATION_UNKNOWN,
};

/* One hive file. */
struct windows_hive {
	bool present;
	bool readable;	  /* opened and walked; a dirty hive is read after recovery in memory */
	bool dirty;	  /* its last write never finished */
	bool recoverable; /* dirty, and its logs are there and fit */
	bool compressed, sparse, encrypted; /* stored so by NTFS: cannot be written in place */
	char problem[192];
};

#define WINDOWS_UNATTEND_MAX 8

/* One position of the implicit answer file search, in search order. */
struct windows_unattend {
	char path[160]; /* '/' path on this volume, or the text of Setup!UnattendFile */
	bool exists;
	bool on_volume; /* false: Setup!UnattendFile names a place we cannot map to this volume */
	bool has_specialize; /* it would be used for specialize, so it shadows what comes after */
	bool processed;	     /* its specialize pass was used already: it shadows nothing, and
				unattend_splice()      refuses it */
	bool unreadable;     /* exists, but is not an answer file we can parse */
};

struct windows_facts {
	char root[160]; /* the folder that holds System32: "/Windows" */
	bool is_folder; /* target is a folder on this machine, not a disk */

	/* release */
	char product[96]; /* "Windows 11 Pro", corrected for build >= 22000 */
	char edition[64]; /* EditionID */
	char version[32]; /* DisplayVersion or ReleaseId, else CurrentVersion */
	char installation_type[32];
	uint32_t build, ubr;
	enum windows_arch arch;
	int64_t install_date; /* seconds since 1970, 0 unknown */
	bool server, domain_controller;
	enum windows_entitlement may_join;
	char may_join_source[32]; /* "ProductPolicy", "EditionID" or "" */

	/* setup */
	enum windows_phase phase;
	char image_state[64];
	char setup_cmdline[160];
	uint32_t setup_in_progress, oobe_in_progress, setup_type, setup_phase;
	bool audit;
	uint32_t generalization_state;

	/* identity */
	uint32_t control_set, control_set_default; /* Select\Current, Default; 0 unknown */
	char computer_name[64];			   /* Control\ComputerName\ComputerName */
	char host_name[64];			   /* Tcpip NV Hostname */
	enum windows_join_state join;
	char domain[256];	  /* DNS, joined or pending */
	char netbios_domain[64];  /* of the SECURITY policy or the pending join */
	char workgroup[64];	  /* SECURITY policy of a workgroup PC */
	char pending_domain[256]; /* Lsa\OfflineJoin */
	char pending_name[64];
	bool leftover; /* OfflineJoin, OfflineProvisioning or Netlogon\JoinDomain exist */
	bool rename_pending;
	enum windows_odj odj;
	int64_t netsetup_log;	    /* last change of Windows\debug\NetSetup.log, 0 when absent */
	int64_t firstboot_log;	    /* last change of our own log (windows/firstboot.h) */
	char firstboot_code[16];    /* djoin's exit code in it, or "not run"; "" not known */
	int64_t odj_written;	    /* last-written time of Lsa\OfflineJoin, 0 when absent */
	bool odj_name_set;	    /* Setup\DJOIN!ODJComputerNameSet */
	bool entra;		    /* joined to Microsoft Entra ID (CloudDomainJoin\JoinInfo) */
	char entra_tenant[64];	    /* its id */
	char entra_tenant_name[96]; /* "" when not kept */

	/* people */
	struct sam accounts; /* meaningful when accounts_known */
	bool accounts_known;
	char keyboard[16]; /* layout of the sign-in screen: "00000407" */
	char keyboard_name[64];

	/* state of the disk */
	struct windows_hive system, software, security, sam, default_user;
	enum windows_hibernation hibernation;
	uint64_t free_bytes;
	int64_t last_shutdown; /* Control\Windows!ShutdownTime, 0 unknown */
	char time_zone[128];
	int32_t utc_bias; /* minutes: UTC = local time + bias, as Windows last used it */
	bool rtc_is_utc;
	bool fast_startup; /* Session Manager\Power!HiberbootEnabled: the setting */
	bool volume_dirty;
	enum volume_bitlocker bitlocker; /* OFF: what BitLocker hides is not read */
	size_t unattend_count;
	struct windows_unattend unattend[WINDOWS_UNATTEND_MAX];
	char unattend_setting[160]; /* Setup!UnattendFile: shadows every implicit position */
};

#define WINDOWS_FACTS_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

/* -ERR_NOTFOUND when the volume holds no Windows; other failures only for the volume itself. */
int windows_facts_read(struct volume *v, struct windows_facts *f, struct err *e);

json_t *windows_facts_json(const struct windows_facts *f); /* NULL: out of memory */

/* Stable names: "complete", "specialize", ...; "joined", "pending", "none", "unknown"; "amd64". */
const char *windows_phase_name(enum windows_phase p);
const char *windows_join_name(enum windows_join_state s);
const char *windows_arch_name(enum windows_arch a);
/* "none", "waiting", "ignored", "completed", "failed" */
const char *windows_odj_name(enum windows_odj s);
/* "no", "fast-startup", "hibernated", "unknown" */
const char *windows_hibernation_name(enum windows_hibernation h);

#endif
