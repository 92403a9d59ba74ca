#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytedev.h"
#include "base/file.h"
#include "hive/hive.h"
#include "volume/volume.h"
#include "windows/facts.h"
#include "windows/reg.h"

/* A Windows tree in a temporary folder, its hives made value by value. */
struct tree {
	char dir[64];
	struct hive *system, *software;
};

static const uint8_t sd[] = {						 /* O:BAG:SY, no DACL */
	1, 0, 0, 0x80, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* header */
	1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0,		 /* S-1-5-32-544 */
	1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};				 /* S-1-5-18 */

static void text(struct hive *h, const char *path, const char *name, const char *value)
{
	struct err e = ERR_INIT;
	hive_key k;
	assert_done(hive_create_key(h, hive_root(h), path, NULL, &k, &e), e);
	assert_done(hive_set_string(h, k, name, value, &e), e);
}

static void number(struct hive *h, const char *path, const char *name, uint32_t value)
{
	struct err e = ERR_INIT;
	hive_key k;
	assert_done(hive_create_key(h, hive_root(h), path, NULL, &k, &e), e);
	assert_done(hive_set_dword(h, k, name, value, &e), e);
}

static struct hive *new_hive(const char *root)
{
	struct err e = ERR_INIT;
	struct hive *h = NULL;
	assert_done(hive_create(&h, 5, root, (struct span){sd, sizeof sd}, 1, &e), e);
	return h;
}

#define SET "ControlSet001\\"
#define CV "Microsoft\\Windows NT\\CurrentVersion"
#define STATE "Microsoft\\Windows\\CurrentVersion\\Setup\\State"

/* A finished Windows 11 of a workgroup. Each test changes what it is about. */
static void begin(struct tree *t)
{
	snprintf(t->dir, sizeof t->dir, "/tmp/facts.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	t->system = new_hive("SYSTEM");
	t->software = new_hive("SOFTWARE");
	number(t->system, "Select", "Current", 1);
	number(t->system, "Select", "Default", 1);
	text(t->system, SET "Control\\ComputerName\\ComputerName", "ComputerName", "DESKTOP-1");
	text(t->system, SET "Services\\Tcpip\\Parameters", "NV Hostname", "desktop-1");
	text(t->system, SET "Services\\Tcpip\\Parameters", "Hostname", "desktop-1");
	text(t->system, SET "Services\\Tcpip\\Parameters", "Domain", "");
	number(t->system, SET "Services\\Netlogon", "Start", 3);
	text(t->system, SET "Control\\Session Manager\\Environment", "PROCESSOR_ARCHITECTURE",
		"AMD64");
	text(t->system, SET "Control\\ProductOptions", "ProductType", "WinNT");
	number(t->system, "Setup", "SystemSetupInProgress", 0);
	number(t->system, "Setup", "SetupType", 0);
	text(t->system, "Setup", "CmdLine", "");
	text(t->software, CV, "ProductName", "Windows 10 Pro");
	text(t->software, CV, "EditionID", "Professional");
	text(t->software, CV, "InstallationType", "Client");
	text(t->software, CV, "DisplayVersion", "23H2");
	text(t->software, CV, "CurrentBuild", "22631");
	number(t->software, CV, "UBR", 3007);
	number(t->software, CV, "InstallDate", 1700000000);
	text(t->software, STATE, "ImageState", "IMAGE_STATE_COMPLETE");
}

static void write_hive(const char *dir, const char *name, struct hive *h)
{
	char path[160];
	struct err e = ERR_INIT;
	struct bytedev *d;
	snprintf(path, sizeof path, "%s/Windows/System32/config/%s", dir, name);
	assert_done(bytedev_open_file(&d, path, 1, 1, &e), e);
	assert_done(hive_save(h, d, &e), e);
	bytedev_close(d);
	hive_close(h);
}

static void write_file(const struct tree *t, const char *name, const char *content)
{
	char path[200];
	struct err e = ERR_INIT;
	snprintf(path, sizeof path, "%s/%s", t->dir, name);
	for (char *p = path + strlen(t->dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0777);
		*p = '/';
	}
	assert_done(file_create(path, content, strlen(content), 0644, &e), e);
}

static void finish(struct tree *t, struct windows_facts *f)
{
	struct err e = ERR_INIT;
	struct volume *v = NULL;
	struct volume_source src = {.kind = VOLUME_FOLDER, .path = t->dir};
	write_file(t, "Windows/System32/config/x", "");
	write_hive(t->dir, "SYSTEM", t->system);
	write_hive(t->dir, "SOFTWARE", t->software);
	assert_done(volume_open(&v, &src, false, &e), e);
	assert_done(windows_facts_read(v, f, &e), e);
	volume_close(v, NULL);
	char cmd[96];
	snprintf(cmd, sizeof cmd, "rm -r '%s'", t->dir);
	assert_int_equal(system(cmd), 0);
	json_t *json = windows_facts_json(f);
	assert_non_null(json);
	json_decref(json);
}

static void windows_11_of_a_workgroup(void **state)
{
	(void)state;
	struct tree t;
	struct windows_facts f;
	begin(&t);
	finish(&t, &f);
	assert_string_equal(f.product, "Windows 11 Pro");
	assert_string_equal(f.edition, "Professional");
	assert_string_equal(f.version, "23H2");
	assert_int_equal(f.build, 22631);
	assert_int_equal(f.ubr, 3007);
	assert_int_equal(f.install_date, 1700000000);
	assert_int_equal(f.arch, WINDOWS_AMD64);
	assert_false(f.server);
	assert_int_equal(f.may_join, WINDOWS_MAY_JOIN);
	assert_string_equal(f.may_join_source, "EditionID");
	assert_int_equal(f.phase, WINDOWS_PHASE_COMPLETE);
	assert_int_equal(f.join, WINDOWS_JOIN_NONE);
	assert_string_equal(f.computer_name, "DESKTOP-1");
	assert_int_equal(f.control_set, 1);
	assert_true(f.system.readable && !f.system.dirty);
	assert_false(f.security.present);
	assert_false(f.leftover || f.rename_pending || f.hibernation);
	assert_true(f.is_folder);
}

static void setup_phases(void **state)
{
	(void)state;
	static const struct {
		const char *image;
		uint32_t in_progress, oobe, type, audit, generalization, started;
		enum windows_phase want;
	} cases[] = {
		{"IMAGE_STATE_COMPLETE", 0, 0, 0, 0, 7, 0, WINDOWS_PHASE_COMPLETE},
		{"IMAGE_STATE_COMPLETE", 1, 0, 0, 0, 7, 0, WINDOWS_PHASE_BETWEEN},
		{"IMAGE_STATE_COMPLETE", 0, 1, 0, 0, 7, 0, WINDOWS_PHASE_BETWEEN},
		{"IMAGE_STATE_COMPLETE", 0, 0, 2, 0, 7, 0, WINDOWS_PHASE_BETWEEN},
		{"IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE", 1, 1, 2, 0, 7, 0,
			WINDOWS_PHASE_GENERALIZED},
		{"IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE", 1, 1, 2, 0, 0, 0,
			WINDOWS_PHASE_SPECIALIZE},
		{"IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE", 1, 1, 2, 0, 7, 1, WINDOWS_PHASE_BETWEEN},
		{"IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE", 1, 1, 2, 0, 3, 3,
			WINDOWS_PHASE_GENERALIZED},
		{"IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE", 1, 1, 2, 0, 7, 0, WINDOWS_PHASE_BETWEEN},
		{"IMAGE_STATE_UNDEPLOYABLE", 1, 0, 2, 0, 7, 0, WINDOWS_PHASE_BETWEEN},
		{"IMAGE_STATE_GENERALIZE_RESEAL_TO_AUDIT", 1, 0, 2, 0, 7, 0, WINDOWS_PHASE_AUDIT},
		{"IMAGE_STATE_COMPLETE", 0, 0, 0, 1, 7, 0, WINDOWS_PHASE_AUDIT},
		{"", 0, 0, 0, 0, 0, 0, WINDOWS_PHASE_UNKNOWN},
		{"", 1, 0, 0, 0, 0, 0, WINDOWS_PHASE_BETWEEN},
		{"IMAGE_STATE_OF_2030", 0, 0, 0, 0, 0, 0, WINDOWS_PHASE_UNKNOWN},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tree t;
		struct windows_facts f;
		begin(&t);
		text(t.software, STATE, "ImageState", cases[i].image);
		number(t.system, "Setup", "SystemSetupInProgress", cases[i].in_progress);
		number(t.system, "Setup", "OOBEInProgress", cases[i].oobe);
		number(t.system, "Setup", "SetupType", cases[i].type);
		number(t.system, "Setup\\Status", "AuditBoot", cases[i].audit);
		number(t.system, "Setup\\Status\\SysprepStatus", "GeneralizationState",
			cases[i].generalization);
		number(t.system, "Setup\\Status\\ChildCompletion", "setup.exe", cases[i].started);
		finish(&t, &f);
		assert_int_equal(f.phase, cases[i].want);
	}
}

static void join_states(void **state)
{
	(void)state;
	struct tree t;
	struct windows_facts f;
	begin(&t);
	text(t.system, SET "Services\\Tcpip\\Parameters", "NV Domain", "corp.example");
	number(t.system, SET "Services\\Netlogon", "Start", 2);
	finish(&t, &f);
	assert_int_equal(f.join, WINDOWS_JOINED);
	assert_string_equal(f.domain, "corp.example");

	/* a DNS suffix alone says nothing */
	begin(&t);
	text(t.system, SET "Services\\Tcpip\\Parameters", "NV Domain", "lan.example");
	finish(&t, &f);
	assert_int_equal(f.join, WINDOWS_JOIN_UNKNOWN);

	begin(&t);
	number(t.system, SET "Control\\Lsa\\OfflineJoin", "JoinAction", 1);
	text(t.system, SET "Control\\Lsa\\OfflineJoin", "DNSDIDomName", "corp.example");
	text(t.system, SET "Control\\Lsa\\OfflineJoin", "DNSDIName", "CORP");
	text(t.system, SET "Control\\Lsa\\OfflineJoin", "MachineName", "PC-7");
	finish(&t, &f);
	assert_int_equal(f.join, WINDOWS_JOIN_PENDING);
	assert_string_equal(f.pending_domain, "corp.example");
	assert_string_equal(f.pending_name, "PC-7");
	assert_string_equal(f.netbios_domain, "CORP");
	assert_true(f.leftover);

	begin(&t);
	number(t.system, SET "Control\\Lsa\\OfflineProvisioning", "NumParts", 1);
	finish(&t, &f);
	assert_int_equal(f.join, WINDOWS_JOIN_NONE);
	assert_true(f.leftover);

	begin(&t);
	text(t.system, SET "Services\\Tcpip\\Parameters", "NV Hostname", "new-name");
	finish(&t, &f);
	assert_true(f.rename_pending);
}

static void control_sets(void **state)
{
	(void)state;
	struct tree t;
	struct windows_facts f;
	begin(&t);
	number(t.system, "Select", "Current", 2);
	finish(&t, &f);
	assert_int_equal(f.control_set, 0); /* ControlSet002 does not exist */
	assert_int_equal(f.join, WINDOWS_JOIN_UNKNOWN);
	assert_true(f.system.problem[0]);

	begin(&t);
	text(t.system, "ControlSet002\\Control\\ComputerName\\ComputerName", "ComputerName",
		"SECOND");
	number(t.system, "Select", "Current", 2);
	finish(&t, &f);
	assert_int_equal(f.control_set, 2);
	assert_int_equal(f.control_set_default, 1);
	assert_string_equal(f.computer_name, "SECOND");
}

static void editions(void **state)
{
	(void)state;
	static const struct {
		const char *edition;
		enum windows_entitlement want;
	} cases[] = {
		{"Core", WINDOWS_MAY_NOT_JOIN},
		{"CoreSingleLanguage", WINDOWS_MAY_NOT_JOIN},
		{"CloudEdition", WINDOWS_MAY_NOT_JOIN},
		{"Starter", WINDOWS_MAY_NOT_JOIN},
		{"Professional", WINDOWS_MAY_JOIN},
		{"ProfessionalEducationN", WINDOWS_MAY_JOIN},
		{"EnterpriseS", WINDOWS_MAY_JOIN},
		{"IoTEnterpriseS", WINDOWS_MAY_JOIN},
		{"ServerStandard", WINDOWS_MAY_JOIN},
		{"FutureThing", WINDOWS_MAY_JOIN_UNKNOWN},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tree t;
		struct windows_facts f;
		begin(&t);
		text(t.software, CV, "EditionID", cases[i].edition);
		finish(&t, &f);
		assert_int_equal(f.may_join, cases[i].want);
	}
	struct tree t;
	struct windows_facts f;
	begin(&t);
	text(t.system, SET "Control\\ProductOptions", "ProductType", "LanmanNT");
	text(t.software, CV, "ProductName", "Windows 10 Server");
	finish(&t, &f);
	assert_true(f.server && f.domain_controller);
	assert_string_equal(f.product, "Windows 10 Server");
}

/* One record of ProductPolicy, padded. */
static size_t add_policy(uint8_t *p, const char *name, uint32_t value)
{
	size_t n = strlen(name);
	size_t total = (16 + 2 * n + 4 + 3) / 4 * 4;
	put_le16(p, (uint16_t)total);
	put_le16(p + 2, (uint16_t)(2 * n));
	put_le16(p + 4, 4);
	put_le16(p + 6, 4);
	for (size_t i = 0; i < n; i++)
		put_le16(p + 16 + 2 * i, (uint8_t)name[i]);
	put_le32(p + 16 + 2 * n, value);
	return total;
}

static void product_policy_decides(void **state)
{
	(void)state;
	static const char name[] = "WorkstationService-DomainJoinEnabled";
	uint8_t p[512] = {0};
	size_t n = 20;
	n += add_policy(p + n, "Kernel-Something", 5);
	n += add_policy(p + n, name, 0);
	put_le32(p, (uint32_t)n + 4);
	put_le32(p + 4, (uint32_t)n - 20);
	put_le32(p + n, 0x45);
	n += 4;
	uint32_t v = 9;
	assert_true(policy_dword((struct span){p, n}, name, &v));
	assert_int_equal(v, 0);
	assert_true(policy_dword((struct span){p, n}, "kernel-something", &v));
	assert_int_equal(v, 5);
	assert_false(policy_dword((struct span){p, n}, "Absent", &v));
	for (size_t cut = 0; cut < n - 4; cut++)
		assert_false(policy_dword((struct span){p, cut}, name, &v));

	struct tree t;
	struct windows_facts f;
	struct err e = ERR_INIT;
	hive_key k;
	begin(&t);
	assert_done(hive_create_key(t.system, hive_root(t.system), SET "Control\\ProductOptions",
			    NULL, &k, &e),
		e);
	assert_done(hive_set_value(t.system, k, "ProductPolicy", 3, p, n, &e), e);
	finish(&t, &f);
	assert_int_equal(f.may_join, WINDOWS_MAY_NOT_JOIN);
	assert_string_equal(f.may_join_source, "ProductPolicy");
}

static void answer_files(void **state)
{
	(void)state;
	static const char answer[] = "<unattend xmlns=\"urn:schemas-microsoft-com:unattend\">"
				     "<settings pass=\"specialize\"/></unattend>";
	struct tree t;
	struct windows_facts f;
	begin(&t);
	write_file(&t, "Windows/Panther/unattend.xml", answer);
	write_file(&t, "Windows/Panther/Unattend/Unattend.xml", "<html/>");
	write_file(&t, "Windows/System32/Sysprep/unattend.xml",
		"<unattend xmlns=\"urn:schemas-microsoft-com:unattend\">"
		"<settings pass=\"specialize\" wasPassProcessed=\"true\"/></unattend>");
	text(t.system, "Setup", "UnattendFile", "C:\\Deploy\\own.xml");
	write_file(&t, "Deploy/own.xml", answer);
	finish(&t, &f);
	assert_string_equal(f.unattend_setting, "C:\\Deploy\\own.xml");
	assert_string_equal(f.unattend[0].path, "/Deploy/own.xml");
	assert_true(
		f.unattend[0].exists && f.unattend[0].on_volume && f.unattend[0].has_specialize);
	assert_true(f.unattend[1].exists && f.unattend[1].unreadable);
	assert_false(f.unattend[2].exists);
	assert_string_equal(f.unattend[3].path, "/Windows/Panther/unattend.xml");
	assert_true(f.unattend[3].exists && f.unattend[3].has_specialize);
	assert_true(
		f.unattend[4].exists && f.unattend[4].processed && !f.unattend[4].has_specialize);
	assert_int_equal(f.unattend_count, 6);
}

static void damaged_hives_are_facts(void **state)
{
	(void)state;
	struct tree t;
	struct err e = ERR_INIT;
	struct windows_facts f;
	begin(&t);
	hive_close(t.system);
	hive_close(t.software);
	write_file(&t, "Windows/System32/config/SYSTEM", "this is not a hive");
	struct volume *v = NULL;
	struct volume_source src = {.kind = VOLUME_FOLDER, .path = t.dir};
	assert_done(volume_open(&v, &src, false, &e), e);
	assert_done(windows_facts_read(v, &f, &e), e);
	volume_close(v, NULL);
	assert_true(f.system.present && !f.system.readable && f.system.problem[0]);
	assert_false(f.software.present);
	assert_int_equal(f.control_set, 0);
	assert_int_equal(f.phase, WINDOWS_PHASE_UNKNOWN);
	assert_int_equal(f.join, WINDOWS_JOIN_UNKNOWN);
	char cmd[96];
	snprintf(cmd, sizeof cmd, "rm -r '%s'", t.dir);
	assert_int_equal(system(cmd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_11_of_a_workgroup),
		cmocka_unit_test(setup_phases),
		cmocka_unit_test(join_states),
		cmocka_unit_test(control_sets),
		cmocka_unit_test(editions),
		cmocka_unit_test(product_policy_decides),
		cmocka_unit_test(answer_files),
		cmocka_unit_test(damaged_hives_are_facts),
	};
	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
