/* The parts of a package, one function per IDL struct. Private to odj/. */
#ifndef ODJ_PARTS_H
#define ODJ_PARTS_H

#include "odj/odj.h"

/* Each decodes one serialized object into memory of o; NULL and e filled on failure. */
struct odj_win7 *odj_part_win7(struct odj *o, struct span s, const char *where, struct err *e);
struct odj_prov2 *odj_part_prov2(struct odj *o, struct span s, const char *where, struct err *e);
struct odj_prov3 *odj_part_prov3(
	struct odj *o, struct span s, bool with_guid, const char *where, struct err *e);
struct odj_cert *odj_part_cert(struct odj *o, struct span s, const char *where, struct err *e);
struct odj_policy *odj_part_policy(struct odj *o, struct span s, const char *where, struct err *e);

#endif
