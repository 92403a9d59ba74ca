/*
 * Computer names: what the product accepts as the name of a domain member.
 *
 * Stricter than NetBIOS: the name also becomes a DNS label, an account name and
 * an unattend.xml value, and the domain tools that made the blob check little
 * (facts on odj, section (g)). One rule for batch lint and preflight.
 */
#ifndef ODJ_NAME_H
#define ODJ_NAME_H

#include <stdbool.h>

#define COMPUTER_NAME_MAX 15

enum name_problem {
	NAME_OK,
	NAME_UNDERSCORE, /* legal, but not a DNS host name: a warning */
	NAME_EMPTY,
	NAME_TOO_LONG,
	NAME_BAD_CHARACTER,
	NAME_EDGE_HYPHEN,
	NAME_ALL_DIGITS,
};

/* UTF-8 in. Everything above NAME_UNDERSCORE must be refused. */
enum name_problem computer_name_check(const char *name);
static inline bool name_refused(enum name_problem p)
{
	return p > NAME_UNDERSCORE;
}

/* One sentence without the name: "is longer than 15 characters". */
const char *name_problem_text(enum name_problem p);

/* Computer names compare without regard to ASCII case. */
bool computer_name_equal(const char *a, const char *b);

/* Upper-case copy, as Control\ComputerName holds it. out has COMPUTER_NAME_MAX + 1 bytes; longer
 * names are cut as Windows cuts DNS host names. */
void computer_name_upper(const char *name, char out[COMPUTER_NAME_MAX + 1]);

#endif
