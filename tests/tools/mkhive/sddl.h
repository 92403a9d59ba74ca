/*
 * Security descriptors from their text form (SDDL), as far as registry keys in
 * test hives need it: O: G: D: with flags P, AI, AR and ACEs (A;flags;rights;;;SID)
 * or D for deny; S: with AI and no ACEs. Rights KA KR KW GA GR GW or 0x... SIDs by
 * alias (BA SY BU CO CG WD AC NS LS NO AU OW) or S-1-...
 */
#ifndef TESTS_TOOLS_MKHIVE_SDDL_H
#define TESTS_TOOLS_MKHIVE_SDDL_H

#include "base/mem.h"

/* One SID of n characters, appended in binary form. */
int sddl_sid(const char *s, size_t n, struct buf *out, struct err *e);

int sddl_parse(const char *text, struct buf *out, struct err *e);

#endif
