#include "odj/name.h"

#include <stddef.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

enum name_problem computer_name_check(const char *name)
{
	size_t n = strlen(name);
	bool digits = true;
	bool underscore = false;
	if (n == 0)
		return NAME_EMPTY;
	for (size_t i = 0; i < n; i++) {
		char c = name[i];
		if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_')
			return NAME_BAD_CHARACTER;
		digits = digits && is_digit(c);
		underscore = underscore || c == '_';
	}
	if (n > COMPUTER_NAME_MAX)
		return NAME_TOO_LONG;
	if (name[0] == '-' || name[n - 1] == '-')
		return NAME_EDGE_HYPHEN;
	if (digits)
		return NAME_ALL_DIGITS;
	return underscore ? NAME_UNDERSCORE : NAME_OK;
}

const char *name_problem_text(enum name_problem p)
{
	switch (p) {
	case NAME_UNDERSCORE:
		return "has an underscore, which is not allowed in a DNS host name";
	case NAME_EMPTY:
		return "is empty";
	case NAME_TOO_LONG:
		return "is longer than 15 characters";
	case NAME_BAD_CHARACTER:
		return "has a character other than A-Z, 0-9 and hyphen";
	case NAME_EDGE_HYPHEN:
		return "begins or ends with a hyphen";
	case NAME_ALL_DIGITS:
		return "consists of digits only";
	default:
		return "is valid";
	}
}

static char upper(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - 'a' + 'A');
	return c;
}

bool computer_name_equal(const char *a, const char *b)
{
	for (; *a || *b; a++, b++)
		if (upper(*a) != upper(*b))
			return false;
	return true;
}

void computer_name_upper(const char *name, char out[COMPUTER_NAME_MAX + 1])
{
	size_t i = 0;
	for (; name[i] && i < COMPUTER_NAME_MAX; i++)
		out[i] = upper(name[i]);
	out[i] = '\0';
}
