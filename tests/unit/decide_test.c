/* Every cell of tests/vectors/decision.md against the two decisions it is made of, and the table in
 * docs. What the program makes of both is in tests/cli/decision.bats. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "job/decide.h"
#include "test.h"

#define TABLE "tests/vectors/decision.md"
#define COLUMNS_MAX 16

static const char *const states[STATE_COUNT] = {
	[STATE_NONE] = "none",
	[STATE_PENDING_SAME] = "pending same",
	[STATE_PENDING_OTHER] = "pending other",
	[STATE_JOINED_SAME] = "joined same",
	[STATE_JOINED_OTHER] = "joined other",
	[STATE_LEFTOVER] = "leftover",
	[STATE_UNKNOWN] = "unknown",
};

static char *text_of(const char *path)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	assert_done(file_read(path, 1 << 20, &b, &e), e);
	assert_done(buf_add(&b, "", 1, &e), e);
	return (char *)b.p;
}

/* "| a | b |" in place; the number of cells. */
static int cells_of(char *line, char *cell[COLUMNS_MAX])
{
	int n = 0;
	for (char *save, *p = strtok_r(line, "|", &save); p && n < COLUMNS_MAX;
		p = strtok_r(NULL, "|", &save)) {
		while (*p == ' ')
			p++;
		size_t len = strlen(p);
		while (len && p[len - 1] == ' ')
			p[--len] = '\0';
		if (len)
			cell[n++] = p;
	}
	return n;
}

static enum windows_phase phase_of(const char *name)
{
	for (int p = 0; p <= WINDOWS_PHASE_AUDIT; p++)
		if (strcmp(windows_phase_name((enum windows_phase)p), name) == 0)
			return (enum windows_phase)p;
	fail_msg("no phase %s", name);
	return WINDOWS_PHASE_UNKNOWN;
}

static void check_cell(enum windows_phase phase, enum plan_method wanted, enum decide_state state,
	const char *cell)
{
	enum plan_method method;
	bool fits = decide_method(phase, wanted, &method);
	assert_int_equal(fits, strcmp(cell, "stop: phase") != 0);
	if (!fits)
		return; /* the cell says nothing about the state */
	assert_int_equal(decide_state(state), strcmp(cell, "stop: join-state") != 0);
	if (decide_state(state))
		assert_string_equal(cell, plan_method_name(method));
}

static int check_row(char *line, char *header[COLUMNS_MAX], int columns, bool *seen)
{
	char *cell[COLUMNS_MAX];
	enum plan_method wanted;
	assert_int_equal(cells_of(line, cell), columns);
	enum windows_phase phase = phase_of(cell[0]);
	assert_int_equal(plan_method_parse(cell[1], &wanted), 0);
	for (int i = 2; i < columns; i++) {
		int s = 0;
		while (s < STATE_COUNT && strcmp(states[s], header[i]) != 0)
			s++;
		assert_true(s < STATE_COUNT);
		check_cell(phase, wanted, (enum decide_state)s, cell[i]);
		seen[((int)phase * 4 + (int)wanted) * STATE_COUNT + s] = true;
	}
	return columns - 2;
}

static void every_cell_is_what_the_table_says(void **state)
{
	(void)state;
	char *table = text_of(TABLE), *header[COLUMNS_MAX], *save;
	bool seen[6 * 4 * STATE_COUNT] = {false};
	int cells = 0, columns = cells_of(strtok_r(table, "\n", &save), header);
	strtok_r(NULL, "\n", &save); /* the line under the header */
	for (char *line; (line = strtok_r(NULL, "\n", &save));)
		cells += check_row(line, header, columns, seen);
	assert_int_equal(cells, 6 * 4 * STATE_COUNT);
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		assert_true(seen[i]);
	free(table);
}

/* The row's column leads to the table's line of the same name; a name that was given goes first,
 * and auto is one. */
static void the_row_asks_unless_somebody_gives_a_name(void **state)
{
	(void)state;
	static const char *const words[] = {
		"auto", "registry", "unattend", "firstboot", "FirstBoot", ""};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct settings s = {0};
		struct err e = ERR_INIT;
		assert_done(settings_take(&s, "method", words[i], &e), e);
		const char *want = i == 4 ? "firstboot" : i == 5 ? "auto" : words[i];
		assert_string_equal(plan_method_name(decide_wanted(NULL, s.method)), want);
		for (enum plan_method m = PLAN_AUTO; m <= PLAN_FIRSTBOOT; m++)
			assert_int_equal(decide_wanted(&m, s.method), m);
	}
}

static void no_other_word_is_a_method(void **state)
{
	(void)state;
	static const char *const words[] = {"djoin", "firstboot ", "first-boot", "registryx", "0"};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct settings s = {.method = METHOD_UNATTEND};
		struct err e = ERR_INIT;
		assert_int_equal(settings_take(&s, "method", words[i], &e), -ERR_FORMAT);
		assert_non_null(strstr(e.what, "none of auto, registry, unattend, firstboot"));
		assert_int_equal(s.method, METHOD_UNATTEND);
	}
}

static void the_manual_shows_this_table(void **state)
{
	(void)state;
	char *table = text_of(TABLE), *manual = text_of("docs/windows.md");
	assert_non_null(strstr(manual, table));
	free(table);
	free(manual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_what_the_table_says),
		cmocka_unit_test(the_row_asks_unless_somebody_gives_a_name),
		cmocka_unit_test(no_other_word_is_a_method),
		cmocka_unit_test(the_manual_shows_this_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
