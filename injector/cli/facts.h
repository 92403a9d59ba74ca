/* The facts of one Windows, and of the PC, as a table for people. */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include <jansson.h>

#include "job/machine.h"
#include "windows/facts.h"

#define FACTS_JOIN_MAX 400 /* a sentence with a domain and a name */

void facts_describe_join(const struct windows_facts *f, char *out, size_t n);
void facts_print(const struct windows_facts *f);
void facts_print_others(const json_t *others);
void facts_print_pc(const struct machine *m);

#endif
