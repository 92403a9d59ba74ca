#!/usr/bin/env bats
# Who may include whom (DESIGN section 2), and that the check sees a breach of each kind.
load common

check() {
	"$REPO/tests/tools/check-house" "$@"
}

setup() {
	mkdir -p "$WORK"/injector/{hive,windows,bundle,job,cli} "$WORK/tui"
	echo '#include "base/err.h"' >"$WORK/injector/hive/open.c"
}

# breach FILE LINE WORDS: with that line in that file, the check fails and says WORDS.
breach() {
	local file="$WORK/$1"
	printf '%s\n' "$2" >"$file"
	run check "$WORK"
	rm "$file"
	[ "$status" -eq 1 ] && [[ $output == *"$1:1: $3"* ]] || { echo "$2: $status: $output"; return 1; }
}

@test "the sources keep to the house" {
	check "$REPO"
}

@test "a back door is seen: upwards, sideways, and past the screens' own floor" {
	check "$WORK"
	breach injector/hive/a.c '#include "windows/facts.h"' 'hive/ must not know windows/'
	breach injector/windows/a.c '#include "bundle/bundle.h"' 'windows/ must not know bundle/'
	breach injector/bundle/a.h '# include "job/job.h"' 'bundle/ must not know job/'
	breach injector/job/a.c '#include "tui/ui.h"' 'job/ must not know tui/'
	breach injector/job/a.c '#include "cli/cli.h"' 'job/ must not know cli/'
	breach injector/cli/apply.c '#include "tui/wizard.h"' 'cli/ must not know tui/'
	breach tui/a.c '#include "hive/hive.h"' 'tui/ must not know hive/'
	breach tui/a.c '#include "ui.h"' '"ui.h" does not name its room'
}

@test "a library in the wrong room, a word of Windows in hive/, and unsafe calls are seen" {
	breach injector/hive/a.c '#include <ntfs-3g/volume.h>' '<ntfs-3g/volume.h> does not belong into hive/'
	breach injector/job/a.c '#include <curses.h>' '<curses.h> does not belong into job/'
	breach injector/hive/a.c 'static char k[] = "ControlSet001";' 'hive/ names a key of Windows'
	breach injector/job/a.c 'int f(void) { return system("x"); }' 'system() is not used'
	# in a comment, or as part of another name, it is none
	echo '/* system("x") */ int operating_system(int n); char *s = "strcpy(";' >"$WORK/injector/job/a.c"
	check "$WORK"
}

@test "a folder without a house is not a good house" {
	run check "$WORK/injector/hive"
	[ "$status" -ne 0 ]
}

# program NAME STATUS LINE...: a test program of WORK/run that says these lines.
program() {
	mkdir -p "$WORK/run/tests/unit" "$WORK/run/build/tests/unit"
	: >"$WORK/run/tests/unit/$1_test.c"
	{
		echo '#!/bin/sh'
		printf "echo '%s'\n" "${@:3}"
		echo "exit $2"
	} >"$WORK/run/build/tests/unit/$1_test"
	chmod +x "$WORK/run/build/tests/unit/$1_test"
}

@test "tests/run: a skip is counted as one and listed, as bats and as cmocka spell it" {
	program bats 0 'ok 1 - one' 'ok 2 two # skip no judge'
	program cmocka 0 'ok 1 - one' 'not ok 2 # SKIP three'
	cp "$REPO/tests/run" "$WORK/run/tests/run"
	BUILD=build run "$WORK/run/tests/run" unit
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "2 passed, 0 failed, 2 skipped" ]
	[[ "$output" == *$'skipped:\n  two # skip no judge\n  # SKIP three'* ]]
	# and a program that dies behind a skip, or fails, is a failure
	program dies 1 'not ok 1 # SKIP four'
	program fails 1 'not ok 1 - five'
	BUILD=build run "$WORK/run/tests/run" unit
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "2 passed, 2 failed, 3 skipped" ]
}
