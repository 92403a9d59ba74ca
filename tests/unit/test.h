/* What every cmocka program includes first, in the order cmocka asks for. */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

/* Print the error text when a call that must succeed does not. */
#define assert_done(ret, e)                                                                        \
	do {                                                                                       \
		if ((ret) < 0)                                                                     \
			fail_msg("%s | %s", (e).what, (e).next);                                   \
	} while (0)

#endif
