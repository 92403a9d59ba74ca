#!/usr/bin/env bats
# The first screen at sizes other than the firmware's own: QEMU's picture, read back with the letters of
# Debian's console-setup (tests/e2e/screen.py). Some 25 seconds a size without KVM: make test-boot-all.

load ../../cli/common
load ../../cli/pc
load ../image-common
load ../join

setup_file() {
	load ../../cli/common
	load ../../cli/pc
	load ../join
	join_lab
}

# shown WIDTH HEIGHT CELL COLUMNS ROWS: the grid is what docs/adr/0091 says, and the wizard's frame fills it.
shown() {
	local out=$BATS_TEST_TMPDIR name line lines
	make_stick "$out/stick.img"
	/usr/bin/python3 "$REPO/tests/e2e/screen.py" "$out/stick.img" "$1" "$2" "$out"
	for line in width="$1" height="$2" cell="$3" columns="$4" rows="$5" outside=0; do
		grep -qx "$line" "$out/result.txt" || { echo "not $line"; cat "$out/result.txt"; return 1; }
	done
	[ "$4" -ge 80 ]
	[ "$5" -ge 25 ]
	# Two lines across the whole screen, the second with room for the keys below it; nothing unread.
	line=$(printf '─%.0s' $(seq "$4"))
	mapfile -t lines < <(grep -nx "$line" "$out/screen.txt" | cut -d: -f1)
	cat "$out/screen.txt"
	[ "${#lines[@]}" -eq 2 ]
	[ "${lines[0]}" -eq 2 ]
	[ "${lines[1]}" -ge $(($5 - 3)) ]
	for name in '1/8  Unlock' 'Passphrase' 'F1 ^G help'; do
		grep -qF "$name" "$out/screen.txt" || { cat "$out/screen.txt"; return 1; }
	done
}

@test "800x600: letters of 8x16, 100 columns, 37 rows" {
	shown 800 600 8x16 100 37
}

@test "1920x1080: letters of 16x32, 120 columns, 33 rows" {
	shown 1920 1080 16x32 120 33
}

@test "3840x2160: letters of 32x64, 120 columns, 33 rows" {
	shown 3840 2160 32x64 120 33
}
