/*
 * Clock: UTC wall time, RFC 3339 text, Windows FILETIME.
 *
 * ODJSTICK_NOW (seconds since 1970) replaces the wall clock in tests, so that
 * journals and screens are reproducible. It has no effect on the stick: init
 * starts the wizard with a fixed environment.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT_MAX 24 /* "2026-11-24T22:50:59Z" and its NUL */

int64_t clock_now(void);			      /* seconds since 1970, UTC */
void clock_text(int64_t t, char out[CLOCK_TEXT_MAX]); /* RFC 3339, Z */
int clock_parse(const char *text, int64_t *t); /* RFC 3339 date or date-time; 0 or -ERR_FORMAT */
uint64_t clock_filetime(int64_t t);	       /* 100 ns units since 1601 */
int64_t clock_from_filetime(uint64_t ft);

#endif
