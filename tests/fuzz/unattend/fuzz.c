/*
 * unattend_splice() on arbitrary answer files.
 *
 * What must hold: what is accepted verifies, splicing it again gives the same
 * bytes, and what is refused comes with a code and a reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "windows/unattend.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void must(bool what)
{
	if (!what)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (secret_setup(NULL) < 0)
		return 0;
	uint8_t blob[] = "not a blob, but the splice does not care";
	struct secret raw = {blob, sizeof blob};
	struct unattend_join join = {.arch = WINDOWS_AMD64, .computer_name = "FUZZ-1", .raw = &raw};
	if (n & 1) { /* half of the inputs: with the settings besides the join */
		join.timezone = "W. Europe Standard Time";
		memcpy(join.input_locale, "0407:00000407", 14);
	}
	struct unattend_info info;
	struct unattend_other other;
	struct err e = ERR_INIT;
	struct secret once = SECRET_INIT, twice = SECRET_INIT;
	unattend_inspect(p, n, &info, NULL);
	unattend_other_joins(p, n, &join, &other, NULL);
	int ret = unattend_splice(p, n, &join, &once, &e);
	if (ret < 0) {
		must(e.code == -ret && e.what[0] && e.next[0] && !once.p);
		/* a result that does not verify would be a bug of ours, not of the file */
		must(e.code != ERR_INTEGRITY);
		return 0;
	}
	must(unattend_inspect(once.p, once.len, &info, NULL) == 0);
	must(unattend_other_joins(once.p, once.len, &join, &other, NULL) == 0 && !other.data);
	must(info.specialize_join && info.has_computer_name && info.has_specialize);
	must(unattend_splice(once.p, once.len, &join, &twice, NULL) == 0);
	must(once.len == twice.len && memcmp(once.p, twice.p, once.len) == 0);
	secret_clear(&once);
	secret_clear(&twice);
	return 0;
}
