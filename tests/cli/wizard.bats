#!/usr/bin/env bats
# The wizard without screens: the same questions as lines of text. The screens are tests/ui.

load common

setup() {
	export ODJSTICK_NOW=1780000000
	echo "lab secret" >"$WORK/lab.pass"
	echo "correct horse" >"$WORK/pass"
	echo "wrong horse" >"$WORK/wrong"
	"$ODJSTICK" lab keygen -o "$WORK/LAB" --passphrase-file "$WORK/lab.pass"
	"$ODJSTICK" bundle create "$REPO/tests/vectors/batch/corp.csv" -o "$WORK/b.odjb" --lab "$WORK/LAB.key" \
		--lab-passphrase-file "$WORK/lab.pass" --passphrase-file "$WORK/pass" --kdf-memory 8
	"$ODJSTICK" stick init "$WORK/stick" --bundle "$WORK/b.odjb" --lab "$WORK/LAB.key" \
		--passphrase-file "$WORK/lab.pass"
	(cd "$REPO" && tests/ui/ground "$WORK" folder)
	firmware "5CG1234X01"
	sums >"$WORK/before"
}

firmware() {
	mkdir -p "$WORK/dmi"
	echo "$1" >"$WORK/dmi/product_serial"
}

sums() { (cd "$WORK/target" && find . -type f -exec sha256sum {} + | sort); }

untouched() { sums | cmp - "$WORK/before"; }

# plain ANSWERS [OPTION...]: the lines a person would type
plain() {
	local answers="$1"
	shift
	printf '%b' "$answers" | "$ODJSTICK" wizard --plain --stick "$WORK/stick" --dmi "$WORK/dmi" \
		--target "$WORK/target" --passphrase-file "$WORK/pass" "$@" 2>&1
}

# The name as an independent reader of the hive sees it.
host_name() {
	hivexget "$WORK/target/Windows/System32/config/SYSTEM" \
		'ControlSet001\Services\Tcpip\Parameters' 'NV Hostname'
}

@test "plain: every question answered, the PC is changed, R asks init to reboot" {
	need_tools hivexget
	run plain '-001\nr\n'
	[ "$status" -eq 10 ]
	[[ "$output" == *"In the bundle: ALM-FIL-001"* ]]
	[[ "$output" == *"DONE: ALM-FIL-001"* ]]
	[ "$(host_name)" = ALM-FIL-001 ]
	"$ODJSTICK" journal verify "$WORK/stick" --lab "$WORK/LAB.pub"
}

@test "plain: an empty confirmation changes nothing" {
	run plain '\n'
	[ "$status" -eq 1 ]
	[[ "$output" == *"was not confirmed"* ]]
	untouched
}

@test "plain: the end of the input is an answer that changes nothing" {
	run plain ''
	[ "$status" -eq 1 ]
	untouched
}

@test "plain --auto: one good answer everywhere needs no key" {
	need_tools hivexget
	run plain '' --auto
	[ "$status" -eq 0 ]
	[[ "$output" == *"DONE: ALM-FIL-001"* ]]
	[ "$(host_name)" = ALM-FIL-001 ]
}

@test "plain --auto: a placeholder serial is refused, not asked about" {
	firmware "To be filled by O.E.M."
	run plain 'INV-0001\n-001\n' --auto
	[ "$status" -eq 1 ]
	[[ "$output" == *"placeholder"* ]]
	untouched
}

@test "plain: a placeholder serial is asked about" {
	firmware "To be filled by O.E.M."
	run plain 'inv-9999\ninv-0002\n-002\np\n'
	[ "$status" -eq 0 ]
	[[ "$output" == *'"INV-9999"'* ]]
	[[ "$output" == *"DONE: ALM-FIL-002"* ]]
}

@test "plain: a warning without a reason is refused, with one it goes on" {
	ODJSTICK_NOW=1700000000 run plain '\n'
	[ "$status" -eq 1 ]
	untouched
	ODJSTICK_NOW=1700000000 run plain 'no battery in this PC\n-001\np\n'
	[ "$status" -eq 0 ]
	"$ODJSTICK" journal show "$WORK/stick" >"$WORK/shown"
	grep -q 'no battery in this PC' "$WORK/shown"
}

@test "plain: a wrong passphrase from a file is refused with the exit status of a wrong key" {
	run plain '' --passphrase-file "$WORK/wrong"
	[ "$status" -eq 4 ]
	untouched
}

@test "plain: no secret in what is printed" {
	run plain '-001\np\n'
	[ "$status" -eq 0 ]
	[[ "$output" == *"machine password"* ]]
	local hex
	hex="$(sed -n 's/.*"machine_password_utf16le_hex": "\([0-9a-f]*\)".*/\1/p' "$BLOBS/ALM-FIL-001.json" | head -1)"
	[ "${#hex}" -eq 480 ]
	[[ "$output" != *"${hex:0:16}"* ]]
	[[ "$output" != *"$(xxd -r -p <<<"$hex" | base64 -w0 | cut -c1-16)"* ]]
}

@test "the screens need a terminal, and say what to do without one" {
	refuses 2 "--plain" "$ODJSTICK" wizard --stick "$WORK/stick" </dev/null
}

@test "a terminal type nobody knows is refused by name" {
	# ncurses itself leaks a screen when the terminal is unknown
	ASAN_OPTIONS=detect_leaks=0 run script -qec "env TERM=no-such-terminal '$ODJSTICK' wizard --stick '$WORK/stick'" /dev/null
	[ "$status" -eq 3 ]
	[[ "$output" == *"no-such-terminal"* ]]
}
