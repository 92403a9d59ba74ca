/* odjstick lab: the keys of a lab and of those who may open its bundles. */
#include <stdio.h>
#include <string.h>

#include "bundle/lab.h"
#include "bundle/recipient.h"
#include "cli/cli.h"

static int need_out(const char *out, struct err *e)
{
	return out ? 0 : err_set(e, ERR_USAGE, NULL, "-o NAME is missing");
}

static int run_keygen(int argc, char **argv, struct err *e)
{
	const char *out = NULL, *file = NULL;
	const struct cli_opt opts[] = {
		{"-o", &out, NULL}, {"--passphrase-file", &file, NULL}, {NULL, NULL, NULL}};
	struct secret passphrase = SECRET_INIT;
	struct lab_pub pub;
	int ret = cli_parse(argc, argv, opts, 0, 0, NULL, NULL, e);
	if (ret == 0)
		ret = need_out(out, e);
	if (ret == 0)
		ret = secret_read_passphrase(&passphrase, file, "Passphrase for the lab key", 1, e);
	if (ret == 0)
		ret = lab_keygen(out, &passphrase, &pub, e);
	secret_clear(&passphrase);
	if (ret < 0)
		return ret;
	char fingerprint[LAB_FINGERPRINT_TEXT];
	lab_fingerprint(&pub, fingerprint);
	printf("%s.key  secret: stays in the lab, with a copy in a safe place\n"
	       "%s.pub  public: goes onto every stick and to the auditors\n"
	       "Fingerprint %s\n",
		out, out, fingerprint);
	return 0;
}

static int run_show(int argc, char **argv, struct err *e)
{
	const char *path = NULL;
	bool json = false;
	const struct cli_opt opts[] = {{"--json", NULL, &json}, {NULL, NULL, NULL}};
	struct lab_pub pub;
	int ret = cli_parse(argc, argv, opts, 1, 1, &path, NULL, e);
	if (ret == 0)
		ret = lab_pub_read(path, &pub, e);
	if (ret < 0)
		return ret;
	char fingerprint[LAB_FINGERPRINT_TEXT], id[LAB_KEYID_TEXT];
	lab_fingerprint(&pub, fingerprint);
	lab_keyid(&pub, id);
	if (json)
		return cli_print_json(
			json_pack("{s:s, s:s}", "key_id", id, "fingerprint", fingerprint), e);
	printf("Key id      %s\nFingerprint %s\n", id, fingerprint);
	return 0;
}

static int run_recipient(int argc, char **argv, struct err *e)
{
	const char *out = NULL, *file = NULL;
	const struct cli_opt opts[] = {
		{"-o", &out, NULL}, {"--passphrase-file", &file, NULL}, {NULL, NULL, NULL}};
	struct secret passphrase = SECRET_INIT;
	int ret = cli_parse(argc, argv, opts, 0, 0, NULL, NULL, e);
	if (ret == 0)
		ret = need_out(out, e);
	if (ret == 0)
		ret = secret_read_passphrase(
			&passphrase, file, "Passphrase for the recipient's key", 1, e);
	if (ret == 0)
		ret = recipient_keygen(out, &passphrase, e);
	secret_clear(&passphrase);
	if (ret == 0)
		printf("%s.key  secret: opens bundles made with --recipient %s.pub\n"
		       "%s.pub  public: may be given to every lab\n",
			out, out, out);
	return ret;
}

static const struct cli_verb verbs[] = {
	{"keygen", "-o LAB [--passphrase-file F]",
		"make the lab's signing key: LAB.key (secret) and LAB.pub", run_keygen},
	{"show", "LAB.pub [--json]", "show the fingerprint of a lab's public key", run_show},
	{"recipient", "-o NAME [--passphrase-file F]",
		"make a key that opens bundles made with --recipient NAME.pub", run_recipient},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_lab = {"lab", "the lab's keys", verbs};
