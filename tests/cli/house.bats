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
