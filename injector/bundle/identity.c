#include "bundle/identity.h"

#include <string.h>

#include "base/mem.h"

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

int identity_normalise(const char *text, char out[IDENTITY_MAX + 1], struct err *e)
{
	size_t n = 0;
	if (strlen(text) > IDENTITY_MAX)
		return err_set(e, ERR_LIMIT, NULL, "a serial or tag has at most %d characters",
			IDENTITY_MAX);
	for (const char *p = text; *p; p++) {
		if (*p == ' ' || *p == '\t' || *p == '-')
			continue;
		if (*p < 0x20 || *p > 0x7e)
			return err_set(e, ERR_FORMAT, NULL,
				"a serial or tag holds only plain ASCII characters");
		out[n++] = upper(*p);
	}
	out[n] = '\0';
	if (n == 0)
		return err_set(e, ERR_FORMAT, NULL, "the serial or tag is empty");
	return 0;
}

/* Normal forms of what firmware says when nobody set it. Source: SMBIOS dumps of retail boards and
 * virtual machines; the list errs on the side of texts that no vendor uses as a serial. */
static const char *const placeholders[] = {
	"TOBEFILLEDBYO.E.M.",
	"TOBEFILLEDBYO.E.M",
	"TOBEFILLEDBYOEM",
	"TOBEFILLED",
	"SYSTEMSERIALNUMBER",
	"CHASSISSERIALNUMBER",
	"BASEBOARDSERIALNUMBER",
	"BOARDSERIALNUMBER",
	"SERIALNUMBER",
	"SERIAL",
	"DEFAULTSTRING",
	"DEFAULT",
	"NONE",
	"NULL",
	"N/A",
	"NA",
	"NOTAPPLICABLE",
	"NOTAVAILABLE",
	"NOTSPECIFIED",
	"NOTDEFINED",
	"NOTSET",
	"NOASSETTAG",
	"NOASSETINFORMATION",
	"NOSERIAL",
	"NOSERIALNUMBER",
	"NOENCLOSURE",
	"ASSETTAG",
	"ASSETTAGNUMBER",
	"ASSET",
	"ASSETNUMBER",
	"ASSET1234567890",
	"CHASSISASSETTAG",
	"BASEBOARDASSETTAG",
	"SMBIOSASSETTAG",
	"UNKNOWN",
	"UNDEFINED",
	"UNSPECIFIED",
	"INVALID",
	"EMPTY",
	"BLANK",
	"TBD",
	"OEM",
	"O.E.M.",
	"TEST",
	"SN",
	"SSN12345678901234567890",
	"SYSTEMPRODUCTNAME",
	"SYSTEMVERSION",
	"SKU",
};

/* "0", "00000000", "XXXXXX", "......", "11111". "7" or "222" may well be somebody's inventory tag.
 */
static bool one_character(const char *s)
{
	size_t n = strspn(s, (const char[]){s[0], '\0'});
	if (s[n] != '\0')
		return false;
	if (s[0] >= '1' && s[0] <= '9')
		return n >= 5;
	return n >= 3 || !(s[0] >= 'A' && s[0] <= 'Z');
}

/* "1234567", "123456789", "0123456789", "1234567890123..." */
static bool counting(const char *s)
{
	size_t n = strlen(s);
	if (n < 6 || (s[0] != '0' && s[0] != '1'))
		return false;
	for (size_t i = 1; i < n; i++)
		if (s[i] != (s[i - 1] == '9' ? '0' : s[i - 1] + 1))
			return false;
	return true;
}

bool identity_is_placeholder(const char *text)
{
	char norm[IDENTITY_MAX + 1];
	if (identity_normalise(text, norm, NULL) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(placeholders); i++)
		if (strcmp(norm, placeholders[i]) == 0)
			return true;
	return one_character(norm) || counting(norm);
}

bool identity_equal(const char *a, const char *b)
{
	char na[IDENTITY_MAX + 1], nb[IDENTITY_MAX + 1];
	return identity_normalise(a, na, NULL) == 0 && identity_normalise(b, nb, NULL) == 0 &&
	       strcmp(na, nb) == 0;
}
